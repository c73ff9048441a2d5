/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * damage_test.c: every bit of every record flipped, and files cut at every
 * length: always a text, never a false success.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"

/* Opens the file anew; it must fail, and say why. */
static void
core_must_not_open(const struct image *im, uint64_t at)
{
	char errbuf[KVM_ERRBUFSZ] = "";
	kvm_t *kd = kvm_openfiles(NULL, im->path, NULL, O_RDONLY, errbuf);

	if (kd != NULL)
		fail_msg("opened, with byte %#jx changed", (uintmax_t)at);
	assert_ptr_equal(strstr(errbuf, im->path), errbuf);
	assert_true(strlen(errbuf) > strlen(im->path) + 2);
}

static void
header_must_be_refused(const struct image *im, uint64_t at)
{
	int rv = kvm_dump_mkheader(im->kd, (off_t)im->info.dumplo);
	uint32_t word;

	if (rv != 0)
		fail_msg("kvm_dump_mkheader: %d, with byte %#jx changed", rv,
		    (uintmax_t)at);
	assert_int_not_equal(kvm_geterr(im->kd)[0], '\0');
	assert_int_equal(kvm_read(im->kd, MKDUMP_MODULE_VA, &word, 4), -1);
}

/* This test checks that no flipped bit of a raw header is taken for right. */
static void
damage_raw_header_any_bit_is_refused(void **state)
{
	struct image im;
	uint64_t at, end;
	uint8_t byte, bad;
	unsigned int bit;

	(void)state;
	image_init(&im);
	im.spec.torn = MKDUMP_TORN_BOTH;	/* the header is on its own */
	image_make(&im);
	end = im.info.data_off;
	for (at = im.info.dumplo; at < end; at++) {
		image_get(&im, at, &byte, 1);
		for (bit = 0; bit < 8; bit++) {
			bad = (uint8_t)(byte ^ 1u << bit);
			image_put(&im, at, &bad, 1);
			header_must_be_refused(&im, at);
		}
		image_put(&im, at, &byte, 1);
	}
	assert_true(kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo) > 0);
	image_fini(&im);
}

/* This test checks that no flipped bit of a core's headers is believed. */
static void
damage_core_header_any_bit_is_refused(void **state)
{
	struct image im;
	uint64_t at;
	uint8_t byte, bad;
	unsigned int bit;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	image_make(&im);
	for (at = 0; at < im.info.data_off; at++) {
		image_get(&im, at, &byte, 1);
		for (bit = 0; bit < 8; bit++) {
			/* A segment's machine id is not looked at. */
			if ((at == 17 || at == im.info.data_off - 7 ||
			    ((at == 16 || at == im.info.data_off - 8) &&
			    bit < 2)))
				continue;
			bad = (uint8_t)(byte ^ 1u << bit);
			image_put(&im, at, &bad, 1);
			core_must_not_open(&im, at);
		}
		image_put(&im, at, &byte, 1);
	}
	image_open(&im, O_RDONLY);
	image_fini(&im);
}

/* This test checks that a core cut in its headers does not open. */
static void
damage_core_cut_in_headers_is_refused(void **state)
{
	struct image im;
	uint64_t len;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	image_write(&im);
	for (len = im.info.data_off - 1; len > 0; len--) {
		assert_int_equal(truncate(im.path, (off_t)len), 0);
		core_must_not_open(&im, len);
	}
	assert_int_equal(truncate(im.path, 0), 0);
	core_must_not_open(&im, 0);
	image_fini(&im);
}

/* This test checks that a core cut in its data says where it ends. */
static void
damage_core_cut_in_data_says_where(void **state)
{
	struct image im;
	uint64_t buf[512];
	unsigned long va;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	image_write(&im);
	assert_int_equal(truncate(im.path, (off_t)(im.info.data_off +
	    im.info.data_size - 100)), 0);
	image_open(&im, O_RDONLY);
	va = mkdump_page_offset(&im.spec) + 0x10000f000;
	assert_int_equal(kvm_read(im.kd, va, buf, sizeof(buf)), 4096 - 100);
	assert_int_equal(buf[0], mkdump_word(0x10000f000));
	assert_int_equal(kvm_read(im.kd, va + 4096 - 100, buf, 8), -1);
	assert_int_equal(errno, EIO);
	image_says(&im, "the file ends");
	image_fini(&im);
}

/* This test checks that a flipped bit in a trailer leaves the other one. */
static void
damage_trailer_any_bit_leaves_the_older(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;
	uint64_t at;
	uint8_t byte, bad;
	unsigned int i;
	const uint8_t masks[] = { 0x01, 0x10, 0x80, 0xff };

	(void)state;
	image_init(&im);
	image_make(&im);
	assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di), 1);
	assert_int_equal(di.di_seq, 4);
	for (at = im.info.window - 4096; at < im.info.window; at++) {
		image_get(&im, at, &byte, 1);
		for (i = 0; i < sizeof(masks); i++) {
			bad = byte ^ masks[i];
			image_put(&im, at, &bad, 1);
			assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di),
			    1);
			assert_int_equal(di.di_seq, 3);
		}
		image_put(&im, at, &byte, 1);
	}
	image_fini(&im);
}

/* This test checks that without both trailers there is no dump. */
static void
damage_both_trailers_is_no_dump(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.torn = MKDUMP_TORN_BOTH;
	im.spec.no_early = true;
	image_make(&im);
	assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di), 0);
	image_says(&im, "no dump: ");
	image_says(&im, "checksum");
	image_fini(&im);
}

/* This test checks that a flipped bit in the early record makes it go away. */
static void
damage_early_any_byte_is_no_record(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;
	uint64_t at, off;
	uint8_t byte, bad;

	(void)state;
	image_init(&im);
	image_make(&im);
	off = im.info.early_off;
	for (at = off; at < off + 4096 + strlen(im.spec.log); at++) {
		image_get(&im, at, &byte, 1);
		bad = byte ^ 0x20;
		image_put(&im, at, &bad, 1);
		assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di), 1);
		if (di.di_early)
			fail_msg("whole, with byte %#jx changed",
			    (uintmax_t)at);
		image_put(&im, at, &byte, 1);
	}
	assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di), 1);
	assert_true(di.di_early);
	image_fini(&im);
}

/* This test checks that a device cut at any length has no false dump. */
static void
damage_raw_cut_is_no_dump(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;
	uint64_t len, end;
	int rv;

	(void)state;
	image_init(&im);
	image_write(&im);
	end = im.info.data_off + im.info.data_size;
	for (len = im.info.window - 1; len > 4096;) {
		assert_int_equal(truncate(im.path, (off_t)len), 0);
		image_open(&im, O_RDONLY);
		rv = kvm_dump_find(im.kd, NULL, 0, &di);
		assert_int_equal(rv, 0);
		rv = kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo);
		assert_int_equal(rv > 0, len >= end);
		assert_true(rv >= 0);
		if (rv == 0)
			assert_int_not_equal(kvm_geterr(im.kd)[0], '\0');
		/* By the byte in header and trailers, else by the page. */
		if ((len > im.info.window - 8192 && len % 64 != 0) ||
		    (len > im.info.dumplo && len < im.info.data_off + 16))
			len--;
		else
			len -= len > 64 * 4096 ? 4093 : 61;
	}
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_raw_header_any_bit_is_refused),
		cmocka_unit_test(damage_core_header_any_bit_is_refused),
		cmocka_unit_test(damage_core_cut_in_headers_is_refused),
		cmocka_unit_test(damage_core_cut_in_data_says_where),
		cmocka_unit_test(damage_trailer_any_bit_leaves_the_older),
		cmocka_unit_test(damage_both_trailers_is_no_dump),
		cmocka_unit_test(damage_early_any_byte_is_no_record),
		cmocka_unit_test(damage_raw_cut_is_no_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
