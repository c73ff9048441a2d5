/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob_kernel.c: a kernel's memory with anybody's bytes: symbols, types, log and
 * tasks.
 *
 * The first byte of an input says which of several kernels it is about.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "btf.h"
#include "oldlog.h"
#include "ring.h"
#include "tasks.h"

struct kernel {
	struct guest g;
	struct blob_area area;
};

/* Remembers the memory of a guest from va on. */
static void
kernel_keep(struct kernel *k, uint64_t va, size_t len)
{
	const uint64_t off = guest_offset(&k->g, GUEST_PADDR + va - k->g.base);

	blob_keep(&k->g.im);
	unlink(k->g.memfile);
	blob_area_init(&k->area, &k->g.im, off, len);
}

static size_t
kernel_seed(const struct kernel *k, unsigned int n, uint8_t *buf)
{
	buf[0] = (uint8_t)n;
	memcpy(buf + 1, k->area.good, k->area.size);
	return 1 + k->area.size;
}

/* Lays the input over one of n kernels, and opens that. */
static kvm_t *
kernel_open(struct kernel *ks, unsigned int n, const uint8_t *data, size_t size)
{
	struct kernel *k = &ks[size != 0 ? data[0] % n : 0];
	static uint8_t buf[BLOB_MAX];
	kvm_t *kd;

	data += size != 0;
	size -= size != 0;
	blob_area_take(&k->area, &data, &size, buf);
	image_put(&k->g.im, k->area.off, buf, k->area.size);
	kd = blob_open(&k->g.im);
	assert_non_null(kd);
	return kd;
}

/* ---- kallsyms ---- */

#define NKSYMS	9u	/* each form in two orders, and where none says where */

static struct kernel ksyms[NKSYMS];

static void
ksyms_make(void)
{
	struct ksyms_sym syms[] = {
		{ 0, 'T', "_stext" }, { 0x10, 't', "twin" },
		{ 0x10, 'T', "twin" }, { 0x30, 'T', "x64_sys_init" },
		{ 0x1000, 'D', "kvm" }, { 0x2000, 'B', "_end" },
	};
	const size_t n = sizeof(syms) / sizeof(syms[0]);
	struct guest *g;
	unsigned int i;
	size_t k;

	if (ksyms[0].area.good != NULL)
		return;
	for (i = 0; i < NKSYMS; i++) {
		g = &ksyms[i].g;
		guest_init(g);
		for (k = 0; i == 0 && k < n; k++)
			syms[k].addr += g->base;
		if (i < 8)
			ksyms_put(g, (enum ksyms_form)(i / 2), i % 2 != 0,
			    syms, n);
		else
			ksyms_put_silent(g, syms, n);
		guest_make(g);
		kernel_keep(&ksyms[i], g->base, g->used);
	}
}

static size_t
ksyms_seed(unsigned int n, uint8_t *buf)
{
	ksyms_make();
	return n < NKSYMS ? kernel_seed(&ksyms[n], n, buf) : 0;
}

static int
count(void *cookie, const struct kvm_sym *sym)
{
	*(size_t *)cookie += strlen(sym->ks_name);
	return 0;
}

static void
ksyms_look(const uint8_t *data, size_t size)
{
	struct nlist nl[] = { { .n_name = "_kvm" }, { .n_name = "twin" },
		{ .n_name = NULL } };
	size_t sum = 0;
	char buf[64];
	kvm_t *kd;

	ksyms_make();
	kd = kernel_open(ksyms, NKSYMS, data, size);
	blob_result(kd, kvm_nlist(kd, nl));
	blob_result(kd, kvm_symbol(kd, ksyms[0].g.base + 0x1009, buf,
	    sizeof(buf), NULL));
	blob_result(kd, kvm_symbols(kd, count, &sum));
	kvm_close(kd);
}

const struct blob blob_kallsyms = { "kallsyms", ksyms_seed, ksyms_look };

/* ---- BTF ---- */

static struct tasks one;
static struct kernel types[2], procs[2];

static void
types_make(void)
{
	unsigned int i;

	for (i = 0; i < 2 && types[i].area.good == NULL; i++) {
		tasks_make(&one, i != 0);
		types[i].g = one.g;
		kernel_keep(&types[i], one.g.base,
		    (size_t)(one.first - one.g.base));
	}
}

static size_t
types_seed(unsigned int n, uint8_t *buf)
{
	types_make();
	return n < 2 ? kernel_seed(&types[n], n, buf) : 0;
}

static void
types_look(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "task_struct", "list_head.prev",
		"struct task_struct.comm[3]", "signal_struct.pids[2]",
		"pid.numbers[0].nr", "mm_struct.rss_stat[1].count",
		"kuid_t.val", "no_such", "task_struct.no_such" };
	struct kvm_type ty;
	kvm_t *kd;
	size_t i;

	types_make();
	kd = kernel_open(types, 2, data, size);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		blob_result(kd, kvm_type(kd, paths[i], &ty));
	kvm_close(kd);
}

const struct blob blob_btf = { "btf", types_seed, types_look };

/* ---- Tasks, with all that is needed to find them ---- */

static void
procs_make(void)
{
	unsigned int i;

	for (i = 0; i < 2 && procs[i].area.good == NULL; i++) {
		tasks_make(&one, i != 0);
		procs[i].g = one.g;
		kernel_keep(&procs[i], one.g.base, one.g.used);
	}
}

static size_t
procs_seed(unsigned int n, uint8_t *buf)
{
	procs_make();
	return n < 2 ? kernel_seed(&procs[n], n, buf) : 0;
}

static void
procs_look(const uint8_t *data, size_t size)
{
	const struct kinfo_proc2 *p;
	double load[3];
	kvm_t *kd;
	int n, i;

	procs_make();
	kd = kernel_open(procs, 2, data, size);
	p = kvm_getproc2(kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
	blob_result(kd, p == NULL ? -1 : 0);
	for (i = 0; p != NULL && i < n && i < 4; i++) {
		blob_result(kd, kvm_getlwps(kd, p[i].p_pid,
		    (unsigned long)p[i].p_paddr, sizeof(struct kinfo_lwp),
		    &(int){ 0 }) == NULL ? -1 : 0);
		blob_result(kd, kvm_getargv2(kd, &p[i], 0) == NULL ? -1 : 0);
	}
	blob_result(kd, kvm_getfiles(kd, 0, 0, &n) == NULL ? -1 : 0);
	blob_result(kd, kvm_getloadavg(kd, load, 3));
	kvm_close(kd);
}

const struct blob blob_tasks = { "tasks", procs_seed, procs_look };

/* ---- The log ---- */

static struct kernel logs[3];	/* a ring; the older format, two ways */

static void
logs_make(void)
{
	unsigned int i, k;

	if (logs[0].area.good != NULL)
		return;
	ring_begin();
	oldlog_begin();
	for (k = 0; k < 20; k++) {
		ring_say("a record of some length", RING_FINALIZED);
		oldlog_say("a record of some length", k);
	}
	for (i = 0; i < 3; i++) {
		guest_init(&logs[i].g);
		if (i == 0)
			ring_put(&logs[i].g);
		else
			oldlog_put(&logs[i].g, i == 1);
		guest_make(&logs[i].g);
		kernel_keep(&logs[i], logs[i].g.base, logs[i].g.used);
	}
}

static size_t
logs_seed(unsigned int n, uint8_t *buf)
{
	logs_make();
	return n < 3 ? kernel_seed(&logs[n], n, buf) : 0;
}

static void
logs_look(const uint8_t *data, size_t size)
{
	char *text;
	kvm_t *kd;

	logs_make();
	kd = kernel_open(logs, 3, data, size);
	text = kvm_dmesg(kd, KVM_LOG_LEVEL | KVM_LOG_CALLER, NULL);
	blob_result(kd, text == NULL ? -1 : 0);
	free(text);
	kvm_close(kd);
}

const struct blob blob_log = { "log", logs_seed, logs_look };
