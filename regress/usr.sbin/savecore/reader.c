/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.c: what libelf and libkdumpfile read in a file, against mkdump's
 * memory.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libkdumpfile/kdumpfile.h>

#include "reader.h"

void
elf_open(struct sandbox *s, struct elf *e, const char *name)
{
	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	e->fd = open(in_dir(s, name), O_RDONLY);
	assert_int_not_equal(e->fd, -1);
	e->elf = elf_begin(e->fd, ELF_C_READ, NULL);
	assert_int_equal(elf_kind(e->elf), ELF_K_ELF);
	assert_int_equal(elf_getphdrnum(e->elf, &e->nphdrs), 0);
}

void
elf_close(struct elf *e)
{
	elf_end(e->elf);
	close(e->fd);
}

static GElf_Phdr
elf_phdr(struct elf *e, size_t i)
{
	GElf_Phdr ph;

	assert_non_null(gelf_getphdr(e->elf, (int)i, &ph));
	return ph;
}

unsigned int
elf_notes(struct elf *e, const char *name, uint32_t type)
{
	const GElf_Phdr ph = elf_phdr(e, 0);
	Elf_Data *d = elf_getdata_rawchunk(e->elf, (int64_t)ph.p_offset,
	    ph.p_filesz, ELF_T_NHDR);
	size_t at = 0, name_off, desc_off;
	unsigned int n = 0;
	GElf_Nhdr nh;

	assert_int_equal(ph.p_type, PT_NOTE);
	assert_non_null(d);
	while ((at = gelf_getnote(d, at, &nh, &name_off, &desc_off)) != 0)
		n += nh.n_type == type &&
		    strcmp((char *)d->d_buf + name_off, name) == 0;
	return n;
}

uint64_t
elf_compare(struct elf *e, const struct mkdump_spec *spec, uint64_t *zeros)
{
	struct mkdump_info info;
	struct mkmem *mem = mkmem_create(spec, &info);
	unsigned char want[PAGE], have[PAGE];
	uint64_t at, pages = 0;
	size_t i;

	assert_non_null(mem);
	*zeros = 0;
	for (i = 1; i < e->nphdrs; i++) {
		const GElf_Phdr ph = elf_phdr(e, i);

		assert_int_equal(ph.p_type, PT_LOAD);
		assert_int_equal(ph.p_vaddr, ph.p_paddr +
		    mkdump_page_offset(spec));
		*zeros += (ph.p_memsz - ph.p_filesz) / PAGE;
		for (at = 0; at < ph.p_filesz; at += PAGE) {
			pages++;
			/* It has dumplo in it, which mkmem does not know, as
			 * it knows nothing of what could not be read. */
			if (ph.p_paddr + at == (spec->dumpmag_paddr &
			    ~4095ull) || ph.p_paddr + at == UNREADABLE)
				continue;
			mkmem_page(mem, ph.p_paddr + at, want);
			assert_int_equal(pread(e->fd, have, PAGE,
			    (off_t)(ph.p_offset + at)), PAGE);
			assert_memory_equal(have, want, PAGE);
		}
	}
	mkmem_destroy(mem);
	return pages;
}

/* Does the dump say that there were zeros?  mkmem does not know that. */
static bool
zeros_at(const struct mkdump_spec *spec, uint64_t pa)
{
	size_t i;

	for (i = 0; i < spec->nexcl; i++)
		if (pa - spec->excl[i].start < spec->excl[i].size)
			return spec->excl[i].kind == KCORE_EXCL_ZERO;
	return false;
}

uint64_t
peer_compare(struct sandbox *s, const char *name,
    const struct mkdump_spec *spec, bool (*there)(uint64_t paddr))
{
	struct mkdump_info info;
	struct mkmem *mem = mkmem_create(spec, &info);
	kdump_ctx_t *ctx = kdump_new();
	unsigned char want[PAGE], have[PAGE];
	const int fd = open(in_dir(s, name), O_RDONLY);
	uint64_t pa, pages = 0;
	kdump_status r;
	size_t i, len;

	assert_non_null(mem);
	assert_int_equal(kdump_open_fd(ctx, fd), KDUMP_OK);
	for (i = 0; i < spec->nruns; i++)
		for (pa = spec->runs[i].start; pa < spec->runs[i].start +
		    spec->runs[i].size; pa += PAGE) {
			len = PAGE;
			r = kdump_read(ctx, KDUMP_MACHPHYSADDR, pa, have, &len);
			if ((r == KDUMP_OK) != there(pa))
				fail_msg("0x%jx: %s", (uintmax_t)pa,
				    r == KDUMP_OK ? "there" :
				    kdump_get_err(ctx));
			if (r != KDUMP_OK)
				continue;
			pages++;
			mkmem_page(mem, pa, want);
			if (zeros_at(spec, pa))
				memset(want, 0, PAGE);
			if (pa != (spec->dumpmag_paddr & ~4095ull) &&
			    pa != UNREADABLE)
				assert_memory_equal(have, want, PAGE);
		}
	kdump_free(ctx);
	close(fd);
	mkmem_destroy(mem);
	return pages;
}
