// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_map.c: the plan of a dump, two bits for each page of RAM.  Filled once
 * after the panic and then only read, because devices may still write to
 * memory: everything that is written follows from this map, not from a second
 * look at the pages.
 */
#include <kern/dump.h>

#define PER_WORD	32u
#define PATTERN(state)	((uint64_t)(state) * 0x5555555555555555ull)

size_t
dump_map_bytes(uint64_t npages)
{
	return (size_t)((npages + PER_WORD - 1) / PER_WORD * sizeof(uint64_t));
}

void
dump_map_number(struct dump_map *map)
{
	unsigned int i;

	map->npages = 0;
	for (i = 0; i < map->nram; i++) {
		map->ram[i].idx = map->npages;
		map->npages += map->ram[i].npages;
	}
}

/* Sets n pages from the k-th of a word on, or as many as it has. */
static void
word_set(uint64_t *word, unsigned int k, uint64_t n, enum dump_state state)
{
	uint64_t mask = n >= PER_WORD - k ? ~0ull : (1ull << (2 * n)) - 1;

	mask <<= 2 * k;
	*word = (*word & ~mask) | (PATTERN(state) & mask);
}

void
dump_map_set(struct dump_map *map, uint64_t idx, uint64_t n,
    enum dump_state state)
{
	uint64_t *word = &map->bits[idx / PER_WORD];
	unsigned int k = (unsigned int)(idx % PER_WORD);

	if (k > 0) {
		word_set(word++, k, n, state);
		n -= n < PER_WORD - k ? n : PER_WORD - k;
	}
	for (; n >= PER_WORD; n -= PER_WORD)
		*word++ = PATTERN(state);
	if (n > 0)
		word_set(word, 0, n, state);
}

enum dump_state
dump_map_get(const struct dump_map *map, uint64_t idx)
{
	return (enum dump_state)(
	    map->bits[idx / PER_WORD] >> (2 * (idx % PER_WORD)) & 3);
}

/* Pages from idx on, before end, that share idx's state. */
static uint64_t
run_length(const struct dump_map *map, uint64_t idx, uint64_t end,
    enum dump_state state)
{
	uint64_t from = idx, diff;
	unsigned int k;

	while (idx < end) {
		k = (unsigned int)(idx % PER_WORD);
		diff = (map->bits[idx / PER_WORD] ^ PATTERN(state)) >> (2 * k);
		if (diff != 0) {
			idx += (unsigned int)__builtin_ctzll(diff) / 2;
			break;
		}
		idx += PER_WORD - k;
	}
	return (idx < end ? idx : end) - from;
}

/* The RAM range that page idx is in. */
static const struct dump_ram *
ram_of(const struct dump_map *map, uint64_t idx)
{
	unsigned int lo = 0, hi = map->nram, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (map->ram[mid].idx <= idx)
			lo = mid;
		else
			hi = mid;
	}
	return &map->ram[lo];
}

bool
dump_map_next(const struct dump_map *map, uint64_t *idx, struct dump_run *run)
{
	const struct dump_ram *ram;

	if (*idx >= map->npages)
		return false;
	ram = ram_of(map, *idx);
	run->start = ram->start + (*idx - ram->idx) * KCORE_ALIGN;
	run->state = dump_map_get(map, *idx);
	run->npages = run_length(map, *idx, ram->idx + ram->npages, run->state);
	*idx += run->npages;
	return true;
}

bool
dump_map_find(const struct dump_map *map, kpaddr_t pa, uint64_t *idx)
{
	unsigned int i;

	for (i = 0; i < map->nram; i++) {
		const struct dump_ram *ram = &map->ram[i];

		if (pa >= ram->start &&
		    (pa - ram->start) / KCORE_ALIGN < ram->npages) {
			*idx = ram->idx + (pa - ram->start) / KCORE_ALIGN;
			return true;
		}
	}
	return false;
}

/* Keeps a hole, whose pages stand in one range of RAM, run by run. */
static void
keep_hole(struct dump_map *map, uint64_t idx, uint64_t npages,
    void (*kept)(void *, const struct dump_run *), void *cookie)
{
	const uint64_t end = idx + npages;
	struct dump_run run;
	uint64_t at = idx;

	while (at < end && dump_map_next(map, &at, &run))
		kept(cookie, &run);
	dump_map_set(map, idx, npages, DUMP_KEEP);
}

void
dump_map_merge(struct dump_map *map, uint64_t gap,
    void (*kept)(void *, const struct dump_run *), void *cookie)
{
	struct dump_run run;
	uint64_t idx = 0, at = 0;
	kpaddr_t kept_end = 0;
	uint64_t hole = 0, hole_at = 0;
	bool open = false;

	/* A hole is a row of left-out runs that touches kept pages on both
	 * sides, without a lost page in it. */
	for (; dump_map_next(map, &idx, &run); at = idx) {
		if (run.state == DUMP_KEEP) {
			if (open && hole > 0 && hole <= gap &&
			    kept_end + hole * KCORE_ALIGN == run.start)
				keep_hole(map, hole_at, hole, kept, cookie);
			kept_end = run.start + run.npages * KCORE_ALIGN;
			open = true;
			hole = 0;
		} else if (run.state == DUMP_LOST) {
			open = false;
		} else {
			if (hole == 0)
				hole_at = at;
			hole += run.npages;
		}
	}
}

uint64_t
dump_map_truncate(struct dump_map *map, uint64_t npages, unsigned int value)
{
	uint64_t done = 0, i;
	unsigned int r;

	for (r = map->nram; r-- > 0 && done < npages;) {
		const struct dump_ram *ram = &map->ram[r];

		for (i = ram->npages; i-- > 0 && done < npages;) {
			if (dump_map_get(map, ram->idx + i) != DUMP_KEEP ||
			    md_page_value(ram->start + i * KCORE_ALIGN) !=
			    value)
				continue;
			dump_map_set(map, ram->idx + i, 1, DUMP_LOST);
			done++;
		}
	}
	return done;
}
