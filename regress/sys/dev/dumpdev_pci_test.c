/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpdev_pci_test.c: a controller that sleeps, is in a reset, decodes nothing
 * or is behind a bridge that does: brought back as it was when armed, or told.
 */
#include <stdlib.h>

#include "fakebus.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static struct fakebus fb;
static struct dumpdev dd;

static int
setup(void **state)
{
	(void)state;
	memset(&dd, 0, sizeof(dd));
	fakebus_init(&fb);
	fakebus_cfg_set4(&fb, 0, 0x12345678);
	dd.bus = &fb.bus;
	dumpdev_pci_save(&dd);
	fb.armed = false;
	return 0;
}

/* This test checks the command register: what is needed is set and nothing else
 * changed, and a function that is gone or won't have it is told. */
static void
dumpdev_pci_enable_sets_or_tells(void **state)
{
	(void)state;
	fakebus_cfg_set4(&fb, 4, 0xf8100140);
	assert_int_equal(dumpdev_pci_enable(&dd), 0);
	assert_int_equal(fb.cfg[4], 0x46);
	assert_int_equal(fb.cfg[5], 0x05);
	assert_int_equal(fb.cfg[7], 0xf8);
	fakebus_cfg_set4(&fb, 0, 0xffffffff);
	assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
	assert_non_null(strstr(dd.reason, "gone"));
	fakebus_cfg_set4(&fb, 0, 0x12345678);
	fb.gone_at = fb.naccess + 5;	/* when the register is read back */
	assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
}

/* A function with two BARs and its capabilities. */
static void
plain_function(bool flr)
{
	fakebus_caps(&fb, flr);
	fakebus_cfg_set4(&fb, 0x10, 0xfebf0004);
	fakebus_cfg_set4(&fb, 0x14, 0x00000012);
	dumpdev_pci_save(&dd);
}

static void
check_function(void)
{
	assert_int_equal(fakebus_cfg_get4(&fb, 0x10), 0xfebf0004);
	assert_int_equal(fakebus_cfg_get4(&fb, 0x14), 0x00000012);
	/* What its status says stays. */
	assert_int_equal(fakebus_cfg_get4(&fb, FAKEBUS_EXPRESS + 8),
	    0x0009513e);
	assert_int_equal(fb.cfg[4] & 6, 6);
}

/* This test checks that a function in good order is left as it is. */
static void
dumpdev_pci_enable_well_unchanged(void **state)
{
	uint64_t begin = fb.now_us;
	uint8_t cfg[256];

	(void)state;
	plain_function(true);
	memcpy(cfg, fb.cfg, sizeof(cfg));
	cfg[5] |= 4;			/* but for interrupts by wire */
	assert_int_equal(dumpdev_pci_enable(&dd), 0);
	assert_memory_equal(fb.cfg, cfg, sizeof(cfg));
	assert_int_equal(fb.now_us, begin);
}

/* This test checks that a function that sleeps is woken up, given the time that
 * takes, and has the BARs again that it had when it was armed, and the control
 * of PCI Express. */
static void
dumpdev_pci_enable_asleep_wakes_up(void **state)
{
	uint64_t begin = fb.now_us;

	(void)state;
	plain_function(false);
	fakebus_cfg_set4(&fb, FAKEBUS_PM + 4, 0x0000810b);
	assert_int_equal(dumpdev_pci_enable(&dd), 0);
	assert_true(fb.now_us - begin >= 10000);
	assert_int_equal(fb.cfg[FAKEBUS_PM + 4], 0x08);
	check_function();
}

/* This test checks that a function that does not wake up is told. */
static void
dumpdev_pci_enable_asleep_for_ever_tells(void **state)
{
	(void)state;
	plain_function(false);
	fakebus_cfg_set4(&fb, FAKEBUS_PM + 4, 0x0000810b);
	fb.sleeps_on = true;
	assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
	assert_non_null(strstr(dd.reason, "power state D3"));
}

/* This test checks that a function in the middle of a reset is waited for, a
 * second at most, whichever way it says that it is not ready, and has then what
 * the reset took away. */
static void
dumpdev_pci_enable_in_reset_waits(void **state)
{
	static const uint32_t says[] = { 0xffffffff, 0xffff0001 };
	size_t i;

	(void)state;
	plain_function(false);
	for (i = 0; i < NITEMS(says); i++) {
		fakebus_forget(&fb);
		fb.notready = says[i];
		fb.ready_at = fb.now_us + 900000;
		assert_int_equal(dumpdev_pci_enable(&dd), 0);
		check_function();
	}
	fb.ready_at = fb.now_us + 1100000;
	assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
	assert_non_null(strstr(dd.reason, "controller gone"));
}

/* This test checks that what answers must be what was armed. */
static void
dumpdev_pci_enable_other_function_tells(void **state)
{
	uint8_t cfg[256];

	(void)state;
	plain_function(false);
	fakebus_cfg_set4(&fb, 0, 0x12345679);
	fakebus_forget(&fb);
	memcpy(cfg, fb.cfg, sizeof(cfg));
	assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
	assert_string_equal(dd.reason,
	    "controller gone: 0x12345679 is in the place of 0x12345678");
	assert_memory_equal(fb.cfg, cfg, sizeof(cfg));
}

/* This test checks that a bridge is brought back, and what is behind it, where
 * it sleeps, decodes nothing, has forgotten all, or is about to reset what is
 * behind it; and that the words say bridge where it is lost. */
static void
dumpdev_pci_enable_bridge_brought_back(void **state)
{
	struct fakebus bridge;
	int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		dd.reason[0] = '\0';
		fb.above = NULL;
		fakebus_init(&bridge);
		fakebus_bridge(&bridge, &fb);
		plain_function(false);
		bridge.armed = false;
		if (i == 1) {
			fakebus_cfg_set4(&bridge, FAKEBUS_PM + 4, 0x00008103);
			fakebus_cfg_set4(&fb, FAKEBUS_PM + 4, 0x00008103);
		} else if (i == 2) {
			fakebus_cfg_set4(&bridge, 4, 0x00100000);
		} else if (i == 3) {
			fakebus_forget(&bridge);
			fakebus_forget(&fb);
		} else if (i == 4) {
			bridge.cfg[0x3e] |= 0x40;
		} else if (i == 5) {
			bridge.gone_at = 1;
			assert_int_equal(dumpdev_pci_enable(&dd), -ENXIO);
			assert_non_null(strstr(dd.reason,
			    "bridge above the controller gone"));
			break;
		}
		assert_int_equal(dumpdev_pci_enable(&dd), 0);
		check_function();
		assert_int_equal(bridge.cfg[4] & 6, 6);
		assert_int_equal(fakebus_cfg_get4(&bridge, 0x18), 0x00010100);
		assert_int_equal(fakebus_cfg_get4(&bridge, 0x1c) & 0xffff,
		    0xf1f1);
		assert_int_equal(fakebus_cfg_get4(&bridge, 0x20), 0xfe90fe80);
		assert_int_equal(fakebus_cfg_get4(&bridge, 0x3c), 0x0003010b);
		assert_int_equal(fb.nresets, i >= 4);
	}
	fb.above = NULL;
	fb.bus.bridge = NULL;
}

#define TEST(f)	cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dumpdev_pci_enable_sets_or_tells),
		TEST(dumpdev_pci_enable_well_unchanged),
		TEST(dumpdev_pci_enable_asleep_wakes_up),
		TEST(dumpdev_pci_enable_asleep_for_ever_tells),
		TEST(dumpdev_pci_enable_in_reset_waits),
		TEST(dumpdev_pci_enable_other_function_tells),
		TEST(dumpdev_pci_enable_bridge_brought_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
