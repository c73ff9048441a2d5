// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * ram.c: which physical memory is RAM (when armed), and what becomes of each
 * page (after the panic).
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <md.h>
#include <os/os.h>

#define FREE_ORDERS	11	/* sizes of free blocks, up to 4 MiB */

struct find_arg {
	struct dump_map *map;
	unsigned int room;
};

static int
find_one(struct resource *res, void *cookie)
{
	struct find_arg *arg = cookie;
	struct dump_map *map = arg->map;
	u64 start = PAGE_ALIGN(res->start);
	u64 end = (res->end + 1) & PAGE_MASK;
	struct dump_ram *last, *grown;

	if (start >= end)
		return 0;
	last = map->nram > 0 ? &map->ram[map->nram - 1] : NULL;
	if (last && last->start + last->npages * PAGE_SIZE == start) {
		last->npages += (end - start) >> PAGE_SHIFT;
		return 0;
	}
	if (map->nram == arg->room) {
		grown = krealloc(map->ram, 2 * arg->room * sizeof(*grown),
		    GFP_KERNEL);
		if (!grown)
			return -ENOMEM;
		map->ram = grown;
		arg->room *= 2;
	}
	map->ram[map->nram++] = (struct dump_ram){
		.start = start, .npages = (end - start) >> PAGE_SHIFT };
	return 0;
}

int
ram_find(struct dump_map *map)
{
	struct find_arg arg = { .map = map, .room = 16 };
	int error;

	map->nram = 0;
	map->ram = kcalloc(arg.room, sizeof(*map->ram), GFP_KERNEL);
	if (!map->ram)
		return -ENOMEM;
	error = walk_iomem_res_desc(IORES_DESC_NONE,
	    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1, &arg, find_one);
	if (error == 0 && map->nram == 0)
		error = -ENODEV;
	if (error != 0) {
		ram_free(map);
		return error;
	}
	dump_map_number(map);
	return 0;
}

void
ram_free(struct dump_map *map)
{
	kfree(map->ram);
	map->ram = NULL;
	map->nram = 0;
}

u32
md_level_max(void)
{
	return KCORE_LEVEL_ZERO;
}

/* Holes in the direct map can't be read and are no loss of ours: secret memory,
 * freed init text, guard pages. */
u64
md_classify(kpaddr_t pa, u64 npages, u32 level, enum dump_state *state,
    unsigned int *count)
{
	u64 n, i;
	bool zero;

	if (!md_direct_mapped(pa, &n)) {
		*count = KCORE_COUNT_UNREADABLE;
		*state = DUMP_LOST;
		return min(n, npages);
	}
	n = min(n, npages);
	*state = DUMP_KEEP;
	*count = KCORE_COUNT_ZERO;
	if (!(level & KCORE_LEVEL_ZERO))
		return n;
	zero = md_page_zero(__va(pa));
	if (zero)
		*state = DUMP_ZERO;
	for (i = 1; i < n; i++)
		if (md_page_zero(__va(pa + i * PAGE_SIZE)) != zero)
			break;
	return i;
}

/* In a free block only the first page says so.  That a page has no user is no
 * proof: nor has any but the first page of a block that is not compound. */
static bool
page_is_free(unsigned long pfn)
{
	unsigned int order;
	struct page *page;

	for (order = 0; order < FREE_ORDERS; order++) {
		page = pfn_to_page(pfn & ~((1ul << order) - 1));
		if (PageBuddy(page) && page_private(page) >= order)
			return true;
	}
	return false;
}

/*
 * Reserved pages are the kernel image and what was allocated before the page
 * allocator was up: the log, the memory map, per-CPU memory.  Of a compound page
 * the head speaks for all: a tail's mapping is a mark, never NULL.  Nobody uses
 * memory that is offline, and what describes its pages may never have been set.
 */
unsigned int
md_page_value(kpaddr_t pa)
{
	unsigned long pfn = pa >> PAGE_SHIFT;
	struct page *page;

	if (!online_section_nr(pfn_to_section_nr(pfn)))
		return 5;
	page = compound_head(pfn_to_page(pfn));
	if (PageReserved(page))
		return 0;
	if (PageTable(page))
		return 1;
	if (PageSlab(page))
		return 2;
	if (page_is_free(pfn))
		return 5;
	if (PageLRU(page) || PageAnon(page) || page->mapping)
		return 4;
	return 3;
}
