/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_kernel.c: variables of the kernel; on what machine it ran, and how it
 * was started.
 */
#include <sys/kcore.h>

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define KERNEL_CMDLINE	2048u
#define KERNEL_TEXT	160u

static int
kernel_symbol(const struct target *t, const char *name, unsigned long *kva)
{
	struct nlist nl[2] = { { .n_name = name }, { .n_name = NULL } };

	if (kvm_nlist(t->kd, nl) != 0)
		return -1;
	*kva = nl[0].n_value;
	return 0;
}

int
kernel_read(const struct target *t, const char *name, void *buf, size_t len)
{
	unsigned long kva;

	return kernel_symbol(t, name, &kva) == 0 &&
	    kvm_read(t->kd, kva, buf, len) == (ssize_t)len ? 0 : -1;
}

int
kernel_word(const struct target *t, const char *name, uint64_t *value)
{
	return kernel_read(t, name, value, sizeof(*value));
}

int
kernel_panic_cpu(const struct target *t)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(t->kd);
	const int ncpus = kvm_ncpus(t->kd);
	uint32_t cpu = KCORE_NOCPU;

	if (t->early || h == NULL || target_is_live(t))
		return -1;
	if (h->panic_cpu != KCORE_NOCPU)
		cpu = h->panic_cpu;
	else if (kernel_read(t, "panic_cpu", &cpu, sizeof(cpu)) == -1)
		return -1;
	return ncpus > 0 && cpu < (uint32_t)ncpus ? (int)cpu : -1;
}

/* Byte by byte at the end: what lies behind it may not be in the dump. */
int
kernel_string(const struct target *t, unsigned long kva, char *buf, size_t len)
{
	size_t n = 0, piece;

	while (n + 1 < len) {
		/* Up to a boundary that memory can't end before. */
		piece = 64 - (kva + n) % 64;
		piece = piece < len - 1 - n ? piece : len - 1 - n;
		if (kvm_read(t->kd, kva + n, buf + n, piece) != (ssize_t)piece)
			return -1;
		if (memchr(buf + n, '\0', piece) != NULL)
			return 0;
		n += piece;
	}
	buf[n] = '\0';
	return 0;
}

/* A fact, or where it is NULL, why it is not known. */
static void
kernel_fact(const struct target *t, const char *key, const char *what,
    const char *text)
{
	char out[TEXT_ENCODED(KERNEL_CMDLINE)];

	if (t->js != NULL)
		json_string(t->js, key, text);
	else if (text != NULL)
		printf("%-10s%s\n", what, text_encode(out, sizeof(out), text,
		    KERNEL_CMDLINE));
	else
		printf("%-10snot known: %s\n", what, text_encode(out,
		    sizeof(out), kvm_geterr(t->kd), REPORT_WHY));
}

/* What DMI told when the kernel began; oopses print it. */
static void
kernel_hardware(const struct target *t)
{
	char text[128];
	int rv = kernel_read(t, "dump_stack_arch_desc_str", text,
	    sizeof(text));

	text[sizeof(text) - 1] = '\0';
	kernel_fact(t, "hardware", "hardware", rv == -1 ? NULL :
	    text[0] == '\0' ? "the firmware names none" : text);
}

static void
kernel_cpu(const struct target *t)
{
	const ssize_t off = kvm_type_offset(t->kd,
	    "cpuinfo_x86.x86_model_id");
	const int ncpus = kvm_ncpus(t->kd);
	char model[64], text[KERNEL_TEXT];
	unsigned long kva;

	if (off == -1 || ncpus == -1 ||
	    kernel_symbol(t, "boot_cpu_data", &kva) == -1 ||
	    kvm_read(t->kd, kva + (unsigned long)off, model, sizeof(model)) !=
	    (ssize_t)sizeof(model)) {
		kernel_fact(t, "cpu", "CPU", NULL);
		return;
	}
	model[sizeof(model) - 1] = '\0';
	if (t->js != NULL)
		json_number(t->js, "ncpus", (uint64_t)ncpus);
	snprintf(text, sizeof(text), "%d times %s", ncpus, model);
	kernel_fact(t, "cpu", "CPU", t->js != NULL ? model : text);
}

static void
kernel_cmdline(const struct target *t)
{
	char text[KERNEL_CMDLINE];
	uint64_t at;
	int rv = kernel_word(t, "saved_command_line", &at);

	if (rv == 0)
		rv = kernel_string(t, at, text, sizeof(text));
	kernel_fact(t, "cmdline", "started", rv == -1 ? NULL : text);
}

static void
kernel_taint(const struct target *t)
{
	char letters[65];
	uint64_t mask;

	if (kernel_word(t, "tainted_mask", &mask) == -1) {
		kernel_fact(t, "taint", "taint", NULL);
	} else if (t->js != NULL) {
		json_string(t->js, "taint", taint_letters(mask, letters,
		    sizeof(letters)));
	} else {
		printf("%-10s", "taint");
		taint_print(mask);
	}
}

/* Which machine it was, and which of its threads. */
static void
kernel_host(const struct report *r)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(r->t->kd);
	char name[TEXT_ENCODED(KI_LNAMELEN)];
	const struct kinfo_lwp *l = r->lwps;
	int i;

	if (h != NULL && h->nodename[0] != '\0')
		kernel_fact(r->t, "host", "host", h->nodename);
	if (r->cpu == -1 || r->t->js != NULL)
		return;
	for (i = 0; i < r->nlwps; i++)
		if (l[i].l_stat == LSONPROC && (int)l[i].l_cpuid == r->cpu) {
			printf("%-10s%s, process %d, thread %d, on CPU %d\n",
			    "task", text_encode(name, sizeof(name),
			    l[i].l_name, sizeof(l[i].l_name)), l[i].l_pid,
			    l[i].l_lid, r->cpu);
			return;
		}
}

int
report_kernel(const struct report *r)
{
	const struct target *t = r->t;

	if (t->js != NULL)
		json_open(t->js, t->key, '{');
	kernel_host(r);
	kernel_hardware(t);
	kernel_cpu(t);
	kernel_cmdline(t);
	kernel_taint(t);
	if (t->js != NULL)
		json_close(t->js);
	return 0;
}
