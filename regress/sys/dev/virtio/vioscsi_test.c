/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vioscsi_test.c: what the virtio-scsi dump driver has of its own; driver_test
 * has what it shares with all others.
 */
#include <stdlib.h>

#include <dev/virtio/vioscsivar.h>

#include "fakeenv.h"
#include "fakevioscsi.h"

static struct fakevioscsi *
fake(struct env *e)
{
	return e->fake;
}

/* This test checks that a disk which says after a reset that there was one, or
 * is not ready for longer than a write may take, is waited for. */
static void
vioscsi_start_attention_asked_again(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		e = env_new(&fakevioscsi_dev);
		e->fb.relax_us = 1000;
		env_attach(e);
		fake(e)->desc_sense = (i & 1) != 0;
		fake(e)->attention = 5;
		fake(e)->ready_at = (i & 2) != 0 ? e->fb.now_us +
		    DUMPDEV_IO_TIMEOUT_US + 1000000 : 0;
		env_run_good(e);
		assert_int_equal(fake(e)->attention, 0);
		assert_true(e->fb.now_us >= fake(e)->ready_at);
		env_free(e);
	}
}

/* This test checks that a unit attention, or a full task set, in the middle of
 * the work is asked again and does not show; but not for ever. */
static void
vioscsi_request_nth_asked_again(void **state)
{
	struct env *e;
	unsigned int n;

	(void)state;
	for (n = 1; n <= FAKERUN_TOTAL; n++) {
		e = env_new(&fakevioscsi_dev);
		env_attach(e);
		fake(e)->busy_from = n;
		fake(e)->busy_to = n + 2;
		env_run_good(e);
		assert_true(e->disk->nreq == FAKERUN_TOTAL + 3 ||
		    n + 2 > FAKERUN_TOTAL);
		env_free(e);

		e = env_new(&fakevioscsi_dev);
		env_attach(e);
		e->disk->fail_from = n;
		e->disk->fail_to = n + VIOSCSI_TRIES - 2;
		e->disk->fail_status = 0x062a09;
		env_run_good(e);
		env_free(e);
	}
	e = env_new(&fakevioscsi_dev);
	env_attach(e);
	e->disk->fail_from = 1;
	e->disk->fail_to = 100000;
	e->disk->fail_status = 0x062900;
	env_run_bad(e);
	assert_non_null(strstr(e->dd.reason, "sense 0x62900"));
	env_free(e);
}

/* This test checks that a disk which is busy for ever ends in a time-out. */
static void
vioscsi_request_busy_for_ever_dead(void **state)
{
	struct env *e = env_new(&fakevioscsi_dev);

	(void)state;
	e->fb.relax_us = 1000;
	env_attach(e);
	fake(e)->busy_from = 7;
	fake(e)->busy_to = 1000000;
	env_run_bad(e);
	assert_int_equal(e->run.first, -ETIMEDOUT);
	assert_true(e->dd.dead);
	env_free(e);
}

/* This test checks that no more commands are given at a time than a disk
 * takes, and none longer than the host takes. */
static void
vioscsi_start_limits_kept(void **state)
{
	static const struct {
		uint32_t cmd_per_lun, max_sectors;
		uint16_t queue_max;
		unsigned int nslots, offered;
		uint32_t slot_len;
	} table[] = {
		{ 128, 0xffff, 256, 4, 4, ENV_SLOT_LEN },
		{ 1, 0xffff, 256, 4, 1, ENV_SLOT_LEN },
		{ 0, 0, 256, 4, 1, ENV_SLOT_LEN },
		{ 3, 63, 256, 4, 3, 28672 },
		{ 128, 8, 8, 2, 2, 4096 },
		{ 128, 0xffff, 13, 2, 2, ENV_SLOT_LEN },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakevioscsi_dev);
		fake(e)->cmd_per_lun = table[i].cmd_per_lun;
		fake(e)->max_sectors = table[i].max_sectors;
		fake(e)->v.queue_max = table[i].queue_max;
		env_attach(e);
		env_run_good(e);
		assert_int_equal(e->dd.nslots, table[i].nslots);
		assert_int_equal(e->dd.slot_len, table[i].slot_len);
		assert_int_equal(fake(e)->v.max_offered, table[i].offered);
		env_free(e);
	}
}

/* This test checks that an old disk, without READ CAPACITY (16), and one
 * without a cache to synchronize are driven all the same. */
static void
vioscsi_start_old_disk_driven(void **state)
{
	struct env *e;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		e = env_new(&fakevioscsi_dev);
		fake(e)->old = i == 0;
		fake(e)->no_sync = i == 1;
		env_attach(e);
		env_run_good(e);
		env_free(e);
	}
}

/* This test checks that a disk other than the one that was armed, or one that
 * can't be used, is refused before anything is written, with a reason. */
static void
vioscsi_start_unusable_refused(void **state)
{
	static const char *const reasons[] = { "response 3", "were armed",
	    "blocks of 4096", "protection information", "commands of 16 bytes",
	    "sense data of 252", "too small", "too small", "sense 0x62900",
	    "no answer", "were armed" };
	struct fakevioscsi *f;
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(reasons); i++) {
		e = env_new(&fakevioscsi_dev);
		e->fb.relax_us = 1000;
		env_attach(e);
		f = fake(e);
		f->no_disk = i == 0;
		f->nblks -= i == 1 || i == 10;
		f->old = i == 10;
		f->v.blk_size = i == 2 ? 4096 : 512;
		f->prot = i == 3;
		f->cdb_size = i == 4 ? 16 : 32;
		f->sense_size = i == 5 ? 252 : 96;
		f->v.queue_max = i == 6 ? 4 : 256;
		f->max_sectors = i == 7 ? 7 : 0xffff;
		f->attention = i == 8 ? 1000 : 1;
		f->ready_at = i == 9 ? e->fb.now_us + 40000000 : 0;
		env_run_refused(e, reasons[i]);
		env_free(e);
	}
}

/* This test checks that numbers which virtio can't say are refused when armed
 * already. */
static void
vioscsi_attach_large_numbers_refused(void **state)
{
	static const uint32_t units[] = { 256u << 16, 3u << 16 | 16384 };
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(units); i++) {
		e = env_new(&fakevioscsi_dev);
		e->dd.unit = units[i];
		env_match(e);
		env_attach_refused(e, -EOPNOTSUPP, "too large");
		env_free(e);
	}
}

/* This test checks that a disk which says that a part of the data is missing
 * has not written it. */
static void
vioscsi_write_residual_told(void **state)
{
	struct env *e = env_new(&fakevioscsi_dev);

	(void)state;
	fake(e)->short_data = true;
	env_attach(e);
	env_run_bad(e);
	assert_non_null(strstr(e->dd.reason, "1 bytes missing"));
	assert_int_equal(e->run.nerrors, FAKERUN_NREQS);
	env_free(e);
}

/* This test checks the commands' bytes: short ones as far as they reach. */
static void
vioscsi_cmd_plan_bytes_as_specified(void **state)
{
	static const struct {
		enum dumpdev_op op;
		uint64_t blk;
		uint32_t nblks;
		uint8_t cdb[16];
	} table[] = {
		{ DUMPDEV_READ, 0x12345678, 0x102, { 0x28, 0, 0x12, 0x34, 0x56,
		    0x78, 0, 0x01, 0x02 } },
		{ DUMPDEV_WRITE, 0xfffffffe, 1, { 0x2a, 0, 0xff, 0xff, 0xff,
		    0xfe, 0, 0, 1 } },
		{ DUMPDEV_WRITE, 0xffffffff, 1, { 0x8a, 0, 0, 0, 0, 0, 0xff,
		    0xff, 0xff, 0xff, 0, 0, 0, 1 } },
		{ DUMPDEV_READ, 0x0102030405060708, 0x1000, { 0x88, 0, 1, 2, 3,
		    4, 5, 6, 7, 8, 0, 0, 0x10, 0 } },
		{ DUMPDEV_READ, 8, 0x10000, { 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 8,
		    0, 1, 0, 0 } },
		{ DUMPDEV_FLUSH, 0, 0, { 0x35 } },
	};
	struct vioscsi_cmd cmd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		vioscsi_cmd_plan(&cmd, table[i].op, table[i].blk,
		    table[i].nblks, 512, 0x5000);
		assert_memory_equal(cmd.cdb, table[i].cdb, 16);
		assert_int_equal(cmd.len, table[i].nblks * 512);
		assert_int_equal(cmd.write, table[i].op == DUMPDEV_WRITE);
	}
}

/* This test checks what is made of every answer there can be: nothing but GOOD
 * with all of the data is good, and no sense data are not good ones. */
static void
vioscsi_judge_answers_told_apart(void **state)
{
	struct vioscsi_resp r;
	unsigned int response, status;

	(void)state;
	for (response = 0; response < 256; response++)
		for (status = 0; status < 256; status++) {
			memset(&r, 0, sizeof(r));
			r.response = (uint8_t)response;
			r.status = (uint8_t)status;
			assert_int_equal(vioscsi_judge(&r) == VIOSCSI_GOOD,
			    response == 0 && status == 0);
		}
	memset(&r, 0, sizeof(r));
	r.status = 2;
	r.sense_len = 13;		/* asc is there, ascq is not */
	r.sense[0] = 0x70;
	r.sense[2] = 6;
	assert_int_equal(vioscsi_judge(&r), VIOSCSI_BAD);
	r.sense_len = 14;
	assert_int_equal(vioscsi_judge(&r), VIOSCSI_AGAIN);
	r.sense[0] = 0xf1;		/* valid, deferred */
	assert_int_equal(vioscsi_judge(&r), VIOSCSI_AGAIN);
	r.sense[0] = 0x73;
	r.sense[1] = 7;			/* data protect */
	assert_int_equal(vioscsi_judge(&r), VIOSCSI_BAD);
	assert_int_equal(vioscsi_sense(&r), 0x70600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vioscsi_start_attention_asked_again),
		cmocka_unit_test(vioscsi_request_nth_asked_again),
		cmocka_unit_test(vioscsi_request_busy_for_ever_dead),
		cmocka_unit_test(vioscsi_start_limits_kept),
		cmocka_unit_test(vioscsi_start_old_disk_driven),
		cmocka_unit_test(vioscsi_start_unusable_refused),
		cmocka_unit_test(vioscsi_attach_large_numbers_refused),
		cmocka_unit_test(vioscsi_write_residual_told),
		cmocka_unit_test(vioscsi_cmd_plan_bytes_as_specified),
		cmocka_unit_test(vioscsi_judge_answers_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
