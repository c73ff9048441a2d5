/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tasks.c: tasks and what they refer to, as an old and a new kernel keep them.
 */
#include <string.h>

#include "btf.h"
#include "tasks.h"

const struct one tasks[NTASKS] = {
	{ "swapper", 0, 0, 0, 0, 0, 0x200000, 'R', SACTIVE, LSRUN },
	{ "init", 1, 1, 0, 1, 0, 0, 'S', SACTIVE, LSSLEEP },
	{ "kthreadd", 2, 2, 0, 0x402, 0, 0x200000, 'I', SACTIVE, LSSLEEP },
	{ "server", 100, 100, 1, 2, 0, 0, 'D', SACTIVE, LSSLEEP },
	{ "worker a", 101, 100, 1, 0, 0, 0, 'R', SACTIVE, LSONPROC },
	{ "worker b", 102, 100, 1, 8, 0, 0, 't', SSTOP, LSSTOP },
	{ "stopped", 103, 103, 1, 0x104, 0, 0, 'T', SSTOP, LSSTOP },
	{ "corpse", 104, 104, 3, 0x80, 0x20, 0, 'Z', SZOMB, LSZOMB },
	{ "frozen12345678x", 105, 105, 1, 0x8000, 0, 0, 'D', SACTIVE,
	    LSSLEEP },
};

static void
make_basic_types(void)
{
	btf_begin();
	btf_type("int", BTF_INT, 0, 4);		/* 1 */
	btf_word(32);
	btf_type("", BTF_PTR, 0, 1);		/* 2 */
	btf_type("list_head", BTF_STRUCT, 2, 16); /* 3 */
	btf_member("next", 2, 0, 0);
	btf_member("prev", 2, 0, 64);
	btf_type("char", BTF_INT, 0, 1);	/* 4 */
	btf_word(8);
	btf_array(4, 16);			/* 5 */
	btf_array(2, 4);			/* 6 */
	btf_type("kuid_t", BTF_STRUCT, 1, 4);	/* 7 */
	btf_member("val", 1, 0, 0);
	btf_type("long", BTF_INT, 0, 8);	/* 8 */
	btf_word(64);
	btf_type("thread_info", BTF_STRUCT, 2, 8); /* 9 */
	btf_member("status", 1, 0, 0);
	btf_member("cpu", 1, 0, 32);
	btf_type("upid", BTF_STRUCT, 2, 16);	/* 10 */
	btf_member("nr", 1, 0, 0);
	btf_member("ns", 2, 0, 64);
	btf_type("sched_entity", BTF_STRUCT, 1, 8); /* 11 */
	btf_member("sum_exec_runtime", 8, 0, 0);
	btf_type("prev_cputime", BTF_STRUCT, 2, 16); /* 12 */
	btf_member("utime", 8, 0, 0);
	btf_member("stime", 8, 0, 64);
}

static void
make_task_types(bool new)
{
	btf_type("task_struct", BTF_STRUCT, 21, T_SIZE);
	btf_member(new ? "__state" : "state", new ? 1 : 8, 0, T_STATE * 8);
	btf_member("flags", 1, 0, T_FLAGS * 8);
	btf_member("on_cpu", 1, 0, T_ONCPU * 8);
	if (new)
		btf_member("thread_info", 9, 0, (T_CPU - 4) * 8);
	else
		btf_member("cpu", 1, 0, T_CPU * 8);
	btf_member("static_prio", 1, 0, T_PRIO * 8);
	btf_member("exit_state", 1, 0, T_EXIT * 8);
	btf_member("tasks", 3, 0, T_TASKS * 8);
	btf_member("mm", 2, 0, T_MM * 8);
	btf_member("pid", 1, 0, T_PID * 8);
	btf_member("tgid", 1, 0, T_TGID * 8);
	btf_member("real_parent", 2, 0, T_PARENT * 8);
	btf_member("thread_node", 3, 0, T_NODE * 8);
	btf_member("start_boottime", 8, 0, T_START * 8);
	btf_member("real_cred", 2, 0, T_CRED * 8);
	btf_member("comm", 5, 0, T_COMM * 8);
	btf_member("signal", 2, 0, T_SIGNAL * 8);
	btf_member("stack", 2, 0, T_STACK * 8);
	btf_member("utime", 8, 0, T_UTIME * 8);
	btf_member("stime", 8, 0, T_STIME * 8);
	btf_member("se", 11, 0, T_RUNTIME * 8);
	btf_member("files", 2, 0, T_FILES * 8);
}

static void
make_signal_type(void)
{
	btf_type("signal_struct", BTF_STRUCT, 10, S_SIZE);
	btf_member("nr_threads", 1, 0, S_NTHREADS * 8);
	btf_member("thread_head", 3, 0, S_HEAD * 8);
	btf_member("pids", 6, 0, S_PIDS * 8);
	btf_member("tty", 2, 0, S_TTY * 8);
	btf_member("utime", 8, 0, S_UTIME * 8);
	btf_member("stime", 8, 0, S_STIME * 8);
	btf_member("cutime", 8, 0, S_CUTIME * 8);
	btf_member("cstime", 8, 0, S_CSTIME * 8);
	btf_member("sum_sched_runtime", 8, 0, S_RUNTIME * 8);
	btf_member("prev_cputime", 12, 0, S_SHOWN * 8);
}

static void
make_mm_type(bool new)
{
	btf_type("mm_struct", BTF_STRUCT, 7, M_SIZE);
	btf_member("total_vm", 8, 0, M_VSIZE * 8);
	btf_member("rss_stat", new ? 15 : 16, 0, M_RSS * 8);
	btf_member("pgd", 2, 0, M_PGD * 8);
	btf_member("arg_start", 8, 0, M_ARG_START * 8);
	btf_member("arg_end", 8, 0, M_ARG_END * 8);
	btf_member("env_start", 8, 0, M_ENV_START * 8);
	btf_member("env_end", 8, 0, M_ENV_END * 8);
}

static void
make_types(bool new)
{
	static const char *const ids[] = { "uid", "gid", "suid", "sgid", "euid",
		"egid" };
	unsigned int i;

	make_basic_types();
	btf_array(10, new ? 0 : 1);		/* 13 */
	btf_type(new ? "percpu_counter" : "atomic", BTF_STRUCT, 2,
	    new ? 16 : 8);			/* 14 */
	btf_member("count", 8, 0, 0);
	btf_member("counters", 2, 0, new ? 64 : 0);
	btf_array(14, 4);			/* 15 */
	btf_type("mm_rss_stat", BTF_STRUCT, 1, 32); /* 16 */
	btf_member("count", 15, 0, 0);
	make_mm_type(new);			/* 17 */
	btf_type("pid", BTF_STRUCT, 1, PID_SIZE); /* 18 */
	btf_member("numbers", 13, 0, PID_NR * 8);
	btf_type("cred", BTF_STRUCT, 6, CRED_SIZE);
	for (i = 0; i < 6; i++)
		btf_member(ids[i], 7, 0, (4 + 4 * i) * 8);
	btf_type("tty_driver", BTF_STRUCT, 2, 8);
	btf_member("major", 1, 0, 0);
	btf_member("minor_start", 1, 0, 32);
	btf_type("tty_struct", BTF_STRUCT, 2, TTY_SIZE);
	btf_member("driver", 2, 0, 0);
	btf_member("index", 1, 0, 64);
	make_signal_type();
	make_task_types(new);
}

void
tasks_put(struct guest *g, uint64_t va, size_t len, uint64_t v)
{
	memcpy(guest_at(g, va), &v, len);
}

/* Links n entries behind head into a ring. */
static void
put_ring(struct guest *g, uint64_t head, const uint64_t *at, size_t n,
    size_t off)
{
	size_t i;

	tasks_put(g, head, 8, n != 0 ? at[0] + off : head);
	for (i = 0; i < n; i++)
		tasks_put(g, at[i] + off, 8, i + 1 < n ? at[i + 1] + off :
		    head);
}

/* What process 100 has: pages of memory, a terminal, ids that all differ. */
static void
make_shared(struct tasks *f)
{
	struct guest *g = &f->g;
	uint64_t driver, counters, step = f->new ? 16 : 8;
	unsigned int i;

	f->percpu = guest_put(g, NULL, TASKS_CPUS * 8, 8);
	counters = guest_put(g, NULL, TASKS_CPUS * 4, 4);
	f->mm = guest_put(g, NULL, M_SIZE, 8);
	tasks_put(g, f->mm + M_VSIZE, 8, 5000);
	for (i = 0; i < TASKS_CPUS; i++) {
		tasks_put(g, f->percpu + 8 * i, 8, 4 * i);
		tasks_put(g, counters + 4 * i, 4, 2);
	}
	for (i = 0; i < 4; i++) {
		tasks_put(g, f->mm + M_RSS + i * step, 8, i == 0 ?
		    (uint64_t)-1 : i * 1000);
		if (f->new)
			tasks_put(g, f->mm + M_RSS + i * step + 8, 8, counters);
	}
	f->cred = guest_put(g, NULL, CRED_SIZE, 8);
	for (i = 0; i < 6; i++)
		tasks_put(g, f->cred + 4 + 4 * i, 4, 1000 + i);
	driver = guest_put(g, NULL, 8, 8);
	tasks_put(g, driver, 4, 4);
	tasks_put(g, driver + 4, 4, 64);
	f->tty = guest_put(g, NULL, TTY_SIZE, 8);
	tasks_put(g, f->tty, 8, driver);
	tasks_put(g, f->tty + 8, 4, 1);
}

static void
make_task(struct tasks *f, unsigned int i)
{
	const struct one *one = &tasks[i];
	struct guest *g = &f->g;
	const uint64_t at = f->task[i];
	const bool rich = one->tgid == 100;
	uint64_t pid;

	tasks_put(g, at + T_STATE, f->new ? 4 : 8, one->state);
	tasks_put(g, at + T_EXIT, 4, one->exit);
	tasks_put(g, at + T_FLAGS, 4, one->flags);
	tasks_put(g, at + T_ONCPU, 4, one->lstat == LSONPROC);
	tasks_put(g, at + T_CPU, 4, i);
	tasks_put(g, at + T_PRIO, 4, 125);
	tasks_put(g, at + T_MM, 8, rich ? f->mm : 0);
	tasks_put(g, at + T_PID, 4, (uint64_t)one->pid);
	tasks_put(g, at + T_TGID, 4, (uint64_t)one->tgid);
	tasks_put(g, at + T_PARENT, 8, f->task[one->parent]);
	tasks_put(g, at + T_START, 8, TASKS_START);
	tasks_put(g, at + T_CRED, 8, rich ? f->cred :
	    guest_put(g, NULL, CRED_SIZE, 8));
	strcpy((char *)guest_at(g, at + T_COMM), one->comm);
	tasks_put(g, at + T_SIGNAL, 8, f->sig[i]);
	tasks_put(g, at + T_STACK, 8, at + 1);
	if (one->pid != one->tgid)
		return;
	tasks_put(g, f->sig[i] + S_NTHREADS, 4, rich ? 3 : 1);
	tasks_put(g, f->sig[i] + S_TTY, 8, rich ? f->tty : 0);
	put_ring(g, f->sig[i] + S_HEAD, &f->task[i], rich ? 3 : 1, T_NODE);
	pid = guest_put(g, NULL, 2 * PID_SIZE, 8);
	tasks_put(g, pid + PID_NR, 4, (uint64_t)one->pid);
	tasks_put(g, pid + PID_SIZE + PID_NR, 4, rich ? 77 : 1);
	if (one->flags == 0) {
		tasks_put(g, f->sig[i] + S_PIDS + 16, 8, pid);
		tasks_put(g, f->sig[i] + S_PIDS + 24, 8, pid + PID_SIZE);
	}
}

void
tasks_make(struct tasks *f, bool new)
{
	tasks_make_with(f, new, NULL);
}

void
tasks_make_with(struct tasks *f, bool new, void (*types)(void))
{
	struct guest *g = &f->g;
	struct ksyms_sym syms[7];
	/* 0.5, 1.25 and 100 of 2048 each. */
	const uint64_t avenrun[3] = { 1024, 2560, 204800 };
	uint64_t btf, stop, leaders[NTASKS];
	unsigned int i, n = 0;

	f->new = new;
	guest_init(g);
	g->im.spec.time_ns = 1700000000ull * 1000000000 + 7;
	g->im.spec.uptime_ns = 10000000007;
	make_types(new);
	if (types != NULL)
		types();
	btf = btf_put(g);
	stop = g->base + g->used;
	f->first = g->base + (g->used + 7) / 8 * 8;
	for (i = 0; i < NTASKS; i++)
		f->task[i] = guest_put(g, NULL, T_SIZE, 8);
	make_shared(f);
	for (i = 0; i < NTASKS; i++) {
		f->sig[i] = tasks[i].pid == tasks[i].tgid ?
		    guest_put(g, NULL, S_SIZE, 8) : f->sig[i - 1];
		if (i != 0 && tasks[i].pid == tasks[i].tgid)
			leaders[n++] = f->task[i];
	}
	for (i = 0; i < NTASKS; i++)
		make_task(f, i);
	put_ring(g, f->task[0] + T_TASKS, leaders, n, T_TASKS);
	f->avenrun = guest_put(g, avenrun, sizeof(avenrun), 8);
	f->end = g->base + g->used;
	syms[0] = (struct ksyms_sym){ g->base, 'T', "_stext" };
	syms[1] = (struct ksyms_sym){ btf, 'D', "__start_BTF" };
	syms[2] = (struct ksyms_sym){ stop, 'D', "__stop_BTF" };
	syms[3] = (struct ksyms_sym){ f->task[0], 'D', "init_task" };
	syms[4] = (struct ksyms_sym){ f->percpu, 'D', "__per_cpu_offset" };
	syms[5] = (struct ksyms_sym){ f->avenrun, 'D', "avenrun" };
	syms[6] = (struct ksyms_sym){ f->end, 'B', "_end" };
	ksyms_put(g, KSYMS_BASE, true, syms, 7);
	guest_make(g);
}
