/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runs_test.c: physical addresses to CORE_DATA offsets, and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kvm_private.h"

#define NSEGS	1000u

static kvm_t nobody;

static const phys_ram_seg_t few[] = {
	{ 0x5000, 0x1000 },		/* dumpmag's page */
	{ 0x1000, 0x4000 },
	{ 0x6000, 0x2000 },
	{ 0x100000000, 0x3000 },
};

static const kcore_exclseg_t excls[] = {
	{ 0x2800, 0x100, KCORE_EXCL_UNREADABLE, 0 },
	{ 0x8000, 0x1000, KCORE_EXCL_ZERO, 0 },
	{ 0x100001000, 0x1000, KCORE_EXCL_DAMAGED, 0 },
};

static void
expect(const struct kvmi_runs *r, kpaddr_t pa, unsigned int kind, uint64_t off,
    uint64_t len)
{
	struct kvmi_place p;

	kvmi_runs_find(r, pa, &p);
	assert_int_equal(p.kind, kind);
	if (kind == KVMI_MEM_DATA)
		assert_int_equal(p.off, off);
	assert_int_equal(p.len, len);
}

/* This test checks that dumpmag's page comes first and splits its run. */
static void
runs_find_first_segment_is_looked_at_first(void **state)
{
	struct kvmi_runs r;

	(void)state;
	assert_int_equal(kvmi_runs_init(&nobody, &r, few, 4, NULL, 0, 0xa000),
	    0);
	expect(&r, 0x5004, KVMI_MEM_DATA, 4, 0xffc);
	expect(&r, 0x1000, KVMI_MEM_DATA, 0x1000, 0x4000);
	expect(&r, 0x4fff, KVMI_MEM_DATA, 0x4fff, 1);
	expect(&r, 0x6000, KVMI_MEM_DATA, 0x5000, 0x2000);
	expect(&r, 0x100002fff, KVMI_MEM_DATA, 0x9fff, 1);
	kvmi_runs_fini(&r);
}

/* This test checks that where there is no memory the hole's length is told. */
static void
runs_find_hole_is_no_memory(void **state)
{
	struct kvmi_runs r;

	(void)state;
	assert_int_equal(kvmi_runs_init(&nobody, &r, few, 4, NULL, 0, 0xa000),
	    0);
	expect(&r, 0, KVMI_MEM_NONE, 0, 0x1000);
	expect(&r, 0x8000, KVMI_MEM_NONE, 0, 0x100000000 - 0x8000);
	expect(&r, 0x100003000, KVMI_MEM_NONE, 0, UINT64_MAX - 0x100003000);
	kvmi_runs_fini(&r);
}

/* This test checks that exclsegs[] are answered before memsegs[]. */
static void
runs_find_excluded_says_kind(void **state)
{
	struct kvmi_runs r;

	(void)state;
	assert_int_equal(kvmi_runs_init(&nobody, &r, few, 4, excls, 3, 0xa000),
	    0);
	expect(&r, 0x2000, KVMI_MEM_DATA, 0x2000, 0x800);
	expect(&r, 0x2880, KCORE_EXCL_UNREADABLE, 0, 0x80);
	expect(&r, 0x2900, KVMI_MEM_DATA, 0x2900, 0x2700);
	expect(&r, 0x8000, KCORE_EXCL_ZERO, 0, 0x1000);
	expect(&r, 0x9000, KVMI_MEM_NONE, 0, 0x100000000 - 0x9000);
	expect(&r, 0x100001fff, KCORE_EXCL_DAMAGED, 0, 1);
	kvmi_runs_fini(&r);
}

/* This test checks that what was never written is missing. */
static void
runs_find_past_valid_is_missing(void **state)
{
	struct kvmi_runs r;

	(void)state;
	assert_int_equal(kvmi_runs_init(&nobody, &r, few, 4, NULL, 0, 0x2000),
	    0);
	expect(&r, 0x1800, KVMI_MEM_DATA, 0x1800, 0x800);
	expect(&r, 0x2000, KCORE_EXCL_MISSING, 0, 0x3000);
	expect(&r, 0x6000, KCORE_EXCL_MISSING, 0, 0x2000);
	kvmi_runs_fini(&r);
}

/* This test checks that all pages of many runs are found, there and back. */
static void
runs_find_and_at_agree_on_many_runs(void **state)
{
	static phys_ram_seg_t segs[NSEGS];
	struct kvmi_runs r;
	struct kvmi_place p;
	uint64_t off = 0, n, len;
	kpaddr_t pa = 0x10000, back;
	size_t i;

	(void)state;
	segs[0] = (phys_ram_seg_t){ 0x3000, 0x1000 };
	for (i = 1; i < NSEGS; i++) {
		segs[i].start = pa;
		segs[i].size = 0x1000 * (1 + i * 7 % 5);
		pa += segs[i].size + 0x1000 * (i % 3);
	}
	assert_int_equal(kvmi_runs_init(&nobody, &r, segs, NSEGS, NULL, 0,
	    UINT64_MAX), 0);
	for (i = 0; i < NSEGS; i++)
		for (n = 0; n < segs[i].size; n += 0x1000, off += 0x1000) {
			kvmi_runs_find(&r, segs[i].start + n + 5, &p);
			assert_int_equal(p.kind, KVMI_MEM_DATA);
			assert_int_equal(p.off, off + 5);
			assert_int_equal(p.len, segs[i].size - n - 5);
			assert_true(kvmi_runs_at(&r, off + 5, &back, &len));
			assert_int_equal(back, segs[i].start + n + 5);
			assert_int_equal(len, segs[i].size - n - 5);
		}
	assert_false(kvmi_runs_at(&r, off, &back, &len));
	kvmi_runs_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_find_first_segment_is_looked_at_first),
		cmocka_unit_test(runs_find_hole_is_no_memory),
		cmocka_unit_test(runs_find_excluded_says_kind),
		cmocka_unit_test(runs_find_past_valid_is_missing),
		cmocka_unit_test(runs_find_and_at_agree_on_many_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
