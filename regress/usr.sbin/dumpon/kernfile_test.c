/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernfile_test.c: small files of the kernel's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "kernfile.h"

/* Each read(2) gets 4 bytes, and from this one on EIO; 0: none fails. */
static unsigned int fail_from, reads;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
	if (fail_from != 0 && ++reads >= fail_from) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, buf, len < 4 ? len : 4);
}

/* This test checks that a file is read in as many pieces as it comes in, and
 * what is too long is cut. */
static void
kernfile_read_in_pieces_gives_text(void **state)
{
	char text[32];

	(void)state;
	fail_from = 0;
	fake_file("/proc/x", "0123456789\n");
	assert_int_equal(kernfile_read(text, sizeof(text), "/proc/%s", "x"),
	    10);
	assert_string_equal(text, "0123456789");
	assert_int_equal(kernfile_read(text, 7, "/proc/x"), 6);
	assert_string_equal(text, "012345");
}

/* This test checks that a file which can't be read to its end gives no text, for
 * whoever does not ask whether it could. */
static void
kernfile_read_failure_leaves_no_text(void **state)
{
	char text[32];

	(void)state;
	fake_file("/proc/x", "0123456789\n");
	for (fail_from = 1; fail_from <= 3; fail_from++) {
		memset(text, 'x', sizeof(text));
		reads = 0;
		assert_int_equal(kernfile_read(text, sizeof(text), "/proc/x"),
		    -1);
		assert_int_equal(errno, EIO);
		assert_int_equal(text[0], '\0');
	}
	fail_from = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kernfile_read_in_pieces_gives_text),
		TEST(kernfile_read_failure_leaves_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
