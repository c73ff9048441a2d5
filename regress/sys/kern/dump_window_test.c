// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_window_test.c: the window's extents and the gate that every transfer
 * passes.
 */
#include "fakeos.h"

#define BLKS(mib)	((uint64_t)(mib) << 11)	/* of 512 bytes */

/* The window is not looked at where _init refuses. */
static int
init(const struct dump_extent *ext, unsigned int next, uint32_t blksize,
    uint64_t disk_nblks)
{
	struct dump_window w;

	return dump_window_init(&w, ext, next, blksize, disk_nblks);
}

/* This test checks that an extent must lie on the disk, to the last block, and
 * that no sum of numbers can hide that it does not. */
static void
dump_window_outside_the_disk_is_refused(void **state)
{
	static const struct {
		struct dump_extent ext;
		uint64_t disk;
		int error;
	} cases[] = {
		{ { 0, BLKS(8) }, BLKS(8), 0 },
		{ { 8, BLKS(8) }, BLKS(8) + 8, 0 },
		{ { 8, BLKS(8) }, BLKS(8) + 7, -EINVAL },
		{ { 0, BLKS(8) }, BLKS(8) - 1, -EINVAL },
		{ { 0, 0 }, BLKS(8), -EINVAL },
		{ { BLKS(9), BLKS(8) }, BLKS(9), -EINVAL },
		{ { UINT64_MAX, BLKS(8) }, BLKS(99), -EINVAL },
		{ { UINT64_MAX - BLKS(8) + 1, BLKS(8) }, BLKS(99), -EINVAL },
		{ { 1, UINT64_MAX }, BLKS(99), -EINVAL },
		{ { 1, UINT64_MAX }, UINT64_MAX, -EINVAL },
		{ { 0, UINT64_MAX }, UINT64_MAX, -EINVAL },
		{ { 0, UINT64_MAX / 512 + 1 + BLKS(8) }, UINT64_MAX, -EINVAL },
		{ { 0, UINT64_MAX / 4096 + 1 + BLKS(8) }, UINT64_MAX,
		    -EINVAL },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(init(&cases[i].ext, 1, 512, cases[i].disk),
		    cases[i].error);
}

/* This test checks that extents may touch, in any order, but not overlap. */
static void
dump_window_overlapping_extents_are_refused(void **state)
{
	struct dump_extent e[3] = { { BLKS(20), BLKS(8) }, { 0, BLKS(4) },
		{ BLKS(4), BLKS(16) } };

	(void)state;
	assert_int_equal(init(e, 3, 512, BLKS(28)), 0);
	e[2].nblks += 8;
	assert_int_equal(init(e, 3, 512, BLKS(28)), -EINVAL);
	e[2].nblks -= 8;
	e[1].nblks += 8;
	assert_int_equal(init(e, 3, 512, BLKS(28)), -EINVAL);
	e[1] = (struct dump_extent){ BLKS(21), 8 };
	assert_int_equal(init(e, 3, 512, BLKS(28)), -EINVAL);
	e[1] = e[0];
	assert_int_equal(init(e, 3, 512, BLKS(28)), -EINVAL);
	e[1] = (struct dump_extent){ 0, BLKS(27) };
	assert_int_equal(init(e, 2, 512, BLKS(28)), -EINVAL);
}

/* This test checks that block sizes, sizes and numbers that can't be are
 * refused, and that the last extent is rounded down. */
static void
dump_window_odd_sizes(void **state)
{
	struct dump_extent e[2] = { { 0, BLKS(4) }, { BLKS(9), BLKS(5) } };
	struct dump_window w;
	uint32_t bad;

	(void)state;
	assert_int_equal(init(e, 0, 512, BLKS(99)), -EINVAL);
	for (bad = 0; bad <= 20000; bad++)
		if (bad != 512 && bad != 1024 && bad != 2048 && bad != 4096)
			assert_int_equal(init(e, 2, bad, BLKS(99)), -EINVAL);
	assert_int_equal(init(e, 2, 4096, BLKS(99)), 0);
	e[0].nblks++;
	assert_int_equal(init(e, 2, 512, BLKS(99)), -EINVAL);
	e[0].nblks--;
	e[1].nblks += 7;
	assert_int_equal(dump_window_init(&w, e, 2, 512, BLKS(99)), 0);
	assert_int_equal(w.size, 9u << 20);
	e[1].nblks = BLKS(4);
	assert_int_equal(init(e, 2, 512, BLKS(99)), 0);
	e[1].nblks--;
	assert_int_equal(init(e, 2, 512, BLKS(99)), -ENOSPC);
	e[1].nblks = 1;
	assert_int_equal(init(e, 2, 512, BLKS(99)), -ENOSPC);
}

/* This test checks that the gate lets nothing pass that is not wholly in the
 * window or not aligned, whatever the numbers. */
static void
dump_window_gate_refuses_what_is_outside(void **state)
{
	static const struct dump_extent e[] = { { 100, BLKS(8) + 5 } };
	static const struct {
		uint64_t off, len;
		int error;
	} cases[] = {
		{ 0, 4096, 0 },
		{ (8 << 20) - 4096, 4096, 0 },
		{ 0, 8 << 20, 0 },
		{ 0, 0, -EINVAL },
		{ 1, 4096, -EINVAL },
		{ 512, 4096, -EINVAL },
		{ 4096, 512, -EINVAL },
		{ 4096, 4097, -EINVAL },
		{ 8 << 20, 4096, -ERANGE },
		{ (8 << 20) - 4096, 8192, -ERANGE },
		{ 4096, 8 << 20, -ERANGE },
		{ 4096, UINT64_MAX - 4095, -ERANGE },
		{ UINT64_MAX - 4095, 4096, -ERANGE },
		{ UINT64_MAX - 4095, UINT64_MAX - 4095, -ERANGE },
		{ 0, UINT64_MAX - 4095, -ERANGE },
	};
	struct dump_window w;
	uint64_t blk;
	uint32_t n;
	unsigned int i;

	(void)state;
	assert_int_equal(dump_window_init(&w, e, 1, 512, BLKS(9)), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		blk = 77;
		n = 77;
		assert_int_equal(dump_window_map(&w, cases[i].off,
		    cases[i].len, &blk, &n), cases[i].error);
		if (cases[i].error == 0) {
			assert_int_equal(blk, 100 + cases[i].off / 512);
			assert_int_equal(n, cases[i].len / 512);
		} else {
			assert_int_equal(blk, 77);
			assert_int_equal(n, 77);
		}
	}
}

/* This test checks the gate against a list of all pages of a window in fifty
 * pieces, with transfers of random places and sizes. */
static void
dump_window_gate_finds_the_pieces(void **state)
{
	static struct dump_extent e[50];
	static uint64_t page_blk[60000], ext_end[60000];
	struct dump_window w;
	uint64_t pages = 0, at = 1, off, len, blk, k;
	uint32_t n;
	unsigned int i;

	(void)state;
	fakeos_reset(fakeos_seed("gate"));
	for (i = 50; i-- > 0; at += fakeos_random(3)) {
		e[i].blk = at;
		e[i].nblks = 4 * (1 + fakeos_random(1000));
		at += e[i].nblks;
	}
	for (i = 0; i < 50; i++)
		for (k = 0; k < e[i].nblks; k += 4) {
			page_blk[pages] = e[i].blk + k;
			ext_end[pages++] = e[i].blk + e[i].nblks;
		}
	assert_int_equal(dump_window_init(&w, e, 50, 1024, at), 0);
	assert_int_equal(w.size, pages * KCORE_ALIGN);
	for (i = 0; i < 20000; i++) {
		off = fakeos_random((uint32_t)pages);
		len = 1 + fakeos_random((uint32_t)(pages - off));
		if (i % 2)
			len = 1 + len % 8;
		if (len > pages - off)
			continue;
		assert_int_equal(dump_window_map(&w, off * KCORE_ALIGN,
		    len * KCORE_ALIGN, &blk, &n), 0);
		assert_int_equal(blk, page_blk[off]);
		k = ext_end[off] - page_blk[off];
		assert_int_equal(n, len * 4 < k ? len * 4 : k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_window_outside_the_disk_is_refused),
		cmocka_unit_test(dump_window_overlapping_extents_are_refused),
		cmocka_unit_test(dump_window_odd_sizes),
		cmocka_unit_test(dump_window_gate_refuses_what_is_outside),
		cmocka_unit_test(dump_window_gate_finds_the_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
