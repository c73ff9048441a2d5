/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahci_port.c: one port of an AHCI controller: its registers, stopping it
 * whatever state it is in, its link, and starting it with a command list of our
 * own.  What is asked through that list is ahci.c's.
 */
#include <dev/ahci/ahcivar.h>

/* 10.1.2: half a second until a port has stopped; 10.4: a second for a reset of
 * the controller, a millisecond of COMRESET. */
#define AHCI_STOP_US		(500ull * 1000)
#define AHCI_HBA_RESET_US	(1000ull * 1000)
#define AHCI_COMRESET_US	2000u
#define AHCI_LINK_US		(5ull * 1000 * 1000)
#define AHCI_READY_US		(30ull * 1000 * 1000)	/* a disk spins up */

uint32_t
ahci_hba_rd(struct dumpdev *dd, uint64_t off)
{
	return dd->bus->ops->read4(dd->bus, AHCI_BAR, off);
}

void
ahci_hba_wr(struct dumpdev *dd, uint64_t off, uint32_t v)
{
	dd->bus->ops->write4(dd->bus, AHCI_BAR, off, v);
}

uint32_t
ahci_rd(struct dumpdev *dd, uint64_t reg)
{
	const struct ahci_softc *sc = dd->softc;

	return ahci_hba_rd(dd, sc->port + reg);
}

void
ahci_wr(struct dumpdev *dd, uint64_t reg, uint32_t v)
{
	const struct ahci_softc *sc = dd->softc;

	ahci_hba_wr(dd, sc->port + reg, v);
}

static void
ahci_wr8(struct dumpdev *dd, uint64_t reg, uint64_t v)
{
	ahci_wr(dd, reg, (uint32_t)v);
	ahci_wr(dd, reg + 4, (uint32_t)(v >> 32));
}

int
ahci_fail_gone(struct dumpdev *dd)
{
	return dumpdev_fail(dd, -EIO,
	    "SATA controller gone: registers read all ones");
}

struct ahci_wait {
	struct dumpdev *dd;
	uint64_t off;
	uint32_t mask;
	uint32_t want;
};

static int
ahci_wait_done(void *arg)
{
	const struct ahci_wait *w = arg;
	const uint32_t v = ahci_hba_rd(w->dd, w->off);

	if (v == 0xffffffff)
		return ahci_fail_gone(w->dd);
	return (v & w->mask) == w->want;
}

/* Waits until a register & mask is want.  what: for the reason. */
static int
ahci_wait(struct dumpdev *dd, uint64_t off, uint32_t mask, uint32_t want,
    uint64_t timeout_us, const char *what)
{
	struct ahci_wait w = { dd, off, mask, want };
	int answer;

	answer = poll_until(dd->bus, ahci_wait_done, &w, timeout_us);
	if (answer > 0)
		return 0;
	return dumpdev_fail(dd, answer, "SATA port %u: %s took more than %llu "
	    "ms (register %#x)", dd->unit, what,
	    (unsigned long long)timeout_us / 1000, ahci_hba_rd(dd, off));
}

static int
ahci_port_wait(struct dumpdev *dd, uint64_t reg, uint32_t mask, uint32_t want,
    uint64_t timeout_us, const char *what)
{
	const struct ahci_softc *sc = dd->softc;

	return ahci_wait(dd, sc->port + reg, mask, want, timeout_us, what);
}

/* PxCMD without the bit that is a request of its own. */
static void
ahci_cmd_change(struct dumpdev *dd, uint32_t clear, uint32_t set)
{
	ahci_wr(dd, AHCI_PX_CMD, (ahci_rd(dd, AHCI_PX_CMD) &
	    ~(clear | AHCI_PX_CMD_CLO)) | set);
}

/* 10.3.2: no more commands. */
static int
ahci_list_stop(struct dumpdev *dd)
{
	ahci_cmd_change(dd, AHCI_PX_CMD_ST, 0);
	return ahci_port_wait(dd, AHCI_PX_CMD, AHCI_PX_CMD_CR, 0, AHCI_STOP_US,
	    "stopping");
}

/* 10.3.2 too: and nothing received any more. */
int
ahci_port_stop(struct dumpdev *dd)
{
	int error;

	error = ahci_list_stop(dd);
	if (error != 0)
		return error;
	ahci_cmd_change(dd, AHCI_PX_CMD_FRE, 0);
	return ahci_port_wait(dd, AHCI_PX_CMD, AHCI_PX_CMD_FR, 0, AHCI_STOP_US,
	    "ending receipt");
}

/* 10.3.1: commands may come. */
void
ahci_list_start(struct dumpdev *dd)
{
	ahci_wr(dd, AHCI_PX_SERR, 0xffffffff);
	ahci_wr(dd, AHCI_PX_IS, 0xffffffff);
	ahci_cmd_change(dd, 0, AHCI_PX_CMD_ST);
}

/* What is to be done with the link: no power management, whatever else. */
static void
ahci_link_set(struct dumpdev *dd, uint32_t det)
{
	const uint32_t sctl = ahci_rd(dd, AHCI_PX_SCTL) &
	    ~(AHCI_PX_SCTL_DET_MASK | AHCI_PX_SCTL_IPM_MASK);

	ahci_wr(dd, AHCI_PX_SCTL, sctl | AHCI_PX_SCTL_IPM_NONE | det);
}

/*
 * 10.4.2: COMRESET.  The disk gives up what it was asked, whatever state the
 * link was in: partial, slumber, or down.
 */
static int
ahci_comreset(struct dumpdev *dd)
{
	struct ahci_wait never = { dd, AHCI_CAP, 0, 1 };
	int answer;

	ahci_link_set(dd, AHCI_PX_SCTL_DET_RESET);
	answer = poll_until(dd->bus, ahci_wait_done, &never, AHCI_COMRESET_US);
	if (answer != -ETIMEDOUT)
		return answer;
	ahci_link_set(dd, AHCI_PX_SCTL_DET_NONE);
	return 0;
}

/* Firmware had told it which ports there are; it may forget that in a reset. */
void
ahci_ports_restore(struct dumpdev *dd)
{
	const struct ahci_softc *sc = dd->softc;

	if (ahci_hba_rd(dd, AHCI_PI) != sc->pi)
		ahci_hba_wr(dd, AHCI_PI, sc->pi);
}

/* 10.4.3: all ports are reset: the last resort. */
static int
ahci_hba_reset(struct dumpdev *dd)
{
	int error;

	ahci_hba_wr(dd, AHCI_GHC, AHCI_GHC_AE);
	ahci_hba_wr(dd, AHCI_GHC, AHCI_GHC_AE | AHCI_GHC_HR);
	error = ahci_wait(dd, AHCI_GHC, AHCI_GHC_HR, 0, AHCI_HBA_RESET_US,
	    "the controller's reset");
	if (error != 0)
		return error;
	ahci_hba_wr(dd, AHCI_GHC, AHCI_GHC_AE);
	ahci_ports_restore(dd);
	return 0;
}

/* Stops a port that may hang: then by COMRESET, and then with all others. */
int
ahci_port_quiet(struct dumpdev *dd)
{
	int error;

	error = ahci_port_stop(dd);
	if (error != -ETIMEDOUT)
		return error;
	dd->reason[0] = '\0';
	error = ahci_comreset(dd);
	if (error == 0)
		error = ahci_port_stop(dd);
	if (error != -ETIMEDOUT)
		return error;
	dd->reason[0] = '\0';
	error = ahci_hba_reset(dd);
	return error != 0 ? error : ahci_port_stop(dd);
}

/* A stopped port becomes ours; then up with the link, and until the disk has
 * said what it is. */
int
ahci_port_up(struct dumpdev *dd)
{
	struct ahci_softc *sc = dd->softc;
	uint32_t sig;
	int error;

	ahci_wr(dd, AHCI_PX_IE, 0);
	if ((ahci_hba_rd(dd, AHCI_CAP2) & AHCI_CAP2_SDS) != 0)
		ahci_wr(dd, AHCI_PX_DEVSLP, ahci_rd(dd, AHCI_PX_DEVSLP) &
		    ~AHCI_PX_DEVSLP_ADSE);
	memset(sc->mem.va, 0, AHCI_MEM_LEN);
	dumpdev_wmb();
	ahci_wr8(dd, AHCI_PX_CLB, sc->mem.busaddr + AHCI_MEM_LIST);
	ahci_wr8(dd, AHCI_PX_FB, sc->mem.busaddr + AHCI_MEM_RFIS);
	/* Power, spin-up, an active link, and receipt, before the disk says
	 * its first word. */
	ahci_cmd_change(dd, AHCI_PX_CMD_PMA | AHCI_PX_CMD_ALPE |
	    AHCI_PX_CMD_ICC_MASK, AHCI_PX_CMD_SUD | AHCI_PX_CMD_POD |
	    AHCI_PX_CMD_ICC_ACTIVE);
	ahci_cmd_change(dd, 0, AHCI_PX_CMD_FRE);
	error = ahci_comreset(dd);
	if (error == 0)
		error = ahci_port_wait(dd, AHCI_PX_SSTS,
		    AHCI_PX_SCTL_DET_MASK, AHCI_PX_SSTS_DET_UP, AHCI_LINK_US,
		    "the link's coming up");
	if (error != 0)
		return error;
	/* The signature is not taken before PxSERR.DIAG.X is cleared. */
	ahci_wr(dd, AHCI_PX_SERR, 0xffffffff);
	error = ahci_port_wait(dd, AHCI_PX_TFD,
	    AHCI_PX_TFD_BSY | AHCI_PX_TFD_DRQ, 0, AHCI_READY_US,
	    "the disk's getting ready");
	if (error != 0)
		return error;
	sig = ahci_rd(dd, AHCI_PX_SIG);
	if (sig != AHCI_SIG_DISK)
		return dumpdev_fail(dd, -ENXIO,
		    "SATA port %u: no disk there (signature %#x)", dd->unit,
		    sig);
	return 0;
}

/* 6.2.2.1: after an error the list is stopped and started; a disk that is busy
 * then needs a COMRESET, which start() makes. */
int
ahci_list_restart(struct dumpdev *dd)
{
	uint32_t tfd;
	int error;

	error = ahci_list_stop(dd);
	if (error != 0)
		return error;
	tfd = ahci_rd(dd, AHCI_PX_TFD);
	if ((tfd & (AHCI_PX_TFD_BSY | AHCI_PX_TFD_DRQ)) != 0)
		return dumpdev_fail(dd, -EIO,
		    "SATA port %u: busy after an error, status %#x", dd->unit,
		    tfd);
	ahci_list_start(dd);
	return 0;
}

void
ahci_port_off(struct dumpdev *dd)
{
	ahci_link_set(dd, AHCI_PX_SCTL_DET_OFF);
}
