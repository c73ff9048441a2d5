/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_mmio_test.c: what the memory-mapped transport has of its own;
 * driver_test has the disk behind it.
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

static uint64_t (*read_whole)(void *, unsigned int, uint64_t, unsigned int);
static uint64_t strange_off, strange_v;

/* One register says something else. */
static uint64_t
read_strange(void *dev, unsigned int bar, uint64_t off, unsigned int size)
{
	return off == strange_off ? strange_v : read_whole(dev, bar, off, size);
}

static void
make_strange(struct env *e, uint64_t off, uint64_t v)
{
	strange_off = off;
	strange_v = v;
	read_whole = e->fb.reg_read;
	e->fb.reg_read = read_strange;
}

/* This test checks that what is not a virtio disk is nobody's, that a legacy one
 * is refused with a remedy, and that nothing stays mapped. */
static void
virtio_mmio_match_ids_told_apart(void **state)
{
	static const struct {
		uint64_t off, v;
		int error;
	} table[] = {
		{ 0x000, 0x74726977, -ENODEV },
		{ 0x000, 0xffffffff, -ENODEV },
		{ 0x008, 0, -ENODEV },		/* nothing is plugged in */
		{ 0x008, 1, -ENODEV },		/* a network */
		{ 0x004, 1, -EOPNOTSUPP },
		{ 0x004, 3, -EOPNOTSUPP },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeviommio_dev);
		make_strange(e, table[i].off, table[i].v);
		assert_int_equal(dumpdev_match(&e->dd), table[i].error);
		assert_int_equal(strstr(e->dd.reason, "force-legacy") != NULL,
		    table[i].error == -EOPNOTSUPP);
		fakebus_check_released(&e->fb);
		fakedisk_fini(e->disk);
		free(e->fake);
		free(e);
	}
}

/* This test checks that no register outside the ones there are is touched: too
 * few of them, or none, are refused. */
static void
virtio_mmio_attach_few_registers_refused(void **state)
{
	static const struct {
		uint64_t len;
		bool matches;
	} table[] = {
		{ 0, false }, { 0x10, false }, { 0xfc, false },
		{ 0x100, true }, { 0x104, true }, { 0x108, true },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeviommio_dev);
		e->fb.bar_len[0] = table[i].len;
		assert_int_equal(dumpdev_match(&e->dd), table[i].matches ? 0 :
		    -ENODEV);
		if (table[i].matches) {
			e->dd.softc = calloc(1, e->dd.ops->softc_size);
			assert_int_equal(dumpdev_attach(&e->dd),
			    table[i].len < 0x108 ? -EOPNOTSUPP : 0);
			if (table[i].len >= 0x108)
				dumpdev_detach(&e->dd);
			else
				assert_non_null(strstr(e->dd.reason,
				    "too few"));
			free(e->dd.softc);
		}
		fakebus_check_released(&e->fb);
		fakedisk_fini(e->disk);
		free(e->fake);
		free(e);
	}
}

/* This test checks that a device that is not what it was, or does not get ready,
 * is refused before anything is written to the disk, with a reason. */
static void
virtio_mmio_start_unusable_refused(void **state)
{
	static const struct {
		uint64_t off, v;
		const char *reason;
	} table[] = {
		{ 0x010, 0, "VERSION_1" },
		{ 0x034, 0, "no queue" },
		{ 0x034, 4, "too small" },
		{ 0x034, 0xffffffff, "gone" },
		{ 0x044, 1, "in use after a reset" },
		{ 0x070, 0xff, "gone" },
		{ 0x070, 0x0f, "reset never ended" },
		{ 0x100, 8, "were armed" },
	};
	struct env *e;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		e = env_new(&fakeviommio_dev);
		env_attach(e);
		make_strange(e, table[i].off, table[i].v);
		env_run_bad(e);
		assert_true(e->dd.dead);
		if (strstr(e->dd.reason, table[i].reason) == NULL)
			fail_msg("\"%s\" where \"%s\" was expected",
			    e->dd.reason, table[i].reason);
		assert_int_equal(e->disk->nreq, 0);
		env_free(e);
	}
}

/* This test checks that a capacity which changes while it is read is read
 * again, and that a queue larger than any ring is taken as far as we go. */
static void
virtio_mmio_start_odd_device_used(void **state)
{
	struct env *e = env_new(&fakeviommio_dev);
	const struct vioblk_softc *sc;

	(void)state;
	env_attach(e);
	fake(e)->unstable = 3;
	fake(e)->queue_max = 0x8000;
	make_strange(e, 0x034, 0x10000);
	env_run_good(e);
	assert_int_equal(fake(e)->unstable, 0);
	sc = e->dd.softc;
	assert_in_range(sc->vq.size, 8, VQ_MAXSIZE);
	env_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(virtio_mmio_match_ids_told_apart),
		cmocka_unit_test(virtio_mmio_attach_few_registers_refused),
		cmocka_unit_test(virtio_mmio_start_unusable_refused),
		cmocka_unit_test(virtio_mmio_start_odd_device_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
