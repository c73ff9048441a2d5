/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_module.c: the kernel's modules, from its list of them; kvm_module(3).
 *
 * The memory of a module is in core_layout and, while it begins, init_layout
 * until Linux 6.3; and in the pieces of mem[] since (ac3b43283923, 6.4).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define MODULES_MAX	4096u	/* a list longer than this goes round */

/* Where things are in struct module. */
struct module_layout {
	size_t list, state, name;
	size_t piece[KVMI_MODPIECES];	/* what has base and size */
	unsigned int npieces;
	size_t base, size, size_len;	/* in a piece */
};

static int
module_layout(kvm_t *kd, struct module_layout *l)
{
	struct kvm_type list, state, name, mem, one, init, base, size;
	unsigned int i;

	if (kvmi_type(kd, "module.list", &list) == -1 ||
	    kvmi_type(kd, "module.state", &state) == -1 ||
	    kvmi_type(kd, "module.name", &name) == -1)
		return -1;
	l->list = list.kt_offset;
	l->state = state.kt_offset;
	l->name = name.kt_offset;
	l->npieces = 1;
	if (kvmi_type(kd, "module.mem", &mem) == 0) {
		if (kvmi_type(kd, "module.mem[0]", &one) == -1 ||
		    kvmi_type(kd, "module_memory.base", &base) == -1 ||
		    kvmi_type(kd, "module_memory.size", &size) == -1)
			return -1;
		if (one.kt_size != 0)
			l->npieces = (unsigned int)(mem.kt_size / one.kt_size);
		if (l->npieces > KVMI_MODPIECES)
			l->npieces = KVMI_MODPIECES;
	} else if (kvmi_type(kd, "module.core_layout", &mem) == 0) {
		one.kt_size = 0;
		if (kvmi_type(kd, "module.init_layout", &init) == 0) {
			one.kt_size = init.kt_offset - mem.kt_offset;
			l->npieces = 2;
		}
		if (kvmi_type(kd, "module_layout.base", &base) == -1 ||
		    kvmi_type(kd, "module_layout.size", &size) == -1)
			return -1;
	} else {
		return -1;
	}
	for (i = 0; i < l->npieces; i++)
		l->piece[i] = mem.kt_offset + i * one.kt_size;
	l->base = base.kt_offset;
	l->size = size.kt_offset;
	l->size_len = size.kt_size == 4 ? 4 : 8;
	return 0;
}

/* Reads one module: 0, or -1 with a text. */
static int
module_read(kvm_t *kd, const struct module_layout *l, kvaddr_t addr,
    struct kvmi_module *m)
{
	struct kvmi_piece *p;
	kvaddr_t at;
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->addr = addr;
	m->npieces = l->npieces;
	if (kvmi_read(kd, addr + l->state, &m->state, 4) == -1 ||
	    kvmi_read(kd, addr + l->name, m->name, sizeof(m->name) - 1) == -1)
		return -1;
	for (i = 0; i < l->npieces; i++) {
		p = &m->piece[i];
		at = addr + l->piece[i];
		if (kvmi_read(kd, at + l->base, &p->base, 8) == -1 ||
		    kvmi_read(kd, at + l->size, &p->size, l->size_len) == -1)
			return -1;
		m->size += p->size;
	}
	return 0;
}

/* Walks the list; what is there before a damaged place is kept. */
static int
module_walk(kvm_t *kd, struct kvmi_modules *ms)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	struct module_layout l;
	struct kvmi_module *list;
	uint64_t head, at;
	size_t cap = 0;
	char type;

	if (ks == NULL || module_layout(kd, &l) == -1)
		return -1;
	if (!kvmi_kallsyms_lookup(ks, "modules", &type, &head))
		return kvmi_err(kd, ENOTSUP, "the kernel has no list of them");
	for (at = head; ; ) {
		if (kvmi_read(kd, at, &at, sizeof(at)) == -1)
			return kvmi_prepend(kd, "list");
		if (at == head)
			return 0;
		if (ms->n == MODULES_MAX) {
			/* Each of them is there more than once. */
			ms->n = 0;
			return kvmi_err(kd, EBADMSG, "the list does not end");
		}
		if (ms->n == cap) {
			cap = cap * 2 + 16;
			list = realloc(ms->list, cap * sizeof(*list));
			if (list == NULL)
				return kvmi_syserr(kd, ENOMEM, "list");
			ms->list = list;
		}
		if (module_read(kd, &l, at - l.list, &ms->list[ms->n]) == -1)
			return kvmi_prepend(kd, "module 0x%llx",
			    (unsigned long long)(at - l.list));
		ms->n += ms->list[ms->n].state != KVM_MODULE_UNFORMED;
	}
}

/* The list with the symbols of all in it: 0, or -1 with a text. */
static int
modules_load(kvm_t *kd, struct kvmi_modules *ms)
{
	if (module_walk(kd, ms) == -1) {
		kvmi_prepend(kd, "modules");
		kvmi_failure_note(kd, &ms->damage);
		if (ms->n == 0 || ms->damage.error == 0)
			return -1;
	}
	return kvmi_modsyms_init(kd, ms) == -1 ? kvmi_prepend(kd, "modules") :
	    0;
}

const struct kvmi_piece *
kvmi_module_piece(const struct kvmi_module *m, kvaddr_t addr)
{
	unsigned int i;

	for (i = 0; i < m->npieces; i++)
		if (addr - m->piece[i].base < m->piece[i].size)
			return &m->piece[i];
	return NULL;
}

const struct kvmi_module *
kvmi_module_at(const struct kvmi_modules *ms, kvaddr_t addr)
{
	size_t i;

	for (i = 0; i < ms->n; i++)
		if (kvmi_module_piece(&ms->list[i], addr) != NULL)
			return &ms->list[i];
	return NULL;
}

void
kvmi_modules_free(struct kvmi_modules *ms)
{
	if (ms == NULL)
		return;
	kvmi_modsyms_fini(ms);
	kvmi_failure_fini(&ms->damage);
	free(ms->list);
	free(ms);
}

const struct kvmi_modules *
kvmi_modules(kvm_t *kd)
{
	struct kvmi_modules *ms;

	pthread_mutex_lock(&kd->lazy);
	if (kd->modules == NULL) {
		ms = calloc(1, sizeof(*ms));
		if (ms == NULL)
			kvmi_syserr(kd, ENOMEM, "modules");
		else if (modules_load(kd, ms) == -1)
			kvmi_modules_free(ms);
		else
			kd->modules = ms;
	}
	pthread_mutex_unlock(&kd->lazy);
	return kd->modules;
}

int
kvm_modules(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_module *mod),
    void *cookie)
{
	const struct kvmi_modules *ms;
	struct kvm_module mod;
	size_t i;
	int rv = 0;

	if (kd->live != NULL) {
		if ((rv = kvmi_modfile_each(kd, fn, cookie)) == -1)
			kvmi_report(kd);
		return rv;
	}
	if (kvmi_need_header(kd) == -1 || (ms = kvmi_modules(kd)) == NULL) {
		kvmi_report(kd);
		return -1;
	}
	for (i = 0; rv == 0 && i < ms->n; i++) {
		mod.km_name = ms->list[i].name;
		mod.km_addr = ms->list[i].addr;
		mod.km_base = ms->list[i].piece[0].base;
		mod.km_size = ms->list[i].size;
		mod.km_state = ms->list[i].state;
		rv = fn(cookie, &mod);
	}
	if (rv == 0 && (rv = kvmi_failure_tell(kd, &ms->damage)) == -1)
		kvmi_report(kd);
	return rv;
}
