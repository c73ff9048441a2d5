/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_unwind.c: from a function of an x86_64 kernel to its caller, by the
 * kernel's ORC tables, or by frame pointers where it was built with those.
 *
 * A step reads only the stacks of the kernel, each once, and goes up in each,
 * so that damaged ones come to an end.  What is found in struct pt_regs is in
 * that order: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs
 * flags sp ss.
 */
#include <errno.h>
#include <string.h>

#include "kvm_symbols.h"
#include "kvm_unwind.h"

#define R_R13		2u
#define R_BP		4u
#define R_R10		7u
#define R_AX		10u
#define R_DX		12u
#define R_DI		14u
#define R_IP		16u
#define R_CS		17u
#define R_SP		19u

#define UNWIND_CS_RPL	3u	/* of the code segment: not 0, a user's */
#define UNWIND_WORD	8u
#define UNWIND_FRAME	4096u	/* bytes of the largest that is looked through */
#define UNWIND_TRIAL	1024u	/* steps to the end */

/* Without an entry: a call through a null pointer has pushed its address. */
static const struct kvmi_orc unwind_called = {
	.type = KVMI_ORC_CALL, .sp_reg = KVMI_ORC_SP, .sp_offset = 8,
	.bp_reg = KVMI_ORC_UNDEFINED,
};

/* Generated code, such as BPF's, has a frame pointer. */
static const struct kvmi_orc unwind_framed = {
	.type = KVMI_ORC_CALL, .sp_reg = KVMI_ORC_BP, .sp_offset = 16,
	.bp_reg = KVMI_ORC_PREV_SP, .bp_offset = -16,
};

/* Reads a stack, the present one or one where it has not been yet. */
static int
unwind_read(kvm_t *kd, struct kvmi_cursor *c, kvaddr_t va, void *buf,
    size_t len)
{
	struct kvmi_stack st;

	if (va < c->stack.base || va >= c->stack.end ||
	    len > c->stack.end - va) {
		if (kvmi_stack_find(kd, c->cpu, va, &st) == -1)
			return -1;
		if ((c->visited & 1u << st.id) != 0 || len > st.end - va) {
			kvmi_err(kd, EBADMSG, "0x%llx is not in the %s stack "
			    "0x%llx to 0x%llx", (unsigned long long)va,
			    c->stack.name, (unsigned long long)c->stack.base,
			    (unsigned long long)c->stack.end);
			return KVM_BT_DAMAGED;
		}
		c->visited |= 1u << st.id;
		c->stack = st;
	}
	if (kvmi_read(kd, va, buf, len) == -1) {
		kvmi_prepend(kd, "%s stack", c->stack.name);
		return KVM_BT_UNREADABLE;
	}
	return 0;
}

/* Takes over registers from number `from' on, which were saved at va. */
static int
unwind_regs(kvm_t *kd, struct kvmi_cursor *c, kvaddr_t va, unsigned int from)
{
	uint64_t reg[KVMI_PTREGS];
	int rv = unwind_read(kd, c, va, &reg[from], 8 * (KVMI_PTREGS - from));

	if (rv != 0)
		return rv;
	memcpy(&c->reg[from], &reg[from], 8 * (KVMI_PTREGS - from));
	c->saved_from = from;
	if (from == 0)
		c->known = true;
	kvmi_cursor_regs(c);
	return 0;
}

void
kvmi_cursor_regs(struct kvmi_cursor *c)
{
	c->pc = c->reg[R_IP];
	c->sp = c->reg[R_SP];
	c->exact = true;
	c->user = (c->reg[R_CS] & UNWIND_CS_RPL) != 0;
}

/* A return address that a probe has replaced by its own. */
static int
unwind_return(kvm_t *kd, struct kvmi_cursor *c, kvaddr_t at)
{
	int rv = unwind_read(kd, c, at, &c->pc, UNWIND_WORD);

	if (rv != 0)
		return rv;
	c->pc = kvmi_return_address(kd, c->task, c->pc, at);
	c->saved_from = KVMI_PTREGS;
	c->exact = c->known = false;
	return 0;
}

/* The caller's stack pointer, or where its registers are. */
static int
unwind_cfa(kvm_t *kd, struct kvmi_cursor *c, const struct kvmi_orc *o,
    kvaddr_t *cfa)
{
	static const uint8_t saved[] = {
		[KVMI_ORC_R10] = R_R10, [KVMI_ORC_R13] = R_R13,
		[KVMI_ORC_DI] = R_DI, [KVMI_ORC_DX] = R_DX,
		[KVMI_ORC_AX] = R_AX,
	};
	const uint64_t off = (uint64_t)(int64_t)o->sp_offset;
	int rv = 0;

	switch (o->sp_reg) {
	case KVMI_ORC_SP:
		*cfa = c->sp + off;
		return 0;
	case KVMI_ORC_BP:
		*cfa = c->fp + off;
		return 0;
	case KVMI_ORC_BP_INDIRECT:
		return unwind_read(kd, c, c->fp + off, cfa, UNWIND_WORD);
	case KVMI_ORC_SP_INDIRECT:
		/* The offset is the word's, not sp's (87ccc826bf1c, 5.12). */
		rv = unwind_read(kd, c, c->sp, cfa, UNWIND_WORD);
		*cfa += off;
		return rv;
	case KVMI_ORC_R10:
	case KVMI_ORC_R13:
	case KVMI_ORC_DI:
	case KVMI_ORC_DX:
	case KVMI_ORC_AX:
		if (c->known) {
			*cfa = c->reg[saved[o->sp_reg]];
			return 0;
		}
		kvmi_err(kd, EBADMSG, "the caller of 0x%llx is told by a "
		    "register that is not known", (unsigned long long)c->pc);
		return KVM_BT_LOST;
	default:
		kvmi_err(kd, EBADMSG, "the caller of 0x%llx is told by no "
		    "known register", (unsigned long long)c->pc);
		return KVM_BT_LOST;
	}
}

static int
unwind_fp(kvm_t *kd, struct kvmi_cursor *c, const struct kvmi_orc *o,
    kvaddr_t cfa)
{
	const uint64_t off = (uint64_t)(int64_t)o->bp_offset;

	switch (o->bp_reg) {
	case KVMI_ORC_UNDEFINED:
		if (o->type != KVMI_ORC_CALL && c->known)
			c->fp = c->reg[R_BP];
		return 0;
	case KVMI_ORC_PREV_SP:
		return unwind_read(kd, c, cfa + off, &c->fp, UNWIND_WORD);
	case KVMI_ORC_BP:
		return unwind_read(kd, c, c->fp + off, &c->fp, UNWIND_WORD);
	default:
		kvmi_err(kd, EBADMSG, "the frame pointer of 0x%llx is told by "
		    "no known register", (unsigned long long)c->pc);
		return KVM_BT_LOST;
	}
}

static int
unwind_apply(kvm_t *kd, struct kvmi_cursor *c, const struct kvmi_orc *o)
{
	kvaddr_t cfa;
	int rv = unwind_cfa(kd, c, o, &cfa);

	if (rv != 0)
		return rv;
	switch (o->type) {
	case KVMI_ORC_CALL:
		rv = unwind_return(kd, c, cfa - UNWIND_WORD);
		c->sp = cfa;
		break;
	case KVMI_ORC_REGS:
		rv = unwind_regs(kd, c, cfa, 0);
		break;
	default:
		rv = unwind_regs(kd, c, cfa, R_IP);
		break;
	}
	c->exact = o->signal;
	return rv != 0 || c->user ? rv : unwind_fp(kd, c, o, cfa);
}

/* Does a call end at va? */
static bool
unwind_called_from(kvm_t *kd, kvaddr_t va)
{
	uint8_t b[7];

	if (kvmi_read(kd, va - sizeof(b), b, sizeof(b)) == -1)
		return false;
	return b[2] == 0xe8 ||			/* call rel32 */
	    (b[5] == 0xff && (b[6] & 0xf8) == 0xd0) || /* call *%reg */
	    (b[5] == 0xff && (b[6] & 0xf8) == 0x10) || /* call *(%reg) */
	    (b[4] == 0xff && (b[5] & 0xf8) == 0x50) || /* call *N(%reg) */
	    (b[1] == 0xff && (b[2] & 0x78) == 0x10);   /* with 32 bits */
}

bool
kvmi_unwind_plausible(kvm_t *kd, kvaddr_t pc)
{
	return kvmi_is_code(kd, pc) && unwind_called_from(kd, pc);
}

/* What to do where no table knows the address: a guess. */
static const struct kvmi_orc *
unwind_guess(kvm_t *kd, struct kvmi_cursor *c)
{
	struct kvmi_cursor at = *c;
	kvaddr_t back;

	if (c->pc == 0)
		return &unwind_called;
	c->guess = true;
	if (c->exact && unwind_read(kd, &at, c->sp, &back, UNWIND_WORD) == 0 &&
	    kvmi_unwind_plausible(kd, back))
		return &unwind_called;
	return &unwind_framed;
}

/* Is there, before va, a call of the function that begins there? */
static bool
unwind_calls(kvm_t *kd, kvaddr_t va, kvaddr_t function)
{
	uint8_t b[5];
	int32_t rel;

	if (kvmi_read(kd, va - sizeof(b), b, sizeof(b)) == -1 || b[0] != 0xe8)
		return false;
	memcpy(&rel, b + 1, sizeof(rel));
	return va + (uint64_t)(int64_t)rel == function;
}

/* Do the tables lead from there to where it begins? */
static bool
unwind_ends(kvm_t *kd, struct kvmi_cursor at)
{
	unsigned int n;
	int rv = 0;

	at.trial = true;
	for (n = 0; rv == 0 && n < UNWIND_TRIAL; n++)
		rv = kvmi_x86_64_unwind(kd, &at);
	return (rv == KVM_BT_USER || rv == KVM_BT_ENTRY) && !at.guess;
}

/*
 * The tables leave out some functions: __crash_kexec() for one, where each of
 * kdump's cores begins.  Who called such a one is told by an address on the
 * stack behind a call of it, if the tables lead on from there to the end.
 */
static int
unwind_caller(kvm_t *kd, struct kvmi_cursor *c)
{
	struct kvmi_cursor at;
	struct kvmi_symbol sym;
	kvaddr_t va = (c->sp + UNWIND_WORD - 1) & ~(kvaddr_t)(UNWIND_WORD - 1);
	const kvaddr_t end = va + UNWIND_FRAME;

	if (!c->trial && !c->guess && kvmi_symbol_find(kd,
	    c->exact ? c->pc : c->pc - 1, &sym) == 0)
		for (; va >= c->stack.base && va < c->stack.end && va < end;
		    va += UNWIND_WORD) {
			at = *c;
			if (unwind_return(kd, &at, va) != 0)
				break;
			at.sp = va + UNWIND_WORD;
			if (!unwind_calls(kd, at.pc, sym.addr) ||
			    !unwind_ends(kd, at))
				continue;
			*c = at;
			return 0;
		}
	kvmi_err(kd, ENOENT, "the kernel's tables say nothing of 0x%llx",
	    (unsigned long long)c->pc);
	return KVM_BT_LOST;
}

static int
unwind_orc(kvm_t *kd, struct kvmi_cursor *c)
{
	const struct kvmi_orc *o;
	struct kvmi_orc found;

	switch (kvmi_orc_find(kd, c->exact ? c->pc : c->pc - 1, &found)) {
	case -1:
		return KVM_BT_LOST;
	case 0:
		o = unwind_guess(kd, c);
		break;
	default:
		o = &found;
		break;
	}
	/* Behind a call that does not return there may be nothing. */
	if (o->type == KVMI_ORC_NONE && c->exact &&
	    unwind_called_from(kd, c->pc) &&
	    kvmi_orc_find(kd, c->pc - 1, &found) == 1)
		o = &found;
	if (o->type == KVMI_ORC_END)
		return KVM_BT_ENTRY;
	return o->type != KVMI_ORC_NONE ? unwind_apply(kd, c, o) :
	    unwind_caller(kd, c);
}

/* An odd frame pointer is that of saved registers, plus one. */
static int
unwind_frame(kvm_t *kd, struct kvmi_cursor *c)
{
	const kvaddr_t fp = c->fp;
	int rv;

	if (fp == 0)
		return KVM_BT_ENTRY;
	if ((fp & 1) != 0) {
		rv = unwind_regs(kd, c, fp & ~1ull, 0);
		c->fp = c->reg[R_BP];
		/* Those of a thread of the kernel are empty. */
		return rv == 0 && c->pc == 0 ? KVM_BT_ENTRY : rv;
	}
	rv = unwind_return(kd, c, fp + UNWIND_WORD);
	if (rv == 0)
		rv = unwind_read(kd, c, fp, &c->fp, UNWIND_WORD);
	c->sp = fp + 2 * UNWIND_WORD;
	return rv;
}

int
kvmi_x86_64_unwind(kvm_t *kd, struct kvmi_cursor *c)
{
	const struct kvmi_cursor from = *c;
	int rv;

	if (c->user)
		return KVM_BT_USER;
	rv = kvmi_orc_have(kd);
	if (rv == -1)
		return -1;
	rv = rv == 1 ? unwind_orc(kd, c) : unwind_frame(kd, c);
	if (rv != 0 || c->user)
		return rv;
	if (c->saved_from == KVMI_PTREGS && !kvmi_is_code(kd, c->pc) &&
	    !unwind_called_from(kd, c->pc)) {
		kvmi_err(kd, EBADMSG, "return address 0x%llx, below 0x%llx, is "
		    "not code's", (unsigned long long)c->pc,
		    (unsigned long long)c->sp);
	} else if (c->stack.id == from.stack.id && c->sp >= c->stack.base &&
	    c->sp < c->stack.end && c->sp <= from.sp) {
		kvmi_err(kd, EBADMSG, "%s stack: 0x%llx is followed by 0x%llx",
		    c->stack.name, (unsigned long long)from.sp,
		    (unsigned long long)c->sp);
	} else {
		return 0;
	}
	*c = from;
	return KVM_BT_DAMAGED;
}
