/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_test.c: the kernel log from a ring buffer, filled as printk does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"

static struct guest guest;

/* A guest with the ring. */
static struct guest *
make(void)
{
	guest_init(&guest);
	ring_put(&guest);
	guest_make(&guest);
	return &guest;
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
	ring_begin();
	ring_say("one", RING_FINALIZED);
	ring_say("two\nlines", RING_FINALIZED);
	ring_say("", RING_COMMITTED);
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
	uint64_t seqs[RING_COUNT], lost[RING_COUNT];
	char text[RING_COUNT][80];
	size_t n;
};

static int
note(void *cookie, const struct kvm_logrec *rec)
{
	struct seen *s = cookie;

	assert_in_range(s->n, 0, RING_COUNT - 1);
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
		ring_begin();
		for (len = 0; len < 60; len++) {
			snprintf(text, sizeof(text), "%u:%.*s", len,
			    (int)(len * step % 23),
			    "abcdefghijklmnopqrstuvwxyz");
			ring_say(text, RING_FINALIZED);
		}
		g = make();
		get(g, &s);
		assert_int_equal(s.n, RING_COUNT);
		for (i = 0; i < s.n; i++) {
			len = 60 - RING_COUNT + (unsigned int)i;
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
	ring_begin();
	ring_say("first", RING_FINALIZED);
	id = ring_say("bad", RING_FINALIZED);
	ring_say("half", RING_RESERVED);
	ring_say("second", RING_FINALIZED);
	ring_say("gone", RING_REUSABLE);
	ring_desc(ring_say("no text", RING_FINALIZED))->begin = 3;
	ring_say("being written", RING_RESERVED);
	ring_desc(id)->state += 8;	/* another record's */
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
	ring_begin();
	ring_say("one", RING_FINALIZED);
	ring_say("two", RING_FINALIZED);
	ring.lpos = RING_SIZE - 24;
	ring_say("at the very end", RING_FINALIZED);
	assert_int_equal(ring.lpos, RING_SIZE);
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

/* This test checks that no changed byte of the ring does harm. */
static void
log_damaged_never_crashes(void **state)
{
	struct guest *g;
	unsigned int i;

	(void)state;
	ring_begin();
	for (i = 0; i < 20; i++)
		ring_say("a record of some length", RING_FINALIZED);
	g = make();
	guest_mutate(g, g->base, g->used, guest_dmesg);
	guest_mutate_info(g, guest_dmesg);
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
