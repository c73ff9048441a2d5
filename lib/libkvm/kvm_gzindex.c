/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_gzindex.c: places of a gzip file from which it can be unpacked.
 *
 * Such a place is where a member begins, or a block of deflate (RFC 1951), and
 * for that the 32 KiB before it are needed.  They are kept compressed; where
 * all of them come to too much every other place is given up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "kvm_bytes.h"

#define GZ_WINDOW	32768u
#define GZ_SPAN		(1u << 20)	/* bytes from place to place, at first */
#define GZ_MEMORY	(16u << 20)	/* bytes of all windows */
#define GZ_POINTS	4096u
#define GZ_BUF		65536u
#define GZ_WBITS	(MAX_WBITS + 16)	/* with a gzip header */
#define GZ_TAIL		8u

typedef unsigned long long ull;

struct gz_point {
	uint64_t in, out;	/* offsets in the file, and unpacked */
	int bits;		/* of the byte before in that belong to it */
	uint8_t *window;	/* NULL: a member begins */
	size_t len;		/* of it */
};

struct kvmi_gzindex {
	pthread_mutex_t lock;	/* of the stream, once the index is built */
	uint64_t size;		/* bytes of the file */
	struct gz_point points[GZ_POINTS];
	size_t n, window_bytes;
	uint64_t span;

	/* The stream. */
	z_stream zs;
	bool open;
	bool raw;		/* begun within a member */
	bool began;		/* a member has */
	bool end;		/* of the file */
	uint64_t next;		/* offset behind what is in buf */
	uint64_t out;		/* offset unpacked */
	uint8_t buf[GZ_BUF];
};

/* ---- The stream ---- */

/* The file offset of what inflate() gets next. */
static uint64_t
gz_at(const struct kvmi_gzindex *x)
{
	return x->next - x->zs.avail_in;
}

static void
gz_seek(struct kvmi_gzindex *x, uint64_t off)
{
	x->next = off;
	x->zs.avail_in = 0;
}

static int
gz_fill(kvm_t *kd, struct kvmi_gzindex *x)
{
	const uint64_t rest = x->size - x->next;
	const size_t n = rest < GZ_BUF ? (size_t)rest : GZ_BUF;

	if (n == 0)
		return kvmi_err(kd, EBADMSG, "ends within a member, at %llu: "
		    "it is cut short", (ull)x->size);
	if (kvmi_file_read(kd, x->buf, n, x->next) == -1)
		return -1;
	x->next += n;
	x->zs.next_in = x->buf;
	x->zs.avail_in = (uInt)n;
	return 0;
}

/* What is left of the file, which is no member, may be zeros. */
static int
gz_padding(kvm_t *kd, struct kvmi_gzindex *x, uint64_t off)
{
	for (; x->next < x->size || x->zs.avail_in > 0; x->zs.avail_in = 0) {
		if (x->zs.avail_in == 0 && gz_fill(kd, x) == -1)
			return -1;
		if (!kvmi_zero(x->zs.next_in, x->zs.avail_in))
			return kvmi_err(kd, EBADMSG, "what begins at %llu is "
			    "not gzip", (ull)off);
	}
	x->end = true;
	return 0;
}

/* A member has ended: the next one. */
static int
gz_member(kvm_t *kd, struct kvmi_gzindex *x)
{
	const uint64_t off = gz_at(x) + (x->raw ? GZ_TAIL : 0);
	uint8_t magic[2];

	if (off > x->size)
		return kvmi_err(kd, EBADMSG, "ends within a member, at %llu: "
		    "it is cut short", (ull)x->size);
	gz_seek(x, off);
	x->end = off == x->size;
	if (x->end)
		return 0;
	if (x->size - off < sizeof(magic))
		return gz_padding(kd, x, off);
	if (kvmi_file_read(kd, magic, sizeof(magic), off) == -1)
		return -1;
	if (magic[0] != 0x1f || magic[1] != 0x8b)
		return gz_padding(kd, x, off);
	x->raw = false;
	x->began = true;
	return inflateReset2(&x->zs, GZ_WBITS) == Z_OK ? 0 :
	    kvmi_syserr(kd, ENOMEM, "zlib");
}

/* Begins at a place. */
static int
gz_begin(kvm_t *kd, struct kvmi_gzindex *x, const struct gz_point *p)
{
	uint8_t window[GZ_WINDOW], byte = 0;
	int r;

	if (x->open)
		inflateEnd(&x->zs);
	memset(&x->zs, 0, sizeof(x->zs));
	x->raw = p->window != NULL;
	x->open = inflateInit2(&x->zs, x->raw ? -MAX_WBITS : GZ_WBITS) == Z_OK;
	if (!x->open)
		return kvmi_syserr(kd, ENOMEM, "zlib");
	gz_seek(x, p->in);
	x->out = p->out;
	x->end = false;
	if (!x->raw)
		return 0;
	if (p->bits != 0) {
		if (kvmi_file_read(kd, &byte, 1, p->in - 1) == -1)
			return -1;
		r = inflatePrime(&x->zs, p->bits, byte >> (8 - p->bits));
		if (r != Z_OK)
			return kvmi_syserr(kd, ENOMEM, "zlib");
	}
	if (ZSTD_decompress(window, sizeof(window), p->window, p->len) !=
	    sizeof(window) ||
	    inflateSetDictionary(&x->zs, window, sizeof(window)) != Z_OK)
		return kvmi_syserr(kd, ENOMEM, "zlib");
	return 0;
}

/*
 * Unpacks some bytes, no more than len: how many, also 0 if there was something
 * else to do; -1 with a text.
 */
static ssize_t
gz_some(kvm_t *kd, struct kvmi_gzindex *x, uint8_t *to, size_t len, int flush)
{
	size_t n;
	int r;

	if (x->zs.avail_in == 0 && gz_fill(kd, x) == -1)
		return -1;
	x->zs.next_out = to;
	x->zs.avail_out = (uInt)len;
	r = inflate(&x->zs, flush);
	n = len - x->zs.avail_out;
	x->out += n;
	if (r == Z_STREAM_END)
		return gz_member(kd, x) == -1 ? -1 : (ssize_t)n;
	if (r == Z_OK || r == Z_BUF_ERROR)
		return (ssize_t)n;
	return kvmi_err(kd, EBADMSG, "at %llu: %s", (ull)gz_at(x),
	    x->zs.msg != NULL ? x->zs.msg : zError(r));
}

/* ---- The index ---- */

static void
gz_thin(struct kvmi_gzindex *x)
{
	size_t i;

	for (i = 0; i < x->n; i++) {
		if (i % 2 == 0) {
			x->points[i / 2] = x->points[i];
			continue;
		}
		x->window_bytes -= x->points[i].len;
		free(x->points[i].window);
	}
	x->n = (x->n + 1) / 2;
	x->span *= 2;
}

/* Adds the place where the stream is.  ring: what was unpacked last. */
static int
gz_add(kvm_t *kd, struct kvmi_gzindex *x, const uint8_t *ring)
{
	const size_t at = (size_t)(x->out % GZ_WINDOW);
	struct gz_point *p = &x->points[x->n];
	uint8_t window[GZ_WINDOW], packed[ZSTD_COMPRESSBOUND(GZ_WINDOW)];

	memset(p, 0, sizeof(*p));
	p->in = gz_at(x);
	p->out = x->out;
	if (ring != NULL) {
		memcpy(window, ring + at, GZ_WINDOW - at);
		memcpy(window + GZ_WINDOW - at, ring, at);
		p->bits = x->zs.data_type & 7;
		p->len = ZSTD_compress(packed, sizeof(packed), window,
		    sizeof(window), 1);
		if (ZSTD_isError(p->len) || (p->window = malloc(p->len)) ==
		    NULL)
			return kvmi_syserr(kd, ENOMEM, "index");
		memcpy(p->window, packed, p->len);
		x->window_bytes += p->len;
	}
	x->n++;
	if (x->n == GZ_POINTS || x->window_bytes > GZ_MEMORY)
		gz_thin(x);
	return 0;
}

/* Unpacks all of it. */
static int
gz_build(kvm_t *kd, struct kvmi_gzindex *x)
{
	static const struct gz_point first;
	uint8_t ring[GZ_WINDOW] = { 0 };
	size_t at;
	bool block;
	int rv;

	x->span = GZ_SPAN;
	rv = gz_begin(kd, x, &first);
	if (rv == 0)
		rv = gz_add(kd, x, NULL);
	while (rv == 0 && !x->end) {
		at = (size_t)(x->out % GZ_WINDOW);
		x->zs.data_type = 0;
		x->began = false;
		if (gz_some(kd, x, ring + at, GZ_WINDOW - at, Z_BLOCK) == -1)
			return -1;
		/* Behind a block that is not its member's last? */
		block = (x->zs.data_type & 0xc0) == 0x80 && x->zs.total_out > 0;
		if ((block || x->began) && !x->end &&
		    x->out - x->points[x->n - 1].out >= x->span)
			rv = gz_add(kd, x, x->began ? NULL : ring);
	}
	return rv;
}

struct kvmi_gzindex *
kvmi_gzindex_build(kvm_t *kd, uint64_t *size)
{
	struct kvmi_gzindex *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		kvmi_syserr(kd, ENOMEM, "index");
		return NULL;
	}
	pthread_mutex_init(&x->lock, NULL);
	x->size = kd->file_size;
	if (gz_build(kd, x) == 0) {
		*size = x->out;
		return x;
	}
	kvmi_gzindex_free(x);
	return NULL;
}

void
kvmi_gzindex_free(struct kvmi_gzindex *x)
{
	size_t i;

	if (x->open)
		inflateEnd(&x->zs);
	for (i = 0; i < x->n; i++)
		free(x->points[i].window);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

/* Puts the stream where it will come to off soonest. */
static int
gz_approach(kvm_t *kd, struct kvmi_gzindex *x, uint64_t off)
{
	size_t lo = 0, hi = x->n, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (x->points[mid].out <= off)
			lo = mid;
		else
			hi = mid;
	}
	if (x->open && !x->end && x->out <= off && x->out >= x->points[lo].out)
		return 0;
	return gz_begin(kd, x, &x->points[lo]);
}

static int
gz_read(kvm_t *kd, struct kvmi_gzindex *x, uint8_t *buf, size_t len,
    uint64_t off)
{
	uint8_t skip[GZ_WINDOW];
	size_t want;
	ssize_t n;

	if (gz_approach(kd, x, off) == -1)
		return -1;
	while (x->out < off || len > 0) {
		if (x->end)
			return kvmi_err(kd, EBADMSG, "it has changed: it ends "
			    "at %llu now", (ull)x->out);
		want = x->out < off && off - x->out < sizeof(skip) ?
		    (size_t)(off - x->out) : sizeof(skip);
		if (x->out < off) {
			n = gz_some(kd, x, skip, want, Z_NO_FLUSH);
		} else {
			n = gz_some(kd, x, buf, len, Z_NO_FLUSH);
			buf += n > 0 ? n : 0;
			len -= n > 0 ? (size_t)n : 0;
		}
		if (n == -1)
			return -1;
	}
	return 0;
}

int
kvmi_gzindex_read(kvm_t *kd, struct kvmi_gzindex *x, uint8_t *buf, size_t len,
    uint64_t off)
{
	int rv;

	pthread_mutex_lock(&x->lock);
	rv = gz_read(kd, x, buf, len, off);
	/* What it has unpacked may be wrong. */
	if (rv == -1)
		x->end = true;
	pthread_mutex_unlock(&x->lock);
	return rv;
}
