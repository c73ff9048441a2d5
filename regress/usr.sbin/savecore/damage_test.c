/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * damage_test.c: dumps that are not whole.
 */
#include <sys/stat.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* An image with one byte of the second chunk inverted. */
static void
damage(struct sandbox *s)
{
	const struct mkdump_flip flip = { MKDUMP_DATA, CHUNK + 12345 };
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = &flip;
	spec.nflips = 1;
	sandbox_image(s, &spec);
}

/* This test checks that damage is named, noted in the core, saved as found,
 * and that the dump stays. */
static void
save_damaged_chunk_named_and_dump_kept(void **state)
{
	struct sandbox *s = *state;
	cpu_kcore_hdr_t hdr;

	damage(s);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "data 0x100000-0x1fffff, memory 0x");
	sandbox_assert_said(s, "1 of 4 chunks are damaged");
	assert_true(sandbox_untouched(s));
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_DAMAGED) != 0);
	assert_true(hdr.nexclsegs > 0);
	assert_int_equal(check(s), 0);
}

/* This test checks that the header of a compressed core names damage too. */
static void
save_damaged_compressed_marks_header(void **state)
{
	struct sandbox *s = *state;
	char cmd[3 * PATH_MAX];
	cpu_kcore_hdr_t hdr;

	damage(s);
	assert_int_equal(sandbox_run(s, "-z", "-D", s->image, s->dir, NULL), 1);
	assert_true(sandbox_untouched(s));
	snprintf(cmd, sizeof(cmd), "gzip -d %s/linux.0.core.gz", s->dir);
	assert_int_equal(system(cmd), 0);
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_DAMAGED) != 0);
}

/* This test checks that a dump that was cut off is refused, and that -f saves
 * what is there, marks it, and clears it. */
static void
save_incomplete_dump_needs_force(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	cpu_kcore_hdr_t hdr;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_INPROGRESS;
	spec.data_valid = 2 * CHUNK;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "incomplete: 2048 of 3192 KiB");
	assert_int_equal(save_forced(s), 0);
	sandbox_assert_said(s, "WARNING: core may be incomplete\n");
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_INCOMPLETE) != 0);
	assert_int_equal(hdr.data_valid, 2 * CHUNK);
	assert_int_equal(check(s), 1);
}

/* This test checks that the error a dump failed with is told. */
static void
save_failed_dump_says_why(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_FAILED;
	spec.error = 5;
	spec.data_valid = CHUNK;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "Input/output error");
}

/* This test checks that where only the early record is there its text is
 * saved, and the dump cleared. */
static void
save_early_record_alone_gives_log(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	char text[64] = "";
	FILE *fp;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_INPROGRESS;
	spec.seq = 1;
	spec.early_only = true;
	sandbox_image(s, &spec);
	assert_int_equal(check(s), 0);
	assert_int_equal(save(s), 0);
	fp = fopen(in_dir(s, "linux.0.log"), "r");
	assert_non_null(fp);
	assert_non_null(fgets(text, sizeof(text), fp));
	fclose(fp);
	assert_string_equal(text, "mkdump: the end of the kernel log\n");
	assert_int_equal(check(s), 1);
}

/* This test checks that a dump whose last trailer was torn is not taken for one
 * that has nothing but its early record, and is not cleared. */
static void
save_torn_trailer_needs_force(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.torn = MKDUMP_TORN_NEW;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "incomplete: 0 of 3192 KiB");
	assert_false(sandbox_has(s, "linux.0.log"));
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_has(s, "linux.0.log"));
}

/* This test checks that a damaged header gives an error, the log, and keeps the
 * dump. */
static void
save_damaged_header_saves_log(void **state)
{
	const struct mkdump_flip flip = { MKDUMP_CPU, 100 };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = &flip;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "no core can be made of the dump");
	assert_true(sandbox_has(s, "linux.0.log"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(save_damaged_chunk_named_and_dump_kept),
		TEST(save_damaged_compressed_marks_header),
		TEST(save_incomplete_dump_needs_force),
		TEST(save_failed_dump_says_why),
		TEST(save_early_record_alone_gives_log),
		TEST(save_torn_trailer_needs_force),
		TEST(save_damaged_header_saves_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
