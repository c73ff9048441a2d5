/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm.c: arm and disarm.
 *
 * The module gets one text, in one write(2), and answers with an error and a
 * line in /sys/kernel/swapcore/reason; dump(4) has the format.
 */
#include <sys/random.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "armid.h"
#include "dumpon.h"
#include "kernfile.h"

/* modprobe(8) with an option: its exit status; -1: it did not run, which was
 * said. */
static int
arm_modprobe(const char *option)
{
	char *argv[] = { (char *)"modprobe", (char *)option,
	    (char *)"swapcore", NULL };
	pid_t pid;
	int error, status;

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
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The module may be there already, or built in. */
static int
arm_load_module(void)
{
	struct utsname un;
	int r;

	if (kernfile_exists(DUMPON_SYSDIR))
		return 0;
	r = arm_modprobe("-nq");
	if (r == -1)
		return -1;
	if (r != 0 && uname(&un) == 0) {
		warnx("the module swapcore is not there for this kernel: "
		    "install linux-headers-%s, and DKMS builds it",
		    un.release);
		return -1;
	}
	if (arm_modprobe("--") == -1)
		return -1;
	if (kernfile_exists(DUMPON_SYSDIR))
		return 0;
	warnx("the module swapcore can't be loaded: see dmesg(1); with Secure "
	    "Boot its key must be enrolled: mokutil --import "
	    "/var/lib/dkms/mok.pub, and reboot");
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

/* What -d says, or else the module. */
static int
arm_level(const struct dumpon_opts *opts)
{
	uint64_t level;

	if (opts->level != -1)
		return opts->level;
	if (kernfile_number(&level, DUMPON_SYSDIR "/level") == -1 ||
	    level > KCORE_LEVEL_MAX)
		return 0;
	return (int)level;
}

/* The whole text in memory; NULL: none. */
static char *
arm_text(const struct target *t, const struct dumpon_opts *opts, int level,
    const char *armid, const char *bootid, size_t *len)
{
	char *text = NULL;
	FILE *fp;
	size_t i;

	fp = open_memstream(&text, len);
	if (fp == NULL)
		return NULL;
	fprintf(fp,
	    "swapcore 1\n"
	    "device %s\n"
	    "disk %u:%u\n", t->device, t->disk_major, t->disk_minor);
	if (t->mapping_major != 0)
		fprintf(fp, "mapping %u:%u\n", t->mapping_major,
		    t->mapping_minor);
	if (t->fd != -1)
		fprintf(fp, "file %d\n", t->fd);
	if (t->labelled && t->fd != -1)
		fprintf(fp, "hold file\n");
	else if (t->labelled)
		fprintf(fp, "hold %u:%u\n", t->major, t->minor);
	fprintf(fp,
	    "armid %s\n"
	    "bootid %s\n"
	    "level %d\n", armid, bootid, level);
	crashnotes_write(fp, opts->verbose);
	for (i = 0; i < t->next; i++)
		fprintf(fp, "extent %" PRIu64 " %" PRIu64 "\n",
		    t->ext[i].first, t->ext[i].count);
	fprintf(fp, "arm\n");
	if (fclose(fp) == 0)
		return text;
	free(text);
	return NULL;
}

static int
arm_write(const struct target *t, const struct dumpon_opts *opts, int level,
    const char *armid, const char *bootid)
{
	char *text;
	size_t len;
	int r;

	text = arm_text(t, opts, level, armid, bootid, &len);
	if (text == NULL) {
		warn("%s", t->device);
		return -1;
	}
	r = kernfile_write(text, len, DUMPON_CONTROL);
	if (r == -1)
		status_warn_reason(DUMPON_CONTROL);
	free(text);
	return r;
}

/* The level in force is the module's default from then on. */
static void
arm_keep_level(int level)
{
	char text[16];
	int n;

	n = snprintf(text, sizeof(text), "%d\n", level);
	if (kernfile_write(text, (size_t)n, DUMPON_SYSDIR "/level") == -1)
		warn("warning: " DUMPON_SYSDIR "/level");
}

/* All that may speak against it.  -f overrides the unsaved dump. */
static int
arm_check(struct target *t, const struct dumpon_opts *opts)
{
	if (target_check_page0(t) == -1 || secrets_check(t, opts) == -1)
		return -1;
	return opts->force ? 0 : unsaved_check(t);
}

static int
arm_target(struct target *t, const struct dumpon_opts *opts)
{
	char armid[ARMID_TEXTLEN], before[PATH_MAX], bootid[ARMID_TEXTLEN];
	unsigned char id[KCORE_IDLEN];
	int level, r;

	if (arm_bootid(bootid) == -1)
		return -1;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
		warn("random numbers");
		return -1;
	}
	level = arm_level(opts);
	if (armid_append(id, t->device, level) == -1)
		return -1;
	armid_text(armid, id);
	if (!status_device(before))
		before[0] = '\0';
	r = arm_write(t, opts, level, armid, bootid);
	if (r == 0) {
		arm_keep_level(level);
		status_armed(t, opts);
	}
	if (before[0] != '\0')
		status_replaced(before, r == 0 ? t->device : NULL);
	if (r == 0)
		policy_apply();
	return r;
}

int
dumpon_arm(const struct dumpon_opts *opts)
{
	struct target t;
	int r;

	r = arm_load_module();
	if (r == 0)
		r = target_find(&t, opts->device);
	if (r == 0) {
		r = arm_check(&t, opts);
		if (r == 0)
			r = arm_target(&t, opts);
		target_free(&t);
	}
	return r;
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
	if (!status_device(device))
		strcpy(device, "the dump device");
	if (arm_disarm() == -1)
		return -1;
	if (opts->verbose)
		printf("%s disarmed\n", device);
	return 0;
}
