/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nlist_test.c: kvm_nlist() from an execfile and from the header's names.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "image.h"

#define BUILD_ID	offsetof(cpu_kcore_hdr_t, build_id)

/* The test kernel's build id, in the header. */
static const struct mkdump_poke build_id[3] = {
	{ MKDUMP_CPU, BUILD_ID, 8, 0x0706050403020100 },
	{ MKDUMP_CPU, BUILD_ID + 8, 8, 0x0f0e0d0c0b0a0908 },
	{ MKDUMP_CPU, BUILD_ID + 16, 4, 0x13121110 },
};

static void
open_with_kernel(struct image *im, const char *kernel)
{
	char errbuf[KVM_ERRBUFSZ] = "";

	im->kd = kvm_openfiles(kernel, im->path, NULL, O_RDONLY, errbuf);
	if (im->kd == NULL)
		fail_msg("%s", errbuf);
}

/* The link-time address of a symbol of the test kernel. */
static uint64_t
linked_at(const char *name)
{
	Elf_Scn *scn = NULL;
	Elf_Data *d;
	GElf_Shdr sh;
	GElf_Sym sym;
	Elf *elf;
	uint64_t value = 0;
	size_t i;
	int fd = open(KERNEL, O_RDONLY);

	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		assert_non_null(gelf_getshdr(scn, &sh));
		if (sh.sh_type != SHT_SYMTAB)
			continue;
		d = elf_getdata(scn, NULL);
		for (i = 0; i < d->d_size / sh.sh_entsize; i++)
			if (gelf_getsym(d, (int)i, &sym) != NULL &&
			    strcmp(elf_strptr(elf, sh.sh_link, sym.st_name),
			    name) == 0)
				value = sym.st_value;
	}
	elf_end(elf);
	close(fd);
	return value;
}

/* This test checks that the header's names are found. */
static void
nlist_header_names_are_found(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "dumpmag" }, { .n_name = "_panicstr" },
		{ .n_name = "no_such_name", .n_value = 7, .n_type = 9 },
		{ .n_name = "_" }, { .n_name = "version" }, { .n_name = "" },
		{ .n_name = "dumpdev", .n_value = 7 },
	};
	struct image im;
	uint64_t panicstr;
	char text[32] = "";

	(void)state;
	image_init(&im);
	image_make(&im);
	/* Without a symbol table, nobody knows the others. */
	assert_int_equal(kvm_nlist(im.kd, nl), -1);
	image_says(&im, ": kallsyms: VMCOREINFO of kernel ");
	assert_int_equal(nl[0].n_value, MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG);
	assert_int_equal(nl[0].n_type, N_DATA | N_EXT);
	assert_int_equal(nl[1].n_value, MKDUMP_MODULE_VA + MKDUMP_AT_PANICSTR);
	assert_int_equal(nl[2].n_type, N_UNDF);
	assert_int_equal(nl[2].n_value, 0);
	assert_int_equal(nl[3].n_type, N_UNDF);
	assert_int_equal(nl[4].n_value, MKDUMP_MODULE_VA + MKDUMP_AT_VERSION);
	assert_int_equal(nl[6].n_value, 7);	/* behind the end */
	assert_int_equal(kvm_read(im.kd, nl[1].n_value, &panicstr, 8), 8);
	assert_int_equal(kvm_read(im.kd, panicstr, text,
	    strlen(im.spec.panicstr)), strlen(im.spec.panicstr));
	assert_string_equal(text, im.spec.panicstr);
	assert_string_equal(kvm_getkernelname(im.kd),
	    "(symbols in the dump)");
	image_fini(&im);
}

/* This test checks that the execfile's symbols move with the kernel. */
static void
nlist_execfile_symbols_are_slid(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "test_text" }, { .n_name = "test_data" },
		{ .n_name = "test_bss" }, { .n_name = "test_local" },
		{ .n_name = "test_abs" }, { .n_name = "test_percpu" },
		{ .n_name = "_test_text" }, { .n_name = "_test_under" },
		{ .n_name = "test_under" }, { .n_name = "dumpmag" },
		{ .n_name = "test_text" }, { .n_name = NULL },
	};
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	im.spec.pokes = build_id;
	im.spec.npokes = 3;
	image_write(&im);
	open_with_kernel(&im, KERNEL);
	assert_int_equal(kvm_nlist(im.kd, nl), 1);
	assert_int_equal(nl[0].n_value, linked_at("test_text") +
	    im.spec.slide);
	assert_true(nl[0].n_value > 0xffffffff81000000);
	assert_int_equal(nl[0].n_type, N_TEXT | N_EXT);
	assert_int_equal(nl[1].n_value, linked_at("test_data") +
	    im.spec.slide);
	assert_int_equal(nl[1].n_type, N_DATA | N_EXT);
	assert_int_equal(nl[2].n_type, N_BSS | N_EXT);
	assert_int_equal(nl[3].n_type, N_DATA);
	assert_int_equal(nl[4].n_value, 0xffffffff81234000);
	assert_int_equal(nl[4].n_type, N_ABS | N_EXT);
	assert_int_equal(nl[5].n_value, 0x1234);
	assert_int_equal(nl[6].n_value, nl[0].n_value);
	assert_int_equal(nl[7].n_value, linked_at("_test_under") +
	    im.spec.slide);
	assert_int_equal(nl[8].n_type, N_UNDF);
	assert_int_equal(nl[9].n_value, MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG);
	assert_int_equal(nl[10].n_value, nl[0].n_value);
	assert_string_equal(kvm_getkernelname(im.kd), KERNEL);
	image_fini(&im);
}

/* This test checks that another kernel's execfile is refused by build id. */
static void
nlist_other_kernel_is_refused(void **state)
{
	struct mkdump_poke pokes[3];
	struct nlist nl[] = { { .n_name = "test_text" }, { .n_name = NULL } };
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	memcpy(pokes, build_id, sizeof(pokes));
	im.spec.pokes = pokes;
	im.spec.npokes = 3;
	image_write(&im);
	open_with_kernel(&im, KERNEL);
	assert_int_equal(kvm_nlist(im.kd, nl), 0);
	assert_int_equal(kvm_close(im.kd), 0);
	pokes[2].value++;
	image_write(&im);
	open_with_kernel(&im, KERNEL);
	assert_int_equal(kvm_nlist(im.kd, nl), -1);
	assert_int_equal(errno, ESTALE);
	image_says(&im, "is not the kernel that dumped");
	image_fini(&im);
}

/* The test kernel, with a note of the header that a core has; by objcopy(1). */
static void
add_note(const struct image *im, const char *path)
{
	static const struct {
		Elf64_Nhdr nh;
		char name[12];
	} head = { { 9, sizeof(cpu_kcore_hdr_t), KCORE_NOTE_CPU },
	    "SWAPCORE" };
	uint8_t note[sizeof(head) + sizeof(cpu_kcore_hdr_t)];
	char cmd[512];
	FILE *fp;

	memcpy(note, &head, sizeof(head));
	image_get(im, im->info.cpu_off, note + sizeof(head),
	    sizeof(cpu_kcore_hdr_t));
	fp = fopen(path, "w");
	assert_non_null(fp);
	assert_int_equal(fwrite(note, 1, sizeof(note), fp), sizeof(note));
	assert_int_equal(fclose(fp), 0);
	snprintf(cmd, sizeof(cmd), "objcopy --add-section .note.x=%s "
	    "--rename-section .data=.data.mod %s %s.elf && mv %s.elf %s", path,
	    KERNEL, path, path, path);
	assert_int_equal(system(cmd), 0);
}

/* This test checks that a file made of the dump has the addresses that symbols
 * had, and goes with no other dump, nor with the running system. */
static void
nlist_file_made_of_dump_is_not_slid(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "test_text" }, { .n_name = "test_data" },
		{ .n_name = "test_bss" }, { .n_name = "dumpmag" },
		{ .n_name = NULL },
	};
	char errbuf[KVM_ERRBUFSZ], path[80];
	struct image im;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		image_init(&im);
		im.spec.core = true;
		im.spec.pokes = build_id;
		im.spec.npokes = 3;
		image_write(&im);
		snprintf(path, sizeof(path), "%s.elf", im.path);
		add_note(&im, path);
		im.spec.boot_id[3] ^= i == 1;
		im.spec.slide += i == 2 ? 0x200000 : 0;
		image_write(&im);
		open_with_kernel(&im, path);
		if (i > 0) {
			assert_int_equal(kvm_nlist(im.kd, nl), -1);
			assert_int_equal(errno, ESTALE);
			image_says(&im, "has the symbols of another dump");
			unlink(path);
			image_fini(&im);
			continue;
		}
		assert_int_equal(kvm_nlist(im.kd, nl), 0);
		assert_int_equal(nl[0].n_value, linked_at("test_text"));
		assert_int_equal(nl[0].n_type, N_TEXT | N_EXT);
		assert_int_equal(nl[1].n_value, linked_at("test_data"));
		assert_int_equal(nl[1].n_type, N_DATA | N_EXT);
		assert_int_equal(nl[2].n_type, N_BSS | N_EXT);
		assert_int_equal(nl[3].n_value,
		    MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG);
		kvm_close(im.kd);
		im.kd = kvm_openfiles(path, NULL, NULL, O_RDONLY, errbuf);
		assert_non_null(im.kd);
		assert_int_equal(kvm_nlist(im.kd, nl), -1);
		assert_non_null(strstr(kvm_geterr(im.kd), "not of the "
		    "running system"));
		unlink(path);
		image_fini(&im);
	}
}

/* This test checks that nlist before mkheader fails and finds nothing. */
static void
nlist_before_mkheader_fails(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "dumpmag", .n_type = N_TEXT, .n_value = 1 },
		{ .n_name = NULL },
	};
	struct image im;

	(void)state;
	image_init(&im);
	image_write(&im);
	image_open(&im, O_RDONLY);
	assert_int_equal(kvm_nlist(im.kd, nl), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(nl[0].n_type, N_UNDF);
	assert_int_equal(nl[0].n_value, 0);
	image_fini(&im);
}

/* This test checks that a bad execfile is told from a bad core. */
static void
nlist_bad_execfile_does_not_open(void **state)
{
	char errbuf[KVM_ERRBUFSZ];
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	image_write(&im);
	assert_null(kvm_openfiles("/nonexistent/vmlinux", im.path, NULL,
	    O_RDONLY, errbuf));
	assert_int_equal(errno, ENOENT);
	assert_string_equal(errbuf,
	    "/nonexistent/vmlinux: No such file or directory");
	assert_null(kvm_openfiles(im.path, im.path, NULL, O_RDONLY, errbuf));
	assert_int_equal(errno, ENOEXEC);
	assert_non_null(strstr(errbuf, "not an ELF file"));
	image_fini(&im);
}

/* This test checks that no changed byte of an ELF file crashes the reader. */
static void
nlist_damaged_execfile_never_crashes(void **state)
{
	static uint8_t elf[65536];
	struct nlist nl[] = { { .n_name = "test_text" }, { .n_name = NULL } };
	char errbuf[KVM_ERRBUFSZ], path[] = "/tmp/libkvm_elf.XXXXXX";
	struct image im;
	ssize_t len, i;
	uint8_t bad;
	kvm_t *kd;
	int fd, tmp;

	(void)state;
	image_init(&im);
	im.spec.core = true;
	im.spec.pokes = build_id;
	im.spec.npokes = 3;
	image_write(&im);
	fd = open(KERNEL, O_RDONLY);
	len = read(fd, elf, sizeof(elf));
	close(fd);
	assert_in_range(len, 1000, sizeof(elf) - 1);
	tmp = mkstemp(path);
	assert_int_equal(write(tmp, elf, (size_t)len), len);
	for (i = 0; i < len; i++) {
		/* The code and the gaps before it are of no interest. */
		if (i > 1024 && elf[i] == 0)
			continue;
		bad = elf[i] ^ 0xff;
		assert_int_equal(pwrite(tmp, &bad, 1, i), 1);
		kd = kvm_openfiles(path, im.path, NULL, O_RDONLY, errbuf);
		if (kd == NULL) {
			assert_true(strncmp(errbuf, path, strlen(path)) == 0);
		} else {
			if (kvm_nlist(kd, nl) == -1)
				assert_int_not_equal(kvm_geterr(kd)[0], '\0');
			kvm_close(kd);
		}
		assert_int_equal(pwrite(tmp, &elf[i], 1, i), 1);
	}
	close(tmp);
	unlink(path);
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nlist_header_names_are_found),
		cmocka_unit_test(nlist_execfile_symbols_are_slid),
		cmocka_unit_test(nlist_other_kernel_is_refused),
		cmocka_unit_test(nlist_file_made_of_dump_is_not_slid),
		cmocka_unit_test(nlist_before_mkheader_fails),
		cmocka_unit_test(nlist_bad_execfile_does_not_open),
		cmocka_unit_test(nlist_damaged_execfile_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
