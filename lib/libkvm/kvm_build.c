/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_build.c: a header of ours for a file that is laid out otherwise.
 *
 * The file says which memory it has, and its notes say the rest.  One of them
 * may be the header that the dumping kernel wrote (note SWAPCORE): where the
 * file still has all memory that it lists it is in force again as it was.
 * Where it has not, because somebody took pages out, its tables are made anew.
 * Without such a note, VMCOREINFO says where the page tables are.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_header.h"
#include "kvm_machine.h"

#define BUILD_ALIGN(n)	(((uint64_t)(n) + 7) & ~7ull)

typedef unsigned long long ull;

/* ---- Without a header of ours ---- */

/* The text behind `key=', to the end of its line, NUL padded. */
static void
build_text(const char *info, const char *key, char *to, size_t len)
{
	const char *p = kvmi_info_find(info, key);
	size_t n = p != NULL ? strcspn(p, "\n") : 0;

	if (n >= len)
		n = len - 1;
	if (n == 0)
		return;
	memset(to, 0, len);
	memcpy(to, p, n);
}

/* BUILD-ID=hex digits; zeros where there is none. */
static void
build_id(const char *info, uint8_t *id, size_t len)
{
	const char *p = kvmi_info_find(info, "BUILD-ID");
	unsigned int byte;
	size_t i;

	for (i = 0; p != NULL && i < len; i++) {
		if (sscanf(p + 2 * i, "%2x", &byte) != 1 ||
		    strcspn(p, "\n") < 2 * i + 2) {
			memset(id, 0, len);
			return;
		}
		id[i] = (uint8_t)byte;
	}
}

/* A number that must be there: 0, or -1 with a text. */
static int
build_need(kvm_t *kd, const char *info, const char *key, int base,
    uint64_t *value)
{
	switch (kvmi_info_number(info, key, base, value)) {
	case 1:
		return 0;
	case 0:
		return kvmi_err(kd, ENOTSUP, "its VMCOREINFO has no %s, "
		    "without which kernel memory can't be found", key);
	default:
		return kvmi_err(kd, EBADMSG, "VMCOREINFO: %s is not a number",
		    key);
	}
}

static unsigned int
build_ncpus(const struct kvmi_build *b)
{
	struct kvmi_note n;
	unsigned int ncpus = 0;
	size_t pos = 0;

	while (kvmi_note_next(b->notes, b->notes_size, &pos, &n))
		ncpus += n.type == NT_PRSTATUS && kvmi_note_is(&n, "CORE");
	return ncpus;
}

/* Where the page tables are: 0, or -1 with a text. */
static int
build_paging(kvm_t *kd, const struct kvmi_machine *m, const char *info,
    cpu_kcore_hdr_t *h)
{
	uint64_t root, more = 0;

	if (build_need(kd, info, m->info_root, 16, &root) == -1 ||
	    build_need(kd, info, "NUMBER(phys_base)", 10, &h->phys_base) ==
	    -1 || build_need(kd, info, "KERNELOFFSET", 16, &h->kaslr_slide) ==
	    -1)
		return -1;
	if (kvmi_info_number(info, m->info_levels, 10, &more) == -1 ||
	    kvmi_info_number(info, m->info_enc, 10, &h->enc_mask) == -1)
		return kvmi_err(kd, EBADMSG, "VMCOREINFO: %s or %s is not a "
		    "number", m->info_levels, m->info_enc);
	h->ptdpaddr = root - m->text_min + h->phys_base;
	h->paging_levels = m->levels_min + (more != 0);
	return 0;
}

static int
build_from_info(kvm_t *kd, const struct kvmi_build *b, cpu_kcore_hdr_t *h)
{
	const struct kvmi_machine *m = kvmi_machine_find(h->machine);
	uint64_t seconds;
	char *info;
	int rv;

	if (m == NULL)
		return kvmi_err(kd, ENOTSUP, "machine %u is not one that this "
		    "library can read", h->machine);
	info = kvmi_info_note(b->notes, b->notes_size);
	if (info == NULL)
		return kvmi_err(kd, ENOTSUP, "it has no VMCOREINFO note, "
		    "without which kernel memory can't be found");
	rv = build_paging(kd, m, info, h);
	build_text(info, "OSRELEASE", h->release, sizeof(h->release));
	build_id(info, h->build_id, sizeof(h->build_id));
	if (kvmi_info_number(info, "CRASHTIME", 10, &seconds) == 1 &&
	    seconds <= UINT64_MAX / 1000000000)
		h->panic_time_ns = seconds * 1000000000;
	if (h->ncpus == 0)
		h->ncpus = build_ncpus(b);
	free(info);
	return rv;
}

/* ---- With one ---- */

/* The header in the notes, checked and aligned: 1; 0: none; -1 with a text. */
static int
build_own(kvm_t *kd, struct kvmi_build *b, cpu_kcore_hdr_t **own)
{
	struct kvmi_note n;
	size_t pos = 0;

	*own = b->own;
	b->own = NULL;
	if (*own != NULL)
		return 1;
	do {
		if (!kvmi_note_next(b->notes, b->notes_size, &pos, &n))
			return 0;
	} while (n.type != KCORE_NOTE_CPU || !kvmi_note_is(&n, "SWAPCORE"));
	*own = kvmi_spill_alloc(kd, n.len + 1);
	if (*own == NULL)
		return kvmi_syserr(kd, ENOMEM, "header");
	kvmi_spill_copy(kd, *own, n.desc, n.len);
	if (kvmi_cpuhdr_check(kd, *own, n.len) == 0)
		return 1;
	kvmi_spill_free(kd, *own);
	*own = NULL;
	return kvmi_prepend(kd, "note SWAPCORE");
}

/* Has the file all memory that the header says was written? */
static bool
build_whole(kvm_t *kd, const cpu_kcore_hdr_t *own,
    const struct kvmi_ranges *data)
{
	const phys_ram_seg_t *s = (const void *)((const uint8_t *)own +
	    own->memsegs_off);
	const struct kvmi_range *r;
	uint64_t left = own->data_valid;
	kpaddr_t pa, end;
	size_t i;

	for (i = 0; i < own->nmemsegs && left > 0; i++) {
		end = s[i].start + (s[i].size < left ? s[i].size : left);
		left -= end - s[i].start;
		kvmi_spill_step(kd, KVMI_SPILL_FIND);
		for (pa = s[i].start; pa < end; pa = r->end)
			if ((r = kvmi_ranges_find(data, pa)) == NULL)
				return false;
	}
	return true;
}

/* What the header lists, and the file may have lost: sorted. */
static int
build_lost(kvm_t *kd, const cpu_kcore_hdr_t *own, struct kvmi_ranges *lost)
{
	const phys_ram_seg_t *s = (const void *)((const uint8_t *)own +
	    own->memsegs_off);
	uint64_t off = 0;
	size_t i;

	for (i = 0; i < own->nmemsegs; i++) {
		struct kvmi_range r = { s[i].start, s[i].start + s[i].size, 0,
		    off < own->data_valid ? KCORE_EXCL_FILTERED :
		    KCORE_EXCL_MISSING };

		if (kvmi_ranges_add(kd, lost, r) == -1)
			return -1;
		off += s[i].size;
	}
	return kvmi_ranges_sort(kd, lost);
}

/* exclsegs[] of the header, those of kinds from min on. */
static int
build_listed(kvm_t *kd, const cpu_kcore_hdr_t *own, unsigned int min,
    struct kvmi_ranges *l)
{
	const kcore_exclseg_t *e = (const void *)((const uint8_t *)own +
	    own->exclsegs_off);
	size_t i;

	for (i = 0; i < own->nexclsegs; i++) {
		kvmi_spill_step(kd, 1);
		if (e[i].kind >= min && kvmi_ranges_add(kd, l,
		    (struct kvmi_range){ e[i].start, e[i].start + e[i].size, 0,
		    e[i].kind }) == -1)
			return -1;
	}
	return 0;
}

/* Adds to all what the header says of memory that the file has not. */
static int
build_excluded(kvm_t *kd, const cpu_kcore_hdr_t *own, struct kvmi_ranges *all)
{
	struct kvmi_ranges excl = { .unit = 1 }, lost = { .unit = 1 };
	int rv;

	rv = build_listed(kd, own, 0, &excl);
	if (rv == 0)
		rv = build_lost(kd, own, &lost);
	if (rv == 0)
		rv = kvmi_ranges_under(kd, all, &excl);
	if (rv == 0)
		rv = kvmi_ranges_under(kd, all, &lost);
	kvmi_ranges_fini(kd, &excl);
	kvmi_ranges_fini(kd, &lost);
	return rv;
}

/*
 * All that exclsegs[] will have: what is not in the file, and of what is there
 * that which is not as it was.
 */
static int
build_excl(kvm_t *kd, const struct kvmi_build *b, const cpu_kcore_hdr_t *own,
    struct kvmi_ranges *excl)
{
	struct kvmi_ranges all = { .unit = b->data.unit };
	size_t i;
	int rv;

	rv = kvmi_ranges_under(kd, &all, &b->data);
	if (rv == 0 && b->known)
		rv = kvmi_ranges_under(kd, &all, &b->excl);
	if (rv == 0 && own != NULL)
		rv = build_excluded(kd, own, &all);
	if (rv == 0 && !b->known)
		rv = kvmi_ranges_under(kd, &all, &b->excl);
	for (i = 0; rv == 0 && i < all.n; i++) {
		kvmi_spill_step(kd, 1);
		if (all.r[i].kind != KVMI_MEM_DATA)
			rv = kvmi_ranges_add(kd, excl, all.r[i]);
	}
	kvmi_ranges_fini(kd, &all);
	if (rv == 0 && own != NULL)
		rv = build_listed(kd, own, KCORE_EXCL_UNREADABLE, excl);
	return rv == 0 ? kvmi_ranges_sort(kd, excl) : rv;
}

/* ---- Putting it together ---- */

/* The notes of the file but for a header of ours: bytes of them; to, or NULL. */
static size_t
build_notes(const struct kvmi_build *b, uint8_t *to)
{
	struct kvmi_note n;
	size_t pos = 0, used = 0;

	while (kvmi_note_next(b->notes, b->notes_size, &pos, &n)) {
		if (n.type == KCORE_NOTE_CPU && kvmi_note_is(&n, "SWAPCORE"))
			continue;
		used += kvmi_note_put(to != NULL ? to + used : NULL, &n);
	}
	return used;
}

/* The page that goes first: that of dumpmag where there is one. */
static kpaddr_t
build_first(const cpu_kcore_hdr_t *h, const struct kvmi_ranges *data)
{
	const kpaddr_t page = h->dumpmag_paddr & ~(kpaddr_t)(KVMI_PAGE - 1);

	if (h->dumpmag_paddr != 0 && kvmi_ranges_find(data, page) != NULL)
		return page;
	return data->r[0].start;
}

/* Fills memsegs[], or counts only where seg is NULL. */
static void
build_memsegs(kvm_t *kd, const struct kvmi_ranges *data, kpaddr_t first,
    cpu_kcore_hdr_t *h, phys_ram_seg_t *seg)
{
	uint64_t n = 0, bytes = 0;
	size_t i, k;

	for (i = 0; i <= data->n; i++) {
		/* The first page, then each range without it. */
		const struct kvmi_range r = i == 0 ? (struct kvmi_range){
		    first, first + KVMI_PAGE, 0, 0 } : data->r[i - 1];
		const bool cut = i > 0 && first >= r.start && first < r.end;
		const kpaddr_t part[2][2] = {
			{ r.start, cut ? first : r.end },
			{ cut ? first + KVMI_PAGE : r.end, r.end },
		};

		kvmi_spill_step(kd, 1);
		for (k = 0; k < 2; k++) {
			if (part[k][0] >= part[k][1])
				continue;
			if (seg != NULL)
				seg[n] = (phys_ram_seg_t){ part[k][0],
				    part[k][1] - part[k][0] };
			bytes += part[k][1] - part[k][0];
			n++;
		}
	}
	h->nmemsegs = n;
	h->data_size = h->data_valid = bytes;
}

static void
build_exclsegs(kvm_t *kd, const struct kvmi_ranges *excl, kcore_exclseg_t *e)
{
	size_t i;

	for (i = 0; i < excl->n; i++) {
		e[i] = (kcore_exclseg_t){ excl->r[i].start,
		    excl->r[i].end - excl->r[i].start, excl->r[i].kind, 0 };
		kvmi_spill_step(kd, 1);
	}
}

/* Pages in the dump, and pages of memory where nobody has counted them. */
static void
build_counts(kvm_t *kd, const struct kvmi_ranges *excl, cpu_kcore_hdr_t *h)
{
	uint64_t pages = h->data_size / KVMI_PAGE;
	size_t i;

	h->counts[KCORE_COUNT_DUMPED] = pages;
	if (h->counts[KCORE_COUNT_RAM] != 0)
		return;
	for (i = 0; i < excl->n; i++) {
		pages += (excl->r[i].end - excl->r[i].start) / KVMI_PAGE;
		kvmi_spill_step(kd, 1);
	}
	h->counts[KCORE_COUNT_RAM] = pages;
}

/* Sizes and places of the parts: 0, or -1 with a text. */
static int
build_layout(kvm_t *kd, const struct kvmi_build *b, cpu_kcore_hdr_t *h)
{
	uint64_t at = sizeof(*h);
	const uint64_t notes = build_notes(b, NULL);

	h->memsegs_off = (uint32_t)at;
	at += h->nmemsegs * sizeof(phys_ram_seg_t);
	h->exclsegs_cap = h->nexclsegs + KCORE_EXCL_SPARE;
	if (at > KCORE_CPU_MAX || notes > KCORE_CPU_MAX)
		return kvmi_err(kd, ENOTSUP, "%llu pieces of memory and %llu "
		    "bytes of notes: too many", (ull)h->nmemsegs, (ull)notes);
	h->exclsegs_off = (uint32_t)at;
	at += (uint64_t)h->exclsegs_cap * sizeof(kcore_exclseg_t);
	h->notes_off = (uint32_t)at;
	h->notes_size = (uint32_t)notes;
	at = BUILD_ALIGN(at + notes);
	at = (at + KCORE_SEGHDRSIZE + KCORE_ALIGN - 1) / KCORE_ALIGN *
	    KCORE_ALIGN - KCORE_SEGHDRSIZE;
	if (at > KCORE_CPU_MAX)
		return kvmi_err(kd, ENOTSUP, "a header of %llu bytes is too "
		    "large", (ull)at);
	h->cpu_size = (uint32_t)at;
	return 0;
}

/* Puts a CPU segment made of all this in force: 0, or -1 with a text. */
static int
build_make(kvm_t *kd, const struct kvmi_build *b, cpu_kcore_hdr_t *h,
    const struct kvmi_ranges *excl)
{
	const kpaddr_t first = build_first(h, &b->data);
	uint8_t *cpu;

	if (first != (h->dumpmag_paddr & ~(kpaddr_t)(KVMI_PAGE - 1)))
		h->dumpmag_paddr = first;
	h->ext_magic = KCORE_EXT_MAGIC;
	h->version = KCORE_VERSION;
	h->hdrsize = sizeof(*h);
	h->flags &= ~(uint64_t)KCORE_F_INCOMPLETE;
	h->chunk_size = KCORE_CHUNK;
	h->page_size = KVMI_PAGE;
	h->nparts = 1;
	h->nexclsegs = (uint32_t)excl->n;
	build_memsegs(kd, &b->data, first, h, NULL);
	build_counts(kd, excl, h);
	if (build_layout(kd, b, h) == -1)
		return -1;
	cpu = kvmi_spill_alloc(kd, h->cpu_size);
	if (cpu == NULL)
		return kvmi_syserr(kd, ENOMEM, "header");
	build_memsegs(kd, &b->data, first, h, (void *)(cpu + h->memsegs_off));
	build_exclsegs(kd, excl, (void *)(cpu + h->exclsegs_off));
	build_notes(b, cpu + h->notes_off);
	memcpy(cpu, h, sizeof(*h));
	kvmi_cpu_sum(kd, (void *)cpu);
	return kvmi_cpu_take(kd, cpu, h->cpu_size, h->machine) == 1 ? 0 : -1;
}

int
kvmi_build(kvm_t *kd, struct kvmi_build *b)
{
	struct kvmi_ranges excl = { .unit = 1 };
	cpu_kcore_hdr_t h = b->hdr, *own = NULL;
	int rv;

	if (kvmi_ranges_sort(kd, &b->data) == -1 ||
	    kvmi_ranges_sort(kd, &b->excl) == -1)
		return -1;
	if (b->data.n == 0)
		return kvmi_err(kd, ENOTSUP, "it has no physical memory");
	rv = build_own(kd, b, &own);
	if (rv == 1 && build_whole(kd, own, &b->data)) {
		rv = kvmi_cpu_take(kd, (uint8_t *)own, own->cpu_size,
		    own->machine);
		return rv == 1 ? 0 : -1;
	}
	if (rv == 1)
		h = *own;
	else if (rv == 0)
		rv = build_from_info(kd, b, &h);
	if (rv != -1)
		rv = build_excl(kd, b, own, &excl);
	if (rv != -1)
		rv = build_make(kd, b, &h, &excl);
	kvmi_ranges_fini(kd, &excl);
	kvmi_spill_free(kd, own);
	return rv;
}

void
kvmi_build_fini(kvm_t *kd, struct kvmi_build *b)
{
	kvmi_ranges_fini(kd, &b->data);
	kvmi_ranges_fini(kd, &b->excl);
	kvmi_spill_free(kd, b->notes);
	kvmi_spill_free(kd, b->own);
	b->notes = NULL;
	b->own = NULL;
}
