/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahcivar.h: the AHCI dump driver's own structures, and what ahci_cmd.c plans
 * for ahci.c.
 */
#ifndef _DEV_AHCIVAR_H_
#define _DEV_AHCIVAR_H_

#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/ahci/ahcireg.h>

struct ahci_softc {
	bool mapped;
	uint32_t cap;
	uint32_t pi;			/* ports there are */
	uint64_t port;			/* where our port's registers are */

	/* Command list, received FISes, IDENTIFY; then the command tables. */
	struct dumpdev_dma mem;
	struct ahci_cmdhdr *list;
	volatile uint16_t *ident;
	struct ahci_cmdtbl *tables;

	/*
	 * One bit for each slot.  The controller stops at a command that
	 * failed, but not all of them leave that command's bit in PxCI; so
	 * whatever was issued when an error came is asked once more, one at a
	 * time, until the suspects have answered.
	 */
	uint32_t issued;
	uint32_t queued;		/* to be issued yet */
	uint32_t suspects;

	uint64_t checked_us;		/* when the status was read last */
};

/* One command: what ahci_cmd_fill() puts into list and table. */
struct ahci_cmd {
	uint8_t command;
	uint8_t features;
	bool write;			/* data from host to device */
	uint64_t lba;
	uint32_t count;
	uint64_t busaddr;
	uint32_t len;			/* bytes of data; 0: none */
};

/* The ATA command that does op. */
void ahci_cmd_plan(struct ahci_cmd *cmd, enum dumpdev_op op, uint64_t blk,
    uint32_t nblks, uint32_t blksize, uint64_t busaddr);
void ahci_cmd_fill(const struct ahci_cmd *cmd, struct ahci_cmdhdr *hdr,
    struct ahci_cmdtbl *table, uint64_t table_busaddr);

/* Judge of what IDENTIFY returned: 0, or -EOPNOTSUPP and such, with reason. */
__must_check int ahci_ident_check(struct dumpdev *dd,
    const volatile uint16_t *words);
/* Does the disk want to be told to spin up? */
bool ahci_ident_standby(const volatile uint16_t *words);

#endif /* _DEV_AHCIVAR_H_ */
