/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.h: a small kernel with code, ORC tables and stacks, for tests of how
 * callers are found.  Each function has FN_SIZE bytes and one entry.
 */
#ifndef STACK_H
#define STACK_H

#include "guest.h"

#define FN_SIZE		16u
#define STACK_SIZE	1024u
#define NREGS		21u		/* in struct pt_regs */

enum { R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI,
	ORIG_RAX, RIP, CS, EFLAGS, RSP, SS };

/* Functions, called after how their caller is found. */
enum fn { FN_PANIC, FN_SP, FN_BP, FN_SP_IND, FN_BP_IND, FN_R10, FN_R13, FN_DI,
	FN_DX, FN_AX, FN_PREV_FP, FN_FP_FP, FN_REGS, FN_PARTIAL, FN_NONE,
	FN_END, FN_BADREG, FN_BADFP, NFNS };

/*
 * Which kernel: bits `type' and `end'; with `signal' as well; types anew;
 * registers numbered anew as well; no tables, but frame pointers.
 */
enum form { FORM_5_10, FORM_6_3, FORM_6_4, FORM_7_1, FORM_FRAMES, NFORMS };

struct stack {
	struct guest g;
	enum form form;
	uint64_t text;			/* of the functions */
	uint64_t task, irq, nmi;	/* stacks */
	uint64_t tables, tables_end;	/* the ORC tables */
	uint64_t first, end;		/* the stacks */
};

void stack_make(struct stack *s, enum form form);
/* An address in a function: behind its only call. */
uint64_t stack_in(const struct stack *s, enum fn fn);
/* Puts a word on a stack; guest_make() puts all of it into the file. */
void stack_put(struct stack *s, uint64_t va, uint64_t word);
/* Puts struct pt_regs at va. */
void stack_put_regs(struct stack *s, uint64_t va, const uint64_t *reg);
/*
 * A dump with one CPU, which panicked in FN_SP, called from caller: guest_make()
 * again, with spec.pokes STACK_NPOKES of the test's, the last of them panic_cpu.
 */
#define STACK_NPOKES	7u
void stack_panic(struct stack *s, struct mkdump_poke *pokes, enum fn caller);
/* Registers to start from. */
void stack_regs(struct kvm_regs *r, const uint64_t *reg);

#endif /* STACK_H */
