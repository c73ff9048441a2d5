/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm_test.c: dumpon(8)'s logic, over a tree of files in place of the kernel's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "armid.h"
#include "dumpon.h"
#include "fake.h"
#include "mkdump.h"

#define PARTITION	"/dev/nvme0n1p2"
#define SYS_PARTITION	"/sys/devices/nvme0n1/nvme0n1p2"
#define POST_NOTIFIERS	\
	"/sys/module/kernel/parameters/crash_kexec_post_notifiers"
#define SWAP		"SWAPSPACE2"

static const struct dumpon_opts partition = { .device = PARTITION };

static int
setup(void **state)
{
	(void)state;
	fake_create();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fake_destroy();
	return 0;
}

static void
assert_said(const char *said, const char *what)
{
	if (strstr(said, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, said);
}

static void
assert_unsaid(const char *said, const char *what)
{
	if (strstr(said, what) != NULL)
		fail_msg("\"%s\" is in: %s", what, said);
}

/* Arms; returns what was said. */
static const char *
assert_armed(const struct dumpon_opts *opts)
{
	const char *said;
	int r;

	fake_listen();
	r = dumpon_arm(opts);
	said = fake_said();
	if (r != 0)
		fail_msg("refused: %s", said);
	assert_said(fake_text("/dev/swapcore"), "\narm\n");
	return said;
}

/* Refused with one line that has what in it, and the module is not asked. */
static void
assert_refused(const struct dumpon_opts *opts, const char *what)
{
	const char *said;
	int r;

	fake_listen();
	r = dumpon_arm(opts);
	said = fake_said();
	assert_int_equal(r, -1);
	assert_said(said, what);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_string_equal(fake_text("/dev/swapcore"), "");
}

/* This test checks that the module gets exactly the text of dump(4), with the
 * id that was noted, and whole pages. */
static void
arm_partition_sends_text(void **state)
{
	char expected[512], id[33];

	(void)state;
	fake_partition(SWAP);
	assert_armed(&partition);
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
	const struct dumpon_opts disk = { .device = "/dev/vda" };

	(void)state;
	fake_disk(SWAP);
	assert_armed(&disk);
	assert_said(fake_text("/dev/swapcore"), "disk 254:0\n");
	assert_said(fake_text("/dev/swapcore"), "extent 0 131072\n");
}

/* This test checks that a dump partition's label will do in place of swap. */
static void
arm_label_is_taken(void **state)
{
	FILE *fp;

	(void)state;
	fake_partition("");
	fp = fopen(fake_path(PARTITION), "r+");
	assert_non_null(fp);
	fputs("SWAPCLBL", fp);
	fclose(fp);
	assert_armed(&partition);
}

/* This test checks that what was armed is printed: driver, sizes, fit. */
static void
arm_prints_what_was_armed(void **state)
{
	const char *said;

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/moved", "pvpanic_panic_notify\nfoo\n");
	said = assert_armed(&partition);
	assert_said(said, PARTITION " armed: driver nvme, window 64.0 MiB, "
	    "1.0 MiB of memory held\n");
	assert_said(said, "a dump may need 32.0 MiB: fits\n");
	assert_said(said, "moved behind the dump: pvpanic_panic_notify foo\n");
	assert_unsaid(said, "warning");
}

/* This test checks that a window that is too small is said to be so. */
static void
arm_small_window_says_does_not_fit(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/swapcore/estimate", "67108865\n");
	assert_said(assert_armed(&partition), "does not fit");
}

/* This test checks that the module's own reason is the one line. */
static void
arm_module_refuses_shows_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_remove("/dev/swapcore");
	fake_file("/sys/kernel/swapcore/reason", "no driver; do this\n");
	assert_refused(&partition, "no driver; do this\n");
}

/* This test checks each kind of device that a dump must not go to. */
static void
arm_unfit_device_refused(void **state)
{
	const struct dumpon_opts disk = { .device = "/dev/vda" };
	const struct dumpon_opts blank = { .device = "/dev/a b" };
	const struct dumpon_opts none = { .device = "/dev/none" };
	const struct dumpon_opts file = { .device = "/proc/partitions" };

	(void)state;
	fake_partition("");
	assert_refused(&partition, "not swap space");
	fake_partition_signature("S1SUSPEND");
	assert_refused(&partition, "hibernated");
	fake_partition_signature(SWAP);
	fake_file(SYS_PARTITION "/ro", "1\n");
	assert_refused(&partition, "read-only");
	fake_file(SYS_PARTITION "/ro", "0\n");
	fake_file(SYS_PARTITION "/size", "16383\n");
	assert_refused(&partition, "at least 8192 KiB");
	fake_file(SYS_PARTITION "/size", "131072\n");
	fake_file(SYS_PARTITION "/holders/dm-0", "");
	assert_refused(&partition, "dm-0");
	fake_remove(SYS_PARTITION "/holders/dm-0");
	fake_file("/proc/self/mountinfo", "22 1 259:2 / / rw - ext4 x rw\n");
	assert_refused(&partition, "mounted");
	assert_refused(&blank, "blank");
	assert_refused(&none, "/dev/none");
	fake_file("/proc/partitions", "");
	assert_refused(&file, "not a block device");
	fake_disk(SWAP);
	fake_file("/sys/devices/vda/vda1/partition", "1\n");
	assert_refused(&disk, "has partitions");
	assert_string_equal(fake_text(ARMID_DIR "/armid"), "");
}

/* This test checks that each virtual disk is refused, with the remedy. */
static void
arm_virtual_disk_refused(void **state)
{
	static const char *const names[] = {
		"dm-0", "loop0", "md127", "nbd0", "zram0",
	};
	const struct dumpon_opts disk = { .device = "/dev/vda" };
	char target[64];
	size_t i;

	(void)state;
	fake_disk(SWAP);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fake_remove("/sys/dev/block/254:0");
		snprintf(target, sizeof(target), "../../devices/%s", names[i]);
		fake_link("/sys/dev/block/254:0", target);
		assert_refused(&disk, "name a swap partition");
	}
}

/* This test checks that an open encrypted volume is a reason to refuse, unless
 * its secrets may be written in clear. */
static void
arm_crypt_volume_open_needs_word(void **state)
{
	const struct dumpon_opts accept = {
		.device = PARTITION, .accept_secrets = true,
	};

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid", "CRYPT-LUKS2-0123-home\n");
	fake_file("/sys/block/dm-3/dm/name", "home\n");
	assert_refused(&partition, "volume home is open");
	assert_armed(&accept);
}

/* This test checks that a volume that is not encrypted is no reason. */
static void
arm_plain_volume_is_no_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid", "LVM-0123\n");
	assert_armed(&partition);
}

/* This test checks that the other CPUs' registers are asked for. */
static void
arm_without_kdump_sets_post_notifiers(void **state)
{
	(void)state;
	fake_partition(SWAP);
	assert_armed(&partition);
	assert_int_equal(fake_text(POST_NOTIFIERS)[0], 'Y');
}

/* This test checks that who goes first is left to the administrator where a
 * kdump kernel is loaded, and said. */
static void
arm_with_kdump_warns_and_leaves_order(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/kexec_crash_loaded", "1\n");
	assert_said(assert_armed(&partition), "no dump will be written");
	assert_int_equal(fake_text(POST_NOTIFIERS)[0], 'N');
	fake_file(POST_NOTIFIERS, "Y\n");
	assert_said(assert_armed(&partition), "once the dump is written");
}

/* This test checks the warnings about a panic that leads nowhere. */
static void
arm_panic_leads_nowhere_warns(void **state)
{
	const char *said;

	(void)state;
	fake_partition(SWAP);
	fake_file("/proc/sys/kernel/panic", "0\n");
	fake_file("/proc/sys/kernel/panic_on_oops", "0\n");
	said = assert_armed(&partition);
	assert_said(said, "sysctl -w kernel.panic=10");
	assert_said(said, "sysctl -w kernel.panic_on_oops=1");
}

/* Puts a dump on the partition, with or without its id on the list. */
static void
make_dump(uint32_t state, bool known)
{
	struct mkdump_spec spec;
	struct mkdump_info info;
	char line[128], hex[33];

	mkdump_init(&spec);
	spec.state = state;
	if (mkdump_write(&spec, fake_path(PARTITION), &info) == -1)
		fail_msg("%s", info.err);
	armid_text(hex, spec.arm_id);
	snprintf(line, sizeof(line), "%s 1 " PARTITION "\n",
	    known ? hex : "00000000000000000000000000000001");
	fake_file(ARMID_DIR "/armid", line);
}

/* This test checks that a dump that was not saved is not armed over, whether
 * it was finished or not, unless forced. */
static void
arm_unsaved_dump_refused(void **state)
{
	const struct dumpon_opts force = { .device = PARTITION, .force = true };
	uint32_t s;

	(void)state;
	fake_partition(SWAP);
	for (s = KCORE_STATE_INPROGRESS; s <= KCORE_STATE_FAILED; s++) {
		make_dump(s, true);
		assert_refused(&partition, "not saved");
	}
	assert_armed(&force);
}

/* This test checks that saved dumps and strangers' dumps are armed over. */
static void
arm_saved_or_unknown_dump_is_no_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	make_dump(KCORE_STATE_SAVED, true);
	assert_armed(&partition);
	make_dump(KCORE_STATE_COMPLETE, false);
	assert_armed(&partition);
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

/* This test checks the list: nothing, why not, and the device. */
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
	assert_string_equal(fake_said(), "none\n");
	fake_file("/sys/kernel/swapcore/reason", "it was removed\n");
	fake_listen();
	status_list(&verbose);
	assert_string_equal(fake_said(), "none: it was removed\n");
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/device", PARTITION "\n");
	fake_listen();
	status_list(&plain);
	assert_string_equal(fake_said(), PARTITION "\n");
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arm_partition_sends_text),
		TEST(arm_whole_disk_sends_its_own_number),
		TEST(arm_label_is_taken),
		TEST(arm_prints_what_was_armed),
		TEST(arm_small_window_says_does_not_fit),
		TEST(arm_module_refuses_shows_reason),
		TEST(arm_unfit_device_refused),
		TEST(arm_virtual_disk_refused),
		TEST(arm_crypt_volume_open_needs_word),
		TEST(arm_plain_volume_is_no_reason),
		TEST(arm_without_kdump_sets_post_notifiers),
		TEST(arm_with_kdump_warns_and_leaves_order),
		TEST(arm_panic_leads_nowhere_warns),
		TEST(arm_unsaved_dump_refused),
		TEST(arm_saved_or_unknown_dump_is_no_reason),
		TEST(off_writes_disarm),
		TEST(list_tells_device_or_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
