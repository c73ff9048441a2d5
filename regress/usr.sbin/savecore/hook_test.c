/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook_test.c: programs that savecore runs once a dump is saved.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hook.h"
#include "kernfile.h"
#include "savecore.h"
#include "saving.h"

const char *
kernfile_root(void)
{
	return "/nonexistent";
}

void
msg(int pri, const char *fmt, ...)
{
	(void)pri;
	fail_msg("%s", fmt);
}

void
msg_errno(int pri, const char *fmt, ...)
{
	(void)pri;
	fail_msg("%s", fmt);
}

/* A hook that is this script. */
static void
put_hook(struct sandbox *s, const char *name, mode_t mode, const char *script)
{
	char path[128], text[512];

	snprintf(path, sizeof(path), "/etc/swapcore.d/%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	sandbox_file(s, path, text);
	assert_int_equal(chmod(sandbox_path(s, path), mode), 0);
}

/* The file in the directory, which goes away. */
static char *
take(const struct sandbox *s, const char *name)
{
	static char buf[16384];
	FILE *fp = fopen(in_dir(s, name), "r");
	size_t n;

	assert_non_null(fp);
	n = fread(buf, 1, sizeof(buf) - 1, fp);
	buf[n] = '\0';
	fclose(fp);
	assert_int_equal(unlink(in_dir(s, name)), 0);
	return buf;
}

static void
assert_var(const char *env, const char *name, const char *value)
{
	char want[PATH_MAX];

	snprintf(want, sizeof(want), "\nSAVECORE_%s=%s\n", name, value);
	if (strstr(env, want) == NULL)
		fail_msg("%s is not in %s", want, env);
}

/* This test checks which hooks run, in which order, and what they are told. */
static void
hook_is_told_what_was_saved(void **state)
{
	struct sandbox *s = *state;
	char *env;

	put_hook(s, "20-env", 0755, "echo; env >> env; echo 20 >> order\n"
	    "echo told; test ! -t 0 && test -z \"$(cat)\" && pwd > dir");
	put_hook(s, "10_first", 0755, "echo 10 >> order");
	put_hook(s, "30", 0755, "test -s $SAVECORE_CORE && echo 30 >> order");
	put_hook(s, "40.dpkg-old", 0755, "echo 40 >> order");
	put_hook(s, "50", 0644, "echo 50 >> order");
	assert_int_equal(sandbox_run(s, "-z", "-D", s->image, s->dir, NULL), 0);
	sandbox_assert_said(s, "told");
	assert_string_equal(take(s, "order"), "10\n20\n30\n");
	env = take(s, "env");
	assert_var(env, "NUMBER", "0");
	assert_var(env, "STATUS", "0");
	assert_var(env, "DIRECTORY", s->dir);
	assert_var(env, "CORE", in_dir(s, "linux.0.core.gz"));
	assert_var(env, "KERNEL", "");
	assert_var(env, "INFO", in_dir(s, "info.0"));
	assert_var(env, "REPORT", in_dir(s, "crash.0.txt"));
	assert_var(env, "VERDICT", "complete");
	assert_var(env, "PANIC", "mkdump: test panic");
	assert_var(env, "DEVICE", s->image);
	assert_null(strstr(env, "INJECT"));
	assert_int_equal(strncmp(take(s, "dir"), s->dir, strlen(s->dir)), 0);
	assert_int_equal(check(s), 1);
}

/* This test checks that hooks are told of damage, and that the dump stays. */
static void
hook_is_told_of_damage(void **state)
{
	static const struct mkdump_flip flips[] = { { MKDUMP_DATA, 5000 } };
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	char *env;

	sandbox_spec(&spec);
	spec.flips = flips;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	put_hook(s, "env", 0755, "echo > env; env >> env");
	assert_int_equal(sandbox_run(s, "--json", "-D", s->image, s->dir, NULL),
	    1);
	env = take(s, "env");
	assert_var(env, "STATUS", "1");
	assert_var(env, "VERDICT", "damaged");
	assert_true(sandbox_untouched(s));
}

/* This test checks that a hook that fails, or does not end, is named, ends with
 * what it started, and changes nothing else. */
static void
hook_failure_is_said_and_no_more(void **state)
{
	const time_t begin = time(NULL);
	struct sandbox *s = *state;

	put_hook(s, "a", 0755, "exit 3");
	put_hook(s, "b", 0755, "kill -9 $$");
	put_hook(s, "c", 0755, "(sleep 100; echo late > late) & sleep 100");
	sandbox_file(s, "/etc/swapcore.d/d", "neither script nor program");
	assert_int_equal(chmod(sandbox_path(s, "/etc/swapcore.d/d"), 0755), 0);
	put_hook(s, "e", 0755, "echo > last");
	assert_int_equal(save(s), 0);
	assert_true(time(NULL) - begin < 90);
	sandbox_assert_said(s, "/swapcore.d/a: ended with status 3");
	sandbox_assert_said(s, "/swapcore.d/b: ended by signal 9");
	sandbox_assert_said(s, "/swapcore.d/c: ended after 2 seconds");
	sandbox_assert_said(s, "/swapcore.d/d: Exec format error");
	assert_true(sandbox_has(s, "last"));
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that a hook runs to its end where the kernel, or a container's
 * filter, has no pidfd_open(2). */
static void
hook_without_pidfds_runs_to_its_end(void **state)
{
	struct sandbox *s = *state;

	deny(SCMP_SYS(pidfd_open), ENOSYS);
	put_hook(s, "a", 0755, "sleep 1; echo > a; exit 3");
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "/swapcore.d/a: ended with status 3");
	assert_true(sandbox_has(s, "a"));
}

/* This test checks that it is said where nobody can see which hooks there are. */
static void
hook_directory_unreadable_is_told(void **state)
{
	struct sandbox *s = *state;

	put_hook(s, "a", 0755, "echo > a");
	deny(SCMP_SYS(getdents64), EIO);
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "/etc/swapcore.d: no hooks are run: "
	    "Input/output error\n");
	assert_false(sandbox_has(s, "a"));
}

/* This test checks that what others may write is not run. */
static void
hook_of_others_is_not_run(void **state)
{
	struct sandbox *s = *state;

	put_hook(s, "a", 0777, "echo > a");
	put_hook(s, "b", 0755, "echo > b");
	assert_int_equal(sandbox_run(s, "-k", "-D", s->image, s->dir, NULL), 0);
	sandbox_assert_said(s, "/swapcore.d/a: others may write it: not run");
	assert_false(sandbox_has(s, "a"));
	assert_string_equal(take(s, "b"), "\n");
	assert_int_equal(chmod(sandbox_path(s, "/etc/swapcore.d"), 0777), 0);
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "/swapcore.d: others may write it: not run");
	assert_false(sandbox_has(s, "b"));
}

/* This test checks that hooks do not run where no dump was saved to a
 * directory. */
static void
hook_without_core_is_not_run(void **state)
{
	struct sandbox *s = *state;
	char out[PATH_MAX];

	snprintf(out, sizeof(out), "%s", in_dir(s, "x"));
	put_hook(s, "a", 0755, "echo > a");
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", out, NULL), 0);
	assert_int_equal(check(s), 0);
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 0);
	assert_int_equal(save(s), 1);
	assert_false(sandbox_has(s, "a"));
}

/* This test checks that of facts only keys with text go on, once each, however
 * they are written. */
static void
hook_facts_are_not_believed(void **state)
{
	static const char text[] = "panic: one\npanic: two\nnumber: 7\n"
	    "PATH: /tmp\nld_preload: x\nA=b: c\nbad\x01: x\nempty: \n: none\n"
	    "nothing\nesc: \x1b[2J\nzero: a\0b\nlast: end";
	struct hook_env env = { .n = 0 };
	FILE *fp = tmpfile();
	int fd;

	(void)state;
	assert_non_null(fp);
	fd = fileno(fp);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	hook_add(&env, "number", "0");
	hook_add_facts(&env, fd);
	assert_int_equal(env.n, 6);
	assert_string_equal(env.var[0], "SAVECORE_NUMBER=0");
	assert_string_equal(env.var[1], "SAVECORE_PANIC=one");
	assert_string_equal(env.var[2], "SAVECORE_LD_PRELOAD=x");
	assert_string_equal(env.var[3], "SAVECORE_EMPTY=");
	assert_string_equal(env.var[4], "SAVECORE_ZERO=a");
	assert_string_equal(env.var[5], "SAVECORE_LAST=end");
	hook_env_free(&env);
	fclose(fp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hook_is_told_what_was_saved),
		TEST(hook_is_told_of_damage),
		TEST(hook_failure_is_said_and_no_more),
		TEST(hook_of_others_is_not_run),
		TEST(hook_without_core_is_not_run),
		cmocka_unit_test(hook_facts_are_not_believed),
		/* What they deny stays denied. */
		TEST(hook_without_pidfds_runs_to_its_end),
		TEST(hook_directory_unreadable_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
