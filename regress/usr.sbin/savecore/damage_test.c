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

/* This test checks that a damaged dump is saved once, until its core is gone,
 * or -f asks for it again. */
static void
save_damaged_again_is_not_repeated(void **state)
{
	struct sandbox *s = *state;

	damage(s);
	assert_int_equal(save(s), 1);
	assert_true(sandbox_has(s, "linux.0.damaged"));
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "what there is of it was saved as number 0 in ");
	assert_false(sandbox_has(s, "linux.1.core"));
	assert_true(sandbox_untouched(s));
	assert_int_equal(save_forced(s), 1);
	assert_true(sandbox_has(s, "linux.1.core"));
	assert_int_equal(unlink(in_dir(s, "linux.0.core")), 0);
	assert_int_equal(unlink(in_dir(s, "linux.1.core")), 0);
	assert_int_equal(save(s), 1);
	assert_true(sandbox_has(s, "linux.2.core"));
	put_in_dir(s, "linux.2.damaged", "0123456789abcdef0123456789abcdef\n");
	assert_int_equal(save(s), 1);
	assert_true(sandbox_has(s, "linux.3.core"));
}

/* This test checks that a damaged dump which was saved keeps no other from being
 * saved, and that what is said to clear it clears no other. */
static void
save_damaged_lets_others_be_saved(void **state)
{
	struct sandbox *s = *state;
	char swap0[sizeof(s->image)], remedy[2 * sizeof(s->image)];
	struct mkdump_spec spec;

	snprintf(swap0, sizeof(swap0), "%s", s->image);
	snprintf(remedy, sizeof(remedy), ": savecore -c -D %s clears it",
	    s->image);
	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n");
	sandbox_file(s, "/proc/partitions", " 259 1 65536 swap0\n");
	damage(s);
	sandbox_spec(&spec);
	spec.time_ns -= 3600ull * 1000000000;
	spec.dump_id[0] ^= 1;
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/swap1"));
	sandbox_image(s, &spec);
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	sandbox_assert_said(s, "/dev/swap1: has an older dump");
	sandbox_assert_said(s, remedy);
	assert_true(sandbox_untouched(s));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	sandbox_assert_said(s, "what there is of it was saved as number 0 in ");
	sandbox_assert_said(s, remedy);
	assert_int_equal(sandbox_run(s, "-c", "-D", swap0, NULL), 0);
	assert_int_equal(sandbox_run(s, "-n", NULL), 1);
}

/* This test checks that the header of a compressed core names damage too. */
static void
save_damaged_compressed_marks_header(void **state)
{
	struct sandbox *s = *state;
	char cmd[3 * PATH_MAX];
	cpu_kcore_hdr_t hdr;

	damage(s);
	assert_int_equal(sandbox_run(s, "--zstd", "-D", s->image, s->dir,
	    NULL), 1);
	hdr = core_header(s, "linux.0.core.zst");
	assert_true((hdr.flags & KCORE_F_DAMAGED) != 0);
	assert_int_equal(unlink(in_dir(s, "linux.0.core.zst")), 0);
	assert_int_equal(sandbox_run(s, "-z", "-D", s->image, s->dir, NULL), 1);
	assert_true(sandbox_untouched(s));
	snprintf(cmd, sizeof(cmd), "gzip -d %s/linux.1.core.gz", s->dir);
	assert_int_equal(system(cmd), 0);
	hdr = core_header(s, "linux.1.core");
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

/* This test checks that a dump of which nothing reached the device is told of
 * with the kernel's error, is a failure, and does not stand in the way. */
static void
save_failed_dump_of_nothing_is_told_and_cleared(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_FAILED;
	spec.error = 5;
	spec.seq = 1;
	spec.early_only = true;
	spec.no_early = true;
	sandbox_image(s, &spec);
	assert_int_equal(check(s), 0);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "reboot after panic: ");
	sandbox_assert_said(s, "a dump was begun, but nothing of it is on the "
	    "device: Input/output error\n");
	assert_false(sandbox_has(s, "linux.0.log"));
	assert_int_equal(check(s), 1);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "no core dump\n");
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

/* An image in which every page of a range of the data was overwritten. */
static void
overwrite(struct sandbox *s, uint64_t from, uint64_t to)
{
	static struct mkdump_flip flips[2 * CHUNK / MKDUMP_PAGE];
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	for (; from < to; from += MKDUMP_PAGE) {
		assert_true(spec.nflips < sizeof(flips) / sizeof(flips[0]));
		flips[spec.nflips++] = (struct mkdump_flip){
			MKDUMP_DATA, from + 16,
		};
	}
	spec.flips = flips;
	sandbox_image(s, &spec);
}

/* The saved core's data are what is on the device, damage and all. */
static void
assert_data_as_found(struct sandbox *s)
{
	const size_t head = s->core_len - s->info.data_size;
	FILE *fp = fopen(in_dir(s, "linux.0.core"), "r");

	assert_non_null(fp);
	assert_int_equal(fread(s->scratch, 1, s->core_len + 1, fp),
	    s->core_len);
	fclose(fp);
	assert_memory_equal(s->scratch + head, s->core + head,
	    s->info.data_size);
}

/* This test checks a dump that swap has overwritten in part: the range is named
 * once, by its physical addresses, the rest is saved, and the dump stays. */
static void
save_overwritten_range_named_rest_saved(void **state)
{
	const kcore_exclseg_t want[] = {
		{ 0x161000, 0x2ff000 - 0x161000, KCORE_EXCL_DAMAGED, 0 },
		{ 0x100000000, 0x62000, KCORE_EXCL_DAMAGED, 0 },
	};
	struct sandbox *s = *state;
	cpu_kcore_hdr_t hdr;
	char *p;

	overwrite(s, CHUNK + 0x80000, 2 * CHUNK + 0x80000);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "data 0x100000-0x2fffff, memory "
	    "0x161000-0x2fefff, 0x100000000-0x100061fff: damaged");
	p = strstr(s->said, ": damaged: not what ");
	assert_null(strstr(p + 1, ": damaged: not what "));
	sandbox_assert_said(s, "2 of 4 chunks are damaged");
	assert_true(sandbox_untouched(s));
	hdr = core_header(s, "linux.0.core");
	assert_int_equal(hdr.flags, KCORE_F_DAMAGED);
	assert_int_equal(hdr.nexclsegs, 2);
	assert_data_as_found(s);
	assert_memory_equal(s->scratch + s->core_len - s->info.data_size -
	    KCORE_SEGHDRSIZE - hdr.cpu_size + hdr.exclsegs_off, want,
	    sizeof(want));
}

/* This test checks that the page of dumpmag is damage like any other if it was
 * overwritten. */
static void
save_overwritten_magic_is_damage(void **state)
{
	struct sandbox *s = *state;

	overwrite(s, 0, 2 * MKDUMP_PAGE);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "magic number mismatch (0x8fca01fe");
	sandbox_assert_said(s, "data 0x0-0xfffff, memory 0x2ff000-0x2fffff, ");
	assert_true(sandbox_untouched(s));
	assert_data_as_found(s);
}

/* This test checks the lines about what is not in a dump, and why. */
static void
save_tells_what_is_missing(void **state)
{
	static const struct mkdump_excl excl[] = {
		{ 0x250000, 0x10000, KCORE_EXCL_ZERO },
		{ 0x270000, 0x5000, KCORE_EXCL_FILTERED },
		{ 0x280000, 0x3000, KCORE_EXCL_UNREADABLE },
		{ 0x100060000, 0x20000, KCORE_EXCL_TRUNCATED },
	};
	static const struct mkdump_excl late = {
		0x290000, 0x2000, KCORE_EXCL_UNREADABLE,
	};
	static const struct mkdump_poke lost = { MKDUMP_EVEN, 184, 8, 7 };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.excl = excl;
	spec.nexcl = sizeof(excl) / sizeof(excl[0]);
	spec.late = &late;
	spec.nlate = 1;
	spec.level = 17;
	spec.pokes = &lost;
	spec.npokes = 1;
	sandbox_image(s, &spec);
	sandbox_armed(s, &spec, "0");
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "dump level 17: of 798 pages of memory 745 in "
	    "the dump, 16 all zeros, 5 free and left out, 32 that did not fit, "
	    "3 not readable\n");
	sandbox_assert_said(s, "too small for dump level 0: level 17 was "
	    "used\n");
	sandbox_assert_said(s, "too small for all of memory: 32 pages are not "
	    "in the dump\n");
	sandbox_assert_said(s, ": 5 pages could not be read at the panic");
	sandbox_assert_said(s, ": 7 more ranges could not be read, and nothing "
	    "says which\n");
}

/* This test checks that a dump with all of memory, at the level asked for, is
 * not complained of. */
static void
save_whole_dump_tells_no_lack(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	sandbox_armed(s, &spec, "0");
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "dump level 0: of 798 pages of memory 798 in "
	    "the dump\n");
	assert_null(strstr(s->said, "too small"));
	assert_null(strstr(s->said, "could not be read"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(save_damaged_chunk_named_and_dump_kept),
		TEST(save_damaged_again_is_not_repeated),
		TEST(save_damaged_lets_others_be_saved),
		TEST(save_damaged_compressed_marks_header),
		TEST(save_incomplete_dump_needs_force),
		TEST(save_failed_dump_says_why),
		TEST(save_early_record_alone_gives_log),
		TEST(save_failed_dump_of_nothing_is_told_and_cleared),
		TEST(save_torn_trailer_needs_force),
		TEST(save_damaged_header_saves_log),
		TEST(save_overwritten_range_named_rest_saved),
		TEST(save_overwritten_magic_is_damage),
		TEST(save_tells_what_is_missing),
		TEST(save_whole_dump_tells_no_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
