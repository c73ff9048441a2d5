/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kdump_test.c: compressed dumps that are not savecore's, plain and flattened.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "foreign.h"

/* Sets a number in the file. */
static void
poke(struct foreign *f, size_t at, uint64_t value, size_t size)
{
	image_put(&f->im, at, &value, size);
}

/* This test checks every page, compressed in each way, and what is out. */
static void
kdump_every_page_is_right(void **state)
{
	static const unsigned int flags[] = { 1, 2, 0x20 };
	const uint64_t direct = 0xffff888000000000;
	struct foreign *f = *state;
	char errbuf[KVM_ERRBUFSZ];
	uint8_t page[4096];
	size_t i, k;
	kvm_t *kd;

	for (i = 0; i < 3; i++) {
		foreign_fini(f);
		foreign_init(f);
		f->flags = flags[i];
		foreign_kdump(f);
		foreign_compare(f);
		assert_non_null(kd = foreign_open(f, errbuf));
		assert_int_equal(kvm_read(kd, direct + 0x3000, page, 4096),
		    4096);
		for (k = 0; k < 4096; k++)
			assert_int_equal(page[k], 0);
		assert_int_equal(kvm_read(kd, direct + 0x1000, page, 1), -1);
		assert_int_equal(errno, ENODATA);
		assert_non_null(strstr(kvm_geterr(kd), "left out by dump level "
		    "31"));
		assert_int_equal(kvm_ncpus(kd), 3);
		assert_string_equal(kvm_release(kd), FOREIGN_RELEASE);
		kvm_close(kd);
	}
}

/* This test checks a file of an old version, which has 32-bit sizes. */
static void
kdump_old_version_is_read(void **state)
{
	struct foreign *f = *state;

	f->version = 3;
	foreign_kdump(f);
	foreign_compare(f);
}

/* This test checks a flattened file, in which one block is there twice. */
static void
kdump_flattened_is_put_back(void **state)
{
	struct foreign *f = *state;

	foreign_kdump(f);
	foreign_flatten(f);
	foreign_compare(f);
	assert_int_equal(ftruncate(f->im.fd, (off_t)f->len - 16), 0);
	foreign_refused(f, EIO, "flattened file");
	foreign_elf(f);
	foreign_flatten(f);
	foreign_compare(f);
}

/* This test checks that files which can't be used are refused, and why. */
static void
kdump_useless_is_refused(void **state)
{
	struct foreign *f = *state;

	foreign_kdump(f);
	poke(f, 8, 7, 4);
	foreign_refused(f, ENOTSUP,
	    "version 7; this library knows versions 1 to 6");
	poke(f, 8, 6, 4);
	poke(f, 428, 65536, 4);
	foreign_refused(f, ENOTSUP, "pages of 65536 bytes");
	poke(f, 428, 4096, 4);
	poke(f, 4096 + 12, 1, 4);
	foreign_refused(f, ENOTSUP, "makedumpfile --reassemble");
	poke(f, 4096 + 12, 0, 4);
	poke(f, 12 + 4 * 65, 'y', 1);
	foreign_refused(f, ENOTSUP, "\"y86_64\" is not a machine");
	poke(f, 12 + 4 * 65, '\033', 1);
	foreign_refused(f, ENOTSUP, "\"?86_64\" is not a machine");
	poke(f, 12 + 4 * 65, 'x', 1);
	poke(f, 436, 1, 4);
	foreign_refused(f, EBADMSG, "1 blocks of bitmaps");
}

/* This test checks that a page that can't be unpacked says so, and no more. */
static void
kdump_bad_page_is_an_error(void **state)
{
	const uint64_t direct = 0xffff888000000000;
	struct foreign *f = *state;
	char errbuf[KVM_ERRBUFSZ];
	uint8_t page[4096];
	uint64_t at;
	kvm_t *kd;

	foreign_kdump(f);
	at = f->headers - 24;	/* the last page's descriptor */
	poke(f, at + 12, 4, 4);
	assert_non_null(kd = foreign_open(f, errbuf));
	assert_int_equal(kvm_read(kd, direct + 0x10000f000, page, 1), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_non_null(strstr(kvm_geterr(kd), "which is snappy"));
	poke(f, at + 12, 1, 4);
	poke(f, at + 8, 7, 4);
	assert_int_equal(kvm_read(kd, direct + 0x10000f000, page, 4096), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(kvm_read(kd, direct + 0x10000e000, page, 4096), 4096);
	poke(f, at, 0, 8);
	assert_int_equal(kvm_read(kd, direct + 0x10000f000, page, 9), -1);
	assert_int_equal(errno, ECANCELED);
	kvm_close(kd);
}

/* This test checks that a wrong byte in headers, notes, or descriptors does no
 * harm, nor one in the headers of a flattened file. */
static void
kdump_mutations_come_back(void **state)
{
	struct foreign *f = *state;
	const size_t tables = 3 * 4096;

	foreign_kdump(f);
	foreign_mutate(f, 464);
	foreign_mutate_range(f, 4096, 4096 + 104);
	foreign_mutate_range(f, 8192, 8192 + strlen(f->info));
	foreign_mutate_range(f, tables, tables + 64);
	foreign_mutate_range(f, f->headers - 40 * 24, f->headers - 36 * 24);
	foreign_flatten(f);
	foreign_mutate_range(f, 0, 64);
	foreign_mutate_range(f, 4096, 4096 + 64);
	foreign_mutate_range(f, f->len - 32, f->len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kdump_every_page_is_right),
		TEST(kdump_old_version_is_read),
		TEST(kdump_flattened_is_put_back),
		TEST(kdump_useless_is_refused),
		TEST(kdump_bad_page_is_an_error),
		TEST(kdump_mutations_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
