/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * md.h: what sys/os needs of the machine.  Each sys/arch/<machine> has one.
 */
#ifndef _ARCH_X86_64_MD_H_
#define _ARCH_X86_64_MD_H_

#include <linux/elfcore.h>
#include <linux/ptrace.h>

#include <sys/kcore.h>
#include <sys/ktypes.h>

#define MD_MACHINE	KCORE_MID_X86_64

/*
 * Sets the members of the header that only the machine knows: page-table root,
 * slide, bases, paging levels.  note is the text of VMCOREINFO, NUL ended.
 * -ENOENT: the text lacks something.
 */
int md_header(cpu_kcore_hdr_t *hdr, const char *note);

/* True where all of the page at kernel address p is zero and readable. */
bool md_page_zero(const void *p);
/* How many of the n pages from p on come before one that begins with a zero
 * word; one that can't be read does not. */
u64 md_pages_begun(const void *p, u64 n);

/* A PCI function's config space in segment 0, without a lock: only while no
 * other CPU runs.  off is below 256, and where four bytes are meant a multiple
 * of 4. */
u8 md_pci_read1(unsigned int bus, unsigned int devfn, unsigned int off);
u32 md_pci_read4(unsigned int bus, unsigned int devfn, unsigned int off);
void md_pci_write4(unsigned int bus, unsigned int devfn, unsigned int off,
    u32 v);

/*
 * Is the direct map's page at pa there?  *npages is how many pages from pa on
 * share the answer: one page-table entry's worth, or more where they are there.
 */
bool md_direct_mapped(kpaddr_t pa, u64 *npages);

/*
 * Copies with machine checks and page faults caught, and takes what it copied
 * into the four accumulators of an XXH64: bytes not copied.  If there are any,
 * the accumulators are as they were.  len is a multiple of 64, and not 0.
 */
size_t md_copy_sum(void *dst, const void *src, size_t len, u64 acc[4]);
/* Brings the beginning of the page at p into the cache, if it can be read. */
void md_page_ahead(const void *p);

/*
 * Calls fn(arg), on another stack whose highest address is top, or on this one
 * where top is NULL.  What it returned, or -EFAULT where md_abort() ended it.
 * Such calls nest; all of them are one CPU's.
 */
int md_guarded(int (*fn)(void *), void *arg, void *top);
/* Makes the interrupted code return from the innermost md_guarded() with
 * -EFAULT. */
void md_abort(struct pt_regs *regs);
/* Makes a function that a probe has stopped at its entry return at once. */
void md_return(struct pt_regs *regs);
/* What md_guarded() calls: fn(arg); sys/os/hook.c. */
int hook_call(int (*fn)(void *), void *arg);

/* Registers as NT_PRSTATUS has them; what pt_regs lacks stays as it is. */
void md_regs(elf_gregset_t *to, const struct pt_regs *regs);

/* Arming: a clock that does not depend on ticks.  -EOPNOTSUPP: none. */
int md_clock_init(void);

#endif /* _ARCH_X86_64_MD_H_ */
