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

#define ARM_KEY	"/var/lib/dkms/mok.pub"	/* DKMS makes it, by openssl(1) */

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
int
dumpon_load(void)
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
	    "Boot its key must be enrolled: %smokutil --import " ARM_KEY
	    ", and reboot", kernfile_exists(ARM_KEY) ? "" :
	    "install openssl, dpkg-reconfigure swapcore-dkms, ");
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

/* One arming: all targets have one id and one level. */
struct arming {
	char armid[ARMID_TEXTLEN];
	char bootid[ARMID_TEXTLEN];
	int level;
};

/* The whole text in memory; NULL: none. */
static char *
arm_text(const struct target *t, const struct dumpon_opts *opts,
    const struct arming *a, bool add, size_t *len)
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
	    "level %d\n", a->armid, a->bootid, a->level);
	crashnotes_write(fp, opts->verbose);
	for (i = 0; i < t->next; i++)
		fprintf(fp, "extent %" PRIu64 " %" PRIu64 "\n",
		    t->ext[i].first, t->ext[i].count);
	fprintf(fp, add ? "add\n" : "arm\n");
	if (fclose(fp) == 0)
		return text;
	free(text);
	return NULL;
}

/* add: behind those that are armed already. */
static int
arm_write(const struct target *t, const struct dumpon_opts *opts,
    const struct arming *a, bool add)
{
	char *text;
	size_t len;
	int r;

	text = arm_text(t, opts, a, add, &len);
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

/* The id is on the list before any dump can have it. */
static int
arming_begin(struct arming *a, const struct target *t, size_t n,
    const struct dumpon_opts *opts)
{
	unsigned char id[KCORE_IDLEN];
	size_t i;

	if (arm_bootid(a->bootid) == -1)
		return -1;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
		warn("random numbers");
		return -1;
	}
	a->level = arm_level(opts);
	armid_text(a->armid, id);
	for (i = 0; i < n; i++)
		if (armid_append(id, t[i].device, a->level) == -1)
			return -1;
	return 0;
}

/*
 * Hands the targets to the module: those that it took come first then, *n of
 * them.  0, or -1: it refused one.
 */
static int
arming_write(const struct arming *a, struct target *t, size_t *n,
    const struct dumpon_opts *opts)
{
	struct target refused;
	size_t all = *n, i, done = 0;
	int r = 0;

	for (i = 0; i < all; i++) {
		if (arm_write(&t[done], opts, a, done > 0) == 0) {
			done++;
			continue;
		}
		r = -1;
		refused = t[done];
		memmove(t + done, t + done + 1,
		    (all - done - 1) * sizeof(t[0]));
		t[all - 1] = refused;
	}
	*n = done;
	return r;
}

static int
arm_targets(struct target *t, size_t n, const struct dumpon_opts *opts)
{
	char before[STATUS_TEXT];
	struct arming a;
	int r;

	if (arming_begin(&a, t, n, opts) == -1)
		return -1;
	if (!status_devices(before))
		before[0] = '\0';
	r = arming_write(&a, t, &n, opts);
	if (n > 0) {
		arm_keep_level(a.level);
		status_armed(t, n, opts);
	}
	if (before[0] != '\0')
		status_replaced(before, n == 0);
	if (n > 0)
		policy_apply();
	return n > 0 && opts->any ? 0 : r;
}

/* Finds and checks one more target. */
static int
arm_find(struct target *t, size_t *n, const struct dumpon_opts *opts,
    const char *device)
{
	if (target_find(&t[*n], device) == -1)
		return -1;
	if (arm_check(&t[*n], opts) == -1) {
		target_free(&t[*n]);
		return -1;
	}
	(*n)++;
	return 0;
}

int
dumpon_arm(const struct dumpon_opts *opts)
{
	struct target t[DUMPON_MAX];
	size_t i, n = 0, all = 0;
	int r;

	if (dumpon_load() == -1)
		return -1;
	for (i = 0; opts->more != NULL && opts->more[i] != NULL; i++)
		all++;
	if (all >= DUMPON_MAX) {
		warnx("%zu devices: a list has at most %d", all + 1,
		    DUMPON_MAX);
		return -1;
	}
	/* Nothing is changed before all of them are found good. */
	r = arm_find(t, &n, opts, opts->device);
	for (i = 0; i < all && (r == 0 || opts->any); i++)
		if (arm_find(t, &n, opts, opts->more[i]) == -1)
			r = -1;
	if (n > 0 && (r == 0 || opts->any))
		r = arm_targets(t, n, opts);
	while (n > 0)
		target_free(&t[--n]);
	return r;
}

int
dumpon_off(const struct dumpon_opts *opts)
{
	char devices[STATUS_TEXT], *device, *save = NULL;

	if (arm_is_disarmed()) {
		if (opts->verbose)
			printf("nothing was armed\n");
		return 0;
	}
	if (!status_devices(devices))
		strcpy(devices, "the dump device");
	if (arm_disarm() == -1)
		return -1;
	if (!opts->verbose)
		return 0;
	for (device = strtok_r(devices, "\n", &save); device != NULL;
	    device = strtok_r(NULL, "\n", &save))
		printf("%s disarmed\n", device);
	return 0;
}
