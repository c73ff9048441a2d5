/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_pageuse.c: what a page of memory was used for.
 *
 * That is in the kernel's memory map, the place and the meaning of which
 * VMCOREINFO tells.  The map may be what was corrupted: a page of which nothing
 * certain can be said is the kernel's.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_header.h"

#define PAGEUSE_BLOCK	64u	/* struct pages read at once */
#define PAGEUSE_CACHE	64u	/* of these blocks kept */
#define PAGEUSE_PAGE_MAX 128u	/* bytes of a struct page */
#define FREE_ORDERS	11u	/* sizes of free blocks, up to 4 MiB */
#define COMPOUND_ORDERS	19u	/* of compound pages, up to 1 GiB */
#define SECTION_TABLES	(1u << 18)	/* at most: for 2^52 bytes */
#define SECTION_HAS_MAP	2u	/* in section_mem_map */
#define SECTION_FLAGS	0xfffu	/* all that may be there */
#define AT(member)	offsetof(struct page_info, member)

/* What VMCOREINFO says. */
struct page_info {
	/* Sections of memory: an array of tables of them, each a page. */
	uint64_t tables, ntables, section_size, section_map;
	uint64_t size;			/* of a struct page */
	uint64_t flags, refcount, mapcount, mapping, private, head;
	uint64_t dtor, order;		/* before 6.6; 0: no such member */
	uint64_t lru, priv, swapcache, swapbacked, head_mask;
	uint64_t poison;		/* a flag, or 0 */
	uint64_t slab;			/* a flag, before 6.10, or 0 */
	uint64_t buddy, offline, hugetlb_dtor;
	uint64_t slab_type, hugetlb_type;	/* later; 0: none */
};

struct pageuse_block {
	uint64_t index;			/* and one; 0: none */
	bool ok;
	uint8_t pages[PAGEUSE_BLOCK * PAGEUSE_PAGE_MAX];
};

struct kvmi_pageuse {
	kvm_t *kd;
	struct page_info info;
	kvaddr_t map;			/* of the struct page of page 0 */
	struct pageuse_block cache[PAGEUSE_CACHE];
};

/* ---- The memory map ---- */

/* Numbers of VMCOREINFO; those that not all kernels have are 0 then. */
static const struct {
	const char *key;
	size_t at;		/* in struct page_info */
	bool must;
} page_keys[] = {
	{ "SYMBOL(mem_section)", AT(tables), true },
	{ "LENGTH(mem_section)", AT(ntables), true },
	{ "SIZE(mem_section)", AT(section_size), true },
	{ "OFFSET(mem_section.section_mem_map)", AT(section_map), true },
	{ "SIZE(page)", AT(size), true },
	{ "OFFSET(page.flags)", AT(flags), true },
	{ "OFFSET(page._refcount)", AT(refcount), true },
	{ "OFFSET(page._mapcount)", AT(mapcount), true },
	{ "OFFSET(page.mapping)", AT(mapping), true },
	{ "OFFSET(page.private)", AT(private), true },
	{ "OFFSET(page.compound_info)", AT(head), false },
	{ "OFFSET(page.compound_head)", AT(head), false },
	{ "OFFSET(page.compound_dtor)", AT(dtor), false },
	{ "OFFSET(page.compound_order)", AT(order), false },
	{ "NUMBER(PG_lru)", AT(lru), true },
	{ "NUMBER(PG_private)", AT(priv), true },
	{ "NUMBER(PG_swapcache)", AT(swapcache), true },
	{ "NUMBER(PG_swapbacked)", AT(swapbacked), true },
	{ "NUMBER(PG_hwpoison)", AT(poison), false },
	{ "NUMBER(PG_head_mask)", AT(head_mask), true },
	{ "NUMBER(PG_slab)", AT(slab), false },
	{ "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", AT(buddy), true },
	{ "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", AT(offline), true },
	{ "NUMBER(HUGETLB_PAGE_DTOR)", AT(hugetlb_dtor), false },
	{ "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", AT(slab_type), false },
	{ "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", AT(hugetlb_type), false },
};

static int
page_info_load(struct kvmi_pageuse *u)
{
	const char *text = kvmi_info_text(u->kd);
	uint64_t *value;
	size_t k;
	int r;

	if (text == NULL)
		return -1;
	for (k = 0; k < sizeof(page_keys) / sizeof(page_keys[0]); k++) {
		value = (uint64_t *)(void *)((uint8_t *)&u->info +
		    page_keys[k].at);
		r = kvmi_info_number(text, page_keys[k].key,
		    page_keys[k].at == AT(tables) ? 16 : 10, value);
		if (r == -1 || (r == 0 && page_keys[k].must))
			return kvmi_err(u->kd, r == 0 ? ENOTSUP : EBADMSG,
			    "VMCOREINFO: %s, without which nobody knows what "
			    "pages are used for, is %s", page_keys[k].key,
			    r == 0 ? "not there" : "not a number");
	}
	return u->info.head != 0 ? 0 : kvmi_err(u->kd, ENOTSUP,
	    "VMCOREINFO: OFFSET(page.compound_head) and compound_info, without "
	    "one of which nobody knows what pages belong together, are not "
	    "there");
}

/* Do the numbers stay inside a struct page? */
static int
page_info_check(const struct kvmi_pageuse *u)
{
	const struct page_info *i = &u->info;

	if (i->size >= 48 && i->size <= PAGEUSE_PAGE_MAX &&
	    i->flags <= i->size - 8 && i->refcount <= i->size - 4 &&
	    i->mapcount <= i->size - 4 && i->mapping <= i->size - 8 &&
	    i->private <= i->size - 8 && i->head <= i->size - 8 &&
	    i->dtor < i->size && i->order < i->size && i->lru <= 63 &&
	    i->priv <= 63 && i->swapcache <= 63 && i->swapbacked <= 63 &&
	    i->poison <= 63 && i->slab <= 63)
		return 0;
	return kvmi_err(u->kd, EBADMSG, "VMCOREINFO: a struct page of %llu "
	    "bytes that makes no sense", (unsigned long long)i->size);
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

/* A table of sections.  All that have a map say where that of page 0 is. */
static int
pageuse_sections(struct kvmi_pageuse *u, kvaddr_t table)
{
	const struct page_info *i = &u->info;
	uint8_t buf[KVMI_PAGE];
	uint64_t at, map;

	if (kvmi_read(u->kd, table, buf, sizeof(buf)) == -1)
		return kvmi_prepend(u->kd, "sections of memory");
	for (at = 0; sizeof(buf) - at >= i->section_size;
	    at += i->section_size) {
		map = page_long(buf, at + i->section_map);
		if ((map & SECTION_HAS_MAP) == 0)
			continue;
		map &= ~(uint64_t)SECTION_FLAGS;
		if (u->map != 0 && u->map != map)
			return kvmi_err(u->kd, ENOTSUP, "sections of memory: "
			    "the memory map is at 0x%llx, and at 0x%llx",
			    (unsigned long long)u->map,
			    (unsigned long long)map);
		u->map = map;
	}
	return 0;
}

/* Do the numbers stay inside a table? */
static int
section_info_check(const struct kvmi_pageuse *u)
{
	const struct page_info *i = &u->info;

	if (i->ntables <= SECTION_TABLES && i->section_size >= 8 &&
	    i->section_size <= KVMI_PAGE &&
	    i->section_map <= i->section_size - 8)
		return 0;
	return kvmi_err(u->kd, EBADMSG, "VMCOREINFO: %llu tables of sections "
	    "of %llu bytes, which makes no sense",
	    (unsigned long long)i->ntables,
	    (unsigned long long)i->section_size);
}

/* Where the memory map is. */
static int
pageuse_map(struct kvmi_pageuse *u)
{
	const struct page_info *i = &u->info;
	uint64_t tables[KVMI_PAGE / 8], k, n, at;

	if (section_info_check(u) == -1)
		return -1;
	for (k = 0; k < i->ntables; k += n) {
		n = i->ntables - k;
		n = n < sizeof(tables) / 8 ? n : sizeof(tables) / 8;
		if (kvmi_read(u->kd, i->tables + k * 8, tables, n * 8) == -1)
			return kvmi_prepend(u->kd, "sections of memory");
		for (at = 0; at < n; at++)
			if (tables[at] != 0 &&
			    pageuse_sections(u, tables[at]) == -1)
				return -1;
	}
	return u->map != 0 ? 0 : kvmi_err(u->kd, ENOTSUP, "sections of memory: "
	    "none has a memory map");
}

/* The struct page of a page, until the next call but many; NULL: not known. */
static const uint8_t *
page_of(struct kvmi_pageuse *u, uint64_t pfn)
{
	const uint64_t index = pfn / PAGEUSE_BLOCK;
	const size_t len = PAGEUSE_BLOCK * (size_t)u->info.size;
	struct pageuse_block *b = &u->cache[index % PAGEUSE_CACHE];

	if (pfn > UINT64_MAX / KVMI_PAGE)
		return NULL;
	if (b->index != index + 1) {
		b->index = index + 1;
		b->ok = kvmi_read(u->kd, u->map + index * len, b->pages, len) ==
		    0;
	}
	return b->ok ? b->pages + pfn % PAGEUSE_BLOCK * u->info.size : NULL;
}

static bool
page_flag(const struct kvmi_pageuse *u, const uint8_t *page, uint64_t bit)
{
	return (page_long(page, u->info.flags) >> bit & 1) != 0;
}

/* Is _mapcount this mark?  Since 6.11 only its highest byte is. */
static bool
page_type_is(const struct kvmi_pageuse *u, const uint8_t *page, uint64_t type)
{
	const uint32_t have = page_int(page, u->info.mapcount);
	const uint32_t want = (uint32_t)type;

	return type != 0 && ((want & 0xffffff) != 0 ? have == want :
	    (have ^ want) >> 24 == 0);
}

static bool
page_is_head(const struct kvmi_pageuse *u, const uint8_t *page)
{
	return (page_long(page, u->info.flags) & u->info.head_mask) ==
	    u->info.head_mask;
}

/* The order of the compound page that begins at pfn, or COMPOUND_ORDERS. */
static unsigned int
page_order(struct kvmi_pageuse *u, uint64_t pfn)
{
	const uint8_t *tail = page_of(u, pfn + 1);
	unsigned int order;

	if (tail == NULL)
		return COMPOUND_ORDERS;
	order = u->info.order != 0 ? tail[u->info.order] :
	    (unsigned int)page_long(tail, u->info.flags) & 0xff;
	return order < COMPOUND_ORDERS &&
	    (pfn & ((1ull << order) - 1)) == 0 ? order : COMPOUND_ORDERS;
}

static bool
page_is_hugetlb(struct kvmi_pageuse *u, uint64_t pfn, const uint8_t *page)
{
	const uint8_t *tail;

	if (u->info.dtor == 0 || u->info.hugetlb_dtor == 0)
		return page_type_is(u, page, u->info.hugetlb_type);
	tail = page_is_head(u, page) ? page_of(u, pfn + 1) : NULL;
	return tail != NULL && tail[u->info.dtor] == u->info.hugetlb_dtor;
}

/* ---- What a page is used for ---- */

/*
 * Where the struct page of the head is, as the one of a tail at va says: its
 * address or, with CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP of Linux 7.2, a mask
 * that makes it of va.  No memory map is so near to the end of the address space
 * that it could be both.
 */
static uint64_t
pageuse_head_va(const struct kvmi_pageuse *u, uint64_t va, uint64_t said)
{
	return said >= -(u->info.size << COMPOUND_ORDERS) ? va & said : said;
}

/* The head of the compound page that pfn is part of, or pfn; false: the memory
 * map contradicts itself. */
static bool
pageuse_head(struct kvmi_pageuse *u, uint64_t pfn, uint64_t *head)
{
	const uint8_t *page = page_of(u, pfn);
	uint64_t va;
	unsigned int order;

	*head = pfn;
	if (page == NULL)
		return false;
	va = page_long(page, u->info.head);
	if ((va & 1) == 0)
		return true;
	va = pageuse_head_va(u, u->map + pfn * u->info.size, va - 1) - u->map;
	*head = va / u->info.size;
	if (va % u->info.size != 0 || *head >= pfn ||
	    pfn - *head >= 1ull << (COMPOUND_ORDERS - 1))
		return false;
	page = page_of(u, *head);
	if (page == NULL || !page_is_head(u, page))
		return false;
	order = page_order(u, *head);
	return order < COMPOUND_ORDERS && pfn - *head < 1ull << order;
}

/* In a free block only the first page says so.  Sets the block's end. */
static bool
pageuse_free(struct kvmi_pageuse *u, uint64_t pfn, uint64_t *end)
{
	const uint8_t *page;
	uint64_t first, order;
	unsigned int i;

	for (i = 0; i < FREE_ORDERS; i++) {
		first = pfn & ~((1ull << i) - 1);
		page = page_of(u, first);
		if (page == NULL || !page_type_is(u, page, u->info.buddy))
			continue;
		order = page_long(page, u->info.private);
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
pageuse_of_head(struct kvmi_pageuse *u, uint64_t pfn, const uint8_t *page)
{
	const struct page_info *i = &u->info;
	const bool slab = (i->slab != 0 && page_flag(u, page, i->slab)) ||
	    page_type_is(u, page, i->slab_type);
	const bool anon = !slab && (page_long(page, i->mapping) & 1) != 0;

	if (slab)
		return KCORE_COUNT_DUMPED;
	if (!anon && (page_flag(u, page, i->lru) ||
	    (page_flag(u, page, i->swapbacked) &&
	    page_flag(u, page, i->swapcache))))
		return page_flag(u, page, i->priv) ?
		    KCORE_COUNT_CACHE_PRIVATE : KCORE_COUNT_CACHE;
	return anon || page_is_hugetlb(u, pfn, page) ? KCORE_COUNT_USER :
	    KCORE_COUNT_DUMPED;
}

unsigned int
kvmi_pageuse(struct kvmi_pageuse *u, uint64_t pfn, uint64_t *end)
{
	const uint8_t *page = page_of(u, pfn);
	unsigned int order, use;
	uint64_t head;

	*end = pfn + 1;
	if (page == NULL)
		return KCORE_COUNT_DUMPED;
	if ((u->info.poison != 0 && page_flag(u, page, u->info.poison)) ||
	    page_type_is(u, page, u->info.offline))
		return KCORE_COUNT_OTHER;
	if (page_int(page, u->info.refcount) == 0 && pageuse_free(u, pfn, end))
		return KCORE_COUNT_FREE;
	if (!pageuse_head(u, pfn, &head))
		return KCORE_COUNT_DUMPED;
	page = page_of(u, head);
	if (page == NULL)
		return KCORE_COUNT_DUMPED;
	use = pageuse_of_head(u, head, page);
	if (page_is_head(u, page) &&
	    (order = page_order(u, head)) < COMPOUND_ORDERS)
		*end = head + (1ull << order);
	return use;
}

struct kvmi_pageuse *
kvmi_pageuse_create(kvm_t *kd)
{
	struct kvmi_pageuse *u = calloc(1, sizeof(*u));

	if (u == NULL) {
		kvmi_syserr(kd, ENOMEM, "memory map");
		return NULL;
	}
	u->kd = kd;
	if (page_info_load(u) == 0 && page_info_check(u) == 0 &&
	    pageuse_map(u) == 0)
		return u;
	free(u);
	return NULL;
}

void
kvmi_pageuse_destroy(struct kvmi_pageuse *u)
{
	free(u);
}
