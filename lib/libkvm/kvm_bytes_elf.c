/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes_elf.c: ELF core files of a kernel, as kdump's /proc/vmcore, QEMU's
 * dump-guest-memory, makedumpfile -E and savecore -F elf make them.
 *
 * Each PT_LOAD says which physical memory the file has.  The table is read
 * piece by piece: libelf would keep all of it, and there may be millions.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_bytes.h"
#include "kvm_header.h"
#include "kvm_machine.h"

#define ELF_BATCH	64u		/* program headers read at once */
#define ELF_NOTES_MAX	(KCORE_CPU_MAX + (16u << 20))

typedef unsigned long long ull;

static int
elf_check(kvm_t *kd, const Elf64_Ehdr *eh)
{
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_ident[EI_VERSION] != EV_CURRENT)
		return kvmi_err(kd, ENOTSUP, "ELF file of class %u, byte order "
		    "%u, version %u: this library reads %u, %u, %u",
		    eh->e_ident[EI_CLASS], eh->e_ident[EI_DATA],
		    eh->e_ident[EI_VERSION], ELFCLASS64, ELFDATA2LSB,
		    EV_CURRENT);
	if (eh->e_type != ET_CORE)
		return kvmi_err(kd, ENOTSUP, "ELF file of type %u, which is "
		    "not a core file (%u)", eh->e_type, ET_CORE);
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return kvmi_err(kd, EBADMSG, "ELF header: program headers of "
		    "%u bytes where %zu were expected", eh->e_phentsize,
		    sizeof(Elf64_Phdr));
	return 0;
}

/* How many program headers there are: elf(5), PN_XNUM. */
static int
elf_phnum(kvm_t *kd, const Elf64_Ehdr *eh, uint64_t *n)
{
	Elf64_Shdr sh;

	*n = eh->e_phnum;
	if (eh->e_phnum == PN_XNUM) {
		if (eh->e_shentsize != sizeof(sh) ||
		    eh->e_shoff > kd->file_size ||
		    kd->file_size - eh->e_shoff < sizeof(sh))
			return kvmi_err(kd, EBADMSG, "ELF header: section "
			    "header at %llu, which would say how many program "
			    "headers there are", (ull)eh->e_shoff);
		if (kvmi_pread(kd, &sh, sizeof(sh), eh->e_shoff) == -1)
			return kvmi_prepend(kd, "section header");
		*n = sh.sh_info;
	}
	if (*n == 0 || eh->e_phoff > kd->file_size ||
	    (kd->file_size - eh->e_phoff) / sizeof(Elf64_Phdr) < *n)
		return kvmi_err(kd, EBADMSG, "ELF header: %llu program headers "
		    "at %llu in %llu bytes", (ull)*n, (ull)eh->e_phoff,
		    (ull)kd->file_size);
	return 0;
}

/* The notes of one PT_NOTE, behind those of others. */
static int
elf_notes(kvm_t *kd, const Elf64_Phdr *ph, struct kvmi_build *b)
{
	uint8_t *more;

	if (ph->p_filesz == 0)
		return 0;
	if (ph->p_offset > kd->file_size ||
	    ph->p_filesz > kd->file_size - ph->p_offset ||
	    ph->p_filesz > ELF_NOTES_MAX - b->notes_size)
		return kvmi_err(kd, EBADMSG, "%llu bytes of notes at %llu in "
		    "%llu bytes", (ull)ph->p_filesz, (ull)ph->p_offset,
		    (ull)kd->file_size);
	more = kvmi_spill_resize(kd, b->notes, b->notes_size,
	    b->notes_size + ph->p_filesz);
	if (more == NULL)
		return kvmi_syserr(kd, ENOMEM, "notes");
	b->notes = more;
	if (kvmi_spill_read(kd, more + b->notes_size, ph->p_filesz,
	    ph->p_offset) == -1)
		return kvmi_prepend(kd, "notes");
	b->notes_size += ph->p_filesz;
	return 0;
}

/* Whole pages of a PT_LOAD: data, and zeros behind them. */
static int
elf_load(kvm_t *kd, const Elf64_Phdr *ph, struct kvmi_build *b)
{
	const uint64_t mask = KVMI_PAGE - 1, skip = -ph->p_paddr & mask;
	struct kvmi_range r = { .kind = KVMI_MEM_DATA };

	if (ph->p_paddr > UINT64_MAX - mask ||
	    ph->p_memsz > UINT64_MAX - mask - ph->p_paddr ||
	    ph->p_filesz > ph->p_memsz || (ph->p_filesz > 0 &&
	    (ph->p_offset > kd->file_size ||
	    ph->p_filesz > kd->file_size - ph->p_offset)))
		return kvmi_err(kd, EBADMSG, "%llu bytes at %llu in %llu "
		    "bytes, for 0x%llx bytes of memory at 0x%llx",
		    (ull)ph->p_filesz, (ull)ph->p_offset, (ull)kd->file_size,
		    (ull)ph->p_memsz, (ull)ph->p_paddr);
	r.start = (ph->p_paddr + mask) & ~mask;
	r.end = (ph->p_paddr + ph->p_filesz) & ~mask;
	r.place = ph->p_offset + skip;
	if (kvmi_ranges_add(kd, &b->data, r) == -1)
		return -1;
	r.start = r.end > r.start ? r.end : r.start;
	r.end = (ph->p_paddr + ph->p_memsz) & ~mask;
	r.kind = KCORE_EXCL_ZERO;
	r.place = 0;
	return kvmi_ranges_add(kd, &b->excl, r);
}

/* The direct map: where the kernel has its physical memory. */
static void
elf_direct(const Elf64_Phdr *ph, const struct kvmi_machine *m,
    struct kvmi_build *b)
{
	if (b->hdr.page_offset == 0 && ph->p_vaddr < m->text_min &&
	    ph->p_vaddr >> 63 != 0)
		b->hdr.page_offset = ph->p_vaddr - ph->p_paddr;
}

static int
elf_phdrs(kvm_t *kd, const Elf64_Ehdr *eh, uint64_t n,
    const struct kvmi_machine *m, struct kvmi_build *b)
{
	Elf64_Phdr ph[ELF_BATCH];
	uint64_t i;
	int rv = 0;

	for (i = 0; rv == 0 && i < n; i++) {
		const Elf64_Phdr *p = &ph[i % ELF_BATCH];

		if (i % ELF_BATCH == 0 && kvmi_pread(kd, ph, (n - i <
		    ELF_BATCH ? n - i : ELF_BATCH) * sizeof(*p),
		    eh->e_phoff + i * sizeof(*p)) == -1)
			rv = -1;
		else if (p->p_type == PT_NOTE)
			rv = elf_notes(kd, p, b);
		else if (p->p_type == PT_LOAD)
			rv = elf_load(kd, p, b);
		if (rv == -1)
			return kvmi_prepend(kd, "program header %llu", (ull)i);
		if (p->p_type == PT_LOAD)
			elf_direct(p, m, b);
	}
	return 0;
}

static int
elf_open(kvm_t *kd)
{
	const struct kvmi_machine *m;
	struct kvmi_build b = { .data.unit = 1, .excl.unit = 1 };
	Elf64_Ehdr eh;
	uint64_t n;
	int rv = -1;

	if (kd->file_size < sizeof(eh))
		return 0;
	if (kvmi_pread(kd, &eh, sizeof(eh), 0) == -1)
		return -1;
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	if (elf_check(kd, &eh) == -1 || elf_phnum(kd, &eh, &n) == -1)
		return -1;
	m = kvmi_machine_elf(eh.e_machine);
	if (m == NULL)
		return kvmi_err(kd, ENOTSUP, "ELF file of machine %u, which is "
		    "not one that this library can read", eh.e_machine);
	b.hdr.machine = m->mid;
	b.hdr.panic_cpu = KCORE_NOCPU;
	if (elf_phdrs(kd, &eh, n, m, &b) == 0 && kvmi_build(kd, &b) == 0) {
		kd->where = b.data;
		b.data = (struct kvmi_ranges){ 0 };
		kvmi_small_map(kd);
		rv = 1;
	}
	kvmi_build_fini(kd, &b);
	return rv;
}

static int
elf_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	return kvmi_where_read(kd, buf, len, off, kvmi_small_read);
}

const struct kvmi_format kvmi_format_elf = {
	.name = "ELF core file",
	.open = elf_open,
	.read = elf_read,
	.look = kvmi_where_look,
};
