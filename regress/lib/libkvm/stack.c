/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.c: a small kernel with code, ORC tables and stacks.  The numbers are
 * those of arch/x86/include/asm/orc_types.h of each release.
 */
#include <stddef.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <sys/kcore.h>

#include "btf.h"
#include "stack.h"

#define REG(r)	(offsetof(struct elf_prstatus, pr_reg) + \
		 offsetof(struct user_regs_struct, r))

/* Registers, in no kernel's order. */
enum { UND, PREV, SP, BP, SPI, BPI, AX, DX, DI, G10, G13, BAD };
enum { T_CALL, T_REGS, T_PARTIAL, T_NONE, T_END };

static const uint8_t numbers_old[] = { 0, 1, 5, 4, 9, 8, 10, 2, 3, 6, 7, 15 };
static const uint8_t numbers_new[] = { 0, 8, 3, 4, 9, 10, 1, 2, 5, 6, 7, 15 };

static const struct {
	int16_t sp_off, bp_off;
	uint8_t sp_reg, bp_reg, type;
} entries[NFNS] = {
	[FN_PANIC] = { 8, 0, SP, UND, T_CALL },
	[FN_SP] = { 24, 0, SP, UND, T_CALL },
	[FN_BP] = { 16, 0, BP, UND, T_CALL },
	[FN_SP_IND] = { 8, 0, SPI, UND, T_CALL },
	[FN_BP_IND] = { -8, 0, BPI, UND, T_CALL },
	[FN_R10] = { 0, 0, G10, UND, T_CALL },
	[FN_R13] = { 0, 0, G13, UND, T_CALL },
	[FN_DI] = { 0, 0, DI, UND, T_CALL },
	[FN_DX] = { 0, 0, DX, UND, T_CALL },
	[FN_AX] = { 0, 0, AX, UND, T_CALL },
	[FN_PREV_FP] = { 16, -16, SP, PREV, T_CALL },
	[FN_FP_FP] = { 16, -32, SP, BP, T_CALL },
	[FN_REGS] = { 0, 0, SP, UND, T_REGS },
	[FN_PARTIAL] = { 8, 0, SP, UND, T_PARTIAL },
	[FN_NONE] = { 0, 0, UND, UND, T_NONE },
	[FN_END] = { 0, 0, UND, UND, T_END },
	[FN_BADREG] = { 8, 0, BAD, UND, T_CALL },
	[FN_BADFP] = { 8, 0, SP, BAD, T_CALL },
};

static void
make_types(enum form form)
{
	btf_begin();
	btf_type("int", BTF_INT, 0, 4);		/* 1 */
	btf_word(32);
	btf_type("short", BTF_INT, 0, 2);	/* 2 */
	btf_word(1u << 24 | 16);
	btf_type("char", BTF_INT, 0, 1);	/* 3 */
	btf_word(8);
	btf_array(3, STACK_SIZE);		/* 4 */
	btf_type("thread_union", BTF_UNION, 1, STACK_SIZE);
	btf_member("stack", 4, 0, 0);
	btf_type("irq_stack", BTF_STRUCT, 1, STACK_SIZE);
	btf_member("stack", 4, 0, 0);
	btf_type("cea_exception_stacks", BTF_STRUCT, 1, 2 * STACK_SIZE);
	btf_member("NMI_stack", 4, 0, STACK_SIZE * 8);
	if (form == FORM_FRAMES)
		return;
	btf_type("orc_entry", BTF_STRUCT | BTF_BITFIELDS,
	    form == FORM_6_3 ? 7 : 6, 6);
	btf_member("sp_offset", 2, 0, 0);
	btf_member("bp_offset", 2, 0, 16);
	btf_member("sp_reg", 1, 4, 32);
	btf_member("bp_reg", 1, 4, 36);
	btf_member("type", 1, form >= FORM_6_4 ? 3 : 2, 40);
	if (form == FORM_6_3)
		btf_member("signal", 1, 1, 42);
	if (form >= FORM_6_4)
		btf_member("signal", 1, 1, 43);
	else
		btf_member("end", 1, 1, form == FORM_6_3 ? 43 : 42);
}

static void
encode(enum form form, enum fn fn, uint8_t *out)
{
	const uint8_t *numbers = form == FORM_7_1 ? numbers_new : numbers_old;
	const uint8_t type = entries[fn].type;
	const bool regs = type == T_REGS || type == T_PARTIAL;
	uint8_t bits;

	memcpy(out, &entries[fn].sp_off, 2);
	memcpy(out + 2, &entries[fn].bp_off, 2);
	out[4] = (uint8_t)(numbers[entries[fn].sp_reg] |
	    numbers[entries[fn].bp_reg] << 4);
	if (form >= FORM_6_4) {
		bits = (uint8_t[]){ 2, 3, 4, 0, 1 }[type];
		bits |= (uint8_t)(regs ? 8 : 0);
	} else {
		bits = (uint8_t[]){ 0, 1, 2, 0, 0 }[type];
		if (form == FORM_6_3)
			bits |= (uint8_t)((regs ? 4 : 0) |
			    (type == T_END ? 8 : 0));
		else
			bits |= (uint8_t)(type == T_END ? 4 : 0);
	}
	out[5] = bits;
}

/* The address table, the entries, and where to look for 256 bytes of code. */
static void
make_tables(struct stack *s, uint64_t *at)
{
	struct guest *g = &s->g;
	uint32_t lookup[(NFNS * FN_SIZE + 255) / 256 + 1];
	uint8_t raw[6];
	int32_t ip;
	size_t i;

	at[0] = guest_put(g, NULL, 0, 8);
	for (i = 0; i < NFNS; i++) {
		ip = (int32_t)(s->text + i * FN_SIZE - (at[0] + 4 * i));
		guest_put(g, &ip, 4, 4);
	}
	at[1] = guest_put(g, NULL, 0, 1);
	at[2] = guest_put(g, NULL, 0, 2);
	for (i = 0; i < NFNS; i++) {
		encode(s->form, (enum fn)i, raw);
		guest_put(g, raw, sizeof(raw), 1);
	}
	for (i = 0; i < sizeof(lookup) / 4; i++)
		lookup[i] = (uint32_t)(i * 256 / FN_SIZE < NFNS ?
		    i * 256 / FN_SIZE : NFNS - 1);
	at[3] = guest_put(g, lookup, sizeof(lookup), 4);
	at[4] = guest_put(g, NULL, 0, 1);
}

static void
put_symbols(struct stack *s, const uint64_t *at, uint64_t btf, uint64_t stop,
    uint64_t percpu, uint64_t vars)
{
	const struct ksyms_sym syms[] = {
		{ s->text, 'T', "_stext" }, { s->text, 'T', "panic" },
		{ s->text + FN_SP * FN_SIZE, 'T', "fn" },
		{ s->text + FN_NONE * FN_SIZE, 'T', "none" },
		{ s->text + FN_END * FN_SIZE, 'T', "fn_end" },
		{ s->text + NFNS * FN_SIZE, 'T', "_etext" },
		{ btf, 'D', "__start_BTF" }, { stop, 'D', "__stop_BTF" },
		{ at[0], 'R', s->form == FORM_FRAMES ? "a" :
		    "__start_orc_unwind_ip" },
		{ at[1], 'R', "__stop_orc_unwind_ip" },
		{ at[2], 'R', "__start_orc_unwind" },
		{ at[3], 'R', "orc_lookup" }, { at[4], 'R', "orc_lookup_end" },
		{ percpu, 'D', "__per_cpu_offset" },
		{ vars, 'D', "hardirq_stack_ptr" },
		{ vars + 8, 'D', "cea_exception_stacks" },
		{ s->end, 'B', "_end" },
	};

	ksyms_put(&s->g, KSYMS_BASE, true, syms,
	    sizeof(syms) / sizeof(syms[0]));
}

void
stack_make(struct stack *s, enum form form)
{
	static const uint8_t call[5] = { 0xe8 };
	struct guest *g = &s->g;
	uint64_t btf, at[5], percpu, vars;
	size_t i;

	s->form = form;
	guest_init(g);
	s->text = guest_put(g, NULL, NFNS * FN_SIZE, 256);
	for (i = 0; i < NFNS; i++)
		memcpy(guest_at(g, s->text + i * FN_SIZE), call, sizeof(call));
	make_types(form);
	btf = btf_put(g);
	s->tables = g->base + g->used;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		at[i] = s->tables;
	if (form != FORM_FRAMES)
		make_tables(s, at);
	s->tables_end = g->base + g->used;
	percpu = guest_put(g, NULL, 64 * 8, 8);
	vars = guest_put(g, NULL, 16, 8);
	s->task = s->first = guest_put(g, NULL, STACK_SIZE, STACK_SIZE);
	s->irq = guest_put(g, NULL, STACK_SIZE, STACK_SIZE);
	s->nmi = guest_put(g, NULL, STACK_SIZE, STACK_SIZE);
	s->end = g->base + g->used;
	stack_put(s, vars, s->irq + STACK_SIZE - 8);
	stack_put(s, vars + 8, s->nmi - STACK_SIZE);
	put_symbols(s, at, btf, s->tables, percpu, vars);
	guest_make(g);
}

uint64_t
stack_in(const struct stack *s, enum fn fn)
{
	return s->text + fn * FN_SIZE + 5;
}

void
stack_put(struct stack *s, uint64_t va, uint64_t word)
{
	memcpy(guest_at(&s->g, va), &word, 8);
}

void
stack_put_regs(struct stack *s, uint64_t va, const uint64_t *reg)
{
	memcpy(guest_at(&s->g, va), reg, NREGS * 8);
}

void
stack_panic(struct stack *s, struct mkdump_poke *pokes, enum fn caller)
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

	stack_put(s, s->task + 272, stack_in(s, caller));
	g->im.spec.nnotes = 1;
	guest_make(g);
	off = kvm_dump_hdr(g->im.kd)->notes_off;
	memcpy(pokes, g->pokes, sizeof(g->pokes));
	for (i = 0; i < 4; i++)
		pokes[2 + i] = (struct mkdump_poke){ MKDUMP_CPU, off + 20 +
		    regs[i].off, 8, regs[i].value };
	pokes[6] = (struct mkdump_poke){ MKDUMP_CPU,
	    offsetof(cpu_kcore_hdr_t, panic_cpu), 4, 0 };
	g->im.spec.pokes = pokes;
	g->im.spec.npokes = STACK_NPOKES;
	guest_make(g);
}

void
stack_regs(struct kvm_regs *r, const uint64_t *reg)
{
	static const char *const names[NREGS] = { "r15", "r14", "r13", "r12",
		"rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
		"rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss" };
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->kr_n = NREGS;
	for (i = 0; i < NREGS; i++)
		r->kr_reg[i] = (struct kvm_reg){ names[i], reg[i] };
	r->kr_pc = reg[RIP];
	r->kr_sp = reg[RSP];
	r->kr_fp = reg[RBP];
}
