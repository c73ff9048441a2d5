/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_backtrace.c: which functions a CPU or a task was in; kvm_backtrace(3).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_machine.h"
#include "kvm_symbols.h"
#include "kvm_tasks.h"
#include "kvm_unwind.h"

#define BT_FRAMES_MAX	8192u	/* more than stacks have room for */
#define BT_GUESSES_MAX	64u

struct bt_walk {
	kvm_t *kd;
	struct kvmi_cursor c;
	unsigned int n;		/* frames told */
	int (*fn)(void *cookie, const struct kvm_frame *frame);
	void *cookie;
};

/* The registers that an exception saved, from number `from' on. */
static void
bt_regs(const struct kvmi_cursor *c, const struct kvmi_regset *set,
    struct kvm_regs *r)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->kr_tid = -1;
	for (i = c->saved_from; i < KVMI_PTREGS; i++) {
		r->kr_reg[r->kr_n].kr_name = set->names[i];
		r->kr_reg[r->kr_n++].kr_value = c->reg[i];
	}
	r->kr_pc = c->pc;
	r->kr_sp = c->sp;
	r->kr_fp = c->fp;
}

/* The stack that sp is in: what it was interrupted on may not be read yet. */
static const char *
bt_stack(struct bt_walk *w)
{
	const struct kvmi_cursor *c = &w->c;
	struct kvmi_stack st;

	if ((c->sp >= c->stack.base && c->sp <= c->stack.end) ||
	    c->saved_from == KVMI_PTREGS ||
	    kvmi_stack_find(w->kd, c->cpu, c->sp, &st) == -1)
		return c->stack.name;
	return st.name;
}

/* Tells a frame: other than 0 ends it. */
static int
bt_tell(struct bt_walk *w)
{
	const struct kvmi_cursor *c = &w->c;
	struct kvmi_symbol sym;
	struct kvm_frame f;
	struct kvm_regs regs;

	memset(&f, 0, sizeof(f));
	f.kf_n = w->n++;
	f.kf_pc = c->pc;
	f.kf_sp = c->sp;
	f.kf_fp = c->fp;
	f.kf_stack = c->user ? NULL : bt_stack(w);
	if (c->guess)
		f.kf_flags |= KVM_FRAME_GUESS;
	if (c->user)
		f.kf_flags |= KVM_FRAME_USER;
	else if (!c->exact)
		f.kf_flags |= KVM_FRAME_RETURN;
	if (c->saved_from < KVMI_PTREGS) {
		bt_regs(c, w->kd->machine->regset, &regs);
		f.kf_regs = &regs;
	}
	/* A call that does not return may be its function's last word. */
	if (!c->user && kvmi_symbol_find(w->kd, c->exact ? c->pc : c->pc - 1,
	    &sym) == 0) {
		f.kf_name = sym.name;
		f.kf_module = sym.module;
		f.kf_off = c->pc - sym.addr;
		f.kf_size = sym.size;
	}
	return w->fn(w->cookie, &f);
}

/*
 * What may be return addresses in the rest of the stack, each marked as a
 * guess: `why', or that the caller has had enough.
 */
static int
bt_guess(struct bt_walk *w, int why)
{
	struct kvmi_cursor *c = &w->c;
	const kvaddr_t end = c->stack.end;
	unsigned int guesses = 0;
	kvaddr_t at;

	c->guess = true;
	c->exact = false;
	c->saved_from = KVMI_PTREGS;
	at = (c->sp + 7) & ~7ull;
	for (; at >= c->stack.base && at < end && guesses < BT_GUESSES_MAX;
	    at += 8) {
		if (kvmi_read(w->kd, at, &c->pc, 8) == -1)
			break;
		if (!kvmi_unwind_plausible(w->kd, c->pc))
			continue;
		c->sp = at + 8;
		guesses++;
		if (bt_tell(w) != 0)
			return KVM_BT_STOPPED;
	}
	return why;
}

/* Why the walk stopped is the text that the guesses must not change. */
static int
bt_cut(struct bt_walk *w, int why)
{
	char text[KVM_ERRBUFSZ];
	int error = errno, rv;

	snprintf(text, sizeof(text), "%s", kvm_geterr(w->kd));
	rv = bt_guess(w, why);
	kvmi_err(w->kd, error, "%s", text);
	return rv;
}

/* The stack that sp is in; or has run out of, into the page below. */
static int
bt_begin_stack(struct bt_walk *w)
{
	struct kvmi_cursor *c = &w->c;
	const kvaddr_t above = (c->sp | (KVMI_PAGE - 1)) + 1;
	kvaddr_t at = c->sp;
	uint64_t word;

	if (kvmi_read(w->kd, at, &word, sizeof(word)) == -1 &&
	    kvmi_read(w->kd, above, &word, sizeof(word)) == 0)
		at = above;
	if (kvmi_stack_find(w->kd, c->cpu, at, &c->stack) == -1)
		return -1;
	c->visited = 1u << c->stack.id;
	return 0;
}

static int
bt_run(struct bt_walk *w)
{
	struct kvmi_cursor *c = &w->c;
	int rv;

	if (c->stack.name == NULL && !c->user && bt_begin_stack(w) == -1)
		return -1;
	for (;;) {
		if (bt_tell(w) != 0)
			return KVM_BT_STOPPED;
		if (w->n == BT_FRAMES_MAX) {
			kvmi_err(w->kd, EBADMSG, "it does not end");
			return KVM_BT_DAMAGED;
		}
		rv = w->kd->machine->unwind(w->kd, c);
		if (rv == KVM_BT_LOST || rv == KVM_BT_DAMAGED)
			return bt_cut(w, rv);
		if (rv != 0)
			return rv;
	}
}

/* Finds a register by its name; false: it is not there. */
static bool
bt_reg(const struct kvm_regs *r, const char *name, uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < r->kr_n && i < KVM_NREGS; i++)
		if (r->kr_reg[i].kr_name != NULL &&
		    strcmp(r->kr_reg[i].kr_name, name) == 0) {
			*value = r->kr_reg[i].kr_value;
			return true;
		}
	return false;
}

/* From registers: all that pt_regs has, or pc, sp and fp alone. */
static int
bt_from_regs(struct bt_walk *w, const struct kvm_regs *r)
{
	const struct kvmi_regset *set = w->kd->machine->regset;
	struct kvmi_cursor *c = &w->c;
	unsigned int i;

	c->known = true;
	for (i = 0; i < KVMI_PTREGS; i++)
		if (!bt_reg(r, set->names[i], &c->reg[i]))
			c->known = false;
	c->saved_from = c->known ? 0 : KVMI_PTREGS;
	if (c->known)
		kvmi_cursor_regs(c);
	c->pc = r->kr_pc;
	c->sp = r->kr_sp;
	c->fp = r->kr_fp;
	c->exact = true;
	return bt_run(w);
}

static int
bt_cpu(struct bt_walk *w, unsigned int cpu)
{
	struct kvm_regs regs;

	switch (kvmi_getregs(w->kd, cpu, &regs)) {
	case -1:
		return -1;
	case 0:
		return kvmi_err(w->kd, ENODATA, "CPU %u: its registers are not "
		    "known", cpu);
	default:
		break;
	}
	w->c.cpu = (int)cpu;
	if (w->c.task == 0 && kvmi_cpu_task(w->kd, cpu, &w->c.task) == -1)
		w->c.task = 0;
	return bt_from_regs(w, &regs);
}

/* Where a task that does not run has left its registers. */
static int
bt_asleep(struct bt_walk *w, const struct kvmi_task *t)
{
	const struct kvmi_stacks *s = kvmi_stacks(w->kd);
	struct kvm_type at, frame, fp, ret;
	struct kvmi_cursor *c = &w->c;
	kvm_t *kd = w->kd;

	if (s == NULL || kvmi_type(kd, "task_struct.thread.sp", &at) == -1 ||
	    kvmi_type(kd, "inactive_task_frame", &frame) == -1 ||
	    kvmi_type(kd, "inactive_task_frame.bp", &fp) == -1 ||
	    kvmi_type(kd, "inactive_task_frame.ret_addr", &ret) == -1 ||
	    kvmi_read(kd, t->addr + at.kt_offset, &c->sp, 8) == -1)
		return -1;
	c->cpu = KVMI_CPU_NONE;
	c->stack = (struct kvmi_stack){ .name = "TASK", .base = t->stack,
		.end = t->stack + s->task_size };
	c->visited = 1u << c->stack.id;
	if (c->sp < c->stack.base || c->sp >= c->stack.end ||
	    frame.kt_size > c->stack.end - c->sp) {
		kvmi_err(kd, EBADMSG, "sp 0x%llx is not in its stack",
		    (unsigned long long)c->sp);
		return KVM_BT_DAMAGED;
	}
	if (kvmi_read(kd, c->sp + fp.kt_offset, &c->fp, 8) == -1 ||
	    kvmi_read(kd, c->sp + ret.kt_offset, &c->pc, 8) == -1)
		return KVM_BT_UNREADABLE;
	c->sp += frame.kt_size;
	/* It has not run yet: nobody called that. */
	c->exact = c->pc == s->fork[0] || c->pc == s->fork[1];
	c->saved_from = KVMI_PTREGS;
	return bt_run(w);
}

static int
bt_task(struct bt_walk *w, kvaddr_t task)
{
	const struct kvmi_tasktype *tt = kvmi_tasktype(w->kd);
	struct kvm_regs regs;
	struct kvmi_task t;

	if (tt == NULL || kvmi_task_read(w->kd, tt, task, &t) == -1)
		return -1;
	w->c.task = task;
	/* One that is about to leave its CPU has put its registers away. */
	if (t.on_cpu && (kvmi_getregs(w->kd, t.cpu, &regs) != 1 ||
	    regs.kr_tid == (pid_t)t.pid))
		return bt_cpu(w, t.cpu);
	return t.stack != 0 ? bt_asleep(w, &t) : KVM_BT_EXITED;
}

/* What all begin and end with. */
static int
bt_begin(struct bt_walk *w, kvm_t *kd,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie)
{
	memset(w, 0, sizeof(*w));
	w->kd = kd;
	w->fn = fn;
	w->cookie = cookie;
	w->c.cpu = KVMI_CPU_ANY;
	return kvmi_need_header(kd);
}

static int
bt_end(kvm_t *kd, int rv)
{
	if (rv == -1)
		kvmi_report(kd);
	return rv;
}

int
kvm_backtrace(kvm_t *kd, const struct kvm_regs *regs,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie)
{
	struct bt_walk w;
	int rv = bt_begin(&w, kd, fn, cookie);

	return bt_end(kd, rv == 0 ? bt_from_regs(&w, regs) : rv);
}

int
kvm_backtrace_cpu(kvm_t *kd, unsigned int cpu,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie)
{
	struct bt_walk w;
	int rv = bt_begin(&w, kd, fn, cookie);

	return bt_end(kd, rv == 0 ? bt_cpu(&w, cpu) : rv);
}

int
kvm_backtrace_task(kvm_t *kd, unsigned long task,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie)
{
	struct bt_walk w;
	int rv = bt_begin(&w, kd, fn, cookie);

	return bt_end(kd, rv == 0 ? bt_task(&w, task) : rv);
}

struct bt_find {
	kvm_t *kd;
	const struct kvmi_tasktype *tt;
	uint32_t tid;
	kvaddr_t task;
};

static int
bt_is_thread(void *cookie, const struct kvmi_task *t)
{
	struct bt_find *f = cookie;

	if (t->pid != f->tid)
		return 0;
	f->task = t->addr;
	return 1;
}

static int
bt_has_thread(void *cookie, const struct kvmi_task *leader)
{
	struct bt_find *f = cookie;

	/* Its own list may be damaged, and the next process's not. */
	return bt_is_thread(f, leader) != 0 || kvmi_task_threads(f->kd, f->tt,
	    leader, bt_is_thread, f) == 1;
}

static int
bt_tid(struct bt_walk *w, uint32_t tid)
{
	struct bt_find f = { .kd = w->kd, .tt = kvmi_tasktype(w->kd),
		.tid = tid };

	if (f.tt == NULL)
		return -1;
	switch (kvmi_task_leaders(w->kd, f.tt, bt_has_thread, &f)) {
	case -1:
		return -1;
	case 0:
		return kvmi_err(w->kd, ESRCH, "there is no thread %d",
		    (int)tid);
	default:
		return bt_task(w, f.task);
	}
}

int
kvm_backtrace_tid(kvm_t *kd, int tid,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie)
{
	struct bt_walk w;
	int rv;

	if (kd->live != NULL)
		return bt_end(kd, kvmi_procstack(kd, tid, fn, cookie));
	rv = bt_begin(&w, kd, fn, cookie);
	return bt_end(kd, rv == 0 ? bt_tid(&w, (uint32_t)tid) : rv);
}
