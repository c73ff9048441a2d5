/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_stack.c: the stacks that an x86_64 kernel runs on: of tasks, and of each
 * CPU those for interrupts, for exceptions and for the way into the kernel.
 *
 * A task's stack is as large as it is aligned (THREAD_ALIGN): where no stack of
 * a CPU is, it must be one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"
#include "kvm_unwind.h"

#define STACK_TASK_SIZE	16384u		/* where BTF does not say */
#define STACK_SIZE_MAX	(1u << 20)
#define STACK_CPUS_MAX	8192u		/* NR_CPUS of x86_64 */

enum { STACK_TASK, STACK_IRQ, STACK_ENTRY, STACK_EXC };

/* Members of struct cea_exception_stacks; the kernel's names for them. */
static const struct {
	const char *path, *name;
} stack_exceptions[KVMI_NEXCSTACKS] = {
	{ "cea_exception_stacks.DF_stack", "#DF" },
	{ "cea_exception_stacks.NMI_stack", "NMI" },
	{ "cea_exception_stacks.DB_stack", "#DB" },
	{ "cea_exception_stacks.MCE_stack", "#MC" },
	{ "cea_exception_stacks.VC_stack", "#VC" },
	{ "cea_exception_stacks.VC2_stack", "#VC2" },
};

static void
stack_part(kvm_t *kd, const char *path, struct kvmi_stackpart *p)
{
	struct kvm_type ty;

	if (kvmi_type(kd, path, &ty) == -1 || ty.kt_bits != 0 ||
	    ty.kt_size > STACK_SIZE_MAX)
		return;
	p->off = ty.kt_offset;
	p->size = ty.kt_size;
}

/* 0: the kernel has none. */
static kvaddr_t
stack_symbol(const struct kvmi_kallsyms *ks, const char *name)
{
	uint64_t value;
	char type;

	return kvmi_kallsyms_lookup(ks, name, &type, &value) ? value : 0;
}

/* A variable that was in struct pcpu_hot from 6.2 (d7b6d709a76a) to 6.14. */
static kvaddr_t
stack_hot(kvm_t *kd, const struct kvmi_kallsyms *ks, const char *name)
{
	const kvaddr_t hot = stack_symbol(ks, "pcpu_hot");
	struct kvm_type ty;
	char path[64];

	snprintf(path, sizeof(path), "pcpu_hot.%s", name);
	if (hot != 0 && kvmi_type(kd, path, &ty) == 0)
		return hot + ty.kt_offset;
	return stack_symbol(ks, name);
}

static void
stacks_load(kvm_t *kd, const struct kvmi_kallsyms *ks, struct kvmi_stacks *s)
{
	struct kvmi_stackpart part = { .size = STACK_TASK_SIZE };
	size_t i;

	stack_part(kd, "thread_union.stack", &part);
	s->task_size = part.size;
	if (s->task_size == 0 || (s->task_size & (s->task_size - 1)) != 0)
		s->task_size = STACK_TASK_SIZE;
	s->percpu = stack_symbol(ks, "__per_cpu_offset");
	s->irq = stack_hot(kd, ks, "hardirq_stack_ptr");
	s->current = stack_hot(kd, ks, "current_task");
	part.size = STACK_TASK_SIZE;
	stack_part(kd, "irq_stack.stack", &part);
	s->irq_size = part.size;
	s->exc = stack_symbol(ks, "cea_exception_stacks");
	for (i = 0; i < KVMI_NEXCSTACKS; i++)
		stack_part(kd, stack_exceptions[i].path, &s->part[i]);
	stack_part(kd, "cpu_entry_area.entry_stack_page", &s->entry);
	stack_part(kd, "cpu_entry_area.estacks", &s->estacks);
	s->rethook = stack_symbol(ks, "arch_rethook_trampoline");
	s->graph = stack_symbol(ks, "return_to_handler");
	s->fork[0] = stack_symbol(ks, "ret_from_fork");
	s->fork[1] = stack_symbol(ks, "ret_from_fork_asm");
}

const struct kvmi_stacks *
kvmi_stacks(kvm_t *kd)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	struct kvmi_stacks *s;

	if (ks == NULL)
		return NULL;
	pthread_mutex_lock(&kd->lazy);
	if (kd->stacks == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			kvmi_syserr(kd, ENOMEM, "stacks");
		else
			stacks_load(kd, ks, s);
		kd->stacks = s;
	}
	pthread_mutex_unlock(&kd->lazy);
	return kd->stacks;
}

/* Where a CPU's copies of variables are: 0, or -1 with a text. */
static int
stack_percpu(kvm_t *kd, const struct kvmi_stacks *s, unsigned int cpu,
    uint64_t *off)
{
	if (s->percpu == 0)
		return kvmi_err(kd, ENOTSUP, "the kernel has no "
		    "__per_cpu_offset[]");
	return kvmi_read(kd, s->percpu + 8 * (uint64_t)cpu, off, 8);
}

int
kvmi_cpu_task(kvm_t *kd, unsigned int cpu, kvaddr_t *task)
{
	const struct kvmi_stacks *s = kvmi_stacks(kd);
	uint64_t off;

	if (s == NULL || stack_percpu(kd, s, cpu, &off) == -1)
		return -1;
	if (s->current == 0)
		return kvmi_err(kd, ENOTSUP, "the kernel has no current_task");
	return kvmi_read(kd, s->current + off, task, 8);
}

static bool
stack_is(struct kvmi_stack *st, kvaddr_t sp, kvaddr_t base, uint64_t size,
    const char *name, unsigned int id)
{
	if (sp - base >= size)
		return false;
	st->base = base;
	st->end = base + size;
	st->name = name;
	st->id = id;
	return true;
}

/* Is sp in one of the CPU's own stacks? */
static bool
stack_of_cpu(kvm_t *kd, const struct kvmi_stacks *s, unsigned int cpu,
    kvaddr_t sp, struct kvmi_stack *st)
{
	kvaddr_t at, top;
	uint64_t off;
	size_t i;

	if (stack_percpu(kd, s, cpu, &off) == -1)
		return false;
	/* It points to the end, since 5.12 to the last word (951c2a51ae75). */
	if (s->irq != 0 && kvmi_read(kd, s->irq + off, &top, 8) == 0 &&
	    stack_is(st, sp, ((top + 8) & ~15ull) - s->irq_size, s->irq_size,
	    "IRQ", STACK_IRQ))
		return true;
	if (s->exc == 0 || kvmi_read(kd, s->exc + off, &at, 8) == -1)
		return false;
	for (i = 0; i < KVMI_NEXCSTACKS; i++)
		if (stack_is(st, sp, at + s->part[i].off, s->part[i].size,
		    stack_exceptions[i].name, STACK_EXC + (unsigned int)i))
			return true;
	return s->estacks.size != 0 && stack_is(st, sp, at - s->estacks.off +
	    s->entry.off, s->entry.size, "ENTRY_TRAMPOLINE", STACK_ENTRY);
}

int
kvmi_stack_find(kvm_t *kd, int cpu, kvaddr_t sp, struct kvmi_stack *st)
{
	const struct kvmi_stacks *s = kvmi_stacks(kd);
	unsigned int i;

	if (s == NULL)
		return -1;
	if (cpu >= 0 && stack_of_cpu(kd, s, (unsigned int)cpu, sp, st))
		return 0;
	for (i = 0; cpu == KVMI_CPU_ANY && i < kd->hdr->ncpus &&
	    i < STACK_CPUS_MAX; i++)
		if (stack_of_cpu(kd, s, i, sp, st))
			return 0;
	stack_is(st, sp, sp & ~(s->task_size - 1), s->task_size, "TASK",
	    STACK_TASK);
	return 0;
}
