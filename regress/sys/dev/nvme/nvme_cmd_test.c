/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme_cmd_test.c: PRP lists, command ids, and what the NVMe driver makes of a
 * controller's answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dev/nvme/nvmevar.h>

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define CAP_GOOD	(63 | 10ull << 24 | 1ull << 37)

/* This test checks that PRP 2 is nothing, the second page, or the list, by the
 * length of the transfer. */
static void
nvme_prp2_lengths_as_specified(void **state)
{
	static const struct {
		uint32_t len;
		uint64_t prp2;
	} table[] = {
		{ 512, 0 }, { 4096, 0 }, { 4608, 0x101000 },
		{ 8192, 0x101000 }, { 8704, 0x7000 }, { 131072, 0x7000 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++)
		assert_int_equal(nvme_prp2(0x100000, 0x7000, table[i].len),
		    table[i].prp2);
}

/* This test checks that a list holds every page but the first, and not one
 * entry more. */
static void
nvme_prp_fill_pages_all_but_first(void **state)
{
	static const uint32_t npages[] = { 1, 2, 3, 8, 32, 511, 512 };
	uint64_t list[513];
	uint32_t n, j;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(npages); i++) {
		n = npages[i];
		memset(list, 0xff, sizeof(list));
		nvme_prp_fill(list, 0x200000000, n * 4096);
		for (j = 1; j < n; j++)
			assert_int_equal(list[j - 1], 0x200000000 + j * 4096);
		assert_int_equal(list[n - 1], ~0ull);
	}
}

/* This test checks that lists laid side by side never cross a page, nor use
 * the last entry of one, which would be a pointer. */
static void
nvme_prp_stride_lists_cross_no_page(void **state)
{
	uint32_t npages, stride, slot, begin, last;

	(void)state;
	for (npages = 1; npages <= NVME_PRP_MAXLEN / 4096; npages++) {
		stride = nvme_prp_stride(npages * 4096);
		assert_int_equal(stride % 8, 0);
		for (slot = 0; npages > 2 && slot < DUMPDEV_MAXSLOTS; slot++) {
			begin = slot * stride;
			last = begin + (npages - 2) * 8;
			assert_true(last < begin + stride);
			assert_int_equal(begin / 4096, last / 4096);
			assert_int_not_equal(last % 4096, 4096 - 8);
		}
	}
}

/* This test checks that a command id gives its slot back, is never 0xffff, and
 * differs from the slot's ids of a thousand commands before. */
static void
nvme_cid_counts_differ_and_name_slot(void **state)
{
	unsigned int slot;
	uint32_t count;
	uint16_t cid;

	(void)state;
	for (count = 0; count < 0x10000; count += 7)
		for (slot = 0; slot < DUMPDEV_MAXSLOTS; slot++) {
			cid = nvme_cid(slot, (uint16_t)count);
			assert_int_equal(NVME_CID_SLOT(cid), slot);
			assert_int_not_equal(cid, 0xffff);
			assert_int_not_equal(cid,
			    nvme_cid(slot, (uint16_t)(count + 1000)));
		}
}

/* This test checks which controllers are refused by their CAP alone, and that
 * each refusal has its reason. */
static void
nvme_cap_check_unusable_refused(void **state)
{
	static const struct {
		uint64_t cap;
		int error;
		const char *reason;
	} table[] = {
		{ CAP_GOOD, 0, "" },
		{ ~0ull, -ENXIO, "all ones" },
		{ CAP_GOOD | 1ull << 48, -EOPNOTSUPP, "8192 bytes" },
		{ CAP_GOOD & ~(1ull << 37), -EOPNOTSUPP, "NVM command set" },
		{ (CAP_GOOD & ~0xffffull) | 1, -EOPNOTSUPP, "2 entries" },
		{ (CAP_GOOD & ~0xffffull) | 2, 0, "" },
	};
	struct dumpdev dd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		memset(&dd, 0, sizeof(dd));
		assert_int_equal(nvme_cap_check(&dd, table[i].cap),
		    table[i].error);
		assert_non_null(strstr(dd.reason, table[i].reason));
		assert_true((dd.reason[0] == '\0') == (table[i].error == 0));
	}
}

/* This test checks that MDTS lowers the slot length, and only lowers it. */
static void
nvme_idc_check_mdts_lowers_slot(void **state)
{
	static const struct {
		uint8_t mdts;
		uint32_t slot_len;
	} table[] = {
		{ 0, 131072 }, { 1, 8192 }, { 4, 65536 }, { 5, 131072 },
		{ 7, 131072 }, { 20, 131072 }, { 255, 131072 },
	};
	uint8_t page[4096] = { 0 };
	struct dumpdev dd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		memset(&dd, 0, sizeof(dd));
		dd.slot_len = 131072;
		page[77] = table[i].mdts;
		assert_int_equal(nvme_idc_check(&dd, page), 0);
		assert_int_equal(dd.slot_len, table[i].slot_len);
	}
}

/* This test checks that a discovery or administrative controller is refused. */
static void
nvme_idc_check_not_io_refused(void **state)
{
	uint8_t page[4096] = { 0 };
	struct dumpdev dd = { .slot_len = 4096 };

	(void)state;
	page[111] = 2;
	assert_int_equal(nvme_idc_check(&dd, page), -EOPNOTSUPP);
	assert_non_null(strstr(dd.reason, "type 2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nvme_prp2_lengths_as_specified),
		cmocka_unit_test(nvme_prp_fill_pages_all_but_first),
		cmocka_unit_test(nvme_prp_stride_lists_cross_no_page),
		cmocka_unit_test(nvme_cid_counts_differ_and_name_slot),
		cmocka_unit_test(nvme_cap_check_unusable_refused),
		cmocka_unit_test(nvme_idc_check_mdts_lowers_slot),
		cmocka_unit_test(nvme_idc_check_not_io_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
