/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashkind_test.c: what kind of crash kernels tell of, in their own words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report.h"

static void
is(const char *panic, const char *log, const char *want)
{
	struct crash_kind k;

	crash_kind(&k, panic, log);
	assert_string_equal(k.text, want);
}

static enum crash_where
where(const char *panic, const char *log)
{
	struct crash_kind k;

	crash_kind(&k, panic, log);
	return k.where;
}

/* This test checks messages that say all. */
static void
crashkind_message_is_known(void **state)
{
	(void)state;
	is("sysrq triggered crash", NULL, "sysrq");
	is("softlockup: hung tasks", "", "soft lockup");
	is("Hard LOCKUP", "", "hard lockup");
	is("Out of memory: compulsory panic_on_oom is enabled", "",
	    "out of memory");
	is("Attempted to kill init! exitcode=0x00000100", "", "init killed");
	is("VFS: Unable to mount root fs on unknown-block(0,0)", "",
	    "no root file system");
	is("stack-protector: Kernel stack is corrupted in: f+0x1/0x2", "",
	    "stack corrupted");
	assert_int_equal(where("softlockup: hung tasks", ""),
	    CRASH_INTERRUPTED);
	assert_int_equal(where("Out of memory: x", ""), CRASH_NOWHERE);
	assert_int_equal(where("RCU Stall", "rcu: INFO: rcu_preempt detected "
	    "stalls on CPUs/tasks:"), CRASH_NOWHERE);
	assert_int_equal(where("RCU Stall", "[    9.0] rcu: INFO: rcu_preempt "
	    "self-detected stall on CPU\n"), CRASH_INTERRUPTED);
}

/* This test checks oopses of several kernels. */
static void
crashkind_oops_is_in_the_log(void **state)
{
	const char *const f = "Fatal exception";

	(void)state;
	is(f, "[    4.1] BUG: kernel NULL pointer dereference, address: "
	    "0000000000000010\n[    4.2] Oops: 0002 [#1] SMP\n",
	    "NULL dereference");
	is(f, "[    4.1] BUG: unable to handle page fault for address: ff\n",
	    "page fault");
	is("Fatal exception in interrupt",
	    "[ 4.1] general protection fault, probably for non-canonical "
	    "address 0xdead: 0000 [#1]\n", "general protection fault");
	is(f, "[ 4.1] Oops: general protection fault, probably for\n",
	    "general protection fault");
	is(f, "[ 4.1] Oops: divide error: 0000 [#1] SMP\n", "divide error");
	is(f, "[    4.1] BUG: TASK stack guard page was hit at 1 (stack is "
	    "1..2)\n[    4.1] stack guard page: 0000 [#1]\n",
	    "stack overflow");
	/* It is not the first that counts, nor what only quotes one. */
	is(f, "[ 1.0] BUG: kernel NULL pointer dereference, address: 1\n"
	    "[ 2.0] divide error: 0000 [#2] SMP\n"
	    "[ 3.0] x: BUG: unable to handle page fault\n", "divide error");
	is(f, "[ 1.0] nothing\n", "panic Fatal exception");
	is(f, NULL, "panic Fatal exception");
	is("", "", "panic without a message");
}

/* This test checks that a file goes in, but no line and no place of a build. */
static void
crashkind_bug_has_its_file(void **state)
{
	(void)state;
	is("Fatal exception", "[ 1.0] kernel BUG at mm/slub.c:305!\n"
	    "[ 1.0] invalid opcode: 0000 [#1] PREEMPT SMP\n", "BUG mm/slub.c");
	is("Fatal exception", "[ 1.0] kernel BUG at /home/me/x/crash.c:9!\n"
	    "[ 1.0] Oops: invalid opcode: 0000 [#1]\n", "BUG crash.c");
	is("Fatal exception", "[ 1.0] kernel BUG at ../a/./crash.h:9!\n",
	    "BUG crash.h");
	is("Fatal exception", "[ 1.0] kernel BUG at \n", "BUG");
	is("kernel: panic_on_warn set ...", "[ 1.0] WARNING: CPU: 0 PID: 1 at "
	    "kernel/fork.c:12 copy_process+0x1/0x2\n", "WARNING kernel/fork.c");
	is("kernel: panic_on_warn set ...", "[ 1.0] WARNING: kernel/fork.c:12 "
	    "at copy_process+0x1/0x2, CPU#0: init/1\n",
	    "WARNING kernel/fork.c");
	is("KASAN: panic_on_warn set ...", "[ 1.0] BUG: KASAN: "
	    "slab-use-after-free in f+0x1/0x2 [m]\n",
	    "KASAN slab-use-after-free");
	is("KASAN: panic_on_warn set ...", "[ 1.0] BUG: KASAN: \n", "KASAN ");
}

/* This test checks that numbers do not tell two boots apart. */
static void
crashkind_numbers_are_left_out(void **state)
{
	char text[512];

	(void)state;
	is("crashme: seed 5eed", "", "panic crashme: seed N");
	is("crashme: seed f00dbabe", "", "panic crashme: seed N");
	is("dev 8:0 lost 0xffff8881 of ext4_1, a cafe\nmore", "",
	    "panic dev N:N lost N of ext4_1, a cafe");
	is("\x1b[31m", "", "panic \x1b[N");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(where(text, ""), CRASH_TOP);
	memset(text, '1', sizeof(text) - 1);
	is(text, "", "panic N");
}

/* This test checks that the hung task is found by its thread's id. */
static void
crashkind_hung_task_is_named(void **state)
{
	struct crash_kind k;

	(void)state;
	crash_kind(&k, "hung_task: blocked tasks",
	    "[ 9.0] INFO: task a:1:17 blocked for more than 120 seconds.\n"
	    "[ 9.0] INFO: task b c:42 blocked for more than 120 seconds.\n"
	    "[ 9.0] INFO: task d: blocked for more than 120 seconds.\n");
	assert_string_equal(k.text, "hung task");
	assert_int_equal(k.where, CRASH_VICTIM);
	assert_int_equal(k.tid, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crashkind_message_is_known),
		cmocka_unit_test(crashkind_oops_is_in_the_log),
		cmocka_unit_test(crashkind_bug_has_its_file),
		cmocka_unit_test(crashkind_numbers_are_left_out),
		cmocka_unit_test(crashkind_hung_task_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
