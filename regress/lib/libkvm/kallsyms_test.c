/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kallsyms_test.c: names and addresses from the kernel's own symbol table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define NSYMS	14
#define BIG	13		/* of syms[]: the one with a long name */

static struct ksyms_sym syms[NSYMS];
static char big_name[301];

/* Symbols at base; percpu: with one that is a small number. */
static void
make_syms(uint64_t base, bool percpu)
{
	const struct ksyms_sym s[NSYMS] = {
		{ percpu ? 0x40 : base, 'A', "percpu_counter" },
		{ base, 'T', "_text" }, { base, 'T', "_stext" },
		{ base, 't', "twin" }, { base + 0x10, 'T', "twin" },
		{ base + 0x20, 't', "twin" },
		{ base + 0x30, 'T', "x64_sys_init" },
		{ base + 0x40, 't', "local_task" },
		{ base + 0x1000, 'D', "kvm" }, { base + 0x1008, 'd', "abab" },
		{ base + 0x1010, 'R', "_under" },
		{ base + 0x2000, 'b', "q" }, { base + 0x2008, 'W', "weak" },
		{ base + 0x3000, 'B', big_name },
	};
	size_t i;

	for (i = 0; i < sizeof(big_name) - 1; i++)
		big_name[i] = (char)('A' + i % 26);
	memcpy(syms, s, sizeof(syms));
}

static void
make(struct guest *g, enum ksyms_form form, bool last)
{
	guest_init(g);
	make_syms(g->base, form <= KSYMS_PERCPU);
	ksyms_put(g, form, last, syms, NSYMS);
	guest_make(g);
}

static int
check_next(void *cookie, const struct kvm_sym *sym)
{
	size_t *i = cookie;

	assert_in_range(*i, 0, NSYMS - 1);
	assert_string_equal(sym->ks_name, syms[*i].name);
	assert_int_equal(sym->ks_addr, syms[*i].addr);
	assert_int_equal(sym->ks_type, syms[*i].type);
	assert_null(sym->ks_module);
	++*i;
	return 0;
}

/* This test checks each form of addresses, in both orders of the parts. */
static void
kallsyms_each_form_gives_all_symbols(void **state)
{
	struct nlist nl[NSYMS + 1];
	struct guest g;
	unsigned int form, last;
	size_t i;

	(void)state;
	for (form = KSYMS_ADDRESSES; form <= KSYMS_PLACE; form++)
		for (last = 0; last < 2; last++) {
			make(&g, form, last != 0);
			i = 0;
			assert_int_equal(kvm_symbols(g.im.kd, check_next, &i),
			    0);
			assert_int_equal(i, NSYMS);
			memset(nl, 0, sizeof(nl));
			for (i = 0; i < NSYMS; i++)
				nl[i].n_name = syms[i].name;
			assert_int_equal(kvm_nlist(g.im.kd, nl), 0);
			for (i = 0; i < NSYMS; i++)
				if (strcmp(syms[i].name, "twin") != 0)
					assert_int_equal(nl[i].n_value,
					    syms[i].addr);
			guest_fini(&g);
		}
}

/* This test checks types, underscores, twins, and the count of the missing. */
static void
kallsyms_nlist_fills_in_as_documented(void **state)
{
	struct nlist nl[] = {
		{ .n_name = "twin" }, { .n_name = "_kvm" },
		{ .n_name = "_under" }, { .n_name = "under" },
		{ .n_name = "abab" }, { .n_name = "q" },
		{ .n_name = "weak" }, { .n_name = "percpu_counter" },
		{ .n_name = "__kvm" }, { .n_name = "local_task" },
		{ .n_name = "dumpmag" }, { .n_name = "x64_sys" },
		{ .n_name = NULL },
	};
	struct guest g;

	(void)state;
	make(&g, KSYMS_PERCPU, false);
	assert_int_equal(kvm_nlist(g.im.kd, nl), 3);
	assert_int_equal(nl[0].n_value, g.base + 0x10);
	assert_int_equal(nl[0].n_type, N_TEXT | N_EXT);
	assert_int_equal(nl[1].n_value, g.base + 0x1000);
	assert_int_equal(nl[1].n_type, N_DATA | N_EXT);
	assert_int_equal(nl[2].n_type, N_DATA | N_EXT);
	assert_int_equal(nl[3].n_type, N_UNDF);
	assert_int_equal(nl[4].n_type, N_DATA);
	assert_int_equal(nl[5].n_type, N_BSS);
	assert_int_equal(nl[6].n_type, N_TEXT | N_EXT);
	assert_int_equal(nl[7].n_type, N_ABS | N_EXT);
	assert_int_equal(nl[7].n_value, 0x40);
	assert_int_equal(nl[8].n_type, N_UNDF);
	assert_int_equal(nl[9].n_type, N_TEXT);
	assert_int_equal(nl[10].n_value, MKDUMP_MODULE_VA + MKDUMP_AT_DUMPMAG);
	assert_int_equal(nl[11].n_type, N_UNDF);
	guest_fini(&g);
}

static void
check_symbol(struct guest *g, uint64_t addr, const char *want)
{
	char buf[600];

	if (kvm_symbol(g->im.kd, addr, buf, sizeof(buf), NULL) == -1)
		fail_msg("%s: %s", want, kvm_geterr(g->im.kd));
	assert_string_equal(buf, want);
}

/* This test checks which symbol an address is in, and which is in none. */
static void
kallsyms_address_is_in_its_symbol(void **state)
{
	char buf[600], want[600];
	unsigned long off;
	struct guest g;

	(void)state;
	make(&g, KSYMS_PERCPU, true);
	check_symbol(&g, g.base, "_text+0x0");
	check_symbol(&g, g.base + 0xf, "_text+0xf");
	check_symbol(&g, g.base + 0x10, "twin+0x0");
	check_symbol(&g, g.base + 0xfff, "local_task+0xfbf");
	check_symbol(&g, g.base + 0x2009, "weak+0x1");
	snprintf(want, sizeof(want), "%s+0x0", big_name);
	check_symbol(&g, g.base + 0x3000, want);
	assert_int_equal(kvm_symbol(g.im.kd, g.base + 0x1009, buf, sizeof(buf),
	    &off), 0);
	assert_string_equal(buf, "abab");
	assert_int_equal(off, 1);
	assert_int_equal(kvm_symbol(g.im.kd, g.base - 1, buf, sizeof(buf),
	    NULL), -1);
	assert_int_equal(errno, ENOENT);
	image_says(&g.im, "in no symbol");
	assert_int_equal(kvm_symbol(g.im.kd, 0x40, buf, sizeof(buf), NULL),
	    -1);
	assert_int_equal(kvm_symbol(g.im.kd, g.base + 0x3001, buf, sizeof(buf),
	    NULL), -1);
	assert_int_equal(kvm_symbol(g.im.kd, g.base, buf, 9, NULL), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(kvm_symbol(g.im.kd, g.base, buf, 10, NULL), 0);
	guest_fini(&g);
}

/* This test checks that a kernel which does not say where is told so. */
static void
kallsyms_without_keys_is_a_clear_error(void **state)
{
	struct nlist nl[] = { { .n_name = "dumpmag" }, { .n_name = "kvm" },
		{ .n_name = NULL } };
	struct guest g;

	(void)state;
	guest_init(&g);
	guest_info(&g, "OSRELEASE=5.10.0");
	/* What a dump says gets nowhere near a terminal as it is. */
	g.im.spec.release = "5.10\033]0;x\n\233y";
	guest_make(&g);
	assert_int_equal(kvm_nlist(g.im.kd, nl), -1);
	assert_int_equal(errno, ENOTSUP);
	image_says(&g.im, ": kallsyms: VMCOREINFO of kernel 5.10?]0;x??y has "
	    "no SYMBOL(_stext)");
	/* What is known without it is filled in. */
	assert_int_equal(nl[0].n_type, N_DATA | N_EXT);
	g.im.spec.npokes = 0;
	guest_make(&g);
	assert_int_equal(kvm_nlist(g.im.kd, nl), -1);
	assert_int_equal(errno, ENOENT);
	image_says(&g.im, "the dump has no VMCOREINFO note");
	guest_fini(&g);
}

#define MANY	1100u

static struct ksyms_sym many[MANY];
static char many_names[MANY][32];

/* n symbols of an old kernel, behind some of its text. */
static void
make_silent(struct guest *g, size_t n)
{
	static const char decoy[] = "0\0001\0002\0003\0004\0005\0006\0007\0008"
	    "\0009\0:";
	size_t i;

	guest_init(g);
	for (i = 0; i < n; i++) {
		snprintf(many_names[i], sizeof(many_names[i]), "%.*s%zu",
		    (int)(i % 7), "kernel_", i);
		many[i] = (struct ksyms_sym){ g->base + 8 * i, 'T',
		    many_names[i] };
	}
	many[0].name = "_stext";
	guest_put(g, NULL, 4100, 1);
	guest_put(g, decoy, sizeof(decoy), 1);
	ksyms_put_silent(g, many, n);
	guest_put(g, decoy, sizeof(decoy), 1);
	guest_make(g);
}

static int
check_many(void *cookie, const struct kvm_sym *sym)
{
	size_t *i = cookie;

	assert_string_equal(sym->ks_name, many[*i].name);
	assert_int_equal(sym->ks_addr, many[*i].addr);
	++*i;
	return 0;
}

/* This test checks that the table is found where nothing says where it is. */
static void
kallsyms_without_keys_is_found(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 255, 256, 257, 258, 511, 512,
		513, 768, 1025, MANY };
	struct guest g;
	size_t i, k;

	(void)state;
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		make_silent(&g, sizes[k]);
		i = 0;
		if (kvm_symbols(g.im.kd, check_many, &i) == -1)
			fail_msg("%zu symbols: %s", sizes[k],
			    kvm_geterr(g.im.kd));
		assert_int_equal(i, sizes[k]);
		guest_fini(&g);
	}
}

static int
nothing(void *cookie, const struct kvm_sym *sym)
{
	*(size_t *)cookie += strlen(sym->ks_name);
	return 0;
}

/* All questions there are. */
static void
look(struct guest *g)
{
	struct nlist nl[] = { { .n_name = "_kvm" }, { .n_name = "twin" },
		{ .n_name = NULL } };
	char buf[64];
	size_t n = 0;

	guest_result(g, kvm_nlist(g->im.kd, nl));
	guest_result(g, kvm_symbol(g->im.kd, g->base + 0x1009, buf,
	    sizeof(buf), NULL));
	guest_result(g, kvm_symbols(g->im.kd, nothing, &n));
}

/* This test checks that no changed byte of the tables does harm. */
static void
kallsyms_damaged_never_crashes(void **state)
{
	struct guest g;

	(void)state;
	make(&g, KSYMS_PERCPU, true);
	look(&g);
	guest_mutate(&g, g.base, g.used, look);
	guest_mutate_info(&g, look);
	guest_fini(&g);
}

static void
look_once(struct guest *g)
{
	struct nlist nl[] = { { .n_name = "_stext" }, { .n_name = NULL } };

	guest_result(g, kvm_nlist(g->im.kd, nl));
}

/* This test checks that memory full of digits ends the search. */
static void
kallsyms_digits_everywhere_end_the_search(void **state)
{
	const struct ksyms_sym sym = { 0xffffffff81000000, 'T', "_stext" };
	struct guest g;
	size_t i;

	(void)state;
	guest_init(&g);
	/* Each ten of them could be it: more than are looked at. */
	guest_put(&g, NULL, 300 * 20, 8);
	for (i = 0; i < g.used; i++)
		g.mem[i] = i % 2 == 0 ? (uint8_t)('0' + i / 2 % 10) : 0;
	guest_info(&g, "SYMBOL(_stext)=%llx", (unsigned long long)g.base);
	ksyms_put_silent(&g, &sym, 1);
	guest_make(&g);
	assert_int_equal(kvm_symbols(g.im.kd, nothing, &i), -1);
	assert_int_equal(errno, ENOTSUP);
	image_says(&g.im, "does not say where, and there are none from 0x");
	guest_fini(&g);
}

/* This test checks that a search for a table that is not there is made once: what
 * is read then is gone the second time. */
static void
kallsyms_search_that_failed_is_told_again(void **state)
{
	char why[KVM_ERRBUFSZ];
	struct guest g;
	size_t i;

	(void)state;
	guest_init(&g);
	guest_put(&g, NULL, 300 * 20, 8);
	guest_info(&g, "SYMBOL(_stext)=%llx", (unsigned long long)g.base);
	guest_make(&g);
	assert_int_equal(kvm_symbols(g.im.kd, nothing, &i), -1);
	assert_int_equal(errno, ENOTSUP);
	snprintf(why, sizeof(why), "%s", kvm_geterr(g.im.kd));
	assert_int_equal(ftruncate(g.im.fd, 0), 0);
	look_once(&g);
	errno = 0;
	assert_int_equal(kvm_symbols(g.im.kd, nothing, &i), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_string_equal(kvm_geterr(g.im.kd), why);
	guest_fini(&g);
}

/* This test checks the same of a table that has to be looked for. */
static void
kallsyms_damaged_is_not_found(void **state)
{
	struct guest g;
	size_t end;

	(void)state;
	make_silent(&g, 3);
	look_once(&g);
	/* Decoy, offsets, base, number, names, markers, some of the tokens. */
	guest_mutate(&g, g.base + 4100, 130, look_once);
	/* Its digits, and some of the index, which ends before a decoy. */
	end = g.used - 22;
	guest_mutate(&g, g.base + end - 512 - 400, 20, look_once);
	guest_mutate(&g, g.base + end - 512, 20, look_once);
	guest_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kallsyms_each_form_gives_all_symbols),
		cmocka_unit_test(kallsyms_nlist_fills_in_as_documented),
		cmocka_unit_test(kallsyms_address_is_in_its_symbol),
		cmocka_unit_test(kallsyms_without_keys_is_a_clear_error),
		cmocka_unit_test(kallsyms_without_keys_is_found),
		cmocka_unit_test(kallsyms_digits_everywhere_end_the_search),
		cmocka_unit_test(kallsyms_search_that_failed_is_told_again),
		cmocka_unit_test(kallsyms_damaged_never_crashes),
		cmocka_unit_test(kallsyms_damaged_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
