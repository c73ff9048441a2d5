/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dump_md.h: what the dump core asks of the kernel it is compiled into.
 *
 * sys/os and sys/arch answer on Linux; unit tests answer with fakes.  All of it
 * is called after the panic, on one CPU with interrupts off: nothing here may
 * allocate, take a lock, sleep or wait without a limit.
 */
#ifndef _KERN_DUMP_MD_H_
#define _KERN_DUMP_MD_H_

#include <sys/kcore.h>
#include <sys/ktypes.h>

/* What is known of a page of RAM; two bits in the page map. */
enum dump_state {
	DUMP_KEEP = 0,		/* goes into the dump */
	DUMP_ZERO = 1,		/* all zero: listed, not written */
	DUMP_FILTERED = 2,	/* left out by the dump level */
	DUMP_LOST = 3,		/* can't be read, or no room in the window */
};

/* Microseconds of a clock that goes on after panic. */
uint64_t md_now_us(void);

/* One line on the console, as it is: the caller ends it with a newline. */
__printf(1, 2) void md_printf(const char *fmt, ...);

/* Kinds of pages, each a part of what a KCORE_COUNT_* counts. */
enum md_kind {
	MD_KIND_HUGETLB = KCORE_NCOUNTS,
	MD_KIND_THP,
	MD_KIND_SWAP_ANON,	/* in the swap cache */
	MD_KIND_SWAP_SHMEM,
	MD_KIND_SECRET,		/* memfd_secret(2) */
	MD_KIND_KFENCE,		/* guard pages */
	MD_KIND_POISONED,
	MD_KIND_RETURNED,	/* by a balloon, or by virtio-mem */
	MD_KIND_UNACCEPTED,
	MD_KIND_OFFLINE,
	MD_KIND_ASIDE,		/* for a crash kernel */
	MD_KIND_END,
};
#define MD_NKINDS	(MD_KIND_END - KCORE_NCOUNTS)

/*
 * Says what to do with the pages from pa on, by what they are used for: *state
 * holds for the returned number of pages (1 .. npages).  It is never DUMP_ZERO.
 * *count is the KCORE_COUNT_* or MD_KIND_* they belong to where *state is not
 * DUMP_KEEP.
 */
uint64_t md_classify(kpaddr_t pa, uint64_t npages, uint32_t level,
    enum dump_state *state, unsigned int *count);

/*
 * Looks at the contents of pages that md_classify() kept: how many of the npages
 * from pa on are not all zero or can't be read, and in *nzero how many that are
 * all zero come next.  Together 1 .. npages.
 */
uint64_t md_zeros(kpaddr_t pa, uint64_t npages, uint64_t *nzero);

/* The strongest dump level there is: what a window that is too small gets. */
uint32_t md_level_max(void);

/*
 * What a page is worth where the window is too small for all: 0 is kept
 * longest (kernel image, early allocations), then page tables, slab, other
 * kernel memory, user memory and cache, free pages.
 */
#define MD_NVALUES	6u
unsigned int md_page_value(kpaddr_t pa);

/*
 * Calls fn for the pages without which nothing else can be found: the kernel's
 * page tables, whose root is at physical address root, and its modules.  npages:
 * of RAM.  A page may come twice, or be none of RAM.
 */
void md_vital_pages(kpaddr_t root, uint64_t npages,
    void (*fn)(void *cookie, kpaddr_t pa), void *cookie);

/* The end of the kernel log as text, at most len bytes: bytes written. */
size_t md_log_tail(char *buf, size_t len);

/* ELF notes (registers, VMCOREINFO), at most len bytes, a multiple of 8. */
size_t md_notes(void *buf, size_t len);

/* Called at least every second: feeds watchdogs. */
void md_watchdog(void);

/* XXH64 with seed 0; opaque holds the machine's own state. */
struct md_xxh64 {
	uint64_t opaque[12];
};
void md_xxh64_init(struct md_xxh64 *);
void md_xxh64_update(struct md_xxh64 *, const void *buf, size_t len);
uint64_t md_xxh64_digest(const struct md_xxh64 *);
uint64_t md_xxh64(const void *buf, size_t len);

/*
 * Copies a page that md_classify() kept, and takes the copy into a sum, which
 * has been given nothing but whole pages before.  more: so was the page behind it,
 * which is read next.  0, or -EIO: dst holds what could be read and zeros.
 */
__must_check int md_page_read(void *dst, kpaddr_t pa, bool more,
    struct md_xxh64 *);

#endif /* _KERN_DUMP_MD_H_ */
