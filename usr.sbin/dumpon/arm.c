/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm.c: arm and disarm.
 *
 * The module gets one text, in one write(2), and answers with an error and a
 * line in /sys/kernel/swapcore/reason; dump(4) has the format.
 */
#include <sys/random.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "armid.h"
#include "dumpon.h"
#include "kernfile.h"

#define ARM_TEXTMAX	(PATH_MAX + 512)

/* The module may be there already, or built in. */
static int
arm_load_module(void)
{
	char *argv[] = { (char *)"modprobe", (char *)"swapcore", NULL };
	pid_t pid;
	int error, status;

	if (kernfile_exists(DUMPON_SYSDIR))
		return 0;
	error = posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, argv, environ);
	if (error != 0) {
		errno = error;
		warn("the module swapcore is not loaded: /sbin/modprobe");
		return -1;
	}
	while (waitpid(pid, &status, 0) == -1) {
		if (errno == EINTR)
			continue;
		warn("modprobe");
		return -1;
	}
	if (kernfile_exists(DUMPON_SYSDIR))
		return 0;
	warnx("the module swapcore can't be loaded: see modprobe's message "
	    "and dmesg(1)");
	return -1;
}

/* The running boot's id without its hyphens. */
static int
arm_bootid(char hex[ARMID_TEXTLEN])
{
	char text[64];
	size_t i, n = 0;

	if (kernfile_read(text, sizeof(text),
	    "/proc/sys/kernel/random/boot_id") == -1) {
		warn("/proc/sys/kernel/random/boot_id");
		return -1;
	}
	for (i = 0; text[i] != '\0' && n < ARMID_TEXTLEN - 1; i++) {
		if (text[i] != '-')
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	if (n == ARMID_TEXTLEN - 1)
		return 0;
	warnx("/proc/sys/kernel/random/boot_id: not an id: %s", text);
	return -1;
}

static int
arm_disarm(void)
{
	if (kernfile_write("1\n", 2, DUMPON_SYSDIR "/disarm") == 0)
		return 0;
	status_warn_reason(DUMPON_SYSDIR "/disarm");
	return -1;
}

static bool
arm_is_disarmed(void)
{
	char state[32];

	return kernfile_read(state, sizeof(state), DUMPON_SYSDIR
	    "/state") == -1 || strcmp(state, "disarmed") == 0;
}

static int
arm_write(const struct target *t, const char *armid, const char *bootid)
{
	char text[ARM_TEXTMAX];
	uint64_t level;
	int n;

	if (kernfile_number(&level, DUMPON_SYSDIR "/level") == -1)
		level = 0;
	n = snprintf(text, sizeof(text),
	    "swapcore 1\n"
	    "device %s\n"
	    "disk %u:%u\n"
	    "armid %s\n"
	    "bootid %s\n"
	    "level %" PRIu64 "\n"
	    "extent %" PRIu64 " %" PRIu64 "\n"
	    "arm\n",
	    t->device, t->disk_major, t->disk_minor, armid, bootid, level,
	    t->first, t->count);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		warnx("%s: the name is too long", t->device);
		return -1;
	}
	if (kernfile_write(text, (size_t)n, DUMPON_CONTROL) == 0)
		return 0;
	status_warn_reason(DUMPON_CONTROL);
	return -1;
}

int
dumpon_arm(const struct dumpon_opts *opts)
{
	char armid[ARMID_TEXTLEN], bootid[ARMID_TEXTLEN];
	unsigned char id[KCORE_IDLEN];
	struct target t;

	if (arm_load_module() == -1 || target_find(&t, opts->device) == -1 ||
	    secrets_check(&t, opts) == -1)
		return -1;
	if (!opts->force && unsaved_check(&t) == -1)
		return -1;
	if (arm_bootid(bootid) == -1)
		return -1;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
		warn("random numbers");
		return -1;
	}
	if (armid_append(id, opts->device) == -1)
		return -1;
	armid_text(armid, id);
	if (arm_write(&t, armid, bootid) == -1)
		return -1;
	status_armed(&t, opts);
	policy_apply();
	return 0;
}

int
dumpon_off(const struct dumpon_opts *opts)
{
	char device[PATH_MAX];

	if (arm_is_disarmed()) {
		if (opts->verbose)
			printf("nothing was armed\n");
		return 0;
	}
	if (kernfile_read(device, sizeof(device), DUMPON_SYSDIR
	    "/device") == -1)
		strcpy(device, "the dump device");
	if (arm_disarm() == -1)
		return -1;
	if (opts->verbose)
		printf("%s disarmed\n", device);
	return 0;
}
