/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arming.c: arming over fake.h's tree, and what must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "armid.h"
#include "arming.h"
#include "fake.h"
#include "mkdump.h"

const struct dumpon_opts arming_partition = {
	.device = PARTITION, .level = -1,
};
const struct dumpon_opts arming_label = {
	.mode = DUMPON_LABEL, .device = PARTITION, .label = "crash",
	.level = -1,
};

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

void
arming_dump(uint32_t state, bool known)
{
	struct mkdump_spec spec;
	struct mkdump_info info;
	char line[128], hex[33];

	mkdump_init(&spec);
	spec.state = state;
	if (mkdump_write(&spec, fake_path(PARTITION), &info) == -1)
		fail_msg("%s", info.err);
	armid_text(hex, spec.arm_id);
	snprintf(line, sizeof(line), "%s 1 " PARTITION "\n",
	    known ? hex : "00000000000000000000000000000001");
	fake_file(ARMID_DIR "/armid", line);
}
