/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arming.c: arming over fake.h's tree, and what must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arming.h"
#include "fake.h"

const struct dumpon_opts arming_partition = {
	.device = PARTITION, .level = -1,
};
const struct dumpon_opts arming_label = {
	.mode = DUMPON_LABEL, .device = PARTITION, .label = "crash",
	.level = -1,
};

int
arming_setup(void **state)
{
	(void)state;
	fake_create();
	return 0;
}

int
arming_teardown(void **state)
{
	(void)state;
	fake_destroy();
	return 0;
}

void
assert_said(const char *said, const char *what)
{
	if (strstr(said, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, said);
}

void
assert_unsaid(const char *said, const char *what)
{
	if (strstr(said, what) != NULL)
		fail_msg("\"%s\" is in: %s", what, said);
}

void
assert_one_line(const char *said, const char *what)
{
	assert_said(said, what);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

const char *
assert_armed(const struct dumpon_opts *opts)
{
	const char *said;
	int r;

	fake_listen();
	r = dumpon_arm(opts);
	said = fake_said();
	if (r != 0)
		fail_msg("refused: %s", said);
	assert_said(fake_text("/dev/swapcore"), "\narm\n");
	return said;
}

void
assert_refused(const struct dumpon_opts *opts, const char *what)
{
	const char *said;
	int r;

	fake_listen();
	r = dumpon_arm(opts);
	said = fake_said();
	assert_int_equal(r, -1);
	assert_one_line(said, what);
	assert_string_equal(fake_text("/dev/swapcore"), "");
}
