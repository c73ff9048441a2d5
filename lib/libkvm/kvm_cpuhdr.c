/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_cpuhdr.c: is a CPU segment what kcore(5) says?  After this, the other
 * files believe its members and tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_header.h"
#include "kvm_machine.h"

typedef unsigned long long ull;

static int
cpuhdr_identity(kvm_t *kd, const cpu_kcore_hdr_t *h)
{
	uint64_t sum;

	if (h->ext_magic != KCORE_EXT_MAGIC)
		return kvmi_err(kd, EBADMSG, "extension magic 0x%llx where "
		    "0x%llx was expected", (ull)h->ext_magic,
		    (ull)KCORE_EXT_MAGIC);
	if (h->version != KCORE_VERSION)
		return kvmi_err(kd, ENOTSUP, "version %u; this library knows "
		    "version %u", h->version, KCORE_VERSION);
	if (h->hdrsize != sizeof(*h))
		return kvmi_err(kd, EBADMSG, "hdrsize %u where %zu was "
		    "expected", h->hdrsize, sizeof(*h));
	sum = kvmi_record_sum(h, sizeof(*h),
	    offsetof(cpu_kcore_hdr_t, hdr_cksum));
	if (sum != h->hdr_cksum)
		return kvmi_err(kd, EBADMSG, "checksum 0x%llx where 0x%llx was "
		    "expected", (ull)sum, (ull)h->hdr_cksum);
	if ((h->flags & ~(uint64_t)KCORE_F_KNOWN) != 0)
		return kvmi_err(kd, ENOTSUP, "flags 0x%llx; this library knows "
		    "0x%x", (ull)h->flags, KCORE_F_KNOWN);
	return 0;
}

/* Members that have one value, or few. */
static int
cpuhdr_values(kvm_t *kd, const cpu_kcore_hdr_t *h)
{
	const struct {
		const char *name;
		uint64_t value, min, max;
	} v[] = {
		{ "chunk_size", h->chunk_size, KCORE_CHUNK, KCORE_CHUNK },
		{ "page_size", h->page_size, KVMI_PAGE, KVMI_PAGE },
		{ "dump_level", h->dump_level, 0, KCORE_LEVEL_MAX },
		{ "part", h->part, 0, 0 },
		{ "nparts", h->nparts, 1, 1 },
		{ "device_index", h->device_index, 0,
		    KCORE_DEVICES_MAX - 1 },
		{ "data_valid", h->data_valid,
		    (h->flags & KCORE_F_INCOMPLETE) != 0 ? 0 : h->data_size,
		    h->data_size },
		{ "ptdpaddr modulo 4096", h->ptdpaddr % KVMI_PAGE, 0, 0 },
		{ "enc_mask modulo 4096", h->enc_mask % KVMI_PAGE, 0, 0 },
		{ "pad0", h->pad0, 0, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].value < v[i].min || v[i].value > v[i].max)
			return kvmi_err(kd, EBADMSG, "%s is %llu where %llu to "
			    "%llu was expected", v[i].name, (ull)v[i].value,
			    (ull)v[i].min, (ull)v[i].max);
	if (!kvmi_zero(h->reserved, sizeof(h->reserved)) ||
	    !kvmi_zero(&h->counts[KCORE_COUNT_OTHER + 1],
	    (KCORE_NCOUNTS - KCORE_COUNT_OTHER - 1) * sizeof(h->counts[0])))
		return kvmi_err(kd, EBADMSG, "a reserved member is not zero");
	return 0;
}

static int
cpuhdr_machine(kvm_t *kd, const cpu_kcore_hdr_t *h)
{
	const struct kvmi_machine *m = kvmi_machine_find(h->machine);

	if (m == NULL)
		return kvmi_err(kd, ENOTSUP, "machine %u is not one that this "
		    "library can read", h->machine);
	if (h->paging_levels < m->levels_min ||
	    h->paging_levels > m->levels_max)
		return kvmi_err(kd, ENOTSUP, "%u levels of page tables; %s has "
		    "%u to %u", h->paging_levels, m->name, m->levels_min,
		    m->levels_max);
	return 0;
}

static int
cpuhdr_texts(kvm_t *kd, const cpu_kcore_hdr_t *h)
{
	const struct {
		const char *name, *text;
		size_t len;
	} t[] = {
		{ "panic_comm", h->panic_comm, sizeof(h->panic_comm) },
		{ "release", h->release, sizeof(h->release) },
		{ "osversion", h->osversion, sizeof(h->osversion) },
		{ "nodename", h->nodename, sizeof(h->nodename) },
		{ "panicstr", h->panicstr, sizeof(h->panicstr) },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (!kvmi_text_ok(t[i].text, t[i].len))
			return kvmi_err(kd, EBADMSG, "%s is not padded with "
			    "NUL bytes", t[i].name);
	for (i = 0; i < KCORE_NNAMES; i++)
		if (!kvmi_text_ok(h->names[i].name, sizeof(h->names[i].name)) ||
		    (h->names[i].name[0] == '\0' && h->names[i].addr != 0))
			return kvmi_err(kd, EBADMSG, "names[%zu] is not a "
			    "name", i);
	return 0;
}

struct cpuhdr_part {
	const char *name;
	uint64_t off, len;
};

/* Sorts the parts behind the header by their offsets. */
static int
cpuhdr_part_cmp(const void *a, const void *b)
{
	const struct cpuhdr_part *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

/* Zeros between n sorted parts, and behind them. */
static bool
cpuhdr_gaps_zero(const uint8_t *cpu, const cpu_kcore_hdr_t *h,
    const struct cpuhdr_part *p, size_t n)
{
	const uint64_t used = h->exclsegs_off +
	    (uint64_t)h->nexclsegs * sizeof(kcore_exclseg_t);
	const uint64_t spare = h->exclsegs_cap - h->nexclsegs;
	uint64_t pos = h->hdrsize;
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i].len == 0)
			continue;
		if (!kvmi_zero(cpu + pos, p[i].off - pos))
			return false;
		pos = p[i].off + p[i].len;
	}
	return kvmi_zero(cpu + pos, h->cpu_size - pos) &&
	    (spare == 0 ||
	    kvmi_zero(cpu + used, spare * sizeof(kcore_exclseg_t)));
}

/* Parts in range, apart from each other, with zeros between them. */
static int
cpuhdr_layout(kvm_t *kd, const uint8_t *cpu, const cpu_kcore_hdr_t *h)
{
	struct cpuhdr_part p[] = {
		{ "memsegs", h->memsegs_off, h->nmemsegs },
		{ "exclsegs", h->exclsegs_off,
		    (uint64_t)h->exclsegs_cap * sizeof(kcore_exclseg_t) },
		{ "notes", h->notes_off, h->notes_size },
	};
	const size_t n = sizeof(p) / sizeof(p[0]);
	uint64_t pos = h->hdrsize;
	size_t i;

	if (h->nmemsegs == 0 ||
	    h->nmemsegs > h->cpu_size / sizeof(phys_ram_seg_t))
		return kvmi_err(kd, EBADMSG, "%llu memsegs in a CPU segment of "
		    "%u bytes", (ull)h->nmemsegs, h->cpu_size);
	p[0].len *= sizeof(phys_ram_seg_t);
	if (h->nexclsegs > h->exclsegs_cap)
		return kvmi_err(kd, EBADMSG, "%u exclsegs in %u places",
		    h->nexclsegs, h->exclsegs_cap);
	qsort(p, n, sizeof(p[0]), cpuhdr_part_cmp);
	for (i = 0; i < n; i++) {
		if (p[i].len == 0)
			continue;
		if (p[i].off % 8 != 0 || p[i].off < pos ||
		    p[i].off > h->cpu_size ||
		    p[i].len > h->cpu_size - p[i].off)
			return kvmi_err(kd, EBADMSG, "%s at %llu, %llu bytes: "
			    "out of place", p[i].name, (ull)p[i].off,
			    (ull)p[i].len);
		pos = p[i].off + p[i].len;
	}
	if (!cpuhdr_gaps_zero(cpu, h, p, n))
		return kvmi_err(kd, EBADMSG, "bytes between the parts of the "
		    "CPU segment are not zero");
	return 0;
}

static bool
cpuhdr_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b ? b - a < alen : a - b < blen;
}

static int
cpuhdr_memsegs(kvm_t *kd, const cpu_kcore_hdr_t *h, const phys_ram_seg_t *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->nmemsegs; i++) {
		if (s[i].size == 0 || s[i].start % KVMI_PAGE != 0 ||
		    s[i].size % KVMI_PAGE != 0 ||
		    s[i].size > UINT64_MAX - s[i].start ||
		    (i > 1 && s[i].start < s[i - 1].start + s[i - 1].size) ||
		    (i > 0 && cpuhdr_overlap(s[i].start, s[i].size, s[0].start,
		    s[0].size)))
			return kvmi_err(kd, EBADMSG, "memsegs[%zu]: 0x%llx, "
			    "0x%llx bytes: out of place", i, (ull)s[i].start,
			    (ull)s[i].size);
		sum += s[i].size;
		kvmi_spill_step(kd, 1);
	}
	if (sum != h->data_size)
		return kvmi_err(kd, EBADMSG, "memsegs have %llu bytes, "
		    "data_size is %llu", (ull)sum, (ull)h->data_size);
	if (s[0].size != KVMI_PAGE ||
	    h->dumpmag_paddr < s[0].start ||
	    h->dumpmag_paddr - s[0].start > KVMI_PAGE - sizeof(uint32_t))
		return kvmi_err(kd, EBADMSG, "memsegs[0] is not the page of "
		    "dumpmag, 0x%llx", (ull)h->dumpmag_paddr);
	return 0;
}

static int
cpuhdr_exclsegs(kvm_t *kd, const cpu_kcore_hdr_t *h, const phys_ram_seg_t *s,
    const kcore_exclseg_t *e)
{
	size_t i, k = 1;

	for (i = 0; i < h->nexclsegs; i++) {
		if (e[i].kind < KCORE_EXCL_ZERO ||
		    e[i].kind > KCORE_EXCL_MISSING || e[i].flags != 0)
			return kvmi_err(kd, ENOTSUP, "exclsegs[%zu]: kind %u, "
			    "flags 0x%x; this library knows kinds 1 to %u and "
			    "flags 0", i, e[i].kind, e[i].flags,
			    KCORE_EXCL_MISSING);
		kvmi_spill_step(kd, 1);
		if (e[i].size == 0 || e[i].size > UINT64_MAX - e[i].start ||
		    (i > 0 && e[i].start < e[i - 1].start + e[i - 1].size))
			return kvmi_err(kd, EBADMSG, "exclsegs[%zu]: 0x%llx, "
			    "0x%llx bytes: out of place", i, (ull)e[i].start,
			    (ull)e[i].size);
		if (e[i].kind >= KCORE_EXCL_UNREADABLE)
			continue;
		while (k < h->nmemsegs && s[k].start + s[k].size <= e[i].start)
			k++;
		if (cpuhdr_overlap(e[i].start, e[i].size, s[0].start,
		    s[0].size) || (k < h->nmemsegs &&
		    cpuhdr_overlap(e[i].start, e[i].size, s[k].start,
		    s[k].size)))
			return kvmi_err(kd, EBADMSG, "exclsegs[%zu]: 0x%llx is "
			    "in the dump all the same", i, (ull)e[i].start);
	}
	return 0;
}

int
kvmi_cpuhdr_check(kvm_t *kd, const void *cpu, size_t size)
{
	const uint8_t *b = cpu;
	const cpu_kcore_hdr_t *h = cpu;
	const phys_ram_seg_t *s;
	uint64_t sum;

	if (size < sizeof(*h))
		return kvmi_err(kd, EBADMSG, "CPU segment of %zu bytes", size);
	if (cpuhdr_identity(kd, h) == -1)
		return -1;
	if (h->cpu_size != size || (KCORE_SEGHDRSIZE + size) % KCORE_ALIGN != 0)
		return kvmi_err(kd, EBADMSG, "cpu_size is %u in a CPU segment "
		    "of %zu bytes", h->cpu_size, size);
	sum = kvmi_sum_tables(kd, &(struct iovec){
	    (void *)(uintptr_t)(b + h->hdrsize), size - h->hdrsize }, 1);
	if (sum != h->tables_cksum)
		return kvmi_err(kd, EBADMSG, "tables: checksum 0x%llx where "
		    "0x%llx was expected", (ull)sum, (ull)h->tables_cksum);
	if (cpuhdr_machine(kd, h) == -1 || cpuhdr_values(kd, h) == -1 ||
	    cpuhdr_texts(kd, h) == -1 || cpuhdr_layout(kd, b, h) == -1)
		return -1;
	s = (const void *)(b + h->memsegs_off);
	if (cpuhdr_memsegs(kd, h, s) == -1)
		return -1;
	return cpuhdr_exclsegs(kd, h, s, (const void *)(b + h->exclsegs_off));
}
