/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nvmevar.h: the NVMe dump driver's own structures, and what nvme_cmd.c plans
 * for nvme.c.
 */
#ifndef _DEV_NVMEVAR_H_
#define _DEV_NVMEVAR_H_

#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/nvme/nvmereg.h>

/* One queue pair; the completion queue is as deep as the submission queue. */
struct nvme_queue {
	uint16_t qid;
	uint16_t depth;
	uint16_t tail;		/* where our next command goes */
	uint16_t head;		/* how far the controller has read */
	uint16_t cq_head;
	uint16_t phase;		/* of entries that are new */
	struct nvme_sqe *sq;
	volatile struct nvme_cqe *cq;
	uint64_t sq_busaddr;
	uint64_t cq_busaddr;
};

struct nvme_softc {
	bool mapped;
	uint32_t db_stride;		/* bytes from doorbell to doorbell */
	uint64_t ready_us;		/* CAP.TO: limit of enable, disable */

	/* Queues, one page for Identify, and the PRP lists. */
	struct dumpdev_dma mem;
	struct nvme_queue admin;
	struct nvme_queue io;
	uint8_t *ident;
	uint64_t ident_busaddr;
	uint64_t prp_busaddr;
	uint32_t prp_stride;		/* bytes from slot's list to list */

	/* A command's id is its slot and a count, so that an answer which is
	 * late, or to nothing that we asked, finds nobody. */
	uint16_t count;
	uint16_t cid[DUMPDEV_MAXSLOTS];
	uint64_t nstrays;

	uint64_t checked_us;		/* when CSTS was read last */
};

/* What CAP says.  -EOPNOTSUPP with a reason: not a controller we can drive. */
__must_check int nvme_cap_check(struct dumpdev *dd, uint64_t cap);

/* PRP lists: one per slot, for the whole of its buffer, computed once. */
#define NVME_PRP_MAXLEN	(NVME_PAGE / 8 * NVME_PAGE)	/* one list page */
uint32_t nvme_prp_stride(uint32_t len);
void nvme_prp_fill(uint64_t *list, uint64_t busaddr, uint32_t len);
uint64_t nvme_prp2(uint64_t busaddr, uint64_t list_busaddr, uint32_t len);

#define NVME_CID_SLOT(cid)	((cid) & (DUMPDEV_MAXSLOTS - 1))
uint16_t nvme_cid(unsigned int slot, uint16_t count);

/* Judges of what Identify returned; 0, or -EOPNOTSUPP and such, with reason.
 * The first lowers dd->slot_len to MDTS. */
__must_check int nvme_idc_check(struct dumpdev *dd, const uint8_t *page);
__must_check int nvme_idn_check(struct dumpdev *dd, const uint8_t *page);

#endif /* _DEV_NVMEVAR_H_ */
