/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finish_test.c: what -a leaves for later, and --finish, which does that.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* A hook that notes each of its runs in the directory. */
static void
configure(struct sandbox *s)
{
	static const char hook[] = "/etc/swapcore.d/hook";
	char text[128];

	snprintf(text, sizeof(text), "directory=%s\n", s->dir);
	sandbox_file(s, "/etc/swapcore.conf", text);
	sandbox_file(s, hook, "#!/bin/sh\n"
	    "echo $SAVECORE_NUMBER $SAVECORE_STATUS $SAVECORE_VERDICT "
	    "${SAVECORE_CORE##*/} ${SAVECORE_INFO##*/} ${SAVECORE_REPORT##*/} "
	    "$SAVECORE_PANIC >>runs\n");
	assert_int_equal(chmod(sandbox_path(s, hook), 0755), 0);
}

static int
boot(struct sandbox *s)
{
	return sandbox_run(s, "-a", "-D", s->image, NULL);
}

static int
finish(struct sandbox *s)
{
	return sandbox_run(s, "--finish", "-v", NULL);
}

static void
assert_lines(const struct sandbox *s, const char *name, unsigned int lines)
{
	FILE *fp = fopen(in_dir(s, name), "r");
	unsigned int n = 0;
	int c;

	assert_non_null(fp);
	while ((c = getc(fp)) != EOF)
		n += c == '\n';
	fclose(fp);
	assert_int_equal(n, lines);
}

/* Puts the dump there as it was, for one more core. */
static void
again(struct sandbox *s)
{
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	sandbox_image(s, &spec);
}

static bool
link_is(const struct sandbox *s, const char *name, const char *to)
{
	char text[64] = "";

	return readlink(in_dir(s, name), text, sizeof(text) - 1) > 0 &&
	    strcmp(text, to) == 0;
}

/* This test checks that -a saves and clears, tells what is known of the dump, and
 * leaves the rest; that --finish does the rest, once. */
static void
finish_rest_is_made_once(void **state)
{
	struct sandbox *s = *state;

	configure(s);
	assert_int_equal(boot(s), 0);
	assert_int_equal(check(s), 1);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_true(sandbox_has(s, "info.0"));
	assert_text(s, "linux.0.pending", "0\n");
	assert_false(sandbox_has(s, "crash.0.txt"));
	assert_false(sandbox_has(s, "runs"));
	assert_true(link_is(s, "linux.core.last", "linux.0.core"));
	assert_true(link_is(s, "info.last", "info.0"));
	assert_int_equal(finish(s), 0);
	sandbox_assert_said(s, "writing report to ");
	assert_true(sandbox_has(s, "crash.0.txt"));
	assert_false(sandbox_has(s, "linux.0.pending"));
	assert_true(link_is(s, "crash.txt.last", "crash.0.txt"));
	assert_true(link_is(s, "linux.core.last", "linux.0.core"));
	assert_true(link_is(s, "info.last", "info.0"));
	assert_text(s, "runs", "0 0 complete linux.0.core info.0 crash.0.txt "
	    "mkdump: test panic\n");
	assert_int_equal(unlink(in_dir(s, "runs")), 0);
	assert_int_equal(finish(s), 0);
	sandbox_assert_said(s, "no core to be finished");
	assert_false(sandbox_has(s, "runs"));
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a compressed core gets its report as well. */
static void
finish_compressed_core_is_read(void **state)
{
	struct sandbox *s = *state;
	char text[128];

	snprintf(text, sizeof(text), "directory=%s\ncompress=zstd\n", s->dir);
	sandbox_file(s, "/etc/swapcore.conf", text);
	assert_int_equal(boot(s), 0);
	assert_int_equal(finish(s), 0);
	assert_true(sandbox_has(s, "linux.0.core.zst"));
	assert_true(sandbox_has(s, "crash.0.txt"));
	assert_false(sandbox_has(s, "linux.0.pending"));
}

/* This test checks that all that wait are finished, the oldest first, and that
 * the links stay with the newest, also where that was finished before. */
static void
finish_several_keep_the_newest_links(void **state)
{
	struct sandbox *s = *state;

	configure(s);
	assert_int_equal(boot(s), 0);
	again(s);
	assert_int_equal(boot(s), 0);
	assert_int_equal(finish(s), 0);
	assert_true(sandbox_has(s, "crash.0.txt"));
	assert_text(s, "runs", "0 0 complete linux.0.core info.0 crash.0.txt "
	    "mkdump: test panic\n");
	assert_true(link_is(s, "crash.txt.last", "crash.1.txt"));
	again(s);
	assert_int_equal(boot(s), 0);
	again(s);
	assert_int_equal(save(s), 0);
	assert_true(link_is(s, "crash.txt.last", "crash.3.txt"));
	assert_int_equal(finish(s), 0);
	assert_true(sandbox_has(s, "crash.2.txt"));
	assert_true(link_is(s, "crash.txt.last", "crash.3.txt"));
	assert_true(link_is(s, "linux.core.last", "linux.3.core"));
}

/* This test checks that of two runs at the same time each core is finished by
 * one: its hooks run once, and the other run waits for them. */
static void
finish_two_at_once_take_turns(void **state)
{
	struct sandbox *s = *state;
	unsigned int i;
	pid_t pid;

	configure(s);
	sandbox_file(s, "/etc/swapcore.d/slow", "#!/bin/sh\n"
	    "echo >>slow; sleep 1; echo >>slept\n");
	assert_int_equal(chmod(sandbox_path(s, "/etc/swapcore.d/slow"), 0755),
	    0);
	assert_int_equal(boot(s), 0);
	again(s);
	assert_int_equal(boot(s), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0)
		_exit(finish(s));
	for (i = 0; i < 3000 && !sandbox_has(s, "slow"); i++)
		usleep(10000);
	assert_true(sandbox_has(s, "slow"));
	assert_int_equal(finish(s), 0);
	assert_lines(s, "runs", 2);
	assert_lines(s, "slept", 2);
	assert_true(sandbox_has(s, "crash.0.txt"));
	assert_true(sandbox_has(s, "crash.1.txt"));
	assert_false(sandbox_has(s, "linux.0.pending"));
	assert_false(sandbox_has(s, "linux.1.pending"));
}

/* This test checks that a hook learns of a dump that is damaged, and stays. */
static void
finish_damaged_is_told(void **state)
{
	static const struct mkdump_flip flips[] = { { MKDUMP_DATA, 5000 } };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	configure(s);
	sandbox_spec(&spec);
	spec.flips = flips;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	assert_int_equal(boot(s), 1);
	assert_true(sandbox_untouched(s));
	assert_text(s, "linux.0.pending", "1\n");
	assert_int_equal(finish(s), 0);
	assert_text(s, "runs", "0 1 damaged linux.0.core info.0 crash.0.txt "
	    "mkdump: test panic\n");
	assert_true(sandbox_untouched(s));
	assert_int_equal(boot(s), 1);
	sandbox_assert_said(s, "what there is of it was saved as number 0");
}

/* This test checks that a note without a core, of a machine that died before the
 * core had its name, goes; and that one which others may write is passed over. */
static void
finish_note_alone_is_dropped(void **state)
{
	struct sandbox *s = *state;

	configure(s);
	put_in_dir(s, "linux.7.pending", "1\n");
	assert_int_equal(finish(s), 0);
	assert_false(sandbox_has(s, "linux.7.pending"));
	assert_int_equal(save(s), 0);
	assert_int_equal(unlink(in_dir(s, "runs")), 0);
	put_in_dir(s, "linux.0.pending", "0\n");
	assert_int_equal(chmod(in_dir(s, "linux.0.pending"), 0666), 0);
	assert_int_equal(finish(s), 0);
	sandbox_assert_said(s, "is not a file that only root may write");
	assert_false(sandbox_has(s, "runs"));
}

/* This test checks that a note which can't be removed is told of once, and the
 * run ends. */
static void
finish_note_that_stays_is_passed_over(void **state)
{
	struct sandbox *s = *state;
	char note[PATH_MAX];

	configure(s);
	put_in_dir(s, "linux.7.pending", "1\n");
	snprintf(note, sizeof(note), "%s", in_dir(s, "linux.7.pending"));
	assert_mounted(note, note, NULL, MS_BIND, NULL);
	assert_int_equal(finish(s), 0);
	assert_int_equal(umount(note), 0);
	sandbox_assert_said(s, "linux.7.pending: Device or resource busy");
	assert_null(strstr(strstr(s->said, "busy") + 1, "busy"));
}

/* This test checks that a directory that is not there is no failure, one that
 * can't be used is, and that --finish goes with -v alone. */
static void
finish_directory_and_options_are_checked(void **state)
{
	static const char *const bad[] = { "-a", "-c", "-n", "-f", "-z", "-k",
	    "--wipe", "--json", "-Dx", "-Nx", "-d31", "-m1", "/tmp" };
	struct sandbox *s = *state;
	size_t i;

	sandbox_file(s, "/etc/swapcore.conf", "directory=/nonexistent\n");
	assert_int_equal(finish(s), 0);
	sandbox_file(s, "/etc/swapcore.conf", "directory=/dev/null\n");
	assert_int_equal(finish(s), 1);
	sandbox_assert_said(s, "/dev/null: Not a directory");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(sandbox_run(s, "--finish", bad[i], NULL), 1);
		sandbox_assert_said(s, bad[i][0] == '-' ?
		    " do not go together: " : "/tmp: no directory is named");
	}
}

/* Every step-th call is the last of its run: what comes at the
 * next boot must make all good. */
static void
killed(struct sandbox *s, int (*run)(struct sandbox *), unsigned long calls,
    unsigned int step)
{
	unsigned long n;
	char at[32];

	for (n = 1; n <= calls; n += step) {
		sandbox_reset(s);
		if (run == finish)
			assert_int_equal(boot(s), 0);
		snprintf(at, sizeof(at), "%lu", n);
		s->inject_at = at;
		s->inject_how = "kill";
		(void)run(s);
		s->inject_at = NULL;
		if (!sandbox_untouched(s) && !sandbox_has(s, "linux.0.pending") &&
		    !sandbox_has(s, "linux.1.pending") &&
		    !sandbox_has(s, "runs"))
			fail_msg("call %lu: nobody will know: %s", n, s->said);
		if (boot(s) != 0 || finish(s) != 0)
			fail_msg("call %lu: not put right: %s", n, s->said);
		if (sandbox_has(s, "linux.0.pending") ||
		    sandbox_has(s, "linux.1.pending") ||
		    sandbox_has(s, ".crash.0.txt.partial"))
			fail_msg("call %lu: left something behind", n);
		if ((sandbox_good(s, "linux.0.core") &&
		    sandbox_has(s, "crash.0.txt")) ||
		    (sandbox_good(s, "linux.1.core") &&
		    sandbox_has(s, "crash.1.txt")))
			continue;
		fail_msg("call %lu: no core with its report: %s", n, s->said);
	}
}

/* This test checks that wherever either run is ended, as by a power cut, the next
 * ones leave a whole core with its report, of which hooks were told. */
static void
finish_killed_is_made_good(void **state)
{
	struct sandbox *s = *state;
	unsigned long saving, finishing;

	configure(s);
	assert_int_equal(boot(s), 0);
	saving = s->calls;
	assert_int_equal(finish(s), 0);
	finishing = s->calls;
	assert_true(saving > 20 && finishing > 4);
	killed(s, boot, saving, 3);
	killed(s, finish, finishing, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finish_rest_is_made_once),
		TEST(finish_compressed_core_is_read),
		TEST(finish_several_keep_the_newest_links),
		TEST(finish_two_at_once_take_turns),
		TEST(finish_damaged_is_told),
		TEST(finish_note_alone_is_dropped),
		TEST(finish_note_that_stays_is_passed_over),
		TEST(finish_directory_and_options_are_checked),
		TEST(finish_killed_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
