/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakenvme.h: an NVMe controller for unit tests.  It takes commands from the
 * queues that the driver made, walks their PRPs itself, and checks what the
 * specification asks of a host.  Written from the specification; it shares no
 * definition with the driver.
 */
#ifndef FAKENVME_H
#define FAKENVME_H

#include "fakebus.h"

struct fakenvme_queue {
	uint64_t sq_base;
	uint64_t cq_base;
	uint32_t sq_size;		/* 0: there is none */
	uint32_t cq_size;
	uint32_t sq_head, sq_tail;
	uint32_t cq_head, cq_tail;
	unsigned int phase;
};

struct fakenvme {
	struct fakebus *fb;
	uint8_t *disk;
	uint64_t disk_len;

	/* What it is; set before the driver attaches. */
	uint64_t cap;
	uint32_t nsid;
	uint64_t nsze;
	uint32_t lbads;
	uint32_t ms;			/* bytes of metadata */
	unsigned int format;		/* in use, of 64 */
	uint8_t mdts, cntrltype, dps, nsattr;

	/* What goes wrong.  Numbers count from 1; 0: never. */
	bool stuck_disable, stuck_enable, stuck_shutdown;
	bool fatal_enable;
	unsigned int fail_from, fail_to;	/* I/O commands */
	uint32_t fail_status;		/* type and code */
	unsigned int fail_admin;
	unsigned int drop_at;		/* I/O command without answer */
	uint64_t late_us;		/* the dropped one answers after all */
	unsigned int fatal_at;		/* I/O command that sets CFS */
	bool fatal_once;
	bool strays;			/* answers that nobody asked for */
	bool backwards;			/* answers the newest first */

	/* State. */
	uint32_t cc, csts, aqa;
	uint64_t asq, acq;
	uint64_t rdy_at, shst_at;	/* when CSTS follows CC; 0: it has */
	struct fakenvme_queue q[2];
	unsigned int nadmin, nio, nflush, nfeatures, nenable;
	unsigned int nunflushed;	/* writes in the volatile cache */
	uint64_t late_at;
	uint16_t late_cid;
};

/* A controller with a namespace of nblks blocks, in the state in which the
 * stock driver leaves it. */
void fakenvme_init(struct fakenvme *f, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks);
void fakenvme_fini(struct fakenvme *f);

#endif /* FAKENVME_H */
