/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault_test.c: savecore with every system call that matters failing in turn,
 * in either of its processes.
 *
 * The invariant, whatever happens: either the core is under its final name,
 * whole and right, or the dump is untouched.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* How the core is written. */
struct how {
	const char *option, *value;
	const char *suffix;
	bool other;		/* only savecore can make a core(5) of it */
};

static const struct how plain = { NULL, NULL, ".core", false };
static const struct how gzip = { "-z", NULL, ".core.gz", false };
static const struct how zstd = { "--zstd", NULL, ".core.zst", true };
static const struct how elf = { "-F", "elf", ".elf", true };
static const struct how kdump = { "-F", "kdump", ".kdump", true };

static int
run(struct sandbox *s, const struct how *how)
{
	return sandbox_run(s, "-D", s->image, s->dir, how->option, how->value,
	    NULL);
}

static bool
good(struct sandbox *s, const char *name)
{
	char in[160], out[160];
	bool r;

	snprintf(in, sizeof(in), "%s/%s", s->dir, name);
	snprintf(out, sizeof(out), "%s/back", s->dir);
	r = sandbox_run(s, "-o", out, in, NULL) == 0 && sandbox_good(s, "back");
	(void)unlink(out);
	return r;
}

static bool
have_core(struct sandbox *s, const struct how *how)
{
	const char *at = s->inject_at;
	char name[64];
	bool r = false;
	int i;

	s->inject_at = NULL;
	for (i = 0; i < 2 && !r; i++) {
		snprintf(name, sizeof(name), "linux.%d%s", i, how->suffix);
		r = sandbox_has(s, name) && (how->other ? good(s, name) :
		    sandbox_good(s, name));
	}
	s->inject_at = at;
	return r;
}

/* After a run with a fault: the invariant; and a run without it puts all
 * right. */
static void
assert_invariant(struct sandbox *s, const struct how *how, int status,
    const char *at)
{
	bool core = have_core(s, how);

	assert_true(sandbox_swap_untouched(s));
	if (!core && !sandbox_untouched(s))
		fail_msg("call %s: the dump was touched and there is no core: "
		    "%s", at, s->said);
	if (status == 0 && (!core || sandbox_untouched(s)))
		fail_msg("call %s: says success: %s", at, s->said);
	s->inject_at = NULL;
	s->fsize = 0;
	status = run(s, how);
	if (status != 0)
		sandbox_assert_said(s, "no core dump");
	if (!have_core(s, how) || sandbox_untouched(s))
		fail_msg("call %s: not put right: %s", at, s->said);
	if (sandbox_has(s, ".linux.0.core.partial") ||
	    sandbox_has(s, ".linux.bounds.partial"))
		fail_msg("call %s: left something behind", at);
}

/* Every step-th call in turn. */
static void
inject(struct sandbox *s, const struct how *how, const char *fault,
    unsigned int step)
{
	unsigned long calls, n;
	char at[32];
	int status;

	assert_int_equal(run(s, how), 0);
	calls = s->calls;
	assert_true(have_core(s, how));
	assert_true(calls > 20);
	for (n = 1; n <= calls; n += step) {
		sandbox_reset(s);
		snprintf(at, sizeof(at), "%lu", n);
		s->inject_at = at;
		s->inject_how = fault;
		status = run(s, how);
		/* The keeper outlives the worker, and says so. */
		if (strcmp(fault, "kill") == 0 && status != -SIGKILL) {
			assert_int_equal(status, 1);
			sandbox_assert_said(s, "was ended by signal 9");
		}
		assert_invariant(s, how, status, at);
	}
}

/* This test checks the invariant where each call fails once. */
static void
fault_call_fails_once_keeps_dump_or_core(void **state)
{
	inject(*state, &plain, "once", 1);
}

/* This test checks the invariant where every other call and all after it
 * fail. */
static void
fault_call_fails_for_ever_keeps_dump_or_core(void **state)
{
	inject(*state, &plain, "ever", 2);
}

/* This test checks the invariant where savecore is killed at each call. */
static void
fault_killed_keeps_dump_or_core(void **state)
{
	inject(*state, &plain, "kill", 1);
}

/* This test checks the same for compressed cores. */
static void
fault_compressed_call_fails_keeps_dump_or_core(void **state)
{
	inject(*state, &gzip, "ever", 3);
}

/* This test checks the same for cores in other formats, and where savecore is
 * killed. */
static void
fault_other_formats_keep_dump_or_core(void **state)
{
	inject(*state, &kdump, "kill", 3);
	sandbox_reset(*state);
	inject(*state, &elf, "once", 4);
	sandbox_reset(*state);
	inject(*state, &zstd, "kill", 4);
	sandbox_reset(*state);
	inject(*state, &zstd, "once", 3);
}

/* This test checks that a disk that is full at any size keeps the dump: here
 * writes inside stdio fail too. */
static void
fault_disk_full_keeps_dump_or_core(void **state)
{
	struct sandbox *s = *state;
	unsigned long size, step = s->core_len / 16;
	char at[32];
	int status;

	for (size = 1; size < s->orig_len; size += step) {
		sandbox_reset(s);
		s->fsize = size;
		snprintf(at, sizeof(at), "size %lu", size);
		status = run(s, &plain);
		assert_true(status == 1 || size > s->core_len);
		assert_invariant(s, &plain, status, at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fault_call_fails_once_keeps_dump_or_core),
		TEST(fault_call_fails_for_ever_keeps_dump_or_core),
		TEST(fault_killed_keeps_dump_or_core),
		TEST(fault_compressed_call_fails_keeps_dump_or_core),
		TEST(fault_other_formats_keep_dump_or_core),
		TEST(fault_disk_full_keeps_dump_or_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
