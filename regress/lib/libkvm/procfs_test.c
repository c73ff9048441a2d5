/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs_test.c: processes of a running system, from a /proc that is made up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "livetree.h"

/* As proc(5) has it; what is not looked at is 0 or large. */
#define STAT_TAIL " 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0"
#define PID7 "7 (a) S 1 6 5 34816 -1 4194560 9 9 9 9 150 250 50 75 20 5 2 0 " \
    "1234 40960 77" STAT_TAIL "\n"
#define STATUS "Name:\ta\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\n" \
    "Ngid:\t0\nPid:\t%d\nPPid:\t1\nTracerPid:\t0\nUid:\t1\t2\t3\t4\n" \
    "Gid:\t5\t6\t7\t8\nFDSize:\t64\n"

/* Called before a file is opened, once. */
static void (*meanwhile)(void);
static const char *meanwhile_at;
static struct livetree *meanwhile_tree;

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);

int
__wrap_openat64(int dir, const char *path, int flags, ...)
{
	void (*f)(void) = meanwhile;

	if (f != NULL && strcmp(path, meanwhile_at) == 0) {
		meanwhile = NULL;
		f();
	}
	return __real_openat64(dir, path, flags);
}

/* A process with that stat. */
static void
put(struct livetree *t, int pid, const char *stat)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	livetree_text(t, path, "%s", stat);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	livetree_text(t, path, STATUS, pid, pid);
}

/* A process or thread of that start and name. */
static void
put_named(struct livetree *t, int pid, const char *comm, unsigned int start)
{
	char stat[512];

	snprintf(stat, sizeof(stat), "%d (%s) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 "
	    "0 0 20 0 1 0 %u 4096 1" STAT_TAIL "\n", pid, comm, start);
	put(t, pid, stat);
}

static const struct kinfo_proc2 *
get(struct livetree *t, int op, int arg, int *n)
{
	const struct kinfo_proc2 *p = kvm_getproc2(t->kd, op, arg, sizeof(*p),
	    n);

	if (p == NULL)
		fail_msg("%s", kvm_geterr(t->kd));
	return p;
}

/* This test checks every member of a process, with and without files. */
static void
procfs_member_is_what_proc_says(void **state)
{
	static const int flags[] = { O_RDONLY, KVM_NO_FILES };
	const struct kinfo_proc2 *p;
	struct timespec up, now;
	struct livetree t;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < 2; i++) {
		livetree_init(&t, NULL, flags[i]);
		put(&t, 7, PID7);
		p = get(&t, KERN_PROC_ALL, 0, &n);
		assert_int_equal(n, 1);
		assert_int_equal(p->p_pid, 7);
		assert_string_equal(p->p_comm, "a");
		assert_int_equal(p->p_state, 'S');
		assert_int_equal(p->p_stat, SACTIVE);
		assert_int_equal(p->p_ppid, 1);
		assert_int_equal(p->p__pgid, 6);
		assert_int_equal(p->p_sid, 5);
		assert_int_equal(p->p_tdev, 34816);
		assert_int_equal(p->p_flag, 0);
		assert_int_equal(p->p_nice, 25);
		assert_int_equal(p->p_nlwps, 2);
		assert_int_equal(p->p_vm_vsize, 10);
		assert_int_equal(p->p_vm_rssize, 77);
		assert_int_equal(p->p_cpuid, 3);
		assert_int_equal(p->p_ruid, 1);
		assert_int_equal(p->p_uid, 2);
		assert_int_equal(p->p_svuid, 3);
		assert_int_equal(p->p_rgid, 5);
		assert_int_equal(p->p_gid, 6);
		assert_int_equal(p->p_svgid, 7);
		assert_int_equal(p->p_uutime_sec, 1);
		assert_int_equal(p->p_uutime_usec, 500000);
		assert_int_equal(p->p_ustime_sec, 2);
		assert_int_equal(p->p_uctime_usec, 250000);
		assert_int_equal(p->p_unknown, KVM_PROC_ADDR);
		assert_int_equal(p->p_paddr, 0);
		assert_int_equal(kvm_uptime(t.kd, &up, &now), 0);
		assert_in_range(p->p_ustart_sec, now.tv_sec - up.tv_sec + 11,
		    now.tv_sec - up.tv_sec + 14);
		livetree_fini(&t);
	}
}

/* This test checks that processes come in the order in which they began, that
 * each op chooses, and that elements have the size that was asked for. */
static void
procfs_op_chooses(void **state)
{
	static const struct {
		int op, arg, n;
	} c[] = {
		{ KERN_PROC_PID, 7, 1 }, { KERN_PROC_PID, 8, 0 },
		{ KERN_PROC_PID, 0, 0 }, { KERN_PROC_PID, -7, 0 },
		{ KERN_PROC_PGRP, 6, 1 }, { KERN_PROC_SESSION, 1, 2 },
		{ KERN_PROC_TTY, 34816, 1 },
		{ KERN_PROC_TTY, KERN_PROC_TTY_NODEV, 2 },
		{ KERN_PROC_UID, 2, 3 }, { KERN_PROC_RUID, 2, 0 },
		{ KERN_PROC_GID, 6, 3 }, { KERN_PROC_RGID, 5, 3 },
	};
	const struct kinfo_proc2 *p;
	struct livetree t;
	uint8_t *raw;
	int32_t pid;
	size_t i;
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	put_named(&t, 9, "late", 5000);
	put(&t, 7, PID7);
	put_named(&t, 30000, "first", 10);
	livetree_text(&t, "/proc/self/stat", "no process");
	livetree_text(&t, "/proc/uptime", "1 1\n");
	p = get(&t, KERN_PROC_ALL, 0, &n);
	assert_int_equal(n, 3);
	assert_int_equal(p[0].p_pid, 30000);
	assert_int_equal(p[1].p_pid, 7);
	assert_int_equal(p[2].p_pid, 9);
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		get(&t, c[i].op, c[i].arg, &n);
		assert_int_equal(n, c[i].n);
	}
	raw = (void *)kvm_getproc2(t.kd, KERN_PROC_ALL, 0,
	    offsetof(struct kinfo_proc2, p_pid) + 4, &n);
	assert_non_null(raw);
	memcpy(&pid, raw + 2 * offsetof(struct kinfo_proc2, p_pid) + 4, 4);
	assert_int_equal(pid, 7);
	livetree_fini(&t);
}

/* This test checks names that are made to deceive. */
static void
procfs_name_can_hold_anything(void **state)
{
	static const struct {
		const char *stat, *name;
	} c[] = {
		{ "a) S 2 (b", "a) S 2 (b" }, { "", "" }, { ")", ")" },
		{ "((", "((" }, { "a\\nb", "a\nb" }, { "a\nb", "a\nb" },
		{ "\\\\n", "\\n" }, { "a\\", "a\\" }, { "\033[2J", "\033[2J" },
		{ ") R 1 1 1 1 1 1 1 1 1 1", ") R 1 1 1 1 1 1 1 1 1 1" },
		{ "kworker/u8:3-events_power_efficient",
		    "kworker/u8:3-events_pow" },
	};
	const struct kinfo_proc2 *p;
	struct livetree t;
	size_t i;
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		put_named(&t, 7, c[i].stat, 10);
		p = get(&t, KERN_PROC_PID, 7, &n);
		assert_int_equal(n, 1);
		assert_string_equal(p->p_comm, c[i].name);
		assert_int_equal(p->p_ppid, 1);
		assert_int_equal(p->p_state, 'S');
	}
	livetree_fini(&t);
}

/* This test checks that a stat or status that ends early, or says no number, is
 * told. */
static void
procfs_cut_off_is_told(void **state)
{
	/* The last number that is needed is the 39th. */
	const char *last = strstr(PID7, " 17 3 0");
	char stat[] = PID7;
	size_t len, i;
	struct livetree t;
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	put(&t, 7, PID7);
	for (len = 0; len < strlen(PID7); len++) {
		livetree_put(&t, "/proc/7/stat", PID7, len);
		if (len > (size_t)(last - PID7) + 4) {
			get(&t, KERN_PROC_ALL, 0, &n);
			continue;
		}
		assert_null(kvm_getproc2(t.kd, KERN_PROC_ALL, 0, 8, &n));
		livetree_says(&t, EBADMSG, "/proc: 7: stat: it makes no sense");
		assert_null(kvm_getlwps(t.kd, 7, 0, 8, &n));
	}
	/* Any byte may be anything: nothing worse than a text. */
	for (i = 0; i < 2 * strlen(PID7); i++) {
		stat[i / 2] = i % 2 == 0 ? '(' : (char)0xff;
		livetree_text(&t, "/proc/7/stat", "%s", stat);
		if (kvm_getproc2(t.kd, KERN_PROC_ALL, 0, 300, &n) == NULL)
			livetree_says(&t, EBADMSG, "makes no sense");
		stat[i / 2] = PID7[i / 2];
	}
	put(&t, 7, PID7);
	livetree_text(&t, "/proc/7/status", "Tgid:\t7\nUid:\t1\t2\n");
	assert_null(kvm_getproc2(t.kd, KERN_PROC_ALL, 0, 8, &n));
	livetree_says(&t, EBADMSG, "/proc: 7: status: it makes no sense");
	livetree_fini(&t);
}

static void
end_process(void)
{
	livetree_remove(meanwhile_tree, "/proc/7");
}

/* This test checks that a process which ends while it is looked at is left out,
 * and that a thread is no process. */
static void
procfs_ended_is_left_out(void **state)
{
	static const char *const at[] = { "7", "stat", "status" };
	struct livetree t;
	size_t i;
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	meanwhile_tree = &t;
	for (i = 0; i < 3; i++) {
		put(&t, 7, PID7);
		meanwhile_at = at[i];
		meanwhile = end_process;
		get(&t, KERN_PROC_ALL, 0, &n);
		assert_null(meanwhile);
		assert_int_equal(n, 0);
	}
	livetree_text(&t, "/proc/8/stat", "8%s", PID7 + 1);
	livetree_text(&t, "/proc/8/status", STATUS, 7, 8);
	get(&t, KERN_PROC_PID, 8, &n);
	assert_int_equal(n, 0);
	assert_null(kvm_getlwps(t.kd, 8, 0, 8, &n));
	livetree_says(&t, ESRCH, "there is no process 8");
	livetree_remove(&t, "/proc");
	assert_null(kvm_getproc2(t.kd, KERN_PROC_ALL, 0, 8, &n));
	livetree_says(&t, ENOENT, "/proc: No such file");
	livetree_fini(&t);
}

/* This test checks threads. */
static void
procfs_threads_are_those_of_the_process(void **state)
{
	const struct kinfo_lwp *l;
	struct livetree t;
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	put(&t, 7, PID7);
	livetree_text(&t, "/proc/7/task/7/stat", "%s", PID7);
	livetree_text(&t, "/proc/7/task/4/stat", "4 (late) R 1 6 5 0 -1 "
	    "2097152 9 9 9 9 150 250 50 75 20 -5 2 0 1235 40960 77" STAT_TAIL);
	l = kvm_getlwps(t.kd, 7, 0, sizeof(*l), &n);
	assert_non_null(l);
	assert_int_equal(n, 2);
	assert_int_equal(l[0].l_lid, 7);
	assert_int_equal(l[1].l_lid, 4);
	assert_int_equal(l[1].l_pid, 7);
	assert_string_equal(l[1].l_name, "late");
	assert_int_equal(l[1].l_stat, LSRUN);
	assert_int_equal(l[1].l_nice, 15);
	assert_int_equal(l[1].l_flag, P_SYSTEM);
	assert_int_equal(l[1].l_cpuid, 3);
	assert_null(kvm_getlwps(t.kd, 7, 4096, sizeof(*l), &n));
	livetree_says(&t, ESRCH, "0x1000 is not process 7");
	assert_null(kvm_getlwps(t.kd, 6, 0, sizeof(*l), &n));
	livetree_says(&t, ESRCH, "there is no process 6");
	livetree_remove(&t, "/proc/7/task");
	assert_null(kvm_getlwps(t.kd, 7, 0, sizeof(*l), &n));
	livetree_says(&t, ESRCH, "there is no process 7");
	livetree_fini(&t);
}

/* This test checks arguments, long ones too, and who has none. */
static void
procfs_strings_are_those_of_the_process(void **state)
{
	const size_t huge = 16u << 20;
	const struct kinfo_proc2 *p;
	char *big = malloc(huge), **v;
	struct livetree t;
	int n;

	(void)state;
	assert_non_null(big);
	livetree_init(&t, NULL, KVM_NO_FILES);
	put(&t, 7, PID7);
	livetree_put(&t, "/proc/7/cmdline", "ls\0-l\0\0x", 8);
	livetree_put(&t, "/proc/7/environ", "A=b", 3);
	p = get(&t, KERN_PROC_PID, 7, &n);
	v = kvm_getargv2(t.kd, p, 0);
	assert_non_null(v);
	assert_string_equal(v[0], "ls");
	assert_string_equal(v[1], "-l");
	assert_string_equal(v[2], "");
	assert_string_equal(v[3], "x");
	assert_null(v[4]);
	v = kvm_getenvv2(t.kd, p, 0);
	assert_non_null(v);
	assert_string_equal(v[0], "A=b");
	assert_null(v[1]);
	memset(big, 'x', huge);
	livetree_put(&t, "/proc/7/cmdline", big, huge);
	v = kvm_getargv2(t.kd, p, 0);
	assert_non_null(v);
	assert_int_equal(strlen(v[0]), huge);
	v = kvm_getargv2(t.kd, p, 10);
	assert_non_null(v);
	assert_int_equal(strlen(v[0]), 9);
	big = realloc(big, huge + 1);
	assert_non_null(big);
	big[huge] = 'x';
	livetree_put(&t, "/proc/7/cmdline", big, huge + 1);
	free(big);
	assert_null(kvm_getargv2(t.kd, p, 0));
	livetree_says(&t, EFBIG, "more than 16777216 bytes");
	livetree_put(&t, "/proc/7/cmdline", "", 0);
	v = kvm_getargv2(t.kd, p, 0);
	assert_non_null(v);
	assert_null(v[0]);
	livetree_remove(&t, "/proc/7/environ");
	assert_null(kvm_getenvv2(t.kd, p, 0));
	livetree_says(&t, ESRCH, "there is no process 7 any more");
	livetree_text(&t, "/proc/7/stat", "7 (a) Z%s", PID7 + 7);
	assert_null(kvm_getargv2(t.kd, p, 0));
	livetree_says(&t, ENOEXEC, "it has no memory of its own");
	livetree_fini(&t);
}

/* This test checks open files, also one that is closed meanwhile. */
static void
procfs_files_are_those_of_the_process(void **state)
{
	const struct kinfo_file *f;
	struct livetree t;
	char path[128];
	int n;

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	put(&t, 7, PID7);
	put_named(&t, 8, "none", 2);
	livetree_text(&t, "/file", "12345");
	snprintf(path, sizeof(path), "%s/file", t.dir);
	livetree_link(&t, "/proc/7/fd/10", path);
	livetree_link(&t, "/proc/7/fd/9", "socket:[17]");
	livetree_link(&t, "/proc/7/fd/11", "closed");
	livetree_text(&t, "/proc/7/fdinfo/9", "pos:\t0\nflags:\t02\n");
	livetree_text(&t, "/proc/7/fdinfo/10", "pos:\t3\nflags:\t02100002\n");
	f = (void *)kvm_getfiles(t.kd, KERN_FILE_BYPID, -1, &n);
	if (f == NULL)
		fail_msg("%s", kvm_geterr(t.kd));
	assert_int_equal(n, 2);
	assert_int_equal(f[0].ki_fd, 9);
	assert_string_equal(f[0].ki_path, "socket:[17]");
	assert_int_equal(f[0].ki_unknown, KVM_FILE_ADDR | KVM_FILE_CRED |
	    KVM_FILE_INODE);
	assert_int_equal(f[1].ki_fd, 10);
	assert_int_equal(f[1].ki_pid, 7);
	assert_string_equal(f[1].ki_path, path);
	assert_int_equal(f[1].ki_foffset, 3);
	assert_int_equal(f[1].ki_flag, 0100002);
	assert_int_equal(f[1].ki_ofileflags, FD_CLOEXEC);
	assert_int_equal(f[1].ki_ftype, DTYPE_VNODE);
	assert_int_equal(f[1].ki_vsize, 5);
	assert_int_equal(f[1].ki_unknown, KVM_FILE_ADDR | KVM_FILE_CRED);
	assert_null(kvm_getfiles(t.kd, KERN_FILE_BYFILE, 0, &n));
	livetree_says(&t, ENOTSUP, "KERN_FILE_BYPID");
	assert_null(kvm_getfiles(t.kd, KERN_FILE_BYPID, 6, &n));
	livetree_says(&t, ESRCH, "there is no process 6");
	livetree_fini(&t);
}

/* This test checks load averages and CPUs. */
static void
procfs_numbers_of_the_system_are_right(void **state)
{
	struct livetree t;
	double load[3];

	(void)state;
	livetree_init(&t, NULL, KVM_NO_FILES);
	livetree_text(&t, "/proc/loadavg", "0.07 12.50 100.99 3/412 999\n");
	livetree_text(&t, "/proc/stat", "cpu  1 2\ncpu0 1 2\ncpu17 1 2\n"
	    "intr 1\ncpufreq 1\n");
	assert_int_equal(kvm_getloadavg(t.kd, load, 3), 3);
	assert_int_equal((int)(load[0] * 100 + 0.5), 7);
	assert_int_equal((int)(load[1] * 100 + 0.5), 1250);
	assert_int_equal((int)(load[2] * 100 + 0.5), 10099);
	assert_int_equal(kvm_ncpus(t.kd), 2);
	livetree_text(&t, "/proc/loadavg", "0.07 12.50 x");
	assert_int_equal(kvm_getloadavg(t.kd, load, 3), -1);
	livetree_says(&t, EBADMSG, "/proc/loadavg: it makes no sense");
	livetree_text(&t, "/proc/stat", "intr 1\n");
	assert_int_equal(kvm_ncpus(t.kd), -1);
	livetree_says(&t, EBADMSG, "/proc/stat: it names no CPU");
	livetree_fini(&t);
}

/* Names and places of frames in one line. */
static int
frame_append(void *cookie, const struct kvm_frame *f)
{
	char *text = cookie;
	const size_t len = strlen(text);

	snprintf(text + len, 512 - len, "%u%s:%s+0x%lx/0x%lx@%lx[%s] ", f->kf_n,
	    (f->kf_flags & KVM_FRAME_RETURN) != 0 ? "r" : "",
	    f->kf_name != NULL ? f->kf_name : "?", f->kf_off, f->kf_size,
	    f->kf_pc, f->kf_module != NULL ? f->kf_module : "");
	assert_string_equal(f->kf_stack, "TASK");
	return f->kf_n == 4;
}

/* This test checks that a stack of the running system is the kernel's word, and
 * that a thread which has none says why. */
static void
procfs_stack_is_what_the_kernel_says(void **state)
{
	struct livetree t;
	char text[512] = "";

	(void)state;
	livetree_init(&t, NULL, O_RDONLY);
	livetree_text(&t, "/proc/kallsyms", "ffffffff81000000 T _text\n"
	    "ffffffff81000100 T wait\nffffffffc0000200 t wait\t[nvme]\n");
	livetree_text(&t, "/proc/7/stack", "[<0>] wait+0x12/0x40 [nvme]\n"
	    "[<0>] wait+0x2/0x80\n[<0>] 0xffffffffc0123456\n"
	    "[<0>] gone.part.0+0xa/0xb [bpf 0123abcd]\n");
	assert_int_equal(kvm_backtrace_tid(t.kd, 7, frame_append, text),
	    KVM_BT_ENTRY);
	assert_string_equal(text,
	    "0:wait+0x12/0x40@ffffffffc0000212[nvme] "
	    "1r:wait+0x2/0x80@ffffffff81000102[] "
	    "2r:?+0x0/0x0@ffffffffc0123456[] "
	    "3r:gone.part.0+0xa/0xb@0[bpf] ");
	livetree_text(&t, "/proc/7/stack", "[<0>] a+0x1/0x2\n[<0>] a+0x1/0x2\n"
	    "[<0>] a+0x1/0x2\n[<0>] a+0x1/0x2\n[<0>] a+0x1/0x2\n"
	    "[<0>] a+0x1/0x2\n");
	text[0] = '\0';
	assert_int_equal(kvm_backtrace_tid(t.kd, 7, frame_append, text),
	    KVM_BT_STOPPED);
	assert_int_equal(kvm_backtrace_tid(t.kd, 8, frame_append, text), -1);
	livetree_says(&t, ESRCH, "there is no thread 8");
	livetree_text(&t, "/proc/7/stack", "%s", "");
	put(&t, 7, PID7);
	assert_int_equal(kvm_backtrace_tid(t.kd, 7, frame_append, text),
	    KVM_BT_LOST);
	assert_string_equal(kvm_geterr(t.kd), "it is running");
	put(&t, 7, "7 (a) Z 1 6 5 34816 -1 4194560 9 9 9 9 150 250 50 75 20 5 "
	    "2 0 1234 0 0" STAT_TAIL "\n");
	assert_int_equal(kvm_backtrace_tid(t.kd, 7, frame_append, text),
	    KVM_BT_EXITED);
	livetree_fini(&t);
}

/* This test checks that a stack which makes no sense is refused, each time. */
static void
procfs_odd_stack_is_refused(void **state)
{
	static const char *const lines[] = {
		"wait+0x1/0x2", "[<0>] wait", "[<0>] wait+1/2",
		"[<0>] wait+0x1", "[<0>] wait+0x1/", "[<0>] wait+0x1/0x2 nvme]",
		"[<0>] wait+0x1/0x2 [nvme", "[<0>] wait+0x1/0x2 [", "[<0",
		"[<0>] 0x12 ", "[<0>] ", "[<0>] wait+0x11112222333344445/0x1",
	};
	struct livetree t;
	char text[512];
	size_t i;

	(void)state;
	livetree_init(&t, NULL, O_RDONLY);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		text[0] = '\0';
		livetree_text(&t, "/proc/7/stack", "[<0>] a+0x1/0x2\n%s\n",
		    lines[i]);
		if (kvm_backtrace_tid(t.kd, 7, frame_append, text) != -1)
			fail_msg("%s: taken", lines[i]);
		livetree_says(&t, EBADMSG,
		    "/proc/7/stack: line 2 makes no sense");
	}
	livetree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(procfs_member_is_what_proc_says),
		cmocka_unit_test(procfs_op_chooses),
		cmocka_unit_test(procfs_name_can_hold_anything),
		cmocka_unit_test(procfs_cut_off_is_told),
		cmocka_unit_test(procfs_ended_is_left_out),
		cmocka_unit_test(procfs_threads_are_those_of_the_process),
		cmocka_unit_test(procfs_strings_are_those_of_the_process),
		cmocka_unit_test(procfs_files_are_those_of_the_process),
		cmocka_unit_test(procfs_numbers_of_the_system_are_right),
		cmocka_unit_test(procfs_stack_is_what_the_kernel_says),
		cmocka_unit_test(procfs_odd_stack_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
