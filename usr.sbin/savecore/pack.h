/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.h: pages, each compressed for itself, by all CPUs and in order.
 */
#ifndef _PACK_H_
#define _PACK_H_

#include <stddef.h>
#include <stdint.h>

#include <sys/kcore.h>

#include "pool.h"

#define PACK_PAGE	4096u
#define PACK_PAGES	(KCORE_CHUNK / PACK_PAGE)
#define PACK_THREADS	12u	/* two chunks for each, of 2 MiB: 48 MiB */

struct pack_chunk {
	struct pool_task task;	/* first: it is the same pointer */
	size_t in_len;		/* whole pages */
	size_t out_len;
	uint32_t size[PACK_PAGES];	/* of each page in out; 0: zeros;
					   PACK_PAGE: as it is */
	unsigned char in[KCORE_CHUNK];
	unsigned char out[KCORE_CHUNK];
};

struct pack_codec;

struct pack {
	struct pool *pool;
	struct pack_codec *codecs[PACK_THREADS];
	struct pack_chunk *chunks;
	unsigned int nthreads, nchunks;
	uint64_t nput, ngot;
};

/* flags: DISKDUMP_ZLIB or _ZSTD.  0, or -1 with errno. */
int pack_start(struct pack *p, uint32_t flags, int level);
void pack_stop(struct pack *p);
/* A chunk to be filled, or NULL: one must be got first. */
struct pack_chunk *pack_room(struct pack *p);
/* It has len bytes. */
void pack_put(struct pack *p, size_t len);
/* The oldest one, packed, until the next pack_room(); NULL: there is none. */
struct pack_chunk *pack_get(struct pack *p);

#endif /* _PACK_H_ */
