/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memdev.h: a disk in memory behind sys/dev/dumpdev.h, with a volatile write
 * cache, late and unordered answers, faults at the Nth request, and power cuts.
 *
 * It fails the test itself when a write goes outside the window or to its first
 * page, when a buffer changes while it is in flight, and when anybody touches
 * a device that was given up.
 */
#ifndef _REGRESS_MEMDEV_H_
#define _REGRESS_MEMDEV_H_

#include <kern/dump.h>

enum memdev_fault {
	MEMDEV_NONE,
	MEMDEV_FAIL,		/* answers -EIO */
	MEMDEV_REFUSE,		/* the queue takes no request */
	MEMDEV_HANG,		/* never answers */
	MEMDEV_BREAK,		/* poll fails until the device is started */
	MEMDEV_GONE,		/* reads as all ones from then on */
};

/* A write that is not on the medium yet. */
struct memdev_write {
	uint64_t id;
	uint64_t blk;
	uint32_t nblks;		/* fewer than asked where it failed midway */
	bool done;		/* answered */
	bool flushing;		/* a flush that has begun covers it */
	uint8_t *data;
};

struct memdev_req {
	bool busy;
	enum dumpdev_op op;
	uint64_t due_us;
	int status;		/* the answer it will get */
	uint64_t write;		/* id of the write; 0: it is none */
	uint8_t *copy;		/* of the buffer, as it was when submitted */
};

struct memdev {
	struct dumpdev dd;
	struct dumpdev_bus bus;
	uint8_t *medium;	/* what survives a power cut */
	const struct dump_extent *ext;	/* where writes may go */
	unsigned int next;
	uint64_t window_size;

	uint64_t latency_us;
	uint64_t relax_us;
	struct memdev_req req[DUMPDEV_MAXSLOTS];
	struct memdev_write *cache;
	size_t ncache, cache_room;
	uint64_t nwrites;
	unsigned int count[3];	/* requests, by enum dumpdev_op */
	unsigned int nstarts, nstops;

	enum memdev_fault fault;
	enum dumpdev_op fault_op;
	unsigned int fault_nth;	/* from 1 */
	bool fault_forever;
	unsigned int fault_also; /* so many requests after the first, too */
	bool broken, gone;

	/* Called after each write and flush that was taken, and answered. */
	void (*event)(void *arg);
	void *arg;
};

enum memdev_cut {
	MEMDEV_CUT_NONE,	/* of what is in the cache reaches the medium */
	MEMDEV_CUT_ALL,
	MEMDEV_CUT_WRITES,	/* some of the writes do */
	MEMDEV_CUT_BLOCKS,	/* some of the blocks do */
};

/* Armed and ready for dumpdev_start(); zeroed medium. */
void memdev_init(struct memdev *m, uint64_t nblks, uint32_t blksize,
    unsigned int nslots, uint32_t slot_len);
void memdev_fini(struct memdev *m);
void memdev_allow(struct memdev *m, const struct dump_window *w);
/* The page at window offset off, on the medium. */
uint8_t *memdev_page(const struct memdev *m, uint64_t off);
/* Is a write in the cache that touches that page? */
bool memdev_unsure(const struct memdev *m, uint64_t off);
/* Calls fn as if the power had been cut now, then goes on. */
void memdev_cut(struct memdev *m, enum memdev_cut how, void (*fn)(void *),
    void *arg);

#endif /* _REGRESS_MEMDEV_H_ */
