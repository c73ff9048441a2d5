// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * pages.c: what each page of RAM is used for, and so what becomes of it.
 *
 * The classes are those of makedumpfile(8)'s dump level, told by the kernel's own
 * macros.  The memory map may be what was corrupted: no pointer found in it is
 * followed before it has been checked, and a page of which nothing certain can
 * be said goes into the dump.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/vmstat.h>

#include <md.h>
#include <os/os.h>

#define FREE_ORDERS	11u	/* sizes of free blocks, up to 4 MiB */
#define COMPOUND_ORDERS	19u	/* of compound pages, up to 1 GiB */
#define IN_ALWAYS	KCORE_COUNT_DUMPED

/* The head of the compound page that pfn is part of; pfn itself where it is
 * part of none; false where the memory map contradicts itself. */
static bool
page_head(unsigned long pfn, unsigned long *head_pfn)
{
	struct page *page = pfn_to_page(pfn), *head;
	unsigned long first = pfn & ~((1ul << (COMPOUND_ORDERS - 1)) - 1);

	*head_pfn = pfn;
	if (!PageTail(page))
		return true;
	head = compound_head(page);
	if (head < pfn_to_page(first) || head >= page)
		return false;
	*head_pfn = page_to_pfn(head);
	return pfn_to_page(*head_pfn) == head &&
	    online_section_nr(pfn_to_section_nr(*head_pfn)) &&
	    PageHead(head) && compound_order(head) < COMPOUND_ORDERS &&
	    pfn - *head_pfn < 1ul << compound_order(head);
}

/*
 * In a free block only the first page says so.  That a page has no user is no
 * proof: nor has any but the first page of a block that is not compound.  Sets
 * the number of pages from pfn to the block's end.
 */
static bool
page_is_free(unsigned long pfn, unsigned long *n)
{
	unsigned long first, len;
	unsigned int order;
	struct page *page;

	for (order = 0; order < FREE_ORDERS; order++) {
		first = pfn & ~((1ul << order) - 1);
		page = pfn_to_page(first);
		if (!PageBuddy(page) || page_private(page) >= FREE_ORDERS)
			continue;
		len = 1ul << page_private(page);
		if ((first & (len - 1)) != 0 || pfn - first >= len)
			return false;
		*n = first + len - pfn;
		return true;
	}
	return false;
}

/* What a page in use, or the compound page that it heads, is used for. */
static unsigned int
head_use(struct page *page, bool compound)
{
	if (PageSlab(page) || PageTable(page))
		return IN_ALWAYS;
	if (compound && PageHuge(page))
		return MD_KIND_HUGETLB;
	if (PageAnon(page)) {
		if (kcompat_page_swapcache(page))
			return MD_KIND_SWAP_ANON;
		return compound && compound_order(page) >=
		    PMD_SHIFT - PAGE_SHIFT ? MD_KIND_THP : KCORE_COUNT_USER;
	}
	if (kcompat_page_swapcache(page))
		return MD_KIND_SWAP_SHMEM;
	if (PageLRU(page))
		return PagePrivate(page) ? KCORE_COUNT_CACHE_PRIVATE :
		    KCORE_COUNT_CACHE;
	return IN_ALWAYS;
}

/* Memory that the hypervisor has not been asked for yet: reading it would end
 * the machine.  The first page of a largest block says so for all. */
static bool
page_is_unaccepted(unsigned long pfn, unsigned long *n)
{
	const unsigned long len = 1ul << (FREE_ORDERS - 1);

	if (!kcompat_page_unaccepted(pfn_to_page(pfn & ~(len - 1))))
		return false;
	*n = len - (pfn & (len - 1));
	return true;
}

/*
 * Of a page the KCORE_COUNT_* or MD_KIND_*, and of how many pages from it on.
 * None: of this page, of which nothing is to be known but what it says itself.
 */
static unsigned int
page_use(unsigned long pfn, bool aside, unsigned long *n)
{
	struct page *page = pfn_to_page(pfn);
	const bool tail = PageTail(page);
	unsigned long head_pfn = pfn;
	unsigned int use;
	bool compound;

	if (page_is_unaccepted(pfn, n))
		return MD_KIND_UNACCEPTED;
	*n = 0;
	if (PageHWPoison(page))
		return MD_KIND_POISONED;
	if (PageOffline(page))
		return MD_KIND_RETURNED;
	if (!tail && page_ref_count(page) == 0 && page_is_free(pfn, n))
		return KCORE_COUNT_FREE;
	compound = tail || PageHead(page);
	if (compound)
		*n = 1;
	if (tail && !page_head(pfn, &head_pfn))
		return IN_ALWAYS;
	page = pfn_to_page(head_pfn);
	/* Where it was given back since then it is not reserved any more. */
	if (PageReserved(page))
		return aside ? MD_KIND_ASIDE : IN_ALWAYS;
	use = head_use(page, compound);
	if (compound && compound_order(page) < COMPOUND_ORDERS)
		*n = head_pfn + (1ul << compound_order(page)) - pfn;
	if (use == MD_KIND_HUGETLB && PageHWPoison(page))
		return MD_KIND_POISONED;	/* somewhere in it */
	return use;
}

/* Flags by which page_use() tells one page alone from another, and those that
 * are left of them where the kernel's own pages are not told apart. */
#define FLAGS_OWN	(__PG_HWPOISON | 1ul << PG_head | 1ul << PG_lru | \
			    1ul << PG_swapcache)
#define FLAGS_ALL	(FLAGS_OWN | 1ul << PG_reserved | KCOMPAT_PG_SLAB | \
			    1ul << PG_private | 1ul << PG_swapbacked)
#define MAPPED_ANON	1ul
#define TYPED		0x80000000u	/* in page_type + 1: it is no mapcount */

/*
 * How many of n pages page_use() would say the same of as of the first, which
 * stands alone: most pages are looked at here.  That none of them is in a free
 * block or in one that was not accepted is known from the first, and from those
 * between, as none has such a block's type.  All is asked at once, since one
 * branch for each page costs less than four.
 */
static unsigned long
alike(unsigned long pfn, unsigned long n, bool aside)
{
	const struct page *page = pfn_to_page(pfn);
	const unsigned long flags = kcompat_page_flags(page);
	const unsigned long mapping = (unsigned long)page->mapping;
	const unsigned int type = page->page_type + 1;
	const unsigned int types = type & TYPED ? ~0u : TYPED;
	unsigned long asked = FLAGS_ALL, i;

	if (!(flags & FLAGS_OWN) && !(mapping & MAPPED_ANON) && !aside)
		asked = FLAGS_OWN;
	for (i = 1; i < n; i++) {
		page++;
		if (((kcompat_page_flags(page) ^ flags) & asked) |
		    (((unsigned long)page->mapping ^ mapping) & MAPPED_ANON) |
		    (((page->page_type + 1) ^ type) & types) |
		    (kcompat_compound_word(page) & 1))
			break;
	}
	return i;
}

/* How many of n pages of a compound page can be read: any may be poisoned. */
static unsigned long
readable(unsigned long pfn, unsigned long n)
{
	struct page *page = pfn_to_page(pfn);
	const struct page *head = compound_head(page);
	unsigned long i;

	for (i = 1; i < n; i++) {
		page++;
		if (PageHWPoison(page) || PageOffline(page) ||
		    !PageTail(page) || compound_head(page) != head)
			break;
	}
	return i;
}

/* Can't be read: a machine check, or the end of a virtual machine, at worst. */
static bool
lost(unsigned int use)
{
	return use == MD_KIND_POISONED || use == MD_KIND_RETURNED ||
	    use == MD_KIND_UNACCEPTED;
}

static bool
left_out(unsigned int use, u32 level)
{
	switch (use) {
	case KCORE_COUNT_CACHE:
	case MD_KIND_SWAP_SHMEM:
		return level & (KCORE_LEVEL_CACHE | KCORE_LEVEL_CACHE_PRIVATE);
	case KCORE_COUNT_CACHE_PRIVATE:
		return level & KCORE_LEVEL_CACHE_PRIVATE;
	case KCORE_COUNT_USER:
	case MD_KIND_HUGETLB:
	case MD_KIND_THP:
	case MD_KIND_SWAP_ANON:
		return level & KCORE_LEVEL_USER;
	case KCORE_COUNT_FREE:
	case MD_KIND_ASIDE:
		return level & KCORE_LEVEL_FREE;
	default:
		return false;
	}
}

/* Of a page that the direct map lacks. */
static unsigned int
hole_kind(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);
	unsigned long mapping = (unsigned long)page->mapping;

	if (kcompat_kfence(__va((u64)pfn << PAGE_SHIFT)))
		return MD_KIND_KFENCE;
	/* Of a file, as no other page is that is not mapped. */
	return !PageSlab(page) && mapping != 0 && (mapping & 3) == 0 ?
	    MD_KIND_SECRET : KCORE_COUNT_UNREADABLE;
}

/* What becomes of a page that is mapped, and of how many of npages from it on.
 * Of a compound page that stays each is looked at. */
static unsigned long
page_fate(unsigned long pfn, unsigned long npages, u32 level, bool aside,
    enum dump_state *state, unsigned int *count)
{
	unsigned long n;

	*count = page_use(pfn, aside, &n);
	*state = lost(*count) ? DUMP_LOST :
	    left_out(*count, level) ? DUMP_FILTERED : DUMP_KEEP;
	if (n == 0)
		n = alike(pfn, npages, aside);
	else if (*state == DUMP_KEEP)
		n = readable(pfn, min(n, npages));
	if (*state == DUMP_KEEP)
		*count = IN_ALWAYS;
	return n;
}

/* As md_direct_mapped(), which walks page tables: the last answer holds for
 * what is next to it, and after a panic nobody changes it. */
static bool
direct_mapped(unsigned long pfn, unsigned long *npages)
{
	static unsigned long first, end;
	static bool mapped;
	u64 span;

	if (pfn < first || pfn >= end) {
		mapped = md_direct_mapped((u64)pfn << PAGE_SHIFT, &span);
		first = pfn;
		end = pfn + span;
	}
	*npages = end - pfn;
	return mapped;
}

/*
 * Holes in the direct map can't be read and are no loss of ours: secret memory,
 * freed init text, guard pages.  Nobody uses memory that is offline, and what
 * describes its pages may never have been set.
 */
u64
md_classify(kpaddr_t pa, u64 npages, u32 level, enum dump_state *state,
    unsigned int *count)
{
	const unsigned long pfn = pa >> PAGE_SHIFT;
	unsigned long i, n, span, fits = PAGES_PER_SECTION -
	    (pfn & (PAGES_PER_SECTION - 1));
	enum dump_state next;
	unsigned int use;
	bool aside;

	if (fits > npages)
		fits = npages;
	*state = DUMP_LOST;
	*count = MD_KIND_OFFLINE;
	if (!online_section_nr(pfn_to_section_nr(pfn)))
		return fits;
	if (!direct_mapped(pfn, &span)) {
		*count = hole_kind(pfn);
		return min(span, fits);
	}
	fits = min(span, fits);
	aside = ram_is_aside(pa, &span);
	fits = min(span, fits);
	for (i = 0; i < fits; i += n) {
		n = page_fate(pfn + i, fits - i, level, aside, &next, &use);
		if (i > 0 && (next != *state || use != *count))
			break;
		*state = next;
		*count = use;
	}
	return min(i, fits);
}

u64
md_zeros(kpaddr_t pa, u64 npages, u64 *nzero)
{
	const char *p = __va(pa);
	u64 n = 0, i;

	for (;;) {
		n += md_pages_begun(p + n * PAGE_SIZE, npages - n);
		if (n == npages || md_page_zero(p + n * PAGE_SIZE))
			break;
		n++;
	}
	for (i = n; i < npages; i++)
		if (i > n && !md_page_zero(p + i * PAGE_SIZE))
			break;
	*nzero = i - n;
	return n;
}

u32
md_level_max(void)
{
	return KCORE_LEVEL_MAX;
}

/*
 * Reserved pages are the kernel image and what was allocated before the page
 * allocator was up: the log, the memory map, per-CPU memory.  Of a compound page
 * the head speaks for all: a tail's mapping is a mark, never NULL.
 */
unsigned int
md_page_value(kpaddr_t pa)
{
	unsigned long pfn = pa >> PAGE_SHIFT, head, n;
	struct page *page;

	if (!online_section_nr(pfn_to_section_nr(pfn)))
		return 5;
	if (!page_head(pfn, &head))
		return 3;
	page = pfn_to_page(head);
	if (PageReserved(page))
		return 0;
	if (PageTable(page))
		return 1;
	if (PageSlab(page))
		return 2;
	if (page_is_free(pfn, &n))
		return 5;
	if (PageLRU(page) || PageAnon(page) || page->mapping)
		return 4;
	return 3;
}

u64
pages_expected(u64 npages, u32 level)
{
	u64 out = 0;

	if (level & KCORE_LEVEL_FREE)
		out += global_zone_page_state(NR_FREE_PAGES) +
		    ram_aside_pages();
	if (level & KCORE_LEVEL_USER)
		out += global_node_page_state(NR_ANON_MAPPED);
	if (level & KCORE_LEVEL_CACHE_PRIVATE)
		out += global_node_page_state(NR_FILE_PAGES);
	return out < npages ? npages - out : 0;
}
