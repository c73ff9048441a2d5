/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zopen.c: a file that is compressed as it is written, a chunk at a time, by
 * all CPUs: gzip, or zstd in its seekable format.
 *
 * That is frames, one after the other, and then a table in a frame that zstd(1)
 * skips (zstd's contrib/seekable_format); numbers are little endian:
 *
 *	magic, bytes that follow
 *	of each frame: bytes packed, bytes unpacked
 *	number of frames, 0 (one byte), magic
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack.h"
#include "savecore.h"
#include "zopen.h"

#define ZOPEN_SKIP	0x184d2a5eu
#define ZOPEN_SEEKABLE	0x8f92eab1u
#define ZOPEN_STEP	1024u

struct zopen_frame {
	uint32_t packed, plain;
};

struct zfile {
	int fd;
	struct pack pack;
	struct pack_chunk *chunk;	/* being filled, or NULL */
	size_t len;			/* of it */
	struct zopen_frame *frames;	/* of a seekable file */
	size_t nframes;
	int error;		/* errno of the first write that failed */
};

/* Notes a frame for the table. */
static int
zopen_note(struct zfile *z, const struct pack_chunk *c)
{
	struct zopen_frame *more;

	if (!z->pack.how->seekable)
		return 0;
	if (z->nframes % ZOPEN_STEP == 0) {
		more = realloc(z->frames, (z->nframes + ZOPEN_STEP) *
		    sizeof(*more));
		if (more == NULL)
			return -1;
		z->frames = more;
	}
	z->frames[z->nframes].packed = htole32((uint32_t)c->out_len);
	z->frames[z->nframes++].plain = htole32((uint32_t)c->in_len);
	return 0;
}

/* Writes the oldest chunk under way: 1; 0: there is none; -1. */
static int
zopen_write_one(struct zfile *z)
{
	const struct pack_chunk *c = pack_get(&z->pack);

	if (c == NULL && z->error == 0)
		return 0;
	if (z->error == 0 && c->out_len == 0)
		z->error = ENOMEM;
	if (z->error == 0 && (zopen_note(z, c) == -1 ||
	    outfile_write(z->fd, c->out, c->out_len) == -1))
		z->error = errno;
	errno = z->error;
	return z->error == 0 ? 1 : -1;
}

/* A chunk that is being filled: 0, or -1. */
static int
zopen_need(struct zfile *z)
{
	if (z->chunk == NULL)
		z->chunk = pack_room(&z->pack);
	if (z->chunk == NULL) {
		if (zopen_write_one(z) == -1)
			return -1;
		z->chunk = pack_room(&z->pack);
	}
	return 0;
}

void
zopen_put(struct zfile *z, size_t len)
{
	pack_put(&z->pack, len);
	z->chunk = NULL;
	z->len = 0;
}

unsigned char *
zopen_room(struct zfile *z)
{
	if (z->len > 0)
		zopen_put(z, z->len);
	return zopen_need(z) == 0 ? z->chunk->in : NULL;
}

static ssize_t
zopen_stream(void *cookie, const char *buf, size_t len)
{
	struct zfile *z = cookie;
	size_t at, n;

	for (at = 0; at < len; at += n) {
		if (zopen_need(z) == -1)
			return 0;
		n = sizeof(z->chunk->in) - z->len;
		n = n < len - at ? n : len - at;
		memcpy(z->chunk->in + z->len, buf + at, n);
		z->len += n;
		if (z->len == sizeof(z->chunk->in))
			zopen_put(z, z->len);
	}
	return (ssize_t)len;
}

static int
zopen_table(const struct zfile *z)
{
	const size_t len = z->nframes * sizeof(z->frames[0]);
	const uint32_t head[2] = { htole32(ZOPEN_SKIP),
	    htole32((uint32_t)len + 9) };
	const uint32_t n = htole32((uint32_t)z->nframes),
	    magic = htole32(ZOPEN_SEEKABLE);
	unsigned char foot[9] = { 0 };

	memcpy(foot, &n, sizeof(n));
	memcpy(foot + 5, &magic, sizeof(magic));
	return outfile_write(z->fd, head, sizeof(head)) == 0 &&
	    outfile_write(z->fd, z->frames, len) == 0 &&
	    outfile_write(z->fd, foot, sizeof(foot)) == 0 ? 0 : -1;
}

/* Even a file with nothing in it has one frame. */
static int
zopen_finish(struct zfile *z)
{
	int r;

	if (z->len > 0 || z->pack.nput == 0) {
		if (zopen_need(z) == -1)
			return -1;
		zopen_put(z, z->len);
	}
	while ((r = zopen_write_one(z)) == 1)
		;
	return r == 0 && z->pack.how->seekable ? zopen_table(z) : r;
}

static int
zopen_close(void *cookie)
{
	struct zfile *z = cookie;
	int error, r;

	r = zopen_finish(z);
	error = errno;
	pack_stop(&z->pack);
	free(z->frames);
	free(z);
	errno = error;
	return r == -1 ? EOF : 0;
}

void
zopen_spoil(struct zfile *z)
{
	if (z->error == 0)
		z->error = ECANCELED;
}

struct zfile *
zopen(int fd, const struct pack_how *how, int level, FILE **fp)
{
	const cookie_io_functions_t io = {
		.write = zopen_stream,
		.close = zopen_close,
	};
	struct zfile *z;

	z = calloc(1, sizeof(*z));
	if (z == NULL)
		return NULL;
	z->fd = fd;
	if (pack_start(&z->pack, how, level) == 0) {
		*fp = fopencookie(z, "w", io);
		if (*fp != NULL)
			return z;
		pack_stop(&z->pack);
	}
	free(z);
	errno = ENOMEM;
	return NULL;
}
