/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_translate.c: kernel addresses to physical ones, with a small cache of
 * translations and one of page tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

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
	size_t i;

	if (uname(&uts) == -1)
		return NULL;
	for (i = 0; kvmi_machines[i] != NULL; i++)
		if (strcmp(kvmi_machines[i]->name, uts.machine) == 0)
			break;
	return kvmi_machines[i];
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

int
kvmi_vm_init(struct kvmi_vm *vm)
{
	vm->tables = calloc(KVMI_NTABLE, sizeof(*vm->tables));
	if (vm->tables == NULL)
		return -1;
	if (pthread_mutex_init(&vm->lock, NULL) != 0) {
		free(vm->tables);
		return -1;
	}
	return 0;
}

void
kvmi_vm_fini(struct kvmi_vm *vm)
{
	free(vm->tables);
	pthread_mutex_destroy(&vm->lock);
}

void
kvmi_vm_flush(struct kvmi_vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	memset(vm->tlb, 0, sizeof(vm->tlb));
	memset(vm->tags, 0, sizeof(vm->tags));
	pthread_mutex_unlock(&vm->lock);
}

/* Gets a page-table entry through the cache of tables. */
static int
vm_fetch(void *cookie, kpaddr_t pa, uint64_t *entry)
{
	kvm_t *kd = cookie;
	kpaddr_t page = pa & ~(kpaddr_t)(KVMI_PAGE - 1);
	const size_t slot = page / KVMI_PAGE % KVMI_NTABLE;
	struct kvmi_table *t = &kd->vm.tables[slot];
	uint8_t *to;
	size_t done;
	ssize_t n;

	if (kd->vm.tags[slot] != page + 1) {
		kd->vm.tags[slot] = 0;
		to = (uint8_t *)t->entries;
		for (done = 0; done < KVMI_PAGE; done += (size_t)n) {
			n = kvmi_phys_read(kd, page + done, to + done,
			    KVMI_PAGE - done);
			if (n == -1)
				return -1;
		}
		kd->vm.tags[slot] = page + 1;
	}
	*entry = t->entries[pa % KVMI_PAGE / 8];
	return 0;
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

/* Translates one page; the lock is held. */
static int
vm_page(kvm_t *kd, kvaddr_t va, kpaddr_t *ppage)
{
	const kvaddr_t vpage = va / KVMI_PAGE;
	struct kvmi_tlb *t = &kd->vm.tlb[vpage % KVMI_NTLB];
	struct kvmi_walk w;
	struct kvmi_xlat x;
	enum kvmi_walk_end end;

	if (t->vpage != vpage + 1) {
		w.root = kd->vm.root;
		w.levels = kd->vm.levels;
		w.enc_mask = kd->vm.enc_mask;
		w.fetch = vm_fetch;
		w.cookie = kd;
		end = kd->machine->walk(&w, va, &x);
		if (end != KVMI_WALK_OK)
			return vm_fail(kd, va, end, &x);
		t->vpage = vpage + 1;
		t->ppage = x.pa & ~(kpaddr_t)(KVMI_PAGE - 1);
	}
	*ppage = t->ppage;
	return 0;
}

int
kvmi_translate(kvm_t *kd, kvaddr_t va, uint64_t want, kpaddr_t *pa,
    uint64_t *len)
{
	kpaddr_t first, next;
	uint64_t n;
	int rv;

	pthread_mutex_lock(&kd->vm.lock);
	rv = vm_page(kd, va, &first);
	if (rv == 0) {
		n = KVMI_PAGE - va % KVMI_PAGE;
		*pa = first + va % KVMI_PAGE;
		while (n < want && va + n != 0) {
			if (vm_page(kd, va + n, &next) == -1 ||
			    next != *pa + n)
				break;
			n += KVMI_PAGE;
		}
		*len = n < want ? n : want;
	}
	pthread_mutex_unlock(&kd->vm.lock);
	return rv;
}
