// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_seq_test.c: whole dumps of a small memory, read back by a reader that
 * knows only kcore(5); and dumps that must not begin.
 */
#include <stdlib.h>

#include <xxhash.h>

#include "fakedump.h"

#define PFN(n)	((kpaddr_t)(n) * KCORE_ALIGN)

static struct fakedump f;

/* A dump that must come out whole. */
static void
dump_whole(const struct fakedump_conf *conf)
{
	fakedump_init(&f, conf);
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	fakedump_check_complete(&f);
	fakedump_said("swapcore: dump complete: ");
	fakedump_silent_on("fail");
	fakedump_silent_on("truncated");
	assert_int_equal(f.dev.nstops, 1);
}

/* This test checks that every page, table and record of a dump at level 0 is on
 * the medium, on disks with both block sizes. */
static void
dump_seq_level_0_has_every_page(void **state)
{
	uint32_t blksize;

	(void)state;
	for (blksize = 512; blksize <= 4096; blksize *= 8) {
		fakeos_reset(1);
		fakedump_mixed();
		dump_whole(&(struct fakedump_conf){ .blksize = blksize });
		fakedump_check_claims(&f);
		fakedump_fini(&f);
	}
}

/* This test checks that zero pages and filtered pages are left out and listed,
 * each kind as itself, and counted. */
static void
dump_seq_levels_list_what_they_leave_out(void **state)
{
	static const uint32_t levels[] = { 1, 2, 8, 17, 31 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		fakeos_reset(i);
		fakedump_mixed();
		dump_whole(&(struct fakedump_conf){ .level = levels[i] });
		assert_int_equal(fakedump_trailer(&f)->dump_level, levels[i]);
		fakedump_check_claims(&f);
		fakedump_fini(&f);
	}
}

/* This test checks that the dumpmag page comes first and only there, wherever
 * it lies in its run and whatever was said of it. */
static void
dump_seq_dumpmag_page_is_first_and_once(void **state)
{
	/* First, middle and last of a range; a range of one page; zero, cache,
	 * poison; no RAM at all, in a hole, before and behind all. */
	static const unsigned int pfns[] = { 1, 100, 158, 1023, 1500, 263, 257,
		299, 290, 502, 2379, 1499, 0, 2380 };
	unsigned int i;
	uint32_t level;

	(void)state;
	for (i = 0; i < sizeof(pfns) / sizeof(pfns[0]); i++)
		for (level = 0; level <= 31; level += 31) {
			fakeos_reset(i);
			fakedump_mixed();
			fakeos_mark(pfns[i] == 2379 ? 2379 : 0, 1, FAKE_PLAIN);
			fakedump_init(&f, &(struct fakedump_conf){
			    .level = level, .vars_paddr = PFN(pfns[i]) });
			f.d.vars_paddr = PFN(pfns[i]);
			fakeos.vars_paddr = f.d.vars_paddr;
			f.d.hdr.dumpmag_paddr = f.d.vars_paddr + FAKE_MAGOFF;
			assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
			fakedump_check_claims(&f);
			if (pfns[i] != 1499 && pfns[i] != 0 && pfns[i] != 2380)
				fakedump_check_complete(&f);
			fakedump_fini(&f);
		}
}

/* This test checks that a dump to fifty strewn extents is the same dump, also
 * where neither extents nor slots are multiples of each other. */
static void
dump_seq_fifty_extents_hold_the_dump(void **state)
{
	uint64_t seed = fakeos_seed("fifty extents");
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		fakeos_reset(seed + i);
		fakedump_mixed();
		dump_whole(&(struct fakedump_conf){
		    .next = 50, .blksize = i % 2 ? 4096 : 512,
		    .slot_len = 4096 * (1 + fakeos_random(40)),
		    .nslots = 2 + fakeos_random(8), .level = i % 3 });
		fakedump_check_claims(&f);
		fakedump_fini(&f);
	}
}

/* This test checks that contents which change while the dump is written do not
 * upset it: the sums are of what went to the disk. */
static void
dump_seq_memory_that_changes_is_summed_as_written(void **state)
{
	(void)state;
	fakeos_reset(3);
	fakedump_mixed();
	fakeos_mark(600, 50, FAKE_RACY);
	dump_whole(&(struct fakedump_conf){ .level = 1 });
	assert_int_equal(fakeos.nracy, 50);
	fakedump_fini(&f);
}

/* This test checks that pages which can't be read after all are listed in the
 * trailer, neighbours as one range, and that what is past its room is counted.
 */
static void
dump_seq_late_pages_are_listed_or_counted(void **state)
{
	const kcore_trailer_t *t;
	unsigned int i;

	(void)state;
	fakeos_reset(4);
	for (i = 0; i < KCORE_LATE_MAX + 5; i++)
		fakeos_mark(300 + 3 * i, 2, FAKE_LATE);
	fakedump_init(&f, &(struct fakedump_conf){ .vars_paddr = PFN(2) });
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	fakedump_check_claims(&f);
	t = fakedump_trailer(&f);
	assert_int_equal(t->nlate, KCORE_LATE_MAX);
	assert_int_equal(t->late_lost, 5);
	for (i = 0; i < KCORE_LATE_MAX; i++) {
		assert_int_equal(t->late[i].start, PFN(300 + 3 * i));
		assert_int_equal(t->late[i].size, 2 * KCORE_ALIGN);
	}
	fakedump_fini(&f);
}

/* This test checks that a slow dump notes from time to time how far it is, says
 * so, and feeds the watchdog. */
static void
dump_seq_slow_dump_makes_checkpoints(void **state)
{
	const kcore_trailer_t *t;

	(void)state;
	fakeos_reset(5);
	fakedump_mixed();
	fakeos.read_us = 3900;	/* 1 s for each chunk */
	dump_whole(&(struct fakedump_conf){ 0 });
	fakedump_check_claims(&f);
	t = fakedump_trailer(&f);
	/* Two to begin with, 5.1 MiB at one in 2 s or more, the last. */
	assert_in_range(t->seq, 4, 6);
	fakedump_said(" of 5 MiB, ");
	md_watchdog();
	assert_in_range(fakeos.hungry_us, 1, 1100000);
	fakedump_fini(&f);
}

/* This test checks that a log and notes of any size fit the early record, the
 * notes of a thousand CPUs included. */
static void
dump_seq_early_record_fits_its_buffer(void **state)
{
	static const size_t logs[] = { 0, 1, 4096, 1u << 20 };
	static const size_t notes[] = { 0, 8, 4096, 131072, 258048, 400000 };
	kcore_early_t e;
	unsigned int i, k;
	char *log;

	(void)state;
	log = malloc(DUMP_EARLY_BUF);
	for (i = 0; i < 4; i++)
		for (k = 0; k < 6; k++) {
			fakeos_reset(6);
			fakeos.log_len = logs[i];
			fakeos.notes_len = notes[k];
			dump_whole(&(struct fakedump_conf){ 0 });
			assert_true(raw_early(&f.raw, fakedump_trailer(&f), &e,
			    log, DUMP_EARLY_BUF));
			assert_int_equal(e.notes_size,
			    notes[k] <= DUMP_EARLY_BUF / 2 ? notes[k] : 0);
			assert_in_range(e.log_size, logs[i] < 100000 ? logs[i] :
			    100000, logs[i]);
			fakedump_fini(&f);
		}
	free(log);
}

/* This test checks that no write goes to a disk whose first page is another one
 * than when armed. */
static void
dump_seq_changed_first_page_stops_all_writes(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < KCORE_ALIGN; i += 273) {
		fakeos_reset(7);
		fakedump_init(&f, &(struct fakedump_conf){ 0 });
		memdev_page(&f.dev, 0)[i] ^= 0x10;
		f.page0[i] ^= 0x10;
		f.device.page0 = malloc(KCORE_ALIGN);
		memcpy(f.device.page0, f.page0, KCORE_ALIGN);
		f.device.page0[i] ^= 0x10;
		assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ESTALE);
		fakedump_check_untouched(&f);
		fakedump_said("not the one it was armed with; nothing is "
		    "written");
		free(f.device.page0);
		fakedump_fini(&f);
	}
}

static const char *
lost(struct dump *d)
{
	assert_ptr_equal(d, &f.d);
	return "the mapping is another";
}

/* This test checks that no write goes to a window that is said to be lost, not
 * even where its first page is as it was. */
static void
dump_seq_lost_window_stops_all_writes(void **state)
{
	(void)state;
	fakeos_reset(9);
	fakedump_init(&f, &(struct fakedump_conf){ 0 });
	f.d.lost = lost;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ESTALE);
	fakedump_check_untouched(&f);
	fakedump_said("dump failed: the mapping is another; nothing is "
	    "written");
	fakedump_fini(&f);
}

/* The sums of the first pages of all extents but the first. */
static uint64_t *
firsts(unsigned int next)
{
	uint64_t *sums = calloc(next, sizeof(*sums));
	uint64_t off = 0;
	unsigned int i;

	for (i = 1; i < next; i++) {
		off += f.ext[i - 1].nblks * f.d.w.blksize;
		sums[i] = XXH64(memdev_page(&f.dev, off), KCORE_ALIGN, 0);
	}
	return sums;
}

/* This test checks that a changed first page of any extent stops all writes,
 * where the extents are ours, and that it does not where they are not. */
static void
dump_seq_changed_extent_stops_all_writes(void **state)
{
	const struct fakedump_conf conf = { .next = 5, .blksize = 4096 };
	char text[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		fakeos_reset(10);
		fakedump_init(&f, &conf);
		f.device.firsts = firsts(5);
		if (i > 0) {
			f.device.firsts[i] ^= 1;
			assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ESTALE);
			fakedump_check_untouched(&f);
			snprintf(text, sizeof(text), "first page of extent %u "
			    "is not the one", i);
			fakedump_said(text);
		} else {
			assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
			fakedump_check_complete(&f);
		}
		free(f.device.firsts);
		f.device.firsts = NULL;
		fakedump_fini(&f);
	}
}

/* This test checks that a hibernation image is never written over, and that the
 * console says why. */
static void
dump_seq_hibernation_image_stops_all_writes(void **state)
{
	uint8_t armed[KCORE_ALIGN];

	(void)state;
	fakeos_reset(8);
	fakedump_init(&f, &(struct fakedump_conf){ 0 });
	memcpy(armed, f.page0, sizeof(armed));
	memcpy(f.page0 + KCORE_ALIGN - 10, "S1SUSPEND", 10);
	memcpy(memdev_page(&f.dev, 0), f.page0, KCORE_ALIGN);
	f.device.page0 = armed;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ESTALE);
	fakedump_check_untouched(&f);
	fakedump_said("hibernation image; nothing is written");
	fakedump_fini(&f);
}

/* This test checks that a device that can't be read, started, or used as the
 * core needs it gets no write, and that the console says why. */
static void
dump_seq_useless_device_gets_no_write(void **state)
{
	static const enum memdev_fault faults[] = { MEMDEV_FAIL, MEMDEV_REFUSE,
		MEMDEV_HANG, MEMDEV_BREAK, MEMDEV_GONE };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		fakeos_reset(9);
		fakedump_init(&f, &(struct fakedump_conf){ 0 });
		f.dev.fault = faults[i];
		f.dev.fault_op = DUMPDEV_READ;
		f.dev.fault_nth = 1;
		f.dev.fault_forever = true;
		assert_true(dump_run(&f.d, FAKE_PANIC) < 0);
		fakedump_check_untouched(&f);
		fakedump_said("dump failed: the device's first page can't be "
		    "read: ");
		assert_int_equal(f.dev.nstops, 1);
		fakedump_fini(&f);
	}
	for (i = 0; i < 2; i++) {
		fakeos_reset(10);
		fakedump_init(&f, &(struct fakedump_conf){ 0 });
		if (i == 0)
			f.dev.gone = true;
		else
			f.dev.dd.nslots = 1;
		assert_true(dump_run(&f.d, FAKE_PANIC) < 0);
		fakedump_check_untouched(&f);
		fakedump_said("can't take over the dump device: ");
		assert_int_equal(f.dev.nstops, 1);
		f.dev.dd.nslots = 4;
		fakedump_fini(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_seq_level_0_has_every_page),
		cmocka_unit_test(dump_seq_levels_list_what_they_leave_out),
		cmocka_unit_test(dump_seq_dumpmag_page_is_first_and_once),
		cmocka_unit_test(dump_seq_fifty_extents_hold_the_dump),
		cmocka_unit_test(
		    dump_seq_memory_that_changes_is_summed_as_written),
		cmocka_unit_test(dump_seq_late_pages_are_listed_or_counted),
		cmocka_unit_test(dump_seq_slow_dump_makes_checkpoints),
		cmocka_unit_test(dump_seq_early_record_fits_its_buffer),
		cmocka_unit_test(dump_seq_changed_first_page_stops_all_writes),
		cmocka_unit_test(dump_seq_lost_window_stops_all_writes),
		cmocka_unit_test(dump_seq_changed_extent_stops_all_writes),
		cmocka_unit_test(dump_seq_hibernation_image_stops_all_writes),
		cmocka_unit_test(dump_seq_useless_device_gets_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
