/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.c: writes chunks of CORE_DATA in the order they come in, in a thread of
 * its own: while one chunk is written the next is read and checked.
 *
 * They go past the page cache where the file system lets them: a copy by way of
 * that takes longer than a quick disk.  That is for whole blocks: what the header,
 * or a chunk, leaves of its last block waits for the next chunk.
 *
 * Blocks that are all zeros become holes, but not in a pipe.  After a failure
 * nothing more is written; writer_finish() says what it was.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

#define WRITER_BUFS	4u		/* chunks on their way */
#define WRITER_BLOCK	(32u << 10)	/* the smallest hole */
#define WRITER_STRIDE	(16u << 20)	/* handed to the disk at once */
#define WRITER_HUGE	(2u << 20)

struct writer {
	struct outfile *out;
	off_t base;		/* of CORE_DATA */
	unsigned char *bufs;	/* WRITER_BUFS of KCORE_CHUNK bytes */
	size_t len[WRITER_BUFS];
	unsigned char *stage;	/* whole blocks; NULL: by the page cache */
	size_t carry;		/* bytes in stage that wait ... */
	uint64_t carry_off;	/* ... and where they are in the file */
	int flags;		/* of the file, as they were */
	bool threaded;		/* else what is put is written at once */
	pthread_t thread;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t moved;
	uint64_t nput, nwritten;	/* chunks */
	bool over;		/* nothing more comes */
	int error;		/* errno of the first failure */
};

static bool
writer_is_zero(const unsigned char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Writes what is not zeros, at the file offset given. */
static int
writer_sparse(const struct outfile *out, const unsigned char *buf, size_t len,
    uint64_t off)
{
	size_t at, from = 0, n;

	for (at = 0; at < len; at += n) {
		n = WRITER_BLOCK - (size_t)(off + at) % WRITER_BLOCK;
		n = n < len - at ? n : len - at;
		if (n < WRITER_BLOCK || !writer_is_zero(buf + at, n))
			continue;
		if (outfile_pwrite(out, buf + from, at - from,
		    off + from) == -1)
			return -1;
		from = at + n;
	}
	return outfile_pwrite(out, buf + from, len - from, off + from);
}

/* From here on past the page cache, where that can be. */
static void
writer_direct_begin(struct writer *w)
{
	const int fd = w->out->fd;

	w->carry = (size_t)w->base % KCORE_ALIGN;
	w->carry_off = (uint64_t)w->base - w->carry;
	w->flags = fcntl(fd, F_GETFL);
	w->stage = aligned_alloc(KCORE_ALIGN, KCORE_CHUNK + KCORE_ALIGN);
	if (w->stage != NULL && pread(fd, w->stage, w->carry,
	    (off_t)w->carry_off) == (ssize_t)w->carry &&
	    fcntl(fd, F_SETFL, w->flags | O_DIRECT) == 0)
		return;
	free(w->stage);
	w->stage = NULL;
}

/* From here on through it, with what waits, to which len bytes were added: 0 or
 * an errno. */
static int
writer_direct_end(struct writer *w, size_t len)
{
	const size_t n = w->carry + len;
	int error = 0;

	if (fcntl(w->out->fd, F_SETFL, w->flags) == -1 ||
	    writer_sparse(w->out, w->stage, n, w->carry_off) == -1)
		error = errno;
	free(w->stage);
	w->stage = NULL;
	return error;
}

/* Writes the next chunk, all but what does not fill a block; 0 or an errno. */
static int
writer_direct(struct writer *w, const unsigned char *buf, size_t len)
{
	const size_t n = (w->carry + len) / KCORE_ALIGN * KCORE_ALIGN;

	memcpy(w->stage + w->carry, buf, len);
	if (writer_sparse(w->out, w->stage, n, w->carry_off) == -1)
		return errno == EINVAL ? writer_direct_end(w, len) : errno;
	w->carry += len - n;
	w->carry_off += n;
	memmove(w->stage, w->stage + n, w->carry);
	return 0;
}

/* Starts writing out what was copied, so that fsync(2) finds little to do. */
static void
writer_flush(const struct writer *w, uint64_t off)
{
	if (!w->out->stream && off >= WRITER_STRIDE && off % WRITER_STRIDE == 0)
		(void)sync_file_range(w->out->fd,
		    w->base + (off_t)(off - WRITER_STRIDE), WRITER_STRIDE,
		    SYNC_FILE_RANGE_WRITE);
}

/* Writes chunk n; 0 or an errno. */
static int
writer_write(struct writer *w, uint64_t n)
{
	const unsigned char *buf = w->bufs + n % WRITER_BUFS * KCORE_CHUNK;
	const size_t len = w->len[n % WRITER_BUFS];
	const uint64_t off = n * KCORE_CHUNK;

	if (w->stage != NULL)
		return writer_direct(w, buf, len);
	writer_flush(w, off);
	if (w->out->stream)
		return outfile_pwrite(w->out, buf, len, off) == 0 ? 0 : errno;
	return writer_sparse(w->out, buf, len, (uint64_t)w->base + off) == 0 ?
	    0 : errno;
}

static void *
writer_thread(void *arg)
{
	struct writer *w = arg;
	int error;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->nwritten == w->nput && !w->over)
			pthread_cond_wait(&w->moved, &w->lock);
		if (w->nwritten == w->nput || w->error != 0)
			break;
		pthread_mutex_unlock(&w->lock);
		error = writer_write(w, w->nwritten);
		pthread_mutex_lock(&w->lock);
		w->error = error;
		w->nwritten++;
		pthread_cond_signal(&w->moved);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct writer *
writer_start(struct outfile *out, off_t base)
{
	struct writer *w = calloc(1, sizeof(*w));
	void *bufs;
	int error;

	if (w == NULL)
		return NULL;
	/* In huge pages where there are any: that is faster. */
	error = posix_memalign(&bufs, WRITER_HUGE, WRITER_BUFS * KCORE_CHUNK);
	if (error != 0) {
		free(w);
		errno = error;
		return NULL;
	}
	(void)madvise(bufs, WRITER_BUFS * KCORE_CHUNK, MADV_HUGEPAGE);
	w->out = out;
	w->base = base;
	w->bufs = bufs;
	if (!out->stream)
		writer_direct_begin(w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->moved, NULL);
	w->threaded = pthread_create(&w->thread, NULL, writer_thread, w) == 0;
	return w;
}

unsigned char *
writer_room(struct writer *w)
{
	unsigned char *buf = NULL;

	pthread_mutex_lock(&w->lock);
	while (w->nput - w->nwritten == WRITER_BUFS && w->error == 0)
		pthread_cond_wait(&w->moved, &w->lock);
	if (w->error == 0)
		buf = w->bufs + w->nput % WRITER_BUFS * KCORE_CHUNK;
	pthread_mutex_unlock(&w->lock);
	return buf;
}

void
writer_put(struct writer *w, size_t len)
{
	w->len[w->nput % WRITER_BUFS] = len;
	if (!w->threaded) {
		w->error = writer_write(w, w->nput++);
		w->nwritten++;
		return;
	}
	pthread_mutex_lock(&w->lock);
	w->nput++;
	pthread_cond_signal(&w->moved);
	pthread_mutex_unlock(&w->lock);
}

int
writer_finish(struct writer *w)
{
	int error;

	if (w->threaded) {
		pthread_mutex_lock(&w->lock);
		w->over = true;
		pthread_cond_signal(&w->moved);
		pthread_mutex_unlock(&w->lock);
		(void)pthread_join(w->thread, NULL);
	}
	if (w->error != 0)
		w->carry = 0;
	error = w->stage != NULL ? writer_direct_end(w, 0) : 0;
	if (w->error != 0)
		error = w->error;
	pthread_cond_destroy(&w->moved);
	pthread_mutex_destroy(&w->lock);
	free(w->bufs);
	free(w);
	errno = error;
	return error == 0 ? 0 : -1;
}

_Static_assert(WRITER_BUFS * KCORE_CHUNK % WRITER_HUGE == 0, "whole pages");
