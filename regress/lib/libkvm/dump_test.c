/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump_test.c: kvm_dump_mkheader() and kvm_dump_wrtheader(), with their 64-bit
 * siblings.  What they write is compared with a core file of mkdump's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "image.h"

struct sink {
	uint8_t bytes[16384];
	size_t len, room;
};

static bool
sink_write(void *cookie, const void *buf, size_t len)
{
	struct sink *s = cookie;

	if (len > s->room - s->len) {
		errno = ENOSPC;
		return false;
	}
	memcpy(s->bytes + s->len, buf, len);
	s->len += len;
	return true;
}

/* This test checks that mkheader returns the bytes before the data. */
static void
dump_mkheader_good_returns_size(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	image_write(&im);
	image_open(&im, O_RDONLY);
	assert_int_equal(kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo),
	    im.info.data_off - im.info.dumplo);
	assert_int_equal(kvm_dump_mkheader64(im.kd, (off_t)im.info.dumplo),
	    8 + im.info.cpu_size);
	assert_string_equal(kvm_dump_hdr(im.kd)->panicstr, im.spec.panicstr);
	image_fini(&im);
}

/* This test checks that 0 means no header, with a text and nothing to read. */
static void
dump_mkheader_none_returns_zero(void **state)
{
	struct image im;
	uint32_t mag;

	(void)state;
	image_init(&im);
	image_make(&im);
	assert_int_equal(kvm_dump_mkheader(im.kd, 4096 * 3), 0);
	assert_int_equal(errno, ENOENT);
	image_says(&im, "no dump header at 12288: magic 0x");
	assert_int_equal(kvm_read(im.kd, MKDUMP_MODULE_VA, &mag, 4), -1);
	assert_int_equal(errno, ENODEV);
	image_says(&im, "no dump header yet");
	assert_null(kvm_dump_hdr(im.kd));
	assert_int_equal(kvm_dump_mkheader(im.kd, (off_t)im.info.window), 0);
	assert_int_equal(kvm_dump_mkheader(im.kd,
	    (off_t)((1ull << 63) - 4096)), 0);
	image_fini(&im);
}

/* This test checks that -1 is for errors that no other offset would help. */
static void
dump_mkheader_fatal_returns_minus_one(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	image_make(&im);
	assert_int_equal(kvm_dump_mkheader(im.kd, -4096), -1);
	assert_int_equal(errno, EINVAL);
	image_says(&im, "offset -4096");
	im.spec.core = true;
	image_make(&im);
	assert_int_equal(kvm_dump_mkheader(im.kd, 0), -1);
	assert_int_equal(errno, ENODEV);
	image_says(&im, "not a raw dump device");
	image_fini(&im);
}

/* This test checks that a header at an odd place of a file is read. */
static void
dump_mkheader_any_alignment_works(void **state)
{
	struct image im;
	uint64_t word;

	(void)state;
	image_init(&im);
	im.spec.prefix = 12345;
	im.spec.suffix = 777;
	image_make(&im);
	assert_int_equal(kvm_read(im.kd, mkdump_page_offset(&im.spec) + 0x2000,
	    &word, 8), 8);
	assert_int_equal(word, mkdump_word(0x2000));
	image_fini(&im);
}

/* This test checks that wrtheader's bytes are those of mkdump's core file. */
static void
dump_wrtheader_is_byte_for_byte_right(void **state)
{
	static uint8_t ours[16384], theirs[16384];
	struct image im, core;
	size_t len;
	FILE *fp;
	int fds[2];

	(void)state;
	image_init(&im);
	im.spec.nnotes = 2;
	image_make(&im);
	image_init(&core);
	core.spec.nnotes = 2;
	core.spec.core = true;
	image_write(&core);
	len = core.info.data_off;
	assert_true(len < sizeof(ours));
	image_get(&core, 0, theirs, len);

	/* Into a pipe, which can't seek. */
	assert_int_equal(pipe(fds), 0);
	fp = fdopen(fds[1], "w");
	assert_non_null(fp);
	assert_int_equal(kvm_dump_wrtheader(im.kd, fp,
	    (int)im.info.data_size), 0);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(read(fds[0], ours, sizeof(ours)), len);
	/* dumplo is a variable in dumpmag's page, not in the header. */
	assert_memory_equal(ours, theirs, len);
	close(fds[0]);
	image_fini(&im);
	image_fini(&core);
}

/* This test checks that the size argument is only the segment's size. */
static void
dump_header_size_goes_to_the_segment(void **state)
{
	static struct sink s;
	struct image im;
	uint32_t size;

	(void)state;
	image_init(&im);
	image_make(&im);
	s.room = sizeof(s.bytes);
	assert_int_equal(kvm_dump_header(im.kd, sink_write, &s, 12288), 0);
	assert_int_equal(s.len, 16 + 8 + im.info.cpu_size + 8);
	memcpy(&size, s.bytes + s.len - 4, 4);
	assert_int_equal(size, 12288);
	assert_int_equal(kvm_dump_header(im.kd, sink_write, &s, -1), -1);
	assert_int_equal(errno, EINVAL);
	image_fini(&im);
}

/* This test checks that 64-bit segments are written only where they must be. */
static void
dump_header64_is_wide_only_past_32_bits(void **state)
{
	static struct sink s;
	struct image im;
	kcore_seg64_t seg;
	kcore_hdr_t h;

	(void)state;
	image_init(&im);
	image_make(&im);
	s.room = sizeof(s.bytes);
	assert_int_equal(kvm_dump_header64(im.kd, sink_write, &s, 0xfffffffe),
	    0);
	memcpy(&h, s.bytes, sizeof(h));
	assert_int_equal(h.c_seghdrsize, 8);
	assert_int_equal(s.len, 16 + 8 + im.info.cpu_size + 8);

	s.len = 0;
	assert_int_equal(kvm_dump_header64(im.kd, sink_write, &s, 0xffffffff),
	    0);
	memcpy(&h, s.bytes, sizeof(h));
	assert_int_equal(h.c_seghdrsize, 16);
	assert_int_equal(s.len, 16 + 16 + im.info.cpu_size + 16);
	memcpy(&seg, s.bytes + 16, sizeof(seg));
	assert_int_equal(seg.c_size, 0xffffffff);
	assert_int_equal(seg.c_size64, im.info.cpu_size);
	memcpy(&seg, s.bytes + s.len - 16, sizeof(seg));
	assert_int_equal(seg.c_size, 0xffffffff);
	assert_int_equal(seg.c_size64, 0xffffffff);
	image_fini(&im);
}

/* This test checks that past INT_MAX only the 64-bit calls work. */
static void
dump_wrtheader_past_int_max_is_eoverflow(void **state)
{
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x3f000 }, { 0x80000, 0x7ff80000 },
		{ 0x100000000, 0x8000000 },
	};
	static struct sink s;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.runs = runs;
	im.spec.sparse = true;
	im.spec.direct_page = 0x200000;
	image_make(&im);
	assert_true(im.info.data_size > INT_MAX);
	s.room = sizeof(s.bytes);
	assert_int_equal(kvm_dump_header(im.kd, sink_write, &s, 4096), -1);
	assert_int_equal(errno, EOVERFLOW);
	image_says(&im, "do not fit in an int");
	assert_int_equal(kvm_dump_wrtheader(im.kd, stderr, 4096), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(s.len, 0);
	assert_int_equal(kvm_dump_header64(im.kd, sink_write, &s,
	    im.info.data_size), 0);
	image_fini(&im);
}

/* This test checks that a write that fails anywhere is told, with its errno. */
static void
dump_header_failed_write_is_told(void **state)
{
	static struct sink s;
	struct image im;
	FILE *fp;

	(void)state;
	image_init(&im);
	image_make(&im);
	for (s.room = 0; s.room < 16 + 8 + im.info.cpu_size + 8;
	    s.room += s.room < 24 ? 1 : 509) {
		s.len = 0;
		assert_int_equal(kvm_dump_header64(im.kd, sink_write, &s,
		    4096), -1);
		assert_int_equal(errno, ENOSPC);
		image_says(&im, "write of the core file's header: No space");
	}
	fp = fopen("/dev/full", "w");
	assert_non_null(fp);
	setvbuf(fp, NULL, _IONBF, 0);
	assert_int_equal(kvm_dump_wrtheader(im.kd, fp, 4096), -1);
	assert_int_equal(errno, ENOSPC);
	fclose(fp);
	image_fini(&im);
}

/* This test checks that wrtheader needs a header first. */
static void
dump_wrtheader_before_mkheader_fails(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	image_write(&im);
	image_open(&im, O_RDWR);
	assert_int_equal(kvm_dump_wrtheader(im.kd, stderr, 4096), -1);
	assert_int_equal(errno, ENODEV);
	image_says(&im, "kvm_dump_mkheader() must find one first");
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_mkheader_good_returns_size),
		cmocka_unit_test(dump_mkheader_none_returns_zero),
		cmocka_unit_test(dump_mkheader_fatal_returns_minus_one),
		cmocka_unit_test(dump_mkheader_any_alignment_works),
		cmocka_unit_test(dump_wrtheader_is_byte_for_byte_right),
		cmocka_unit_test(dump_header_size_goes_to_the_segment),
		cmocka_unit_test(dump_header64_is_wide_only_past_32_bits),
		cmocka_unit_test(dump_wrtheader_past_int_max_is_eoverflow),
		cmocka_unit_test(dump_header_failed_write_is_told),
		cmocka_unit_test(dump_wrtheader_before_mkheader_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
