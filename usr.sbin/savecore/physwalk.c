/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physwalk.c: the memory of a dump in the order of its addresses, which is that
 * of CORE_DATA but for the first page.
 */
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

void
physwalk_init(struct physwalk *w, const struct copy *c)
{
	memset(w, 0, sizeof(*w));
	w->kd = c->kd;
	w->valid = c->size - c->size % kvm_dump_hdr(c->kd)->page_size;
	w->seg = 1;
}

/* Asked for again and again, so that libkvm needs not hold all of its tables. */
static const void *
physwalk_table(const struct cpu_kcore_hdr *hdr, uint32_t off)
{
	return (const char *)hdr + off;
}

/* The next of memsegs[]: false: there is none, or it was never written. */
static bool
physwalk_data(const struct physwalk *w, struct physrange *r)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(w->kd);
	const phys_ram_seg_t *seg = physwalk_table(hdr, hdr->memsegs_off);
	const phys_ram_seg_t *s = &seg[w->seg];
	const uint64_t off = w->off + seg[0].size;
	const bool more = w->seg < hdr->nmemsegs &&
	    (off < w->valid || w->all);

	if (!w->first && w->valid > 0 && (!more || seg[0].start < s->start))
		*r = (struct physrange){ seg[0].start, seg[0].size, 0, false };
	else if (more)
		*r = (struct physrange){ s->start, s->size, off, false };
	else
		return false;
	if (!w->all && r->size > w->valid - r->off)
		r->size = w->valid - r->off;
	return true;
}

/* The next of exclsegs[] that is zeros. */
static bool
physwalk_zero(struct physwalk *w, struct physrange *r)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(w->kd);
	const kcore_exclseg_t *e = physwalk_table(hdr, hdr->exclsegs_off);

	while (w->excl < hdr->nexclsegs && !w->all &&
	    e[w->excl].kind != KCORE_EXCL_ZERO) {
		(void)kvm_dump_hdr(w->kd);
		w->excl++;
	}
	if (w->excl >= hdr->nexclsegs)
		return false;
	*r = (struct physrange){ e[w->excl].start, e[w->excl].size, 0, true };
	return true;
}

bool
physwalk_next(struct physwalk *w, struct physrange *r)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(w->kd);
	const phys_ram_seg_t *seg = physwalk_table(hdr, hdr->memsegs_off);
	struct physrange zero;
	const bool data = physwalk_data(w, r);

	if (physwalk_zero(w, &zero) && (!data || zero.start < r->start)) {
		*r = zero;
		w->excl++;
	} else if (!data) {
		return false;
	} else if (r->off == 0) {
		w->first = true;
	} else {
		w->off += seg[w->seg++].size;
	}
	return true;
}
