// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * arm_disk.c: the disk's part of arming: its controller and dump driver, the
 * window, and what is on its first page.  All of it is checked by reading; the
 * controller stays the stock driver's.
 */
#include <linux/delay.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include <os/kcompat.h>
#include <os/os.h>

#define BIND_WAIT_MS	2000u	/* for a driver that binds or unbinds */

/* A page of the disk, past every cache. */
static int
read_page(struct block_device *bdev, u64 sector, void *page)
{
	struct bio_vec vec;
	struct bio bio;
	int error;

	kcompat_bio_init(&bio, bdev, &vec, REQ_OP_READ);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, virt_to_page(page), PAGE_SIZE, 0);
	error = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return error;
}

static int
check_page0(const struct arm_config *cfg, const u8 *page)
{
	const char *sig = (const char *)page + PAGE_SIZE - 10;
	u64 magic;

	memcpy(&magic, page, sizeof(magic));
	if (magic == KCORE_LABEL_MAGIC || memcmp(sig, "SWAPSPACE2", 10) == 0)
		return 0;
	if (memcmp(sig, "S1SUSPEND", 9) == 0)
		return arm_refuse(-EBUSY, "%s holds a hibernation image; boot "
		    "it or run mkswap(8)", cfg->device);
	return arm_refuse(-EINVAL, "%s has neither a swap signature nor a dump "
	    "label on its first page; run mkswap(8) on it", cfg->device);
}

static int
arm_page0(struct armed_disk *disk, const struct arm_config *cfg,
    struct block_device *bdev)
{
	u8 *page0 = (u8 *)get_zeroed_page(GFP_KERNEL);
	int error;

	if (!page0)
		return -ENOMEM;
	disk->dev.page0 = page0;
	error = read_page(bdev, cfg->extents[0].blk, page0);
	if (error != 0)
		return arm_refuse(error, "%s: its first page can't be read "
		    "(error %d)", cfg->device, error);
	return check_page0(cfg, page0);
}

/* What is nobody else's stays as it is: the first page of each extent behind
 * the first tells later that the extent is where it was. */
static int
arm_firsts(struct armed_disk *disk, const struct arm_config *cfg,
    struct block_device *bdev)
{
	u64 *sums;
	void *page;
	unsigned int i;
	int error = 0;

	if (!cfg->own || cfg->nextents < 2)
		return 0;
	sums = kvcalloc(cfg->nextents, sizeof(*sums), GFP_KERNEL);
	disk->dev.firsts = sums;
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!sums || !page)
		error = -ENOMEM;
	for (i = 1; error == 0 && i < cfg->nextents; i++) {
		error = read_page(bdev, cfg->extents[i].blk, page);
		if (error != 0)
			(void)arm_refuse(error, "%s: the first page of extent "
			    "%u can't be read (error %d)", cfg->device, i,
			    error);
		else
			sums[i] = md_xxh64(page, PAGE_SIZE);
	}
	free_page((unsigned long)page);
	return error;
}

/*
 * Takes over the reference to the controller, and keeps its driver where it is
 * until we are armed: from then on its unbinding disarms.  That event comes with
 * the lock held and waits for arm_lock, so we must not wait for the lock without
 * a limit.
 */
static int
arm_function(struct armed_disk *disk, const struct arm_config *cfg)
{
	struct device *dev = disk->bus.dev;
	struct pci_dev *pdev = disk->bus.pdev;
	unsigned int ms;

	pm_runtime_get_sync(dev);
	if (pdev) {
		disk->no_d3cold = pdev->no_d3cold;
		pci_d3cold_disable(pdev);
	}
	disk->dd.bus = &disk->bus.bus;
	if (pdev && pci_domain_nr(pdev->bus) != 0)
		return arm_refuse(-EOPNOTSUPP, "%s: its controller %s is not "
		    "in PCI segment 0; choose a disk on another controller",
		    cfg->device, dev_name(dev));
	for (ms = 0; ms < BIND_WAIT_MS && !disk->dev_locked; ms += 10) {
		disk->dev_locked = device_trylock(dev) != 0;
		if (!disk->dev_locked)
			msleep(10);
	}
	if (!disk->dev_locked || !dev->driver)
		return arm_refuse(-EBUSY, "%s: a driver is being bound to its "
		    "controller %s or unbound; try again", cfg->device,
		    dev_name(dev));
	return 0;
}

void
arm_disk_unlock(struct armed_disk *disk)
{
	if (disk->dev_locked)
		device_unlock(disk->bus.dev);
	disk->dev_locked = false;
}

static int
arm_controller(struct armed_disk *disk, const struct arm_config *cfg,
    const struct buffers *buffers, struct block_device *bdev)
{
	u32 per = bdev_logical_block_size(bdev) >> SECTOR_SHIFT;
	struct dumpdev *dd = &disk->dd;
	struct device *dev, *via;
	int error;

	if (bdev_is_zoned(bdev))
		return arm_refuse(-EOPNOTSUPP, "%s is on a zoned disk, which "
		    "takes writes only in order; choose another disk",
		    cfg->device);
	if (bdev_get_integrity(bdev))
		return arm_refuse(-EOPNOTSUPP, "%s: its disk is formatted with "
		    "metadata or protection information; format it without",
		    cfg->device);
	dev = unit_controller(bdev->bd_disk, &via);
	if (!dev)
		return arm_refuse(-EOPNOTSUPP, "%s is on no controller that "
		    "this module could drive; choose a disk on " UNIT_DRIVEN,
		    cfg->device);
	bus_linux_init(&disk->bus, dev, buffers);
	error = arm_function(disk, cfg);
	if (error != 0)
		return error;
	dd->blksize = bdev_logical_block_size(bdev);
	dd->nblks = get_capacity(bdev->bd_disk) / per;
	dd->max_xfer = queue_max_hw_sectors(bdev_get_queue(bdev)) <<
	    SECTOR_SHIFT;
	/* Many requests where each is small; and one page for records. */
	dd->slot_len = BUFFERS_CHUNK;
	if (dd->max_xfer >= PAGE_SIZE && dd->max_xfer < BUFFERS_CHUNK)
		dd->slot_len = dd->max_xfer & PAGE_MASK;
	dd->nslots = min_t(u32, BUFFERS_LEN / dd->slot_len,
	    DUMPDEV_MAXSLOTS - 1) + 1;
	dd->last_len = KCORE_ALIGN;
	if (via) {
		disk->watch = events_watch(via);
		if (IS_ERR(disk->watch)) {
			error = (int)PTR_ERR(disk->watch);
			disk->watch = NULL;
			return error == -ENOMEM ? error : arm_refuse(error,
			    "%s: its device %s has no driver", cfg->device,
			    dev_name(via));
		}
	}
	return unit_find(cfg, bdev, &disk->bus, &dd->unit);
}

/* A dump partition has no other user: nobody mounts it while it is armed. */
static int
arm_hold(struct armed_disk *disk, const struct arm_config *cfg)
{
	kcompat_bdev *held;

	if (!cfg->hold)
		return 0;
	held = kcompat_bdev_open(cfg->hold, disk);
	if (IS_ERR(held))
		return arm_refuse((int)PTR_ERR(held), "%s is in use by "
		    "something else (error %ld); a dump partition must be "
		    "free", cfg->device, -PTR_ERR(held));
	disk->held_bdev = held;
	return 0;
}

/* Extents from sectors to the device's blocks; then the window. */
static int
arm_window(struct armed_disk *disk, const struct arm_config *cfg)
{
	u32 per = disk->dd.blksize >> SECTOR_SHIFT;
	unsigned int i;
	int error;

	disk->blocks = kvmalloc_array(cfg->nextents, sizeof(*disk->blocks),
	    GFP_KERNEL);
	if (!disk->blocks)
		return -ENOMEM;
	for (i = 0; i < cfg->nextents; i++) {
		if (cfg->extents[i].blk % per != 0 ||
		    (cfg->extents[i].nblks % per != 0 &&
		    i + 1 < cfg->nextents))
			return arm_refuse(-EINVAL, "%s: extent %u does not "
			    "begin and end on a block of %u bytes",
			    cfg->device, i, disk->dd.blksize);
		disk->blocks[i].blk = cfg->extents[i].blk / per;
		disk->blocks[i].nblks = cfg->extents[i].nblks / per;
	}
	error = dump_window_init(&disk->dev.w, disk->blocks, cfg->nextents,
	    disk->dd.blksize, disk->dd.nblks);
	if (error == -ENOSPC)
		return arm_refuse(error, "%s is smaller than %u MiB; choose a "
		    "larger device", cfg->device, KCORE_WINDOW_MIN >> 20);
	if (error != 0)
		return arm_refuse(error, "%s: its extents are empty, overlap, "
		    "or lie outside the disk", cfg->device);
	/* The disk may lose what is behind the window. */
	disk->dd.nblks = 0;
	for (i = 0; i < cfg->nextents; i++)
		disk->dd.nblks = max(disk->dd.nblks,
		    disk->blocks[i].blk + disk->blocks[i].nblks);
	return 0;
}

static int
arm_driver(struct armed_disk *disk, const struct arm_config *cfg)
{
	const struct pci_dev *pdev = disk->bus.pdev;
	char ids[16] = "";
	int error;

	if (pdev)
		snprintf(ids, sizeof(ids), " [%04x:%04x]", pdev->vendor,
		    pdev->device);
	error = dumpdev_match(&disk->dd);
	if (error == -ENODEV)
		return arm_refuse(error, "%s: there is no dump driver for its "
		    "controller %s%s; choose a disk on " UNIT_DRIVEN,
		    cfg->device, dev_name(disk->bus.dev), ids);
	if (error == 0) {
		disk->dd.softc = kzalloc(disk->dd.ops->softc_size, GFP_KERNEL);
		if (!disk->dd.softc)
			return -ENOMEM;
		error = dumpdev_attach(&disk->dd);
	}
	if (error != 0) {
		kfree(disk->dd.softc);
		disk->dd.softc = NULL;	/* not attached: see arm_disk_free() */
		return arm_refuse(error, "%s: controller %s: %s", cfg->device,
		    dev_name(disk->bus.dev), disk->dd.reason[0] ?
		    disk->dd.reason : "it can't be used");
	}
	return 0;
}

int
arm_disk(struct armed_disk *disk, const struct buffers *buffers,
    struct block_device *bdev)
{
	const struct arm_config *cfg = disk->cfg;
	int error;

	if (bdev_is_partition(bdev))
		return arm_refuse(-EINVAL, "%s: %u:%u is a partition; the "
		    "whole disk is wanted", cfg->device, MAJOR(cfg->disk),
		    MINOR(cfg->disk));
	if (bdev_read_only(bdev))
		return arm_refuse(-EROFS, "%s is read-only", cfg->device);
	disk->gd = bdev->bd_disk;
	get_device(disk_to_dev(disk->gd));
	disk->sectors = get_capacity(disk->gd);
	error = arm_controller(disk, cfg, buffers, bdev);
	if (error == 0)
		error = arm_window(disk, cfg);
	if (error == 0)
		error = arm_hold(disk, cfg);
	if (error == 0)
		error = arm_page0(disk, cfg, bdev);
	if (error == 0)
		error = arm_firsts(disk, cfg, bdev);
	if (error == 0)
		error = arm_driver(disk, cfg);
	return error;
}

void
arm_disk_free(struct armed_disk *disk)
{
	if (disk->dd.softc) {
		dumpdev_detach(&disk->dd);
		kfree(disk->dd.softc);
	}
	events_unwatch(disk->watch);
	if (disk->held_bdev)
		kcompat_bdev_close(disk->held_bdev, true);
	if (disk->dd.bus) {
		if (disk->bus.pdev && !disk->no_d3cold)
			pci_d3cold_enable(disk->bus.pdev);
		pm_runtime_put(disk->bus.dev);
		put_device(disk->bus.dev);
	}
	if (disk->gd)
		put_device(disk_to_dev(disk->gd));
	free_page((unsigned long)disk->dev.page0);
	kvfree(disk->dev.firsts);
	kvfree(disk->blocks);
}
