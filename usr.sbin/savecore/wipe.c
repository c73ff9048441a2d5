/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wipe.c: zeroes a dump device, all but page 0, which is not the dump's.
 *
 * A hole is made where the device or file system promises that it reads as
 * zeros: fallocate(2) works on block devices too, and fails where there is no
 * such promise.  Zeros are written then, and to a file that is to stay good for
 * swap.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

#define WIPE_PIECE	(1u << 20)

static size_t
wipe_len(off_t off, off_t end)
{
	return end - off < (off_t)WIPE_PIECE ? (size_t)(end - off) :
	    WIPE_PIECE;
}

/* buf: WIPE_PIECE zeros. */
static int
wipe_write(int fd, const unsigned char *buf, off_t end)
{
	size_t len;
	off_t off;

	for (off = KCORE_ALIGN; off < end; off += (off_t)len) {
		len = wipe_len(off, end);
		if (outfile_write_at(fd, buf, len, (uint64_t)off) == -1)
			return -1;
	}
	return 0;
}

/* Is it all zeros?  buf is room for WIPE_PIECE bytes. */
static int
wipe_check(int fd, const char *path, unsigned char *buf, off_t end)
{
	off_t off;
	ssize_t n;

	(void)posix_fadvise(fd, 0, end, POSIX_FADV_DONTNEED);
	for (off = KCORE_ALIGN; off < end; off += n) {
		n = pread(fd, buf, wipe_len(off, end), off);
		if (n == -1 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			msg_errno(LOG_ERR, "%s: wiped, but can't be read back",
			    path);
			return -1;
		}
		if (buf[0] != 0 ||
		    memcmp(buf, buf + 1, (size_t)n - 1) != 0) {
			msg(LOG_ERR, "%s: wiped, but not zeros when read back "
			    "at %" PRIu64, path, (uint64_t)off);
			return -1;
		}
	}
	return 0;
}

int
wipe_device(int fd, const char *path, bool solid)
{
	unsigned char *buf;
	off_t end;
	int r;

	buf = calloc(1, WIPE_PIECE);
	end = lseek(fd, 0, SEEK_END);
	if (buf == NULL || end == -1) {
		msg_errno(LOG_ERR, "%s: wipe", path);
		free(buf);
		return -1;
	}
	end -= end % (off_t)KCORE_ALIGN;
	r = -1;
	if (!solid)
		r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    KCORE_ALIGN, end - (off_t)KCORE_ALIGN);
	if (r == -1)
		r = wipe_write(fd, buf, end);
	if (r == 0)
		r = fsync(fd);
	if (r == -1)
		msg_errno(LOG_ERR, "%s: wipe", path);
	else
		r = wipe_check(fd, path, buf, end);
	free(buf);
	return r;
}
