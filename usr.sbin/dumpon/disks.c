/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disks.c: the disks of this machine, and whether a crashed kernel could write
 * to them.  What sysfs tells is enough for that; but the module has the last
 * word when a disk is armed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dumpon.h"
#include "kernfile.h"

#define DISKS_PCI	"/sys/bus/pci/devices/%s"
#define DISKS_VIRTIO	"/sys/bus/virtio/devices/virtio%u"
#define DISKS_REMEDY	"choose a disk on NVMe, SATA (AHCI), virtio-blk or " \
			"virtio-scsi"
#define DISKS_LEGACY	"legacy virtio; give the virtual machine a modern " \
			"device"
#define DISKS_CONTROLLERS 1024	/* of NVMe, numbered from 0 */

#define CLASS_NVME	0x010802u
#define CLASS_AHCI	0x010601u
#define CLASS_RAID	0x0104u		/* without the interface */
#define VENDOR_INTEL	0x8086u
#define VENDOR_VIRTIO	0x1af4u
#define PCI_CAP_VENDOR	0x09

struct disk {
	const char *name;
	char link[PATH_MAX];	/* where it is among the devices */
	char pci[16];		/* its controller; "": none on PCI */
	char mmio[64];		/* but virtio on the platform bus; "": no */
	unsigned int virtio;	/* the number of its device */
	char driver[64];
	unsigned int class;
	unsigned int vendor;
	unsigned int device;
};

/* What a disk is that no PCI controller is above of, by its place. */
static const struct {
	const char *part;
	const char *what;
} elsewhere[] = {
	{ "/session", "an iSCSI disk" },
	{ "/nvme-fabrics/", "an NVMe disk over fabrics" },
	{ "/VMBUS", "a Hyper-V disk (storvsc)" },
	{ "/vbd-", "a Xen disk" },
	{ "/virtual/block/md", "a software RAID" },
	{ "/virtual/block/", "a disk made of software" },
};

/* PCI controllers that servers have and we have no driver for. */
static const struct {
	const char *driver;
	const char *what;
} undriven[] = {
	{ "aacraid", "Adaptec RAID" },
	{ "hpsa", "HPE Smart Array" },
	{ "megaraid_sas", "MegaRAID" },
	{ "mpi3mr", "Broadcom SAS" },
	{ "mpt3sas", "LSI SAS" },
	{ "smartpqi", "Microchip SmartRAID" },
	{ "vmw_pvscsi", "VMware PVSCSI" },
	{ "xhci_hcd", "USB" },
};

/* Is it dddd:bb:dd.f? */
static bool
disks_is_pci(const char *s, size_t len)
{
	unsigned int domain, bus, slot, function;
	int n = 0;

	return len >= 12 && len < 16 && sscanf(s, "%x:%x:%x.%x%n", &domain,
	    &bus, &slot, &function, &n) == 4 && (size_t)n == len;
}

/* The last PCI function on the way to the disk. */
static void
disks_controller(struct disk *d, const char *link)
{
	const char *p, *end;

	for (p = link; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = p + strcspn(p, "/");
		if (disks_is_pci(p, (size_t)(end - p))) {
			memcpy(d->pci, p, (size_t)(end - p));
			d->pci[end - p] = '\0';
		}
	}
}

static void
disks_readlink(char *buf, size_t len, const char *path)
{
	ssize_t n = readlink(path, buf, len - 1);

	buf[n < 0 ? 0 : n] = '\0';
}

/* An NVMe disk with several paths, nvmeSnN, hangs from its subsystem: the
 * controller of the first path, nvmeScCnN, that is on PCI.  Not each controller
 * of a subsystem has a path to all of its disks. */
static void
disks_path(struct disk *d)
{
	char link[PATH_MAX], path[PATH_MAX];
	unsigned int subsystem, n, c;

	if (sscanf(d->name, "nvme%un%u", &subsystem, &n) != 2)
		return;
	for (c = 0; c < DISKS_CONTROLLERS && d->pci[0] == '\0'; c++) {
		if (kernfile_path(path, sizeof(path),
		    "/sys/block/nvme%uc%un%u", subsystem, c, n) == -1)
			return;
		disks_readlink(link, sizeof(link), path);
		disks_controller(d, link);
	}
}

/* A virtio device that is not on PCI: its parent has the driver virtio-mmio. */
static void
disks_mmio(struct disk *d)
{
	const char *end, *name;

	for (end = d->link; (end = strstr(end, "/virtio")) != NULL; end++) {
		if (sscanf(end, "/virtio%u/", &d->virtio) != 1)
			continue;
		for (name = end; name > d->link && name[-1] != '/'; name--)
			;
		snprintf(d->mmio, sizeof(d->mmio), "%.*s", (int)(end - name),
		    name);
		if (kernfile_exists("/sys/bus/platform/drivers/virtio-mmio/%s",
		    d->mmio))
			return;
	}
	d->mmio[0] = '\0';
}

static unsigned int
disks_hex(const struct disk *d, const char *name)
{
	char text[32];

	if (kernfile_read(text, sizeof(text), DISKS_PCI "/%s", d->pci,
	    name) <= 0)
		return 0;
	return (unsigned int)strtoul(text, NULL, 16);
}

static void
disks_find(struct disk *d, const char *name)
{
	char link[PATH_MAX], path[PATH_MAX];
	const char *base;

	memset(d, 0, sizeof(*d));
	d->name = name;
	if (kernfile_path(path, sizeof(path), "/sys/block/%s", name) == -1)
		return;
	disks_readlink(d->link, sizeof(d->link), path);
	disks_controller(d, d->link);
	if (d->pci[0] == '\0')
		disks_path(d);
	if (d->pci[0] == '\0') {
		disks_mmio(d);
		return;
	}
	d->class = disks_hex(d, "class");
	d->vendor = disks_hex(d, "vendor");
	d->device = disks_hex(d, "device");
	if (kernfile_path(path, sizeof(path), DISKS_PCI "/driver",
	    d->pci) == -1)
		return;
	disks_readlink(link, sizeof(link), path);
	base = strrchr(link, '/');
	snprintf(d->driver, sizeof(d->driver), "%.63s",
	    base == NULL ? link : base + 1);
}

/* Has the function a vendor's capability, as all modern virtio has?  True also
 * where we may not know. */
static bool
disks_virtio_modern(const struct disk *d)
{
	unsigned char cfg[256];
	unsigned int pos, n;
	ssize_t len = -1;
	int fd;

	fd = kernfile_open(O_RDONLY, DISKS_PCI "/config", d->pci);
	if (fd != -1) {
		len = read(fd, cfg, sizeof(cfg));
		close(fd);
	}
	if (len < (ssize_t)sizeof(cfg))
		return true;
	pos = cfg[0x34] & 0xfc;
	for (n = 0; n < 48 && pos >= 0x40; n++) {
		if (cfg[pos] == PCI_CAP_VENDOR)
			return true;
		pos = cfg[pos + 1] & 0xfc;
	}
	return false;
}

/* There is a file with the kind of the device, 2 a disk and 8 a SCSI host, and
 * one with a digit for each feature it has: 32 is VERSION_1. */
static const char *
disks_judge_mmio(const struct disk *d)
{
	char text[128];
	unsigned long kind;

	if (kernfile_read(text, sizeof(text), DISKS_VIRTIO "/device",
	    d->virtio) > 0) {
		kind = strtoul(text, NULL, 16);
		if (kind != 2 && kind != 8)
			return "no dump driver; " DISKS_REMEDY;
	}
	if (kernfile_read(text, sizeof(text), DISKS_VIRTIO "/features",
	    d->virtio) > 32 && text[32] != '1')
		return DISKS_LEGACY;
	return NULL;
}

static const char *
disks_judge_virtio(const struct disk *d)
{
	switch (d->device) {
	case 0x1001:		/* transitional */
	case 0x1004:
		if (!disks_virtio_modern(d))
			return DISKS_LEGACY;
		return NULL;
	case 0x1042:		/* modern: disk, SCSI host */
	case 0x1048:
		return NULL;
	default:
		return "no dump driver; " DISKS_REMEDY;
	}
}

static const char *
disks_judge_ahci(const struct disk *d)
{
	const char *ata = strstr(d->link, "/ata");
	uint64_t hidden;
	unsigned int port;

	if (kernfile_number(&hidden, DISKS_PCI "/remapped_nvme", d->pci) == 0 &&
	    hidden > 0)
		return "NVMe disks are remapped behind its controller (Intel "
		    "RST); set it to AHCI in the firmware";
	/* Links to the disks behind a multiplier have names of their own. */
	if (ata != NULL && sscanf(ata, "/ata%u/", &port) == 1 &&
	    kernfile_exists("/sys/class/ata_link/link%u.0", port))
		return "behind a port multiplier; connect it to a port of the "
		    "controller";
	return NULL;
}

/* Why the controller can't be driven; NULL: it can. */
static const char *
disks_judge_controller(const struct disk *d)
{
	if (d->mmio[0] != '\0')
		return disks_judge_mmio(d);
	if (d->pci[0] == '\0')
		return "no dump driver; " DISKS_REMEDY;
	if (strncmp(d->pci, "0000:", 5) != 0)
		return "its controller is not in PCI segment 0; choose a disk "
		    "on another controller";
	if (kernfile_exists(DISKS_PCI "/physfn", d->pci))
		return "its controller is an SR-IOV virtual function; choose a "
		    "disk on a physical function";
	if (d->vendor == VENDOR_VIRTIO)
		return disks_judge_virtio(d);
	if (d->class == CLASS_NVME)
		return NULL;
	if (d->class == CLASS_AHCI)
		return disks_judge_ahci(d);
	if (d->class >> 8 == CLASS_RAID && d->vendor == VENDOR_INTEL)
		return "its controller is in RAID mode (Intel RST or VROC); "
		    "set it to AHCI in the firmware";
	return "no dump driver; " DISKS_REMEDY;
}

/* Why the disk itself can't be used, whatever its controller. */
static const char *
disks_judge_disk(const struct disk *d)
{
	char text[64];
	uint64_t ro;

	if (kernfile_read(text, sizeof(text), "/sys/block/%s/queue/zoned",
	    d->name) > 0 && strcmp(text, "none") != 0)
		return "zoned, and takes writes only in order; choose another "
		    "disk";
	if (kernfile_read(text, sizeof(text), "/sys/block/%s/integrity/format",
	    d->name) > 0 && strcmp(text, "none") != 0)
		return "formatted with metadata or protection information; "
		    "format it without";
	if (kernfile_number(&ro, "/sys/block/%s/ro", d->name) == 0 && ro != 0)
		return "read-only; make it writable with blockdev --setrw";
	return NULL;
}

static const char *
disks_kind(const struct disk *d)
{
	size_t i;

	if (d->mmio[0] != '\0')
		return "virtio";
	if (d->pci[0] == '\0') {
		for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
			if (strstr(d->link, elsewhere[i].part) != NULL)
				return elsewhere[i].what;
		return "a disk that is not on PCI";
	}
	for (i = 0; i < sizeof(undriven) / sizeof(undriven[0]); i++)
		if (strcmp(d->driver, undriven[i].driver) == 0)
			return undriven[i].what;
	if (d->class == CLASS_NVME)
		return "NVMe";
	if (d->class == CLASS_AHCI)
		return "SATA";
	if (d->vendor == VENDOR_VIRTIO)
		return "virtio";
	return d->driver[0] != '\0' ? d->driver : "no driver";
}

static void
disks_print(const char *name)
{
	const char *why;
	struct disk d;

	disks_find(&d, name);
	printf("%s: %s", name, disks_kind(&d));
	if (d.pci[0] != '\0' || d.mmio[0] != '\0')
		printf(" %s", d.pci[0] != '\0' ? d.pci : d.mmio);
	why = disks_judge_controller(&d);
	if (why == NULL)
		why = disks_judge_disk(&d);
	if (why == NULL)
		printf(": can take dumps\n");
	else
		printf(": can't take dumps: %s\n", why);
}

/* Leaves out what is not a disk: volumes on disks, empty drives, paths to a
 * disk, memory. */
static int
disks_filter(const struct dirent *de)
{
	static const char *const no[] = { ".", "dm-", "fd", "loop", "ram",
	    "sr", "zram" };
	uint64_t hidden, size;
	size_t i;

	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strncmp(de->d_name, no[i], strlen(no[i])) == 0)
			return 0;
	if (kernfile_number(&hidden, "/sys/block/%s/hidden", de->d_name) == 0 &&
	    hidden != 0)
		return 0;
	return kernfile_number(&size, "/sys/block/%s/size", de->d_name) == 0 &&
	    size != 0;
}

void
disks_list(void)
{
	struct dirent **names;
	char path[PATH_MAX];
	int i, n;

	if (kernfile_path(path, sizeof(path), "/sys/block") == -1)
		return;
	n = scandir(path, &names, disks_filter, versionsort);
	for (i = 0; i < n; i++) {
		disks_print(names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}
