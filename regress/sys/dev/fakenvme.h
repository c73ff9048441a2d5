/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakenvme.h: an NVMe controller for unit tests.  It takes commands from the
 * queues that the driver made, walks their PRPs itself, and checks what the
 * specification asks of a host.  Written from the specification; it shares no
 * definition with the driver.
 */
#ifndef FAKENVME_H
#define FAKENVME_H

#include "fakedisk.h"

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
	struct fakedisk d;

	/* What it is; set before the driver attaches. */
	uint64_t cap;
	uint32_t nsid;
	uint64_t nsze;
	uint32_t lbads;
	uint32_t ms;			/* bytes of metadata */
	unsigned int format;		/* in use, of 64 */
	uint8_t mdts, cntrltype, dps, nsattr;

	/* What else goes wrong. */
	bool stuck_disable, stuck_enable, stuck_shutdown;
	bool fatal_enable;
	unsigned int fail_admin;	/* this admin command; 0: none */

	/* State. */
	uint32_t cc, csts, aqa;
	uint64_t asq, acq;
	uint64_t rdy_at, shst_at;	/* when CSTS follows CC; 0: it has */
	struct fakenvme_queue q[2];
	unsigned int nadmin, nfeatures;
	uint16_t late_cid;
};

#endif /* FAKENVME_H */
