/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.c: the device to be armed or labelled: what it is, where it lies, and
 * whether anything but swap lives there.
 *
 * A dump overwrites whatever is on the device.  So it must say of itself that
 * it is swap, or a dump partition, and nothing may be using it otherwise.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "dumpon.h"
#include "kernfile.h"

#define SECTOR		512u
#define PAGE_SECTORS	(KCORE_ALIGN / SECTOR)
#define SWAP_SIG_LEN	10u
#define SYSBLOCK	"/sys/dev/block/%u:%u"

/* Disks with no controller of their own that could be driven at panic time. */
static const struct {
	const char *prefix;
	const char *what;
} virtual_disks[] = {
	{ "dm-", "a device-mapper volume" },
	{ "loop", "a loop device" },
	{ "md", "a software RAID" },
	{ "nbd", "a network block device" },
	{ "ram", "a RAM disk" },
	{ "zram", "compressed memory" },
};

/* The kernel's name is the last part of where /sys/dev/block/M:m points. */
static int
target_name(struct target *t)
{
	char link[PATH_MAX], path[PATH_MAX];
	const char *base;
	ssize_t n;

	if (kernfile_path(path, sizeof(path), SYSBLOCK, t->major,
	    t->minor) == -1)
		return -1;
	n = readlink(path, link, sizeof(link) - 1);
	if (n == -1) {
		warn("%s: %s", t->device, path);
		return -1;
	}
	link[n] = '\0';
	base = strrchr(link, '/');
	base = base == NULL ? link : base + 1;
	if (strlen(base) >= sizeof(t->name)) {
		warnx("%s: the kernel's name for it is too long: %s",
		    t->device, base);
		return -1;
	}
	strcpy(t->name, base);
	return 0;
}

static int
target_refuse_virtual(const struct target *t)
{
	size_t i;

	for (i = 0; i < sizeof(virtual_disks) / sizeof(virtual_disks[0]); i++) {
		if (strncmp(t->name, virtual_disks[i].prefix,
		    strlen(virtual_disks[i].prefix)) != 0)
			continue;
		warnx("%s: is %s, which a crashed kernel can't write to: "
		    "name a swap partition of an NVMe, SATA or virtio disk",
		    t->device, virtual_disks[i].what);
		return -1;
	}
	return 0;
}

/* A whole disk with partitions is not one swap area. */
static int
target_refuse_partitions(const struct target *t)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *dir;
	int r = 0;

	if (kernfile_path(path, sizeof(path), SYSBLOCK, t->major,
	    t->minor) == -1 || (dir = opendir(path)) == NULL) {
		warn("%s: %s", t->device, path);
		return -1;
	}
	while (r == 0 && (de = readdir(dir)) != NULL) {
		if (strncmp(de->d_name, t->name, strlen(t->name)) != 0 ||
		    !kernfile_exists(SYSBLOCK "/%s/partition", t->major,
		    t->minor, de->d_name))
			continue;
		warnx("%s: has partitions: name the one that is swap",
		    t->device);
		r = -1;
	}
	closedir(dir);
	return r;
}

/* Start, size and disk, from sysfs. */
static int
target_place(struct target *t)
{
	char text[32];
	uint64_t ro;

	if (kernfile_number(&t->count, SYSBLOCK "/size", t->major,
	    t->minor) == -1 ||
	    kernfile_number(&ro, SYSBLOCK "/ro", t->major, t->minor) == -1) {
		warn("%s: size and state from /sys/dev/block", t->device);
		return -1;
	}
	t->count -= t->count % PAGE_SECTORS;
	if (ro != 0) {
		warnx("%s: is read-only: make it writable with "
		    "blockdev --setrw", t->device);
		return -1;
	}
	if (!kernfile_exists(SYSBLOCK "/partition", t->major, t->minor)) {
		t->first = 0;
		t->disk_major = t->major;
		t->disk_minor = t->minor;
		return target_refuse_partitions(t);
	}
	if (kernfile_number(&t->first, SYSBLOCK "/start", t->major,
	    t->minor) == -1 ||
	    kernfile_read(text, sizeof(text), SYSBLOCK "/../dev", t->major,
	    t->minor) == -1 ||
	    sscanf(text, "%u:%u", &t->disk_major, &t->disk_minor) != 2) {
		warnx("%s: /sys/dev/block does not say where the partition "
		    "starts, and on which disk", t->device);
		return -1;
	}
	return 0;
}

/* Volumes that are built on top of the device: crypt, LVM, RAID. */
static int
target_refuse_holders(const struct target *t)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *dir;
	int r = 0;

	if (kernfile_path(path, sizeof(path), SYSBLOCK "/holders", t->major,
	    t->minor) == -1)
		return -1;
	dir = opendir(path);
	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL) {
		warn("%s: %s", t->device, path);
		return -1;
	}
	while (r == 0 && (de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		warnx("%s: %s is built on top of it, and a dump would destroy "
		    "what is there: name a partition that is swap itself",
		    t->device, de->d_name);
		r = -1;
	}
	closedir(dir);
	return r;
}

static int
target_refuse_mounted(const struct target *t)
{
	char *line = NULL, path[PATH_MAX];
	unsigned int maj, min;
	size_t cap = 0;
	FILE *fp;
	int r = 0;

	if (kernfile_path(path, sizeof(path), "/proc/self/mountinfo") == -1 ||
	    (fp = fopen(path, "re")) == NULL) {
		warn("/proc/self/mountinfo");
		return -1;
	}
	while (r == 0 && getline(&line, &cap, fp) != -1) {
		if (sscanf(line, "%*d %*d %u:%u", &maj, &min) != 2 ||
		    maj != t->major || min != t->minor)
			continue;
		warnx("%s: a file system on it is mounted: name a swap "
		    "partition", t->device);
		r = -1;
	}
	free(line);
	fclose(fp);
	return r;
}

static int
target_read_page0(const struct target *t, unsigned char *page)
{
	ssize_t n = -1;
	int fd;

	fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", t->device);
	if (fd != -1) {
		n = pread(fd, page, KCORE_ALIGN, 0);
		close(fd);
	}
	if (n == (ssize_t)KCORE_ALIGN)
		return 0;
	if (n == -1)
		warn("%s: page 0", t->device);
	else
		warnx("%s: page 0: end of the device", t->device);
	return -1;
}

int
target_check_page0(struct target *t)
{
	unsigned char page[KCORE_ALIGN];
	const unsigned char *sig = page + sizeof(page) - SWAP_SIG_LEN;

	if (target_read_page0(t, page) == -1)
		return -1;
	t->labelled = label_is(page);
	if (t->labelled && !label_good(page)) {
		warnx("%s: its dump label is damaged: make it anew with "
		    "dumpon -f --label", t->device);
		return -1;
	}
	if (t->labelled || memcmp(sig, "SWAPSPACE2", SWAP_SIG_LEN) == 0)
		return 0;
	if (memcmp(sig, "S1SUSPEND", 9) == 0 ||
	    memcmp(sig, "LINHIB0001", SWAP_SIG_LEN) == 0) {
		warnx("%s: holds a hibernated system: resume it, or make the "
		    "swap space anew with mkswap(8)", t->device);
		return -1;
	}
	warnx("%s: is not swap space, and a dump would destroy what is there: "
	    "mkswap(8) makes swap space of it, dumpon --label a dump partition",
	    t->device);
	return -1;
}

static int
target_check_size(const struct target *t)
{
	if (t->count >= KCORE_WINDOW_MIN / SECTOR)
		return 0;
	warnx("%s: has %" PRIu64 " KiB, and a dump needs at least %u KiB: name "
	    "a larger one", t->device, t->count / 2, KCORE_WINDOW_MIN / 1024);
	return -1;
}

/* The name becomes one word of the module's text. */
static int
target_check_word(const char *device)
{
	const unsigned char *p;

	for (p = (const unsigned char *)device; *p != '\0'; p++) {
		if (*p > ' ' && *p < 0x7f)
			continue;
		warnx("the device's name has a blank or an unprintable "
		    "character in it");
		return -1;
	}
	if (p != (const unsigned char *)device)
		return 0;
	warnx("the device's name is empty");
	return -1;
}

static int
target_check(struct target *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		warn("%s", t->device);
		return -1;
	}
	if (!S_ISBLK(st.st_mode)) {
		warnx("%s: is not a block device: name a swap partition or a "
		    "whole disk that is swap", t->device);
		return -1;
	}
	t->major = major(st.st_rdev);
	t->minor = minor(st.st_rdev);
	if (target_name(t) == -1 || target_refuse_virtual(t) == -1 ||
	    target_place(t) == -1 || target_refuse_holders(t) == -1 ||
	    target_refuse_mounted(t) == -1)
		return -1;
	return target_check_size(t);
}

int
target_find(struct target *t, const char *device)
{
	int fd, r;

	memset(t, 0, sizeof(*t));
	if (labelfind_device(t->device, device) == -1 ||
	    target_check_word(t->device) == -1)
		return -1;
	fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", t->device);
	if (fd == -1) {
		warn("%s", t->device);
		return -1;
	}
	r = target_check(t, fd);
	close(fd);
	return r;
}
