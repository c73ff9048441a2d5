/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * last_test.c: what dumpon -l says of the last dump.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "dumpon.h"
#include "fake.h"

static const char *
told(void)
{
	fake_listen();
	last_tell();
	return fake_said();
}

/* This test checks that time, verdict and core are told, from the text and from
 * the JSON of savecore. */
static void
last_saved_dump_is_told(void **state)
{
	static const char wanted[] =
	    "last dump: of 2026-11-23T09:12:44Z, complete, in "
	    "/var/crash/linux.3.core\n";

	(void)state;
	fake_file("/var/crash/info.3", "verdict: complete\n"
	    "panic: sysrq triggered crash\ntimes: 4\n"
	    "time: 2026-11-23T09:12:44Z\ncore: linux.3.core\n");
	fake_link("/var/crash/info.last", "info.3");
	assert_string_equal(told(), wanted);
	fake_file("/var/crash/info.3", "{\"verdict\": \"complete\",\n"
	    "\"panic\": \"oops\",\n\"time\": \"2026-11-23T09:12:44Z\",\n"
	    "\"core\": \"linux.3.core\"}\n");
	assert_string_equal(told(), wanted);
}

/* This test checks that the directory is that of swapcore.conf. */
static void
last_other_directory_is_looked_at(void **state)
{
	(void)state;
	assert_string_equal(told(), "last dump: none in /var/crash\n");
	fake_file("/etc/swapcore.conf", "directory=/srv/crash\n");
	assert_string_equal(told(), "last dump: none in /srv/crash\n");
}

/* This test checks that a file that says too little, or that is none, is told
 * as such, and that what is in it reaches no terminal as it is. */
static void
last_strange_file_is_told(void **state)
{
	(void)state;
	fake_file("/var/crash/info.last", "verdict: complete\n");
	assert_string_equal(told(),
	    "last dump: /var/crash/info.last does not say\n");
	fake_file("/var/crash/info.last",
	    "verdict: \033[2J\ntime: now\ncore: x\n");
	assert_string_equal(told(),
	    "last dump: of now, \\033[2J, in /var/crash/x\n");
	fake_remove("/var/crash/info.last");
	assert_int_equal(mkfifo(fake_path("/var/crash/info.last"), 0600), 0);
	assert_string_equal(told(),
	    "last dump: /var/crash/info.last: Invalid argument\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(last_saved_dump_is_told),
		TEST(last_other_directory_is_looked_at),
		TEST(last_strange_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
