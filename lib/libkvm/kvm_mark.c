/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_mark.c: changes exclsegs[] of the header in force; kvm_dump_mark().
 */
#include <errno.h>
#include <string.h>

#include "kvm_header.h"

/* Puts a range at place i, joined with its neighbours where they are alike. */
static int
excl_insert(kvm_t *kd, kcore_exclseg_t *e, size_t i, unsigned int kind,
    uint64_t start, uint64_t size)
{
	cpu_kcore_hdr_t *h = kd->hdr;

	if (i > 0 && e[i - 1].kind == kind &&
	    e[i - 1].start + e[i - 1].size == start) {
		e[i - 1].size += size;
		return 0;
	}
	if (h->nexclsegs >= h->exclsegs_cap)
		return -1;
	kvmi_spill_move(kd, &e[i + 1], &e[i],
	    (h->nexclsegs - i) * sizeof(*e));
	e[i] = (kcore_exclseg_t){ start, size, kind, 0 };
	h->nexclsegs++;
	return 0;
}

/* The first range that ends behind pa; all of them: none. */
static size_t
excl_search(kvm_t *kd, const kcore_exclseg_t *e, kpaddr_t pa)
{
	size_t lo = 0, hi = kd->hdr->nexclsegs, mid;

	kvmi_spill_step(kd, KVMI_SPILL_FIND);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (e[mid].start + e[mid].size <= pa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
kvmi_excl_add(kvm_t *kd, unsigned int kind, uint64_t start, uint64_t size)
{
	cpu_kcore_hdr_t *h = kd->hdr;
	kcore_exclseg_t *e = (void *)((uint8_t *)h + h->exclsegs_off);
	const uint64_t end = start + size;
	uint64_t stop;
	size_t i;

	while (start < end) {
		i = excl_search(kd, e, start);
		if (i < h->nexclsegs && e[i].start <= start) {
			start = e[i].start + e[i].size;
			continue;
		}
		stop = i < h->nexclsegs && e[i].start < end ? e[i].start : end;
		if (excl_insert(kd, e, i, kind, start, stop - start) == -1)
			return -1;
		start = stop;
	}
	return 0;
}

/* Lists the memory at a range of CORE_DATA: 0; -1: no room. */
static int
mark_range(kvm_t *kd, unsigned int kind, uint64_t off, uint64_t len)
{
	uint64_t n;
	kpaddr_t pa;

	while (len > 0 && kvmi_runs_at(&kd->runs, off, &pa, &n)) {
		if (n > len)
			n = len;
		if (kvmi_excl_add(kd, kind, pa, n) == -1)
			return -1;
		off += n;
		len -= n;
	}
	return 0;
}

int
kvm_dump_mark(kvm_t *kd, unsigned int kind, uint64_t data_off, uint64_t len)
{
	cpu_kcore_hdr_t *h;
	int rv = 0;

	if (kvmi_need_header(kd) == -1)
		goto fail;
	h = kd->hdr;
	if ((kind != KCORE_EXCL_DAMAGED && kind != KCORE_EXCL_MISSING) ||
	    data_off > h->data_size || len > h->data_size - data_off) {
		kvmi_err(kd, EINVAL, "mark of kind %u: %llu bytes at %llu of "
		    "%llu", kind, (unsigned long long)len,
		    (unsigned long long)data_off,
		    (unsigned long long)h->data_size);
		goto fail;
	}
	if (len == 0)
		return 0;
	if (kind == KCORE_EXCL_MISSING && data_off + len == h->data_size) {
		h->flags |= KCORE_F_INCOMPLETE;
		if (h->data_valid > data_off)
			h->data_valid = data_off;
		kd->runs.valid = h->data_valid;
	} else {
		h->flags |= KCORE_F_DAMAGED;
		rv = mark_range(kd, kind, data_off, len);
	}
	kvmi_cpu_changed(kd);
	if (rv == 0)
		return 0;
	kvmi_err(kd, ENOSPC, "header: all %u places for excluded ranges are "
	    "taken", h->exclsegs_cap);
fail:
	kvmi_report(kd);
	return -1;
}
