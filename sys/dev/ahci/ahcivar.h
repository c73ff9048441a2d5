/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahcivar.h: the AHCI dump driver's own structures, and what ahci_port.c and
 * ahci_cmd.c do for ahci.c.
 */
#ifndef _DEV_AHCIVAR_H_
#define _DEV_AHCIVAR_H_

#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/ahci/ahcireg.h>

/* The DMA memory: command list, received FISes, IDENTIFY; then the tables. */
#define AHCI_MEM_LIST		0u
#define AHCI_MEM_RFIS		1024u
#define AHCI_MEM_IDENT		2048u
#define AHCI_MEM_TABLES		4096u
#define AHCI_MEM_LEN		(4096u + DUMPDEV_MAXSLOTS * 256u)
_Static_assert(AHCI_MEM_RFIS + AHCI_RFIS_LEN <= AHCI_MEM_IDENT, "received FIS");

struct ahci_softc {
	bool mapped;
	uint32_t cap;
	uint32_t pi;			/* ports there are */
	uint64_t port;			/* where our port's registers are */

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

/* ahci_port.c: registers, by their place in the BAR and in our port. */
uint32_t ahci_hba_rd(struct dumpdev *dd, uint64_t off);
void ahci_hba_wr(struct dumpdev *dd, uint64_t off, uint32_t v);
uint32_t ahci_rd(struct dumpdev *dd, uint64_t reg);
void ahci_wr(struct dumpdev *dd, uint64_t reg, uint32_t v);
/* Notes that they read all ones: -EIO. */
int ahci_fail_gone(struct dumpdev *dd);

/* Stops the port, if need be by resetting its link or, in the end, all of the
 * controller. */
__must_check int ahci_port_quiet(struct dumpdev *dd);
/* Gives a port that is quiet our memory, and waits for its disk. */
__must_check int ahci_port_up(struct dumpdev *dd);
/* Just stops it: -ETIMEDOUT where it hangs. */
__must_check int ahci_port_stop(struct dumpdev *dd);
/* The controller knows its ports again. */
void ahci_ports_restore(struct dumpdev *dd);
/* Takes it off its link. */
void ahci_port_off(struct dumpdev *dd);
/* Takes commands from now on. */
void ahci_list_start(struct dumpdev *dd);
/* The same after an error: -EIO or -ETIMEDOUT where that takes a new start. */
__must_check int ahci_list_restart(struct dumpdev *dd);

/* ahci_cmd.c.  One command: what ahci_cmd_fill() puts into list and table. */
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
