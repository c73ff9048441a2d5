/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_modules.c: the loaded modules, much as /proc/modules has them.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

static const char *
module_state(int state)
{
	switch (state) {
	case KVM_MODULE_LIVE:
		return "Live";
	case KVM_MODULE_COMING:
		return "Loading";
	case KVM_MODULE_GOING:
		return "Unloading";
	default:
		return "?";
	}
}

static int
module_line(void *cookie, const struct kvm_module *mod)
{
	const struct target *t = cookie;
	char name[TEXT_ENCODED(64)], letters[64];
	uint64_t taint;
	const bool known = taint_module(t, mod->km_addr, &taint) == 0;

	if (t->js != NULL) {
		json_open(t->js, NULL, '{');
		json_string(t->js, "name", mod->km_name);
		json_number(t->js, "size", mod->km_size);
		json_string(t->js, "state", module_state(mod->km_state));
		json_address(t->js, "base", mod->km_base);
		json_address(t->js, "module", mod->km_addr);
		json_string(t->js, "taint", known ?
		    taint_letters(taint, letters, sizeof(letters)) : NULL);
		json_close(t->js);
		return 0;
	}
	printf("%s %lu %s 0x%016lx", text_encode(name, sizeof(name),
	    mod->km_name, 64), mod->km_size, module_state(mod->km_state),
	    mod->km_base);
	if (!known)
		printf(" (?)");
	else if (taint != 0)
		printf(" (%s)", taint_letters(taint, letters,
		    sizeof(letters)));
	putchar('\n');
	return 0;
}

int
show_modules(const struct target *t)
{
	int rv;

	if (t->js != NULL)
		json_open(t->js, t->key, '[');
	rv = kvm_modules(t->kd, module_line, (void *)(uintptr_t)t);
	if (t->js != NULL)
		json_close(t->js);
	return rv;
}
