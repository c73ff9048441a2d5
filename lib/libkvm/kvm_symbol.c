/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_symbol.c: addresses to symbols, and all symbols in turn; kvm_symbol(3).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm_private.h"

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

/* The symbol that addr is in: 0, or -1 with a text. */
static int
symbol_find(kvm_t *kd, kvaddr_t addr, char *name, uint64_t *value)
{
	const struct kvmi_kallsyms *ks;

	if (kvmi_need_header(kd) == -1 || (ks = kvmi_kallsyms(kd)) == NULL)
		return -1;
	if (kvmi_kallsyms_at(ks, kd->machine->text_min, addr, name, value))
		return 0;
	return kvmi_err(kd, ENOENT, "address 0x%llx: in no symbol",
	    (unsigned long long)addr);
}

int
kvm_symbol(kvm_t *kd, unsigned long addr, char *buf, size_t len,
    unsigned long *off)
{
	char name[KVMI_SYMLEN];
	uint64_t value;
	int n;

	if (symbol_find(kd, addr, name, &value) == -1)
		goto fail;
	if (off != NULL) {
		*off = addr - value;
		n = snprintf(buf, len, "%s", name);
	} else {
		n = snprintf(buf, len, "%s+0x%llx", name,
		    (unsigned long long)(addr - value));
	}
	if (n >= 0 && (size_t)n < len)
		return 0;
	kvmi_err(kd, ERANGE, "%d bytes where %zu are needed for a symbol",
	    (int)len, (size_t)n + 1);
fail:
	kvmi_report(kd);
	return -1;
}

int
kvm_symbols(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_sym *sym),
    void *cookie)
{
	const struct kvmi_kallsyms *ks;

	if (kvmi_need_header(kd) == -1 || (ks = kvmi_kallsyms(kd)) == NULL) {
		kvmi_report(kd);
		return -1;
	}
	return kvmi_kallsyms_each(ks, fn, cookie);
}
