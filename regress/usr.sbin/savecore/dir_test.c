/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir_test.c: the directory: bounds, minfree, and what others put there.
 */
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "saving.h"

/* This test checks minfree: short of it there is no dump; -f saves. */
static void
minfree_not_left_refused(void **state)
{
	struct sandbox *s = *state;

	put_in_dir(s, "minfree", "99999999999999\n");
	assert_refused(s, save(s), "no dump, not enough free space in ");
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	sandbox_assert_said(s, "dump performed, but free space threshold");
	assert_null(strstr(s->said, "no dump"));
}

/* This test checks that numbers follow bounds, and that no file that is there
 * is replaced. */
static void
bounds_number_is_next_free_one(void **state)
{
	struct sandbox *s = *state;

	put_in_dir(s, "bounds", "7\n");
	put_in_dir(s, "linux.7.core.gz", "");
	assert_int_equal(save(s), 0);
	assert_true(sandbox_good(s, "linux.8.core"));
	put_in_dir(s, "bounds", "many\n");
	assert_int_equal(save_forced(s), 1);
	sandbox_assert_said(s, "its first line is not a number");
}

/* This test checks that links others put into a shared directory lead
 * nowhere. */
static void
dir_planted_links_not_followed(void **state)
{
	struct sandbox *s = *state;
	struct stat st;

	assert_int_equal(chmod(s->dir, 01777), 0);
	sandbox_file(s, "/victim", "5\n");
	assert_int_equal(symlink("../victim", in_dir(s, "bounds")), 0);
	assert_int_equal(symlink("../victim", in_dir(s, "minfree")), 0);
	assert_int_equal(symlink("../victim",
	    in_dir(s, ".linux.0.core.partial")), 0);
	assert_int_equal(symlink("../victim", in_dir(s, "linux.0.core")), 0);
	assert_int_equal(save(s), 0);
	assert_true(sandbox_good(s, "linux.1.core"));
	assert_int_equal(stat(sandbox_path(s, "victim"), &st), 0);
	assert_int_equal(st.st_size, 2);
}

/* This test checks which directories a core is not put into. */
static void
dir_unsafe_refused(void **state)
{
	struct sandbox *s = *state;
	char link[128];

	assert_int_equal(chmod(s->dir, 0777), 0);
	assert_refused(s, save(s), "others may replace files there");
	assert_int_equal(chmod(s->dir, 0755), 0);
	snprintf(link, sizeof(link), "%s", sandbox_path(s, "link"));
	assert_int_equal(symlink(s->dir, link), 0);
	assert_refused(s, sandbox_run(s, "-D", s->image, link, NULL), link);
	assert_refused(s, sandbox_run(s, "-D", s->image, "/nonexistent", NULL),
	    "/nonexistent: No such file");
}

/* This test checks that two do not save into a directory at once. */
static void
dir_in_use_refused(void **state)
{
	struct sandbox *s = *state;
	char text[160];
	const int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	snprintf(text, sizeof(text), "%s: in use by another savecore\n",
	    s->dir);
	assert_refused(s, save(s), text);
	assert_int_equal(close(fd), 0);
	assert_int_equal(save(s), 0);
}

/* This test checks that a compressed core need not have room for all of memory,
 * and is given up when less than minfree is left. */
static void
minfree_counts_what_a_compressed_core_takes(void **state)
{
	struct sandbox *s = *state;

	put_in_dir(s, "minfree", "100\n");
	s->free_kib = "900 900";
	assert_refused(s, save(s), "not enough free space");
	s->free_kib = "900 99";
	assert_refused(s, sandbox_run(s, "-z", "-D", s->image, s->dir, NULL),
	    "0 KiB needed, 99 KiB free, 100 KiB to be left");
	assert_refused(s, sandbox_run(s, "-F", "kdump", "-D", s->image, s->dir,
	    NULL), "not enough free space");
	s->free_kib = "900 100";
	assert_int_equal(sandbox_run(s, "-z", "-D", s->image, s->dir, NULL), 0);
	assert_int_equal(check(s), 1);
}

/* This test checks that pages are left out of nothing that lacks the memory map
 * to tell which, and that the dump stays then. */
static void
filter_without_memory_map_is_refused(void **state)
{
	struct sandbox *s = *state;

	assert_refused(s, sandbox_run(s, "-d", "0,31", "-D", s->image, s->dir,
	    NULL), "VMCOREINFO");
	assert_int_equal(sandbox_run(s, "-d", "32", "-D", s->image, s->dir,
	    NULL), 1);
	sandbox_assert_said(s, "-d: `32' is not a number from 0 to 31");
	assert_int_equal(sandbox_run(s, "-d", "", "-D", s->image, s->dir, NULL),
	    1);
	sandbox_assert_said(s, "-d: `' is not a number from 0 to 31");
}

/* Each format is refused, and leaves nothing. */
static void
assert_all_refused(struct sandbox *s, const char *why)
{
	static const char *const how[][2] = {
		{ NULL, NULL }, { "-z", NULL }, { "--zstd", NULL },
		{ "-F", "elf" }, { "-F", "kdump" },
	};
	struct dirent *e;
	size_t i;
	DIR *d;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		assert_refused(s, sandbox_run(s, "-D", s->image, s->dir,
		    how[i][0], how[i][1], NULL), why);
		d = opendir(s->dir);
		assert_non_null(d);
		while ((e = readdir(d)) != NULL)
			if (e->d_name[0] != '.' &&
			    strcmp(e->d_name, "bounds") != 0)
				fail_msg("%s is left behind", e->d_name);
			else if (strstr(e->d_name, "partial") != NULL)
				fail_msg("%s is left behind", e->d_name);
		closedir(d);
	}
}

/* This test checks that in a file system that is read-only nothing is saved, in
 * any format, and the dump stays. */
static void
dir_read_only_keeps_dump(void **state)
{
	struct sandbox *s = *state;

	assert_mounted("tmpfs", s->dir, "tmpfs", MS_RDONLY, "mode=755");
	assert_all_refused(s, "Read-only file system");
	assert_int_equal(umount(s->dir), 0);
	assert_int_equal(save(s), 0);
}

/* This test checks the same where the disk is full before the core is whole. */
static void
dir_full_disk_keeps_dump(void **state)
{
	struct sandbox *s = *state;

	assert_mounted("tmpfs", s->dir, "tmpfs", 0, "mode=755,size=64k");
	assert_all_refused(s, "No space left on device");
	assert_int_equal(umount(s->dir), 0);
	assert_int_equal(save(s), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(minfree_not_left_refused),
		TEST(minfree_counts_what_a_compressed_core_takes),
		TEST(filter_without_memory_map_is_refused),
		TEST(bounds_number_is_next_free_one),
		TEST(dir_planted_links_not_followed),
		TEST(dir_unsafe_refused),
		TEST(dir_in_use_refused),
		TEST(dir_read_only_keeps_dump),
		TEST(dir_full_disk_keeps_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
