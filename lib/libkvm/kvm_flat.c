/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_flat.c: flattened files (makedumpfile -F, QEMU's dump-guest-memory), whose
 * blocks are put back into their places.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <sys/diskdump.h>

#include "kvm_bytes.h"

typedef unsigned long long ull;

/* Reads the headers of all blocks into kd->flat. */
static int
flat_blocks(kvm_t *kd)
{
	struct kvmi_range r = { .kind = KVMI_MEM_DATA };
	uint64_t at = FLATDUMP_HDRSIZE, size;
	flatdump_block_t b;

	for (;; at += size) {
		if (kvmi_pread(kd, &b, sizeof(b), at) == -1)
			return kvmi_prepend(kd, "flattened file");
		at += sizeof(b);
		if (b.offset == UINT64_MAX)
			return 0;
		r.start = be64toh(b.offset);
		size = be64toh(b.size);
		if (size == 0 || size > kd->file_size - at ||
		    r.start > INT64_MAX - size)
			return kvmi_err(kd, EBADMSG, "flattened file: block at "
			    "%llu: %llu bytes for %llu", (ull)at, (ull)size,
			    (ull)r.start);
		r.end = r.start + size;
		r.place = at;
		if (kvmi_ranges_add(kd, &kd->flat, r) == -1)
			return kvmi_prepend(kd, "flattened file");
	}
}

/* A block may be there again, and then the later one counts: but whole. */
static int
flat_check(kvm_t *kd)
{
	const struct kvmi_range *r = kd->flat.r;
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < kd->flat.n; i++) {
		if (r[i].start < end && r[i].end > end)
			return kvmi_err(kd, ENOTSUP, "flattened file: blocks "
			    "overlap at %llu", (ull)r[i].start);
		if (r[i].start < end && r[i].place > r[i - 1].place)
			return kvmi_err(kd, ENOTSUP, "flattened file: a block "
			    "at %llu is changed in part", (ull)r[i].start);
		end = r[i].end > end ? r[i].end : end;
	}
	return 0;
}

int
kvmi_flat_open(kvm_t *kd)
{
	flatdump_hdr_t h;
	int rv;

	if (kd->file_size < FLATDUMP_HDRSIZE)
		return 0;
	if (kvmi_pread(kd, &h, sizeof(h), 0) == -1)
		return -1;
	if (memcmp(h.signature, FLATDUMP_SIGNATURE, sizeof(h.signature)) != 0)
		return 0;
	if (be64toh(h.type) != FLATDUMP_TYPE ||
	    be64toh(h.version) != FLATDUMP_VERSION)
		return kvmi_err(kd, ENOTSUP, "flattened file: type %llu, "
		    "version %llu; this library knows %u and %u",
		    (ull)be64toh(h.type), (ull)be64toh(h.version),
		    FLATDUMP_TYPE, FLATDUMP_VERSION);
	kd->flat.unit = 1;
	rv = flat_blocks(kd);
	if (rv == 0)
		rv = kvmi_ranges_order(kd, &kd->flat);
	if (rv == 0)
		rv = flat_check(kd);
	if (rv == 0)
		rv = kvmi_ranges_sort(kd, &kd->flat);
	if (rv == 0 && kd->flat.n == 0)
		rv = kvmi_err(kd, EBADMSG, "flattened file: nothing in it");
	if (rv == -1)
		return -1;
	kd->flat_on = true;
	kd->file_size = kd->flat.r[kd->flat.n - 1].end;
	return 0;
}

uint64_t
kvmi_flat_find(kvm_t *kd, uint64_t off, size_t *len)
{
	const struct kvmi_range *r = kvmi_ranges_find(&kd->flat, off);

	kvmi_spill_step(kd, KVMI_SPILL_FIND);
	if (r == NULL) {
		*len = 0;
		return 0;
	}
	if (*len > r->end - off)
		*len = (size_t)(r->end - off);
	return r->place + (off - r->start);
}

size_t
kvmi_flat_gap(kvm_t *kd, uint64_t off, size_t len)
{
	const struct kvmi_range *r = kd->flat.r;
	size_t low = 0, high = kd->flat.n, mid;

	while (low < high) {		/* the first block that ends behind */
		mid = low + (high - low) / 2;
		if (r[mid].end <= off)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == kd->flat.n || r[low].start <= off)
		return 0;
	return r[low].start - off < len ? (size_t)(r[low].start - off) : len;
}
