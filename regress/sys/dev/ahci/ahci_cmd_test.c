/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahci_cmd_test.c: commands as the AHCI driver lays them out, and what it makes
 * of what a disk says about itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dev/ahci/ahcivar.h>

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* This test checks the bytes of a read, a write and a flush: FIS, header and
 * the piece of memory. */
static void
ahci_cmd_fill_bytes_as_specified(void **state)
{
	static const struct {
		enum dumpdev_op op;
		uint64_t blk;
		uint32_t nblks, blksize;
		uint8_t fis[20];
		uint32_t dw0, dbc;
	} table[] = {
		{ DUMPDEV_READ, 0x665544332211, 0x102,
		    512, { 0x27, 0x80, 0x25, 0, 0x11, 0x22, 0x33, 0x40, 0x44,
		    0x55, 0x66, 0, 0x02, 0x01 }, 0x00010005, 0x203ff },
		{ DUMPDEV_WRITE, 0xfedcba, 1, 4096, { 0x27, 0x80, 0x35, 0, 0xba,
		    0xdc, 0xfe, 0x40, 0, 0, 0, 0, 1, 0 }, 0x00010045, 0xfff },
		{ DUMPDEV_FLUSH, 0, 0, 512, { 0x27, 0x80, 0xea, 0, 0, 0, 0,
		    0x40 }, 0x00000005, 0 },
	};
	struct ahci_cmdtbl tbl;
	struct ahci_cmdhdr hdr;
	struct ahci_cmd cmd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		memset(&tbl, 0xff, sizeof(tbl));
		memset(&hdr, 0xff, sizeof(hdr));
		ahci_cmd_plan(&cmd, table[i].op, table[i].blk, table[i].nblks,
		    table[i].blksize, 0x123456000);
		ahci_cmd_fill(&cmd, &hdr, &tbl, 0x987654300);
		assert_memory_equal(tbl.cfis, table[i].fis, 20);
		assert_int_equal(hdr.dw0, table[i].dw0);
		assert_int_equal(hdr.prdbc, 0);
		assert_int_equal(hdr.ctba, 0x987654300);
		assert_int_equal(tbl.prd.dba, table[i].nblks == 0 ? 0 :
		    0x123456000);
		assert_int_equal(tbl.prd.dbc, table[i].dbc);
	}
}

/* This test checks which disks are taken, by single words of IDENTIFY. */
static void
ahci_ident_check_words_judged(void **state)
{
	static const struct {
		unsigned int word;
		uint16_t value;
		uint32_t blksize;
		int error;
	} table[] = {
		{ 0, 0x0040, 512, 0 },
		{ 106, 0x4000, 512, 0 },
		{ 106, 0x6003, 512, 0 },	/* 4096 physical */
		{ 106, 0xffff, 512, 0 },	/* word not valid */
		{ 106, 0x5000, 512, -EOPNOTSUPP },
		{ 106, 0x5000, 4096, 0 },
		{ 0, 0x0040, 4096, -EOPNOTSUPP },
		{ 83, 0x0000, 512, -EOPNOTSUPP },
		{ 83, 0xffff, 512, -EOPNOTSUPP },
		{ 83, 0x4400, 512, -EOPNOTSUPP },	/* no flush */
		{ 83, 0x6000, 512, -EOPNOTSUPP },	/* 28 bits */
		{ 49, 0x2e00, 512, -EOPNOTSUPP },	/* no DMA */
		{ 128, 0x0004, 512, -EROFS },
		{ 103, 0x0001, 512, 0 },
		{ 102, 0x0000, 512, -ENXIO },
		{ 100, 0x0fff, 512, -ENXIO },
		{ 100, 0x1001, 512, 0 },
	};
	struct dumpdev dd;
	uint16_t id[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		memset(&dd, 0, sizeof(dd));
		dd.nblks = 0x100001000;
		dd.blksize = table[i].blksize;
		memset(id, 0, sizeof(id));
		id[49] = 0x0300;
		id[83] = 0x7400;
		id[100] = 0x1000;
		id[102] = 0x0001;
		id[117] = 0x0800;	/* 2048 words */
		id[table[i].word] = table[i].value;
		if (ahci_ident_check(&dd, id) != table[i].error)
			fail_msg("%zu: %s", i, dd.reason);
		assert_true((dd.reason[0] != '\0') == (table[i].error != 0));
	}
}

/* This test checks that a disk which powers up in standby is known by either
 * of its two marks. */
static void
ahci_ident_standby_marks_known(void **state)
{
	uint16_t id[256] = { 0 };

	(void)state;
	assert_false(ahci_ident_standby(id));
	id[2] = 0xc837;			/* complete */
	assert_false(ahci_ident_standby(id));
	id[2] = 0x37c8;
	assert_true(ahci_ident_standby(id));
	id[2] = 0x738c;
	assert_true(ahci_ident_standby(id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ahci_cmd_fill_bytes_as_specified),
		cmocka_unit_test(ahci_ident_check_words_judged),
		cmocka_unit_test(ahci_ident_standby_marks_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
