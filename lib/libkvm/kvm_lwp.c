/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_lwp.c: the threads of a process of a dump.
 */
#include <errno.h>
#include <string.h>

#include "kvm_tasks.h"

struct lwp_walk {
	kvm_t *kd;
	uint32_t pid;
	struct kvmi_elems *to;
};

int8_t
kvmi_lwp_stat(char state, bool on_cpu)
{
	switch (state) {
	case 'R':
		return on_cpu ? LSONPROC : LSRUN;
	case 'T':
	case 't':
		return LSSTOP;
	case 'X':
	case 'Z':
		return LSZOMB;
	default:
		return LSSLEEP;
	}
}

static int
lwp_add(void *cookie, const struct kvmi_task *t)
{
	struct lwp_walk *w = cookie;
	struct kinfo_lwp l;

	if (t->tgid != w->pid)
		return kvmi_err(w->kd, EBADMSG, "the list of threads leads to "
		    "task 0x%llx, which is of process %d",
		    (unsigned long long)t->addr, (int)t->tgid);
	memset(&l, 0, sizeof(l));
	l.l_laddr = t->addr;
	l.l_addr = t->stack;
	l.l_pid = (int32_t)t->tgid;
	l.l_lid = (int32_t)t->pid;
	l.l_flag = (t->flags & KVMI_TASK_KTHREAD) != 0 ? P_SYSTEM : 0;
	l.l_cpuid = t->cpu;
	l.l_stat = kvmi_lwp_stat(t->state, t->on_cpu);
	l.l_state = t->state;
	l.l_nice = t->nice;
	memcpy(l.l_name, t->comm, sizeof(t->comm));
	return kvmi_elems_add(w->kd, w->to, &l, sizeof(l));
}

int
kvmi_dead_lwps(kvm_t *kd, int pid, kvaddr_t procaddr, struct kvmi_elems *to)
{
	struct lwp_walk w = { .kd = kd, .pid = (uint32_t)pid, .to = to };
	const struct kvmi_tasktype *tt = kvmi_tasktype(kd);
	struct kvmi_task leader;

	if (tt == NULL ||
	    kvmi_task_find(kd, tt, w.pid, procaddr, &leader) == -1)
		return -1;
	if (kvmi_task_threads(kd, tt, &leader, lwp_add, &w) == -1)
		return kvmi_prepend(kd, "process %d", pid);
	return 0;
}
