/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_test.c: savecore -o -, cores in a pipe: from a device and from cores
 * saved before.
 *
 * What comes out of the pipe is in the file "out".  The flattened form is put
 * back together here, by what makedumpfile's IMPLEMENTATION says of it.
 */
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* The whole file; free(3) it. */
static unsigned char *
read_all(const struct sandbox *s, const char *name, size_t *len)
{
	FILE *fp = fopen(in_dir(s, name), "r");
	unsigned char *buf;
	struct stat st;

	assert_non_null(fp);
	assert_int_equal(fstat(fileno(fp), &st), 0);
	*len = (size_t)st.st_size;
	buf = malloc(*len + 1);
	assert_non_null(buf);
	assert_int_equal(fread(buf, 1, *len, fp), *len);
	fclose(fp);
	return buf;
}

static void
assert_same(const struct sandbox *s, const char *a, const char *b)
{
	size_t alen, blen;
	unsigned char *abuf = read_all(s, a, &alen);
	unsigned char *bbuf = read_all(s, b, &blen);

	assert_int_equal(alen, blen);
	assert_memory_equal(abuf, bbuf, alen);
	free(abuf);
	free(bbuf);
}

/* Puts a flattened file back together. */
static void
unflatten(const struct sandbox *s, const char *from, const char *to)
{
	uint64_t head[2], off, size;
	size_t at = 4096, len;
	unsigned char *buf = read_all(s, from, &len);
	const int fd = open(in_dir(s, to), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_true(len > at);
	assert_memory_equal(buf, "makedumpfile\0\0\0\0"
	    "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 32);
	for (;;) {
		assert_true(len - at >= sizeof(head));
		memcpy(head, buf + at, sizeof(head));
		at += sizeof(head);
		off = be64toh(head[0]);
		size = be64toh(head[1]);
		if (off == UINT64_MAX)
			break;
		assert_true(size > 0 && size <= len - at);
		assert_int_equal(pwrite(fd, buf + at, size, (off_t)off), size);
		at += size;
	}
	assert_int_equal(size, UINT64_MAX);
	assert_int_equal(at, len);
	close(fd);
	free(buf);
}

/* Streams the dump, with up to two options, to "out". */
static int
stream(struct sandbox *s, const char *one, const char *two)
{
	s->out = "out";
	return sandbox_run(s, "-D", s->image, "-o", "-", one, two, NULL);
}

/* Converts "from" to "to", to standard output where that is NULL. */
static int
convert(struct sandbox *s, const char *format, const char *from, const char *to)
{
	char in[PATH_MAX], out[PATH_MAX] = "-";

	snprintf(in, sizeof(in), "%s/%s", s->dir, from);
	if (to != NULL)
		snprintf(out, sizeof(out), "%s/%s", s->dir, to);
	s->out = to == NULL ? "out" : NULL;
	return sandbox_run(s, "-F", format, "-o", out, in, NULL);
}

/* This test checks that the core in a pipe is the one there should be, and that
 * the dump stays, until -c. */
static void
stream_from_device_is_whole_and_keeps_dump(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(stream(s, NULL, NULL), 0);
	sandbox_assert_said(s, "writing core to standard output");
	sandbox_assert_said(s, "is kept: once the copy is safe, savecore -c");
	assert_true(sandbox_good(s, "out"));
	assert_true(sandbox_untouched(s));
	assert_false(sandbox_has(s, "linux.0"));
	assert_false(sandbox_has(s, "bounds"));
	s->out = NULL;
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 0);
	assert_int_equal(check(s), 1);
}

/* This test checks that compressed cores in a pipe are those of a file. */
static void
stream_compressed_is_what_a_file_has(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(stream(s, "-z", NULL), 0);
	assert_true(sandbox_good(s, "out"));
	assert_int_equal(stream(s, "--zstd", NULL), 0);
	assert_int_equal(convert(s, "kcore", "out", "back"), 0);
	assert_true(sandbox_good(s, "back"));
	assert_true(sandbox_untouched(s));
}

/* This test checks that ELF and kdump files in a pipe are those of a file: the
 * latter in pieces, put together. */
static void
stream_other_formats_are_what_a_file_has(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(save(s), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", "elf"), 0);
	assert_int_equal(convert(s, "elf", "linux.0.core", NULL), 0);
	assert_same(s, "out", "elf");
	assert_int_equal(convert(s, "kdump", "linux.0.core", "kdump"), 0);
	assert_int_equal(convert(s, "kdump", "linux.0.core", NULL), 0);
	unflatten(s, "out", "together");
	assert_same(s, "together", "kdump");
	assert_int_equal(convert(s, "kcore", "out", "back"), 0);
	assert_true(sandbox_good(s, "back"));
}

/* This test checks that a damaged dump is marked in what is streamed too,
 * although its header comes first, and that it stays. */
static void
stream_of_damaged_dump_says_so(void **state)
{
	static const struct mkdump_flip flips[] = { { MKDUMP_DATA, 5000 } };
	static const char *const formats[] = { "kcore", "elf", "kdump" };
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	cpu_kcore_hdr_t h;
	size_t i;

	sandbox_spec(&spec);
	spec.flips = flips;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	for (i = 0; i < 3; i++) {
		assert_int_equal(stream(s, "-F", formats[i]), 1);
		sandbox_assert_said(s, "1 of 4 chunks are damaged");
		h = core_header(s, "out");
		assert_int_equal(h.flags, KCORE_F_DAMAGED);
		assert_true(h.nexclsegs > 0);
		assert_true(sandbox_untouched(s));
	}
	assert_int_equal(stream(s, "-z", NULL), 1);
	h = core_header(s, "out");
	assert_int_equal(h.flags, KCORE_F_DAMAGED);
}

/* This test checks that where a write fails the status says so, the dump stays,
 * and nobody takes what came out for a core. */
static void
stream_write_fails_is_an_error(void **state)
{
	static const char *const how[] = { NULL, "--zstd", "-z" };
	struct sandbox *s = *state;
	unsigned long calls, n;
	char at[32];
	int status;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(stream(s, how[i], NULL), 0);
		calls = s->calls;
		for (n = 1; n <= calls; n++) {
			snprintf(at, sizeof(at), "%lu", n);
			s->inject_at = at;
			s->inject_how = "ever";
			status = stream(s, how[i], NULL);
			s->inject_at = NULL;
			if (status == 0) {
				assert_int_equal(convert(s, "kcore", "out",
				    "back"), 0);
				assert_true(sandbox_good(s, "back"));
			}
			assert_true(sandbox_untouched(s));
		}
	}
}

/* This test checks that a reader that goes away is an error with one line. */
static void
stream_reader_gone_is_an_error(void **state)
{
	struct sandbox *s = *state;

	s->out_fd = SANDBOX_BROKEN_PIPE;
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", "-", NULL), 1);
	sandbox_assert_said(s, "Broken pipe");
	assert_true(sandbox_untouched(s));
}

/* This test checks that no core goes to a terminal, nor to what can't be
 * written. */
static void
stream_to_terminal_is_refused(void **state)
{
	struct sandbox *s = *state;

	s->out_fd = SANDBOX_TERMINAL;
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", "-", NULL), 1);
	sandbox_assert_said(s, "standard output is a terminal");
	s->out_fd = SANDBOX_READONLY;
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", "-", NULL), 1);
	sandbox_assert_said(s, "standard output can't be written to");
	assert_true(sandbox_untouched(s));
}

/* This test checks that -o with a file saves the dump there and nothing else,
 * and keeps it on the device. */
static void
output_from_device_keeps_dump(void **state)
{
	struct sandbox *s = *state;
	char out[PATH_MAX];

	snprintf(out, sizeof(out), "%s", in_dir(s, "x"));
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", out, NULL), 0);
	assert_true(sandbox_good(s, "x"));
	assert_true(sandbox_untouched(s));
	assert_false(sandbox_has(s, "info.0"));
	assert_int_equal(sandbox_run(s, "-D", s->image, "-o", out, NULL), 1);
	sandbox_assert_said(s, "File exists");
}

/* This test checks that of a dump that is only a log no core is streamed. */
static void
stream_of_early_record_is_refused(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.early_only = true;
	sandbox_image(s, &spec);
	assert_int_equal(stream(s, "-f", NULL), 1);
	sandbox_assert_said(s, "savecore without -o saves it");
	assert_true(sandbox_untouched(s));
}

/* This test checks that an output that has no name is told as that. */
static void
output_without_a_name_is_refused(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(sandbox_run(s, "-o", "/tmp/", "-D", s->image, NULL),
	    1);
	sandbox_assert_said(s, "savecore: -o: `/tmp/' has no name of a file\n");
	assert_int_equal(sandbox_run(s, "-o", "", "-D", s->image, NULL), 1);
	sandbox_assert_said(s, "savecore: -o: `' has no name of a file\n");
	assert_true(sandbox_untouched(s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stream_from_device_is_whole_and_keeps_dump),
		TEST(stream_compressed_is_what_a_file_has),
		TEST(stream_other_formats_are_what_a_file_has),
		TEST(stream_of_damaged_dump_says_so),
		TEST(stream_write_fails_is_an_error),
		TEST(stream_reader_gone_is_an_error),
		TEST(stream_to_terminal_is_refused),
		TEST(output_from_device_keeps_dump),
		TEST(stream_of_early_record_is_refused),
		TEST(output_without_a_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
