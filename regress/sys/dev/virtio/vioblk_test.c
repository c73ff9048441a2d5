/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vioblk_test.c: what the virtio-blk dump driver has of its own; driver_test
 * has what it shares with all others.
 */
#include <stdlib.h>

#include <dev/virtio/vioblkvar.h>

#include "fakeenv.h"
#include "fakevirtio.h"

static struct fakevirtio *
fake(struct env *e)
{
	return e->fake;
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
		e = env_new(&fakevirtio_dev);
		fake(e)->features = table[i].offered;
		env_attach(e);
		assert_int_equal(dumpdev_start(&e->dd), 0);
		assert_int_equal(fake(e)->taken, table[i].taken);
		assert_int_equal(dumpdev_stop(&e->dd), 0);
		env_free(e);
	}
}

/* This test checks that a device without FLUSH, which writes through, is asked
 * for none, and a flush succeeds. */
static void
vioblk_flush_not_offered_succeeds(void **state)
{
	struct env *e = env_new(&fakevirtio_dev);

	(void)state;
	fake(e)->features &= ~(1ull << 9);
	env_attach(e);
	env_run_good(e);
	assert_int_equal(e->disk->nflush, 0);
	env_free(e);
}

/* This test checks that answers to nothing are counted. */
static void
vioblk_poll_strays_counted(void **state)
{
	struct env *e = env_new(&fakevirtio_dev);
	const struct vioblk_softc *sc;

	(void)state;
	e->disk->strays = true;
	env_attach(e);
	env_run_good(e);
	sc = e->dd.softc;
	assert_int_equal(sc->vq.nstrays, 3 * FAKERUN_TOTAL);
	env_free(e);
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
		e = env_new(&fakevirtio_dev);
		fake(e)->features |= table[i].size_max != 0 ? 1ull << 1 : 0;
		fake(e)->queue_max = table[i].queue_max;
		fake(e)->size_max = table[i].size_max;
		fake(e)->seg_max = table[i].seg_max;
		env_attach(e);
		env_run_good(e);
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
	struct env *e = env_new(&fakevirtio_dev);

	(void)state;
	fake(e)->capacity--;
	env_match(e);
	env_attach_refused(e, -ENXIO, "were armed");
	env_free(e);
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
		e = env_make(&fakevirtio_dev, i == 9 ? 4096 : 512, ENV_NSLOTS,
		    ENV_SLOT_LEN);
		env_attach(e);
		fake(e)->features |= i == 0 ? 1ull << 5 : 0;
		fake(e)->blk_size = i == 1 ? 4096 : fake(e)->blk_size;
		fake(e)->capacity -= i == 2 ? 1 : 0;
		fake(e)->features &= i == 3 ? ~(1ull << 32) : ~0ull;
		fake(e)->refuse_features = i == 4;
		fake(e)->queue_max = i == 5 ? 0 : i == 6 ? 4 : 256;
		fake(e)->noff = i == 7 ? 1024 : 3;
		fake(e)->stuck_reset = i == 8;
		fake(e)->features &= i == 9 ? ~(1ull << 6) : ~0ull;
		env_run_refused(e, reasons[i]);
		env_free(e);
	}
}

/* This test checks that a capacity which changes while it is read is read
 * again. */
static void
vioblk_start_capacity_changes_reread(void **state)
{
	struct env *e = env_new(&fakevirtio_dev);

	(void)state;
	env_attach(e);
	fake(e)->unstable = 3;
	env_run_good(e);
	assert_int_equal(fake(e)->unstable, 0);
	env_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vioblk_start_features_taken),
		cmocka_unit_test(vioblk_flush_not_offered_succeeds),
		cmocka_unit_test(vioblk_poll_strays_counted),
		cmocka_unit_test(vioblk_start_small_device_fits),
		cmocka_unit_test(vioblk_fit_any_limits_kept),
		cmocka_unit_test(vioblk_segs_request_cut),
		cmocka_unit_test(vioblk_attach_too_small_refused),
		cmocka_unit_test(vioblk_start_unusable_refused),
		cmocka_unit_test(vioblk_start_capacity_changes_reread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
