// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_record_test.c: trailers, checksum pages and the early record, as rawread
 * sees them.
 */
#include <stdlib.h>

#include "fakedump.h"

#define MIB(n)	((uint64_t)(n) << 20)

static struct fakedump f;

static void
begin(const char *panicstr)
{
	fakeos_reset(1);
	fakedump_init(&f, &(struct fakedump_conf){ .next = 3 });
	dump_record_begin(&f.d, panicstr);
	dump_layout_fixed(&f.d.l, f.d.w.size);
	assert_int_equal(dumpdev_start(&f.dev.dd), 0);
}

/* This test checks that trailers go to the two slots in turn, the first one to
 * the first slot, that each is durable, and that the last one is in force. */
static void
dump_record_trailers_take_turns(void **state)
{
	const kcore_trailer_t *t;
	unsigned int seq;

	(void)state;
	begin(FAKE_PANIC);
	for (seq = 1; seq <= 7; seq++) {
		f.d.trailer.data_valid = 0;
		assert_int_equal(dump_record_trailer(&f.d, seq < 7 ?
		    KCORE_STATE_INPROGRESS : KCORE_STATE_FAILED,
		    seq < 7 ? 0 : -EIO), 0);
		t = fakedump_trailer(&f);
		assert_int_equal(t->seq, seq);
		assert_ptr_equal(t, &f.raw.t[seq % 2 ? 0 : 1]);
		assert_int_equal(t->error, seq < 7 ? 0 : EIO);
		assert_string_equal(t->panicstr, FAKE_PANIC);
		assert_string_equal(t->release, "6.1.0-test");
		/* The other slot has the one before. */
		assert_int_equal(f.raw.t[seq % 2].seq, seq == 1 ?
		    f.old[1].seq : seq - 1);
		assert_true(f.raw.whole[seq % 2]);
	}
	fakedump_fini(&f);
}

/* This test checks that a panic message of any length is cut to fit and ends in
 * a NUL byte, in every record that has it. */
static void
dump_record_long_panic_message_is_cut(void **state)
{
	static const size_t lens[] = { 0, 1, 510, 511, 512, 513, 2000 };
	const kcore_trailer_t *t;
	char text[2001], log[2000];
	kcore_early_t e;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		memset(text, 'x', lens[i]);
		text[lens[i]] = '\0';
		begin(text);
		assert_int_equal(dump_record_early(&f.d), 0);
		assert_int_equal(dump_record_trailer(&f.d,
		    KCORE_STATE_INPROGRESS, 0), 0);
		t = fakedump_trailer(&f);
		assert_true(raw_early(&f.raw, t, &e, log, sizeof(log)));
		assert_int_equal(strlen(t->panicstr), lens[i] < 511 ? lens[i] :
		    511);
		assert_int_equal(e.log_size, 1000);
		fakedump_fini(&f);
	}
}

/* Whatever is lost now, the trailer in force has the sums it speaks of. */
static void
check_sums(void *arg)
{
	const kcore_trailer_t *t = raw_trailers(&f.raw);
	bool whole;
	uint64_t k;

	(void)arg;
	assert_non_null(t);
	if (t->dump_id[0] == f.old[0].dump_id[0])
		return;
	for (k = 0; k < t->cksum_valid; k++) {
		assert_int_equal(raw_sum(&f.raw, t, k, &whole), 1000 + k);
		assert_true(whole);
	}
}

static void
cut_now(void *arg)
{
	enum memdev_cut how;

	for (how = MEMDEV_CUT_NONE; how <= MEMDEV_CUT_BLOCKS; how++)
		memdev_cut(&f.dev, how, check_sums, arg);
	memdev_cut(&f.dev, MEMDEV_CUT_BLOCKS, check_sums, arg);
}

/* This test checks that sums of any number of chunks fill pages of 504, with
 * checkpoints often or never, and that wherever power is cut those that the
 * trailer speaks of are there, in pages that are whole. */
static void
dump_record_sums_survive_power_cuts(void **state)
{
	static const unsigned int counts[] = { 1, 503, 504, 505, 1008, 1600 };
	static const unsigned int steps[] = { 37, 100, 504, 700, 5000 };
	const kcore_trailer_t *t;
	unsigned int i, k, s;
	bool whole;

	(void)state;
	for (i = 0; i < 30; i++) {
		const unsigned int count = counts[i % 6], step = steps[i / 6];

		begin(FAKE_PANIC);
		f.d.l.cksum_off = MIB(2);
		f.d.l.cksum_size = 4 * KCORE_ALIGN;
		f.dev.event = cut_now;
		for (k = 0; k < count; k++) {
			assert_int_equal(dump_record_sum(&f.d, 1000 + k), 0);
			s = k % step;
			if (s == step / 3 || s == step / 2)
				assert_int_equal(dump_record_checkpoint(&f.d,
				    KCORE_STATE_INPROGRESS), 0);
		}
		assert_int_equal(dump_record_checkpoint(&f.d,
		    KCORE_STATE_COMPLETE), 0);
		f.dev.event = NULL;
		memdev_cut(&f.dev, MEMDEV_CUT_NONE, check_sums, NULL);
		t = raw_trailers(&f.raw);
		assert_int_equal(t->cksum_valid, count);
		(void)raw_sum(&f.raw, t, count, &whole);
		assert_false(whole);
		fakedump_fini(&f);
	}
}

/* This test checks that ranges found late are joined where they touch, counted
 * past the room there is, and never change what is listed. */
static void
dump_record_late_ranges_join(void **state)
{
	kcore_trailer_t *t = &f.d.trailer;
	unsigned int i;

	(void)state;
	begin(FAKE_PANIC);
	dump_record_late(&f.d, 0x9000, 4096);
	dump_record_late(&f.d, 0x1000, 4096);
	dump_record_late(&f.d, 0x2000, 4096);
	dump_record_late(&f.d, 0x3000, 8192);
	dump_record_late(&f.d, 0x6000, 4096);
	assert_int_equal(t->nlate, 3);
	assert_int_equal(t->late[0].start, 0x9000);
	assert_int_equal(t->late[1].start, 0x1000);
	assert_int_equal(t->late[1].size, 0x4000);
	for (i = 3; i < KCORE_LATE_MAX + 2; i++) {
		dump_record_late(&f.d, 0x10000 + i * 0x10000, 4096);
		dump_record_late(&f.d, 0x11000 + i * 0x10000, 4096);
	}
	assert_int_equal(t->nlate, KCORE_LATE_MAX);
	assert_int_equal(t->late_lost, 2);
	/* The neighbour of one that had no room is not the last one's. */
	for (i = 3; i < KCORE_LATE_MAX; i++) {
		assert_int_equal(t->late[i].start, 0x10000 + i * 0x10000);
		assert_int_equal(t->late[i].size, 8192);
		assert_int_equal(t->late[i].kind, KCORE_EXCL_UNREADABLE);
	}
	fakedump_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_record_trailers_take_turns),
		cmocka_unit_test(dump_record_long_panic_message_is_cut),
		cmocka_unit_test(dump_record_sums_survive_power_cuts),
		cmocka_unit_test(dump_record_late_ranges_join),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
