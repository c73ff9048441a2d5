// SPDX-License-Identifier: BSD-2-Clause
/*
 * place.c: where to die, and the parameter that says it: "DEATH [PLACE
 * [FUNCTION]]", or the name of a place that has a death of its own.  To add a
 * place, write a function and name it in crashme_places[].
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include <os/kcompat.h>

#include "crashme.h"

#define CRASHME_NAME	64
#define CRASHME_CALL	5		/* bytes of a call instruction */
#define CRASHME_CALLS	16		/* probes for one function */

/* ---- Places that are come to by themselves ---- */

static int crashme_process(const char *unused)
{
	crashme_die();
	return 0;
}

static int crashme_thread(void *unused)
{
	crashme_die();
	return 0;
}

static int crashme_to_kthread(const char *unused)
{
	struct task_struct *task;

	task = kthread_run(crashme_thread, NULL, "crashme");
	return PTR_ERR_OR_ZERO(task);
}

static void crashme_on_work(struct work_struct *work)
{
	crashme_die();
}

static DECLARE_WORK(crashme_work, crashme_on_work);

static int crashme_to_work(const char *unused)
{
	schedule_work(&crashme_work);
	return 0;
}

static void crashme_on_tasklet(struct tasklet_struct *tasklet)
{
	crashme_die();
}

static DECLARE_TASKLET(crashme_tasklet, crashme_on_tasklet);

static int crashme_to_softirq(const char *unused)
{
	tasklet_schedule(&crashme_tasklet);
	return 0;
}

static void crashme_on_timer(struct timer_list *timer)
{
	crashme_die();
}

static DEFINE_TIMER(crashme_timer, crashme_on_timer);

static int crashme_to_timer(const char *unused)
{
	mod_timer(&crashme_timer, jiffies + 1);
	return 0;
}

static enum hrtimer_restart crashme_on_hrtimer(struct hrtimer *timer)
{
	crashme_die();
	return HRTIMER_NORESTART;
}

static struct hrtimer crashme_hrtimer;

static int crashme_to_hrtimer(const char *unused)
{
	kcompat_hrtimer_init(&crashme_hrtimer, crashme_on_hrtimer);
	hrtimer_start(&crashme_hrtimer, ms_to_ktime(1), HRTIMER_MODE_REL_HARD);
	return 0;
}

static void crashme_irq(struct irq_work *work)
{
	crashme_die();
}

static struct irq_work crashme_irq_work = IRQ_WORK_INIT_HARD(crashme_irq);

static int crashme_to_irq(const char *unused)
{
	irq_work_queue(&crashme_irq_work);
	return 0;
}

static int crashme_nmi(unsigned int type, struct pt_regs *regs)
{
	crashme_die();
	return NMI_HANDLED;
}

static int crashme_to_nmi(const char *unused)
{
	int error;

	error = register_nmi_handler(NMI_LOCAL, crashme_nmi, 0, "crashme");
	if (error == 0)
		apic->send_IPI(raw_smp_processor_id(), NMI_VECTOR);
	return error;
}

static void crashme_ipi(void *unused)
{
	crashme_die();
}

static int crashme_to_ipi(const char *unused)
{
	int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());

	return smp_call_function_single(cpu, crashme_ipi, NULL, 0);
}

static void crashme_rcu(struct rcu_head *head)
{
	crashme_die();
}

static struct rcu_head crashme_rcu_head;

static int crashme_to_rcu(const char *unused)
{
	call_rcu(&crashme_rcu_head, crashme_rcu);
	return 0;
}

/* All CPUs stand still with interrupts off; this one dies. */
static int crashme_stopped(const char *unused)
{
	return stop_machine(crashme_thread, NULL, NULL);
}

static atomic_t crashme_racing;

noinline void crashme_race(void *unused);
noinline void crashme_race(void *unused)
{
	atomic_inc(&crashme_racing);
	while (atomic_read(&crashme_racing) < num_online_cpus())
		cpu_relax();
	panic("crashme: race");
}

static int crashme_all(const char *unused)
{
	on_each_cpu(crashme_race, NULL, 0);
	return 0;
}

/* ---- Places that somebody else comes to ---- */

/* Its caller finds no return address but that of the probe. */
noinline int crashme_watched(void);
noinline int crashme_watched(void)
{
	crashme_die();
	return 1;
}

static int crashme_returns(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static struct kretprobe crashme_retprobe = {
	.handler = crashme_returns,
	.kp.addr = (kprobe_opcode_t *)crashme_watched,
};

static int crashme_ret(const char *unused)
{
	int error = register_kretprobe(&crashme_retprobe);

	return error != 0 ? error : crashme_watched();
}

static char crashme_function[CRASHME_NAME];
static atomic_t crashme_reached;

/* The probe is left behind: crashme_die_there() is called in its place. */
static int crashme_reach(struct kprobe *kp, struct pt_regs *regs)
{
	if (atomic_xchg(&crashme_reached, 1) != 0)
		return 0;
	regs->ip = (ulong)crashme_die_there;
	return 1;
}

/* With this one the probe may change where execution goes on. */
static void crashme_reached_post(struct kprobe *kp, struct pt_regs *regs,
				 ulong flags)
{
}

static struct kprobe crashme_at_probe = {
	.pre_handler = crashme_reach,
	.post_handler = crashme_reached_post,
};

/* Whoever comes to a function dies. */
static int crashme_at(const char *function)
{
	crashme_set_there();
	crashme_at_probe.symbol_name = function;
	return register_kprobe(&crashme_at_probe);
}

/* Where a function is: 0, there is none.  *size: in bytes. */
static ulong crashme_find(const char *function, ulong *size)
{
	struct kprobe find = {
		.symbol_name = function,
		.flags = KPROBE_FLAG_DISABLED,
	};
	char name[KSYM_SYMBOL_LEN];
	const char *slash;

	if (register_kprobe(&find) != 0)
		return 0;
	unregister_kprobe(&find);
	sprint_symbol(name, (ulong)find.addr);	/* name+0x0/0xsize */
	slash = strchr(name, '/');
	if (slash == NULL || sscanf(slash, "/0x%lx", size) != 1)
		return 0;
	return (ulong)find.addr;
}

/* Is there a call of a function that drops a spin lock? */
static bool crashme_unlocks(ulong at, const ulong *unlocks, unsigned int n)
{
	ulong to = at + CRASHME_CALL + *(s32 *)(at + 1);

	if (*(u8 *)at != 0xe8)
		return false;
	while (n > 0)
		if (unlocks[--n] == to)
			return true;
	return false;
}

/*
 * Whoever is about to drop a spin lock in a function dies, and keeps it.  The
 * probes are where the function calls: at the entry of what it calls, a kernel
 * that has ftrace beneath its probes takes the breakpoint of a probe that is only
 * just being made for one of another kind, now and then, and jumps to 0.
 */
static int crashme_in(const char *function)
{
	static const char *const names[] = {
		"_raw_spin_unlock", "_raw_spin_unlock_irq",
		"_raw_spin_unlock_irqrestore",
	};
	static struct kprobe probes[CRASHME_CALLS];
	ulong unlocks[ARRAY_SIZE(names)], at, off, size = 0, unused;
	unsigned int i, n = 0;

	crashme_set_there();
	for (i = 0; i < ARRAY_SIZE(names); i++)
		unlocks[i] = crashme_find(names[i], &unused);
	at = crashme_find(function, &size);
	for (off = 0; off + CRASHME_CALL <= size && n < CRASHME_CALLS; off++) {
		if (!crashme_unlocks(at + off, unlocks, ARRAY_SIZE(unlocks)))
			continue;
		probes[n].addr = (kprobe_opcode_t *)(at + off);
		probes[n].pre_handler = crashme_reach;
		probes[n].post_handler = crashme_reached_post;
		if (register_kprobe(&probes[n]) == 0)
			n++;
	}
	return n > 0 ? 0 : -ENOENT;
}

/* ---- The parameter ---- */

struct crashme_place {
	const char *name;
	int (*go)(const char *function);
};

static const struct crashme_place crashme_places[] = {
	{ "process", crashme_process },
	{ "kthread", crashme_to_kthread },
	{ "work", crashme_to_work },
	{ "softirq", crashme_to_softirq },
	{ "timer", crashme_to_timer },
	{ "hrtimer", crashme_to_hrtimer },
	{ "irq", crashme_to_irq },
	{ "nmi", crashme_to_nmi },
	{ "ipi", crashme_to_ipi },
	{ "rcu", crashme_to_rcu },
	{ "stopped", crashme_stopped },
	{ "race", crashme_all },
	{ "ret", crashme_ret },
	{ "at", crashme_at },
	{ "in", crashme_in },
};

static int crashme_go(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(crashme_places); i++)
		if (strcmp(crashme_places[i].name, name) == 0)
			return crashme_places[i].go(crashme_function);
	return -EINVAL;
}

static int crashme_set_how(const char *text, const struct kernel_param *kp)
{
	char death[CRASHME_NAME], place[CRASHME_NAME] = "process";
	int error;

	if (!crashme_ready ||
	    sscanf(text, "%63s %63s %63s", death, place, crashme_function) < 1)
		return -EINVAL;
	error = crashme_set_death(death);
	if (error != 0)
		return error;
	return crashme_go(place);
}

static const struct kernel_param_ops crashme_how_ops = {
	.set = crashme_set_how,
};
module_param_cb(how, &crashme_how_ops, NULL, 0200);
MODULE_PARM_DESC(how, "DEATH [PLACE [FUNCTION]]: die, of what and where");
