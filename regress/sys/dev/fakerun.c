/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakerun.c: the workload that the driver tests run; see fakerun.h.
 */
#include "fakerun.h"

static uint32_t
fakerun_maxblks(const struct dumpdev *dd)
{
	return dd->slot_len / dd->blksize;
}

uint64_t
fakerun_nblks(const struct dumpdev *dd)
{
	return (uint64_t)FAKERUN_NREQS * (fakerun_maxblks(dd) + 1) + 8;
}

static uint8_t
fakerun_byte(unsigned int req, uint64_t off)
{
	return (uint8_t)(req * 31 + off + (off >> 9) * 7 + (off >> 12) * 13);
}

/* Lengths: the most, one block, a page and its neighbours, and others. */
static void
fakerun_plan(const struct dumpdev *dd, struct fakerun *run)
{
	const uint32_t max = fakerun_maxblks(dd), page = 4096 / dd->blksize;
	const uint32_t some[] = { max, 1, page, page + 1, 2 * page,
	    2 * page + 1, max - 1 };
	unsigned int i;

	memset(run, 0, sizeof(*run));
	for (i = 0; i < FAKERUN_NREQS; i++) {
		run->nblks[i] = i < 7 ? some[i] : 1 + i * 5 % max;
		if (run->nblks[i] == 0 || run->nblks[i] > max)
			run->nblks[i] = max;
		/* From the end to the beginning, with a block between. */
		run->blk[i] = dd->nblks - (uint64_t)(i + 1) * (max + 1);
	}
}

static void
fakerun_note(struct fakerun *run, int error)
{
	if (run->first == 0)
		run->first = error;
}

static void
fakerun_wait(struct dumpdev *dd, struct fakerun *run, unsigned int slot,
    int *reqs, enum dumpdev_op op)
{
	const uint8_t *va = dd->slots[slot].buf.va;
	uint64_t off;
	int error, req = reqs[slot];

	if (req < 0)
		return;
	reqs[slot] = -1;
	error = dumpdev_wait(dd, slot);
	fakerun_note(run, error);
	if (error != 0) {
		run->nerrors++;
		if (op == DUMPDEV_WRITE)
			run->status[req] = error;
		return;
	}
	if (op == DUMPDEV_WRITE || run->status[req] != 0)
		return;
	for (off = 0; off < (uint64_t)run->nblks[req] * dd->blksize; off++)
		if (va[off] != fakerun_byte((unsigned int)req, off))
			run->nwrong++;
}

static void
fakerun_requests(struct dumpdev *dd, struct fakerun *run, enum dumpdev_op op)
{
	int reqs[DUMPDEV_MAXSLOTS];
	unsigned int req, slot;
	uint64_t off;
	uint8_t *va;
	int error;

	memset(reqs, 0xff, sizeof(reqs));
	for (req = 0; req < FAKERUN_NREQS && !dd->dead; req++) {
		slot = req % dd->nslots;
		fakerun_wait(dd, run, slot, reqs, op);
		va = dd->slots[slot].buf.va;
		for (off = 0; off < dd->slot_len; off++)
			va[off] = op == DUMPDEV_READ ? 0x55 :
			    fakerun_byte(req, off);
		error = dumpdev_submit(dd, op, slot, run->blk[req],
		    run->nblks[req]);
		fakerun_note(run, error);
		if (error == 0) {
			reqs[slot] = (int)req;
		} else {
			run->nerrors++;
			run->status[req] = error;
		}
	}
	for (; req < FAKERUN_NREQS && op == DUMPDEV_WRITE; req++)
		run->status[req] = -EIO;
	for (slot = 0; slot < dd->nslots; slot++)
		fakerun_wait(dd, run, slot, reqs, op);
}

int
fakerun(struct dumpdev *dd, struct fakerun *run)
{
	const struct dumpdev_dma *buf;
	unsigned int i, slot;
	int error;

	memset(run, 0, sizeof(*run));
	error = dumpdev_start(dd);
	fakerun_note(run, error);
	if (error == 0) {
		fakerun_plan(dd, run);
		fakerun_requests(dd, run, DUMPDEV_WRITE);
		error = dumpdev_flush(dd);
		fakerun_note(run, error);
		if (error != 0)
			run->nerrors++;
		fakerun_requests(dd, run, DUMPDEV_READ);
	} else {
		for (i = 0; i < FAKERUN_NREQS; i++)
			run->status[i] = error;
	}
	fakerun_note(run, dumpdev_stop(dd));
	for (slot = 0; slot < dd->nslots; slot++) {
		buf = &dd->slots[slot].buf;
		assert_true(buf->va != NULL && buf->len >= dd->slot_len);
	}
	return run->first;
}

void
fakerun_check_disk(const struct dumpdev *dd, const struct fakerun *run,
    const struct fakedisk *disk)
{
	const uint64_t len = dd->nblks * dd->blksize;
	const uint8_t *data = disk->data;
	uint64_t at = 0, off, begin;
	unsigned int i;

	/* The last request lies first on the disk. */
	for (i = FAKERUN_NREQS; i-- > 0;) {
		begin = run->blk[i] * dd->blksize;
		for (; at < begin; at++)
			if (data[at] != FAKEDISK_FILL)
				fail_msg("byte %llu changed",
				    (unsigned long long)at);
		for (off = 0; off < (uint64_t)run->nblks[i] * dd->blksize;
		    off++, at++)
			if (run->status[i] == 0 &&
			    data[at] != fakerun_byte(i, off))
				fail_msg("request %u: byte %llu is wrong", i,
				    (unsigned long long)off);
	}
	for (; at < len; at++)
		if (data[at] != FAKEDISK_FILL)
			fail_msg("byte %llu changed", (unsigned long long)at);
}
