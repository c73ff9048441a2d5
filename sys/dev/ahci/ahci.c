/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahci.c: polled dump driver for SATA disks on AHCI controllers.
 *
 * Takes over one port and leaves the others alone: stops it, gives it a command
 * list of our own, and resets the link (COMRESET), which wakes a slumbering
 * link and makes the disk forget what the stock driver had queued.  Commands
 * are plain DMA commands, several at a time: the controller sends the next one
 * as soon as the disk is done, and after an error a plain command needs no log
 * page to be understood, as queued ones do.  Not here: port multipliers, ATAPI.
 */
#include <dev/ahci/ahcivar.h>
#include <dev/pcireg.h>

#define AHCI_CMD_US		(30ull * 1000 * 1000)
#define AHCI_CHECK_US		1000	/* a register read is slow */

static int
ahci_match(struct dumpdev *dd)
{
	const uint32_t class = PCIREG_CLASSCODE(
	    dd->bus->ops->cfg_read4(dd->bus, PCIREG_CLASS));
	const uint32_t id = dd->bus->ops->cfg_read4(dd->bus, PCIREG_ID);

	if (class == AHCI_CLASSCODE)
		return 0;
	if (class >> 8 == AHCI_CLASS_RAID &&
	    PCIREG_VENDOR(id) == AHCI_VENDOR_INTEL)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA controller in RAID mode (Intel RST or VROC); set it "
		    "to AHCI in the firmware");
	return -ENODEV;
}

/* Are there NVMe disks behind the function, which no driver but Intel's own
 * can reach? */
static int
ahci_check_remap(struct dumpdev *dd, uint64_t bar_len)
{
	const uint32_t id = dd->bus->ops->cfg_read4(dd->bus, PCIREG_ID);
	uint32_t cap;
	unsigned int i;

	if (PCIREG_VENDOR(id) != AHCI_VENDOR_INTEL ||
	    bar_len < AHCI_REMAP_MINLEN ||
	    (ahci_hba_rd(dd, AHCI_VSCAP) & AHCI_VSCAP_REMAP) == 0)
		return 0;
	cap = ahci_hba_rd(dd, AHCI_REMAP_CAP);
	for (i = 0; i < AHCI_REMAP_MAX; i++)
		if ((cap & (1u << i)) != 0 && ahci_hba_rd(dd,
		    AHCI_REMAP_CLASS(i)) == AHCI_REMAP_CLASS_NVME)
			return dumpdev_fail(dd, -EOPNOTSUPP,
			    "SATA controller with NVMe disks remapped behind "
			    "it (Intel RST); set it to AHCI in the firmware");
	return 0;
}

/* Is there a disk of its own at the port?  By reading alone. */
static int
ahci_check_port(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	uint32_t sig;

	sc->cap = ahci_hba_rd(dd, AHCI_CAP);
	sc->pi = ahci_hba_rd(dd, AHCI_PI);
	if (sc->cap == 0xffffffff)
		return dumpdev_fail(dd, -ENXIO,
		    "SATA controller gone: registers read all ones");
	if ((sc->pi & (1u << dd->unit)) == 0)
		return dumpdev_fail(dd, -ENXIO,
		    "SATA controller has no port %u", dd->unit);
	if (AHCI_CAP_NCS(sc->cap) < DUMPDEV_MINSLOTS)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA controller takes one command at a time only");
	sig = ahci_rd(dd, AHCI_PX_SIG);
	if (sig == AHCI_SIG_PMP ||
	    (ahci_rd(dd, AHCI_PX_CMD) & AHCI_PX_CMD_PMA) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA port %u: the disk is behind a port multiplier; "
		    "connect it to a port of the controller", dd->unit);
	if (sig != AHCI_SIG_DISK)
		return dumpdev_fail(dd, -ENXIO,
		    "SATA port %u: no disk there (signature %#x)", dd->unit,
		    sig);
	return 0;
}

/* Can the controller reach all of the memory that we give it? */
static int
ahci_check_dma(struct dumpdev *dd, const struct dumpdev_dma *mem)
{
	const struct ahci_softc *sc = dd->softc;

	if ((sc->cap & AHCI_CAP_S64A) != 0 ||
	    (mem->busaddr + mem->len - 1) >> 32 == 0)
		return 0;
	return dumpdev_fail(dd, -EOPNOTSUPP,
	    "SATA controller takes 32-bit addresses only, and its memory is at "
	    "%#llx", (unsigned long long)mem->busaddr);
}

static int
ahci_mem_alloc(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	uint8_t *va;
	unsigned int i;
	int error;

	error = dumpdev_dma_alloc(dd, AHCI_MEM_LEN, &sc->mem, "SATA commands");
	if (error != 0)
		return error;
	va = sc->mem.va;
	sc->list = (void *)(va + AHCI_MEM_LIST);
	sc->ident = (void *)(va + AHCI_MEM_IDENT);
	sc->tables = (void *)(va + AHCI_MEM_TABLES);
	error = ahci_check_dma(dd, &sc->mem);
	for (i = 0; error == 0 && i < dd->nslots; i++)
		error = ahci_check_dma(dd, &dd->slots[i].buf);
	return error;
}

static void
ahci_detach(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;

	dumpdev_dma_free(dd, &sc->mem);
	if (sc->mapped)
		dd->bus->ops->bar_unmap(dd->bus, AHCI_BAR);
	sc->mapped = false;
}

static int
ahci_attach(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	uint64_t bar_len;
	int error;

	if (dd->unit >= AHCI_NPORTS)
		return dumpdev_fail(dd, -EINVAL, "no SATA port %u", dd->unit);
	error = dd->bus->ops->bar_map(dd->bus, AHCI_BAR, &bar_len);
	if (error != 0)
		return dumpdev_fail(dd, error,
		    "SATA registers (BAR %u) can't be mapped", AHCI_BAR);
	sc->mapped = true;
	sc->port = AHCI_PORT(dd->unit);
	if (bar_len < AHCI_PORT(dd->unit + 1)) {
		error = dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA registers (BAR %u) have %llu bytes only", AHCI_BAR,
		    (unsigned long long)bar_len);
		goto fail;
	}
	error = ahci_check_port(dd);
	if (error == 0)
		error = ahci_check_remap(dd, bar_len);
	if (error != 0)
		goto fail;
	if (dd->nslots > AHCI_CAP_NCS(sc->cap))
		dd->nslots = AHCI_CAP_NCS(sc->cap);
	if (dd->slot_len > AHCI_PRD_MAXLEN)
		dd->slot_len = AHCI_PRD_MAXLEN;
	error = ahci_mem_alloc(dd);
	if (error == 0)
		return 0;
fail:
	ahci_detach(dd);
	return error;
}

static void
ahci_cmd_place(struct dumpdev *dd, unsigned int slot,
    const struct ahci_cmd *cmd)
{
	struct ahci_softc *sc = dd->softc;

	ahci_cmd_fill(cmd, &sc->list[slot], &sc->tables[slot],
	    sc->mem.busaddr + AHCI_MEM_TABLES + slot * sizeof(*sc->tables));
	dumpdev_wmb();
}

/* The disk's own word on what went wrong. */
static bool
ahci_told_error(struct dumpdev *dd, uint32_t is)
{
	const uint32_t tfd = ahci_rd(dd, AHCI_PX_TFD);

	/* A busy disk's other bits mean nothing. */
	return (is & AHCI_PX_IS_TFES) != 0 ||
	    (tfd & (AHCI_PX_TFD_BSY | AHCI_PX_TFD_DF)) == AHCI_PX_TFD_DF;
}

struct ahci_exec {
	struct dumpdev *dd;
	const char *what;
};

static int
ahci_exec_done(void *arg)
{
	const struct ahci_exec *x = arg;
	struct dumpdev *dd = x->dd;
	const uint32_t ci = ahci_rd(dd, AHCI_PX_CI);
	const uint32_t is = ahci_rd(dd, AHCI_PX_IS);

	if (ci == 0xffffffff || is == 0xffffffff)
		return ahci_fail_gone(dd);
	if (ahci_told_error(dd, is))
		return dumpdev_fail(dd, -EIO, "SATA %s: status and error %#x",
		    x->what, ahci_rd(dd, AHCI_PX_TFD));
	return (ci & 1) == 0;
}

/* Asks one command in slot 0 and waits for its success. */
static int
ahci_exec(struct dumpdev *dd, const struct ahci_cmd *cmd, const char *what)
{
	struct ahci_exec x = { dd, what };
	int answer;

	ahci_cmd_place(dd, 0, cmd);
	ahci_wr(dd, AHCI_PX_CI, 1);
	answer = poll_until(dd->bus, ahci_exec_done, &x, AHCI_CMD_US);
	if (answer > 0)
		return 0;
	return dumpdev_fail(dd, answer, "SATA %s: no answer", what);
}

static int
ahci_identify(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	const struct ahci_cmd identify = {
		.command = ATA_IDENTIFY,
		.busaddr = sc->mem.busaddr + AHCI_MEM_IDENT,
		.len = ATA_ID_LEN,
	};
	const struct ahci_cmd spin_up = {
		.command = ATA_SET_FEATURES,
		.features = ATA_FEATURE_SPIN_UP,
	};
	int error;

	error = ahci_exec(dd, &identify, "IDENTIFY DEVICE");
	/* Power-up in standby: it tells all only when it spins. */
	if (error == 0 && ahci_ident_standby(sc->ident)) {
		error = ahci_exec(dd, &spin_up, "SET FEATURES");
		if (error == 0)
			error = ahci_exec(dd, &identify, "IDENTIFY DEVICE");
	}
	dumpdev_rmb();
	return error != 0 ? error : ahci_ident_check(dd, sc->ident);
}

/*
 * A disk that sleeps is made to turn, with more patience than a write has.
 * Whether the sector that it reads for that is good doesn't matter.
 */
static int
ahci_spin_up(struct dumpdev *dd)
{
	const struct ahci_cmd verify = {
		.command = ATA_READ_VERIFY_EXT,
		.count = 1,
	};
	int error;

	error = ahci_exec(dd, &verify, "READ VERIFY");
	if (error != -EIO)
		return error;
	dd->reason[0] = '\0';
	return ahci_list_restart(dd);
}

static int
ahci_start(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	const uint32_t ghc = ahci_hba_rd(dd, AHCI_GHC);
	int error;

	sc->issued = sc->queued = sc->suspects = 0;
	if (ghc == 0xffffffff)
		return ahci_fail_gone(dd);
	ahci_hba_wr(dd, AHCI_GHC, (ghc & ~AHCI_GHC_IE) | AHCI_GHC_AE);
	ahci_ports_restore(dd);
	error = ahci_port_quiet(dd);
	if (error == 0)
		error = ahci_port_up(dd);
	if (error != 0)
		return error;
	ahci_list_start(dd);
	error = ahci_identify(dd);
	if (error == 0)
		error = ahci_spin_up(dd);
	return error;
}

/* Gives the controller what is queued: all of it, or, while it is not known who
 * failed, one. */
static void
ahci_issue(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	uint32_t slots = sc->queued;

	if (sc->suspects != 0)
		slots = sc->issued != 0 ? 0 : slots & ~(slots - 1);
	if (slots == 0)
		return;
	sc->queued &= ~slots;
	sc->issued |= slots;
	ahci_wr(dd, AHCI_PX_CI, slots);
}

static int
ahci_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct ahci_softc *sc = dd->softc;
	struct ahci_cmd cmd;

	ahci_cmd_plan(&cmd, op, blk, nblks, dd->blksize,
	    dd->slots[slot].buf.busaddr);
	ahci_cmd_place(dd, slot, &cmd);
	sc->queued |= 1u << slot;
	ahci_issue(dd);
	return 0;
}

static void
ahci_slot_fail(struct dumpdev *dd, unsigned int slot, uint32_t tfd)
{
	struct dumpdev_slot *s = &dd->slots[slot];

	s->status = dumpdev_fail(dd, -EIO,
	    "SATA %s of %u blocks at block %llu: status %#x, error %#x",
	    dumpdev_op_name(s->op), s->nblks,
	    (unsigned long long)s->blk, tfd & 0xff, (tfd >> 8) & 0xff);
}

/* The list stopped at an error.  Whose it is we know only of a command that was
 * alone; all others are asked again one by one. */
static int
ahci_recover(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	const uint32_t tfd = ahci_rd(dd, AHCI_PX_TFD), was = sc->issued;
	unsigned int slot;
	int error;

	error = ahci_list_restart(dd);
	if (error != 0)
		return -EIO;
	sc->issued = 0;
	if ((was & (was - 1)) == 0) {
		sc->suspects &= ~was;
		for (slot = 0; slot < dd->nslots; slot++)
			if (was == 1u << slot)
				ahci_slot_fail(dd, slot, tfd);
	} else {
		sc->suspects |= was;
		sc->queued |= was;
	}
	ahci_issue(dd);
	return 0;
}

static int
ahci_poll(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	const uint64_t now = dd->bus->ops->now_us(dd->bus);
	const uint32_t ci = ahci_rd(dd, AHCI_PX_CI);
	const uint32_t done = ci == 0xffffffff ? 0 : sc->issued & ~ci;
	uint32_t is;
	unsigned int slot;

	if (done == 0 && now - sc->checked_us < AHCI_CHECK_US)
		return 0;
	/* Behind PxCI: then an error of what is done is there to be seen. */
	sc->checked_us = now;
	is = ahci_rd(dd, AHCI_PX_IS);
	if (is == 0xffffffff)
		return ahci_fail_gone(dd);
	if ((is & (AHCI_PX_IS_IFS | AHCI_PX_IS_HBDS | AHCI_PX_IS_HBFS)) != 0)
		return dumpdev_fail(dd, -EIO,
		    "SATA port %u: fatal error, interrupt status %#x", dd->unit,
		    is);
	if (ahci_told_error(dd, is))
		return ahci_recover(dd);
	if (done == 0 && AHCI_PX_SSTS_DET(ahci_rd(dd, AHCI_PX_SSTS)) !=
	    AHCI_PX_SSTS_DET_UP)
		return dumpdev_fail(dd, -EIO,
		    "SATA port %u: the disk is gone, or its link is down",
		    dd->unit);
	dumpdev_rmb();
	for (slot = 0; slot < dd->nslots; slot++)
		if ((done & (1u << slot)) != 0)
			dd->slots[slot].status = 0;
	sc->issued &= ~done;
	sc->suspects &= ~done;
	ahci_issue(dd);
	return 0;
}

static int
ahci_stop(struct dumpdev *dd)
{
	int error;

	error = ahci_port_stop(dd);
	/* A port that goes on is taken off its link. */
	if (error == -ETIMEDOUT)
		ahci_port_off(dd);
	return error;
}

const struct dumpdev_ops ahci_dumpdev_ops = {
	.name = "ahci",
	.softc_size = sizeof(struct ahci_softc),
	.match = ahci_match,
	.attach = ahci_attach,
	.detach = ahci_detach,
	.start = ahci_start,
	.submit = ahci_submit,
	.poll = ahci_poll,
	.stop = ahci_stop,
};
