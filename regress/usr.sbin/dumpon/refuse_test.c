/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuse_test.c: what dumpon(8) will not arm, and what it warns of, over a tree
 * of files in place of the kernel's.
 */
#include <sys/capability.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "armid.h"
#include "arming.h"
#include "fake.h"

/* This test checks that the module's own reason is the one line. */
static void
arm_module_refuses_shows_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_remove("/dev/swapcore");
	fake_file("/sys/kernel/swapcore/reason", "no driver; do this\n");
	assert_refused(&arming_partition, "no driver; do this\n");
}

/* This test checks each kind of device that a dump must not go to. */
static void
arm_unfit_device_refused(void **state)
{
	const struct dumpon_opts disk = { .device = "/dev/vda", .level = -1 };
	const struct dumpon_opts blank = { .device = "/dev/a b", .level = -1 };
	const struct dumpon_opts none = { .device = "/dev/none", .level = -1 };
	const struct dumpon_opts file = {
		.device = "/proc/partitions", .level = -1,
	};

	(void)state;
	fake_partition("");
	assert_refused(&arming_partition, "not swap space");
	fake_partition_signature("S1SUSPEND");
	assert_refused(&arming_partition, "hibernated");
	fake_partition_signature(SWAP);
	fake_file(SYS_PARTITION "/ro", "1\n");
	assert_refused(&arming_partition, "read-only");
	fake_file(SYS_PARTITION "/ro", "0\n");
	fake_file(SYS_PARTITION "/size", "16383\n");
	assert_refused(&arming_partition, "at least 8192 KiB");
	fake_file(SYS_PARTITION "/size", "131072\n");
	fake_file(SYS_PARTITION "/holders/dm-0", "");
	assert_refused(&arming_partition, "dm-0");
	fake_remove(SYS_PARTITION "/holders/dm-0");
	fake_file("/proc/self/mountinfo", "22 1 259:2 / / rw - ext4 x rw\n");
	assert_refused(&arming_partition, "mounted");
	assert_refused(&blank, "blank");
	assert_refused(&none, "/dev/none");
	fake_file("/proc/partitions", "");
	assert_refused(&file, "neither ext4 nor xfs");
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
		"loop0", "md127", "nbd0", "zram0",
	};
	const struct dumpon_opts disk = { .device = "/dev/vda", .level = -1 };
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
 * its secrets may be written in clear, and that who arms at boot is told the word
 * for that. */
static void
arm_crypt_volume_open_needs_word(void **state)
{
	const struct dumpon_opts accept = {
		.device = PARTITION, .level = -1, .accept_secrets = true,
	};
	const struct dumpon_opts conf = {
		.mode = DUMPON_CONF, .device = PARTITION, .level = -1,
	};

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid", "CRYPT-LUKS2-0123-home\n");
	fake_file("/sys/block/dm-3/dm/name", "home\n");
	assert_refused(&arming_partition, "volume home is open");
	assert_refused(&arming_partition, ": --accept-secrets allows that");
	assert_refused(&conf, ": accept-secrets=yes in swapcore.conf(5) allows");
	assert_armed(&accept);
}

/* This test checks that nothing is armed where nobody can tell whether there is an
 * encrypted volume, unless secrets are accepted. */
static void
arm_crypt_volumes_not_known_refused(void **state)
{
	const struct dumpon_opts accept = {
		.device = PARTITION, .level = -1, .accept_secrets = true,
	};

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid/x", "");
	assert_refused(&arming_partition, "/sys/block/dm-3: Is a directory");
	assert_armed(&accept);
}

/* This test checks that a device beneath an encrypted volume is refused even
 * where secrets are accepted. */
static void
arm_beneath_crypt_volume_refused(void **state)
{
	const struct dumpon_opts accept = {
		.device = PARTITION, .level = -1, .accept_secrets = true,
		.force = true,
	};

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid", "CRYPT-PLAIN-swap\n");
	fake_file("/sys/block/dm-3/dm/name", "swap\n");
	fake_file(SYS_PARTITION "/holders/dm-3", "");
	assert_refused(&accept, "dm-3 is built on top of it");
}

/* This test checks that lockdown for confidentiality refuses, in one line, and
 * for integrity does not. */
static void
arm_locked_down_refused(void **state)
{
	const struct dumpon_opts accept = {
		.device = PARTITION, .level = -1, .accept_secrets = true,
	};

	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/security/lockdown",
	    "none integrity [confidentiality]\n");
	assert_refused(&arming_partition, "locked down for confidentiality");
	assert_refused(&accept, "locked down for confidentiality");
	fake_file("/sys/kernel/security/lockdown",
	    "none [integrity] confidentiality\n");
	assert_armed(&arming_partition);
}

/* Only the capability given. */
static void
keep_capability(cap_value_t value)
{
	cap_t caps = cap_init();

	if (caps == NULL ||
	    cap_set_flag(caps, CAP_PERMITTED, 1, &value, CAP_SET) == -1 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &value, CAP_SET) == -1 ||
	    cap_set_proc(caps) == -1)
		_exit(2);
	cap_free(caps);
}

/* This test checks that one of the two capabilities is not enough, and that
 * this is said in one line. */
static void
caps_one_missing_refused(void **state)
{
	const cap_value_t values[] = { CAP_SYS_ADMIN, CAP_SYS_RAWIO };
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(caps_check(), 0);
	for (i = 0; i < 2; i++) {
		fake_listen();
		pid = fork();
		assert_true(pid != -1);
		if (pid == 0) {
			keep_capability(values[i]);
			_exit(caps_check() == -1 ? 1 : 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_one_line(fake_said(), "CAP_SYS_ADMIN and CAP_SYS_RAWIO");
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}

/* This test checks that the reason of an earlier refusal is not shown where
 * the module could not be asked. */
static void
arm_stale_reason_not_shown(void **state)
{
	const char *said;

	(void)state;
	fake_file("/sys/kernel/swapcore/reason", "something old\n");
	fake_listen();
	errno = EACCES;
	status_warn_reason(DUMPON_CONTROL);
	said = fake_said();
	assert_one_line(said, "/dev/swapcore: Permission denied");
}

/* This test checks that a volume that is not encrypted is no reason. */
static void
arm_plain_volume_is_no_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/block/dm-3/dm/uuid", "LVM-0123\n");
	assert_armed(&arming_partition);
}

/* This test checks that who goes first is left to the administrator where a
 * kdump kernel is loaded, and said. */
static void
arm_with_kdump_warns_and_leaves_order(void **state)
{
	(void)state;
	fake_partition(SWAP);
	fake_file("/sys/kernel/kexec_crash_loaded", "1\n");
	assert_said(assert_armed(&arming_partition), "no dump will be written");
	assert_int_equal(fake_text(POST_NOTIFIERS)[0], 'N');
	fake_file(POST_NOTIFIERS, "Y\n");
	assert_said(assert_armed(&arming_partition),
	    "once the dump is written");
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
	said = assert_armed(&arming_partition);
	assert_said(said, "sysctl -w kernel.panic=1");
	assert_said(said, "sysctl -w kernel.panic_on_oops=1");
}

/* This test checks that a dump that was not saved is not armed over, whether
 * it was finished or not, unless forced. */
static void
arm_unsaved_dump_refused(void **state)
{
	const struct dumpon_opts force = {
		.device = PARTITION, .level = -1, .force = true,
	};
	uint32_t s;

	(void)state;
	fake_partition(SWAP);
	for (s = KCORE_STATE_INPROGRESS; s <= KCORE_STATE_FAILED; s++) {
		arming_dump(s, true);
		assert_refused(&arming_partition, "not saved");
	}
	assert_armed(&force);
}

/* This test checks that saved dumps and strangers' dumps are armed over. */
static void
arm_saved_or_unknown_dump_is_no_reason(void **state)
{
	(void)state;
	fake_partition(SWAP);
	arming_dump(KCORE_STATE_SAVED, true);
	assert_armed(&arming_partition);
	arming_dump(KCORE_STATE_COMPLETE, false);
	assert_armed(&arming_partition);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arm_module_refuses_shows_reason),
		TEST(arm_unfit_device_refused),
		TEST(arm_virtual_disk_refused),
		TEST(arm_crypt_volume_open_needs_word),
		TEST(arm_crypt_volumes_not_known_refused),
		TEST(arm_beneath_crypt_volume_refused),
		TEST(arm_locked_down_refused),
		TEST(caps_one_missing_refused),
		TEST(arm_stale_reason_not_shown),
		TEST(arm_plain_volume_is_no_reason),
		TEST(arm_with_kdump_warns_and_leaves_order),
		TEST(arm_panic_leads_nowhere_warns),
		TEST(arm_unsaved_dump_refused),
		TEST(arm_saved_or_unknown_dump_is_no_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
