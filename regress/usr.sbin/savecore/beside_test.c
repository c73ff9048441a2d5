/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beside_test.c: what is written beside a core, and how many are kept.
 */
#include <errno.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* All of a small text file in the directory. */
static const char *
text_of(const struct sandbox *s, const char *name)
{
	static char text[65536];
	FILE *fp = fopen(in_dir(s, name), "r");
	size_t n;

	if (fp == NULL)
		fail_msg("%s is not there: %s", name, s->said);
	n = fread(text, 1, sizeof(text) - 1, fp);
	text[n] = '\0';
	fclose(fp);
	return text;
}

static void
has(const struct sandbox *s, const char *name, const char *what)
{
	const char *text = text_of(s, name);

	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" is not in %s: \"%s\"", what, name, text);
}

static bool
there(const struct sandbox *s, const char *name)
{
	return access(in_dir(s, name), F_OK) == 0;
}

static void
link_is(const struct sandbox *s, const char *name, const char *to)
{
	char text[64];
	ssize_t n = readlink(in_dir(s, name), text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, to);
}

/* A dump whose panic message no terminal should see. */
static void
make(struct sandbox *s)
{
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.panicstr = "lost \"\x1b[31m\" 17";
	spec.release = "6.1.0-test";
	spec.log = "the last words\n";
	sandbox_image(s, &spec);
}

/* This test checks facts as text and as JSON: encoded, one for each line. */
static void
beside_facts_are_as_documented(void **state)
{
	struct sandbox *s = *state;

	make(s);
	assert_int_equal(save(s), 0);
	has(s, "info.0", "verdict: complete\npanic: lost \"\\033[31m\" 17\n");
	has(s, "info.0", "\nrelease: 6.1.0-test\n");
	has(s, "info.0", "\ncore: linux.0.core\n");
	link_is(s, "linux.core.last", "linux.0.core");
	link_is(s, "info.last", "info.0");
	sandbox_reset(s);
	assert_int_equal(sandbox_run(s, "--json", "-D", s->image, s->dir,
	    NULL), 0);
	has(s, "info.0", "{\"verdict\": \"complete\",\n\"panic\": \"lost "
	    "\\\"\\\\033[31m\\\" 17\",\n");
	has(s, "info.0", "\"}\n");
	assert_int_equal(sandbox_run(s, "--json", "-n", "-D", s->image, NULL),
	    1);
	sandbox_assert_said(s, "-n and --json do not go together: no core is "
	    "written\n");
}

/*
 * This test checks that there is a report, that nothing escapes from it, and
 * that a core which no report can be made of is saved and cleared all the same.
 */
static void
beside_report_is_there_or_missed(void **state)
{
	struct sandbox *s = *state;

	make(s);
	assert_int_equal(save(s), 0);
	has(s, "crash.0.txt", "signature panic lost \"\\033[N\" N: ?\n");
	has(s, "crash.0.txt", "\nThreads\n(not known: ");
	link_is(s, "crash.txt.last", "crash.0.txt");
	sandbox_reset(s);
	put_in_dir(s, "crash.0.txt", "mine");
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "crash.0.txt: File exists");
	assert_string_equal(text_of(s, "crash.0.txt"), "mine");
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that -k leaves the dump, which is saved again then. */
static void
beside_kept_dump_is_untouched(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(sandbox_run(s, "-k", "-D", s->image, s->dir, NULL),
	    0);
	assert_true(sandbox_untouched(s));
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(sandbox_run(s, "-C", "-D", s->image, NULL), 0);
	assert_int_equal(save(s), 0);
	assert_false(sandbox_untouched(s));
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_int_equal(sandbox_run(s, "-k", "--wipe", "-D", s->image, s->dir,
	    NULL), 1);
	sandbox_assert_said(s, "-k and --wipe do not go together: what is kept "
	    "can't be wiped\n");
}

/* This test checks that -m removes files of old numbers, and nothing else. */
static void
beside_old_dumps_are_removed(void **state)
{
	struct sandbox *s = *state;
	int i;

	for (i = 0; i < 3; i++) {
		put_in_dir(s, "linux.0x.core", "not ours");
		put_in_dir(s, "linux.9.core", "newer");
		assert_int_equal(sandbox_run(s, "-k", "-m", "2", "-D",
		    s->image, s->dir, NULL), 0);
	}
	assert_false(there(s, "linux.0.core"));
	assert_false(there(s, "info.0"));
	assert_false(there(s, "crash.0.txt"));
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_true(sandbox_good(s, "linux.2.core"));
	assert_true(there(s, "info.1"));
	assert_true(there(s, "linux.0x.core"));
	assert_true(there(s, "linux.9.core"));
	link_is(s, "linux.core.last", "linux.2.core");
	assert_int_equal(sandbox_run(s, "-m", "0", "-D", s->image, s->dir,
	    NULL), 1);
	sandbox_assert_said(s, "-m: `0' is not a number from 1 to ");
}

/* This test checks that a report can't be made without /proc, and that why is
 * said: savecore finds crashinfo(8) by way of that. */
static void
beside_report_without_proc_says_why(void **state)
{
	struct sandbox *s = *state;

	deny(SCMP_SYS(readlink), ENOENT);
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "no report of the crash: /proc/self/exe: No "
	    "such file or directory\n");
	assert_true(sandbox_good(s, "linux.0.core"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(beside_facts_are_as_documented),
		TEST(beside_report_is_there_or_missed),
		TEST(beside_kept_dump_is_untouched),
		TEST(beside_old_dumps_are_removed),
		/* What it denies stays denied. */
		TEST(beside_report_without_proc_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
