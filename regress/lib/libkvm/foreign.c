/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign.c: core files of other tools with the memory of an image.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <sys/kcore.h>

#include "foreign.h"

#define PAGE	4096u

void
foreign_init(struct foreign *f)
{
	struct mkdump_info info;
	const struct mkdump_spec *spec = &f->im.spec;
	const uint64_t direct = 0xffff888000000000;

	memset(f, 0, sizeof(*f));
	image_init(&f->im);
	f->mem = mkmem_create(spec, &info);
	assert_non_null(f->mem);
	memcpy(f->loads, (struct foreign_load[]){
		{ 0x100000, 0x10000, 0, MKDUMP_TEXT_VA + spec->slide },
		{ 0x1000, 0x3f000, 0, direct + 0x1000 },
		{ 0x80000, 0xc0000, 0x3000, direct + 0x80000 },
		{ 0x100000000, 0x10000, 0, direct + 0x100000000 },
	}, 4 * sizeof(f->loads[0]));
	f->nloads = 4;
	f->flags = 1;
	f->version = 6;
	snprintf(f->info, sizeof(f->info),
	    "OSRELEASE=" FOREIGN_RELEASE "\n"
	    "PAGESIZE=4096\n"
	    "SYMBOL(swapper_pg_dir)=%llx\n"
	    "NUMBER(phys_base)=%lld\n"
	    "NUMBER(pgtable_l5_enabled)=0\n"
	    "KERNELOFFSET=%llx\n"
	    "CRASHTIME=1700000000\n",
	    0xffffffff80000000ull + spec->ptd_paddr + 0x200000,
	    -0x200000ll, (unsigned long long)spec->slide);
}

void
foreign_fini(struct foreign *f)
{
	mkmem_destroy(f->mem);
	free(f->file);
	image_fini(&f->im);
}

int
foreign_setup(void **state)
{
	static struct foreign f;

	foreign_init(&f);
	*state = &f;
	return 0;
}

int
foreign_teardown(void **state)
{
	foreign_fini(*state);
	return 0;
}

void
foreign_spill(struct foreign *f)
{
	assert_int_equal(ftruncate(f->im.fd, 0), 0);
	image_put(&f->im, 0, f->file, f->len);
}

/* Adds bytes to the file: where they are. */
static size_t
put(struct foreign *f, const void *buf, size_t len)
{
	const size_t at = f->len;

	f->file = realloc(f->file, f->len + len + 1);
	assert_non_null(f->file);
	if (buf != NULL)
		memcpy(f->file + at, buf, len);
	else
		memset(f->file + at, 0, len);
	f->len += len;
	return at;
}

static void
put_note(struct foreign *f, const char *name, uint32_t type, const void *desc,
    size_t len)
{
	const Elf64_Nhdr nh = { (uint32_t)strlen(name) + 1, (uint32_t)len,
	    type };

	put(f, &nh, sizeof(nh));
	put(f, name, nh.n_namesz);
	put(f, NULL, -nh.n_namesz & 3);
	put(f, desc, len);
	put(f, NULL, -len & 3);
}

static void
put_memory(struct foreign *f, const struct foreign_load *l)
{
	uint8_t page[PAGE];
	uint64_t at;

	for (at = 0; at < l->size; at += PAGE) {
		mkmem_page(f->mem, l->start + at, page);
		put(f, page, PAGE);
	}
}

void
foreign_elf(struct foreign *f)
{
	static const uint8_t prstatus[336] = { [32] = 77 };
	const size_t phdrs = sizeof(Elf64_Ehdr);
	Elf64_Ehdr eh = {
		.e_ident = ELFMAG "\002\001\001",
		.e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = 1,
		.e_phoff = phdrs, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(f->nloads + 1),
	};
	Elf64_Phdr ph[9] = { { .p_type = PT_NOTE } };
	const Elf64_Shdr sh = { .sh_info = (uint32_t)(f->nloads + 1) };
	size_t i;

	f->len = 0;
	put(f, &eh, sizeof(eh));
	put(f, NULL, (f->nloads + 1) * sizeof(ph[0]));
	if (f->xnum) {
		eh.e_phnum = PN_XNUM;
		eh.e_shentsize = sizeof(sh);
		eh.e_shnum = 1;
		eh.e_shoff = put(f, &sh, sizeof(sh));
	}
	ph[0].p_offset = f->len;
	put_note(f, "CORE", NT_PRSTATUS, prstatus, sizeof(prstatus));
	put_note(f, "QEMU", 0, "abc", 3);
	put_note(f, "VMCOREINFO", 0, f->info, strlen(f->info));
	ph[0].p_filesz = f->len - ph[0].p_offset;
	f->headers = f->len;
	for (i = 0; i < f->nloads; i++) {
		const struct foreign_load *l = &f->loads[i];

		ph[i + 1] = (Elf64_Phdr){ .p_type = PT_LOAD,
		    .p_offset = f->len, .p_vaddr = l->vaddr,
		    .p_paddr = l->start, .p_filesz = l->size,
		    .p_memsz = l->size + l->zeros };
		put_memory(f, l);
	}
	memcpy(f->file, &eh, sizeof(eh));
	memcpy(f->file + phdrs, ph, (f->nloads + 1) * sizeof(ph[0]));
	foreign_spill(f);
}

static void
set(struct foreign *f, size_t at, uint64_t value, size_t size)
{
	memcpy(f->file + at, &value, size);
}

/* Adds a page, compressed if that makes it smaller; fills in its descriptor. */
static void
put_page(struct foreign *f, const uint8_t *page, size_t desc)
{
	uint8_t to[2 * PAGE], work[LZO1X_1_MEM_COMPRESS];
	size_t n = sizeof(to);

	if (f->flags == 1)
		assert_int_equal(compress(to, &n, page, PAGE), Z_OK);
	else if (f->flags == 2)
		assert_int_equal(lzo1x_1_compress(page, PAGE, to, &n, work),
		    LZO_E_OK);
	else
		n = ZSTD_compress(to, sizeof(to), page, PAGE, 1);
	set(f, desc, f->len, 8);
	set(f, desc + 8, n < PAGE ? n : PAGE, 4);
	set(f, desc + 12, n < PAGE ? f->flags : 0, 4);
	put(f, n < PAGE ? to : page, n < PAGE ? n : PAGE);
}

/* Headers, as makedumpfile's diskdump_mod.h has them: where notes go is 8192. */
static void
put_headers(struct foreign *f, size_t bitmap_blocks, uint64_t npages)
{
	put(f, NULL, 3 * PAGE);
	memcpy(f->file, "KDUMP   ", 8);
	set(f, 8, (uint64_t)f->version, 4);
	strcpy((char *)f->file + 12 + 2 * 65, FOREIGN_RELEASE);
	strcpy((char *)f->file + 12 + 4 * 65, "x86_64");
	set(f, 424, f->flags, 4);
	set(f, 428, PAGE, 4);
	set(f, 432, 2, 4);		/* sub_hdr_size */
	set(f, 436, bitmap_blocks, 4);
	set(f, 440, npages, 4);
	set(f, 460, 3, 4);		/* nr_cpus */
	set(f, PAGE + 8, 31, 4);	/* dump_level */
	set(f, PAGE + 32, 2 * PAGE, 8);	/* VMCOREINFO */
	set(f, PAGE + 40, strlen(f->info), 8);
	strcpy((char *)f->file + 2 * PAGE, f->info);
	if (f->version >= 6)
		set(f, PAGE + 96, npages, 8);
}

static void
set_bit(struct foreign *f, size_t bitmap, uint64_t n)
{
	f->file[bitmap + n / 8] |= (uint8_t)(1u << n % 8);
}

void
foreign_kdump(struct foreign *f)
{
	const struct foreign_load *last = &f->loads[f->nloads - 1];
	const uint64_t npages = (last->start + last->size) / PAGE;
	const size_t half = (npages / 8 + PAGE - 1) / PAGE * PAGE;
	size_t bits, descs, n = 0, i, at, zero;
	uint8_t page[PAGE];
	uint64_t pa;

	f->len = 0;
	put_headers(f, 2 * half / PAGE, npages);
	bits = put(f, NULL, 2 * half);
	for (i = 1; i < f->nloads; i++)
		for (pa = f->loads[i].start; pa < f->loads[i].start +
		    f->loads[i].size; pa += PAGE) {
			set_bit(f, bits, pa / PAGE);
			if (i == 1 && pa < f->loads[1].start + 2 * PAGE)
				continue;
			set_bit(f, bits + half, pa / PAGE);
			n++;
		}
	descs = put(f, NULL, n * 24);
	f->headers = f->len;
	zero = put(f, NULL, PAGE);
	for (at = descs, i = 1; i < f->nloads; i++)
		for (pa = f->loads[i].start; pa < f->loads[i].start +
		    f->loads[i].size; pa += PAGE) {
			if (i == 1 && pa < f->loads[1].start + 2 * PAGE)
				continue;
			mkmem_page(f->mem, pa, page);
			put_page(f, page, at);
			if (i == 1 && pa == f->loads[1].start + 2 * PAGE) {
				set(f, at, zero, 8);
				set(f, at + 8, PAGE, 8);
			}
			at += 24;
		}
	foreign_spill(f);
	/* What there is to be compared. */
	f->loads[1].start += 3 * PAGE;
	f->loads[1].size -= 3 * PAGE;
}

/* One block of a flattened file. */
static void
put_block(struct foreign *f, const uint8_t *from, uint64_t off, uint64_t len)
{
	const uint64_t head[2] = { htobe64(off), htobe64(len) };

	put(f, head, sizeof(head));
	if (from != NULL)
		put(f, from, len);
}

static bool
all_zeros(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Zeros are left out, as makedumpfile does behind its bitmaps. */
void
foreign_flatten(struct foreign *f)
{
	const uint64_t head[2] = { htobe64(1), htobe64(1) };
	const size_t piece = 3000, len = f->len;
	uint8_t *was = f->file;
	size_t at;

	f->file = NULL;
	f->len = 0;
	put(f, NULL, PAGE);
	strcpy((char *)f->file, "makedumpfile");
	memcpy(f->file + 16, head, sizeof(head));
	put_block(f, was + piece, 0, piece);	/* wrong, and put right below */
	for (at = piece; at < len; at += piece)
		if (len - at <= piece || !all_zeros(was + at, piece))
			put_block(f, was + at, at,
			    len - at < piece ? len - at : piece);
	put_block(f, was, 0, piece);
	put_block(f, NULL, UINT64_MAX, UINT64_MAX);
	free(was);
	f->headers = 3 * PAGE;
	foreign_spill(f);
}

kvm_t *
foreign_open(struct foreign *f, char *errbuf)
{
	errbuf[0] = '\0';
	return kvm_openfiles(NULL, f->im.path, NULL, O_RDONLY, errbuf);
}

void
foreign_refused(struct foreign *f, int error, const char *text)
{
	char errbuf[KVM_ERRBUFSZ];

	errno = 0;
	assert_null(foreign_open(f, errbuf));
	assert_int_equal(errno, error);
	if (strstr(errbuf, text) == NULL)
		fail_msg("\"%s\" has no \"%s\"", errbuf, text);
}

void
foreign_compare(struct foreign *f)
{
	const uint64_t direct = mkdump_page_offset(&f->im.spec);
	uint8_t want[PAGE], have[PAGE];
	char errbuf[KVM_ERRBUFSZ];
	uint64_t at;
	size_t i;
	kvm_t *kd = foreign_open(f, errbuf);

	if (kd == NULL)
		fail_msg("%s", errbuf);
	for (i = 0; i < f->nloads; i++)
		for (at = 0; at < f->loads[i].size; at += PAGE) {
			mkmem_page(f->mem, f->loads[i].start + at, want);
			assert_int_equal(kvm_read(kd, direct +
			    f->loads[i].start + at, have, PAGE), PAGE);
			assert_memory_equal(have, want, PAGE);
		}
	kvm_close(kd);
}

/* Whatever became of the file, this comes back. */
static void
look(struct foreign *f)
{
	const uint64_t direct = mkdump_page_offset(&f->im.spec);
	char errbuf[KVM_ERRBUFSZ], *log;
	uint8_t buf[3 * PAGE];
	struct kvm_regs regs;
	kvm_t *kd = foreign_open(f, errbuf);
	size_t i;

	if (kd == NULL) {
		assert_ptr_equal(strstr(errbuf, f->im.path), errbuf);
		assert_true(strlen(errbuf) > strlen(f->im.path) + 2);
		return;
	}
	for (i = 0; i < f->nloads; i++)
		(void)kvm_read(kd, direct + f->loads[i].start, buf,
		    sizeof(buf));
	(void)kvm_dump_read(kd, buf, sizeof(buf), PAGE);
	(void)kvm_getregs(kd, 0, &regs);
	log = kvm_dmesg(kd, 0, &i);
	free(log);
	kvm_close(kd);
}

void
foreign_mutate_range(struct foreign *f, size_t from, size_t end)
{
	static const uint8_t flips[] = { 0xff, 0x80, 0x01 };
	uint8_t bad;
	size_t i, k;

	for (i = from; i < end; i++) {
		for (k = 0; k < sizeof(flips); k++) {
			bad = f->file[i] ^ flips[k];
			image_put(&f->im, i, &bad, 1);
			look(f);
		}
		image_put(&f->im, i, &f->file[i], 1);
	}
}

void
foreign_mutate(struct foreign *f, size_t end)
{
	size_t i;

	foreign_mutate_range(f, 0, end);
	for (i = end; i > 0; i -= i < 97 ? i : 97) {
		assert_int_equal(ftruncate(f->im.fd, (off_t)i), 0);
		look(f);
	}
	foreign_spill(f);
}
