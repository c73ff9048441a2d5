// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * ram.c: which physical memory is RAM, when armed.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <md.h>
#include <os/os.h>

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

/* crashkernel= sets aside two ranges at most. */
static struct {
	u64 start, end;
} aside[2];
static unsigned int naside;

static int
aside_one(struct resource *res, void *cookie)
{
	unsigned int *n = cookie;

	if (*n < ARRAY_SIZE(aside)) {
		aside[*n].start = res->start;
		aside[(*n)++].end = res->end + 1;
	}
	return 0;
}

bool
ram_is_aside(kpaddr_t pa, unsigned long *npages)
{
	u64 end = U64_MAX;
	bool in = false;
	unsigned int i;

	for (i = 0; i < naside; i++) {
		if (pa < aside[i].start) {
			end = min(end, aside[i].start);
		} else if (pa < aside[i].end) {
			end = aside[i].end;
			in = true;
			break;
		}
	}
	*npages = max((unsigned long)((end - pa) >> PAGE_SHIFT), 1ul);
	return in;
}

static int
aside_add(struct resource *res, void *cookie)
{
	*(u64 *)cookie += resource_size(res) >> PAGE_SHIFT;
	return 0;
}

static int
walk_aside(void *cookie, int (*one)(struct resource *, void *))
{
	return walk_iomem_res_desc(IORES_DESC_CRASH_KERNEL,
	    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1, cookie, one);
}

u64
ram_aside_pages(void)
{
	u64 npages = 0;

	(void)walk_aside(&npages, aside_add);
	return npages;
}

int
ram_find(struct dump_map *map)
{
	struct find_arg arg = { .map = map, .room = 16 };
	unsigned int n = 0;
	int error;

	(void)walk_aside(&n, aside_one);
	naside = n;

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
