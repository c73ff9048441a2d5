/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_small.c: short reads of corefile, of which there are many, without a
 * system call for each.
 *
 * A core file is mapped.  What goes wrong with a mapped file is a signal, which
 * is no way for a library to tell of it: so a window of the map is looked at
 * only when the kernel has said that it could read all of it, and where it does
 * not say so, pread(2) tells why.  (Linux before 5.14 can't say it: there the
 * map is not used.)  What remains is a file that is cut short behind our back;
 * kvm_open(3) warns of that.
 *
 * Windows are given back after a while, so that a process does not hold a whole
 * dump that it has walked through once.  One that reads here and there, a window
 * for almost every word, may hold more.
 *
 * What is only to be looked at, kvmi_small_look(), is not even copied.
 *
 * A raw device, which is written to, is read by pages, of which a few are kept;
 * so is what can't be mapped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_private.h"

#define SMALL_WINDOW	((size_t)64 << 10)
#define SMALL_WINDOWS	64u		/* held, to begin with */
#define SMALL_LEN	(16u << 10)	/* a longer read is pread(2)'s */

/*
 * MORE times as many windows are held when two of three were wanted within FEW
 * reads of the one before.  In a walk through all processes, less than half are.
 */
#define SMALL_FEW	4u
#define SMALL_MORE	16u

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

/* This thread's reads since it wanted one more window. */
static _Thread_local uint32_t small_reads;

int
kvmi_small_init(struct kvmi_small *s)
{
	memset(s, 0, sizeof(*s));
	atomic_init(&s->epoch, 1);
	atomic_init(&s->limit, SMALL_WINDOWS);
	return pthread_mutex_init(&s->lock, NULL);
}

void
kvmi_small_fini(struct kvmi_small *s)
{
	if (s->base != NULL)
		munmap(s->base, s->size);
	free(s->window);
	free(s->pages);
	pthread_mutex_destroy(&s->lock);
}

void
kvmi_small_map(kvm_t *kd)
{
	struct kvmi_small *s = &kd->small;
	/* A page that is not all of the file could be read past its end. */
	const uint64_t size = kd->file_size / KVMI_PAGE * KVMI_PAGE;
	void *base;

	if (kd->flat_on || kd->packed != NULL || size == 0 || size > SIZE_MAX / 2)
		return;
	s->window = calloc((size_t)(size / SMALL_WINDOW) + 1,
	    sizeof(*s->window));
	if (s->window == NULL)
		return;
	base = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, kd->fd, 0);
	if (base == MAP_FAILED)
		return;
	s->base = base;
	s->size = (size_t)size;
}

void
kvmi_small_forget(kvm_t *kd)
{
	pthread_mutex_lock(&kd->small.lock);
	free(kd->small.pages);
	kd->small.pages = NULL;
	pthread_mutex_unlock(&kd->small.lock);
}

/*
 * Before one more window: gives all back where there are too many.  A thread
 * that is just about to read one of them gets it by a page fault.
 */
static void
small_make_room(struct kvmi_small *s)
{
	const uint32_t limit = atomic_load(&s->limit);
	uint32_t n = atomic_fetch_add(&s->held, 1);

	if (small_reads < SMALL_FEW)
		atomic_fetch_add(&s->sparse, 1);
	small_reads = 0;
	if (n < limit)
		return;
	if (!atomic_compare_exchange_strong(&s->held, &(uint32_t){ n + 1 }, 1))
		return;			/* another thread is at it */
	if (atomic_exchange(&s->sparse, 0) > limit / 3 * 2 &&
	    limit < UINT32_MAX / SMALL_MORE)
		atomic_store(&s->limit, limit * SMALL_MORE);
	madvise(s->base, s->size, MADV_DONTNEED);
	atomic_fetch_add(&s->epoch, 1);
}

/* Makes a window ready to be read: false: it is not. */
static bool
small_ready(struct kvmi_small *s, size_t w)
{
	const uint32_t was = atomic_load_explicit(&s->window[w],
	    memory_order_relaxed);
	const size_t at = w * SMALL_WINDOW;
	size_t len = s->size - at;
	uint32_t epoch = atomic_load_explicit(&s->epoch, memory_order_relaxed);

	small_reads++;
	if (was == epoch)
		return true;
	small_make_room(s);
	epoch = atomic_load(&s->epoch);
	if (len > SMALL_WINDOW)
		len = SMALL_WINDOW;
	if (madvise(s->base + at, len, MADV_POPULATE_READ) == -1) {
		if (errno == EINVAL)
			atomic_store(&s->off, true);
		return false;
	}
	atomic_store(&s->window[w], epoch);
	return true;
}

static bool
small_from_map(struct kvmi_small *s, void *buf, size_t len, uint64_t off)
{
	size_t w;

	if (s->base == NULL || off > s->size || len > s->size - off ||
	    atomic_load_explicit(&s->off, memory_order_relaxed))
		return false;
	for (w = (size_t)off / SMALL_WINDOW; w * SMALL_WINDOW < off + len; w++)
		if (!small_ready(s, w))
			return false;
	memcpy(buf, s->base + off, len);
	return true;
}

const uint8_t *
kvmi_small_look(kvm_t *kd, size_t *len, uint64_t off)
{
	struct kvmi_small *s = &kd->small;
	const size_t room = SMALL_WINDOW - (size_t)off % SMALL_WINDOW;

	if (*len > room)
		*len = room;
	if (s->base == NULL || off > s->size || *len > s->size - off)
		return NULL;
	/* All of a window at once: that says nothing of how others read. */
	small_reads = SMALL_FEW;
	return small_ready(s, (size_t)off / SMALL_WINDOW) ? s->base + off :
	    NULL;
}

/* Through a page that is kept: 0, or -1; the lock is held. */
static int
small_from_page(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	const uint64_t page = off / KVMI_PAGE;
	struct kvmi_page *p;
	size_t room = KVMI_PAGE;

	if (kd->small.pages == NULL)
		kd->small.pages = calloc(KVMI_NPAGES, sizeof(*p));
	if (kd->small.pages == NULL)
		return -1;
	p = &kd->small.pages[page % KVMI_NPAGES];
	if (p->tag != page + 1) {
		if (kd->file_size - page * KVMI_PAGE < room)
			room = (size_t)(kd->file_size - page * KVMI_PAGE);
		p->tag = 0;
		if (kvmi_pread(kd, p->data, room, page * KVMI_PAGE) == -1)
			return -1;
		p->tag = page + 1;
	}
	memcpy(buf, p->data + off % KVMI_PAGE, len);
	return 0;
}

int
kvmi_small_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	int rv = -1;

	/* Its frames are kept. */
	if (kd->packed != NULL)
		return kvmi_pread(kd, buf, len, off);
	if (len <= SMALL_LEN && small_from_map(&kd->small, buf, len, off))
		return 0;
	if (off % KVMI_PAGE + len <= KVMI_PAGE && off < kd->file_size &&
	    len <= kd->file_size - off) {
		pthread_mutex_lock(&kd->small.lock);
		rv = small_from_page(kd, buf, len, off);
		pthread_mutex_unlock(&kd->small.lock);
	}
	/* The rest of a page may be bad. */
	return rv == 0 ? 0 : kvmi_pread(kd, buf, len, off);
}
