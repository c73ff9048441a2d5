/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakerun.h: the workload that the driver tests run: writes through every slot,
 * a flush, all read back, a flush, a stop.  Every request has its own place and
 * pattern.
 */
#ifndef FAKERUN_H
#define FAKERUN_H

#include "fakedisk.h"

#define FAKERUN_NREQS	20
/* Requests that a run makes, where flushes are requests. */
#define FAKERUN_TOTAL	(2 * FAKERUN_NREQS + 2)

struct fakerun {
	uint32_t nblks[FAKERUN_NREQS];
	uint64_t blk[FAKERUN_NREQS];
	int status[FAKERUN_NREQS];	/* of the write */
	unsigned int nerrors;		/* requests that went wrong */
	unsigned int nwrong;		/* bytes read that were not written */
	int first;			/* the first error, of any call */
};

/* Blocks that the workload needs on dd, at most. */
uint64_t fakerun_nblks(const struct dumpdev *dd);
/* Runs it on an attached dd; the first error. */
int fakerun(struct dumpdev *dd, struct fakerun *run);
/* Asserts that disk holds what the writes that went well wrote, and that
 * nothing outside the requests changed. */
void fakerun_check_disk(const struct dumpdev *dd, const struct fakerun *run,
    const struct fakedisk *disk);

#endif /* FAKERUN_H */
