/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial_test.c: dumpon --test: when it panics, and when it must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arming.h"
#include "fake.h"

#define SYSRQ	"/proc/sysrq-trigger"

static bool terminal;
static bool synced;

int __wrap_isatty(int fd);
void __wrap_sync(void);

int
__wrap_isatty(int fd)
{
	assert_int_equal(fd, STDIN_FILENO);
	return terminal;
}

void
__wrap_sync(void)
{
	assert_string_equal(fake_text(SYSRQ), "");
	synced = true;
}

/* An armed machine; nobody has asked for a panic. */
static int
setup(void **state)
{
	(void)fake_setup(state);
	terminal = synced = false;
	fake_file("/sys/kernel/swapcore/state", "armed\n");
	fake_file("/sys/kernel/swapcore/device", PARTITION "\n");
	fake_file("/sys/kernel/swapcore/driver", "nvme\n");
	fake_file("/sys/kernel/swapcore/window", "1073741824\n");
	fake_file("/sys/kernel/swapcore/estimate", "104857600\n");
	fake_file("/proc/sys/kernel/panic", "10\n");
	fake_file(SYSRQ, "");
	return 0;
}

/* Runs it where a terminal, if there is one, answers so; what it said. */
static const char *
tried(const char *answer, bool yes)
{
	const struct dumpon_opts opts = {
		.mode = DUMPON_TEST, .level = -1, .yes = yes,
	};
	FILE *typed, *before = stdin;
	int r;

	terminal = answer != NULL;
	typed = tmpfile();
	assert_non_null(typed);
	assert_true(fputs(answer == NULL ? "y\n" : answer, typed) >= 0);
	rewind(typed);
	stdin = typed;
	fake_listen();
	r = trial(&opts);
	stdin = before;
	(void)fclose(typed);
	assert_int_equal(r, -1);	/* here no kernel panics */
	return fake_said();
}

static void
assert_panicked(void)
{
	assert_true(synced);
	assert_string_equal(fake_text(SYSRQ), "c");
}

static void
assert_alive(void)
{
	assert_false(synced);
	assert_string_equal(fake_text(SYSRQ), "");
}

/* This test checks that y panics, after file systems are synced, and that
 * where the dump goes and what comes after it was told before. */
static void
trial_yes_panics(void **state)
{
	const char *said;

	(void)state;
	said = tried("y\n", false);
	assert_panicked();
	assert_said(said, "The dump goes to " PARTITION ": driver nvme, window "
	    "1024.0 MiB");
	assert_said(said, "a dump may need 100.0 MiB now: fits\n");
	assert_said(said, "waits 10 s and reboots");
	assert_said(said, "Panic now? [y/N] ");
	assert_said(said, "the kernel did not panic");
}

/* This test checks that YES is a yes. */
static void
trial_yes_in_capitals_panics(void **state)
{
	(void)state;
	(void)tried("YES\n", false);
	assert_panicked();
}

/* This test checks that no other answer panics: none, no, the end of the file,
 * or a line that only begins with y. */
static void
trial_other_answers_do_not_panic(void **state)
{
	static const char *const answers[] = {
		"\n", "n\n", "no\n", "", "y", "yesterday\n", "yellow submarine "
		"yellow submarine\ny\n", " y\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_said(tried(answers[i], false), "not done");
		assert_alive();
	}
}

/* This test checks that without a terminal nobody is asked and nothing is done,
 * whatever standard input says. */
static void
trial_without_terminal_does_not_panic(void **state)
{
	const char *said;

	(void)state;
	said = tried(NULL, false);
	assert_alive();
	assert_unsaid(said, "[y/N]");
	assert_said(said, "no terminal: -y panics without asking\n");
}

/* This test checks that -y panics without asking. */
static void
trial_y_option_panics_without_asking(void **state)
{
	const char *said;

	(void)state;
	said = tried(NULL, true);
	assert_panicked();
	assert_unsaid(said, "[y/N]");
}

/* This test checks that where nothing is armed it refuses, even with -y. */
static void
trial_disarmed_refuses(void **state)
{
	(void)state;
	fake_file("/sys/kernel/swapcore/state", "disarmed\n");
	assert_one_line(tried("y\n", true), "no device is armed");
	assert_alive();
}

/* This test checks that it refuses where a kdump kernel goes first, and does
 * not where that one waits. */
static void
trial_kdump_first_refuses(void **state)
{
	(void)state;
	fake_file("/sys/kernel/kexec_crash_loaded", "1\n");
	fake_file(POST_NOTIFIERS, "N\n");
	assert_one_line(tried("y\n", true), "kdump kernel is loaded and goes "
	    "first");
	assert_alive();
	fake_file(POST_NOTIFIERS, "Y\n");
	(void)tried("y\n", false);
	assert_panicked();
}

/* This test checks that it tells where the machine will hang, and where it will
 * reboot at once. */
static void
trial_tells_what_comes_after(void **state)
{
	(void)state;
	fake_file("/proc/sys/kernel/panic", "0\n");
	assert_said(tried("n\n", false), "HANGS, because kernel.panic is 0");
	fake_file("/proc/sys/kernel/panic", "-1\n");
	assert_said(tried("n\n", false), "After it the machine reboots.");
}

int
main(void)
{
#define TRIAL(f)	\
	cmocka_unit_test_setup_teardown(f, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TRIAL(trial_yes_panics),
		TRIAL(trial_yes_in_capitals_panics),
		TRIAL(trial_other_answers_do_not_panic),
		TRIAL(trial_without_terminal_does_not_panic),
		TRIAL(trial_y_option_panics_without_asking),
		TRIAL(trial_disarmed_refuses),
		TRIAL(trial_kdump_first_refuses),
		TRIAL(trial_tells_what_comes_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
