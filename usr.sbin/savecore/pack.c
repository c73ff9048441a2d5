/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.c: pages, each compressed for itself, by all CPUs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include <sys/diskdump.h>

#include "pack.h"

/* What a thread compresses with. */
struct pack_codec {
	uint32_t flags;		/* DISKDUMP_* */
	int level;
	z_stream zs;
	ZSTD_CCtx *zstd;
};

static void
pack_codec_free(struct pack_codec *k)
{
	if (k == NULL)
		return;
	if (k->flags == DISKDUMP_ZLIB)
		(void)deflateEnd(&k->zs);
	ZSTD_freeCCtx(k->zstd);
	free(k);
}

static struct pack_codec *
pack_codec_new(uint32_t flags, int level)
{
	struct pack_codec *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->flags = flags;
	k->level = level;
	if (flags == DISKDUMP_ZSTD)
		k->zstd = ZSTD_createCCtx();
	else if (deflateInit(&k->zs, level) != Z_OK)
		k->flags = 0;
	if (k->zstd != NULL || k->flags == DISKDUMP_ZLIB)
		return k;
	free(k);
	errno = ENOMEM;
	return NULL;
}

/* Less than a page, into room for one; 0: it does not get smaller. */
static size_t
pack_page(struct pack_codec *k, unsigned char *to, const unsigned char *page)
{
	size_t n;

	if (k->flags == DISKDUMP_ZSTD) {
		n = ZSTD_compressCCtx(k->zstd, to, PACK_PAGE - 1, page,
		    PACK_PAGE, k->level);
		return ZSTD_isError(n) ? 0 : n;
	}
	if (deflateReset(&k->zs) != Z_OK)
		return 0;
	k->zs.next_in = (z_const Bytef *)(uintptr_t)page;
	k->zs.avail_in = PACK_PAGE;
	k->zs.next_out = to;
	k->zs.avail_out = PACK_PAGE - 1;
	return deflate(&k->zs, Z_FINISH) == Z_STREAM_END ?
	    PACK_PAGE - 1 - k->zs.avail_out : 0;
}

static void
pack_run(struct pool_task *task, void *state)
{
	struct pack_chunk *c = (struct pack_chunk *)(void *)task;
	const unsigned char *page = c->in;
	size_t i, n;

	c->out_len = 0;
	for (i = 0; i < c->in_len / PACK_PAGE; i++, page += PACK_PAGE) {
		c->size[i] = 0;
		if (page[0] == 0 && memcmp(page, page + 1, PACK_PAGE - 1) == 0)
			continue;
		n = pack_page(state, c->out + c->out_len, page);
		if (n == 0) {
			n = PACK_PAGE;
			memcpy(c->out + c->out_len, page, n);
		}
		c->size[i] = (uint32_t)n;
		c->out_len += n;
	}
}

int
pack_start(struct pack *p, uint32_t flags, int level)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->nthreads = pool_cpus(PACK_THREADS);
	p->nchunks = 2 * p->nthreads;
	p->chunks = calloc(p->nchunks, sizeof(*p->chunks));
	for (i = 0; i < p->nthreads; i++) {
		p->codecs[i] = pack_codec_new(flags, level);
		if (p->codecs[i] == NULL)
			goto fail;
	}
	if (p->chunks != NULL)
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
	c->task.run = pack_run;
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
