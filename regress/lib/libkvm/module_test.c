/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module_test.c: modules and their symbols, as two kernels keep them.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "btf.h"

#define NMODS	3
#define MOD_SIZE	512u	/* of struct module */
#define AT_LIST		8u
#define AT_NAME		24u
#define AT_MEM		96u	/* 7 pieces of 24 bytes, or core_layout */
#define AT_KALLSYMS	296u	/* the pointer, and the struct behind it */
#define CODE		0x200u	/* of a module */

struct fixture {
	struct guest g;
	uint64_t head, mod[NMODS], code[NMODS];
	uint64_t first, end;	/* all of it */
};

/* Types: `new' kernels have mem[]. */
static void
make_types(bool new)
{
	btf_begin();
	btf_type("int", BTF_INT, 0, 4);		/* 1 */
	btf_word(32);
	btf_type("", BTF_PTR, 0, 1);		/* 2 */
	btf_type("list_head", BTF_STRUCT, 2, 16); /* 3 */
	btf_member("next", 2, 0, 0);
	btf_member("prev", 2, 0, 64);
	btf_type("char", BTF_INT, 0, 1);	/* 4 */
	btf_word(8);
	btf_array(4, 56);			/* 5 */
	btf_type(new ? "module_memory" : "module_layout", BTF_STRUCT, 2, 24);
	btf_member("base", 2, 0, 0);		/* 6 */
	btf_member("size", 1, 0, 64);
	btf_array(6, 7);			/* 7 */
	btf_type("mod_kallsyms", BTF_STRUCT, 4, 32); /* 8 */
	btf_member("symtab", 2, 0, 0);
	btf_member("num_symtab", 1, 0, 64);
	btf_member("strtab", 2, 0, 128);
	btf_member("typetab", 2, 0, 192);
	btf_type("module", BTF_STRUCT, 5, MOD_SIZE); /* 9 */
	btf_member("state", 1, 0, 0);
	btf_member("list", 3, 0, AT_LIST * 8);
	btf_member("name", 5, 0, AT_NAME * 8);
	btf_member(new ? "mem" : "core_layout", new ? 7 : 6, 0, AT_MEM * 8);
	btf_member("kallsyms", 2, 0, AT_KALLSYMS * 8);
}

static void
put64(struct guest *g, uint64_t va, uint64_t v)
{
	memcpy(guest_at(g, va), &v, 8);
}

/* A module with symbols `start_N' (global) and `helper' (local). */
static void
make_module(struct fixture *f, unsigned int i, bool new)
{
	struct guest *g = &f->g;
	char names[64] = "", types[] = "nttd";
	Elf64_Sym syms[4];
	uint64_t at = f->mod[i], ks = at + AT_KALLSYMS + 8;

	memset(syms, 0, sizeof(syms));
	snprintf(names + 1, sizeof(names) - 1, "start_%u%chelper%cdata", i, 0,
	    0);
	syms[1].st_name = 1;
	syms[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	syms[2].st_name = 9;
	syms[3].st_name = 16;
	syms[1].st_shndx = syms[2].st_shndx = syms[3].st_shndx = 1;
	syms[1].st_value = f->code[i] + 0x10;
	syms[2].st_value = f->code[i] + 0x20;
	syms[3].st_value = f->code[i] + CODE + 8;
	*(uint32_t *)(void *)guest_at(g, at) = i == 2 ?
	    KVM_MODULE_UNFORMED : KVM_MODULE_LIVE;
	snprintf((char *)guest_at(g, at + AT_NAME), 56, "mod%u", i);
	put64(g, at + AT_MEM, f->code[i]);
	put64(g, at + AT_MEM + 8, new ? CODE : 2 * CODE);
	if (new) {
		put64(g, at + AT_MEM + 24, f->code[i] + CODE);
		put64(g, at + AT_MEM + 32, CODE);
	}
	put64(g, at + AT_KALLSYMS, ks);
	put64(g, ks, guest_put(g, syms, sizeof(syms), 8));
	put64(g, ks + 8, 4);
	put64(g, ks + 16, guest_put(g, names, 21, 1));
	put64(g, ks + 24, guest_put(g, types, 4, 1));
}

static void
make(struct fixture *f, bool new)
{
	struct ksyms_sym syms[6];
	struct guest *g = &f->g;
	uint64_t btf, stop;
	unsigned int i;

	guest_init(g);
	make_types(new);
	btf = btf_put(g);
	stop = g->base + g->used;
	f->first = f->head = guest_put(g, NULL, 16, 8);
	for (i = 0; i < NMODS; i++)
		f->mod[i] = guest_put(g, NULL, MOD_SIZE, 8);
	for (i = 0; i < NMODS; i++)
		f->code[i] = g->base + 0x8000 + i * 2 * CODE;
	for (i = 0; i < NMODS; i++)
		make_module(f, i, new);
	f->end = g->base + g->used;
	put64(g, f->head, f->mod[0] + AT_LIST);
	for (i = 0; i < NMODS; i++)
		put64(g, f->mod[i] + AT_LIST, i + 1 < NMODS ?
		    f->mod[i + 1] + AT_LIST : f->head);
	syms[0] = (struct ksyms_sym){ g->base, 'T', "_stext" };
	syms[1] = (struct ksyms_sym){ btf, 'D', "__start_BTF" };
	syms[2] = (struct ksyms_sym){ stop, 'D', "__stop_BTF" };
	syms[3] = (struct ksyms_sym){ f->head, 'd', "modules" };
	syms[4] = (struct ksyms_sym){ f->end, 'd', "helper_of_none" };
	syms[5] = (struct ksyms_sym){ f->end + 8, 'B', "_end" };
	ksyms_put(g, KSYMS_BASE, true, syms, 6);
	guest_make(g);
}

static int
check_module(void *cookie, const struct kvm_module *mod)
{
	struct fixture *f = ((void **)cookie)[0];
	unsigned int *i = ((void **)cookie)[1];
	char name[16];

	snprintf(name, sizeof(name), "mod%u", *i);
	assert_string_equal(mod->km_name, name);
	assert_int_equal(mod->km_addr, f->mod[*i]);
	assert_int_equal(mod->km_base, f->code[*i]);
	assert_int_equal(mod->km_size, 2 * CODE);
	assert_int_equal(mod->km_state, KVM_MODULE_LIVE);
	++*i;
	return 0;
}

/* This test checks the list of modules, without the one still unformed. */
static void
module_list_is_as_the_kernel_has_it(void **state)
{
	struct fixture f;
	unsigned int i, new;
	void *cookie[] = { &f, &i };

	(void)state;
	for (new = 0; new < 2; new++) {
		make(&f, new != 0);
		i = 0;
		if (kvm_modules(f.g.im.kd, check_module, cookie) == -1)
			fail_msg("%s", kvm_geterr(f.g.im.kd));
		assert_int_equal(i, 2);
		guest_fini(&f.g);
	}
}

static void
check_symbol(struct fixture *f, uint64_t addr, const char *want)
{
	char buf[600];

	if (kvm_symbol(f->g.im.kd, addr, buf, sizeof(buf), NULL) == -1)
		fail_msg("%s: %s", want, kvm_geterr(f->g.im.kd));
	assert_string_equal(buf, want);
}

/* This test checks names and addresses of modules' symbols, both ways. */
static void
module_symbols_are_found(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "_start_1" }, { .n_name = "helper" },
		{ .n_name = "start_0" }, { .n_name = "start_2" },
		{ .n_name = NULL },
	};
	struct fixture f;
	unsigned int new;
	char buf[64];

	(void)state;
	for (new = 0; new < 2; new++) {
		make(&f, new != 0);
		assert_int_equal(kvm_nlist(f.g.im.kd, nl), 1);
		assert_int_equal(nl[0].n_value, f.code[1] + 0x10);
		assert_int_equal(nl[0].n_type, N_TEXT | N_EXT);
		assert_int_equal(nl[1].n_value, f.code[0] + 0x20);
		assert_int_equal(nl[1].n_type, N_TEXT);
		assert_int_equal(nl[2].n_value, f.code[0] + 0x10);
		assert_int_equal(nl[3].n_type, N_UNDF);
		check_symbol(&f, f.code[1] + 0x1f, "start_1+0xf [mod1]");
		check_symbol(&f, f.code[0] + 0x100, "helper+0xe0 [mod0]");
		check_symbol(&f, f.code[0] + CODE + 9, "data+0x1 [mod0]");
		assert_int_equal(kvm_symbol(f.g.im.kd, f.code[0] + 1, buf,
		    sizeof(buf), NULL), -1);
		assert_int_equal(errno, ENOENT);
		guest_fini(&f.g);
	}
}

static int
ignore_module(void *cookie, const struct kvm_module *mod)
{
	*(size_t *)cookie += strlen(mod->km_name);
	return 0;
}

static void
look(struct guest *g)
{
	struct nlist nl[] = { { .n_name = "start_1" }, { .n_name = NULL } };
	size_t n = 0;
	char buf[600];

	guest_result(g, kvm_modules(g->im.kd, ignore_module, &n));
	guest_result(g, kvm_nlist(g->im.kd, nl));
	guest_result(g, kvm_symbol(g->im.kd, g->base + 0x8100, buf,
	    sizeof(buf), NULL));
}

/* This test checks that no changed byte of a module does harm. */
static void
module_damaged_never_crashes(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, true);
	guest_mutate(&f.g, f.first, (size_t)(f.end - f.first), look);
	guest_fini(&f.g);
}

/* This test checks that a list which leads out of the dump is told, and that the
 * modules before that place are known. */
static void
module_list_is_known_up_to_its_damage(void **state)
{
	struct nlist nl[] = { { .n_name = "start_1" }, { .n_name = NULL } };
	struct fixture f;
	unsigned int i = 0;
	void *cookie[] = { &f, &i };

	(void)state;
	make(&f, true);
	put64(&f.g, f.mod[1] + AT_LIST, 0xdead000000000100);
	guest_make(&f.g);
	assert_int_equal(kvm_modules(f.g.im.kd, check_module, cookie), -1);
	assert_int_equal(i, 2);
	image_says(&f.g.im, ": modules: module 0xdead0000000000");
	assert_int_equal(kvm_nlist(f.g.im.kd, nl), 0);
	assert_int_equal(nl[0].n_value, f.code[1] + 0x10);
	check_symbol(&f, f.code[0] + 0x100, "helper+0xe0 [mod0]");
	i = 0;
	assert_int_equal(kvm_modules(f.g.im.kd, check_module, cookie), -1);
	assert_int_equal(i, 2);
	image_says(&f.g.im, ": modules: module 0xdead0000000000");
	guest_fini(&f.g);
}

/* This test checks that a list which goes round is told. */
static void
module_list_without_end_is_told(void **state)
{
	struct fixture f;
	size_t n = 0;

	(void)state;
	make(&f, true);
	put64(&f.g, f.mod[1] + AT_LIST, f.mod[0] + AT_LIST);
	guest_make(&f.g);
	assert_int_equal(kvm_modules(f.g.im.kd, ignore_module, &n), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(n, 0);
	image_says(&f.g.im, "modules: the list does not end");
	guest_fini(&f.g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_list_is_as_the_kernel_has_it),
		cmocka_unit_test(module_symbols_are_found),
		cmocka_unit_test(module_list_is_known_up_to_its_damage),
		cmocka_unit_test(module_list_without_end_is_told),
		cmocka_unit_test(module_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
