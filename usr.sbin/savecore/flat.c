/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flat.c: a file whose parts come in any order, for a pipe: makedumpfile's
 * flattened form, <sys/diskdump.h>.
 *
 * Where a part is there twice the later one counts.  It must be the same piece
 * of the file then: stdio cuts what is the same in the same way.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <sys/diskdump.h>

#include "savecore.h"

#define FLAT_BUFSZ	(256u << 10)

int
flat_block(const struct outfile *out, const void *buf, size_t len,
    uint64_t off)
{
	const flatdump_block_t b = { htobe64(off), htobe64(len) };

	if (len == 0)
		return 0;
	return outfile_write(out->fd, &b, sizeof(b)) == 0 &&
	    outfile_write(out->fd, buf, len) == 0 ? 0 : -1;
}

static ssize_t
flat_write(void *cookie, const char *buf, size_t len)
{
	struct outfile *out = cookie;

	if (flat_block(out, buf, len, out->flat_at) == -1)
		return 0;
	out->flat_at += len;
	return (ssize_t)len;
}

/* All that is asked for is the beginning. */
static int
flat_seek(void *cookie, off_t *off, int whence)
{
	struct outfile *out = cookie;

	if (whence != SEEK_SET) {
		errno = EINVAL;
		return -1;
	}
	out->flat_at = (uint64_t)*off;
	return 0;
}

FILE *
flat_open(struct outfile *out)
{
	const cookie_io_functions_t io = {
		.write = flat_write,
		.seek = flat_seek,
	};
	unsigned char page[FLATDUMP_HDRSIZE] = { 0 };
	const flatdump_hdr_t h = {
		.signature = FLATDUMP_SIGNATURE,
		.type = htobe64(FLATDUMP_TYPE),
		.version = htobe64(FLATDUMP_VERSION),
	};
	FILE *fp;

	memcpy(page, &h, sizeof(h));
	if (outfile_write(out->fd, page, sizeof(page)) == -1)
		return NULL;
	out->flat_at = 0;
	fp = fopencookie(out, "w", io);
	if (fp != NULL)
		(void)setvbuf(fp, NULL, _IOFBF, FLAT_BUFSZ);
	return fp;
}

int
flat_end(const struct outfile *out)
{
	const flatdump_block_t end = { UINT64_MAX, UINT64_MAX };

	return outfile_write(out->fd, &end, sizeof(end));
}
