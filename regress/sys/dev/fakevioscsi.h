/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakevioscsi.h: a virtio SCSI host with one disk, for unit tests; the
 * transport is fakevirtio.h's.  Written from the specifications; it shares no
 * definition with the driver.
 */
#ifndef FAKEVIOSCSI_H
#define FAKEVIOSCSI_H

#include "fakevirtio.h"

#define FAKEVIOSCSI_TARGET	3u
#define FAKEVIOSCSI_LUN		261u

struct fakevioscsi {
	struct fakevirtio v;

	/* What it is; set before the driver attaches. */
	uint64_t nblks;
	uint32_t max_sectors, cmd_per_lun, sense_size, cdb_size;
	bool old;			/* no READ CAPACITY (16) */
	bool prot;			/* protection information */
	bool no_sync;			/* no SYNCHRONIZE CACHE */
	bool desc_sense;		/* sense data in descriptors */

	/* What else goes wrong. */
	bool no_disk;
	uint64_t ready_at;		/* not ready before; 0: it is */
	unsigned int busy_from, busy_to; /* requests with TASK SET FULL */
	bool short_data;		/* says that data are missing */

	/* State. */
	unsigned int attention;		/* to be told yet */
	unsigned int nbig;		/* commands of 16 bytes */
};

#endif /* FAKEVIOSCSI_H */
