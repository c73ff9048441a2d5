/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_filter.c: leaves pages out of a dump that are in it; kvm_dump_filter().
 *
 * The classes are those of makedumpfile(8)'s dump level.  Which of them a page is
 * of, kvm_pageuse.c knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_bytes.h"
#include "kvm_header.h"

#define PFN(pa)		((pa) / KVMI_PAGE)

struct filter {
	kvm_t *kd;
	unsigned int level;
	struct kvmi_pageuse *pages;
	uint64_t end;			/* pages to here are of the same use */
	unsigned int use;
	bool places;			/* data has places in CORE_DATA */
	uint64_t counts[KCORE_NCOUNTS];
	struct kvmi_build b;
	uint8_t buf[KCORE_CHUNK];
};

static bool
filter_leaves_out(unsigned int use, unsigned int level)
{
	switch (use) {
	case KCORE_COUNT_CACHE:
		return (level & (KCORE_LEVEL_CACHE |
		    KCORE_LEVEL_CACHE_PRIVATE)) != 0;
	case KCORE_COUNT_CACHE_PRIVATE:
		return (level & KCORE_LEVEL_CACHE_PRIVATE) != 0;
	case KCORE_COUNT_USER:
		return (level & KCORE_LEVEL_USER) != 0;
	case KCORE_COUNT_FREE:
		return (level & KCORE_LEVEL_FREE) != 0;
	default:
		return use == KCORE_COUNT_OTHER;
	}
}

/* ---- The new list of memory ---- */

/* n pages from pa on, at off in CORE_DATA, stay. */
static int
filter_keep(struct filter *f, kpaddr_t pa, uint64_t n, uint64_t off)
{
	return kvmi_ranges_add(f->kd, &f->b.data, (struct kvmi_range){ pa,
	    pa + n * KVMI_PAGE, f->places ? off : pa, KVMI_MEM_DATA });
}

/* They do not. */
static int
filter_drop(struct filter *f, kpaddr_t pa, uint64_t n, unsigned int kind,
    unsigned int count)
{
	f->counts[count] += n;
	return kvmi_ranges_add(f->kd, &f->b.excl, (struct kvmi_range){ pa,
	    pa + n * KVMI_PAGE, 0, kind });
}

/* Pages that stay unless they are zeros. */
static int
filter_zeros_of(struct filter *f, const uint8_t *page, kpaddr_t pa,
    uint64_t len, uint64_t off)
{
	uint64_t at;
	int r = 0;

	for (at = 0; r == 0 && at < len; at += KVMI_PAGE)
		r = kvmi_zero(page + at, KVMI_PAGE) ?
		    filter_drop(f, pa + at, 1, KCORE_EXCL_ZERO,
		    KCORE_COUNT_ZERO) : filter_keep(f, pa + at, 1, off + at);
	return r;
}

/* Pages of the dump: *len bytes, at most a chunk, or fewer; NULL: they can't be
 * read. */
static const uint8_t *
filter_look(struct filter *f, uint64_t *len, uint64_t off)
{
	const struct kvmi_format *fmt = f->kd->fmt;
	size_t n = (size_t)*len;
	const uint8_t *p = fmt->look != NULL ? fmt->look(f->kd, &n, off) :
	    NULL;

	if (p != NULL && n >= KVMI_PAGE) {
		*len = n / KVMI_PAGE * KVMI_PAGE;
		return p;
	}
	if (p != NULL)
		*len = KVMI_PAGE;
	return fmt->read(f->kd, f->buf, (size_t)*len, off) == 0 ? f->buf :
	    NULL;
}

/* Pages of a class that stays: at most a chunk of them. */
static int
filter_zeros(struct filter *f, kpaddr_t pa, uint64_t len, uint64_t off)
{
	const uint8_t *page;
	uint64_t at, n;
	int r = 0;

	/* Not again, where the dump lacks them already. */
	if ((f->level & ~f->kd->hdr->dump_level & KCORE_LEVEL_ZERO) == 0)
		return filter_keep(f, pa, len / KVMI_PAGE, off);
	for (at = 0; r == 0 && at < len; at += n) {
		n = len - at;
		page = filter_look(f, &n, off + at);
		if (page == NULL)
			r = filter_keep(f, pa + at, n / KVMI_PAGE, off + at);
		else
			r = filter_zeros_of(f, page, pa + at, n, off + at);
	}
	return r;
}

/* Bytes from pa on, at most len, that are of one use, which is in f->use. */
static uint64_t
filter_alike(struct filter *f, kpaddr_t pa, uint64_t len)
{
	uint64_t n;

	if (PFN(pa) >= f->end)
		f->use = kvmi_pageuse(f->pages, PFN(pa), &f->end);
	n = (f->end - PFN(pa)) * KVMI_PAGE;
	return n < len ? n : len;
}

/* The same of those that stay, whatever their use is; 0: it does not. */
static uint64_t
filter_staying(struct filter *f, kpaddr_t pa, uint64_t len)
{
	uint64_t at, n;

	for (at = 0; at < len; at += n) {
		n = filter_alike(f, pa + at, len - at);
		if (filter_leaves_out(f->use, f->level))
			break;
	}
	return at;
}

/* Pages that are in the dump as they were: at most a chunk of them. */
static int
filter_pages(struct filter *f, kpaddr_t pa, uint64_t len, uint64_t off)
{
	uint64_t at, n;
	int r = 0;

	for (at = 0; r == 0 && at < len; at += n) {
		n = filter_staying(f, pa + at, len - at);
		if (n > 0) {
			r = filter_zeros(f, pa + at, n, off + at);
			continue;
		}
		n = filter_alike(f, pa + at, len - at);
		r = filter_drop(f, pa + at, n / KVMI_PAGE, KCORE_EXCL_FILTERED,
		    f->use);
	}
	return r;
}

/* A run of memory that is in CORE_DATA from off on. */
static int
filter_run(struct filter *f, const phys_ram_seg_t *seg, uint64_t off)
{
	struct kvmi_place p;
	uint64_t at, n;
	int r = 0;

	f->end = 0;
	for (at = 0; r == 0 && at < seg->size; at += n) {
		kvmi_runs_find(&f->kd->runs, seg->start + at, &p);
		n = p.len < seg->size - at ? p.len : seg->size - at;
		n = n < KCORE_CHUNK ? n : KCORE_CHUNK;
		if (p.kind == KVMI_MEM_DATA && n % KVMI_PAGE == 0)
			r = filter_pages(f, seg->start + at, n, off + at);
		else if (p.kind != KCORE_EXCL_MISSING)
			r = filter_keep(f, seg->start + at,
			    (n + KVMI_PAGE - 1) / KVMI_PAGE, off + at);
	}
	return r;
}

/* All of them.  The first page, which has dumpmag, stays in any case. */
static int
filter_all(struct filter *f)
{
	const struct kvmi_runs *runs = &f->kd->runs;
	uint64_t off = 0;
	size_t i;

	for (i = 0; i < runs->nsegs; i++) {
		if ((i == 0 ? filter_keep(f, runs->segs[0].start,
		    runs->segs[0].size / KVMI_PAGE, 0) :
		    filter_run(f, &runs->segs[i], off)) == -1)
			return -1;
		off += runs->segs[i].size;
	}
	return 0;
}

/* ---- The new header ---- */

/* Its notes. */
static int
filter_notes(struct filter *f)
{
	const cpu_kcore_hdr_t *h = f->kd->hdr;

	f->b.notes_size = h->notes_size;
	f->b.notes = kvmi_spill_alloc(f->kd, f->b.notes_size + 1);
	if (f->b.notes == NULL)
		return kvmi_syserr(f->kd, ENOMEM, "notes");
	kvmi_spill_copy(f->kd, f->b.notes, (const uint8_t *)h + h->notes_off,
	    f->b.notes_size);
	return 0;
}

/* Puts it in force. */
static int
filter_take(struct filter *f)
{
	kvm_t *kd = f->kd;
	const uint64_t base = kd->data_base;
	struct kvmi_ranges where = kd->where;
	size_t i;

	/* What the header that was in force says of the rest is said again. */
	f->b.own = kd->hdr;
	kd->cpu = NULL;
	memset(&kd->where, 0, sizeof(kd->where));
	kvmi_cpu_drop(kd);
	kd->data_base = base;
	if (kvmi_build(kd, &f->b) == -1) {
		kvmi_ranges_fini(kd, &where);
		return -1;
	}
	if (f->places) {
		where = f->b.data;
		memset(&f->b.data, 0, sizeof(f->b.data));
	}
	kd->where = where;
	for (i = 0; i < KCORE_NCOUNTS; i++)
		kd->hdr->counts[i] += f->counts[i];
	kd->hdr->dump_level |= f->level;
	kvmi_cpu_changed(kd);
	return 0;
}

static int
filter(kvm_t *kd, unsigned int level)
{
	struct filter *f;
	int r;

	if (kvmi_need_header(kd) == -1)
		return -1;
	if (level > KCORE_LEVEL_MAX)
		return kvmi_err(kd, EINVAL, "dump level %u: they go from 0 to "
		    "%u", level, KCORE_LEVEL_MAX);
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return kvmi_syserr(kd, ENOMEM, "dump level");
	f->kd = kd;
	f->level = level;
	f->places = kd->where.n == 0;
	f->b.data.unit = f->b.excl.unit = 1;
	f->b.known = true;
	/* Each piece is read once: a map would only fill up with them. */
	atomic_store(&kd->small.off, true);
	f->pages = kvmi_pageuse_create(kd);
	r = f->pages != NULL ? filter_all(f) : -1;
	if (r == 0)
		r = filter_notes(f);
	if (r == 0)
		r = filter_take(f);
	kvmi_build_fini(kd, &f->b);
	kvmi_pageuse_destroy(f->pages);
	free(f);
	return r;
}

int
kvm_dump_filter(kvm_t *kd, unsigned int level)
{
	if (filter(kd, level) == 0)
		return 0;
	kvmi_report(kd);
	return -1;
}
