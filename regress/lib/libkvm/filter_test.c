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
static uint64_t sections;	/* where the tables of them are named */

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

	guest_info(g, "LENGTH(mem_section)=2\nSIZE(mem_section)=32\n"
	    "OFFSET(mem_section.section_mem_map)=8");
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

/* Two tables of sections, of which the first is not there: in the second the
 * map of some is, and all say the same. */
static uint64_t
put_sections(struct guest *g, uint64_t map)
{
	static const uint64_t flags[] = { 0, 0x1f, 0, 0x2f };
	uint64_t table[4096 / 8] = { 0 }, tables[2] = { 0, 0 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (flags[i] != 0)
			table[4 * i + 1] = map | flags[i];
	table[4 * 2 + 1] = 1;		/* present, without a map */
	tables[1] = guest_put(g, table, sizeof(table), sizeof(table));
	return guest_put(g, tables, sizeof(tables), 8);
}

/* A core of a kernel with these pages; info: which tells what they mean. */
static struct guest *
make(enum form form, bool info)
{
	struct guest *g = &guest;
	uint64_t map;

	guest_init(g);
	map = guest_put(g, NULL, sizeof(pages), sizeof(pages));
	make_pages(form, map);
	memcpy(guest_at(g, map), pages, sizeof(pages));
	sections = put_sections(g, map);
	if (info) {
		guest_info(g, "SYMBOL(mem_section)=%jx", (uintmax_t)sections);
		put_info(g, form);
	}
	guest_make(g);
	return g;
}

/* Does the header list a page as left out for this reason? */
static bool
is_left_out(struct guest *g, uint64_t pfn, unsigned int kind)
{
	const cpu_kcore_hdr_t *h = kvm_dump_hdr(g->im.kd);
	const kcore_exclseg_t *e = (const void *)((const uint8_t *)h +
	    h->exclsegs_off);
	uint64_t i;

	for (i = 0; i < h->nexclsegs; i++)
		if (e[i].kind == kind &&
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
				if (is_left_out(g, pfn,
				    KCORE_EXCL_FILTERED) != out)
					fail_msg("kernel %u, level %u: page %u "
					    "is %s", form, levels[i], pfn,
					    out ? "in" : "out");
			}
			guest_fini(g);
		}
}

/* Leaves out pages of zeros, and compares with the bytes of the file. */
static void
check_zeros(bool core)
{
	const uint64_t first = 0x91, end = 0x140;	/* behind dumpmag's */
	static const uint8_t none[4096];
	struct guest *g = make(LINUX_6_12, true);
	bool zero[0x140];
	uint8_t was[4096];
	uint64_t pfn;

	g->mem[0xc000] = g->mem[0xdfff] = g->mem[0xe800] = 1;
	g->im.spec.core = core;
	guest_make(g);
	if (!core)
		assert_true(kvm_dump_mkheader(g->im.kd,
		    (off_t)g->im.info.dumplo) > 0);
	for (pfn = first; pfn < end; pfn++) {
		image_get(&g->im, guest_offset(g, pfn * 4096), was,
		    sizeof(was));
		zero[pfn] = memcmp(was, none, sizeof(was)) == 0;
	}
	assert_int_equal(kvm_dump_filter(g->im.kd, KCORE_LEVEL_ZERO), 0);
	for (pfn = first; pfn < end; pfn++)
		if (is_left_out(g, pfn, KCORE_EXCL_ZERO) != zero[pfn])
			fail_msg("page 0x%jx is %s", (uintmax_t)pfn,
			    zero[pfn] ? "in" : "out");
	assert_true(zero[0x10b] && !zero[0x10c] && !zero[0x10d] &&
	    !zero[0x10e] && zero[0x10f]);
	guest_fini(g);
}

/* This test checks that pages of zeros are found in a core, which is mapped, and
 * that pages with one other byte are not taken for such. */
static void
filter_zeros_of_core_are_left_out(void **state)
{
	(void)state;
	check_zeros(true);
}

/* This test checks the same of a raw dump, which is read. */
static void
filter_zeros_of_raw_are_left_out(void **state)
{
	(void)state;
	check_zeros(false);
}

/* This test checks what is said where nobody knows what pages are. */
static void
filter_without_vmcoreinfo_names_what_is_missing(void **state)
{
	struct guest *g = make(LINUX_7_2, false);

	(void)state;
	assert_int_equal(kvm_dump_filter(g->im.kd, OTHERS), -1);
	assert_int_equal(errno, ENOTSUP);
	image_says(&g->im, "VMCOREINFO: SYMBOL(mem_section), without which nobody knows "
	    "what pages are used for, is not there");
	assert_int_equal(kvm_dump_filter(g->im.kd, 32), -1);
	assert_int_equal(errno, EINVAL);
	guest_fini(g);
}

/* What is said when a word of the table of sections is another. */
static void
refused(struct guest *g, unsigned int word, uint64_t value, const char *text)
{
	uint64_t was, *at = (void *)guest_at(g, sections - 4096 + 8 * word);

	was = *at;
	*at = value;
	guest_make(g);
	assert_int_equal(kvm_dump_filter(g->im.kd, OTHERS), -1);
	image_says(&g->im, text);
	*at = was;
}

/* This test checks what is said where sections don't tell of one map. */
static void
filter_sections_that_disagree_are_named(void **state)
{
	struct guest *g = make(LINUX_6_12, true);
	const uint64_t second = *(uint64_t *)(void *)guest_at(g, sections -
	    4096 + 8 * 13);
	char text[160];

	(void)state;
	snprintf(text, sizeof(text), "sections of memory: the memory map is at "
	    "0x%jx, and at 0x%jx", (uintmax_t)(second & ~0xfffull),
	    (uintmax_t)(second & ~0xfffull) + 0x1000);
	refused(g, 13, second + 0x1000, text);
	*(uint64_t *)(void *)guest_at(g, sections - 4096 + 8 * 5) = 1;
	refused(g, 13, 0, "sections of memory: none has a memory map");
	refused(g, 512 + 1, 0x1000, "sections of memory: address 0x1000: not "
	    "mapped");
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
		cmocka_unit_test(filter_zeros_of_core_are_left_out),
		cmocka_unit_test(filter_zeros_of_raw_are_left_out),
		cmocka_unit_test(filter_sections_that_disagree_are_named),
		cmocka_unit_test(
		    filter_without_vmcoreinfo_names_what_is_missing),
		cmocka_unit_test(filter_damaged_map_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
