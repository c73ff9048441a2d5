/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86_64_test.c: page tables of x86_64, given as text: lines of
 * `physical-address: entry`.  Entries that no line has can't be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kvm_machine.h"

#define KERNEL	0xffff800000000000ull	/* the first kernel address, 4 levels */

/* How often the last walk asked for an entry. */
static unsigned int fetches;

static int
text_fetch(void *cookie, kpaddr_t pa, uint64_t *entry)
{
	const char *line = cookie;
	char *end;

	fetches++;
	while (line != NULL && *line != '\0') {
		if (strtoull(line, &end, 16) == pa) {
			*entry = strtoull(end + 1, NULL, 16);
			return 0;
		}
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return -1;
}

static enum kvmi_walk_end
walk(const char *tables, unsigned int levels, uint64_t enc_mask, kvaddr_t va,
    struct kvmi_xlat *x)
{
	struct kvmi_walk w = {
		.root = 0x1000, .levels = levels, .enc_mask = enc_mask,
		.fetch = text_fetch, .cookie = (void *)(uintptr_t)tables,
	};

	fetches = 0;
	memset(x, 0xa5, sizeof(*x));
	return kvmi_x86_64.walk(&w, va, x);
}

/* A 4 KiB, a 2 MiB and a 1 GiB page, with flags that are no address. */
static const char four[] =
    "1800: 8000000000002063\n"		/* level 4, entry 256 */
    "2000: 0000000000003067\n"		/* level 3, entry 0 */
    "2008: 80000001400001e3\n"		/* 1 GiB page at 5 GiB */
    "3000: 0000000000004067\n"		/* level 2, entry 0 */
    "3008: 80000000006011e3\n"		/* 2 MiB page at 6 MiB, PAT set */
    "3010: 0000000000000062\n"		/* not present */
    "4000: 80000000abcde1e3\n"		/* 4 KiB page; bit 7 is PAT */
    "4ff8: 7ff0000000123163\n"		/* the table's last, bits 62-52 set */
    "1ff8: 0000000000005063\n"		/* level 4, entry 511 */
    "5ff8: 0000000000006063\n"
    "6ff8: 0000000000007063\n"
    "7ff8: 0000000000008063\n";

/* This test checks that a 4 KiB page is found, its flags left out. */
static void
x86_64_walk_4k_page_gives_address(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(four, 4, 0, KERNEL + 0x123, &x), KVMI_WALK_OK);
	assert_int_equal(x.pa, 0xabcde123);
	assert_int_equal(x.size, 4096);
	assert_int_equal(x.level, 1);
	assert_int_equal(walk(four, 4, 0, KERNEL + 0x1ffff0, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x123ff0);
	assert_int_equal(fetches, 4);
}

/* This test checks that a 2 MiB page is found, its PAT bit left out. */
static void
x86_64_walk_2m_page_gives_address(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(four, 4, 0, KERNEL + 0x3fffff, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x7fffff);
	assert_int_equal(x.size, 2 << 20);
	assert_int_equal(x.level, 2);
}

/* This test checks that a 1 GiB page is found. */
static void
x86_64_walk_1g_page_gives_address(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(four, 4, 0, KERNEL + 0x40000000 + 0x2345678, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x142345678);
	assert_int_equal(x.size, 1 << 30);
	assert_int_equal(x.level, 3);
}

/* This test checks that the last page of the address space is found. */
static void
x86_64_walk_last_page_gives_address(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(four, 4, 0, UINT64_MAX, &x), KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x8fff);
}

/* This test checks that holes say at which level they are. */
static void
x86_64_walk_hole_says_level(void **state)
{
	static const char holes[] =
	    "1800: 2001\n" "1808: 0\n" "2000: 3001\n" "2008: 0\n"
	    "3000: 4001\n" "3008: fffffffffffffffe\n" "4008: 0\n";
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(holes, 4, 0, KERNEL + (1ull << 39), &x),
	    KVMI_WALK_NOTPRESENT);
	assert_int_equal(x.level, 4);
	assert_int_equal(walk(holes, 4, 0, KERNEL + (1 << 30), &x),
	    KVMI_WALK_NOTPRESENT);
	assert_int_equal(x.level, 3);
	assert_int_equal(walk(holes, 4, 0, KERNEL + (1 << 21), &x),
	    KVMI_WALK_NOTPRESENT);
	assert_int_equal(x.level, 2);
	assert_int_equal(x.entry, 0xfffffffffffffffe);
	assert_int_equal(walk(holes, 4, 0, KERNEL + 0x1000, &x),
	    KVMI_WALK_NOTPRESENT);
	assert_int_equal(x.level, 1);
}

/* This test checks that an entry that can't be read is no hole. */
static void
x86_64_walk_missing_table_says_level(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk("1800: 2001\n", 4, 0, KERNEL, &x),
	    KVMI_WALK_NOENTRY);
	assert_int_equal(x.level, 3);
	assert_int_equal(walk("", 4, 0, KERNEL, &x), KVMI_WALK_NOENTRY);
	assert_int_equal(x.level, 4);
}

/* This test checks that addresses outside both halves are refused unread. */
static void
x86_64_walk_noncanonical_is_refused(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(four, 4, 0, KERNEL - 1, &x),
	    KVMI_WALK_NONCANONICAL);
	assert_int_equal(walk(four, 4, 0, 1ull << 47, &x),
	    KVMI_WALK_NONCANONICAL);
	assert_int_equal(walk(four, 5, 0, 1ull << 56, &x),
	    KVMI_WALK_NONCANONICAL);
	assert_int_equal(walk(four, 5, 0, 0xfeffffffffffffffull, &x),
	    KVMI_WALK_NONCANONICAL);
	assert_int_equal(fetches, 0);
	/* The last user address is one, mapped or not. */
	assert_int_equal(walk(four, 4, 0, (1ull << 47) - 1, &x),
	    KVMI_WALK_NOENTRY);
}

/* This test checks that five levels are walked where there are five. */
static void
x86_64_walk_5_levels_gives_address(void **state)
{
	static const char five[] =
	    "1888: 2063\n"			/* level 5, entry 0x111 */
	    "2000: 3063\n" "3000: 4063\n" "4000: 5063\n" "5010: 77063\n";
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(five, 5, 0, 0xff11000000002abcull, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x77abc);
	assert_int_equal(fetches, 5);
}

/* This test checks that encryption bits are no part of any address. */
static void
x86_64_walk_enc_mask_is_left_out(void **state)
{
	static const char sme[] =
	    "1800: 800000002063\n" "2000: 800000003063\n"
	    "3000: 800000004063\n" "3008: 8000006000e3\n"
	    "4000: 8000abcde063\n";
	const uint64_t bit = 1ull << 47;
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(sme, 4, bit, KERNEL, &x), KVMI_WALK_OK);
	assert_int_equal(x.pa, 0xabcde000);
	assert_int_equal(walk(sme, 4, bit, KERNEL + 0x200000, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x600000);
	assert_int_equal(walk(sme, 4, 0, KERNEL, &x), KVMI_WALK_NOENTRY);
}

/* This test checks that pages no processor has are refused. */
static void
x86_64_walk_reserved_bits_are_refused(void **state)
{
	static const char bad[] =
	    "1800: 2001\n" "1808: 2081\n"	/* a 512 GiB page */
	    "2000: 3001\n" "2008: 40200081\n"	/* 1 GiB page, unaligned */
	    "3008: 602081\n";			/* 2 MiB page, unaligned */
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk(bad, 4, 0, KERNEL + (1ull << 39), &x),
	    KVMI_WALK_RESERVED);
	assert_int_equal(x.level, 4);
	assert_int_equal(walk(bad, 4, 0, KERNEL + (1 << 30), &x),
	    KVMI_WALK_RESERVED);
	assert_int_equal(walk(bad, 4, 0, KERNEL + (1 << 21), &x),
	    KVMI_WALK_RESERVED);
	assert_int_equal(x.level, 2);
}

/* This test checks that a table that names itself ends the walk too. */
static void
x86_64_walk_loop_ends(void **state)
{
	struct kvmi_xlat x;

	(void)state;
	assert_int_equal(walk("1800: 1063\n", 4, 0,
	    KERNEL | 256ull << 30 | 256ull << 21 | 256ull << 12, &x),
	    KVMI_WALK_OK);
	assert_int_equal(x.pa, 0x1000);
	assert_int_equal(fetches, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_64_walk_4k_page_gives_address),
		cmocka_unit_test(x86_64_walk_2m_page_gives_address),
		cmocka_unit_test(x86_64_walk_1g_page_gives_address),
		cmocka_unit_test(x86_64_walk_last_page_gives_address),
		cmocka_unit_test(x86_64_walk_hole_says_level),
		cmocka_unit_test(x86_64_walk_missing_table_says_level),
		cmocka_unit_test(x86_64_walk_noncanonical_is_refused),
		cmocka_unit_test(x86_64_walk_5_levels_gives_address),
		cmocka_unit_test(x86_64_walk_enc_mask_is_left_out),
		cmocka_unit_test(x86_64_walk_reserved_bits_are_refused),
		cmocka_unit_test(x86_64_walk_loop_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
