/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakevirtio.c: see fakevirtio.h.
 */
#include <stdlib.h>

#include "fakevirtio.h"

#define COMMON		0x0000u		/* the structures' places in the BAR */
#define DEVICE		0x1000u
#define NOTIFY		0x2000u
#define NOTIFY_MULT	4u
#define DELAY_US	300		/* of a reset */

#define BREAK_RING	1		/* of fakevirtio_dev.breaks */

#define S_ACK		0x01
#define S_DRIVER	0x02
#define S_DRIVER_OK	0x04
#define S_FEATURES_OK	0x08
#define S_NEEDS_RESET	0x40

#define F_SIZE_MAX	(1ull << 1)
#define F_SEG_MAX	(1ull << 2)
#define F_FLUSH		(1ull << 9)
#define F_VERSION_1	(1ull << 32)

static uint64_t
get(struct fakevirtio *f, uint64_t addr, unsigned int len)
{
	uint64_t v = 0;

	memcpy(&v, fakebus_dma(f->d.fb, addr, len), len);
	return v;
}

static void
put(struct fakevirtio *f, uint64_t addr, uint64_t v, unsigned int len)
{
	memcpy(fakebus_dma(f->d.fb, addr, len), &v, len);
}

unsigned int
fakevirtio_chain(struct fakevirtio *f, uint16_t head,
    struct fakevirtio_piece *pieces, unsigned int max)
{
	unsigned int n = 0, flags;
	uint64_t at;

	for (;;) {
		assert_true(head < f->q_size && n < max);
		at = f->desc + 16ull * head;
		flags = (unsigned int)get(f, at + 12, 2);
		assert_int_equal(flags & ~3u, 0);
		pieces[n].addr = get(f, at, 8);
		pieces[n].len = (uint32_t)get(f, at + 8, 4);
		pieces[n].devwrites = (flags & 2) != 0;
		assert_int_not_equal(pieces[n].len, 0);
		/* What the device writes comes after what it reads. */
		assert_true(n == 0 || pieces[n].devwrites ||
		    !pieces[n - 1].devwrites);
		n++;
		if ((flags & 1) == 0)
			return n;
		head = (uint16_t)get(f, at + 14, 2);
	}
}

void
fakevirtio_used(struct fakevirtio *f, uint32_t id, uint32_t len)
{
	uint64_t at = f->device + 4 + 8ull * (f->used_idx % f->q_size);

	put(f, at, id, 4);
	put(f, at + 4, len, 4);
	put(f, f->device + 2, ++f->used_idx, 2);
}

/* Moves the data pieces; their length. */
static uint64_t
move(struct fakevirtio *f, const struct fakevirtio_piece *p, unsigned int n,
    uint64_t sector, bool read)
{
	uint64_t len = 0, at = sector * 512;
	uint8_t *disk;
	unsigned int i;
	void *va;

	if ((f->taken & F_SEG_MAX) != 0)
		assert_true(n <= f->seg_max);
	for (i = 0; i < n; i++) {
		assert_int_equal(p[i].devwrites, read);
		if ((f->taken & F_SIZE_MAX) != 0)
			assert_true(p[i].len <= f->size_max);
		va = fakebus_dma(f->d.fb, p[i].addr, p[i].len);
		disk = fakedisk_at(&f->d, at + len, p[i].len);
		if (read)
			memcpy(va, disk, p[i].len);
		else
			memcpy(disk, va, p[i].len);
		len += p[i].len;
	}
	assert_true(len != 0 && len % f->blk_size == 0);
	return len;
}

static bool
blk_counts(struct fakevirtio *f, uint16_t head)
{
	(void)f;
	(void)head;
	return true;
}

static void
blk_answer(struct fakevirtio *f, uint16_t head)
{
	struct fakevirtio_piece p[128];
	unsigned int n = fakevirtio_chain(f, head, p, 128);
	uint64_t type, sector, len = 0;
	uint8_t status = 0;

	assert_true(n >= 2 && p[0].len == 16 && !p[0].devwrites);
	assert_true(p[n - 1].len == 1 && p[n - 1].devwrites);
	assert_int_equal(get(f, p[n - 1].addr, 1), 0xff);	/* no answer */
	type = get(f, p[0].addr, 4);
	sector = get(f, p[0].addr + 8, 8);
	assert_int_equal(get(f, p[0].addr + 4, 4), 0);
	assert_int_equal(sector % (f->blk_size / 512), 0);
	if (fakedisk_fails(&f->d)) {
		status = (uint8_t)f->d.fail_status;
	} else if (type == 4) {
		assert_true((f->taken & F_FLUSH) != 0);
		assert_true(n == 2 && sector == 0);
		f->d.nflush++;
		f->d.nunflushed = 0;
	} else {
		assert_true(type == 0 || type == 1);
		len = move(f, p + 1, n - 2, sector, type == 0);
		f->d.nunflushed += type == 1 && (f->taken & F_FLUSH) != 0;
	}
	put(f, p[n - 1].addr, status, 1);
	fakevirtio_used(f, head, (uint32_t)(type == 0 ? len + 1 : 1));
}

static bool
breaks(struct fakevirtio *f)
{
	if (!fakedisk_breaks(&f->d))
		return false;
	if (f->d.break_how == BREAK_RING)
		put(f, f->device + 2, (uint64_t)(f->used_idx + f->q_size + 1),
		    2);
	else
		f->status |= S_NEEDS_RESET;
	f->broken = true;
	return true;
}

static void
take(struct fakevirtio *f, uint16_t slot)
{
	uint16_t head = (uint16_t)get(f, f->driver + 4 +
	    2ull * (slot % f->q_size), 2);

	if (!f->counts(f, head)) {
		f->answer(f, head);
		return;
	}
	f->d.nreq++;
	if (breaks(f))
		return;
	if (fakedisk_drops(&f->d)) {
		f->late_head = head;
		return;
	}
	if (f->d.strays) {
		fakevirtio_used(f, 0xffffffff, 0);
		fakevirtio_used(f, head + 1u, 0);	/* in the middle of a chain */
	}
	f->answer(f, head);
	if (f->d.strays)
		fakevirtio_used(f, f->q_size, 0);
}

static void
fakevirtio_step(void *dev)
{
	struct fakevirtio *f = dev;
	uint16_t idx, first;

	if (f->reset_at != 0 && f->d.fb->now_us >= f->reset_at) {
		f->reset_at = 0;
		f->status = 0;
	}
	if ((f->status & S_DRIVER_OK) == 0 || f->q_enable == 0 || f->broken)
		return;
	if (fakedisk_late(&f->d))
		f->answer(f, (uint16_t)f->late_head);
	if (!f->notified)
		return;
	f->notified = false;
	assert_int_equal(get(f, f->driver, 2), 1);	/* no interrupts */
	idx = (uint16_t)get(f, f->driver + 2, 2);
	first = f->avail_idx;
	if ((uint16_t)(idx - first) > f->max_offered)
		f->max_offered = (uint16_t)(idx - first);
	while (f->avail_idx != idx && !f->broken) {
		take(f, f->d.backwards ?
		    (uint16_t)(first + idx - 1 - f->avail_idx) : f->avail_idx);
		f->avail_idx++;
	}
}

static void
device_reset(struct fakevirtio *f)
{
	f->q_enable = f->avail_idx = f->used_idx = 0;
	f->q_size = f->queue_max;
	f->taken = 0;
	f->q_msix = f->msix = 0;	/* so that it must be said */
	f->desc = f->driver = f->device = 0;
	f->notified = f->broken = false;
	f->d.late_at = 0;
	f->reset_at = f->stuck_reset ? 0 : f->d.fb->now_us + DELAY_US;
}

void
fakevirtio_status(struct fakevirtio *f, uint8_t v)
{
	if (v == 0) {
		device_reset(f);
		return;
	}
	assert_int_equal(f->reset_at, 0);
	assert_int_equal(v & f->status, f->status);	/* bits only come */
	switch (v & ~f->status) {
	case S_ACK:
		assert_int_equal(f->status, 0);
		break;
	case S_DRIVER:
		assert_int_equal(f->status, S_ACK);
		break;
	case S_FEATURES_OK:
		assert_int_equal(f->status, S_ACK | S_DRIVER);
		assert_true((f->taken & F_VERSION_1) != 0);
		assert_int_equal(f->taken & ~f->features, 0);
		if (f->refuse_features)
			return;
		break;
	case S_DRIVER_OK:
		assert_int_equal(f->status, S_ACK | S_DRIVER | S_FEATURES_OK);
		assert_int_equal(f->q_enable, 1);
		f->d.nstarts++;
		break;
	default:
		fail_msg("status %#x after %#x", v, f->status);
	}
	f->status = v;
}

void
fakevirtio_enable(struct fakevirtio *f, uint64_t v)
{
	assert_int_equal(v, 1);
	assert_int_equal(f->q_select, f->queue);
	assert_int_equal(f->status, S_ACK | S_DRIVER | S_FEATURES_OK);
	assert_true(f->q_size != 0 && (f->q_size & (f->q_size - 1)) == 0);
	assert_true(f->q_size <= f->queue_max);
	assert_true(f->mmio || (f->q_msix == 0xffff && f->msix == 0xffff));
	assert_int_equal(f->desc % 16, 0);
	assert_int_equal(f->driver % 2, 0);
	assert_int_equal(f->device % 4, 0);
	/* All three are there, whole. */
	fakebus_dma(f->d.fb, f->desc, 16ull * f->q_size);
	fakebus_dma(f->d.fb, f->driver, 6 + 2ull * f->q_size);
	fakebus_dma(f->d.fb, f->device, 6 + 8ull * f->q_size);
	f->q_enable = 1;
}

void
fakevirtio_half(uint64_t *reg, uint64_t off, uint64_t v)
{
	const unsigned int shift = (off & 4) != 0 ? 32 : 0;

	*reg = (*reg & ~(0xffffffffull << shift)) | v << shift;
}

static void
common_write(struct fakevirtio *f, uint64_t off, unsigned int size,
    uint64_t v)
{
	static const uint8_t sizes[] = { [0x00] = 4, [0x08] = 4, [0x0c] = 4,
	    [0x10] = 2, [0x14] = 1, [0x16] = 2, [0x18] = 2, [0x1a] = 2,
	    [0x1c] = 2, [0x20] = 4, [0x24] = 4, [0x28] = 4, [0x2c] = 4,
	    [0x30] = 4, [0x34] = 4 };

	assert_true(off < sizeof(sizes) && sizes[off] == size);
	if (off == 0x00)
		f->dfselect = (uint32_t)v;
	else if (off == 0x08)
		f->gfselect = (uint32_t)v;
	else if (off == 0x0c && f->gfselect < 2)
		fakevirtio_half(&f->taken, f->gfselect * 4, v);
	else if (off == 0x10)
		f->msix = (uint16_t)v;
	else if (off == 0x14)
		fakevirtio_status(f, (uint8_t)v);
	else if (off == 0x16)
		f->q_select = (uint16_t)v;
	else if (off == 0x18)
		f->q_size = (uint16_t)v;
	else if (off == 0x1a)
		f->q_msix = (uint16_t)v;
	else if (off == 0x1c)
		fakevirtio_enable(f, v);
	else if (off >= 0x20)
		fakevirtio_half(off < 0x28 ? &f->desc : off < 0x30 ? &f->driver :
		    &f->device, off, v);
}

static void
fakevirtio_write(void *dev, unsigned int bar, uint64_t off, unsigned int size,
    uint64_t v)
{
	struct fakevirtio *f = dev;

	assert_int_equal(bar, FAKEVIRTIO_BAR);
	if (off >= NOTIFY) {
		assert_int_equal(size, 2);
		assert_int_equal(off - NOTIFY, f->noff * NOTIFY_MULT);
		assert_int_equal(v, f->queue);
		f->notified = true;
		return;
	}
	assert_true(off < DEVICE);
	common_write(f, off - COMMON, size, v);
}

static uint64_t
common_read(struct fakevirtio *f, uint64_t off, unsigned int size)
{
	switch (off) {
	case 0x04:
		assert_int_equal(size, 4);
		return f->dfselect > 1 ? 0 :
		    (f->features >> (32 * f->dfselect)) & 0xffffffff;
	case 0x12:
		assert_int_equal(size, 2);
		return 4;
	case 0x14:
		assert_int_equal(size, 1);
		return f->status;
	case 0x15:
		assert_int_equal(size, 1);
		return f->generation;
	case 0x18:
		assert_int_equal(size, 2);
		return f->q_select < 4 ? f->q_size : 0;
	case 0x1e:
		assert_int_equal(size, 2);
		return f->noff;
	default:
		fail_msg("read of common %#llx", (unsigned long long)off);
		return 0;
	}
}

static void
blk_config(const struct fakevirtio *f, uint8_t cfg[64])
{
	memcpy(cfg, &f->capacity, 8);
	memcpy(cfg + 8, &f->size_max, 4);
	memcpy(cfg + 12, &f->seg_max, 4);
	memcpy(cfg + 20, &f->blk_size, 4);
}

static uint64_t
fakevirtio_read(void *dev, unsigned int bar, uint64_t off, unsigned int size)
{
	struct fakevirtio *f = dev;
	uint8_t cfg[64] = { 0 };
	uint64_t v = 0;

	assert_int_equal(bar, FAKEVIRTIO_BAR);
	if (off < DEVICE)
		return common_read(f, off - COMMON, size);
	assert_true(off < DEVICE + sizeof(cfg));
	f->config(f, cfg);
	/* The first half is another disk's, and the generation tells. */
	if (off == DEVICE && f->unstable > 0) {
		f->unstable--;
		f->generation++;
		return 0;
	}
	memcpy(&v, cfg + (off - DEVICE), size);
	return v;
}

/* A capability at pos: type, offset and length in the BAR. */
static void
cap(struct fakebus *fb, unsigned int pos, unsigned int next, unsigned int type,
    uint32_t off, uint32_t len)
{
	fakebus_cfg_set4(fb, pos, 0x09u | next << 8 |
	    (type == 2 ? 20u : 16u) << 16 | type << 24);
	fakebus_cfg_set4(fb, pos + 4, FAKEVIRTIO_BAR);
	fakebus_cfg_set4(fb, pos + 8, off);
	fakebus_cfg_set4(fb, pos + 12, len);
	if (type == 2)
		fakebus_cfg_set4(fb, pos + 16, NOTIFY_MULT);
}

void
fakevirtio_setup(struct fakevirtio *f, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks, uint32_t id)
{
	fakedisk_init(&f->d, fb, blksize, nblks);
	f->blk_size = blksize;
	f->queue_max = 256;
	f->noff = 3;
	/* INDIRECT, EVENT_IDX, VERSION_1, RING_PACKED, ORDER_PLATFORM. */
	f->features = 1ull << 28 | 1ull << 29 | F_VERSION_1 | 1ull << 34 |
	    1ull << 36;
	/* Running, for the stock driver. */
	f->status = S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK;
	fb->dev = f;
	fb->reg_read = fakevirtio_read;
	fb->reg_write = fakevirtio_write;
	fb->step = fakevirtio_step;
	fb->bar_len[FAKEVIRTIO_BAR] = 0x4000;
	fakebus_cfg_set4(fb, 0x00, id);
	fakebus_cfg_set4(fb, 0x08, 0x01000001);
	fakebus_cfg_set4(fb, 0x34, 0x98);
	fakebus_cfg_set4(fb, 0x98, 0x00038411);	/* MSI-X */
	cap(fb, 0x84, 0x70, 5, 0, 0);
	cap(fb, 0x70, 0x5c, 2, NOTIFY, 0x1000);
	cap(fb, 0x5c, 0x40, 4, DEVICE, 64);
	cap(fb, 0x40, 0x00, 1, COMMON, 0x38);
}

bool
fakevirtio_quiet(const void *fake)
{
	const struct fakevirtio *f = fake;

	return f->status == 0;	/* reset */
}

static void
fakevirtio_init(void *fake, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks)
{
	struct fakevirtio *f = fake;

	fakevirtio_setup(f, fb, blksize, nblks, 0x10421af4);
	f->counts = blk_counts;
	f->answer = blk_answer;
	f->config = blk_config;
	f->capacity = f->d.len / 512;
	f->seg_max = 126;
	/* Much is offered: CONFIG_WCE and MQ besides what is used. */
	f->features |= F_SEG_MAX | 1ull << 6 | F_FLUSH | 1ull << 11 |
	    1ull << 12;
	f->taken = f->features;
}

const struct fakedev fakevirtio_dev = {
	.driver = "virtio-blk",
	.size = sizeof(struct fakevirtio),
	.init = fakevirtio_init,
	.quiet = fakevirtio_quiet,
	/* The last is a status byte left as it was. */
	.failures = { { 1, "status 1" }, { 2, "status 2" },
	    { 0xff, "status 255" } },
	.breaks = { "needs a reset", [BREAK_RING] = "no sense" },
};
