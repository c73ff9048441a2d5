/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_test.c: savecore -a, on which it depends whether swap is turned on.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

static void
configure(struct sandbox *s, const char *dir, const char *more)
{
	char text[256];

	snprintf(text, sizeof(text), "directory=%s\n%s", dir, more);
	sandbox_file(s, "/etc/swapcore.conf", text);
}

static int
boot(struct sandbox *s)
{
	return sandbox_run(s, "-a", "-D", s->image, NULL);
}

/* This test checks that a dump is saved where the file says, and cleared, and
 * that there being none afterwards is no failure. */
static void
boot_dump_is_saved_once(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "");
	assert_int_equal(boot(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	sandbox_assert_said(s, "swap0: the dump is saved in");
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "no core dump is left to be saved");
	assert_false(sandbox_has(s, "linux.1.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that who starts it may ignore SIGCHLD, as a bash script with
 * `trap "" CHLD' does. */
static void
boot_with_sigchld_ignored_saves(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "");
	s->no_sigchld = true;
	assert_int_equal(boot(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* One more device, that has a dump an hour older. */
static void
older_dump(struct sandbox *s)
{
	struct mkdump_spec spec;

	configure(s, s->dir, "");
	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n");
	sandbox_file(s, "/proc/partitions", " 259 1 65536 swap0\n");
	sandbox_spec(&spec);
	spec.time_ns -= 3600ull * 1000000000;
	spec.dump_id[0]++;
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/swap1"));
	sandbox_image(s, &spec);
}

/* How often was that said? */
static unsigned int
count_said(const struct sandbox *s, const char *what)
{
	const char *p = s->said;
	unsigned int n = 0;

	while ((p = strstr(p, what)) != NULL) {
		p += strlen(what);
		n++;
	}
	return n;
}

/* This test checks that all dumps of the machine are saved in one run. */
static void
boot_all_dumps_are_saved(void **state)
{
	struct sandbox *s = *state;

	older_dump(s);
	assert_int_equal(sandbox_run(s, "-a", NULL), 0);
	assert_true(sandbox_has(s, "linux.0.core"));
	assert_true(sandbox_has(s, "linux.1.core"));
	assert_null(strstr(s->said, "has an older dump"));
	assert_int_equal(sandbox_run(s, "-n", NULL), 1);
}

/* This test checks that a dump that is damaged, and stays, keeps no other from
 * being saved, is tried once, and makes the exit status 1. */
static void
boot_damaged_dump_does_not_stop_the_others(void **state)
{
	static const struct mkdump_flip flips[] = { { MKDUMP_DATA, 5000 } };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = flips;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	older_dump(s);
	assert_int_equal(sandbox_run(s, "-a", NULL), 1);
	sandbox_assert_said(s, "swap0: 1 of ");
	assert_true(sandbox_has(s, "linux.0.core"));
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_int_equal(count_said(s, "writing core to"), 2);
	assert_int_equal(check(s), 1);
	assert_int_equal(sandbox_run(s, "-n", NULL), 0);
	/* Nor at the next boot, nor is it saved again then. */
	older_dump(s);
	assert_int_equal(sandbox_run(s, "-a", NULL), 1);
	sandbox_assert_said(s, "was saved as number 0");
	assert_int_equal(count_said(s, "writing core to"), 1);
	assert_true(sandbox_has(s, "linux.2.core"));
}

/* This test checks that a dump for which the disk is full is tried once, stays,
 * and that one that fits is saved. */
static void
boot_full_disk_does_not_stop_the_others(void **state)
{
	struct sandbox *s = *state;

	older_dump(s);
	s->inject_at = "pwrite64";
	assert_int_equal(sandbox_run(s, "-a", NULL), 1);
	s->inject_at = NULL;
	sandbox_assert_said(s, "No space left on device");
	assert_int_equal(count_said(s, "writing core to"), 2);
	assert_false(sandbox_has(s, "linux.0.core"));
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_int_equal(check(s), 1);
	assert_int_equal(sandbox_run(s, "-a", NULL), 0);
	assert_true(sandbox_has(s, "linux.2.core"));
	assert_int_equal(sandbox_run(s, "-n", NULL), 1);
}

/* This test checks that a device that can't be looked at, which may have a dump,
 * is told once and a failure, and stops no other. */
static void
boot_unreadable_device_is_a_failure(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "");
	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n");
	sandbox_file(s, "/proc/partitions", " 259 1 65536 swap0\n");
	assert_int_equal(mkdir(sandbox_path(s, "/dev/swap1"), 0755), 0);
	assert_int_equal(sandbox_run(s, "-a", NULL), 1);
	assert_int_equal(count_said(s, "/dev/swap1: "), 1);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that a directory that is not right is told once. */
static void
boot_bad_directory_is_told_once(void **state)
{
	struct sandbox *s = *state;

	older_dump(s);
	configure(s, "/nonexistent", "");
	assert_int_equal(sandbox_run(s, "-a", NULL), 1);
	assert_int_equal(count_said(s, "/nonexistent: No such file"), 1);
	assert_true(sandbox_untouched(s));
}

/* This test checks that compress=gzip is -z. */
static void
boot_compress_is_heeded(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "compress=gzip\n");
	assert_int_equal(boot(s), 0);
	assert_true(sandbox_good(s, "linux.0.core.gz"));
}

/* This test checks that a dump with no place to go stays, fails, and that the
 * remedy is told. */
static void
boot_unsaved_dump_fails(void **state)
{
	struct sandbox *s = *state;
	char remedy[2 * sizeof(s->image)];

	configure(s, "/nonexistent", "");
	assert_int_equal(boot(s), 1);
	sandbox_assert_said(s, "/nonexistent: No such file");
	sandbox_assert_said(s, "stays off as swap");
	snprintf(remedy, sizeof(remedy), "savecore -c -D %s\n", s->image);
	sandbox_assert_said(s, remedy);
	assert_true(sandbox_untouched(s));
}

/* This test checks that a directory that is not there is no failure where there
 * is nothing to save. */
static void
boot_no_dump_needs_no_directory(void **state)
{
	struct sandbox *s = *state;

	configure(s, "/nonexistent", "");
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 0);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "no core dump is left to be saved");
}

/* This test checks that on-failure=swap makes a failure none, and says so. */
static void
boot_on_failure_swap_succeeds(void **state)
{
	struct sandbox *s = *state;

	configure(s, "/nonexistent", "on-failure=swap\n");
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "swap may overwrite it");
	assert_true(sandbox_untouched(s));
}

/* This test checks that a bad line is told and keeps nothing from being
 * saved. */
static void
boot_bad_line_is_told_and_dump_saved(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "level=often\n");
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "/etc/swapcore.conf:2: level=often");
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a dump of which nobody can tell pages apart, or that is
 * incomplete, is saved as it is all the same. */
static void
boot_save_level_never_costs_the_dump(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	configure(s, s->dir, "save-level=0,31\n");
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "VMCOREINFO");
	sandbox_assert_said(s, ": nothing is left out");
	assert_true(sandbox_good(s, "linux.0.core"));
	sandbox_spec(&spec);
	spec.state = KCORE_STATE_INPROGRESS;
	spec.data_valid = CHUNK;
	sandbox_image(s, &spec);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "is incomplete: it can't be told");
	assert_int_equal(core_header(s, "linux.1.core").data_valid, CHUNK);
}

/* This test checks that a dump of a wrong time is saved, and that it was seen:
 * without -a it is refused. */
static void
boot_wrong_time_is_saved(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	configure(s, s->dir, "");
	sandbox_spec(&spec);
	spec.time_ns -= 61ull * 24 * 3600 * 1000000000;
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 1);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "dump time is unreasonable");
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a dump that was not finished is saved, and cleared. */
static void
boot_incomplete_is_saved(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	configure(s, s->dir, "");
	sandbox_spec(&spec);
	spec.data_valid = CHUNK;
	spec.state = KCORE_STATE_INPROGRESS;
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 1);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "core may be incomplete");
	assert_true(sandbox_has(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that it is no failure where another run clears the dump while
 * this one waits for the directory. */
static void
boot_dump_gone_meanwhile_is_no_failure(void **state)
{
	struct sandbox *s = *state;
	const int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	configure(s, s->dir, "");
	assert_int_not_equal(fd, -1);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		sleep(1);
		(void)sandbox_run(s, "-c", "-D", s->image, NULL);
		_exit(0);
	}
	close(fd);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "no core dump is left to be saved");
	assert_false(sandbox_has(s, "linux.0.core"));
}

/* This test checks that of a dump that failed at once, so that there is nothing to
 * save, nobody is told that it is saved. */
static void
boot_nothing_on_the_device_is_not_saved(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	configure(s, s->dir, "");
	sandbox_spec(&spec);
	spec.early_only = spec.no_early = true;
	spec.state = KCORE_STATE_FAILED;
	spec.error = 5;
	sandbox_image(s, &spec);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "but nothing of it is on the device: "
	    "Input/output error");
	sandbox_assert_said(s, "swap0: what was begun there is cleared");
	assert_null(strstr(s->said, "is saved"));
	assert_int_equal(check(s), 1);
}

/* This test checks that what is too small for a dump, or no disk yet, is no
 * failure, and that a device that is not there is one. */
static void
boot_small_device_is_passed_over(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "");
	assert_int_equal(truncate(s->image, 0), 0);
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "can't hold a dump");
	assert_int_equal(sandbox_run(s, "-a", "-D", "/dev/zram99", NULL), 0);
	assert_int_equal(sandbox_run(s, "-a", "-D", "/dev/none", NULL), 1);
}

/* This test checks that a dump of a stranger is not taken, nor a failure. */
static void
boot_unknown_armid_is_passed_over(void **state)
{
	struct sandbox *s = *state;

	configure(s, s->dir, "");
	sandbox_file(s, "/var/lib/swapcore/armid",
	    "00112233445566778899aabbccddeeff 1 /dev/x\n");
	assert_int_equal(boot(s), 0);
	sandbox_assert_said(s, "was not armed by this system");
	assert_true(sandbox_untouched(s));
}

/* This test checks that -a goes with -v and -D alone. */
static void
boot_other_options_are_refused(void **state)
{
	static const char *const bad[] = { "-c", "-f", "-n", "-z", "--wipe",
	    "-Z1", "-Fkdump", "-Nx" };
	struct sandbox *s = *state;
	size_t i;

	configure(s, s->dir, "");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(sandbox_run(s, "-a", bad[i], NULL), 1);
		sandbox_assert_said(s, "do not go together: swapcore.conf(5) "
		    "says what -a does\n");
	}
	assert_int_equal(sandbox_run(s, "-a", "/tmp", NULL), 1);
	sandbox_assert_said(s, "/tmp: no directory is named with -a");
	assert_true(sandbox_untouched(s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(boot_dump_is_saved_once),
		TEST(boot_with_sigchld_ignored_saves),
		TEST(boot_all_dumps_are_saved),
		TEST(boot_damaged_dump_does_not_stop_the_others),
		TEST(boot_full_disk_does_not_stop_the_others),
		TEST(boot_unreadable_device_is_a_failure),
		TEST(boot_bad_directory_is_told_once),
		TEST(boot_compress_is_heeded),
		TEST(boot_unsaved_dump_fails),
		TEST(boot_no_dump_needs_no_directory),
		TEST(boot_on_failure_swap_succeeds),
		TEST(boot_bad_line_is_told_and_dump_saved),
		TEST(boot_save_level_never_costs_the_dump),
		TEST(boot_wrong_time_is_saved),
		TEST(boot_incomplete_is_saved),
		TEST(boot_dump_gone_meanwhile_is_no_failure),
		TEST(boot_nothing_on_the_device_is_not_saved),
		TEST(boot_small_device_is_passed_over),
		TEST(boot_unknown_armid_is_passed_over),
		TEST(boot_other_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
