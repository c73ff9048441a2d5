/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver_test.c: what every dump driver must do, against a device that does
 * what it is told, one that does not, and one that is not there any more.  Each
 * test runs once for each kind of fake device; what a protocol has of its own
 * is in the driver's test.
 *
 * To add a driver: write its fake with a struct fakedev, and name it in devs[].
 */
#include <stdio.h>

#include "fakeenv.h"

static const struct fakedev *const devs[] = {
	&fakeahci_dev,
	&fakenvme_dev,
	&fakevioscsi_dev,
	&fakevirtio_dev,
	&fakeviommio_dev,
};

/* This test checks that what is written arrives at its block and is read back,
 * for both block sizes and buffers from one page to the longest. */
static void
driver_write_read_data_arrives(void **state)
{
	static const struct {
		uint32_t blksize;
		unsigned int nslots;
		uint32_t slot_len;
	} table[] = {
		{ 512, 8, 32768 }, { 4096, 8, 32768 }, { 512, 2, 4096 },
		{ 512, 32, 12288 }, { 4096, 3, 2u << 20 }, { 512, 5, 69632 },
	};
	struct env *e;
	size_t i;

	for (i = 0; i < NITEMS(table); i++) {
		e = env_make(*state, table[i].blksize, table[i].nslots,
		    table[i].slot_len);
		env_attach(e);
		env_run_good(e);
		assert_int_equal(e->dd.slot_len, table[i].slot_len);
		assert_int_equal(e->dd.nslots, table[i].nslots);
		assert_int_equal(e->disk->nflush, 2);
		assert_int_equal(e->disk->nstarts, 1);
		env_free(e);
	}
}

/* This test checks that answers out of order, answers to nothing and answers
 * given twice disturb nobody. */
static void
driver_poll_strange_answers_ignored(void **state)
{
	struct env *e;
	int i;

	for (i = 1; i < 4; i++) {
		e = env_new(*state);
		e->disk->strays = (i & 1) != 0;
		e->disk->backwards = (i & 2) != 0;
		env_attach(e);
		env_run_good(e);
		env_free(e);
	}
}

/* This test checks that the Nth allocation may fail, for every N. */
static void
driver_attach_no_memory_gives_back(void **state)
{
	struct env *e;
	unsigned int n, nallocs = 0;
	int error;

	for (n = 1, error = -1; error != 0; n++) {
		e = env_new(*state);
		env_match(e);
		e->fb.fail_alloc_at = n;
		error = dumpdev_attach(&e->dd);
		if (error != 0) {
			assert_int_equal(error, -ENOMEM);
			assert_non_null(strstr(e->dd.reason, "no memory"));
			fakebus_check_released(&e->fb);
		}
		nallocs = e->fb.nallocs;
		env_free(e);
	}
	/* Buffers and at least one for queues; all but the last n failed. */
	assert_true(nallocs > ENV_NSLOTS);
	assert_int_equal(n, nallocs + 2);
}

/* This test checks that the stock driver's limit, rounded down to pages,
 * shortens the buffers. */
static void
driver_attach_max_xfer_lowers_slot(void **state)
{
	struct env *e = env_new(*state);

	e->dd.max_xfer = 24576 + 512;
	env_attach(e);
	assert_int_equal(e->dd.slot_len, 24576);
	env_run_good(e);
	env_free(e);
}

/* A request that failed once, where the driver asks again: it went well then,
 * but for one that was alone. */
static void
failed_once(struct env *e)
{
	env_run_any(e);
	assert_true(e->run.first == 0 || e->run.first == -EIO);
	assert_true(e->run.nerrors <= 1);
	assert_int_equal(e->dd.nrestarts, 0);
}

/* This test checks that the Nth request may fail, for every N, once and for
 * ever: the error is told, in the device's words, and only for what failed. */
static void
driver_request_nth_fails_told(void **state)
{
	const struct fakedev *dev = *state;
	unsigned int n, how, nhow;
	struct env *e;
	int ever;

	for (nhow = 0; nhow < NITEMS(dev->failures) &&
	    dev->failures[nhow].reason != NULL; nhow++)
		;
	assert_true(nhow > 0);
	for (ever = 0; ever < 2; ever++)
		for (n = 1; n <= FAKERUN_TOTAL; n++) {
			how = n % nhow;
			e = env_new(dev);
			env_attach(e);
			e->disk->fail_from = n;
			e->disk->fail_to = ever ? 100000 : n;
			e->disk->fail_status = dev->failures[how].status;
			if (!ever && dev->asks_again) {
				failed_once(e);
				env_free(e);
				continue;
			}
			env_run_bad(e);
			assert_int_equal(e->run.first, -EIO);
			assert_int_equal(e->dd.nrestarts, 0);
			assert_non_null(strstr(e->dd.reason,
			    dev->failures[how].reason));
			/* The last is the flush of the stop. */
			assert_int_equal(e->run.nerrors, n == FAKERUN_TOTAL ?
			    0 : ever ? FAKERUN_TOTAL - n : 1);
			env_free(e);
		}
}

/* This test checks that a flush that fails is an error, and says flush. */
static void
driver_flush_fails_told(void **state)
{
	struct env *e = env_new(*state);

	env_attach(e);
	e->disk->fail_from = e->disk->fail_to = FAKERUN_NREQS + 1;
	e->disk->fail_status = e->dev->failures[0].status;
	env_run_bad(e);
	assert_non_null(strstr(e->dd.reason, "flush"));
	assert_int_equal(e->run.nerrors, 1);
	env_free(e);
}

/* This test checks that a request without answer, the Nth for every N, ends in
 * a time-out that marks the device dead, and is not tried again. */
static void
driver_request_nth_unanswered_dead(void **state)
{
	struct env *e;
	unsigned int n;

	for (n = 1; n <= FAKERUN_TOTAL; n++) {
		e = env_new(*state);
		e->fb.relax_us = 1000;
		env_attach(e);
		e->disk->drop_at = n;
		env_run_bad(e);
		assert_int_equal(e->run.first, -ETIMEDOUT);
		assert_true(e->dd.dead);
		assert_int_equal(e->dd.nrestarts, 0);
		assert_non_null(strstr(e->dd.reason, "no answer in time"));
		assert_true(e->dev->quiet(e->fake));
		env_free(e);
	}
}

/* This test checks that an answer which comes after the time-out revives
 * nothing. */
static void
driver_write_late_completion_stays_dead(void **state)
{
	struct env *e = env_new(*state);
	unsigned int i;

	e->fb.relax_us = 1000;
	env_attach(e);
	e->disk->drop_at = 1;
	e->disk->late_us = DUMPDEV_IO_TIMEOUT_US + 500000;
	assert_int_equal(dumpdev_start(&e->dd), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), 0);
	assert_int_equal(dumpdev_wait(&e->dd, 0), -ETIMEDOUT);
	for (i = 0; i < 1000; i++)
		e->fb.bus.ops->relax(&e->fb.bus);
	assert_int_equal(e->disk->late_at, 0);	/* it came */
	assert_int_equal(dumpdev_wait(&e->dd, 0), -EIO);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), -EIO);
	assert_int_equal(dumpdev_drain(&e->dd), -EIO);
	assert_int_equal(dumpdev_flush(&e->dd), -EIO);
	assert_int_equal(dumpdev_stop(&e->dd), -EIO);
	assert_true(e->dev->quiet(e->fake));	/* nevertheless */
	env_free(e);
}

/* This test checks that a slow answer, but in time, is a good one. */
static void
driver_write_slow_completion_good(void **state)
{
	struct env *e = env_new(*state);

	e->fb.relax_us = 1000;
	env_attach(e);
	e->disk->drop_at = 2;
	e->disk->late_us = DUMPDEV_IO_TIMEOUT_US - 500000;
	assert_int_equal(dumpdev_start(&e->dd), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_READ, 1, 8, 1), 0);
	assert_int_equal(dumpdev_drain(&e->dd), 0);
	assert_int_equal(dumpdev_stop(&e->dd), 0);
	env_free(e);
}

/* This test checks that a device that breaks at the Nth request, for every N
 * and in every way it knows, is started again once, and that everything arrives
 * after that; and that it is given up the second time. */
static void
driver_request_nth_breaks_restarted_once(void **state)
{
	const struct fakedev *dev = *state;
	unsigned int how, n;
	struct env *e;
	int once;

	assert_non_null(dev->breaks[0]);
	for (how = 0; how < NITEMS(dev->breaks) && dev->breaks[how] != NULL;
	    how++)
		for (n = 1; n <= 2 * FAKERUN_TOTAL; n++) {
			once = n % 2;
			e = env_new(dev);
			env_attach(e);
			e->disk->break_at = (n + 1) / 2;
			e->disk->break_how = how;
			e->disk->break_once = once != 0;
			if (once) {
				env_run_good(e);
			} else {
				env_run_bad(e);
				assert_non_null(strstr(e->dd.reason,
				    dev->breaks[how]));
			}
			assert_int_equal(e->dd.nrestarts, 1);
			assert_int_equal(e->disk->nstarts, 2);
			env_free(e);
		}
}

/* This test checks that a device pulled out at the Nth access, for every N,
 * ends in an error: no loop, no false success. */
static void
driver_gone_at_nth_access_told(void **state)
{
	struct env *e = env_new(*state);
	uint64_t n, total;

	env_attach(e);
	env_run_good(e);
	total = e->fb.naccess;
	env_free(e);
	assert_true(total > 2 * FAKERUN_TOTAL);
	for (n = 1; n <= total; n++) {
		e = env_new(*state);
		env_attach(e);
		e->fb.gone_at = n;
		env_run_bad(e);
		env_free(e);
	}
}

/* As the stock driver, or the kernel, may leave the function when it dies. */
static const char *
pci_state(struct fakebus *fb, int state)
{
	switch (state) {
	case 0:
		memset(fb->cfg + 4, 0, 2);
		return "nothing decoded, no bus master";
	case 1:
		fb->cfg[4] = 4;
		return "nothing decoded";
	case 2:
		fb->cfg[4] = 2;
		return "no bus master";
	case 3:
		fb->cfg[FAKEBUS_PM + 4] |= 3;
		return "in D3";
	case 4:
		fakebus_forget(fb);
		fb->ready_at = fb->now_us + 500000;
		return "in a reset";
	case 5:
		fb->above->cfg[FAKEBUS_PM + 4] |= 3;
		fb->cfg[FAKEBUS_PM + 4] |= 3;
		return "in D3, and the bridge too";
	case 6:
		fakebus_forget(fb->above);
		fakebus_forget(fb);
		return "forgotten all, and the bridge too";
	case 7:
		fb->above->cfg[0x3e] |= 0x40;
		return "held in a reset by the bridge";
	default:
		return NULL;
	}
}

/* This test checks that a function that is asleep, in a reset, or has anything
 * turned off, and so may be the bridge above it, takes the workload. */
static void
driver_start_any_pci_state_taken_over(void **state)
{
	const char *what = "";
	struct fakebus bridge;
	struct env *e;
	int i;

	for (i = 0; what != NULL; i++) {
		e = env_new(*state);
		if (e->fb.bus.platform) {
			env_match(e);
			env_free(e);
			return;
		}
		fakebus_caps(&e->fb, false);
		fakebus_bridge(&bridge, &e->fb);
		env_attach(e);
		bridge.armed = false;
		what = pci_state(&e->fb, i);
		env_run_good(e);
		env_free(e);
	}
}

/* Names say which device, for whoever reads that one failed. */
static int
driver_run(const struct fakedev *dev)
{
#define DRIVER_TEST(f)	cmocka_unit_test_prestate(f, (void *)(uintptr_t)dev)
	struct CMUnitTest tests[] = {
		DRIVER_TEST(driver_write_read_data_arrives),
		DRIVER_TEST(driver_poll_strange_answers_ignored),
		DRIVER_TEST(driver_attach_no_memory_gives_back),
		DRIVER_TEST(driver_attach_max_xfer_lowers_slot),
		DRIVER_TEST(driver_request_nth_fails_told),
		DRIVER_TEST(driver_flush_fails_told),
		DRIVER_TEST(driver_request_nth_unanswered_dead),
		DRIVER_TEST(driver_write_late_completion_stays_dead),
		DRIVER_TEST(driver_write_slow_completion_good),
		DRIVER_TEST(driver_request_nth_breaks_restarted_once),
		DRIVER_TEST(driver_gone_at_nth_access_told),
		DRIVER_TEST(driver_start_any_pci_state_taken_over),
	};
	char names[NITEMS(tests)][80];
	size_t i;

	for (i = 0; i < NITEMS(tests); i++) {
		snprintf(names[i], sizeof(names[i]), "%s%s: %s", dev->driver,
		    dev == &fakeviommio_dev ? " without PCI" : "",
		    tests[i].name);
		tests[i].name = names[i];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int
main(void)
{
	int nfailed = 0;
	size_t i;

	for (i = 0; i < NITEMS(devs); i++)
		nfailed += driver_run(devs[i]);
	return nfailed != 0;
}
