/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arming.h: arming over fake.h's tree, and what must come of it.
 */
#ifndef ARMING_H
#define ARMING_H

#include "dumpon.h"

#define PARTITION	"/dev/nvme0n1p2"
#define SYS_PARTITION	"/sys/devices/nvme0n1/nvme0n1p2"
#define POST_NOTIFIERS	\
	"/sys/module/kernel/parameters/crash_kexec_post_notifiers"
#define SWAP		"SWAPSPACE2"

/* Arms or labels PARTITION, and nothing else. */
extern const struct dumpon_opts arming_partition;
extern const struct dumpon_opts arming_label;

void assert_said(const char *said, const char *what);
void assert_unsaid(const char *said, const char *what);
/* One line, with what in it. */
void assert_one_line(const char *said, const char *what);
/* Arms; returns what was said. */
const char *assert_armed(const struct dumpon_opts *opts);
/* Refused with one line that has what in it, and the module is not asked. */
void assert_refused(const struct dumpon_opts *opts, const char *what);

/* Puts a dump on PARTITION, with or without its id on the list. */
void arming_dump(uint32_t state, bool known);

#endif /* ARMING_H */
