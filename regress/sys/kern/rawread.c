// SPDX-License-Identifier: BSD-2-Clause
/*
 * rawread.c: see rawread.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "rawread.h"

#define PAGE	4096u

/* Leaves a function with a reason. */
#define REFUSE(r, ...) do {						\
	snprintf((r)->why, sizeof((r)->why), __VA_ARGS__);		\
	return false;							\
} while (0)
#define WANT(r, what) do {						\
	if (!(what))							\
		REFUSE(r, "not so: %s", #what);				\
} while (0)

static bool
zeros(const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		if (b[i] != 0)
			return false;
	return true;
}

static bool
text(const char *s, size_t len)
{
	size_t n = strnlen(s, len);

	return n < len && zeros(s + n, len - n);
}

/* The checksum of a record whose own sum is at sum_off. */
static uint64_t
record_sum(const void *record, size_t len, size_t sum_off)
{
	uint8_t copy[PAGE];

	memcpy(copy, record, len);
	memset(copy + sum_off, 0, sizeof(uint64_t));
	return XXH64(copy, len, 0);
}

static bool
trailer_whole(const kcore_trailer_t *t)
{
	return t->magic == KCORE_TRAILER_MAGIC &&
	    t->version == KCORE_VERSION && t->size == sizeof(*t) &&
	    t->cksum == record_sum(t, sizeof(*t), 4088);
}

const kcore_trailer_t *
raw_trailers(struct raw *r)
{
	int i, other = -1;

	for (i = 0; i < 2; i++) {
		memcpy(&r->t[i], r->page(r->arg,
		    r->size - (i == 0 ? 8192 : 4096)), PAGE);
		r->whole[i] = trailer_whole(&r->t[i]);
		if (r->whole[i])
			other = i;
	}
	if (!r->whole[0] || !r->whole[1])
		return other < 0 ? NULL : &r->t[other];
	if (memcmp(r->t[0].dump_id, r->t[1].dump_id, KCORE_IDLEN) != 0) {
		const kcore_early_t *e = (const void *)r->page(r->arg,
		    r->size - KCORE_END_AREA);

		for (i = 0; i < 2; i++)
			if (memcmp(e->dump_id, r->t[i].dump_id,
			    KCORE_IDLEN) == 0)
				return &r->t[i];
		return &r->t[r->t[1].panic_time_ns > r->t[0].panic_time_ns];
	}
	return &r->t[r->t[1].seq > r->t[0].seq];
}

bool
raw_trailer_sane(struct raw *r, const kcore_trailer_t *t)
{
	uint64_t chunks = (t->data_size + KCORE_CHUNK - 1) / KCORE_CHUNK;
	uint32_t i;

	WANT(r, t->window_size == r->size);
	WANT(r, t->seq % 2 == (t == &r->t[0] ? 1 : 0));
	WANT(r, t->state >= KCORE_STATE_INPROGRESS &&
	    t->state <= KCORE_STATE_SAVED);
	WANT(r, (t->state == KCORE_STATE_FAILED) == (t->error != 0));
	WANT(r, t->part == 0 && t->nparts == 1 &&
	    t->device_index < KCORE_DEVICES_MAX);
	WANT(r, t->nlate <= KCORE_LATE_MAX);
	WANT(r, zeros(&t->late[t->nlate],
	    (KCORE_LATE_MAX - t->nlate) * sizeof(t->late[0])));
	for (i = 0; i < t->nlate; i++)
		WANT(r, t->late[i].size != 0 && t->late[i].flags == 0 &&
		    t->late[i].kind == KCORE_EXCL_UNREADABLE);
	WANT(r, text(t->release, sizeof(t->release)));
	WANT(r, text(t->panicstr, sizeof(t->panicstr)));
	WANT(r, zeros(t->pad, sizeof(t->pad)));
	if (t->early_off != 0)
		WANT(r, t->early_off == r->size - KCORE_END_AREA &&
		    t->early_size % PAGE == 0 &&
		    t->early_size <= KCORE_END_AREA - 2 * PAGE);
	WANT(r, t->data_valid <= t->data_size);
	WANT(r, t->cksum_valid <= chunks);
	if (t->dumplo == 0) {
		WANT(r, t->data_size == 0 && t->hdr_size == 0);
		return true;
	}
	WANT(r, t->dumplo % PAGE == 0 && t->dumplo >= PAGE);
	WANT(r, t->hdr_size % PAGE == 0 && t->data_size % PAGE == 0);
	WANT(r, t->cksum_off % PAGE == 0);
	WANT(r, t->cksum_off >= t->dumplo + t->hdr_size + t->data_size);
	WANT(r, t->cksum_size >= (chunks + 503) / 504 * PAGE);
	WANT(r, t->cksum_off + t->cksum_size <= r->size - KCORE_END_AREA);
	if (t->state == KCORE_STATE_COMPLETE)
		WANT(r, t->data_valid == t->data_size &&
		    t->cksum_valid == chunks);
	return true;
}

static void
copy(struct raw *r, uint64_t off, void *dst, uint64_t len)
{
	uint8_t *to = dst;
	uint64_t n;

	for (; len > 0; len -= n, off += n, to += n) {
		n = PAGE - off % PAGE;
		if (n > len)
			n = len;
		memcpy(to, r->page(r->arg, off / PAGE * PAGE) + off % PAGE, n);
	}
}

bool
raw_early(struct raw *r, const kcore_trailer_t *t, kcore_early_t *e,
    char *log, size_t log_room)
{
	uint64_t body, sum;
	uint8_t *buf;

	WANT(r, t->early_off != 0);
	copy(r, t->early_off, e, sizeof(*e));
	WANT(r, e->magic == KCORE_EARLY_MAGIC && e->version == KCORE_VERSION);
	WANT(r, e->size == sizeof(*e));
	WANT(r, e->cksum == record_sum(e, sizeof(*e), 4088));
	WANT(r, memcmp(e->arm_id, t->arm_id, KCORE_IDLEN) == 0);
	WANT(r, memcmp(e->dump_id, t->dump_id, KCORE_IDLEN) == 0);
	WANT(r, e->panic_time_ns == t->panic_time_ns);
	WANT(r, e->notes_off == PAGE);
	WANT(r, e->log_off == e->notes_off + e->notes_size);
	WANT(r, strcmp(e->panicstr, t->panicstr) == 0);
	WANT(r, zeros(e->pad, sizeof(e->pad)));
	body = (uint64_t)e->notes_size + e->log_size;
	WANT(r, PAGE + body <= t->early_size);
	WANT(r, e->log_size < log_room);
	buf = malloc(body + 1);
	copy(r, t->early_off + PAGE, buf, body);
	sum = XXH64(buf, body, 0);
	memcpy(log, buf + e->notes_size, e->log_size);
	log[e->log_size] = '\0';
	free(buf);
	WANT(r, sum == e->body_cksum);
	return true;
}

static bool
header_sane(struct raw *r, const kcore_trailer_t *t)
{
	const cpu_kcore_hdr_t *h = r->hdr;
	unsigned int i;

	WANT(r, h->ext_magic == KCORE_EXT_MAGIC);
	WANT(r, h->version == KCORE_VERSION && h->hdrsize == sizeof(*h));
	WANT(r, h->hdr_cksum == record_sum(h, sizeof(*h), 2040));
	WANT(r, (h->flags & ~(uint64_t)KCORE_F_TRUNCATED) == 0);
	WANT(r, h->cpu_size + 8u == t->hdr_size);
	WANT(r, h->tables_cksum == XXH64(r->cpu + 8 + sizeof(*h),
	    h->cpu_size - sizeof(*h), 0));
	WANT(r, h->chunk_size == KCORE_CHUNK && h->page_size == PAGE);
	WANT(r, h->data_size == t->data_size && h->data_valid == h->data_size);
	WANT(r, h->machine == t->machine && h->dump_level == t->dump_level);
	WANT(r, memcmp(h->arm_id, t->arm_id, KCORE_IDLEN) == 0);
	WANT(r, memcmp(h->dump_id, t->dump_id, KCORE_IDLEN) == 0);
	WANT(r, h->panic_time_ns == t->panic_time_ns);
	WANT(r, h->part == 0 && h->nparts == 1 && h->pad0 == 0);
	WANT(r, zeros(h->reserved, sizeof(h->reserved)));
	WANT(r, text(h->panicstr, sizeof(h->panicstr)));
	WANT(r, text(h->release, sizeof(h->release)));
	for (i = 0; i < KCORE_NNAMES; i++)
		WANT(r, text(h->names[i].name, sizeof(h->names[i].name)));
	WANT(r, h->memsegs_off % 8 == 0 && h->memsegs_off >= sizeof(*h));
	WANT(r, h->nmemsegs >= 1 && h->nmemsegs <= KCORE_MEMSEGS_MAX);
	WANT(r, h->exclsegs_off % 8 == 0 && h->exclsegs_off >=
	    h->memsegs_off + h->nmemsegs * 16);
	WANT(r, h->nexclsegs <= h->exclsegs_cap);
	WANT(r, h->notes_off % 8 == 0 && h->notes_off >=
	    h->exclsegs_off + (uint64_t)h->exclsegs_cap * 24);
	WANT(r, (uint64_t)h->notes_off + h->notes_size <= h->cpu_size);
	WANT(r, zeros(r->cpu + 8 + h->exclsegs_off + h->nexclsegs * 24ul,
	    (h->exclsegs_cap - h->nexclsegs) * 24ul));
	WANT(r, zeros(r->cpu + 8 + h->notes_off + h->notes_size,
	    h->cpu_size - h->notes_off - h->notes_size));
	return true;
}

static bool
tables_sane(struct raw *r)
{
	const cpu_kcore_hdr_t *h = r->hdr;
	uint64_t i, sum = 0, end;

	WANT(r, r->mem[0].size == PAGE &&
	    h->dumpmag_paddr - r->mem[0].start <= PAGE - 4);
	for (i = 0; i < h->nmemsegs; i++) {
		end = r->mem[i].start + r->mem[i].size;
		sum += r->mem[i].size;
		WANT(r, r->mem[i].size > 0 && r->mem[i].size % PAGE == 0);
		WANT(r, r->mem[i].start % PAGE == 0 && end > r->mem[i].start);
		if (i > 0)
			WANT(r, end <= r->mem[0].start ||
			    r->mem[i].start >= r->mem[0].start + PAGE);
		if (i > 1)
			WANT(r, r->mem[i - 1].start + r->mem[i - 1].size <=
			    r->mem[i].start);
	}
	WANT(r, sum == h->data_size);
	WANT(r, sum / PAGE == h->counts[KCORE_COUNT_DUMPED]);
	for (i = 0; i < h->nexclsegs; i++) {
		WANT(r, r->excl[i].size > 0 && r->excl[i].flags == 0);
		WANT(r, r->excl[i].kind >= KCORE_EXCL_ZERO &&
		    r->excl[i].kind <= KCORE_EXCL_UNREADABLE);
		if (i > 0)
			WANT(r, r->excl[i - 1].start + r->excl[i - 1].size <=
			    r->excl[i].start);
	}
	return true;
}

bool
raw_header(struct raw *r, const kcore_trailer_t *t)
{
	const kcore_seg_t *seg;
	const uint8_t midmag[4] = { CORE_CPU << 2, KCORE_MID_X86_64, 0x8f,
		0xca };

	raw_close(r);
	WANT(r, t->hdr_size <= 8u + KCORE_CPU_MAX);
	r->cpu = malloc(t->hdr_size);
	copy(r, t->dumplo, r->cpu, t->hdr_size);
	WANT(r, XXH64(r->cpu, t->hdr_size, 0) == t->hdr_cksum);
	seg = (const void *)r->cpu;
	WANT(r, memcmp(&seg->c_midmag, midmag, 4) == 0);
	WANT(r, seg->c_size + 8u == t->hdr_size);
	r->hdr = (const void *)(r->cpu + 8);
	if (!header_sane(r, t))
		return false;
	r->mem = (const void *)(r->cpu + 8 + r->hdr->memsegs_off);
	r->excl = (const void *)(r->cpu + 8 + r->hdr->exclsegs_off);
	return tables_sane(r);
}

void
raw_close(struct raw *r)
{
	free(r->cpu);
	r->cpu = NULL;
}

void
raw_data(struct raw *r, const kcore_trailer_t *t, uint64_t off, void *dst,
    uint64_t len)
{
	copy(r, t->dumplo + t->hdr_size + off, dst, len);
}

uint64_t
raw_sum(struct raw *r, const kcore_trailer_t *t, uint64_t chunk, bool *whole)
{
	kcore_ckpage_t ck;

	copy(r, t->cksum_off + chunk / 504 * PAGE, &ck, sizeof(ck));
	*whole = ck.magic == KCORE_CKSUM_MAGIC &&
	    ck.version == KCORE_VERSION && ck.index == chunk / 504 &&
	    ck.pad0 == 0 && ck.count > chunk % 504 && ck.count <= 504 &&
	    memcmp(ck.arm_id, t->arm_id, KCORE_IDLEN) == 0 &&
	    memcmp(ck.dump_id, t->dump_id, KCORE_IDLEN) == 0 &&
	    zeros(&ck.sums[ck.count], (504 - ck.count) * sizeof(uint64_t)) &&
	    ck.cksum == record_sum(&ck, sizeof(ck), 56);
	return ck.sums[chunk % 504];
}

bool
raw_verify(struct raw *r, const kcore_trailer_t *t)
{
	uint8_t *buf = malloc(KCORE_CHUNK);
	uint64_t i, len, sum;
	bool whole, same = true;

	for (i = 0; i < t->cksum_valid && same; i++) {
		len = t->data_size - i * KCORE_CHUNK;
		if (len > KCORE_CHUNK)
			len = KCORE_CHUNK;
		raw_data(r, t, i * KCORE_CHUNK, buf, len);
		sum = raw_sum(r, t, i, &whole);
		same = whole && sum == XXH64(buf, len, 0);
	}
	free(buf);
	if (!same)
		REFUSE(r, "chunk %llu: checksum", (unsigned long long)i - 1);
	return true;
}

bool
raw_find(const struct raw *r, uint64_t pa, uint64_t *off)
{
	uint64_t i, at = 0;

	for (i = 0; i < r->hdr->nmemsegs; i++) {
		if (pa >= r->mem[i].start &&
		    pa - r->mem[i].start < r->mem[i].size) {
			*off = at + pa - r->mem[i].start;
			return true;
		}
		at += r->mem[i].size;
	}
	return false;
}

uint32_t
raw_excl(const struct raw *r, const kcore_trailer_t *t, uint64_t pa)
{
	uint32_t i;

	for (i = 0; i < r->hdr->nexclsegs; i++)
		if (pa >= r->excl[i].start &&
		    pa - r->excl[i].start < r->excl[i].size)
			return r->excl[i].kind;
	for (i = 0; i < t->nlate; i++)
		if (pa >= t->late[i].start &&
		    pa - t->late[i].start < t->late[i].size)
			return t->late[i].kind;
	return 0;
}
