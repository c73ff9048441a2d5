/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bt_test.c: what `crashinfo bt' prints of a kernel whose stacks are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "output.h"
#include "stack.h"

/* This test checks text and JSON of a whole backtrace. */
static void
bt_is_as_documented(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;
	char want[256];

	(void)state;
	stack_make(&s, FORM_7_1);
	stack_panic(&s, pokes, FN_END);
	assert_int_equal(run_on(&s.g, "", "bt"), 0);
	snprintf(want, sizeof(want), "CPU 0, which panicked\n"
	    " #0 [%016llx] fn+0x5/0x%x at %016llx\n"
	    "           r15 ", (unsigned long long)s.task + 256,
	    (FN_NONE - 1) * FN_SIZE, (unsigned long long)stack_in(&s, FN_SP));
	assert_memory_equal(output, want, strlen(want));
	output_has(" rbx 0000001234567890\n");
	snprintf(want, sizeof(want), "\n #1 [%016llx] fn_end+0x5/0x%x at "
	    "%016llx\n", (unsigned long long)s.task + 280,
	    (NFNS - FN_END) * FN_SIZE,
	    (unsigned long long)stack_in(&s, FN_END));
	output_has(want);
	assert_true(strcmp(strstr(output, "\n #1"), want) == 0);
	assert_int_equal(run_on(&s.g, "--json", "bt -c 0"), 0);
	output_has("\"panicked\": true,\n");
	output_has("\"tid\": null,\n");
	output_has("\"rbx\": \"0x1234567890\",\n");
	snprintf(want, sizeof(want), "{\"pc\": \"0x%llx\",\n\"sp\": \"0x%llx\",",
	    (unsigned long long)stack_in(&s, FN_END),
	    (unsigned long long)s.task + 280);
	output_has(want);
	output_has("\"return\": true,\n\"user\": false,\n\"guess\": false,\n"
	    "\"registers\": null}],\n\"end\": \"entry\",\n\"why\": null}]\n");
	guest_fini(&s.g);
}

/* This test checks that a backtrace which is cut short says so and why. */
static void
bt_cut_short_says_why(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;
	char want[256];

	(void)state;
	stack_make(&s, FORM_6_4);
	stack_put(&s, s.task + 512, stack_in(&s, FN_BP));
	stack_panic(&s, pokes, FN_NONE);
	assert_int_equal(run_on(&s.g, "", "bt"), 0);
	snprintf(want, sizeof(want), " #2 [%016llx] ? fn+0x",
	    (unsigned long long)s.task + 520);
	output_has(want);
	snprintf(want, sizeof(want), "    (cut short: the kernel's tables say "
	    "nothing of 0x%llx)\n", (unsigned long long)stack_in(&s, FN_NONE));
	output_has(want);
	assert_int_equal(run_on(&s.g, "--json", "bt"), 0);
	output_has("\"guess\": true");
	output_has("\"end\": \"lost\",\n\"why\": \"the kernel's tables say");
	guest_fini(&s.g);
}

/* This test checks wrong arguments, and what the dump does not have. */
static void
bt_errors_are_told(void **state)
{
	struct mkdump_poke pokes[STACK_NPOKES];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	stack_panic(&s, pokes, FN_END);
	assert_int_equal(run_on(&s.g, "", "bt -c 1"), 1);
	output_has(": CPU 1: the dump has registers of 1 CPU\n");
	pokes[6].value = KCORE_NOCPU;
	guest_make(&s.g);
	assert_int_equal(run_on(&s.g, "", "bt"), 1);
	output_has(": which CPU panicked is not known");
	assert_int_equal(run_on(&s.g, "", "bt 1"), 1);
	output_has(": no type `task_struct'\n");
	assert_int_equal(run_on(&s.g, "", "bt -a -c 0"), 2);
	output_has("usage: crashinfo ");
	output_has("crashinfo: bt: takes one of -a, -c and processes\n");
	assert_int_equal(run_on(&s.g, "", "bt -c x"), 2);
	output_has("crashinfo: x: not the number of a CPU or process\n");
	assert_int_equal(run_on(&s.g, "", "bt -1"), 2);
	assert_int_equal(run_on(&s.g, "", "bt 99999999999"), 2);
	assert_int_equal(run_on(&s.g, "", "nm -a"), 2);
	output_has("crashinfo: nm: takes no arguments\n");
	guest_fini(&s.g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bt_is_as_documented),
		cmocka_unit_test(bt_cut_short_says_why),
		cmocka_unit_test(bt_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
