/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dumpdev_pci.c: makes a PCI function answer again, in whatever state the kernel
 * has left it and the bridges above it: asleep, in the middle of a reset, its
 * BARs or a bridge's windows lost, memory space or bus master off.
 * Contract: dumpdev.h.
 */
#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/pcireg.h>

#define PCI_WAKE_US	10000u	/* D3hot to D0: 10 ms, PM 1.2, 5.6.1 */
#define PCI_RESET_US	100000u	/* PCI Express 3.0, 6.6.1: until it answers */
#define PCI_READY_US	1000000u	/* and until it must have */

/* What a reset takes away, and a write gives back: register, and the bits of it
 * that are neither status nor in the way. */
struct pci_reg {
	unsigned int off;
	uint32_t mask;
};

static const struct pci_reg pci_function_regs[] = {
	{ PCIREG_BAR0, ~0u }, { PCIREG_BAR0 + 4, ~0u },
	{ PCIREG_BAR0 + 8, ~0u }, { PCIREG_BAR0 + 12, ~0u },
	{ PCIREG_BAR0 + 16, ~0u }, { PCIREG_BAR0 + 20, ~0u },
	{ 0, 0 }
};

static const struct pci_reg pci_bridge_regs[] = {
	{ PCIREG_BAR0, ~0u }, { PCIREG_BAR0 + 4, ~0u },
	{ PCIREG_BRIDGE_BUSES, ~0u }, { PCIREG_BRIDGE_IO, 0xffff },
	{ PCIREG_BRIDGE_MEMORY, ~0u }, { PCIREG_BRIDGE_PREFETCH, ~0u },
	{ PCIREG_BRIDGE_PREFETCH + 4, ~0u },
	{ PCIREG_BRIDGE_PREFETCH + 8, ~0u }, { PCIREG_BRIDGE_IOUPPER, ~0u },
	{ PCIREG_BRIDGE_CTL, PCIREG_BRIDGE_CTL_MASK },
	{ 0, 0 }
};

static const char *
pci_what(const struct dumpdev *dd, const struct dumpdev_bus *bus)
{
	return bus == dd->bus ? "controller" : "bridge above the controller";
}

static uint32_t
pci_rd(struct dumpdev_bus *bus, unsigned int off)
{
	return bus->ops->cfg_read4(bus, off);
}

static void
pci_wr(struct dumpdev_bus *bus, unsigned int off, uint32_t v)
{
	bus->ops->cfg_write4(bus, off, v);
}

/* Where this capability is; 0: there is none. */
static unsigned int
pci_find(struct dumpdev_bus *bus, uint32_t id)
{
	unsigned int n, pos;
	uint32_t head;

	head = pci_rd(bus, PCIREG_COMMAND);
	if (head == 0xffffffff || (head & PCIREG_STATUS_CAPLIST) == 0)
		return 0;
	pos = pci_rd(bus, PCIREG_CAPPTR) & 0xfc;
	for (n = 0; n < PCIREG_CAP_MAX && pos >= PCIREG_CAP_FIRST; n++) {
		head = pci_rd(bus, pos);
		if (PCIREG_CAP_ID(head) == id)
			return pos;
		pos = PCIREG_CAP_NEXT(head);
	}
	return 0;
}

void
dumpdev_pci_save(struct dumpdev *dd)
{
	struct dumpdev_bus *bus;
	unsigned int off, express;

	for (bus = dd->bus; bus != NULL; bus = bus->bridge) {
		for (off = 0; off < PCIREG_HEADER_LEN; off += 4)
			bus->pci.header[off / 4] = pci_rd(bus, off);
		express = pci_find(bus, PCIREG_CAP_EXPRESS);
		if (express != 0)
			bus->pci.express_ctl = pci_rd(bus,
			    express + PCIREG_EXPRESS_CTL) &
			    PCIREG_EXPRESS_CTL_MASK;
	}
}

static int
pci_never(void *unused)
{
	(void)unused;
	return 0;
}

static void
pci_pause(struct dumpdev_bus *bus, uint64_t us)
{
	(void)!poll_until(bus, pci_never, NULL, us);
}

static int
pci_answers(void *arg)
{
	const uint32_t id = pci_rd(arg, PCIREG_ID);

	return id != 0xffffffff && id != PCIREG_ID_NOTREADY;
}

/* Is it there, and what was armed?  One that was reset a moment ago takes its
 * time to answer. */
static __must_check int
pci_present(struct dumpdev *dd, struct dumpdev_bus *bus)
{
	if (poll_until(dd->bus, pci_answers, bus, PCI_READY_US) < 0)
		return dumpdev_fail(dd, -ENXIO,
		    "%s gone: configuration space reads all ones",
		    pci_what(dd, bus));
	if (pci_rd(bus, PCIREG_ID) != bus->pci.header[PCIREG_ID / 4])
		return dumpdev_fail(dd, -ENXIO,
		    "%s gone: %#x is in the place of %#x", pci_what(dd, bus),
		    pci_rd(bus, PCIREG_ID), bus->pci.header[PCIREG_ID / 4]);
	return 0;
}

/* From whatever power state it is in to D0. */
static __must_check int
pci_wake(struct dumpdev *dd, struct dumpdev_bus *bus)
{
	const unsigned int pm = pci_find(bus, PCIREG_CAP_PM);
	uint32_t v;

	if (pm == 0)
		return 0;
	v = pci_rd(bus, pm + PCIREG_PM_CSR);
	if ((v & PCIREG_PM_CSR_STATE) == 0)
		return 0;
	/* The status of PME would be cleared by writing a one. */
	pci_wr(bus, pm + PCIREG_PM_CSR, v & 0xffff &
	    ~(PCIREG_PM_CSR_STATE | PCIREG_PM_CSR_PMESTATUS));
	pci_pause(dd->bus, PCI_WAKE_US);
	v = pci_rd(bus, pm + PCIREG_PM_CSR);
	if ((v & PCIREG_PM_CSR_STATE) == 0)
		return 0;
	return dumpdev_fail(dd, -ENXIO,
	    "the %s does not wake up: power state D%u", pci_what(dd, bus),
	    v & PCIREG_PM_CSR_STATE);
}

/* What was being reset behind a bridge is let go. */
static void
pci_release(struct dumpdev *dd, struct dumpdev_bus *bridge)
{
	const uint32_t v = pci_rd(bridge, PCIREG_BRIDGE_CTL);

	if ((v & PCIREG_BRIDGE_CTL_RESET) == 0)
		return;
	pci_wr(bridge, PCIREG_BRIDGE_CTL, v & PCIREG_BRIDGE_CTL_MASK);
	pci_pause(dd->bus, PCI_RESET_US);
}

/* Gives back what was lost, if anything was. */
static void
pci_restore(struct dumpdev_bus *bus, const struct pci_reg *r)
{
	const uint32_t *saved = bus->pci.header;
	const unsigned int express = pci_find(bus, PCIREG_CAP_EXPRESS);
	uint32_t lost;

	for (; r->mask != 0; r++) {
		lost = pci_rd(bus, r->off) ^ saved[r->off / 4];
		if ((lost & r->mask) == 0)
			continue;
		/* Nothing is decoded at a place that is half an address. */
		pci_wr(bus, PCIREG_COMMAND, pci_rd(bus, PCIREG_COMMAND) &
		    0xffff & ~PCIREG_COMMAND_MEMORY);
		pci_wr(bus, r->off, saved[r->off / 4] & r->mask);
	}
	if (express == 0)
		return;
	/* Above all the largest payload, which both ends must agree on. */
	lost = pci_rd(bus, express + PCIREG_EXPRESS_CTL) ^ bus->pci.express_ctl;
	if ((lost & PCIREG_EXPRESS_CTL_MASK) != 0)
		pci_wr(bus, express + PCIREG_EXPRESS_CTL, bus->pci.express_ctl);
}

static __must_check int
pci_revive(struct dumpdev *dd, struct dumpdev_bus *bus)
{
	const uint32_t wanted = PCIREG_COMMAND_MEMORY | PCIREG_COMMAND_MASTER;
	uint32_t command;
	int error;

	error = pci_present(dd, bus);
	if (error == 0)
		error = pci_wake(dd, bus);
	if (error != 0)
		return error;
	if (bus == dd->bus) {
		pci_restore(bus, pci_function_regs);
	} else {
		pci_release(dd, bus);
		pci_restore(bus, pci_bridge_regs);
	}
	/* Zeros to the status half: its bits are cleared by writing ones. */
	command = pci_rd(bus, PCIREG_COMMAND) & 0xffff;
	if (bus == dd->bus)
		pci_wr(bus, PCIREG_COMMAND,
		    command | wanted | PCIREG_COMMAND_NOINTX);
	else if ((command & wanted) != wanted)
		pci_wr(bus, PCIREG_COMMAND, command | wanted);
	command = pci_rd(bus, PCIREG_COMMAND);
	if (command == 0xffffffff || (command & wanted) != wanted)
		return dumpdev_fail(dd, -ENXIO,
		    "%s gone: command register reads %#x", pci_what(dd, bus),
		    command);
	return 0;
}

int
dumpdev_pci_enable(struct dumpdev *dd)
{
	struct dumpdev_bus *path[DUMPDEV_MAXBRIDGES + 1], *bus;
	unsigned int n = 0;
	int error = 0;

	if (dd->bus->platform)
		return 0;
	for (bus = dd->bus; bus != NULL && n <= DUMPDEV_MAXBRIDGES;
	    bus = bus->bridge)
		path[n++] = bus;
	/* From the root down: what is below is reached through what is above. */
	while (error == 0 && n > 0)
		error = pci_revive(dd, path[--n]);
	return error;
}

bool
dumpdev_pci_reset(struct dumpdev *dd)
{
	struct dumpdev_bus *bus = dd->bus;
	const unsigned int express = pci_find(bus, PCIREG_CAP_EXPRESS);

	if (express == 0 || (pci_rd(bus, express + PCIREG_EXPRESS_CAP) &
	    PCIREG_EXPRESS_CAP_FLR) == 0)
		return false;
	/* 6.6.2: no more requests first, and time for those under way. */
	dumpdev_pci_disable(dd);
	pci_pause(bus, PCI_RESET_US);
	pci_wr(bus, express + PCIREG_EXPRESS_CTL, bus->pci.express_ctl |
	    PCIREG_EXPRESS_CTL_FLR);
	pci_pause(bus, PCI_RESET_US);
	return true;
}

void
dumpdev_pci_disable(struct dumpdev *dd)
{
	const uint32_t command = pci_rd(dd->bus, PCIREG_COMMAND) & 0xffff;

	/* All ones: gone, or not on PCI. */
	if (command != 0xffff)
		pci_wr(dd->bus, PCIREG_COMMAND,
		    command & ~PCIREG_COMMAND_MASTER);
}
