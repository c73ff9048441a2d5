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

struct log_tail {
	char *buf;
	size_t len, used;
};

static bool mute;	/* printk() has faulted, and its locks may be taken */

static int
say(void *vaf)
{
	printk(KERN_EMERG "%pV", vaf);
	return 0;
}

/* Nobody else is to come to a console that has faulted, either: panic() flushes
 * them all before it reboots. */
void
md_printf(const char *fmt, ...)
{
	struct va_format vaf;
	va_list ap;

	if (mute)
		return;
	va_start(ap, fmt);
	vaf.fmt = fmt;
	vaf.va = &ap;
	if (hook_guarded(say, &vaf) == -EFAULT) {
		mute = true;
		console_loglevel = CONSOLE_LOGLEVEL_SILENT;
	}
	va_end(ap);
}

static int
read_tail(void *arg)
{
	struct log_tail *t = arg;
	KCOMPAT_KMSG_ITER(iter);

	kmsg_dump_rewind(&iter);
	(void)kmsg_dump_get_buffer(&iter, true, t->buf, t->len, &t->used);
	return 0;
}

size_t
md_log_tail(char *buf, size_t len)
{
	struct log_tail t = { .buf = buf, .len = len };

	if (mute && KCOMPAT_LOG_LOCKED)
		return 0;
	if (hook_guarded(read_tail, &t) == -EFAULT) {
		md_printf("swapcore: the kernel's log can't be read: %s at %pS, "
		    "address %#lx\n", hook_fault.what, (void *)hook_fault.ip,
		    hook_fault.address);
		return 0;
	}
	return t.used;
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
md_page_read(void *dst, kpaddr_t pa, bool more, struct md_xxh64 *x)
{
	struct xxh64_state *state = state_of(x);
	u64 acc[4] = { state->v1, state->v2, state->v3, state->v4 };
	size_t left;

	if (more)
		md_page_ahead(__va(pa + PAGE_SIZE));
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
