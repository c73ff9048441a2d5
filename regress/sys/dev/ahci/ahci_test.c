/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahci_test.c: what the AHCI dump driver has of its own; driver_test has what
 * it shares with all others.
 */
#include <stdlib.h>

#include <dev/ahci/ahcivar.h>

#include "fakeahci.h"
#include "fakeenv.h"

#define CMD_IDLE	0x00000006u	/* spun up, powered, not running */

static struct fakeahci *
fake(struct env *e)
{
	return e->fake;
}

/* This test checks that a port is taken over from any state that the stock
 * driver can leave it in: an error, stopped, never started, in the middle of a
 * COMRESET, without a link, with AHCI off, or without ports; and by resetting
 * its link alone. */
static void
ahci_start_any_state_taken_over(void **state)
{
	struct fakeahci *f;
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		e = env_new(&fakeahci_dev);
		f = fake(e);
		env_attach(e);
		if (i == 1) {			/* an error */
			f->is = 0x40000001;
			f->tfd = 0x4041;
			f->serr = 0x00400000;
		} else if (i == 2) {		/* stopped, still receiving */
			f->cmd = CMD_IDLE | 0x4010;
		} else if (i == 3) {		/* nothing at all */
			f->cmd = 0;
			f->sctl = 0x314;
			f->ssts = 4;
		} else if (i == 4) {		/* in its COMRESET */
			f->cmd = CMD_IDLE | 0x4010;
			f->sctl = 0x311;
			f->ssts = 1;
			f->tfd = 0x80;
		} else if (i == 5) {		/* busy for ever */
			f->tfd = 0xd0;
			f->halted = true;
		} else if (i == 6) {
			f->ghc = 0;
		} else if (i == 7) {
			f->pi = 0;
		}
		env_run_good(e);
		assert_int_equal(f->ncomresets, 1);
		assert_int_equal(f->nhba_resets, 0);
		assert_int_not_equal(f->pi, 0);
		assert_int_equal(f->devslp & 1, 0);
		env_free(e);
	}
}

/* This test checks that a port that does not stop is reset by its link, and
 * only if that doesn't help the whole controller; which then knows its ports
 * again. */
static void
ahci_start_port_hangs_reset(void **state)
{
	static const struct {
		enum fakeahci_hang hang;
		unsigned int ncomresets, nhba_resets;
	} table[] = {
		{ FAKEAHCI_NEEDS_COMRESET, 2, 0 },
		{ FAKEAHCI_NEEDS_HBA_RESET, 2, 1 },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeahci_dev);
		fake(e)->hang = table[i].hang;
		fake(e)->forgets_ports = true;
		env_attach(e);
		env_run_good(e);
		assert_int_equal(fake(e)->ncomresets, table[i].ncomresets);
		assert_int_equal(fake(e)->nhba_resets, table[i].nhba_resets);
		assert_int_equal(fake(e)->pi, 0x3f);
		env_free(e);
	}
}

/* This test checks that a disk that sleeps has more time to spin up than a
 * write has, and that one which powers up in standby is told to. */
static void
ahci_start_disk_sleeps_spun_up(void **state)
{
	struct env *e;
	int puis;

	(void)state;
	for (puis = 0; puis < 2; puis++) {
		e = env_new(&fakeahci_dev);
		e->fb.relax_us = 1000;
		fake(e)->standby = true;
		fake(e)->puis = puis != 0;
		env_attach(e);
		env_run_good(e);
		assert_true(e->fb.now_us > DUMPDEV_IO_TIMEOUT_US);
		assert_int_equal(fake(e)->spun_up, puis);
		env_free(e);
	}
}

/* This test checks that it does not matter whether the sector that is read to
 * spin the disk up is good. */
static void
ahci_start_verify_fails_ignored(void **state)
{
	struct env *e = env_new(&fakeahci_dev);

	(void)state;
	fake(e)->fail_command = 0x42;
	env_attach(e);
	env_run_good(e);
	env_free(e);
}

/* This test checks that several commands are given at a time. */
static void
ahci_submit_several_slots_used(void **state)
{
	struct env *e = env_new(&fakeahci_dev);

	(void)state;
	env_attach(e);
	env_run_good(e);
	assert_int_equal(fake(e)->max_ci, ENV_NSLOTS);
	env_free(e);
}

/* This test checks that a block that can't be written fails the requests that
 * meet it and no others, whichever they are, also where the controller takes
 * the failed command off its list and goes on. */
static void
ahci_request_bad_block_told_alone(void **state)
{
	struct env *e;
	unsigned int req, i, goes_on;

	(void)state;
	for (goes_on = 0; goes_on < 2; goes_on++)
		for (req = 0; req < FAKERUN_NREQS; req++) {
			e = env_new(&fakeahci_dev);
			env_attach(e);
			/* Where fakerun puts it. */
			fake(e)->bad_blk = e->dd.nblks - (uint64_t)(req + 1) *
			    (ENV_SLOT_LEN / 512 + 1);
			fake(e)->clears_ci = goes_on != 0;
			env_run_bad(e);
			/* Its write, and its read. */
			assert_int_equal(e->run.nerrors, 2);
			for (i = 0; i < FAKERUN_NREQS; i++)
				assert_int_equal(e->run.status[i],
				    i == req ? -EIO : 0);
			assert_int_equal(e->dd.nrestarts, 0);
			assert_non_null(strstr(e->dd.reason, "error 0x40"));
			env_free(e);
		}
}

/* This test checks that a port that can't be used is refused when armed
 * already, without a write to any register, and that everything is given
 * back. */
static void
ahci_attach_unusable_refused(void **state)
{
	static const struct {
		int error;
		const char *reason;
	} table[] = {
		{ -EINVAL, "no SATA port 32" },
		{ -ENXIO, "has no port 2" },
		{ -EOPNOTSUPP, "port multiplier" },
		{ -EOPNOTSUPP, "port multiplier" },
		{ -ENXIO, "no disk there (signature 0xeb140101)" },
		{ -EOPNOTSUPP, "one command at a time" },
		{ -EOPNOTSUPP, "32-bit addresses" },
		{ -EOPNOTSUPP, "remapped behind it (Intel RST)" },
		{ -EOPNOTSUPP, "have 512 bytes only" },
		{ -ENODEV, "can't be mapped" },
		{ -ENXIO, "controller gone" },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeahci_dev);
		e->dd.unit = i == 0 ? 32 : e->dd.unit;
		fake(e)->pi = i == 1 ? 0x3b : 0x3f;
		fake(e)->sig = i == 2 ? 0x96690101 : 0x101;
		fake(e)->cmd |= i == 3 ? 0x00020000 : 0;
		fake(e)->sig = i == 4 ? 0xeb140101 : fake(e)->sig;
		fake(e)->cap &= i == 5 ? ~0x1f00u : i == 6 ? 0x7fffffff : ~0u;
		fake(e)->vscap = fake(e)->remap = i == 7 ? 3 : 0;
		e->fb.bar_len[5] = i == 7 ? 0x80000 : i == 8 ? 0x200 :
		    i == 9 ? 0 : 0x800;
		env_match(e);
		e->fb.gone_at = i == 10 ? 1 : 0;
		env_attach_refused(e, table[i].error, table[i].reason);
		e->fb.gone_at = 0;
		env_free(e);
	}
}

/* This test checks that a large BAR of an Intel controller that hides nothing
 * is no hindrance, nor is a controller of 32 bits with memory that it can
 * reach. */
static void
ahci_attach_usable_taken(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		e = env_new(&fakeahci_dev);
		if (i == 2) {
			fake(e)->cap &= 0x7fffffff;
			e->fb.next_busaddr = 0x10000000;
		} else {
			e->fb.bar_len[5] = 0x80000;
			fake(e)->vscap = i == 0;
			fake(e)->remap = i == 0 ? 5 : 3;
		}
		env_attach(e);
		env_run_good(e);
		env_free(e);
	}
}

/* This test checks who is matched: AHCI; Intel's RAID mode is refused with the
 * remedy; RAID controllers of others are somebody else's. */
static void
ahci_match_classes_told_apart(void **state)
{
	static const struct {
		uint32_t id, class;
		int error;
		const char *reason;
	} table[] = {
		{ 0x29228086, 0x01060102, 0, "" },
		{ 0x91831b4b, 0x01060111, 0, "" },
		{ 0x28228086, 0x01040002, -EOPNOTSUPP, "set it to AHCI" },
		{ 0x005d1000, 0x01040002, -ENODEV, "no dump driver" },
		{ 0x29208086, 0x01018a02, -ENODEV, "no dump driver" },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeahci_dev);
		fakebus_cfg_set4(&e->fb, 0x00, table[i].id);
		fakebus_cfg_set4(&e->fb, 0x08, table[i].class);
		assert_int_equal(dumpdev_match(&e->dd), table[i].error);
		assert_non_null(strstr(e->dd.reason, table[i].reason));
		fakedisk_fini(e->disk);
		free(e->fake);
		free(e);
	}
}

/* This test checks that a disk other than the one that was armed, or one that
 * does not come back, is refused before anything is written, in bounded time
 * and with a reason. */
static void
ahci_start_unusable_refused(void **state)
{
	static const char *const reasons[] = { "coming up", "getting ready",
	    "stopping took", "controller's reset", "signature 0x96690101",
	    "were armed", "blocks of 4096", "locked", "48-bit",
	    "IDENTIFY DEVICE: status and error 0x451" };
	struct fakeahci *f;
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(reasons); i++) {
		e = env_new(&fakeahci_dev);
		e->fb.relax_us = 1000;
		env_attach(e);
		f = fake(e);
		f->no_link = i == 0;
		f->never_ready = i == 1;
		f->hang = i == 2 ? FAKEAHCI_HANGS : i == 3 ?
		    FAKEAHCI_NEEDS_HBA_RESET : FAKEAHCI_RUNS;
		f->stuck_hr = i == 3;
		f->new_sig = i == 4 ? 0x96690101 : 0x101;
		f->capacity -= i == 5;
		f->blksize = i == 6 ? 4096 : 512;
		f->ident[128] |= i == 7 ? 4 : 0;
		f->ident[83] &= i == 8 ? 0xfbff : 0xffff;
		f->fail_command = i == 9 ? 0xec : 0;
		env_run_refused(e, reasons[i]);
		env_free(e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ahci_start_any_state_taken_over),
		cmocka_unit_test(ahci_start_port_hangs_reset),
		cmocka_unit_test(ahci_start_disk_sleeps_spun_up),
		cmocka_unit_test(ahci_start_verify_fails_ignored),
		cmocka_unit_test(ahci_submit_several_slots_used),
		cmocka_unit_test(ahci_request_bad_block_told_alone),
		cmocka_unit_test(ahci_attach_unusable_refused),
		cmocka_unit_test(ahci_attach_usable_taken),
		cmocka_unit_test(ahci_match_classes_told_apart),
		cmocka_unit_test(ahci_start_unusable_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
