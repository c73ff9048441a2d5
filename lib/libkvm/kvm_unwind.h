/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_unwind.h: stacks, and who called whom; the part of kvm_private.h that few
 * files need.
 */
#ifndef _KVM_UNWIND_H_
#define _KVM_UNWIND_H_

#include "kvm_private.h"

/* ---- kvm_stack.c, kvm_probe.c: the kernel's stacks ---- */

#define KVMI_NEXCSTACKS	6u
#define KVMI_CPU_NONE	(-1)	/* stacks of tasks only */
#define KVMI_CPU_ANY	(-2)

/* What is known of the stacks; addresses are 0 where the kernel has none. */
struct kvmi_stacks {
	uint64_t task_size, irq_size;
	kvaddr_t percpu;		/* __per_cpu_offset[] */
	kvaddr_t irq, exc, current;	/* per-CPU variables */
	struct kvmi_stackpart {
		uint64_t off, size;
	} part[KVMI_NEXCSTACKS], entry, estacks;
	kvaddr_t rethook, graph;	/* return addresses of probes */
	kvaddr_t fork[2];		/* where new tasks begin */
};

struct kvmi_stack {
	const char *name;
	kvaddr_t base, end;
	unsigned int id;	/* a small number */
};

/* Finds out when first asked: NULL with a text. */
const struct kvmi_stacks *kvmi_stacks(kvm_t *kd);
/* Which stack of a CPU, or KVMI_CPU_*, sp is in: 0, or -1 with a text. */
int kvmi_stack_find(kvm_t *kd, int cpu, kvaddr_t sp, struct kvmi_stack *st);
/* What the CPU ran: 0, or -1 with a text. */
int kvmi_cpu_task(kvm_t *kd, unsigned int cpu, kvaddr_t *task);
/* The true one for a return address that was found at `at'. */
kvaddr_t kvmi_return_address(kvm_t *kd, kvaddr_t task, kvaddr_t pc,
    kvaddr_t at);

/* ---- kvm_orc.c: the kernel's tables of callers ---- */

/* How to get at the caller's registers; not the kernel's numbers. */
enum { KVMI_ORC_UNDEFINED, KVMI_ORC_PREV_SP, KVMI_ORC_SP, KVMI_ORC_BP,
	KVMI_ORC_SP_INDIRECT, KVMI_ORC_BP_INDIRECT, KVMI_ORC_AX, KVMI_ORC_DX,
	KVMI_ORC_DI, KVMI_ORC_R10, KVMI_ORC_R13, KVMI_ORC_BAD };
/* What is there: nothing known, no caller, a return address, registers. */
enum { KVMI_ORC_NONE, KVMI_ORC_END, KVMI_ORC_CALL, KVMI_ORC_REGS,
	KVMI_ORC_PARTIAL };

struct kvmi_orc {
	int16_t sp_offset, bp_offset;
	uint8_t sp_reg, bp_reg, type;
	bool signal;		/* the next address is to be taken as it is */
};

struct kvmi_orctab;

/* 1: the kernel has such tables; 0: it has frame pointers; -1 with a text. */
int kvmi_orc_have(kvm_t *kd);
/* What they say of an address: 1; 0: nothing; -1 with a text. */
int kvmi_orc_find(kvm_t *kd, kvaddr_t pc, struct kvmi_orc *orc);
void kvmi_orctab_free(struct kvmi_orctab *t);
/* Is there code of the kernel, of a module or of ftrace? */
bool kvmi_is_code(kvm_t *kd, kvaddr_t pc);

/* ---- kvm_unwind.c: from a function to its caller ---- */

#define KVMI_PTREGS	21u	/* in struct pt_regs */

struct kvmi_cursor {
	kvaddr_t pc, sp, fp;
	bool exact;		/* pc is no return address */
	bool user;		/* it is a user's */
	bool guess;		/* no table led here */
	bool trial;		/* only to see whether it ends */
	bool known;		/* reg[] has all registers */
	unsigned int saved_from; /* those from here on were saved with pc */
	uint64_t reg[KVMI_PTREGS];
	kvaddr_t task;		/* its task_struct, or 0 */
	int cpu;		/* whose stacks it may be on */
	struct kvmi_stack stack; /* the one read last */
	uint32_t visited;	/* a bit for each stack's id */
};

int kvmi_x86_64_unwind(kvm_t *kd, struct kvmi_cursor *c);
/* Takes pc and sp from reg[]. */
void kvmi_cursor_regs(struct kvmi_cursor *c);
/* Could pc be a return address? */
bool kvmi_unwind_plausible(kvm_t *kd, kvaddr_t pc);

#endif /* _KVM_UNWIND_H_ */
