/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.c: chunks, compressed by all CPUs.
 *
 * Packed whole, a chunk becomes a zstd frame with a checksum, or a member of a
 * gzip file (RFC 1952) whose extra field "SC" has its length and that of the
 * chunk, so that a reader finds the next member without unpacking this one.
 */
#include <sys/mman.h>

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "pack.h"

#define PACK_ZLIB_SIZE	(512u << 10)	/* more than zlib takes for a codec */
#define PACK_GZIP	16	/* added to windowBits: a gzip header */
#define PACK_MEMLEVEL	8	/* deflateBound() is close then */
#define PACK_EXTRA	12u	/* bytes of the extra field */
#define PACK_EXTRA_LEN	16u	/* where the lengths are in a member */
#define PACK_HUGE	((size_t)2 << 20)

/* What a thread compresses with. */
struct pack_codec {
	bool open;		/* zs is */
	int level;
	z_stream zs;
	gz_header gz;
	unsigned char extra[PACK_EXTRA];
	ZSTD_CCtx *zstd;
};

static void
pack_codec_free(struct pack_codec *k)
{
	if (k == NULL)
		return;
	if (k->open)
		(void)deflateEnd(&k->zs);
	ZSTD_freeCCtx(k->zstd);
	free(k);
}

static bool
pack_codec_zstd(struct pack_codec *k)
{
	k->zstd = ZSTD_createCCtx();
	return k->zstd != NULL &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(k->zstd,
	    ZSTD_c_compressionLevel, k->level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_checksumFlag,
	    1));
}

static bool
pack_codec_zlib(struct pack_codec *k, bool gzip)
{
	static const unsigned char extra[PACK_EXTRA] = { 'S', 'C', 8 };

	k->open = deflateInit2(&k->zs, k->level, Z_DEFLATED,
	    MAX_WBITS + (gzip ? PACK_GZIP : 0), PACK_MEMLEVEL,
	    Z_DEFAULT_STRATEGY) == Z_OK;
	if (!k->open || !gzip)
		return k->open;
	memcpy(k->extra, extra, sizeof(extra));
	k->gz.os = 3;		/* Unix */
	k->gz.extra = k->extra;
	k->gz.extra_len = sizeof(k->extra);
	return deflateSetHeader(&k->zs, &k->gz) == Z_OK;
}

static struct pack_codec *
pack_codec_new(const struct pack_how *how, int level)
{
	struct pack_codec *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->level = level;
	if (how->zstd ? pack_codec_zstd(k) : pack_codec_zlib(k, how->gzip))
		return k;
	pack_codec_free(k);
	return NULL;
}

/* All of it, into room bytes: 0: it takes more. */
static size_t
pack_deflate(struct pack_codec *k, unsigned char *to, size_t room,
    const unsigned char *from, size_t len)
{
	if (deflateReset(&k->zs) != Z_OK)
		return 0;
	k->zs.next_in = (z_const Bytef *)(uintptr_t)from;
	k->zs.avail_in = (uInt)len;
	k->zs.next_out = to;
	k->zs.avail_out = (uInt)room;
	return deflate(&k->zs, Z_FINISH) == Z_STREAM_END ?
	    room - k->zs.avail_out : 0;
}

/* Less than a page, into room for one; 0: it does not get smaller. */
static size_t
pack_page(struct pack_codec *k, unsigned char *to, const unsigned char *page)
{
	size_t n;

	if (k->zstd == NULL)
		return pack_deflate(k, to, PACK_PAGE - 1, page, PACK_PAGE);
	n = ZSTD_compressCCtx(k->zstd, to, PACK_PAGE - 1, page, PACK_PAGE,
	    k->level);
	return ZSTD_isError(n) ? 0 : n;
}

static void
pack_run_pages(struct pool_task *task, void *codec)
{
	struct pack_chunk *c = (struct pack_chunk *)(void *)task;
	const unsigned char *page = c->in;
	size_t i, n;

	c->out_len = 0;
	for (i = 0; i < c->in_len / PACK_PAGE; i++, page += PACK_PAGE) {
		c->size[i] = 0;
		if (page[0] == 0 && memcmp(page, page + 1, PACK_PAGE - 1) == 0)
			continue;
		n = pack_page(codec, c->out + c->out_len, page);
		if (n == 0) {
			n = PACK_PAGE;
			memcpy(c->out + c->out_len, page, n);
		}
		c->size[i] = (uint32_t)n;
		c->out_len += n;
	}
}

static void
pack_run_gzip(struct pool_task *task, void *codec)
{
	struct pack_chunk *c = (struct pack_chunk *)(void *)task;
	uint32_t lens[2];

	c->out_len = pack_deflate(codec, c->out, sizeof(c->out), c->in,
	    c->in_len);
	if (c->out_len == 0)
		return;
	lens[0] = htole32((uint32_t)c->out_len);
	lens[1] = htole32((uint32_t)c->in_len);
	memcpy(c->out + PACK_EXTRA_LEN, lens, sizeof(lens));
}

static void
pack_run_zstd(struct pool_task *task, void *codec)
{
	struct pack_chunk *c = (struct pack_chunk *)(void *)task;
	struct pack_codec *k = codec;
	size_t n;

	n = ZSTD_compress2(k->zstd, c->out, sizeof(c->out), c->in, c->in_len);
	c->out_len = ZSTD_isError(n) ? 0 : n;
}

_Static_assert(PACK_ROOM >= ZSTD_COMPRESSBOUND(KCORE_CHUNK), "room");

const struct pack_how pack_zlib_pages = { .run = pack_run_pages };
const struct pack_how pack_zstd_pages = {
	.zstd = true,
	.run = pack_run_pages,
};
const struct pack_how pack_gzip = {
	.suffix = ".gz",
	.gzip = true,
	.run = pack_run_gzip,
};
const struct pack_how pack_zstd = {
	.suffix = ".zst",
	.zstd = true,
	.seekable = true,
	.run = pack_run_zstd,
};

/*
 * How many threads there is memory for: a codec at a high level of zstd is
 * larger than what it packs.  It has its size once it has been used.
 */
static unsigned int
pack_threads(const struct pack_how *how, int level)
{
	struct pack_codec *k = pack_codec_new(how, level);
	struct pack_chunk *c = aligned_alloc(PACK_PAGE, sizeof(*c));
	size_t size = PACK_ZLIB_SIZE;
	unsigned int n = 0;

	if (k != NULL && c != NULL) {
		memset(c, 0, sizeof(*c));
		c->in_len = sizeof(c->in);
		how->run(&c->task, k);
		if (k->zstd != NULL)
			size = ZSTD_sizeof_CCtx(k->zstd);
		n = (unsigned int)(PACK_MEMORY / (size + 2 * sizeof(*c)));
		n = pool_cpus(n < PACK_THREADS ? n : PACK_THREADS);
		n = n > 0 ? n : 1;
	}
	pack_codec_free(k);
	free(c);
	return n;
}

/* In huge pages where there are any: that is faster. */
static struct pack_chunk *
pack_chunks(unsigned int n)
{
	const size_t size = n * sizeof(struct pack_chunk);
	void *chunks;

	if (posix_memalign(&chunks, PACK_HUGE, size) != 0)
		return NULL;
	(void)madvise(chunks, size, MADV_HUGEPAGE);
	return chunks;
}

int
pack_start(struct pack *p, const struct pack_how *how, int level)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->how = how;
	p->nthreads = pack_threads(how, level);
	p->nchunks = 2 * p->nthreads;
	p->chunks = pack_chunks(p->nchunks);
	for (i = 0; i < p->nthreads; i++) {
		p->codecs[i] = pack_codec_new(how, level);
		if (p->codecs[i] == NULL)
			goto fail;
	}
	if (p->nthreads > 0 && p->chunks != NULL)
		p->pool = pool_create(p->nthreads, (void *const *)p->codecs);
	if (p->pool != NULL)
		return 0;
fail:
	pack_stop(p);
	errno = ENOMEM;
	return -1;
}

void
pack_stop(struct pack *p)
{
	unsigned int i;

	for (; p->pool != NULL && p->nput > p->ngot; p->ngot++)
		pool_wait(p->pool, &p->chunks[p->ngot % p->nchunks].task);
	if (p->pool != NULL)
		pool_destroy(p->pool);
	for (i = 0; i < p->nthreads; i++)
		pack_codec_free(p->codecs[i]);
	free(p->chunks);
	p->pool = NULL;
	p->chunks = NULL;
}

struct pack_chunk *
pack_room(struct pack *p)
{
	return p->nput - p->ngot < p->nchunks ?
	    &p->chunks[p->nput % p->nchunks] : NULL;
}

void
pack_put(struct pack *p, size_t len)
{
	struct pack_chunk *c = &p->chunks[p->nput++ % p->nchunks];

	c->in_len = len;
	c->task.run = p->how->run;
	pool_put(p->pool, &c->task);
}

struct pack_chunk *
pack_get(struct pack *p)
{
	struct pack_chunk *c;

	if (p->ngot == p->nput)
		return NULL;
	c = &p->chunks[p->ngot++ % p->nchunks];
	pool_wait(p->pool, &c->task);
	return c;
}
