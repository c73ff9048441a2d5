/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oldlog.h: the kernel log as Linux 3.11 to 5.9 kept it, for tests: log_store()
 * and the documentation of VMCOREINFO of those.
 */
#ifndef OLDLOG_H
#define OLDLOG_H

#include "guest.h"

#define OLDLOG_BYTES	512u

/* struct printk_log, with CONFIG_PRINTK_CALLER. */
struct oldlog_head {
	uint64_t ts;
	uint16_t len, text_len, dict_len;
	uint8_t facility, flags_level;
	uint32_t caller;
	uint32_t pad;
};

struct oldlog {
	uint8_t buf[OLDLOG_BYTES];
	uint32_t first, next;
	uint64_t first_seq, next_seq;
};

extern struct oldlog oldlog;

void oldlog_begin(void);
/* One record, and a dictionary of dict_len bytes behind its text. */
void oldlog_say(const char *text, size_t dict_len);
/*
 * Puts the log into the guest's memory, and where it is into VMCOREINFO; with
 * the caller of each record, or as in a kernel that has none.
 */
void oldlog_put(struct guest *g, bool caller);

#endif /* OLDLOG_H */
