/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vioblk_test.c: the virtio-blk dump driver against a device that does what it
 * is told, one that does not, and one that is not there any more.
 */
#include <stdlib.h>

#include <dev/virtio/vioblkvar.h>

#include "fakevirtio.h"

#define SLOT_LEN	32768u
#define NSLOTS		4
#define LIMIT_US	(120ull * 1000 * 1000)	/* whatever goes wrong */
#define TOTAL		(2 * FAKERUN_NREQS + 2)	/* requests of a run */
#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

struct env {
	struct fakebus fb;
	struct fakevirtio f;
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
	fakevirtio_init(&e->f, &e->fb, blksize, e->dd.nblks);
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
	assert_string_equal(e->dd.ops->name, "virtio-blk");
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
	fakevirtio_fini(&e->f);
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
	assert_int_equal(e->f.status, 0);	/* reset, quiet */
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
 * for both block sizes and several lengths of buffer. */
static void
vioblk_write_read_data_arrives(void **state)
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
	for (i = 0; i < NITEMS(table); i++) {
		e = env_make(table[i].blksize, table[i].nslots,
		    table[i].slot_len);
		env_attach(e);
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		assert_int_equal(e->dd.slot_len, table[i].slot_len);
		assert_int_equal(e->dd.nslots, table[i].nslots);
		assert_int_equal(e->f.nflush, 2);
		env_free(e);
	}
}

/* This test checks which features are taken: those we use, where they are
 * offered, and never one that changes the ring. */
static void
vioblk_start_features_taken(void **state)
{
	static const struct {
		uint64_t offered, taken;
	} table[] = {
		{ 1ull << 32, 1ull << 32 },
		{ ~(1ull << 5 | 1ull << 1), 1ull << 2 | 1ull << 6 | 1ull << 9 |
		    1ull << 32 | 1ull << 33 | 1ull << 36 },
		{ 1ull << 32 | 1ull << 33 | 1ull << 34, 3ull << 32 },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new();
		e->f.features = table[i].offered;
		env_attach(e);
		assert_int_equal(dumpdev_start(&e->dd), 0);
		assert_int_equal(e->f.taken, table[i].taken);
		assert_int_equal(dumpdev_stop(&e->dd), 0);
		env_free(e);
	}
}

/* This test checks that a device without FLUSH, which writes through, is asked
 * for none, and a flush succeeds. */
static void
vioblk_flush_not_offered_succeeds(void **state)
{
	struct env *e = env_new();

	(void)state;
	e->f.features &= ~(1ull << 9);
	env_attach(e);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	assert_int_equal(e->f.nflush, 0);
	env_free(e);
}

/* This test checks that answers out of order, and answers to nothing, disturb
 * nobody. */
static void
vioblk_poll_strange_answers_ignored(void **state)
{
	const struct vioblk_softc *sc;
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
		sc = e->dd.softc;
		assert_true((sc->vq.nstrays != 0) == e->f.strays);
		env_free(e);
	}
}

/* This test checks that a small queue, SIZE_MAX and SEG_MAX shorten requests
 * and lower the number of slots, and that it works all the same. */
static void
vioblk_start_small_device_fits(void **state)
{
	static const struct {
		uint16_t queue_max;
		uint32_t size_max, seg_max, slot_len;
		unsigned int nslots;
	} table[] = {
		{ 8, 0, 126, 32768, 2 },
		{ 10, 0, 126, 32768, 2 },	/* not a power of two */
		{ 16, 4096, 126, 24576, 2 },
		{ 64, 4096, 126, 32768, 4 },
		{ 32, 4096, 2, 8192, 4 },
		{ 256, 8192 + 511, 126, 32768, 4 },
		{ 256, 0, 1, 32768, 4 },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new();
		e->f.features |= table[i].size_max != 0 ? 1ull << 1 : 0;
		e->f.queue_max = table[i].queue_max;
		e->f.size_max = table[i].size_max;
		e->f.seg_max = table[i].seg_max;
		env_attach(e);
		fakerun(&e->dd, &e->run);
		env_check_good(e);
		assert_int_equal(e->dd.slot_len, table[i].slot_len);
		assert_int_equal(e->dd.nslots, table[i].nslots);
		env_free(e);
	}
}

/* This test checks the plan over all of small limits: it keeps inside every
 * one, and refuses only where two slots of a page don't fit. */
static void
vioblk_fit_any_limits_kept(void **state)
{
	struct vioblk_limits l;
	struct vioblk_plan p;
	unsigned int nslots;
	uint32_t data;
	int error;

	(void)state;
	for (l.queue_max = 1; l.queue_max <= 1024; l.queue_max += 3)
		for (l.seg_max = 0; l.seg_max < 80; l.seg_max += 7)
			for (l.size_max = 0; l.size_max < 9000;
			    l.size_max += 500)
				for (nslots = 2; nslots <= 32; nslots += 6) {
					error = vioblk_fit(&l, nslots, 65536,
					    &p);
					if (error != 0)
						continue;
					data = p.nsegs - 2u;
					assert_in_range(p.nslots, 2, nslots);
					assert_int_equal(p.slot_len % 4096, 0);
					assert_in_range(p.slot_len, 4096,
					    65536);
					assert_true(p.queue_size <=
					    l.queue_max);
					assert_true(p.nslots * p.nsegs <=
					    p.queue_size);
					assert_true(data * p.size_max >=
					    p.slot_len);
					assert_true(data <= VIOBLK_MAXSEGS);
					assert_true(l.seg_max == 0 ||
					    data <= l.seg_max);
					assert_true(l.size_max == 0 ||
					    p.size_max <= l.size_max);
				}
	memset(&l, 0, sizeof(l));
	for (l.queue_max = 1; l.queue_max < 12; l.queue_max++)
		assert_int_equal(vioblk_fit(&l, 8, 65536, &p),
		    l.queue_max < 8 ? -EOPNOTSUPP : 0);
	l.queue_max = 256;
	l.size_max = 511;
	assert_int_equal(vioblk_fit(&l, 8, 65536, &p), -EOPNOTSUPP);
}

/* This test checks the segments of a read, a write and a flush: lengths,
 * addresses and who writes. */
static void
vioblk_segs_request_cut(void **state)
{
	struct vq_seg s[8];

	(void)state;
	assert_int_equal(vioblk_segs(DUMPDEV_READ, 16, 4096, 5120, 2048, 99, s),
	    5);
	assert_true(s[0].busaddr == 16 && s[0].len == 16 && !s[0].devwrites);
	assert_true(s[1].busaddr == 4096 && s[1].len == 2048 && s[1].devwrites);
	assert_true(s[2].busaddr == 6144 && s[2].len == 2048 && s[2].devwrites);
	assert_true(s[3].busaddr == 8192 && s[3].len == 1024 && s[3].devwrites);
	assert_true(s[4].busaddr == 99 && s[4].len == 1 && s[4].devwrites);
	assert_int_equal(vioblk_segs(DUMPDEV_WRITE, 16, 4096, 512, 2048, 99, s),
	    3);
	assert_true(s[1].len == 512 && !s[1].devwrites);
	assert_int_equal(vioblk_segs(DUMPDEV_FLUSH, 16, 4096, 0, 2048, 99, s),
	    2);
	assert_true(s[1].busaddr == 99 && s[1].devwrites);
}

/* This test checks that a disk that shrank is refused when armed already,
 * without a write to any register, and that everything is given back. */
static void
vioblk_attach_too_small_refused(void **state)
{
	struct env *e = env_new();

	(void)state;
	e->f.capacity--;
	env_match(e);
	assert_int_equal(dumpdev_attach(&e->dd), -ENXIO);
	assert_non_null(strstr(e->dd.reason, "were armed"));
	fakebus_check_released(&e->fb);
	env_free(e);
}

/* This test checks that the Nth allocation may fail, for every N. */
static void
vioblk_attach_no_memory_gives_back(void **state)
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

/* This test checks that a disk other than the one that was armed, and a device
 * that can't be used, is refused before anything is written, with a reason. */
static void
vioblk_start_unusable_refused(void **state)
{
	static const char *const reasons[] = { "read-only", "4096 bytes",
	    "were armed", "VERSION_1", "refused features", "no queue",
	    "too small", "doorbell", "reset never ended", "512 bytes" };
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(reasons); i++) {
		e = env_make(i == 9 ? 4096 : 512, NSLOTS, SLOT_LEN);
		env_attach(e);
		e->f.features |= i == 0 ? 1ull << 5 : 0;
		e->f.blk_size = i == 1 ? 4096 : e->f.blk_size;
		e->f.capacity -= i == 2 ? 1 : 0;
		e->f.features &= i == 3 ? ~(1ull << 32) : ~0ull;
		e->f.refuse_features = i == 4;
		e->f.queue_max = i == 5 ? 0 : i == 6 ? 4 : 256;
		e->f.noff = i == 7 ? 1024 : 3;
		e->f.stuck_reset = i == 8;
		e->f.features &= i == 9 ? ~(1ull << 6) : ~0ull;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		assert_true(e->dd.dead);
		assert_non_null(strstr(e->dd.reason, reasons[i]));
		assert_int_equal(e->f.nreq, 0);
		env_free(e);
	}
}

/* This test checks that a capacity which changes while it is read is read
 * again. */
static void
vioblk_start_capacity_changes_reread(void **state)
{
	struct env *e = env_new();

	(void)state;
	env_attach(e);
	e->f.unstable = 3;
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	assert_int_equal(e->f.unstable, 0);
	env_free(e);
}

/* This test checks that the Nth request may fail, for every N, once and for
 * ever, or leave the status byte as it was: the error is told, and only for
 * what failed. */
static void
vioblk_request_nth_fails_told(void **state)
{
	static const struct {
		uint8_t status;
		const char *reason;
	} table[] = { { 1, "status 1" }, { 2, "status 2" },
	    { 0xff, "status 255" } };
	struct env *e;
	unsigned int n;
	int ever;

	(void)state;
	for (ever = 0; ever < 2; ever++)
		for (n = 1; n <= TOTAL; n++) {
			e = env_new();
			env_attach(e);
			e->f.fail_from = n;
			e->f.fail_to = ever ? 100000 : n;
			e->f.fail_status = table[n % 3].status;
			fakerun(&e->dd, &e->run);
			env_check_bad(e);
			assert_int_equal(e->run.first, -EIO);
			assert_int_equal(e->dd.nrestarts, 0);
			assert_non_null(strstr(e->dd.reason,
			    table[n % 3].reason));
			/* The last is the flush of the stop. */
			assert_int_equal(e->run.nerrors,
			    n == TOTAL ? 0 : ever ? TOTAL - n : 1);
			env_free(e);
		}
}

/* This test checks that a request without answer, the Nth for every N, ends in
 * a time-out that marks the device dead, and is not tried again. */
static void
vioblk_request_nth_unanswered_dead(void **state)
{
	struct env *e;
	unsigned int n;

	(void)state;
	for (n = 1; n <= TOTAL; n++) {
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
		assert_int_equal(e->f.status, 0);	/* quiet nevertheless */
		env_free(e);
	}
}

/* This test checks that an answer which comes after the time-out revives
 * nothing. */
static void
vioblk_write_late_completion_stays_dead(void **state)
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
	assert_int_equal(dumpdev_stop(&e->dd), -EIO);
	env_free(e);
}

/* This test checks that a device that breaks at the Nth request, for every N,
 * by asking for a reset or by nonsense in its ring, is reset once, and that
 * everything arrives after that; and that it is given up the second time. */
static void
vioblk_request_nth_breaks_restarted_once(void **state)
{
	struct env *e;
	unsigned int n;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		for (n = 1; n <= TOTAL; n++) {
			e = env_new();
			env_attach(e);
			e->f.break_at = n;
			e->f.break_once = (i & 1) != 0;
			e->f.break_ring = (i & 2) != 0;
			fakerun(&e->dd, &e->run);
			assert_int_equal(e->dd.nrestarts, 1);
			assert_int_equal(e->f.nreset, 3);
			if (e->f.break_once) {
				env_check_good(e);
			} else {
				env_check_bad(e);
				assert_non_null(strstr(e->dd.reason,
				    e->f.break_ring ? "no sense" :
				    "needs a reset"));
			}
			env_free(e);
		}
}

/* This test checks that a device pulled out at the Nth access, for every N,
 * ends in an error: no loop, no false success. */
static void
vioblk_gone_at_nth_access_told(void **state)
{
	struct env *e = env_new();
	uint64_t n, total;

	(void)state;
	env_attach(e);
	fakerun(&e->dd, &e->run);
	env_check_good(e);
	total = e->fb.naccess;
	env_free(e);
	assert_true(total > 60);
	for (n = 1; n <= total; n++) {
		e = env_new();
		env_attach(e);
		e->fb.gone_at = n;
		fakerun(&e->dd, &e->run);
		env_check_bad(e);
		env_free(e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vioblk_write_read_data_arrives),
		cmocka_unit_test(vioblk_start_features_taken),
		cmocka_unit_test(vioblk_flush_not_offered_succeeds),
		cmocka_unit_test(vioblk_poll_strange_answers_ignored),
		cmocka_unit_test(vioblk_start_small_device_fits),
		cmocka_unit_test(vioblk_fit_any_limits_kept),
		cmocka_unit_test(vioblk_segs_request_cut),
		cmocka_unit_test(vioblk_attach_too_small_refused),
		cmocka_unit_test(vioblk_attach_no_memory_gives_back),
		cmocka_unit_test(vioblk_start_unusable_refused),
		cmocka_unit_test(vioblk_start_capacity_changes_reread),
		cmocka_unit_test(vioblk_request_nth_fails_told),
		cmocka_unit_test(vioblk_request_nth_unanswered_dead),
		cmocka_unit_test(vioblk_write_late_completion_stays_dead),
		cmocka_unit_test(vioblk_request_nth_breaks_restarted_once),
		cmocka_unit_test(vioblk_gone_at_nth_access_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
