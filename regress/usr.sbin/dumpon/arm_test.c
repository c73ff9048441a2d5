/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm_test.c: how dumpon(8) arms, over a tree of files in place of the
 * kernel's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "armid.h"
#include "arming.h"
#include "fake.h"

/* This test checks that the module gets exactly the text of dump(4), with the
 * id that was noted, and whole pages. */
static void
arm_partition_sends_text(void **state)
{
	char expected[512], id[33];

	(void)state;
	fake_partition(SWAP);
	assert_armed(&arming_partition);
	snprintf(id, sizeof(id), "%s", fake_text(ARMID_DIR "/armid"));
	assert_int_equal(strlen(id), 32);
	snprintf(expected, sizeof(expected),
	    "swapcore 1\n"
	    "device " PARTITION "\n"
	    "disk 259:0\n"
	    "armid %s\n"
	    "bootid 0123456789abcdef0123456789abcdef\n"
	    "level 0\n"
	    "extent 2048 131072\n"
	    "arm\n", id);
	assert_string_equal(fake_text("/dev/swapcore"), expected);
}

/* This test checks that a whole disk is its own disk, from sector 0 on. */
static void
arm_whole_disk_sends_its_own_number(void **state)
{
	const struct dumpon_opts disk = { .device = "/dev/vda", .level = -1 };

	(void)state;
	fake_disk(SWAP);
	assert_armed(&disk);
	assert_said(fake_text("/dev/swapcore"), "disk 254:0\n");
	assert_said(fake_text("/dev/swapcore"), "extent 0 131072\n");
}

/* This test checks that each present CPU's crash note is handed over before the
 * extent, and that a CPU without one is only told of with -v. */
static void
arm_crash_notes_are_sent(void **state)
{
	struct dumpon_opts opts = arming_partition;

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/devices/system/cpu/present", "0-1,10-11\n");
	fake_file("/sys/devices/system/cpu/cpu0/crash_notes", "13f8e1400\n");
	fake_file("/sys/devices/system/cpu/cpu1/crash_notes", "0\n");
	fake_file("/sys/devices/system/cpu/cpu10/crash_notes", "abc0\n");
	fake_file("/sys/devices/system/cpu/cpu3/crash_notes", "fff0\n");
	assert_unsaid(assert_armed(&opts), "registers");
	assert_said(fake_text("/dev/swapcore"), "level 0\n"
	    "crashnote 0 13f8e1400\ncrashnote 10 abc0\nextent 2048 131072\n");
	opts.verbose = true;
	assert_said(assert_armed(&opts), "those of 2 of 4 CPUs");
}

/* This test checks that -d is sent, shown and noted, and that without it the
 * module's own default is. */
static void
arm_level_is_sent_and_noted(void **state)
{
	struct dumpon_opts opts = arming_partition;

	(void)state;
	fake_partition(SWAP);
	opts.level = 1;
	fake_file("/sys/kernel/swapcore/armed_level", "1\n");
	assert_said(assert_armed(&opts), ", dump level 1\n");
	assert_said(fake_text("/dev/swapcore"), "\nlevel 1\n");
	assert_said(fake_text("/sys/kernel/swapcore/level"), "1\n");
	assert_said(fake_text(ARMID_DIR "/armid"), " " PARTITION " 1\n");
	fake_file("/sys/kernel/swapcore/level", "5\n");
	fake_file("/dev/swapcore", "");
	assert_armed(&arming_partition);
	assert_said(fake_text("/dev/swapcore"), "\nlevel 5\n");
}

/* This test checks that what became of the device armed before is said. */
static void
arm_replaced_device_is_told(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/device", PARTITION "\n");
	assert_unsaid(assert_armed(&arming_partition), "any more");
	fake_listen();
	status_replaced("/dev/vdb2\n" PARTITION "\n/dev/nvme0n1p", false);
	assert_string_equal(fake_said(), "/dev/vdb2 is not armed any more\n"
	    "/dev/nvme0n1p is not armed any more\n");
}

/* This test checks that a refusal tells whether the device armed before still
 * is. */
static void
arm_refused_tells_of_old_device(void **state)
{
	const char *said;

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/device", "/dev/vdb2\n");
	fake_remove("/dev/swapcore");
	fake_listen();
	assert_int_equal(dumpon_arm(&arming_partition), -1);
	assert_said(fake_said(), "/dev/vdb2 is still armed\n");
	fake_file("/sys/kernel/swapcore/state", "disarmed\n");
	fake_listen();
	status_replaced("/dev/vdb2", true);
	said = fake_said();
	assert_one_line(said, "/dev/vdb2 was armed before, and is not");
}

/* This test checks that what was armed is printed: driver, sizes, fit. */
static void
arm_prints_what_was_armed(void **state)
{
	const char *said;

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/moved", "pvpanic_panic_notify\nfoo\n");
	said = assert_armed(&arming_partition);
	assert_said(said, PARTITION " armed: driver nvme, window 64.0 MiB, "
	    "1.0 MiB of memory held, dump level 0\n");
	assert_said(said, "a dump may need 32.0 MiB now: fits\n");
	assert_said(said, "moved behind the dump: pvpanic_panic_notify foo\n");
	assert_unsaid(said, "warning");
}

static void
watchdog_file(unsigned int number, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/watchdog/watchdog%u/%s",
	    number, name);
	fake_file(path, text);
}

static void
watchdog(unsigned int number, const char *identity, const char *state)
{
	watchdog_file(number, "identity", identity);
	watchdog_file(number, "state", state);
	watchdog_file(number, "timeout", "30\n");
}

/* This test checks that of the watchdogs those are warned of that run, can fire
 * after a panic, and are not fed by the module. */
static void
arm_watchdog_not_fed_warns(void **state)
{
	const char *said;

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/watchdogs",
	    "i6300ESB timer\niTCO_wdt\n");
	watchdog(0, "iTCO_wdt\n", "active\n");
	watchdog(1, "Software Watchdog\n", "active\n");
	watchdog(3, "HPE iLO2+ HW Watchdog Timer\n", "inactive\n");
	said = assert_armed(&arming_partition);
	assert_unsaid(said, "warning");
	watchdog(3, "iTCO\n", "active\n");
	said = assert_armed(&arming_partition);
	assert_said(said, "warning: the watchdog \"iTCO\" may reset the "
	    "machine 30 s after a panic");
}

/* This test checks that a window that is too small is said to be so. */
static void
arm_small_window_says_does_not_fit(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/estimate", "67108865\n");
	assert_said(assert_armed(&arming_partition), "does not fit");
}

/* This test checks that the other CPUs' registers are asked for. */
static void
arm_without_kdump_sets_post_notifiers(void **state)
{
	(void)state;
	fake_partition(SWAP);
	assert_armed(&arming_partition);
	assert_int_equal(fake_text(POST_NOTIFIERS)[0], 'Y');
}

/* This test checks that disarming is asked for, and only where needed. */
static void
off_writes_disarm(void **state)
{
	const struct dumpon_opts off = { .mode = DUMPON_OFF };

	(void)state;
	assert_int_equal(dumpon_off(&off), 0);
	assert_string_equal(fake_text("/sys/kernel/swapcore/disarm"), "");
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	assert_int_equal(dumpon_off(&off), 0);
	assert_string_equal(fake_text("/sys/kernel/swapcore/disarm"), "1\n");
}

/* This test checks the list: nothing, why not, and the device with the level
 * that is armed, not that of the next arming. */
static void
list_tells_device_or_reason(void **state)
{
	const struct dumpon_opts plain = { .mode = DUMPON_LIST };
	const struct dumpon_opts verbose = {
		.mode = DUMPON_LIST, .verbose = true,
	};

	(void)state;
	fake_listen();
	status_list(&plain);
	assert_string_equal(fake_said(),
	    "none: dumpon -a arms a device, or says why not\n");
	fake_file("/sys/kernel/swapcore/reason", "it was removed\n");
	fake_listen();
	status_list(&verbose);
	assert_string_equal(fake_said(), "none: it was removed\n");
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/reason", "\n");
	fake_file("/sys/kernel/swapcore/device", PARTITION "\n");
	fake_file("/sys/kernel/swapcore/level", "0\n");
	fake_file("/sys/kernel/swapcore/armed_level", "1\n");
	fake_listen();
	status_list(&plain);
	assert_string_equal(fake_said(), PARTITION ": dump level 1\n"
	    "a dump may need 32.0 MiB now: fits\n");
	fake_listen();
	status_list(&verbose);
	assert_said(fake_said(), ", dump level 1\n");
	fake_file("/sys/kernel/kexec_crash_loaded", "1\n");
	fake_listen();
	status_list(&plain);
	assert_said(fake_said(), "\na kdump kernel is loaded and goes first");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arm_partition_sends_text),
		TEST(arm_whole_disk_sends_its_own_number),
		TEST(arm_crash_notes_are_sent),
		TEST(arm_level_is_sent_and_noted),
		TEST(arm_replaced_device_is_told),
		TEST(arm_refused_tells_of_old_device),
		TEST(arm_prints_what_was_armed),
		TEST(arm_watchdog_not_fed_warns),
		TEST(arm_small_window_says_does_not_fit),
		TEST(arm_without_kdump_sets_post_notifiers),
		TEST(off_writes_disarm),
		TEST(list_tells_device_or_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
