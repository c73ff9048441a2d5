/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * save_test.c: what savecore(8) does to a raw device: find a dump, verify its
 * chunks, mark what is bad, clear it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "image.h"

#define CHUNK	KCORE_CHUNK

static int
find(struct image *im, struct kvm_dumpinfo *di)
{
	return kvm_dump_find(im->kd, NULL, 0, di);
}

/* Counts the bytes that differ from what the file was; says the first. */
static size_t
changed(const struct image *im, const uint8_t *before, uint64_t *first)
{
	uint8_t *now = malloc(im->info.window);
	size_t i, n = 0;

	assert_non_null(now);
	image_get(im, 0, now, im->info.window);
	for (i = 0; i < im->info.window; i++)
		if (now[i] != before[i] && n++ == 0)
			*first = i;
	free(now);
	return n;
}

static uint8_t *
contents(const struct image *im)
{
	uint8_t *b = malloc(im->info.window);

	assert_non_null(b);
	image_get(im, 0, b, im->info.window);
	return b;
}

/* This test checks that everything a trailer says is handed on. */
static void
find_complete_dump_tells_all(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.level = 17;
	image_make(&im);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_state, KCORE_STATE_COMPLETE);
	assert_int_equal(di.di_error, 0);
	assert_int_equal(di.di_dumplo, im.info.dumplo);
	assert_int_equal(di.di_seq, 4);
	assert_int_equal(di.di_data_size, im.info.data_size);
	assert_int_equal(di.di_data_valid, im.info.data_size);
	assert_int_equal(di.di_time_ns, im.spec.time_ns);
	assert_int_equal(di.di_level, 17);
	assert_true(di.di_early);
	assert_memory_equal(di.di_arm_id, im.spec.arm_id, KVM_IDLEN);
	assert_memory_equal(di.di_dump_id, im.spec.dump_id, KVM_IDLEN);
	assert_string_equal(di.di_release, im.spec.release);
	assert_string_equal(di.di_panicstr, im.spec.panicstr);
	image_fini(&im);
}

/* This test checks that a torn newer trailer leaves the older in force. */
static void
find_torn_trailer_leaves_the_other(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.torn = MKDUMP_TORN_NEW;
	image_make(&im);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_seq, 3);
	im.spec.torn = MKDUMP_TORN_OLD;
	image_make(&im);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_seq, 4);
	im.spec.seq = 7;
	im.spec.torn = MKDUMP_WHOLE;
	image_make(&im);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_seq, 7);
	image_fini(&im);
}

/* This test checks that a dump just begun counts, not the saved one before. */
static void
find_stale_trailer_is_passed_over(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.stale = true;
	im.spec.seq = 1;
	im.spec.state = KCORE_STATE_INPROGRESS;
	im.spec.early_only = true;
	image_write(&im);
	image_open(&im, O_RDWR);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_seq, 1);
	assert_int_equal(di.di_dumplo, 0);
	assert_memory_equal(di.di_dump_id, im.spec.dump_id, KVM_IDLEN);
	assert_true(di.di_early);
	image_fini(&im);
}

/* This test checks that only records with a known arm id are believed. */
static void
find_unknown_arm_id_is_no_dump(void **state)
{
	static const unsigned char wrong[2][KVM_IDLEN] = { { 1 }, { 2 } };
	unsigned char right[3][KVM_IDLEN] = { { 1 }, { 2 }, { 0 } };
	struct kvm_dumpinfo di;
	struct image im;
	char log[64];

	(void)state;
	image_init(&im);
	image_write(&im);
	image_open(&im, O_RDONLY);
	assert_int_equal(kvm_dump_find(im.kd, wrong, 2, &di), 0);
	assert_int_equal(errno, EPERM);
	image_says(&im, "its arm id is not a known one");
	assert_int_equal(kvm_dump_earlylog(im.kd, log, sizeof(log)), 0);
	assert_int_equal(kvm_dump_find(im.kd, wrong, 0, &di), 0);
	memcpy(right[2], im.spec.arm_id, KVM_IDLEN);
	assert_int_equal(kvm_dump_find(im.kd,
	    (const unsigned char (*)[KVM_IDLEN])right, 3, &di), 1);
	image_fini(&im);
}

/* This test checks that nothing at the end of a device is no dump. */
static void
find_blank_device_is_no_dump(void **state)
{
	static const uint8_t zero[8192];
	struct kvm_dumpinfo di;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.no_early = true;
	image_write(&im);
	image_put(&im, im.info.window - 8192, zero, sizeof(zero));
	image_open(&im, O_RDONLY);
	assert_int_equal(find(&im, &di), 0);
	assert_int_equal(errno, ENOENT);
	image_says(&im, ": no dump");
	image_fini(&im);
}

/* This test checks that an early record alone is found, told and marked. */
static void
find_early_record_alone_is_told_and_saved(void **state)
{
	static const uint8_t zero[8192];
	struct kvm_dumpinfo di;
	struct image im;
	char log[64];
	size_t len;

	(void)state;
	image_init(&im);
	image_write(&im);
	image_put(&im, im.info.window - 8192, zero, sizeof(zero));
	image_open(&im, O_RDWR);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_state, KCORE_STATE_EMPTY);
	assert_int_equal(di.di_dumplo, 0);
	assert_true(di.di_early);
	assert_string_equal(di.di_panicstr, im.spec.panicstr);
	len = strlen(im.spec.log);
	assert_int_equal(kvm_dump_earlylog(im.kd, log, sizeof(log)), len);
	assert_memory_equal(log, im.spec.log, len);
	/* A small buffer gets the end. */
	assert_int_equal(kvm_dump_earlylog(im.kd, log, 4), 4);
	assert_memory_equal(log, im.spec.log + len - 4, 4);
	assert_int_equal(kvm_dump_setsaved(im.kd), 0);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_state, KCORE_STATE_SAVED);
	assert_true(di.di_early);
	image_fini(&im);
}

/* This test checks that inval changes dumpmag and no other byte. */
static void
inval_clears_dumpmag_alone(void **state)
{
	struct image im;
	uint8_t *before;
	uint64_t first = 0;
	uint32_t mag = 1;

	(void)state;
	image_init(&im);
	image_make(&im);
	before = contents(&im);
	assert_int_equal(kvm_read(im.kd, MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG,
	    &mag, 4), 4);
	assert_int_equal(mag, KCORE_DUMPMAG);
	assert_int_equal(kvm_dump_inval(im.kd), 0);
	assert_int_equal(changed(&im, before, &first), 4);
	assert_int_equal(first, im.info.data_off + MKDUMP_AT_DUMPMAG);
	assert_int_equal(kvm_read(im.kd, MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG,
	    &mag, 4), 4);
	assert_int_equal(mag, 0);
	/* Again, and the header is still there. */
	assert_int_equal(kvm_dump_inval(im.kd), 0);
	assert_true(kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo) > 0);
	free(before);
	image_fini(&im);
}

/* This test checks that inval needs mkheader, a raw device, and O_RDWR. */
static void
inval_too_early_fails_with_reason(void **state)
{
	struct image im;
	uint8_t *before;
	uint64_t first;

	(void)state;
	image_init(&im);
	image_write(&im);
	before = contents(&im);
	image_open(&im, O_RDWR);
	assert_int_equal(kvm_dump_inval(im.kd), -1);
	assert_int_equal(errno, ENODEV);
	image_says(&im, "kvm_dump_mkheader() must find one first");
	image_open(&im, O_RDONLY);
	assert_true(kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo) > 0);
	assert_int_equal(kvm_dump_inval(im.kd), -1);
	assert_int_equal(errno, EBADF);
	image_says(&im, "opened for reading only");
	assert_int_equal(kvm_dump_setsaved(im.kd), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(changed(&im, before, &first), 0);
	free(before);
	im.spec.core = true;
	image_make(&im);
	assert_int_equal(kvm_dump_inval(im.kd), -1);
	image_says(&im, "not a raw dump device");
	image_fini(&im);
}

/* This test checks that inval works where the page tables were not written. */
static void
inval_incomplete_dump_uses_physical_address(void **state)
{
	struct image im;
	uint8_t *before;
	uint64_t first = 0;
	uint32_t mag;

	(void)state;
	image_init(&im);
	im.spec.state = KCORE_STATE_FAILED;
	im.spec.error = EIO;
	im.spec.data_valid = 8192;
	image_make(&im);
	before = contents(&im);
	assert_int_equal(kvm_read(im.kd, MKDUMP_MODULE_VA, &mag, 4), -1);
	assert_int_equal(errno, ECANCELED);
	image_says(&im, "page table level 4");
	assert_int_equal(kvm_dump_inval(im.kd), 0);
	assert_int_equal(changed(&im, before, &first), 4);
	assert_int_equal(first, im.info.data_off + MKDUMP_AT_DUMPMAG);
	free(before);
	image_fini(&im);
}

/* This test checks that inval leaves alone what is not the magic number. */
static void
inval_wrong_value_is_not_touched(void **state)
{
	struct image im;
	uint8_t *before;
	uint64_t first;

	(void)state;
	image_init(&im);
	im.spec.dumpmag = 0x12345678;
	image_make(&im);
	before = contents(&im);
	assert_int_equal(kvm_dump_inval(im.kd), -1);
	assert_int_equal(errno, EBADMSG);
	image_says(&im, "is 0x12345678 where 0x8fca0101 was expected");
	assert_int_equal(changed(&im, before, &first), 0);
	free(before);
	image_fini(&im);
}

/* This test checks that setsaved writes one trailer, into the older's place. */
static void
setsaved_writes_the_next_trailer(void **state)
{
	struct kvm_dumpinfo di;
	struct image im;
	uint8_t *before;
	uint64_t first = 0;

	(void)state;
	image_init(&im);
	image_write(&im);
	before = contents(&im);
	image_open(&im, O_RDWR);
	assert_int_equal(kvm_dump_setsaved(im.kd), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(kvm_dump_setsaved(im.kd), 0);
	assert_true(changed(&im, before, &first) <= 4096);
	assert_in_range(first, im.info.window - 8192, im.info.window - 4097);
	image_open(&im, O_RDONLY);
	assert_int_equal(find(&im, &di), 1);
	assert_int_equal(di.di_seq, 5);
	assert_int_equal(di.di_state, KCORE_STATE_SAVED);
	assert_true(kvm_dump_mkheader(im.kd, di.di_dumplo) > 0);
	free(before);
	image_fini(&im);
}

/* This test checks that good chunks verify, before and after inval. */
static void
verify_good_chunks_are_good(void **state)
{
	static uint8_t buf[CHUNK];
	struct image im;
	uint64_t i, sum;
	ssize_t n;

	(void)state;
	image_init(&im);
	image_make(&im);
	assert_int_equal(kvm_dump_inval(im.kd), 0);
	for (i = 0; i * CHUNK < im.info.data_size; i++) {
		n = kvm_dump_read(im.kd, buf, CHUNK, i * CHUNK);
		assert_true(n > 0);
		assert_int_equal(kvm_dump_cksum(im.kd, i, &sum), 1);
		assert_int_equal(kvm_dump_verify(im.kd, i, buf, (size_t)n), 1);
		buf[n / 2] ^= 1;
		assert_int_equal(kvm_dump_verify(im.kd, i, buf, (size_t)n), 0);
		image_says(&im, "checksum 0x");
	}
	assert_int_equal(i, 2);
	assert_int_equal(kvm_dump_cksum(im.kd, i, &sum), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(kvm_dump_verify(im.kd, 0, buf, 4096), -1);
	image_says(&im, "not a chunk");
	image_fini(&im);
}

/* This test checks that a byte changed on the medium is found. */
static void
verify_changed_medium_is_found(void **state)
{
	static uint8_t buf[CHUNK];
	const struct mkdump_flip flips[] = { { MKDUMP_DATA, 70000 } };
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.flips = flips;
	im.spec.nflips = 1;
	image_make(&im);
	assert_int_equal(kvm_dump_read(im.kd, buf, CHUNK, 0), CHUNK);
	assert_int_equal(kvm_dump_verify(im.kd, 0, buf, CHUNK), 0);
	image_says(&im, "chunk 0: checksum");
	image_fini(&im);
}

/* This test checks that no checksum and a damaged one are different answers. */
static void
verify_without_checksum_says_so(void **state)
{
	static uint8_t buf[CHUNK];
	const struct mkdump_flip flips[] = { { MKDUMP_CKSUM, 80 } };
	struct image im;
	uint64_t sum;

	(void)state;
	image_init(&im);
	im.spec.state = KCORE_STATE_INPROGRESS;
	im.spec.data_valid = 65536;
	image_make(&im);
	assert_int_equal(kvm_dump_cksum(im.kd, 0, &sum), 0);
	assert_int_equal(kvm_dump_verify(im.kd, 0, buf, CHUNK), 2);
	image_says(&im, "no checksum of chunk 0 was written");
	im.spec.data_valid = MKDUMP_ALL;
	im.spec.flips = flips;
	im.spec.nflips = 1;
	image_make(&im);
	assert_int_equal(kvm_dump_cksum(im.kd, 0, &sum), -1);
	assert_int_equal(errno, EBADMSG);
	image_says(&im, "checksum page at");
	assert_int_equal(kvm_dump_verify(im.kd, 0, buf, CHUNK), -1);
	image_fini(&im);
}

/* Copies the dump to a core file, as savecore does. */
static void
save(struct image *im, struct image *core, uint64_t data_len)
{
	uint8_t *buf = malloc(data_len);
	FILE *fp = fopen(core->path, "w");

	assert_non_null(buf);
	assert_non_null(fp);
	assert_int_equal(kvm_dump_wrtheader64(im->kd, fp, data_len), 0);
	assert_int_equal(kvm_dump_read(im->kd, buf, data_len, 0), data_len);
	assert_int_equal(fwrite(buf, 1, data_len, fp), data_len);
	assert_int_equal(fclose(fp), 0);
	free(buf);
	image_open(core, O_RDONLY);
}

/* This test checks that marked ranges are so in the core, and nothing else. */
static void
mark_ranges_are_so_in_the_core(void **state)
{
	struct image im, core;
	unsigned long va;
	uint64_t word;

	(void)state;
	image_init(&im);
	image_init(&core);
	image_make(&im);
	va = mkdump_page_offset(&im.spec);
	/* Pages 1 and 2 of CORE_DATA are those at 0x1000 and 0x2000. */
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_DAMAGED, 4096, 4096),
	    0);
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_DAMAGED, 4096, 8192),
	    0);
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_MISSING, 16384, 4096),
	    0);
	assert_int_equal(kvm_dump_hdr(im.kd)->nexclsegs, 2);
	save(&im, &core, im.info.data_size);
	assert_int_equal(kvm_dump_hdr(core.kd)->flags, KCORE_F_DAMAGED);
	assert_int_equal(kvm_read(core.kd, va + 0x1008, &word, 8), -1);
	assert_int_equal(errno, EBADMSG);
	image_says(&core, "damaged");
	assert_int_equal(kvm_read(core.kd, va + 0x2ff8, &word, 8), -1);
	assert_int_equal(kvm_read(core.kd, va + 0x3000, &word, 8), 8);
	assert_int_equal(word, mkdump_word(0x3000));
	assert_int_equal(kvm_read(core.kd, va + 0x4000, &word, 8), -1);
	assert_int_equal(errno, ECANCELED);
	assert_int_equal(kvm_read(core.kd, va + 0x5000, &word, 8), 8);
	image_fini(&im);
	image_fini(&core);
}

/* This test checks that the missing rest is data_valid, and takes no place. */
static void
mark_missing_rest_is_data_valid(void **state)
{
	struct image im, core;
	uint64_t word;

	(void)state;
	image_init(&im);
	image_init(&core);
	image_make(&im);
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_MISSING,
	    im.info.data_size - 8192, 8192), 0);
	assert_int_equal(kvm_dump_hdr(im.kd)->nexclsegs, 0);
	save(&im, &core, im.info.data_size - 8192);
	assert_int_equal(kvm_dump_hdr(core.kd)->flags, KCORE_F_INCOMPLETE);
	assert_int_equal(kvm_read(core.kd, mkdump_page_offset(&im.spec) +
	    0x10000e000, &word, 8), -1);
	assert_int_equal(errno, ECANCELED);
	image_says(&core, "missing");
	image_fini(&im);
	image_fini(&core);
}

/* This test checks that no place left is ENOSPC, with the flag set. */
static void
mark_too_many_is_enospc(void **state)
{
	struct image im;
	uint64_t off;
	int rv = 0;

	(void)state;
	image_init(&im);
	image_make(&im);
	for (off = 4096; rv == 0 && off < im.info.data_size; off += 8192)
		rv = kvm_dump_mark(im.kd, KCORE_EXCL_DAMAGED, off, 4096);
	assert_int_equal(rv, -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(kvm_dump_hdr(im.kd)->nexclsegs, KCORE_EXCL_SPARE);
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_ZERO, 0, 4096), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(kvm_dump_mark(im.kd, KCORE_EXCL_DAMAGED, 4096,
	    UINT64_MAX), -1);
	assert_int_equal(errno, EINVAL);
	image_fini(&im);
}

/* This test checks that the core of an unfinished dump says so unasked. */
static void
wrtheader_of_incomplete_dump_says_so(void **state)
{
	struct image im, core;
	uint64_t word;

	(void)state;
	image_init(&im);
	image_init(&core);
	im.spec.state = KCORE_STATE_INPROGRESS;
	im.spec.data_valid = CHUNK;
	image_make(&im);
	save(&im, &core, im.info.data_size);
	assert_int_equal(kvm_dump_hdr(core.kd)->flags, KCORE_F_INCOMPLETE);
	assert_int_equal(kvm_dump_hdr(core.kd)->data_valid, CHUNK);
	assert_int_equal(kvm_read(core.kd, mkdump_page_offset(&im.spec) +
	    0x100001000, &word, 8), -1);
	assert_int_equal(errno, ECANCELED);
	image_fini(&im);
	image_fini(&core);
}

/* This test checks that late ranges of the trailer are unreadable. */
static void
mkheader_takes_late_ranges(void **state)
{
	const struct mkdump_excl late[] = {
		{ 0x5000, 0x1000, KCORE_EXCL_UNREADABLE },
		{ 0x3000, 0x1000, KCORE_EXCL_UNREADABLE },
	};
	struct image im;
	uint64_t word;

	(void)state;
	image_init(&im);
	im.spec.late = late;
	im.spec.nlate = 2;
	image_make(&im);
	assert_int_equal(kvm_dump_hdr(im.kd)->nexclsegs, 2);
	assert_int_equal(kvm_read(im.kd, mkdump_page_offset(&im.spec) + 0x5000,
	    &word, 8), -1);
	assert_int_equal(errno, EHWPOISON);
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_complete_dump_tells_all),
		cmocka_unit_test(find_torn_trailer_leaves_the_other),
		cmocka_unit_test(find_stale_trailer_is_passed_over),
		cmocka_unit_test(find_unknown_arm_id_is_no_dump),
		cmocka_unit_test(find_blank_device_is_no_dump),
		cmocka_unit_test(find_early_record_alone_is_told_and_saved),
		cmocka_unit_test(inval_clears_dumpmag_alone),
		cmocka_unit_test(inval_too_early_fails_with_reason),
		cmocka_unit_test(inval_incomplete_dump_uses_physical_address),
		cmocka_unit_test(inval_wrong_value_is_not_touched),
		cmocka_unit_test(setsaved_writes_the_next_trailer),
		cmocka_unit_test(verify_good_chunks_are_good),
		cmocka_unit_test(verify_changed_medium_is_found),
		cmocka_unit_test(verify_without_checksum_says_so),
		cmocka_unit_test(mark_ranges_are_so_in_the_core),
		cmocka_unit_test(mark_missing_rest_is_data_valid),
		cmocka_unit_test(mark_too_many_is_enospc),
		cmocka_unit_test(wrtheader_of_incomplete_dump_says_so),
		cmocka_unit_test(mkheader_takes_late_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
