/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_test.c: the kernel log from a ring buffer, filled as printk does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define COUNT_BITS	3u
#define COUNT		(1u << COUNT_BITS)
#define SIZE_BITS	8u
#define SIZE		(1u << SIZE_BITS)
#define FIRST_ID	0x3ffffffffffffffdull	/* soon passes 0 */
#define ID_MASK		0x3fffffffffffffffull

enum { RESERVED, COMMITTED, FINALIZED, REUSABLE };

struct desc {
	uint64_t state, begin, next;
};

struct info {
	uint64_t seq, ts;
	uint16_t len;
	uint8_t facility, flags_level;
	uint32_t caller;
	char dev[64];
};

/* The ring as this test writes it. */
static struct ring {
	struct desc desc[COUNT];
	struct info info[COUNT];
	uint8_t text[SIZE];
	uint64_t head, tail, lpos, seq;
} ring;

static struct guest guest;

static struct desc *
desc_of(uint64_t id)
{
	return &ring.desc[id % COUNT];
}

/* One record, as prb_reserve() and prb_commit() leave it. */
static uint64_t
say(const char *text, unsigned int state)
{
	const uint64_t id = ++ring.head & ID_MASK;
	const size_t len = strlen(text);
	const uint64_t size = (8 + len + 7) / 8 * 8;
	struct desc *d = desc_of(id);
	struct info *in = &ring.info[id % COUNT];
	uint64_t at;

	if (((ring.head - ring.tail) & ID_MASK) >= COUNT)
		ring.tail++;
	d->begin = ring.lpos;
	ring.lpos += size;
	at = d->begin % SIZE;
	if (at + size > SIZE) {
		/* It goes to the start of the ring. */
		ring.lpos = (d->begin / SIZE + 1) * SIZE + size;
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

static void
begin(void)
{
	memset(&ring, 0, sizeof(ring));
	ring.head = ring.tail = FIRST_ID;
	/* As at boot: the first descriptor has been used up. */
	desc_of(FIRST_ID)->state = 3ull << 62 | FIRST_ID;
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
		{ "SIZE(prb_desc)", sizeof(struct desc) },
		{ "SIZE(printk_info)", sizeof(struct info) },
		{ "OFFSET(printk_info.seq)", 0 },
		{ "OFFSET(printk_info.ts_nsec)", 8 },
		{ "OFFSET(printk_info.text_len)", 16 },
		{ "OFFSET(printk_info.caller_id)", 20 },
	};
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++)
		guest_info(g, "%s=%zu", k[i].key, k[i].value);
}

/* Puts the ring into a guest. */
static struct guest *
make(void)
{
	struct guest *g = &guest;
	uint64_t prb[12] = { 0 }, at;

	guest_init(g);
	prb[1] = COUNT_BITS;
	prb[2] = guest_put(g, ring.desc, sizeof(ring.desc), 8);
	prb[3] = guest_put(g, ring.info, sizeof(ring.info), 8);
	prb[4] = ring.head & ID_MASK;
	prb[5] = ring.tail & ID_MASK;
	prb[8] = SIZE_BITS;
	prb[9] = guest_put(g, ring.text, sizeof(ring.text), 8);
	at = guest_put(g, prb, sizeof(prb), 8);
	guest_info(g, "SYMBOL(prb)=%llx",
	    (unsigned long long)guest_put(g, &at, 8, 8));
	info_offsets(g);
	guest_make(g);
	return g;
}

static void
check_text(struct guest *g, unsigned int flags, const char *want)
{
	size_t len;
	char *text = kvm_dmesg(g->im.kd, flags, &len);

	if (text == NULL)
		fail_msg("%s", kvm_geterr(g->im.kd));
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
	free(text);
}

/* This test checks the text of records: times, levels, callers, lines. */
static void
log_text_is_as_dmesg_prints_it(void **state)
{
	struct guest *g;

	(void)state;
	begin();
	say("one", FINALIZED);
	say("two\nlines", FINALIZED);
	say("", COMMITTED);
	g = make();
	check_text(g, 0,
	    "[    1.234567] one\n"
	    "[ 1001.234567] two\n"
	    "[ 1001.234567] lines\n"
	    "[ 2001.234567] \n");
	check_text(g, KVM_LOG_LEVEL | KVM_LOG_CALLER,
	    "<30>[    1.234567][T77] one\n"
	    "<30>[ 1001.234567][C5] two\n"
	    "<30>[ 1001.234567][C5] lines\n"
	    "<30>[ 2001.234567][T77] \n");
	assert_null(kvm_dmesg(g->im.kd, 4, NULL));
	assert_int_equal(errno, EINVAL);
	guest_fini(g);
}

struct seen {
	uint64_t seqs[COUNT], lost[COUNT];
	char text[COUNT][80];
	size_t n;
};

static int
note(void *cookie, const struct kvm_logrec *rec)
{
	struct seen *s = cookie;

	assert_in_range(s->n, 0, COUNT - 1);
	assert_in_range(rec->kl_len, 0, 79);
	s->seqs[s->n] = rec->kl_seq;
	s->lost[s->n] = rec->kl_lost;
	memcpy(s->text[s->n++], rec->kl_text, rec->kl_len);
	return 0;
}

static void
get(struct guest *g, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	if (kvm_log(g->im.kd, note, s) == -1)
		fail_msg("%s", kvm_geterr(g->im.kd));
}

/* This test checks a ring that has gone round many times, at every length. */
static void
log_ring_goes_round(void **state)
{
	char text[80];
	struct guest *g;
	struct seen s;
	unsigned int step, len;
	size_t i;

	(void)state;
	for (step = 1; step < 24; step++) {
		begin();
		for (len = 0; len < 60; len++) {
			snprintf(text, sizeof(text), "%u:%.*s", len,
			    (int)(len * step % 23),
			    "abcdefghijklmnopqrstuvwxyz");
			say(text, FINALIZED);
		}
		g = make();
		get(g, &s);
		assert_int_equal(s.n, COUNT);
		for (i = 0; i < s.n; i++) {
			len = 60 - COUNT + (unsigned int)i;
			snprintf(text, sizeof(text), "%u:%.*s", len,
			    (int)(len * step % 23),
			    "abcdefghijklmnopqrstuvwxyz");
			assert_int_equal(s.seqs[i], len);
			assert_int_equal(s.lost[i], 0);
			assert_string_equal(s.text[i], text);
		}
		guest_fini(g);
	}
}

/* This test checks that what can't be read is counted, and nothing else. */
static void
log_lost_records_are_counted(void **state)
{
	struct guest *g;
	struct seen s;
	uint64_t id;

	(void)state;
	begin();
	say("first", FINALIZED);
	id = say("bad", FINALIZED);
	say("half", RESERVED);
	say("second", FINALIZED);
	say("gone", REUSABLE);
	desc_of(say("no text", FINALIZED))->begin = 3;
	say("being written", RESERVED);
	desc_of(id)->state += 8;	/* another record's */
	g = make();
	get(g, &s);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.text[0], "first");
	assert_int_equal(s.lost[0], 0);
	assert_string_equal(s.text[1], "second");
	assert_int_equal(s.lost[1], 2);
	assert_string_equal(s.text[2], "");
	assert_int_equal(s.lost[2], 0);
	guest_fini(g);
}

/* This test checks that a block may end where the ring does. */
static void
log_block_may_end_with_the_ring(void **state)
{
	struct guest *g;
	struct seen s;

	(void)state;
	begin();
	say("one", FINALIZED);
	say("two", FINALIZED);
	ring.lpos = SIZE - 24;
	say("at the very end", FINALIZED);
	assert_int_equal(ring.lpos, SIZE);
	g = make();
	get(g, &s);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.text[2], "at the very end");
	guest_fini(g);
}

/* This test checks that a kernel which does not say where is told so. */
static void
log_without_keys_is_a_clear_error(void **state)
{
	struct guest *g = &guest;

	(void)state;
	guest_init(g);
	guest_info(g, "OSRELEASE=5.4.0");
	guest_make(g);
	assert_null(kvm_dmesg(g->im.kd, 0, NULL));
	assert_int_equal(errno, ENOTSUP);
	image_says(&g->im, "kernel log: VMCOREINFO of kernel ");
	guest_fini(g);
}

static void
look(struct guest *g)
{
	char *text = kvm_dmesg(g->im.kd, 0, NULL);

	if (text == NULL)
		guest_result(g, -1);
	free(text);
}

/* This test checks that no changed byte of the ring does harm. */
static void
log_damaged_never_crashes(void **state)
{
	struct guest *g;
	unsigned int i;

	(void)state;
	begin();
	for (i = 0; i < 20; i++)
		say("a record of some length", FINALIZED);
	g = make();
	guest_mutate(g, g->base, g->used, look);
	guest_mutate_info(g, look);
	guest_fini(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_text_is_as_dmesg_prints_it),
		cmocka_unit_test(log_ring_goes_round),
		cmocka_unit_test(log_lost_records_are_counted),
		cmocka_unit_test(log_block_may_end_with_the_ring),
		cmocka_unit_test(log_without_keys_is_a_clear_error),
		cmocka_unit_test(log_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
