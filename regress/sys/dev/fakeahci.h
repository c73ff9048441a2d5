/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeahci.h: an AHCI controller with a SATA disk at one of its ports, for unit
 * tests.  It takes commands from the list that the driver made, moves their
 * data, and checks what the specification asks of software.  Written from the
 * specification; it shares no definition with the driver.
 */
#ifndef FAKEAHCI_H
#define FAKEAHCI_H

#include "fakedisk.h"

#define FAKEAHCI_PORT	2u
#define FAKEAHCI_IS_DHRS 0x00000001u

/* Of fakedisk's breaks[]. */
#define FAKEAHCI_BREAK_LINK 1
#define FAKEAHCI_BREAK_BUSY 2

/* What a port that hangs can be stopped by. */
enum fakeahci_hang {
	FAKEAHCI_RUNS,
	FAKEAHCI_NEEDS_COMRESET,
	FAKEAHCI_NEEDS_HBA_RESET,
	FAKEAHCI_HANGS,
};

struct fakeahci {
	struct fakedisk d;

	/* What it is; set before the driver attaches. */
	uint32_t cap, cap2, pi;
	uint32_t vscap, remap;		/* Intel's */
	uint64_t capacity;		/* in blocks */
	uint32_t blksize;
	uint16_t ident[256];		/* but for capacity and block size */
	bool puis;			/* power-up in standby */
	bool standby;			/* spins up at its first access */
	uint32_t new_sig;		/* what is found there by a COMRESET */

	/* What else goes wrong. */
	enum fakeahci_hang hang;
	bool no_link, never_ready, stuck_hr;
	bool forgets_ports;		/* a reset of the controller clears PI */
	uint8_t fail_command;		/* this one fails, and no request */
	uint64_t bad_blk;		/* can't be read or written; 0: none */
	bool clears_ci;			/* and goes on after an error */

	/* State. */
	uint32_t ghc;
	uint64_t clb, fb;
	uint32_t is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci, devslp;
	bool halted;			/* by an error, until ST is cleared */
	bool broken;			/* until a COMRESET */
	bool spun_up;			/* for power-up in standby */
	bool signed_on;			/* the disk has said what it is */
	unsigned int slot;		/* taken last */
	unsigned int late_slot;
	uint64_t cr_at, fr_at;		/* when the bits go */
	uint64_t det_at;		/* when DET was set to 1 */
	uint64_t link_at, ready_at;
	uint64_t spin_at;
	uint64_t hr_at;
	unsigned int ncomresets, nhba_resets;
	unsigned int max_ci;		/* most commands issued at a time */
};

/* ---- fakeahci_cmd.c ---- */

/* The next slot, in the order that a controller takes them; or against it. */
unsigned int fakeahci_next(const struct fakeahci *f);
/* Does what the command in a slot says, or what goes wrong with it. */
void fakeahci_take(struct fakeahci *f, unsigned int slot);
/* Does it, and tells so. */
void fakeahci_execute(struct fakeahci *f, unsigned int slot);

#endif /* FAKEAHCI_H */
