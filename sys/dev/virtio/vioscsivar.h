/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vioscsivar.h: the virtio-scsi dump driver's own structures, and what
 * vioscsi_cmd.c plans for vioscsi.c.
 */
#ifndef _DEV_VIOSCSIVAR_H_
#define _DEV_VIOSCSIVAR_H_

#include <dev/scsireg.h>
#include <dev/virtio/virtiovar.h>

#define VIOSCSI_NSEGS	3		/* descriptors: request, answer, data */
#define VIOSCSI_TRIES	8		/* of one request, where it says so */

/* dd->unit: which disk of the host. */
#define VIOSCSI_TARGET(unit)	((unit) >> 16)
#define VIOSCSI_LUN(unit)	((unit) & 0xffff)
#define VIOSCSI_MAXTARGET	255u
#define VIOSCSI_MAXLUN		16383u

struct vioscsi_softc {
	struct virtio_softc virtio;
	struct dumpdev_dma mem;		/* the queue, requests, answers */
	struct vq vq;
	unsigned int inflight_max;	/* commands that the disk takes */
	unsigned int ninflight;
	uint32_t waiting;		/* a bit for each slot not sent yet */
	uint64_t resume_us;		/* when they may be sent */
	unsigned int tries[DUMPDEV_MAXSLOTS];
};

/* One command and the memory for its data. */
struct vioscsi_cmd {
	uint8_t cdb[VIOSCSI_CDB_LEN];
	uint64_t busaddr;
	uint32_t len;			/* bytes of data; 0: none */
	bool write;			/* data from host to device */
};

/* The SCSI command that does op. */
void vioscsi_cmd_plan(struct vioscsi_cmd *cmd, enum dumpdev_op op, uint64_t blk,
    uint32_t nblks, uint32_t blksize, uint64_t busaddr);
/* READ CAPACITY, of 16 or 10 bytes. */
void vioscsi_cmd_capacity(struct vioscsi_cmd *cmd, bool is16, uint64_t busaddr);
/* The request's header, and an answer that says that there is none. */
void vioscsi_req_fill(const struct vioscsi_cmd *cmd, uint32_t unit, uint64_t id,
    struct vioscsi_req *req, struct vioscsi_resp *resp);
/* Descriptors; their number. */
unsigned int vioscsi_segs(const struct vioscsi_cmd *cmd, uint64_t req_busaddr,
    uint64_t resp_busaddr, struct vq_seg *segs);

/* What an answer means. */
enum vioscsi_verdict {
	VIOSCSI_GOOD,
	VIOSCSI_AGAIN,			/* nothing wrong: ask again */
	VIOSCSI_NOT_READY,		/* ask again, later */
	VIOSCSI_NO_COMMAND,		/* it does not know the command */
	VIOSCSI_BAD,
};
enum vioscsi_verdict vioscsi_judge(const struct vioscsi_resp *resp);
/* Sense key, asc and ascq as 0xkaaqq; 0: no sense data. */
uint32_t vioscsi_sense(const struct vioscsi_resp *resp);

/* Judge of what READ CAPACITY returned: 0, -EAGAIN: ask the longer one; or
 * -EOPNOTSUPP and such, with reason. */
__must_check int vioscsi_capacity_check(struct dumpdev *dd, bool is16,
    const uint8_t *data);

#endif /* _DEV_VIOSCSIVAR_H_ */
