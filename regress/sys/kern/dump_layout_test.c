// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_layout_test.c: where things go in the window: sizes and places at their
 * edges, and the rules of kcore(5) for sizes of all kinds.
 */
#include "fakeos.h"

#define MIB(n)	((uint64_t)(n) << 20)

/* This test checks that there is a checksum page for each 504 chunks begun. */
static void
dump_layout_cksum_size_at_the_edges(void **state)
{
	static const struct {
		uint64_t data, pages;
	} cases[] = {
		{ 0, 0 }, { 4096, 1 }, { MIB(1), 1 }, { MIB(1) + 4096, 1 },
		{ MIB(504) - 4096, 1 }, { MIB(504), 1 },
		{ MIB(504) + 4096, 2 }, { MIB(1008), 2 },
		{ MIB(1008) + 4096, 3 },
		/* 64 TiB */
		{ 1ull << 46, ((1ull << 26) + 503) / 504 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(dump_cksum_size(cases[i].data),
		    cases[i].pages * KCORE_ALIGN);
}

/* This test checks that the header has room for tables, spare places and notes
 * and is rounded up to 4096. */
static void
dump_layout_hdr_size_at_the_edges(void **state)
{
	/* 8 + 2048 + 64 * 24 = 3592 */
	static const struct {
		uint64_t mem, excl, notes, size;
	} cases[] = {
		{ 0, 0, 0, 4096 }, { 0, 0, 504, 4096 }, { 0, 0, 512, 8192 },
		{ 1, 0, 488, 4096 }, { 1, 0, 496, 8192 },
		{ 1, 1, 464, 4096 }, { 1, 1, 472, 8192 },
		{ 1u << 22, 0, 0, (1u << 26) + 4096 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(dump_hdr_size(cases[i].mem, cases[i].excl,
		    cases[i].notes), cases[i].size);
	assert_true(dump_hdr_size(1u << 22, 1u << 22, 0) > KCORE_CPU_MAX);
}

/* This test checks that records have their places by the window's size alone.
 */
static void
dump_layout_records_are_at_the_end(void **state)
{
	struct dump_layout l = { 0 };

	(void)state;
	dump_layout_fixed(&l, MIB(8));
	assert_int_equal(l.early_off, MIB(4));
	assert_int_equal(l.trailer_off[1], MIB(8) - 8192);
	assert_int_equal(l.trailer_off[0], MIB(8) - 4096);
}

/* This test checks that a dump which fits to the byte is taken, at page 1, and
 * that one of a page more is not, with the number of bytes that it lacks. */
static void
dump_layout_fits_to_the_page(void **state)
{
	struct dump_layout l = { 0 };
	uint64_t excess = 99, room = MIB(64) - MIB(4) - 3 * KCORE_ALIGN;

	(void)state;
	assert_int_equal(dump_layout_plan(&l, MIB(64), 8192, room - 8192,
	    &excess), 0);
	assert_int_equal(excess, 0);
	assert_int_equal(l.dumplo, KCORE_ALIGN);
	assert_int_equal(dump_layout_plan(&l, MIB(64), 8192, room - 4096,
	    &excess), -ENOSPC);
	assert_int_equal(excess, KCORE_ALIGN);
	assert_int_equal(dump_layout_plan(&l, MIB(64), 12288, room + 4096,
	    &excess), -ENOSPC);
	assert_int_equal(excess, 4 * KCORE_ALIGN);
	assert_int_equal(dump_layout_plan(&l, MIB(8), 8192, 1ull << 46,
	    &excess), -ENOSPC);
	assert_true(excess > 1ull << 45);
}

/* This test checks that the parts of any dump that fits are in order, do not
 * overlap, are aligned, and end where the early record begins. */
static void
dump_layout_parts_keep_the_order(void **state)
{
	struct dump_layout l = { 0 };
	uint64_t excess, window, hdr, data;
	unsigned int i, fit = 0;

	(void)state;
	fakeos_reset(fakeos_seed("layout"));
	for (i = 0; i < 20000; i++) {
		window = MIB(8) + (uint64_t)fakeos_random(1u << 20) * 4096;
		hdr = (1 + fakeos_random(1000)) * 4096ull;
		data = (1 + fakeos_random(1u << 20)) * 4096ull;
		if (dump_layout_plan(&l, window, hdr, data, &excess) != 0) {
			assert_true(excess > 0 && excess % 4096 == 0);
			assert_true(4096 + hdr + data +
			    2 * dump_cksum_size(data) + MIB(4) ==
			    window + excess);
			continue;
		}
		fit++;
		assert_true(l.dumplo >= 4096 && l.dumplo % 4096 == 0);
		assert_int_equal(l.data_off, l.dumplo + hdr);
		assert_int_equal(l.cksum_off, l.data_off + data);
		assert_int_equal(l.cksum_size, dump_cksum_size(data));
		assert_int_equal(l.cksum_off + 2 * l.cksum_size, l.end);
		assert_int_equal(l.end, l.early_off);
	}
	assert_in_range(fit, 1000, 19000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_layout_cksum_size_at_the_edges),
		cmocka_unit_test(dump_layout_hdr_size_at_the_edges),
		cmocka_unit_test(dump_layout_records_are_at_the_end),
		cmocka_unit_test(dump_layout_fits_to_the_page),
		cmocka_unit_test(dump_layout_parts_keep_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
