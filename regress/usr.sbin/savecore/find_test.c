/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_test.c: which dumps are found, and which are believed.
 */
#include <sys/stat.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* This test checks that a device without a dump is told from an error. */
static void
no_dump_is_said(void **state)
{
	struct sandbox *s = *state;

	sandbox_file(s, "/dev/empty", "");
	assert_int_equal(truncate(sandbox_path(s, "/dev/empty"), 16 << 20), 0);
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/empty"));
	assert_int_equal(check(s), 1);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "no core dump");
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 1);
}

/* This test checks that a dump of a stranger is refused without -f. */
static void
save_unknown_armid_refused(void **state)
{
	struct sandbox *s = *state;
	char remedy[2 * sizeof(s->image)];

	sandbox_file(s, "/var/lib/swapcore/armid",
	    "00112233445566778899aabbccddeeff 1 /dev/x\n");
	snprintf(remedy, sizeof(remedy), "savecore -f -D %s saves it",
	    s->image);
	assert_refused(s, save(s), "was not armed by this system");
	sandbox_assert_said(s, "/var/lib/swapcore/armid");
	sandbox_assert_said(s, remedy);
	assert_int_equal(check(s), 1);
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 1);
	assert_true(sandbox_untouched(s));
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a dump is known although much was armed since, as a
 * machine does whose dump can't be saved: eight devices at each of 100 boots. */
static void
save_armid_of_long_ago_is_known(void **state)
{
	struct sandbox *s = *state;
	FILE *fp;
	int i;

	fp = fopen(sandbox_path(s, "/var/lib/swapcore/armid"), "a");
	assert_non_null(fp);
	for (i = 0; i < 800; i++)
		fprintf(fp, "%032x 1 /dev/x%d 31\n", 1 + i / 8, i % 8);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(save(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a dump from another time is refused without -f. */
static void
save_unreasonable_time_refused(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	uint64_t days = 61ull * 24 * 3600 * 1000000000;

	sandbox_spec(&spec);
	spec.time_ns -= days;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "dump time is unreasonable");
	spec.time_ns += 2 * days;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "dump time is unreasonable");
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* Two dumps that are found, through fstab and through /proc/partitions. */
static void
two_dumps(struct sandbox *s)
{
	struct mkdump_spec spec;
	char first[sizeof(s->image)];

	strcpy(first, s->image);
	sandbox_spec(&spec);
	spec.panicstr = "the older one";
	spec.time_ns -= 3600ull * 1000000000;
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/swap1"));
	sandbox_image(s, &spec);
	strcpy(s->image, first);
	sandbox_spec(&spec);
	spec.panicstr = "the newer one";
	sandbox_image(s, &spec);
	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n"
	    "/dev/none none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n");
	sandbox_file(s, "/proc/partitions", "major minor  #blocks  name\n\n"
	    " 259        1   65536 swap0\n 259        2   65536 swap1\n");
}

/* This test checks that dumps are found without -D, and that the newest is
 * saved first. */
static void
find_two_dumps_newest_first(void **state)
{
	struct sandbox *s = *state;

	two_dumps(s);
	assert_int_equal(sandbox_run(s, "-n", NULL), 0);
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "the newer one");
	sandbox_assert_said(s, "swap1: has an older dump");
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "the older one");
	assert_true(sandbox_has(s, "linux.1.core"));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	sandbox_assert_said(s, "no core dump");
}

/* This test checks that of a list of devices that can't be read it is said that
 * dumps may not be found, that a line of fstab that makes no sense is passed over,
 * and that what is found is saved. */
static void
find_unreadable_list_is_told(void **state)
{
	struct sandbox *s = *state;

	sandbox_file(s, "/etc/fstab", "nonsense\n/dev/swap0 none swap sw 0 0\n");
	sandbox_file(s, "/proc/partitions/x", "");
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "/proc/partitions: dumps may not be found: Is a "
	    "directory\n");
	assert_null(strstr(s->said, "fstab"));
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that where saving the newest dump fails the older one can be
 * saved as it is said. */
static void
find_older_dump_is_named_for_saving(void **state)
{
	struct sandbox *s = *state;
	char older[96], said[256];

	two_dumps(s);
	snprintf(older, sizeof(older), "%s", sandbox_path(s, "/dev/swap1"));
	s->inject_at = "pwrite64";
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	s->inject_at = NULL;
	snprintf(said, sizeof(said), "has an older dump: savecore -D %s saves "
	    "it\n", older);
	sandbox_assert_said(s, said);
	assert_int_equal(sandbox_run(s, "-D", older, s->dir, NULL), 0);
	sandbox_assert_said(s, "the older one");
}

/* This test checks that a dump partition is found by its label alone. */
static void
find_label_in_partitions(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.page0 = MKDUMP_LABEL;
	sandbox_image(s, &spec);
	sandbox_file(s, "/proc/partitions", " 259        1   65536 swap0\n");
	assert_int_equal(sandbox_run(s, "-n", NULL), 0);
}

/* This test checks that swap that was turned on too early is saved but never
 * written: what is written there would end up in somebody's memory. */
static void
save_swap_in_use_kept(void **state)
{
	struct sandbox *s = *state;
	char text[256];

	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n"
	    "/dev/swap0 partition 8188 0 -2\n");
	sandbox_file(s, "/proc/swaps", text);
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	sandbox_assert_said(s, "run savecore before swapon");
	sandbox_assert_said(s, "can't be cleared: swapoff(8)");
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_true(sandbox_untouched(s));
	assert_int_equal(sandbox_run(s, "-c", NULL), 1);
	assert_int_equal(sandbox_run(s, "-f", "--wipe", s->dir, NULL), 1);
	assert_true(sandbox_untouched(s));
}

/* This test checks that -c clears what it can, and fails where a device that may
 * have a dump can't be looked at. */
static void
clear_unreadable_device_is_a_failure(void **state)
{
	struct sandbox *s = *state;

	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n");
	sandbox_file(s, "/proc/partitions", " 259 1 65536 swap0\n");
	assert_int_equal(mkdir(sandbox_path(s, "/dev/swap1"), 0755), 0);
	assert_int_equal(sandbox_run(s, "-c", NULL), 1);
	sandbox_assert_said(s, "/dev/swap1: ");
	assert_int_equal(check(s), 1);
	assert_int_equal(rmdir(sandbox_path(s, "/dev/swap1")), 0);
	assert_int_equal(sandbox_run(s, "-c", NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_dump_is_said),
		TEST(save_unknown_armid_refused),
		TEST(save_armid_of_long_ago_is_known),
		TEST(save_unreasonable_time_refused),
		TEST(clear_unreadable_device_is_a_failure),
		TEST(find_two_dumps_newest_first),
		TEST(find_unreadable_list_is_told),
		TEST(find_older_dump_is_named_for_saving),
		TEST(find_label_in_partitions),
		TEST(save_swap_in_use_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
