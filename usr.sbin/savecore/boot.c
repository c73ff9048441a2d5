/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.c: -a, what is done at boot before swap is turned on.
 *
 * Whether there is a dump is asked first, without looking at the directory: a
 * directory that is not right keeps no swap off where there is nothing to save.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

/* A device has one dump; more runs than this are no progress. */
#define BOOT_RUNS	256

/*
 * Can a dump be there at all?  Compressed memory is not even opened: it may be
 * in the making.
 */
static bool
boot_holds_dumps(const char *device)
{
	off_t size;
	int fd;

	if (strncmp(device, "/dev/zram", 9) == 0)
		return false;
	fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return true;
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	return size == -1 || size >= (off_t)KCORE_WINDOW_MIN;
}

/*
 * Saves all the dumps there are, the newest first.  A device that fails is not
 * tried again, and keeps nobody from saving the others; anything else, like a
 * directory that is not right, would only fail once more.
 */
static int
boot_save(const struct savecore_opts *opts)
{
	struct candidates failed = { NULL, 0 };
	struct savecore_opts look = *opts;
	const char *where = opts->device == NULL ? "" : opts->device;
	const char *colon = opts->device == NULL ? "" : ": ";
	size_t before;
	int i, r = 0;

	look.mode = SAVECORE_CHECK;
	look.verbose = false;
	for (i = 0; i < BOOT_RUNS; i++) {
		before = failed.n;
		r = session_do(&look, &failed);
		if (r == 0)
			r = session_do(opts, &failed);
		if (r == 1 || (r == -1 && failed.n == before))
			break;
	}
	if (failed.n > 0)
		r = -1;
	find_free(&failed);
	if (i == 0 && r == 1)
		msg(LOG_INFO, "%s%sno core dump is left to be saved", where,
		    colon);
	return i < BOOT_RUNS && r == 1 ? 0 : -1;
}

int
boot_run(const struct savecore_opts *opts)
{
	if (opts->device != NULL && !boot_holds_dumps(opts->device)) {
		msg(LOG_INFO, "%s: can't hold a dump", opts->device);
		return 0;
	}
	if (boot_save(opts) == 0)
		return 0;
	if (opts->swap_anyway) {
		msg(LOG_ERR, "a dump was not saved, and swap may overwrite it: "
		    "swapcore.conf(5) says on-failure=swap");
		return 0;
	}
	if (opts->device != NULL)
		msg(LOG_ERR, "%s: stays off as swap: put right what is said "
		    "above and start its swap unit again, or give the dump up "
		    "with savecore -c -D %s", opts->device, opts->device);
	return -1;
}
