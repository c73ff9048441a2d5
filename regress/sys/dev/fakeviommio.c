/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeviommio.c: fakevirtio's disk behind the registers of the memory-mapped
 * transport; see fakevirtio.h.
 */
#include "fakevirtio.h"

#define CONFIG	0x100u

static bool
is_address(uint64_t off)
{
	return off == 0x80 || off == 0x84 || off == 0x90 || off == 0x94 ||
	    off == 0xa0 || off == 0xa4;
}

static void
viommio_write(void *dev, unsigned int bar, uint64_t off, unsigned int size,
    uint64_t v)
{
	struct fakevirtio *f = dev;

	assert_int_equal(bar, 0);
	assert_int_equal(size, 4);
	if (off == 0x14) {
		f->dfselect = (uint32_t)v;
	} else if (off == 0x20) {
		assert_true(f->gfselect < 2);
		fakevirtio_half(&f->taken, f->gfselect * 4, v);
	} else if (off == 0x24) {
		f->gfselect = (uint32_t)v;
	} else if (off == 0x30) {
		f->q_select = (uint16_t)v;
	} else if (off == 0x38) {
		f->q_size = (uint16_t)v;
	} else if (off == 0x44) {
		fakevirtio_enable(f, v);
	} else if (off == 0x50) {
		assert_int_equal(v, f->queue);
		f->notified = true;
	} else if (off == 0x70) {
		assert_int_equal(v & ~0xffull, 0);
		fakevirtio_status(f, (uint8_t)v);
	} else {
		assert_true(is_address(off));
		assert_int_equal(f->q_enable, 0);
		fakevirtio_half(off < 0x90 ? &f->desc : off < 0xa0 ?
		    &f->driver : &f->device, off, v);
	}
}

static uint64_t
viommio_config(struct fakevirtio *f, uint64_t off, unsigned int size)
{
	uint8_t cfg[64] = { 0 };
	uint64_t v = 0;

	assert_true(off < sizeof(cfg));
	f->config(f, cfg);
	/* The first half is another disk's, and the generation tells. */
	if (off == 0 && f->unstable > 0) {
		f->unstable--;
		f->generation++;
		return 0;
	}
	memcpy(&v, cfg + off, size);
	return v;
}

static uint64_t
viommio_read(void *dev, unsigned int bar, uint64_t off, unsigned int size)
{
	struct fakevirtio *f = dev;

	assert_int_equal(bar, 0);
	if (off >= CONFIG)
		return viommio_config(f, off - CONFIG, size);
	assert_int_equal(size, 4);
	switch (off) {
	case 0x00:
		return 0x74726976;
	case 0x04:
		return f->version;
	case 0x08:
		return 2;
	case 0x10:
		return f->dfselect > 1 ? 0 :
		    (f->features >> (32 * f->dfselect)) & 0xffffffff;
	case 0x34:
		return f->q_select < 4 ? f->queue_max : 0;
	case 0x44:
		return f->q_enable;
	case 0x70:
		return f->status;
	case 0xfc:
		return f->generation;
	default:
		fail_msg("read of register %#llx", (unsigned long long)off);
		return 0;
	}
}

static void
viommio_init(void *fake, struct fakebus *fb, uint32_t blksize, uint64_t nblks)
{
	struct fakevirtio *f = fake;

	fakevirtio_dev.init(fake, fb, blksize, nblks);
	f->mmio = true;
	f->version = 2;
	memset(fb->cfg, 0, sizeof(fb->cfg));
	memset(fb->bar_len, 0, sizeof(fb->bar_len));
	fb->bar_len[0] = 0x200;
	fb->bus.platform = true;
	fb->reg_read = viommio_read;
	fb->reg_write = viommio_write;
}

const struct fakedev fakeviommio_dev = {
	.driver = "virtio-blk",
	.size = sizeof(struct fakevirtio),
	.init = viommio_init,
	.quiet = fakevirtio_quiet,
	.failures = { { 1, "status 1" }, { 2, "status 2" } },
	.breaks = { "needs a reset", "no sense" },
};
