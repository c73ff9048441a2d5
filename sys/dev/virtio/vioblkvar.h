/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vioblkvar.h: the virtio-blk dump driver's own structures and plans.
 */
#ifndef _DEV_VIOBLKVAR_H_
#define _DEV_VIOBLKVAR_H_

#include <dev/virtio/virtiovar.h>

#define VIOBLK_MAXSEGS	64	/* of data, in one request */

struct vioblk_softc {
	struct virtio_softc virtio;
	struct dumpdev_dma mem;		/* the queue, then a page of requests */
	struct vq vq;
	uint32_t size_max;		/* bytes of one data segment */
	uint16_t nsegs;			/* descriptors of one slot */
	struct vq_seg segs[VIOBLK_MAXSEGS + 2];	/* of the one submitted */
};

/* What fits into one queue: see vioblk_fit(). */
struct vioblk_limits {
	uint32_t queue_max;		/* entries, of the device's queue */
	uint32_t seg_max;		/* data segments; 0: not said */
	uint32_t size_max;		/* bytes of one; 0: not said */
};

struct vioblk_plan {
	uint16_t queue_size;
	uint16_t nsegs;			/* descriptors of one slot */
	uint32_t size_max;
	uint32_t slot_len;
	unsigned int nslots;
};

/* Plans for nslots of slot_len bytes, or less.  -EOPNOTSUPP: not even
 * DUMPDEV_MINSLOTS slots of a page. */
__must_check int vioblk_fit(const struct vioblk_limits *limits,
    unsigned int nslots, uint32_t slot_len, struct vioblk_plan *plan);

/* Cuts a request into segments: header, data, status; their number. */
unsigned int vioblk_segs(enum dumpdev_op op, uint64_t hdr_busaddr,
    uint64_t busaddr, uint32_t len, uint32_t size_max, uint64_t status_busaddr,
    struct vq_seg *segs);

#endif /* _DEV_VIOBLKVAR_H_ */
