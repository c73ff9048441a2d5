/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump_mem.c: the memory of a test dump: what each page holds, and which pages
 * are dumped in what order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkdump_impl.h"

#define PAGE_OF(pa)	((pa) & ~(uint64_t)(MKDUMP_PAGE - 1))

enum { EXCL_ZERO = 1, EXCL_TRUNCATED = 3, EXCL_UNREADABLE = 4,
	EXCL_MISSING = 6 };

uint64_t
mkdump_word(uint64_t paddr)
{
	return (paddr + 1) * 0x9e3779b97f4a7c15ull;
}

uint64_t
mkdump_page_offset(const struct mkdump_spec *spec)
{
	if (spec->page_offset != 0)
		return spec->page_offset;
	return spec->levels == 5 ? 0xff11000000000000ull :
	    0xffff888000000000ull;
}

/* Takes sorted ranges out of segs[]: kinds from 1 to 3 of them. */
static int
segs_cut(struct mkmem *mem, const struct mkdump_excl *cut, size_t ncuts)
{
	struct mkdump_run *out;
	uint64_t end, stop;
	size_t n = 0, k = 0;

	if ((out = calloc(mem->nsegs + ncuts, sizeof(*out))) == NULL)
		return -1;
	for (size_t i = 0; i < mem->nsegs; i++) {
		uint64_t start = mem->segs[i].start;

		end = start + mem->segs[i].size;
		while (start < end) {
			while (k < ncuts && (cut[k].kind > EXCL_TRUNCATED ||
			    cut[k].start + cut[k].size <= start))
				k++;
			stop = k < ncuts && cut[k].start < end ? cut[k].start :
			    end;
			if (start < stop)
				out[n++] = (struct mkdump_run){ start,
				    stop - start };
			start = stop < end ? cut[k].start + cut[k].size : end;
		}
	}
	free(mem->segs);
	mem->segs = out;
	mem->nsegs = n;
	return 0;
}

static bool
ram_has(const struct mkdump_spec *spec, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < spec->nruns; i++)
		if (start >= spec->runs[i].start && start + size <=
		    spec->runs[i].start + spec->runs[i].size)
			return true;
	return false;
}

/* memsegs[]: the page of dumpmag, then all RAM without it and the holes. */
static int
segs_build(struct mkmem *mem)
{
	const struct mkdump_spec *spec = mem->spec;
	uint64_t magpage = PAGE_OF(spec->dumpmag_paddr);
	struct mkdump_run *segs;

	if ((mem->segs = calloc(spec->nruns, sizeof(*segs))) == NULL)
		return -1;
	memcpy(mem->segs, spec->runs, spec->nruns * sizeof(*segs));
	mem->nsegs = spec->nruns;
	if (segs_cut(mem, &(struct mkdump_excl){ magpage, MKDUMP_PAGE, 1 },
	    1) == -1 || segs_cut(mem, spec->excl, spec->nexcl) == -1)
		return -1;

	segs = realloc(mem->segs, (mem->nsegs + 1) * sizeof(*segs));
	if (segs == NULL)
		return -1;
	memmove(segs + 1, segs, mem->nsegs * sizeof(*segs));
	segs[0] = (struct mkdump_run){ magpage, MKDUMP_PAGE };
	mem->segs = segs;
	mem->nsegs++;
	for (size_t i = 0; i < mem->nsegs; i++)
		mem->data_size += segs[i].size;
	return 0;
}

/* An ELF note named VMCOREINFO, as the kernel keeps it in a page. */
static void
infopage_build(struct mkmem *mem)
{
	const struct mkdump_spec *spec = mem->spec;
	char *text = (char *)mem->infopage + 24;
	int len;

	len = snprintf(text, MKDUMP_PAGE - 24, "OSRELEASE=%s\nPAGESIZE=4096\n"
	    "KERNELOFFSET=%jx\nNUMBER(phys_base)=%jd\n"
	    "NUMBER(pgtable_l5_enabled)=%d\n%s", spec->release,
	    (uintmax_t)spec->slide,
	    (intmax_t)(spec->text_paddr - 0x1000000 - spec->slide),
	    spec->levels == 5, spec->info != NULL ? spec->info : "");
	put32(mem->infopage, 11);
	put32(mem->infopage + 4, (uint64_t)len);
	put_text(mem->infopage + 12, 12, "VMCOREINFO");
	mem->info_size = 24 + (((uint64_t)len + 3) & ~3ull);
}

void
mkmem_magpage(struct mkmem *mem, uint64_t dumplo)
{
	const struct mkdump_spec *spec = mem->spec;
	uint8_t *p = mem->magpage;

	memset(p, 0, MKDUMP_PAGE);
	put32(p + MKDUMP_AT_DUMPMAG, 0x8fca0101);
	put64(p + MKDUMP_AT_DUMPDEV, 0x10300);
	put64(p + MKDUMP_AT_DUMPLO, dumplo);
	put64(p + MKDUMP_AT_DUMPSIZE, mem->data_size / MKDUMP_PAGE);
	put64(p + MKDUMP_AT_PANICSTR, MKDUMP_MODULE_VA + MKDUMP_AT_PANICTEXT);
	put_text(p + MKDUMP_AT_PANICTEXT, 512, spec->panicstr);
	snprintf((char *)p + MKDUMP_AT_VERSION, 512, "Linux version %s %s\n",
	    spec->release, spec->osversion);
}

static int
mem_check(const struct mkmem *mem, struct mkdump_info *info)
{
	const struct mkdump_spec *spec = mem->spec;

	if ((spec->dumpmag_paddr & (MKDUMP_PAGE - 1)) != MKDUMP_AT_DUMPMAG)
		return mkdump_fail(info, "dumpmag is not at %#x of its page",
		    MKDUMP_AT_DUMPMAG);
	if (!ram_has(spec, PAGE_OF(spec->dumpmag_paddr), MKDUMP_PAGE))
		return mkdump_fail(info, "dumpmag is not in RAM");
	if (spec->vmcoreinfo_size != 0 && mem->fd == -1)
		return mkdump_fail(info, "no memory of a kernel");
	if (spec->vmcoreinfo_paddr != 0 &&
	    !ram_has(spec, spec->vmcoreinfo_paddr, MKDUMP_PAGE))
		return mkdump_fail(info, "VMCOREINFO is not in RAM");
	if (!ram_has(spec, spec->ptd_paddr, mem->ntables * MKDUMP_PAGE))
		return mkdump_fail(info, "%zu page tables from %#jx on are not "
		    "in one run of RAM", mem->ntables,
		    (uintmax_t)spec->ptd_paddr);
	return 0;
}

struct mkmem *
mkmem_create(const struct mkdump_spec *spec, struct mkdump_info *info)
{
	struct mkmem *mem;

	if ((mem = calloc(1, sizeof(*mem))) == NULL) {
		mkdump_fail(info, "no memory");
		return NULL;
	}
	mem->spec = spec;
	mem->fd = -1;
	if (spec->memfile != NULL &&
	    (mem->fd = open(spec->memfile, O_RDONLY | O_CLOEXEC)) == -1) {
		mkdump_fail(info, "%s: %s", spec->memfile, strerror(errno));
		goto fail;
	}
	mem->excl = calloc(spec->nexcl + 1, sizeof(*mem->excl));
	if (mem->excl == NULL || segs_build(mem) == -1) {
		mkdump_fail(info, "no memory");
		goto fail;
	}
	mem->nexcl = spec->nexcl;
	for (size_t i = 0; i < spec->nexcl; i++) {
		mem->excl[i] = spec->excl[i];
		mem->lost |= spec->excl[i].kind == EXCL_UNREADABLE ||
		    spec->excl[i].kind == EXCL_MISSING;
	}
	mkmem_magpage(mem, 0);
	mem->info_size = spec->vmcoreinfo_size;
	if (mem->info_size == 0) {
		infopage_build(mem);
		if (mkmem_map_all(mem, info) == -1)
			goto fail;
	}
	if (mem_check(mem, info) == -1)
		goto fail;
	return mem;
fail:
	mkmem_destroy(mem);
	return NULL;
}

void
mkmem_destroy(struct mkmem *mem)
{
	if (mem == NULL)
		return;
	if (mem->fd != -1)
		close(mem->fd);
	free(mem->tables);
	free(mem->segs);
	free(mem->excl);
	free(mem);
}

bool
mkmem_page(const struct mkmem *mem, uint64_t paddr, void *buf)
{
	const struct mkdump_spec *spec = mem->spec;
	uint64_t t = (paddr - spec->ptd_paddr) / MKDUMP_PAGE;
	uint8_t *p = buf;
	ssize_t n;

	if (paddr == PAGE_OF(spec->dumpmag_paddr)) {
		memcpy(p, mem->magpage, MKDUMP_PAGE);
	} else if (paddr == spec->vmcoreinfo_paddr && paddr != 0 &&
	    spec->vmcoreinfo_size == 0) {
		memcpy(p, mem->infopage, MKDUMP_PAGE);
	} else if (paddr >= spec->ptd_paddr && t < mem->ntables) {
		for (size_t i = 0; i < 512; i++)
			put64(p + 8 * i, mem->tables[t][i]);
	} else if (mem->fd != -1) {
		n = pread(mem->fd, p, MKDUMP_PAGE, (off_t)paddr);
		if (n < 0)
			n = 0;
		memset(p + n, 0, MKDUMP_PAGE - (size_t)n);
		return n > 0 || !spec->sparse;
	} else if (spec->sparse) {
		memset(p, 0, MKDUMP_PAGE);
		return false;
	} else {
		for (size_t i = 0; i < MKDUMP_PAGE; i += 8)
			put64(p + i, mkdump_word(paddr + i));
	}
	return true;
}

/* Is the page one that the dump shows as zeros though it is in memsegs[]? */
static bool
page_lost(const struct mkmem *mem, uint64_t paddr)
{
	for (size_t i = 0; mem->lost && i < mem->nexcl; i++) {
		const struct mkdump_excl *e = &mem->excl[i];

		if ((e->kind == EXCL_UNREADABLE || e->kind == EXCL_MISSING) &&
		    paddr >= e->start && paddr - e->start < e->size)
			return true;
	}
	return false;
}

bool
mkmem_data(struct mkmem *mem, uint64_t off, uint8_t *buf, size_t len)
{
	uint64_t at = off < mem->next_at ? 0 : mem->next_at;
	size_t i = off < mem->next_at ? 0 : mem->next, done = 0;
	bool any = false;

	while (off - at >= mem->segs[i].size)
		at += mem->segs[i++].size;
	while (done < len) {
		uint64_t pa = mem->segs[i].start + (off + done - at);

		if (page_lost(mem, pa))
			memset(buf + done, 0, MKDUMP_PAGE);
		else
			any |= mkmem_page(mem, pa, buf + done);
		done += MKDUMP_PAGE;
		if (off + done - at >= mem->segs[i].size)
			at += mem->segs[i++].size;
	}
	mem->next = i;
	mem->next_at = at;
	return any;
}

int
mkmem_missing(struct mkmem *mem, uint64_t valid, struct mkdump_info *info)
{
	struct mkdump_excl *e;
	uint64_t at = 0;

	e = realloc(mem->excl, (mem->nexcl + mem->nsegs + 1) * sizeof(*e));
	if (e == NULL)
		return mkdump_fail(info, "no memory");
	mem->excl = e;
	mem->lost = true;
	for (size_t i = 0; i < mem->nsegs; i++) {
		const struct mkdump_run *s = &mem->segs[i];
		uint64_t skip = valid > at ? valid - at : 0;
		size_t n = mem->nexcl;

		at += s->size;
		if (skip >= s->size)
			continue;
		for (; n > 0 && e[n - 1].start > s->start; n--)
			e[n] = e[n - 1];
		e[n] = (struct mkdump_excl){ s->start + skip, s->size - skip,
		    EXCL_MISSING };
		mem->nexcl++;
	}
	return 0;
}
