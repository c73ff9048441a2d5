/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakedisk.h: what every fake device has: a disk, faults that a test asks for,
 * and counts.  A fake begins with a struct fakedisk, and says so to the tests
 * that all drivers share with a struct fakedev.
 */
#ifndef FAKEDISK_H
#define FAKEDISK_H

#include "fakebus.h"

#define FAKEDISK_FILL	0xee		/* what the disk holds before */

struct fakedisk {
	struct fakebus *fb;
	uint8_t *data;
	uint64_t len;

	/* What goes wrong.  Requests count from 1; 0: never. */
	unsigned int fail_from, fail_to;
	uint32_t fail_status;		/* in the device's own words */
	unsigned int drop_at;		/* request without answer */
	uint64_t late_us;		/* the dropped one answers after all */
	unsigned int break_at;		/* request that breaks the device */
	unsigned int break_how;		/* index in fakedev's breaks */
	bool break_once;
	bool strays;			/* answers that nobody asked for */
	bool backwards;			/* answers the newest first */

	/* State. */
	unsigned int nreq, nflush;
	unsigned int nunflushed;	/* writes in the volatile cache */
	unsigned int nstarts;		/* made ready for requests so often */
	uint64_t late_at;		/* when the dropped one answers */
};

/* A kind of fake device. */
struct fakedev {
	const char *driver;		/* name of the driver it is for */
	size_t size;			/* of the fake, zeroed before init */
	uint32_t unit;
	/* A device with a disk of nblks blocks, in the state in which the
	 * stock driver leaves it. */
	void (*init)(void *fake, struct fakebus *fb, uint32_t blksize,
	    uint64_t nblks);
	/* Is it shut down, so that it leaves memory alone? */
	bool (*quiet)(const void *fake);
	/* Ways in which a request can fail, and what the driver says then;
	 * the last again where there are more requests. */
	struct {
		uint32_t status;
		const char *reason;
	} failures[4];
	/* Does its driver ask again, one by one, what was in flight when one
	 * of several failed? */
	bool asks_again;
	/* Ways in which it can break, by what the driver says; NULL ends. */
	const char *breaks[4];
};

extern const struct fakedev fakeahci_dev;
extern const struct fakedev fakenvme_dev;
extern const struct fakedev fakevioscsi_dev;
extern const struct fakedev fakevirtio_dev;
extern const struct fakedev fakeviommio_dev;

void fakedisk_init(struct fakedisk *d, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks);
void fakedisk_fini(struct fakedisk *d);

/* What is at [off, off + len) of the disk, where it is on the disk. */
uint8_t *fakedisk_at(const struct fakedisk *d, uint64_t off, uint64_t len);

/* Of the request that was just counted in nreq: must it fail, break the device,
 * go without answer? */
bool fakedisk_fails(const struct fakedisk *d);
bool fakedisk_breaks(const struct fakedisk *d);
bool fakedisk_drops(struct fakedisk *d);
/* Must the dropped request be answered now?  Says so once. */
bool fakedisk_late(struct fakedisk *d);

#endif /* FAKEDISK_H */
