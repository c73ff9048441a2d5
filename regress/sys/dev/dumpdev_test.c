/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpdev_test.c: what all drivers share: the wait, range checks, who is told
 * of an error, and restarts.
 */
#include <stdlib.h>

#include "fakebus.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* A driver that does what the test says. */
static struct {
	unsigned int nstart, nsubmit, nstop, nattach, ndetach;
	int start_error, submit_error, poll_error;
	bool heals;			/* a start ends poll_error */
	int answer;			/* status that poll sets */
	bool silent;			/* poll sets none */
	bool reason_set;
	bool starts_late;		/* at the second time */
} fake;

static int
fake_match(struct dumpdev *dd)
{
	(void)dd;
	return 0;
}

static int
fake_attach(struct dumpdev *dd)
{
	fake.nattach++;
	dd->nslots = dd->nslots < 4 ? dd->nslots : 4;
	return 0;
}

static void
fake_detach(struct dumpdev *dd)
{
	(void)dd;
	fake.ndetach++;
}

static int
fake_start(struct dumpdev *dd)
{
	fake.nstart++;
	if (fake.heals && fake.nstart > 1) {
		fake.poll_error = 0;
		fake.silent = false;
	}
	if (fake.starts_late && fake.nstart > 1)
		return 0;
	return fake.start_error == 0 ? 0 : !fake.reason_set ?
	    fake.start_error : dumpdev_fail(dd, fake.start_error, "own words");
}

static int
fake_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	(void)op;
	(void)blk;
	(void)nblks;
	assert_int_equal(dd->slots[slot].status, DUMPDEV_BUSY);
	fake.nsubmit++;
	return fake.submit_error;
}

static int
fake_poll(struct dumpdev *dd)
{
	unsigned int i;

	if (fake.poll_error != 0)
		return dumpdev_fail(dd, fake.poll_error, "broken");
	for (i = 0; i < dd->nslots && !fake.silent; i++)
		if (dd->slots[i].status == DUMPDEV_BUSY)
			dd->slots[i].status = fake.answer;
	return 0;
}

static int
fake_stop(struct dumpdev *dd)
{
	(void)dd;
	fake.nstop++;
	return 0;
}

static const struct dumpdev_ops fake_ops = {
	.name = "fake",
	.match = fake_match,
	.attach = fake_attach,
	.detach = fake_detach,
	.start = fake_start,
	.submit = fake_submit,
	.poll = fake_poll,
	.stop = fake_stop,
};

static struct fakebus fb;
static struct dumpdev dd;

static int
setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&dd, 0, sizeof(dd));
	fakebus_init(&fb);
	fakebus_cfg_set4(&fb, 0, 0x12345678);
	dd.bus = &fb.bus;
	dd.ops = &fake_ops;
	dd.blksize = 512;
	dd.nblks = 1000;
	dd.nslots = 4;
	dd.slot_len = 8192;
	assert_int_equal(dumpdev_attach(&dd), 0);
	fb.armed = false;
	assert_int_equal(dumpdev_start(&dd), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dumpdev_detach(&dd);
	fakebus_check_released(&fb);
	return 0;
}

static int
write_slot(unsigned int slot)
{
	return dumpdev_submit(&dd, DUMPDEV_WRITE, slot, 0, 1);
}

struct countdown {
	unsigned int calls;
	unsigned int done_at;
	int answer;
};

static int
countdown_done(void *arg)
{
	struct countdown *c = arg;

	return ++c->calls == c->done_at ? c->answer : 0;
}

/* This test checks that the wait returns what done returned, at once, and
 * -ETIMEDOUT after the time, having looked once more when it was over. */
static void
poll_until_answer_or_timeout(void **state)
{
	struct countdown c = { 0, 1, 7 };
	uint64_t begin = fb.now_us;

	(void)state;
	assert_int_equal(poll_until(&fb.bus, countdown_done, &c, 0), 7);
	assert_int_equal(fb.now_us, begin);
	c = (struct countdown){ 0, 3, -EIO };
	assert_int_equal(poll_until(&fb.bus, countdown_done, &c, 1000), -EIO);
	assert_int_equal(c.calls, 3);
	c = (struct countdown){ 0, 0, 0 };
	begin = fb.now_us;
	assert_int_equal(poll_until(&fb.bus, countdown_done, &c, 1000),
	    -ETIMEDOUT);
	assert_int_equal(fb.now_us - begin, 1000);
	assert_int_equal(c.calls, 11);
	c = (struct countdown){ 0, 11, 1 };
	assert_int_equal(poll_until(&fb.bus, countdown_done, &c, 1000), 1);
}

/* This test checks that of several reasons the first stays, and none is longer
 * than its place. */
static void
dumpdev_fail_first_reason_stays(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(dumpdev_fail(&dd, -EIO, "first %d", 1), -EIO);
	assert_int_equal(dumpdev_fail(&dd, -EROFS, "second"), -EROFS);
	assert_string_equal(dd.reason, "first 1");
	dd.reason[0] = '\0';
	(void)dumpdev_fail(&dd, -EIO, "%s", text);
	assert_int_equal(strlen(dd.reason), sizeof(dd.reason) - 1);
}

/* This test checks that nothing outside the disk or the buffer reaches a
 * driver, and that everything inside does. */
static void
dumpdev_submit_out_of_range_refused(void **state)
{
	static const struct {
		enum dumpdev_op op;
		unsigned int slot;
		uint64_t blk;
		uint32_t nblks;
		int error;
	} table[] = {
		{ DUMPDEV_WRITE, 0, 0, 16, 0 },
		{ DUMPDEV_WRITE, 3, 984, 16, 0 },
		{ DUMPDEV_READ, 1, 999, 1, 0 },
		{ DUMPDEV_FLUSH, 2, 0, 0, 0 },
		{ DUMPDEV_WRITE, 4, 0, 1, -EINVAL },
		{ DUMPDEV_WRITE, 0, 0, 0, -EINVAL },
		{ DUMPDEV_WRITE, 0, 0, 17, -EINVAL },
		{ DUMPDEV_WRITE, 0, 985, 16, -EINVAL },
		{ DUMPDEV_READ, 0, 1000, 1, -EINVAL },
		{ DUMPDEV_WRITE, 0, ~0ull, 1, -EINVAL },
		{ DUMPDEV_WRITE, 0, ~0ull, 2, -EINVAL },
		{ DUMPDEV_WRITE, 0, 0, 0x800000, -EINVAL },
		{ DUMPDEV_WRITE, 0, 0, ~0u, -EINVAL },
		{ DUMPDEV_FLUSH, 0, 1, 0, -EINVAL },
		{ DUMPDEV_FLUSH, 0, 0, 1, -EINVAL },
		{ (enum dumpdev_op)3, 0, 0, 1, -EINVAL },
	};
	unsigned int before;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		before = fake.nsubmit;
		assert_int_equal(dumpdev_submit(&dd, table[i].op,
		    table[i].slot, table[i].blk, table[i].nblks),
		    table[i].error);
		assert_int_equal(fake.nsubmit - before, table[i].error == 0);
	}
	assert_int_equal(dumpdev_drain(&dd), 0);
	assert_false(dd.dead);
}

/* This test checks that a bad status is told once, by whoever comes first:
 * wait, drain, or the submit that would use the slot again. */
static void
dumpdev_error_told_once(void **state)
{
	(void)state;
	fake.answer = -EIO;
	assert_int_equal(write_slot(0), 0);
	assert_int_equal(dumpdev_wait(&dd, 0), -EIO);
	assert_int_equal(dumpdev_wait(&dd, 0), 0);
	assert_int_equal(write_slot(0), 0);
	assert_int_equal(write_slot(1), 0);
	assert_int_equal(write_slot(0), -EIO);
	assert_int_equal(fake.nsubmit, 3);
	assert_int_equal(dumpdev_drain(&dd), -EIO);
	assert_int_equal(dumpdev_drain(&dd), 0);
	assert_int_equal(write_slot(2), 0);
	assert_int_equal(dumpdev_flush(&dd), -EIO);
	assert_false(dd.dead);
}

/* This test checks that a queue which takes no request is told by submit, and
 * that the slot is idle then. */
static void
dumpdev_submit_queue_refuses_told(void **state)
{
	(void)state;
	fake.submit_error = -EIO;
	assert_int_equal(write_slot(0), -EIO);
	assert_int_equal(dd.slots[0].status, 0);
	assert_string_equal(dd.reason, "fake: the queue takes no write");
}

/* This test checks the deadlines: ten seconds for I/O, thirty for a flush, and
 * that time spent elsewhere counts. */
static void
dumpdev_wait_deadline_kept(void **state)
{
	uint64_t begin = fb.now_us;

	(void)state;
	fake.silent = true;
	assert_int_equal(write_slot(0), 0);
	assert_int_equal(dd.slots[0].deadline_us, begin + 10000000);
	fb.now_us += 9000000;
	assert_int_equal(dumpdev_wait(&dd, 0), -ETIMEDOUT);
	assert_in_range(fb.now_us - begin, 10000000, 10000200);
	assert_true(dd.dead);
	assert_int_equal(dd.nrestarts, 0);
	assert_int_equal(dumpdev_start(&dd), -EIO);
	dd.dead = false;
	dd.slots[0].status = 0;
	begin = fb.now_us;
	assert_int_equal(dumpdev_flush(&dd), -ETIMEDOUT);
	assert_in_range(fb.now_us - begin, 30000000, 30000200);
}

/* This test checks that an answer which was there in time counts, although we
 * look after the deadline. */
static void
dumpdev_wait_looked_late_good(void **state)
{
	(void)state;
	assert_int_equal(write_slot(0), 0);
	fb.now_us += 20000000;
	assert_int_equal(dumpdev_wait(&dd, 0), 0);
}

/* This test checks that a broken controller is started again once, is asked
 * again for what was outstanding and nothing else, with new deadlines, and has
 * no reason left over. */
static void
dumpdev_wait_broken_restarted(void **state)
{
	(void)state;
	assert_int_equal(write_slot(0), 0);
	assert_int_equal(dumpdev_wait(&dd, 0), 0);
	assert_int_equal(write_slot(1), 0);
	assert_int_equal(dumpdev_submit(&dd, DUMPDEV_READ, 2, 5, 3), 0);
	fake.poll_error = -EIO;
	fake.heals = true;
	fb.now_us += 9999900;
	assert_int_equal(dumpdev_wait(&dd, 1), 0);
	assert_int_equal(dumpdev_wait(&dd, 2), 0);
	assert_int_equal(fake.nstart, 2);
	assert_int_equal(fake.nsubmit, 3 + 2);
	assert_int_equal(dd.nrestarts, 1);
	assert_int_equal(dd.reason[0], '\0');
	assert_true(dd.slots[1].deadline_us > fb.now_us + 9000000);
	fake.poll_error = -EIO;
	assert_int_equal(write_slot(0), 0);
	assert_int_equal(dumpdev_wait(&dd, 0), -EIO);
	assert_true(dd.dead);
	assert_string_equal(dd.reason, "broken");
	assert_int_equal(fake.nstart, 2);
}

/* This test checks that a restart that fails is death, with the reason for
 * which the controller broke. */
static void
dumpdev_wait_restart_fails_dead(void **state)
{
	(void)state;
	assert_int_equal(write_slot(0), 0);
	fake.poll_error = -EIO;
	fake.start_error = -ENXIO;
	assert_int_equal(dumpdev_wait(&dd, 0), -ENXIO);
	assert_true(dd.dead);
	assert_string_equal(dd.reason, "broken");
	assert_int_equal(dumpdev_flush(&dd), -EIO);
}

/* This test checks that a start that fails is death, with a reason whether or
 * not the driver gave one, and that stop still quiets the controller. */
static void
dumpdev_start_fails_dead(void **state)
{
	(void)state;
	fake.start_error = -EROFS;
	assert_int_equal(dumpdev_start(&dd), -EROFS);
	assert_string_equal(dd.reason, "fake: start failed, error 30");
	assert_true(dd.dead);
	assert_int_equal(dumpdev_stop(&dd), -EIO);
	assert_int_equal(fake.nstop, 1);
	dd.dead = false;
	dd.reason[0] = '\0';
	fake.reason_set = true;
	assert_int_equal(dumpdev_start(&dd), -EROFS);
	assert_string_equal(dd.reason, "own words");
}

/* This test checks that a device that was not shut down in order does no DMA
 * any more, and that the command register of another stays as it is. */
static void
dumpdev_stop_cuts_off_dead_device(void **state)
{
	(void)state;
	fakebus_cfg_set4(&fb, 4, 0xf8100146);
	assert_int_equal(dumpdev_stop(&dd), 0);
	assert_int_equal(fb.cfg[4], 0x46);
	dd.dead = true;
	assert_int_equal(dumpdev_stop(&dd), -EIO);
	assert_int_equal(fb.cfg[4], 0x42);
	assert_int_equal(fb.cfg[5], 0x01);
	assert_int_equal(fb.cfg[7], 0xf8);
}

/* This test checks that stop flushes, stops, and lets nothing through after. */
static void
dumpdev_stop_flushes_and_ends(void **state)
{
	(void)state;
	assert_int_equal(dumpdev_stop(&dd), 0);
	assert_int_equal(fake.nsubmit, 1);
	assert_int_equal(fake.nstop, 1);
	assert_int_equal(write_slot(0), -EIO);
	dd.started = false;
	assert_int_equal(dumpdev_stop(&dd), 0);
	assert_int_equal(fake.nstop, 1);
}

/* This test checks that a controller that does not start is reset as a function
 * of PCI Express, once, where it can be; not so one of the wrong kind. */
static void
dumpdev_start_fails_function_reset(void **state)
{
	static const struct {
		int error;
		bool flr;
		unsigned int nresets;
	} table[] = {
		{ -ETIMEDOUT, true, 1 }, { -EIO, true, 1 }, { -EIO, false, 0 },
		{ -EROFS, true, 0 }, { -EOPNOTSUPP, true, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		fakebus_caps(&fb, table[i].flr);
		dumpdev_pci_save(&dd);
		dd.dead = false;
		fake.nstart = fb.nresets = 0;
		fake.start_error = table[i].error;
		assert_int_equal(dumpdev_start(&dd), table[i].error);
		assert_int_equal(fb.nresets, table[i].nresets);
		assert_int_equal(fake.nstart, 1 + table[i].nresets);
	}
	dd.dead = false;
	dd.reason[0] = '\0';
	fakebus_caps(&fb, true);
	fakebus_cfg_set4(&fb, 0x10, 0xfebf0004);
	dumpdev_pci_save(&dd);
	fake.nstart = 0;
	fake.starts_late = true;
	fake.start_error = -ETIMEDOUT;
	assert_int_equal(dumpdev_start(&dd), 0);
	assert_int_equal(dd.reason[0], '\0');
	assert_int_equal(fakebus_cfg_get4(&fb, 0x10), 0xfebf0004);
	assert_int_equal(fb.cfg[4] & 6, 6);
}

/* This test checks that attach gives back the buffers that the driver doesn't
 * want, obeys the stock driver's limit, and refuses what can't be. */
static void
dumpdev_attach_limits_checked(void **state)
{
	static const struct {
		unsigned int nslots;
		uint32_t blksize, slot_len, max_xfer;
		uint64_t nblks;
		int error;
		uint32_t got_len;
	} table[] = {
		{ 8, 512, 16384, 0, 1, 0, 16384 },
		{ 2, 4096, 16384, 12287, 1, 0, 8192 },
		{ 2, 4096, 16385, 0, 1, 0, 16384 },
		{ 1, 512, 4096, 0, 1, -EINVAL, 0 },
		{ 33, 512, 4096, 0, 1, -EINVAL, 0 },
		{ 2, 256, 4096, 0, 1, -EINVAL, 0 },
		{ 2, 520, 4096, 0, 1, -EINVAL, 0 },
		{ 2, 8192, 4096, 0, 1, -EINVAL, 0 },
		{ 2, 512, 4096, 0, 0, -EINVAL, 0 },
		{ 2, 512, 4095, 0, 1, -EOPNOTSUPP, 0 },
		{ 2, 512, 8192, 3584, 1, -EOPNOTSUPP, 0 },
	};
	struct dumpdev d;
	unsigned int slot;
	size_t i;

	(void)state;
	fb.armed = true;
	for (i = 0; i < NITEMS(table); i++) {
		memset(&d, 0, sizeof(d));
		d.bus = &fb.bus;
		d.ops = &fake_ops;
		d.nslots = table[i].nslots;
		d.blksize = table[i].blksize;
		d.slot_len = table[i].slot_len;
		d.max_xfer = table[i].max_xfer;
		d.nblks = table[i].nblks;
		assert_int_equal(dumpdev_attach(&d), table[i].error);
		if (table[i].error != 0) {
			assert_int_not_equal(d.reason[0], '\0');
			assert_null(d.slots[0].buf.va);
			continue;
		}
		assert_int_equal(d.slot_len, table[i].got_len);
		for (slot = 0; slot < DUMPDEV_MAXSLOTS; slot++)
			assert_true((d.slots[slot].buf.va != NULL) ==
			    (slot < d.nslots));
		dumpdev_detach(&d);
	}
}

/* This test checks that a controller which no driver knows is told so. */
static void
dumpdev_match_unknown_told(void **state)
{
	(void)state;
	assert_int_equal(dumpdev_match(&dd), -ENODEV);
	assert_string_equal(dd.reason,
	    "no dump driver knows this controller");
	assert_ptr_equal(dd.ops, &fake_ops);
}

/* This test checks that an SR-IOV virtual function is refused, whatever driver
 * knows it, before any register is read. */
static void
dumpdev_match_virtual_function_refused(void **state)
{
	uint64_t naccess;

	(void)state;
	fakebus_cfg_set4(&fb, 0x00, 0x00101b36);
	fakebus_cfg_set4(&fb, 0x08, 0x01080202);
	dd.bus->virtfn = true;
	naccess = fb.naccess;
	assert_int_equal(dumpdev_match(&dd), -EOPNOTSUPP);
	assert_string_equal(dd.reason,
	    "an SR-IOV virtual function, which can't be taken over alone; "
	    "choose a disk on a physical function");
	assert_int_equal(fb.naccess, naccess);
	dd.bus->virtfn = false;
	assert_int_equal(dumpdev_match(&dd), 0);
	assert_ptr_equal(dd.ops, &nvme_dumpdev_ops);
	dd.ops = &fake_ops;
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(poll_until_answer_or_timeout),
		TEST(dumpdev_fail_first_reason_stays),
		TEST(dumpdev_submit_out_of_range_refused),
		TEST(dumpdev_error_told_once),
		TEST(dumpdev_submit_queue_refuses_told),
		TEST(dumpdev_wait_deadline_kept),
		TEST(dumpdev_wait_looked_late_good),
		TEST(dumpdev_wait_broken_restarted),
		TEST(dumpdev_wait_restart_fails_dead),
		TEST(dumpdev_start_fails_dead),
		TEST(dumpdev_stop_cuts_off_dead_device),
		TEST(dumpdev_stop_flushes_and_ends),
		TEST(dumpdev_start_fails_function_reset),
		TEST(dumpdev_attach_limits_checked),
		TEST(dumpdev_match_unknown_told),
		TEST(dumpdev_match_virtual_function_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
