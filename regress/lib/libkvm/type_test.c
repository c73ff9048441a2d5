/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type_test.c: structures from BTF, which is written here byte by byte.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf.h"

static void
make_types(void)
{
	btf_begin();
	btf_type("int", BTF_INT, 0, 4);			/* 1 */
	btf_word(1u << 24 | 32);
	btf_type("char", BTF_INT, 0, 1);		/* 2 */
	btf_word(8);
	btf_array(2, 16);			/* 3: char [16] */
	btf_type("list_head", BTF_STRUCT, 2, 16);	/* 4 */
	btf_member("next", 5, 0, 0);
	btf_member("prev", 5, 0, 64);
	btf_type("", BTF_PTR, 0, 4);			/* 5 */
	btf_type("word_t", BTF_TYPEDEF, 0, 7);		/* 6 */
	btf_type("", BTF_CONST, 0, 1);			/* 7 */
	btf_type("", BTF_UNION, 2, 8);			/* 8 */
	btf_member("small", 6, 0, 0);
	btf_member("big", 5, 0, 0);
	btf_type("task", BTF_FWD, 0, 0);		/* 9 */
	btf_type("task", BTF_STRUCT | BTF_BITFIELDS, 7, 128);	/* 10 */
	btf_member("state", 1, 0, 0);
	btf_member("flag", 1, 3, 37);
	btf_member("", 8, 0, 64);
	btf_member("list", 11, 0, 128);
	btf_member("comm", 3, 0, 256);
	btf_member("lists", 12, 0, 384);
	btf_member("end", 1, 0, 960);
	btf_type("list_t", BTF_TYPEDEF, 0, 4);		/* 11 */
	btf_array(11, 3);			/* 12: list_t [3] */
	btf_type("loop", BTF_TYPEDEF, 0, 14);		/* 13 */
	btf_type("", BTF_VOLATILE, 0, 13);		/* 14 */
	btf_type("selfish", BTF_STRUCT, 3, 8);		/* 15: holds itself */
	btf_member("", 15, 0, 0);
	btf_member("", 15, 0, 0);
	btf_member("", 15, 0, 0);
	btf_type("color", BTF_ENUM, 1, 4);		/* 16 */
	btf_word(btf_str("red"));
	btf_word(7);
	btf_type("color", BTF_STRUCT, 1, 12);		/* 17 */
	btf_member("red", 1, 0, 64);
	btf_type("wild", BTF_STRUCT, 1, 4);		/* 18: of no type */
	btf_member("x", 4711, 0, 0);
}

/* A kernel with these types; with == false: without any. */
static void
make(struct guest *g, bool with)
{
	struct ksyms_sym syms[3];
	uint64_t at;

	guest_init(g);
	make_types();
	at = btf_put(g);
	syms[0] = (struct ksyms_sym){ g->base, 'T', "_stext" };
	syms[1] = (struct ksyms_sym){ at, 'D', "__start_BTF" };
	syms[2] = (struct ksyms_sym){ g->base + g->used, 'D', "__stop_BTF" };
	ksyms_put(g, KSYMS_BASE, false, syms, with ? 3 : 1);
	guest_make(g);
}

/* This test checks offsets and sizes by every kind of path. */
static void
type_paths_have_offset_and_size(void **state)
{
	static const struct {
		const char *path;
		size_t offset, size;
	} t[] = {
		{ "task", 0, 128 }, { "struct task", 0, 128 },
		{ "int", 0, 4 }, { "word_t", 0, 4 }, { "task.state", 0, 4 },
		{ "task.small", 8, 4 }, { "task.big", 8, 8 },
		{ "task.list", 16, 16 }, { "task.list.prev", 24, 8 },
		{ "task.comm", 32, 16 }, { "task.comm[5]", 37, 1 },
		{ "task.lists[2].prev", 88, 8 }, { "task.lists", 48, 48 },
		{ "task.end", 120, 4 }, { "list_t.prev", 8, 8 },
		{ "enum color", 0, 4 }, { "color", 0, 12 },
		{ "struct color.red", 8, 4 },
	};
	struct guest g;
	size_t i;

	(void)state;
	make(&g, true);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (kvm_type_offset(g.im.kd, t[i].path) == -1)
			fail_msg("%s", kvm_geterr(g.im.kd));
		assert_int_equal(kvm_type_offset(g.im.kd, t[i].path),
		    t[i].offset);
		assert_int_equal(kvm_type_size(g.im.kd, t[i].path), t[i].size);
	}
	guest_fini(&g);
}

/* This test checks that a bit field has bits, and no plain offset. */
static void
type_bit_field_has_bits(void **state)
{
	struct kvm_type ty;
	struct guest g;

	(void)state;
	make(&g, true);
	assert_int_equal(kvm_type(g.im.kd, "task.flag", &ty), 0);
	assert_int_equal(ty.kt_offset, 4);
	assert_int_equal(ty.kt_bit, 5);
	assert_int_equal(ty.kt_bits, 3);
	assert_int_equal(kvm_type_offset(g.im.kd, "task.flag"), -1);
	assert_int_equal(errno, EINVAL);
	image_says(&g.im, "task.flag: a bit field");
	guest_fini(&g);
}

/* This test checks that each wrong path is told in its own words. */
static void
type_wrong_paths_are_told(void **state)
{
	static const struct {
		const char *path, *text;
		int error;
	} t[] = {
		{ "nosuch", "nosuch: no type `nosuch'", ENOENT },
		{ "", "no type `'", ENOENT },
		{ "union task", "no type `union task'", ENOENT },
		{ "task.nosuch", "no member `nosuch'", ENOENT },
		{ "task.", "no member `'", ENOENT },
		{ "task..state", "no member `'", ENOENT },
		{ "task.state.x", "no member `x'", ENOENT },
		{ "task.list.next.prev", "no member `prev'", ENOENT },
		{ "task.comm[x]", "`[x]': not an index", EINVAL },
		{ "task.comm[3", "not an index", EINVAL },
		{ "task.comm[3]x", "not an index", EINVAL },
		{ "task.state[0]", "`[0]': not an array", ENOENT },
		{ "loop", "loop: BTF gives it no size", EBADMSG },
		{ "selfish.x", "no member `x'", ENOENT },
		{ "wild.x", "BTF gives it no size", EBADMSG },
	};
	struct guest g;
	size_t i;

	(void)state;
	make(&g, true);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(kvm_type_size(g.im.kd, t[i].path), -1);
		assert_int_equal(errno, t[i].error);
		image_says(&g.im, t[i].text);
	}
	guest_fini(&g);
}

/* This test checks that a kernel without types is told from a damaged one. */
static void
type_without_btf_is_a_clear_error(void **state)
{
	struct guest g;

	(void)state;
	make(&g, false);
	assert_int_equal(kvm_type_size(g.im.kd, "task"), -1);
	assert_int_equal(errno, ENOTSUP);
	image_says(&g.im, "without CONFIG_DEBUG_INFO_BTF");
	guest_fini(&g);
	make(&g, true);
	g.mem[0] ^= 1;
	guest_make(&g);
	assert_int_equal(kvm_type_size(g.im.kd, "task"), -1);
	assert_int_equal(errno, EBADMSG);
	image_says(&g.im, "BTF: libbpf can't use it");
	guest_fini(&g);
}

static void
look(struct guest *g)
{
	static const char *const paths[] = { "task.small", "task.lists[2].prev",
		"word_t", "task.nosuch" };
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		guest_result(g, kvm_type_size(g->im.kd, paths[i]));
}

/* This test checks that no changed byte of BTF does harm. */
static void
type_damaged_never_crashes(void **state)
{
	struct guest g;

	(void)state;
	make(&g, true);
	guest_mutate(&g, g.base, btf_size(), look);
	guest_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_paths_have_offset_and_size),
		cmocka_unit_test(type_bit_field_has_bits),
		cmocka_unit_test(type_wrong_paths_are_told),
		cmocka_unit_test(type_without_btf_is_a_clear_error),
		cmocka_unit_test(type_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
