/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * i6300esb.c: the watchdog timer of Intel's 6300ESB I/O controller hub (document
 * 300641, chapter 15), which QEMU has too.  Two stages count down, one after the
 * other; the end of the second resets the machine.  A reload begins anew with
 * the first, and must follow two writes that unlock it.
 */
#include <dev/watchdog.h>

/* Configuration space */
#define ESB_LOCK	0x68
#define ESB_LOCK_ENABLE	0x02u

/* Registers in BAR 0 */
#define ESB_RELOAD	0x0c
#define ESB_RELOAD_NOW	0x0100u
#define ESB_UNLOCK1	0x80u
#define ESB_UNLOCK2	0x86u

static bool
i6300esb_running(struct watchdog *w)
{
	const uint8_t lock = w->io->cfg_read1(w, ESB_LOCK);

	return lock != 0xff && (lock & ESB_LOCK_ENABLE) != 0;
}

static void
i6300esb_feed(struct watchdog *w)
{
	w->io->write2(w, ESB_RELOAD, ESB_UNLOCK1);
	w->io->write2(w, ESB_RELOAD, ESB_UNLOCK2);
	w->io->write2(w, ESB_RELOAD, ESB_RELOAD_NOW);
}

const struct watchdog_ops i6300esb_watchdog_ops = {
	.identity = "i6300ESB timer",
	.running = i6300esb_running,
	.feed = i6300esb_feed,
};
