/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kcompat.h: every difference between kernel versions, and nothing else.  Each
 * HAVE_x names the upstream commit's title and its first release.  Kernels
 * from 5.10 to 7.2 are meant; 6.5 to 6.8 had interfaces of their own for a short
 * time.
 */
#ifndef _OS_KCOMPAT_H_
#define _OS_KCOMPAT_H_

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0) && \
    LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#error "Linux 6.5 to 6.8 open block devices in ways that are not supported"
#endif

/* "x86/extable: Rework the exception table mechanics", v5.16: an entry names
 * the type of its fixup, and one of them is for machine checks, too.  Before,
 * the handler for those puts the trap's number into %rax. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#define HAVE_EXTABLE_TYPE
#endif

#ifdef __ASSEMBLER__

/* "objtool: Add asm version of STACK_FRAME_NON_STANDARD", v5.12.  Where objtool
 * looks at whole modules, naming the file in Kbuild is not enough. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
#define HAVE_ASM_NON_STANDARD
#endif

/* "x86/ibt: Base IBT bits", v5.18: where an indirect branch may go. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#define HAVE_ENDBR
#endif

#ifdef HAVE_ENDBR
#include <asm/ibt.h>
#define KCOMPAT_ENDBR	ENDBR
#else
#define KCOMPAT_ENDBR
#endif

#ifdef HAVE_ASM_NON_STANDARD
#include <linux/objtool.h>
#define KCOMPAT_NON_STANDARD(func)	STACK_FRAME_NON_STANDARD func
#else
#define KCOMPAT_NON_STANDARD(func)
#endif

#ifdef HAVE_EXTABLE_TYPE
#define KCOMPAT_EXTABLE_MC(from, to) \
	_ASM_EXTABLE_TYPE(from, to, EX_TYPE_DEFAULT_MCE_SAFE)
#else
#define KCOMPAT_EXTABLE_MC(from, to)	_ASM_EXTABLE_FAULT(from, to)
#endif

#else /* !__ASSEMBLER__ */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/crash_core.h>
#include <linux/elfcore.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kmsg_dump.h>
#include <linux/page-flags.h>
#include <linux/sysfs.h>

/* "irq_work: Cleanup", v5.11: before, what is queued runs in hard interrupt
 * context anyway.  For regress/crashme. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#define HAVE_IRQ_WORK_INIT_HARD
#endif

#ifndef HAVE_IRQ_WORK_INIT_HARD
#define IRQ_WORK_INIT_HARD(fn)	{ .func = (fn) }
#endif

/* "hrtimers: Introduce hrtimer_setup() to replace hrtimer_init()", v6.13.  For
 * regress/crashme. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define HAVE_HRTIMER_SETUP
#endif

static inline void
kcompat_hrtimer_init(struct hrtimer *timer,
    enum hrtimer_restart (*fn)(struct hrtimer *))
{
#ifdef HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer->function = fn;
#endif
}

/* "elf_prstatus: collect the common part (everything before pr_reg) into a
 * struct", v5.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
#define HAVE_PRSTATUS_COMMON
#endif

#ifdef HAVE_PRSTATUS_COMMON
#define kcompat_pr_pid(status)	((status)->common.pr_pid)
#else
#define kcompat_pr_pid(status)	((status)->pr_pid)
#endif

/* "printk: remove logbuf_lock", v5.13: before, who reads the log waits for who
 * writes to it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
#define KCOMPAT_LOG_LOCKED	false
#else
#define KCOMPAT_LOG_LOCKED	true
#endif

/* "printk: introduce a kmsg_dump iterator", v5.13: before, the place in the log
 * is in a struct kmsg_dumper, which must look like a registered one. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
#define HAVE_KMSG_DUMP_ITER
#endif

#ifdef HAVE_KMSG_DUMP_ITER
#define KCOMPAT_KMSG_ITER(name)	struct kmsg_dump_iter name
#else
#define KCOMPAT_KMSG_ITER(name)	struct kmsg_dumper name = { .active = true }
#endif

/* "x86/fault: Split the OOPS code out from no_context()", v5.13: before, a
 * function decides on and makes the oops of a page fault. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
#define HAVE_PAGE_FAULT_OOPS
#endif

/* "kernel.h: split out panic and oops helpers", v5.14: the list of panic
 * notifiers has a header of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#define HAVE_PANIC_NOTIFIER_H
#endif

#ifdef HAVE_PANIC_NOTIFIER_H
#include <linux/panic_notifier.h>
#endif

/* "block: move integrity handling out of <linux/blkdev.h>", v5.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#define HAVE_BLK_INTEGRITY_H
#endif

#ifdef HAVE_BLK_INTEGRITY_H
#include <linux/blk-integrity.h>
#endif

/* "block: pass a block_device and opf to bio_init", v5.18. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#define HAVE_BIO_INIT_BDEV
#endif

static inline void
kcompat_bio_init(struct bio *bio, struct block_device *bdev,
    struct bio_vec *vec, unsigned int opf)
{
#ifdef HAVE_BIO_INIT_BDEV
	bio_init(bio, bdev, vec, 1, opf);
#else
	bio_init(bio, vec, 1);
	bio_set_dev(bio, bdev);
	bio->bi_opf = opf;
#endif
}

/* "module: replace module_layout with module_memory", v6.4: a module's writable
 * data is a piece of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define HAVE_MODULE_MEMORY
#endif

/* "block: replace fmode_t with a block-specific type for block open flags",
 * v6.5. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define HAVE_BLK_MODE
#endif

#ifdef HAVE_BLK_MODE
#define KCOMPAT_OPEN_READ	BLK_OPEN_READ
#else
#define KCOMPAT_OPEN_READ	FMODE_READ
#endif

/* "bdev: open block device as files", v6.9.  An open device is a kcompat_bdev;
 * with a holder it is open for writing, too, and nobody else's. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define HAVE_BDEV_FILE
#endif

#ifdef HAVE_BDEV_FILE
typedef struct file kcompat_bdev;

static inline kcompat_bdev *
kcompat_bdev_open(dev_t dev, void *holder)
{
	return bdev_file_open_by_dev(dev, holder ? BLK_OPEN_READ |
	    BLK_OPEN_WRITE : BLK_OPEN_READ, holder, NULL);
}

static inline struct block_device *
kcompat_bdev_of(kcompat_bdev *open)
{
	return file_bdev(open);
}

static inline void
kcompat_bdev_close(kcompat_bdev *open, bool held)
{
	bdev_fput(open);
}
#else
typedef struct block_device kcompat_bdev;

static inline kcompat_bdev *
kcompat_bdev_open(dev_t dev, void *holder)
{
	return blkdev_get_by_dev(dev, holder ? FMODE_READ | FMODE_WRITE |
	    FMODE_EXCL : FMODE_READ, holder);
}

static inline struct block_device *
kcompat_bdev_of(kcompat_bdev *open)
{
	return open;
}

static inline void
kcompat_bdev_close(kcompat_bdev *open, bool held)
{
	blkdev_put(open, held ? FMODE_READ | FMODE_WRITE | FMODE_EXCL :
	    FMODE_READ);
}
#endif

/* "fs: add ctime accessors infrastructure", v6.6. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define HAVE_INODE_GET_CTIME
#endif

static inline struct timespec64
kcompat_ctime(const struct inode *inode)
{
#ifdef HAVE_INODE_GET_CTIME
	return inode_get_ctime(inode);
#else
	return inode->i_ctime;
#endif
}

/* "crash: split vmcoreinfo exporting code out from crash_core.c", v6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define HAVE_VMCORE_INFO_H
#endif

#ifdef HAVE_VMCORE_INFO_H
#include <linux/vmcore_info.h>
#endif

/* "sysfs: finalize the constification of 'struct bin_attribute'", v6.16: what
 * reads one is given it to read only. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define HAVE_BIN_ATTR_CONST
#endif

#ifdef HAVE_BIN_ATTR_CONST
typedef const struct bin_attribute kcompat_bin_attr;
#else
typedef struct bin_attribute kcompat_bin_attr;
#endif

/* "kernel.h: drop hex.h and update all hex.h users", v7.0. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define HAVE_HEX_H
#endif

#ifdef HAVE_HEX_H
#include <linux/hex.h>
#endif

/* "mm: add Kernel Electric-Fence infrastructure", v5.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
#define HAVE_KFENCE
#endif

#ifdef HAVE_KFENCE
#include <linux/kfence.h>
#endif

static inline bool
kcompat_kfence(const void *addr)
{
#ifdef HAVE_KFENCE
	return is_kfence_address(addr);
#else
	return false;
#endif
}

/* "mm: remove PageSwapCache", v6.12: only folios, which begin with their first
 * page, are asked. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define HAVE_FOLIO_SWAPCACHE
#endif

/* head: not the tail of a compound page. */
static inline bool
kcompat_page_swapcache(struct page *head)
{
#ifdef HAVE_FOLIO_SWAPCACHE
	return folio_test_swapcache((struct folio *)head);
#else
	return PageSwapCache(head);
#endif
}

/* "mm: free up PG_slab", v6.10: slab is a page type. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define HAVE_PG_SLAB
#endif

#ifdef HAVE_PG_SLAB
#define KCOMPAT_PG_SLAB	(1ul << PG_slab)
#else
#define KCOMPAT_PG_SLAB	0ul
#endif

/* "mm: introduce memdesc_flags_t", v6.18. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define HAVE_MEMDESC_FLAGS
#endif

static inline unsigned long
kcompat_page_flags(const struct page *page)
{
#ifdef HAVE_MEMDESC_FLAGS
	return page->flags.f;
#else
	return page->flags;
#endif
}

/* "mm: rename the 'compound_head' field in the 'struct page' to
 * 'compound_info'", v7.1: bit 0 says of both that the page is a tail. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define HAVE_COMPOUND_INFO
#endif

static inline unsigned long
kcompat_compound_word(const struct page *page)
{
#ifdef HAVE_COMPOUND_INFO
	return page->compound_info;
#else
	return page->compound_head;
#endif
}

/* "mm: add support for unaccepted memory", v6.5, and a page type for it, "mm:
 * introduce PageUnaccepted() page type", v6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define HAVE_PAGE_UNACCEPTED
#endif

static inline bool
kcompat_page_unaccepted(struct page *page)
{
#ifdef HAVE_PAGE_UNACCEPTED
	return PageUnaccepted(page);
#else
	return false;
#endif
}

#endif /* !__ASSEMBLER__ */

#endif /* _OS_KCOMPAT_H_ */
