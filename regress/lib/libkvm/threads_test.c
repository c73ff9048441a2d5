/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c: one descriptor and several threads, which all ask at once
 * what nobody has asked before.  Built twice: with the usual sanitizers, and
 * with ThreadSanitizer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tasks.h"

#define NTHREADS	4u
#define ROUNDS		400u
#define BIG		0x800000u	/* more than is held of a file */

struct shared {
	kvm_t *kd;
	uint64_t btf, init_task;	/* addresses of symbols */
	unsigned long va, hole;		/* of memory, and of none */
	pthread_barrier_t start;
};

struct thread {
	struct shared *sh;
	unsigned int n;
	const char *wrong;	/* what went wrong, or NULL */
};

static void
expect(struct thread *t, bool good, const char *what)
{
	if (!good && t->wrong == NULL)
		t->wrong = what;
}

static void
ask_names(struct thread *t)
{
	struct nlist nl[] = {
		{ .n_name = "init_task" }, { .n_name = "_no_such_name" },
		{ .n_name = "__start_BTF" }, { .n_name = NULL },
	};
	char name[64];

	expect(t, kvm_nlist(t->sh->kd, nl) == 1 &&
	    nl[0].n_value == t->sh->init_task && nl[1].n_type == N_UNDF &&
	    nl[2].n_value == t->sh->btf, "kvm_nlist");
	expect(t, kvm_symbol(t->sh->kd, t->sh->init_task + 5, name,
	    sizeof(name), NULL) == 0 && strcmp(name, "init_task+0x5") == 0,
	    "kvm_symbol");
}

static void
ask_types(struct thread *t)
{
	struct kvm_type ty;

	expect(t, kvm_type(t->sh->kd, "task_struct.pid", &ty) == 0 &&
	    ty.kt_offset == T_PID && ty.kt_size == 4, "kvm_type");
	expect(t, kvm_type(t->sh->kd, "task_struct.nothing", &ty) == -1 &&
	    strstr(kvm_geterr(t->sh->kd), "no member `nothing'") != NULL,
	    "kvm_type's error");
}

static void *
kernel_main(void *arg)
{
	struct thread *t = arg;
	uint64_t word;
	char want[64];
	unsigned int i;

	pthread_barrier_wait(&t->sh->start);
	/* Two threads begin with each, so that no lock has put them in order. */
	for (i = 0; i < ROUNDS; i++) {
		if (i > 0 || t->n % 2 == 0)
			ask_names(t);
		ask_types(t);
		expect(t, kvm_read(t->sh->kd, t->sh->init_task + T_CPU, &word,
		    4) == 4, "kvm_read");
		snprintf(want, sizeof(want), "0x%lx: ",
		    t->sh->hole + 8 * t->n);
		expect(t, kvm_read(t->sh->kd, t->sh->hole + 8 * t->n, &word,
		    8) == -1 && strstr(kvm_geterr(t->sh->kd), want) != NULL,
		    "another thread's error");
	}
	return NULL;
}

/* Words here and there, and pages; the last thread writes what is there. */
static void *
memory_main(void *arg)
{
	struct thread *t = arg;
	const uint64_t base = 0x10000000;
	unsigned int seed = t->n + 1, i;
	uint64_t word, pa, page[512];

	pthread_barrier_wait(&t->sh->start);
	for (i = 0; i < 20 * ROUNDS; i++) {
		pa = base + (uint64_t)rand_r(&seed) % (BIG / 8) * 8;
		expect(t, kvm_read(t->sh->kd, t->sh->va + pa, &word, 8) == 8 &&
		    word == mkdump_word(pa), "a word");
		if (i % 64 != 0)
			continue;
		pa &= ~4095ull;
		expect(t, kvm_read(t->sh->kd, t->sh->va + pa, page,
		    sizeof(page)) == sizeof(page) &&
		    page[511] == mkdump_word(pa + 4088), "a page");
		word = mkdump_word(pa);
		if (t->n == NTHREADS - 1 && i % 1024 == 0)
			expect(t, kvm_write(t->sh->kd, t->sh->va + pa, &word,
			    8) == 8, "kvm_write");
	}
	return NULL;
}

static void
run(struct shared *sh, void *(*fn)(void *))
{
	struct thread t[NTHREADS];
	pthread_t id[NTHREADS];
	unsigned int i;

	assert_int_equal(pthread_barrier_init(&sh->start, NULL, NTHREADS), 0);
	for (i = 0; i < NTHREADS; i++) {
		t[i] = (struct thread){ sh, i, NULL };
		assert_int_equal(pthread_create(&id[i], NULL, fn, &t[i]), 0);
	}
	for (i = 0; i < NTHREADS; i++) {
		assert_int_equal(pthread_join(id[i], NULL), 0);
		if (t[i].wrong != NULL)
			fail_msg("thread %u: %s", i, t[i].wrong);
	}
	pthread_barrier_destroy(&sh->start);
}

/* This test checks names, types and error texts in threads that start cold. */
static void
threads_ask_one_kernel_get_own_answers(void **state)
{
	struct nlist nl[] = { { .n_name = "__start_BTF" }, { .n_name = NULL } };
	struct shared sh;
	struct tasks f;

	(void)state;
	tasks_make(&f, true);
	assert_int_equal(kvm_nlist(f.g.im.kd, nl), 0);
	sh.btf = nl[0].n_value;
	sh.init_task = f.task[0];
	sh.hole = mkdump_page_offset(&f.g.im.spec) + 0x40000;
	image_open(&f.g.im, O_RDONLY);		/* cold again */
	sh.kd = f.g.im.kd;
	run(&sh, kernel_main);
	guest_fini(&f.g);
}

static void
read_memory(bool core, uint64_t page)
{
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x3f000 }, { 0x80000, 0xc0000 }, { 0x10000000, BIG },
	};
	struct shared sh;
	struct image im;

	image_init(&im);
	im.spec.runs = runs;
	im.spec.direct_page = page;
	im.spec.core = core;
	image_make(&im);
	sh.kd = im.kd;
	sh.va = mkdump_page_offset(&im.spec);
	run(&sh, memory_main);
	image_fini(&im);
}

/* This test checks reads of a core by threads while one writes; both caches. */
static void
threads_read_core_get_right_words(void **state)
{
	(void)state;
	read_memory(true, 0x1000);
	read_memory(true, 0x200000);
}

/* This test checks the same of a raw device. */
static void
threads_read_raw_get_right_words(void **state)
{
	(void)state;
	read_memory(false, 0x1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_ask_one_kernel_get_own_answers),
		cmocka_unit_test(threads_read_core_get_right_words),
		cmocka_unit_test(threads_read_raw_get_right_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
