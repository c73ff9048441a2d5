/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_nm.c: all symbols, in the format of nm(1) and /proc/kallsyms.
 */
#include <stdio.h>
#include <string.h>

#include "crashinfo.h"
#include "text.h"

#define NM_NAME	512u

static int
nm_line(void *cookie, const struct kvm_sym *sym)
{
	char name[TEXT_ENCODED(NM_NAME)], module[TEXT_ENCODED(64)];
	const struct target *t = cookie;

	if (t->js != NULL) {
		json_open(t->js, NULL, '{');
		json_string(t->js, "name", sym->ks_name);
		json_address(t->js, "address", sym->ks_addr);
		json_text(t->js, "type", &sym->ks_type, 1);
		json_string(t->js, "module", sym->ks_module);
		json_close(t->js);
		return 0;
	}
	text_encode(name, sizeof(name), sym->ks_name, NM_NAME);
	printf("%016lx %c %s", sym->ks_addr, sym->ks_type, name);
	if (sym->ks_module != NULL)
		printf("\t[%s]", text_encode(module, sizeof(module),
		    sym->ks_module, 64));
	putchar('\n');
	return 0;
}

int
show_nm(const struct target *t)
{
	int rv;

	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	rv = kvm_symbols(t->kd, nm_line, (void *)(uintptr_t)t);
	if (t->js != NULL)
		json_close(t->js);
	return rv;
}
