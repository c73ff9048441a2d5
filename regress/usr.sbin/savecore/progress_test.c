/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress_test.c: how far savecore is, on a terminal and in a log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "savecore.h"

#define MIB	(1ull << 20)
#define SECOND	1000000000ull

static uint64_t fake_ns;
static int fake_terminal;
static unsigned int nlines;
static char last_line[256];

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_isatty(int fd);

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	ts->tv_sec = (time_t)(fake_ns / SECOND);
	ts->tv_nsec = (long)(fake_ns % SECOND);
	return 0;
}

int
__wrap_isatty(int fd)
{
	assert_int_equal(fd, STDERR_FILENO);
	return fake_terminal;
}

void
msg(int pri, const char *fmt, ...)
{
	va_list ap;

	assert_int_equal(pri, LOG_INFO);
	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
	nlines++;
}

static void
assert_text(uint64_t done, uint64_t total, uint64_t ns, const char *want)
{
	char text[96];

	progress_text(text, sizeof(text), done, total, ns);
	assert_string_equal(text, want);
}

/* This test checks percents, rates and times, at the edges too. */
static void
progress_text_says_rate_and_time_left(void **state)
{
	(void)state;
	assert_text(256 * MIB, 1024 * MIB, 2 * SECOND,
	    "25% of 1024 MiB, 128 MiB/s, 0:06 left");
	assert_text(MIB, 3661 * MIB, SECOND,
	    "0% of 3661 MiB, 1 MiB/s, 1:01:00 left");
	assert_text(0, 1024 * MIB, SECOND, "0% of 1024 MiB, 0 MiB/s, ? left");
	assert_text(0, 0, 0, "100% of 0 MiB, 0 MiB/s, ? left");
	assert_text(1, UINT64_MAX, 3600 * SECOND,
	    "0% of 17592186044415 MiB, 0 MiB/s, 99:59:59 left");
}

/* Copies 300 MiB in 300 seconds; what stderr got in buf. */
static void
run(char *buf, size_t len)
{
	FILE *fp = tmpfile(), *was = stderr;
	struct progress p;
	uint64_t i;
	size_t n;

	assert_non_null(fp);
	fake_ns = 5 * SECOND;
	nlines = 0;
	stderr = fp;
	progress_begin(&p, "dump", 300 * MIB);
	for (i = 1; i <= 600; i++) {
		fake_ns += SECOND / 2;
		progress_step(&p, i * MIB / 2);
	}
	progress_clear(&p);
	stderr = was;
	rewind(fp);
	n = fread(buf, 1, len - 1, fp);
	buf[n] = '\0';
	fclose(fp);
}

/* This test checks that a log gets a line each 30 seconds, and no bar. */
static void
progress_in_log_is_quiet(void **state)
{
	char buf[256];

	(void)state;
	fake_terminal = 0;
	run(buf, sizeof(buf));
	assert_string_equal(buf, "");
	assert_int_equal(nlines, 9);
	assert_string_equal(last_line,
	    "dump: 90% of 300 MiB, 1 MiB/s, 0:30 left");
}

/* This test checks that a terminal gets a bar each second, which is gone in the
 * end. */
static void
progress_on_terminal_is_a_bar(void **state)
{
	static char buf[65536];
	const char *at;
	unsigned int n = 0;

	(void)state;
	fake_terminal = 1;
	run(buf, sizeof(buf));
	assert_int_equal(nlines, 0);
	for (at = buf; (at = strstr(at, "\r[")) != NULL; at++)
		n++;
	assert_int_equal(n, 299);
	assert_non_null(strstr(buf, "\r[##########----------] "
	    "50% of 300 MiB, 1 MiB/s, 2:30 left\033[K"));
	assert_string_equal(buf + strlen(buf) - 4, "\r\033[K");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_text_says_rate_and_time_left),
		cmocka_unit_test(progress_in_log_is_quiet),
		cmocka_unit_test(progress_on_terminal_is_a_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
