// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * md.c: x86_64: page-table root, direct map, PCI config space by port, the time
 * stamp counter, and reads that survive a bad page.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/tsc.h>

#include <md.h>
#include <kern/dump_md.h>
#include <os/os.h>

#define PCI_CONF1_ADDR	0xcf8
#define PCI_CONF1_DATA	0xcfc

void md_guarded_abort(void);
void md_just_return(void);

int
md_header(cpu_kcore_hdr_t *hdr, const char *note)
{
	u64 root, slide, l5 = 0;

	if (!vmcoreinfo_hex(note, "SYMBOL(init_top_pgt)=", &root) &&
	    !vmcoreinfo_hex(note, "SYMBOL(swapper_pg_dir)=", &root))
		return -ENOENT;
	if (!vmcoreinfo_hex(note, "KERNELOFFSET=", &slide))
		return -ENOENT;
	(void)vmcoreinfo_dec(note, "NUMBER(pgtable_l5_enabled)=", &l5);
	hdr->machine = MD_MACHINE;
	hdr->ptdpaddr = root - __START_KERNEL_map + phys_base;
	hdr->kaslr_slide = slide;
	hdr->phys_base = phys_base;
	hdr->page_offset = PAGE_OFFSET;
	hdr->paging_levels = l5 ? 5 : 4;
	hdr->page_size = PAGE_SIZE;
	hdr->enc_mask = 0;
	(void)vmcoreinfo_dec(note, "NUMBER(sme_mask)=", &hdr->enc_mask);
	return 0;
}

static u32
conf1_addr(unsigned int bus, unsigned int devfn, unsigned int off)
{
	return 0x80000000u | bus << 16 | devfn << 8 | (off & 0xfc);
}

u8
md_pci_read1(unsigned int bus, unsigned int devfn, unsigned int off)
{
	outl(conf1_addr(bus, devfn, off), PCI_CONF1_ADDR);
	return inb(PCI_CONF1_DATA + (off & 3));
}

u32
md_pci_read4(unsigned int bus, unsigned int devfn, unsigned int off)
{
	outl(conf1_addr(bus, devfn, off), PCI_CONF1_ADDR);
	return inl(PCI_CONF1_DATA);
}

void
md_pci_write4(unsigned int bus, unsigned int devfn, unsigned int off, u32 v)
{
	outl(conf1_addr(bus, devfn, off), PCI_CONF1_ADDR);
	outl(v, PCI_CONF1_DATA);
}

/* How many pages from this one on are there, up to the end of its table. */
static u64
ptes_present(const pte_t *pte)
{
	u64 n = 1;

	while (((unsigned long)(pte + n) & ~PAGE_MASK) != 0 &&
	    (pte_flags(pte[n]) & _PAGE_PRESENT))
		n++;
	return n;
}

bool
md_direct_mapped(kpaddr_t pa, u64 *npages)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)__va(pa), &level);
	u64 span = PAGE_SIZE;

	/* Where a table lacks an entry, level is of no use: it names that
	 * table or the one above, as the kernel's release has it. */
	*npages = 1;
	if (!pte)
		return false;
	switch (level) {
	case PG_LEVEL_4K:
		if (!(pte_flags(*pte) & _PAGE_PRESENT))
			return false;
		*npages = ptes_present(pte);
		return true;
	case PG_LEVEL_2M:
		span = PMD_SIZE;
		break;
	case PG_LEVEL_1G:
		span = PUD_SIZE;
		break;
	default:
		break;
	}
	*npages = (span - (pa & (span - 1))) >> PAGE_SHIFT;
	return pte_flags(*pte) & _PAGE_PRESENT;
}

void
md_abort(struct pt_regs *regs)
{
	regs->ip = (unsigned long)md_guarded_abort;
	regs->flags &= ~(X86_EFLAGS_IF | X86_EFLAGS_DF);
}

void
md_return(struct pt_regs *regs)
{
	/* Not all ways out of a probe take a new stack pointer. */
	regs->ip = (unsigned long)md_just_return;
}

void
md_regs(elf_gregset_t *to, const struct pt_regs *regs)
{
	/* user_regs_struct begins with pt_regs, member by member. */
	BUILD_BUG_ON(offsetof(struct user_regs_struct, ss) !=
	    offsetof(struct pt_regs, ss));
	memcpy(to, regs, sizeof(*regs));
}

int
md_clock_init(void)
{
	return boot_cpu_has(X86_FEATURE_TSC) && tsc_khz ? 0 : -EOPNOTSUPP;
}

u64
md_now_us(void)
{
	/* ticks * 1000 / kHz without overflow for centuries of uptime. */
	return mul_u64_u64_div_u64(rdtsc_ordered(), 1000, tsc_khz);
}
