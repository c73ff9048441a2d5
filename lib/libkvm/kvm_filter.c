/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_filter.c: leaves pages out of a dump that are in it; kvm_dump_filter().
 *
 * The classes are those of makedumpfile(8)'s dump level.  What a page is used
 * for is in the kernel's memory map, the place of which kallsyms knows, and the
 * meaning of which VMCOREINFO tells.  The map may be what was corrupted: a page
 * of which nothing certain can be said stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_bytes.h"

#define FILTER_BLOCK	64u	/* struct pages read at once */
#define FILTER_CACHE	64u	/* of these blocks kept */
#define FILTER_PAGE_MAX	128u	/* bytes of a struct page */
#define FREE_ORDERS	11u	/* sizes of free blocks, up to 4 MiB */
#define COMPOUND_ORDERS	19u	/* of compound pages, up to 1 GiB */
#define IN_ALWAYS	KCORE_COUNT_DUMPED
#define PFN(pa)		((pa) / KVMI_PAGE)

/* What VMCOREINFO says. */
struct filter_info {
	uint64_t size;			/* of a struct page */
	uint64_t flags, refcount, mapcount, mapping, private, head;
	uint64_t dtor, order;		/* before 6.6; 0: no such member */
	uint64_t lru, priv, swapcache, swapbacked, head_mask;
	uint64_t poison;		/* a flag, or 0 */
	uint64_t slab;			/* a flag, before 6.10, or 0 */
	uint64_t buddy, offline, hugetlb_dtor;
	uint64_t slab_type, hugetlb_type;	/* later; 0: none */
};

struct filter_block {
	uint64_t index;			/* and one; 0: none */
	bool ok;
	uint8_t pages[FILTER_BLOCK * FILTER_PAGE_MAX];
};

struct filter {
	kvm_t *kd;
	unsigned int level;
	struct filter_info info;
	kvaddr_t map;			/* of the struct page of page 0 */
	uint64_t end;			/* pages to here are of the same use */
	unsigned int use;
	bool places;			/* data has places in CORE_DATA */
	uint64_t counts[KCORE_NCOUNTS];
	struct kvmi_build b;
	struct filter_block cache[FILTER_CACHE];
	uint8_t buf[KCORE_CHUNK];
};

/* ---- The memory map ---- */

/* Numbers of VMCOREINFO; those that not all kernels have are 0 then. */
static int
filter_info(struct filter *f)
{
	struct filter_info *i = &f->info;
	const char *text = kvmi_info_text(f->kd);
	const struct {
		const char *key;
		uint64_t *value;
		bool must;
	} keys[] = {
		{ "SIZE(page)", &i->size, true },
		{ "OFFSET(page.flags)", &i->flags, true },
		{ "OFFSET(page._refcount)", &i->refcount, true },
		{ "OFFSET(page._mapcount)", &i->mapcount, true },
		{ "OFFSET(page.mapping)", &i->mapping, true },
		{ "OFFSET(page.private)", &i->private, true },
		{ "OFFSET(page.compound_head)", &i->head, true },
		{ "OFFSET(page.compound_dtor)", &i->dtor, false },
		{ "OFFSET(page.compound_order)", &i->order, false },
		{ "NUMBER(PG_lru)", &i->lru, true },
		{ "NUMBER(PG_private)", &i->priv, true },
		{ "NUMBER(PG_swapcache)", &i->swapcache, true },
		{ "NUMBER(PG_swapbacked)", &i->swapbacked, true },
		{ "NUMBER(PG_hwpoison)", &i->poison, false },
		{ "NUMBER(PG_head_mask)", &i->head_mask, true },
		{ "NUMBER(PG_slab)", &i->slab, false },
		{ "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", &i->buddy, true },
		{ "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", &i->offline, true },
		{ "NUMBER(HUGETLB_PAGE_DTOR)", &i->hugetlb_dtor, false },
		{ "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", &i->slab_type, false },
		{ "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", &i->hugetlb_type,
		    false },
	};
	size_t k;
	int r;

	if (text == NULL)
		return -1;
	for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		r = kvmi_info_number(text, keys[k].key, 10, keys[k].value);
		if (r == -1 || (r == 0 && keys[k].must))
			return kvmi_err(f->kd, r == 0 ? ENOTSUP : EBADMSG,
			    "VMCOREINFO: %s, without which nobody knows what "
			    "pages are used for, is %s", keys[k].key,
			    r == 0 ? "not there" : "not a number");
	}
	if (i->size < 48 || i->size > FILTER_PAGE_MAX || i->flags > i->size -
	    8 || i->refcount > i->size - 4 || i->mapcount > i->size - 4 ||
	    i->mapping > i->size - 8 || i->private > i->size - 8 ||
	    i->head > i->size - 8 || i->dtor >= i->size ||
	    i->order >= i->size || i->lru > 63 || i->priv > 63 ||
	    i->swapcache > 63 || i->swapbacked > 63 || i->poison > 63 ||
	    i->slab > 63)
		return kvmi_err(f->kd, EBADMSG, "VMCOREINFO: a struct page of "
		    "%llu bytes that makes no sense",
		    (unsigned long long)i->size);
	return 0;
}

/* Where the memory map is. */
static int
filter_map(struct filter *f)
{
	struct nlist nl[] = { { .n_name = "vmemmap_base" }, { .n_name = NULL } };

	if (kvm_nlist(f->kd, nl) == 0 && kvm_read(f->kd, nl[0].n_value,
	    &f->map, sizeof(f->map)) == (ssize_t)sizeof(f->map) && f->map != 0)
		return 0;
	return kvmi_err(f->kd, ENOTSUP, "vmemmap_base, which says where the "
	    "memory map is, is not in the dump");
}

/* The struct page of a page, until the next call but many; NULL: not known. */
static const uint8_t *
page_of(struct filter *f, uint64_t pfn)
{
	const uint64_t index = pfn / FILTER_BLOCK;
	const size_t len = FILTER_BLOCK * (size_t)f->info.size;
	struct filter_block *b = &f->cache[index % FILTER_CACHE];

	if (pfn > UINT64_MAX / KVMI_PAGE)
		return NULL;
	if (b->index != index + 1) {
		b->index = index + 1;
		b->ok = kvm_read(f->kd, f->map + index * len, b->pages, len) ==
		    (ssize_t)len;
	}
	return b->ok ? b->pages + pfn % FILTER_BLOCK * f->info.size : NULL;
}

static uint64_t
page_long(const uint8_t *page, uint64_t off)
{
	uint64_t v;

	memcpy(&v, page + off, sizeof(v));
	return v;
}

static uint32_t
page_int(const uint8_t *page, uint64_t off)
{
	uint32_t v;

	memcpy(&v, page + off, sizeof(v));
	return v;
}

static bool
page_flag(const struct filter *f, const uint8_t *page, uint64_t bit)
{
	return (page_long(page, f->info.flags) >> bit & 1) != 0;
}

/* Is _mapcount this mark?  Since 6.11 only its highest byte is. */
static bool
page_type_is(const struct filter *f, const uint8_t *page, uint64_t type)
{
	const uint32_t have = page_int(page, f->info.mapcount);
	const uint32_t want = (uint32_t)type;

	return type != 0 && ((want & 0xffffff) != 0 ? have == want :
	    (have ^ want) >> 24 == 0);
}

static bool
page_is_head(const struct filter *f, const uint8_t *page)
{
	return (page_long(page, f->info.flags) & f->info.head_mask) ==
	    f->info.head_mask;
}

/* The order of the compound page that begins at pfn, or COMPOUND_ORDERS. */
static unsigned int
page_order(struct filter *f, uint64_t pfn)
{
	const uint8_t *tail = page_of(f, pfn + 1);
	unsigned int order;

	if (tail == NULL)
		return COMPOUND_ORDERS;
	order = f->info.order != 0 ? tail[f->info.order] :
	    (unsigned int)page_long(tail, f->info.flags) & 0xff;
	return order < COMPOUND_ORDERS &&
	    (pfn & ((1ull << order) - 1)) == 0 ? order : COMPOUND_ORDERS;
}

static bool
page_is_hugetlb(struct filter *f, uint64_t pfn, const uint8_t *page)
{
	const uint8_t *tail;

	if (f->info.dtor == 0 || f->info.hugetlb_dtor == 0)
		return page_type_is(f, page, f->info.hugetlb_type);
	tail = page_is_head(f, page) ? page_of(f, pfn + 1) : NULL;
	return tail != NULL && tail[f->info.dtor] == f->info.hugetlb_dtor;
}

/* ---- What a page is used for ---- */

/* The head of the compound page that pfn is part of, or pfn; false: the memory
 * map contradicts itself. */
static bool
filter_head(struct filter *f, uint64_t pfn, uint64_t *head)
{
	const uint8_t *page = page_of(f, pfn);
	uint64_t va;
	unsigned int order;

	*head = pfn;
	if (page == NULL)
		return false;
	va = page_long(page, f->info.head);
	if ((va & 1) == 0)
		return true;
	va = va - 1 - f->map;
	*head = va / f->info.size;
	if (va % f->info.size != 0 || *head >= pfn ||
	    pfn - *head >= 1ull << (COMPOUND_ORDERS - 1))
		return false;
	page = page_of(f, *head);
	if (page == NULL || !page_is_head(f, page))
		return false;
	order = page_order(f, *head);
	return order < COMPOUND_ORDERS && pfn - *head < 1ull << order;
}

/* In a free block only the first page says so.  Sets the block's end. */
static bool
filter_free(struct filter *f, uint64_t pfn, uint64_t *end)
{
	const uint8_t *page;
	uint64_t first, order;
	unsigned int i;

	for (i = 0; i < FREE_ORDERS; i++) {
		first = pfn & ~((1ull << i) - 1);
		page = page_of(f, first);
		if (page == NULL || !page_type_is(f, page, f->info.buddy))
			continue;
		order = page_long(page, f->info.private);
		if (order >= FREE_ORDERS)
			continue;
		if ((first & ((1ull << order) - 1)) != 0 ||
		    pfn - first >= 1ull << order)
			return false;
		*end = first + (1ull << order);
		return true;
	}
	return false;
}

/* A page in use, or the compound page that it heads. */
static unsigned int
filter_head_use(struct filter *f, uint64_t pfn, const uint8_t *page)
{
	const struct filter_info *i = &f->info;
	const bool slab = (i->slab != 0 && page_flag(f, page, i->slab)) ||
	    page_type_is(f, page, i->slab_type);
	const bool anon = !slab && (page_long(page, i->mapping) & 1) != 0;

	if (slab)
		return IN_ALWAYS;
	if (!anon && (page_flag(f, page, i->lru) ||
	    (page_flag(f, page, i->swapbacked) &&
	    page_flag(f, page, i->swapcache))))
		return page_flag(f, page, i->priv) ?
		    KCORE_COUNT_CACHE_PRIVATE : KCORE_COUNT_CACHE;
	return anon || page_is_hugetlb(f, pfn, page) ? KCORE_COUNT_USER :
	    IN_ALWAYS;
}

/* The KCORE_COUNT_* of a page, and of those up to *end. */
static unsigned int
filter_use(struct filter *f, uint64_t pfn, uint64_t *end)
{
	const uint8_t *page = page_of(f, pfn);
	unsigned int order, use;
	uint64_t head;

	*end = pfn + 1;
	if (page == NULL)
		return IN_ALWAYS;
	if ((f->info.poison != 0 && page_flag(f, page, f->info.poison)) ||
	    page_type_is(f, page, f->info.offline))
		return KCORE_COUNT_OTHER;
	if (page_int(page, f->info.refcount) == 0 && filter_free(f, pfn, end))
		return KCORE_COUNT_FREE;
	if (!filter_head(f, pfn, &head))
		return IN_ALWAYS;
	page = page_of(f, head);
	if (page == NULL)
		return IN_ALWAYS;
	use = filter_head_use(f, head, page);
	if (page_is_head(f, page) &&
	    (order = page_order(f, head)) < COMPOUND_ORDERS)
		*end = head + (1ull << order);
	return use;
}

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

/* Pages of a class that stays: at most a chunk of them. */
static int
filter_zeros(struct filter *f, kpaddr_t pa, uint64_t len, uint64_t off)
{
	uint64_t at;
	int r = 0;

	if ((f->level & KCORE_LEVEL_ZERO) == 0 ||
	    f->kd->fmt->read(f->kd, f->buf, (size_t)len, off) == -1)
		return filter_keep(f, pa, len / KVMI_PAGE, off);
	for (at = 0; r == 0 && at < len; at += KVMI_PAGE)
		r = kvmi_zero(f->buf + at, KVMI_PAGE) ?
		    filter_drop(f, pa + at, 1, KCORE_EXCL_ZERO,
		    KCORE_COUNT_ZERO) : filter_keep(f, pa + at, 1, off + at);
	return r;
}

/* Pages that are in the dump as they were: at most a chunk of them. */
static int
filter_pages(struct filter *f, kpaddr_t pa, uint64_t len, uint64_t off)
{
	uint64_t at, n;
	int r = 0;

	for (at = 0; r == 0 && at < len; at += n) {
		if (PFN(pa + at) >= f->end)
			f->use = filter_use(f, PFN(pa + at), &f->end);
		n = (f->end - PFN(pa + at)) * KVMI_PAGE;
		n = n < len - at ? n : len - at;
		r = filter_leaves_out(f->use, f->level) ?
		    filter_drop(f, pa + at, n / KVMI_PAGE,
		    KCORE_EXCL_FILTERED, f->use) :
		    filter_zeros(f, pa + at, n, off + at);
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
		return kvmi_syserr(kd, ENOMEM, "memory map");
	f->kd = kd;
	f->level = level;
	f->places = kd->where.n == 0;
	f->b.data.unit = f->b.excl.unit = 1;
	f->b.known = true;
	/* Each piece is read once: a map would only fill up with them. */
	atomic_store(&kd->small.off, true);
	r = filter_info(f);
	if (r == 0)
		r = filter_map(f);
	if (r == 0)
		r = filter_all(f);
	if (r == 0)
		r = filter_notes(f);
	if (r == 0)
		r = filter_take(f);
	kvmi_build_fini(kd, &f->b);
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
