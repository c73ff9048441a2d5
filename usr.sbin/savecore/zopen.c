/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zopen.c: a stdio stream that writes a gzip file (RFC 1952), over zlib.
 *
 * It can't seek, as what is compressed can't be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "zopen.h"

#define ZOPEN_BUFSZ	(256u << 10)
#define ZOPEN_GZIP	16	/* added to windowBits: a gzip header */

struct zfile {
	z_stream zs;
	int fd;
	unsigned char out[ZOPEN_BUFSZ];
};

static int
zfile_put(struct zfile *zf, size_t len)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < len; done += (size_t)n) {
		n = write(zf->fd, zf->out + done, len - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1)
			return -1;
	}
	return 0;
}

/* Feeds zlib until it has taken everything; with Z_FINISH, to its end. */
static int
zfile_deflate(struct zfile *zf, int flush)
{
	int r;

	do {
		zf->zs.next_out = zf->out;
		zf->zs.avail_out = sizeof(zf->out);
		r = deflate(&zf->zs, flush);
		if (r == Z_STREAM_ERROR) {
			errno = EINVAL;
			return -1;
		}
		if (zfile_put(zf, sizeof(zf->out) - zf->zs.avail_out) == -1)
			return -1;
	} while (zf->zs.avail_out == 0);
	return 0;
}

static ssize_t
zfile_write(void *cookie, const char *buf, size_t len)
{
	struct zfile *zf = cookie;

	zf->zs.next_in = (z_const Bytef *)buf;
	zf->zs.avail_in = (uInt)len;
	if (zfile_deflate(zf, Z_NO_FLUSH) == -1)
		return 0;
	return (ssize_t)len;
}

static int
zfile_close(void *cookie)
{
	struct zfile *zf = cookie;
	int error, r;

	zf->zs.avail_in = 0;
	r = zfile_deflate(zf, Z_FINISH);
	error = errno;
	deflateEnd(&zf->zs);
	free(zf);
	errno = error;
	return r == -1 ? EOF : 0;
}

FILE *
zopen(int fd, int level)
{
	const cookie_io_functions_t io = {
		.write = zfile_write,
		.close = zfile_close,
	};
	struct zfile *zf;
	FILE *fp;

	zf = calloc(1, sizeof(*zf));
	if (zf == NULL)
		return NULL;
	zf->fd = fd;
	if (deflateInit2(&zf->zs, level, Z_DEFLATED, MAX_WBITS + ZOPEN_GZIP,
	    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(zf);
		errno = ENOMEM;
		return NULL;
	}
	fp = fopencookie(zf, "w", io);
	if (fp == NULL) {
		deflateEnd(&zf->zs);
		free(zf);
	}
	return fp;
}
