/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_packed.c: compressed files, read in place: the ways they can be
 * compressed, and the last few frames that were unpacked.
 *
 * A frame is what is unpacked at once.  Threads unpack frames at the same time,
 * each a different one; who wants one that is under way waits for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_bytes.h"

#define PACKED_SLOTS	16u
#define PACKED_MEMORY	(16u << 20)	/* bytes of frames that are kept */

/* The registry: asked in this order. */
static const struct kvmi_packing *const packings[] = {
	&kvmi_packing_zstd,
	&kvmi_packing_members,
	&kvmi_packing_gzip,
	NULL,
};

struct kvmi_slot {
	uint64_t frame;		/* its number + 1; 0: none */
	bool loading;
	unsigned int users;	/* threads that copy from it */
	uint64_t used;		/* when, as slots are counted */
	uint8_t *data;		/* frame_max bytes, or NULL */
};

struct kvmi_slots {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t clock;
	unsigned int n;
	struct kvmi_slot slot[PACKED_SLOTS];
};

static struct kvmi_slots *
slots_create(size_t frame_max)
{
	struct kvmi_slots *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->moved, NULL);
	s->n = (unsigned int)(PACKED_MEMORY / (frame_max + 1));
	s->n = s->n < 2 ? 2 : s->n > PACKED_SLOTS ? PACKED_SLOTS : s->n;
	return s;
}

static void
slots_destroy(struct kvmi_slots *s)
{
	unsigned int i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		free(s->slot[i].data);
	pthread_cond_destroy(&s->moved);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The slot that has the frame, or else the one to be filled; the lock is held. */
static struct kvmi_slot *
slots_find(struct kvmi_slots *s, uint64_t frame)
{
	struct kvmi_slot *best = NULL, *p;

	for (p = s->slot; p < s->slot + s->n; p++) {
		if (p->frame == frame + 1)
			return p;
		if (p->users == 0 && !p->loading &&
		    (best == NULL || p->used < best->used))
			best = p;
	}
	return best;
}

/* Fills a slot that is marked as loading: 0, or -1 with a text. */
static int
slot_load(kvm_t *kd, struct kvmi_slot *p, uint64_t frame)
{
	struct kvmi_packed *k = kd->packed;

	if (p->data == NULL && (p->data = malloc(k->frame_max)) == NULL)
		return kvmi_syserr(kd, ENOMEM, "frame of %zu bytes",
		    k->frame_max);
	if (k->how->unpack(kd, frame, p->data) == 0)
		return 0;
	return kvmi_prepend(kd, "%s frame %llu", k->how->name,
	    (unsigned long long)frame);
}

/* The slot with the frame, held for this thread; NULL with a text. */
static struct kvmi_slot *
slot_get(kvm_t *kd, uint64_t frame)
{
	struct kvmi_slots *s = kd->packed->slots;
	struct kvmi_slot *p;
	int rv = 0;

	pthread_mutex_lock(&s->lock);
	while ((p = slots_find(s, frame)) == NULL || p->loading)
		pthread_cond_wait(&s->moved, &s->lock);
	if (p->frame != frame + 1) {
		p->frame = frame + 1;
		p->loading = true;
		pthread_mutex_unlock(&s->lock);
		rv = slot_load(kd, p, frame);
		pthread_mutex_lock(&s->lock);
		p->loading = false;
		if (rv == -1)
			p->frame = 0;
		pthread_cond_broadcast(&s->moved);
	}
	p->used = ++s->clock;
	p->users += rv == 0;
	pthread_mutex_unlock(&s->lock);
	return rv == 0 ? p : NULL;
}

static void
slot_put(kvm_t *kd, struct kvmi_slot *p)
{
	struct kvmi_slots *s = kd->packed->slots;

	pthread_mutex_lock(&s->lock);
	if (--p->users == 0)
		pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

/* The frame that has a byte of the unpacked file. */
static size_t
packed_frame(const struct kvmi_packed *k, uint64_t off)
{
	size_t lo = 0, hi = k->nframes, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (k->frames[mid].plain <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int
kvmi_packed_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	const struct kvmi_packed *k = kd->packed;
	struct kvmi_slot *p;
	uint8_t *to = buf;
	uint64_t at, n;
	size_t frame;

	for (; len > 0; to += n, off += n, len -= (size_t)n) {
		if (off >= k->size)
			return kvmi_err(kd, EIO, "ends at %llu, %zu bytes "
			    "early", (unsigned long long)off, len);
		frame = packed_frame(k, off);
		at = off - k->frames[frame].plain;
		n = k->frames[frame + 1].plain - off;
		n = n < len ? n : len;
		if ((p = slot_get(kd, frame)) == NULL)
			return -1;
		memcpy(to, p->data + at, (size_t)n);
		slot_put(kd, p);
	}
	return 0;
}

int
kvmi_packed_add(kvm_t *kd, struct kvmi_packed *k, uint64_t packed,
    uint64_t plain)
{
	struct kvmi_frame *more, *f;

	/* Twice as many, each time; and one that says where all ends. */
	if ((k->nframes & (k->nframes + 1)) == 0) {
		more = realloc(k->frames, (2 * k->nframes + 2) *
		    sizeof(*more));
		if (more == NULL)
			return kvmi_syserr(kd, ENOMEM, "%zu frames",
			    k->nframes);
		if (k->nframes == 0)
			memset(more, 0, sizeof(*more));
		k->frames = more;
	}
	if (plain > KVMI_FRAME_MAX || packed > 2 * KVMI_FRAME_MAX)
		return kvmi_err(kd, ENOTSUP, "frame of %llu bytes, %llu "
		    "unpacked: this library unpacks up to %u at once",
		    (unsigned long long)packed, (unsigned long long)plain,
		    KVMI_FRAME_MAX);
	f = &k->frames[k->nframes++];
	f[1].packed = f[0].packed + packed;
	f[1].plain = f[0].plain + plain;
	k->size = f[1].plain;
	if (plain > k->frame_max)
		k->frame_max = (size_t)plain;
	return 0;
}

static void
packed_free(struct kvmi_packed *k)
{
	if (k == NULL)
		return;
	if (k->index != NULL)
		kvmi_gzindex_free(k->index);
	slots_destroy(k->slots);
	free(k->frames);
	free(k->sums);
	free(k);
}

/* A file that is compressed so: 1; 0: it is not; -1 with a text. */
static int
packed_try(kvm_t *kd, const struct kvmi_packing *how)
{
	struct kvmi_packed *k = calloc(1, sizeof(*k));
	int rv;

	if (k == NULL)
		return kvmi_syserr(kd, ENOMEM, "%s", how->name);
	k->how = how;
	rv = how->open(kd, k);
	if (rv == 1 && (k->slots = slots_create(k->frame_max)) == NULL)
		rv = kvmi_syserr(kd, ENOMEM, "frames");
	if (rv != 1) {
		packed_free(k);
		return rv == 0 ? 0 : kvmi_prepend(kd, "%s", how->name);
	}
	kd->packed = k;
	kd->file_size = k->size;
	return 1;
}

int
kvmi_packed_open(kvm_t *kd)
{
	size_t i;
	int rv = 0;

	for (i = 0; rv == 0 && packings[i] != NULL; i++)
		rv = packed_try(kd, packings[i]);
	return rv == -1 ? -1 : 0;
}

void
kvmi_packed_close(kvm_t *kd)
{
	packed_free(kd->packed);
	kd->packed = NULL;
}
