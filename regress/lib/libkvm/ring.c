/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.c: printk's ring buffer, filled as the kernel does, for tests.
 */
#include <string.h>

#include "ring.h"

struct ring ring;

struct ring_desc *
ring_desc(uint64_t id)
{
	return &ring.desc[id % RING_COUNT];
}

uint64_t
ring_say(const char *text, unsigned int state)
{
	const uint64_t id = ++ring.head & RING_ID_MASK;
	const size_t len = strlen(text);
	const uint64_t size = (8 + len + 7) / 8 * 8;
	struct ring_desc *d = ring_desc(id);
	struct ring_info *in = &ring.info[id % RING_COUNT];
	uint64_t at;

	if (((ring.head - ring.tail) & RING_ID_MASK) >= RING_COUNT)
		ring.tail++;
	d->begin = ring.lpos;
	ring.lpos += size;
	at = d->begin % RING_SIZE;
	if (at + size > RING_SIZE) {
		/* It goes to the start of the ring. */
		ring.lpos = (d->begin / RING_SIZE + 1) * RING_SIZE + size;
		at = 0;
	}
	d->next = ring.lpos;
	d->state = (uint64_t)state << 62 | id;
	memcpy(ring.text + at, &id, 8);
	memcpy(ring.text + at + 8, text, len);
	memset(in, 0, sizeof(*in));
	in->seq = ring.seq++;
	in->ts = 1234567890 + in->seq * 1000000000000ull;
	in->len = (uint16_t)len;
	in->facility = 3;
	in->flags_level = 6 << 5 | 0x1f;
	in->caller = in->seq % 2 != 0 ? 1u << 31 | 5 : 77;
	return id;
}

void
ring_begin(void)
{
	memset(&ring, 0, sizeof(ring));
	ring.head = ring.tail = RING_FIRST_ID;
	/* As at boot: the first descriptor has been used up. */
	ring_desc(RING_FIRST_ID)->state = 3ull << 62 | RING_FIRST_ID;
}

static void
info_offsets(struct guest *g)
{
	static const struct {
		const char *key;
		size_t value;
	} k[] = {
		{ "OFFSET(printk_ringbuffer.desc_ring)", 8 },
		{ "OFFSET(printk_ringbuffer.text_data_ring)", 64 },
		{ "OFFSET(prb_desc_ring.count_bits)", 0 },
		{ "OFFSET(prb_desc_ring.descs)", 8 },
		{ "OFFSET(prb_desc_ring.infos)", 16 },
		{ "OFFSET(prb_desc_ring.head_id)", 24 },
		{ "OFFSET(prb_desc_ring.tail_id)", 32 },
		{ "OFFSET(prb_data_ring.size_bits)", 0 },
		{ "OFFSET(prb_data_ring.data)", 8 },
		{ "OFFSET(prb_desc.state_var)", 0 },
		{ "OFFSET(prb_desc.text_blk_lpos)", 8 },
		{ "OFFSET(prb_data_blk_lpos.begin)", 0 },
		{ "OFFSET(prb_data_blk_lpos.next)", 8 },
		{ "OFFSET(atomic_long_t.counter)", 0 },
		{ "SIZE(prb_desc)", sizeof(struct ring_desc) },
		{ "SIZE(printk_info)", sizeof(struct ring_info) },
		{ "OFFSET(printk_info.seq)", 0 },
		{ "OFFSET(printk_info.ts_nsec)", 8 },
		{ "OFFSET(printk_info.text_len)", 16 },
		{ "OFFSET(printk_info.caller_id)", 20 },
	};
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++)
		guest_info(g, "%s=%zu", k[i].key, k[i].value);
}

void
ring_put(struct guest *g)
{
	uint64_t prb[12] = { 0 }, at;

	prb[1] = RING_COUNT_BITS;
	prb[2] = guest_put(g, ring.desc, sizeof(ring.desc), 8);
	prb[3] = guest_put(g, ring.info, sizeof(ring.info), 8);
	prb[4] = ring.head & RING_ID_MASK;
	prb[5] = ring.tail & RING_ID_MASK;
	prb[8] = RING_SIZE_BITS;
	prb[9] = guest_put(g, ring.text, sizeof(ring.text), 8);
	at = guest_put(g, prb, sizeof(prb), 8);
	guest_info(g, "SYMBOL(prb)=%llx",
	    (unsigned long long)guest_put(g, &at, 8, 8));
	info_offsets(g);
}
