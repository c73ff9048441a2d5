/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_lwp.c: the threads of a process; kvm_getlwps(3).
 */
#include <errno.h>
#include <string.h>

#include "kvm_private.h"

struct lwp_walk {
	kvm_t *kd;
	uint32_t pid;
	struct kvmi_task leader;
};

static int8_t
lwp_stat(const struct kvmi_task *t)
{
	switch (t->state) {
	case 'R':
		return t->on_cpu ? LSONPROC : LSRUN;
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
	l.l_stat = lwp_stat(t);
	l.l_state = t->state;
	l.l_nice = t->nice;
	memcpy(l.l_name, t->comm, sizeof(t->comm));
	return kvmi_elems_add(w->kd, &w->kd->lwps, &l, sizeof(l));
}

static int
lwp_is_leader(void *cookie, const struct kvmi_task *t)
{
	struct lwp_walk *w = cookie;

	w->leader = *t;
	return t->tgid == w->pid;
}

/* Finds the process by its address, else by its number. */
static int
lwp_leader(struct lwp_walk *w, const struct kvmi_tasktype *tt, kvaddr_t addr)
{
	int rv;

	if (addr != 0) {
		if (kvmi_task_read(w->kd, tt, addr, &w->leader) == -1)
			return -1;
		if (w->leader.tgid == w->pid)
			return 0;
		return kvmi_err(w->kd, ESRCH, "0x%llx is not process %d",
		    (unsigned long long)addr, (int)w->pid);
	}
	rv = kvmi_task_leaders(w->kd, tt, lwp_is_leader, w);
	if (rv == 0)
		return kvmi_err(w->kd, ESRCH, "there is no process %d",
		    (int)w->pid);
	return rv == -1 ? -1 : 0;
}

static int
lwp_get(kvm_t *kd, int pid, kvaddr_t procaddr, size_t elemsize, const int *cnt)
{
	struct lwp_walk w = { .kd = kd, .pid = (uint32_t)pid };
	const struct kvmi_tasktype *tt;

	if (kvmi_need_header(kd) == -1 ||
	    kvmi_elems_begin(kd, &kd->lwps, elemsize, cnt) == -1 ||
	    (tt = kvmi_tasktype(kd)) == NULL ||
	    lwp_leader(&w, tt, procaddr) == -1)
		return -1;
	if (kvmi_task_threads(kd, tt, &w.leader, lwp_add, &w) == -1)
		return kvmi_prepend(kd, "process %d", pid);
	return 0;
}

struct kinfo_lwp *
kvm_getlwps(kvm_t *kd, int pid, unsigned long procaddr, size_t elemsize,
    int *cnt)
{
	if (lwp_get(kd, pid, procaddr, elemsize, cnt) == -1) {
		kvmi_report(kd);
		return NULL;
	}
	*cnt = (int)kd->lwps.n;
	return (void *)kd->lwps.buf;
}
