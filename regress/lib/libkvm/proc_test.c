/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_test.c: processes and threads, as an old and a new kernel keep them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tasks.h"

/* All of them, or those that op chooses; must not fail. */
static const struct kinfo_proc2 *
get(struct tasks *f, int op, int arg, int *n)
{
	const struct kinfo_proc2 *p = kvm_getproc2(f->g.im.kd, op, arg,
	    sizeof(*p), n);

	if (p == NULL)
		fail_msg("%s", kvm_geterr(f->g.im.kd));
	return p;
}

static void
check_process(const struct tasks *f, const struct kinfo_proc2 *p,
    unsigned int i)
{
	const struct one *one = &tasks[i];

	assert_int_equal(p->p_pid, one->pid);
	assert_int_equal(p->p_ppid, tasks[one->parent].pid);
	assert_string_equal(p->p_comm, one->comm);
	assert_int_equal(p->p_paddr, f->task[i]);
	assert_int_equal(p->p_addr, f->task[i] + 1);
	assert_int_equal(p->p_state, one->letter);
	assert_int_equal(p->p_stat, one->stat);
	assert_int_equal(p->p_flag, one->flags != 0 ? P_SYSTEM : 0);
	assert_int_equal(p->p_cpuid, i);
	assert_int_equal(p->p_nice, 25);
	assert_int_equal(p->p_ustart_sec, 1700000000 - 10 + 2);
	assert_int_equal(p->p_ustart_usec, 500000);
	assert_int_equal(p->p__pgid, one->flags != 0 ? 0 : one->pid);
	assert_int_equal(p->p_unknown, 0);
}

/* This test checks every member of every process, as two kernels have it. */
static void
proc_list_is_as_the_kernel_has_it(void **state)
{
	static const unsigned int order[NPROCS] = { 1, 2, 3, 6, 7, 8 };
	const struct kinfo_proc2 *p;
	struct tasks f;
	unsigned int i, new;
	int n, ncpus;

	(void)state;
	for (new = 0; new < 2; new++) {
		tasks_make(&f, new != 0);
		p = get(&f, KERN_PROC_ALL, 0, &n);
		assert_int_equal(n, NPROCS);
		for (i = 0; i < NPROCS; i++)
			check_process(&f, &p[i], order[i]);
		p += 2;
		ncpus = kvm_ncpus(f.g.im.kd);
		assert_in_range(ncpus, 1, TASKS_CPUS);
		assert_int_equal(p->p_vm_vsize, 5000);
		assert_int_equal(p->p_vm_rssize, -1 + 1000 + 3000 +
		    (new ? 3 * 2 * ncpus : 0));
		assert_int_equal(p->p_vmspace, f.mm);
		assert_int_equal(p->p_nlwps, 3);
		assert_int_equal(p->p_sid, 77);
		assert_int_equal(p->p_tdev, TASKS_TTY);
		assert_int_equal(p->p_ruid, 1000);
		assert_int_equal(p->p_rgid, 1001);
		assert_int_equal(p->p_svuid, 1002);
		assert_int_equal(p->p_svgid, 1003);
		assert_int_equal(p->p_uid, 1004);
		assert_int_equal(p->p_gid, 1005);
		assert_int_equal(p[1].p_tdev, (uint32_t)KERN_PROC_TTY_NODEV);
		assert_int_equal(p[1].p_vm_rssize, 0);
		guest_fini(&f.g);
	}
}

/* This test checks that each op chooses by what it names, and nothing else. */
static void
proc_op_chooses(void **state)
{
	static const struct {
		int op, arg, n;
	} t[] = {
		{ KERN_PROC_ALL, 100, NPROCS }, { KERN_PROC_PID, 100, 1 },
		{ KERN_PROC_PID, 101, 0 }, { KERN_PROC_PID, 0, 0 },
		{ KERN_PROC_PGRP, 100, 1 }, { KERN_PROC_PGRP, 77, 0 },
		{ KERN_PROC_SESSION, 77, 1 }, { KERN_PROC_SESSION, 1, 4 },
		{ KERN_PROC_TTY, TASKS_TTY, 1 },
		{ KERN_PROC_TTY, KERN_PROC_TTY_NODEV, 5 },
		{ KERN_PROC_UID, 1004, 1 }, { KERN_PROC_UID, 1000, 0 },
		{ KERN_PROC_RUID, 1000, 1 }, { KERN_PROC_RUID, 0, 5 },
		{ KERN_PROC_GID, 1005, 1 }, { KERN_PROC_GID, 1001, 0 },
		{ KERN_PROC_RGID, 1001, 1 }, { KERN_PROC_RGID, 1005, 0 },
	};
	struct tasks f;
	size_t i;
	int n;

	(void)state;
	tasks_make(&f, true);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		get(&f, t[i].op, t[i].arg, &n);
		assert_int_equal(n, t[i].n);
	}
	assert_null(kvm_getproc2(f.g.im.kd, 9, 0, 64, &n));
	assert_int_equal(errno, EINVAL);
	image_says(&f.g.im, "9: no way to choose processes");
	guest_fini(&f.g);
}

/* This test checks callers of older and newer headers. */
static void
proc_elemsize_is_kept(void **state)
{
	const size_t big = sizeof(struct kinfo_proc2) + 40, small = 80;
	const struct kinfo_proc2 *p;
	const uint8_t *raw;
	uint8_t whole[NPROCS][sizeof(*p)];
	static const uint8_t zeros[40];
	struct tasks f;
	unsigned int i;
	int n;

	(void)state;
	tasks_make(&f, true);
	p = get(&f, KERN_PROC_ALL, 0, &n);
	memcpy(whole, p, sizeof(whole));
	raw = (void *)kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, small, &n);
	assert_non_null(raw);
	assert_int_equal(n, NPROCS);
	for (i = 0; i < NPROCS; i++)
		assert_memory_equal(raw + i * small, whole[i], small);
	raw = (void *)kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, big, &n);
	assert_non_null(raw);
	for (i = 0; i < NPROCS; i++) {
		assert_memory_equal(raw + i * big, whole[i], sizeof(*p));
		assert_memory_equal(raw + i * big + sizeof(*p), zeros, 40);
	}
	assert_null(kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, 0, &n));
	assert_int_equal(errno, EINVAL);
	assert_null(kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, SIZE_MAX / 4,
	    &n));
	assert_int_equal(errno, EINVAL);
	guest_fini(&f.g);
}

/* This test checks a process's threads, found by number and by address. */
static void
proc_threads_are_those_of_the_process(void **state)
{
	const struct kinfo_lwp *l;
	struct tasks f;
	unsigned int i, by;
	int n;

	(void)state;
	tasks_make(&f, true);
	for (by = 0; by < 2; by++) {
		l = kvm_getlwps(f.g.im.kd, 100, by ? f.task[3] : 0, sizeof(*l),
		    &n);
		if (l == NULL)
			fail_msg("%s", kvm_geterr(f.g.im.kd));
		assert_int_equal(n, 3);
		for (i = 0; i < 3; i++) {
			assert_int_equal(l[i].l_pid, 100);
			assert_int_equal(l[i].l_lid, 100 + i);
			assert_int_equal(l[i].l_laddr, f.task[3 + i]);
			assert_int_equal(l[i].l_state, tasks[3 + i].letter);
			assert_int_equal(l[i].l_stat, tasks[3 + i].lstat);
			assert_int_equal(l[i].l_cpuid, 3 + i);
			assert_string_equal(l[i].l_name, tasks[3 + i].comm);
		}
	}
	assert_null(kvm_getlwps(f.g.im.kd, 99, 0, sizeof(*l), &n));
	assert_int_equal(errno, ESRCH);
	image_says(&f.g.im, "there is no process 99");
	assert_null(kvm_getlwps(f.g.im.kd, 1, f.task[3], sizeof(*l), &n));
	assert_int_equal(errno, ESRCH);
	assert_null(kvm_getlwps(f.g.im.kd, 1, 8, sizeof(*l), &n));
	image_says(&f.g.im, "task 0x8: ");
	guest_fini(&f.g);
}

/* This test checks lists that go round, go nowhere, or to another process. */
static void
proc_damaged_list_is_told(void **state)
{
	struct tasks f;
	int n;

	(void)state;
	tasks_make(&f, true);
	tasks_put(&f.g, f.task[7] + T_TASKS, 8, f.task[2] + T_TASKS);
	tasks_put(&f.g, f.task[5] + T_NODE, 8, f.task[5] + T_NODE);
	guest_make(&f.g);
	assert_null(kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, 8, &n));
	assert_int_equal(errno, EBADMSG);
	image_says(&f.g.im, "the list of tasks does not end");
	assert_null(kvm_getlwps(f.g.im.kd, 100, f.task[3], 8, &n));
	assert_int_equal(errno, EBADMSG);
	image_says(&f.g.im, "process 100: the list of tasks does not end");
	tasks_put(&f.g, f.task[5] + T_NODE, 8, f.task[6] + T_NODE);
	tasks_put(&f.g, f.task[7] + T_TASKS, 8, 0);
	guest_make(&f.g);
	assert_null(kvm_getproc2(f.g.im.kd, KERN_PROC_ALL, 0, 8, &n));
	image_says(&f.g.im, "list of tasks: ");
	assert_null(kvm_getlwps(f.g.im.kd, 100, f.task[3], 8, &n));
	image_says(&f.g.im, "which is of process 103");
	guest_fini(&f.g);
}

/* This test checks that wrong pointers in one process cost only what they led
 * to. */
static void
proc_wrong_pointers_are_unknown(void **state)
{
	const struct kinfo_proc2 *p;
	struct tasks f;
	int n;

	(void)state;
	tasks_make(&f, true);
	tasks_put(&f.g, f.task[3] + T_CRED, 8, 8);
	tasks_put(&f.g, f.task[3] + T_MM, 8, 16);
	tasks_put(&f.g, f.task[6] + T_PARENT, 8, 24);
	tasks_put(&f.g, f.sig[6] + S_TTY, 8, 32);
	tasks_put(&f.g, f.task[7] + T_SIGNAL, 8, 40);
	guest_make(&f.g);
	p = get(&f, KERN_PROC_ALL, 0, &n);
	assert_int_equal(n, NPROCS);
	assert_int_equal(p[1].p_unknown, 0);
	assert_int_equal(p[2].p_unknown, KVM_PROC_CRED | KVM_PROC_VM);
	assert_int_equal(p[2].p_uid, UINT32_MAX);
	assert_int_equal(p[2].p_vm_vsize, 0);
	assert_int_equal(p[2].p_ppid, 1);
	assert_int_equal(p[3].p_unknown, KVM_PROC_PARENT | KVM_PROC_TTY);
	assert_int_equal(p[3].p_ppid, -1);
	assert_int_equal(p[4].p_unknown, KVM_PROC_IDS | KVM_PROC_TTY |
	    KVM_PROC_NLWPS | KVM_PROC_TIMES);
	assert_int_equal(p[4].p_sid, -1);
	guest_fini(&f.g);
}

/* This test checks kvm_getprocs(3): what it says is what kvm_getproc2(3) says. */
static void
proc_old_call_says_the_same(void **state)
{
	const struct kinfo_proc2 *p;
	const struct kinfo_proc *old;
	struct tasks f;
	int n, m, i;

	(void)state;
	tasks_make(&f, true);
	p = get(&f, KERN_PROC_ALL, 0, &n);
	old = kvm_getprocs(f.g.im.kd, KERN_PROC_ALL, 0, &m);
	assert_non_null(old);
	assert_int_equal(n, m);
	for (i = 0; i < n; i++, p++, old++) {
		assert_int_equal(old->kp_proc.p_vmspace, p->p_vmspace);
		assert_int_equal(old->kp_proc.p_nlwps, p->p_nlwps);
		assert_int_equal(old->kp_proc.p_pid, p->p_pid);
		assert_int_equal(old->kp_proc.p_flag, p->p_flag);
		assert_int_equal(old->kp_proc.p_stat, p->p_stat);
		assert_int_equal(old->kp_proc.p_nice, p->p_nice);
		assert_string_equal(old->kp_proc.p_comm, p->p_comm);
		assert_int_equal(old->kp_eproc.e_paddr, p->p_paddr);
		assert_int_equal(old->kp_eproc.e_ppid, p->p_ppid);
		assert_int_equal(old->kp_eproc.e_pgid, p->p__pgid);
		assert_int_equal(old->kp_eproc.e_sid, p->p_sid);
		assert_int_equal(old->kp_eproc.e_tdev, p->p_tdev);
		assert_int_equal(old->kp_eproc.e_pcred.p_ruid, p->p_ruid);
		assert_int_equal(old->kp_eproc.e_pcred.p_svuid, p->p_svuid);
		assert_int_equal(old->kp_eproc.e_pcred.p_rgid, p->p_rgid);
		assert_int_equal(old->kp_eproc.e_pcred.p_svgid, p->p_svgid);
		assert_int_equal(old->kp_eproc.e_ucred.cr_uid, p->p_uid);
		assert_int_equal(old->kp_eproc.e_ucred.cr_gid, p->p_gid);
		assert_int_equal(old->kp_eproc.e_vm.vm_rssize, p->p_vm_rssize);
		assert_int_equal(old->kp_eproc.e_unknown, p->p_unknown);
	}
	assert_non_null(kvm_getprocs(f.g.im.kd, KERN_PROC_PID, 1, &m));
	assert_int_equal(m, 1);
	assert_null(kvm_getprocs(f.g.im.kd, 99, 1, &m));
	assert_int_equal(errno, EINVAL);
	assert_null(kvm_getprocs(f.g.im.kd, KERN_PROC_ALL, 0, NULL));
	assert_int_equal(errno, EINVAL);
	guest_fini(&f.g);
}

/* CPU times in microseconds. */
static void
check_times(struct tasks *f, int pid, int64_t user, int64_t system,
    int64_t child)
{
	const struct kinfo_proc2 *p;
	int n;

	guest_make(&f->g);
	p = get(f, KERN_PROC_PID, pid, &n);
	assert_int_equal(n, 1);
	assert_int_equal(p->p_unknown, 0);
	assert_int_equal(p->p_uutime_sec * 1000000 + p->p_uutime_usec, user);
	assert_int_equal(p->p_ustime_sec * 1000000 + p->p_ustime_usec, system);
	assert_int_equal(p->p_uctime_sec * 1000000 + p->p_uctime_usec, child);
}

/* This test checks CPU times: of all threads and of those that ended, with the
 * kernel's rule for ticks. */
static void
proc_times_are_those_of_all_threads(void **state)
{
	const uint64_t s = 1000000000;
	struct tasks f;
	unsigned int i;
	uint64_t sig;

	(void)state;
	tasks_make(&f, true);
	sig = f.sig[3];
	for (i = 3; i < 6; i++) {
		tasks_put(&f.g, f.task[i] + T_UTIME, 8, i * s);
		tasks_put(&f.g, f.task[i] + T_STIME, 8, 2 * s);
		tasks_put(&f.g, f.task[i] + T_RUNTIME, 8, 3 * s);
	}
	tasks_put(&f.g, sig + S_UTIME, 8, 3 * s);
	tasks_put(&f.g, sig + S_STIME, 8, 9 * s);
	tasks_put(&f.g, sig + S_RUNTIME, 8, s + 3000);
	tasks_put(&f.g, sig + S_CUTIME, 8, 4 * s + 5000);
	tasks_put(&f.g, sig + S_CSTIME, 8, 6 * s + 6000);
	/* Ticks say 15 s and 15 s, the clock says 10.000003 s. */
	check_times(&f, 100, 5000001, 5000001, 10000011);
	/* It was shown with more of one kind before. */
	tasks_put(&f.g, sig + S_SHOWN + 8, 8, 7 * s);
	check_times(&f, 100, 3000003, 7000000, 10000011);
	tasks_put(&f.g, sig + S_SHOWN, 8, 3 * s);
	check_times(&f, 100, 3000003, 7000000, 10000011);
	/* All of it, and more, was shown. */
	tasks_put(&f.g, sig + S_SHOWN, 8, 4 * s);
	check_times(&f, 100, 4000000, 7000000, 10000011);
	/* One that had no tick yet, and only one kind. */
	tasks_put(&f.g, f.task[6] + T_RUNTIME, 8, 4000);
	check_times(&f, 103, 4, 0, 0);
	tasks_put(&f.g, f.task[6] + T_STIME, 8, s);
	check_times(&f, 103, 0, 4, 0);
	/* Numbers that make no sense divide nothing by zero. */
	tasks_put(&f.g, f.task[6] + T_UTIME, 8, UINT64_MAX);
	tasks_put(&f.g, f.task[6] + T_STIME, 8, 1);
	check_times(&f, 103, 4, 0, 0);
	guest_fini(&f.g);
}

/* This test checks a list of threads that goes round: only the times are not
 * known, and callers without them do not care. */
static void
proc_times_of_damaged_threads_are_unknown(void **state)
{
	const size_t old = offsetof(struct kinfo_proc2, p_uutime_sec);
	const struct kinfo_proc2 *p;
	struct tasks f;
	int n;

	(void)state;
	tasks_make(&f, true);
	tasks_put(&f.g, f.task[5] + T_NODE, 8, f.task[4] + T_NODE);
	tasks_put(&f.g, f.task[3] + T_UTIME, 8, 77000000000);
	guest_make(&f.g);
	p = get(&f, KERN_PROC_PID, 100, &n);
	assert_int_equal(n, 1);
	assert_int_equal(p->p_unknown, KVM_PROC_TIMES);
	assert_int_equal(p->p_uutime_sec, 0);
	p = kvm_getproc2(f.g.im.kd, KERN_PROC_PID, 100, old, &n);
	assert_non_null(p);
	assert_int_equal(p->p_unknown, 0);
	guest_fini(&f.g);
}

/* This test checks the load averages, and how many of them are given out. */
static void
proc_loadavg_is_the_kernels(void **state)
{
	double load[4] = { -1, -1, -1, -1 };
	struct tasks f;

	(void)state;
	tasks_make(&f, true);
	assert_int_equal(kvm_getloadavg(f.g.im.kd, load, 0), 0);
	assert_true(load[0] < 0);
	assert_int_equal(kvm_getloadavg(f.g.im.kd, load, 2), 2);
	assert_true(load[2] < 0);
	assert_int_equal(kvm_getloadavg(f.g.im.kd, load, 4), 3);
	assert_true(load[3] < 0);
	assert_int_equal(load[0] * 2048, 1024);
	assert_int_equal(load[1] * 2048, 2560);
	assert_int_equal(load[2] * 2048, 204800);
	assert_int_equal(kvm_getloadavg(f.g.im.kd, load, -1), -1);
	assert_int_equal(errno, EINVAL);
	image_says(&f.g.im, "-1 load averages");
	guest_fini(&f.g);
}

static void
look(struct guest *g)
{
	int n = 0;

	guest_result(g, kvm_getproc2(g->im.kd, KERN_PROC_ALL, 0,
	    sizeof(struct kinfo_proc2), &n) == NULL ? -1 : 0);
	assert_in_range(n, 0, 1000);
	guest_result(g, kvm_getlwps(g->im.kd, 100, 0, sizeof(struct kinfo_lwp),
	    &n) == NULL ? -1 : 0);
	assert_in_range(n, 0, 1000);
}

/* This test checks that no changed byte of a task does harm. */
static void
proc_damaged_never_crashes(void **state)
{
	struct tasks f;

	(void)state;
	tasks_make(&f, true);
	guest_mutate(&f.g, f.first, (size_t)(f.end - f.first), look);
	guest_fini(&f.g);
}

int
main(void)
{
	const struct CMUnitTest tests_[] = {
		cmocka_unit_test(proc_list_is_as_the_kernel_has_it),
		cmocka_unit_test(proc_op_chooses),
		cmocka_unit_test(proc_elemsize_is_kept),
		cmocka_unit_test(proc_threads_are_those_of_the_process),
		cmocka_unit_test(proc_damaged_list_is_told),
		cmocka_unit_test(proc_wrong_pointers_are_unknown),
		cmocka_unit_test(proc_old_call_says_the_same),
		cmocka_unit_test(proc_times_are_those_of_all_threads),
		cmocka_unit_test(proc_times_of_damaged_threads_are_unknown),
		cmocka_unit_test(proc_loadavg_is_the_kernels),
		cmocka_unit_test(proc_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests_, NULL, NULL);
}
