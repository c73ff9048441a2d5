// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * crashme.c: a kernel module that gives a dump something known to hold, and
 * panics on request.  For the regression tests only.
 *
 * Writing to parameters/how panics: panic, bug and null in crashme_die(); irq
 * and nmi there too, called by an interrupt; ret behind a return probe; deep
 * where the stack ends; race on every CPU at once, in crashme_race().
 * hold=1 stops the machine behind all other panic notifiers, until the host
 * sends a byte, and tells the host through the second serial port, touching no
 * memory: what QEMU then saves is what the dump should hold.
 *
 * Writing irqs or noirqs to parameters/spin leaves every other CPU in the loop
 * crashme_loop, with interrupts on or off and known values in its registers.
 *
 * hole=1 takes a large page out of the direct map.  first=1 puts a notifier at
 * the head of the panic list.  fault=N lets the dumper, which is loaded by
 * then, run into a bad pointer at the N-th piece of data it writes.
 *
 * disk_breaks=N breaks the first virtio disk at that piece, and writing to
 * parameters/disk_break breaks it at once: queue 0, whoever's it is, gets a
 * descriptor that does not exist, after which the device does nothing until it
 * is reset.  The queue must be a split one.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/pgtable.h>

#include <os/kcompat.h>

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

static ulong fault;
module_param(fault, ulong, 0400);
MODULE_PARM_DESC(fault, "count of data pieces to the dumper's fault");

static ulong fault_addr = 16;
module_param(fault_addr, ulong, 0400);
MODULE_PARM_DESC(fault_addr, "the bad pointer");

static ulong disk_breaks;
module_param(disk_breaks, ulong, 0400);
MODULE_PARM_DESC(disk_breaks, "count of data pieces to the disk's breaking");

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

/* "@@WHAT TASK STACK": the two objects that are in use now. */
static void crashme_tell_task(const char *what)
{
	crashme_tell("\n@@");
	crashme_tell(what);
	crashme_tell_hex((unsigned long)current);
	crashme_tell_hex((unsigned long)task_stack_page(current));
	crashme_tell("\n");
}

static char crashme_how[16];

noinline void crashme_die(void);
noinline void crashme_die(void)
{
	crashme_tell_task("dies");
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

static int crashme_nmi(unsigned int type, struct pt_regs *regs)
{
	crashme_die();
	return NMI_HANDLED;
}

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

/* Uses up the stack. */
static noinline int crashme_deep(int depth)
{
	volatile char pad[512];

	pad[depth % sizeof(pad)] = 1;
	if (depth == INT_MAX)
		return 0;
	return crashme_deep(depth + 1) + pad[depth % sizeof(pad)];
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

static int crashme_elsewhere(void)
{
	int error = 0;

	if (sysfs_streq(crashme_how, "irq")) {
		irq_work_queue(&crashme_work);
	} else if (sysfs_streq(crashme_how, "nmi")) {
		error = register_nmi_handler(NMI_LOCAL, crashme_nmi, 0,
					     "crashme");
		if (error == 0)
			apic->send_IPI(raw_smp_processor_id(), NMI_VECTOR);
	} else if (sysfs_streq(crashme_how, "ret")) {
		error = register_kretprobe(&crashme_retprobe);
		if (error == 0)
			error = crashme_watched();
	} else if (sysfs_streq(crashme_how, "race")) {
		on_each_cpu(crashme_race, NULL, 0);
	} else if (sysfs_streq(crashme_how, "deep")) {
		error = crashme_deep(0);
	} else {
		crashme_die();
	}
	return error;
}

static int crashme_set_how(const char *text, const struct kernel_param *kp)
{
	if (crashme_linear == NULL)
		return -EINVAL;		/* not when the module is loaded */
	strscpy(crashme_how, text, sizeof(crashme_how));
	return crashme_elsewhere();
}

static const struct kernel_param_ops crashme_how_ops = {
	.set = crashme_set_how,
};
module_param_cb(how, &crashme_how_ops, NULL, 0200);
MODULE_PARM_DESC(how, "panic, bug, null, irq, nmi, ret, deep or race: die of that");

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

/* ---- The disk that breaks ---- */

#define CRASHME_DISK		0x1042	/* virtio-blk, modern */
#define CRASHME_BREAK_MS	5000

static struct virtio_pci_common_cfg __iomem *crashme_common;
static void __iomem *crashme_notify;
static u32 crashme_notify_mult;

/* The structure of this type in a BAR of the disk's; its capability at *pos. */
static void __iomem *crashme_map(struct pci_dev *pdev, u8 type, int *pos)
{
	u32 off, len;
	u8 found, bar;

	for (*pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR); *pos != 0;
	     *pos = pci_find_next_capability(pdev, (u8)*pos,
					     PCI_CAP_ID_VNDR)) {
		pci_read_config_byte(pdev, *pos + VIRTIO_PCI_CAP_CFG_TYPE,
				     &found);
		if (found != type)
			continue;
		pci_read_config_byte(pdev, *pos + VIRTIO_PCI_CAP_BAR, &bar);
		pci_read_config_dword(pdev, *pos + VIRTIO_PCI_CAP_OFFSET,
				      &off);
		pci_read_config_dword(pdev, *pos + VIRTIO_PCI_CAP_LENGTH,
				      &len);
		return ioremap(pci_resource_start(pdev, bar) + off, len);
	}
	return NULL;
}

static int crashme_find_disk(void)
{
	struct pci_dev *pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET,
					      CRASHME_DISK, NULL);
	int pos;

	if (pdev == NULL)
		return -ENODEV;
	crashme_common = crashme_map(pdev, VIRTIO_PCI_CAP_COMMON_CFG, &pos);
	crashme_notify = crashme_map(pdev, VIRTIO_PCI_CAP_NOTIFY_CFG, &pos);
	if (crashme_notify != NULL)
		pci_read_config_dword(pdev, pos + VIRTIO_PCI_NOTIFY_CAP_MULT,
				      &crashme_notify_mult);
	pci_dev_put(pdev);
	return crashme_common != NULL && crashme_notify != NULL ? 0 : -ENOMEM;
}

/* Tells "@@broken" once the device says so. */
static void crashme_break_disk(void)
{
	struct vring_avail *avail;
	unsigned int ms;
	u16 size, idx;
	u32 off;

	iowrite16(0, &crashme_common->queue_select);
	size = ioread16(&crashme_common->queue_size);
	avail = phys_to_virt(ioread32(&crashme_common->queue_avail_lo) |
		(u64)ioread32(&crashme_common->queue_avail_hi) << 32);
	idx = le16_to_cpu(avail->idx);
	avail->ring[idx & (size - 1)] = cpu_to_le16(0xffff);
	wmb();
	avail->idx = cpu_to_le16(idx + 1);
	wmb();
	off = ioread16(&crashme_common->queue_notify_off) *
		crashme_notify_mult;
	iowrite16(0, crashme_notify + off);
	for (ms = 0; ms < CRASHME_BREAK_MS; ms++) {
		if ((ioread8(&crashme_common->device_status) &
		     VIRTIO_CONFIG_S_NEEDS_RESET) != 0) {
			crashme_tell("\n@@broken\n");
			return;
		}
		mdelay(1);
	}
}

static int crashme_set_break(const char *text, const struct kernel_param *kp)
{
	int error = crashme_common == NULL ? crashme_find_disk() : 0;

	if (error == 0)
		crashme_break_disk();
	return error;
}

static const struct kernel_param_ops crashme_break_ops = {
	.set = crashme_set_break,
};
module_param_cb(disk_break, &crashme_break_ops, NULL, 0200);
MODULE_PARM_DESC(disk_break, "break the first virtio disk now");

/* ---- What goes wrong at a piece of data ---- */

/* The first argument of dump_stream_advance() is a pointer that it follows. */
static int crashme_piece(struct kprobe *kp, struct pt_regs *regs)
{
	if (fault != 0 && --fault == 0)
		regs->di = fault_addr;
	if (disk_breaks != 0 && --disk_breaks == 0)
		crashme_break_disk();
	return 0;
}

static bool crashme_probed;
static struct kprobe crashme_probe = {
	.symbol_name = "dump_stream_advance",
	.pre_handler = crashme_piece,
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
	int error = 0;

	crashme_probed = fault != 0 || disk_breaks != 0;
	if (disk_breaks != 0)
		error = crashme_find_disk();
	if (error == 0 && crashme_probed)
		error = register_kprobe(&crashme_probe);
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
	crashme_fill(crashme_words, seed);
	crashme_fill(crashme_vmalloc, seed + CRASHME_WORDS);
	crashme_fill(crashme_linear, seed + 2 * CRASHME_WORDS);
	pr_info("crashme: seed %lx words %px vmalloc %px linear %px die %px\n",
		seed, crashme_words, crashme_vmalloc, crashme_linear,
		crashme_die);
	if (first)
		atomic_notifier_chain_register(&panic_notifier_list,
					       &crashme_first);
	if (hold)
		atomic_notifier_chain_register(&panic_notifier_list,
					       &crashme_nb);
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
	if (crashme_probed)
		unregister_kprobe(&crashme_probe);
	iounmap(crashme_common);
	iounmap(crashme_notify);
	vfree(crashme_vmalloc);
	kfree(crashme_linear);
}
module_exit(crashme_exit);

MODULE_DESCRIPTION("known memory and a panic, for regression tests");
MODULE_LICENSE("Dual BSD/GPL");
