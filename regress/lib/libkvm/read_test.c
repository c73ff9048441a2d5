/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_test.c: kvm_read(), kvm_write() and kvm_open() against memory that
 * mkdump knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "image.h"

/* Reads all RAM through the direct map and compares each page with mkdump's. */
static void
compare_all(struct image *im)
{
	struct mkdump_info info;
	struct mkmem *mem = mkmem_create(&im->spec, &info);
	const struct mkdump_run *r;
	uint8_t want[4096], have[4096];
	uint64_t pa;
	size_t i;

	assert_non_null(mem);
	for (i = 0; i < im->spec.nruns; i++) {
		r = &im->spec.runs[i];
		for (pa = r->start; pa < r->start + r->size; pa += 4096) {
			/* It has dumplo in it, which mkmem does not know. */
			if (pa == (im->spec.dumpmag_paddr & ~4095ull))
				continue;
			mkmem_page(mem, pa, want);
			assert_int_equal(kvm_read(im->kd,
			    mkdump_page_offset(&im->spec) + pa, have, 4096),
			    4096);
			assert_memory_equal(have, want, 4096);
		}
	}
	mkmem_destroy(mem);
}

static void
make_and_compare(struct image *im)
{
	im->spec.core = false;
	image_make(im);
	compare_all(im);
	im->spec.core = true;
	image_make(im);
	compare_all(im);
}

/* This test checks every page, raw and core, with 4 KiB pages and 4 levels. */
static void
read_every_page_is_right(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	make_and_compare(&im);
	image_fini(&im);
}

/* This test checks every page with 5 levels, 2 MiB and 1 GiB pages. */
static void
read_large_pages_and_levels_are_right(void **state)
{
	static const uint64_t pages[] = { 1 << 12, 1 << 21, 1 << 30 };
	struct image im;
	unsigned int levels;
	size_t i;

	(void)state;
	for (levels = 4; levels <= 5; levels++)
		for (i = 0; i < 3; i++) {
			image_init(&im);
			im.spec.levels = levels;
			im.spec.direct_page = pages[i];
			make_and_compare(&im);
			image_fini(&im);
		}
}

/* This test checks every page where page tables have encryption bits. */
static void
read_encrypted_tables_are_right(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.enc_mask = 1ull << 47;
	make_and_compare(&im);
	image_fini(&im);
}

/* This test checks every page of a core with 64-bit segments. */
static void
read_seg64_core_is_right(void **state)
{
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	im.spec.seg64 = true;
	image_make(&im);
	compare_all(&im);
	image_fini(&im);
}

/* This test checks that a read over many pages and runs is one answer. */
static void
read_across_pages_is_one_answer(void **state)
{
	static uint64_t buf[0x3f000 / 8];
	struct image im;
	unsigned long va;
	size_t i;

	(void)state;
	image_init(&im);
	image_make(&im);
	va = mkdump_page_offset(&im.spec);
	assert_int_equal(kvm_read(im.kd, va + 0x1008, buf, sizeof(buf) - 16),
	    sizeof(buf) - 16);
	for (i = 0; i < sizeof(buf) / 8 - 2; i++)
		assert_int_equal(buf[i], mkdump_word(0x1008 + 8 * i));
	/* Text and module are mapped elsewhere. */
	assert_int_equal(kvm_read(im.kd, MKDUMP_TEXT_VA + im.spec.slide +
	    0x2003, buf, 13), 13);
	assert_int_equal(((uint8_t *)buf)[0],
	    mkdump_word(0x102000) >> 24 & 0xff);
	assert_int_equal(kvm_read(im.kd, va, buf, 0), 0);
	image_fini(&im);
}

/* This test checks that pages next to each other may be anywhere in memory. */
static void
read_scattered_pages_are_put_together(void **state)
{
	const struct mkdump_map maps[] = {
		{ 0xffffc90000000000, 0x5000, 4096, 4096 },
		{ 0xffffc90000001000, 0x3000, 4096, 4096 },
		{ 0xffffc90000002000, 0x4000, 8192, 4096 },
	};
	static uint64_t buf[2048];
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.maps = maps;
	im.spec.nmaps = 3;
	image_make(&im);
	assert_int_equal(kvm_read(im.kd, maps[0].va, buf, sizeof(buf)),
	    sizeof(buf));
	assert_int_equal(buf[0], mkdump_word(0x5000));
	assert_int_equal(buf[512], mkdump_word(0x3000));
	assert_int_equal(buf[1024], mkdump_word(0x4000));
	assert_int_equal(buf[2047], mkdump_word(0x5ff8));
	image_fini(&im);
}

/* This test checks that a transfer ends before the first byte not there. */
static void
read_into_a_hole_is_short_with_reason(void **state)
{
	struct image im;
	uint8_t buf[64];
	unsigned long va;

	(void)state;
	image_init(&im);
	image_make(&im);
	va = mkdump_page_offset(&im.spec) + 0x40000 - 16;
	assert_int_equal(kvm_read(im.kd, va, buf, sizeof(buf)), 16);
	image_says(&im, "not mapped");
	assert_int_equal(kvm_read(im.kd, va + 16, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EFAULT);
	image_says(&im, "address 0xffff888000040000: not mapped");
	assert_int_equal(kvm_read(im.kd, 0x0000900000000000, buf, 1), -1);
	assert_int_equal(errno, EFAULT);
	image_says(&im, "not an address of x86_64 with 4 levels");
	assert_int_equal(kvm_read(im.kd, ~0ul, buf, 2), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(kvm_read(im.kd, va, buf, SIZE_MAX), -1);
	assert_int_equal(errno, EINVAL);
	image_fini(&im);
}

/* This test checks that each reason why memory is not there is told apart. */
static void
read_each_reason_is_told_apart(void **state)
{
	static const struct mkdump_excl excl[] = {
		{ 0x2000, 0x1000, KCORE_EXCL_ZERO },
		{ 0x4000, 0x1000, KCORE_EXCL_FILTERED },
		{ 0x6000, 0x1000, KCORE_EXCL_TRUNCATED },
		{ 0x8000, 0x1000, KCORE_EXCL_UNREADABLE },
		{ 0xa000, 0x1000, KCORE_EXCL_DAMAGED },
		{ 0xc000, 0x1000, KCORE_EXCL_MISSING },
	};
	const struct mkdump_map map = { 0xffffc90000000000, 0xfe000000, 4096,
		4096 };
	const struct {
		uint64_t pa;
		int error;
		const char *text;
	} want[] = {
		{ 0x4000, ENODATA, "left out by dump level 31" },
		{ 0x6000, ENOSPC, "the dump device was too small" },
		{ 0x8000, EHWPOISON, "could not be read when the kernel" },
		{ 0xa000, EBADMSG, "checksum was wrong" },
		{ 0xc000, ECANCELED, "ended before it was written" },
	};
	struct image im;
	uint64_t word, i;
	unsigned long va;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	im.spec.level = 31;
	im.spec.excl = excl;
	im.spec.nexcl = 6;
	im.spec.maps = &map;
	im.spec.nmaps = 1;
	image_make(&im);
	va = mkdump_page_offset(&im.spec);
	word = 1;
	assert_int_equal(kvm_read(im.kd, va + 0x2ff8, &word, 8), 8);
	assert_int_equal(word, 0);
	for (i = 0; i < 5; i++) {
		assert_int_equal(kvm_read(im.kd, va + want[i].pa, &word, 8),
		    -1);
		assert_int_equal(errno, want[i].error);
		image_says(&im, want[i].text);
		/* Nor can it be written. */
		assert_int_equal(kvm_write(im.kd, va + want[i].pa, &word, 8),
		    -1);
		assert_int_equal(errno, want[i].error);
	}
	assert_int_equal(kvm_read(im.kd, map.va, &word, 8), -1);
	assert_int_equal(errno, ENXIO);
	image_says(&im, "physical 0xfe000000: there is no such memory");
	image_fini(&im);
}

/* This test checks that a page table left out is named as the cause. */
static void
read_without_page_table_names_it(void **state)
{
	const struct mkdump_excl excl = { 0xa1000, 0x10000,
		KCORE_EXCL_TRUNCATED };
	struct image im;
	uint64_t word;

	(void)state;
	image_init(&im);
	im.spec.excl = &excl;
	im.spec.nexcl = 1;
	image_make(&im);
	assert_int_equal(kvm_read(im.kd, mkdump_page_offset(&im.spec) + 0x1000,
	    &word, 8), -1);
	assert_int_equal(errno, ENOSPC);
	image_says(&im, "page table level 3: physical 0xa1000: not in the");
	image_fini(&im);
}

/* This test checks that writes are seen by this descriptor and nobody else. */
static void
write_changes_the_private_view_only(void **state)
{
	static uint8_t before[65536], after[65536];
	struct image im;
	uint8_t buf[8192];
	uint64_t word;
	unsigned long va;

	(void)state;
	image_init(&im);
	image_make(&im);
	va = mkdump_page_offset(&im.spec);
	image_get(&im, im.info.data_off, before, sizeof(before));
	memset(buf, 0xab, sizeof(buf));
	assert_int_equal(kvm_write(im.kd, va + 0x1ffc, buf, 4104), 4104);
	assert_int_equal(kvm_read(im.kd, va + 0x1ff8, &word, 8), 8);
	assert_int_equal(word, (mkdump_word(0x1ff8) & 0xffffffff) |
	    0xababababull << 32);
	assert_int_equal(kvm_read(im.kd, va + 0x3000, &word, 8), 8);
	assert_int_equal(word, (mkdump_word(0x3000) & 0xffffffff00000000) |
	    0xabababab);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(kvm_read(im.kd, va + 0x2000, buf, 4096), 4096);
	assert_int_equal(buf[0], 0xab);
	assert_int_equal(buf[4095], 0xab);
	/* CORE_DATA and the file are as they were. */
	assert_int_equal(kvm_dump_read(im.kd, after, sizeof(after), 0),
	    sizeof(after));
	assert_memory_equal(before, after, sizeof(after));
	image_get(&im, im.info.data_off, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(after));
	image_fini(&im);
}

/* This test checks that a changed page table counts at once. */
static void
write_to_page_table_changes_translation(void **state)
{
	const struct mkdump_map map = { 0xffffc90000000000, 0x5000, 4096,
		4096 };
	struct image im;
	uint64_t pte, word;
	unsigned long at;

	(void)state;
	image_init(&im);
	im.spec.maps = &map;
	im.spec.nmaps = 1;
	image_make(&im);
	assert_int_equal(kvm_read(im.kd, map.va, &word, 8), 8);
	assert_int_equal(word, mkdump_word(0x5000));
	/* Its entry is the first of a table: the one that maps 0x5000. */
	for (at = mkdump_page_offset(&im.spec) + 0xa0000;; at += 4096) {
		assert_int_equal(kvm_read(im.kd, at, &pte, 8), 8);
		if ((pte & 0xffffffffff000) == 0x5000)
			break;
	}
	pte += 0x2000;
	assert_int_equal(kvm_write(im.kd, at, &pte, 8), 8);
	assert_int_equal(kvm_read(im.kd, map.va, &word, 8), 8);
	assert_int_equal(word, mkdump_word(0x7000));
	image_fini(&im);
}

/* This test checks that a descriptor for reading does not write. */
static void
write_read_only_fails(void **state)
{
	struct image im;
	char c = 0;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	image_write(&im);
	image_open(&im, O_RDONLY);
	assert_int_equal(kvm_write(im.kd, mkdump_page_offset(&im.spec) +
	    0x1000, &c, 1), -1);
	assert_int_equal(errno, EBADF);
	image_says(&im, "opened for reading only");
	image_fini(&im);
}

struct reader {
	struct image *im;
	unsigned int seed;
	bool good;
};

/* Reads at random, writes what is there, and fails on purpose now and then. */
static void *
reader_main(void *arg)
{
	struct reader *r = arg;
	const unsigned long va = mkdump_page_offset(&r->im->spec);
	uint64_t word, pa;
	char want[32];
	int i;

	r->good = true;
	for (i = 0; i < 20000; i++) {
		pa = 0xb0000 + (uint64_t)rand_r(&r->seed) % 0x8000 * 8;
		if (kvm_read(r->im->kd, va + pa, &word, 8) != 8 ||
		    word != mkdump_word(pa))
			r->good = false;
		if (i % 64 == 0 &&
		    kvm_write(r->im->kd, va + pa, &word, 8) != 8)
			r->good = false;
		if (i % 16 != 0)
			continue;
		/* The text must be of this thread's own failure. */
		pa = 0x40000 + (uint64_t)rand_r(&r->seed) % 0x1000;
		snprintf(want, sizeof(want), "0x%lx: not", va + pa);
		if (kvm_read(r->im->kd, va + pa, &word, 8) != -1 ||
		    strstr(kvm_geterr(r->im->kd), want) == NULL)
			r->good = false;
	}
	return NULL;
}

/* This test checks that threads share a descriptor, not its errors. */
static void
read_from_threads_is_right(void **state)
{
	struct reader r[4];
	pthread_t t[4];
	struct image im;
	unsigned int i;

	(void)state;
	image_init(&im);
	image_make(&im);
	for (i = 0; i < 4; i++) {
		r[i] = (struct reader){ &im, i + 1, false };
		assert_int_equal(pthread_create(&t[i], NULL, reader_main,
		    &r[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_true(r[i].good);
	}
	image_fini(&im);
}

/* This test checks what kvm_openfiles() refuses, and its texts. */
static void
open_refusals_have_texts(void **state)
{
	char errbuf[KVM_ERRBUFSZ];

	(void)state;
	assert_null(kvm_openfiles(NULL, "/nonexistent", NULL, O_RDONLY,
	    errbuf));
	assert_int_equal(errno, ENOENT);
	assert_string_equal(errbuf,
	    "/nonexistent: open: No such file or directory");
	assert_null(kvm_openfiles(NULL, "/dev/null", NULL, O_RDWR | O_CREAT,
	    errbuf));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(errbuf, "flags 0x"));
	assert_null(kvm_openfiles(NULL, "/dev/null", NULL, O_RDONLY, errbuf));
	assert_int_equal(errno, ENOTSUP);
	assert_null(kvm_openfiles(NULL, "/", NULL, O_RDONLY, errbuf));
	assert_int_equal(errno, ENOTSUP);
	assert_int_equal(kvm_close(NULL), -1);
}

/* This test checks that without files nothing is read, and that is said. */
static void
open_no_files_says_why_not(void **state)
{
	char errbuf[KVM_ERRBUFSZ];
	struct nlist nl[] = { { .n_name = "version" }, { .n_name = NULL } };
	kvm_t *kd = kvm_openfiles("/nonexistent", "/nonexistent", NULL,
	    KVM_NO_FILES, errbuf);
	char c;

	(void)state;
	assert_non_null(kd);
	assert_int_equal(kvm_read(kd, 0, &c, 1), -1);
	assert_int_equal(errno, ENODEV);
	assert_non_null(strstr(kvm_geterr(kd), "KVM_NO_FILES"));
	assert_int_equal(kvm_write(kd, 0, &c, 1), -1);
	assert_int_equal(kvm_nlist(kd, nl), -1);
	assert_int_equal(kvm_dump_mkheader(kd, 0), -1);
	assert_int_equal(kvm_dump_inval(kd), -1);
	assert_string_equal(kvm_getkernelname(kd), "(none)");
	assert_int_equal(kvm_close(kd), 0);
}

/* What a function prints on standard error. */
static void
capture(void (*f)(const char *), const char *arg, char *buf, size_t len)
{
	int saved = dup(2), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 2);
	close(fds[1]);
	f(arg);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	n = read(fds[0], buf, len - 1);
	close(fds[0]);
	buf[n > 0 ? n : 0] = '\0';
}

static void
open_missing(const char *errstr)
{
	kvm_open(NULL, "/nonexistent", NULL, O_RDONLY, errstr);
}

static void
read_nothing(const char *errstr)
{
	kvm_t *kd = kvm_open(NULL, NULL, NULL, KVM_NO_FILES, errstr);
	char c;

	kvm_read(kd, 0, &c, 1);
	kvm_close(kd);
}

/* This test checks that kvm_open() prints, once and as perror(3) does. */
static void
open_prints_only_where_asked(void **state)
{
	char said[512];

	(void)state;
	capture(open_missing, "prog", said, sizeof(said));
	assert_string_equal(said,
	    "prog: /nonexistent: open: No such file or directory\n");
	capture(open_missing, NULL, said, sizeof(said));
	assert_string_equal(said, "");
	capture(read_nothing, "prog", said, sizeof(said));
	assert_string_equal(said, "prog: opened with KVM_NO_FILES: there is "
	    "no memory to read\n");
	capture(read_nothing, NULL, said, sizeof(said));
	assert_string_equal(said, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_every_page_is_right),
		cmocka_unit_test(read_large_pages_and_levels_are_right),
		cmocka_unit_test(read_encrypted_tables_are_right),
		cmocka_unit_test(read_seg64_core_is_right),
		cmocka_unit_test(read_across_pages_is_one_answer),
		cmocka_unit_test(read_scattered_pages_are_put_together),
		cmocka_unit_test(read_into_a_hole_is_short_with_reason),
		cmocka_unit_test(read_each_reason_is_told_apart),
		cmocka_unit_test(read_without_page_table_names_it),
		cmocka_unit_test(write_changes_the_private_view_only),
		cmocka_unit_test(write_to_page_table_changes_translation),
		cmocka_unit_test(write_read_only_fails),
		cmocka_unit_test(read_from_threads_is_right),
		cmocka_unit_test(open_refusals_have_texts),
		cmocka_unit_test(open_no_files_says_why_not),
		cmocka_unit_test(open_prints_only_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
