/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_test.c: ELF core files that are not savecore's.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/kcore.h>

#include "foreign.h"

/* This test checks every page of a file with the kernel's image beside all
 * memory, read through the page tables that VMCOREINFO names. */
static void
elf_every_page_is_right(void **state)
{
	struct foreign *f = *state;

	foreign_elf(f);
	foreign_compare(f);
}

/* This test checks that the number of program headers may be elsewhere. */
static void
elf_extended_numbering_is_read(void **state)
{
	struct foreign *f = *state;

	f->xnum = true;
	foreign_elf(f);
	foreign_compare(f);
}

/* This test checks what the header says that is made up for such a file. */
static void
elf_header_says_what_notes_say(void **state)
{
	struct foreign *f = *state;
	char errbuf[KVM_ERRBUFSZ];
	const cpu_kcore_hdr_t *h;
	const kcore_exclseg_t *e;
	struct kvm_regs regs;
	kvm_t *kd;

	foreign_elf(f);
	assert_non_null(kd = foreign_open(f, errbuf));
	assert_non_null(h = kvm_dump_hdr(kd));
	assert_string_equal(kvm_release(kd), FOREIGN_RELEASE);
	assert_int_equal(kvm_ncpus(kd), 1);
	assert_int_equal(kvm_getregs(kd, 0, &regs), 1);
	assert_int_equal(regs.kr_tid, 77);
	assert_int_equal(h->ptdpaddr, f->im.spec.ptd_paddr);
	assert_int_equal(h->panic_time_ns, 1700000000000000000);
	assert_int_equal(h->panic_cpu, KCORE_NOCPU);
	assert_int_equal(h->page_offset, mkdump_page_offset(&f->im.spec));
	assert_int_equal(h->data_size, 0x3f000 + 0xc0000 + 0x10000);
	e = (const void *)((const uint8_t *)h + h->exclsegs_off);
	assert_int_equal(h->nexclsegs, 1);
	assert_int_equal(e->start, 0x140000);
	assert_int_equal(e->size, 0x3000);
	assert_int_equal(e->kind, KCORE_EXCL_ZERO);
	kvm_close(kd);
}

/* This test checks that a piece that is not of whole pages is cut to them. */
static void
elf_odd_piece_is_cut_to_pages(void **state)
{
	struct foreign *f = *state;
	char errbuf[KVM_ERRBUFSZ];
	const cpu_kcore_hdr_t *h;
	Elf64_Phdr *ph;
	kvm_t *kd;

	foreign_elf(f);
	ph = (void *)(f->file + sizeof(Elf64_Ehdr));
	ph[2].p_paddr += 0x400;
	ph[2].p_offset += 0x400;
	ph[2].p_filesz -= 0x800;
	ph[2].p_memsz -= 0x800;
	foreign_spill(f);
	assert_non_null(kd = foreign_open(f, errbuf));
	h = kvm_dump_hdr(kd);
	assert_int_equal(h->data_size, 0x3d000 + 0xc0000 + 0x10000);
	kvm_close(kd);
	f->loads[1].start += 0x1000;
	f->loads[1].size -= 0x2000;
	foreign_compare(f);
}

/* This test checks that files which can't be used are refused, and why. */
static void
elf_useless_is_refused(void **state)
{
	struct foreign *f = *state;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;

	foreign_elf(f);
	eh = (void *)f->file;
	eh->e_type = ET_EXEC;
	foreign_spill(f);
	foreign_refused(f, ENOTSUP, "which is not a core file");
	eh->e_type = ET_CORE;
	eh->e_machine = EM_AARCH64;
	foreign_spill(f);
	foreign_refused(f, ENOTSUP, "machine 183");
	eh->e_machine = EM_X86_64;
	eh->e_ident[EI_CLASS] = ELFCLASS32;
	foreign_spill(f);
	foreign_refused(f, ENOTSUP, "class 1");
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	ph = (void *)(f->file + sizeof(*eh));
	ph[1].p_paddr = UINT64_MAX - 0x10;
	foreign_spill(f);
	foreign_refused(f, EBADMSG, "program header 1");
	f->info[0] = '\0';
	foreign_elf(f);
	foreign_refused(f, ENOTSUP,
	    "its VMCOREINFO has no SYMBOL(swapper_pg_dir)");
	f->nloads = 0;
	foreign_elf(f);
	foreign_refused(f, ENOTSUP, "it has no physical memory");
}

/* This test checks that a wrong byte anywhere before memory does no harm. */
static void
elf_mutations_come_back(void **state)
{
	struct foreign *f = *state;

	foreign_elf(f);
	foreign_mutate(f, f->headers);
	f->xnum = true;
	foreign_elf(f);
	foreign_mutate(f, sizeof(Elf64_Ehdr) + 5 * sizeof(Elf64_Phdr) +
	    sizeof(Elf64_Shdr));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elf_every_page_is_right),
		TEST(elf_extended_numbering_is_read),
		TEST(elf_header_says_what_notes_say),
		TEST(elf_odd_piece_is_cut_to_pages),
		TEST(elf_useless_is_refused),
		TEST(elf_mutations_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
