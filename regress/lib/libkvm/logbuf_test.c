/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logbuf_test.c: the kernel log as it was before Linux 5.10.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oldlog.h"

static struct guest guest;

static struct guest *
make(bool caller)
{
	guest_init(&guest);
	oldlog_put(&guest, caller);
	guest_make(&guest);
	return &guest;
}

static void
check_text(struct guest *g, unsigned int flags, const char *want)
{
	char *text = kvm_dmesg(g->im.kd, flags, NULL);

	if (text == NULL)
		fail_msg("%s", kvm_geterr(g->im.kd));
	assert_string_equal(text, want);
	free(text);
}

/* This test checks the text of records, and that a dictionary is no text. */
static void
logbuf_text_is_as_dmesg_prints_it(void **state)
{
	struct guest *g;

	(void)state;
	oldlog_begin();
	oldlog_say("one", 0);
	oldlog_say("two\nlines", 20);
	oldlog_say("", 0);
	g = make(true);
	check_text(g, KVM_LOG_LEVEL | KVM_LOG_CALLER,
	    "<30>[    1.234567][T77] one\n"
	    "<30>[ 1001.234567][C5] two\n"
	    "<30>[ 1001.234567][C5] lines\n"
	    "<30>[ 2001.234567][T77] \n");
	guest_fini(g);
	g = make(false);
	check_text(g, KVM_LOG_CALLER,
	    "[    1.234567][T0] one\n"
	    "[ 1001.234567][T0] two\n"
	    "[ 1001.234567][T0] lines\n"
	    "[ 2001.234567][T0] \n");
	guest_fini(g);
	oldlog_begin();
	g = make(true);
	check_text(g, 0, "");
	guest_fini(g);
}

struct seen {
	unsigned int first, n;
	uint64_t seq;
};

static void
text_of(unsigned int number, unsigned int step, char *text, size_t len)
{
	snprintf(text, len, "%u:%.*s", number, (int)(number * step % 23),
	    "abcdefghijklmnopqrstuvwxyz");
}

static unsigned int step;

static int
check_next(void *cookie, const struct kvm_logrec *rec)
{
	struct seen *s = cookie;
	char text[64];

	text_of(s->first + s->n, step, text, sizeof(text));
	assert_int_equal(rec->kl_len, strlen(text));
	assert_memory_equal(rec->kl_text, text, rec->kl_len);
	assert_int_equal(rec->kl_seq, s->seq + s->n);
	s->n++;
	return 0;
}

/* This test checks a log that has gone round many times, at every length. */
static void
logbuf_goes_round(void **state)
{
	char text[64];
	struct guest *g;
	struct seen s;
	unsigned int i;

	(void)state;
	for (step = 1; step < 24; step++) {
		oldlog_begin();
		for (i = 0; i < 60 + step; i++) {
			text_of(i, step, text, sizeof(text));
			oldlog_say(text, i * 7 % 20);
		}
		g = make(true);
		memset(&s, 0, sizeof(s));
		s.first = (unsigned int)oldlog.first_seq;
		if (kvm_log(g->im.kd, check_next, &s) == -1)
			fail_msg("%s", kvm_geterr(g->im.kd));
		assert_int_equal(s.n, oldlog.next_seq - oldlog.first_seq);
		assert_in_range(s.n, 4, 20);
		guest_fini(g);
	}
}

/* This test checks that records are numbered where symbols tell the first. */
static void
logbuf_first_number_is_the_kernels(void **state)
{
	struct guest *g = &guest;
	struct ksyms_sym syms[2];
	struct seen s = { .first = 0 };
	char text[64];
	unsigned int i;

	(void)state;
	step = 5;
	oldlog_begin();
	for (i = 0; i < 100; i++) {
		text_of(i, step, text, sizeof(text));
		oldlog_say(text, 0);
	}
	guest_init(g);
	oldlog_put(g, false);
	syms[0] = (struct ksyms_sym){ g->base, 'T', "_stext" };
	syms[1] = (struct ksyms_sym){ guest_put(g, &oldlog.first_seq, 8, 8),
		'b', "log_first_seq" };
	ksyms_put_silent(g, syms, 2);
	guest_make(g);
	s.first = (unsigned int)oldlog.first_seq;
	s.seq = oldlog.first_seq;
	assert_in_range(s.seq, 80, 99);
	assert_int_equal(kvm_log(g->im.kd, check_next, &s), 0);
	assert_int_equal(s.n, 100 - s.first);
	guest_fini(g);
}

/* This test checks that a record which makes no sense ends the log. */
static void
logbuf_damaged_record_is_told(void **state)
{
	struct guest *g;
	struct seen s = { .first = 0 };

	(void)state;
	step = 1;
	oldlog_begin();
	oldlog_say("0:", 0);
	oldlog_say("bad", 0);
	oldlog_say("behind", 0);
	/* Its length, of 32. */
	oldlog.buf[32 + 8] = 24;
	g = make(true);
	assert_int_equal(kvm_log(g->im.kd, check_next, &s), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(s.n, 1);
	image_says(&g->im, "kernel log: a record at 32 of 512 bytes: 24 bytes, "
	    "3 of text");
	guest_fini(g);
}

/* This test checks that no changed byte of the log does harm. */
static void
logbuf_damaged_never_crashes(void **state)
{
	struct guest *g;
	unsigned int i;

	(void)state;
	oldlog_begin();
	for (i = 0; i < 20; i++)
		oldlog_say("a record of some length", i);
	g = make(true);
	guest_dmesg(g);
	guest_mutate(g, g->base, g->used, guest_dmesg);
	guest_mutate_info(g, guest_dmesg);
	guest_fini(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logbuf_text_is_as_dmesg_prints_it),
		cmocka_unit_test(logbuf_goes_round),
		cmocka_unit_test(logbuf_first_number_is_the_kernels),
		cmocka_unit_test(logbuf_damaged_record_is_told),
		cmocka_unit_test(logbuf_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
