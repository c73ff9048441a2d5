/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tco.c: the TCO timer of Intel's I/O controller hubs from ICH6 on and of the
 * chipsets after them (I/O Controller Hub 9, document 316972, 13.9).  It counts
 * down twice; the end of the second time resets the machine.
 */
#include <dev/watchdog.h>

#define TCO_RLD		0x00	/* writing anything reloads the timer */
#define TCO_RLD_NOW	0x0001u
#define TCO1_CNT	0x08
#define TCO1_CNT_HALT	0x0800u

static bool
tco_running(struct watchdog *w)
{
	return (w->io->read2(w, TCO1_CNT) & TCO1_CNT_HALT) == 0;
}

static void
tco_feed(struct watchdog *w)
{
	w->io->write2(w, TCO_RLD, TCO_RLD_NOW);
}

const struct watchdog_ops tco_watchdog_ops = {
	.identity = "iTCO_wdt",
	.running = tco_running,
	.feed = tco_feed,
};
