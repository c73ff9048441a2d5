/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_modsym.c: the symbols of modules: ELF symbols that the kernel keeps in
 * struct mod_kallsyms of each, with nm(1)'s letters beside them.  A module
 * whose symbols can't be read has none.
 */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"

/* What is believed of one module, and of all. */
#define MODSYM_ONE_MAX	(1u << 18)	/* symbols */
#define MODSYM_ONE_STR	(16u << 20)	/* bytes of names */
#define MODSYM_MAX	(1u << 20)
#define MODSYM_STR	(64u << 20)

struct modsym_layout {
	size_t kallsyms, symtab, num, strtab, typetab;
};

/* What is read of one module, before it is sorted out. */
struct modsym_raw {
	uint32_t n;
	Elf64_Sym *syms;
	char *types;
	char *strings;
	size_t strings_len;
};

static int
modsym_layout(kvm_t *kd, struct modsym_layout *l)
{
	const struct {
		const char *path;
		size_t *to;
	} m[] = {
		{ "module.kallsyms", &l->kallsyms },
		{ "mod_kallsyms.symtab", &l->symtab },
		{ "mod_kallsyms.num_symtab", &l->num },
		{ "mod_kallsyms.strtab", &l->strtab },
		{ "mod_kallsyms.typetab", &l->typetab },
	};
	struct kvm_type ty;
	size_t i;

	for (i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		if (kvmi_type(kd, m[i].path, &ty) == -1)
			return -1;
		*m[i].to = ty.kt_offset;
	}
	return 0;
}

/* The names: their size is not written anywhere, so as much as is needed. */
static int
modsym_strings(kvm_t *kd, struct modsym_raw *r, kvaddr_t va)
{
	size_t last = 0, done = 0;
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->syms[i].st_name > last)
			last = r->syms[i].st_name;
	if (last > MODSYM_ONE_STR)
		return kvmi_err(kd, EBADMSG, "a name at %zu", last);
	r->strings = malloc(last + KVMI_SYMLEN + 1);
	if (r->strings == NULL)
		return kvmi_syserr(kd, ENOMEM, "names");
	/* Memory may end behind the last name. */
	if (kvmi_read_some(kd, va, r->strings, last + KVMI_SYMLEN, &done) ==
	    -1 && done <= last)
		return -1;
	r->strings[done] = '\0';
	r->strings_len = done;
	return 0;
}

static int
modsym_read(kvm_t *kd, const struct modsym_layout *l, kvaddr_t mod,
    struct modsym_raw *r)
{
	uint64_t at, symtab, strtab, typetab;

	memset(r, 0, sizeof(*r));
	if (kvmi_read(kd, mod + l->kallsyms, &at, 8) == -1 ||
	    kvmi_read(kd, at + l->symtab, &symtab, 8) == -1 ||
	    kvmi_read(kd, at + l->num, &r->n, 4) == -1 ||
	    kvmi_read(kd, at + l->strtab, &strtab, 8) == -1 ||
	    kvmi_read(kd, at + l->typetab, &typetab, 8) == -1)
		return -1;
	if (r->n > MODSYM_ONE_MAX)
		return kvmi_err(kd, EBADMSG, "%u symbols", r->n);
	r->syms = malloc((r->n + 1) * sizeof(*r->syms));
	r->types = malloc(r->n + 1);
	if (r->syms == NULL || r->types == NULL)
		return kvmi_syserr(kd, ENOMEM, "%u symbols", r->n);
	if (kvmi_read(kd, symtab, r->syms, r->n * sizeof(*r->syms)) == -1 ||
	    kvmi_read(kd, typetab, r->types, r->n) == -1)
		return -1;
	return modsym_strings(kd, r, strtab);
}

static void
modsym_raw_fini(struct modsym_raw *r)
{
	free(r->syms);
	free(r->types);
	free(r->strings);
}

/* nm(1)'s letter: the kernel's own is always small. */
static char
modsym_letter(char type, const Elf64_Sym *sym)
{
	if (!isalpha((unsigned char)type))
		type = '?';
	if (ELF64_ST_BIND(sym->st_info) == STB_GLOBAL)
		return (char)toupper((unsigned char)type);
	return (char)tolower((unsigned char)type);
}

/* Adds a module's symbols to all: 0, or -1: no memory. */
static int
modsym_add(struct kvmi_modules *ms, struct kvmi_module *m,
    const struct modsym_raw *r)
{
	struct kvmi_modsym *syms, *s;
	char *strings;
	const char *name;
	uint32_t i;

	m->first = m->end = ms->nsyms;
	if (ms->nsyms + r->n > MODSYM_MAX ||
	    ms->strings_len + r->strings_len + 1 > MODSYM_STR)
		return 0;
	syms = realloc(ms->syms, (ms->nsyms + r->n + 1) * sizeof(*syms));
	if (syms == NULL)
		return -1;
	ms->syms = syms;
	strings = realloc(ms->strings, ms->strings_len + r->strings_len + 1);
	if (strings == NULL)
		return -1;
	ms->strings = strings;
	memcpy(strings + ms->strings_len, r->strings, r->strings_len + 1);
	for (i = 0; i < r->n; i++) {
		if (r->syms[i].st_name >= r->strings_len ||
		    r->syms[i].st_shndx == SHN_UNDEF)
			continue;
		name = r->strings + r->syms[i].st_name;
		if (name[0] == '\0' || strlen(name) >= KVMI_SYMLEN)
			continue;
		s = &ms->syms[m->end++];
		s->addr = r->syms[i].st_value;
		s->name = (uint32_t)(ms->strings_len + r->syms[i].st_name);
		s->module = (uint16_t)(m - ms->list);
		s->letter = modsym_letter(r->types[i], &r->syms[i]);
	}
	ms->nsyms = m->end;
	ms->strings_len += r->strings_len + 1;
	return 0;
}

int
kvmi_modsyms_init(kvm_t *kd, struct kvmi_modules *ms)
{
	struct modsym_layout l;
	struct modsym_raw r;
	size_t i;
	int rv = 0;

	if (modsym_layout(kd, &l) == -1)
		return -1;
	for (i = 0; rv == 0 && i < ms->n; i++) {
		if (modsym_read(kd, &l, ms->list[i].addr, &r) == 0)
			rv = modsym_add(ms, &ms->list[i], &r);
		modsym_raw_fini(&r);
	}
	if (rv == -1 || kvmi_names_init(&ms->index, ms->nsyms) == -1)
		return kvmi_syserr(kd, ENOMEM, "symbols");
	for (i = ms->nsyms; i-- > 0; )
		kvmi_names_add(&ms->index,
		    kvmi_names_hash(ms->strings + ms->syms[i].name),
		    (uint32_t)i);
	return 0;
}

void
kvmi_modsyms_fini(struct kvmi_modules *ms)
{
	kvmi_names_fini(&ms->index);
	free(ms->syms);
	free(ms->strings);
}

const struct kvmi_modsym *
kvmi_modsyms_lookup(const struct kvmi_modules *ms, const char *name)
{
	const struct kvmi_modsym *s, *found = NULL;
	uint32_t i = *kvmi_names_head(&ms->index, kvmi_names_hash(name));

	for (; i != KVMI_NAMES_END; i = ms->index.next[i]) {
		s = &ms->syms[i];
		if (strcmp(ms->strings + s->name, name) != 0)
			continue;
		if (kvmi_letter_global(s->letter))
			return s;
		if (found == NULL)
			found = s;
	}
	return found;
}

const struct kvmi_modsym *
kvmi_modsyms_at(const struct kvmi_modules *ms, kvaddr_t addr)
{
	const struct kvmi_module *m = kvmi_module_at(ms, addr);
	const struct kvmi_modsym *s, *best = NULL;
	uint32_t k;

	if (m == NULL)
		return NULL;
	for (k = m->first; k < m->end; k++) {
		s = &ms->syms[k];
		if (s->addr <= addr && kvmi_module_piece(m, s->addr) != NULL &&
		    (best == NULL || s->addr > best->addr))
			best = s;
	}
	return best;
}

uint64_t
kvmi_modsyms_behind(const struct kvmi_modules *ms,
    const struct kvmi_modsym *s)
{
	const struct kvmi_module *m = &ms->list[s->module];
	const struct kvmi_piece *p = kvmi_module_piece(m, s->addr);
	uint64_t end = p != NULL ? p->base + p->size : s->addr;
	uint32_t k;

	for (k = m->first; k < m->end; k++)
		if (ms->syms[k].addr > s->addr && ms->syms[k].addr < end)
			end = ms->syms[k].addr;
	return end;
}
