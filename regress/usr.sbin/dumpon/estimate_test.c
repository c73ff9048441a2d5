/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * estimate_test.c: what dumpon -e makes of the kernel's counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arming.h"
#include "fake.h"

/* 1024 MiB, of which 512 are free, 128 processes' and 256 cache. */
static void
counts(void)
{
	fake_file("/proc/zoneinfo",
	    "Node 0, zone      DMA\n  pages free     1\n"
	    "        present  65536\n        managed  65000\n"
	    "Node 0, zone    DMA32\n        present  196608\n");
	fake_file("/proc/vmstat", "nr_free_pages 131072\n"
	    "nr_anon_pages 32768\nnr_file_pages 65536\nnr_dirty 3\n");
}

static const char *
estimated(int level, const char *device, int wanted)
{
	const struct dumpon_opts opts = {
		.mode = DUMPON_ESTIMATE, .level = level, .device = device,
	};
	const char *said;
	int r;

	fake_listen();
	r = estimate(&opts);
	said = fake_said();
	if (r != wanted)
		fail_msg("%d, said: %s", r, said);
	return said;
}

/* This test checks that each class counts where its level keeps it. */
static void
estimate_counts_what_the_level_keeps(void **state)
{
	const char *said;

	(void)state;
	counts();
	said = estimated(31, NULL, 0);
	assert_said(said, "free memory: 512.0 MiB, left out\n");
	assert_said(said, "processes: 128.0 MiB, left out\n");
	assert_said(said, "cache: 256.0 MiB, left out\n");
	assert_said(said, "all else: 128.0 MiB\n");
	assert_said(said, "at level 31 may need 133.0 MiB\n");
	said = estimated(0, NULL, 0);
	assert_unsaid(said, "left out");
	assert_said(said, "at level 0 may need 1029.0 MiB\n");
	assert_said(estimated(16, NULL, 0), "may need 517.0 MiB\n");
	assert_said(estimated(8, NULL, 0), "may need 901.0 MiB\n");
	assert_said(estimated(2, NULL, 0), "may need 1029.0 MiB\n");
	fake_file("/sys/kernel/swapcore/level", "16\n");
	assert_said(estimated(-1, NULL, 0), "at level 16 may need 517.0");
}

/* This test checks that what crashkernel= sets aside is left out as free memory
 * is, and part of nothing else. */
static void
estimate_leaves_out_what_is_set_aside(void **state)
{
	const char *said;

	(void)state;
	counts();
	fake_file("/sys/kernel/kexec_crash_size", "67108864\n");
	said = estimated(31, NULL, 0);
	assert_said(said, "set aside for a crash kernel: 64.0 MiB, left out\n");
	assert_said(said, "all else: 64.0 MiB\n");
	assert_said(said, "at level 31 may need 69.0 MiB\n");
	said = estimated(15, NULL, 0);
	assert_unsaid(said, "64.0 MiB, left out");
	assert_said(said, "may need 645.0 MiB\n");
	fake_file("/sys/kernel/kexec_crash_size", "0\n");
	assert_unsaid(estimated(31, NULL, 0), "set aside");
}

/* This test checks that a device of 64 MiB is said to fit or not, and that one
 * that can't be armed is refused. */
static void
estimate_says_whether_the_device_fits(void **state)
{
	(void)state;
	counts();
	fake_partition(SWAP);
	assert_said(estimated(31, PARTITION, 0),
	    PARTITION ": 64.0 MiB: does not fit");
	fake_file("/proc/vmstat", "nr_free_pages 131072\n"
	    "nr_anon_pages 49152\nnr_file_pages 70000\n");
	assert_said(estimated(31, PARTITION, 0), ": 64.0 MiB: fits\n");
	assert_said(estimated(31, "/dev/none", -1), "/dev/none: No such file");
	assert_string_equal(fake_text("/dev/swapcore"), "");
}

/* This test checks that without a device each that is armed is judged, and no
 * line is printed where none is. */
static void
estimate_without_device_judges_the_armed(void **state)
{
	const char *said;

	(void)state;
	counts();
	fake_file("/sys/kernel/swapcore/device", "\n");
	fake_file("/sys/kernel/swapcore/window", "\n");
	assert_unsaid(estimated(31, NULL, 0), "fit");
	fake_file("/sys/kernel/swapcore/device", "/dev/vda2\n/dev/sda\n");
	fake_file("/sys/kernel/swapcore/window", "67108864\n268435456\n");
	said = estimated(31, NULL, 0);
	assert_said(said, "\n/dev/vda2: 64.0 MiB: does not fit, and would be cut "
	    "short\n/dev/sda: 256.0 MiB: fits\n");
}

/* This test checks that counts that are not there are an error. */
static void
estimate_without_counts_fails(void **state)
{
	(void)state;
	assert_one_line(estimated(31, NULL, -1), "/proc/zoneinfo");
	counts();
	fake_file("/proc/vmstat", "nr_free_pages 131072\n");
	assert_one_line(estimated(31, NULL, -1),
	    "/proc/vmstat: does not say nr_anon_pages");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(estimate_counts_what_the_level_keeps),
		TEST(estimate_leaves_out_what_is_set_aside),
		TEST(estimate_says_whether_the_device_fits),
		TEST(estimate_without_device_judges_the_armed),
		TEST(estimate_without_counts_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
