/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_test.c: symbols, modules, memory, types and log of a running system that
 * is made up.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "livetree.h"

#define TEXT	0xffffffff80000000ul
#define MOD	0xffffffffc0200000ul

#define KALLSYMS "0000000000001000 A percpu_thing\n" \
    "ffffffff81000000 T _stext\n" \
    "ffffffff81000000 T _text\n" \
    "ffffffff81000100 t twice\n" \
    "ffffffff81000200 T twice\n" \
    "ffffffff81000300 t once\n" \
    "ffffffff81000400 D _end\n" \
    "ffffffffc0200100 t once\t[beta]\n" \
    "ffffffffc0208000 d beta_data\t[beta]\n" \
    "ffffffffc0200400 d __this_module\t[beta]\n" \
    "ffffffffc0100040 d __this_module\t[alpha]\n" \
    "ffffffffc0500000 t bpf_prog_1\t[bpf]\n"
#define MODULES "beta 65536 1 - Live 0xffffffffc0200000 (OE)\n" \
    "alpha 4096 2 beta,x, Loading 0xffffffffc0100000\n"

/* A tree with symbols and modules. */
static void
init(struct livetree *t, const char *corefile, int flags)
{
	livetree_init(t, corefile, flags);
	livetree_text(t, "/proc/kallsyms", KALLSYMS);
	livetree_text(t, "/proc/modules", MODULES);
}

/* The address of a name; 0: it is not found. */
static unsigned long
look(struct livetree *t, const char *name)
{
	struct nlist nl[] = { { .n_name = name }, { .n_name = NULL } };

	if (kvm_nlist(t->kd, nl) == -1)
		fail_msg("%s", kvm_geterr(t->kd));
	return nl[0].n_value;
}

/* This test checks names: global ones and the kernel's own come first. */
static void
live_name_is_found_in_kallsyms(void **state)
{
	struct nlist nl[] = { { .n_name = "_once" }, { .n_name = "no" },
	    { .n_name = "percpu_thing" }, { .n_name = NULL } };
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDONLY);
	assert_int_equal(look(&t, "_stext"), TEXT + 0x1000000);
	assert_int_equal(look(&t, "twice"), TEXT + 0x1000200);
	assert_int_equal(look(&t, "once"), TEXT + 0x1000300);
	assert_int_equal(look(&t, "beta_data"), MOD + 0x8000);
	assert_int_equal(kvm_nlist(t.kd, nl), 1);
	assert_int_equal(nl[0].n_value, TEXT + 0x1000300);
	assert_int_equal(nl[0].n_type, N_TEXT);
	assert_int_equal(nl[1].n_type, N_UNDF);
	assert_int_equal(nl[2].n_value, 0x1000);
	assert_string_equal(kvm_getkernelname(t.kd), "(/proc/kallsyms)");
	livetree_fini(&t);
}

static void
symbol_is(struct livetree *t, unsigned long addr, const char *wanted)
{
	char name[640];

	if (kvm_symbol(t->kd, addr, name, sizeof(name), NULL) == -1) {
		if (wanted != NULL)
			fail_msg("%s", kvm_geterr(t->kd));
		livetree_says(t, ENOENT, "in no symbol");
		return;
	}
	assert_non_null(wanted);
	assert_string_equal(name, wanted);
}

/* This test checks which symbol an address is in, and that none is claimed too
 * far from the last one. */
static void
live_address_is_in_a_symbol(void **state)
{
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDONLY);
	symbol_is(&t, TEXT + 0x1000000, "_stext+0x0");
	symbol_is(&t, TEXT + 0x10002ff, "twice+0xff");
	symbol_is(&t, TEXT + 0x1000400, "_end+0x0");
	symbol_is(&t, TEXT + 0x1000401, NULL);
	symbol_is(&t, TEXT, NULL);
	symbol_is(&t, 0x1000, NULL);
	symbol_is(&t, 0, NULL);
	symbol_is(&t, MOD + 0x101, "once+0x1 [beta]");
	symbol_is(&t, MOD + 0x8000 + 65535, "beta_data+0xffff [beta]");
	symbol_is(&t, MOD + 0x8000 + 65536, NULL);
	symbol_is(&t, MOD - 1, NULL);
	symbol_is(&t, 0xffffffffc0500010ul, "bpf_prog_1+0x10 [bpf]");
	symbol_is(&t, UINT64_MAX, NULL);
	livetree_fini(&t);
}

struct list {
	char text[4096];
	size_t len;
};

static int
list_symbol(void *cookie, const struct kvm_sym *s)
{
	struct list *l = cookie;

	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len,
	    "%016lx %c %s%s%s%s\n", s->ks_addr, s->ks_type, s->ks_name,
	    s->ks_module != NULL ? "\t[" : "",
	    s->ks_module != NULL ? s->ks_module : "",
	    s->ks_module != NULL ? "]" : "");
	return 0;
}

static int
list_module(void *cookie, const struct kvm_module *m)
{
	struct list *l = cookie;

	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len,
	    "%s %lu %d %lx %lx\n", m->km_name, m->km_size, m->km_state,
	    m->km_base, m->km_addr);
	return 0;
}

/* This test checks that all symbols and modules are told, as they stand. */
static void
live_lists_are_those_of_proc(void **state)
{
	struct list l = { .len = 0 }, m = { .len = 0 };
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDONLY);
	assert_int_equal(kvm_symbols(t.kd, list_symbol, &l), 0);
	assert_string_equal(l.text, KALLSYMS);
	assert_int_equal(kvm_modules(t.kd, list_module, &m), 0);
	assert_string_equal(m.text,
	    "beta 65536 0 ffffffffc0200000 ffffffffc0200400\n"
	    "alpha 4096 1 ffffffffc0100000 ffffffffc0100040\n");
	livetree_text(&t, "/proc/modules", "beta 65536 1 - Live\n");
	assert_int_equal(kvm_modules(t.kd, list_module, &m), -1);
	livetree_says(&t, EBADMSG, "/proc/modules: line 1 makes no sense");
	livetree_text(&t, "/proc/modules", MODULES "c x 1 - Live 0x1\n");
	assert_int_equal(kvm_modules(t.kd, list_module, &m), -1);
	livetree_says(&t, EBADMSG, "line 3 makes no sense");
	assert_null(strstr(m.text, "alpha 4096 1 ffffffffc0100000 "
	    "ffffffffc0100040\nbeta"));
	livetree_fini(&t);
}

/* This test checks that hidden addresses are told from symbols, and why. */
static void
live_hidden_addresses_say_why(void **state)
{
	struct nlist nl[] = { { .n_name = "once" }, { .n_name = NULL } };
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDONLY);
	livetree_text(&t, "/proc/kallsyms", "0000000000000000 T _text\n"
	    "0000000000000000 t once\n");
	livetree_text(&t, "/proc/sys/kernel/kptr_restrict", "1\n");
	assert_int_equal(kvm_nlist(t.kd, nl), -1);
	livetree_says(&t, EPERM, "CAP_SYSLOG is missing");
	livetree_text(&t, "/proc/sys/kernel/kptr_restrict", "2\n");
	assert_int_equal(kvm_nlist(t.kd, nl), -1);
	livetree_says(&t, EPERM, "kernel.kptr_restrict is 2");
	assert_int_equal(kvm_modules(t.kd, list_module, NULL), -1);
	livetree_says(&t, EPERM, "kernel.kptr_restrict is 2");
	livetree_remove(&t, "/proc/kallsyms");
	assert_int_equal(kvm_nlist(t.kd, nl), -1);
	livetree_says(&t, ENOENT, "CONFIG_KALLSYMS");
	livetree_fini(&t);
}

/* This test checks that no damage to kallsyms does harm. */
static void
live_damaged_kallsyms_is_told(void **state)
{
	static const char *const bad[] = {
		"", "\n", "x", "x\n", "ffff T\n", "ffff T _text [\n",
		"ffff T _text []x\n", "fffg T _text\n", "ffff TT _text\n",
		"ffff T _text\nffff\n", "fffffffffffffffff T _text\n",
		"ffff T other\n", "ffff T \n", "ffff T _text ]\n",
	};
	char text[] = KALLSYMS, name[640];
	struct nlist nl[] = { { .n_name = "once" }, { .n_name = NULL } };
	struct livetree t;
	size_t i;

	(void)state;
	init(&t, NULL, O_RDONLY);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		livetree_text(&t, "/proc/kallsyms", "%s", bad[i]);
		assert_int_equal(kvm_nlist(t.kd, nl), -1);
		livetree_says(&t, EBADMSG, "/proc/kallsyms: ");
	}
	for (i = 0; i < 3 * strlen(KALLSYMS); i++) {
		text[i / 3] = "\n\0["[i % 3];
		livetree_put(&t, "/proc/kallsyms", text, strlen(KALLSYMS));
		livetree_reopen(&t, NULL, NULL, O_RDONLY);
		if (kvm_nlist(t.kd, nl) == -1)
			livetree_says(&t, EBADMSG, "/proc/kallsyms: ");
		else
			kvm_symbol(t.kd, MOD + 0x101, name, sizeof(name), NULL);
		text[i / 3] = KALLSYMS[i / 3];
	}
	livetree_fini(&t);
}

/* An ELF core file with two ranges of addresses that follow each other. */
struct kcore {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[4];
	uint8_t data[96];
};

static void
kcore_make(struct kcore *k)
{
	const size_t at = offsetof(struct kcore, data);
	size_t i;

	memset(k, 0, sizeof(*k));
	memcpy(k->eh.e_ident, ELFMAG "\2\1\1", 7);
	k->eh.e_type = ET_CORE;
	k->eh.e_phoff = sizeof(k->eh);
	k->eh.e_phentsize = sizeof(k->ph[0]);
	k->eh.e_phnum = 4;
	k->ph[0].p_type = PT_NOTE;
	for (i = 1; i < 4; i++) {
		k->ph[i].p_type = PT_LOAD;
		k->ph[i].p_filesz = k->ph[i].p_memsz = 32;
	}
	k->ph[1].p_vaddr = TEXT + 32;
	k->ph[1].p_offset = at + 64;
	k->ph[2].p_vaddr = TEXT;
	k->ph[2].p_offset = at;
	k->ph[3].p_vaddr = UINT64_MAX - 31;
	k->ph[3].p_offset = at + 32;
	for (i = 0; i < sizeof(k->data); i++)
		k->data[i] = (uint8_t)i;
}

/* This test checks reading through kcore: across ranges, into holes, to the end
 * of all addresses, and that nothing is written. */
static void
live_kcore_gives_memory(void **state)
{
	uint8_t buf[128];
	struct kcore k;
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDWR);
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, ENOENT, "/proc/kcore: No such file or directory: the "
	    "kernel was built without CONFIG_PROC_KCORE");
	kcore_make(&k);
	livetree_put(&t, "/proc/kcore", &k, sizeof(k));
	assert_int_equal(kvm_read(t.kd, TEXT + 1, buf, 60), 60);
	assert_memory_equal(buf, k.data + 1, 31);
	assert_memory_equal(buf + 31, k.data + 64, 29);
	assert_int_equal(kvm_read(t.kd, TEXT + 60, buf, 60), 4);
	livetree_says(&t, EFAULT, "address 0xffffffff80000040: /proc/kcore has "
	    "no memory there");
	assert_int_equal(kvm_read(t.kd, TEXT - 1, buf, 60), -1);
	assert_int_equal(kvm_read(t.kd, 0, buf, 1), -1);
	assert_int_equal(kvm_read(t.kd, UINT64_MAX - 3, buf, 60), 4);
	assert_memory_equal(buf, k.data + 60, 4);
	livetree_says(&t, EFAULT, "the address space ends");
	assert_int_equal(kvm_write(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, EROFS, "/proc/kcore can only be read");
	livetree_reopen(&t, NULL, "/proc/kcore", O_RDONLY);
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 32), 32);
	assert_int_equal(kvm_write(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, EBADF, "opened for reading only");
	livetree_put(&t, "/proc/kcore", &k, sizeof(k) - 10);
	assert_int_equal(kvm_read(t.kd, TEXT + 32, buf, 32), 22);
	livetree_says(&t, EIO, "/proc/kcore: it ends before address");
	livetree_fini(&t);
}

/* This test checks headers of kcore that make no sense. */
static void
live_damaged_kcore_is_told(void **state)
{
	uint8_t raw[sizeof(struct kcore)], buf[64];
	struct kcore k;
	struct livetree t;
	size_t i;

	(void)state;
	init(&t, NULL, O_RDONLY);
	kcore_make(&k);
	for (i = 0; i < offsetof(struct kcore, data); i++) {
		memcpy(raw, &k, sizeof(raw));
		raw[i] = (uint8_t)~raw[i];
		livetree_put(&t, "/proc/kcore", raw, sizeof(raw));
		livetree_reopen(&t, NULL, NULL, O_RDONLY);
		if (kvm_read(t.kd, TEXT, buf, sizeof(buf)) == -1)
			assert_non_null(strstr(kvm_geterr(t.kd),
			    "/proc/kcore"));
	}
	livetree_put(&t, "/proc/kcore", "", 0);
	livetree_reopen(&t, NULL, NULL, O_RDONLY);
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, EIO, "/proc/kcore: ends at 0");
	k.ph[2].p_filesz = UINT64_MAX;
	livetree_put(&t, "/proc/kcore", &k, sizeof(k));
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, EBADMSG, "program header 2: ");
	livetree_fini(&t);
}

/* Physical memory: page tables that map TEXT with a page of 2 MiB to 0. */
static void
devmem_make(struct livetree *t, const char *root)
{
	static const size_t size = 0x8000;
	uint8_t *mem = calloc(1, size);
	char text[256];
	Elf64_Nhdr nh = { 11, 0, 0 };

	assert_non_null(mem);
	nh.n_descsz = (uint32_t)snprintf(text, sizeof(text), "OSRELEASE=x\n"
	    "NUMBER(phys_base)=-4096\n%s", root);
	memcpy(mem + 0x1000 + 511 * 8, &(uint64_t){ 0x2003 }, 8);
	memcpy(mem + 0x2000 + 510 * 8, &(uint64_t){ 0x3003 }, 8);
	memcpy(mem + 0x3000, &(uint64_t){ 0x83 }, 8);
	memcpy(mem + 0x5000, &nh, sizeof(nh));
	memcpy(mem + 0x500c, "VMCOREINFO", 11);
	memcpy(mem + 0x5018, text, nh.n_descsz);
	strcpy((char *)mem + 0x6123, "here");
	livetree_put(t, "/dev/mem", mem, size);
	livetree_text(t, "/sys/kernel/vmcoreinfo", "0x%016x %x\n", 0x5000,
	    0x400);
	free(mem);
}

/* This test checks memory through /dev/mem, by the kernel's page tables. */
static void
live_devmem_is_read_and_written(void **state)
{
	struct livetree t;
	char buf[16];

	(void)state;
	init(&t, "/dev/mem", O_RDWR);
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, ENOENT, "/dev/mem: No such file or directory: the "
	    "kernel was built without CONFIG_DEVMEM");
	devmem_make(&t, "");
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, ENOTSUP, "has no SYMBOL(init_top_pgt)");
	devmem_make(&t, "SYMBOL(init_top_pgt)=ffffffff80002000\n");
	livetree_reopen(&t, NULL, "/dev/mem", O_RDWR);
	assert_int_equal(kvm_read(t.kd, TEXT + 0x6123, buf, 5), 5);
	assert_string_equal(buf, "here");
	assert_int_equal(kvm_write(t.kd, TEXT + 0x6124, "ow", 2), 2);
	assert_int_equal(kvm_read(t.kd, TEXT + 0x6123, buf, 5), 5);
	assert_string_equal(buf, "howe");
	assert_int_equal(kvm_read(t.kd, TEXT + 0x7ffe, buf, 5), 2);
	livetree_says(&t, ENXIO, "there is no such memory");
	assert_int_equal(kvm_read(t.kd, TEXT + 0x200000, buf, 5), -1);
	livetree_says(&t, EFAULT, "not mapped");
	livetree_reopen(&t, NULL, "/dev/mem", O_RDONLY);
	assert_int_equal(kvm_write(t.kd, TEXT + 0x6124, "ow", 2), -1);
	livetree_says(&t, EBADF, "opened for reading only");
	livetree_text(&t, "/sys/kernel/vmcoreinfo", "what\n");
	assert_int_equal(kvm_read(t.kd, TEXT, buf, 1), -1);
	livetree_says(&t, EBADMSG, "/sys/kernel/vmcoreinfo: it makes no sense");
	livetree_fini(&t);
}

/*
 * /dev/kmsg: a pipe that keeps what is written apart, as the device does.  The
 * end that is returned is closed when all has been written.
 */
static int
kmsg_open(struct livetree *t, int *reader)
{
	char path[64];
	int fds[2];

	assert_int_equal(pipe2(fds, O_DIRECT), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	livetree_link(t, "/dev/kmsg", path);
	*reader = fds[0];
	return fds[1];
}

static void
kmsg_put(struct livetree *t, const char *const *recs, size_t n, int *reader)
{
	const int fd = kmsg_open(t, reader);
	size_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(write(fd, recs[i], strlen(recs[i])),
		    strlen(recs[i]));
	close(fd);
}

static int
kmsg_lost(void *cookie, const struct kvm_logrec *rec)
{
	uint64_t *lost = cookie;

	*lost = *lost * 10 + rec->kl_lost;
	if (rec->kl_seq == 8) {
		assert_int_equal(rec->kl_caller, 12);
		assert_int_equal(rec->kl_facility, 1);
		assert_int_equal(rec->kl_level, 4);
	}
	return 0;
}

/* This test checks records: what is escaped, what is lost, what is added. */
static void
live_log_is_that_of_kmsg(void **state)
{
	static const char *const recs[] = {
		"6,3,0,-;first\n",
		"3,4,1234567,-;two\\x0alines \\x5c \\xff\n SUBSYSTEM=pci\n"
		    " DEVICE=+pci:0\n",
		"12,8,2000000,c,caller=T12;\n",
		"30,9,99999999999,-,caller=C1,more=1;a;b,c \\xz \\x\n",
	};
	uint64_t lost = 0;
	struct livetree t;
	int reader;
	char *text;

	(void)state;
	init(&t, NULL, O_RDONLY);
	kmsg_put(&t, recs, 4, &reader);
	text = kvm_dmesg(t.kd, KVM_LOG_LEVEL, NULL);
	if (text == NULL)
		fail_msg("%s", kvm_geterr(t.kd));
	assert_string_equal(text,
	    "<6>[    0.000000] first\n"
	    "<3>[    1.234567] two\n"
	    "<3>[    1.234567] lines \\ \xff\n"
	    "<12>[    2.000000] \n"
	    "<30>[99999.999999] a;b,c \\xz \\x\n");
	free(text);
	close(reader);
	kmsg_put(&t, recs, 4, &reader);
	assert_int_equal(kvm_log(t.kd, kmsg_lost, &lost), 0);
	assert_int_equal(lost, 30);
	close(reader);
	livetree_fini(&t);
}

/* This test checks records that make no sense, and no log at all. */
static void
live_damaged_log_is_told(void **state)
{
	static const char *const bad[] = {
		"x", ";", "6,3,0,-", "6,3;0,-,a\n", "6,3,x,-;a\n", "6,3,0;a\n",
		"99999,3,0,-;a\n", "6,3,18446744073709551615,-;a\n", ",,,;\n",
	};
	struct livetree t;
	int reader;
	size_t i;

	(void)state;
	init(&t, NULL, O_RDONLY);
	assert_null(kvm_dmesg(t.kd, 0, NULL));
	livetree_says(&t, ENOENT, "/dev/kmsg: No such file or directory");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kmsg_put(&t, &bad[i], 1, &reader);
		assert_null(kvm_dmesg(t.kd, 0, NULL));
		livetree_says(&t, EBADMSG, "/dev/kmsg: a record makes no sense");
		close(reader);
	}
	livetree_fini(&t);
}

/* This test checks an execfile: moved as far as the running kernel was, and
 * refused where it is another. */
static void
live_execfile_must_be_the_running_kernel(void **state)
{
	static const uint8_t note[] = {
		4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0,
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		18, 19,
	};
	struct nlist nl[] = { { .n_name = "test_text" }, { .n_name = "once" },
	    { .n_name = "test_abs" }, { .n_name = NULL } };
	struct livetree t;
	unsigned long moved;
	uint8_t other[sizeof(note)];

	(void)state;
	init(&t, NULL, O_RDONLY);
	livetree_reopen(&t, KERNEL, NULL, O_RDONLY);
	livetree_put(&t, "/sys/kernel/notes", note, sizeof(note));
	assert_int_equal(kvm_nlist(t.kd, nl), 0);
	moved = nl[0].n_value;
	assert_int_equal(nl[1].n_value, TEXT + 0x1000300);
	assert_int_equal(nl[2].n_value, TEXT + 0x1234000);
	assert_string_equal(kvm_getkernelname(t.kd), KERNEL);
	livetree_text(&t, "/proc/kallsyms", "ffffffff91000000 T _stext\n");
	livetree_reopen(&t, KERNEL, NULL, O_RDONLY);
	nl[1].n_name = NULL;
	assert_int_equal(kvm_nlist(t.kd, nl), 0);
	assert_int_equal(nl[0].n_value, moved + 0x10000000);
	memcpy(other, note, sizeof(note));
	other[20] ^= 1;
	livetree_put(&t, "/sys/kernel/notes", other, sizeof(other));
	assert_int_equal(kvm_nlist(t.kd, nl), -1);
	livetree_says(&t, ESTALE, "is not the running kernel");
	livetree_fini(&t);
}

/* This test checks what a running system does not have, or not without files,
 * and that it says so. */
static void
live_what_is_not_there_is_told(void **state)
{
	struct kvm_regs regs;
	struct kvm_type ty;
	struct livetree t;

	(void)state;
	init(&t, NULL, O_RDONLY);
	assert_int_equal(kvm_getregs(t.kd, 0, &regs), -1);
	livetree_says(&t, ENOTSUP, "the running system has no registers");
	assert_null(kvm_dump_hdr(t.kd));
	livetree_says(&t, ENODEV, "this is the running system, not a dump");
	assert_int_equal(kvm_dump_mkheader(t.kd, 0), -1);
	assert_int_equal(kvm_type(t.kd, "task_struct", &ty), -1);
	livetree_says(&t, ENOENT, "CONFIG_DEBUG_INFO_BTF");
	livetree_text(&t, "/sys/kernel/btf/vmlinux", "no BTF");
	assert_int_equal(kvm_type(t.kd, "task_struct", &ty), -1);
	livetree_says(&t, EBADMSG, "BTF: ");
	livetree_reopen(&t, NULL, NULL, KVM_NO_FILES);
	assert_int_equal(kvm_type(t.kd, "task_struct", &ty), -1);
	livetree_says(&t, ENODEV, "KVM_NO_FILES");
	assert_int_equal(kvm_symbols(t.kd, list_symbol, NULL), -1);
	livetree_says(&t, ENODEV, "KVM_NO_FILES");
	assert_int_equal(kvm_modules(t.kd, list_module, NULL), -1);
	livetree_says(&t, ENODEV, "KVM_NO_FILES");
	assert_null(kvm_dmesg(t.kd, 0, NULL));
	livetree_says(&t, ENODEV, "KVM_NO_FILES");
	assert_non_null(kvm_release(t.kd));
	livetree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_name_is_found_in_kallsyms),
		cmocka_unit_test(live_address_is_in_a_symbol),
		cmocka_unit_test(live_lists_are_those_of_proc),
		cmocka_unit_test(live_hidden_addresses_say_why),
		cmocka_unit_test(live_damaged_kallsyms_is_told),
		cmocka_unit_test(live_kcore_gives_memory),
		cmocka_unit_test(live_damaged_kcore_is_told),
		cmocka_unit_test(live_devmem_is_read_and_written),
		cmocka_unit_test(live_log_is_that_of_kmsg),
		cmocka_unit_test(live_damaged_log_is_told),
		cmocka_unit_test(live_execfile_must_be_the_running_kernel),
		cmocka_unit_test(live_what_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
