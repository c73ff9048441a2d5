// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * arm.c: arming and disarming.  Everything a dump will need is found, checked
 * and reserved here, while the machine is well; after the panic there is
 * nothing left to ask for.  The controller stays the stock driver's.
 */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nvme_ioctl.h>
#include <linux/pm_runtime.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include <md.h>
#include <os/kcompat.h>
#include <os/os.h>

#define SLOTS		6u
#define SLOT_LEN	(256u << 10)
#define BIND_WAIT_MS	2000u	/* for a driver that binds or unbinds */

DEFINE_MUTEX(arm_lock);
struct armed *armed;
struct arm_config *arm_config;
bool arm_suspended;
bool arm_asleep;

static char reason[256];

int
arm_refuse(int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	pr_warn("swapcore: not armed: %s\n", reason);
	return error;
}

const char *
arm_reason(void)
{
	return reason;
}

void
arm_reason_clear(void)
{
	reason[0] = '\0';
}

void
arm_config_free(struct arm_config *cfg)
{
	if (cfg) {
		kvfree(cfg->extents);
		kvfree(cfg->crash_notes);
		kfree(cfg);
	}
}

/* ---- The disk ---- */

/*
 * The PCI function that a disk hangs from; NULL.  *via: the device on another
 * bus between the two, if there is one.
 */
static struct pci_dev *
disk_pci(struct gendisk *disk, struct device **via)
{
	struct device *dev;

	*via = NULL;
	for (dev = disk_to_dev(disk)->parent; dev; dev = dev->parent) {
		if (dev_is_pci(dev))
			return to_pci_dev(dev);
		if (!*via && dev->bus)
			*via = dev;
	}
	return NULL;
}

/* The first page of the window, past every cache. */
static int
read_page0(struct block_device *bdev, u64 sector, void *page)
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

/*
 * Keeps the function's driver where it is until we are armed: from then on its
 * unbinding disarms.  That event comes with the lock held and waits for
 * arm_lock, so we must not wait for the lock without a limit.
 */
static int
arm_function(struct armed *a, const struct arm_config *cfg,
    struct pci_dev *pdev)
{
	unsigned int ms;

	bus_pci_init(&a->bus, pci_dev_get(pdev));
	pm_runtime_get_sync(&pdev->dev);
	a->no_d3cold = pdev->no_d3cold;
	pci_d3cold_disable(pdev);
	a->dd.bus = &a->bus.bus;
	for (ms = 0; ms < BIND_WAIT_MS && !a->dev_locked; ms += 10) {
		a->dev_locked = device_trylock(&pdev->dev) != 0;
		if (!a->dev_locked)
			msleep(10);
	}
	if (!a->dev_locked || !pdev->dev.driver)
		return arm_refuse(-EBUSY, "%s: a driver is being bound to its "
		    "controller %s or unbound; try again", cfg->device,
		    pci_name(pdev));
	return 0;
}

static void
function_unlock(struct armed *a)
{
	if (a->dev_locked)
		device_unlock(&a->bus.pdev->dev);
	a->dev_locked = false;
}

static int
arm_disk(struct armed *a, const struct arm_config *cfg,
    struct block_device *bdev)
{
	u32 per = bdev_logical_block_size(bdev) >> SECTOR_SHIFT;
	struct dumpdev *dd = &a->dd;
	struct device *via;
	struct pci_dev *pdev = disk_pci(bdev->bd_disk, &via);
	int nsid, error;

	if (bdev_is_zoned(bdev))
		return arm_refuse(-EOPNOTSUPP, "%s is on a zoned disk, which "
		    "takes writes only in order; choose another disk",
		    cfg->device);
	if (bdev_get_integrity(bdev))
		return arm_refuse(-EOPNOTSUPP, "%s: its disk is formatted with "
		    "metadata or protection information; format it without",
		    cfg->device);
	if (!pdev)
		return arm_refuse(-EOPNOTSUPP, "%s is on no PCI controller "
		    "that this module could drive; choose a disk on NVMe or "
		    "virtio-blk", cfg->device);
	if (pci_domain_nr(pdev->bus) != 0)
		return arm_refuse(-EOPNOTSUPP, "%s: its controller %s is not "
		    "in PCI segment 0; choose a disk on another controller",
		    cfg->device, pci_name(pdev));
	error = arm_function(a, cfg, pdev);
	if (error != 0)
		return error;
	dd->blksize = bdev_logical_block_size(bdev);
	dd->nblks = get_capacity(bdev->bd_disk) / per;
	dd->nslots = SLOTS;
	dd->slot_len = SLOT_LEN;
	dd->max_xfer = queue_max_hw_sectors(bdev_get_queue(bdev)) <<
	    SECTOR_SHIFT;
	if (via) {
		a->watch = events_watch(via);
		if (IS_ERR(a->watch)) {
			error = (int)PTR_ERR(a->watch);
			a->watch = NULL;
			return error == -ENOMEM ? error : arm_refuse(error,
			    "%s: its device %s has no driver", cfg->device,
			    dev_name(via));
		}
	}
	if (pdev->class == PCI_CLASS_STORAGE_EXPRESS &&
	    bdev->bd_disk->fops->ioctl) {
		nsid = bdev->bd_disk->fops->ioctl(bdev, KCOMPAT_OPEN_READ,
		    NVME_IOCTL_ID, 0);
		if (nsid <= 0)
			return arm_refuse(-EOPNOTSUPP, "%s: its NVMe namespace "
			    "id can't be had (error %d)", cfg->device, nsid);
		dd->unit = (u32)nsid;
	}
	return 0;
}

/* A dump partition has no other user: nobody mounts it while it is armed. */
static int
arm_hold(struct armed *a, const struct arm_config *cfg)
{
	kcompat_bdev *held;

	if (!cfg->hold)
		return 0;
	held = kcompat_bdev_open(cfg->hold, a);
	if (IS_ERR(held))
		return arm_refuse((int)PTR_ERR(held), "%s is in use by "
		    "something else (error %ld); a dump partition must be "
		    "free", cfg->device, -PTR_ERR(held));
	a->held_bdev = held;
	return 0;
}

/* Extents from sectors to the device's blocks; then the window. */
static int
arm_window(struct armed *a, const struct arm_config *cfg)
{
	u32 per = a->dd.blksize >> SECTOR_SHIFT;
	unsigned int i;
	int error;

	a->blocks = kvmalloc_array(cfg->nextents, sizeof(*a->blocks),
	    GFP_KERNEL);
	if (!a->blocks)
		return -ENOMEM;
	for (i = 0; i < cfg->nextents; i++) {
		if (cfg->extents[i].blk % per != 0 ||
		    (cfg->extents[i].nblks % per != 0 &&
		    i + 1 < cfg->nextents))
			return arm_refuse(-EINVAL, "%s: extent %u does not "
			    "begin and end on a block of %u bytes",
			    cfg->device, i, a->dd.blksize);
		a->blocks[i].blk = cfg->extents[i].blk / per;
		a->blocks[i].nblks = cfg->extents[i].nblks / per;
	}
	error = dump_window_init(&a->dump.w, a->blocks, cfg->nextents,
	    a->dd.blksize, a->dd.nblks);
	if (error == -ENOSPC)
		return arm_refuse(error, "%s is smaller than %u MiB; choose a "
		    "larger device", cfg->device, KCORE_WINDOW_MIN >> 20);
	if (error != 0)
		return arm_refuse(error, "%s: its extents are empty, overlap, "
		    "or lie outside the disk", cfg->device);
	return 0;
}

static int
arm_driver(struct armed *a, const struct arm_config *cfg)
{
	int error;

	error = dumpdev_match(&a->dd);
	if (error == -ENODEV)
		return arm_refuse(error, "%s: there is no dump driver for its "
		    "controller %s [%04x:%04x]; choose a disk on NVMe or "
		    "virtio-blk", cfg->device, pci_name(a->bus.pdev),
		    a->bus.pdev->vendor, a->bus.pdev->device);
	if (error == 0) {
		a->dd.softc = kzalloc(a->dd.ops->softc_size, GFP_KERNEL);
		if (!a->dd.softc)
			return -ENOMEM;
		error = dumpdev_attach(&a->dd);
	}
	if (error != 0) {
		kfree(a->dd.softc);
		a->dd.softc = NULL;	/* not attached: see armed_free() */
		return arm_refuse(error, "%s: controller %s: %s", cfg->device,
		    pci_name(a->bus.pdev), a->dd.reason[0] ? a->dd.reason :
		    "it can't be used");
	}
	return 0;
}

/* ---- Memory and header ---- */

static int
arm_memory(struct armed *a)
{
	struct dump *d = &a->dump;
	int error;

	error = ram_find(&d->map);
	if (error != 0)
		return error == -ENOMEM ? error : arm_refuse(error,
		    "the kernel names no RAM (error %d)", -error);
	d->map.bits = kvzalloc(dump_map_bytes(d->map.npages), GFP_KERNEL);
	d->early_buf = alloc_pages_exact(DUMP_EARLY_BUF, GFP_KERNEL);
	d->notes_len = regs_notes_max();
	d->notes = alloc_pages_exact(d->notes_len, GFP_KERNEL);
	a->stack = alloc_pages_exact(ARM_STACK_SIZE, GFP_KERNEL);
	a->vars = (struct arm_vars *)get_zeroed_page(GFP_KERNEL);
	if (!d->map.bits || !d->early_buf || !d->notes || !a->stack || !a->vars)
		return -ENOMEM;
	BUILD_BUG_ON(sizeof(*a->vars) > PAGE_SIZE);
	d->vars_paddr = virt_to_phys(a->vars);
	return 0;
}

static void
name_add(cpu_kcore_hdr_t *h, unsigned int *n, const char *name,
    const void *addr)
{
	strscpy(h->names[*n].name, name, sizeof(h->names[*n].name));
	h->names[(*n)++].addr = (u64)(unsigned long)addr;
}

static int
arm_header(struct armed *a, const struct arm_config *cfg)
{
	cpu_kcore_hdr_t *h = &a->dump.hdr;
	struct arm_vars *v = a->vars;
	unsigned int n = 0;
	char *note;
	int error;

	note = vmcoreinfo_text(&h->vmcoreinfo_paddr, &h->vmcoreinfo_size);
	if (!note)
		return arm_refuse(-EOPNOTSUPP, "the kernel offers no "
		    "VMCOREINFO note; it needs CONFIG_CRASH_CORE");
	error = md_header(h, note);
	(void)vmcoreinfo_bytes(note, "BUILD-ID=", h->build_id,
	    sizeof(h->build_id));
	kfree(note);
	if (error != 0)
		return arm_refuse(error, "the kernel's VMCOREINFO lacks the "
		    "page-table root or the KASLR offset");
	h->ncpus = num_online_cpus();
	h->panic_cpu = KCORE_NOCPU;
	h->dumpmag_paddr = virt_to_phys(&v->dumpmag);
	memcpy(h->arm_id, cfg->arm_id, KCORE_IDLEN);
	memcpy(h->boot_id, cfg->boot_id, KCORE_IDLEN);
	get_random_bytes(h->dump_id, KCORE_IDLEN);
	strscpy(h->release, init_utsname()->release, sizeof(h->release));
	strscpy(h->osversion, init_utsname()->version, sizeof(h->osversion));
	strscpy(h->nodename, init_utsname()->nodename, sizeof(h->nodename));

	v->dumpdev = new_encode_dev(cfg->disk);
	v->panicstr = (u64)(unsigned long)v->panicbuf;
	snprintf(v->version, sizeof(v->version), "Linux version %s %s",
	    init_utsname()->release, init_utsname()->version);
	name_add(h, &n, "dumpmag", &v->dumpmag);
	name_add(h, &n, "dumpsize", &v->dumpsize);
	name_add(h, &n, "dumplo", &v->dumplo);
	name_add(h, &n, "dumpdev", &v->dumpdev);
	name_add(h, &n, "panicstr", &v->panicstr);
	name_add(h, &n, "version", v->version);
	return 0;
}

/* Called by the dump core when places and sizes are known. */
static void
vars_planned(struct dump *d)
{
	struct armed *a = container_of(d, struct armed, dump);

	a->vars->dumpmag = KCORE_DUMPMAG;
	a->vars->dumpsize = (u32)(d->l.data_size / PAGE_SIZE);
	a->vars->dumplo = d->l.dumplo >> SECTOR_SHIFT;
	strscpy(a->vars->panicbuf, d->hdr.panicstr, sizeof(a->vars->panicbuf));
}

/* ---- All of it ---- */

struct own_sum {
	u64 bytes;
};

static void
sum_own(void *arg, u64 start, u64 end, const char *what)
{
	((struct own_sum *)arg)->bytes += end - start;
}

static void
armed_free(struct armed *a)
{
	struct dump *d = &a->dump;

	if (a->dd.softc) {
		dumpdev_detach(&a->dd);
		kfree(a->dd.softc);
	}
	events_unwatch(a->watch);
	if (a->held_bdev)
		kcompat_bdev_close(a->held_bdev, true);
	if (a->dd.bus) {
		if (!a->no_d3cold)
			pci_d3cold_enable(a->bus.pdev);
		pm_runtime_put(&a->bus.pdev->dev);
		pci_dev_put(a->bus.pdev);
	}
	ram_free(&d->map);
	kvfree(d->map.bits);
	if (d->early_buf)
		free_pages_exact(d->early_buf, DUMP_EARLY_BUF);
	if (d->notes)
		free_pages_exact(d->notes, d->notes_len);
	if (a->stack)
		free_pages_exact(a->stack, ARM_STACK_SIZE);
	free_page((unsigned long)a->vars);
	free_page((unsigned long)d->page0);
	kvfree(a->blocks);
	free_pages_exact(a, sizeof(*a));
}

static int
arm_all(struct armed *a, const struct arm_config *cfg,
    struct block_device *bdev)
{
	struct dump *d = &a->dump;
	int error;

	if (bdev_is_partition(bdev))
		return arm_refuse(-EINVAL, "%s: %u:%u is a partition; the "
		    "whole disk is wanted", cfg->device, MAJOR(cfg->disk),
		    MINOR(cfg->disk));
	if (bdev_read_only(bdev))
		return arm_refuse(-EROFS, "%s is read-only", cfg->device);
	error = arm_disk(a, cfg, bdev);
	if (error == 0)
		error = arm_window(a, cfg);
	if (error == 0)
		error = arm_hold(a, cfg);
	if (error != 0)
		return error;
	d->page0 = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!d->page0)
		return -ENOMEM;
	error = read_page0(bdev, cfg->extents[0].blk, d->page0);
	if (error != 0)
		return arm_refuse(error, "%s: its first page can't be read "
		    "(error %d)", cfg->device, error);
	error = check_page0(cfg, d->page0);
	if (error == 0)
		error = arm_driver(a, cfg);
	if (error == 0)
		error = arm_memory(a);
	if (error == 0)
		error = arm_header(a, cfg);
	if (error != 0)
		return error;
	d->dd = &a->dd;
	d->level = cfg->level;
	d->planned = vars_planned;
	a->estimate = d->map.npages * PAGE_SIZE +
	    dump_cksum_size(d->map.npages * PAGE_SIZE) +
	    dump_hdr_size(d->map.nram + 1024, 1024, d->notes_len) +
	    KCORE_END_AREA + KCORE_ALIGN;
	return 0;
}

int
arm(struct arm_config *cfg)
{
	struct own_sum sum = { 0 };
	kcompat_bdev *open;
	struct armed *a;
	int error;

	arm_reason_clear();
	if (arm_asleep)
		return arm_refuse(-EBUSY, "the machine is suspending; try "
		    "again when it is back");
	if (security_locked_down(LOCKDOWN_KCORE))
		return arm_refuse(-EPERM, "the kernel is locked down to keep "
		    "its memory confidential; a dump would break that");
	if (md_clock_init() != 0)
		return arm_refuse(-EOPNOTSUPP, "this machine has no usable "
		    "time stamp counter");
	a = alloc_pages_exact(sizeof(*a), GFP_KERNEL | __GFP_ZERO);
	if (!a)
		return arm_refuse(-ENOMEM, "no memory");
	open = kcompat_bdev_open(cfg->disk, NULL);
	if (IS_ERR(open)) {
		free_pages_exact(a, sizeof(*a));
		return arm_refuse((int)PTR_ERR(open), "%s: block device %u:%u "
		    "can't be opened (error %ld)", cfg->device,
		    MAJOR(cfg->disk), MINOR(cfg->disk), -PTR_ERR(open));
	}
	error = arm_all(a, cfg, kcompat_bdev_of(open));
	kcompat_bdev_close(open, false);
	if (error == -ENOMEM && !reason[0])
		(void)arm_refuse(error, "no memory");
	a->cfg = cfg;
	if (error == 0)
		error = hook_init(a);
	if (error != 0) {
		function_unlock(a);
		armed_free(a);
		return error;
	}
	arm_own(a, sum_own, &sum);
	a->held = sum.bytes;
	armed = a;
	function_unlock(a);
	arm_suspended = false;
	if (arm_config != cfg)
		arm_config_free(arm_config);
	arm_config = cfg;
	pr_info("swapcore: armed on %s (%s, %s), %llu MiB window, %llu KiB of "
	    "memory held\n", cfg->device, a->dd.ops->name,
	    pci_name(a->bus.pdev), a->dump.w.size >> 20, a->held >> 10);
	return 0;
}

void
disarm(const char *why)
{
	if (!armed)
		return;
	hook_fini();
	armed_free(armed);
	armed = NULL;
	if (why) {
		strscpy(reason, why, sizeof(reason));
		pr_warn("swapcore: disarmed: %s\n", why);
	} else {
		pr_info("swapcore: disarmed\n");
	}
}

void
arm_suspend(const char *why)
{
	if (!armed)
		return;
	disarm(why);
	arm_suspended = true;
}

void
arm_resume(void)
{
	if (!arm_suspended || armed)
		return;
	arm_suspended = false;
	(void)arm(arm_config);
}

/* ---- What a dump changes while it runs ---- */

static void
own_range(void (*fn)(void *, u64, u64, const char *), void *arg,
    const void *va, size_t len, const char *what)
{
	u64 start = 0, end = 0, pa;
	size_t i;

	if (!va)
		return;
	for (i = 0; i < len; i += PAGE_SIZE) {
		const char *p = (const char *)va + i;

		/* Not in the direct map: vmalloc, or a module's own. */
		pa = is_vmalloc_addr(p) || !virt_addr_valid(p) ?
		    (u64)vmalloc_to_pfn(p) << PAGE_SHIFT : virt_to_phys(
		    (void *)(unsigned long)p);
		pa &= PAGE_MASK;
		if (pa != end) {
			if (end != start)
				fn(arg, start, end, what);
			start = pa;
		}
		end = pa + PAGE_SIZE;
	}
	if (end != start)
		fn(arg, start, end, what);
}

/* The module's own variables. */
static void
own_data(void (*fn)(void *, u64, u64, const char *), void *arg)
{
#ifdef HAVE_MODULE_MEMORY
	const struct module_memory *m = &THIS_MODULE->mem[MOD_DATA];

	own_range(fn, arg, m->base, m->size, "data");
#else
	const struct module_layout *m = &THIS_MODULE->core_layout;

	own_range(fn, arg, (char *)m->base + m->ro_after_init_size,
	    m->size - m->ro_after_init_size, "data");
#endif
}

void
arm_own(const struct armed *a,
    void (*fn)(void *arg, u64 start, u64 end, const char *what), void *arg)
{
	const struct dump *d = &a->dump;
	unsigned int i;

	own_data(fn, arg);
	own_range(fn, arg, a, sizeof(*a), "state");
	own_range(fn, arg, a->stack, ARM_STACK_SIZE, "stack");
	own_range(fn, arg, d->map.bits, dump_map_bytes(d->map.npages), "map");
	own_range(fn, arg, d->early_buf, DUMP_EARLY_BUF, "early");
	own_range(fn, arg, d->notes, d->notes_len, "notes");
	own_range(fn, arg, a->dd.softc, a->dd.ops->softc_size, "driver");
	own_range(fn, arg, a->vars, PAGE_SIZE, "vars");
	for (i = 0; i < BUS_DMA_MAX; i++)
		own_range(fn, arg, a->bus.dma[i].va, a->bus.dma[i].len, "dma");
}
