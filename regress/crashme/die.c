// SPDX-License-Identifier: BSD-2-Clause
/*
 * die.c: what to die of.  To add a death, write a function and name it in
 * crashme_deaths[].  One that returns has not killed: that is a panic with
 * another text.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "crashme.h"

#define CRASHME_FREED	512		/* bytes of the object used too late */

static ulong crashme_zero;		/* the compiler does not know that */

static void crashme_gpf(void)
{
	WRITE_ONCE(*(int *)0xdead4ead00000000ul, 1);
}

static void crashme_divide(void)
{
	asm volatile("xorl %%ecx, %%ecx\n\t"
		     "divl %%ecx"
		     : : : "eax", "ecx", "edx", "cc");
}

/* Data that is code: a `ret', in memory that must not be executed. */
static void crashme_exec(void)
{
	static u8 code[16] = { 0xc3 };

	((void (*)(void))(code + READ_ONCE(crashme_zero)))();
}

static const ulong crashme_rodata = 0x5eed;

static void crashme_write_rodata(void)
{
	ulong *p = (ulong *)&crashme_rodata;

	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(*p, 1);
}

/* Uses up the stack. */
static noinline int crashme_deep(int depth)
{
	volatile char pad[512];

	pad[depth % sizeof(pad)] = 1;
	if (depth == INT_MAX)
		return 0;
	return crashme_deep(depth + 1) + pad[depth % sizeof(pad)];
}

static void crashme_overflow(void)
{
	crashme_deep(0);
}

/* No stack at all: the fault's own frame faults. */
static void crashme_double(void)
{
	asm volatile("xorl %%esp, %%esp\n\t"
		     "pushq %%rax"
		     : : : "memory");
	BUG();
}

/* Over the end of an array on the stack, return address and all. */
static noinline void crashme_smash(size_t len)
{
	char text[32];
	char *p = text;

	OPTIMIZER_HIDE_VAR(p);
	memset(p, 0x55, len);
}

static void crashme_stack(void)
{
	crashme_smash(sizeof(char [32]) + 64);
}

static void crashme_list(void)
{
	static LIST_HEAD(head);
	static struct list_head good, bad;

	list_add(&good, &head);
	head.next = &bad;
	list_add(&bad, &head);
}

/* From a cache that poisons what is freed. */
static void crashme_uaf(void)
{
	struct kmem_cache *cache = kmem_cache_create("crashme", CRASHME_FREED,
						     0, SLAB_POISON, NULL);
	struct list_head *freed;

	if (cache == NULL)
		return;
	freed = kmem_cache_alloc(cache, GFP_KERNEL);
	if (freed == NULL)
		return;
	kmem_cache_free(cache, freed);
	OPTIMIZER_HIDE_VAR(freed);
	WRITE_ONCE(freed->next->next->prev, NULL);
}

/* Nobody can be killed for this memory: it is not a task's. */
static void crashme_oom(void)
{
	void **page, **all = NULL;

	while ((page = (void **)__get_free_page(GFP_KERNEL)) != NULL) {
		*page = all;
		all = page;
	}
	while (all != NULL) {
		page = *all;
		free_page((ulong)all);
		all = page;
	}
}

static void crashme_warn(void)
{
	WARN(1, "crashme: a warning\n");
}

static void crashme_quiet(struct rcu_head *unused)
{
}

/* The watchdogs of the kernel must see these two.  That of RCU looks at a CPU only
 * while somebody waits for it. */
static void crashme_loop(void)
{
	static struct rcu_head waits;

	preempt_disable();
	call_rcu(&waits, crashme_quiet);
	while (READ_ONCE(crashme_zero) == 0)
		cpu_relax();
}

static void crashme_deaf(void)
{
	local_irq_disable();
	crashme_tell("\n@@deaf\n");
	while (READ_ONCE(crashme_zero) == 0)
		cpu_relax();
}

static void crashme_hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
}

struct crashme_death {
	const char *name;
	void (*die)(void);	/* NULL: crashme_die() does it */
};

static const struct crashme_death crashme_deaths[] = {
	{ "panic", NULL },
	{ "bug", NULL },
	{ "null", NULL },
	{ "gpf", crashme_gpf },
	{ "divide", crashme_divide },
	{ "exec", crashme_exec },
	{ "rodata", crashme_write_rodata },
	{ "deep", crashme_overflow },
	{ "double", crashme_double },
	{ "stack", crashme_stack },
	{ "list", crashme_list },
	{ "uaf", crashme_uaf },
	{ "oom", crashme_oom },
	{ "warn", crashme_warn },
	{ "loop", crashme_loop },
	{ "deaf", crashme_deaf },
	{ "hang", crashme_hang },
};

static const struct crashme_death *crashme_death = &crashme_deaths[0];

static const struct crashme_death *crashme_death_there;

void crashme_set_there(void)
{
	crashme_death_there = crashme_death;
}

void crashme_die_there(void)
{
	crashme_death = crashme_death_there;
	crashme_die();
}

int crashme_set_death(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(crashme_deaths); i++)
		if (strcmp(crashme_deaths[i].name, name) == 0) {
			crashme_death = &crashme_deaths[i];
			return 0;
		}
	return -EINVAL;
}

/* Tests want to find this function where a CPU died.  It can return: of functions
 * that can't, objtool wants to be told in all files that call them, and compilers
 * put nothing behind the call then. */
noinline void crashme_die(void)
{
	if (crashme_death == NULL)
		return;
	crashme_tell_task("dies");
	if (crashme_death->die != NULL) {
		crashme_death->die();
		panic("crashme: survived %s", crashme_death->name);
	}
	if (crashme_death->name[0] == 'b')
		BUG();
	if (crashme_death->name[0] == 'n')
		WRITE_ONCE(*(int *)16, 1);
	panic("crashme: seed %lx", crashme_seed);
}
