/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.c: what the module says of itself in /sys/kernel/swapcore.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dumpon.h"
#include "kernfile.h"

#define STATUS_TEXT	4096

static bool
status_text(char text[STATUS_TEXT], const char *name)
{
	return kernfile_read(text, STATUS_TEXT, DUMPON_SYSDIR "/%s", name) > 0;
}

void
status_warn_reason(const char *file)
{
	char reason[STATUS_TEXT];
	int error = errno;

	/* The module is not asked at all by those who may not open its file. */
	if (error != EACCES && status_text(reason, "reason")) {
		warnx("%s", reason);
		return;
	}
	errno = error;
	warn("%s", file);
}

void
status_size(uint64_t bytes)
{
	if (bytes < 1024 * 1024)
		printf("%" PRIu64 " KiB", bytes / 1024);
	else if (bytes < 10240ull * 1024 * 1024)
		printf("%.1f MiB", (double)bytes / (1024.0 * 1024));
	else
		printf("%.1f GiB", (double)bytes / (1024.0 * 1024 * 1024));
}

/* By the module's count of memory, which is of now. */
static void
status_need(void)
{
	uint64_t estimate, window;

	if (kernfile_number(&estimate, DUMPON_SYSDIR "/estimate") == -1 ||
	    kernfile_number(&window, DUMPON_SYSDIR "/window") == -1)
		return;
	printf("a dump may need ");
	status_size(estimate);
	printf(" now: ");
	if (estimate <= window) {
		printf("fits\n");
		return;
	}
	printf("does not fit in ");
	status_size(window);
	printf(", and would be cut short\n");
}

void
status_describe(void)
{
	uint64_t held, level, window;
	char driver[STATUS_TEXT];

	if (!status_text(driver, "driver"))
		strcpy(driver, "unknown");
	printf(": driver %s", driver);
	if (kernfile_number(&window, DUMPON_SYSDIR "/window") == 0) {
		printf(", window ");
		status_size(window);
	}
	if (kernfile_number(&held, DUMPON_SYSDIR "/held") == 0) {
		printf(", ");
		status_size(held);
		printf(" of memory held");
	}
	if (kernfile_number(&level, DUMPON_SYSDIR "/armed_level") == 0)
		printf(", dump level %" PRIu64, level);
	printf("\n");
	status_need();
}

/* Panic notifiers that were ahead of the dump, one symbol a line. */
static void
status_moved(void)
{
	char moved[STATUS_TEXT], *p, *save = NULL;

	if (!status_text(moved, "moved"))
		return;
	printf("panic notifiers moved behind the dump:");
	for (p = strtok_r(moved, "\n", &save); p != NULL;
	    p = strtok_r(NULL, "\n", &save))
		printf(" %s", p);
	printf("\n");
}

bool
status_device(char *buf)
{
	char state[STATUS_TEXT];

	return status_text(state, "state") && strcmp(state, "armed") == 0 &&
	    kernfile_read(buf, PATH_MAX, DUMPON_SYSDIR "/device") > 0;
}

void
status_replaced(const char *before, const char *device)
{
	char now[PATH_MAX];

	if (device != NULL) {
		if (strcmp(before, device) != 0)
			printf("%s is not armed any more: there is one dump "
			    "device\n", before);
		return;
	}
	if (status_device(now))
		warnx("%s is still armed", now);
	else
		warnx("warning: %s was armed before, and is not any more",
		    before);
}

void
status_armed(const struct target *t, const struct dumpon_opts *opts)
{
	size_t i;

	printf("%s armed", t->device);
	status_describe();
	status_moved();
	for (i = 0; opts->verbose && i < t->next; i++)
		printf("disk %u:%u, sectors %" PRIu64 " to %" PRIu64 "\n",
		    t->disk_major, t->disk_minor, t->ext[i].first,
		    t->ext[i].first + t->ext[i].count - 1);
}

static void
status_list_armed(const struct dumpon_opts *opts)
{
	const char *kdump = policy_kdump();
	uint64_t level;

	if (opts->verbose) {
		status_describe();
		status_moved();
	} else {
		if (kernfile_number(&level, DUMPON_SYSDIR "/armed_level") == 0)
			printf(": dump level %" PRIu64, level);
		printf("\n");
		status_need();
	}
	if (kdump != NULL)
		printf("%s\n", kdump);
}

void
status_list(const struct dumpon_opts *opts)
{
	char device[STATUS_TEXT], state[STATUS_TEXT], reason[STATUS_TEXT];

	if (!status_text(state, "state"))
		strcpy(state, "disarmed");
	if (!status_text(device, "device"))
		strcpy(device, "none");
	printf("%s", device);
	if (strcmp(state, "armed") == 0) {
		status_list_armed(opts);
		return;
	}
	if (strcmp(state, "disarmed") != 0)
		printf(" (%s)", state);
	if (!kernfile_exists(DUMPON_SYSDIR))
		printf(": the module swapcore is not loaded: dumpon -a loads "
		    "it, or says why not\n");
	else if (status_text(reason, "reason"))
		printf(": %s\n", reason);
	else
		printf(": dumpon -a arms a device, or says why not\n");
}
