/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_pci_test.c: finding the transport's structures in configuration space,
 * and what is refused.
 */
#include <stdlib.h>

#include <dev/virtio/virtiovar.h>

#include "fakebus.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define VENDOR(next, len, type) \
	(0x09u | (next) << 8 | (len) << 16 | (uint32_t)(type) << 24)

struct word {
	unsigned int off;
	uint32_t v;
};

/* A device as it should be: common, notify, device in BAR 4. */
static const struct word good[] = {
	{ 0x00, 0x10421af4 }, { 0x04, 0x00100006 }, { 0x34, 0x40 },
	{ 0x40, VENDOR(0x50u, 16u, 1) }, { 0x44, 4 }, { 0x48, 0x0000 },
	{ 0x4c, 0x38 },
	{ 0x50, VENDOR(0x64u, 20u, 2) }, { 0x54, 4 }, { 0x58, 0x3000 },
	{ 0x5c, 0x1000 }, { 0x60, 4 },
	{ 0x64, VENDOR(0u, 16u, 4) }, { 0x68, 4 }, { 0x6c, 0x2000 },
	{ 0x70, 0x40 },
};

static struct fakebus *
bus_good(void)
{
	struct fakebus *fb = calloc(1, sizeof(*fb));
	size_t i;

	assert_non_null(fb);
	fakebus_init(fb);
	fb->bar_len[4] = 0x4000;
	for (i = 0; i < NITEMS(good); i++)
		fakebus_cfg_set4(fb, good[i].off, good[i].v);
	return fb;
}

/* This test checks that every structure is found with its place. */
static void
virtio_caps_parse_good_found(void **state)
{
	struct fakebus *fb = bus_good();
	struct virtio_caps c;

	(void)state;
	assert_int_equal(virtio_caps_parse(&fb->bus, &c), 0);
	assert_true(c.common.bar == 4 && c.common.off == 0 &&
	    c.common.len == 0x38);
	assert_true(c.notify.off == 0x3000 && c.notify.len == 0x1000);
	assert_true(c.device.off == 0x2000 && c.device.len == 0x40);
	assert_int_equal(c.notify_mult, 4);
	free(fb);
}

/* This test checks lists that lack a structure, loop, or lie: an answer for
 * each, and never the wrong structure. */
static void
virtio_caps_parse_strange_lists(void **state)
{
	static const struct {
		struct word w[2];
		int error;
		uint32_t common_off;
	} table[] = {
		/* no list; one that ends at once, or in the header */
		{ { { 0x04, 0x00000006 } }, -ENODEV, 0 },
		{ { { 0x34, 0 } }, -ENODEV, 0 },
		{ { { 0x34, 0x20 } }, -ENODEV, 0 },
		/* a list that bites its tail */
		{ { { 0x50, VENDOR(0x40u, 20u, 2) } }, -ENODEV, 0 },
		/* BAR 6 and above are reserved; capabilities too short */
		{ { { 0x44, 6 } }, -ENODEV, 0 },
		{ { { 0x40, VENDOR(0x50u, 12u, 1) } }, -ENODEV, 0 },
		{ { { 0x50, VENDOR(0x64u, 16u, 2) } }, -ENODEV, 0 },
		/* not a vendor's; of another type */
		{ { { 0x64, 0x04100011 } }, -ENODEV, 0 },
		{ { { 0x64, VENDOR(0u, 16u, 9) } }, -ENODEV, 0 },
		/* ones that stick out of the 256 bytes come last */
		{ { { 0x64, VENDOR(0xfcu, 16u, 4) },
		    { 0xfc, VENDOR(0u, 4u, 1) } }, 0, 0 },
		{ { { 0x64, VENDOR(0xf8u, 16u, 4) },
		    { 0xf8, VENDOR(0u, 16u, 1) } }, 0, 0 },
		/* the first of two counts, unless it can't be used */
		{ { { 0x64, VENDOR(0x80u, 16u, 4) },
		    { 0x80, VENDOR(0u, 16u, 1) } }, 0, 0 },
		/* low bits of pointers are reserved */
		{ { { 0x34, 0x43 } }, 0, 0 },
	};
	struct virtio_caps c;
	struct fakebus *fb;
	size_t i, j;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		fb = bus_good();
		fakebus_cfg_set4(fb, 0x88, 0x800);	/* a second place */
		for (j = 0; j < 2; j++)
			if (table[i].w[j].off != 0)
				fakebus_cfg_set4(fb, table[i].w[j].off,
				    table[i].w[j].v);
		assert_int_equal(virtio_caps_parse(&fb->bus, &c),
		    table[i].error);
		if (table[i].error == 0)
			assert_int_equal(c.common.off, table[i].common_off);
		free(fb);
	}
}

/* This test checks that any single byte of the list may be anything: no access
 * outside the 256 bytes, no endless walk. */
static void
virtio_caps_parse_any_byte_bounded(void **state)
{
	struct virtio_caps c;
	struct fakebus *fb = bus_good();
	uint8_t save[256];
	unsigned int at, v;

	(void)state;
	memcpy(save, fb->cfg, sizeof(save));
	for (at = 0; at < 0x80; at++)
		for (v = 0; v < 256; v++) {
			memcpy(fb->cfg, save, sizeof(save));
			fb->cfg[at] = (uint8_t)v;
			fb->naccess = 0;
			if (virtio_caps_parse(&fb->bus, &c) == 0)
				assert_true(c.common.bar < DUMPDEV_NBARS &&
				    c.notify.bar < DUMPDEV_NBARS &&
				    c.device.bar < DUMPDEV_NBARS);
			assert_true(fb->naccess < 256);
		}
	free(fb);
}

/* This test checks who is matched: modern and transitional disks and SCSI hosts
 * with modern capabilities; a legacy one is refused with the remedy; all others are
 * somebody else's. */
static void
virtio_match_ids_told_apart(void **state)
{
	static const struct {
		uint32_t id, capptr;
		int error;
		const char *reason;
	} table[] = {
		{ 0x10421af4, 0x40, 0, "" },
		{ 0x10011af4, 0x40, 0, "" },
		{ 0x10011af4, 0x00, -EOPNOTSUPP, "disable-legacy" },
		{ 0x10481af4, 0x40, 0, "" },
		{ 0x10041af4, 0x40, 0, "" },
		{ 0x10041af4, 0x00, -EOPNOTSUPP, "disable-legacy" },
		{ 0x10451af4, 0x40, -ENODEV, "no dump driver" },
		{ 0x10421af5, 0x40, -ENODEV, "no dump driver" },
		{ 0xffffffff, 0x40, -ENODEV, "no dump driver" },
	};
	struct fakebus *fb;
	struct dumpdev dd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		fb = bus_good();
		fakebus_cfg_set4(fb, 0x00, table[i].id);
		fakebus_cfg_set4(fb, 0x34, table[i].capptr);
		memset(&dd, 0, sizeof(dd));
		dd.bus = &fb->bus;
		assert_int_equal(dumpdev_match(&dd), table[i].error);
		assert_non_null(strstr(dd.reason, table[i].reason));
		assert_true((dd.ops != NULL) == (table[i].error == 0));
		free(fb);
	}
}

/* This test checks that structures outside their BAR, too short or not aligned,
 * are refused with a reason, and that BARs are given back. */
static void
virtio_attach_bad_places_refused(void **state)
{
	static const struct {
		struct word w;
		const char *reason;
	} table[] = {
		{ { 0x4c, 0x37 }, "common structure" },
		{ { 0x48, 0x3fd0 }, "common structure" },
		{ { 0x48, 0xfffffff0 }, "common structure" },
		{ { 0x48, 2 }, "not aligned" },
		{ { 0x5c, 0x1001 }, "notify structure" },
		{ { 0x5c, 1 }, "notify structure" },
		{ { 0x60, 3 }, "is odd" },
		{ { 0x70, 4 }, "device structure" },
		{ { 0x68, 2 }, "BAR 2" },
		{ { 0x34, 0 }, "gone" },
	};
	struct virtio_softc vs;
	struct fakebus *fb;
	struct dumpdev dd;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(table); i++) {
		fb = bus_good();
		fakebus_cfg_set4(fb, table[i].w.off, table[i].w.v);
		memset(&dd, 0, sizeof(dd));
		memset(&vs, 0, sizeof(vs));
		dd.bus = &fb->bus;
		assert_int_not_equal(virtio_attach(&dd, &vs, 8), 0);
		assert_non_null(strstr(dd.reason, table[i].reason));
		fakebus_check_released(fb);
		free(fb);
	}
}

/* This test checks that several structures in one BAR, or each in its own, map
 * each BAR once and give it back once. */
static void
virtio_attach_bars_mapped_once(void **state)
{
	struct fakebus *fb = bus_good();
	struct virtio_softc vs;
	struct dumpdev dd;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(&dd, 0, sizeof(dd));
		memset(&vs, 0, sizeof(vs));
		dd.bus = &fb->bus;
		assert_int_equal(virtio_attach(&dd, &vs, 8), 0);
		assert_true(fb->bar_mapped[4]);
		assert_true(fb->bar_mapped[1] == (i == 1));
		virtio_detach(&dd, &vs);
		fakebus_check_released(fb);
		fb->bar_len[1] = 0x4000;
		fakebus_cfg_set4(fb, 0x68, 1);
	}
	free(fb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(virtio_caps_parse_good_found),
		cmocka_unit_test(virtio_caps_parse_strange_lists),
		cmocka_unit_test(virtio_caps_parse_any_byte_bounded),
		cmocka_unit_test(virtio_match_ids_told_apart),
		cmocka_unit_test(virtio_attach_bad_places_refused),
		cmocka_unit_test(virtio_attach_bars_mapped_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
