/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_tasks.h: tasks and processes; the part of kvm_private.h that few files
 * need.
 */
#ifndef _KVM_TASKS_H_
#define _KVM_TASKS_H_

#include "kvm_private.h"

/* ---- kvm_tasktype.c: members of the kernel's structures for tasks ---- */

enum kvmi_field {
	/* of task_struct, down to _COMM */
	KVMI_TASK_TASKS, KVMI_TASK_THREAD, KVMI_TASK_STATE, KVMI_TASK_EXIT,
	KVMI_TASK_FLAGS, KVMI_TASK_PID, KVMI_TASK_TGID, KVMI_TASK_PRIO,
	KVMI_TASK_START, KVMI_TASK_STACK, KVMI_TASK_MM, KVMI_TASK_PARENT,
	KVMI_TASK_CRED, KVMI_TASK_SIGNAL, KVMI_TASK_ONCPU, KVMI_TASK_CPU,
	KVMI_TASK_UTIME, KVMI_TASK_STIME, KVMI_TASK_RUNTIME, KVMI_TASK_FILES,
	KVMI_TASK_COMM,
	KVMI_SIG_HEAD, KVMI_SIG_NTHREADS, KVMI_SIG_PGID, KVMI_SIG_SID,
	KVMI_SIG_TTY,
	KVMI_SIG_UTIME, KVMI_SIG_STIME, KVMI_SIG_RUNTIME, KVMI_SIG_CUTIME,
	KVMI_SIG_CSTIME, KVMI_SIG_SHOWNU, KVMI_SIG_SHOWNS,
	KVMI_PID_NR,
	KVMI_CRED_UID, KVMI_CRED_EUID, KVMI_CRED_SUID,
	KVMI_CRED_GID, KVMI_CRED_EGID, KVMI_CRED_SGID,
	KVMI_TTY_INDEX, KVMI_TTY_DRIVER, KVMI_TTYDRV_MAJOR, KVMI_TTYDRV_MINOR,
	KVMI_MM_VSIZE, KVMI_MM_FILE, KVMI_MM_ANON, KVMI_MM_SHMEM,
	KVMI_MM_FILECPU, KVMI_MM_ANONCPU, KVMI_MM_SHMEMCPU,
	KVMI_MM_PGD, KVMI_MM_ARG_START, KVMI_MM_ARG_END, KVMI_MM_ENV_START,
	KVMI_MM_ENV_END,
	KVMI_FILES_FDT, KVMI_FDT_MAX, KVMI_FDT_FD, KVMI_FDT_OPEN,
	KVMI_FDT_CLOEXEC,
	KVMI_FILE_FLAGS, KVMI_FILE_POS, KVMI_FILE_OP, KVMI_FILE_CRED,
	KVMI_FILE_DATA, KVMI_FILE_COUNT, KVMI_FILE_REF, KVMI_FILE_INODE,
	KVMI_FILE_MNT, KVMI_FILE_DENTRY,
	KVMI_INODE_MODE, KVMI_INODE_SIZE, KVMI_INODE_INO, KVMI_INODE_RDEV,
	KVMI_INODE_SB, KVMI_SB_DEV, KVMI_SB_TYPE, KVMI_FSTYPE_NAME,
	KVMI_DENTRY_PARENT, KVMI_DENTRY_NAME, KVMI_DENTRY_LEN,
	KVMI_DENTRY_HASH,
	KVMI_MOUNT_MNT, KVMI_MOUNT_ROOT, KVMI_MOUNT_PARENT, KVMI_MOUNT_POINT,
	KVMI_NFIELDS
};

struct kvmi_tasktype {
	struct {
		uint32_t off;
		uint32_t size;	/* 0: this kernel has no such member */
	} f[KVMI_NFIELDS];
	size_t task_size;	/* bytes of task_struct to be read */
	kvaddr_t init_task;
	kvaddr_t percpu;	/* __per_cpu_offset[]; 0: none */
};

/* Finds them when first asked: NULL with a text.  Any thread. */
const struct kvmi_tasktype *kvmi_tasktype(kvm_t *kd);
/* The number in a member, read from a structure: 0 where there is none. */
uint64_t kvmi_field_get(const struct kvmi_tasktype *tt, const void *buf,
    enum kvmi_field field);
/* The same, of the structure at va: 0, or -1 with a text. */
int kvmi_field_read(kvm_t *kd, const struct kvmi_tasktype *tt, kvaddr_t va,
    enum kvmi_field field, uint64_t *value);
/* The kernel's major << 20 | minor, as makedev(3) has it. */
uint32_t kvmi_makedev(uint64_t dev);

/* ---- kvm_task.c: tasks, which are threads ---- */

struct kvmi_task {
	kvaddr_t addr;		/* of its task_struct */
	kvaddr_t stack, mm, parent, cred, signal, files;
	uint64_t start_ns;	/* since boot */
	uint64_t utime_ns, stime_ns, runtime_ns;
	uint32_t pid, tgid, flags, cpu;
	uint8_t nice;		/* + 20 */
	bool on_cpu;
	char state;		/* ps(1)'s letter */
	char comm[17];
};

#define KVMI_TASK_KTHREAD	0x00200000u	/* in flags: PF_KTHREAD */

/* Called for each task: other than 0 ends the walk, which returns it. */
typedef int kvmi_task_fn(void *cookie, const struct kvmi_task *task);

/* Reads the task at addr: 0, or -1 with a text. */
int kvmi_task_read(kvm_t *kd, const struct kvmi_tasktype *tt, kvaddr_t addr,
    struct kvmi_task *task);
/* The first thread of every process; -1 with a text on a damaged list. */
int kvmi_task_leaders(kvm_t *kd, const struct kvmi_tasktype *tt,
    kvmi_task_fn *fn, void *cookie);
/* All threads of a process. */
int kvmi_task_threads(kvm_t *kd, const struct kvmi_tasktype *tt,
    const struct kvmi_task *leader, kvmi_task_fn *fn, void *cookie);

/* Finds process pid, at addr unless that is 0: 0, or -1 with a text. */
int kvmi_task_find(kvm_t *kd, const struct kvmi_tasktype *tt, uint32_t pid,
    kvaddr_t addr, struct kvmi_task *leader);

/* ---- kvm_procs.c, kvm_argv.c, kvm_getfiles.c: processes ---- */

/*
 * Where processes come from.  All of them return 0, or -1 with a text that
 * kvmi_report() has not seen.  The arguments have been checked.
 */
struct kvmi_procops {
	/*
	 * Adds a struct kinfo_proc2 for each process that kvmi_proc_wanted()
	 * says yes to.  Members that do not fit into to->elemsize need not be
	 * found.
	 */
	int (*procs)(kvm_t *kd, int op, int arg, struct kvmi_elems *to);
	/* Adds a struct kinfo_lwp for each thread; procaddr may be 0. */
	int (*lwps)(kvm_t *kd, int pid, kvaddr_t procaddr,
	    struct kvmi_elems *to);
	/*
	 * The memory with the arguments, or the environment, as
	 * /proc/PID/cmdline and environ show it: at most max bytes of it in
	 * *buf, from malloc(3), and their number in *len, which may be 0.  Of p,
	 * only p_pid and p_paddr, which may be 0, are there.  A process without
	 * memory of its own is an error, ENOEXEC.
	 */
	int (*strings)(kvm_t *kd, const struct kinfo_proc2 *p, bool env,
	    size_t max, char **buf, size_t *len);
	/*
	 * KERN_FILE_BYPID: adds a struct kinfo_file for each descriptor of
	 * process pid, or of all processes where it is -1, in order; with paths
	 * in texts.
	 * KERN_FILE_BYFILE: each file once.
	 */
	int (*files)(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
	    struct kvmi_texts *texts);
	/* Load averages of the last 1, 5 and 15 minutes. */
	int (*loadavg)(kvm_t *kd, double load[3]);
};

/* In a dump, or the memory of a running kernel. */
extern const struct kvmi_procops kvmi_procops_dead;
/* The running system's, through /proc. */
extern const struct kvmi_procops kvmi_procops_live;

/* Those of this handle: NULL with a text. */
const struct kvmi_procops *kvmi_procops(kvm_t *kd);
/* Is it one of those that op and arg choose? */
bool kvmi_proc_wanted(int op, int arg, const struct kinfo_proc2 *p);

/* ---- kvm_dead.c, kvm_proc.c, kvm_lwp.c: processes in a dump ---- */

int kvmi_dead_procs(kvm_t *kd, int op, int arg, struct kvmi_elems *to);
int kvmi_dead_lwps(kvm_t *kd, int pid, kvaddr_t procaddr,
    struct kvmi_elems *to);
int kvmi_dead_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env,
    size_t max, char **buf, size_t *len);
int kvmi_dead_files(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts);

/* p_stat and l_stat of ps(1)'s letter. */
int8_t kvmi_proc_stat(char state);
int8_t kvmi_lwp_stat(char state, bool on_cpu);

/* ---- kvm_path.c: names of open files ---- */

#define KVMI_PATH	4352u	/* bytes: PATH_MAX and some more */
#define KVMI_FSTYPE	32u

struct kvmi_opened {
	kvaddr_t mnt, dentry;	/* struct path */
	char fstype[KVMI_FSTYPE];
	uint64_t ino;
};

/* Makes its path in buf, which has KVMI_PATH bytes: NULL with a text. */
const char *kvmi_path(kvm_t *kd, const struct kvmi_tasktype *tt,
    const struct kvmi_opened *o, char *buf);

#endif /* _KVM_TASKS_H_ */
