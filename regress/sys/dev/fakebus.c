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

/* Does the bridge pass configuration cycles on? */
static bool
bridge_open(const struct fakebus *bridge)
{
	return (bridge->cfg[FAKEBUS_PM + 4] & 3) == 0 &&
	    (bridge->cfg[0x3e] & 0x40) == 0 &&
	    bridge->cfg[0x19] == bridge->secondary;
}

/* Has it been pulled out, or can't it be reached? */
static bool
fakebus_gone(const struct fakebus *fb)
{
	if (fb->gone_at != 0 && fb->naccess >= fb->gone_at)
		return true;
	return fb->above != NULL &&
	    (fakebus_gone(fb->above) || !bridge_open(fb->above));
}

/* Does it decode its BARs, and does the bridge pass them on? */
static bool
fakebus_decodes(const struct fakebus *fb)
{
	const struct fakebus *bridge;
	unsigned int i;

	if (fb->bus.platform)
		return !fakebus_gone(fb);
	for (i = 0; i < DUMPDEV_NBARS; i++)
		if (fb->bar_at[i] != 0 &&
		    fakebus_cfg_get4(fb, 0x10 + 4 * i) != fb->bar_at[i])
			return false;
	for (bridge = fb->above; bridge != NULL; bridge = bridge->above)
		if ((bridge->cfg[4] & 2) == 0 ||
		    fakebus_cfg_get4(bridge, 0x20) != bridge->window)
			return false;
	return !fakebus_gone(fb) && fb->now_us >= fb->ready_at &&
	    (fb->cfg[4] & 2) != 0;
}

void
fakebus_cfg_set4(struct fakebus *fb, unsigned int off, uint32_t v)
{
	assert_true(off % 4 == 0 && off + 4 <= sizeof(fb->cfg));
	memcpy(fb->cfg + off, &v, sizeof(v));
}

uint32_t
fakebus_cfg_get4(const struct fakebus *fb, unsigned int off)
{
	uint32_t v;

	assert_true(off % 4 == 0 && off + 4 <= sizeof(fb->cfg));
	memcpy(&v, fb->cfg + off, sizeof(v));
	return v;
}

void
fakebus_forget(struct fakebus *fb)
{
	memset(fb->cfg + 4, 0, 2);
	memset(fb->cfg + 0x10, 0, 0x24);
	memset(fb->cfg + 0x3c, 0, 4);
	if (fb->caps)
		memcpy(fb->cfg + FAKEBUS_EXPRESS + 8, "\x10\x28", 2);
}

static void
fakebus_reset(struct fakebus *fb)
{
	fakebus_forget(fb);
	fb->nresets++;
	fb->ready_at = fb->now_us + fb->ready_us;
	if (fb->reset != NULL)
		fb->reset(fb->dev);
}

static uint32_t
fakebus_cfg_read4(struct dumpdev_bus *bus, unsigned int off)
{
	struct fakebus *fb = fakebus_of(bus);

	if (bus->platform)
		return 0xffffffff;
	fb->naccess++;
	if (fakebus_gone(fb))
		return 0xffffffff;
	if (fb->now_us < fb->ready_at)
		return off == 0 ? fb->notready : 0xffffffff;
	return fakebus_cfg_get4(fb, off);
}

/* Power management's control: to D0, and all is forgotten. */
static void
write_pm(struct fakebus *fb, unsigned int off, uint32_t v)
{
	assert_int_equal(v >> 16, 0);
	assert_int_equal(v & 0x8003, 0);
	fakebus_forget(fb);
	if (!fb->sleeps_on)
		fb->cfg[off] = (uint8_t)v;
}

/* PCI Express's: the status above it is cleared by ones. */
static void
write_express(struct fakebus *fb, unsigned int off, uint32_t v)
{
	assert_int_equal(v >> 16, 0);
	if ((v & 0x8000) != 0) {
		assert_int_equal(fb->cfg[off - 1] & 0x10, 0x10);
		assert_int_equal(fb->cfg[4] & 4, 0);
		fakebus_reset(fb);
		return;
	}
	memcpy(fb->cfg + off, &v, 2);
}

static void
fakebus_cfg_write4(struct dumpdev_bus *bus, unsigned int off, uint32_t v)
{
	struct fakebus *fb = fakebus_of(bus);
	const bool bridge = fb->below != NULL;
	bool held;

	assert_false(fb->armed || bus->platform);
	fb->naccess++;
	if (fakebus_gone(fb))
		return;
	if (fb->caps && off == FAKEBUS_PM + 4) {
		write_pm(fb, off, v);
	} else if (fb->caps && off == FAKEBUS_EXPRESS + 8) {
		write_express(fb, off, v);
	} else if (off == 4) {
		/* Ones in its status half would clear bits. */
		assert_int_equal(v >> 16, 0);
		memcpy(fb->cfg + off, &v, 2);
	} else if (off >= 0x10 && off < (bridge ? 0x34u : 0x28u)) {
		assert_int_equal(fb->cfg[4] & 2, 0);
		if (bridge && off == 0x1c)
			assert_int_equal(v >> 16, 0);
		fakebus_cfg_set4(fb, off, v);
	} else {
		assert_true(bridge && off == 0x3c && (v & 0x04400000) == 0);
		held = (fb->cfg[0x3e] & 0x40) != 0;
		fakebus_cfg_set4(fb, off, v);
		if (held)
			fakebus_reset(fb->below);
	}
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
	/* Memory space is off, or nobody is there: all ones. */
	if (!fakebus_decodes(fb))
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
	if (fakebus_decodes(fb))
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
	const struct fakebus *on;
	const struct dumpdev_dma *d;
	unsigned int i;

	for (on = fb->bus.platform ? NULL : fb; on != NULL; on = on->above)
		if ((on->cfg[4] & 4) == 0)
			fail_msg("DMA with bus master off");
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
	fb->notready = 0xffffffff;
	/* Memory space and bus master on, interrupts by INTx allowed. */
	fakebus_cfg_set4(fb, 4, 0x00100006);
}

void
fakebus_caps(struct fakebus *fb, bool flr)
{
	const uint32_t first = fb->cfg[0x34];
	unsigned int i;

	fb->caps = true;
	fakebus_cfg_set4(fb, 0x34, FAKEBUS_PM);
	fakebus_cfg_set4(fb, FAKEBUS_PM, 0x00030001 | FAKEBUS_EXPRESS << 8);
	fakebus_cfg_set4(fb, FAKEBUS_EXPRESS, 0x00020010 | first << 8);
	fakebus_cfg_set4(fb, FAKEBUS_EXPRESS + 4, flr ? 0x10008000 : 0x8000);
	fakebus_cfg_set4(fb, FAKEBUS_EXPRESS + 8, 0x0009513e);
	for (i = 0; i < DUMPDEV_NBARS; i++) {
		if (fb->bar_len[i] == 0)
			continue;
		fb->bar_at[i] = 0xfe800000 + (i << 20);
		fakebus_cfg_set4(fb, 0x10 + 4 * i, fb->bar_at[i]);
	}
	fb->ready_us = 300000;
}

void
fakebus_bridge(struct fakebus *bridge, struct fakebus *fb)
{
	fakebus_init(bridge);
	fakebus_caps(bridge, false);
	fakebus_cfg_set4(bridge, 0x00, 0x000c1b36);
	fakebus_cfg_set4(bridge, 0x04, 0x00100007);
	fakebus_cfg_set4(bridge, 0x0c, 0x00010000);
	fakebus_cfg_set4(bridge, 0x18, 0x00010100);
	fakebus_cfg_set4(bridge, 0x1c, 0x2000f1f1);
	fakebus_cfg_set4(bridge, 0x20, 0xfe90fe80);
	fakebus_cfg_set4(bridge, 0x3c, 0x0003010b);
	bridge->secondary = 1;
	bridge->window = 0xfe90fe80;
	bridge->below = fb;
	fb->above = bridge;
	fb->bus.bridge = &bridge->bus;
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
