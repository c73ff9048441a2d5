/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_x86_64.c: page tables of x86_64, as in the Intel SDM volume 3, 4.5
 * (4-level and 5-level paging).  Entries come through a callback.
 */
#include <elf.h>

#include "kvm_machine.h"
#include "kvm_unwind.h"

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

/*
 * Linux's own use of entries that are not present, in a process:
 * arch/x86/include/asm/pgtable_64.h, pgtable-invert.h.  A page that must not be
 * touched, as mprotect(2) and NUMA balancing have it, keeps its place with all
 * bits of the address inverted; so does the offset of a page in swap.
 */
#define X86_PTE_ERRATUM	0x60ull		/* may be set in an empty entry */
#define X86_PTE_NONE	0x100ull	/* _PAGE_PROTNONE */
#define X86_SWAP_TYPE	59u		/* bits 63 to 59 */
#define X86_SWAP_MAX	20u		/* the last types are no swap areas */

static enum kvmi_absent
x86_64_absent(const struct kvmi_walk *w, kvaddr_t va, struct kvmi_xlat *x,
    struct kvmi_swap *swap)
{
	const uint64_t e = x->entry;
	const uint64_t mask = (1ull << (12 + 9 * (x->level - 1))) - 1;

	if ((e & ~X86_PTE_ERRATUM) == 0 || x->level > X86_LEVEL_PDPT)
		return KVMI_ABSENT_NONE;
	if ((e & X86_PTE_NONE) != 0) {
		if (x->level != 1 && (e & X86_PTE_PS) == 0)
			return KVMI_ABSENT_OTHER;
		x->pa = (~e & X86_PTE_ADDR & ~w->enc_mask & ~mask) |
		    (va & mask);
		x->size = mask + 1;
		return KVMI_ABSENT_HIDDEN;
	}
	swap->area = (unsigned int)(e >> X86_SWAP_TYPE);
	swap->page = ~e << 5 >> 14;
	return x->level == 1 && swap->area < X86_SWAP_MAX ? KVMI_ABSENT_SWAP :
	    KVMI_ABSENT_OTHER;
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
	.absent = x86_64_absent,
};
