// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_fit_test.c: dumps whose window is too small for all of memory, down to
 * one that has room for the early record alone; and tables that are too large.
 */
#include <stdlib.h>

#include "fakedump.h"

#define PFN(n)	((kpaddr_t)(n) * KCORE_ALIGN)
#define MIB(n)	((uint64_t)(n) << 20)

static struct fakedump f;

static const struct dump_ram big_ram[] = {
	{ PFN(16), 6000, 0 },
	{ PFN(8000), 1, 0 },
	{ PFN(9000), 6000, 0 },
};

/* Is p given up before q? */
static bool
worth_less(kpaddr_t p, kpaddr_t q)
{
	int vp = fakeos_vital(p) ? -1 : fakeos.value[p / KCORE_ALIGN];
	int vq = fakeos_vital(q) ? -1 : fakeos.value[q / KCORE_ALIGN];

	return vp != vq ? vp > vq : p > q;
}

/*
 * The dump is complete but for pages given up: each page is there and right, or
 * listed as truncated; the pages given up are those worth least.  How many.
 */
static uint64_t
check_truncated(void)
{
	const kcore_trailer_t *t = fakedump_trailer(&f);
	kpaddr_t best_gone = 0, worst_kept = 0, pa;
	uint8_t is[KCORE_ALIGN], want[KCORE_ALIGN];
	uint64_t gone = 0, i, off;
	unsigned int r;

	assert_int_equal(t->state, KCORE_STATE_COMPLETE);
	if (!raw_header(&f.raw, t) || !raw_verify(&f.raw, t))
		fail_msg("%s", f.raw.why);
	for (r = 0; r < f.d.map.nram; r++)
		for (i = 0; i < f.ram[r].npages; i++) {
			pa = f.ram[r].start + i * KCORE_ALIGN;
			if (!raw_find(&f.raw, pa, &off)) {
				assert_int_equal(raw_excl(&f.raw, t, pa),
				    KCORE_EXCL_TRUNCATED);
				gone++;
				if (best_gone == 0 || worth_less(best_gone, pa))
					best_gone = pa;
				continue;
			}
			assert_int_equal(raw_excl(&f.raw, t, pa), 0);
			raw_data(&f.raw, t, off, is, sizeof(is));
			fakeos_page(want, pa);
			assert_memory_equal(is, want, sizeof(is));
			if (pa != fakeos.vars_paddr && (worst_kept == 0 ||
			    worth_less(pa, worst_kept)))
				worst_kept = pa;
		}
	if (gone > 0 && worst_kept != 0)
		assert_true(worth_less(best_gone, worst_kept));
	assert_int_equal(f.raw.hdr->counts[KCORE_COUNT_TRUNCATED], gone);
	assert_int_equal(f.raw.hdr->counts[KCORE_COUNT_DUMPED] + gone,
	    f.raw.hdr->counts[KCORE_COUNT_RAM]);
	assert_int_equal(f.raw.hdr->flags, gone > 0 ? KCORE_F_TRUNCATED : 0);
	return gone;
}

/* This test checks that a window short of a few pages costs just those pages,
 * also where the dumpmag page is the one that is worth least. */
static void
dump_fit_short_window_costs_what_is_short(void **state)
{
	/* Page 0, header, 1307 pages, two checksum pages, the end. */
	const uint64_t all = (1 + 1 + 1307 + 2) * KCORE_ALIGN + MIB(4);
	uint64_t shorter, gone;
	unsigned int vars;

	(void)state;
	for (vars = 300; vars <= 2379; vars += 2079)
		for (shorter = 0; shorter < 6; shorter++) {
			fakeos_reset(1);
			fakeos.level_max = 0;
			fakedump_init(&f, &(struct fakedump_conf){
			    .window = all - shorter * KCORE_ALIGN,
			    .vars_paddr = PFN(vars) });
			assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
			gone = check_truncated();
			assert_int_equal(gone, shorter);
			if (gone > 0)
				fakedump_said(", truncated: the window is too "
				    "small\n");
			else
				fakedump_silent_on("truncated");
			fakedump_fini(&f);
		}
}

/* This test checks that a window too small at level 0 gets the strongest level
 * first, and loses nothing where that is enough. */
static void
dump_fit_stronger_level_before_truncation(void **state)
{
	(void)state;
	fakeos_reset(2);
	fakedump_mixed();
	fakeos_mark(1000, 24, FAKE_ZERO);
	fakedump_init(&f, &(struct fakedump_conf){
	    .window = (1 + 1 + 1300 + 1) * KCORE_ALIGN + MIB(4) });
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	fakedump_check_complete(&f);
	assert_int_equal(fakedump_trailer(&f)->dump_level, 1);
	assert_int_equal(f.raw.hdr->flags, 0);
	fakedump_silent_on("truncated");
	fakedump_fini(&f);
}

/* This test checks that pages are given up in the order of their value, then
 * the last one first, in windows of every size; and vital ones after all others,
 * even where there is no room for all of these. */
static void
dump_fit_truncation_follows_value(void **state)
{
	static const uint64_t windows[] = { MIB(8), MIB(9) + 4096, MIB(20),
		MIB(50) - 4096 };
	uint64_t seed = fakeos_seed("truncation"), pfn;
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		fakeos_reset(seed + i);
		fakeos.level_max = 0;
		for (pfn = 0; pfn < 16000; pfn++)
			fakeos_worth(pfn, 1, fakeos_random(MD_NVALUES));
		/* Large runs too, or the tables take all of a small window. */
		fakeos_worth(100, 1000, 0);
		fakeos_worth(9100, 5000, 5);
		fakeos.vital_pfn = 9300;
		fakeos.nvital = i == 0 ? 4000 : 300;
		fakedump_init(&f, &(struct fakedump_conf){
		    .window = windows[i], .ram = big_ram, .nram = 3,
		    .vars_paddr = PFN(i % 2 ? 9200 : 500) });
		assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
		assert_true(check_truncated() > 100);
		fakedump_fini(&f);
	}
}

/* This test checks that a dump that is truncated fills its window. */
static void
dump_fit_truncated_dump_fills_the_window(void **state)
{
	(void)state;
	fakeos_reset(3);
	fakeos.level_max = 0;
	fakedump_init(&f, &(struct fakedump_conf){ .window = MIB(8),
	    .ram = big_ram, .nram = 3 });
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	(void)check_truncated();
	assert_in_range(fakedump_trailer(&f)->dumplo, KCORE_ALIGN,
	    3 * KCORE_ALIGN);
	fakedump_fini(&f);
}

static enum fake_kind
zero_or_poison(uint64_t pfn)
{
	return pfn % 2 ? FAKE_ZERO : FAKE_POISON;
}

static enum fake_kind
all_plain(uint64_t pfn)
{
	(void)pfn;
	return FAKE_PLAIN;
}

/* This test checks that where not even the tables fit the early record is there
 * all the same, and the trailer says why no more is. */
static void
dump_fit_no_room_for_tables_keeps_early_record(void **state)
{
	const struct dump_ram ram[] = { { PFN(1), 400000, 0 } };
	const kcore_trailer_t *t;
	kcore_early_t e;
	char log[2000];

	(void)state;
	fakeos_reset(4);
	fakeos.kind_fn = zero_or_poison;
	fakedump_init(&f, &(struct fakedump_conf){ .window = MIB(8),
	    .level = 1, .ram = ram, .nram = 1 });
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ENOSPC);
	t = fakedump_trailer(&f);
	assert_int_equal(t->seq, 2);
	assert_int_equal(t->state, KCORE_STATE_FAILED);
	assert_int_equal(t->error, ENOSPC);
	assert_int_equal(t->dumplo, 0);
	assert_true(raw_early(&f.raw, t, &e, log, sizeof(log)));
	assert_string_equal(e.panicstr, FAKE_PANIC);
	fakedump_said("dump failed: error 28 after 0 of 0 MiB: the window is "
	    "too small\n");
	fakedump_fini(&f);
}

static enum fake_kind
zero_cache_or_plain(uint64_t pfn)
{
	return pfn % 2 == 0 ? FAKE_PLAIN : pfn % 4 == 1 ? FAKE_ZERO :
	    FAKE_CACHE;
}

/* This test checks that tables past their limit are made smaller by keeping the
 * small holes between kept pages, and that those count as dumped alone. */
static void
dump_fit_too_many_runs_are_merged(void **state)
{
	const struct dump_ram ram[] = { { PFN(2), 6800000, 0 } };
	uint64_t nmem, nexcl, npages;

	(void)state;
	fakeos_reset(5);
	fakeos.kind_fn = zero_cache_or_plain;
	fakedump_init(&f, &(struct fakedump_conf){ .window = MIB(30000),
	    .level = KCORE_LEVEL_ZERO | KCORE_LEVEL_CACHE,
	    .ram = ram, .nram = 1 });
	dump_map_set(&f.d.map, 0, ram[0].npages, DUMP_KEEP);
	/* Early record, trailer, and then nothing any more. */
	f.dev.fault = MEMDEV_REFUSE;
	f.dev.fault_op = DUMPDEV_WRITE;
	f.dev.fault_nth = 3;
	f.dev.fault_forever = true;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -EIO);
	dump_tables_count(&f.d, &nmem, &nexcl, &npages);
	assert_in_range(nmem, 1, 3);
	assert_int_equal(npages, 6800000 - 1);
	assert_in_range(f.d.l.hdr_size, 1, 8192);
	/* The last page was left out, with none behind it to be kept for. */
	assert_int_equal(f.d.hdr.counts[KCORE_COUNT_DUMPED], npages);
	assert_int_equal(f.d.hdr.counts[KCORE_COUNT_ZERO], 1);
	assert_int_equal(f.d.hdr.counts[KCORE_COUNT_CACHE], 0);
	fakedump_fini(&f);
}

/* This test checks that the watchdog is fed while much memory is looked at that
 * is all alike, which is one question and one answer. */
static void
dump_fit_watchdog_is_fed_while_looking(void **state)
{
	const struct dump_ram ram[] = { { PFN(1), 400000, 0 } };

	(void)state;
	fakeos_reset(6);
	fakeos.kind_fn = all_plain;
	fakeos.classify_us = 25;	/* ten seconds for all */
	fakeos.whole_answers = true;
	fakedump_init(&f, &(struct fakedump_conf){ .window = MIB(2000),
	    .ram = ram, .nram = 1 });
	f.dev.fault = MEMDEV_REFUSE;
	f.dev.fault_op = DUMPDEV_WRITE;
	f.dev.fault_nth = 3;
	f.dev.fault_forever = true;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -EIO);
	md_watchdog();
	assert_in_range(fakeos.hungry_us, 1, 1000000);
	fakedump_fini(&f);
}

/* This test checks that a page that could not be read is not called truncated
 * in a dump that is. */
static void
dump_fit_unreadable_is_not_truncated(void **state)
{
	const kcore_trailer_t *t;

	(void)state;
	fakeos_reset(7);
	fakeos.level_max = 0;
	fakeos_mark(20, 2, FAKE_POISON);
	fakedump_init(&f, &(struct fakedump_conf){ .window = MIB(8),
	    .ram = big_ram, .nram = 3 });
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	t = fakedump_trailer(&f);
	assert_true(raw_header(&f.raw, t));
	assert_int_equal(raw_excl(&f.raw, t, PFN(20)), KCORE_EXCL_UNREADABLE);
	assert_int_equal(raw_excl(&f.raw, t, PFN(21)), KCORE_EXCL_UNREADABLE);
	assert_true(f.d.hdr.flags & KCORE_F_TRUNCATED);
	fakedump_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_fit_short_window_costs_what_is_short),
		cmocka_unit_test(dump_fit_stronger_level_before_truncation),
		cmocka_unit_test(dump_fit_truncation_follows_value),
		cmocka_unit_test(dump_fit_truncated_dump_fills_the_window),
		cmocka_unit_test(
		    dump_fit_no_room_for_tables_keeps_early_record),
		cmocka_unit_test(dump_fit_too_many_runs_are_merged),
		cmocka_unit_test(dump_fit_watchdog_is_fed_while_looking),
		cmocka_unit_test(dump_fit_unreadable_is_not_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
