/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_regs.c: the registers of every CPU.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define REGS_SYMBOL	640u
#define REGS_COLUMNS	3u

/* The symbol that addr is in, encoded; empty: none. */
static const char *
regs_symbol(const struct target *t, unsigned long addr, char *out, size_t len)
{
	char name[REGS_SYMBOL];

	if (kvm_symbol(t->kd, addr, name, sizeof(name), NULL) == -1)
		name[0] = '\0';
	return text_encode(out, len, name, sizeof(name));
}

static void
regs_json(const struct target *t, unsigned int cpu, bool panicked,
    const struct kvm_regs *r, bool known)
{
	char name[REGS_SYMBOL];
	unsigned int i;

	json_open(t->js, NULL, '{');
	json_number(t->js, "cpu", cpu);
	json_string(t->js, "what", panicked ? "panicked" : "stopped");
	if (known) {
		json_number(t->js, "tid", (uint64_t)r->kr_tid);
		if (kvm_symbol(t->kd, r->kr_pc, name, sizeof(name), NULL) == 0)
			json_string(t->js, "symbol", name);
		else
			json_null(t->js, "symbol");
		json_open(t->js, "registers", '{');
		for (i = 0; i < r->kr_n; i++)
			json_address(t->js, r->kr_reg[i].kr_name,
			    r->kr_reg[i].kr_value);
		json_close(t->js);
	} else {
		json_null(t->js, "registers");
	}
	json_close(t->js);
}

static void
regs_print(const struct target *t, unsigned int cpu, bool panicked,
    const struct kvm_regs *r, bool known)
{
	char name[TEXT_ENCODED(REGS_SYMBOL)];
	unsigned int i;

	printf("CPU %u%s", cpu, panicked ? ", which panicked" : "");
	if (!known) {
		printf(": not known\n");
		return;
	}
	printf(", thread %d: %s\n", (int)r->kr_tid,
	    regs_symbol(t, r->kr_pc, name, sizeof(name)));
	for (i = 0; i < r->kr_n; i++)
		printf("%10s %016" PRIx64 "%s", r->kr_reg[i].kr_name,
		    r->kr_reg[i].kr_value, i % REGS_COLUMNS ==
		    REGS_COLUMNS - 1 || i + 1 == r->kr_n ? "\n" : "");
}

int
show_regs(const struct target *t)
{
	const int ncpus = kvm_ncpus(t->kd);
	struct kvm_regs regs;
	unsigned int cpu;
	int known = 0, panicked;

	/* The running system has none; the library says so. */
	if (kvm_getregs(t->kd, 0, &regs) == -1 && target_is_live(t))
		return -1;
	if (kvm_dump_hdr(t->kd) == NULL || ncpus == -1)
		return -1;
	panicked = kernel_panic_cpu(t);
	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	for (cpu = 0; cpu < (unsigned int)ncpus; cpu++) {
		known = kvm_getregs(t->kd, cpu, &regs);
		if (known == -1)
			break;
		(t->js != NULL ? regs_json : regs_print)(t, cpu,
		    (int)cpu == panicked, &regs, known == 1);
	}
	if (t->js != NULL)
		json_close(t->js);
	return known == -1 ? -1 : 0;
}
