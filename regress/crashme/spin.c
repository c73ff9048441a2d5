// SPDX-License-Identifier: BSD-2-Clause
/*
 * spin.c: writing irqs or noirqs to parameters/spin leaves every other CPU in
 * the loop crashme_loop, with interrupts on or off and known values in its
 * registers.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/apic.h>

#define CRASHME_STEP	0x9e3779b97f4a7c15ull
#define CRASHME_REGS	14		/* all but rbp and rsp */

static atomic_t crashme_spinning;
static bool crashme_release;		/* never */

/* Loads rax, rbx, rcx, rdx, rsi, rdi, r8 ... r15 and stays. */
static noinline void crashme_spin(const u64 *values)
{
	asm volatile("movq 8(%0), %%rbx\n\t"
		     "movq 16(%0), %%rcx\n\t"
		     "movq 24(%0), %%rdx\n\t"
		     "movq 32(%0), %%rsi\n\t"
		     "movq 40(%0), %%rdi\n\t"
		     "movq 48(%0), %%r8\n\t"
		     "movq 56(%0), %%r9\n\t"
		     "movq 64(%0), %%r10\n\t"
		     "movq 72(%0), %%r11\n\t"
		     "movq 80(%0), %%r12\n\t"
		     "movq 88(%0), %%r13\n\t"
		     "movq 96(%0), %%r14\n\t"
		     "movq 104(%0), %%r15\n\t"
		     "movq (%0), %0\n"
		     "crashme_loop:\n\t"
		     "pause\n\t"
		     "cmpb $0, %1\n\t"
		     "je crashme_loop\n"
		     "crashme_loop_end:\n"
		     : "+a" (values)
		     : "m" (crashme_release)
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		       "r11", "r12", "r13", "r14", "r15", "cc", "memory");
}

/* Register n of CPU c holds (CRASHME_REGS * c + n) * CRASHME_STEP. */
static int crashme_spinner(void *noirqs)
{
	u64 values[CRASHME_REGS], first = raw_smp_processor_id() * CRASHME_REGS;
	unsigned int i;

	for (i = 0; i < CRASHME_REGS; i++)
		values[i] = (first + i) * CRASHME_STEP;
	preempt_disable();
	local_irq_disable();
	/* No clock, or the CPU would now and then be elsewhere. */
	apic->write(APIC_LVTT, apic->read(APIC_LVTT) | APIC_LVT_MASKED);
	atomic_inc(&crashme_spinning);
	if (!noirqs)
		local_irq_enable();
	crashme_spin(values);
	return 0;
}

static int crashme_set_spin(const char *text, const struct kernel_param *kp)
{
	bool noirqs = sysfs_streq(text, "noirqs");
	int cpu, here = raw_smp_processor_id(), count = 0;
	struct task_struct *task;

	if (!noirqs && !sysfs_streq(text, "irqs"))
		return -EINVAL;
	for_each_online_cpu(cpu) {
		if (cpu == here)
			continue;
		task = kthread_create(crashme_spinner, noirqs ? &crashme_release :
				      NULL, "crashme/%d", cpu);
		if (IS_ERR(task))
			return PTR_ERR(task);
		__module_get(THIS_MODULE);
		kthread_bind(task, cpu);
		wake_up_process(task);
		count++;
	}
	while (atomic_read(&crashme_spinning) < count)
		udelay(100);
	return 0;
}

static const struct kernel_param_ops crashme_spin_ops = {
	.set = crashme_set_spin,
};
module_param_cb(spin, &crashme_spin_ops, NULL, 0200);
MODULE_PARM_DESC(spin, "irqs or noirqs: the other CPUs spin");
