/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump_pt.c: x86_64 page tables for the memory of a test dump.  Intel SDM
 * volume 3, 4.5 "4-level paging and 5-level paging".
 */
#include <stdlib.h>
#include <string.h>

#include "mkdump_impl.h"

#define PTE_P	0x1ull
#define PTE_RW	0x2ull
#define PTE_A	0x20ull
#define PTE_D	0x40ull
#define PTE_PS	0x80ull
#define PTE_G	0x100ull
#define PTE_PAT_LARGE 0x1000ull
#define PTE_NX	(1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* A new, empty table: its number, or -1. */
static long
table_add(struct mkmem *mem)
{
	uint64_t (*t)[512];

	t = realloc(mem->tables, (mem->ntables + 1) * sizeof(*t));
	if (t == NULL)
		return -1;
	mem->tables = t;
	memset(t[mem->ntables], 0, sizeof(*t));
	return (long)mem->ntables++;
}

/* The table that an entry of table t names, made where there is none. */
static long
table_next(struct mkmem *mem, long t, size_t slot)
{
	const struct mkdump_spec *spec = mem->spec;
	uint64_t pte = mem->tables[t][slot];
	long n;

	if (pte != 0) {
		pte &= PTE_ADDR & ~spec->enc_mask;
		return (long)((pte - spec->ptd_paddr) / MKDUMP_PAGE);
	}
	if ((n = table_add(mem)) == -1)
		return -1;
	mem->tables[t][slot] = (spec->ptd_paddr +
	    (uint64_t)n * MKDUMP_PAGE) | spec->enc_mask | PTE_P | PTE_RW |
	    PTE_A;
	return n;
}

static int
map_page(struct mkmem *mem, uint64_t va, uint64_t pa, uint64_t page)
{
	unsigned int shift = 12 + 9 * (mem->spec->levels - 1);
	long t = 0;

	for (; (1ull << shift) > page; shift -= 9)
		if ((t = table_next(mem, t, (va >> shift) & 511)) == -1)
			return -1;
	mem->tables[t][(va >> shift) & 511] = pa | mem->spec->enc_mask | PTE_P |
	    PTE_RW | PTE_A | PTE_D | PTE_G | PTE_NX |
	    (shift > 12 ? PTE_PS | PTE_PAT_LARGE : 0);
	return 0;
}

static int
map_range(struct mkmem *mem, const struct mkdump_map *m,
    struct mkdump_info *info)
{
	if (m->page != 1ull << 12 && m->page != 1ull << 21 &&
	    m->page != 1ull << 30)
		return mkdump_fail(info, "%#jx is no size of a page",
		    (uintmax_t)m->page);
	if (((m->va | m->pa) & (m->page - 1)) != 0)
		return mkdump_fail(info, "%#jx to %#jx: not aligned to a page "
		    "of %#jx", (uintmax_t)m->va, (uintmax_t)m->pa,
		    (uintmax_t)m->page);
	for (uint64_t o = 0; o < m->size; o += m->page)
		if (map_page(mem, m->va + o, m->pa + o, m->page) == -1)
			return mkdump_fail(info, "no memory for page tables");
	return 0;
}

static int
map_direct(struct mkmem *mem, struct mkdump_info *info)
{
	const struct mkdump_spec *spec = mem->spec;
	uint64_t mask = spec->direct_page - 1;
	uint64_t done = 0;

	for (size_t i = 0; i < spec->nruns; i++) {
		const struct mkdump_run *r = &spec->runs[i];
		uint64_t start = r->start & ~mask;
		uint64_t end = (r->start + r->size + mask) & ~mask;
		struct mkdump_map m;

		if (start < done)
			start = done;
		if (start >= end)
			continue;
		m = (struct mkdump_map){ mkdump_page_offset(spec) + start,
		    start, end - start, spec->direct_page };
		if (map_range(mem, &m, info) == -1)
			return -1;
		done = end;
	}
	return 0;
}

int
mkmem_map_all(struct mkmem *mem, struct mkdump_info *info)
{
	const struct mkdump_spec *spec = mem->spec;
	const struct mkdump_map text = { MKDUMP_TEXT_VA + spec->slide,
	    spec->text_paddr, spec->text_size, spec->text_page };
	const struct mkdump_map module = { MKDUMP_MODULE_VA,
	    spec->dumpmag_paddr & ~(uint64_t)(MKDUMP_PAGE - 1), MKDUMP_PAGE,
	    MKDUMP_PAGE };

	if (spec->levels != 4 && spec->levels != 5)
		return mkdump_fail(info, "%u levels of page tables",
		    spec->levels);
	if (table_add(mem) == -1)
		return mkdump_fail(info, "no memory for page tables");
	if (map_direct(mem, info) == -1 || map_range(mem, &text, info) == -1 ||
	    map_range(mem, &module, info) == -1)
		return -1;
	for (size_t i = 0; i < spec->nmaps; i++)
		if (map_range(mem, &spec->maps[i], info) == -1)
			return -1;
	return 0;
}
