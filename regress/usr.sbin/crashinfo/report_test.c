/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_test.c: the report that `crashinfo' prints, of kernels whose stacks
 * and tasks are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>
#include <sys/stat.h>

#include "output.h"
#include "stack.h"

/*
 * This test checks the signature, in which fn() that calls itself stands once,
 * and that each part that the kernel does not tell has one line with the reason.
 */
static void
report_tells_what_it_can(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_7_1);
	s.g.im.spec.panicstr = "lost \x1b[31m disk 17";
	stack_panic(&s, pokes, FN_END);
	assert_int_equal(run_on(&s.g, "", ""), 0);
	output_has("signature panic lost \\033[N disk N: fn < fn_end\n");
	output_has("panic     lost \\033[31m disk 17\n");
	output_has("hardware  not known: ");
	output_has("\nCPUs\nCPU 0, which panicked\n #0 [");
	output_has("\nThreads\n(not known: ");
	output_has("\nMemory\n(not known: ");
	output_has("\nEnd of the log\n(not known: ");
	assert_null(strchr(output, '\x1b'));
	assert_int_equal(run_on(&s.g, "--json", ""), 0);
	output_has("{\"signature\": \"panic lost \\\\033[N disk N: fn < fn_end\",\n");
	output_has("\"panicked\": true,\n");
	output_has("\"log_error\": \"");
	pokes[6].value = KCORE_NOCPU;
	guest_make(&s.g);
	assert_int_equal(run_on(&s.g, "", ""), 0);
	output_has(" disk N: ?\n");
	output_has("\n(which CPU panicked is not known)\nCPU 0\n");
	s.g.im.spec.panicstr = "Out of memory and no killable processes...";
	guest_make(&s.g);
	assert_int_equal(run_on(&s.g, "--json", ""), 0);
	output_has("\"signature\": \"out of memory: -\"");
	guest_fini(&s.g);
}

/* This test checks that what is known of a dump which ended early is JSON all the
 * same, and that a part that breaks off is followed by why. */
static void
report_of_an_incomplete_dump_is_json(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_7_1);
	stack_panic(&s, pokes, FN_END);
	s.g.im.spec.data_valid = MKDUMP_PAGE;
	guest_make(&s.g);
	assert_int_equal(run_on(&s.g, "--json", ""), 0);
	output_has("\"incomplete\": true,\n");
	output_has("\"frames\": []}],\n\"cpus_error\": \"");
	assert_int_equal(run_on(&s.g, "--json", "bt"), 1);
	output_has("\"frames\": []}]");
	guest_fini(&s.g);
}

/* This test checks that a core file which was cut short is told as incomplete. */
static void
report_of_a_core_file_cut_short(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;
	struct stat st;
	char text[100];

	(void)state;
	stack_make(&s, FORM_7_1);
	stack_panic(&s, pokes, FN_END);
	guest_make(&s.g);
	assert_int_equal(run_on(&s.g, "--json", ""), 0);
	output_has("\"incomplete\": false,\n");
	assert_int_equal(stat(s.g.im.path, &st), 0);
	assert_int_equal(truncate(s.g.im.path, st.st_size - 1), 0);
	snprintf(text, sizeof(text), "incomplete: %llu of %llu bytes",
	    (unsigned long long)s.g.im.info.data_size - 1,
	    (unsigned long long)s.g.im.info.data_size);
	assert_int_equal(run_on(&s.g, "--json", ""), 0);
	output_has("\"incomplete\": true,\n");
	assert_int_equal(run_on(&s.g, "", ""), 0);
	output_has("\ndump      incomplete: ");
	output_has(text);
	(void)run_on(&s.g, "", "uptime");
	output_has(": the dump is incomplete: ");
	guest_fini(&s.g);
}

/* This test checks what is reported of a raw device with an early record. */
static void
report_of_an_early_record(void **state)
{
	struct guest g;

	(void)state;
	guest_init(&g);
	g.im.spec.core = false;
	g.im.spec.log = "[    1.0] BUG: kernel NULL pointer dereference, x\n"
	    "[    1.1] Kernel panic - not syncing: Fatal exception\n";
	g.im.spec.panicstr = "Fatal exception";
	g.im.spec.early_only = true;
	g.im.spec.seq = 1;
	g.im.spec.state = 1;
	guest_make(&g);
	assert_int_equal(run_on(&g, "", ""), 0);
	output_has("signature NULL dereference: ?\n");
	output_has("\nEnd of the log\n[    1.0] BUG: kernel");
	output_has("\nThe dump got no further than its early record");
	assert_int_equal(run_on(&g, "--json", ""), 0);
	output_has("\"log\": [\"[    1.0] BUG: kernel");
	guest_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_tells_what_it_can),
		cmocka_unit_test(report_of_an_incomplete_dump_is_json),
		cmocka_unit_test(report_of_a_core_file_cut_short),
		cmocka_unit_test(report_of_an_early_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
