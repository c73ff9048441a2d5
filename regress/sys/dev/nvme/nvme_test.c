/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme_test.c: what the NVMe dump driver has of its own; driver_test has what
 * it shares with all others.
 */
#include <stdlib.h>

#include "fakeenv.h"
#include "fakenvme.h"

static struct fakenvme *
fake(struct env *e)
{
	return e->fake;
}

/* This test checks that a buffer longer than one PRP list page is shortened,
 * and that unused buffers are given back. */
static void
nvme_attach_limits_lowered(void **state)
{
	struct env *e = env_make(&fakenvme_dev, 4096, 8, 4u << 20);

	(void)state;
	fake(e)->cap = (fake(e)->cap & ~0xffffull) | 3;	/* four entries */
	env_attach(e);
	assert_int_equal(e->dd.slot_len, 2u << 20);
	assert_int_equal(e->dd.nslots, 3);
	assert_null(e->dd.slots[3].buf.va);
	env_run_good(e);
	env_free(e);
}

/* This test checks that MDTS and the stock driver's limit shorten requests. */
static void
nvme_start_mdts_lowers_slot(void **state)
{
	struct env *e = env_new(&fakenvme_dev);

	(void)state;
	fake(e)->mdts = 2;
	e->dd.max_xfer = 24576 + 512;
	env_attach(e);
	assert_int_equal(e->dd.slot_len, 24576);
	env_run_good(e);
	assert_int_equal(e->dd.slot_len, 16384);
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
		e = env_new(&fakenvme_dev);
		fake(e)->cap = (fake(e)->cap & ~(0xfull << 32)) | dstrd << 32;
		env_attach(e);
		env_run_good(e);
		env_free(e);
	}
}

/* This test checks that attaching fails, with a reason, and gives everything
 * back, where BAR 0 is too short, CAP is bad, or the namespace id is none. */
static void
nvme_attach_unusable_refused(void **state)
{
	static const struct {
		int error;
		const char *reason;
	} table[] = {
		{ -EOPNOTSUPP, "have 4112 bytes only" },
		{ -EOPNOTSUPP, "pages of" },
		{ -EINVAL, "no NVMe namespace 0" },
		{ -EINVAL, "no NVMe namespace 4294967295" },
		{ -ENODEV, "can't be mapped" },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakenvme_dev);
		env_match(e);
		e->fb.bar_len[0] = i == 0 ? 0x1010 : i == 4 ? 0 :
		    e->fb.bar_len[0];
		fake(e)->cap |= i == 1 ? 1ull << 48 : 0;
		e->dd.unit = i == 2 ? 0 : i == 3 ? 0xffffffff : e->dd.unit;
		env_attach_refused(e, table[i].error, table[i].reason);
		env_free(e);
	}
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
	for (i = 0; i < NITEMS(reasons); i++) {
		e = env_new(&fakenvme_dev);
		env_attach(e);
		fake(e)->ms = i == 0 ? 8 : 0;
		fake(e)->lbads = i == 1 ? 12 : 9;
		fake(e)->dps = i == 2 ? 1 : 0;
		fake(e)->nsattr = i == 3 ? 1 : 0;
		fake(e)->nsze -= i == 4 ? 1 : 0;
		fake(e)->nsid += i == 5 ? 1 : 0;
		fake(e)->cntrltype = i == 6 ? 3 : 1;
		env_run_refused(e, reasons[i]);
		assert_int_equal(fake(e)->csts & 0xc, 0x8);	/* shut down */
		env_free(e);
	}
}

/* This test checks that a format above 15 is looked up where it is. */
static void
nvme_start_high_format_found(void **state)
{
	struct env *e = env_new(&fakenvme_dev);

	(void)state;
	fake(e)->format = 37;
	env_attach(e);
	env_run_good(e);
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
		e = env_new(&fakenvme_dev);
		env_attach(e);
		fake(e)->stuck_disable = i == 0;
		fake(e)->stuck_enable = i == 1;
		fake(e)->fatal_enable = i == 2;
		env_run_refused(e, reasons[i]);
		env_free(e);
	}
}

/* What a reset by PCI Express makes of a controller that hangs. */
static void
revive(void *dev)
{
	struct fakenvme *f = dev;

	f->cc = f->csts = 0;
	f->rdy_at = f->shst_at = 0;
	f->stuck_disable = f->stuck_enable = f->fatal_enable = false;
	memset(f->q, 0, sizeof(f->q));
}

/* This test checks that what its own reset can't bring back, a reset by PCI
 * Express does. */
static void
nvme_start_stuck_function_reset(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		e = env_new(&fakenvme_dev);
		fakebus_caps(&e->fb, true);
		e->fb.reset = revive;
		env_attach(e);
		fake(e)->stuck_disable = i == 0;
		fake(e)->stuck_enable = i == 1;
		fake(e)->fatal_enable = i == 2;
		env_run_good(e);
		assert_int_equal(e->fb.nresets, 1);
		assert_int_equal(e->dd.reason[0], '\0');
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
		e = env_new(&fakenvme_dev);
		env_attach(e);
		fake(e)->csts = i == 2 ? 2 : 0;
		fake(e)->rdy_at = i == 0 ? e->fb.now_us + 200000 : 0;
		env_run_good(e);
		assert_int_equal(e->dd.reason[0], '\0');
		env_free(e);
	}
}

/* This test checks that bus mastering, which the stock driver's reset turns
 * off, is on again, and interrupts by wire are off. */
static void
nvme_start_bus_master_off_enabled(void **state)
{
	struct env *e = env_new(&fakenvme_dev);

	(void)state;
	env_attach(e);
	fakebus_cfg_set4(&e->fb, 4, 0x00100000);
	env_run_good(e);
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
		e = env_new(&fakenvme_dev);
		env_attach(e);
		fake(e)->fail_admin = n;
		env_run_bad(e);
		assert_non_null(strstr(e->dd.reason, "status 0/02"));
		assert_int_equal(fake(e)->nadmin, n);
		assert_int_equal(e->disk->nreq, 0);
		env_free(e);
	}
}

/* This test checks that a shutdown that never ends is told and bounded. */
static void
nvme_stop_stuck_told(void **state)
{
	struct env *e = env_new(&fakenvme_dev);

	(void)state;
	env_attach(e);
	fake(e)->stuck_shutdown = true;
	env_run_bad(e);
	assert_int_equal(e->run.first, -ETIMEDOUT);
	assert_int_equal(e->run.nerrors, 0);
	assert_non_null(strstr(e->dd.reason, "shutting down"));
	env_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nvme_attach_limits_lowered),
		cmocka_unit_test(nvme_start_mdts_lowers_slot),
		cmocka_unit_test(nvme_doorbell_strides_found),
		cmocka_unit_test(nvme_attach_unusable_refused),
		cmocka_unit_test(nvme_start_wrong_namespace_refused),
		cmocka_unit_test(nvme_start_high_format_found),
		cmocka_unit_test(nvme_start_stuck_gives_up),
		cmocka_unit_test(nvme_start_stuck_function_reset),
		cmocka_unit_test(nvme_start_during_reset_waits),
		cmocka_unit_test(nvme_start_bus_master_off_enabled),
		cmocka_unit_test(nvme_start_admin_error_told),
		cmocka_unit_test(nvme_stop_stuck_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
