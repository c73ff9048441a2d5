// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_power_test.c: the power is cut at every moment of a dump at which what
 * is on the medium can change, and any part of what was not flushed is lost.
 */
#include "fakedump.h"

static struct fakedump f;
static unsigned int ncuts;

static void
cut_now(void *arg)
{
	enum memdev_cut how;

	for (how = MEMDEV_CUT_NONE; how <= MEMDEV_CUT_BLOCKS; how++) {
		memdev_cut(&f.dev, how, fakedump_check_claims, arg);
		ncuts++;
	}
	memdev_cut(&f.dev, MEMDEV_CUT_BLOCKS, fakedump_check_claims, arg);
}

static void
cut_all_along(const struct fakedump_conf *conf, uint64_t seed, uint64_t read_us)
{
	fakeos_reset(seed);
	fakedump_mixed();
	fakeos.read_us = read_us;
	fakedump_init(&f, conf);
	f.dev.event = cut_now;
	f.dev.arg = &f;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	f.dev.event = NULL;
	/* Said to be complete: then it is, whatever was not flushed. */
	memdev_cut(&f.dev, MEMDEV_CUT_NONE, fakedump_check_claims, &f);
	fakedump_check_complete(&f);
	fakedump_fini(&f);
}

/* This test checks that at no moment do the trailers claim what is not on the
 * medium, and that from the first one on one of them is whole. */
static void
dump_power_cut_leaves_true_claims(void **state)
{
	uint64_t seed = fakeos_seed("power cut");

	(void)state;
	ncuts = 0;
	cut_all_along(&(struct fakedump_conf){ .window = 12u << 20,
	    .slot_len = 131072 }, seed, 4000);
	cut_all_along(&(struct fakedump_conf){ .window = 10u << 20,
	    .slot_len = 262144, .nslots = 8, .next = 20, .level = 31 },
	    seed + 1, 9000);
	cut_all_along(&(struct fakedump_conf){ .window = 10u << 20,
	    .slot_len = 262144, .nslots = 2, .blksize = 4096, .level = 31 },
	    seed + 2, 0);
	assert_true(ncuts > 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_power_cut_leaves_true_claims),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
