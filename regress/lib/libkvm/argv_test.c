/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * argv_test.c: arguments and environments, in processes' own memory, which is
 * there, or not, or not believable.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/kcore.h>

#include "tasks.h"

#define PAGE		4096u
#define USER_VA		0x7ffe12345000ull	/* of three pages */
#define NPAGES		3u
#define PTE		0x67ull			/* present, writable, user */
#define PTE_NONE	0x100ull		/* _PAGE_PROTNONE */

/* The memory of process 100. */
struct mem {
	struct tasks f;
	uint64_t table[4];	/* the root first */
	uint64_t page[NPAGES];
	struct mkdump_excl excl;
};

static uint64_t
paddr(const struct mem *m, uint64_t va)
{
	return va - m->f.g.base + GUEST_PADDR;
}

static uint64_t
pte_at(const struct mem *m, unsigned int page)
{
	return m->table[3] + ((USER_VA >> 12 & 511) + page) * 8;
}

static void
set(struct mem *m, unsigned int at, uint64_t value)
{
	tasks_put(&m->f.g, m->f.mm + at, 8, value);
}

/* Where they are, in bytes from USER_VA on. */
static void
set_range(struct mem *m, unsigned int start_at, uint64_t start, uint64_t len)
{
	set(m, start_at, USER_VA + start);
	set(m, start_at + 8, USER_VA + start + len);
}

/* Puts bytes into the process's memory. */
static void
put(struct mem *m, size_t at, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++, at++)
		*guest_at(&m->f.g, m->page[at / PAGE] + at % PAGE) =
		    (uint8_t)data[i];
}

/* Page tables of four levels; pages that do not follow each other. */
static void
mem_make(struct mem *m)
{
	struct guest *g = &m->f.g;
	unsigned int i, shift;

	tasks_make(&m->f, true);
	for (i = 0; i < 4; i++)
		m->table[i] = guest_put(g, NULL, PAGE, PAGE);
	for (i = NPAGES; i-- > 0; )
		m->page[i] = guest_put(g, NULL, PAGE, PAGE);
	for (i = 0; i < 3; i++) {
		shift = 39 - 9 * i;
		tasks_put(g, m->table[i] + (USER_VA >> shift & 511) * 8, 8,
		    paddr(m, m->table[i + 1]) | PTE);
	}
	for (i = 0; i < NPAGES; i++)
		tasks_put(g, pte_at(m, i), 8, paddr(m, m->page[i]) | PTE);
	set(m, M_PGD, m->table[0]);
}

/* Arguments across a page's end, environment behind them. */
static const char args[] = "server\0-v\0\0a \xff long one";
static const char env[] = "HOME=/\0EMPTY=\0\0X";
#define ARGS_AT	(PAGE - 9)
#define ENV_AT	(ARGS_AT + sizeof(args))

static void
mem_fill(struct mem *m)
{
	mem_make(m);
	put(m, ARGS_AT, args, sizeof(args));
	put(m, ENV_AT, env, sizeof(env));
	set_range(m, M_ARG_START, ARGS_AT, sizeof(args));
	set_range(m, M_ENV_START, ENV_AT, sizeof(env));
	guest_make(&m->f.g);
}

static struct kinfo_proc2
process(const struct mem *m, unsigned int i)
{
	return (struct kinfo_proc2){ .p_paddr = m->f.task[i],
	    .p_pid = tasks[i].tgid };
}

static char **
get(struct mem *m, bool want_env, int nchr)
{
	const struct kinfo_proc2 p = process(m, 3);

	return (want_env ? kvm_getenvv2 : kvm_getargv2)(m->f.g.im.kd, &p, nchr);
}

static void
check(char **v, const char *const *want)
{
	size_t i;

	assert_non_null(v);
	for (i = 0; want[i] != NULL; i++) {
		assert_non_null(v[i]);
		assert_string_equal(v[i], want[i]);
	}
	assert_null(v[i]);
}

static const char *const want_args[] = { "server", "-v", "",
	"a \xff long one", NULL };
static const char *const want_env[] = { "HOME=/", "EMPTY=", "", "X", NULL };

/* This test checks that both are what is in memory, by each of the calls. */
static void
argv_is_what_is_in_memory(void **state)
{
	struct kinfo_proc old;
	struct kinfo_proc2 p;
	struct mem m;
	char **v, **e;

	(void)state;
	mem_fill(&m);
	v = get(&m, false, 0);
	e = get(&m, true, 0);
	check(v, want_args);
	check(e, want_env);
	memset(&old, 0, sizeof(old));
	old.kp_proc.p_pid = 100;
	old.kp_eproc.e_paddr = m.f.task[3];
	check(kvm_getargv(m.f.g.im.kd, &old, 0), want_args);
	check(kvm_getenvv(m.f.g.im.kd, &old, 0), want_env);
	/* By its number alone; through another thread if the first is gone. */
	p = (struct kinfo_proc2){ .p_pid = 100 };
	check(kvm_getargv2(m.f.g.im.kd, &p, 0), want_args);
	tasks_put(&m.f.g, m.f.task[3] + T_MM, 8, 0);
	guest_make(&m.f.g);
	check(get(&m, false, 0), want_args);
	guest_fini(&m.f.g);
}

/* What strings say of the bytes `from', of which there are len. */
static void
check_limit(char **v, const char *from, size_t len, size_t nchr)
{
	size_t at = 0, i;

	assert_non_null(v);
	for (i = 0; v[i] != NULL; i++) {
		assert_memory_equal(v[i], from + at, strlen(v[i]));
		at += strlen(v[i]) + 1;
	}
	assert_int_equal(at, nchr < len ? nchr : len);
}

/* This test checks each limit: so many bytes, NULs included, and no more. */
static void
argv_nchr_limits_the_bytes(void **state)
{
	struct mem m;
	size_t nchr;

	(void)state;
	mem_fill(&m);
	/* No NUL at the end of what is there. */
	set_range(&m, M_ENV_START, ENV_AT, sizeof(env) - 1);
	guest_make(&m.f.g);
	for (nchr = 1; nchr < sizeof(args) + 2; nchr++) {
		check_limit(get(&m, false, (int)nchr), args, sizeof(args),
		    nchr);
		check_limit(get(&m, true, (int)nchr), env, sizeof(env), nchr);
	}
	assert_null(get(&m, false, -1));
	assert_int_equal(errno, EINVAL);
	image_says(&m.f.g.im, "at most -1 characters");
	guest_fini(&m.f.g);
}

/* This test checks a title over the arguments: it may go on behind them. */
static void
argv_title_goes_on_into_the_environment(void **state)
{
	static const char *const want[] = { "a title that is longer", NULL };
	static const char *const cut[] = { "a ti", NULL };
	struct mem m;
	unsigned int apart;

	(void)state;
	for (apart = 0; apart < 2; apart++) {
		mem_make(&m);
		put(&m, 100, want[0], strlen(want[0]) + 1);
		put(&m, 100 + strlen(want[0]) + 1, "X=Y", 4);
		set_range(&m, M_ARG_START, 100, 4);
		set_range(&m, M_ENV_START, 104 + apart, 40);
		guest_make(&m.f.g);
		check(get(&m, false, 0), apart ? cut : want);
		check(get(&m, false, 5), cut);
		guest_fini(&m.f.g);
	}
	/* One without an end, to the end of a page's length. */
	mem_make(&m);
	memset(guest_at(&m.f.g, m.page[1]), 'x', PAGE);
	memset(guest_at(&m.f.g, m.page[2]), 'x', PAGE);
	set_range(&m, M_ARG_START, PAGE, 10);
	set_range(&m, M_ENV_START, PAGE + 10, 2 * PAGE - 10);
	guest_make(&m.f.g);
	assert_int_equal(strlen(get(&m, false, 0)[0]), PAGE);
	guest_fini(&m.f.g);
}

/* This test checks nothing at all: empty, and of threads of the kernel. */
static void
argv_none_is_not_an_error_of_reading(void **state)
{
	static const char *const nothing[] = { NULL };
	struct kinfo_proc2 p;
	struct mem m;

	(void)state;
	mem_fill(&m);
	set_range(&m, M_ARG_START, 0, 0);
	guest_make(&m.f.g);
	check(get(&m, false, 0), nothing);
	p = process(&m, 2);
	assert_null(kvm_getargv2(m.f.g.im.kd, &p, 0));
	assert_int_equal(errno, ENOEXEC);
	image_says(&m.f.g.im, "arguments of process 2: a thread of the kernel");
	p = process(&m, 7);
	assert_null(kvm_getenvv2(m.f.g.im.kd, &p, 0));
	assert_int_equal(errno, ENOEXEC);
	image_says(&m.f.g.im, "environment of process 104: it has ended");
	p = (struct kinfo_proc2){ .p_pid = 99 };
	assert_null(kvm_getargv2(m.f.g.im.kd, &p, 0));
	assert_int_equal(errno, ESRCH);
	image_says(&m.f.g.im, "there is no process 99");
	p = (struct kinfo_proc2){ .p_pid = 1, .p_paddr = m.f.task[3] };
	assert_null(kvm_getargv2(m.f.g.im.kd, &p, 0));
	assert_int_equal(errno, ESRCH);
	guest_fini(&m.f.g);
}

/* An entry of a page in swap, as pgtable_64.h draws it. */
static uint64_t
swap_entry(uint64_t type, uint64_t offset)
{
	return type << 59 | (~offset << 9 & ((1ull << 59) - 1));
}

/* This test checks pages that are not there: each reason has its own text. */
static void
argv_absent_page_says_why(void **state)
{
	const struct {
		uint64_t entry;
		int error;
		const char *text;
	} t[] = {
		{ 0, EFAULT, "the process has no page there" },
		{ 0x60, EFAULT, "the process has no page there" },
		{ swap_entry(3, 0x1234), EFAULT,
		    "swapped out, to page 4660 of swap area 3" },
		{ swap_entry(0, 0), EFAULT,
		    "swapped out, to page 0 of swap area 0" },
		{ swap_entry(30, 0x777), EFAULT, "not in memory (page table "
		    "level 1: entry 0xf" },
		{ 0xf00000000ull | PTE, ENXIO, "there is no such memory" },
	};
	struct mem m;
	char where[64];
	size_t i;

	(void)state;
	mem_fill(&m);
	snprintf(where, sizeof(where), "arguments of process 100: address "
	    "0x%llx: ", USER_VA + PAGE);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		tasks_put(&m.f.g, pte_at(&m, 1), 8, t[i].entry);
		guest_make(&m.f.g);
		assert_null(get(&m, false, 0));
		assert_int_equal(errno, t[i].error);
		image_says(&m.f.g.im, t[i].text);
		image_says(&m.f.g.im, where);
		/* What is before it can be had. */
		assert_string_equal(get(&m, false, 7)[0], "server");
	}
	/* In memory, but not to be touched. */
	tasks_put(&m.f.g, pte_at(&m, 1), 8,
	    (~paddr(&m, m.page[1]) & 0xffffffffff000ull) | PTE_NONE);
	guest_make(&m.f.g);
	check(get(&m, false, 0), want_args);
	guest_fini(&m.f.g);
}

/* This test checks a page that the dump level left out, and one that the dump
 * device had no room for. */
static void
argv_page_left_out_says_why(void **state)
{
	struct mem m;

	(void)state;
	mem_fill(&m);
	m.excl = (struct mkdump_excl){ paddr(&m, m.page[1]), PAGE, 2 };
	m.f.g.im.spec.excl = &m.excl;
	m.f.g.im.spec.nexcl = 1;
	guest_make(&m.f.g);
	assert_null(get(&m, false, 0));
	assert_int_equal(errno, ENODATA);
	image_says(&m.f.g.im, "left out by dump level");
	m.excl.kind = 3;
	guest_make(&m.f.g);
	assert_null(get(&m, true, 0));
	assert_int_equal(errno, ENOSPC);
	image_says(&m.f.g.im, "environment of process 100: address 0x");
	image_says(&m.f.g.im, "the dump device was too small");
	guest_fini(&m.f.g);
}

/* This test checks ranges and page tables that make no sense. */
static void
argv_damage_is_told(void **state)
{
	struct mem m;

	(void)state;
	mem_fill(&m);
	set_range(&m, M_ARG_START, 0, 1ull << 40);
	guest_make(&m.f.g);
	assert_null(get(&m, false, 0));
	assert_int_equal(errno, EFBIG);
	image_says(&m.f.g.im, "1099511627776 bytes are not believed");
	assert_non_null(get(&m, false, 100));
	set(&m, M_ARG_START, USER_VA + 1);
	set(&m, M_ARG_END, USER_VA);
	guest_make(&m.f.g);
	assert_null(get(&m, false, 0));
	assert_int_equal(errno, EBADMSG);
	image_says(&m.f.g.im, "they go from 0x7ffe12345001 to 0x7ffe12345000");
	set(&m, M_ARG_START, m.f.g.base);
	set(&m, M_ARG_END, m.f.g.base + 8);
	guest_make(&m.f.g);
	assert_null(get(&m, false, 0));
	assert_int_equal(errno, EBADMSG);
	set(&m, M_ARG_START, 1ull << 62);
	set(&m, M_ARG_END, (1ull << 62) + 8);
	guest_make(&m.f.g);
	assert_null(get(&m, false, 0));
	image_says(&m.f.g.im, "not an address of x86_64");
	set(&m, M_PGD, 8);
	guest_make(&m.f.g);
	assert_null(get(&m, true, 0));
	image_says(&m.f.g.im, "environment of process 100: page tables: ");
	/* Every level is the root, which is a table of itself. */
	set(&m, M_PGD, m.table[0]);
	tasks_put(&m.f.g, m.table[0] + (USER_VA >> 39 & 511) * 8, 8,
	    paddr(&m, m.table[0]) | PTE);
	guest_make(&m.f.g);
	assert_null(get(&m, true, 0));
	assert_int_equal(errno, EFAULT);
	guest_fini(&m.f.g);
}

static struct mem *looked_at;

static void
look(struct guest *g)
{
	assert_ptr_equal(g, &looked_at->f.g);
	guest_result(g, get(looked_at, false, 0) == NULL ? -1 : 0);
	guest_result(g, get(looked_at, true, 50) == NULL ? -1 : 0);
}

/* This test checks that no changed byte of the process does harm. */
static void
argv_damaged_never_crashes(void **state)
{
	struct mem m;
	unsigned int i;

	(void)state;
	mem_fill(&m);
	looked_at = &m;
	guest_mutate(&m.f.g, m.f.mm, M_SIZE, look);
	for (i = 0; i < 4; i++)
		guest_mutate(&m.f.g, m.table[i] +
		    (USER_VA >> (39 - 9 * i) & 511) * 8, 8, look);
	guest_mutate(&m.f.g, m.page[0] + ARGS_AT, 9, look);
	guest_fini(&m.f.g);
}

int
main(void)
{
	const struct CMUnitTest tests_[] = {
		cmocka_unit_test(argv_is_what_is_in_memory),
		cmocka_unit_test(argv_nchr_limits_the_bytes),
		cmocka_unit_test(argv_title_goes_on_into_the_environment),
		cmocka_unit_test(argv_none_is_not_an_error_of_reading),
		cmocka_unit_test(argv_absent_page_says_why),
		cmocka_unit_test(argv_page_left_out_says_why),
		cmocka_unit_test(argv_damage_is_told),
		cmocka_unit_test(argv_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests_, NULL, NULL);
}
