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

/* Line i of a file that has one for each device. */
static bool
status_line(char text[STATUS_TEXT], const char *name, size_t i)
{
	char all[STATUS_TEXT], *p, *save = NULL;

	if (!status_text(all, name))
		return false;
	for (p = strtok_r(all, "\n", &save); p != NULL && i > 0; i--)
		p = strtok_r(NULL, "\n", &save);
	if (p == NULL)
		return false;
	strcpy(text, p);
	return true;
}

static bool
status_number(uint64_t *n, const char *name, size_t i)
{
	char text[STATUS_TEXT];

	return status_line(text, name, i) && sscanf(text, "%" SCNu64, n) == 1;
}

void
status_room(const char *device, uint64_t has, uint64_t need)
{
	printf("%s: ", device);
	status_size(has);
	printf(has >= need ? ": fits\n" :
	    ": does not fit, and would be cut short\n");
}

void
status_rooms(uint64_t need)
{
	char device[STATUS_TEXT];
	uint64_t window;
	size_t i;

	for (i = 0; status_line(device, "device", i); i++)
		if (status_number(&window, "window", i))
			status_room(device, window, need);
}

/* What a dump would need, by the module's count of memory, which is of now. */
static void
status_need(void)
{
	uint64_t estimate, window;

	if (!status_number(&estimate, "estimate", 0) ||
	    !status_number(&window, "window", 0))
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

/* Device i of the list, behind its name; the memory held is that of all. */
static void
status_describe(size_t i)
{
	uint64_t estimate, held, level, window = UINT64_MAX;
	char driver[STATUS_TEXT];

	if (!status_line(driver, "driver", i))
		strcpy(driver, "unknown");
	printf(": driver %s", driver);
	if (status_number(&window, "window", i)) {
		printf(", window ");
		status_size(window);
	}
	if (i == 0 && status_number(&held, "held", 0)) {
		printf(", ");
		status_size(held);
		printf(" of memory held");
	}
	if (status_number(&level, "armed_level", i))
		printf(", dump level %" PRIu64, level);
	if (i > 0 && status_number(&estimate, "estimate", 0) &&
	    estimate > window)
		printf("; a dump would be cut short");
	printf("\n");
	if (i == 0)
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
status_devices(char *buf)
{
	char state[STATUS_TEXT];

	return status_text(state, "state") && strcmp(state, "armed") == 0 &&
	    status_text(buf, "device");
}

/* Is the device one of the lines? */
static bool
status_has(const char *lines, const char *device)
{
	const size_t len = strlen(device);
	const char *p;

	for (p = lines; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, device, len) == 0 &&
		    (p[len] == '\n' || p[len] == '\0'))
			return true;
	}
	return false;
}

#define WATCHDOG	"/sys/class/watchdog/watchdog%u/"
#define WATCHDOGS_MAX	32u

/* Those that run and that nobody feeds while a dump is taken.  softdog can't
 * fire then. */
static void
status_watchdogs(void)
{
	char fed[STATUS_TEXT], identity[STATUS_TEXT], state[STATUS_TEXT];
	uint64_t timeout;
	unsigned int i;

	if (!status_text(fed, "watchdogs"))
		fed[0] = '\0';
	for (i = 0; i < WATCHDOGS_MAX; i++) {
		if (kernfile_read(state, sizeof(state), WATCHDOG "state",
		    i) <= 0 || strncmp(state, "active", 6) != 0 ||
		    kernfile_read(identity, sizeof(identity), WATCHDOG
		    "identity", i) <= 0 ||
		    kernfile_number(&timeout, WATCHDOG "timeout", i) == -1)
			continue;
		identity[strcspn(identity, "\n")] = '\0';
		if (!status_has(fed, identity) &&
		    strcmp(identity, "Software Watchdog") != 0)
			warnx("warning: the watchdog \"%s\" may reset the "
			    "machine %" PRIu64 " s after a panic, in the "
			    "middle of a dump that takes longer: give it a "
			    "longer time-out", identity, timeout);
	}
}

void
status_replaced(const char *before, bool failed)
{
	char devices[STATUS_TEXT], now[STATUS_TEXT], *p, *save = NULL;

	if (!status_devices(now))
		now[0] = '\0';
	snprintf(devices, sizeof(devices), "%s", before);
	for (p = strtok_r(devices, "\n", &save); p != NULL;
	    p = strtok_r(NULL, "\n", &save)) {
		if (failed && status_has(now, p))
			warnx("%s is still armed", p);
		else if (failed)
			warnx("warning: %s was armed before, and is not any "
			    "more", p);
		else if (!status_has(now, p))
			printf("%s is not armed any more\n", p);
	}
}

void
status_armed(const struct target *t, size_t n, const struct dumpon_opts *opts)
{
	size_t i, k;

	for (k = 0; k < n; k++) {
		printf(k == 0 ? "%s armed" : "%s armed, if that fails",
		    t[k].device);
		status_describe(k);
		for (i = 0; opts->verbose && i < t[k].next; i++)
			printf("disk %u:%u, sectors %" PRIu64 " to %" PRIu64
			    "\n", t[k].disk_major, t[k].disk_minor,
			    t[k].ext[i].first,
			    t[k].ext[i].first + t[k].ext[i].count - 1);
	}
	status_moved();
	status_watchdogs();
}

void
status_tell(void)
{
	char device[STATUS_TEXT];
	size_t i;

	for (i = 0; status_line(device, "device", i); i++) {
		printf(i == 0 ? "%s" : "if that fails, %s", device);
		status_describe(i);
	}
}

/* In one line each. */
static void
status_names(void)
{
	char device[STATUS_TEXT];
	uint64_t level;
	size_t i;

	for (i = 0; status_line(device, "device", i); i++) {
		printf("%s", device);
		if (status_number(&level, "armed_level", i))
			printf(": dump level %" PRIu64, level);
		printf("\n");
	}
	status_need();
}

static void
status_list_armed(const struct dumpon_opts *opts)
{
	const char *kdump = policy_kdump();

	if (opts->verbose) {
		status_tell();
		status_moved();
		status_watchdogs();
	} else {
		status_names();
	}
	if (kdump != NULL)
		printf("%s\n", kdump);
}

void
status_list(const struct dumpon_opts *opts)
{
	char state[STATUS_TEXT], reason[STATUS_TEXT];
	bool because = status_text(reason, "reason");

	if (!status_text(state, "state"))
		strcpy(state, "disarmed");
	if (strcmp(state, "armed") == 0) {
		status_list_armed(opts);
		/* One of several was refused, or is lost. */
		if (because)
			printf("%s\n", reason);
		return;
	}
	printf("none");
	if (strcmp(state, "disarmed") != 0)
		printf(" (%s)", state);
	if (!kernfile_exists(DUMPON_SYSDIR))
		printf(": the module swapcore is not loaded: dumpon -a loads "
		    "it, or says why not\n");
	else if (because)
		printf(": %s\n", reason);
	else
		printf(": dumpon -a arms a device, or says why not\n");
}
