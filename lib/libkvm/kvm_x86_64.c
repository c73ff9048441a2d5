/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_x86_64.c: page tables of x86_64, as in the Intel SDM volume 3, 4.5
 * (4-level and 5-level paging).  Entries come through a callback.
 */
#include <elf.h>

#include "kvm_private.h"

#define X86_PTE_P	0x1ull		/* present */
#define X86_PTE_PS	0x80ull		/* a page, not a table */
#define X86_PTE_PAT	0x1000ull	/* in the entry of a large page */
#define X86_PTE_ADDR	0x000ffffffffff000ull	/* bits 51 to 12 */

#define X86_LEVEL_PDPT	3u		/* the highest that maps pages */

static enum kvmi_walk_end
x86_64_walk(const struct kvmi_walk *w, kvaddr_t va, struct kvmi_xlat *x)
{
	const unsigned int vabits = 12 + 9 * w->levels;
	const uint64_t high = va >> (vabits - 1);
	kpaddr_t table = w->root & X86_PTE_ADDR & ~w->enc_mask;
	unsigned int shift;
	uint64_t entry, mask;

	x->level = w->levels;
	x->entry = 0;
	if (high != 0 && high != UINT64_MAX >> (vabits - 1))
		return KVMI_WALK_NONCANONICAL;
	for (;; x->level--) {
		shift = 12 + 9 * (x->level - 1);
		if (w->fetch(w->cookie, table + (va >> shift & 511) * 8,
		    &entry) == -1)
			return KVMI_WALK_NOENTRY;
		x->entry = entry;
		if ((entry & X86_PTE_P) == 0)
			return KVMI_WALK_NOTPRESENT;
		entry &= ~w->enc_mask & (X86_PTE_ADDR | X86_PTE_PS);
		if (x->level == 1)
			break;
		if ((entry & X86_PTE_PS) != 0) {
			entry &= ~X86_PTE_PAT;
			break;
		}
		table = entry;
	}
	if (x->level > X86_LEVEL_PDPT)
		return KVMI_WALK_RESERVED;
	mask = (1ull << shift) - 1;
	entry &= X86_PTE_ADDR;
	if ((entry & mask) != 0)
		return KVMI_WALK_RESERVED;
	x->pa = entry | (va & mask);
	x->size = mask + 1;
	return KVMI_WALK_OK;
}

/* struct user_regs_struct of <sys/user.h>, in struct elf_prstatus. */
static const char *const x86_64_regs[] = {
	"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8",
	"rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs", "eflags",
	"rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
};

static const struct kvmi_regset x86_64_regset = {
	.note_size = 336,
	.tid_off = 32,		/* pr_pid */
	.regs_off = 112,	/* pr_reg */
	.n = sizeof(x86_64_regs) / sizeof(x86_64_regs[0]),
	.pc = 16,
	.sp = 19,
	.fp = 4,
	.names = x86_64_regs,
};

const struct kvmi_machine kvmi_x86_64 = {
	.mid = KCORE_MID_X86_64,
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.levels_min = 4,
	.levels_max = 5,
	.text_min = 0xffffffff80000000ull,	/* __START_KERNEL_map */
	.info_root = "SYMBOL(swapper_pg_dir)",
	.info_levels = "NUMBER(pgtable_l5_enabled)",
	.info_enc = "NUMBER(sme_mask)",
	.regset = &x86_64_regset,
	.walk = x86_64_walk,
	.unwind = kvmi_x86_64_unwind,
};
