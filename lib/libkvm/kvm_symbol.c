/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_symbol.c: addresses to symbols, and all symbols in turn; kvm_symbol(3).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_machine.h"
#include "kvm_symbols.h"

bool
kvmi_letter_global(char letter)
{
	/* nm(1): weak symbols are global, whatever their case. */
	return isupper((unsigned char)letter) || strchr("uvw", letter) != NULL;
}

unsigned char
kvmi_letter_type(char letter)
{
	unsigned char type;

	switch (tolower((unsigned char)letter)) {
	case 't':
	case 'w':
	case 'i':
		type = N_TEXT;
		break;
	case 'b':
	case 's':
	case 'c':
		type = N_BSS;
		break;
	case 'a':
		type = N_ABS;
		break;
	default:
		type = N_DATA;
		break;
	}
	return kvmi_letter_global(letter) ? type | N_EXT : type;
}

int
kvmi_symbol_find(kvm_t *kd, kvaddr_t addr, struct kvmi_symbol *sym)
{
	const struct kvmi_kallsyms *ks;
	const struct kvmi_modules *ms;
	const struct kvmi_modsym *s;
	struct kvm_sym found;

	sym->module = NULL;
	if (kd->live != NULL) {
		if (kvmi_ksymfile_at(kd, addr, &found, &sym->size) == -1)
			return -1;
		strcpy(sym->name, found.ks_name);
		sym->addr = found.ks_addr;
		sym->module = found.ks_module;
		return 0;
	}
	if (kvmi_need_header(kd) == -1 || (ks = kvmi_kallsyms(kd)) == NULL)
		return -1;
	if (kvmi_kallsyms_at(ks, kd->machine->text_min, addr, sym->name,
	    &sym->addr)) {
		sym->size = kvmi_kallsyms_behind(ks, sym->addr) - sym->addr;
		return 0;
	}
	if ((ms = kvmi_modules(kd)) != NULL &&
	    (s = kvmi_modsyms_at(ms, addr)) != NULL) {
		strcpy(sym->name, ms->strings + s->name);
		sym->addr = s->addr;
		sym->size = kvmi_modsyms_behind(ms, s) - s->addr;
		sym->module = ms->list[s->module].name;
		return 0;
	}
	return kvmi_err(kd, ENOENT, "address 0x%llx: in no symbol",
	    (unsigned long long)addr);
}

int
kvm_symbol(kvm_t *kd, unsigned long addr, char *buf, size_t len,
    unsigned long *off)
{
	struct kvmi_symbol sym;
	char where[32] = "";
	int n;

	if (kvmi_symbol_find(kd, addr, &sym) == -1)
		goto fail;
	if (off != NULL)
		*off = addr - sym.addr;
	else
		snprintf(where, sizeof(where), "+0x%llx",
		    (unsigned long long)(addr - sym.addr));
	n = snprintf(buf, len, "%s%s%s%s%s", sym.name, where,
	    sym.module != NULL ? " [" : "",
	    sym.module != NULL ? sym.module : "",
	    sym.module != NULL ? "]" : "");
	if (n >= 0 && (size_t)n < len)
		return 0;
	kvmi_err(kd, ERANGE, "%d bytes where %zu are needed for a symbol",
	    (int)len, (size_t)n + 1);
fail:
	kvmi_report(kd);
	return -1;
}

/* The symbols of all modules, where they can be read. */
static int
symbols_of_modules(kvm_t *kd,
    int (*fn)(void *cookie, const struct kvm_sym *sym), void *cookie)
{
	const struct kvmi_modules *ms = kvmi_modules(kd);
	const struct kvmi_modsym *s;
	struct kvm_sym sym;
	uint32_t i;
	int rv = 0;

	for (i = 0; rv == 0 && ms != NULL && i < ms->nsyms; i++) {
		s = &ms->syms[i];
		sym.ks_name = ms->strings + s->name;
		sym.ks_module = ms->list[s->module].name;
		sym.ks_addr = s->addr;
		sym.ks_type = s->letter;
		rv = fn(cookie, &sym);
	}
	return rv;
}

int
kvm_symbols(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_sym *sym),
    void *cookie)
{
	const struct kvmi_ksymfile *kf;
	const struct kvmi_kallsyms *ks;
	int rv;

	if (kd->live != NULL) {
		if ((kf = kvmi_ksymfile(kd)) != NULL)
			return kvmi_ksymfile_each(kf, fn, cookie);
		kvmi_report(kd);
		return -1;
	}
	if (kvmi_need_header(kd) == -1 || (ks = kvmi_kallsyms(kd)) == NULL) {
		kvmi_report(kd);
		return -1;
	}
	rv = kvmi_kallsyms_each(ks, fn, cookie);
	return rv != 0 ? rv : symbols_of_modules(kd, fn, cookie);
}
