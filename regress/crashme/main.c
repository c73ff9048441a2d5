// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c: puts memory into the dying kernel whose contents are known to hold,
 * and panics on request.  For the regression tests only.
 *
 * hold=1 stops the machine behind all other panic notifiers, until the host
 * sends a byte, and tells the host through the second serial port, touching no
 * memory: what QEMU then saves is what the dump should hold.
 *
 * hole=1 takes a large page out of the direct map.  first=1 puts a notifier at
 * the head of the panic list.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

#include <os/kcompat.h>

#include "crashme.h"

#define CRASHME_WORDS	8192		/* of each pattern: 64 KiB */
#define CRASHME_STEP	0x9e3779b97f4a7c15ull
#define CRASHME_PORT	0x2f8		/* ttyS1's data register */

static bool hold;
module_param(hold, bool, 0400);
MODULE_PARM_DESC(hold, "stop the machine when the panic notifiers are done");

static bool hole;
module_param(hole, bool, 0400);
MODULE_PARM_DESC(hole, "make a hole of 2 MiB in the direct map");

static bool first;
module_param(first, bool, 0400);
MODULE_PARM_DESC(first, "register a panic notifier that goes first");

ulong crashme_seed = 0x5eed;
module_param_named(seed, crashme_seed, ulong, 0400);
MODULE_PARM_DESC(seed, "of the pattern");

/* Not static: their names are looked up in /proc/kallsyms and in the core. */
u64 crashme_words[CRASHME_WORDS];	/* in the module's own data */
u64 *crashme_vmalloc;			/* pages from anywhere */
u64 *crashme_linear;			/* in the direct map */
EXPORT_SYMBOL_GPL(crashme_words);
EXPORT_SYMBOL_GPL(crashme_vmalloc);
EXPORT_SYMBOL_GPL(crashme_linear);

bool crashme_ready;

static void crashme_fill(u64 *words, u64 first)
{
	unsigned int i;

	for (i = 0; i < CRASHME_WORDS; i++)
		words[i] = (first + i) * CRASHME_STEP;
}

void crashme_tell(const char *text)
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

void crashme_tell_task(const char *what)
{
	crashme_tell("\n@@");
	crashme_tell(what);
	crashme_tell_hex((unsigned long)current);
	crashme_tell_hex((unsigned long)task_stack_page(current));
	crashme_tell("\n");
}

static int crashme_hold(struct notifier_block *nb, unsigned long event,
			void *text)
{
	crashme_tell_task("held");
	while ((inb(CRASHME_PORT + 5) & 0x01) == 0)
		cpu_relax();		/* LSR: no byte has come */
	return NOTIFY_DONE;
}

static struct notifier_block crashme_nb = {
	.notifier_call = crashme_hold,
	.priority = INT_MIN,
};

static int crashme_pass(struct notifier_block *nb, unsigned long event,
			void *text)
{
	return NOTIFY_DONE;
}

static struct notifier_block crashme_first = {
	.notifier_call = crashme_pass,
	.priority = INT_MAX,
};

/* 2 MiB of the direct map that nobody else uses, gone until the end. */
static int crashme_make_hole(void)
{
	void *va = (void *)__get_free_pages(GFP_KERNEL, get_order(PMD_SIZE));
	unsigned int level;
	pte_t *entry;

	if (va == NULL)
		return -ENOMEM;
	entry = lookup_address((unsigned long)va, &level);
	if (entry == NULL || level != PG_LEVEL_2M) {
		free_pages((unsigned long)va, get_order(PMD_SIZE));
		return -EOPNOTSUPP;
	}
	pr_info("crashme: hole at %llx\n", (u64)virt_to_phys(va));
	WRITE_ONCE(*(pmd_t *)entry, __pmd(0));
	return 0;
}

static int __init crashme_init(void)
{
	int error;

	error = crashme_disk_init();
	if (error == 0)
		crashme_console_init();
	if (error == 0 && hole)
		error = crashme_make_hole();
	if (error != 0)
		return error;
	crashme_vmalloc = vmalloc(sizeof(crashme_words));
	crashme_linear = kmalloc(sizeof(crashme_words), GFP_KERNEL);
	if (crashme_vmalloc == NULL || crashme_linear == NULL) {
		vfree(crashme_vmalloc);
		kfree(crashme_linear);
		return -ENOMEM;
	}
	crashme_fill(crashme_words, crashme_seed);
	crashme_fill(crashme_vmalloc, crashme_seed + CRASHME_WORDS);
	crashme_fill(crashme_linear, crashme_seed + 2 * CRASHME_WORDS);
	pr_info("crashme: seed %lx words %px vmalloc %px linear %px die %px\n",
		crashme_seed, crashme_words, crashme_vmalloc, crashme_linear,
		crashme_die);
	if (first)
		atomic_notifier_chain_register(&panic_notifier_list,
					       &crashme_first);
	if (hold)
		atomic_notifier_chain_register(&panic_notifier_list,
					       &crashme_nb);
	crashme_ready = true;
	return 0;
}
module_init(crashme_init);

static void __exit crashme_exit(void)
{
	if (first)
		atomic_notifier_chain_unregister(&panic_notifier_list,
						 &crashme_first);
	if (hold)
		atomic_notifier_chain_unregister(&panic_notifier_list,
						 &crashme_nb);
	crashme_console_fini();
	crashme_disk_fini();
	vfree(crashme_vmalloc);
	kfree(crashme_linear);
}
module_exit(crashme_exit);

MODULE_DESCRIPTION("known memory and a panic, for regression tests");
MODULE_LICENSE("Dual BSD/GPL");
