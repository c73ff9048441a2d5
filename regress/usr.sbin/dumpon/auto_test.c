/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auto_test.c: what dumpon -a arms.
 */
#include <errno.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/kcore.h>

#include "arming.h"
#include "fake.h"

/* The disk is larger than the partition, or smaller. */
#define DISK_LARGER	" 259 2 65536 nvme0n1p2\n 254 0 131072 vda\n"
#define DISK_SMALLER	" 254 0 32768 vda\n 259 2 65536 nvme0n1p2\n"

static const struct dumpon_opts best = {
	.mode = DUMPON_CONF, .device = "auto", .level = -1,
};

/* Both are swap; what is asked of either is answered for the last made. */
static void
two_devices(const char *partitions)
{
	fake_disk(SWAP);
	fake_partition(SWAP);
	fake_file("/proc/partitions", partitions);
}

static const char *
arm(int expected)
{
	const char *said;
	int r;

	fake_listen();
	r = auto_arm(&best);
	said = fake_said();
	if (r != expected)
		fail_msg("%d: %s", r, said);
	return said;
}

static void
assert_device(const char *device)
{
	char line[64];

	snprintf(line, sizeof(line), "\ndevice %s\n", device);
	assert_said(fake_text("/dev/swapcore"), line);
}

/* This test checks that the largest swap is armed, in whatever order they are
 * listed. */
static void
auto_largest_swap_is_armed(void **state)
{
	(void)state;
	two_devices(DISK_LARGER);
	arm(0);
	assert_device("/dev/vda");
	fake_file("/proc/partitions", DISK_SMALLER);
	arm(0);
	assert_device(PARTITION);
}

/* This test checks that a dump partition goes before larger swap. */
static void
auto_dump_partition_goes_first(void **state)
{
	(void)state;
	fake_disk(SWAP);
	fake_partition("");
	fake_listen();
	assert_int_equal(dumpon_label(&arming_label), 0);
	(void)fake_said();
	fake_file("/proc/partitions", DISK_LARGER);
	arm(0);
	assert_device(PARTITION);
	assert_said(fake_text("/dev/swapcore"), "\nhold 259:2\n");
}

/* This test checks that after a refusal, which is told, the next is tried. */
static void
auto_refused_device_gives_way(void **state)
{
	(void)state;
	two_devices(DISK_SMALLER);
	arming_dump(KCORE_STATE_COMPLETE, true);
	assert_said(arm(0), "holds the dump of a panic");
	assert_device("/dev/vda");
}

/* This test checks that neither small swap, nor memory that is swap, nor what
 * is not swap is looked at, and that the remedy is told once. */
static void
auto_nothing_suits_is_told(void **state)
{
	(void)state;
	fake_disk("");
	fake_partition(SWAP);
	fake_file("/proc/partitions", "major minor  #blocks  name\n\n"
	    " 254 0 131072 vda\n 259 2 8191 nvme0n1p2\n 252 0 99999 zram0\n");
	assert_one_line(arm(-1), "mkswap(8) or dumpon --label");
	assert_string_equal(fake_text("/dev/swapcore"), "");
}

/* This test checks that a swap file in use is tried where there is no other
 * swap, and after any other. */
static void
auto_swap_file_goes_last(void **state)
{
	(void)state;
	fake_file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
	    "/swapfile file 1048572 0 -2\n/dev/vda partition 65532 0 -3\n");
	fake_file("/proc/partitions", "");
	assert_said(arm(-1), "/swapfile: ");
	two_devices(DISK_LARGER);
	arm(0);
	assert_device("/dev/vda");
}

/* This test checks that where all are refused the line after that says so. */
static void
auto_all_refused_is_told(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/proc/partitions", " 259 2 65536 nvme0n1p2\n");
	arming_dump(KCORE_STATE_COMPLETE, true);
	assert_said(arm(-1), ": nothing is armed: put right");
}

/* Stands for modprobe(8). */
int __wrap_posix_spawn(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
    char *const argv[], char *const envp[]);

int
__wrap_posix_spawn(pid_t *pid, const char *path,
    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
    char *const argv[], char *const envp[])
{
	(void)pid;
	(void)path;
	(void)actions;
	(void)attr;
	(void)argv;
	(void)envp;
	return ENOENT;
}

/* This test checks that a module that can't be loaded is told once, however many
 * devices there are. */
static void
auto_no_module_is_told_once(void **state)
{
	char away[PATH_MAX];

	(void)state;
	two_devices(DISK_LARGER);
	snprintf(away, sizeof(away), "%s", fake_path("/sys/kernel/away"));
	assert_int_equal(rename(fake_path(DUMPON_SYSDIR), away), 0);
	assert_one_line(arm(-1), "the module swapcore is not loaded");
}

/* This test checks that device=none arms nothing, and device=PATH that one. */
static void
auto_named_device_is_armed(void **state)
{
	struct dumpon_opts opts = best;

	(void)state;
	two_devices(DISK_LARGER);
	opts.device = "none";
	fake_listen();
	assert_int_equal(auto_arm(&opts), 0);
	assert_one_line(fake_said(), "nothing is armed");
	assert_string_equal(fake_text("/dev/swapcore"), "");
	opts.device = PARTITION;
	fake_listen();
	assert_int_equal(auto_arm(&opts), 0);
	(void)fake_said();
	assert_device(PARTITION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(auto_largest_swap_is_armed),
		TEST(auto_dump_partition_goes_first),
		TEST(auto_refused_device_gives_way),
		TEST(auto_nothing_suits_is_told),
		TEST(auto_swap_file_goes_last),
		TEST(auto_all_refused_is_told),
		TEST(auto_no_module_is_told_once),
		TEST(auto_named_device_is_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
