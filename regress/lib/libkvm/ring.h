/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h: printk's ring buffer, filled as the kernel does, for tests.
 */
#ifndef RING_H
#define RING_H

#include "guest.h"

#define RING_COUNT_BITS	3u
#define RING_COUNT	(1u << RING_COUNT_BITS)
#define RING_SIZE_BITS	8u
#define RING_SIZE	(1u << RING_SIZE_BITS)
#define RING_FIRST_ID	0x3ffffffffffffffdull	/* soon passes 0 */
#define RING_ID_MASK	0x3fffffffffffffffull

enum { RING_RESERVED, RING_COMMITTED, RING_FINALIZED, RING_REUSABLE };

struct ring_desc {
	uint64_t state, begin, next;
};

struct ring_info {
	uint64_t seq, ts;
	uint16_t len;
	uint8_t facility, flags_level;
	uint32_t caller;
	char dev[64];
};

struct ring {
	struct ring_desc desc[RING_COUNT];
	struct ring_info info[RING_COUNT];
	uint8_t text[RING_SIZE];
	uint64_t head, tail, lpos, seq;
};

extern struct ring ring;

void ring_begin(void);
/* One record, as prb_reserve() and prb_commit() leave it: its id. */
uint64_t ring_say(const char *text, unsigned int state);
struct ring_desc *ring_desc(uint64_t id);
/* Puts the ring into the guest's memory, and where it is into VMCOREINFO. */
void ring_put(struct guest *g);

#endif /* RING_H */
