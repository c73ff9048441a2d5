/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_tasktype.c: where the kernel keeps what is asked of tasks: members of its
 * structures, whose names differ a little from Linux 5.10 to 7.2.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"
#include "kvm_tasks.h"

#define TASKTYPE_MAX	65536u	/* bytes of task_struct that are believed */
#define TASKTYPE_LIST	16u	/* of struct list_head */

/* size 0: a number of 1, 2, 4 or 8 bytes. */
static const struct tasktype_field {
	const char *path, *other;	/* other: its name in other releases */
	uint32_t size;			/* at least */
	bool optional;
} fields[KVMI_NFIELDS] = {
	[KVMI_TASK_TASKS] = { "task_struct.tasks", NULL, TASKTYPE_LIST, false },
	[KVMI_TASK_THREAD] = { "task_struct.thread_node", NULL, TASKTYPE_LIST,
	    false },
	/* 2f064a59a11f, 5.14: sched: Change task_struct::state */
	[KVMI_TASK_STATE] = { "task_struct.__state", "task_struct.state", 0,
	    false },
	[KVMI_TASK_EXIT] = { "task_struct.exit_state", NULL, 0, false },
	[KVMI_TASK_FLAGS] = { "task_struct.flags", NULL, 0, false },
	[KVMI_TASK_PID] = { "task_struct.pid", NULL, 0, false },
	[KVMI_TASK_TGID] = { "task_struct.tgid", NULL, 0, false },
	[KVMI_TASK_PRIO] = { "task_struct.static_prio", NULL, 0, false },
	[KVMI_TASK_START] = { "task_struct.start_boottime", NULL, 0, true },
	[KVMI_TASK_STACK] = { "task_struct.stack", NULL, 0, true },
	[KVMI_TASK_MM] = { "task_struct.mm", NULL, 0, false },
	[KVMI_TASK_PARENT] = { "task_struct.real_parent", NULL, 0, false },
	[KVMI_TASK_CRED] = { "task_struct.real_cred", NULL, 0, false },
	[KVMI_TASK_SIGNAL] = { "task_struct.signal", NULL, 0, false },
	[KVMI_TASK_ONCPU] = { "task_struct.on_cpu", NULL, 0, true },
	/* bcf9033e5449, 5.16: sched: move CPU field back into thread_info */
	[KVMI_TASK_CPU] = { "task_struct.thread_info.cpu", "task_struct.cpu",
	    0, true },
	[KVMI_TASK_UTIME] = { "task_struct.utime", NULL, 0, true },
	[KVMI_TASK_STIME] = { "task_struct.stime", NULL, 0, true },
	[KVMI_TASK_RUNTIME] = { "task_struct.se.sum_exec_runtime", NULL, 0,
	    true },
	[KVMI_TASK_FILES] = { "task_struct.files", NULL, 0, true },
	[KVMI_TASK_COMM] = { "task_struct.comm", NULL, 16, false },
	[KVMI_SIG_HEAD] = { "signal_struct.thread_head", NULL, TASKTYPE_LIST,
	    false },
	[KVMI_SIG_NTHREADS] = { "signal_struct.nr_threads", NULL, 0, false },
	/* enum pid_type: PIDTYPE_PGID, PIDTYPE_SID */
	[KVMI_SIG_PGID] = { "signal_struct.pids[2]", NULL, 0, false },
	[KVMI_SIG_SID] = { "signal_struct.pids[3]", NULL, 0, false },
	[KVMI_SIG_TTY] = { "signal_struct.tty", NULL, 0, false },
	[KVMI_SIG_UTIME] = { "signal_struct.utime", NULL, 0, true },
	[KVMI_SIG_STIME] = { "signal_struct.stime", NULL, 0, true },
	[KVMI_SIG_RUNTIME] = { "signal_struct.sum_sched_runtime", NULL, 0,
	    true },
	[KVMI_SIG_CUTIME] = { "signal_struct.cutime", NULL, 0, true },
	[KVMI_SIG_CSTIME] = { "signal_struct.cstime", NULL, 0, true },
	[KVMI_SIG_SHOWNU] = { "signal_struct.prev_cputime.utime", NULL, 0,
	    true },
	[KVMI_SIG_SHOWNS] = { "signal_struct.prev_cputime.stime", NULL, 0,
	    true },
	[KVMI_PID_NR] = { "pid.numbers[0].nr", NULL, 0, false },
	[KVMI_CRED_UID] = { "cred.uid", NULL, 0, false },
	[KVMI_CRED_EUID] = { "cred.euid", NULL, 0, false },
	[KVMI_CRED_SUID] = { "cred.suid", NULL, 0, false },
	[KVMI_CRED_GID] = { "cred.gid", NULL, 0, false },
	[KVMI_CRED_EGID] = { "cred.egid", NULL, 0, false },
	[KVMI_CRED_SGID] = { "cred.sgid", NULL, 0, false },
	[KVMI_TTY_INDEX] = { "tty_struct.index", NULL, 0, true },
	[KVMI_TTY_DRIVER] = { "tty_struct.driver", NULL, 0, true },
	[KVMI_TTYDRV_MAJOR] = { "tty_driver.major", NULL, 0, true },
	[KVMI_TTYDRV_MINOR] = { "tty_driver.minor_start", NULL, 0, true },
	[KVMI_MM_VSIZE] = { "mm_struct.total_vm", NULL, 0, false },
	/* f1a7941243c1, 6.2: mm: convert mm's rss stats into percpu_counter */
	[KVMI_MM_FILE] = { "mm_struct.rss_stat[0].count",
	    "mm_struct.rss_stat.count[0]", 0, true },
	[KVMI_MM_ANON] = { "mm_struct.rss_stat[1].count",
	    "mm_struct.rss_stat.count[1]", 0, true },
	[KVMI_MM_SHMEM] = { "mm_struct.rss_stat[3].count",
	    "mm_struct.rss_stat.count[3]", 0, true },
	[KVMI_MM_FILECPU] = { "mm_struct.rss_stat[0].counters", NULL, 0, true },
	[KVMI_MM_ANONCPU] = { "mm_struct.rss_stat[1].counters", NULL, 0, true },
	[KVMI_MM_SHMEMCPU] = { "mm_struct.rss_stat[3].counters", NULL, 0,
	    true },
	[KVMI_MM_PGD] = { "mm_struct.pgd", NULL, 0, true },
	[KVMI_MM_ARG_START] = { "mm_struct.arg_start", NULL, 0, true },
	[KVMI_MM_ARG_END] = { "mm_struct.arg_end", NULL, 0, true },
	[KVMI_MM_ENV_START] = { "mm_struct.env_start", NULL, 0, true },
	[KVMI_MM_ENV_END] = { "mm_struct.env_end", NULL, 0, true },
	[KVMI_FILES_FDT] = { "files_struct.fdt", NULL, 0, true },
	[KVMI_FDT_MAX] = { "fdtable.max_fds", NULL, 0, true },
	[KVMI_FDT_FD] = { "fdtable.fd", NULL, 0, true },
	[KVMI_FDT_OPEN] = { "fdtable.open_fds", NULL, 0, true },
	[KVMI_FDT_CLOEXEC] = { "fdtable.close_on_exec", NULL, 0, true },
	[KVMI_FILE_FLAGS] = { "file.f_flags", NULL, 0, true },
	[KVMI_FILE_POS] = { "file.f_pos", NULL, 0, true },
	[KVMI_FILE_OP] = { "file.f_op", NULL, 0, true },
	[KVMI_FILE_CRED] = { "file.f_cred", NULL, 0, true },
	[KVMI_FILE_DATA] = { "file.private_data", NULL, 0, true },
	[KVMI_FILE_COUNT] = { "file.f_count.counter", NULL, 0, true },
	/* 90ee6ed776c0, 6.13: fs: port files to file_ref */
	[KVMI_FILE_REF] = { "file.f_ref.refcnt.counter", NULL, 0, true },
	[KVMI_FILE_INODE] = { "file.f_inode", NULL, 0, true },
	[KVMI_FILE_MNT] = { "file.f_path.mnt", NULL, 0, true },
	[KVMI_FILE_DENTRY] = { "file.f_path.dentry", NULL, 0, true },
	[KVMI_INODE_MODE] = { "inode.i_mode", NULL, 0, true },
	[KVMI_INODE_SIZE] = { "inode.i_size", NULL, 0, true },
	[KVMI_INODE_INO] = { "inode.i_ino", NULL, 0, true },
	[KVMI_INODE_RDEV] = { "inode.i_rdev", NULL, 0, true },
	[KVMI_INODE_SB] = { "inode.i_sb", NULL, 0, true },
	[KVMI_SB_DEV] = { "super_block.s_dev", NULL, 0, true },
	[KVMI_SB_TYPE] = { "super_block.s_type", NULL, 0, true },
	[KVMI_FSTYPE_NAME] = { "file_system_type.name", NULL, 0, true },
	[KVMI_DENTRY_PARENT] = { "dentry.d_parent", NULL, 0, true },
	[KVMI_DENTRY_NAME] = { "dentry.d_name.name", NULL, 0, true },
	[KVMI_DENTRY_LEN] = { "dentry.d_name.len", NULL, 0, true },
	[KVMI_DENTRY_HASH] = { "dentry.d_hash.pprev", NULL, 0, true },
	[KVMI_MOUNT_MNT] = { "mount.mnt", NULL, 8, true },
	[KVMI_MOUNT_ROOT] = { "mount.mnt.mnt_root", NULL, 0, true },
	[KVMI_MOUNT_PARENT] = { "mount.mnt_parent", NULL, 0, true },
	[KVMI_MOUNT_POINT] = { "mount.mnt_mountpoint", NULL, 0, true },
};

/* Is there a member of that name which suits? */
static int
tasktype_field(kvm_t *kd, const struct tasktype_field *f, struct kvm_type *ty)
{
	if (kvmi_type(kd, f->path, ty) == -1 &&
	    (f->other == NULL || kvmi_type(kd, f->other, ty) == -1))
		return -1;
	if (ty->kt_bits == 0 && ty->kt_offset < TASKTYPE_MAX &&
	    (f->size != 0 ? ty->kt_size >= f->size : ty->kt_size <= 8 &&
	    (ty->kt_size & (ty->kt_size - 1)) == 0 && ty->kt_size != 0))
		return 0;
	return kvmi_err(kd, EBADMSG, "%s: %zu bytes at %zu make no sense",
	    f->path, ty->kt_size, ty->kt_offset);
}

static int
tasktype_load(kvm_t *kd, struct kvmi_tasktype *tt)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	struct kvm_type ty;
	size_t i, end;
	char type;

	if (ks == NULL)
		return -1;
	for (i = 0; i < KVMI_NFIELDS; i++) {
		if (tasktype_field(kd, &fields[i], &ty) == -1) {
			if (fields[i].optional && errno == ENOENT)
				continue;
			return -1;
		}
		tt->f[i].off = (uint32_t)ty.kt_offset;
		tt->f[i].size = fields[i].size != 0 ? fields[i].size :
		    (uint32_t)ty.kt_size;
		end = tt->f[i].off + tt->f[i].size;
		if (i <= KVMI_TASK_COMM && end > tt->task_size)
			tt->task_size = end;
	}
	if (!kvmi_kallsyms_lookup(ks, "init_task", &type, &tt->init_task))
		return kvmi_err(kd, ENOTSUP, "the kernel has no init_task");
	if (!kvmi_kallsyms_lookup(ks, "__per_cpu_offset", &type, &tt->percpu))
		tt->percpu = 0;
	return 0;
}

const struct kvmi_tasktype *
kvmi_tasktype(kvm_t *kd)
{
	struct kvmi_tasktype *tt;

	pthread_mutex_lock(&kd->lazy);
	if (kd->tasktype == NULL) {
		tt = calloc(1, sizeof(*tt));
		if (tt == NULL) {
			kvmi_syserr(kd, ENOMEM, "tasks");
		} else if (tasktype_load(kd, tt) == -1) {
			kvmi_prepend(kd, "tasks");
			free(tt);
		} else {
			kd->tasktype = tt;
		}
	}
	pthread_mutex_unlock(&kd->lazy);
	return kd->tasktype;
}

uint64_t
kvmi_field_get(const struct kvmi_tasktype *tt, const void *buf,
    enum kvmi_field field)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)buf + tt->f[field].off,
	    tt->f[field].size < sizeof(value) ? tt->f[field].size :
	    sizeof(value));
	return value;
}

int
kvmi_field_read(kvm_t *kd, const struct kvmi_tasktype *tt, kvaddr_t va,
    enum kvmi_field field, uint64_t *value)
{
	*value = 0;
	if (tt->f[field].size == 0)
		return kvmi_err(kd, ENOTSUP, "the kernel has no %s",
		    fields[field].path);
	return kvmi_read(kd, va + tt->f[field].off, value, tt->f[field].size);
}
