/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_test.c: which pages kvm_dump_filter(3) leaves out, by what the memory
 * map says of them in the words of three kernels.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/kcore.h>

#include "guest.h"

#define NPAGES	64u			/* that the map tells of */
#define OTHERS	(KCORE_LEVEL_CACHE_PRIVATE | KCORE_LEVEL_USER | \
		    KCORE_LEVEL_FREE)

/* How a kernel notes what belongs together, and what a page is. */
enum form { LINUX_6_1, LINUX_6_12, LINUX_7_2, NFORMS };

/* Bits of flags, the same in all of them here. */
#define F_LRU		(1ull << 5)
#define F_HEAD		(1ull << 6)
#define F_SLAB		(1ull << 9)
#define F_SWAPCACHE	(1ull << 10)
#define F_PRIVATE	(1ull << 14)
#define F_SWAPBACKED	(1ull << 17)
#define F_POISON	(1ull << 21)

struct page {
	uint64_t flags;
	uint64_t head;		/* of a tail; with bit 0 */
	uint64_t lru;
	uint64_t mapping;
	uint64_t index;
	uint64_t private;
	uint32_t mapcount;
	uint32_t refcount;
	uint64_t cgroup;
};
_Static_assert(sizeof(struct page) == 64, "as large as the kernel's");

static struct page pages[NPAGES];
static struct guest guest;

/* What _mapcount has in place of a number. */
enum type { BUDDY, OFFLINE, SLAB, HUGETLB };

static uint32_t
type_of(enum form form, enum type type)
{
	static const uint32_t since_6_12[] = { 0xf0000000, 0xf1000000,
	    0xf5000000, 0xf4000000 };
	static const uint32_t before[] = { 0xffffff7f, 0xfffffeff };

	return form == LINUX_6_1 ? before[type] : since_6_12[type];
}

/* Pages that belong together: head is pages[first]. */
static void
compound(enum form form, uint64_t map, unsigned int first, unsigned int order)
{
	unsigned int i;

	pages[first].flags |= F_HEAD;
	for (i = 1; i < 1u << order; i++)
		pages[first + i].head = form == LINUX_7_2 ?
		    (UINT64_MAX << order) * sizeof(struct page) + 1 :
		    map + first * sizeof(struct page) + 1;
	if (form == LINUX_6_1)
		pages[first + 1].mapping = (uint64_t)order << 8;
	else
		pages[first + 1].flags = order;
}

static void
make_slab(enum form form, unsigned int pfn)
{
	pages[pfn].mapping = 0x1001;	/* something else's bits */
	if (form == LINUX_6_1)
		pages[pfn].flags |= F_SLAB;
	else
		pages[pfn].mapcount = type_of(form, SLAB) | 0x1234;
}

static void
make_pages(enum form form, uint64_t map)
{
	unsigned int i;

	memset(pages, 0, sizeof(pages));
	for (i = 0; i < NPAGES; i++) {
		pages[i].refcount = 1;
		pages[i].mapcount = UINT32_MAX;
	}
	make_slab(form, 16);
	pages[17] = (struct page){ .flags = F_LRU, .mapping = 0x2001 };
	pages[18].flags = F_LRU;
	pages[19].flags = F_LRU | F_PRIVATE;
	pages[20].flags = F_SWAPBACKED | F_SWAPCACHE;
	for (i = 24; i < 32; i++)
		pages[i].refcount = 0;
	pages[24].mapcount = type_of(form, BUDDY);
	pages[24].private = 3;
	pages[32] = (struct page){ .flags = F_LRU, .mapping = 0x3001 };
	compound(form, map, 32, 3);
	make_slab(form, 40);
	compound(form, map, 40, 2);
	compound(form, map, 44, 2);
	if (form == LINUX_6_1)
		pages[45].mapping |= 2;
	else
		pages[44].mapcount = type_of(form, HUGETLB);
	pages[48].flags = F_POISON;
	pages[49].mapcount = type_of(form, OFFLINE);
	/* Of this one the map is damaged: the head says it is smaller. */
	pages[56] = (struct page){ .flags = F_LRU, .mapping = 0x4001 };
	compound(form, map, 56, 3);
	if (form == LINUX_6_1)
		pages[57].mapping = 1 << 8;
	else
		pages[57].flags = 1;
}

/* The level that leaves a page out; 0: each; -1: none. */
static int
level_of(unsigned int pfn)
{
	if (pfn == 18 || pfn == 20)
		return KCORE_LEVEL_CACHE;
	if (pfn == 19)
		return KCORE_LEVEL_CACHE_PRIVATE;
	if (pfn == 17 || (pfn >= 32 && pfn < 40) || (pfn >= 44 && pfn < 48) ||
	    pfn == 56 || pfn == 57)
		return KCORE_LEVEL_USER;
	if (pfn >= 24 && pfn < 32)
		return KCORE_LEVEL_FREE;
	return pfn == 48 || pfn == 49 ? 0 : -1;
}

static void
put_info(struct guest *g, enum form form)
{
	const char *head = form == LINUX_7_2 ? "compound_info" :
	    "compound_head";

	guest_info(g, "SIZE(page)=%zu\nOFFSET(page.flags)=%zu\n"
	    "OFFSET(page._refcount)=%zu\nOFFSET(page._mapcount)=%zu\n"
	    "OFFSET(page.mapping)=%zu\nOFFSET(page.private)=%zu\n"
	    "OFFSET(page.%s)=%zu", sizeof(struct page),
	    offsetof(struct page, flags), offsetof(struct page, refcount),
	    offsetof(struct page, mapcount), offsetof(struct page, mapping),
	    offsetof(struct page, private), head, offsetof(struct page, head));
	guest_info(g, "NUMBER(PG_lru)=5\nNUMBER(PG_private)=14\n"
	    "NUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=17\n"
	    "NUMBER(PG_hwpoison)=21\nNUMBER(PG_head_mask)=64\n"
	    "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=%d\n"
	    "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=%d",
	    (int)type_of(form, BUDDY), (int)type_of(form, OFFLINE));
	if (form == LINUX_6_1)
		guest_info(g, "NUMBER(PG_slab)=9\n"
		    "OFFSET(page.compound_dtor)=%zu\n"
		    "OFFSET(page.compound_order)=%zu\n"
		    "NUMBER(HUGETLB_PAGE_DTOR)=2",
		    offsetof(struct page, mapping),
		    offsetof(struct page, mapping) + 1);
	else
		guest_info(g, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=%d\n"
		    "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=%d",
		    (int)type_of(form, SLAB), (int)type_of(form, HUGETLB));
}

/* A core of a kernel with these pages; info: which tells what they mean. */
static struct guest *
make(enum form form, bool info)
{
	struct guest *g = &guest;
	struct ksyms_sym syms[2] = { { 0, 'T', "_stext" } };
	uint64_t map;

	guest_init(g);
	syms[0].addr = g->base;
	map = guest_put(g, NULL, sizeof(pages), sizeof(pages));
	make_pages(form, map);
	memcpy(guest_at(g, map), pages, sizeof(pages));
	syms[1] = (struct ksyms_sym){ guest_put(g, &map, sizeof(map), 8), 'D',
	    "vmemmap_base" };
	ksyms_put(g, KSYMS_BASE, true, syms, 2);
	if (info)
		put_info(g, form);
	guest_make(g);
	return g;
}

/* Does the header list a page as left out? */
static bool
is_left_out(struct guest *g, uint64_t pfn)
{
	const cpu_kcore_hdr_t *h = kvm_dump_hdr(g->im.kd);
	const kcore_exclseg_t *e = (const void *)((const uint8_t *)h +
	    h->exclsegs_off);
	uint64_t i;

	for (i = 0; i < h->nexclsegs; i++)
		if (e[i].kind == KCORE_EXCL_FILTERED &&
		    pfn * 4096 - e[i].start < e[i].size)
			return true;
	return false;
}

/* This test checks each class of pages at each level, on each kernel. */
static void
filter_each_level_leaves_out_its_classes(void **state)
{
	static const unsigned int levels[] = { 0, KCORE_LEVEL_CACHE,
	    KCORE_LEVEL_CACHE_PRIVATE, KCORE_LEVEL_USER, KCORE_LEVEL_FREE,
	    OTHERS };
	unsigned int form, i, pfn;
	struct guest *g;
	int level;
	bool out;

	(void)state;
	for (form = 0; form < NFORMS; form++)
		for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
			g = make((enum form)form, true);
			if (kvm_dump_filter(g->im.kd, levels[i]) == -1)
				fail_msg("%s", kvm_geterr(g->im.kd));
			for (pfn = 1; pfn < NPAGES; pfn++) {
				level = level_of(pfn);
				out = level == 0 || (level > 0 &&
				    (levels[i] & (unsigned int)level) != 0) ||
				    (level == KCORE_LEVEL_CACHE &&
				    (levels[i] & KCORE_LEVEL_CACHE_PRIVATE));
				if (is_left_out(g, pfn) != out)
					fail_msg("kernel %u, level %u: page %u "
					    "is %s", form, levels[i], pfn,
					    out ? "in" : "out");
			}
			guest_fini(g);
		}
}

/* This test checks what is said where nobody knows what pages are. */
static void
filter_without_vmcoreinfo_names_what_is_missing(void **state)
{
	struct guest *g = make(LINUX_7_2, false);

	(void)state;
	assert_int_equal(kvm_dump_filter(g->im.kd, OTHERS), -1);
	assert_int_equal(errno, ENOTSUP);
	image_says(&g->im, "VMCOREINFO: SIZE(page), without which nobody knows "
	    "what pages are used for, is not there");
	assert_int_equal(kvm_dump_filter(g->im.kd, 32), -1);
	assert_int_equal(errno, EINVAL);
	guest_fini(g);
}

static void
look(struct guest *g)
{
	guest_result(g, kvm_dump_filter(g->im.kd, OTHERS));
}

/* This test checks that no byte of the memory map is believed too much. */
static void
filter_damaged_map_never_crashes(void **state)
{
	unsigned int form;
	struct guest *g;

	(void)state;
	for (form = 0; form < NFORMS; form++) {
		g = make((enum form)form, true);
		guest_mutate(g, g->base + 24 * sizeof(struct page),
		    sizeof(struct page), look);
		guest_mutate(g, g->base + 32 * sizeof(struct page),
		    sizeof(struct page) * 2, look);
		guest_mutate_info(g, look);
		guest_fini(g);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_each_level_leaves_out_its_classes),
		cmocka_unit_test(
		    filter_without_vmcoreinfo_names_what_is_missing),
		cmocka_unit_test(filter_damaged_map_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
