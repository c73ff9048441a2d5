/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * save_test.c: what savecore does with dumps of every kind.
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

#include <kvm.h>
#include <sys/kcore.h>

#include "sandbox.h"

#define CHUNK	(1u << 20)

static int
setup(void **state)
{
	struct sandbox *s = malloc(sizeof(*s));
	struct mkdump_spec spec;

	assert_non_null(s);
	sandbox_create(s);
	sandbox_spec(&spec);
	sandbox_image(s, &spec);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	sandbox_destroy(*state);
	free(*state);
	return 0;
}

static int
save(struct sandbox *s)
{
	return sandbox_run(s, "-D", s->image, s->dir, NULL);
}

static int
save_forced(struct sandbox *s)
{
	return sandbox_run(s, "-f", "-D", s->image, s->dir, NULL);
}

static int
check(struct sandbox *s)
{
	return sandbox_run(s, "-n", "-D", s->image, NULL);
}

static const char *
in_dir(const struct sandbox *s, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

static void
put_in_dir(const struct sandbox *s, const char *name, const char *text)
{
	FILE *fp = fopen(in_dir(s, name), "w");

	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fclose(fp), 0);
}

/* Refused: exit 1, nothing saved, nothing cleared, and said so. */
static void
assert_refused(struct sandbox *s, int status, const char *what)
{
	assert_int_equal(status, 1);
	sandbox_assert_said(s, what);
	assert_true(sandbox_untouched(s));
	assert_false(sandbox_has(s, "linux.0.core"));
}

/* The header of a saved core. */
static cpu_kcore_hdr_t
core_header(const struct sandbox *s, const char *name)
{
	char errbuf[KVM_ERRBUFSZ];
	cpu_kcore_hdr_t hdr;
	kvm_t *kd;

	kd = kvm_openfiles(NULL, in_dir(s, name), NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		fail_msg("%s", errbuf);
	memcpy(&hdr, kvm_dump_hdr(kd), sizeof(hdr));
	kvm_close(kd);
	return hdr;
}

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

/* Goes on to the next call that is so; it is there. */
static const char *
next_call(const char *calls, const char *name, const char *file)
{
	char line[PATH_MAX];
	const char *p;

	snprintf(line, sizeof(line), "%s %s\n", name, file);
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
	char *calls, line[PATH_MAX], partial[256];
	const char *p, *first;

	assert_int_equal(save(s), 0);
	calls = sandbox_calls(s);
	snprintf(partial, sizeof(partial), "%s/.linux.0.core.partial", s->dir);
	p = next_call(calls, "fsync", s->dir);
	p = next_call(p, "pwrite64", partial);
	p = next_call(p, "fsync", partial);
	snprintf(line, sizeof(line), "pwrite64 %s\n", partial);
	assert_null(strstr(p, line));
	p = next_call(p, "renameat2", s->dir);
	p = next_call(p, "fsync", s->dir);
	snprintf(line, sizeof(line), "pwrite64 %s\n", s->image);
	first = strstr(calls, line);
	assert_non_null(first);
	assert_true(first >= p);
	next_call(first, "fsync", s->image);
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

/* This test checks that a device without a dump is told from an error. */
static void
no_dump_is_said(void **state)
{
	struct sandbox *s = *state;

	sandbox_file(s, "/dev/empty", "");
	assert_int_equal(truncate(sandbox_path(s, "/dev/empty"), 16 << 20), 0);
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/empty"));
	assert_int_equal(check(s), 1);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "no core dump");
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 1);
}

/* This test checks that a dump of a stranger is refused without -f. */
static void
save_unknown_armid_refused(void **state)
{
	struct sandbox *s = *state;

	sandbox_file(s, "/var/lib/swapcore/armid",
	    "00112233445566778899aabbccddeeff 1 /dev/x\n");
	assert_refused(s, save(s), "was not armed by this system");
	assert_int_equal(check(s), 1);
	assert_int_equal(sandbox_run(s, "-c", "-D", s->image, NULL), 1);
	assert_true(sandbox_untouched(s));
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* This test checks that a dump from another time is refused without -f. */
static void
save_unreasonable_time_refused(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	uint64_t days = 61ull * 24 * 3600 * 1000000000;

	sandbox_spec(&spec);
	spec.time_ns -= days;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "dump time is unreasonable");
	spec.time_ns += 2 * days;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "dump time is unreasonable");
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
}

/* An image with one byte of the second chunk inverted. */
static void
damage(struct sandbox *s)
{
	const struct mkdump_flip flip = { MKDUMP_DATA, CHUNK + 12345 };
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = &flip;
	spec.nflips = 1;
	sandbox_image(s, &spec);
}

/* This test checks that damage is named, noted in the core, saved as found,
 * and that the dump stays. */
static void
save_damaged_chunk_named_and_dump_kept(void **state)
{
	struct sandbox *s = *state;
	cpu_kcore_hdr_t hdr;

	damage(s);
	assert_int_equal(save(s), 1);
	sandbox_assert_said(s, "data 0x100000-0x1fffff, memory 0x");
	sandbox_assert_said(s, "1 of 4 chunks are damaged");
	assert_true(sandbox_untouched(s));
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_DAMAGED) != 0);
	assert_true(hdr.nexclsegs > 0);
	assert_int_equal(check(s), 0);
}

/* This test checks that the header of a compressed core names damage too. */
static void
save_damaged_compressed_marks_header(void **state)
{
	struct sandbox *s = *state;
	char cmd[3 * PATH_MAX];
	cpu_kcore_hdr_t hdr;

	damage(s);
	assert_int_equal(sandbox_run(s, "-z", "-D", s->image, s->dir, NULL), 1);
	assert_true(sandbox_untouched(s));
	snprintf(cmd, sizeof(cmd), "gzip -d %s/linux.0.core.gz", s->dir);
	assert_int_equal(system(cmd), 0);
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_DAMAGED) != 0);
}

/* This test checks that a dump that was cut off is refused, and that -f saves
 * what is there, marks it, and clears it. */
static void
save_incomplete_dump_needs_force(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	cpu_kcore_hdr_t hdr;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_INPROGRESS;
	spec.data_valid = 2 * CHUNK;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "incomplete: 2048 of 3192 KiB");
	assert_int_equal(save_forced(s), 0);
	sandbox_assert_said(s, "WARNING: core may be incomplete\n");
	hdr = core_header(s, "linux.0.core");
	assert_true((hdr.flags & KCORE_F_INCOMPLETE) != 0);
	assert_int_equal(hdr.data_valid, 2 * CHUNK);
	assert_int_equal(check(s), 1);
}

/* This test checks that the error a dump failed with is told. */
static void
save_failed_dump_says_why(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_FAILED;
	spec.error = 5;
	spec.data_valid = CHUNK;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "Input/output error");
}

/* This test checks that where only the early record is there its text is
 * saved, and the dump cleared. */
static void
save_early_record_alone_gives_log(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;
	char text[64] = "";
	FILE *fp;

	sandbox_spec(&spec);
	spec.state = KCORE_STATE_INPROGRESS;
	spec.seq = 1;
	spec.early_only = true;
	sandbox_image(s, &spec);
	assert_int_equal(check(s), 0);
	assert_int_equal(save(s), 0);
	fp = fopen(in_dir(s, "linux.0.log"), "r");
	assert_non_null(fp);
	assert_non_null(fgets(text, sizeof(text), fp));
	fclose(fp);
	assert_string_equal(text, "mkdump: the end of the kernel log\n");
	assert_int_equal(check(s), 1);
}

/* This test checks that a dump whose last trailer was torn is not taken for one
 * that has nothing but its early record, and is not cleared. */
static void
save_torn_trailer_needs_force(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.torn = MKDUMP_TORN_NEW;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "incomplete: 0 of 3192 KiB");
	assert_false(sandbox_has(s, "linux.0.log"));
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_has(s, "linux.0.log"));
}

/* This test checks that a damaged header gives an error, the log, and keeps the
 * dump. */
static void
save_damaged_header_saves_log(void **state)
{
	const struct mkdump_flip flip = { MKDUMP_CPU, 100 };
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.flips = &flip;
	spec.nflips = 1;
	sandbox_image(s, &spec);
	assert_refused(s, save(s), "no core can be made of the dump");
	assert_true(sandbox_has(s, "linux.0.log"));
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

/* This test checks minfree: short of it there is no dump; -f saves. */
static void
minfree_not_left_refused(void **state)
{
	struct sandbox *s = *state;

	put_in_dir(s, "minfree", "99999999999999\n");
	assert_refused(s, save(s), "no dump, not enough free space in ");
	assert_int_equal(save_forced(s), 0);
	assert_true(sandbox_good(s, "linux.0.core"));
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

/* Two dumps that are found, through fstab and through /proc/partitions. */
static void
two_dumps(struct sandbox *s)
{
	struct mkdump_spec spec;
	char first[sizeof(s->image)];

	strcpy(first, s->image);
	sandbox_spec(&spec);
	spec.panicstr = "the older one";
	spec.time_ns -= 3600ull * 1000000000;
	snprintf(s->image, sizeof(s->image), "%s",
	    sandbox_path(s, "/dev/swap1"));
	sandbox_image(s, &spec);
	strcpy(s->image, first);
	sandbox_spec(&spec);
	spec.panicstr = "the newer one";
	sandbox_image(s, &spec);
	sandbox_file(s, "/etc/fstab", "/dev/swap1 none swap sw 0 0\n"
	    "/dev/none none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n");
	sandbox_file(s, "/proc/partitions", "major minor  #blocks  name\n\n"
	    " 259        1   65536 swap0\n 259        2   65536 swap1\n");
}

/* This test checks that dumps are found without -D, and that the newest is
 * saved first. */
static void
find_two_dumps_newest_first(void **state)
{
	struct sandbox *s = *state;

	two_dumps(s);
	assert_int_equal(sandbox_run(s, "-n", NULL), 0);
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "the newer one");
	sandbox_assert_said(s, "swap1: has an older dump");
	assert_true(sandbox_good(s, "linux.0.core"));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "the older one");
	assert_true(sandbox_has(s, "linux.1.core"));
	assert_int_equal(sandbox_run(s, s->dir, NULL), 1);
	sandbox_assert_said(s, "no core dump");
}

/* This test checks that a dump partition is found by its label alone. */
static void
find_label_in_partitions(void **state)
{
	struct sandbox *s = *state;
	struct mkdump_spec spec;

	sandbox_spec(&spec);
	spec.page0 = MKDUMP_LABEL;
	sandbox_image(s, &spec);
	sandbox_file(s, "/proc/partitions", " 259        1   65536 swap0\n");
	assert_int_equal(sandbox_run(s, "-n", NULL), 0);
}

/* This test checks the warning about swap that was turned on too early. */
static void
save_swap_in_use_warns(void **state)
{
	struct sandbox *s = *state;
	char text[256];

	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n"
	    "/dev/swap0 partition 8188 0 -2\n");
	sandbox_file(s, "/proc/swaps", text);
	assert_int_equal(sandbox_run(s, s->dir, NULL), 0);
	sandbox_assert_said(s, "is in use as swap");
}

/* This test checks that wrong options give the usage, and do nothing. */
static void
options_wrong_give_usage(void **state)
{
	static const char *const wrong[][2] = {
		{ "-x", NULL }, { "-c", "-n" }, { "-c", "-f" }, { "-n", "-z" },
		{ "-Z", "10" }, { "-Z", "x" }, { "a", "b" }, { "-c", "dir" },
	};
	struct sandbox *s = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(s, sandbox_run(s, "-D", s->image, wrong[i][0],
		    wrong[i][1], NULL), "usage: savecore [-fvz]");
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(save_complete_dump_gives_core_and_clears),
		TEST(save_order_is_sync_rename_sync_clear),
		TEST(save_forced_again_saves_cleared_dump),
		TEST(save_compressed_gives_same_core),
		TEST(clear_clears_and_saves_nothing),
		TEST(no_dump_is_said),
		TEST(save_unknown_armid_refused),
		TEST(save_unreasonable_time_refused),
		TEST(save_damaged_chunk_named_and_dump_kept),
		TEST(save_damaged_compressed_marks_header),
		TEST(save_incomplete_dump_needs_force),
		TEST(save_failed_dump_says_why),
		TEST(save_early_record_alone_gives_log),
		TEST(save_torn_trailer_needs_force),
		TEST(save_damaged_header_saves_log),
		TEST(save_panic_text_is_encoded),
		TEST(minfree_not_left_refused),
		TEST(bounds_number_is_next_free_one),
		TEST(dir_planted_links_not_followed),
		TEST(dir_unsafe_refused),
		TEST(system_file_saved_with_core),
		TEST(find_two_dumps_newest_first),
		TEST(find_label_in_partitions),
		TEST(save_swap_in_use_warns),
		TEST(options_wrong_give_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
