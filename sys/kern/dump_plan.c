// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_plan.c: what goes into a dump.  Pass 1 asks what becomes of each page of
 * RAM; then the plan is made to fit the window.  What was left out, and why, is
 * counted, and told at the end.
 */
#include <kern/dump.h>

#define CLASSIFY_MAX	32768u	/* pages asked for at once */
#define WATCHDOG_PAGES	4096u	/* between two feedings of the watchdogs */

/* The dumpmag page is always in, whatever was said of it. */
static void
vars_set(struct dump *d, enum dump_state state)
{
	uint64_t idx;

	if (dump_map_find(&d->map, d->vars_paddr, &idx))
		dump_map_set(&d->map, idx, 1, state);
}

/* The kinds are part of what the header counts. */
static const struct {
	unsigned int count;
	const char *name;
} kinds[MD_NKINDS] = {
	[MD_KIND_HUGETLB - KCORE_NCOUNTS] = { KCORE_COUNT_USER, "hugetlb" },
	[MD_KIND_THP - KCORE_NCOUNTS] = { KCORE_COUNT_USER,
	    "transparent huge" },
	[MD_KIND_SWAP_ANON - KCORE_NCOUNTS] = { KCORE_COUNT_USER,
	    "processes' in the swap cache" },
	[MD_KIND_SWAP_SHMEM - KCORE_NCOUNTS] = { KCORE_COUNT_CACHE,
	    "shared memory in the swap cache" },
	[MD_KIND_SECRET - KCORE_NCOUNTS] = { KCORE_COUNT_UNREADABLE,
	    "secret memory" },
	[MD_KIND_KFENCE - KCORE_NCOUNTS] = { KCORE_COUNT_UNREADABLE,
	    "KFENCE guards" },
	[MD_KIND_POISONED - KCORE_NCOUNTS] = { KCORE_COUNT_OTHER, "poisoned" },
	[MD_KIND_RETURNED - KCORE_NCOUNTS] = { KCORE_COUNT_OTHER,
	    "given back to the hypervisor" },
	[MD_KIND_UNACCEPTED - KCORE_NCOUNTS] = { KCORE_COUNT_OTHER,
	    "not accepted yet" },
	[MD_KIND_OFFLINE - KCORE_NCOUNTS] = { KCORE_COUNT_OTHER, "offline" },
	[MD_KIND_ASIDE - KCORE_NCOUNTS] = { KCORE_COUNT_FREE,
	    "set aside for a crash kernel" },
};

/* n pages more, or fewer where it is negative, of what md_classify() said. */
static void
count_add(struct dump *d, unsigned int count, int64_t n)
{
	if (count >= KCORE_NCOUNTS) {
		d->kinds[count - KCORE_NCOUNTS] += (uint64_t)n;
		count = kinds[count - KCORE_NCOUNTS].count;
	}
	d->hdr.counts[count] += (uint64_t)n;
}

/* Notes of n pages from idx on, where pa is, that they are left out. */
static void
leave_out(struct dump *d, uint64_t idx, kpaddr_t pa, uint64_t n,
    enum dump_state state, unsigned int count)
{
	dump_map_set(&d->map, idx, n, state);
	count_add(d, count, (int64_t)n);
	if (d->vars_paddr >= pa && d->vars_paddr - pa < n * KCORE_ALIGN)
		count_add(d, count, -1);
}

/* Of n pages that are kept by their use those that are all zero are not. */
static void
zeros_find(struct dump *d, uint64_t idx, kpaddr_t pa, uint64_t n)
{
	uint64_t skip, nzero, i;

	for (i = 0; i < n; i += skip + nzero) {
		skip = md_zeros(pa + i * KCORE_ALIGN, n - i, &nzero);
		if (nzero > 0)
			leave_out(d, idx + i + skip,
			    pa + (i + skip) * KCORE_ALIGN, nzero, DUMP_ZERO,
			    KCORE_COUNT_ZERO);
	}
}

/* Pass 1: asks for each page once, and notes the answer in the map. */
static void
classify_all(struct dump *d)
{
	const uint64_t start_us = md_now_us();
	enum dump_state state;
	unsigned int r, count;
	uint64_t i, n, max, fed = 0;
	kpaddr_t pa;

	dump_map_set(&d->map, 0, d->map.npages, DUMP_KEEP);
	memset(d->hdr.counts, 0, sizeof(d->hdr.counts));
	memset(d->kinds, 0, sizeof(d->kinds));
	d->hdr.counts[KCORE_COUNT_RAM] = d->map.npages;
	for (r = 0; r < d->map.nram; r++) {
		const struct dump_ram *ram = &d->map.ram[r];

		for (i = 0; i < ram->npages; i += n) {
			pa = ram->start + i * KCORE_ALIGN;
			max = ram->npages - i;
			if (max > CLASSIFY_MAX)
				max = CLASSIFY_MAX;
			n = md_classify(pa, max, d->level, &state, &count);
			if (n == 0 || n > max)
				n = 1;
			/* Which asks for the time, and that takes some. */
			fed += n;
			if (fed >= WATCHDOG_PAGES) {
				md_watchdog();
				fed = 0;
			}
			if (state != DUMP_KEEP)
				leave_out(d, ram->idx + i, pa, n, state,
				    count);
			else if (d->level & KCORE_LEVEL_ZERO)
				zeros_find(d, ram->idx + i, pa, n);
		}
	}
	vars_set(d, DUMP_KEEP);
	d->scan_us = md_now_us() - start_us;
}

/* Pages that are dumped for shorter tables count as dumped alone. */
static void
uncount(void *cookie, const struct dump_run *run)
{
	struct dump *d = cookie;
	enum dump_state state = run->state;
	unsigned int count = KCORE_COUNT_ZERO;
	uint64_t i, n;

	for (i = 0; i < run->npages; i += n) {
		n = run->npages - i;
		/* Zeros are not looked for again: they may be gone by now. */
		if (run->state != DUMP_ZERO)
			n = md_classify(run->start + i * KCORE_ALIGN, n,
			    d->level, &state, &count);
		if (n == 0 || n > run->npages - i)
			n = 1;
		if (state != DUMP_KEEP)
			count_add(d, count, -(int64_t)n);
	}
}

/* What becomes of the kernel's own memory, which no level leaves out. */
struct vital {
	struct dump_map *map;
	enum dump_state from, to;
};

static void
vital_set(void *cookie, kpaddr_t pa)
{
	const struct vital *v = cookie;
	uint64_t idx;

	if (dump_map_find(v->map, pa, &idx) &&
	    dump_map_get(v->map, idx) == v->from)
		dump_map_set(v->map, idx, 1, v->to);
}

static void
vital_set_all(struct dump *d, enum dump_state from, enum dump_state to)
{
	struct vital v = { &d->map, from, to };

	md_vital_pages(d->hdr.ptdpaddr, d->map.npages, vital_set, &v);
}

/* Truncates by value, all values or until npages are gone: how many are. */
static uint64_t
truncate_by_value(struct dump *d, uint64_t npages)
{
	unsigned int value;
	uint64_t gone = 0;

	for (value = MD_NVALUES; value-- > 0 && gone < npages;)
		gone += dump_map_truncate(&d->map, npages - gone, value);
	return gone;
}

/* Gives up excess bytes, what is worth least first: false, nothing is left. */
static bool
plan_shrink(struct dump *d, uint64_t excess)
{
	uint64_t pages = (excess + KCORE_ALIGN - 1) / KCORE_ALIGN, gone;

	if (d->level != md_level_max()) {
		d->level = md_level_max();
		classify_all(d);
		return true;
	}
	d->hdr.flags |= KCORE_F_TRUNCATED;
	/* Out of truncation's sight, the last of them for good. */
	vital_set_all(d, DUMP_KEEP, DUMP_FILTERED);
	vars_set(d, DUMP_FILTERED);
	gone = truncate_by_value(d, pages);
	vital_set_all(d, DUMP_FILTERED, DUMP_KEEP);
	vars_set(d, DUMP_FILTERED);
	if (gone < pages)
		gone += truncate_by_value(d, pages - gone);
	vars_set(d, DUMP_KEEP);
	d->hdr.counts[KCORE_COUNT_TRUNCATED] += gone;
	return gone > 0;
}

/*
 * Makes the plan fit: merges runs where the tables are too large, and gives up
 * pages where the window is too small.
 */
static __must_check int
fit(struct dump *d)
{
	uint64_t nmem, nexcl, npages, excess, hdr;
	uint64_t gap = 1;
	unsigned int tries;

	for (tries = 0; tries < 64; tries++) {
		dump_tables_count(d, &nmem, &nexcl, &npages);
		hdr = dump_hdr_size(nmem, nexcl, d->notes_size);
		if (nmem > KCORE_MEMSEGS_MAX || hdr > KCORE_CPU_MAX) {
			dump_map_merge(&d->map, gap, uncount, d);
			gap *= 2;
			continue;
		}
		if (dump_layout_plan(&d->l, d->w.size, hdr,
		    npages * KCORE_ALIGN, &excess) == 0)
			return 0;
		if (!plan_shrink(d, excess))
			return -ENOSPC;
	}
	return -ENOSPC;
}

int
dump_plan(struct dump *d)
{
	classify_all(d);
	return fit(d);
}

void
dump_plan_tell(const struct dump *d)
{
	const uint64_t *n = d->hdr.counts;
	unsigned int i;

	if (n[KCORE_COUNT_RAM] == 0)
		return;
	md_printf("swapcore: of %llu pages %llu are in the dump; not in it: "
	    "%llu zero, %llu cache, %llu processes', %llu free, %llu that did "
	    "not fit, %llu unreadable\n",
	    (unsigned long long)n[KCORE_COUNT_RAM],
	    (unsigned long long)n[KCORE_COUNT_DUMPED],
	    (unsigned long long)n[KCORE_COUNT_ZERO],
	    (unsigned long long)(n[KCORE_COUNT_CACHE] +
	    n[KCORE_COUNT_CACHE_PRIVATE]),
	    (unsigned long long)n[KCORE_COUNT_USER],
	    (unsigned long long)n[KCORE_COUNT_FREE],
	    (unsigned long long)n[KCORE_COUNT_TRUNCATED],
	    (unsigned long long)(n[KCORE_COUNT_UNREADABLE] +
	    n[KCORE_COUNT_OTHER]));
	for (i = 0; i < MD_NKINDS; i++)
		if (d->kinds[i] > 0)
			md_printf("swapcore: among those not in it: %llu %s\n",
			    (unsigned long long)d->kinds[i], kinds[i].name);
	md_printf("swapcore: looked at all pages in %llu us\n",
	    (unsigned long long)d->scan_us);
}
