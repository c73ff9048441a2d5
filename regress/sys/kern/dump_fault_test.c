// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_fault_test.c: a small dump with every write, and every flush, going
 * wrong in every way, once and for ever; and with a fault of its own.
 */
#include "fakedump.h"

static struct fakedump f;
static char doing[100];		/* where a failed test was */

static const struct dump_ram ram[] = {
	{ 1 * KCORE_ALIGN, 158, 0 },
	{ 256 * KCORE_ALIGN, 400, 0 },
};

static const struct fakedump_conf conf = { .window = 8u << 20,
	.slot_len = 262144, .level = 1, .ram = ram, .nram = 2 };

struct fault {
	const char *name;
	enum memdev_fault fault;
	bool forever;
	unsigned int also;
	bool survives;		/* the dump comes out whole all the same */
	uint64_t wait_us;	/* longest time that it costs */
	const char *says;	/* on the console, beside "dump failed" */
};

static const struct fault faults[] = {
	{ "fails once", MEMDEV_FAIL, false, 0, false, 1000, NULL },
	{ "fails three times", MEMDEV_FAIL, false, 2, false, 1000, NULL },
	{ "fails for ever", MEMDEV_FAIL, true, 0, false, 1000, NULL },
	{ "is refused once", MEMDEV_REFUSE, false, 0, false, 1000,
	    "the queue takes no" },
	{ "is refused for ever", MEMDEV_REFUSE, true, 0, false, 1000,
	    "the queue takes no" },
	{ "hangs", MEMDEV_HANG, true, 0, false, 0, "no answer in time" },
	{ "breaks once", MEMDEV_BREAK, false, 0, true, 1000, NULL },
	{ "breaks for ever", MEMDEV_BREAK, true, 0, false, 1000,
	    "memdev: broken for good" },
	/* It may be in a reset, so that it is looked for a second. */
	{ "finds the device gone", MEMDEV_GONE, true, 0, false, 1001000,
	    "controller gone" },
};

/* Memory and a disk slow enough for checkpoints. */
static void
setup(void)
{
	fakeos_reset(11);
	fakedump_mixed();
	fakeos_mark(350, 2, FAKE_LATE);
	fakeos.read_us = 8000;
	fakedump_init(&f, &conf);
}

/* How many requests a good dump makes, and how long it takes. */
static unsigned int
count_requests(enum dumpdev_op op, uint64_t *us)
{
	setup();
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	*us = f.d.trailer.seq >= 5 ? fakeos.now_us : 0;
	assert_int_not_equal(*us, 0);
	return f.dev.count[op];
}

/* The limits of the drivers' contract. */
static uint64_t
longest_wait(const struct fault *fault, enum dumpdev_op op)
{
	if (fault->fault != MEMDEV_HANG)
		return fault->wait_us;
	return (op == DUMPDEV_FLUSH ? DUMPDEV_FLUSH_TIMEOUT_US :
	    DUMPDEV_IO_TIMEOUT_US) + 1000;
}

/* The return code, the console and the medium agree on how a dump ended. */
static void
check_end(const struct fault *fault, enum dumpdev_op op, int rc)
{
	const kcore_trailer_t *t = raw_trailers(&f.raw);
	bool noted;

	if (fault->survives) {
		assert_int_equal(rc, 0);
		fakedump_check_complete(&f);
		fakedump_silent_on("fail");
		fakedump_said("swapcore: the device broke and was started "
		    "again\n");
		assert_int_equal(f.dev.nstarts, 2);
		return;
	}
	assert_true(rc < 0);
	if (fault->says != NULL)
		fakedump_said(fault->says);
	assert_int_equal(f.dev.nstops, 1);
	noted = t->dump_id[0] != 0xee && t->state == KCORE_STATE_FAILED;
	if (fault->forever && f.d.trailer.seq == 0 && op == DUMPDEV_WRITE)
		assert_false(noted);
	if (noted) {
		assert_int_equal(t->error, -rc);
		fakedump_silent_on("could not be noted");
	} else {
		fakedump_said("swapcore: the failure could not be noted on "
		    "the medium\n");
	}
	if (!fault->forever && fault->also == 0)
		assert_true(noted);
}

/* A dump whose nth request of a kind goes wrong. */
static void
dump_with(const struct fault *fault, enum dumpdev_op op, unsigned int nth,
    unsigned int total, uint64_t us)
{
	int rc;

	setup();
	f.spoilt = true;
	f.dev.fault = fault->fault;
	f.dev.fault_op = op;
	f.dev.fault_nth = nth;
	f.dev.fault_forever = fault->forever;
	f.dev.fault_also = fault->also;
	rc = dump_run(&f.d, FAKE_PANIC);
	assert_in_range(fakeos.now_us, 1, us + longest_wait(fault, op));
	memdev_cut(&f.dev, MEMDEV_CUT_NONE, fakedump_check_claims, &f);
	memdev_cut(&f.dev, MEMDEV_CUT_ALL, fakedump_check_claims, &f);
	memdev_cut(&f.dev, MEMDEV_CUT_WRITES, fakedump_check_claims, &f);
	memdev_cut(&f.dev, MEMDEV_CUT_BLOCKS, fakedump_check_claims, &f);
	if (op == DUMPDEV_FLUSH && nth == total) {
		/* The one of dumpdev_stop(): the dump was whole before. */
		assert_int_equal(rc, 0);
		fakedump_check_complete(&f);
		if (!fault->survives)
			fakedump_said("but the device did not shut down");
		return;
	}
	check_end(fault, op, rc);
	if (!fault->survives)
		fakedump_said("swapcore: dump failed: error ");
}

static void
dump_with_each(enum dumpdev_op op)
{
	uint64_t us;
	unsigned int total = count_requests(op, &us), i, nth;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		for (nth = 1; nth <= total; nth++) {
			snprintf(doing, sizeof(doing), "%s %u of %u %s",
			    op == DUMPDEV_WRITE ? "write" : "flush", nth,
			    total, faults[i].name);
			dump_with(&faults[i], op, nth, total, us);
		}
	doing[0] = '\0';
}

/* This test checks that after any failure of any write the medium claims no
 * more than it has, and that everybody is told. */
static void
dump_fault_each_write_leaves_true_claims(void **state)
{
	(void)state;
	dump_with_each(DUMPDEV_WRITE);
}

/* This test checks the same of flushes. */
static void
dump_fault_each_flush_leaves_true_claims(void **state)
{
	(void)state;
	dump_with_each(DUMPDEV_FLUSH);
}

static jmp_buf fault_out;
static unsigned int fault_left;

static void
fault_now(void *arg)
{
	(void)arg;
	if (--fault_left == 0)
		longjmp(fault_out, 1);
}

/* This test checks that a dump that a fault has ended, at any moment, is noted
 * as failed unless it was complete, and the device is made quiet. */
static void
dump_fault_inside_is_noted(void **state)
{
	static unsigned int nth, nmine;
	const kcore_trailer_t *t;

	(void)state;
	for (nth = 1, nmine = 0;; nth++) {
		setup();
		fault_left = nth;
		f.dev.event = fault_now;
		if (setjmp(fault_out) == 0) {
			assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
			break;
		}
		f.dev.event = NULL;
		dump_abandon(&f.d);
		assert_int_equal(f.dev.nstops, 1);
		memdev_cut(&f.dev, MEMDEV_CUT_NONE, fakedump_check_claims, &f);
		t = fakedump_trailer(&f);
		if (t->state == KCORE_STATE_COMPLETE)
			continue;
		nmine++;
		assert_int_equal(t->state, KCORE_STATE_FAILED);
		assert_int_equal(t->error, EFAULT);
	}
	assert_in_range(nmine, 10, nth);
}

/* This test checks that nothing is written where the fault came before the disk
 * was proved to be the right one. */
static void
dump_fault_before_proof_writes_nothing(void **state)
{
	(void)state;
	setup();
	f.device.page0[100] ^= 1;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), -ESTALE);
	f.device.page0[100] ^= 1;
	f.dev.dd.dead = false;
	dump_abandon(&f.d);
	fakedump_check_untouched(&f);
}

static int
give_back(void **state)
{
	(void)state;
	if (doing[0] != '\0')
		print_error("when %s\n", doing);
	doing[0] = '\0';
	fakedump_fini(&f);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    dump_fault_each_write_leaves_true_claims, give_back),
		cmocka_unit_test_teardown(
		    dump_fault_each_flush_leaves_true_claims, give_back),
		cmocka_unit_test_teardown(dump_fault_inside_is_noted,
		    give_back),
		cmocka_unit_test_teardown(
		    dump_fault_before_proof_writes_nothing, give_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
