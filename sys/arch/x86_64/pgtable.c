// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * pgtable.c: the pages that the kernel's own page tables are in, and those that
 * its modules are in.  The tables may be what was corrupted: each entry is read
 * with faults caught, and there is a limit to how many tables are visited.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/pgtable.h>

#include <md.h>
#include <kern/dump_md.h>

#define TABLES_MIN	4096u	/* visited at most, and one more for each */
#define TABLES_SHARE	256u	/* so many pages of memory */
#define LEVELS_MAX	5u

struct pgwalk {
	u64 table[LEVELS_MAX];		/* physical; [0] maps 4 KiB pages */
	unsigned int at[LEVELS_MAX];	/* next entry */
	unsigned int top;
	u64 left;			/* tables that may be visited yet */
	void (*fn)(void *cookie, kpaddr_t pa);
	void *cookie;
};

static u64
pgwalk_entry(struct pgwalk *w, unsigned int level)
{
	u64 entry;

	if (copy_from_kernel_nofault(&entry, __va(w->table[level] +
	    w->at[level] * sizeof(entry)), sizeof(entry)) != 0)
		entry = 0;
	w->at[level]++;
	return entry;
}

static bool
pgwalk_enter(struct pgwalk *w, unsigned int level, u64 pa)
{
	if (w->left == 0)
		return false;
	if (w->left-- % 256 == 0)
		md_watchdog();
	w->table[level] = pa;
	w->at[level] = 0;
	w->fn(w->cookie, pa);
	return true;
}

/* What the entry that was read last on this level maps, if it is a module's. */
static void
pgwalk_leaf(const struct pgwalk *w, unsigned int level, u64 entry)
{
	const u64 pages = 1ull << (9 * level);
	const u64 pa = entry & PTE_PFN_MASK & ~(pages * PAGE_SIZE - 1);
	unsigned int i;
	u64 va = 0, n;

	for (i = level; i <= w->top; i++)
		va |= (u64)(w->at[i] - 1) << (PAGE_SHIFT + 9 * i);
	va |= ~0ull << (PAGE_SHIFT + 9 * (w->top + 1) - 1);
	if (level > 1 || va < MODULES_VADDR || va >= MODULES_END)
		return;
	for (n = 0; n < pages; n++)
		w->fn(w->cookie, pa + n * PAGE_SIZE);
}

void
md_vital_pages(kpaddr_t root, uint64_t npages,
    void (*fn)(void *cookie, kpaddr_t pa), void *cookie)
{
	struct pgwalk w = { .fn = fn, .cookie = cookie };
	unsigned int level;
	u64 entry;

	w.left = npages / TABLES_SHARE + TABLES_MIN;
	w.top = level = pgtable_l5_enabled() ? 4 : 3;
	(void)pgwalk_enter(&w, level, root);
	w.at[level] = PTRS_PER_PGD / 2;
	while (level <= w.top) {
		if (w.at[level] == PTRS_PER_PGD) {
			level++;
			continue;
		}
		entry = pgwalk_entry(&w, level);
		if (!(entry & _PAGE_PRESENT))
			continue;
		if (level == 0 || (entry & _PAGE_PSE))
			pgwalk_leaf(&w, level, entry);
		else if (pgwalk_enter(&w, level - 1, entry & PTE_PFN_MASK))
			level--;
	}
}
