// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * unit.c: where a disk is: the controller that it hangs from, and which of that
 * controller's disks it is, in the words of the dump driver.
 */
#include <linux/libata.h>
#include <linux/nvme_ioctl.h>
#include <linux/platform_device.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include <os/kcompat.h>
#include <os/os.h>

/* ---- NVMe disks with several paths ---- */

/*
 * Such a disk is nvmeSnN of a subsystem, which has no controller above it; each
 * path to it is a hidden disk nvmeScCnN below its controller C.
 */
struct path_search {
	unsigned int subsystem, namespace;
};

static int
is_path(struct device *dev, void *arg)
{
	const struct path_search *s = arg;
	unsigned int subsystem, controller, namespace;
	char end;

	return sscanf(dev_name(dev), "nvme%uc%un%u%c", &subsystem, &controller,
	    &namespace, &end) == 3 && subsystem == s->subsystem &&
	    namespace == s->namespace;
}

static int
has_path(struct device *dev, void *arg)
{
	return device_for_each_child(dev, arg, is_path);
}

/* A controller with a path to the disk, with a reference; NULL: none. */
static struct device *
path_controller(struct gendisk *disk)
{
	struct path_search s;
	struct pci_dev *pdev = NULL;
	char end;

	if (sscanf(disk->disk_name, "nvme%un%u%c", &s.subsystem, &s.namespace,
	    &end) != 2)
		return NULL;
	while ((pdev = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, pdev)))
		if (pdev->dev.driver &&
		    device_for_each_child(&pdev->dev, &s, has_path))
			break;
	return pdev ? &pdev->dev : NULL;
}

/* ---- All disks ---- */

/* Virtio's transport on the platform bus, by what hangs from it. */
static bool
is_virtio_mmio(const struct device *dev, const struct device *below)
{
	return dev->bus == &platform_bus_type && below && below->bus &&
	    strcmp(below->bus->name, "virtio") == 0;
}

struct device *
unit_controller(struct gendisk *disk, struct device **via)
{
	struct device *dev, *below = NULL;

	*via = NULL;
	for (dev = disk_to_dev(disk)->parent; dev; dev = dev->parent) {
		if (dev_is_pci(dev) || is_virtio_mmio(dev, below))
			return get_device(dev);
		if (!*via && dev->bus)
			*via = dev;
		below = dev;
	}
	return path_controller(disk);
}

static int
unit_nvme(const struct arm_config *cfg, struct block_device *bdev, u32 *unit)
{
	int nsid = -EOPNOTSUPP;

	if (bdev->bd_disk->fops->ioctl)
		nsid = bdev->bd_disk->fops->ioctl(bdev, KCOMPAT_OPEN_READ,
		    NVME_IOCTL_ID, 0);
	if (nsid <= 0)
		return arm_refuse(-EOPNOTSUPP, "%s: its NVMe namespace id "
		    "can't be had (error %d)", cfg->device, nsid);
	*unit = (u32)nsid;
	return 0;
}

/* libata makes a SCSI host of each port. */
static int
unit_ahci(const struct arm_config *cfg, struct Scsi_Host *host, u32 *unit)
{
	struct ata_port *ap = ata_shost_to_port(host);

	if (sata_pmp_attached(ap))
		return arm_refuse(-EOPNOTSUPP, "%s: its disk is behind a port "
		    "multiplier; connect it to a port of the controller",
		    cfg->device);
	*unit = ap->port_no;
	return 0;
}

static int
unit_scsi(const struct arm_config *cfg, struct scsi_device *sdev, u32 *unit)
{
	const char *driver = sdev->host->hostt->proc_name;

	if (driver && strcmp(driver, "ahci") == 0)
		return unit_ahci(cfg, sdev->host, unit);
	/* Whose numbers we don't know: no dump driver takes this one. */
	*unit = U32_MAX;
	if (!driver || strcmp(driver, "virtio_scsi") != 0)
		return 0;
	/* Numbers from 256 on come with a mark: 0x4000, flat space. */
	if (sdev->channel != 0 || sdev->id > 0xffff || sdev->lun > 0x7fff)
		return arm_refuse(-EOPNOTSUPP, "%s: its SCSI address %s is "
		    "beyond what a dump driver knows", cfg->device,
		    dev_name(&sdev->sdev_gendev));
	*unit = sdev->id << 16 | ((u32)sdev->lun & 0x3fff);
	return 0;
}

int
unit_find(const struct arm_config *cfg, struct block_device *bdev,
    const struct bus_linux *bus, u32 *unit)
{
	struct device *dev = disk_to_dev(bdev->bd_disk)->parent;

	*unit = 0;
	if (bus->pdev && bus->pdev->class == PCI_CLASS_STORAGE_EXPRESS)
		return unit_nvme(cfg, bdev, unit);
	/* By name, so that the module does not need the SCSI modules. */
	if (dev && dev->type && strcmp(dev->type->name, "scsi_device") == 0)
		return unit_scsi(cfg, to_scsi_device(dev), unit);
	return 0;
}
