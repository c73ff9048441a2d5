/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watchdog_test.c: what feeds watchdogs, over chips written from their
 * specifications: two stages that count down, one after the other, and the end
 * of the second is a reset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dev/watchdog.h>

#define STAGE_MS	1000u

static struct chip {
	struct watchdog w;
	bool running, gone;
	unsigned int unlocked;		/* writes of the two that were made */
	unsigned int stage, left_ms;
	unsigned int nresets, nwrites;
} chip;

static void
chip_reload(void)
{
	chip.stage = 0;
	chip.left_ms = STAGE_MS;
}

static void
chip_run(unsigned int ms)
{
	while (chip.running && ms-- > 0) {
		if (--chip.left_ms > 0)
			continue;
		if (chip.stage == 1)
			chip.nresets++;
		chip.stage ^= 1;
		chip.left_ms = STAGE_MS;
	}
}

static uint8_t
esb_cfg_read1(struct watchdog *w, unsigned int off)
{
	assert_ptr_equal(w, &chip.w);
	assert_int_equal(off, 0x68);
	return chip.gone ? 0xff : chip.running ? 0x02 : 0x05;
}

static void
esb_write2(struct watchdog *w, unsigned int off, uint16_t v)
{
	assert_ptr_equal(w, &chip.w);
	assert_int_equal(off, 0x0c);
	chip.nwrites++;
	if (v == 0x80) {
		chip.unlocked = 1;
	} else if (v == 0x86 && chip.unlocked == 1) {
		chip.unlocked = 2;
	} else {
		if (chip.unlocked == 2 && (v & 0x100) != 0)
			chip_reload();
		/* The end of the first stage stays told. */
		assert_int_equal(v & 0x200, 0);
		chip.unlocked = 0;
	}
}

static const struct watchdog_io esb = {
	.cfg_read1 = esb_cfg_read1,
	.write2 = esb_write2,
};

static uint16_t
tco_read2(struct watchdog *w, unsigned int off)
{
	assert_ptr_equal(w, &chip.w);
	assert_int_equal(off, 0x08);
	return chip.gone ? 0xffff : chip.running ? 0x0200 : 0x0a00;
}

static void
tco_write2(struct watchdog *w, unsigned int off, uint16_t v)
{
	(void)v;
	assert_ptr_equal(w, &chip.w);
	assert_int_equal(off, 0x00);
	chip.nwrites++;
	chip_reload();
}

static const struct watchdog_io tco = {
	.read2 = tco_read2,
	.write2 = tco_write2,
};

static void
chip_init(int kind, bool running)
{
	memset(&chip, 0, sizeof(chip));
	chip.w.ops = kind == 0 ? &i6300esb_watchdog_ops : &tco_watchdog_ops;
	chip.w.io = kind == 0 ? &esb : &tco;
	chip.running = running;
	chip_reload();
}

static void
feed(void)
{
	if (chip.w.ops->running(&chip.w))
		chip.w.ops->feed(&chip.w);
}

/* This test checks that a chip that is fed twice a stage, from its first stage
 * or its second on, resets nothing, and that it does when no longer fed. */
static void
watchdog_running_fed_resets_nothing(void **state)
{
	int kind, i;

	(void)state;
	for (kind = 0; kind < 2; kind++) {
		chip_init(kind, true);
		chip_run(2 * STAGE_MS - 1);
		for (i = 0; i < 20; i++) {
			feed();
			assert_int_equal(chip.stage, 0);
			chip_run(STAGE_MS / 2);
		}
		assert_int_equal(chip.nresets, 0);
		chip_run(2 * STAGE_MS);
		assert_int_equal(chip.nresets, 1);
	}
}

/* This test checks that a chip that does not run, or is gone, is not written
 * to. */
static void
watchdog_stopped_left_alone(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		chip_init(i & 1, false);
		chip.gone = i >= 2;
		feed();
		assert_int_equal(chip.nwrites, 0);
	}
}

/* This test checks that it does not matter where between its writes the chip's
 * own driver was stopped. */
static void
watchdog_driver_stopped_anywhere_fed(void **state)
{
	unsigned int before;

	(void)state;
	for (before = 0; before < 3; before++) {
		chip_init(0, true);
		chip.unlocked = before;
		chip_run(STAGE_MS + 1);
		feed();
		assert_int_equal(chip.stage, 0);
		assert_int_equal(chip.left_ms, STAGE_MS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watchdog_running_fed_resets_nothing),
		cmocka_unit_test(watchdog_stopped_left_alone),
		cmocka_unit_test(watchdog_driver_stopped_anywhere_fed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
