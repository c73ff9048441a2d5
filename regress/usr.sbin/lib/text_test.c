/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_test.c: strings from a dump, made safe to show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

/* This test checks that control characters, DEL, high bytes and the backslash
 * itself are encoded, and nothing else is. */
static void
text_encode_unprintable_becomes_octal(void **state)
{
	static const char in[] = "ok ~\x1b[2J\n\t\\\x7f\xff";
	char out[TEXT_ENCODED(sizeof(in))];

	(void)state;
	assert_string_equal(text_encode(out, sizeof(out), in, sizeof(in)),
	    "ok ~\\033[2J\\012\\011\\\\\\177\\377");
}

/* This test checks that a string without a NUL ends where its room does. */
static void
text_encode_no_nul_stops_at_length(void **state)
{
	static const char in[4] = { 'a', 'b', 'c', 'd' };
	char out[TEXT_ENCODED(4)];

	(void)state;
	assert_string_equal(text_encode(out, sizeof(out), in, 3), "abc");
	assert_string_equal(text_encode(out, sizeof(out), in, 4), "abcd");
}

/* This test checks that what does not fit is left out whole. */
static void
text_encode_short_buffer_is_terminated(void **state)
{
	char out[8];

	(void)state;
	memset(out, 'x', sizeof(out));
	text_encode(out, sizeof(out), "\n\n\n", 3);
	assert_string_equal(out, "\\012");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_encode_unprintable_becomes_octal),
		cmocka_unit_test(text_encode_no_nul_stops_at_length),
		cmocka_unit_test(text_encode_short_buffer_is_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
