/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oldlog.c: the kernel log as Linux 3.11 to 5.9 kept it, for tests.
 */
#include <string.h>

#include "oldlog.h"

#define HEAD	sizeof(struct oldlog_head)

struct oldlog oldlog;

void
oldlog_begin(void)
{
	memset(&oldlog, 0, sizeof(oldlog));
}

/* Is there room for a record of size bytes, and for one of length 0? */
static bool
oldlog_room(size_t size, bool empty)
{
	size_t behind = OLDLOG_BYTES - oldlog.next, free;

	if (oldlog.next > oldlog.first || empty)
		free = behind > oldlog.first ? behind : oldlog.first;
	else
		free = oldlog.first - oldlog.next;
	return free >= size + HEAD;
}

/* Gives up the oldest record. */
static void
oldlog_forget(void)
{
	struct oldlog_head h;

	memcpy(&h, oldlog.buf + oldlog.first, HEAD);
	if (h.len == 0) {
		oldlog.first = 0;
		memcpy(&h, oldlog.buf, HEAD);
	}
	oldlog.first += h.len;
	oldlog.first_seq++;
}

void
oldlog_say(const char *text, size_t dict_len)
{
	const size_t size = (HEAD + strlen(text) + dict_len + 7) / 8 * 8;
	struct oldlog_head h = { .text_len = (uint16_t)strlen(text),
		.dict_len = (uint16_t)dict_len, .len = (uint16_t)size,
		.facility = 3, .flags_level = 6 << 5 | 0x11 };

	while (oldlog.first_seq < oldlog.next_seq &&
	    !oldlog_room(size, false))
		oldlog_forget();
	assert_true(oldlog_room(size, oldlog.first_seq == oldlog.next_seq));
	if (oldlog.next + size + HEAD > OLDLOG_BYTES) {
		memset(oldlog.buf + oldlog.next, 0, HEAD);
		oldlog.next = 0;
	}
	h.ts = 1234567890 + oldlog.next_seq * 1000000000000ull;
	h.caller = oldlog.next_seq % 2 != 0 ? 1u << 31 | 5 : 77;
	memset(oldlog.buf + oldlog.next, 0xdd, size);
	memcpy(oldlog.buf + oldlog.next, &h, HEAD);
	memcpy(oldlog.buf + oldlog.next + HEAD, text, strlen(text));
	oldlog.next += (uint32_t)size;
	oldlog.next_seq++;
}

void
oldlog_put(struct guest *g, bool caller)
{
	const uint64_t buf = guest_put(g, oldlog.buf, OLDLOG_BYTES, 8);
	const struct {
		const char *name;
		const void *data;
		size_t len;
	} vars[] = {
		{ "log_buf", &buf, 8 },
		{ "log_buf_len", &(uint32_t){ OLDLOG_BYTES }, 4 },
		{ "log_first_idx", &oldlog.first, 4 },
		{ "log_next_idx", &oldlog.next, 4 },
	};
	size_t i;

	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++)
		guest_info(g, "SYMBOL(%s)=%llx", vars[i].name,
		    (unsigned long long)guest_put(g, vars[i].data, vars[i].len,
		    8));
	guest_info(g, "SIZE(printk_log)=%zu", HEAD);
	guest_info(g, "OFFSET(printk_log.ts_nsec)=%zu",
	    offsetof(struct oldlog_head, ts));
	guest_info(g, "OFFSET(printk_log.len)=%zu",
	    offsetof(struct oldlog_head, len));
	guest_info(g, "OFFSET(printk_log.text_len)=%zu",
	    offsetof(struct oldlog_head, text_len));
	guest_info(g, "OFFSET(printk_log.dict_len)=%zu",
	    offsetof(struct oldlog_head, dict_len));
	if (caller)
		guest_info(g, "OFFSET(printk_log.caller_id)=%zu",
		    offsetof(struct oldlog_head, caller));
}
