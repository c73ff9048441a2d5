/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * watchdog.h: chips that reset the machine unless they are fed.  Whoever fed one
 * is dead after a panic, and a dump may take longer than the chip waits; so the
 * dump feeds it.  One that does not run is left alone, and so is its time-out:
 * when the dump is over the chip may do its work.
 */
#ifndef _DEV_WATCHDOG_H_
#define _DEV_WATCHDOG_H_

#include <sys/ktypes.h>

struct watchdog;

/* The chip's registers and, where it is a PCI function, configuration space.
 * off in bytes.  No call fails or waits. */
struct watchdog_io {
	uint8_t (*cfg_read1)(struct watchdog *, unsigned int off);
	uint16_t (*read2)(struct watchdog *, unsigned int off);
	void (*write2)(struct watchdog *, unsigned int off, uint16_t v);
};

/*
 * To add a chip: write a table, declare it below, and have sys/os/feed.c find the
 * chip.  Both functions are called after a panic, on one CPU with interrupts off;
 * the chip's own driver may have been stopped between any two of its accesses.
 */
struct watchdog_ops {
	const char *identity;	/* as in /sys/class/watchdog/N/identity */
	bool (*running)(struct watchdog *);
	void (*feed)(struct watchdog *);
};

struct watchdog {
	const struct watchdog_ops *ops;
	const struct watchdog_io *io;
};

extern const struct watchdog_ops i6300esb_watchdog_ops;
extern const struct watchdog_ops tco_watchdog_ops;

#endif /* _DEV_WATCHDOG_H_ */
