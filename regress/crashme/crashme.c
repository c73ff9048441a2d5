// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * crashme.c: a kernel module that gives a dump something known to hold, and
 * panics on request.  For the regression tests only.
 *
 * Writing panic, bug, null or irq to parameters/how panics in crashme_die().
 * hold=1 stops the machine behind all other panic notifiers and tells
 * the host through the second serial port, touching no memory: what QEMU then
 * saves is what the dump should hold.
 */
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define CRASHME_WORDS	8192		/* of each pattern: 64 KiB */
#define CRASHME_STEP	0x9e3779b97f4a7c15ull
#define CRASHME_PORT	0x2f8		/* ttyS1's data register */

static bool hold;
module_param(hold, bool, 0400);
MODULE_PARM_DESC(hold, "stop the machine when the panic notifiers are done");

static ulong seed = 0x5eed;
module_param(seed, ulong, 0400);
MODULE_PARM_DESC(seed, "of the pattern");

/* Not static: their names are looked up in /proc/kallsyms and in the core. */
u64 crashme_words[CRASHME_WORDS];	/* in the module's own data */
u64 *crashme_vmalloc;			/* pages from anywhere */
u64 *crashme_linear;			/* in the direct map */
EXPORT_SYMBOL_GPL(crashme_words);
EXPORT_SYMBOL_GPL(crashme_vmalloc);
EXPORT_SYMBOL_GPL(crashme_linear);

static void crashme_fill(u64 *words, u64 first)
{
	unsigned int i;

	for (i = 0; i < CRASHME_WORDS; i++)
		words[i] = (first + i) * CRASHME_STEP;
}

static char crashme_how[16];

noinline void crashme_die(void);
noinline void crashme_die(void)
{
	if (sysfs_streq(crashme_how, "bug"))
		BUG();
	if (sysfs_streq(crashme_how, "null"))
		WRITE_ONCE(*(int *)16, 1);
	panic("crashme: seed %lx", seed);
}

static void crashme_irq(struct irq_work *work)
{
	crashme_die();
}

static struct irq_work crashme_work = IRQ_WORK_INIT_HARD(crashme_irq);

static int crashme_set_how(const char *text, const struct kernel_param *kp)
{
	if (crashme_linear == NULL)
		return -EINVAL;		/* not when the module is loaded */
	strscpy(crashme_how, text, sizeof(crashme_how));
	if (sysfs_streq(crashme_how, "irq"))
		irq_work_queue(&crashme_work);
	else
		crashme_die();
	return 0;
}

static const struct kernel_param_ops crashme_how_ops = {
	.set = crashme_set_how,
};
module_param_cb(how, &crashme_how_ops, NULL, 0200);
MODULE_PARM_DESC(how, "panic, bug, null or irq: die of that");

static void crashme_tell(const char *text)
{
	for (; *text != '\0'; text++) {
		while ((inb(CRASHME_PORT + 5) & 0x20) == 0)
			cpu_relax();	/* LSR: no room for a byte */
		outb(*text, CRASHME_PORT);
	}
}

static void crashme_tell_hex(unsigned long value)
{
	char digit[2] = " ";
	int shift;

	crashme_tell(digit);
	for (shift = 60; shift >= 0; shift -= 4) {
		digit[0] = "0123456789abcdef"[value >> shift & 15];
		crashme_tell(digit);
	}
}

/* "@@held TASK STACK": the two objects that are in use when we stop. */
static int crashme_hold(struct notifier_block *nb, unsigned long event,
			void *text)
{
	crashme_tell("\n@@held");
	crashme_tell_hex((unsigned long)current);
	crashme_tell_hex((unsigned long)task_stack_page(current));
	crashme_tell("\n");
	for (;;)
		cpu_relax();
	return NOTIFY_DONE;
}

static struct notifier_block crashme_nb = {
	.notifier_call = crashme_hold,
	.priority = INT_MIN,
};

static int __init crashme_init(void)
{
	crashme_vmalloc = vmalloc(sizeof(crashme_words));
	crashme_linear = kmalloc(sizeof(crashme_words), GFP_KERNEL);
	if (crashme_vmalloc == NULL || crashme_linear == NULL) {
		vfree(crashme_vmalloc);
		kfree(crashme_linear);
		return -ENOMEM;
	}
	crashme_fill(crashme_words, seed);
	crashme_fill(crashme_vmalloc, seed + CRASHME_WORDS);
	crashme_fill(crashme_linear, seed + 2 * CRASHME_WORDS);
	pr_info("crashme: seed %lx words %px vmalloc %px linear %px die %px\n",
		seed, crashme_words, crashme_vmalloc, crashme_linear,
		crashme_die);
	if (hold)
		atomic_notifier_chain_register(&panic_notifier_list,
					       &crashme_nb);
	return 0;
}
module_init(crashme_init);

static void __exit crashme_exit(void)
{
	if (hold)
		atomic_notifier_chain_unregister(&panic_notifier_list,
						 &crashme_nb);
	vfree(crashme_vmalloc);
	kfree(crashme_linear);
}
module_exit(crashme_exit);

MODULE_DESCRIPTION("known memory and a panic, for regression tests");
MODULE_LICENSE("Dual BSD/GPL");
