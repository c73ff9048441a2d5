/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wipe_test.c: --wipe: after it nothing of the dump is left, and before it a
 * verified copy is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "saving.h"

static int
wipe(struct sandbox *s)
{
	return sandbox_run(s, "--wipe", "-D", s->image, s->dir, NULL);
}

/* This test checks that the core is saved, and that all but page 0 is zeros. */
static void
wipe_saved_dump_leaves_zeros(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(wipe(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_true(sandbox_wiped(s));
	assert_int_equal(check(s), 1);
}

/* This test checks that zeros are written where no hole can be made. */
static void
wipe_without_holes_writes_zeros(void **state)
{
	struct sandbox *s = *state;

	s->inject_at = "fallocate64";
	assert_int_equal(wipe(s), 0);
	assert_true(sandbox_wiped(s));
}

/* This test checks that a label stays, too. */
static void
wipe_label_stays(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.page0 = MKDUMP_LABEL;
	sandbox_image(s, &spec);
	assert_int_equal(wipe(s), 0);
	assert_true(sandbox_wiped(s));
}

/* This test checks that a wipe that fails is an error, and the core stays. */
static void
wipe_failure_keeps_core(void **state)
{
	struct sandbox *s = *state;

	s->inject_at = "fallocate64";
	s->inject_how = "ever";
	assert_int_equal(wipe(s), 1);
	sandbox_assert_said(s, ": wipe: ");
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that what is not fully saved is not wiped. */
static void
wipe_damaged_dump_not_wiped(void **state)
{
	const struct mkdump_flip flip = { MKDUMP_DATA, CHUNK + 12345 };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = &flip;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	assert_int_equal(wipe(s), 1);
	assert_true(sandbox_untouched(s));
}

/* This test checks that -c wipes a dump that was saved before, and one that was
 * not. */
static void
clear_wipe_wipes_saved_dump(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(save(s), 0);
	assert_int_equal(sandbox_run(s, "-c", "--wipe", "-D", s->image, NULL),
	    0);
	assert_true(sandbox_wiped(s));
	sandbox_reset(s);
	assert_int_equal(sandbox_run(s, "-c", "--wipe", "-D", s->image, NULL),
	    0);
	assert_true(sandbox_wiped(s));
}

/* This test checks, for calls that fail, that there is a core or an untouched
 * dump, that page 0 stays, and that success means zeros. */
static void
wipe_call_fails_keeps_dump_or_core(void **state)
{
	struct sandbox *s = *state;
	unsigned long calls, n;
	char at[16];
	int status;

	assert_int_equal(wipe(s), 0);
	calls = s->calls;
	for (n = 1; n <= calls; n += 3) {
		sandbox_reset(s);
		snprintf(at, sizeof(at), "%lu", n);
		s->inject_at = at;
		s->inject_how = n % 2 == 0 ? "once" : "ever";
		status = wipe(s);
		assert_true(sandbox_page0_untouched(s));
		if (!sandbox_good(s, "linux.0.core") && !sandbox_untouched(s))
			fail_msg("call %lu: neither dump nor core: %s", n,
			    s->said);
		if (status == 0 && !sandbox_wiped(s))
			fail_msg("call %lu: says success: %s", n, s->said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wipe_saved_dump_leaves_zeros),
		TEST(wipe_without_holes_writes_zeros),
		TEST(wipe_label_stays),
		TEST(wipe_failure_keeps_core),
		TEST(wipe_damaged_dump_not_wiped),
		TEST(clear_wipe_wipes_saved_dump),
		TEST(wipe_call_fails_keeps_dump_or_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
