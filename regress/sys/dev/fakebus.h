/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakebus.h: a dumpdev_bus for unit tests: PCI configuration space, registers
 * that a fake device answers, DMA memory with bus addresses of its own, and a
 * clock that stands still but for relax().
 *
 * It is strict: an access that is not aligned or outside its BAR, a write while
 * armed, a BAR that is changed while it is decoded, and DMA outside what was
 * allocated, or with bus master off, fail the test.
 */
#ifndef FAKEBUS_H
#define FAKEBUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/ktypes.h>
#include <dev/dumpdev.h>

#define FAKEBUS_MAXDMA	64

struct fakebus {
	struct dumpdev_bus bus;

	uint8_t cfg[256];
	bool caps;		/* fakebus_caps() */
	bool sleeps_on;		/* it does not wake up */
	uint64_t ready_us;	/* from a reset's end until it answers */
	uint64_t ready_at;	/* absolute; all ones before */
	uint32_t notready;	/* what the id is read as before */
	unsigned int nresets;	/* by PCI Express, or by the bridge */
	void (*reset)(void *dev);	/* what that does to the device */

	/* The bridge above, and what it is above of; NULL. */
	struct fakebus *above, *below;
	uint8_t secondary;	/* a bridge's right bus number, and window */
	uint32_t window;

	uint64_t bar_len[DUMPDEV_NBARS];	/* 0: no such BAR */
	uint32_t bar_at[DUMPDEV_NBARS];	/* where they answer; 0: anywhere */
	bool bar_mapped[DUMPDEV_NBARS];

	/* The device behind the BARs. */
	void *dev;
	uint64_t (*reg_read)(void *dev, unsigned int bar, uint64_t off,
	    unsigned int size);
	void (*reg_write)(void *dev, unsigned int bar, uint64_t off,
	    unsigned int size, uint64_t v);
	void (*step)(void *dev);	/* some of its own work */

	uint64_t now_us;
	uint64_t relax_us;		/* what a relax() takes */

	bool armed;			/* nothing may be written */
	uint64_t naccess;		/* to registers and config space */
	uint64_t gone_at;		/* from this access on all ones; 0 */

	struct dumpdev_dma dma[FAKEBUS_MAXDMA];
	uint64_t next_busaddr;
	unsigned int nallocs;
	unsigned int fail_alloc_at;	/* this allocation fails; 0: none */
};

void fakebus_init(struct fakebus *fb);
/* Asserts that everything was given back. */
void fakebus_check_released(const struct fakebus *fb);

void fakebus_cfg_set4(struct fakebus *fb, unsigned int off, uint32_t v);
uint32_t fakebus_cfg_get4(const struct fakebus *fb, unsigned int off);

/* Gives it two more capabilities, power management and PCI Express, with its
 * reset or without; and addresses to its BARs. */
#define FAKEBUS_PM	0xe0u
#define FAKEBUS_EXPRESS	0xf0u
void fakebus_caps(struct fakebus *fb, bool flr);
/* Puts fb behind a bridge, with such capabilities, that is running. */
void fakebus_bridge(struct fakebus *bridge, struct fakebus *fb);
/* As a reset leaves it: no BARs, no bus numbers, nothing decoded. */
void fakebus_forget(struct fakebus *fb);

/* The memory at [busaddr, busaddr + len), which must lie in one allocation. */
void *fakebus_dma(struct fakebus *fb, uint64_t busaddr, uint64_t len);

#endif /* FAKEBUS_H */
