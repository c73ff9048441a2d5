/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * save_test.c: a good dump, saved.
 */
#include <sys/stat.h>

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

/* This test checks the whole way: the core is what it must be, the file's mode,
 * bounds, and that the dump is there once. */
static void
save_complete_dump_gives_core_and_clears(void **state)
{
	struct sandbox *s = *state;
	struct stat st;

	assert_int_equal(check(s), 0);
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "reboot after panic: mkdump: test panic\n");
	sandbox_assert_said(s, "savecore: system went down at ");
	sandbox_assert_said(s, "writing core to ");
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_true(sandbox_swap_untouched(s));
	assert_int_equal(stat(in_dir(s, "linux.0.core"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in_dir(s, "bounds"), &st), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(check(s), 1);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "no core dump");
}

/* The line of a call on a file that is there now, as any user. */
static const char *
call_line(const char *name, const char *file)
{
	static char line[128];
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	snprintf(line, sizeof(line), "%s %ju:%ju ", name,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return line;
}

/* Goes on to the next call that is so; it is there. */
static const char *
next_call(const char *calls, const char *name, const char *file)
{
	const char *line = call_line(name, file), *p;

	p = strstr(calls, line);
	if (p == NULL)
		fail_msg("no %s after that in: %s", line, calls);
	return p + strlen(line);
}

/* This test checks the order: data, sync, rename, sync of the directory, and
 * only then a write to the device. */
static void
save_order_is_sync_rename_sync_clear(void **state)
{
	struct sandbox *s = *state;
	char *calls, core[PATH_MAX];
	const char *p, *first;

	assert_int_equal(save(s), 0);
	calls = sandbox_calls(s);
	snprintf(core, sizeof(core), "%s/linux.0.core", s->dir);
	p = next_call(calls, "fsync", s->dir);
	p = next_call(p, "pwrite64", core);
	p = next_call(p, "fsync", core);
	assert_null(strstr(p, call_line("pwrite64", core)));
	p = next_call(p, "renameat2", s->dir);
	p = next_call(p, "fsync", s->dir);
	first = strstr(calls, call_line("pwrite64", s->image));
	assert_non_null(first);
	assert_true(first >= p);
	next_call(first, "fsync", s->image);
	free(calls);
}

/* This test checks that dump and core go past the page cache where they can:
 * all but the end of the core, which is no whole page. */
static void
save_goes_past_page_cache(void **state)
{
	struct sandbox *s = *state;
	char *calls, core[PATH_MAX];
	const char *last;
	int fd;

	fd = open(s->image, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd == -1)
		skip();
	close(fd);
	assert_int_equal(save(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	calls = sandbox_calls(s);
	snprintf(core, sizeof(core), "%s/linux.0.core", s->dir);
	next_call(calls, "direct-pread64", s->image);
	last = next_call(calls, "\ndirect-pwrite64", core);
	last = next_call(last, "\npwrite64", core);
	assert_null(strstr(last, call_line("pwrite64", core)));
	free(calls);
}

/* This test checks that a device and a file system that do nothing past the page
 * cache give the same core. */
static void
save_refused_past_page_cache_goes_through_it(void **state)
{
	struct sandbox *s = *state;

	s->no_direct = true;
	assert_int_equal(save(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(check(s), 1);
}

/* This test checks that what reads the dump and writes to the device is never
 * root, and that what makes files is. */
static void
save_dump_is_read_without_privileges(void **state)
{
	struct sandbox *s = *state;
	char *calls, core[PATH_MAX];
	const char *p;

	if (geteuid() != 0)
		skip();
	assert_int_equal(save(s), 0);
	calls = sandbox_calls(s);
	snprintf(core, sizeof(core), "%s/linux.0.core", s->dir);
	for (p = calls; (p = strstr(p, call_line("pwrite64", s->image))) !=
	    NULL; p++)
		assert_memory_equal(strchr(strchr(p, ' ') + 1, ' '),
		    " 65534\n", 7);
	p = next_call(calls, "pwrite64", core);
	assert_memory_equal(p, "65534\n", 6);
	p = next_call(p, "renameat2", s->dir);
	assert_memory_equal(p, "0\n", 2);
	free(calls);
}

/* This test checks that -f saves what was saved before, but for dumpmag. */
static void
save_forced_again_saves_cleared_dump(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(save(s), 0);
	assert_int_equal(save_forced(s), 0);
	sandbox_assert_said(s, "magic number mismatch (0x0 != 0x8fca0101)");
	assert_true(sandbox_has(s, "linux.1.core"));
}

/* A shell command in the directory. */
static int
in_shell(const struct sandbox *s, const char *what)
{
	char cmd[PATH_MAX + 256];

	snprintf(cmd, sizeof(cmd), "cd %s && %s", s->dir, what);
	return system(cmd);
}

/* This test checks that zstd(1) unpacks what --zstd writes to what it must be,
 * finds its checksums good, and knows the table as something to skip; and that
 * the library reads it as it is. */
static void
save_zstd_gives_same_core(void **state)
{
	struct sandbox *s = *state;
	cpu_kcore_hdr_t hdr;

	assert_int_equal(sandbox_run(s, "--zstd=7", "-D", s->image, s->dir,
	    NULL), 0);
	sandbox_assert_said(s, "writing compressed core to ");
	assert_int_equal(in_shell(s, "zstd -t linux.0.core.zst 2>/dev/null && "
	    "zstd -l linux.0.core.zst | grep -q '^ *[0-9]* *1 .*XXH64' && "
	    "zstd -dc linux.0.core.zst >plain"), 0);
	assert_true(sandbox_good(s, "plain"));
	hdr = core_header(s, "linux.0.core.zst");
	assert_int_equal(hdr.data_size, s->info.data_size);
}

/* This test checks that cores go through both kinds of compression, in two
 * formats, and stay the same; and that gzip(1) reads all members. */
static void
save_converted_compressed_gives_same_core(void **state)
{
	static const char *const formats[] = { "kcore", "elf" };
	static const char *const how[] = { "-z", "--zstd" };
	struct sandbox *s = *state;
	char in[PATH_MAX], out[PATH_MAX], again[PATH_MAX];
	unsigned int i;

	assert_int_equal(save(s), 0);
	snprintf(in, sizeof(in), "%s", in_dir(s, "linux.0.core"));
	snprintf(out, sizeof(out), "%s", in_dir(s, "x"));
	snprintf(again, sizeof(again), "%s", in_dir(s, "y"));
	for (i = 0; i < 4; i++) {
		assert_int_equal(sandbox_run(s, how[i % 2], "-F",
		    formats[i / 2], "-o", out, in, NULL), 0);
		assert_int_equal(sandbox_run(s, "-o", again, out, NULL), 0);
		assert_true(sandbox_good(s, "y"));
		if (i == 0)
			assert_int_equal(in_shell(s, "gzip -dc <x | cmp - y"),
			    0);
		assert_int_equal(in_shell(s, "rm x y"), 0);
	}
}

/* This test checks that compression changes nothing but the file. */
static void
save_compressed_gives_same_core(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(sandbox_run(s, "-z", "-Z", "9", "-D", s->image,
	    s->dir, NULL), 0);
	sandbox_assert_said(s, "writing compressed core to ");
	assert_true(sandbox_good(s, "linux.0.core.gz"));
	assert_int_equal(check(s), 1);
}

/* This test checks that -c clears, saves nothing, and may be repeated. */
static void
clear_clears_and_saves_nothing(void **state)
{
	struct sandbox *s = *state;

	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 0);
	assert_int_equal(check(s), 1);
	assert_true(sandbox_swap_untouched(s));
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 0);
	assert_false(sandbox_has(s, "bounds"));
}

/* This test checks that text from a dump cannot speak to a terminal. */
static void
save_panic_text_is_encoded(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.panicstr = "\033[2Jsavecore: all is well\n";
	sandbox_image(s, &spec);
	assert_int_equal(save(s), 0);
	sandbox_assert_said(s, "\\033[2Jsavecore: all is well\\012\n");
	assert_null(strchr(s->said, '\033'));
}

/* This test checks that -N saves the kernel beside the core, and that a file
 * that is not there stops everything first. */
static void
system_file_saved_with_core(void **state)
{
	struct sandbox *s = *state;
	char text[16] = "", vmlinuz[128];
	FILE *fp;

	snprintf(vmlinuz, sizeof(vmlinuz), "%s", sandbox_path(s, "vmlinuz"));
	assert_refused(s, sandbox_run(s, "-N", vmlinuz, "-D", s->image, s->dir,
	    NULL), "vmlinuz: No such file");
	sandbox_file(s, "vmlinuz", "kernel\n");
	assert_int_equal(sandbox_run(s, "-N", vmlinuz, "-D", s->image, s->dir,
	    NULL), 0);
	sandbox_assert_said(s, "writing kernel to ");
	fp = fopen(in_dir(s, "linux.0"), "r");
	assert_non_null(fp);
	assert_non_null(fgets(text, sizeof(text), fp));
	fclose(fp);
	assert_string_equal(text, "kernel\n");
}

/* This test checks that wrong options are told of, and do nothing. */
static void
options_wrong_are_told(void **state)
{
	static const char *const wrong[][3] = {
		{ "-x", NULL, ": invalid option -- 'x'\nusage: savecore" },
		{ "-Z", "10", "savecore: -Z: `10' is not a number from 0 to 9" },
		{ "-Z", "x", "savecore: -Z: `x' is not a number from 0 to 9" },
		{ "--zstd=20", NULL, "--zstd: `20' is not a number from 0 to " },
		{ "-d", "1,-1", "savecore: -d: `-1' is not a number from 0 to " },
		{ "-m", "0", "savecore: -m: `0' is not a number from 1 to " },
		{ "-c", "-n", "-n and -c do not go together: each of" },
		{ "-c", "-f", "-c and -f do not go together: no core is" },
		{ "-n", "-z", "-n and -z do not go together: no core is" },
		{ "a", "b", "savecore: b: only one directory can be" },
		{ "-c", "dir", "savecore: dir: no directory is named with" },
		{ "-c", "-Felf", "-c and -F do not go together: no core is" },
		{ "-ox", "a", "savecore: a: a core is converted, or with -D" },
		{ "-ox", "-k", "-o and -k do not go together: the dump is" },
		{ "-ox", "-m1", "-o and -m do not go together: nothing is" },
		{ "-n", "-ox", "-n and -o do not go together: each of" },
	};
	struct sandbox *s = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(s, sandbox_run(s, "-D", s->image, wrong[i][0],
		    wrong[i][1], NULL), wrong[i][2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(save_complete_dump_gives_core_and_clears),
		TEST(save_order_is_sync_rename_sync_clear),
		TEST(save_goes_past_page_cache),
		TEST(save_refused_past_page_cache_goes_through_it),
		TEST(save_dump_is_read_without_privileges),
		TEST(save_forced_again_saves_cleared_dump),
		TEST(save_zstd_gives_same_core),
		TEST(save_converted_compressed_gives_same_core),
		TEST(save_compressed_gives_same_core),
		TEST(clear_clears_and_saves_nothing),
		TEST(save_panic_text_is_encoded),
		TEST(system_file_saved_with_core),
		TEST(options_wrong_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
