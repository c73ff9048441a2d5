// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_stream_test.c: sequential output in pieces of any length, over extents
 * and slots of any length, and records written beside it.
 */
#include <stdlib.h>

#include "fakedump.h"

#define MIB(n)	((uint64_t)(n) << 20)

static struct fakedump f;

static void
start(const struct fakedump_conf *conf, uint64_t seed)
{
	fakeos_reset(seed);
	fakedump_init(&f, conf);
	assert_int_equal(dumpdev_start(&f.dev.dd), 0);
}

static void
check_window(uint64_t off, const uint8_t *want, uint64_t len)
{
	for (; len > 0; off += KCORE_ALIGN, want += KCORE_ALIGN,
	    len -= KCORE_ALIGN)
		assert_memory_equal(memdev_page(&f.dev, off), want,
		    KCORE_ALIGN);
}

static void
check_nothing_written(void)
{
	assert_int_equal(f.dev.count[DUMPDEV_WRITE], 0);
	fakedump_fini(&f);
}

/* This test checks that bytes put in any portions, with pushes and records in
 * between, come to lie where they belong. */
static void
dump_stream_portions_of_any_length_arrive(void **state)
{
	uint64_t seed = fakeos_seed("stream"), at, n;
	const uint64_t len = MIB(3), off = 3 * KCORE_ALIGN;
	uint8_t *bytes = malloc(len), record[100];
	unsigned int i;

	(void)state;
	memset(record, 0x77, sizeof(record));
	for (i = 0; i < 20; i++) {
		start(&(struct fakedump_conf){ .window = MIB(8),
		    .next = 1 + i * 3,
		    .slot_len = (1 + i) * KCORE_ALIGN,
		    .nslots = 2 + i % 5 }, seed + i);
		for (at = 0; at < len; at++)
			bytes[at] = (uint8_t)fakeos_random(256);
		assert_int_equal(dump_stream_open(&f.d, off), 0);
		for (at = 0; at < len; at += n) {
			n = 1 + fakeos_random(i % 2 ? 20000 : 300);
			if (n > len - at)
				n = len - at;
			assert_int_equal(dump_stream_put(&f.d, bytes + at, n),
			    0);
			if ((at + n) % KCORE_ALIGN == 0)
				assert_int_equal(dump_stream_push(&f.d), 0);
			if (at == 0 || fakeos_random(50) == 0)
				assert_int_equal(dump_stream_record(&f.d,
				    MIB(7), record, sizeof(record)), 0);
		}
		assert_int_equal(dump_stream_push(&f.d), 0);
		assert_int_equal(dump_stream_push(&f.d), 0);
		assert_int_equal(dumpdev_flush(&f.dev.dd), 0);
		check_window(off, bytes, len);
		assert_memory_equal(memdev_page(&f.dev, MIB(7)), record,
		    sizeof(record));
		fakedump_fini(&f);
	}
	free(bytes);
}

/* This test checks that a record is one page, zero behind its end, and that one
 * of more than a page is refused. */
static void
dump_stream_record_is_one_page(void **state)
{
	uint8_t record[KCORE_ALIGN], zeros[KCORE_ALIGN] = { 0 };

	(void)state;
	memset(record, 0x77, sizeof(record));
	start(&(struct fakedump_conf){ .window = MIB(8) }, 1);
	assert_int_equal(dump_stream_record(&f.d, 4096, record, 4096), 0);
	assert_int_equal(dump_stream_record(&f.d, 8192, record, 4096), 0);
	assert_int_equal(dump_stream_record(&f.d, 8192, record, 8), 0);
	assert_int_equal(dump_stream_record(&f.d, 12288, record, 4097),
	    -EINVAL);
	assert_int_equal(dumpdev_flush(&f.dev.dd), 0);
	check_window(4096, record, 4096);
	assert_memory_equal(memdev_page(&f.dev, 8192), record, 8);
	assert_memory_equal(memdev_page(&f.dev, 8192) + 8, zeros, 4088);
	check_window(12288, zeros, 4096);
	fakedump_fini(&f);
}

/* This test checks that neither stream nor record writes page 0, past the
 * window, or at a place that is not aligned. */
static void
dump_stream_bad_places_are_refused(void **state)
{
	static const struct {
		uint64_t off;
		int error;
	} cases[] = {
		{ 0, -ERANGE },
		{ 512, -ERANGE },
		{ 4608, -EINVAL },
		{ MIB(8), -ERANGE },
		{ MIB(8) + 4096, -ERANGE },
		{ UINT64_MAX - 4095, -ERANGE },
	};
	uint8_t page[KCORE_ALIGN] = { 1 };
	unsigned int i;
	int error;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&(struct fakedump_conf){ .window = MIB(8) }, i);
		assert_int_equal(dump_stream_record(&f.d, cases[i].off, page,
		    sizeof(page)), cases[i].error);
		error = dump_stream_open(&f.d, cases[i].off);
		if (error == 0)
			error = dump_stream_put(&f.d, page, sizeof(page));
		if (error == 0)
			error = dump_stream_push(&f.d);
		assert_true(error < 0);
		check_nothing_written();
	}
}

/* This test checks that a stream ends where the window does. */
static void
dump_stream_end_of_window_stops_it(void **state)
{
	uint8_t page[KCORE_ALIGN] = { 1 };
	unsigned int i;
	int error = 0;

	(void)state;
	start(&(struct fakedump_conf){ .window = MIB(8), .next = 7,
	    .slot_len = 5 * KCORE_ALIGN }, 1);
	assert_int_equal(dump_stream_open(&f.d, MIB(8) - 33 * KCORE_ALIGN), 0);
	for (i = 0; i < 40 && error == 0; i++)
		error = dump_stream_put(&f.d, page, sizeof(page));
	assert_int_equal(i, 34);
	assert_true(error < 0);
	assert_int_equal(dumpdev_flush(&f.dev.dd), 0);
	assert_memory_equal(memdev_page(&f.dev, MIB(8) - KCORE_ALIGN), page,
	    sizeof(page));
	fakedump_fini(&f);
}

/* This test checks that part of a page is never sent. */
static void
dump_stream_part_of_a_page_is_refused(void **state)
{
	uint8_t page[KCORE_ALIGN] = { 1 };

	(void)state;
	start(&(struct fakedump_conf){ .window = MIB(8) }, 1);
	assert_int_equal(dump_stream_open(&f.d, KCORE_ALIGN), 0);
	assert_int_equal(dump_stream_put(&f.d, page, 4095), 0);
	assert_int_equal(dump_stream_push(&f.d), -EINVAL);
	check_nothing_written();
}

/* This test checks that an error of a write is told, once, by a later call. */
static void
dump_stream_late_error_is_told(void **state)
{
	uint8_t page[KCORE_ALIGN] = { 1 };
	unsigned int i, told = 0;

	(void)state;
	start(&(struct fakedump_conf){ .window = MIB(8),
	    .slot_len = KCORE_ALIGN }, 1);
	f.dev.fault = MEMDEV_FAIL;
	f.dev.fault_op = DUMPDEV_WRITE;
	f.dev.fault_nth = 3;
	assert_int_equal(dump_stream_open(&f.d, KCORE_ALIGN), 0);
	for (i = 0; i < 20; i++) {
		if (dump_stream_put(&f.d, page, sizeof(page)) == -EIO)
			told++;
		if (dump_stream_push(&f.d) == -EIO)
			told++;
	}
	if (dumpdev_flush(&f.dev.dd) != 0)
		told++;
	assert_int_equal(told, 1);
	fakedump_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_stream_portions_of_any_length_arrive),
		cmocka_unit_test(dump_stream_record_is_one_page),
		cmocka_unit_test(dump_stream_bad_places_are_refused),
		cmocka_unit_test(dump_stream_end_of_window_stops_it),
		cmocka_unit_test(dump_stream_part_of_a_page_is_refused),
		cmocka_unit_test(dump_stream_late_error_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
