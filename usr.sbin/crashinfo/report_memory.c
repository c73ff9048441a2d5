/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_memory.c: what memory was used for, by the kernel's own counters.
 *
 * vm_zone_stat[] and vm_node_stat[] are what /proc/vmstat adds up; the kernel
 * has their names, in vmstat_text[]: those of zones, of NUMA events, of nodes.
 * They lag by what each CPU has not handed in yet, some hundred pages at most.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define MEMORY_MAX	512u	/* counters */
#define MEMORY_NAME	48u
#define MEMORY_PAGE	4u	/* KiB */

struct counter {
	char name[MEMORY_NAME];
	int64_t value;
};

struct counters {
	struct counter *list;
	size_t n;
	uint64_t total, swap, swap_free;	/* pages */
};

/* Elements of 8 bytes in a member; 0: there is no such member. */
static size_t
memory_elements(const struct target *t, const char *member)
{
	const ssize_t size = kvm_type_size(t->kd, member);

	return size > 0 ? (size_t)size / 8 : 0;
}

/* One array; its names begin at names[0]. */
static int
memory_array(const struct target *t, struct counters *c, const char *symbol,
    const uint64_t *names, size_t n)
{
	int64_t values[MEMORY_MAX];
	size_t i;

	if (kernel_read(t, symbol, values, n * sizeof(values[0])) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		struct counter *one = &c->list[c->n];

		if (kernel_string(t, names[i], one->name,
		    sizeof(one->name)) == -1)
			return -1;
		one->value = values[i];
		c->n++;
	}
	return 0;
}

static int
memory_counters(const struct target *t, struct counters *c)
{
	const size_t nnodes = memory_elements(t, "pglist_data.vm_stat");
	const size_t nzones = memory_elements(t, "zone.vm_stat");
	size_t nnuma = memory_elements(t, "zone.vm_numa_event");
	uint64_t names[MEMORY_MAX];

	if (nnuma == 0)		/* before Linux 5.14 */
		nnuma = memory_elements(t, "zone.vm_numa_stat");
	if (nzones == 0 || nnodes == 0) {
		/* For the text of what is missing. */
		(void)kvm_type_size(t->kd, nzones == 0 ? "zone.vm_stat" :
		    "pglist_data.vm_stat");
		return -1;
	}
	if (nzones > MEMORY_MAX / 4 || nnuma > MEMORY_MAX / 4 ||
	    nnodes > MEMORY_MAX / 4)
		return 1;
	if (kernel_read(t, "vmstat_text", names,
	    (nzones + nnuma + nnodes) * sizeof(names[0])) == -1 ||
	    memory_array(t, c, "vm_zone_stat", names, nzones) == -1 ||
	    memory_array(t, c, "vm_node_stat", names + nzones + nnuma,
	    nnodes) == -1)
		return -1;
	return kernel_word(t, "_totalram_pages", &c->total) == -1 ||
	    kernel_word(t, "total_swap_pages", &c->swap) == -1 ||
	    kernel_word(t, "nr_swap_pages", &c->swap_free) == -1 ? -1 : 0;
}

/* What people ask for.  The kernel counts all but stacks in pages. */
static const struct {
	const char *what, *name;
	unsigned int unit_kib;
} shown[] = {
	{ "free", "nr_free_pages", MEMORY_PAGE },
	{ "anonymous", "nr_anon_pages", MEMORY_PAGE },
	{ "files and shared", "nr_file_pages", MEMORY_PAGE },
	{ "  shared", "nr_shmem", MEMORY_PAGE },
	{ "  dirty", "nr_dirty", MEMORY_PAGE },
	{ "  being written", "nr_writeback", MEMORY_PAGE },
	{ "locked", "nr_mlock", MEMORY_PAGE },
	{ "slab, reclaimable", "nr_slab_reclaimable", MEMORY_PAGE },
	{ "slab, not so", "nr_slab_unreclaimable", MEMORY_PAGE },
	{ "page tables", "nr_page_table_pages", MEMORY_PAGE },
	{ "kernel stacks", "nr_kernel_stack", 1 },
};

static void
memory_line(const char *what, int64_t n, unsigned int unit_kib)
{
	printf("%-20s%14" PRIu64 " KiB\n", what,
	    n < 0 ? 0 : (uint64_t)n * unit_kib);
}

static void
memory_print(const struct counters *c)
{
	size_t i, k;

	memory_line("total", (int64_t)c->total, MEMORY_PAGE);
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		for (k = 0; k < c->n; k++)
			if (strcmp(c->list[k].name, shown[i].name) == 0)
				memory_line(shown[i].what, c->list[k].value,
				    shown[i].unit_kib);
	memory_line("swap", (int64_t)c->swap, MEMORY_PAGE);
	memory_line("  free", (int64_t)c->swap_free, MEMORY_PAGE);
}

static void
memory_json(struct json *js, const char *key, const struct counters *c)
{
	size_t i;

	json_open(js, key, '{');
	json_number(js, "total_pages", c->total);
	json_number(js, "swap_pages", c->swap);
	json_number(js, "swap_free_pages", c->swap_free);
	json_open(js, "counters", '{');
	for (i = 0; i < c->n; i++)
		json_signed(js, c->list[i].name, c->list[i].value);
	json_close(js);
	json_close(js);
}

int
report_memory(const struct report *r)
{
	struct counters c = { .n = 0 };
	int rv;

	c.list = calloc(MEMORY_MAX, sizeof(*c.list));
	if (c.list == NULL)
		return report_why(r, "no memory");
	rv = memory_counters(r->t, &c);
	if (rv == 0 && r->t->js != NULL)
		memory_json(r->t->js, r->t->key, &c);
	else if (rv == 0)
		memory_print(&c);
	free(c.list);
	return rv == 1 ? report_why(r, "its counters make no sense") : rv;
}
