/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme_test.c: the NVMe dump driver against a controller that does what it is
 * told, one that does not, and one that is not there any more.
 */
#include <stdlib.h>

#include "fakenvme.h"

#define SLOT_LEN	32768u
#define NSLOTS		4
#define LIMIT_US	(120ull * 1000 * 1000)	/* whatever goes wrong */

struct env {
	struct fakebus fb;
	struct fakenvme f;
	struct dumpdev dd;
	struct fakerun run;
};

static struct env *
env_make(uint32_t blksize, unsigned int nslots, uint32_t slot_len)
{
	struct env *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	fakebus_init(&e->fb);
	e->dd.bus = &e->fb.bus;
	e->dd.blksize = blksize;
	e->dd.nslots = nslots;
	e->dd.slot_len = slot_len;
	e->dd.nblks = fakerun_nblks(&e->dd);
	e->dd.unit = 3;
	fakenvme_init(&e->f, &e->fb, blksize, e->dd.nblks);
	return e;
}

static struct env *
env_new(void)
{
	return env_make(512, NSLOTS, SLOT_LEN);
}

static void
env_match(struct env *e)
{
	assert_int_equal(dumpdev_match(&e->dd), 0);
	assert_string_equal(e->dd.ops->name, "nvme");
	e->dd.softc = calloc(1, e->dd.ops->softc_size);
	assert_non_null(e->dd.softc);
}

/* Matches, attaches; then the panic comes. */
static void
env_attach(struct env *e)
{
	env_match(e);
	assert_int_equal(dumpdev_attach(&e->dd), 0);
	e->fb.armed = false;
	e->fb.naccess = 0;
}

static void
env_free(struct env *e)
{
	e->fb.armed = true;
	dumpdev_detach(&e->dd);
	fakebus_check_released(&e->fb);
	fakenvme_fini(&e->f);
	free(e->dd.softc);
	free(e);
}

static void
env_check_good(struct env *e)
{
	if (e->run.first != 0)
		fail_msg("error %d: %s", e->run.first, e->dd.reason);
	assert_int_equal(e->run.nerrors, 0);
	assert_int_equal(e->run.nwrong, 0);
	fakerun_check_disk(&e->dd, &e->run, e->f.disk);
	assert_int_equal(e->f.nunflushed, 0);
	assert_int_equal(e->f.csts & 0xc, 0x8);	/* shut down */
}

/* Whatever failed: what was said to be written is, time was bounded, and there
 * is a reason. */
static void
env_check_bad(struct env *e)
{
	assert_int_not_equal(e->run.first, 0);
	assert_int_equal(e->run.nwrong, 0);
	fakerun_check_disk(&e->dd, &e->run, e->f.disk);
	assert_true(e->fb.now_us < LIMIT_US);
	assert_int_not_equal(e->dd.reason[0], '\0');
}

/* This test checks that what is written arrives at its block and is read back,
 * for both block sizes and buffers from one page to the longest. */
static void
nvme_write_read_data_arrives(void **state)
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

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		e = env_make(table[i].blksize, table[i].nslots,
		    table[i].slot_len);
		env_attach(e);
		assert_int_equal(e->dd.slot_len, table[i].slot_len);
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		assert_int_equal(e->f.nflush, 2);
		env_free(e);
	}
}

/* This test checks that answers out of order, answers to nothing and answers
 * given twice disturb nobody. */
static void
nvme_poll_strange_answers_ignored(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 1; i < 4; i++) {
		e = env_new();
		e->f.strays = (i & 1) != 0;
		e->f.backwards = (i & 2) != 0;
		env_attach(e);
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		env_free(e);
	}
}

/* This test checks that a buffer longer than one PRP list page is shortened,
 * and that unused buffers are given back. */
static void
nvme_attach_limits_lowered(void **state)
{
	struct env *e = env_make(4096, 8, 4u << 20);

	(void)state;
	e->f.cap = (e->f.cap & ~0xffffull) | 3;	/* four entries */
	env_attach(e);
	assert_int_equal(e->dd.slot_len, 2u << 20);
	assert_int_equal(e->dd.nslots, 3);
	assert_null(e->dd.slots[3].buf.va);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	env_free(e);
}

/* This test checks that MDTS and the stock driver's limit shorten requests. */
static void
nvme_start_mdts_lowers_slot(void **state)
{
	struct env *e = env_new();

	(void)state;
	e->f.mdts = 2;
	e->dd.max_xfer = 24576 + 512;
	env_attach(e);
	assert_int_equal(e->dd.slot_len, 24576);
	fakerun(&e->dd, &e->run);
	assert_int_equal(e->dd.slot_len, 16384);
	env_check_good(e);
	env_free(e);
}

/* This test checks that doorbells of every stride are found. */
static void
nvme_doorbell_strides_found(void **state)
{
	uint64_t dstrd;
	struct env *e;

	(void)state;
	for (dstrd = 0; dstrd <= 9; dstrd++) {
		e = env_new();
		e->f.cap = (e->f.cap & ~(0xfull << 32)) | dstrd << 32;
		env_attach(e);
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		env_free(e);
	}
}

/* This test checks that attaching fails, with a reason, and gives everything
 * back, where BAR 0 is too short, CAP is bad, or the namespace id is none. */
static void
nvme_attach_unusable_refused(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		e = env_new();
		env_match(e);
		switch (i) {
		case 0:
			e->fb.bar_len[0] = 0x1010;
			break;
		case 1:
			e->f.cap |= 1ull << 48;
			break;
		case 2:
			e->dd.unit = 0;
			break;
		case 3:
			e->fb.bar_len[0] = 0;
			break;
		case 4:
			e->dd.unit = 0xffffffff;
			break;
		}
		assert_int_not_equal(dumpdev_attach(&e->dd), 0);
		assert_int_not_equal(e->dd.reason[0], '\0');
		fakebus_check_released(&e->fb);
		env_free(e);
	}
}

/* This test checks that the Nth allocation may fail, for every N. */
static void
nvme_attach_no_memory_gives_back(void **state)
{
	struct env *e;
	unsigned int n;
	int error;

	(void)state;
	for (n = 1, error = -1; error != 0; n++) {
		e = env_new();
		env_match(e);
		e->fb.fail_alloc_at = n;
		error = dumpdev_attach(&e->dd);
		if (error != 0) {
			assert_int_equal(error, -ENOMEM);
			assert_non_null(strstr(e->dd.reason, "no memory"));
			fakebus_check_released(&e->fb);
		}
		env_free(e);
	}
	assert_int_equal(n, NSLOTS + 1 + 1 + 1);
}

/* This test checks that a namespace other than the one that was armed is
 * refused before anything is written, with its own reason. */
static void
nvme_start_wrong_namespace_refused(void **state)
{
	static const char *const reasons[] = { "metadata", "2^12 bytes",
	    "protection", "write protected", "were armed", "not there",
	    "type 3" };
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		e = env_new();
		env_attach(e);
		e->f.ms = i == 0 ? 8 : 0;
		e->f.lbads = i == 1 ? 12 : 9;
		e->f.dps = i == 2 ? 1 : 0;
		e->f.nsattr = i == 3 ? 1 : 0;
		e->f.nsze -= i == 4 ? 1 : 0;
		e->f.nsid += i == 5 ? 1 : 0;
		e->f.cntrltype = i == 6 ? 3 : 1;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_non_null(strstr(e->dd.reason, reasons[i]));
		assert_int_equal(e->f.nio, 0);
		assert_int_equal(e->f.csts & 0xc, 0x8);	/* shut down */
		env_free(e);
	}
}

/* This test checks that a format above 15 is looked up where it is. */
static void
nvme_start_high_format_found(void **state)
{
	struct env *e = env_new();

	(void)state;
	e->f.format = 37;
	env_attach(e);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	env_free(e);
}

/* This test checks that resets that never end, and fatal status, end the
 * attempt within bounds. */
static void
nvme_start_stuck_gives_up(void **state)
{
	static const char *const reasons[] = { "disabling", "enabling",
	    "fatal status" };
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		e = env_new();
		env_attach(e);
		e->f.stuck_disable = i == 0;
		e->f.stuck_enable = i == 1;
		e->f.fatal_enable = i == 2;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_true(e->dd.dead);
		assert_non_null(strstr(e->dd.reason, reasons[i]));
		env_free(e);
	}
}

/* This test checks that a panic in the middle of the stock driver's own reset
 * waits for that reset, and one that never ends is overridden. */
static void
nvme_start_during_reset_waits(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		e = env_new();
		env_attach(e);
		e->f.csts = i == 2 ? 2 : 0;
		e->f.rdy_at = i == 0 ? e->fb.now_us + 200000 : 0;
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		assert_int_equal(e->dd.reason[0], '\0');
		env_free(e);
	}
}

/* This test checks that bus mastering, which the stock driver's reset turns
 * off, is on again, and interrupts by wire are off. */
static void
nvme_start_bus_master_off_enabled(void **state)
{
	struct env *e = env_new();

	(void)state;
	env_attach(e);
	fakebus_cfg_set4(&e->fb, 4, 0x00100000);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	assert_int_equal(e->fb.cfg[4] & 6, 6);
	assert_int_equal(e->fb.cfg[5] & 4, 4);
	env_free(e);
}

/* This test checks that each admin command's failure is told. */
static void
nvme_start_admin_error_told(void **state)
{
	struct env *e;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 5; n++) {
		e = env_new();
		env_attach(e);
		e->f.fail_admin = n;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_non_null(strstr(e->dd.reason, "status 0/02"));
		assert_int_equal(e->f.nadmin, n);
		assert_int_equal(e->f.nio, 0);
		env_free(e);
	}
}

/* This test checks that the Nth request may fail, for every N, once and for
 * ever: the error is told, with its status, and only for what failed. */
static void
nvme_request_nth_fails_told(void **state)
{
	const unsigned int total = 2 * FAKERUN_NREQS + 2;
	struct env *e;
	unsigned int n;
	int ever;

	(void)state;
	for (ever = 0; ever < 2; ever++)
		for (n = 1; n <= total; n++) {
			e = env_new();
			env_attach(e);
			e->f.fail_from = n;
			e->f.fail_to = ever ? 100000 : n;
			/* A type of error whose first code is zero. */
			if (n % 2 == 0)
				e->f.fail_status = 0x300;
			fakerun(&e->dd, &e->run);
			env_check_bad(e);
			assert_int_equal(e->run.first, -EIO);
			assert_false(e->dd.nrestarts != 0);
			assert_non_null(strstr(e->dd.reason, n % 2 == 0 ?
			    "status 3/00" : "status 2/81"));
			/* The last is the flush of the stop. */
			assert_int_equal(e->run.nerrors,
			    n == total ? 0 : ever ? total - n : 1);
			env_free(e);
		}
}

/* This test checks that a flush that fails is an error, and says flush. */
static void
nvme_flush_fails_told(void **state)
{
	struct env *e = env_new();

	(void)state;
	env_attach(e);
	e->f.fail_from = e->f.fail_to = FAKERUN_NREQS + 1;
	fakerun(&e->dd, &e->run);
	env_check_bad(e);
	assert_non_null(strstr(e->dd.reason, "flush"));
	assert_int_equal(e->run.nerrors, 1);
	env_free(e);
}

/* This test checks that a request without answer, the Nth for every N, ends in
 * a time-out that marks the device dead, and is not tried again. */
static void
nvme_request_nth_unanswered_dead(void **state)
{
	struct env *e;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 2 * FAKERUN_NREQS + 2; n++) {
		e = env_new();
		e->fb.relax_us = 1000;
		env_attach(e);
		e->f.drop_at = n;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_int_equal(e->run.first, -ETIMEDOUT);
		assert_true(e->dd.dead);
		assert_int_equal(e->dd.nrestarts, 0);
		assert_non_null(strstr(e->dd.reason, "no answer in time"));
		env_free(e);
	}
}

/* This test checks that an answer which comes after the time-out revives
 * nothing. */
static void
nvme_write_late_completion_stays_dead(void **state)
{
	struct env *e = env_new();
	unsigned int i;

	(void)state;
	e->fb.relax_us = 1000;
	env_attach(e);
	e->f.drop_at = 1;
	e->f.late_us = DUMPDEV_IO_TIMEOUT_US + 500000;
	assert_int_equal(dumpdev_start(&e->dd), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), 0);
	assert_int_equal(dumpdev_wait(&e->dd, 0), -ETIMEDOUT);
	for (i = 0; i < 1000; i++)
		e->fb.bus.ops->relax(&e->fb.bus);
	assert_int_equal(e->f.late_at, 0);	/* it came */
	assert_int_equal(dumpdev_wait(&e->dd, 0), -EIO);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), -EIO);
	assert_int_equal(dumpdev_drain(&e->dd), -EIO);
	assert_int_equal(dumpdev_flush(&e->dd), -EIO);
	assert_int_equal(dumpdev_stop(&e->dd), -EIO);
	assert_int_equal(e->f.csts & 0xc, 0x8);	/* quiet nevertheless */
	env_free(e);
}

/* This test checks that a slow answer, but in time, is a good one. */
static void
nvme_write_slow_completion_good(void **state)
{
	struct env *e = env_new();

	(void)state;
	e->fb.relax_us = 1000;
	env_attach(e);
	e->f.drop_at = 2;
	e->f.late_us = DUMPDEV_IO_TIMEOUT_US - 500000;
	assert_int_equal(dumpdev_start(&e->dd), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_WRITE, 0, 8, 1), 0);
	assert_int_equal(dumpdev_submit(&e->dd, DUMPDEV_READ, 1, 8, 1), 0);
	assert_int_equal(dumpdev_drain(&e->dd), 0);
	assert_int_equal(dumpdev_stop(&e->dd), 0);
	env_free(e);
}

/* This test checks that fatal status at the Nth request, for every N, brings
 * one new start, after which everything arrives; and a second one death. */
static void
nvme_request_nth_fatal_restarted_once(void **state)
{
	struct env *e;
	unsigned int n;
	int once;

	(void)state;
	for (once = 0; once < 2; once++)
		for (n = 1; n <= 2 * FAKERUN_NREQS + 2; n++) {
			e = env_new();
			env_attach(e);
			e->f.fatal_at = n;
			e->f.fatal_once = once != 0;
			fakerun(&e->dd, &e->run);
			assert_int_equal(e->dd.nrestarts, 1);
			assert_int_equal(e->f.nenable, 2);
			if (once) {
				env_check_good(e);
			} else {
				env_check_bad(e);
				assert_non_null(strstr(e->dd.reason, "fatal"));
			}
			env_free(e);
		}
}

/* This test checks that a controller pulled out at the Nth access, for every
 * N, ends in an error: no loop, no false success. */
static void
nvme_gone_at_nth_access_told(void **state)
{
	struct env *e = env_new();
	uint64_t n, total;

	(void)state;
	env_attach(e);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	total = e->fb.naccess;
	env_free(e);
	assert_true(total > 100);
	for (n = 1; n <= total; n++) {
		e = env_new();
		env_attach(e);
		e->fb.gone_at = n;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_true(e->dd.dead);
		env_free(e);
	}
}

/* This test checks that a shutdown that never ends is told and bounded. */
static void
nvme_stop_stuck_told(void **state)
{
	struct env *e = env_new();

	(void)state;
	env_attach(e);
	e->f.stuck_shutdown = true;
	fakerun(&e->dd, &e->run);
	env_check_bad(e);
	assert_int_equal(e->run.first, -ETIMEDOUT);
	assert_int_equal(e->run.nerrors, 0);
	assert_non_null(strstr(e->dd.reason, "shutting down"));
	env_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nvme_write_read_data_arrives),
		cmocka_unit_test(nvme_poll_strange_answers_ignored),
		cmocka_unit_test(nvme_attach_limits_lowered),
		cmocka_unit_test(nvme_start_mdts_lowers_slot),
		cmocka_unit_test(nvme_doorbell_strides_found),
		cmocka_unit_test(nvme_attach_unusable_refused),
		cmocka_unit_test(nvme_attach_no_memory_gives_back),
		cmocka_unit_test(nvme_start_wrong_namespace_refused),
		cmocka_unit_test(nvme_start_high_format_found),
		cmocka_unit_test(nvme_start_stuck_gives_up),
		cmocka_unit_test(nvme_start_during_reset_waits),
		cmocka_unit_test(nvme_start_bus_master_off_enabled),
		cmocka_unit_test(nvme_start_admin_error_told),
		cmocka_unit_test(nvme_request_nth_fails_told),
		cmocka_unit_test(nvme_flush_fails_told),
		cmocka_unit_test(nvme_request_nth_unanswered_dead),
		cmocka_unit_test(nvme_write_late_completion_stays_dead),
		cmocka_unit_test(nvme_write_slow_completion_good),
		cmocka_unit_test(nvme_request_nth_fatal_restarted_once),
		cmocka_unit_test(nvme_gone_at_nth_access_told),
		cmocka_unit_test(nvme_stop_stuck_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
