/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_procfs.c: processes and threads of the running system, from /proc/PID;
 * kvm_getproc2(3).
 *
 * A process's directory is held open while its files are read, so that they are
 * of one process even if its number is given to another.  One that ends
 * meanwhile, or that /proc hides (hidepid), is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_tasks.h"

#define PROCFS_TEXT	4096u	/* holds what is needed of stat and status */
#define PROCFS_NSEC	1000000000ull
/* How much of a name the structures hold. */
#define PROCFS_FIT(to)	(sizeof(to) - 1)

struct procfs_walk {
	kvm_t *kd;
	uint64_t boot_ns;	/* since 1970 */
	uint64_t page;		/* bytes */
	uint64_t hz;		/* of the times that /proc tells */
	struct procfs_one {
		uint64_t start;	/* for sorting */
		int32_t id;
		struct kinfo_proc2 p;
		struct kinfo_lwp l;
	} *list;
	size_t n, cap;
};

bool
kvmi_procfs_gone(int error)
{
	return error == ENOENT || error == ESRCH || error == EACCES ||
	    error == EPERM;
}

/* A directory in it: -2: gone; -1 with a text. */
static int
procfs_dir(kvm_t *kd, int at, const char *name)
{
	const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1)
		return fd;
	if (kvmi_procfs_gone(errno))
		return -2;
	return kvmi_syserr(kd, errno, "%s", name);
}

int
kvmi_procfs_text(kvm_t *kd, int dir, const char *name, char *buf, size_t len)
{
	const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	int error;

	if (fd != -1)
		n = kvmi_live_read(fd, buf, len - 1);
	error = errno;
	if (fd != -1)
		close(fd);
	if (n == -1 && kvmi_procfs_gone(error))
		return 0;
	if (n == -1)
		return kvmi_syserr(kd, error, "%s", name);
	buf[n] = '\0';
	return 1;
}

/* As kvmi_procfs_text(), and takes it apart. */
static int
procfs_stat(kvm_t *kd, int dir, struct kvmi_procstat *ps)
{
	char buf[PROCFS_TEXT];
	int rv = kvmi_procfs_text(kd, dir, "stat", buf, sizeof(buf));

	if (rv == 1 && !kvmi_procstat_parse(buf, ps))
		return kvmi_err(kd, EBADMSG, "stat: it makes no sense");
	return rv;
}

static int
procfs_status(kvm_t *kd, int dir, struct kvmi_procstatus *st)
{
	char buf[PROCFS_TEXT];
	int rv = kvmi_procfs_text(kd, dir, "status", buf, sizeof(buf));

	if (rv == 1 && !kvmi_procstatus_parse(buf, st))
		return kvmi_err(kd, EBADMSG, "status: it makes no sense");
	return rv;
}

/* A new element; NULL with a text. */
static struct procfs_one *
procfs_new(struct procfs_walk *w, const struct kvmi_procstat *ps)
{
	struct procfs_one *list;

	if (w->n == w->cap) {
		w->cap = w->cap * 2 + 64;
		list = realloc(w->list, w->cap * sizeof(*list));
		if (list == NULL) {
			kvmi_syserr(w->kd, ENOMEM, "%zu processes or threads",
			    w->n);
			return NULL;
		}
		w->list = list;
	}
	list = &w->list[w->n++];
	memset(list, 0, sizeof(*list));
	list->start = ps->start;
	list->id = ps->pid;
	return list;
}

static int
procfs_cmp(const void *a, const void *b)
{
	const struct procfs_one *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void
procfs_time(const struct procfs_walk *w, uint64_t ticks, int64_t *sec,
    int32_t *usec)
{
	*sec = (int64_t)(ticks / w->hz);
	*usec = (int32_t)(ticks % w->hz * 1000000 / w->hz);
}

static void
procfs_fill(const struct procfs_walk *w, const struct kvmi_procstat *ps,
    const struct kvmi_procstatus *st, struct kinfo_proc2 *p)
{
	const uint64_t start = w->boot_ns + ps->start / w->hz * PROCFS_NSEC +
	    ps->start % w->hz * PROCFS_NSEC / w->hz;

	p->p_unknown = KVM_PROC_ADDR;
	p->p_nlwps = ps->nthreads;
	p->p_vm_vsize = ps->vsize / w->page;
	p->p_vm_rssize = ps->rss;
	p->p_ustart_sec = (int64_t)(start / PROCFS_NSEC);
	p->p_ustart_usec = (int32_t)(start % PROCFS_NSEC / 1000);
	p->p_pid = ps->pid;
	p->p_ppid = ps->ppid;
	p->p__pgid = ps->pgrp;
	p->p_sid = ps->session;
	p->p_ruid = st->uid[0];
	p->p_uid = st->uid[1];
	p->p_svuid = st->uid[2];
	p->p_rgid = st->gid[0];
	p->p_gid = st->gid[1];
	p->p_svgid = st->gid[2];
	p->p_tdev = ps->tty != 0 ? ps->tty : (uint32_t)KERN_PROC_TTY_NODEV;
	p->p_flag = (ps->flags & KVMI_TASK_KTHREAD) != 0 ? P_SYSTEM : 0;
	p->p_cpuid = ps->cpu;
	p->p_stat = kvmi_proc_stat(ps->state);
	p->p_state = ps->state;
	p->p_nice = (uint8_t)(ps->nice + 20);
	memcpy(p->p_comm, ps->comm, strnlen(ps->comm, PROCFS_FIT(p->p_comm)));
	procfs_time(w, ps->utime, &p->p_uutime_sec, &p->p_uutime_usec);
	procfs_time(w, ps->stime, &p->p_ustime_sec, &p->p_ustime_usec);
	procfs_time(w, ps->ctime, &p->p_uctime_sec, &p->p_uctime_usec);
}

/* Adds the process whose directory this is: 0, also if it is gone; or -1. */
static int
procfs_add_process(struct procfs_walk *w, int dir)
{
	struct kvmi_procstat ps;
	struct kvmi_procstatus st;
	struct procfs_one *one;
	int rv = procfs_stat(w->kd, dir, &ps);

	if (rv == 1)
		rv = procfs_status(w->kd, dir, &st);
	/* A thread has a directory there too, which is not listed. */
	if (rv != 1 || st.tgid != ps.pid)
		return rv == -1 ? -1 : 0;
	if ((one = procfs_new(w, &ps)) == NULL)
		return -1;
	procfs_fill(w, &ps, &st, &one->p);
	return 0;
}

static int
procfs_add_thread(struct procfs_walk *w, int dir)
{
	struct kvmi_procstat ps;
	struct procfs_one *one;
	int rv = procfs_stat(w->kd, dir, &ps);

	if (rv != 1)
		return rv;
	if ((one = procfs_new(w, &ps)) == NULL)
		return -1;
	one->l.l_lid = ps.pid;
	one->l.l_flag = (ps.flags & KVMI_TASK_KTHREAD) != 0 ? P_SYSTEM : 0;
	one->l.l_cpuid = ps.cpu;
	one->l.l_stat = kvmi_lwp_stat(ps.state, false);
	one->l.l_state = ps.state;
	one->l.l_nice = (uint8_t)(ps.nice + 20);
	memcpy(one->l.l_name, ps.comm, strnlen(ps.comm,
	    PROCFS_FIT(one->l.l_name)));
	return 0;
}

/* Adds what a name in a directory stands for: 0, also if it is gone; or -1. */
static int
procfs_add(struct procfs_walk *w, int at, const char *name,
    int (*add)(struct procfs_walk *w, int dir))
{
	const int dir = procfs_dir(w->kd, at, name);
	int rv;

	if (dir < 0)
		return dir == -2 ? 0 : -1;
	rv = add(w, dir);
	close(dir);
	if (rv == -1)
		kvmi_prepend(w->kd, "/proc: %s", name);
	return rv;
}

/* Adds all that a directory lists.  fd is closed. */
static int
procfs_add_all(struct procfs_walk *w, int fd,
    int (*add)(struct procfs_walk *w, int dir))
{
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	int rv = 0;

	if (d == NULL) {
		kvmi_syserr(w->kd, errno, "/proc");
		close(fd);
		return -1;
	}
	while (rv == 0) {
		errno = 0;
		if ((e = readdir(d)) == NULL) {
			if (errno != 0 && !kvmi_procfs_gone(errno))
				rv = kvmi_syserr(w->kd, errno, "/proc");
			break;
		}
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			rv = procfs_add(w, fd, e->d_name, add);
	}
	closedir(d);
	return rv;
}

/* What a walk begins with: /proc, or -1 with a text. */
static int
procfs_begin(kvm_t *kd, struct procfs_walk *w)
{
	struct timespec up, now;

	memset(w, 0, sizeof(*w));
	w->kd = kd;
	w->page = (uint64_t)sysconf(_SC_PAGESIZE);
	w->hz = (uint64_t)sysconf(_SC_CLK_TCK);
	if (kvmi_live_uptime(kd, &up, &now) == -1)
		return -1;
	w->boot_ns = (uint64_t)(now.tv_sec - up.tv_sec) * PROCFS_NSEC +
	    (uint64_t)now.tv_nsec - (uint64_t)up.tv_nsec;
	return kvmi_live_open(kd, "/proc", O_RDONLY | O_DIRECTORY);
}

static int
procfs_procs(kvm_t *kd, int op, int arg, struct kvmi_elems *to)
{
	struct procfs_walk w;
	const int fd = procfs_begin(kd, &w);
	char name[16];
	size_t i;
	int rv = 0;

	if (fd == -1)
		return -1;
	if (op != KERN_PROC_PID) {
		rv = procfs_add_all(&w, fd, procfs_add_process);
	} else {
		snprintf(name, sizeof(name), "%d", arg);
		if (arg > 0)
			rv = procfs_add(&w, fd, name, procfs_add_process);
		close(fd);
	}
	if (w.n > 1)
		qsort(w.list, w.n, sizeof(*w.list), procfs_cmp);
	for (i = 0; rv == 0 && i < w.n; i++)
		if (kvmi_proc_wanted(op, arg, &w.list[i].p))
			rv = kvmi_elems_add(kd, to, &w.list[i].p,
			    sizeof(w.list[i].p));
	free(w.list);
	return rv;
}

int
kvmi_procfs_open(kvm_t *kd, int pid, struct kvmi_procstat *ps)
{
	struct kvmi_procstatus st;
	char path[32];
	int dir = -1, rv = 0;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (pid > 0)
		dir = kvmi_live_open(kd, path, O_RDONLY | O_DIRECTORY);
	if (pid > 0 && dir == -1 && !kvmi_procfs_gone(errno))
		return -1;
	if (dir != -1 && (rv = procfs_status(kd, dir, &st)) == 1 &&
	    (rv = procfs_stat(kd, dir, ps)) == 1 && st.tgid == pid)
		return dir;
	if (dir != -1)
		close(dir);
	if (rv == -1)
		return kvmi_prepend(kd, "%s", path);
	return kvmi_err(kd, ESRCH, "there is no process %d", pid);
}

static int
procfs_lwps(kvm_t *kd, int pid, kvaddr_t procaddr, struct kvmi_elems *to)
{
	struct kvmi_procstat ps;
	struct procfs_walk w = { .kd = kd };
	int dir, fd, rv = 0;
	size_t i;

	if (procaddr != 0)
		return kvmi_err(kd, ESRCH, "0x%llx is not process %d: where "
		    "those of the running system are is not known",
		    (unsigned long long)procaddr, pid);
	if ((dir = kvmi_procfs_open(kd, pid, &ps)) == -1)
		return -1;
	fd = procfs_dir(kd, dir, "task");
	if (fd == -1)
		rv = -1;
	else if (fd >= 0)
		rv = procfs_add_all(&w, fd, procfs_add_thread);
	close(dir);
	if (rv == 0 && w.n == 0)
		rv = kvmi_err(kd, ESRCH, "there is no process %d", pid);
	if (rv == 0)
		qsort(w.list, w.n, sizeof(*w.list), procfs_cmp);
	for (i = 0; rv == 0 && i < w.n; i++) {
		w.list[i].l.l_pid = pid;
		rv = kvmi_elems_add(kd, to, &w.list[i].l,
		    sizeof(w.list[i].l));
	}
	free(w.list);
	return rv;
}

/* Three numbers with two digits behind the point, whatever the locale. */
static int
procfs_loadavg(kvm_t *kd, double load[3])
{
	static const char path[] = "/proc/loadavg";
	unsigned int whole, hundredth, i;
	size_t len;
	char *text = kvmi_live_load(kd, path, PROCFS_TEXT, &len), *p = text;
	int at;

	if (text == NULL)
		return -1;
	for (i = 0; i < 3; i++, p += at) {
		at = 0;
		if (sscanf(p, "%u.%2u%n", &whole, &hundredth, &at) != 2 ||
		    at == 0)
			break;
		load[i] = whole + hundredth / 100.0;
	}
	free(text);
	if (i < 3)
		return kvmi_err(kd, EBADMSG, "%s: it makes no sense", path);
	return 0;
}

const struct kvmi_procops kvmi_procops_live = {
	.procs = procfs_procs,
	.lwps = procfs_lwps,
	.strings = kvmi_procfs_strings,
	.files = kvmi_procfs_files,
	.loadavg = procfs_loadavg,
};
