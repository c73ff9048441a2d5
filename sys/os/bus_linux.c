// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * bus_linux.c: registers, config space, DMA memory and time of a PCI function or
 * a platform device, as dumpdev.h wants them.  The device stays the stock driver's
 * until the panic: BARs are mapped a second time, nothing is claimed.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/platform_device.h>

#include <md.h>
#include <os/os.h>

#define BAR_MAX	(1ull << 24)	/* no controller we know has more registers */

static struct bus_linux *
of_bus(struct dumpdev_bus *bus)
{
	return container_of(bus, struct bus_linux, bus);
}

/* Of the function, and of a bridge above it. */
static u32
bus_cfg_read4(struct dumpdev_bus *bus, unsigned int off)
{
	struct pci_dev *pdev = bus->cookie;
	u32 v = ~0u;

	if (!pdev)
		return v;
	if (hook_panicked)
		return md_pci_read4(pdev->bus->number, pdev->devfn, off);
	(void)pci_read_config_dword(pdev, (int)off, &v);
	return v;
}

static void
bus_cfg_write4(struct dumpdev_bus *bus, unsigned int off, u32 v)
{
	struct pci_dev *pdev = bus->cookie;

	if (!pdev)
		return;
	if (hook_panicked)
		md_pci_write4(pdev->bus->number, pdev->devfn, off, v);
	else
		(void)pci_write_config_dword(pdev, (int)off, v);
}

static const struct resource *
bar_resource(const struct bus_linux *b, unsigned int bar)
{
	const struct resource *res;

	if (bar >= DUMPDEV_NBARS)
		return NULL;
	if (!b->pdev)
		return platform_get_resource(to_platform_device(b->dev),
		    IORESOURCE_MEM, bar);
	res = &b->pdev->resource[bar];
	return (res->flags & IORESOURCE_MEM) && res->end > res->start ? res :
	    NULL;
}

static int
bus_bar_map(struct dumpdev_bus *bus, unsigned int bar, u64 *len)
{
	struct bus_linux *b = of_bus(bus);
	const struct resource *res = bar_resource(b, bar);
	resource_size_t size;

	if (!res)
		return -ENODEV;
	size = min_t(resource_size_t, resource_size(res), BAR_MAX);
	if (!b->bar[bar])
		b->bar[bar] = ioremap(res->start, size);
	if (!b->bar[bar])
		return -ENOMEM;
	*len = size;
	return 0;
}

static void
bus_bar_unmap(struct dumpdev_bus *bus, unsigned int bar)
{
	struct bus_linux *b = of_bus(bus);

	if (bar < DUMPDEV_NBARS && b->bar[bar]) {
		iounmap(b->bar[bar]);
		b->bar[bar] = NULL;
	}
}

static u8
bus_read1(struct dumpdev_bus *bus, unsigned int bar, u64 off)
{
	return readb(of_bus(bus)->bar[bar] + off);
}

static u16
bus_read2(struct dumpdev_bus *bus, unsigned int bar, u64 off)
{
	return readw(of_bus(bus)->bar[bar] + off);
}

static u32
bus_read4(struct dumpdev_bus *bus, unsigned int bar, u64 off)
{
	return readl(of_bus(bus)->bar[bar] + off);
}

static void
bus_write1(struct dumpdev_bus *bus, unsigned int bar, u64 off, u8 v)
{
	writeb(v, of_bus(bus)->bar[bar] + off);
}

static void
bus_write2(struct dumpdev_bus *bus, unsigned int bar, u64 off, u16 v)
{
	writew(v, of_bus(bus)->bar[bar] + off);
}

static void
bus_write4(struct dumpdev_bus *bus, unsigned int bar, u64 off, u32 v)
{
	writel(v, of_bus(bus)->bar[bar] + off);
}

/* The entry of b->dma[] for the memory at va; NULL: the first free one. */
static struct bus_dma *
dma_entry(struct bus_linux *b, const void *va)
{
	unsigned int i;

	for (i = 0; i < BUS_DMA_MAX; i++)
		if (b->dma[i].dma.va == va)
			return &b->dma[i];
	return NULL;
}

/* Coherent memory has a device address that is right behind an IOMMU too. */
static int
bus_dma_alloc(struct dumpdev_bus *bus, size_t len, struct dumpdev_dma *dma)
{
	struct bus_linux *b = of_bus(bus);
	struct bus_dma *entry = dma_entry(b, NULL);
	dma_addr_t addr;

	if (!entry)
		return -ENOMEM;
	len = PAGE_ALIGN(len);
	dma->va = dma_alloc_coherent(b->dev, len, &addr,
	    GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!dma->va)
		return -ENOMEM;
	dma->busaddr = addr;
	dma->len = len;
	entry->dma = *dma;
	return 0;
}

static void
bus_dma_free(struct dumpdev_bus *bus, struct dumpdev_dma *dma)
{
	struct bus_linux *b = of_bus(bus);
	struct bus_dma *entry;

	if (!dma->va)
		return;
	entry = dma_entry(b, dma->va);
	if (entry)
		memset(entry, 0, sizeof(*entry));
	dma_free_coherent(b->dev, dma->len, dma->va, dma->busaddr);
	memset(dma, 0, sizeof(*dma));
}

/*
 * Maps memory for as long as the device is armed.  The CPU writes to it and the
 * device reads it without anybody telling the other, so the device must reach
 * that memory itself: not a copy, as in a guest whose memory is encrypted.
 */
static bool
buf_map(struct device *dev, void *va, size_t len, dma_addr_t *addr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (dma_get_mask(dev) < DMA_BIT_MASK(32))
		return false;
	*addr = dma_map_single(dev, va, len, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, *addr))
		return false;
	if ((domain && (domain->type & __IOMMU_DOMAIN_PAGING)) ||
	    *addr == (dma_addr_t)virt_to_phys(va))
		return true;
	dma_unmap_single(dev, *addr, len, DMA_BIDIRECTIONAL);
	return false;
}

static int
bus_buf_alloc(struct dumpdev_bus *bus, size_t len, struct dumpdev_dma *dma)
{
	struct bus_linux *b = of_bus(bus);
	struct bus_dma *entry = dma_entry(b, NULL);
	dma_addr_t addr;
	void *va;

	if (!entry)
		return -ENOMEM;
	len = PAGE_ALIGN(len);
	va = buffers_take(b->buffers, &b->taken, len);
	if (!va || !buf_map(b->dev, va, len, &addr))
		return bus_dma_alloc(bus, len, dma);
	dma->va = va;
	dma->busaddr = addr;
	dma->len = len;
	entry->dma = *dma;
	entry->shared = true;
	return 0;
}

static void
bus_buf_free(struct dumpdev_bus *bus, struct dumpdev_dma *dma)
{
	struct bus_linux *b = of_bus(bus);
	struct bus_dma *entry = dma->va ? dma_entry(b, dma->va) : NULL;

	if (!entry || !entry->shared) {
		bus_dma_free(bus, dma);
		return;
	}
	dma_unmap_single(b->dev, dma->busaddr, dma->len,
	    DMA_BIDIRECTIONAL);
	memset(entry, 0, sizeof(*entry));
	memset(dma, 0, sizeof(*dma));
}

static u64
bus_now_us(struct dumpdev_bus *bus)
{
	return md_now_us();
}

/* Without PAUSE: after a panic there is nobody to leave the CPU to, and a virtual
 * machine may stop for it and take the lock that its disk needs to answer. */
static void
bus_relax(struct dumpdev_bus *bus)
{
	barrier();
	/* A slow flush takes longer than any watchdog's patience. */
	if (hook_panicked)
		md_watchdog();
}

static const struct dumpdev_bus_ops bus_linux_ops = {
	.cfg_read4 = bus_cfg_read4,
	.cfg_write4 = bus_cfg_write4,
	.bar_map = bus_bar_map,
	.bar_unmap = bus_bar_unmap,
	.read1 = bus_read1,
	.read2 = bus_read2,
	.read4 = bus_read4,
	.write1 = bus_write1,
	.write2 = bus_write2,
	.write4 = bus_write4,
	.dma_alloc = bus_dma_alloc,
	.dma_free = bus_dma_free,
	.buf_alloc = bus_buf_alloc,
	.buf_free = bus_buf_free,
	.now_us = bus_now_us,
	.relax = bus_relax,
};

void
bus_linux_init(struct bus_linux *b, struct device *dev,
    const struct buffers *buffers)
{
	struct dumpdev_bus *below = &b->bus;
	struct pci_dev *bridge;
	unsigned int i;

	memset(b, 0, sizeof(*b));
	b->bus.ops = &bus_linux_ops;
	b->bus.platform = !dev_is_pci(dev);
	b->dev = dev;
	b->pdev = dev_is_pci(dev) ? to_pci_dev(dev) : NULL;
	b->bus.cookie = b->pdev;
	b->bus.virtfn = b->pdev && b->pdev->is_virtfn;
	/* They stay where they are as long as the function does. */
	bridge = b->pdev ? pci_upstream_bridge(b->pdev) : NULL;
	for (i = 0; bridge && i < DUMPDEV_MAXBRIDGES; i++) {
		below->bridge = &b->bridges[i];
		below = below->bridge;
		below->ops = &bus_linux_ops;
		below->cookie = bridge;
		bridge = pci_upstream_bridge(bridge);
	}
	b->buffers = buffers;
}
