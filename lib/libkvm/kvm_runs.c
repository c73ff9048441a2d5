/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_runs.c: which physical memory is where in CORE_DATA, and why some is not.
 *
 * memsegs[0], the page with dumpmag, is looked at first; the others are sorted.
 * There may be four million of them, so only the offset of each 64th is kept
 * beside the table.  The tables have been checked by kvm_cpuhdr.c.
 */
#include <stdlib.h>

#include "kvm_private.h"

#define RUNS_SAMPLE	64u

int
kvmi_runs_init(kvm_t *kd, struct kvmi_runs *r, const phys_ram_seg_t *segs,
    size_t nsegs, const kcore_exclseg_t *excls, size_t nexcls, uint64_t valid)
{
	uint64_t off = 0;
	size_t i;

	r->sums = calloc(nsegs / RUNS_SAMPLE + 1, sizeof(*r->sums));
	if (r->sums == NULL)
		return -1;
	r->kd = kd;
	r->segs = segs;
	r->nsegs = nsegs;
	r->excls = excls;
	r->nexcls = nexcls;
	r->valid = valid;
	for (i = 0; i < nsegs; i++) {
		if (i % RUNS_SAMPLE == 0)
			r->sums[i / RUNS_SAMPLE] = off;
		off += segs[i].size;
		kvmi_spill_step(kd, 1);
	}
	return 0;
}

void
kvmi_runs_fini(struct kvmi_runs *r)
{
	free(r->sums);
	r->sums = NULL;
	r->nsegs = r->nexcls = 0;
}

/* Where segment k begins in CORE_DATA. */
static uint64_t
runs_offset(const struct kvmi_runs *r, size_t k)
{
	uint64_t off = r->sums[k / RUNS_SAMPLE];
	size_t i;

	for (i = k / RUNS_SAMPLE * RUNS_SAMPLE; i < k; i++)
		off += r->segs[i].size;
	return off;
}

/* The first segment after the first whose end is past pa; nsegs: none. */
static size_t
runs_search(const struct kvmi_runs *r, kpaddr_t pa)
{
	size_t lo = 1, hi = r->nsegs, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (pa - r->segs[mid].start < r->segs[mid].size ||
		    pa < r->segs[mid].start)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The first excluded range whose end is past pa; nexcls: none. */
static size_t
runs_excl_search(const struct kvmi_runs *r, kpaddr_t pa)
{
	size_t lo = 0, hi = r->nexcls, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (pa - r->excls[mid].start < r->excls[mid].size ||
		    pa < r->excls[mid].start)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* In CORE_DATA: false, and p->len is how far there is none. */
static bool
runs_find_data(const struct kvmi_runs *r, kpaddr_t pa, struct kvmi_place *p)
{
	const phys_ram_seg_t *s;
	uint64_t limit = UINT64_MAX - pa;
	size_t k;

	if (r->nsegs == 0) {
		p->len = limit;
		return false;
	}
	s = &r->segs[0];
	if (pa - s->start < s->size) {
		p->off = pa - s->start;
		p->len = s->size - p->off;
		return true;
	}
	if (pa < s->start)
		limit = s->start - pa;
	k = runs_search(r, pa);
	if (k < r->nsegs && pa >= r->segs[k].start) {
		s = &r->segs[k];
		p->off = runs_offset(r, k) + (pa - s->start);
		p->len = s->size - (pa - s->start);
		return true;
	}
	if (k < r->nsegs && r->segs[k].start - pa < limit)
		limit = r->segs[k].start - pa;
	p->len = limit;
	return false;
}

void
kvmi_runs_find(const struct kvmi_runs *r, kpaddr_t pa, struct kvmi_place *p)
{
	const kcore_exclseg_t *e;
	size_t k;

	kvmi_spill_step(r->kd, KVMI_SPILL_FIND);
	p->off = 0;
	p->kind = runs_find_data(r, pa, p) ? KVMI_MEM_DATA : KVMI_MEM_NONE;
	k = runs_excl_search(r, pa);
	if (k < r->nexcls) {
		e = &r->excls[k];
		if (pa >= e->start) {
			p->kind = e->kind;
			if (p->len > e->size - (pa - e->start))
				p->len = e->size - (pa - e->start);
		} else if (p->len > e->start - pa) {
			p->len = e->start - pa;
		}
	}
	if (p->kind != KVMI_MEM_DATA)
		return;
	if (p->off >= r->valid)
		p->kind = KCORE_EXCL_MISSING;
	else if (p->len > r->valid - p->off)
		p->len = r->valid - p->off;
}

bool
kvmi_runs_at(const struct kvmi_runs *r, uint64_t off, kpaddr_t *pa,
    uint64_t *len)
{
	size_t lo = 0, hi = r->nsegs / RUNS_SAMPLE + 1, mid, k;

	kvmi_spill_step(r->kd, KVMI_SPILL_FIND / 8);
	/* The last sample that is not past off. */
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (mid * RUNS_SAMPLE < r->nsegs && r->sums[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	off -= r->nsegs != 0 ? r->sums[lo] : 0;
	for (k = lo * RUNS_SAMPLE; k < r->nsegs; k++) {
		if (off < r->segs[k].size) {
			*pa = r->segs[k].start + off;
			*len = r->segs[k].size - off;
			return true;
		}
		off -= r->segs[k].size;
	}
	return false;
}
