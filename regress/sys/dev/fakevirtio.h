/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakevirtio.h: a modern virtio device for unit tests: a disk (fakevirtio.c), or a
 * SCSI host (fakevioscsi.c), on PCI, or without it (fakeviommio.c).  It walks the rings and
 * descriptor chains that the driver made, and checks what the specification
 * asks of a driver.  Written from the specification; it shares no definition
 * with the driver.
 */
#ifndef FAKEVIRTIO_H
#define FAKEVIRTIO_H

#include "fakedisk.h"

#define FAKEVIRTIO_BAR	4

struct fakevirtio {
	struct fakedisk d;

	/* Its kind: which queue it serves, what is a request that counts, how
	 * it is answered, and the device's configuration. */
	uint16_t queue;
	bool (*counts)(struct fakevirtio *, uint16_t head);
	void (*answer)(struct fakevirtio *, uint16_t head);
	void (*config)(const struct fakevirtio *, uint8_t cfg[64]);

	/* What it is; set before the driver attaches. */
	uint64_t features;
	uint64_t capacity;		/* in sectors of 512 */
	uint32_t size_max, seg_max, blk_size;
	uint16_t queue_max;
	uint16_t noff;			/* queue_notify_off */

	/* What else goes wrong. */
	bool stuck_reset;
	bool refuse_features;
	uint32_t version;		/* of fakeviommio.c's registers */
	unsigned int unstable;		/* generation changes this often */

	/* State. */
	uint8_t status;
	uint8_t generation;
	uint32_t dfselect, gfselect;
	uint64_t taken;			/* features */
	uint16_t q_select, q_size, q_msix, msix, q_enable;
	bool mmio;			/* no PCI */
	uint64_t desc, driver, device;
	uint16_t avail_idx, used_idx;
	bool notified;
	bool broken;			/* does nothing until reset */
	uint64_t reset_at;		/* when status reads 0; 0: it does */
	uint32_t late_head;
	unsigned int max_offered;	/* most requests at a time */
};

/* A piece of a request's memory. */
struct fakevirtio_piece {
	uint64_t addr;
	uint32_t len;
	bool devwrites;
};

/* For the registers: a new status; the queue is ready; half of an address or of
 * the features is written. */
void fakevirtio_status(struct fakevirtio *f, uint8_t v);
void fakevirtio_enable(struct fakevirtio *f, uint64_t v);
void fakevirtio_half(uint64_t *reg, uint64_t off, uint64_t v);

/* For the kinds. */
void fakevirtio_setup(struct fakevirtio *f, struct fakebus *fb,
    uint32_t blksize, uint64_t nblks, uint32_t id);
bool fakevirtio_quiet(const void *fake);
/* Walks the chain at head; the number of its pieces. */
unsigned int fakevirtio_chain(struct fakevirtio *f, uint16_t head,
    struct fakevirtio_piece *pieces, unsigned int max);
/* Says that the device is done with the chain and wrote len bytes. */
void fakevirtio_used(struct fakevirtio *f, uint32_t head, uint32_t len);

#endif /* FAKEVIRTIO_H */
