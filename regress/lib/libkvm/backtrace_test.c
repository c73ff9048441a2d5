/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backtrace_test.c: callers, as the tables of five kernels tell them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack.h"

#define NFRAMES	32u

/* What was told. */
static struct kvm_frame frames[NFRAMES];
static struct kvm_regs saved[NFRAMES];
static char names[NFRAMES][64];
static unsigned int nframes;

static int
note(void *cookie, const struct kvm_frame *f)
{
	unsigned int limit = *(unsigned int *)cookie;

	assert_int_equal(f->kf_n, nframes);
	assert_in_range(nframes, 0, NFRAMES - 1);
	frames[nframes] = *f;
	snprintf(names[nframes], sizeof(names[0]), "%s",
	    f->kf_name != NULL ? f->kf_name : "");
	if (f->kf_regs != NULL)
		saved[nframes] = *f->kf_regs;
	return ++nframes == limit;
}

static int
trace(struct stack *s, const uint64_t *reg)
{
	unsigned int limit = NFRAMES;
	struct kvm_regs r;

	nframes = 0;
	stack_regs(&r, reg);
	return kvm_backtrace(s->g.im.kd, &r, note, &limit);
}

/* Registers in a function: the stack's middle is in use. */
static void
start(const struct stack *s, uint64_t *reg, enum fn fn)
{
	unsigned int i;

	for (i = 0; i < NREGS; i++)
		reg[i] = s->task + 512 + 16 * i;
	reg[RIP] = stack_in(s, fn);
	reg[RSP] = s->task + 256;
	reg[RBP] = s->task + 384;
	reg[CS] = 0x10;
	reg[EFLAGS] = 2;
	reg[SS] = 0x18;
}

static void
frame_is(const struct stack *s, unsigned int n, enum fn fn, uint64_t sp,
    unsigned int flags)
{
	assert_true(n < nframes);
	if (frames[n].kf_pc != stack_in(s, fn))
		fail_msg("form %d: #%u is %#lx, not function %d at %#lx",
		    s->form, n, frames[n].kf_pc, fn,
		    (unsigned long)stack_in(s, fn));
	assert_int_equal(frames[n].kf_sp, sp);
	assert_int_equal(frames[n].kf_flags, flags);
}

/* This test checks each register that tells the caller, in each form. */
static void
backtrace_each_register_finds_the_caller(void **state)
{
	uint64_t reg[NREGS], cfa;
	struct stack s;
	unsigned int form, fn;

	(void)state;
	for (form = 0; form < FORM_FRAMES; form++)
		for (fn = FN_SP; fn <= FN_AX; fn++) {
			stack_make(&s, form);
			start(&s, reg, fn);
			switch (fn) {
			case FN_SP:
				cfa = reg[RSP] + 24;
				break;
			case FN_BP:
				cfa = reg[RBP] + 16;
				break;
			case FN_SP_IND:
				stack_put(&s, reg[RSP], s.task + 800);
				cfa = s.task + 808;
				break;
			case FN_BP_IND:
				stack_put(&s, reg[RBP] - 8, s.task + 800);
				cfa = s.task + 800;
				break;
			default:
				cfa = reg[(unsigned int[]){ [FN_R10] = R10,
				    [FN_R13] = R13, [FN_DI] = RDI,
				    [FN_DX] = RDX, [FN_AX] = RAX }[fn]];
				break;
			}
			stack_put(&s, cfa - 8, stack_in(&s, FN_END));
			guest_make(&s.g);
			assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
			assert_int_equal(nframes, 2);
			frame_is(&s, 0, fn, reg[RSP], 0);
			frame_is(&s, 1, FN_END, cfa, KVM_FRAME_RETURN);
			assert_string_equal(frames[1].kf_stack, "TASK");
			guest_fini(&s.g);
		}
}

/* This test checks how the frame pointer is found, and what goes by it. */
static void
backtrace_frame_pointer_is_followed(void **state)
{
	uint64_t reg[NREGS];
	struct stack s;
	unsigned int form;

	(void)state;
	for (form = 0; form < FORM_FRAMES; form++) {
		stack_make(&s, form);
		start(&s, reg, FN_PREV_FP);
		/* fp from below the return address; then from fp - 32. */
		stack_put(&s, reg[RSP], s.task + 600);
		stack_put(&s, reg[RSP] + 8, stack_in(&s, FN_FP_FP));
		stack_put(&s, s.task + 600 - 32, s.task + 700);
		stack_put(&s, reg[RSP] + 24, stack_in(&s, FN_BP));
		stack_put(&s, s.task + 708, stack_in(&s, FN_END));
		guest_make(&s.g);
		assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
		assert_int_equal(nframes, 4);
		frame_is(&s, 2, FN_BP, reg[RSP] + 32, KVM_FRAME_RETURN);
		assert_int_equal(frames[1].kf_fp, s.task + 600);
		assert_int_equal(frames[2].kf_fp, s.task + 700);
		frame_is(&s, 3, FN_END, s.task + 716, KVM_FRAME_RETURN);
		guest_fini(&s.g);
	}
}

/*
 * This test checks an NMI in an interrupt in a task: registers saved in full,
 * then in part, three stacks, and a register that was saved before last.
 */
static void
backtrace_exceptions_cross_stacks(void **state)
{
	uint64_t reg[NREGS], irq[NREGS], part[5];
	struct stack s;
	unsigned int form;

	(void)state;
	for (form = 0; form < FORM_FRAMES; form++) {
		stack_make(&s, form);
		start(&s, reg, FN_REGS);
		reg[RSP] = s.nmi + 512;
		/* The NMI came in FN_PARTIAL, on the stack for interrupts. */
		memcpy(irq, reg, sizeof(irq));
		irq[RIP] = stack_in(&s, FN_PARTIAL) + 3;
		irq[RSP] = s.irq + 128;
		irq[R10] = s.task + 904;
		stack_put_regs(&s, reg[RSP], irq);
		/* That, in FN_R10 of the task: nothing but an iret frame. */
		part[0] = stack_in(&s, FN_R10) + 1;
		part[1] = 0x10;
		part[2] = 0x202;
		part[3] = s.task + 800;
		part[4] = 0x18;
		memcpy(guest_at(&s.g, s.irq + 136), part, sizeof(part));
		stack_put(&s, s.task + 896, stack_in(&s, FN_END));
		guest_make(&s.g);
		assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
		assert_int_equal(nframes, 4);
		assert_string_equal(frames[0].kf_stack, "NMI");
		assert_string_equal(frames[1].kf_stack, "IRQ");
		assert_string_equal(frames[2].kf_stack, "TASK");
		assert_int_equal(frames[1].kf_pc, irq[RIP]);
		assert_int_equal(frames[1].kf_sp, irq[RSP]);
		assert_int_equal(frames[1].kf_flags, 0);
		assert_int_equal(saved[1].kr_n, NREGS);
		assert_string_equal(saved[1].kr_reg[R10].kr_name, "r10");
		assert_int_equal(saved[1].kr_reg[R10].kr_value, irq[R10]);
		assert_int_equal(frames[2].kf_pc, part[0]);
		assert_int_equal(frames[2].kf_sp, part[3]);
		assert_int_equal(saved[2].kr_n, 5);
		assert_string_equal(saved[2].kr_reg[0].kr_name, "rip");
		assert_int_equal(saved[2].kr_reg[3].kr_value, part[3]);
		frame_is(&s, 3, FN_END, s.task + 904, KVM_FRAME_RETURN);
		assert_string_equal(frames[3].kf_stack, "TASK");
		guest_fini(&s.g);
	}
}

/* This test checks that it ends where a user's registers were saved. */
static void
backtrace_ends_at_user_mode(void **state)
{
	uint64_t reg[NREGS], user[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_REGS);
	memcpy(user, reg, sizeof(user));
	user[RIP] = 0x401000;
	user[RSP] = 0x7ffc0000;
	user[CS] = 0x33;
	stack_put_regs(&s, reg[RSP], user);
	guest_make(&s.g);
	assert_int_equal(trace(&s, reg), KVM_BT_USER);
	assert_int_equal(nframes, 2);
	assert_int_equal(frames[1].kf_pc, 0x401000);
	assert_int_equal(frames[1].kf_flags, KVM_FRAME_USER);
	assert_null(frames[1].kf_name);
	assert_null(frames[1].kf_stack);
	/* A CPU that was stopped there. */
	assert_int_equal(trace(&s, user), KVM_BT_USER);
	assert_int_equal(nframes, 1);
	guest_fini(&s.g);
}

/* This test checks the symbol: of a return address, that of the call. */
static void
backtrace_names_the_calling_function(void **state)
{
	uint64_t reg[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_SP);
	/* A call that is the last word of panic(), and never comes back. */
	stack_put(&s, reg[RSP] + 16, s.text + FN_SP * FN_SIZE);
	stack_put(&s, reg[RSP] + 24, stack_in(&s, FN_END));
	memcpy(guest_at(&s.g, s.text + FN_SP * FN_SIZE - 5), "\xe8", 1);
	guest_make(&s.g);
	assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
	assert_int_equal(nframes, 3);
	assert_string_equal(names[0], "fn");
	assert_int_equal(frames[0].kf_off, 5);
	assert_int_equal(frames[0].kf_size, (FN_NONE - 1) * FN_SIZE);
	assert_null(frames[0].kf_module);
	assert_int_equal(frames[1].kf_off, FN_SIZE);
	assert_int_equal(frames[1].kf_size, FN_SIZE);
	guest_fini(&s.g);
}

/* This test checks a call through a null pointer, and one to nowhere. */
static void
backtrace_of_a_call_to_nowhere_has_the_caller(void **state)
{
	uint64_t reg[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_SP);
	stack_put(&s, reg[RSP], stack_in(&s, FN_END));
	guest_make(&s.g);
	reg[RIP] = 0;
	assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
	assert_int_equal(nframes, 2);
	frame_is(&s, 1, FN_END, reg[RSP] + 8, KVM_FRAME_RETURN);
	reg[RIP] = 0x1234;
	assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
	frame_is(&s, 1, FN_END, reg[RSP] + 8,
	    KVM_FRAME_RETURN | KVM_FRAME_GUESS);
	guest_fini(&s.g);
}

/* Traces and wants that end, after n frames that are no guesses. */
static void
ends(struct stack *s, const uint64_t *reg, int why, unsigned int n,
    const char *text)
{
	unsigned int i;

	guest_make(&s->g);
	assert_int_equal(trace(s, reg), why);
	if (strstr(kvm_geterr(s->g.im.kd), text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text,
		    kvm_geterr(s->g.im.kd));
	for (i = 0; i < nframes; i++)
		assert_int_equal((frames[i].kf_flags & KVM_FRAME_GUESS) != 0,
		    i >= n);
	assert_in_range(nframes, n, NFRAMES);
	guest_fini(&s->g);
}

/* A call of one function in another, at its begin. */
static void
put_call(struct stack *s, enum fn from, enum fn to)
{
	const int32_t rel = (int32_t)(to * FN_SIZE) -
	    (int32_t)(from * FN_SIZE + 5);

	memcpy(guest_at(&s->g, s->text + from * FN_SIZE + 1), &rel, 4);
}

/* This test checks that who called a function of which the tables say nothing is
 * told by a call of it, whatever other calls have left on the stack; but only if
 * the tables lead on from there, and not in place of guesses. */
static void
backtrace_unknown_function_is_found_by_its_call(void **state)
{
	uint64_t reg[NREGS], at;
	struct stack s;
	int whole;

	(void)state;
	for (whole = 1; whole >= 0; whole--) {
		stack_make(&s, FORM_6_4);
		start(&s, reg, FN_NONE);
		at = reg[RSP] + 80;
		put_call(&s, FN_SP, FN_NONE);
		put_call(&s, FN_BP, FN_NONE);
		/* Left over: of another function, and one that leads nowhere. */
		stack_put(&s, reg[RSP] + 8, stack_in(&s, FN_REGS));
		stack_put(&s, reg[RSP] + 24, stack_in(&s, FN_BP));
		stack_put(&s, reg[RBP] + 8, 0x1234);
		stack_put(&s, at, stack_in(&s, FN_SP));
		stack_put(&s, at + 24, stack_in(&s, whole ? FN_END : FN_BADFP));
		if (!whole) {
			ends(&s, reg, KVM_BT_LOST, 1, "tables say nothing");
			continue;
		}
		guest_make(&s.g);
		assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
		assert_int_equal(nframes, 3);
		frame_is(&s, 0, FN_NONE, reg[RSP], 0);
		frame_is(&s, 1, FN_SP, at + 8, KVM_FRAME_RETURN);
		frame_is(&s, 2, FN_END, at + 32, KVM_FRAME_RETURN);
		assert_string_equal(names[0], "none");
		guest_fini(&s.g);
	}
}

/* This test checks that it says why it can't go on. */
static void
backtrace_that_is_cut_short_says_why(void **state)
{
	uint64_t reg[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_PANIC);
	stack_put(&s, reg[RSP], stack_in(&s, FN_NONE));
	ends(&s, reg, KVM_BT_LOST, 2, "the kernel's tables say nothing of");
	stack_make(&s, FORM_6_4);
	stack_put(&s, reg[RSP], stack_in(&s, FN_R10));
	ends(&s, reg, KVM_BT_LOST, 2, "a register that is not known");
	stack_make(&s, FORM_6_4);
	stack_put(&s, reg[RSP], stack_in(&s, FN_BADREG));
	ends(&s, reg, KVM_BT_LOST, 2, "no known register");
	stack_make(&s, FORM_6_4);
	stack_put(&s, reg[RSP], stack_in(&s, FN_BADFP));
	stack_put(&s, reg[RSP] + 8, stack_in(&s, FN_END));
	ends(&s, reg, KVM_BT_LOST, 2, "frame pointer");
	stack_make(&s, FORM_6_4);
	stack_put(&s, reg[RSP], s.task);
	ends(&s, reg, KVM_BT_DAMAGED, 1, "is not code's");
	stack_make(&s, FORM_6_4);
	reg[RIP] = stack_in(&s, FN_BP);
	reg[RBP] = s.task;
	stack_put(&s, s.task + 8, stack_in(&s, FN_END));
	ends(&s, reg, KVM_BT_DAMAGED, 1, "TASK stack: ");
	stack_make(&s, FORM_6_4);
	reg[RBP] = s.task - 4096;
	ends(&s, reg, KVM_BT_DAMAGED, 1, "is not in the TASK stack");
	stack_make(&s, FORM_6_4);
	reg[RIP] = stack_in(&s, FN_SP);
	reg[RSP] = 0xffffc90000001000;
	ends(&s, reg, KVM_BT_UNREADABLE, 1, "TASK stack: ");
}

/* This test checks that what is only guessed is marked, and is on the stack. */
static void
backtrace_guesses_are_marked(void **state)
{
	uint64_t reg[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_NONE);
	stack_put(&s, s.task + 300, stack_in(&s, FN_SP));	/* uneven */
	stack_put(&s, s.task + 320, stack_in(&s, FN_BP));
	stack_put(&s, s.task + 328, stack_in(&s, FN_BP) + 3);	/* no call */
	stack_put(&s, s.task + 1016, stack_in(&s, FN_END));
	stack_put(&s, s.task + 1024, stack_in(&s, FN_END));	/* another's */
	guest_make(&s.g);
	/* The byte before pc is no call's end, so this is no return. */
	reg[RIP] += 4;
	assert_int_equal(trace(&s, reg), KVM_BT_LOST);
	assert_int_equal(nframes, 3);
	frame_is(&s, 1, FN_BP, s.task + 328,
	    KVM_FRAME_RETURN | KVM_FRAME_GUESS);
	frame_is(&s, 2, FN_END, s.task + 1024,
	    KVM_FRAME_RETURN | KVM_FRAME_GUESS);
	guest_fini(&s.g);
}

/* This test checks a kernel with frame pointers: chain, registers, end. */
static void
backtrace_by_frame_pointers(void **state)
{
	uint64_t reg[NREGS], irq[NREGS];
	struct stack s;

	(void)state;
	stack_make(&s, FORM_FRAMES);
	start(&s, reg, FN_SP);
	stack_put(&s, reg[RBP], (s.task + 448) | 1);
	stack_put(&s, reg[RBP] + 8, stack_in(&s, FN_BP));
	memcpy(irq, reg, sizeof(irq));
	irq[RIP] = stack_in(&s, FN_R10);
	irq[RSP] = s.task + 640;
	irq[RBP] = s.task + 656;
	stack_put_regs(&s, s.task + 448, irq);
	stack_put(&s, irq[RBP], 0);
	stack_put(&s, irq[RBP] + 8, stack_in(&s, FN_DI));
	guest_make(&s.g);
	assert_int_equal(trace(&s, reg), KVM_BT_ENTRY);
	assert_int_equal(nframes, 4);
	frame_is(&s, 1, FN_BP, reg[RBP] + 16, KVM_FRAME_RETURN);
	frame_is(&s, 2, FN_R10, irq[RSP], 0);
	assert_int_equal(saved[2].kr_n, NREGS);
	frame_is(&s, 3, FN_DI, irq[RBP] + 16, KVM_FRAME_RETURN);
	/* A frame that leads to itself. */
	stack_put(&s, irq[RBP], irq[RBP]);
	guest_make(&s.g);
	assert_int_equal(trace(&s, reg), KVM_BT_DAMAGED);
	guest_fini(&s.g);
}

/* This test checks that the caller of the function can end it. */
static void
backtrace_stops_when_told(void **state)
{
	unsigned int limit = 1;
	uint64_t reg[NREGS];
	struct kvm_regs r;
	struct stack s;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_NONE);
	stack_regs(&r, reg);
	nframes = 0;
	assert_int_equal(kvm_backtrace(s.g.im.kd, &r, note, &limit),
	    KVM_BT_STOPPED);
	assert_int_equal(nframes, 1);
	guest_fini(&s.g);
}

static int
count(void *cookie, const struct kvm_frame *f)
{
	*(size_t *)cookie += f->kf_n < 100000;
	return 0;
}

static void
look(struct guest *g)
{
	struct stack *s = (struct stack *)(void *)g;
	uint64_t reg[NREGS];
	struct kvm_regs r;
	size_t n = 0;

	start(s, reg, FN_REGS);
	reg[RSP] = s->nmi + 512;
	stack_regs(&r, reg);
	guest_result(g, kvm_backtrace(g->im.kd, &r, count, &n));
	assert_in_range(n, 0, 3 * STACK_SIZE / 8 + 64 + 3);
	start(s, reg, FN_PREV_FP);
	stack_regs(&r, reg);
	guest_result(g, kvm_backtrace(g->im.kd, &r, count, &n));
}

/* This test checks that no changed byte of tables or stacks does harm. */
static void
backtrace_damaged_never_crashes(void **state)
{
	uint64_t reg[NREGS], irq[NREGS];
	struct stack s;
	unsigned int i;

	(void)state;
	stack_make(&s, FORM_6_4);
	start(&s, reg, FN_REGS);
	memcpy(irq, reg, sizeof(irq));
	irq[RIP] = stack_in(&s, FN_SP_IND);
	irq[RSP] = s.irq + STACK_SIZE - 8;
	stack_put_regs(&s, s.nmi + 512, irq);
	stack_put(&s, irq[RSP], s.task + 272);
	for (i = 0; i < 20; i++)
		stack_put(&s, s.task + 272 + 8 * i, stack_in(&s, i % NFNS));
	guest_make(&s.g);
	guest_mutate(&s.g, s.tables, (size_t)(s.tables_end - s.tables), look);
	guest_mutate(&s.g, s.nmi + 512, NREGS * 8, look);
	guest_mutate(&s.g, irq[RSP], 8, look);
	guest_mutate(&s.g, s.task + 256, 192, look);
	guest_fini(&s.g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backtrace_each_register_finds_the_caller),
		cmocka_unit_test(backtrace_frame_pointer_is_followed),
		cmocka_unit_test(backtrace_exceptions_cross_stacks),
		cmocka_unit_test(backtrace_ends_at_user_mode),
		cmocka_unit_test(backtrace_names_the_calling_function),
		cmocka_unit_test(backtrace_of_a_call_to_nowhere_has_the_caller),
		cmocka_unit_test(backtrace_unknown_function_is_found_by_its_call),
		cmocka_unit_test(backtrace_that_is_cut_short_says_why),
		cmocka_unit_test(backtrace_guesses_are_marked),
		cmocka_unit_test(backtrace_by_frame_pointers),
		cmocka_unit_test(backtrace_stops_when_told),
		cmocka_unit_test(backtrace_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
