/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dumpdev_pci.c: makes a PCI function answer again, in whatever state its stock
 * driver has left it: asleep, its BARs lost, memory space or bus mastering off.
 * Contract: dumpdev.h.
 */
#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/pcireg.h>

#define PCI_WAKE_US	10000u	/* D3hot to D0: 10 ms, PM 1.2, 5.6.1 */

void
dumpdev_pci_save(struct dumpdev *dd)
{
	unsigned int i;

	for (i = 0; i < DUMPDEV_NBARS; i++)
		dd->bars[i] = dd->bus->ops->cfg_read4(dd->bus,
		    PCIREG_BAR0 + 4 * i);
}

/* Where the power management capability is; 0: there is none. */
static unsigned int
pci_find_pm(struct dumpdev_bus *bus)
{
	unsigned int n, pos;
	uint32_t head;

	pos = bus->ops->cfg_read4(bus, PCIREG_CAPPTR) & 0xfc;
	for (n = 0; n < PCIREG_CAP_MAX && pos >= PCIREG_CAP_FIRST; n++) {
		head = bus->ops->cfg_read4(bus, pos);
		if (PCIREG_CAP_ID(head) == PCIREG_CAP_PM)
			return pos;
		pos = PCIREG_CAP_NEXT(head);
	}
	return 0;
}

static int
pci_never(void *unused)
{
	(void)unused;
	return 0;
}

/* From whatever power state it is in to D0, with the BARs of when it was
 * armed, which a function may lose on the way. */
static __must_check int
pci_wake(struct dumpdev *dd)
{
	const struct dumpdev_bus_ops *ops = dd->bus->ops;
	unsigned int i, pm = pci_find_pm(dd->bus);
	uint32_t v;
	int error;

	if (pm == 0)
		return 0;
	v = ops->cfg_read4(dd->bus, pm + PCIREG_PM_CSR);
	if ((v & PCIREG_PM_CSR_STATE) == 0)
		return 0;
	/* The status of PME would be cleared by writing a one. */
	ops->cfg_write4(dd->bus, pm + PCIREG_PM_CSR, v & 0xffff &
	    ~(PCIREG_PM_CSR_STATE | PCIREG_PM_CSR_PMESTATUS));
	error = poll_until(dd->bus, pci_never, NULL, PCI_WAKE_US);
	if (error != -ETIMEDOUT)
		return error;
	v = ops->cfg_read4(dd->bus, pm + PCIREG_PM_CSR);
	if ((v & PCIREG_PM_CSR_STATE) != 0)
		return dumpdev_fail(dd, -ENXIO,
		    "the controller does not wake up: power state D%u",
		    v & PCIREG_PM_CSR_STATE);
	for (i = 0; i < DUMPDEV_NBARS; i++)
		if (ops->cfg_read4(dd->bus, PCIREG_BAR0 + 4 * i) !=
		    dd->bars[i])
			ops->cfg_write4(dd->bus, PCIREG_BAR0 + 4 * i,
			    dd->bars[i]);
	return 0;
}

int
dumpdev_pci_enable(struct dumpdev *dd)
{
	const struct dumpdev_bus_ops *ops = dd->bus->ops;
	const uint32_t wanted = PCIREG_COMMAND_MEMORY | PCIREG_COMMAND_MASTER;
	uint32_t command;
	int error = 0;

	if (dd->bus->platform)
		return 0;
	if (ops->cfg_read4(dd->bus, PCIREG_ID) == 0xffffffff)
		return dumpdev_fail(dd, -ENXIO,
		    "controller gone: configuration space reads all ones");
	command = ops->cfg_read4(dd->bus, PCIREG_COMMAND);
	if ((command & PCIREG_STATUS_CAPLIST) != 0)
		error = pci_wake(dd);
	if (error != 0)
		return error;
	/* Zeros to the status half: its bits are cleared by writing ones. */
	command = ops->cfg_read4(dd->bus, PCIREG_COMMAND) & 0xffff;
	ops->cfg_write4(dd->bus, PCIREG_COMMAND,
	    command | wanted | PCIREG_COMMAND_NOINTX);
	command = ops->cfg_read4(dd->bus, PCIREG_COMMAND);
	if (command == 0xffffffff || (command & wanted) != wanted)
		return dumpdev_fail(dd, -ENXIO,
		    "controller gone: command register reads %#x", command);
	return 0;
}

void
dumpdev_pci_disable(struct dumpdev *dd)
{
	const struct dumpdev_bus_ops *ops = dd->bus->ops;
	uint32_t command = ops->cfg_read4(dd->bus, PCIREG_COMMAND) & 0xffff;

	/* All ones: gone, or not on PCI. */
	if (command != 0xffff)
		ops->cfg_write4(dd->bus, PCIREG_COMMAND,
		    command & ~(uint32_t)PCIREG_COMMAND_MASTER);
}
