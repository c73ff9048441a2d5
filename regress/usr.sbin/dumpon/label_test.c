/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label_test.c: dump partitions: made, found, armed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

#include "arming.h"
#include "fake.h"

static void
put(const char *path, const void *buf, size_t len, off_t off)
{
	int fd = open(fake_path(path), O_WRONLY | O_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, buf, len, off), len);
	close(fd);
}

static void
get(kcore_label_t *l)
{
	int fd = open(fake_path(PARTITION), O_RDONLY | O_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(pread(fd, l, sizeof(*l), 0), sizeof(*l));
	close(fd);
}

static const char *
assert_labelled(const struct dumpon_opts *opts)
{
	const char *said;
	int r;

	fake_listen();
	r = dumpon_label(opts);
	said = fake_said();
	if (r != 0)
		fail_msg("refused: %s", said);
	return said;
}

/* Refused with one line, and page 0 stays. */
static void
assert_not_labelled(const struct dumpon_opts *opts, const char *what)
{
	kcore_label_t before, after;
	const char *said;
	int r;

	get(&before);
	fake_listen();
	r = dumpon_label(opts);
	said = fake_said();
	assert_int_equal(r, -1);
	assert_one_line(said, what);
	get(&after);
	assert_memory_equal(&before, &after, sizeof(before));
}

/* This test checks every member of the label against kcore(5), and that nothing
 * but page 0 is written. */
static void
label_empty_partition_gets_label(void **state)
{
	uint64_t sum, now = (uint64_t)time(NULL) * 1000000000u;
	unsigned char next = 0x5a;
	kcore_label_t l;
	size_t i;
	int fd;

	(void)state;
	fake_partition("");
	put(PARTITION, &next, 1, 4096);
	assert_said(assert_labelled(&arming_label),
	    PARTITION " is a dump partition\n");
	get(&l);
	assert_memory_equal(&l, "SWAPCLBL", 8);
	assert_int_equal(l.version, 1);
	assert_int_equal(l.size, 4096);
	assert_string_equal(l.label, "crash");
	assert_int_equal(l.window_size, 64 << 20);
	assert_true(l.made_ns >= now && l.made_ns - now < 60000000000u);
	assert_int_equal(l.uuid[6] >> 4, 4);
	assert_int_equal(l.uuid[8] >> 6, 2);
	for (i = 0; i < sizeof(l.pad); i++)
		assert_int_equal(l.pad[i], 0);
	sum = l.cksum;
	l.cksum = 0;
	assert_int_equal(XXH64(&l, sizeof(l), 0), sum);
	fd = open(fake_path(PARTITION), O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &next, 1, 4096), 1);
	close(fd);
	assert_int_equal(next, 0x5a);
}

/* Something that libblkid takes for swap. */
static void
make_swap(void)
{
	const uint32_t header[] = { 1, 16383 };

	put(PARTITION, header, sizeof(header), 1024);
	put(PARTITION, "SWAPSPACE2", 10, 4086);
}

/* This test checks that what is on the partition is not destroyed without -f,
 * and that -f removes every trace of it. */
static void
label_over_signature_needs_force(void **state)
{
	struct dumpon_opts force = arming_label;
	const char btrfs[] = "_BHRfS_M";
	const char *said;
	uint64_t magic = 1;
	kcore_label_t l;
	int fd;

	(void)state;
	force.force = true;
	fake_partition("");
	make_swap();
	put(PARTITION, btrfs, 8, 65536 + 64);
	assert_not_labelled(&arming_label, ": -f writes it all the same");
	said = assert_labelled(&force);
	assert_said(said, "swap removed\n");
	assert_said(said, "btrfs removed\n");
	get(&l);
	assert_true(label_good(&l));
	fd = open(fake_path(PARTITION), O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &magic, sizeof(magic), 65536 + 64), 8);
	close(fd);
	assert_int_equal(magic, 0);
}

/* This test checks that a partition that has a label keeps it without -f, and
 * gets another id with it. */
static void
label_again_needs_force(void **state)
{
	struct dumpon_opts force = arming_label;
	kcore_label_t before, after;

	(void)state;
	force.force = true;
	fake_partition("");
	assert_labelled(&arming_label);
	get(&before);
	assert_not_labelled(&arming_label, "has a dump label already");
	assert_labelled(&force);
	get(&after);
	assert_memory_not_equal(before.uuid, after.uuid, sizeof(after.uuid));
}

/* This test checks that a dump that was not saved is named before anything else
 * that -f overrides, and that one that was saved is no reason. */
static void
label_over_unsaved_dump_needs_force(void **state)
{
	struct dumpon_opts force = arming_label;

	(void)state;
	force.force = true;
	fake_partition("");
	arming_dump(KCORE_STATE_COMPLETE, true);
	assert_not_labelled(&arming_label, "that was not saved");
	assert_labelled(&force);
	assert_not_labelled(&arming_label, "that was not saved");
	arming_dump(KCORE_STATE_SAVED, true);
	assert_not_labelled(&arming_label, "holds swap");
}

/* This test checks that what is in use is never labelled, not even by force. */
static void
label_in_use_refused(void **state)
{
	struct dumpon_opts force = arming_label;

	(void)state;
	force.force = true;
	fake_partition("");
	fake_file("/proc/swaps", "Filename Type Size Used Priority\n"
	    PARTITION "\tpartition\t65532\t0\t-2\n");
	assert_not_labelled(&force, "is in use as swap");
	fake_file("/proc/swaps", "Filename Type Size Used Priority\n");
	fake_file(SYS_PARTITION "/holders/dm-0", "");
	assert_not_labelled(&force, "dm-0");
	fake_remove(SYS_PARTITION "/holders/dm-0");
	fake_file("/proc/self/mountinfo", "22 1 259:2 / / rw - ext4 x rw\n");
	assert_not_labelled(&force, "mounted");
	fake_file("/proc/self/mountinfo", "");
	fake_file(SYS_PARTITION "/size", "16376\n");
	assert_not_labelled(&force, "at least 8192 KiB");
	fake_file(SYS_PARTITION "/size", "131072\n");
	fake_busy(true);
	assert_not_labelled(&force, "something else has it open");
	fake_busy(false);
	force.label = "this text is longer than 31 bytes";
	assert_not_labelled(&force, "more than 31 bytes");
}

/* This test checks that a dump partition is armed, and held by its own
 * number; swap is not. */
static void
arm_label_is_held(void **state)
{
	(void)state;
	fake_partition("");
	assert_labelled(&arming_label);
	assert_armed(&arming_partition);
	assert_said(fake_text("/dev/swapcore"), "disk 259:0\nhold 259:2\n");
	fake_partition_signature(SWAP);
	fake_file("/dev/swapcore", "");
	assert_armed(&arming_partition);
	assert_unsaid(fake_text("/dev/swapcore"), "hold");
}

/* This test checks that a label is not believed if any byte of it is wrong. */
static void
arm_damaged_label_refused(void **state)
{
	static const off_t at[] = { 8, 16, 32, 64, 80, 4087, 4095 };
	kcore_label_t l;
	unsigned char c;
	size_t i;

	(void)state;
	fake_partition("");
	assert_labelled(&arming_label);
	get(&l);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		c = (unsigned char)~((unsigned char *)&l)[at[i]];
		put(PARTITION, &c, 1, at[i]);
		assert_refused(&arming_partition, "label is damaged");
		put(PARTITION, &l, sizeof(l), 0);
	}
	assert_armed(&arming_partition);
}

/* This test checks that a dump partition is found by its label and by its
 * UUID, and that another is not. */
static void
arm_label_found_by_text_and_uuid(void **state)
{
	struct dumpon_opts opts = arming_partition;
	char uuid[64];
	kcore_label_t l;
	size_t i, n;

	(void)state;
	fake_partition("");
	fake_file("/proc/partitions", "major minor  #blocks  name\n\n"
	    " 259        1   65536 nvme0n1p1\n"
	    " 259        2   65536 nvme0n1p2\n");
	opts.device = "LABEL=crash";
	assert_refused(&opts, "no dump partition has that label");
	assert_labelled(&arming_label);
	assert_armed(&opts);
	assert_said(fake_text("/dev/swapcore"), "device " PARTITION "\n");
	opts.device = "LABEL=cras";
	fake_file("/dev/swapcore", "");
	assert_refused(&opts, "no dump partition has that label");
	get(&l);
	n = (size_t)sprintf(uuid, "UUID=");
	for (i = 0; i < 16; i++)
		n += (size_t)sprintf(uuid + n, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		    l.uuid[i]);
	opts.device = uuid;
	assert_armed(&opts);
}

/* This test checks that a list of partitions that can't be read is told from one
 * without that label. */
static void
arm_label_without_partitions_says_why(void **state)
{
	struct dumpon_opts opts = arming_partition;

	(void)state;
	opts.device = "LABEL=crash";
	assert_refused(&opts, "/proc/partitions: No such file or directory");
	fake_file("/proc/partitions/x", "");
	assert_refused(&opts, "/proc/partitions: Is a directory");
}

/* This test checks that two partitions with one label are not chosen from. */
static void
arm_label_of_two_refused(void **state)
{
	struct dumpon_opts opts = arming_partition;

	(void)state;
	opts.device = "LABEL=crash";
	fake_partition("");
	assert_labelled(&arming_label);
	fake_file("/proc/partitions", " 259        2   65536 nvme0n1p2\n"
	    " 259        2   65536 nvme0n1p2\n");
	assert_refused(&opts, "2 dump partitions have that label");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(label_empty_partition_gets_label),
		TEST(label_over_signature_needs_force),
		TEST(label_again_needs_force),
		TEST(label_over_unsaved_dump_needs_force),
		TEST(label_in_use_refused),
		TEST(arm_label_is_held),
		TEST(arm_damaged_label_refused),
		TEST(arm_label_found_by_text_and_uuid),
		TEST(arm_label_without_partitions_says_why),
		TEST(arm_label_of_two_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
