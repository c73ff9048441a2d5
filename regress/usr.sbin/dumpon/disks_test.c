/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disks_test.c: which disks dumpon -l -v says can take dumps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dumpon.h"
#include "fake.h"

#define REMEDY	"choose a disk on NVMe, SATA (AHCI), virtio-blk or virtio-scsi"
#define ADDR	"0000:03:00.0"
#define PCI	"../devices/pci0000:00/0000:00:1c.0/" ADDR
#define VF	"../devices/pci0000:00/0000:00:1c.0/0000:03:00.1"
#define FUNC	"/sys/bus/pci/devices/" ADDR

static void
fake_function(const char *addr, const char *driver, const char *class,
    const char *vendor, const char *device)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", addr);
	fake_file(path, class);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", addr);
	fake_file(path, vendor);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", addr);
	fake_file(path, device);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", addr);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	fake_link(path, target);
}

/* A disk where the link says. */
static void
fake_at(const char *name, const char *link)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/block/%s", name);
	fake_link(path, link);
	/* The link leads to a directory of the tree. */
	snprintf(path, sizeof(path), "/sys/%s/size", link + 3);
	fake_file(path, "131072\n");
}

/* A path to a disk with several. */
static void
fake_way(const char *name, const char *link)
{
	char path[128];

	fake_at(name, link);
	snprintf(path, sizeof(path), "/sys/block/%s/hidden", name);
	fake_file(path, "1\n");
}

static void
assert_listed(const char *line)
{
	const char *said;

	fake_listen();
	disks_list();
	said = fake_said();
	if (strcmp(said, line) != 0)
		fail_msg("\"%s\" where \"%s\" was expected", said, line);
}

/* This test checks that every kind of controller is told apart, and what is
 * said to do about those that can't be used. */
static void
disks_list_controllers_judged(void **state)
{
	static const struct {
		const char *name, *link, *driver, *class, *vendor, *device;
		const char *line;
	} table[] = {
		{ "nvme0n1", PCI "/nvme/nvme0/nvme0n1", "nvme", "0x010802\n",
		    "0x144d\n", "0xa808\n",
		    "nvme0n1: NVMe " ADDR ": can take dumps\n" },
		{ "sda", PCI "/ata1/host0/target0:0:0/0:0:0:0/block/sda",
		    "ahci", "0x010601\n", "0x8086\n", "0x2922\n",
		    "sda: SATA " ADDR ": can take dumps\n" },
		{ "vda", PCI "/virtio0/block/vda", "virtio-pci", "0x010000\n",
		    "0x1af4\n", "0x1042\n",
		    "vda: virtio " ADDR ": can take dumps\n" },
		{ "sda", PCI "/virtio1/host2/target2:0:3/2:0:3:5/block/sda",
		    "virtio-pci", "0x010000\n", "0x1af4\n", "0x1048\n",
		    "sda: virtio " ADDR ": can take dumps\n" },
		{ "pmem0", PCI "/virtio1/ndbus0/region0/block/pmem0",
		    "virtio-pci", "0x010000\n", "0x1af4\n", "0x105b\n",
		    "pmem0: virtio " ADDR ": can't take dumps: no dump "
		    "driver; " REMEDY "\n" },
		{ "sdb", PCI "/host0/target0:2:0/0:2:0:0/block/sdb",
		    "megaraid_sas", "0x010400\n", "0x1000\n", "0x005d\n",
		    "sdb: MegaRAID " ADDR ": can't take dumps: no dump driver; "
		    REMEDY "\n" },
		{ "sdb", PCI "/host0/block/sdb", "newraid", "0x010400\n",
		    "0x1000\n", "0x005d\n",
		    "sdb: newraid " ADDR ": can't take dumps: no dump driver; "
		    REMEDY "\n" },
		{ "sdc", PCI "/ata1/host0/block/sdc", "ahci", "0x010400\n",
		    "0x8086\n", "0x2822\n",
		    "sdc: ahci " ADDR ": can't take dumps: its controller is "
		    "in RAID mode (Intel RST or VROC); set it to AHCI in the "
		    "firmware\n" },
		{ "nvme0n1", "../devices/pci10000:e0/10000:e1:00.0/nvme/nvme0/"
		    "nvme0n1", "nvme", "0x010802\n", "0x8086\n", "0x0a54\n",
		    "nvme0n1: NVMe 10000:e1:00.0: can't take dumps: its "
		    "controller is not in PCI segment 0; choose a disk on "
		    "another controller\n" },
		{ "sda", "../devices/platform/host3/session1/target3:0:0/"
		    "3:0:0:1/block/sda", "", "", "", "",
		    "sda: an iSCSI disk: can't take dumps: no dump driver; "
		    REMEDY "\n" },
		{ "xvda", "../devices/vbd-51712/block/xvda", "", "", "", "",
		    "xvda: a Xen disk: can't take dumps: no dump driver; "
		    REMEDY "\n" },
		{ "md127", "../devices/virtual/block/md127", "", "", "", "",
		    "md127: a software RAID: can't take dumps: no dump driver; "
		    REMEDY "\n" },
		{ "dm-0", "../devices/virtual/block/dm-0", "", "", "", "",
		    "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fake_destroy();
		fake_create();
		fake_function(strstr(table[i].link, ADDR) != NULL ? ADDR :
		    "10000:e1:00.0", table[i].driver, table[i].class,
		    table[i].vendor, table[i].device);
		fake_at(table[i].name, table[i].link);
		assert_listed(table[i].line);
	}
}

/* This test checks that what a disk is itself can stand in the way. */
static void
disks_list_disks_judged(void **state)
{
	static const struct {
		const char *file, *text, *why;
	} table[] = {
		{ "queue/zoned", "host-managed\n", "zoned, and takes writes "
		    "only in order; choose another disk" },
		{ "integrity/format", "T10-DIF-TYPE1-CRC\n", "formatted with "
		    "metadata or protection information; format it without" },
		{ "ro", "1\n", "read-only; make it writable with blockdev "
		    "--setrw" },
		{ "queue/zoned", "none\n", NULL },
		{ "integrity/format", "none\n", NULL },
		{ "ro", "0\n", NULL },
	};
	char line[256], path[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fake_destroy();
		fake_create();
		fake_function(ADDR, "nvme", "0x010802\n", "0x144d\n",
		    "0xa808\n");
		fake_at("nvme0n1", PCI "/nvme/nvme0/nvme0n1");
		snprintf(path, sizeof(path), "/sys/block/nvme0n1/%s",
		    table[i].file);
		fake_file(path, table[i].text);
		snprintf(line, sizeof(line), "nvme0n1: NVMe " ADDR ": %s%s\n",
		    table[i].why == NULL ? "can take dumps" :
		    "can't take dumps: ", table[i].why == NULL ? "" :
		    table[i].why);
		assert_listed(line);
	}
}

/* This test checks that SATA disks behind a port multiplier, or at a controller
 * that hides NVMe disks, can't be used. */
static void
disks_list_sata_judged(void **state)
{
	(void)state;
	fake_function(ADDR, "ahci", "0x010601\n", "0x8086\n", "0x2922\n");
	fake_at("sda", PCI "/ata7/host6/target6:0:0/6:0:0:0/block/sda");
	fake_file("/sys/class/ata_link/link7/hw_sata_spd_limit", "");
	fake_file(FUNC "/remapped_nvme", "0\n");
	assert_listed("sda: SATA " ADDR ": can take dumps\n");
	fake_file("/sys/class/ata_link/link7.0/hw_sata_spd_limit", "");
	assert_listed("sda: SATA " ADDR ": can't take dumps: behind a port "
	    "multiplier; connect it to a port of the controller\n");
	fake_file(FUNC "/remapped_nvme", "1\n");
	assert_listed("sda: SATA " ADDR ": can't take dumps: NVMe disks are "
	    "remapped behind its controller (Intel RST); set it to AHCI in "
	    "the firmware\n");
}

/* This test checks that a disk on an SR-IOV virtual function can't be used. */
static void
disks_list_virtual_function_judged(void **state)
{
	(void)state;
	fake_function(ADDR, "nvme", "0x010802\n", "0x1b36\n", "0x0010\n");
	fake_at("nvme1n1", PCI "/nvme/nvme1/nvme1n1");
	assert_listed("nvme1n1: NVMe " ADDR ": can take dumps\n");
	fake_file("/sys/bus/pci/devices/0000:01:00.0/class", "0x010802\n");
	fake_link(FUNC "/physfn", "../0000:01:00.0");
	assert_listed("nvme1n1: NVMe " ADDR ": can't take dumps: its "
	    "controller is an SR-IOV virtual function; choose a disk on a "
	    "physical function\n");
}

/* This test checks that an NVMe disk with several paths is judged by the first
 * that is on PCI, and that paths are not disks of their own. */
static void
disks_list_paths_followed(void **state)
{
	(void)state;
	fake_function(ADDR, "nvme", "0x010802\n", "0x144d\n", "0xa808\n");
	fake_at("nvme0n1",
	    "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	fake_way("nvme0c1n1", PCI "/nvme/nvme1/nvme0c1n1");
	assert_listed("nvme0n1: NVMe " ADDR ": can take dumps\n");
	fake_remove("/sys/block/nvme0c1n1");
	fake_way("nvme0c1n1", "../devices/virtual/nvme-fabrics/ctl/nvme1/"
	    "nvme0c1n1");
	assert_listed("nvme0n1: a disk that is not on PCI: can't take dumps: "
	    "no dump driver; " REMEDY "\n");
}

/* This test checks that an NVMe disk is judged by a controller that has a path
 * to it, not by another one of its subsystem. */
static void
disks_list_other_paths_ignored(void **state)
{
	(void)state;
	fake_function(ADDR, "nvme", "0x010802\n", "0x1b36\n", "0x0010\n");
	fake_function("0000:03:00.1", "nvme", "0x010802\n", "0x1b36\n",
	    "0x0010\n");
	fake_link("/sys/bus/pci/devices/0000:03:00.1/physfn", "../" ADDR);
	fake_link("/sys/class/nvme-subsystem/nvme-subsys0/nvme0",
	    "../../pci0000:00/0000:00:1c.0/" ADDR "/nvme/nvme0");
	fake_link("/sys/class/nvme-subsystem/nvme-subsys0/nvme1",
	    "../../pci0000:00/0000:00:1c.0/0000:03:00.1/nvme/nvme1");
	fake_at("nvme0n1",
	    "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	fake_at("nvme0n2",
	    "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n2");
	fake_way("nvme0c0n1", PCI "/nvme/nvme0/nvme0c0n1");
	fake_way("nvme0c1n1", VF "/nvme/nvme1/nvme0c1n1");
	fake_way("nvme0c1n2", VF "/nvme/nvme1/nvme0c1n2");
	assert_listed("nvme0n1: NVMe " ADDR ": can take dumps\n"
	    "nvme0n2: NVMe 0000:03:00.1: can't take dumps: its controller is "
	    "an SR-IOV virtual function; choose a disk on a physical "
	    "function\n");
}

/* This test checks that several disks are listed in the order of their numbers,
 * and that empty drives and memory are left out. */
static void
disks_list_order_by_number(void **state)
{
	(void)state;
	fake_at("xvdb10", "../devices/vbd-2/block/xvdb10");
	fake_at("xvdb9", "../devices/vbd-1/block/xvdb9");
	fake_at("zram0", "../devices/virtual/block/zram0");
	fake_at("sdz", "../devices/vbd-3/block/sdz");
	fake_file("/sys/block/sdz/size", "0\n");
	assert_listed("xvdb9: a Xen disk: can't take dumps: no dump driver; "
	    REMEDY "\nxvdb10: a Xen disk: can't take dumps: no dump driver; "
	    REMEDY "\n");
}

/* This test checks that virtio without PCI is known by its driver, and judged by
 * its kind and its features. */
static void
disks_list_virtio_mmio_judged(void **state)
{
	static const char legacy[] =
	    "0010101000000000000000000000110000000000\n";
	static const char modern[] =
	    "0010101000000000000000000000110010000000\n";
	static const struct {
		const char *link, *kind, *features, *line;
	} table[] = {
		{ "LNRO0005:1f/virtio0/block/vda", "0x0002\n", modern,
		    "vda: virtio LNRO0005:1f: can take dumps\n" },
		{ "a003e00.virtio_mmio/virtio0/host0/block/vda", "0x0008\n",
		    modern,
		    "vda: virtio a003e00.virtio_mmio: can take dumps\n" },
		{ "virtio-mmio.0/virtio0/block/vda", "0x0002\n", legacy,
		    "vda: virtio virtio-mmio.0: can't take dumps: legacy "
		    "virtio; give the virtual machine a modern device\n" },
		{ "LNRO0005:00/virtio0/ndbus0/block/vda", "0x001b\n", modern,
		    "vda: virtio LNRO0005:00: can't take dumps: no dump "
		    "driver; " REMEDY "\n" },
	};
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fake_destroy();
		fake_create();
		snprintf(path, sizeof(path), "../devices/platform/%s",
		    table[i].link);
		fake_at("vda", path);
		snprintf(path, sizeof(path), "/sys/bus/platform/drivers/"
		    "virtio-mmio/%.*s", (int)strcspn(table[i].link, "/"),
		    table[i].link);
		fake_file(path, "");
		fake_file("/sys/bus/virtio/devices/virtio0/device",
		    table[i].kind);
		fake_file("/sys/bus/virtio/devices/virtio0/features",
		    table[i].features);
		assert_listed(table[i].line);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(disks_list_controllers_judged),
		TEST(disks_list_disks_judged),
		TEST(disks_list_sata_judged),
		TEST(disks_list_virtual_function_judged),
		TEST(disks_list_paths_followed),
		TEST(disks_list_other_paths_ignored),
		TEST(disks_list_order_by_number),
		TEST(disks_list_virtio_mmio_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
