// SPDX-License-Identifier: BSD-2-Clause
/*
 * disk.c: a disk that breaks, and a dumper that faults.
 *
 * fault=N lets the dumper, which is loaded by then, run into a bad pointer at
 * the N-th piece of data it writes.
 *
 * disk_breaks=N breaks the first virtio disk at that piece, and writing to
 * parameters/disk_break breaks it at once: queue 0, whoever's it is, gets a
 * descriptor that does not exist, after which the device does nothing until it
 * is reset.  The queue must be a split one.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "crashme.h"

static ulong fault;
module_param(fault, ulong, 0400);
MODULE_PARM_DESC(fault, "count of data pieces to the dumper's fault");

static ulong fault_addr = 16;
module_param(fault_addr, ulong, 0400);
MODULE_PARM_DESC(fault_addr, "the bad pointer");

static ulong disk_breaks;
module_param(disk_breaks, ulong, 0400);
MODULE_PARM_DESC(disk_breaks, "count of data pieces to the disk's breaking");

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

int crashme_disk_init(void)
{
	int error = 0;

	crashme_probed = fault != 0 || disk_breaks != 0;
	if (disk_breaks != 0)
		error = crashme_find_disk();
	if (error == 0 && crashme_probed)
		error = register_kprobe(&crashme_probe);
	return error;
}

void crashme_disk_fini(void)
{
	if (crashme_probed)
		unregister_kprobe(&crashme_probe);
	iounmap(crashme_common);
	iounmap(crashme_notify);
}
