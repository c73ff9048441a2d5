/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_test.c: several dump devices, the next for when the first fails.
 */
#include <linux/fiemap.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "armid.h"
#include "arming.h"
#include "fake.h"
#include "fakefile.h"

#define MIB(n)	((uint64_t)(n) << 20)

static const char *const swapfile[] = { SWAPFILE, NULL };
static const char *const missing[] = { "/dev/missing", SWAPFILE, NULL };

static const struct dumpon_opts arming_two = {
	.device = PARTITION, .more = swapfile, .level = 3,
};
static const struct dumpon_opts arming_missing = {
	.device = PARTITION, .more = missing, .level = 3,
};

static void
two_devices(void)
{
	static const struct fake_extent pieces[] = {
		{ 0, MIB(40), MIB(5), 0 },
		{ MIB(5), MIB(8), MIB(11), FIEMAP_EXTENT_LAST },
	};

	fake_partition(SWAP);
	fakefile_make(MIB(16), SWAP, EXT4_SUPER_MAGIC, 2);
	fakefile_extents(pieces, 2);
}

/* This test checks that the second device is added behind the first, as of the
 * same arming, and that the list of ids names both. */
static void
list_second_device_is_added(void **state)
{
	char *id, *second;

	(void)state;
	two_devices();
	fake_listen();
	assert_int_equal(dumpon_arm(&arming_two), 0);
	(void)fake_said();
	assert_said(fake_text("/dev/swapcore"), "\nadd\n");
	assert_said(fake_text("/dev/swapcore"), "device " SWAPFILE "\n");
	id = strdup(strstr(fake_text("/dev/swapcore"), "\narmid ") + 7);
	id[32] = '\0';
	assert_int_equal(strncmp(fake_text(ARMID_DIR "/armid"), id, 32), 0);
	second = strchr(fake_text(ARMID_DIR "/armid"), '\n') + 1;
	assert_int_equal(strncmp(second, id, 32), 0);
	assert_said(second, " " SWAPFILE " 3\n");
	free(id);
}

/* This test checks that nothing is changed where one device of a list can't be
 * had, but that at boot the others are armed. */
static void
list_bad_device_stops_all_or_is_passed_over(void **state)
{
	struct dumpon_opts boot = arming_missing;
	const char *said;

	(void)state;
	two_devices();
	assert_refused(&arming_missing, "/dev/missing: ");
	boot.any = true;
	fake_listen();
	assert_int_equal(dumpon_arm(&boot), 0);
	said = fake_said();
	assert_said(said, "/dev/missing: ");
	assert_said(said, PARTITION " armed");
	assert_said(said, SWAPFILE " armed, if that fails");
	assert_said(fake_text("/dev/swapcore"), "\nadd\n");
}

/* This test checks that a list with the first device missing begins with the
 * second, and that one of nothing but missing devices is a failure. */
static void
list_without_first_begins_with_second(void **state)
{
	struct dumpon_opts boot = arming_two;

	(void)state;
	two_devices();
	boot.device = "/dev/missing";
	boot.any = true;
	fake_listen();
	assert_int_equal(dumpon_arm(&boot), 0);
	assert_said(fake_said(), SWAPFILE " armed: driver");
	assert_said(fake_text("/dev/swapcore"), "\narm\n");
	boot.more = NULL;
	fake_listen();
	assert_int_equal(dumpon_arm(&boot), -1);
	assert_one_line(fake_said(), "/dev/missing: ");
}

/* This test checks that a list that is too long is refused. */
static void
list_too_long_is_refused(void **state)
{
	static const char *const eight[] = { "a", "b", "c", "d", "e", "f", "g",
		"h", NULL };
	const struct dumpon_opts nine = { .device = PARTITION, .more = eight,
		.level = -1 };

	(void)state;
	fake_partition(SWAP);
	assert_refused(&nine, "9 devices: a list has at most 8");
}

/* This test checks what is told of each device of a list, and why one of them
 * is not armed any more. */
static void
list_each_device_is_told(void **state)
{
	struct dumpon_opts list = { .mode = DUMPON_LIST };

	(void)state;
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/device", "/dev/vda2\n/dev/nvme0n1\n");
	fake_file("/sys/kernel/swapcore/driver", "virtio-blk\nnvme\n");
	fake_file("/sys/kernel/swapcore/window", "67108864\n8388608\n");
	fake_file("/sys/kernel/swapcore/armed_level", "31\n17\n");
	fake_file("/sys/kernel/swapcore/reason", "/dev/sda1: it went\n");
	fake_listen();
	status_list(&list);
	assert_string_equal(fake_said(), "/dev/vda2: dump level 31\n"
	    "/dev/nvme0n1: dump level 17\n"
	    "a dump may need 32.0 MiB now: fits\n/dev/sda1: it went\n");
	list.verbose = true;
	fake_listen();
	status_list(&list);
	assert_string_equal(fake_said(), "/dev/vda2: driver virtio-blk, window "
	    "64.0 MiB, 1.0 MiB of memory held, dump level 31\n"
	    "a dump may need 32.0 MiB now: fits\n"
	    "if that fails, /dev/nvme0n1: driver nvme, window 8.0 MiB, dump "
	    "level 17; a dump would be cut short\n"
	    "/dev/sda1: it went\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_second_device_is_added),
		TEST(list_bad_device_stops_all_or_is_passed_over),
		TEST(list_without_first_begins_with_second),
		TEST(list_too_long_is_refused),
		TEST(list_each_device_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
