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

#include <cmocka.h>

#include "saving.h"

static int
run(struct sandbox *s, bool compress)
{
	return compress ? sandbox_run(s, "-z", "-D", s->image, s->dir, NULL) :
	    sandbox_run(s, "-D", s->image, s->dir, NULL);
}

static bool
have_core(const struct sandbox *s, bool compress)
{
	return sandbox_good(s, compress ? "linux.0.core.gz" : "linux.0.core") ||
	    sandbox_good(s, compress ? "linux.1.core.gz" : "linux.1.core");
}

/* After a run with a fault: the invariant; and a run without it puts all
 * right. */
static void
assert_invariant(struct sandbox *s, bool compress, int status, const char *at)
{
	bool core = have_core(s, compress);

	assert_true(sandbox_swap_untouched(s));
	if (!core && !sandbox_untouched(s))
		fail_msg("call %s: the dump was touched and there is no core: "
		    "%s", at, s->said);
	if (status == 0 && (!core || sandbox_untouched(s)))
		fail_msg("call %s: says success: %s", at, s->said);
	s->inject_at = NULL;
	s->fsize = 0;
	status = run(s, compress);
	if (status != 0)
		sandbox_assert_said(s, "no core dump");
	if (!have_core(s, compress) || sandbox_untouched(s))
		fail_msg("call %s: not put right: %s", at, s->said);
	if (sandbox_has(s, ".linux.0.core.partial") ||
	    sandbox_has(s, ".linux.bounds.partial"))
		fail_msg("call %s: left something behind", at);
}

/* Every step-th call in turn. */
static void
inject(struct sandbox *s, bool compress, const char *how, unsigned int step)
{
	unsigned long calls, n;
	char at[32];
	int status;

	assert_int_equal(run(s, compress), 0);
	assert_true(have_core(s, compress));
	calls = s->calls;
	assert_true(calls > 20);
	for (n = 1; n <= calls; n += step) {
		sandbox_reset(s);
		snprintf(at, sizeof(at), "%lu", n);
		s->inject_at = at;
		s->inject_how = how;
		status = run(s, compress);
		/* The keeper outlives the worker, and says so. */
		if (strcmp(how, "kill") == 0 && status != -SIGKILL) {
			assert_int_equal(status, 1);
			sandbox_assert_said(s, "was ended by signal 9");
		}
		assert_invariant(s, compress, status, at);
	}
}

/* This test checks the invariant where each call fails once. */
static void
fault_call_fails_once_keeps_dump_or_core(void **state)
{
	inject(*state, false, "once", 1);
}

/* This test checks the invariant where every other call and all after it
 * fail. */
static void
fault_call_fails_for_ever_keeps_dump_or_core(void **state)
{
	inject(*state, false, "ever", 2);
}

/* This test checks the invariant where savecore is killed at each call. */
static void
fault_killed_keeps_dump_or_core(void **state)
{
	inject(*state, false, "kill", 1);
}

/* This test checks the same for compressed cores. */
static void
fault_compressed_call_fails_keeps_dump_or_core(void **state)
{
	inject(*state, true, "ever", 3);
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
		status = run(s, false);
		assert_true(status == 1 || size > s->core_len);
		assert_invariant(s, false, status, at);
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
		TEST(fault_disk_full_keeps_dump_or_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
