// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_list_test.c: several devices, of which the first ones fail in every way
 * that there is.
 */
#include "fakedump.h"

#define NDEVICES	3u

static struct fakedump f[NDEVICES];
static const struct dump_device *list[NDEVICES + 1];
static unsigned int nruns;

static const struct dump_ram ram[] = {
	{ 1 * KCORE_ALIGN, 158, 0 },
	{ 256 * KCORE_ALIGN, 400, 0 },
};

/* All dump what the first has armed; each has a disk of its own. */
static void
setup(unsigned int n)
{
	unsigned int i, k;

	fakeos_reset(21);
	fakedump_mixed();
	fakeos.read_us = 8000;
	nruns = 0;
	memset(list, 0, sizeof(list));
	for (i = 0; i < n; i++) {
		fakedump_init(&f[i], &(struct fakedump_conf){
		    .window = (8u + i) << 20, .slot_len = 262144 >> i,
		    .nslots = 4 - i, .next = 1 + i, .level = 1 + 15 * i,
		    .ram = ram, .nram = 2 });
		for (k = 0; k < KCORE_IDLEN; k++)
			f[i].device.dump_id[k] ^= (uint8_t)(i << 2);
		list[i] = &f[i].device;
	}
}

static void
teardown(unsigned int n)
{
	while (n-- > 0)
		fakedump_fini(&f[n]);
}

static int
run(struct dump *d, const char *panicstr)
{
	nruns++;
	return dump_run(d, panicstr);
}

static int
dump_all(void)
{
	return dump_list_run(&f[0].d, list, FAKE_PANIC, run);
}

/* f[i] is asked about the dump that f[0]'s core has made. */
static void
take_result(unsigned int i)
{
	f[i].d.level = f[0].d.level;
	f[i].d.trailer = f[0].d.trailer;
	f[i].d.seq_begin = f[0].d.seq_begin;
}

/* This test checks that the first device gets the dump where nothing is wrong
 * with it, and that the others are not touched. */
static void
dump_list_good_device_ends_it(void **state)
{
	(void)state;
	setup(2);
	assert_int_equal(dump_all(), 0);
	assert_int_equal(nruns, 1);
	fakedump_check_complete(&f[0]);
	assert_int_equal(fakedump_trailer(&f[0])->device_index, 0);
	fakedump_check_untouched(&f[1]);
	assert_int_equal(f[1].dev.nstarts, 0);
	teardown(2);
}

/* This test checks that an empty list is an error and writes nothing. */
static void
dump_list_without_device_fails(void **state)
{
	(void)state;
	setup(1);
	list[0] = NULL;
	assert_int_equal(dump_all(), -ENODEV);
	fakedump_check_untouched(&f[0]);
	teardown(1);
}

struct death {
	enum memdev_fault fault;
	enum dumpdev_op op;
	bool forever;
};

static const struct death deaths[] = {
	{ MEMDEV_FAIL, DUMPDEV_READ, true },
	{ MEMDEV_FAIL, DUMPDEV_WRITE, false },
	{ MEMDEV_FAIL, DUMPDEV_WRITE, true },
	{ MEMDEV_REFUSE, DUMPDEV_WRITE, true },
	{ MEMDEV_HANG, DUMPDEV_READ, true },
	{ MEMDEV_HANG, DUMPDEV_WRITE, true },
	{ MEMDEV_HANG, DUMPDEV_FLUSH, true },
	{ MEMDEV_BREAK, DUMPDEV_WRITE, true },
	{ MEMDEV_GONE, DUMPDEV_WRITE, true },
	{ MEMDEV_FAIL, DUMPDEV_FLUSH, false },
};
#define NDEATHS	(sizeof(deaths) / sizeof(deaths[0]))

static void
die(unsigned int i, const struct death *death, unsigned int nth)
{
	f[i].dev.fault = death->fault;
	f[i].dev.fault_op = death->op;
	f[i].dev.fault_nth = nth;
	f[i].dev.fault_forever = death->forever;
	f[i].spoilt = true;
}

/* The dump on device i is whole, at its own level, and newer than the one that
 * was begun on the device before it. */
static void
check_next(unsigned int i)
{
	const kcore_trailer_t *t, *before;

	take_result(i);
	fakedump_check_complete(&f[i]);
	t = fakedump_trailer(&f[i]);
	assert_int_equal(t->device_index, i);
	assert_int_equal(t->dump_level, 1 + 15 * i);
	assert_memory_equal(t->arm_id, f[i].device.arm_id, KCORE_IDLEN);
	before = raw_trailers(&f[i - 1].raw);
	if (before != NULL && before->dump_id[0] != 0xee) {
		assert_int_not_equal(before->state, KCORE_STATE_COMPLETE);
		assert_true(t->seq > before->seq);
	}
	assert_int_equal(f[i - 1].dev.nstops, 1);
}

/* This test checks that the second device gets the whole dump, at whatever
 * request and in whatever way the first one fails. */
static void
dump_list_dead_device_gives_way_to_next(void **state)
{
	unsigned int i, nth, failed = 0;

	(void)state;
	for (i = 0; i < NDEATHS; i++) {
		for (nth = 1; nth < 200; nth++) {
			setup(2);
			die(0, &deaths[i], nth);
			assert_int_equal(dump_all(), 0);
			if (nruns == 1) {
				teardown(2);
				break;
			}
			failed++;
			check_next(1);
			fakedump_said("swapcore: dumping to /dev/fake");
			fakedump_said("dump failed");
			teardown(2);
		}
	}
	assert_in_range(failed, 3 * NDEATHS, 200 * NDEATHS);
}

/* This test checks that the last device of three gets the dump where the two
 * before it are dead, one of them holding what it was not armed with. */
static void
dump_list_last_of_three_takes_it(void **state)
{
	(void)state;
	setup(3);
	memdev_page(&f[0].dev, 0)[17] ^= 1;
	die(1, &deaths[5], 6);
	assert_int_equal(dump_all(), 0);
	assert_int_equal(nruns, 3);
	memdev_page(&f[0].dev, 0)[17] ^= 1;
	fakedump_check_untouched(&f[0]);
	check_next(2);
	teardown(3);
}

/* This test checks that the answer is the last device's where all of them fail,
 * and that each of them has been made quiet. */
static void
dump_list_of_dead_devices_fails(void **state)
{
	unsigned int i;

	(void)state;
	setup(3);
	die(0, &deaths[4], 1);
	die(1, &deaths[2], 3);
	die(2, &deaths[8], 2);
	assert_int_equal(dump_all(), -ENXIO);
	assert_int_equal(nruns, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(f[i].dev.nstops, 1);
	teardown(3);
}

static struct fakedump *cut;

static void
cut_now(void *arg)
{
	enum memdev_cut how;

	(void)arg;
	take_result((unsigned int)(cut - f));
	for (how = MEMDEV_CUT_NONE; how <= MEMDEV_CUT_BLOCKS; how++)
		memdev_cut(&cut->dev, how, fakedump_check_claims, cut);
}

/* This test checks that a power cut at any moment of the dump to the second
 * device finds nothing there that is claimed and not true, and the first one's
 * claims as they were. */
static void
dump_list_power_cut_leaves_true_claims(void **state)
{
	(void)state;
	setup(2);
	die(0, &deaths[1], 12);
	cut = &f[1];
	f[1].dev.event = cut_now;
	assert_int_equal(dump_all(), 0);
	f[1].dev.event = NULL;
	assert_int_equal(nruns, 2);
	check_next(1);
	teardown(2);
}

static int
give_back(void **state)
{
	(void)state;
	teardown(NDEVICES);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_list_good_device_ends_it),
		cmocka_unit_test(dump_list_without_device_fails),
		cmocka_unit_test(dump_list_dead_device_gives_way_to_next),
		cmocka_unit_test(dump_list_last_of_three_takes_it),
		cmocka_unit_test(dump_list_of_dead_devices_fails),
		cmocka_unit_test(dump_list_power_cut_leaves_true_claims),
	};

	return cmocka_run_group_tests(tests, NULL, give_back);
}
