/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_proc.c: processes of a dump.
 *
 * A process is the first thread of its group, and what all its threads share.
 * What a wrong pointer keeps from being read is told in p_unknown, since a
 * kernel that died of such a pointer has more to tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_tasks.h"

#define PROC_CPUS	8192u	/* of which counters are added up */
#define PROC_NSEC	1000000000u
#define PROC_THREADS	(1u << 22)	/* PID_MAX_LIMIT */

/* What a walk over all processes knows. */
struct proc_walk {
	kvm_t *kd;
	const struct kvmi_tasktype *tt;
	int op, arg;
	struct kvmi_elems *to;
	uint64_t boot_ns;	/* since 1970 */
	uint64_t *percpu;	/* offsets; NULL: none */
	unsigned int ncpus;
	bool times;		/* they are wanted */
	uint32_t nthreads;	/* looked at so far */
};

/* The number of a struct pid; -1 where it can't be read. */
static int32_t
proc_number(struct proc_walk *w, kvaddr_t signal, enum kvmi_field field,
    struct kinfo_proc2 *p)
{
	uint64_t pid, nr;

	if (kvmi_field_read(w->kd, w->tt, signal, field, &pid) == 0) {
		if (pid == 0)
			return 0;
		if (kvmi_field_read(w->kd, w->tt, pid, KVMI_PID_NR, &nr) == 0)
			return (int32_t)nr;
	}
	p->p_unknown |= KVM_PROC_IDS;
	return -1;
}

static void
proc_cred(struct proc_walk *w, kvaddr_t cred, struct kinfo_proc2 *p)
{
	const struct {
		enum kvmi_field field;
		uint32_t *to;
	} ids[] = {
		{ KVMI_CRED_UID, &p->p_ruid }, { KVMI_CRED_EUID, &p->p_uid },
		{ KVMI_CRED_SUID, &p->p_svuid }, { KVMI_CRED_GID, &p->p_rgid },
		{ KVMI_CRED_EGID, &p->p_gid }, { KVMI_CRED_SGID, &p->p_svgid },
	};
	uint64_t id;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (kvmi_field_read(w->kd, w->tt, cred, ids[i].field, &id) ==
		    -1) {
			p->p_unknown |= KVM_PROC_CRED;
			id = UINT32_MAX;
		}
		*ids[i].to = (uint32_t)id;
	}
}

/* The terminal, as makedev(3) has it. */
static void
proc_tty(struct proc_walk *w, kvaddr_t signal, struct kinfo_proc2 *p)
{
	uint64_t tty, driver, index, major, minor;

	p->p_tdev = (uint32_t)KERN_PROC_TTY_NODEV;
	if (kvmi_field_read(w->kd, w->tt, signal, KVMI_SIG_TTY, &tty) == 0) {
		if (tty == 0)
			return;
		if (kvmi_field_read(w->kd, w->tt, tty, KVMI_TTY_INDEX,
		    &index) == 0 && kvmi_field_read(w->kd, w->tt, tty,
		    KVMI_TTY_DRIVER, &driver) == 0 && kvmi_field_read(w->kd,
		    w->tt, driver, KVMI_TTYDRV_MAJOR, &major) == 0 &&
		    kvmi_field_read(w->kd, w->tt, driver, KVMI_TTYDRV_MINOR,
		    &minor) == 0) {
			p->p_tdev = kvmi_makedev(major << 20 |
			    ((minor + index) & 0xfffff));
			return;
		}
	}
	p->p_unknown |= KVM_PROC_TTY;
}

/* A counter of pages: what is not in it yet is kept by each CPU. */
static int
proc_counter(struct proc_walk *w, kvaddr_t mm, enum kvmi_field field,
    enum kvmi_field percpu, uint64_t *sum)
{
	uint64_t value, at;
	unsigned int i;
	int32_t part;

	if (kvmi_field_read(w->kd, w->tt, mm, field, &value) == -1)
		return -1;
	*sum += value;
	if (w->percpu == NULL || w->tt->f[percpu].size == 0)
		return 0;
	if (kvmi_field_read(w->kd, w->tt, mm, percpu, &at) == -1)
		return -1;
	for (i = 0; i < w->ncpus; i++) {
		if (kvmi_read(w->kd, at + w->percpu[i], &part, 4) == -1)
			return -1;
		*sum += (uint64_t)(int64_t)part;
	}
	return 0;
}

static void
proc_vm(struct proc_walk *w, kvaddr_t mm, struct kinfo_proc2 *p)
{
	uint64_t pages = 0;

	p->p_vmspace = mm;
	if (mm == 0)
		return;
	if (kvmi_field_read(w->kd, w->tt, mm, KVMI_MM_VSIZE, &p->p_vm_vsize) ==
	    -1 || proc_counter(w, mm, KVMI_MM_FILE, KVMI_MM_FILECPU, &pages) ==
	    -1 || proc_counter(w, mm, KVMI_MM_ANON, KVMI_MM_ANONCPU, &pages) ==
	    -1 || proc_counter(w, mm, KVMI_MM_SHMEM, KVMI_MM_SHMEMCPU,
	    &pages) == -1) {
		p->p_unknown |= KVM_PROC_VM;
		p->p_vm_vsize = 0;
		return;
	}
	/* Counters of one CPU can be below 0, and so their sum for a while. */
	p->p_vm_rssize = (int64_t)pages > 0 ? pages : 0;
}

static void
proc_parent(struct proc_walk *w, kvaddr_t parent, struct kinfo_proc2 *p)
{
	uint64_t tgid = 0;

	if (parent != 0 && kvmi_field_read(w->kd, w->tt, parent,
	    KVMI_TASK_TGID, &tgid) == -1) {
		p->p_unknown |= KVM_PROC_PARENT;
		tgid = UINT32_MAX;
	}
	p->p_ppid = (int32_t)tgid;
}

/* CPU times: of the process, or of its threads. */
struct proc_times {
	struct proc_walk *w;
	uint64_t user, system, run;	/* ns */
	uint32_t tgid;
};

static int
proc_thread(void *cookie, const struct kvmi_task *t)
{
	struct proc_times *pt = cookie;

	/* Threads of more than one process, or of processes without end. */
	if (t->tgid != pt->tgid || pt->w->nthreads++ > PROC_THREADS)
		return kvmi_err(pt->w->kd, EBADMSG, "the list of threads does "
		    "not end");
	pt->user += t->utime_ns;
	pt->system += t->stime_ns;
	pt->run += t->runtime_ns;
	return 0;
}

/* Reads n counters of a signal_struct: 0, or -1. */
static int
proc_counters(struct proc_walk *w, kvaddr_t signal, enum kvmi_field first,
    unsigned int n, uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (kvmi_field_read(w->kd, w->tt, signal,
		    first + i, &value[i]) == -1)
			return -1;
	return 0;
}

/*
 * As cputime_adjust() of kernel/sched/cputime.c: user and system time are
 * counted in ticks, their sum exactly, and no time that was shown once goes
 * back.
 */
static void
proc_adjust(struct proc_times *pt, uint64_t shown_user, uint64_t shown_system)
{
	const unsigned __int128 sum = (unsigned __int128)pt->user + pt->system;

	if ((unsigned __int128)shown_user + shown_system >= pt->run) {
		pt->user = shown_user;
		pt->system = shown_system;
		return;
	}
	if (pt->system != 0)
		pt->system = pt->user == 0 ? pt->run :
		    (uint64_t)(pt->system * (unsigned __int128)pt->run / sum);
	if (pt->system < shown_system)
		pt->system = shown_system;
	pt->user = pt->run - pt->system;
	if (pt->user < shown_user) {
		pt->user = shown_user;
		pt->system = pt->run - pt->user;
	}
}

static void
proc_times(struct proc_walk *w, const struct kvmi_task *t,
    struct kinfo_proc2 *p)
{
	struct proc_times pt = { .w = w, .tgid = t->tgid };
	uint64_t c[5], shown[2], child;	/* from KVMI_SIG_UTIME on */
	int rv;

	if (p->p_nlwps == 1)
		rv = proc_thread(&pt, t);
	else
		rv = kvmi_task_threads(w->kd, w->tt, t, proc_thread, &pt);
	if (rv != 0 || w->tt->f[KVMI_TASK_RUNTIME].size == 0 ||
	    proc_counters(w, t->signal, KVMI_SIG_UTIME, 5, c) == -1 ||
	    proc_counters(w, t->signal, KVMI_SIG_SHOWNU, 2, shown) == -1) {
		p->p_unknown |= KVM_PROC_TIMES;
		return;
	}
	pt.user += c[0];
	pt.system += c[1];
	pt.run += c[2];
	child = c[3] + c[4];
	proc_adjust(&pt, shown[0], shown[1]);
	p->p_uutime_sec = (int64_t)(pt.user / PROC_NSEC);
	p->p_uutime_usec = (int32_t)(pt.user % PROC_NSEC / 1000);
	p->p_ustime_sec = (int64_t)(pt.system / PROC_NSEC);
	p->p_ustime_usec = (int32_t)(pt.system % PROC_NSEC / 1000);
	p->p_uctime_sec = (int64_t)(child / PROC_NSEC);
	p->p_uctime_usec = (int32_t)(child % PROC_NSEC / 1000);
}

int8_t
kvmi_proc_stat(char state)
{
	switch (state) {
	case 'T':
	case 't':
		return SSTOP;
	case 'Z':
		return SZOMB;
	case 'X':
		return SDEAD;
	default:
		return SACTIVE;
	}
}

static void
proc_fill(struct proc_walk *w, const struct kvmi_task *t,
    struct kinfo_proc2 *p)
{
	const uint64_t start = w->boot_ns + t->start_ns;

	memset(p, 0, sizeof(*p));
	p->p_paddr = t->addr;
	p->p_addr = t->stack;
	p->p_pid = (int32_t)t->tgid;
	p->p_ustart_sec = (int64_t)(start / PROC_NSEC);
	p->p_ustart_usec = (int32_t)(start % PROC_NSEC / 1000);
	p->p_flag = (t->flags & KVMI_TASK_KTHREAD) != 0 ? P_SYSTEM : 0;
	p->p_cpuid = t->cpu;
	p->p_stat = kvmi_proc_stat(t->state);
	p->p_state = t->state;
	p->p_nice = t->nice;
	memcpy(p->p_comm, t->comm, sizeof(t->comm));
	if (kvmi_field_read(w->kd, w->tt, t->signal, KVMI_SIG_NTHREADS,
	    &p->p_nlwps) == -1)
		p->p_unknown |= KVM_PROC_NLWPS;
	p->p__pgid = proc_number(w, t->signal, KVMI_SIG_PGID, p);
	p->p_sid = proc_number(w, t->signal, KVMI_SIG_SID, p);
	proc_parent(w, t->parent, p);
	proc_cred(w, t->cred, p);
	proc_tty(w, t->signal, p);
	proc_vm(w, t->mm, p);
	if (w->times)
		proc_times(w, t, p);
}

static int
proc_add(void *cookie, const struct kvmi_task *t)
{
	struct proc_walk *w = cookie;
	struct kinfo_proc2 p;

	if (w->op == KERN_PROC_PID && t->tgid != (uint32_t)w->arg)
		return 0;
	proc_fill(w, t, &p);
	if (!kvmi_proc_wanted(w->op, w->arg, &p))
		return 0;
	return kvmi_elems_add(w->kd, w->to, &p, sizeof(p));
}

/* Offsets of the CPUs' own memory; without them, counters are less exact. */
static void
proc_percpu(struct proc_walk *w)
{
	const unsigned int n = w->kd->hdr->ncpus;

	if (w->tt->percpu == 0 || n > PROC_CPUS)
		return;
	w->percpu = calloc(n + 1, sizeof(*w->percpu));
	if (w->percpu != NULL && kvmi_read(w->kd, w->tt->percpu, w->percpu,
	    n * sizeof(*w->percpu)) == 0) {
		w->ncpus = n;
		return;
	}
	free(w->percpu);
	w->percpu = NULL;
}

int
kvmi_dead_procs(kvm_t *kd, int op, int arg, struct kvmi_elems *to)
{
	struct proc_walk w = { .kd = kd, .op = op, .arg = arg, .to = to };
	int rv;

	if ((w.tt = kvmi_tasktype(kd)) == NULL)
		return -1;
	w.times = to->elemsize > offsetof(struct kinfo_proc2, p_uutime_sec);
	w.boot_ns = kd->hdr->panic_time_ns - kd->hdr->uptime_ns;
	proc_percpu(&w);
	rv = kvmi_task_leaders(kd, w.tt, proc_add, &w);
	free(w.percpu);
	return rv;
}
