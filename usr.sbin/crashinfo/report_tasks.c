/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_tasks.c: what the threads were about, and which processes had most
 * memory.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bt.h"
#include "report.h"
#include "text.h"

#define TASKS_BLOCKED	32u	/* shown of them */
#define TASKS_TOP	10u
#define TASKS_PAGE	4096u

static void
tasks_unread(struct report *r)
{
	if (r->nunread++ == 0)
		snprintf(r->lwps_why, sizeof(r->lwps_why), "%s",
		    kvm_geterr(r->t->kd));
}

/* Adds the threads of a process: 0, or -1 where there is no memory. */
static int
tasks_add(struct report *r, const struct kinfo_proc2 *p)
{
	const struct kinfo_lwp *l;
	struct kinfo_lwp *more;
	int n;

	l = kvm_getlwps(r->t->kd, p->p_pid, p->p_paddr, sizeof(*l), &n);
	if (l == NULL) {
		/* A process of the running system may have ended. */
		if (!target_is_live(r->t))
			tasks_unread(r);
		return 0;
	}
	more = realloc(r->lwps, (size_t)(r->nlwps + n + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	memcpy(more + r->nlwps, l, (size_t)n * sizeof(*more));
	r->lwps = more;
	r->nlwps += n;
	return 0;
}

void
tasks_get(struct report *r)
{
	const struct kinfo_proc2 *p;
	int n = 0, i;

	p = kvm_getproc2(r->t->kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
	if (p == NULL)
		tasks_unread(r);
	for (i = 0; p != NULL && i < n; i++)
		if (tasks_add(r, &p[i]) == -1)
			err(1, "no memory");
}

static int
tasks_cpu(const struct report *r, unsigned int cpu)
{
	struct bt_who who = { .cpu = (int)cpu };
	int i;

	who.panicked = (int)cpu == r->cpu;
	for (i = 0; i < r->nlwps; i++)
		if (r->lwps[i].l_stat == LSONPROC &&
		    r->lwps[i].l_cpuid == cpu)
			bt_thread(&who, &r->lwps[i]);
	who.idle = !who.known && bt_idle(r->t, cpu);
	return bt_show(r->t, &who);
}

/* The CPU that panicked, and then the others. */
int
report_cpus(const struct report *r)
{
	const int ncpus = kvm_ncpus(r->t->kd);
	int cpu, rv = 0;

	if (ncpus == -1)
		return -1;
	if (target_is_live(r->t))
		return report_why(r, "the running system does not stop for it");
	if (r->t->js != NULL)
		json_open(r->t->js, r->t->key, '[');
	if (r->cpu != -1)
		rv = tasks_cpu(r, (unsigned int)r->cpu);
	else if (r->t->js == NULL)
		printf("(which CPU panicked is not known)\n");
	for (cpu = 0; rv == 0 && cpu < ncpus; cpu++)
		if (cpu != r->cpu)
			rv = tasks_cpu(r, (unsigned int)cpu);
	if (r->t->js != NULL)
		json_close(r->t->js);
	return rv;
}

static const struct {
	char letter;
	const char *what;
} states[] = {
	{ 'R', "that could run" }, { 'S', "asleep" }, { 'D', "blocked" },
	{ 'I', "idle" }, { 'T', "stopped" }, { 't', "traced" },
	{ 'P', "parked" }, { 'Z', "zombies" }, { 'X', "dead" },
};
#define NSTATES	(sizeof(states) / sizeof(states[0]))

int
report_threads(const struct report *r)
{
	struct json *js = r->t->js;
	unsigned int count[NSTATES + 1] = { 0 }, running = 0;
	char out[TEXT_ENCODED(REPORT_WHY)];
	const char *sep = ":";
	size_t k;
	int i;

	if (r->lwps == NULL)
		return report_why(r, r->lwps_why);
	for (i = 0; i < r->nlwps; i++) {
		for (k = 0; k < NSTATES; k++)
			if (states[k].letter == r->lwps[i].l_state)
				break;
		count[k]++;
		running += r->lwps[i].l_stat == LSONPROC;
	}
	if (js != NULL) {
		json_open(js, r->t->key, '{');
		json_number(js, "total", (uint64_t)r->nlwps);
		if (target_is_live(r->t))
			json_null(js, "running");
		else
			json_number(js, "running", running);
		for (k = 0; k < NSTATES; k++)
			json_number(js, (char [2]){ states[k].letter, '\0' },
			    count[k]);
		json_number(js, "other", count[NSTATES]);
		json_number(js, "damaged", (uint64_t)r->nunread);
		json_close(js);
		return 0;
	}
	printf("%d in all", r->nlwps);
	if (!target_is_live(r->t))
		printf(", %u of them on a CPU", running);
	for (k = 0; k < NSTATES; k++) {
		if (count[k] == 0)
			continue;
		printf("%s %u %s (%c)", sep, count[k], states[k].what,
		    states[k].letter);
		sep = ",";
	}
	if (count[NSTATES] != 0)
		printf("%s %u in other states", sep, count[NSTATES]);
	putchar('\n');
	if (r->nunread != 0)
		printf("damaged processes: %d, the first: %s\n", r->nunread,
		    text_encode(out, sizeof(out), r->lwps_why, REPORT_WHY));
	return 0;
}

int
report_blocked(const struct report *r)
{
	unsigned int n = 0;
	int i, rv = 0;

	if (r->lwps == NULL)
		return report_why(r, r->lwps_why);
	if (r->t->js != NULL)
		json_open(r->t->js, r->t->key, '[');
	for (i = 0; rv == 0 && i < r->nlwps; i++) {
		struct bt_who who = { .cpu = -1 };

		if (r->lwps[i].l_state != 'D' || n++ >= TASKS_BLOCKED)
			continue;
		bt_thread(&who, &r->lwps[i]);
		rv = bt_show(r->t, &who);
	}
	if (r->t->js != NULL)
		json_close(r->t->js);
	else if (rv == 0 && n > TASKS_BLOCKED)
		printf("(%u more: bt -a)\n", n - TASKS_BLOCKED);
	else if (rv == 0 && n == 0)
		printf("none\n");
	return rv;
}

static int
tasks_compare(const void *a, const void *b)
{
	const struct kinfo_proc2 *p = *(const struct kinfo_proc2 *const *)a;
	const struct kinfo_proc2 *q = *(const struct kinfo_proc2 *const *)b;

	if (p->p_vm_rssize != q->p_vm_rssize)
		return p->p_vm_rssize < q->p_vm_rssize ? 1 : -1;
	return p->p_pid < q->p_pid ? -1 : 1;
}

static void
tasks_show_top(const struct target *t, const struct kinfo_proc2 *p)
{
	char name[TEXT_ENCODED(KI_MAXCOMLEN)];

	if (t->js == NULL) {
		printf("%7" PRId32 " %7" PRIu32 " %10" PRIu64 " KiB  %s\n",
		    p->p_pid, p->p_uid, p->p_vm_rssize * (TASKS_PAGE / 1024),
		    text_encode(name, sizeof(name), p->p_comm,
		    sizeof(p->p_comm)));
		return;
	}
	json_open(t->js, NULL, '{');
	json_signed(t->js, "pid", p->p_pid);
	if ((p->p_unknown & KVM_PROC_CRED) != 0)
		json_null(t->js, "uid");
	else
		json_number(t->js, "uid", p->p_uid);
	json_number(t->js, "rss", p->p_vm_rssize * TASKS_PAGE);
	json_string(t->js, "comm", p->p_comm);
	json_close(t->js);
}

int
report_top(const struct report *r)
{
	const struct kinfo_proc2 *p, **order;
	int n, i, users = 0;

	p = kvm_getproc2(r->t->kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
	if (p == NULL)
		return -1;
	order = calloc((size_t)n + 1, sizeof(*order));
	if (order == NULL)
		return report_why(r, "no memory");
	for (i = 0; i < n; i++)
		if (p[i].p_vm_rssize != 0)
			order[users++] = &p[i];
	qsort(order, (size_t)users, sizeof(*order), tasks_compare);
	if (r->t->js != NULL)
		json_open(r->t->js, r->t->key, '[');
	else
		printf("    PID     UID        RSS      NAME\n");
	for (i = 0; i < users && i < (int)TASKS_TOP; i++)
		tasks_show_top(r->t, order[i]);
	if (r->t->js != NULL)
		json_close(r->t->js);
	free(order);
	return 0;
}
