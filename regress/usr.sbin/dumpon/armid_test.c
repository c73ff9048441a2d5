/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * armid_test.c: the list of arm ids.
 */
#include <sys/stat.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "armid.h"
#include "fake.h"

#define LIST	ARMID_DIR "/armid"

static bool no_memory;

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);

char *
__wrap_strdup(const char *s)
{
	if (!no_memory)
		return __real_strdup(s);
	errno = ENOMEM;
	return NULL;
}

static void
append(unsigned char first)
{
	unsigned char id[KCORE_IDLEN] = { first, 0xa5 };

	assert_int_equal(armid_append(id, "/dev/x", 1), 0);
}

/* Reading the list fails with what said. */
static void
assert_read_fails(const char *what)
{
	struct armid_list list;
	const char *said;
	int r;

	fake_listen();
	r = armid_read(&list);
	said = fake_said();
	assert_int_equal(r, -1);
	assert_non_null(strstr(said, what));
}

/* This test checks that an id comes back, that file and directory are root's
 * alone, and what a line looks like. */
static void
armid_append_then_read_gives_id(void **state)
{
	struct armid_list list;
	struct stat st;

	(void)state;
	append(0x12);
	assert_int_equal(armid_read(&list), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.ids[0][0], 0x12);
	assert_int_equal(list.ids[0][1], 0xa5);
	assert_int_equal(list.levels[0], 1);
	assert_int_equal(stat(fake_path(LIST), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(fake_path(ARMID_DIR), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_memory_equal(fake_text(LIST),
	    "12a50000000000000000000000000000 ", 33);
	assert_non_null(strstr(fake_text(LIST), " /dev/x 1\n"));
}

/* This test checks that the newest 1024 are kept, in order. */
static void
armid_append_many_keeps_newest(void **state)
{
	static char text[(ARMID_MAX + 5) * 48];
	static struct armid_list list;
	unsigned int i;
	size_t n = 0;

	(void)state;
	append(0);
	for (i = 0; i < ARMID_MAX + 5; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%032x 1 /dev/x 1\n", i);
	fake_file(LIST, text);
	assert_int_equal(chmod(fake_path(LIST), 0600), 0);
	append(0x12);
	assert_int_equal(armid_read(&list), 0);
	assert_int_equal(list.n, 1024);
	for (i = 0; i < ARMID_MAX - 1; i++)
		assert_int_equal(list.ids[i][14] << 8 | list.ids[i][15], i + 6);
	assert_int_equal(list.ids[i][0], 0x12);
}

/* This test checks that no list is an empty one. */
static void
armid_read_no_list_is_empty(void **state)
{
	struct armid_list list;

	(void)state;
	assert_int_equal(armid_read(&list), 0);
	assert_int_equal(list.n, 0);
}

/* This test checks that lines that are no ids are passed over. */
static void
armid_read_bad_lines_skipped(void **state)
{
	struct armid_list list;

	(void)state;
	append(1);
	fake_file(LIST, "12\nxy345678901234567890123456789012 1 x\n\n"
	    "0123456789abcdef0123456789abcdef0 1 x\n"
	    "0123456789abcdef0123456789abcdef 1 x\n");
	assert_int_equal(chmod(fake_path(LIST), 0600), 0);
	assert_int_equal(armid_read(&list), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.ids[0][0], 0x01);
	assert_int_equal(list.ids[0][15], 0xef);
	assert_int_equal(list.levels[0], -1);
}

/* This test checks that a list that others may write is not believed. */
static void
armid_read_writable_by_others_refused(void **state)
{
	(void)state;
	append(1);
	assert_int_equal(chmod(fake_path(LIST), 0666), 0);
	assert_read_fails("can't be believed");
	assert_int_equal(chmod(fake_path(LIST), 0600), 0);
	assert_int_equal(chmod(fake_path(ARMID_DIR), 0777), 0);
	assert_read_fails("can't be believed");
}

/* This test checks that a link in the list's place is not followed. */
static void
armid_read_link_refused(void **state)
{
	(void)state;
	append(1);
	fake_remove(LIST);
	fake_file("/elsewhere", "0123456789abcdef0123456789abcdef 1 x\n");
	fake_link(LIST, "../../../elsewhere");
	assert_read_fails("armid");
}

/* This test checks that no id is lost where there is no memory for the list. */
static void
armid_append_without_memory_keeps_list(void **state)
{
	const unsigned char id[KCORE_IDLEN] = { 3 };
	struct armid_list list;
	const char *said;
	int r;

	(void)state;
	append(1);
	append(2);
	fake_listen();
	no_memory = true;
	r = armid_append(id, "/dev/x", 1);
	no_memory = false;
	said = fake_said();
	assert_int_equal(r, -1);
	assert_non_null(strstr(said, "Cannot allocate memory"));
	assert_int_equal(armid_read(&list), 0);
	assert_int_equal(list.n, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(armid_append_then_read_gives_id),
		TEST(armid_append_many_keeps_newest),
		TEST(armid_append_without_memory_keeps_list),
		TEST(armid_read_no_list_is_empty),
		TEST(armid_read_bad_lines_skipped),
		TEST(armid_read_writable_by_others_refused),
		TEST(armid_read_link_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
