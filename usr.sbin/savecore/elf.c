/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf.c: an ELF core file as /proc/vmcore is one (elf(5)).
 *
 *	0	ELF header
 *	64	program headers: PT_NOTE, then PT_LOAD for the kernel's image at
 *		its own addresses, then PT_LOAD for all memory, in the direct map
 *	...	where there are PN_XNUM of them or more: the section header that
 *		says how many
 *	...	notes
 *	4096 n	CORE_DATA, as it is in a core of ours
 *
 * Zeros that the dump left out are memory without bytes in the file.  The image
 * and all memory share the same bytes.  Headers are written one by one: libelf
 * would hold them all, and there may be millions.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

/* One machine: its ELF number, and where the kernel's image is mapped. */
static const struct elf_machine {
	uint32_t mid;
	uint16_t machine;
	uint64_t text_min;	/* + paddr - phys_base: address of the image */
	uint64_t text_max;	/* bytes of it at most */
} elf_machines[] = {
	{ KCORE_MID_X86_64, EM_X86_64, 0xffffffff80000000, 1u << 30 },
};

/* A mapping: memory from paddr on is at vaddr. */
struct elf_map {
	uint64_t vaddr, paddr, size;
};

struct elf_file {
	struct copy *c;
	const struct elf_machine *machine;
	struct elf_map text, direct;
	uint64_t nloads;
	uint64_t notes_off, notes_size;
	uint64_t data_off;
	FILE *fp;		/* NULL: only counting */
	Elf64_Phdr load;	/* not written yet; p_memsz 0: none */
};

/* The address of a symbol, or 0. */
static uint64_t
elf_symbol(kvm_t *kd, const char *name)
{
	struct nlist nl[] = { { .n_name = name }, { .n_name = NULL } };

	return kvm_nlist(kd, nl) == 0 ? nl[0].n_value : 0;
}

/* The address of a symbol that VMCOREINFO names, or 0. */
static uint64_t
elf_info_symbol(kvm_t *kd, const char *key)
{
	const char *info = kvm_vmcoreinfo(kd);
	const char *line = info != NULL ? strstr(info, key) : NULL;

	return line != NULL ? strtoull(line + strlen(key), NULL, 16) : 0;
}

/*
 * The image, from its first symbol to its last; without symbols, from what
 * VMCOREINFO says to where modules may be.
 */
static void
elf_find_text(struct elf_file *e)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(e->c->kd);
	uint64_t start = elf_symbol(e->c->kd, "_text");
	uint64_t end = elf_symbol(e->c->kd, "_end");
	const uint64_t min = e->machine->text_min;

	if (start == 0)
		start = elf_info_symbol(e->c->kd, "SYMBOL(_stext)=");
	start &= ~(uint64_t)(h->page_size - 1);
	if (start < min || start - min >= e->machine->text_max)
		return;
	if (end <= start || end - start > e->machine->text_max)
		end = min + e->machine->text_max;	/* unknown */
	e->text.vaddr = start;
	e->text.paddr = start - min + h->phys_base;
	e->text.size = end - start;
	if (e->text.size % h->page_size != 0)
		e->text.size += h->page_size - e->text.size % h->page_size;
}

/* All memory.  Where nobody knows its addresses they are 0. */
static void
elf_find_direct(struct elf_file *e)
{
	uint64_t addr;

	e->direct.vaddr = kvm_dump_hdr(e->c->kd)->page_offset;
	e->direct.size = UINT64_MAX;
	if (e->direct.vaddr != 0)
		return;
	addr = elf_symbol(e->c->kd, "page_offset_base");
	if (addr == 0 || kvm_read(e->c->kd, addr, &e->direct.vaddr, 8) != 8)
		e->direct.vaddr = 0;
}

/* Writes the header that is held back, or counts it. */
static int
elf_flush(struct elf_file *e)
{
	if (e->load.p_memsz == 0)
		return 0;
	if (e->fp == NULL)
		e->nloads++;
	else if (fwrite(&e->load, sizeof(e->load), 1, e->fp) != 1)
		return -1;
	e->load.p_memsz = 0;
	return 0;
}

/* Makes a range part of the header that is held back, or the next one. */
static int
elf_add(struct elf_file *e, const struct physrange *r, uint64_t vaddr)
{
	Elf64_Phdr *l = &e->load;
	const bool behind = l->p_memsz != 0 &&
	    l->p_paddr + l->p_memsz == r->start;

	if (behind && (r->zero || (l->p_filesz == l->p_memsz &&
	    l->p_offset + l->p_filesz == e->data_off + r->off))) {
		l->p_memsz += r->size;
		l->p_filesz += r->zero ? 0 : r->size;
		return 0;
	}
	if (elf_flush(e) == -1)
		return -1;
	*l = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = e->data_off + (r->zero ? 0 : r->off),
		.p_vaddr = vaddr,
		.p_paddr = r->start,
		.p_filesz = r->zero ? 0 : r->size,
		.p_memsz = r->size,
	};
	return 0;
}

/* Headers for all memory that a mapping has. */
static int
elf_loads(struct elf_file *e, const struct elf_map *map)
{
	struct physwalk w;
	struct physrange r;
	uint64_t skip;

	physwalk_init(&w, e->c);
	while (physwalk_next(&w, &r)) {
		skip = r.start < map->paddr ? map->paddr - r.start : 0;
		if (skip >= r.size || r.start + skip - map->paddr >= map->size)
			continue;
		r.start += skip;
		r.off += skip;
		r.size -= skip;
		if (r.size > map->size - (r.start - map->paddr))
			r.size = map->size - (r.start - map->paddr);
		if (elf_add(e, &r, map->vaddr == 0 ? 0 :
		    map->vaddr + (r.start - map->paddr)) == -1)
			return -1;
	}
	return elf_flush(e);
}

static int
elf_all_loads(struct elf_file *e)
{
	if (e->text.size > 0 && elf_loads(e, &e->text) == -1)
		return -1;
	return elf_loads(e, &e->direct);
}

/* ELF header and the PT_NOTE. */
static int
elf_write_head(const struct elf_file *e)
{
	const uint64_t nphdrs = e->nloads + 1;
	const Elf64_Phdr note = {
		.p_type = PT_NOTE,
		.p_offset = e->notes_off,
		.p_filesz = e->notes_size,
		.p_memsz = e->notes_size,
		.p_align = 4,
	};
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
		    ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = e->machine->machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(nphdrs < PN_XNUM ? nphdrs : PN_XNUM),
	};

	if (nphdrs >= PN_XNUM) {
		eh.e_shoff = eh.e_phoff + nphdrs * sizeof(Elf64_Phdr);
		eh.e_shentsize = sizeof(Elf64_Shdr);
		eh.e_shnum = 1;
	}
	return fwrite(&eh, sizeof(eh), 1, e->fp) == 1 &&
	    fwrite(&note, sizeof(note), 1, e->fp) == 1 ? 0 : -1;
}

/* What is behind the program headers. */
static int
elf_write_rest(const struct elf_file *e)
{
	static const char zero[KCORE_ALIGN];
	const Elf64_Shdr sh = { .sh_info = (uint32_t)(e->nloads + 1) };
	const size_t pad = e->data_off - e->notes_off - e->notes_size;

	if (e->nloads + 1 >= PN_XNUM && fwrite(&sh, sizeof(sh), 1, e->fp) != 1)
		return -1;
	if (notes_write(e->c, e->fp) == -1)
		return -1;
	return fwrite(zero, 1, pad, e->fp) == pad ? 0 : -1;
}

/* Where the parts will be. */
static int
elf_layout(struct elf_file *e)
{
	const uint32_t mid = kvm_dump_hdr(e->c->kd)->machine;
	uint64_t end;
	size_t i;

	for (i = 0; i < sizeof(elf_machines) / sizeof(elf_machines[0]); i++)
		if (elf_machines[i].mid == mid)
			e->machine = &elf_machines[i];
	if (e->machine == NULL) {
		msg(LOG_ERR, "%s: machine %" PRIu32 ": ELF cores of it can't "
		    "be written", e->c->path, mid);
		return -1;
	}
	elf_find_text(e);
	elf_find_direct(e);
	(void)elf_all_loads(e);		/* counts: can't fail */
	e->notes_off = sizeof(Elf64_Ehdr) +
	    (e->nloads + 1) * sizeof(Elf64_Phdr);
	if (e->nloads + 1 >= PN_XNUM)
		e->notes_off += sizeof(Elf64_Shdr);
	e->notes_size = (uint64_t)notes_write(e->c, NULL);
	end = e->notes_off + e->notes_size;
	e->data_off = (end + KCORE_ALIGN - 1) / KCORE_ALIGN * KCORE_ALIGN;
	return 0;
}

static int
elf_header(struct copy *c, struct outfile *out)
{
	struct elf_file e = { .c = c };

	if (elf_layout(&e) == -1)
		return -1;
	e.fp = out->fp;
	if (elf_write_head(&e) == 0 && elf_all_loads(&e) == 0 &&
	    elf_write_rest(&e) == 0)
		return 0;
	msg_errno(LOG_ERR, "%s", out->path);
	return -1;
}

const struct outformat outformat_elf = {
	.name = "elf",
	.suffix = ".elf",
	.header = elf_header,
};
