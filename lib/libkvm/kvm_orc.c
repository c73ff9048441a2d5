/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_orc.c: the kernel's ORC tables, which say for each address of its code
 * how to find the caller (Documentation/arch/x86/orc-unwinder.rst).  They are
 * searched where they are, in the kernel's memory.
 *
 * A table is two arrays: addresses, 32 bits from where they stand, sorted; and
 * as many struct orc_entry.  Where the bits of an entry are, its BTF says; what
 * their values mean, it does not:
 *
 *	types: CALL 0, REGS 1, REGS_PARTIAL 2, with a bit `end', until 6.3;
 *	UNDEFINED 0, END_OF_STACK 1, CALL 2, REGS 3, REGS_PARTIAL 4 and no such
 *	bit since (fb799447ae29, 6.4)
 *
 *	whether the next address is to be taken as it is, or as one behind a
 *	call: a bit `signal' since 6.3 (ffb1b4a41016); REGS* say so before
 *
 *	registers are numbered anew since 7.1 (1735858caa4b), with AX, which
 *	older kernels may have got as 10 (96f3b16a9de5).  At its first byte a C
 *	function has its return address on top of the stack, SP + 8: the
 *	number that panic() has there is SP's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"
#include "kvm_unwind.h"

#define ORC_TABLE_MAX	(1u << 24)	/* entries that are believed */
#define ORC_BLOCK	64u		/* addresses that are read at once */
#define ORC_LOOKUP_STEP	256u		/* bytes for a word of orc_lookup[] */
#define ORC_CACHED	512u
#define ORC_FTRACE_MAX	1024u		/* struct ftrace_ops in the list */
#define ORC_FTRACE_REGS	0x4u		/* FTRACE_OPS_FL_SAVE_REGS */

static const uint8_t orc_regs_old[16] = {
	KVMI_ORC_UNDEFINED, KVMI_ORC_PREV_SP, KVMI_ORC_DX, KVMI_ORC_DI,
	KVMI_ORC_BP, KVMI_ORC_SP, KVMI_ORC_R10, KVMI_ORC_R13,
	KVMI_ORC_BP_INDIRECT, KVMI_ORC_SP_INDIRECT, KVMI_ORC_AX,
	KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD,
};
static const uint8_t orc_regs_new[16] = {
	KVMI_ORC_UNDEFINED, KVMI_ORC_AX, KVMI_ORC_DX, KVMI_ORC_SP,
	KVMI_ORC_BP, KVMI_ORC_DI, KVMI_ORC_R10, KVMI_ORC_R13,
	KVMI_ORC_PREV_SP, KVMI_ORC_SP_INDIRECT, KVMI_ORC_BP_INDIRECT,
	KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD, KVMI_ORC_BAD,
};
#define ORC_SP_OLD	5u
#define ORC_SP_NEW	3u

struct orc_table {
	kvaddr_t ip, entries;
	uint32_t n;
};

/* Bits of an entry. */
struct orc_bits {
	unsigned int shift, n;
};

/* Where things are in struct module and struct ftrace_ops. */
struct orc_module {
	bool known;
	size_t n, ip, entries;
};

struct orc_ftrace {
	bool known;
	kvaddr_t list, end, caller, regs_caller;
	size_t next, flags, trampoline, size;
};

struct kvmi_orctab {
	struct orc_table kernel;
	kvaddr_t text[4];		/* where code is: two from and to */
	kvaddr_t lookup;		/* orc_lookup[], or 0 */
	uint32_t nlookup;
	size_t size;			/* of an entry */
	struct orc_bits sp_off, bp_off, sp_reg, bp_reg, type, signal, end;
	const uint8_t *regs;
	struct orc_module module;
	struct orc_ftrace ftrace;
	struct orc_cached {
		kvaddr_t pc;		/* + 1; 0: empty */
		struct kvmi_orc orc;
	} cache[ORC_CACHED];
};

static uint64_t
orc_get(uint64_t raw, const struct orc_bits *b)
{
	return raw >> b->shift & ((1ull << b->n) - 1);
}

/* A member of struct orc_entry: n bits, or 0 of an optional one. */
static int
orc_member(kvm_t *kd, const char *path, bool optional, size_t size,
    struct orc_bits *b)
{
	struct kvm_type ty;

	b->n = 0;
	if (kvmi_type(kd, path, &ty) == -1)
		return optional && errno == ENOENT ? 0 : -1;
	b->n = ty.kt_bits != 0 ? ty.kt_bits : (unsigned int)ty.kt_size * 8;
	b->shift = (unsigned int)ty.kt_offset * 8 + ty.kt_bit;
	if (b->n != 0 && b->n <= 16 && ty.kt_offset < size &&
	    b->shift + b->n <= size * 8)
		return 0;
	return kvmi_err(kd, EBADMSG, "%s: %u bits at %u make no sense", path,
	    b->n, b->shift);
}

static int
orc_layout(kvm_t *kd, struct kvmi_orctab *t)
{
	struct kvm_type ty;

	if (kvmi_type(kd, "orc_entry", &ty) == -1)
		return -1;
	t->size = ty.kt_size;
	if (t->size == 0 || t->size > sizeof(uint64_t))
		return kvmi_err(kd, EBADMSG, "orc_entry: %zu bytes", t->size);
	if (orc_member(kd, "orc_entry.sp_offset", false, t->size,
	    &t->sp_off) == -1 ||
	    orc_member(kd, "orc_entry.bp_offset", false, t->size,
	    &t->bp_off) == -1 ||
	    orc_member(kd, "orc_entry.sp_reg", false, t->size,
	    &t->sp_reg) == -1 ||
	    orc_member(kd, "orc_entry.bp_reg", false, t->size,
	    &t->bp_reg) == -1 ||
	    orc_member(kd, "orc_entry.type", false, t->size, &t->type) == -1 ||
	    orc_member(kd, "orc_entry.signal", true, t->size,
	    &t->signal) == -1 ||
	    orc_member(kd, "orc_entry.end", true, t->size, &t->end) == -1)
		return -1;
	return 0;
}

/* The module's own tables, where the kernel keeps such. */
static void
orc_layout_module(kvm_t *kd, struct orc_module *m)
{
	struct kvm_type n, ip, entries;

	m->known = kvmi_type(kd, "module.arch.num_orcs", &n) == 0 &&
	    kvmi_type(kd, "module.arch.orc_unwind_ip", &ip) == 0 &&
	    kvmi_type(kd, "module.arch.orc_unwind", &entries) == 0;
	if (!m->known)
		return;
	m->n = n.kt_offset;
	m->ip = ip.kt_offset;
	m->entries = entries.kt_offset;
}

static void
orc_layout_ftrace(kvm_t *kd, const struct kvmi_kallsyms *ks,
    struct orc_ftrace *f)
{
	struct kvm_type next, flags, tramp, size;
	char type;

	f->known = kvmi_type(kd, "ftrace_ops.next", &next) == 0 &&
	    kvmi_type(kd, "ftrace_ops.flags", &flags) == 0 &&
	    kvmi_type(kd, "ftrace_ops.trampoline", &tramp) == 0 &&
	    kvmi_type(kd, "ftrace_ops.trampoline_size", &size) == 0 &&
	    kvmi_kallsyms_lookup(ks, "ftrace_ops_list", &type, &f->list) &&
	    kvmi_kallsyms_lookup(ks, "ftrace_list_end", &type, &f->end) &&
	    kvmi_kallsyms_lookup(ks, "ftrace_caller", &type, &f->caller) &&
	    kvmi_kallsyms_lookup(ks, "ftrace_regs_caller", &type,
	    &f->regs_caller);
	if (!f->known)
		return;
	f->next = next.kt_offset;
	f->flags = flags.kt_offset;
	f->trampoline = tramp.kt_offset;
	f->size = size.kt_offset;
}

/* The kernel's code, and its own table; false: it has none. */
static bool
orc_find_table(const struct kvmi_kallsyms *ks, struct kvmi_orctab *t)
{
	static const char *const names[] = { "_stext", "_etext", "_sinittext",
		"_einittext" };
	uint64_t stop, lookup_end;
	size_t i;
	char c;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!kvmi_kallsyms_lookup(ks, names[i], &c, &t->text[i]))
			t->text[i] = 0;
	if (!kvmi_kallsyms_lookup(ks, "__start_orc_unwind_ip", &c,
	    &t->kernel.ip) ||
	    !kvmi_kallsyms_lookup(ks, "__stop_orc_unwind_ip", &c, &stop) ||
	    !kvmi_kallsyms_lookup(ks, "__start_orc_unwind", &c,
	    &t->kernel.entries))
		return false;
	if (stop > t->kernel.ip && (stop - t->kernel.ip) / 4 <= ORC_TABLE_MAX)
		t->kernel.n = (uint32_t)((stop - t->kernel.ip) / 4);
	if (kvmi_kallsyms_lookup(ks, "orc_lookup", &c, &t->lookup) &&
	    kvmi_kallsyms_lookup(ks, "orc_lookup_end", &c, &lookup_end) &&
	    lookup_end > t->lookup &&
	    (lookup_end - t->lookup) / 4 <= ORC_TABLE_MAX)
		t->nlookup = (uint32_t)((lookup_end - t->lookup) / 4);
	return true;
}

/* The address that number i of a table begins at. */
static kvaddr_t
orc_ip(const struct orc_table *t, uint32_t i, int32_t value)
{
	return t->ip + 4 * (uint64_t)i + (uint64_t)(int64_t)value;
}

/*
 * The last entry from lo on, below hi, that does not begin behind pc: 1; 0:
 * there is none; -1.
 */
static int
orc_search(kvm_t *kd, const struct orc_table *t, uint32_t lo, uint32_t hi,
    kvaddr_t pc, uint32_t *found)
{
	int32_t ip[ORC_BLOCK];
	uint32_t mid, i;

	while (hi - lo > ORC_BLOCK) {
		mid = lo + (hi - lo) / 2;
		if (kvmi_read(kd, t->ip + 4 * (uint64_t)mid, ip, 4) == -1)
			return kvmi_prepend(kd, "ORC table");
		if (orc_ip(t, mid, ip[0]) <= pc)
			lo = mid;
		else
			hi = mid;
	}
	if (lo == hi)
		return 0;
	if (kvmi_read(kd, t->ip + 4 * (uint64_t)lo, ip, 4 * (hi - lo)) == -1)
		return kvmi_prepend(kd, "ORC table");
	for (i = hi - lo; i-- > 0; )
		if (orc_ip(t, lo + i, ip[i]) <= pc) {
			*found = lo + i;
			return 1;
		}
	return 0;
}

/* The same in the kernel's table, where orc_lookup[] says where to look. */
static int
orc_search_kernel(kvm_t *kd, const struct kvmi_orctab *t, kvaddr_t pc,
    uint32_t *found)
{
	uint32_t at[2], lo = 0, hi = t->kernel.n;
	uint64_t i = (pc - t->text[0]) / ORC_LOOKUP_STEP;

	if (pc >= t->text[0] && pc < t->text[1] && i + 1 < t->nlookup) {
		if (kvmi_read(kd, t->lookup + 4 * i, at, sizeof(at)) == -1)
			return kvmi_prepend(kd, "orc_lookup[]");
		if (at[0] <= at[1] && at[1] < hi) {
			lo = at[0];
			hi = at[1] + 1;
		}
	}
	return orc_search(kd, &t->kernel, lo, hi, pc, found);
}

/* What an entry says. */
static void
orc_decode(const struct kvmi_orctab *t, uint64_t raw, struct kvmi_orc *o)
{
	static const uint8_t types[] = { KVMI_ORC_NONE, KVMI_ORC_END,
		KVMI_ORC_CALL, KVMI_ORC_REGS, KVMI_ORC_PARTIAL };
	uint64_t type = orc_get(raw, &t->type);

	o->sp_offset = (int16_t)orc_get(raw, &t->sp_off);
	o->bp_offset = (int16_t)orc_get(raw, &t->bp_off);
	o->sp_reg = t->regs[orc_get(raw, &t->sp_reg) & 15];
	o->bp_reg = t->regs[orc_get(raw, &t->bp_reg) & 15];
	if (t->end.n != 0)
		type += 2;
	o->type = type < sizeof(types) ? types[type] : KVMI_ORC_NONE;
	if (t->end.n != 0 && o->sp_reg == KVMI_ORC_UNDEFINED)
		o->type = orc_get(raw, &t->end) != 0 ? KVMI_ORC_END :
		    KVMI_ORC_NONE;
	o->signal = t->signal.n != 0 ? orc_get(raw, &t->signal) != 0 :
	    o->type == KVMI_ORC_REGS || o->type == KVMI_ORC_PARTIAL;
}

static int
orc_entry(kvm_t *kd, const struct kvmi_orctab *t, const struct orc_table *tab,
    uint32_t i, uint64_t *raw)
{
	*raw = 0;
	if (kvmi_read(kd, tab->entries + t->size * (uint64_t)i, raw,
	    t->size) == -1)
		return kvmi_prepend(kd, "ORC table");
	return 0;
}

/* How are registers numbered? */
static int
orc_numbering(kvm_t *kd, const struct kvmi_kallsyms *ks,
    struct kvmi_orctab *t)
{
	uint64_t panic, raw;
	uint32_t i;
	char type;

	if (!kvmi_kallsyms_lookup(ks, "panic", &type, &panic))
		return kvmi_err(kd, ENOTSUP, "the kernel has no panic()");
	switch (orc_search_kernel(kd, t, panic, &i)) {
	case -1:
		return -1;
	case 0:
		return kvmi_err(kd, EBADMSG, "nothing for panic()");
	default:
		break;
	}
	if (orc_entry(kd, t, &t->kernel, i, &raw) == -1)
		return -1;
	if (orc_get(raw, &t->sp_off) == 8 &&
	    orc_get(raw, &t->sp_reg) == ORC_SP_OLD)
		t->regs = orc_regs_old;
	else if (orc_get(raw, &t->sp_off) == 8 &&
	    orc_get(raw, &t->sp_reg) == ORC_SP_NEW)
		t->regs = orc_regs_new;
	else
		return kvmi_err(kd, ENOTSUP, "panic() begins with 0x%llx, "
		    "which is no known form", (unsigned long long)raw);
	return 0;
}

static int
orc_load(kvm_t *kd, const struct kvmi_kallsyms *ks, struct kvmi_orctab *t)
{
	if (!orc_find_table(ks, t))
		return 0;
	if (orc_layout(kd, t) == -1 || orc_numbering(kd, ks, t) == -1)
		return kvmi_prepend(kd, "ORC tables");
	orc_layout_module(kd, &t->module);
	orc_layout_ftrace(kd, ks, &t->ftrace);
	return 0;
}

/* Reads what is needed of them when first asked: NULL with a text. */
static struct kvmi_orctab *
orc_tables(kvm_t *kd)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	struct kvmi_orctab *t;

	if (kd->orctab != NULL || ks == NULL)
		return kd->orctab;
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		kvmi_syserr(kd, ENOMEM, "ORC tables");
	} else if (orc_load(kd, ks, t) == -1) {
		free(t);
	} else {
		kd->orctab = t;
	}
	return kd->orctab;
}

int
kvmi_orc_have(kvm_t *kd)
{
	const struct kvmi_orctab *t;

	pthread_mutex_lock(&kd->lazy);
	t = orc_tables(kd);
	pthread_mutex_unlock(&kd->lazy);
	return t == NULL ? -1 : t->kernel.n != 0;
}

static int
orc_find_module(kvm_t *kd, const struct kvmi_orctab *t, kvaddr_t pc,
    uint64_t *raw)
{
	const struct kvmi_modules *ms = kvmi_modules(kd);
	const struct kvmi_module *m;
	struct orc_table tab = { .n = 0 };
	uint32_t i;
	int rv;

	if (!t->module.known || ms == NULL ||
	    (m = kvmi_module_at(ms, pc)) == NULL)
		return 0;
	if (kvmi_read(kd, m->addr + t->module.n, &tab.n, 4) == -1 ||
	    kvmi_read(kd, m->addr + t->module.ip, &tab.ip, 8) == -1 ||
	    kvmi_read(kd, m->addr + t->module.entries, &tab.entries, 8) == -1)
		return kvmi_prepend(kd, "module 0x%llx",
		    (unsigned long long)m->addr);
	if (tab.n > ORC_TABLE_MAX)
		return kvmi_err(kd, EBADMSG, "module 0x%llx: %u ORC entries",
		    (unsigned long long)m->addr, tab.n);
	rv = orc_search(kd, &tab, 0, tab.n, pc, &i);
	if (rv == 1 && orc_entry(kd, t, &tab, i, raw) == -1)
		rv = -1;
	return rv == -1 ? kvmi_prepend(kd, "module 0x%llx",
	    (unsigned long long)m->addr) : rv;
}

/*
 * A trampoline that ftrace made is a copy of ftrace_caller or
 * ftrace_regs_caller: the address in the original of one in the copy, or 0.
 */
static kvaddr_t
orc_ftrace(kvm_t *kd, const struct orc_ftrace *f, kvaddr_t pc)
{
	kvaddr_t ops;
	uint64_t tramp, size, flags = 0;
	unsigned int i;

	if (!f->known || kvmi_read(kd, f->list, &ops, 8) == -1)
		return 0;
	for (i = 0; i < ORC_FTRACE_MAX && ops != f->end; i++) {
		if (kvmi_read(kd, ops + f->trampoline, &tramp, 8) == -1 ||
		    kvmi_read(kd, ops + f->size, &size, 8) == -1 ||
		    kvmi_read(kd, ops + f->flags, &flags, 8) == -1)
			return 0;
		if (tramp != 0 && pc - tramp < size)
			return pc - tramp + ((flags & ORC_FTRACE_REGS) != 0 ?
			    f->regs_caller : f->caller);
		if (kvmi_read(kd, ops + f->next, &ops, 8) == -1)
			return 0;
	}
	return 0;
}

static bool
orc_text(const struct kvmi_orctab *t, kvaddr_t pc)
{
	return (pc >= t->text[0] && pc < t->text[1]) ||
	    (pc >= t->text[2] && pc < t->text[3]);
}

static int
orc_find(kvm_t *kd, const struct kvmi_orctab *t, kvaddr_t pc,
    struct kvmi_orc *o)
{
	uint64_t raw;
	uint32_t i;
	int rv = 0;

	if (!orc_text(t, pc)) {
		rv = orc_find_module(kd, t, pc, &raw);
		if (rv == 0)
			pc = orc_ftrace(kd, &t->ftrace, pc);
	}
	if (rv == 0 && orc_text(t, pc)) {
		rv = orc_search_kernel(kd, t, pc, &i);
		if (rv == 1 && orc_entry(kd, t, &t->kernel, i, &raw) == -1)
			rv = -1;
	}
	if (rv == 1)
		orc_decode(t, raw, o);
	return rv;
}

bool
kvmi_is_code(kvm_t *kd, kvaddr_t pc)
{
	const struct kvmi_modules *ms;
	const struct kvmi_orctab *t;
	bool rv = false;

	pthread_mutex_lock(&kd->lazy);
	t = orc_tables(kd);
	if (t != NULL)
		rv = orc_text(t, pc) || ((ms = kvmi_modules(kd)) != NULL &&
		    kvmi_module_at(ms, pc) != NULL) ||
		    orc_ftrace(kd, &t->ftrace, pc) != 0;
	pthread_mutex_unlock(&kd->lazy);
	return rv;
}

int
kvmi_orc_find(kvm_t *kd, kvaddr_t pc, struct kvmi_orc *o)
{
	struct kvmi_orctab *t;
	struct orc_cached *c;
	int rv = 1;

	pthread_mutex_lock(&kd->lazy);
	t = orc_tables(kd);
	if (t == NULL) {
		rv = -1;
	} else {
		c = &t->cache[(pc ^ pc >> 9) % ORC_CACHED];
		if (c->pc != pc + 1 || c->pc == 0) {
			c->pc = 0;
			rv = orc_find(kd, t, pc, &c->orc);
			if (rv == 1)
				c->pc = pc + 1;
		}
		if (rv == 1)
			*o = c->orc;
	}
	pthread_mutex_unlock(&kd->lazy);
	return rv;
}

void
kvmi_orctab_free(struct kvmi_orctab *t)
{
	free(t);
}
