/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * small_test.c: short reads of a file that is larger than what is held of it,
 * and of one that changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"

#define BIG	0x1000000u	/* of memory: many windows */

/* RAM that is read, after the one with what mkdump needs. */
static const struct mkdump_run big_runs[] = {
	{ 0x1000, 0x3f000 },
	{ 0x80000, 0xc0000 },
	{ 0x10000000, BIG },
};

static void
make(struct image *im, bool core)
{
	image_init(im);
	im->spec.runs = big_runs;
	im->spec.core = core;
	image_make(im);
}

/* One read of len bytes, 4 at least, at an offset in the large run. */
static void
check(struct image *im, uint64_t off, size_t len)
{
	const uint64_t pa = 0x10000000 + off, first = pa & ~7ull;
	uint64_t want[16];
	uint8_t have[64];
	size_t i;

	for (i = 0; i < 16; i++)
		want[i] = mkdump_word(first + 8 * i);
	assert_int_equal(kvm_read(im->kd, mkdump_page_offset(&im->spec) + pa,
	    have, len), len);
	assert_memory_equal(have, (uint8_t *)want + (pa - first), len);
}

/* Here and there, then page by page, then here and there once more. */
static void
check_all(struct image *im)
{
	unsigned int seed = 7, i;
	uint64_t off;

	for (i = 0; i < 20000; i++)
		check(im, (uint64_t)rand_r(&seed) % (BIG - 64), 8);
	for (off = 0; off < BIG - 64; off += 511)
		check(im, off, 4 + off % 61);
	for (i = 0; i < 2000; i++)
		check(im, (uint64_t)rand_r(&seed) % (BIG / 4096) * 4096 + 4000,
		    8);
}

/* This test checks short reads of a core file, which is mapped. */
static void
small_reads_of_core_are_right(void **state)
{
	struct image im;

	(void)state;
	make(&im, true);
	check_all(&im);
	image_fini(&im);
}

/* This test checks short reads of a raw device, by pages. */
static void
small_reads_of_raw_are_right(void **state)
{
	struct image im;

	(void)state;
	make(&im, false);
	check_all(&im);
	image_fini(&im);
}

/* Linux before 5.14 does not know the advice that a map needs. */
static bool no_map, no_advice;

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd,
    off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
    off_t off);
int __real_madvise(void *addr, size_t len, int advice);
int __wrap_madvise(void *addr, size_t len, int advice);

void *
__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (!no_map)
		return __real_mmap64(addr, len, prot, flags, fd, off);
	errno = ENOMEM;
	return MAP_FAILED;
}

int
__wrap_madvise(void *addr, size_t len, int advice)
{
	if (!no_advice)
		return __real_madvise(addr, len, advice);
	errno = EINVAL;
	return -1;
}

/* This test checks that a file which can't be mapped is read all the same. */
static void
small_reads_without_map_are_right(void **state)
{
	struct image im;

	(void)state;
	no_map = true;
	make(&im, true);
	check_all(&im);
	image_fini(&im);
	no_map = false;
	no_advice = true;
	make(&im, true);
	check_all(&im);
	image_fini(&im);
	no_advice = false;
}

/* This test checks that a file cut short is an error, not a signal. */
static void
small_cut_file_fails_with_text(void **state)
{
	struct image im;
	uint64_t word;
	off_t end;

	(void)state;
	make(&im, true);
	check(&im, 0, 8);
	end = lseek(im.fd, 0, SEEK_END);
	assert_int_equal(truncate(im.path, end - BIG / 2), 0);
	check(&im, BIG / 4, 8);
	assert_int_equal(kvm_read(im.kd, mkdump_page_offset(&im.spec) +
	    0x10000000 + BIG / 4 * 3, &word, 8), -1);
	assert_int_equal(errno, EIO);
	image_says(&im, "ends at ");
	check(&im, BIG / 4 + 8, 8);
	image_fini(&im);
}

/* This test checks that a page which inval has changed is read anew. */
static void
small_page_is_read_anew_after_inval(void **state)
{
	struct image im;
	unsigned long va;
	uint32_t mag;

	(void)state;
	make(&im, false);
	va = mkdump_page_offset(&im.spec) + im.spec.dumpmag_paddr;
	assert_int_equal(kvm_read(im.kd, va, &mag, 4), 4);
	assert_int_equal(mag, 0x8fca0101);
	assert_int_equal(kvm_dump_inval(im.kd), 0);
	assert_int_equal(kvm_read(im.kd, va, &mag, 4), 4);
	assert_int_equal(mag, 0);
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_reads_of_core_are_right),
		cmocka_unit_test(small_reads_of_raw_are_right),
		cmocka_unit_test(small_reads_without_map_are_right),
		cmocka_unit_test(small_cut_file_fails_with_text),
		cmocka_unit_test(small_page_is_read_anew_after_inval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
