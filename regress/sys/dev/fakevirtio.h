/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakevirtio.h: a modern virtio block device on PCI for unit tests.  It walks
 * the rings and descriptor chains that the driver made, and checks what the
 * specification asks of a driver.  Written from the specification; it shares no
 * definition with the driver.
 */
#ifndef FAKEVIRTIO_H
#define FAKEVIRTIO_H

#include "fakedisk.h"

#define FAKEVIRTIO_BAR	4

struct fakevirtio {
	struct fakedisk d;

	/* What it is; set before the driver attaches. */
	uint64_t features;
	uint64_t capacity;		/* in sectors of 512 */
	uint32_t size_max, seg_max, blk_size;
	uint16_t queue_max;
	uint16_t noff;			/* queue_notify_off */

	/* What else goes wrong. */
	bool stuck_reset;
	bool refuse_features;
	unsigned int unstable;		/* generation changes this often */

	/* State. */
	uint8_t status;
	uint8_t generation;
	uint32_t dfselect, gfselect;
	uint64_t taken;			/* features */
	uint16_t q_select, q_size, q_msix, msix, q_enable;
	uint64_t desc, driver, device;
	uint16_t avail_idx, used_idx;
	bool notified;
	bool broken;			/* does nothing until reset */
	uint64_t reset_at;		/* when status reads 0; 0: it does */
	uint32_t late_head;
};

#endif /* FAKEVIRTIO_H */
