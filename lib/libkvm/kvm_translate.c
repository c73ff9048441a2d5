/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_translate.c: kernel addresses to physical ones, with a small cache of
 * translations.  No thread waits for another: an entry that one is changing is
 * none for the others, and what was found before kvmi_vm_flush() is of an epoch
 * that is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_machine.h"

#define VM_LARGE	(2ull << 20)

/* The registry: every machine there is. */
static const struct kvmi_machine *const kvmi_machines[] = {
	&kvmi_x86_64,
	NULL,
};

const struct kvmi_machine *
kvmi_machine_find(uint32_t mid)
{
	size_t i;

	for (i = 0; kvmi_machines[i] != NULL; i++)
		if (kvmi_machines[i]->mid == mid)
			break;
	return kvmi_machines[i];
}

const struct kvmi_machine *
kvmi_machine_here(void)
{
	struct utsname uts;

	return uname(&uts) == -1 ? NULL :
	    kvmi_machine_name(uts.machine, sizeof(uts.machine));
}

const struct kvmi_machine *
kvmi_machine_elf(unsigned int elf_machine)
{
	size_t i;

	for (i = 0; kvmi_machines[i] != NULL; i++)
		if (kvmi_machines[i]->elf_machine == elf_machine)
			break;
	return kvmi_machines[i];
}

const struct kvmi_machine *
kvmi_machine_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; kvmi_machines[i] != NULL; i++)
		if (strnlen(name, len) == strlen(kvmi_machines[i]->name) &&
		    strncmp(kvmi_machines[i]->name, name, len) == 0)
			break;
	return kvmi_machines[i];
}

int
kvmi_vm_init(struct kvmi_vm *vm)
{
	atomic_init(&vm->epoch, 1);
	vm->small = calloc(2 * KVMI_NTLB, sizeof(*vm->small));
	if (vm->small == NULL)
		return -1;
	vm->large = vm->small + KVMI_NTLB;
	return 0;
}

void
kvmi_vm_fini(struct kvmi_vm *vm)
{
	free(vm->small);
}

void
kvmi_vm_flush(struct kvmi_vm *vm)
{
	atomic_fetch_add(&vm->epoch, 1);
}

/* Is this what t holds?  What another thread changes meanwhile is not. */
static bool
tlb_get(const struct kvmi_tlb *t, uint64_t epoch, uint64_t vpage, kpaddr_t *pa)
{
	uint64_t seq = atomic_load_explicit(&t->seq, memory_order_acquire);

	if (atomic_load_explicit(&t->epoch, memory_order_acquire) != epoch ||
	    atomic_load_explicit(&t->vpage, memory_order_acquire) != vpage)
		return false;
	*pa = atomic_load_explicit(&t->pa, memory_order_acquire);
	return (seq & 1) == 0 &&
	    atomic_load_explicit(&t->seq, memory_order_relaxed) == seq;
}

/* Where another thread is at it, it is left to that. */
static void
tlb_put(struct kvmi_tlb *t, uint64_t epoch, uint64_t vpage, kpaddr_t pa)
{
	uint64_t seq = atomic_load_explicit(&t->seq, memory_order_relaxed);

	if ((seq & 1) != 0 || !atomic_compare_exchange_strong_explicit(&t->seq,
	    &seq, seq + 1, memory_order_acquire, memory_order_relaxed))
		return;
	atomic_store_explicit(&t->epoch, epoch, memory_order_release);
	atomic_store_explicit(&t->vpage, vpage, memory_order_release);
	atomic_store_explicit(&t->pa, pa, memory_order_release);
	atomic_store_explicit(&t->seq, seq + 2, memory_order_release);
}

static int
vm_fetch(void *cookie, kpaddr_t pa, uint64_t *entry)
{
	/* An entry is within a page, and so all there or not at all. */
	return kvmi_phys_read(cookie, pa, entry, sizeof(*entry)) ==
	    sizeof(*entry) ? 0 : -1;
}

static int
vm_fail(kvm_t *kd, kvaddr_t va, enum kvmi_walk_end end,
    const struct kvmi_xlat *x)
{
	const unsigned long long a = va, e = x->entry;

	switch (end) {
	case KVMI_WALK_NONCANONICAL:
		return kvmi_err(kd, EFAULT,
		    "address 0x%llx: not an address of %s with %u levels of "
		    "page tables", a, kd->machine->name,
		    kd->vm.levels);
	case KVMI_WALK_NOTPRESENT:
		return kvmi_err(kd, EFAULT, "address 0x%llx: not mapped "
		    "(page table level %u: entry 0x%llx)", a, x->level, e);
	case KVMI_WALK_RESERVED:
		return kvmi_err(kd, EBADMSG, "address 0x%llx: page table "
		    "level %u: entry 0x%llx has bits that must be zero", a,
		    x->level, e);
	default:
		return kvmi_prepend(kd, "address 0x%llx: page table level %u",
		    a, x->level);
	}
}

static void
vm_walk_init(kvm_t *kd, kpaddr_t root, struct kvmi_walk *w)
{
	w->root = root;
	w->levels = kd->vm.levels;
	w->enc_mask = kd->vm.enc_mask;
	w->fetch = vm_fetch;
	w->cookie = kd;
}

/* Translates va; *left is how much of its page is from there on. */
static int
vm_page(kvm_t *kd, kvaddr_t va, kpaddr_t *pa, uint64_t *left)
{
	struct kvmi_vm *vm = &kd->vm;
	const uint64_t epoch = atomic_load_explicit(&vm->epoch,
	    memory_order_acquire);
	const uint64_t vlarge = va / VM_LARGE, vsmall = va / KVMI_PAGE;
	struct kvmi_tlb *large = &vm->large[vlarge % KVMI_NTLB];
	struct kvmi_tlb *small = &vm->small[vsmall % KVMI_NTLB];
	uint64_t size = VM_LARGE;
	struct kvmi_walk w;
	struct kvmi_xlat x;
	enum kvmi_walk_end end;

	if (!tlb_get(large, epoch, vlarge, pa)) {
		size = KVMI_PAGE;
		if (!tlb_get(small, epoch, vsmall, pa)) {
			vm_walk_init(kd, kd->vm.root, &w);
			end = kd->machine->walk(&w, va, &x);
			if (end != KVMI_WALK_OK)
				return vm_fail(kd, va, end, &x);
			size = x.size < VM_LARGE ? KVMI_PAGE : VM_LARGE;
			*pa = x.pa & ~(size - 1);
			if (size == VM_LARGE)
				tlb_put(large, epoch, vlarge, *pa);
			else
				tlb_put(small, epoch, vsmall, *pa);
		}
	}
	*pa += va % size;
	*left = size - va % size;
	return 0;
}

int
kvmi_translate(kvm_t *kd, kvaddr_t va, uint64_t want, kpaddr_t *pa,
    uint64_t *len)
{
	kpaddr_t next;
	uint64_t n, left;

	if (vm_page(kd, va, pa, &n) == -1)
		return -1;
	while (n < want && va + n != 0) {
		if (vm_page(kd, va + n, &next, &left) == -1 ||
		    next != *pa + n)
			break;
		n += left;
	}
	*len = n < want ? n : want;
	return 0;
}

/* A process's page is not there: why. */
static int
vm_absent(kvm_t *kd, kvaddr_t va, enum kvmi_absent absent,
    const struct kvmi_xlat *x, const struct kvmi_swap *swap)
{
	const unsigned long long a = va;

	switch (absent) {
	case KVMI_ABSENT_NONE:
		return kvmi_err(kd, EFAULT, "address 0x%llx: the process has "
		    "no page there", a);
	case KVMI_ABSENT_SWAP:
		return kvmi_err(kd, EFAULT, "address 0x%llx: swapped out, to "
		    "page %llu of swap area %u", a,
		    (unsigned long long)swap->page, swap->area);
	default:
		return kvmi_err(kd, EFAULT, "address 0x%llx: not in memory "
		    "(page table level %u: entry 0x%llx)", a, x->level,
		    (unsigned long long)x->entry);
	}
}

int
kvmi_translate_user(kvm_t *kd, kpaddr_t root, kvaddr_t va, uint64_t want,
    kpaddr_t *pa, uint64_t *len)
{
	enum kvmi_absent absent;
	enum kvmi_walk_end end;
	struct kvmi_swap swap;
	struct kvmi_walk w;
	struct kvmi_xlat x;
	int rv = 0;

	vm_walk_init(kd, root, &w);
	end = kd->machine->walk(&w, va, &x);
	if (end == KVMI_WALK_NOTPRESENT) {
		absent = kd->machine->absent(&w, va, &x, &swap);
		if (absent != KVMI_ABSENT_HIDDEN)
			rv = vm_absent(kd, va, absent, &x, &swap);
	} else if (end != KVMI_WALK_OK) {
		rv = vm_fail(kd, va, end, &x);
	}
	if (rv == -1)
		return -1;
	*pa = x.pa;
	*len = x.size - (va & (x.size - 1));
	if (*len > want)
		*len = want;
	return 0;
}
