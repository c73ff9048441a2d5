/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_task.c: the kernel's tasks, from its lists of them:
 *
 *	init_task.tasks <-> task_struct.tasks <-> ...	first threads
 *	signal_struct.thread_head <-> task_struct.thread_node <-> ...
 *
 * A list that goes round without its head is noticed (Brent's algorithm).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_tasks.h"

#define TASK_MAX	(1u << 22)	/* PID_MAX_LIMIT */

/* Of include/linux/sched.h; all the same from 5.10 to 7.2. */
#define TASK_REPORT	0x7fu		/* bits that ps(1) knows */
#define TASK_ASLEEP	0x02u		/* TASK_UNINTERRUPTIBLE */
#define TASK_IDLE	0x402u		/* the same with TASK_NOLOAD */
#define TASK_RTLOCK	0x1000u		/* TASK_RTLOCK_WAIT */
#define TASK_FROZEN	0x8000u

/* fs/proc/array.c: task_state_array[] */
static char
task_letter(uint32_t state, uint32_t exit_state)
{
	uint32_t bits = (state | exit_state) & TASK_REPORT;
	unsigned int i;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	if ((state & (TASK_RTLOCK | TASK_FROZEN)) != 0)
		bits = TASK_ASLEEP;
	for (i = 0; bits != 0; i++)
		bits >>= 1;
	return "RSDTtXZP"[i];
}

int
kvmi_task_read(kvm_t *kd, const struct kvmi_tasktype *tt, kvaddr_t addr,
    struct kvmi_task *task)
{
	uint8_t *buf = malloc(tt->task_size);
	int rv;

	if (buf == NULL)
		return kvmi_syserr(kd, ENOMEM, "task");
	rv = kvmi_read(kd, addr, buf, tt->task_size);
	if (rv == -1) {
		kvmi_prepend(kd, "task 0x%llx", (unsigned long long)addr);
		goto out;
	}
	memset(task, 0, sizeof(*task));
	task->addr = addr;
	task->stack = kvmi_field_get(tt, buf, KVMI_TASK_STACK);
	task->mm = kvmi_field_get(tt, buf, KVMI_TASK_MM);
	task->parent = kvmi_field_get(tt, buf, KVMI_TASK_PARENT);
	task->cred = kvmi_field_get(tt, buf, KVMI_TASK_CRED);
	task->signal = kvmi_field_get(tt, buf, KVMI_TASK_SIGNAL);
	task->files = kvmi_field_get(tt, buf, KVMI_TASK_FILES);
	task->utime_ns = kvmi_field_get(tt, buf, KVMI_TASK_UTIME);
	task->stime_ns = kvmi_field_get(tt, buf, KVMI_TASK_STIME);
	task->runtime_ns = kvmi_field_get(tt, buf, KVMI_TASK_RUNTIME);
	task->start_ns = kvmi_field_get(tt, buf, KVMI_TASK_START);
	task->pid = (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_PID);
	task->tgid = (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_TGID);
	task->flags = (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_FLAGS);
	task->cpu = (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_CPU);
	task->on_cpu = kvmi_field_get(tt, buf, KVMI_TASK_ONCPU) != 0;
	/* MAX_RT_PRIO is 100. */
	task->nice = (uint8_t)(kvmi_field_get(tt, buf, KVMI_TASK_PRIO) - 100);
	task->state = task_letter(
	    (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_STATE),
	    (uint32_t)kvmi_field_get(tt, buf, KVMI_TASK_EXIT));
	memcpy(task->comm, buf + tt->f[KVMI_TASK_COMM].off, 16);
out:
	free(buf);
	return rv;
}

/* Walks the list with this head, whose entries are field in task_struct. */
static int
task_walk(kvm_t *kd, const struct kvmi_tasktype *tt, kvaddr_t head,
    enum kvmi_field field, kvmi_task_fn *fn, void *cookie)
{
	const uint32_t off = tt->f[field].off;
	struct kvmi_task task;
	kvaddr_t at = head, seen = head;
	uint64_t n, max, limit = 1;
	int rv;

	/* No more than there is memory for in the dump. */
	max = kd->hdr->data_size / tt->task_size;
	for (n = 0; n <= (max < TASK_MAX ? max : TASK_MAX); n++) {
		if (kvmi_read(kd, at, &at, sizeof(at)) == -1)
			return kvmi_prepend(kd, "list of tasks");
		if (at == head)
			return 0;
		if (at == seen)
			break;
		if (n == limit) {
			seen = at;
			limit *= 2;
		}
		if (kvmi_task_read(kd, tt, at - off, &task) == -1)
			return kvmi_prepend(kd, "list of tasks");
		if ((rv = fn(cookie, &task)) != 0)
			return rv;
	}
	return kvmi_err(kd, EBADMSG, "the list of tasks does not end");
}

int
kvmi_task_leaders(kvm_t *kd, const struct kvmi_tasktype *tt, kvmi_task_fn *fn,
    void *cookie)
{
	return task_walk(kd, tt, tt->init_task + tt->f[KVMI_TASK_TASKS].off,
	    KVMI_TASK_TASKS, fn, cookie);
}

int
kvmi_task_threads(kvm_t *kd, const struct kvmi_tasktype *tt,
    const struct kvmi_task *leader, kvmi_task_fn *fn, void *cookie)
{
	return task_walk(kd, tt, leader->signal + tt->f[KVMI_SIG_HEAD].off,
	    KVMI_TASK_THREAD, fn, cookie);
}

/* Looks for the process with a number. */
struct task_find {
	uint32_t pid;
	struct kvmi_task *leader;
};

static int
task_is_leader(void *cookie, const struct kvmi_task *t)
{
	struct task_find *f = cookie;

	if (t->tgid != f->pid)
		return 0;
	*f->leader = *t;
	return 1;
}

int
kvmi_task_find(kvm_t *kd, const struct kvmi_tasktype *tt, uint32_t pid,
    kvaddr_t addr, struct kvmi_task *leader)
{
	struct task_find f = { .pid = pid, .leader = leader };
	int rv;

	if (addr != 0) {
		if (kvmi_task_read(kd, tt, addr, leader) == -1)
			return -1;
		if (leader->tgid == pid)
			return 0;
		return kvmi_err(kd, ESRCH, "0x%llx is not process %d",
		    (unsigned long long)addr, (int)pid);
	}
	rv = kvmi_task_leaders(kd, tt, task_is_leader, &f);
	if (rv == 0)
		return kvmi_err(kd, ESRCH, "there is no process %d", (int)pid);
	return rv == -1 ? -1 : 0;
}

uint32_t
kvmi_makedev(uint64_t dev)
{
	const uint64_t major = dev >> 20, minor = dev & 0xfffff;

	return (uint32_t)((minor & 0xff) | (major & 0xfff) << 8 |
	    (minor & ~0xffull) << 12);
}
