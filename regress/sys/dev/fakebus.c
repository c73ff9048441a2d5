/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakebus.c: see fakebus.h.
 */
#include <stdlib.h>

#include "fakebus.h"

static struct fakebus *
fakebus_of(struct dumpdev_bus *bus)
{
	return bus->cookie;
}

static bool
fakebus_gone(const struct fakebus *fb)
{
	return fb->gone_at != 0 && fb->naccess >= fb->gone_at;
}

void
fakebus_cfg_set4(struct fakebus *fb, unsigned int off, uint32_t v)
{
	assert_true(off % 4 == 0 && off + 4 <= sizeof(fb->cfg));
	memcpy(fb->cfg + off, &v, sizeof(v));
}

static uint32_t
fakebus_cfg_read4(struct dumpdev_bus *bus, unsigned int off)
{
	struct fakebus *fb = fakebus_of(bus);
	uint32_t v;

	assert_true(off % 4 == 0 && off + 4 <= sizeof(fb->cfg));
	if (bus->platform)
		return 0xffffffff;
	fb->naccess++;
	if (fakebus_gone(fb))
		return 0xffffffff;
	memcpy(&v, fb->cfg + off, sizeof(v));
	return v;
}

static void
fakebus_cfg_write4(struct dumpdev_bus *bus, unsigned int off, uint32_t v)
{
	struct fakebus *fb = fakebus_of(bus);

	assert_false(fb->armed || bus->platform);
	fb->naccess++;
	if (fb->pm_at != 0 && off == fb->pm_at + 4u) {
		/* To D0, without any BAR. */
		assert_int_equal(v >> 16, 0);
		assert_int_equal(v & 0x8003, 0);
		memset(fb->cfg + 0x10, 0, 24);
		if (!fb->sleeps_on)
			fb->cfg[off] = (uint8_t)v;
		return;
	}
	if (fb->pm_at != 0 && off >= 0x10 && off < 0x28) {
		memcpy(fb->cfg + off, &v, sizeof(v));
		return;
	}
	/* The command register; ones in its status half would clear bits. */
	assert_int_equal(off, 4);
	assert_int_equal(v >> 16, 0);
	if (!fakebus_gone(fb))
		memcpy(fb->cfg + off, &v, 2);
}

static int
fakebus_bar_map(struct dumpdev_bus *bus, unsigned int bar, uint64_t *len)
{
	struct fakebus *fb = fakebus_of(bus);

	assert_true(fb->armed);
	if (bar >= DUMPDEV_NBARS || fb->bar_len[bar] == 0)
		return -ENODEV;
	assert_false(fb->bar_mapped[bar]);
	fb->bar_mapped[bar] = true;
	*len = fb->bar_len[bar];
	return 0;
}

static void
fakebus_bar_unmap(struct dumpdev_bus *bus, unsigned int bar)
{
	struct fakebus *fb = fakebus_of(bus);

	assert_true(bar < DUMPDEV_NBARS && fb->bar_mapped[bar]);
	fb->bar_mapped[bar] = false;
}

static uint64_t
fakebus_read(struct dumpdev_bus *bus, unsigned int bar, uint64_t off,
    unsigned int size)
{
	struct fakebus *fb = fakebus_of(bus);

	assert_true(bar < DUMPDEV_NBARS && fb->bar_mapped[bar]);
	assert_true(off % size == 0 && off + size <= fb->bar_len[bar]);
	fb->naccess++;
	if (bus->platform && !fakebus_gone(fb))
		return fb->reg_read(fb->dev, bar, off, size);
	/* Memory space is off, or nobody is there: all ones. */
	if (fakebus_gone(fb) || (fb->cfg[4] & 2) == 0)
		return ~0ull;
	return fb->reg_read(fb->dev, bar, off, size);
}

static void
fakebus_write(struct dumpdev_bus *bus, unsigned int bar, uint64_t off,
    unsigned int size, uint64_t v)
{
	struct fakebus *fb = fakebus_of(bus);

	assert_false(fb->armed);
	assert_true(bar < DUMPDEV_NBARS && fb->bar_mapped[bar]);
	assert_true(off % size == 0 && off + size <= fb->bar_len[bar]);
	fb->naccess++;
	if (!fakebus_gone(fb) && (bus->platform || (fb->cfg[4] & 2) != 0))
		fb->reg_write(fb->dev, bar, off, size, v);
}

static uint8_t
fakebus_read1(struct dumpdev_bus *bus, unsigned int bar, uint64_t off)
{
	return (uint8_t)fakebus_read(bus, bar, off, 1);
}

static uint16_t
fakebus_read2(struct dumpdev_bus *bus, unsigned int bar, uint64_t off)
{
	return (uint16_t)fakebus_read(bus, bar, off, 2);
}

static uint32_t
fakebus_read4(struct dumpdev_bus *bus, unsigned int bar, uint64_t off)
{
	return (uint32_t)fakebus_read(bus, bar, off, 4);
}

static void
fakebus_write1(struct dumpdev_bus *bus, unsigned int bar, uint64_t off,
    uint8_t v)
{
	fakebus_write(bus, bar, off, 1, v);
}

static void
fakebus_write2(struct dumpdev_bus *bus, unsigned int bar, uint64_t off,
    uint16_t v)
{
	fakebus_write(bus, bar, off, 2, v);
}

static void
fakebus_write4(struct dumpdev_bus *bus, unsigned int bar, uint64_t off,
    uint32_t v)
{
	fakebus_write(bus, bar, off, 4, v);
}

static int
fakebus_dma_alloc(struct dumpdev_bus *bus, size_t len, struct dumpdev_dma *dma)
{
	struct fakebus *fb = fakebus_of(bus);
	unsigned int i;

	assert_true(fb->armed);
	if (++fb->nallocs == fb->fail_alloc_at)
		return -ENOMEM;
	len = (len + 4095) & ~(size_t)4095;
	for (i = 0; fb->dma[i].va != NULL; i++)
		assert_true(i + 1 < FAKEBUS_MAXDMA);
	dma->va = aligned_alloc(4096, len);
	assert_non_null(dma->va);
	memset(dma->va, 0, len);
	dma->busaddr = fb->next_busaddr;
	dma->len = len;
	/* A hole behind each, so that nothing runs over into the next. */
	fb->next_busaddr += len + 8 * 4096;
	fb->dma[i] = *dma;
	return 0;
}

static void
fakebus_dma_free(struct dumpdev_bus *bus, struct dumpdev_dma *dma)
{
	struct fakebus *fb = fakebus_of(bus);
	unsigned int i;

	for (i = 0; i < FAKEBUS_MAXDMA; i++)
		if (fb->dma[i].va == dma->va)
			break;
	assert_true(i < FAKEBUS_MAXDMA && dma->va != NULL);
	free(dma->va);
	memset(&fb->dma[i], 0, sizeof(fb->dma[i]));
}

void *
fakebus_dma(struct fakebus *fb, uint64_t busaddr, uint64_t len)
{
	const struct dumpdev_dma *d;
	unsigned int i;

	for (i = 0; i < FAKEBUS_MAXDMA; i++) {
		d = &fb->dma[i];
		if (d->va != NULL && busaddr >= d->busaddr && len <= d->len &&
		    busaddr - d->busaddr <= d->len - len)
			return (uint8_t *)d->va + (busaddr - d->busaddr);
	}
	fail_msg("DMA of %llu bytes at %#llx, which is nobody's",
	    (unsigned long long)len, (unsigned long long)busaddr);
	return NULL;
}

static uint64_t
fakebus_now_us(struct dumpdev_bus *bus)
{
	return fakebus_of(bus)->now_us;
}

static void
fakebus_relax(struct dumpdev_bus *bus)
{
	struct fakebus *fb = fakebus_of(bus);

	fb->now_us += fb->relax_us;
	if (fb->step != NULL && !fakebus_gone(fb))
		fb->step(fb->dev);
}

static const struct dumpdev_bus_ops fakebus_ops = {
	.cfg_read4 = fakebus_cfg_read4,
	.cfg_write4 = fakebus_cfg_write4,
	.bar_map = fakebus_bar_map,
	.bar_unmap = fakebus_bar_unmap,
	.read1 = fakebus_read1,
	.read2 = fakebus_read2,
	.read4 = fakebus_read4,
	.write1 = fakebus_write1,
	.write2 = fakebus_write2,
	.write4 = fakebus_write4,
	.dma_alloc = fakebus_dma_alloc,
	.dma_free = fakebus_dma_free,
	.buf_alloc = fakebus_dma_alloc,
	.buf_free = fakebus_dma_free,
	.now_us = fakebus_now_us,
	.relax = fakebus_relax,
};

void
fakebus_init(struct fakebus *fb)
{
	memset(fb, 0, sizeof(*fb));
	fb->bus.ops = &fakebus_ops;
	fb->bus.cookie = fb;
	fb->now_us = 1000000;
	fb->relax_us = 100;
	fb->armed = true;
	fb->next_busaddr = 0x123450000;
	/* Memory space and bus master on, interrupts by INTx allowed. */
	fakebus_cfg_set4(fb, 4, 0x00100006);
}

void
fakebus_check_released(const struct fakebus *fb)
{
	unsigned int i;

	for (i = 0; i < FAKEBUS_MAXDMA; i++)
		assert_null(fb->dma[i].va);
	for (i = 0; i < DUMPDEV_NBARS; i++)
		assert_false(fb->bar_mapped[i]);
}
