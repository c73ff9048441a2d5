/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_test.c: what swapcore.conf(5) says, and what is said of it.
 */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf.h"
#include "kernfile.h"

static char root[64];
static char said[8192];

const char *
kernfile_root(void)
{
	return root;
}

static void
say(const char *text)
{
	size_t len = strlen(said);

	snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *fp;

	snprintf(path, sizeof(path), "%s%s", root, name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fclose(fp), 0);
}

static int
setup(void **state)
{
	char path[128];

	(void)state;
	said[0] = '\0';
	strcpy(root, "/tmp/conf_test.XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/etc", root);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s%s", root, CONF_DIR);
	assert_int_equal(mkdir(path, 0755), 0);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void
assert_defaults(const struct conf *c)
{
	assert_string_equal(c->devices[0], "auto");
	assert_null(c->devices[1]);
	assert_string_equal(c->directory, "/var/crash");
	assert_int_equal(c->level, -1);
	assert_int_equal(c->compress, CONF_PLAIN);
	assert_int_equal(c->nsave_level, 0);
	assert_false(c->accept_secrets);
	assert_false(c->swap_anyway);
}

/* This test checks that no file at all is the defaults, and no error. */
static void
conf_no_file_is_defaults(void **state)
{
	struct conf c;

	(void)state;
	assert_int_equal(conf_read(&c, say), 0);
	assert_defaults(&c);
	assert_string_equal(said, "");
}

/* This test checks that every key counts, with blanks and comments about. */
static void
conf_all_keys_count(void **state)
{
	struct conf c;

	(void)state;
	put(CONF_FILE, "# a comment\n\n  device = LABEL=my\\040crash \t\n"
	    "level=7\naccept-secrets=yes\n\tdirectory=/srv/a=b\ncompress=gzip\n"
	    "save-level=1,15,31\non-failure=swap");
	assert_int_equal(conf_read(&c, say), 0);
	assert_string_equal(c.devices[0], "LABEL=my crash");
	assert_null(c.devices[1]);
	assert_string_equal(c.directory, "/srv/a=b");
	assert_int_equal(c.level, 7);
	assert_int_equal(c.compress, CONF_GZIP);
	assert_int_equal(c.nsave_level, 3);
	assert_int_equal(c.save_level[0], 1);
	assert_int_equal(c.save_level[2], 31);
	assert_true(c.accept_secrets);
	assert_true(c.swap_anyway);
	assert_string_equal(said, "");
}

/* This test checks that the directory's files come after the file, in the order
 * of their names, and that only those that end in .conf do. */
static void
conf_directory_overrides_in_order(void **state)
{
	struct conf c;

	(void)state;
	put(CONF_FILE, "level=1\ncompress=gzip\n");
	put(CONF_DIR "/20.conf", "level=3\n");
	put(CONF_DIR "/10.conf", "level=2\ndevice=none\n");
	put(CONF_DIR "/90.conf.bak", "level=4\n");
	put(CONF_DIR "/.95.conf", "level=5\n");
	assert_int_equal(conf_read(&c, say), 0);
	assert_int_equal(c.level, 3);
	assert_string_equal(c.devices[0], "none");
	assert_int_equal(c.compress, CONF_GZIP);
}

/* This test checks that several devices are a list in their order, and that auto
 * and none are none of it. */
static void
conf_devices_are_a_list(void **state)
{
	struct conf c;

	(void)state;
	put(CONF_FILE, "device=/dev/sda2\n"
	    "device=\tLABEL=a\\040b\\040c  /swap\\040file\tUUID=1-2 \n");
	assert_int_equal(conf_read(&c, say), 0);
	assert_string_equal(c.devices[0], "LABEL=a b c");
	assert_string_equal(c.devices[1], "/swap file");
	assert_string_equal(c.devices[2], "UUID=1-2");
	assert_null(c.devices[3]);
	put(CONF_FILE, "device=/a /b /c /d /e /f /g /h\n"
	    "device=/a /b /c /d /e /f /g /h /i\ndevice=auto /b\n"
	    "device=/b none\ndevice=\n");
	assert_int_equal(conf_read(&c, say), -1);
	assert_string_equal(c.devices[7], "/h");
	assert_null(c.devices[8]);
	assert_non_null(strstr(said, ":2: device=/a /b /c /d /e /f /g /h /i: "
	    "wanted is a list of at most 8 devices\n"));
	assert_non_null(strstr(said, ":3: device=auto /b: wanted is auto, "));
	assert_non_null(strstr(said, ":4: device=/b none: wanted is auto, "));
	assert_non_null(strstr(said, ":5: device=: wanted is auto, "));
}

/* This test checks that each bad line is told with file and number and counts
 * for nothing, and that the others count. */
static void
conf_bad_lines_are_told(void **state)
{
	struct conf c;

	(void)state;
	put(CONF_FILE, "level=32\nlevel=1x\nlevel=\ncompress=true\ndevice\n"
	    "device=sda2\nDevice=none\ndirectory=crash\non-failure=stop\n"
	    "level=99999999999999999999999\naccept-secrets=yes\n");
	put(CONF_DIR "/a.conf", "\nlevel=-1\n");
	assert_int_equal(conf_read(&c, say), -1);
	assert_true(c.accept_secrets);
	c.accept_secrets = false;
	assert_defaults(&c);
	assert_string_equal(said,
	    "/etc/swapcore.conf:1: level=32: wanted is a number from 0 to 31\n"
	    "/etc/swapcore.conf:2: level=1x: wanted is a number from 0 to 31\n"
	    "/etc/swapcore.conf:3: level=: wanted is a number from 0 to 31\n"
	    "/etc/swapcore.conf:4: compress=true: wanted is no, gzip or zstd\n"
	    "/etc/swapcore.conf:5: is not key=value\n"
	    "/etc/swapcore.conf:6: device=sda2: wanted is auto, none, or a "
	    "list of LABEL=text, UUID=id and paths from / on, where \\040 is "
	    "a blank in a name\n"
	    "/etc/swapcore.conf:7: Device: there is no such key: see "
	    "swapcore.conf(5)\n"
	    "/etc/swapcore.conf:8: directory=crash: wanted is a path from / "
	    "on\n"
	    "/etc/swapcore.conf:9: on-failure=stop: wanted is keep or swap\n"
	    "/etc/swapcore.conf:10: level=99999999999999999999999: wanted is a "
	    "number from 0 to 31\n"
	    "/etc/swapcore.conf.d/a.conf:2: level=-1: wanted is a number from "
	    "0 to 31\n");
}

/* This test checks which lists of levels are refused. */
static void
conf_bad_save_level_is_told(void **state)
{
	static const char *const bad[] = { "", ",", "1,", ",1", "32", "1,,2",
	    "1;2", "-1", "1, 2", "031", "0x1f", "0,1,2,3,4,5,6,7,8" };
	char text[64];
	struct conf c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "save-level=%s\n", bad[i]);
		put(CONF_FILE, text);
		said[0] = '\0';
		assert_int_equal(conf_read(&c, say), -1);
		assert_int_equal(c.nsave_level, 0);
		assert_non_null(strstr(said, "wanted is up to 8 numbers"));
	}
}

/* This test checks that a file or directory that can't be read is told. */
static void
conf_unreadable_is_told(void **state)
{
	char path[128];
	struct conf c;

	(void)state;
	snprintf(path, sizeof(path), "%s%s", root, CONF_FILE);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(conf_read(&c, say), -1);
	assert_defaults(&c);
	assert_string_equal(said, "/etc/swapcore.conf: Is a directory\n");
	said[0] = '\0';
	assert_int_equal(rmdir(path), 0);
	put(CONF_FILE, "level=1\n");
	snprintf(path, sizeof(path), "%s%s", root, CONF_DIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(conf_read(&c, say), 0);
	put(CONF_DIR, "level=2\n");
	assert_int_equal(conf_read(&c, say), -1);
	assert_int_equal(c.level, 1);
	assert_string_equal(said, "/etc/swapcore.conf.d: Not a directory\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(conf_no_file_is_defaults, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(conf_all_keys_count, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    conf_directory_overrides_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(conf_devices_are_a_list, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(conf_bad_lines_are_told, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(conf_bad_save_level_is_told,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(conf_unreadable_is_told, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
