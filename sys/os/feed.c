// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * feed.c: finds the watchdogs that can be fed while a dump runs, and feeds them.
 * The chips stay their drivers': nothing is claimed, and nothing is written
 * before the panic.
 */
#include <linux/io.h>
#include <linux/platform_data/itco_wdt.h>
#include <linux/platform_device.h>

#include <dev/watchdog.h>
#include <md.h>
#include <os/os.h>

#define FEED_MAX	4u
#define TCO_VERSION_MIN	2u	/* before, the reload register was a byte */
#define ESB_BAR		0
#define ESB_LEN		16u

/* A chip with registers in memory, of a PCI function, or in I/O ports. */
struct fed {
	struct watchdog w;
	struct pci_dev *pdev;
	void __iomem *regs;
	unsigned long port;
};

static struct fed feds[FEED_MAX];
static unsigned int nfeds;	/* those below it are whole */

static u8
feed_cfg_read1(struct watchdog *w, unsigned int off)
{
	const struct pci_dev *pdev = container_of(w, struct fed, w)->pdev;

	return md_pci_read1(pdev->bus->number, pdev->devfn, off);
}

static u16
feed_mem_read2(struct watchdog *w, unsigned int off)
{
	return readw(container_of(w, struct fed, w)->regs + off);
}

static void
feed_mem_write2(struct watchdog *w, unsigned int off, u16 v)
{
	writew(v, container_of(w, struct fed, w)->regs + off);
}

static const struct watchdog_io feed_mem = {
	.cfg_read1 = feed_cfg_read1,
	.read2 = feed_mem_read2,
	.write2 = feed_mem_write2,
};

static u16
feed_port_read2(struct watchdog *w, unsigned int off)
{
	return inw(container_of(w, struct fed, w)->port + off);
}

static void
feed_port_write2(struct watchdog *w, unsigned int off, u16 v)
{
	outw(v, container_of(w, struct fed, w)->port + off);
}

static const struct watchdog_io feed_port = {
	.read2 = feed_port_read2,
	.write2 = feed_port_write2,
};

static void
feed_add(const struct fed *fed)
{
	feds[nfeds] = *fed;
	smp_store_release(&nfeds, nfeds + 1);
}

static bool
feed_knows(const struct pci_dev *pdev, unsigned long port)
{
	unsigned int i;

	for (i = 0; i < nfeds; i++)
		if (feds[i].pdev == pdev && feds[i].port == port)
			return true;
	return nfeds == FEED_MAX;
}

static void
find_i6300esb(void)
{
	struct fed fed = { .w = { &i6300esb_watchdog_ops, &feed_mem } };
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_INTEL,
	    PCI_DEVICE_ID_INTEL_ESB_9, pdev))) {
		if (feed_knows(pdev, 0) || pci_domain_nr(pdev->bus) != 0 ||
		    pci_resource_len(pdev, ESB_BAR) < ESB_LEN)
			continue;
		fed.regs = ioremap(pci_resource_start(pdev, ESB_BAR), ESB_LEN);
		if (!fed.regs)
			continue;
		fed.pdev = pci_dev_get(pdev);
		feed_add(&fed);
	}
}

/* Other drivers know of which chips have the timer, and where. */
static int
find_tco(struct device *dev, void *unused)
{
	struct fed fed = { .w = { &tco_watchdog_ops, &feed_port } };
	struct platform_device *pdev = to_platform_device(dev);
	const struct itco_wdt_platform_data *data = dev_get_platdata(dev);
	const struct resource *ports;

	if (!data || strcmp(pdev->name, "iTCO_wdt") != 0 ||
	    data->version < TCO_VERSION_MIN)
		return 0;
	ports = platform_get_resource(pdev, IORESOURCE_IO, ICH_RES_IO_TCO);
	if (!ports || feed_knows(NULL, (unsigned long)ports->start))
		return 0;
	fed.port = (unsigned long)ports->start;
	feed_add(&fed);
	return 0;
}

void
feed_find(void)
{
	find_i6300esb();
	(void)bus_for_each_dev(&platform_bus_type, NULL, NULL, find_tco);
}

void
feed_forget(void)
{
	while (nfeds > 0) {
		nfeds--;
		if (feds[nfeds].regs)
			iounmap(feds[nfeds].regs);
		pci_dev_put(feds[nfeds].pdev);
	}
}

size_t
feed_list(char *buf, size_t len)
{
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < nfeds; i++)
		used += (size_t)scnprintf(buf + used, len - used, "%s\n",
		    feds[i].w.ops->identity);
	return used;
}

void
feed_watchdogs(void)
{
	const unsigned int n = smp_load_acquire(&nfeds);
	struct watchdog *w;
	unsigned int i;

	for (i = 0; i < n; i++) {
		w = &feds[i].w;
		if (w->ops->running(w))
			w->ops->feed(w);
	}
}
