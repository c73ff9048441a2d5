/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format_test.c: cores in formats of other tools, from the device and from
 * cores saved before, as those tools' libraries read them.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reader.h"

#define MANY	70000u		/* pieces of memory: more than PN_XNUM */

/* Converts one file in the directory to another. */
static int
convert(struct sandbox *s, const char *format, const char *from, const char *to)
{
	char in[PATH_MAX], out[PATH_MAX];

	snprintf(in, sizeof(in), "%s/%s", s->dir, from);
	snprintf(out, sizeof(out), "%s/%s", s->dir, to);
	return sandbox_run(s, "-F", format, "-o", out, in, NULL);
}

/* A spec with all kinds of exclsegs, and registers of three CPUs. */
static void
mixed_spec(struct mkdump_spec *spec)
{
	static const struct mkdump_excl excl[] = {
		{ 0x3000, 0x2000, KCORE_EXCL_ZERO },
		{ 0x9000, 0x1000, KCORE_EXCL_FILTERED },
		{ 0xa000, 0x3000, KCORE_EXCL_ZERO },
		{ UNREADABLE, 0x1000, KCORE_EXCL_UNREADABLE },
		{ 0x181000, 0x1000, KCORE_EXCL_TRUNCATED },
	};

	sandbox_spec(spec);
	spec->excl = excl;
	spec->nexcl = sizeof(excl) / sizeof(excl[0]);
	spec->excl_cap = 70;
	spec->nnotes = 3;
}

/* This test checks an ELF core against libelf and the memory that it is of. */
static void
elf_core_is_what_libelf_reads(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	uint64_t pages, zeros;
	struct stat st;
	struct elf e;

	mixed_spec(&spec);
	sandbox_image(s, &spec);
	assert_int_equal(sandbox_run(s, "-F", "elf", "-D", s->image, s->dir,
	    NULL), 0);
	sandbox_assert_said(s, "/linux.0.elf");
	assert_int_equal(check(s), 1);
	assert_int_equal(stat(in_dir(s, "linux.0.elf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	elf_open(s, &e, "linux.0.elf");
	pages = elf_compare(&e, &spec, &zeros);
	assert_int_equal(pages, s->info.data_size / PAGE);
	assert_int_equal(zeros, 5);
	assert_int_equal(elf_notes(&e, "CORE", NT_PRSTATUS), 3);
	assert_int_equal(elf_notes(&e, "VMCOREINFO", 0), 1);
	assert_int_equal(elf_notes(&e, "SWAPCORE", 0x53574350), 1);
	elf_close(&e);
}

/* What mixed_spec() has. */
static bool
mixed_there(uint64_t pa)
{
	return pa != 0x9000 && pa != 0x181000;
}

static bool
all_there(uint64_t pa)
{
	(void)pa;
	return true;
}

static bool
first_chunk_there(uint64_t pa)
{
	/* memsegs[0], and 1 MiB less one page of the others. */
	return pa == 0x2ff000 || pa < 0x1000 + 0x9e000 ||
	    (pa >= 0x100000 && pa < 0x100000 + CHUNK - 0x9e000 - PAGE);
}

/* This test checks kdump and ELF files against libkdumpfile and the memory that
 * they are of. */
static void
peer_reads_the_same_memory(void **state)
{
	struct sandbox *s = *state;
	static const struct mkdump_run in_file[] = {
		{ 0x1000, 0x2000 }, { 0x5000, 0x5000 }, { 0xd000, 0x92000 },
		{ 0x100000, 0x81000 }, { 0x182000, 0x17e000 },
		{ 0x100000000, 0x80000 },
	};
	struct mkdump_spec spec;
	const uint64_t pages = (0x9e000 + 0x200000 + 0x80000) / PAGE - 2;

	mixed_spec(&spec);
	sandbox_image(s, &spec);
	assert_int_equal(sandbox_run(s, "-F", "kdump", "-D", s->image, s->dir,
	    NULL), 0);
	assert_int_equal(check(s), 1);
	assert_int_equal(peer_compare(s, "linux.0.kdump", &spec, mixed_there),
	    pages);
	assert_int_equal(convert(s, "elf", "linux.0.kdump", "x"), 0);
	/* Of what is not in an ELF file it reads some pages as zeros. */
	spec.runs = in_file;
	spec.nruns = 6;
	assert_int_equal(peer_compare(s, "x", &spec, mixed_there), pages - 5);
}

/* This test checks that a core goes to kdump and back, compressed in both ways,
 * and stays the same. */
static void
convert_to_kdump_and_back_is_lossless(void **state)
{
	struct sandbox *s = *state;
	char in[PATH_MAX], out[PATH_MAX];
	struct mkdump_spec spec;

	mixed_spec(&spec);
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 0);
	assert_int_equal(convert(s, "kdump", "linux.0.core", "x"), 0);
	snprintf(in, sizeof(in), "%s/x", s->dir);
	snprintf(out, sizeof(out), "%s/y", s->dir);
	assert_int_equal(sandbox_run(s, "-F", "kdump", "--zstd=3", "-o", out,
	    in, NULL), 0);
	assert_int_equal(convert(s, "elf", "y", "z"), 0);
	assert_int_equal(convert(s, "kcore", "z", "linux.1.core"), 0);
	assert_true(sandbox_good(s, "linux.1.core"));
}

/* Saves a damaged dump: the file says so. */
static void
assert_damage_told(struct sandbox *s, const char *format)
{
	static const struct mkdump_flip flips[] = { { MKDUMP_DATA, 5000 } };
	struct mkdump_spec spec;
	cpu_kcore_hdr_t h;
	char name[32];

	sandbox_spec(&spec);
	spec.flips = flips;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	assert_int_equal(sandbox_run(s, "-F", format, "-D", s->image, s->dir,
	    NULL), 1);
	assert_true(sandbox_untouched(s));
	snprintf(name, sizeof(name), "linux.0.%s", format);
	h = core_header(s, name);
	assert_int_equal(h.flags, KCORE_F_DAMAGED);
	assert_true(h.nexclsegs > 0);
}

/* Saves, as core `name', a dump of one chunk: the file says so. */
static void
assert_incomplete_told(struct sandbox *s, const char *format, const char *name,
    struct mkdump_spec *spec)
{
	cpu_kcore_hdr_t h;

	sandbox_spec(spec);
	spec->state = KCORE_STATE_INPROGRESS;
	spec->data_valid = CHUNK;
	sandbox_image(s, spec);
	assert_int_equal(sandbox_run(s, "-f", "-F", format, "-D", s->image,
	    s->dir, NULL), 0);
	h = core_header(s, name);
	assert_int_equal(h.flags, KCORE_F_INCOMPLETE);
	assert_int_equal(h.data_valid, CHUNK);
	assert_int_equal(h.data_size, s->info.data_size);
}

/* This test checks that damage, and what was never written, is so in a kdump
 * file as well. */
static void
kdump_file_of_bad_dump_says_so(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	assert_damage_told(s, "kdump");
	assert_incomplete_told(s, "kdump", "linux.1.kdump", &spec);
	assert_int_equal(peer_compare(s, "linux.1.kdump", &spec,
	    first_chunk_there), CHUNK / PAGE);
}

/* This test checks that a core goes to ELF and back, and stays the same. */
static void
convert_to_elf_and_back_is_lossless(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	mixed_spec(&spec);
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", "x"), 0);
	assert_int_equal(convert(s, "elf", "x", "y"), 0);
	assert_int_equal(convert(s, "kcore", "y", "linux.1.core"), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_true(sandbox_good(s, "linux.1.core"));
}

/* This test checks that what was damaged is marked so in an ELF core. */
static void
elf_core_of_damaged_dump_says_so(void **state)
{
	assert_damage_told(*state, "elf");
}

/* This test checks that an incomplete dump stays one in an ELF core, and back. */
static void
elf_core_of_incomplete_dump_says_so(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	uint64_t zeros;
	struct elf e;

	assert_incomplete_told(s, "elf", "linux.0.elf", &spec);
	elf_open(s, &e, "linux.0.elf");
	assert_int_equal(elf_compare(&e, &spec, &zeros), CHUNK / PAGE);
	elf_close(&e);
}

/* This test checks a core with more pieces of memory than an ELF header can
 * count. */
static void
elf_core_of_many_pieces_is_whole(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_run *runs = calloc(MANY, sizeof(*runs));
	struct mkdump_spec spec;
	uint64_t zeros;
	struct elf e;
	size_t i;

	assert_non_null(runs);
	sandbox_spec(&spec);
	for (i = 0; i < MANY; i++) {
		runs[i].start = 0x1000000 + i * 0x2000;
		runs[i].size = PAGE;
	}
	runs[0] = spec.runs[1];
	spec.runs = runs;
	spec.nruns = MANY;
	spec.sparse = true;
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", "x"), 0);
	elf_open(s, &e, "x");
	assert_in_range(e.nphdrs, MANY + 1, MANY + 4);
	assert_int_equal(elf_compare(&e, &spec, &zeros),
	    s->info.data_size / PAGE);
	elf_close(&e);
	assert_int_equal(convert(s, "kdump", "x", "y"), 0);
	assert_int_equal(peer_compare(s, "y", &spec, all_there), 511 + MANY);
	assert_int_equal(convert(s, "kcore", "y", "z"), 0);
	assert_true(sandbox_good(s, "z"));
	free(runs);
}

/* Is there a whole kdump file of the dump? */
static bool
have_kdump(struct sandbox *s)
{
	static const char *const names[] = { "linux.0.kdump", "linux.1.kdump" };
	bool good = false;
	size_t i;

	(void)unlink(in_dir(s, "back"));
	for (i = 0; i < 2 && !good; i++)
		good = sandbox_has(s, names[i]) &&
		    convert(s, "kcore", names[i], "back") == 0 &&
		    sandbox_good(s, "back");
	return good;
}

/* This test checks that where any call and all after it fail, either the dump is
 * untouched or a whole file is there; and that success means both. */
static void
kdump_call_fails_keeps_dump_or_file(void **state)
{
	struct sandbox *s = *state;
	unsigned long calls, n;
	char at[32];
	int status;

	assert_int_equal(sandbox_run(s, "-F", "kdump", "-D", s->image, s->dir,
	    NULL), 0);
	calls = s->calls;
	assert_true(calls > 20);
	for (n = 1; n <= calls; n += 3) {
		sandbox_reset(s);
		snprintf(at, sizeof(at), "%lu", n);
		s->inject_at = at;
		s->inject_how = "ever";
		status = sandbox_run(s, "-F", "kdump", "-D", s->image, s->dir,
		    NULL);
		s->inject_at = NULL;
		assert_true(sandbox_swap_untouched(s));
		if (!sandbox_untouched(s) && !have_kdump(s))
			fail_msg("call %s: the dump was touched and there is "
			    "no file", at);
		if (status == 0 && (sandbox_untouched(s) || !have_kdump(s)))
			fail_msg("call %s: says success", at);
	}
}

/* This test checks that a file whose note of our header is damaged is refused in
 * one line. */
static void
convert_of_damaged_note_is_a_clear_error(void **state)
{
	struct sandbox *s = *state;
	unsigned char buf[CHUNK], *note;
	ssize_t len;
	int fd;

	assert_int_equal(save(s), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", "x"), 0);
	fd = open(in_dir(s, "x"), O_RDWR);
	assert_int_not_equal(fd, -1);
	len = pread(fd, buf, sizeof(buf), 0);
	assert_true(len > PAGE);
	note = memmem(buf, (size_t)len, "SWAPCORE", 9);
	assert_non_null(note);
	note[100] ^= 1;
	assert_int_equal(pwrite(fd, buf, (size_t)len, 0), len);
	close(fd);
	assert_int_equal(convert(s, "kcore", "x", "y"), 1);
	sandbox_assert_said(s, "/x: note SWAPCORE: checksum 0x");
	assert_false(sandbox_has(s, "y"));
}

/* This test checks that a core cut short is converted with -f only. */
static void
convert_of_short_core_takes_force(void **state)
{
	struct sandbox *s = *state;
	char in[PATH_MAX], out[PATH_MAX];
	cpu_kcore_hdr_t h;

	assert_int_equal(save(s), 0);
	snprintf(in, sizeof(in), "%s", in_dir(s, "linux.0.core"));
	snprintf(out, sizeof(out), "%s", in_dir(s, "x"));
	assert_int_equal(truncate(in, (off_t)(s->core_len - 0x3000)), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", "x"), 1);
	sandbox_assert_said(s, "is cut short");
	assert_false(sandbox_has(s, "x"));
	assert_int_equal(sandbox_run(s, "-f", "-F", "elf", "-o", out, in, NULL),
	    0);
	h = core_header(s, "x");
	assert_int_equal(h.flags, KCORE_F_INCOMPLETE);
	assert_int_equal(h.data_valid, s->info.data_size - 0x3000);
}

/* Behind what is cut off below. */
#define ZEROS	0x100000000ull
#define NZEROS	3u

static bool
first_chunk_or_zeros(uint64_t pa)
{
	return first_chunk_there(pa) || pa - ZEROS < NZEROS * PAGE;
}

/* This test checks that of a core that is cut within a page, only whole pages are
 * in what is made of it, each where it was. */
static void
convert_of_core_cut_within_page_has_whole_ones(void **state)
{
	static const struct mkdump_excl excl = { ZEROS, NZEROS * PAGE,
	    KCORE_EXCL_ZERO };
	struct sandbox *s = *state;
	char in[PATH_MAX], out[PATH_MAX];
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.excl = &excl;
	spec.nexcl = 1;
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 0);
	snprintf(in, sizeof(in), "%s", in_dir(s, "linux.0.core"));
	snprintf(out, sizeof(out), "%s", in_dir(s, "x"));
	assert_int_equal(truncate(in, (off_t)(s->core_len - s->info.data_size +
	    CHUNK + 1000)), 0);
	assert_int_equal(sandbox_run(s, "-f", "-F", "kdump", "-o", out, in,
	    NULL), 0);
	assert_int_equal(peer_compare(s, "x", &spec, first_chunk_or_zeros),
	    CHUNK / PAGE + NZEROS);
	assert_int_equal(core_header(s, "x").data_valid, CHUNK);
}

/* This test checks what -o refuses, and that it then leaves nothing behind. */
static void
convert_refuses_what_it_must(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(save(s), 0);
	put_in_dir(s, "there", "precious");
	assert_int_equal(convert(s, "elf", "linux.0.core", "there"), 1);
	sandbox_assert_said(s, "/there: File exists");
	assert_text(s, "there", "precious");
	assert_int_equal(convert(s, "elf", "nothing", "x"), 1);
	sandbox_assert_said(s, "/nothing: No such file");
	assert_int_equal(convert(s, "elf", "there", "x"), 1);
	sandbox_assert_said(s, "neither a core file nor a dump device");
	assert_int_equal(convert(s, "a.out", "linux.0.core", "x"), 1);
	sandbox_assert_said(s, "-F a.out: there is no such format");
	assert_int_equal(sandbox_run(s, "-o", in_dir(s, "x"), s->image, NULL),
	    1);
	sandbox_assert_said(s, "is not a core file");
	assert_false(sandbox_has(s, "x"));
	assert_false(sandbox_has(s, ".x.partial"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elf_core_is_what_libelf_reads),
		TEST(convert_to_elf_and_back_is_lossless),
		TEST(convert_to_kdump_and_back_is_lossless),
		TEST(peer_reads_the_same_memory),
		TEST(kdump_file_of_bad_dump_says_so),
		TEST(elf_core_of_damaged_dump_says_so),
		TEST(elf_core_of_incomplete_dump_says_so),
		TEST(elf_core_of_many_pieces_is_whole),
		TEST(kdump_call_fails_keeps_dump_or_file),
		TEST(convert_of_damaged_note_is_a_clear_error),
		TEST(convert_of_short_core_takes_force),
		TEST(convert_of_core_cut_within_page_has_whole_ones),
		TEST(convert_refuses_what_it_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
