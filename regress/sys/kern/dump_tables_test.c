// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_tables_test.c: the CPU segment of random page maps against lists made
 * page by page.
 */
#include <stdlib.h>

#include "fakedump.h"

#define MAXSEGS	4000u

static struct fakedump f;
static phys_ram_seg_t mem[MAXSEGS];
static kcore_exclseg_t excl[MAXSEGS];
static uint64_t nmem, nexcl, npages;

static void
mem_page(kpaddr_t pa, bool joins)
{
	if (joins && nmem > 1 && mem[nmem - 1].start + mem[nmem - 1].size == pa)
		mem[nmem - 1].size += KCORE_ALIGN;
	else
		mem[nmem++] = (phys_ram_seg_t){ pa, KCORE_ALIGN };
	npages++;
}

static void
excl_page(kpaddr_t pa, uint32_t kind)
{
	kcore_exclseg_t *last = &excl[nexcl > 0 ? nexcl - 1 : 0];

	if (nexcl > 0 && last->kind == kind && last->start + last->size == pa)
		last->size += KCORE_ALIGN;
	else
		excl[nexcl++] = (kcore_exclseg_t){ pa, KCORE_ALIGN, kind, 0 };
}

/* What the tables must be, looking at one page after the other. */
static void
make_lists(const uint8_t *states)
{
	static const uint32_t kinds[] = { 0, KCORE_EXCL_ZERO,
		KCORE_EXCL_FILTERED, 0 };
	const kpaddr_t vars = f.d.vars_paddr;
	uint64_t i, idx = 0;
	unsigned int r;
	kpaddr_t pa;

	nmem = nexcl = npages = 0;
	mem_page(vars, false);
	for (r = 0; r < f.d.map.nram; r++)
		for (i = 0; i < f.ram[r].npages; i++, idx++) {
			pa = f.ram[r].start + i * KCORE_ALIGN;
			if (states[idx] == DUMP_LOST)
				excl_page(pa, fakeos_kind(pa) == FAKE_POISON ?
				    KCORE_EXCL_UNREADABLE :
				    KCORE_EXCL_TRUNCATED);
			else if (states[idx] != DUMP_KEEP)
				excl_page(pa, kinds[states[idx]]);
			else if (pa != vars)
				mem_page(pa, true);
		}
}

/* Plans and writes the tables of the map as it is, and reads them back. */
static void
write_and_compare(void)
{
	uint64_t n1, n2, n3, excess;
	kcore_trailer_t t;

	dump_tables_count(&f.d, &n1, &n2, &n3);
	assert_int_equal(n1, nmem);
	assert_int_equal(n2, nexcl);
	assert_int_equal(n3, npages);
	f.d.notes_size = (uint32_t)md_notes(f.d.notes, f.d.notes_len);
	dump_record_begin(&f.d, FAKE_PANIC);
	assert_int_equal(dump_layout_plan(&f.d.l, f.d.w.size,
	    dump_hdr_size(n1, n2, f.d.notes_size), n3 * KCORE_ALIGN, &excess),
	    0);
	assert_int_equal(dump_stream_open(&f.d, f.d.l.dumplo), 0);
	assert_int_equal(dump_tables_write(&f.d), 0);
	assert_int_equal(dumpdev_flush(&f.dev.dd), 0);
	t = f.d.trailer;
	t.dumplo = f.d.l.dumplo;
	t.hdr_size = f.d.l.hdr_size;
	t.data_size = npages * KCORE_ALIGN;
	if (!raw_header(&f.raw, &t))
		fail_msg("%s", f.raw.why);
	assert_int_equal(f.raw.hdr->nmemsegs, nmem);
	assert_memory_equal(f.raw.mem, mem, nmem * sizeof(*mem));
	assert_int_equal(f.raw.hdr->nexclsegs, nexcl);
	assert_int_equal(f.raw.hdr->exclsegs_cap, nexcl + KCORE_EXCL_SPARE);
	if (nexcl > 0)
		assert_memory_equal(f.raw.excl, excl, nexcl * sizeof(*excl));
	assert_int_equal(f.raw.hdr->notes_size, fakeos.notes_len);
}

static void
start(uint64_t seed)
{
	fakeos_reset(seed);
	fakeos.notes_len = 8 * fakeos_random(700);
	fakedump_init(&f, &(struct fakedump_conf){ .next = 20,
	    .slot_len = 12288 });
	assert_int_equal(dumpdev_start(&f.dev.dd), 0);
}

/* This test checks that the tables of random maps are, entry by entry, what
 * they must be, and that counting says what writing does. */
static void
dump_tables_random_maps(void **state)
{
	uint64_t seed = fakeos_seed("tables"), i, idx, n;
	uint8_t states[1307];
	unsigned int k, s, grain;

	(void)state;
	for (i = 0; i < 60; i++) {
		start(seed + i);
		memset(states, DUMP_KEEP, sizeof(states));
		dump_map_set(&f.d.map, 0, 1307, DUMP_KEEP);
		grain = 1 + fakeos_random(60);
		for (k = fakeos_random(1000); k > 0; k--) {
			idx = fakeos_random(1307);
			n = 1 + fakeos_random(grain);
			s = fakeos_random(4);
			if (n > 1307 - idx)
				n = 1307 - idx;
			dump_map_set(&f.d.map, idx, n, (enum dump_state)s);
			memset(states + idx, (int)s, n);
		}
		idx = fakeos_random(1307);
		for (k = 0; idx >= f.ram[k].idx + f.ram[k].npages; k++)
			continue;
		f.d.vars_paddr = f.ram[k].start +
		    (idx - f.ram[k].idx) * KCORE_ALIGN;
		f.d.hdr.dumpmag_paddr = f.d.vars_paddr + 8;
		dump_map_set(&f.d.map, idx, 1, DUMP_KEEP);
		states[idx] = DUMP_KEEP;
		make_lists(states);
		write_and_compare();
		fakedump_fini(&f);
	}
}

/* This test checks the first, second, last but one and last page of a run, and
 * a run of one page, as the dumpmag page, with neighbours kept or not. */
static void
dump_tables_dumpmag_page_is_cut_out(void **state)
{
	static const unsigned int at[] = { 0, 1, 50, 156, 157, 158, 926, 927,
		928, 1306 };
	uint8_t states[1307];
	unsigned int i, around;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (around = 0; around < 4; around++) {
			start(i);
			memset(states, DUMP_KEEP, sizeof(states));
			if (around & 1 && at[i] > 0)
				states[at[i] - 1] = DUMP_ZERO;
			if (around & 2 && at[i] < 1306)
				states[at[i] + 1] = DUMP_ZERO;
			f.d.vars_paddr = at[i] < 158 ? 1 + at[i] :
			    at[i] < 926 ? 256 + at[i] - 158 :
			    at[i] < 927 ? 1500 : 2000 + at[i] - 927;
			f.d.vars_paddr *= KCORE_ALIGN;
			f.d.hdr.dumpmag_paddr = f.d.vars_paddr + 8;
			dump_map_set(&f.d.map, 0, 1307, DUMP_KEEP);
			if (around & 1 && at[i] > 0)
				dump_map_set(&f.d.map, at[i] - 1, 1, DUMP_ZERO);
			if (around & 2 && at[i] < 1306)
				dump_map_set(&f.d.map, at[i] + 1, 1, DUMP_ZERO);
			make_lists(states);
			write_and_compare();
			fakedump_fini(&f);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_tables_random_maps),
		cmocka_unit_test(dump_tables_dumpmag_page_is_cut_out),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
