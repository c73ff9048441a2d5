/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial.c: dumpon --test: the machine panics for real, so that its dump is
 * tried before it is needed.  Says what will happen, asks, and panics.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "dumpon.h"
#include "kernfile.h"

#define SYSRQ	"/proc/sysrq-trigger"

/* Would there be a dump at all? */
static int
trial_check(void)
{
	char devices[STATUS_TEXT];
	uint64_t loaded;

	if (!status_devices(devices)) {
		warnx("no device is armed, so a panic would leave no dump: arm "
		    "one first, with dumpon -a or dumpon device");
		return -1;
	}
	if (kernfile_number(&loaded, "/sys/kernel/kexec_crash_loaded") == 0 &&
	    loaded != 0 && !policy_post_notifiers()) {
		devices[strcspn(devices, "\n")] = '\0';
		warnx("a kdump kernel is loaded and goes first, so a panic "
		    "would leave no dump on %s: unload it, or boot with "
		    "crash_kexec_post_notifiers", devices);
		return -1;
	}
	return 0;
}

/* What comes after the dump; kernel.panic may be negative. */
static void
trial_tell_after(void)
{
	char text[32];
	long panic = 0;

	if (kernfile_read(text, sizeof(text), "/proc/sys/kernel/panic") > 0)
		panic = strtol(text, NULL, 10);
	if (panic > 0)
		printf("After it the machine waits %ld s and reboots", panic);
	else if (panic < 0)
		printf("After it the machine reboots");
	else
		printf("After it the machine HANGS, because kernel.panic is 0: "
		    "somebody must reset it\n(or say sysctl -w "
		    "kernel.panic=1 first)");
	printf(".  At the next boot\nsavecore(8) must save the dump before "
	    "swap is turned on.\n");
}

static void
trial_tell(void)
{
	printf("This makes the kernel panic NOW, for real, to test its crash "
	    "dump.\n\n"
	    "All that runs here ends at once.  What is not on disk is lost: "
	    "save your work and\nstop what others depend on first.  File "
	    "systems are synced, not unmounted.\n\n"
	    "The dump goes to ");
	status_tell();
	trial_tell_after();
	printf("\n");
}

/* Only y or yes is yes. */
static int
trial_ask(void)
{
	char answer[16];

	if (isatty(STDIN_FILENO) != 1) {
		warnx("nobody can be asked, as standard input is no terminal: "
		    "-y panics without asking");
		return -1;
	}
	printf("Panic now? [y/N] ");
	(void)fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (strcasecmp(answer, "y\n") == 0 ||
	    strcasecmp(answer, "yes\n") == 0))
		return 0;
	warnx("not done: the machine goes on");
	return -1;
}

int
trial(const struct dumpon_opts *opts)
{
	if (trial_check() == -1)
		return -1;
	trial_tell();
	if (!opts->yes && trial_ask() == -1)
		return -1;
	printf("syncing file systems\n");
	(void)fflush(stdout);
	sync();
	printf("panicking\n");
	(void)fflush(stdout);
	if (kernfile_write("c", 1, SYSRQ) == -1)
		warn("the kernel did not panic: " SYSRQ);
	else
		warnx("the kernel did not panic: it took no notice of "
		    SYSRQ);
	return -1;
}
