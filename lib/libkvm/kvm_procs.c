/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_procs.c: processes and threads, from wherever this handle has them;
 * kvm_getproc2(3), kvm_getprocs(3), kvm_getloadavg(3).
 */
#include <errno.h>
#include <string.h>

#include "kvm_tasks.h"

const struct kvmi_procops *
kvmi_procops(kvm_t *kd)
{
	if (kd->procops != NULL)
		return kd->procops;
	return kvmi_need_header(kd) == 0 ? &kvmi_procops_dead : NULL;
}

bool
kvmi_proc_wanted(int op, int arg, const struct kinfo_proc2 *p)
{
	const uint32_t id = (uint32_t)arg;

	switch (op) {
	case KERN_PROC_ALL:
		return true;
	case KERN_PROC_PID:
		return p->p_pid == arg;
	case KERN_PROC_PGRP:
		return p->p__pgid == arg;
	case KERN_PROC_SESSION:
		return p->p_sid == arg;
	case KERN_PROC_TTY:
		return p->p_tdev == id;
	case KERN_PROC_UID:
		return p->p_uid == id;
	case KERN_PROC_RUID:
		return p->p_ruid == id;
	case KERN_PROC_GID:
		return p->p_gid == id;
	default:
		return p->p_rgid == id;
	}
}

static int
procs_get(kvm_t *kd, int op, int arg, size_t elemsize, struct kvmi_elems *to,
    int *cnt)
{
	const struct kvmi_procops *ops = kvmi_procops(kd);

	if (ops == NULL)
		return -1;
	if (op < KERN_PROC_ALL || op > KERN_PROC_RGID)
		return kvmi_err(kd, EINVAL, "%d: no way to choose processes",
		    op);
	if (kvmi_elems_begin(kd, to, elemsize, cnt) == -1 ||
	    ops->procs(kd, op, arg, to) == -1)
		return -1;
	return kvmi_elems_count(kd, to, cnt);
}

struct kinfo_proc2 *
kvm_getproc2(kvm_t *kd, int op, int arg, size_t elemsize, int *cnt)
{
	if (procs_get(kd, op, arg, elemsize, &kd->procs, cnt) == 0)
		return (void *)kd->procs.buf;
	kvmi_report(kd);
	return NULL;
}

static void
procs_old(struct kinfo_proc *old, const struct kinfo_proc2 *p)
{
	memset(old, 0, sizeof(*old));
	old->kp_proc.p_vmspace = p->p_vmspace;
	old->kp_proc.p_nlwps = p->p_nlwps;
	old->kp_proc.p_pid = p->p_pid;
	old->kp_proc.p_flag = p->p_flag;
	old->kp_proc.p_stat = p->p_stat;
	old->kp_proc.p_nice = p->p_nice;
	memcpy(old->kp_proc.p_comm, p->p_comm, sizeof(p->p_comm));
	old->kp_eproc.e_paddr = p->p_paddr;
	old->kp_eproc.e_ppid = p->p_ppid;
	old->kp_eproc.e_pgid = p->p__pgid;
	old->kp_eproc.e_sid = p->p_sid;
	old->kp_eproc.e_tdev = p->p_tdev;
	old->kp_eproc.e_pcred.p_ruid = p->p_ruid;
	old->kp_eproc.e_pcred.p_svuid = p->p_svuid;
	old->kp_eproc.e_pcred.p_rgid = p->p_rgid;
	old->kp_eproc.e_pcred.p_svgid = p->p_svgid;
	old->kp_eproc.e_ucred.cr_uid = p->p_uid;
	old->kp_eproc.e_ucred.cr_gid = p->p_gid;
	old->kp_eproc.e_vm.vm_rssize = p->p_vm_rssize;
	old->kp_eproc.e_unknown = p->p_unknown & ~KVM_PROC_TIMES;
}

struct kinfo_proc *
kvm_getprocs(kvm_t *kd, int op, int arg, int *cnt)
{
	const size_t size = offsetof(struct kinfo_proc2, p_uutime_sec);
	struct kvmi_elems all = { .buf = NULL };
	struct kinfo_proc2 p;
	struct kinfo_proc old;
	int i, rv;

	memset(&p, 0, sizeof(p));
	rv = procs_get(kd, op, arg, size, &all, cnt);
	if (rv == 0)
		rv = kvmi_elems_begin(kd, &kd->oldprocs, sizeof(old), cnt);
	for (i = 0; rv == 0 && i < *cnt; i++) {
		memcpy(&p, all.buf + (size_t)i * size, size);
		procs_old(&old, &p);
		rv = kvmi_elems_add(kd, &kd->oldprocs, &old, sizeof(old));
	}
	kvmi_elems_fini(&all);
	if (rv == 0)
		return (void *)kd->oldprocs.buf;
	kvmi_report(kd);
	return NULL;
}

static int
lwps_get(kvm_t *kd, int pid, kvaddr_t procaddr, size_t elemsize, int *cnt)
{
	const struct kvmi_procops *ops = kvmi_procops(kd);

	if (ops == NULL ||
	    kvmi_elems_begin(kd, &kd->lwps, elemsize, cnt) == -1 ||
	    ops->lwps(kd, pid, procaddr, &kd->lwps) == -1)
		return -1;
	return kvmi_elems_count(kd, &kd->lwps, cnt);
}

struct kinfo_lwp *
kvm_getlwps(kvm_t *kd, int pid, unsigned long procaddr, size_t elemsize,
    int *cnt)
{
	if (lwps_get(kd, pid, procaddr, elemsize, cnt) == 0)
		return (void *)kd->lwps.buf;
	kvmi_report(kd);
	return NULL;
}

static int
loadavg_get(kvm_t *kd, double load[3], int nelem)
{
	const struct kvmi_procops *ops = kvmi_procops(kd);

	if (ops == NULL)
		return -1;
	if (nelem < 0)
		return kvmi_err(kd, EINVAL, "%d load averages", nelem);
	return ops->loadavg(kd, load);
}

int
kvm_getloadavg(kvm_t *kd, double loadavg[], int nelem)
{
	double load[3];
	int i;

	if (loadavg_get(kd, load, nelem) == -1) {
		kvmi_report(kd);
		return -1;
	}
	for (i = 0; i < nelem && i < 3; i++)
		loadavg[i] = load[i];
	return i;
}
