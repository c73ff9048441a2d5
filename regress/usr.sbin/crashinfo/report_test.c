/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_test.c: the report that `crashinfo' prints, of kernels whose stacks
 * and tasks are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <sys/kcore.h>

#include "stack.h"

#define NPOKES	7u
#define REG(r)	(offsetof(struct elf_prstatus, pr_reg) + \
		 offsetof(struct user_regs_struct, r))

static char output[65536];

static int
run(const struct guest *g, const char *options)
{
	char line[512];
	size_t n;
	FILE *p;
	int rv;

	snprintf(line, sizeof(line), "%s 2>&1 %s -M %s", CRASHINFO, options,
	    g->im.path);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(output, 1, sizeof(output) - 1, p);
	output[n] = '\0';
	rv = pclose(p);
	assert_true(WIFEXITED(rv));
	return WEXITSTATUS(rv);
}

static void
output_has(const char *text)
{
	if (strstr(output, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, output);
}

/* A dump with one CPU, which panicked in fn() that fn() called. */
static void
make(struct stack *s, struct mkdump_poke *p, const char *panic)
{
	struct guest *g = &s->g;
	const struct {
		size_t off;
		uint64_t value;
	} regs[] = {
		{ REG(rip), stack_in(s, FN_SP) }, { REG(rsp), s->task + 256 },
		{ REG(cs), 0x10 }, { REG(rbx), 0x1234567890 },
	};
	size_t off, i;

	stack_put(s, s->task + 272, stack_in(s, FN_END));
	g->im.spec.nnotes = 1;
	g->im.spec.panicstr = panic;
	guest_make(g);
	off = kvm_dump_hdr(g->im.kd)->notes_off;
	memcpy(p, g->pokes, sizeof(g->pokes));
	for (i = 0; i < 4; i++)
		p[2 + i] = (struct mkdump_poke){ MKDUMP_CPU, off + 20 +
		    regs[i].off, 8, regs[i].value };
	g->im.spec.pokes = p;
	p[6] = (struct mkdump_poke){ MKDUMP_CPU,
	    offsetof(cpu_kcore_hdr_t, panic_cpu), 4, 0 };
	g->im.spec.npokes = NPOKES;
	guest_make(g);
}

/*
 * This test checks the signature, in which fn() that calls itself stands once,
 * and that each part that the kernel does not tell has one line with the reason.
 */
static void
report_tells_what_it_can(void **state)
{
	struct mkdump_poke pokes[NPOKES];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_7_1);
	make(&s, pokes, "lost \x1b[31m disk 17");
	assert_int_equal(run(&s.g, ""), 0);
	output_has("signature panic lost \\033[N disk N: fn\n");
	output_has("panic     lost \\033[31m disk 17\n");
	output_has("hardware  not known: ");
	output_has("\nCPUs\nCPU 0, which panicked\n #0 [");
	output_has("\nThreads\n(not known: ");
	output_has("\nMemory\n(not known: ");
	output_has("\nEnd of the log\n(not known: ");
	assert_null(strchr(output, '\x1b'));
	assert_int_equal(run(&s.g, "--json"), 0);
	output_has("{\"signature\": \"panic lost \\\\033[N disk N: fn\",\n");
	output_has("\"panicked\": true,\n");
	output_has("\"log_error\": \"");
	pokes[6].value = KCORE_NOCPU;
	guest_make(&s.g);
	assert_int_equal(run(&s.g, ""), 0);
	output_has(" disk N: ?\n");
	output_has("\n(which CPU panicked is not known)\nCPU 0\n");
	s.g.im.spec.panicstr = "Out of memory and no killable processes...";
	guest_make(&s.g);
	assert_int_equal(run(&s.g, "--json"), 0);
	output_has("\"signature\": \"out of memory: -\"");
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
	assert_int_equal(run(&g, ""), 0);
	output_has("signature NULL dereference: ?\n");
	output_has("\nEnd of the log\n[    1.0] BUG: kernel");
	output_has("\nThe dump got no further than its early record");
	assert_int_equal(run(&g, "--json"), 0);
	output_has("\"log\": [\"[    1.0] BUG: kernel");
	guest_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_tells_what_it_can),
		cmocka_unit_test(report_of_an_early_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
