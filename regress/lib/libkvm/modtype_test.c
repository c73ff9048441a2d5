/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modtype_test.c: structures that only modules know, whose BTF goes on where
 * the kernel's ends.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "btf.h"

#define NMODS	3u
/* Places in the kernel's structures. */
#define BM_LIST	8u
#define BM_BTF	24u
#define BM_SIZE	32u
#define B_DATA	0u
#define B_LEN	8u
#define B_NAME	12u
#define B_SIZE	72u
#define NTYPES	6u	/* of the kernel */

struct fixture {
	struct guest g;
	uint64_t head, mod[NMODS], btf[NMODS], blob[NMODS];
	size_t len[NMODS];
	uint64_t first, end;	/* the list and what it leads to */
};

static void
make_kernel(void)
{
	btf_begin();
	btf_type("int", BTF_INT, 0, 4);			/* 1 */
	btf_word(32);
	btf_type("", BTF_PTR, 0, 1);			/* 2 */
	btf_type("char", BTF_INT, 0, 1);		/* 3 */
	btf_word(8);
	btf_array(3, 56);				/* 4 */
	btf_type("btf_module", BTF_STRUCT, 2, BM_SIZE);	/* 5 */
	btf_member("list", 2, 0, BM_LIST * 8);
	btf_member("btf", 2, 0, BM_BTF * 8);
	btf_type("btf", BTF_STRUCT, 3, B_SIZE);		/* 6 */
	btf_member("data", 2, 0, B_DATA * 8);
	btf_member("data_size", 1, 0, B_LEN * 8);
	btf_member("name", 4, 0, B_NAME * 8);
}

/* Module i has `own_i', and `shared' with x at 4 * i, and an odd `char'. */
static void
make_module(struct fixture *f, unsigned int i)
{
	const char *own = (const char *[]){ "own_0", "own_1", "own_2" }[i];
	struct guest *g = &f->g;
	uint32_t len;

	make_kernel();
	btf_begin_split();
	btf_type("shared", BTF_STRUCT, 1, 64);		/* 7 */
	btf_member("x", 1, 0, 32 * i);
	btf_type(own, BTF_STRUCT, 3, 128);		/* 8 */
	btf_member("number", 1, 0, 0);
	btf_member("text", 4, 0, 64);
	btf_member("inner", NTYPES + 1, 0, 512);
	btf_type("char", BTF_STRUCT, 1, 99);		/* 9 */
	btf_member("odd", 1, 0, 0);
	f->blob[i] = btf_put(g);
	f->len[i] = btf_size();
	f->btf[i] = guest_put(g, NULL, B_SIZE, 8);
	len = (uint32_t)f->len[i];
	memcpy(guest_at(g, f->btf[i] + B_DATA), &f->blob[i], 8);
	memcpy(guest_at(g, f->btf[i] + B_LEN), &len, 4);
	snprintf((char *)guest_at(g, f->btf[i] + B_NAME), 56, "mod_%u", i);
	memcpy(guest_at(g, f->mod[i] + BM_BTF), &f->btf[i], 8);
}

/* A kernel with three modules; `with' false: one that keeps no such list. */
static void
make(struct fixture *f, bool with)
{
	struct guest *g = &f->g;
	struct ksyms_sym syms[5];
	uint64_t btf, stop, next;
	unsigned int i;

	guest_init(g);
	make_kernel();
	btf = btf_put(g);
	stop = g->base + g->used;
	f->first = f->head = guest_put(g, NULL, 16, 8);
	for (i = 0; i < NMODS; i++)
		f->mod[i] = guest_put(g, NULL, BM_SIZE, 8);
	for (i = 0; i < NMODS; i++)
		make_module(f, i);
	f->end = g->base + g->used;
	next = f->mod[0] + BM_LIST;
	memcpy(guest_at(g, f->head), &next, 8);
	for (i = 0; i < NMODS; i++) {
		next = i + 1 < NMODS ? f->mod[i + 1] + BM_LIST : f->head;
		memcpy(guest_at(g, f->mod[i] + BM_LIST), &next, 8);
	}
	syms[0] = (struct ksyms_sym){ g->base, 'T', "_stext" };
	syms[1] = (struct ksyms_sym){ btf, 'D', "__start_BTF" };
	syms[2] = (struct ksyms_sym){ stop, 'D', "__stop_BTF" };
	syms[3] = (struct ksyms_sym){ f->head, 'd', with ? "btf_modules" :
	    "other" };
	syms[4] = (struct ksyms_sym){ f->end, 'B', "_end" };
	ksyms_put(g, KSYMS_BASE, true, syms, 5);
	guest_make(g);
}

static void
is(struct fixture *f, const char *path, size_t offset, size_t size)
{
	struct kvm_type ty;

	if (kvm_type(f->g.im.kd, path, &ty) == -1)
		fail_msg("%s", kvm_geterr(f->g.im.kd));
	assert_int_equal(ty.kt_offset, offset);
	assert_int_equal(ty.kt_size, size);
}

static void
is_not(struct fixture *f, const char *path, const char *text)
{
	struct kvm_type ty;

	assert_int_equal(kvm_type(f->g.im.kd, path, &ty), -1);
	assert_int_equal(errno, ENOENT);
	image_says(&f->g.im, text);
}

/* This test checks types of modules, by themselves and by the module's name. */
static void
modtype_types_of_modules_are_found(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, true);
	is(&f, "own_0", 0, 128);
	is(&f, "own_2.text", 8, 56);
	is(&f, "own_2.text[3]", 11, 1);
	is(&f, "own_1.inner.x", 68, 4);
	is(&f, "mod_1:shared.x", 4, 4);
	is(&f, "mod_2:struct shared.x", 8, 4);
	is(&f, "shared.x", 0, 4);	/* the first module's */
	is(&f, "char", 0, 1);		/* the kernel's goes first */
	is(&f, "mod_0:char", 0, 99);
	is_not(&f, "own_3", "own_3: no type `own_3'");
	is_not(&f, "own_1.nosuch", "no member `nosuch'");
	is_not(&f, "mod_1:own_2", "no type `own_2'");
	is_not(&f, "mod_9:own_2", "types of such a module are not known");
	is_not(&f, "mod_1:", "no type `'");
	guest_fini(&f.g);
}

/* This test checks a kernel that keeps no types of modules. */
static void
modtype_kernel_without_any_says_no_type(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, false);
	is(&f, "char", 0, 1);
	is_not(&f, "own_0", "own_0: no type `own_0'");
	is_not(&f, "mod_0:own_0", "types of such a module are not known");
	guest_fini(&f.g);
}

/* This test checks that one damaged module is told, and hides no other. */
static void
modtype_damaged_module_is_told(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, true);
	*guest_at(&f.g, f.blob[1]) ^= 1;
	guest_make(&f.g);
	is(&f, "own_2.number", 0, 4);
	is_not(&f, "own_1", "types of 1 module can't be used: own_1: "
	    "no type");
	guest_fini(&f.g);
}

/* This test checks that a list which goes round comes to an end. */
static void
modtype_list_without_end_is_told(void **state)
{
	struct fixture f;
	uint64_t at;

	(void)state;
	make(&f, true);
	at = f.mod[0] + BM_LIST;
	memcpy(guest_at(&f.g, f.mod[2] + BM_LIST), &at, 8);
	guest_make(&f.g);
	is(&f, "own_1", 0, 128);
	is_not(&f, "own_3", "can't be used");
	guest_fini(&f.g);
}

static void
look(struct guest *g)
{
	struct kvm_type ty;

	guest_result(g, kvm_type(g->im.kd, "own_0.inner.x", &ty));
	guest_result(g, kvm_type(g->im.kd, "nosuch.x", &ty));
}

/* This test checks that no changed byte of list or blobs does harm. */
static void
modtype_damaged_never_crashes(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, true);
	guest_mutate(&f.g, f.first, (size_t)(f.btf[0] + B_SIZE - f.first),
	    look);
	guest_fini(&f.g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modtype_types_of_modules_are_found),
		cmocka_unit_test(modtype_kernel_without_any_says_no_type),
		cmocka_unit_test(modtype_damaged_module_is_told),
		cmocka_unit_test(modtype_list_without_end_is_told),
		cmocka_unit_test(modtype_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
