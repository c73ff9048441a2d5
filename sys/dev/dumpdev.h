/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dumpdev.h: polled dump drivers, and the bus they reach their controller by.
 *
 * A driver is one const table of functions.  It knows its controller's protocol
 * and nothing else: registers, DMA memory and time come from a dumpdev_bus, so
 * that the same code runs over a fake bus in a unit test.  dumpdev(9) is the
 * recipe for adding one.
 *
 * Two contexts.  "Armed": process context, may sleep; the stock driver owns the
 * controller, so registers may be read, and nothing may be written.  "Panic":
 * one CPU, interrupts off; no allocation, no lock, no sleep.
 */
#ifndef _DEV_DUMPDEV_H_
#define _DEV_DUMPDEV_H_

#include <sys/ktypes.h>

struct dumpdev;
struct dumpdev_bus;

/* DMA memory: contiguous for the device, from dma_alloc. */
struct dumpdev_dma {
	void *va;
	uint64_t busaddr;
	size_t len;		/* bytes, a multiple of 4096 */
};

#define DUMPDEV_NBARS	6

/*
 * The bus.  cfg_*, read*, write*, now_us and relax work in both contexts and
 * never fail: a device that is gone reads as all ones.  Offsets are bytes and
 * naturally aligned.
 */
struct dumpdev_bus_ops {
	uint32_t (*cfg_read4)(struct dumpdev_bus *, unsigned int off);
	void (*cfg_write4)(struct dumpdev_bus *, unsigned int off, uint32_t v);

	/* Armed only.  Maps all of a memory BAR: 0, -ENODEV (no such BAR, not
	 * memory), -ENOMEM.  *len is its size in bytes. */
	int (*bar_map)(struct dumpdev_bus *, unsigned int bar, uint64_t *len);
	void (*bar_unmap)(struct dumpdev_bus *, unsigned int bar);

	uint8_t (*read1)(struct dumpdev_bus *, unsigned int bar, uint64_t off);
	uint16_t (*read2)(struct dumpdev_bus *, unsigned int bar, uint64_t off);
	uint32_t (*read4)(struct dumpdev_bus *, unsigned int bar, uint64_t off);
	void (*write1)(struct dumpdev_bus *, unsigned int bar, uint64_t off,
	    uint8_t v);
	void (*write2)(struct dumpdev_bus *, unsigned int bar, uint64_t off,
	    uint16_t v);
	void (*write4)(struct dumpdev_bus *, unsigned int bar, uint64_t off,
	    uint32_t v);

	/* Armed only.  Zeroed, page-aligned for CPU and device: 0, -ENOMEM. */
	int (*dma_alloc)(struct dumpdev_bus *, size_t len,
	    struct dumpdev_dma *);
	void (*dma_free)(struct dumpdev_bus *, struct dumpdev_dma *);

	/* Armed only.  The same, for a slot's buffer: other devices may have
	 * it too, of which one at a time is started. */
	int (*buf_alloc)(struct dumpdev_bus *, size_t len,
	    struct dumpdev_dma *);
	void (*buf_free)(struct dumpdev_bus *, struct dumpdev_dma *);

	uint64_t (*now_us)(struct dumpdev_bus *);	/* monotonic */
	void (*relax)(struct dumpdev_bus *);	/* between two polls */
};

/* Configuration space when armed: the header, and PCI Express's control. */
struct dumpdev_pci {
	uint32_t header[16];
	uint32_t express_ctl;
};

struct dumpdev_bus {
	const struct dumpdev_bus_ops *ops;
	void *cookie;
	bool platform;		/* not PCI: configuration space reads as all
				 * ones, and BAR 0 has all registers */
	bool virtfn;		/* an SR-IOV virtual function: id, BARs and
				 * memory space are its physical function's */
	/* The bridge above, of which the cfg_* alone are called; NULL: the
	 * function is on the root bus. */
	struct dumpdev_bus *bridge;
	struct dumpdev_pci pci;		/* dumpdev_pci_save()'s */
};

#define DUMPDEV_MAXBRIDGES 8

/* Orders memory between CPU and device: stores before a doorbell, a
 * completion's phase or index before its contents. */
#define dumpdev_wmb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define dumpdev_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)

enum dumpdev_op {
	DUMPDEV_READ,
	DUMPDEV_WRITE,
	DUMPDEV_FLUSH,		/* blk and nblks are 0 */
};

#define DUMPDEV_MAXSLOTS 32
#define DUMPDEV_MINSLOTS 2	/* one for data, one for records */
#define DUMPDEV_BUSY	1	/* slot status: no answer yet */

/*
 * A slot is one request in flight and its bounce buffer.  status: 0 idle or
 * done well, DUMPDEV_BUSY no answer yet, negative errno done badly and not told
 * to anybody yet.  A bad status is told once: by dumpdev_wait(), by
 * dumpdev_drain(), or by the dumpdev_submit() that would use the slot again.
 */
struct dumpdev_slot {
	struct dumpdev_dma buf;	/* slot_len bytes; the last's: last_len */
	int status;
	uint64_t deadline_us;	/* absolute; set by dumpdev_submit() */
	enum dumpdev_op op;	/* what is asked, to ask it again */
	uint32_t nblks;
	uint64_t blk;
};

/*
 * To add a driver: write a table, declare it beside dumpdev_drivers[] below,
 * and name it in that list (dumpdev.c).
 * Functions return 0 or a negative errno; a failing one has called
 * dumpdev_fail() with one line for a person.
 */
struct dumpdev_ops {
	const char *name;
	size_t softc_size;	/* bytes of dd->softc, zeroed before attach */

	/*
	 * Armed.  Is this controller ours?  Config space only; on the platform
	 * bus registers that may be read at any time.  0: yes.
	 * -ENODEV: not mine, ask the next.  -EOPNOTSUPP: mine, but of a kind
	 * that can't be used; reason set.
	 */
	int (*match)(struct dumpdev *);

	/*
	 * Armed.  Map BARs, check what can be checked by reading alone,
	 * allocate queues for dd->nslots slots, and compute what can be
	 * computed now.  May lower nslots and slot_len.  On failure everything
	 * is given back.
	 */
	int (*attach)(struct dumpdev *);
	void (*detach)(struct dumpdev *);	/* undoes attach; armed */

	/*
	 * Panic.  Take the controller over: reset, own queues, ready for
	 * submit.  Check that block size and capacity are what dd says.  May
	 * lower nslots and slot_len.  Also used to bring a broken controller
	 * back; then it comes to the same nslots and slot_len.
	 */
	int (*start)(struct dumpdev *);

	/*
	 * Panic.  Start a request on an idle slot: nblks blocks from or to
	 * the slot's buffer, at most slot_len bytes.  The caller has checked
	 * the range and set the slot BUSY.  Does not wait.  May set the status
	 * itself where there is nothing to do.  -EIO: the queue refused it.
	 */
	int (*submit)(struct dumpdev *, enum dumpdev_op, unsigned int slot,
	    uint64_t blk, uint32_t nblks);

	/*
	 * Panic.  Look once at the completion queue; set the status of every
	 * slot that has an answer.  Ignores answers nobody waits for.
	 * -EIO: the controller is broken or gone, no answer will come.
	 */
	int (*poll)(struct dumpdev *);

	/* Panic.  Orderly shutdown of a controller that was flushed, or of
	 * one that start or poll gave up: quiet, whatever state it is in. */
	int (*stop)(struct dumpdev *);
};

struct dumpdev {
	const struct dumpdev_ops *ops;
	struct dumpdev_bus *bus;
	void *softc;

	/* Set by whoever arms, before match and attach; softc, zeroed and
	 * of ops->softc_size bytes, between the two. */
	uint32_t unit;		/* NVMe: namespace id.  AHCI: port.
				 * virtio-blk: 0.  virtio-scsi: target << 16 |
				 * LUN */
	uint32_t blksize;	/* bytes of a logical block: 512 .. 4096 */
	uint64_t nblks;		/* the disk has as many blocks at least, and
				 * no other is asked for */
	unsigned int nslots;	/* wished for; lowered, to 2 at least */
	uint32_t slot_len;	/* bytes of a bounce buffer; multiple of 4096 */
	uint32_t last_len;	/* bytes of the last slot's buffer; 0: slot_len.
				   A multiple of 4096 */
	uint32_t max_xfer;	/* the stock driver's limit in bytes; 0: none */

	struct dumpdev_slot slots[DUMPDEV_MAXSLOTS];
	bool started;		/* dumpdev_start() was called */
	bool dead;		/* timed out or broken: touch it no more */
	unsigned int nrestarts;	/* broken and brought back */
	char reason[160];	/* of the first failure */
};

/* Time limits in microseconds. */
#define DUMPDEV_IO_TIMEOUT_US	(10ull * 1000 * 1000)
#define DUMPDEV_FLUSH_TIMEOUT_US (30ull * 1000 * 1000)

/* How often a broken controller is started again before it is given up. */
#define DUMPDEV_MAXRESTARTS 1

/* The registry: every driver there is, ending in NULL. */
extern const struct dumpdev_ops *const dumpdev_drivers[];
extern const struct dumpdev_ops nvme_dumpdev_ops;
extern const struct dumpdev_ops vioblk_dumpdev_ops;
extern const struct dumpdev_ops vioscsi_dumpdev_ops;
extern const struct dumpdev_ops ahci_dumpdev_ops;

/*
 * The one wait.  Calls done(arg) until it returns non-zero or timeout_us have
 * passed: what done returned (positive: done, negative errno: given up), or
 * -ETIMEDOUT.  done is called at least once after the time is over.
 */
__must_check int poll_until(struct dumpdev_bus *bus, int (*done)(void *),
    void *arg, uint64_t timeout_us);

/* Notes why dd failed; the first reason stays.  Returns error. */
__printf(3, 4) int dumpdev_fail(struct dumpdev *dd, int error, const char *fmt,
    ...);

/* "read", "write" or "flush": for a reason. */
const char *dumpdev_op_name(enum dumpdev_op op);

/* Armed.  A driver's DMA memory, zeroed: as the bus's dma_alloc, with a reason
 * that says what it was for.  On failure mem is all zeros. */
__must_check int dumpdev_dma_alloc(struct dumpdev *dd, size_t len,
    struct dumpdev_dma *mem, const char *what);
/* Gives back what there is, and zeroes mem. */
void dumpdev_dma_free(struct dumpdev *dd, struct dumpdev_dma *mem);

/*
 * Armed.  Finds the driver for dd's bus and unit: sets dd->ops.  -ENODEV: no
 * driver knows the controller.  -EOPNOTSUPP: one does, and refuses.
 */
__must_check int dumpdev_match(struct dumpdev *dd);
/* Armed.  Allocates slot buffers and attaches; detach gives all back.  Lowers
 * slot_len to max_xfer. */
__must_check int dumpdev_attach(struct dumpdev *dd);
void dumpdev_detach(struct dumpdev *dd);

/* Armed.  Keeps what a function, and the bridges above it, forget in a sleep or
 * a reset. */
void dumpdev_pci_save(struct dumpdev *dd);
/*
 * Panic.  Brings the bridges and the function to where they were when armed:
 * awake, out of a reset that was not at its end, with their BARs, bus numbers
 * and windows; and sets memory space and bus master.  0, or -ENXIO: gone, asleep
 * for ever, or another controller is in its place.  What is not on PCI is as it
 * was.
 */
__must_check int dumpdev_pci_enable(struct dumpdev *dd);
/* Panic.  Resets the function by PCI Express; dumpdev_pci_enable() is next.
 * False: it can't do that. */
bool dumpdev_pci_reset(struct dumpdev *dd);
/* Panic.  Clears bus master: what the function is still about does no DMA any
 * more. */
void dumpdev_pci_disable(struct dumpdev *dd);

/*
 * Panic.  All of these return -EIO once dd is dead; the call that finds it so
 * may say -ETIMEDOUT or -ENXIO.  nslots and slot_len are final when
 * dumpdev_start() has returned 0; a controller that does not start is reset as
 * a PCI function, and has one more try.  One that breaks later (not one
 * that times out) is started again and asked again, DUMPDEV_MAXRESTARTS times,
 * without the caller noticing.
 */
__must_check int dumpdev_start(struct dumpdev *dd);
/* Waits for the slot if it is busy, then starts the request.  Where the slot's
 * last request went wrong and nobody was told: that status, nothing started.
 * -EINVAL: outside the disk or the buffer. */
__must_check int dumpdev_submit(struct dumpdev *dd, enum dumpdev_op op,
    unsigned int slot, uint64_t blk, uint32_t nblks);
/* Waits until the slot is no longer busy: its status.  A time-out marks dd
 * dead. */
__must_check int dumpdev_wait(struct dumpdev *dd, unsigned int slot);
/* Waits for all slots: the first bad status, or 0. */
__must_check int dumpdev_drain(struct dumpdev *dd);
/* Drains, then flushes the device's write cache. */
__must_check int dumpdev_flush(struct dumpdev *dd);
/* Flushes and shuts the controller down.  The latter even if dd is dead; and
 * where one of the two goes wrong its DMA is cut off, because others use the
 * buffers next. */
__must_check int dumpdev_stop(struct dumpdev *dd);

#endif /* _DEV_DUMPDEV_H_ */
