/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.h: chunks, compressed by all CPUs and handed out in order: their pages
 * each for itself, or each chunk whole.
 */
#ifndef _PACK_H_
#define _PACK_H_

#include <stddef.h>
#include <stdint.h>

#include <sys/kcore.h>

#include "pool.h"

#define PACK_PAGE	4096u
#define PACK_PAGES	(KCORE_CHUNK / PACK_PAGE)
#define PACK_THREADS	32u
#define PACK_MEMORY	(40u << 20)	/* bytes of chunks and codecs, all told */
#define PACK_ROOM	(KCORE_CHUNK + (16u << 10))	/* a chunk at its worst */

struct pack_chunk {
	struct pool_task task;	/* first: it is the same pointer */
	size_t in_len;		/* of pages: whole ones */
	size_t out_len;		/* of a whole chunk 0: it could not be packed */
	uint32_t size[PACK_PAGES];	/* of each page in out; 0: zeros;
					   PACK_PAGE: as it is */
	unsigned char in[KCORE_CHUNK] __attribute__((aligned(PACK_PAGE)));
	unsigned char out[PACK_ROOM];
};

/* How chunks are packed. */
struct pack_how {
	const char *suffix;	/* of the file, where chunks are packed whole */
	bool zstd;		/* else zlib */
	bool seekable;		/* a table at the end says where frames are */
	bool gzip;		/* each chunk is a member of a gzip file */
	void (*run)(struct pool_task *task, void *codec);
};

extern const struct pack_how pack_zlib_pages, pack_zstd_pages, pack_gzip,
    pack_zstd;

struct pack_codec;

struct pack {
	const struct pack_how *how;
	struct pool *pool;
	struct pack_codec *codecs[PACK_THREADS];
	struct pack_chunk *chunks;
	unsigned int nthreads, nchunks;	/* two chunks for each thread */
	uint64_t nput, ngot;
};

/* 0, or -1 with errno. */
int pack_start(struct pack *p, const struct pack_how *how, int level);
void pack_stop(struct pack *p);
/* A chunk to be filled, or NULL: one must be got first. */
struct pack_chunk *pack_room(struct pack *p);
/* It has len bytes. */
void pack_put(struct pack *p, size_t len);
/* The oldest one, packed, until the next pack_room(); NULL: there is none. */
struct pack_chunk *pack_get(struct pack *p);

#endif /* _PACK_H_ */
