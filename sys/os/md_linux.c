// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * md_linux.c: dump_md.h's answers that need Linux but no particular machine.
 */
#include <linux/elf.h>
#include <linux/nmi.h>
#include <linux/printk.h>
#include <linux/xxhash.h>

#include <md.h>
#include <os/os.h>

#define WATCHDOG_US	100000u

void
md_printf(const char *fmt, ...)
{
	struct va_format vaf;
	va_list ap;

	va_start(ap, fmt);
	vaf.fmt = fmt;
	vaf.va = &ap;
	printk(KERN_EMERG "%pV", &vaf);
	va_end(ap);
}

size_t
md_log_tail(char *buf, size_t len)
{
	KCOMPAT_KMSG_ITER(iter);
	size_t used = 0;

	kmsg_dump_rewind(&iter);
	if (!kmsg_dump_get_buffer(&iter, true, buf, len, &used))
		return 0;
	return used;
}

/* Touching the kernel's own marks every CPU, and the dump core calls this for
 * every run of pages. */
void
md_watchdog(void)
{
	static u64 last_us;
	u64 now = md_now_us();

	if (now - last_us < WATCHDOG_US)
		return;
	last_us = now;
	touch_nmi_watchdog();
	feed_watchdogs();
}

static struct xxh64_state *
state_of(struct md_xxh64 *x)
{
	BUILD_BUG_ON(sizeof(struct xxh64_state) > sizeof(x->opaque));
	return (struct xxh64_state *)x->opaque;
}

void
md_xxh64_init(struct md_xxh64 *x)
{
	xxh64_reset(state_of(x), 0);
}

void
md_xxh64_update(struct md_xxh64 *x, const void *buf, size_t len)
{
	(void)xxh64_update(state_of(x), buf, len);
}

u64
md_xxh64_digest(const struct md_xxh64 *x)
{
	return xxh64_digest((const struct xxh64_state *)x->opaque);
}

u64
md_xxh64(const void *buf, size_t len)
{
	return xxh64(buf, len, 0);
}

int
md_page_read(void *dst, kpaddr_t pa, struct md_xxh64 *x)
{
	struct xxh64_state *state = state_of(x);
	u64 acc[4] = { state->v1, state->v2, state->v3, state->v4 };
	size_t left;

	left = md_copy_sum(dst, __va(pa), PAGE_SIZE, acc);
	if (left > 0) {
		memset((char *)dst + PAGE_SIZE - left, 0, left);
		(void)xxh64_update(state, dst, PAGE_SIZE);
		return -EIO;
	}
	state->total_len += PAGE_SIZE;
	state->v1 = acc[0];
	state->v2 = acc[1];
	state->v3 = acc[2];
	state->v4 = acc[3];
	return 0;
}
