/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_spill.c: large tables, of which a dump whose memory is in many pieces has
 * some, without the memory for them: they are in a mapped file that has no name.
 *
 * What was looked at stays mapped, and would count as memory of this process,
 * until kvmi_spill_step() has been called often enough; then all of it is let
 * go, and is read again from the file where it is needed.  Where there is no
 * place for such a file the tables are in memory as all else is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_private.h"

#ifndef SPILL_MIN
#define SPILL_MIN	((size_t)4 << 20)	/* bytes that go to a file */
#endif
#define SPILL_STEPS	KVMI_SPILL_ALL	/* before all is let go */
#define SPILL_DIR	"/var/tmp"

struct kvmi_spilled {
	struct kvmi_spilled *next;
	void *p;
	size_t size;
	int fd;
};

int
kvmi_spill_init(struct kvmi_spill *s)
{
	memset(s, 0, sizeof(*s));
	return pthread_mutex_init(&s->lock, NULL);
}

void
kvmi_spill_fini(struct kvmi_spill *s)
{
	pthread_mutex_destroy(&s->lock);
}

/* Where p is kept in the list; NULL: it is in memory.  The lock is held. */
static struct kvmi_spilled **
spill_find(struct kvmi_spill *s, const void *p)
{
	struct kvmi_spilled **at;

	for (at = &s->head; *at != NULL; at = &(*at)->next)
		if ((*at)->p == p)
			return at;
	return NULL;
}

/* All of its blocks are there from now on: a map must not run out of space. */
static bool
spill_file(struct kvmi_spilled *f, size_t size)
{
	const char *dir = secure_getenv("TMPDIR");

	f->fd = open(dir != NULL ? dir : SPILL_DIR, O_TMPFILE | O_RDWR |
	    O_EXCL | O_CLOEXEC, 0600);
	if (f->fd == -1)
		return false;
	f->p = MAP_FAILED;
	if (posix_fallocate(f->fd, 0, (off_t)size) == 0)
		f->p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    f->fd, 0);
	f->size = size;
	if (f->p != MAP_FAILED)
		return true;
	close(f->fd);
	return false;
}

/* Zeros in a file: NULL: there is none. */
static void *
spill_create(struct kvmi_spill *s, size_t size)
{
	struct kvmi_spilled *f = malloc(sizeof(*f));

	if (f == NULL || !spill_file(f, size)) {
		free(f);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	f->next = s->head;
	s->head = f;
	atomic_fetch_add(&s->n, 1);
	pthread_mutex_unlock(&s->lock);
	return f->p;
}

void *
kvmi_spill_alloc(kvm_t *kd, size_t size)
{
	void *p = size >= SPILL_MIN ? spill_create(&kd->spill, size) : NULL;

	return p != NULL ? p : calloc(1, size);
}

/* It is in a file, and is to have more bytes there: NULL: it has not. */
static void *
spill_grow(struct kvmi_spilled *f, size_t size)
{
	void *p;

	if (posix_fallocate(f->fd, 0, (off_t)size) != 0)
		return NULL;
	p = mremap(f->p, f->size, size, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return NULL;
	f->p = p;
	f->size = size;
	return p;
}

void *
kvmi_spill_resize(kvm_t *kd, void *p, size_t old, size_t size)
{
	struct kvmi_spill *s = &kd->spill;
	struct kvmi_spilled **at;
	void *q = NULL;

	pthread_mutex_lock(&s->lock);
	at = p != NULL ? spill_find(s, p) : NULL;
	if (at != NULL)
		q = spill_grow(*at, size);
	pthread_mutex_unlock(&s->lock);
	if (q != NULL)
		return q;
	if (at == NULL && size >= SPILL_MIN)
		q = spill_create(s, size);
	if (at == NULL && q == NULL)
		return realloc(p, size);
	/* From memory to a file; or back, where that could not grow. */
	if (q == NULL && (q = malloc(size)) == NULL)
		return NULL;
	kvmi_spill_copy(kd, q, p, old);
	kvmi_spill_free(kd, p);
	return q;
}

void
kvmi_spill_free(kvm_t *kd, void *p)
{
	struct kvmi_spill *s = &kd->spill;
	struct kvmi_spilled **at, *f = NULL;

	pthread_mutex_lock(&s->lock);
	at = p != NULL ? spill_find(s, p) : NULL;
	if (at != NULL) {
		f = *at;
		*at = f->next;
		atomic_fetch_sub(&s->n, 1);
	}
	pthread_mutex_unlock(&s->lock);
	if (f == NULL) {
		free(p);
		return;
	}
	munmap(f->p, f->size);
	close(f->fd);
	free(f);
}

void
kvmi_spill_step(kvm_t *kd, unsigned int steps)
{
	struct kvmi_spill *s = &kd->spill;
	struct kvmi_spilled *f;
	uint32_t n;

	if (atomic_load_explicit(&s->n, memory_order_relaxed) == 0)
		return;
	n = atomic_fetch_add_explicit(&s->steps, steps, memory_order_relaxed);
	if (n / SPILL_STEPS == (n + steps) / SPILL_STEPS)
		return;
	pthread_mutex_lock(&s->lock);
	for (f = s->head; f != NULL; f = f->next)
		(void)madvise(f->p, f->size, MADV_DONTNEED);
	pthread_mutex_unlock(&s->lock);
}

void
kvmi_spill_copy(kvm_t *kd, void *to, const void *from, size_t len)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < KVMI_SPILL_PIECE ? len - at : KVMI_SPILL_PIECE;
		memcpy((uint8_t *)to + at, (const uint8_t *)from + at, n);
		kvmi_spill_step(kd, KVMI_SPILL_ALL);
	}
}

void
kvmi_spill_move(kvm_t *kd, void *to, const void *from, size_t len)
{
	size_t n;

	for (; len > 0; len -= n) {
		n = len < KVMI_SPILL_PIECE ? len : KVMI_SPILL_PIECE;
		memmove((uint8_t *)to + (len - n),
		    (const uint8_t *)from + (len - n), n);
		kvmi_spill_step(kd, KVMI_SPILL_ALL);
	}
}

int
kvmi_spill_read(kvm_t *kd, void *to, size_t len, uint64_t off)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < KVMI_SPILL_PIECE ? len - at : KVMI_SPILL_PIECE;
		if (kvmi_pread(kd, (uint8_t *)to + at, n, off + at) == -1)
			return -1;
		kvmi_spill_step(kd, KVMI_SPILL_ALL);
	}
	return 0;
}
