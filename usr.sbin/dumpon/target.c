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
#include "filemap.h"
#include "kernfile.h"

#define SECTOR		512u
#define PAGE_SECTORS	(KCORE_ALIGN / SECTOR)
#define SWAP_SIG_LEN	10u
#define TARGET_BATCH	256u	/* extents */
#define SYSBLOCK	"/sys/dev/block/%u:%u"

/* Disks with no controller of their own that could be driven at panic time. */
static const struct {
	const char *prefix;
	const char *what;
} virtual_disks[] = {
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

/* Size and state, from sysfs. */
static int
target_size(struct target *t)
{
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
	return 0;
}

/* Adds sectors of the disk, or makes the last extent longer. */
static int
target_extent_add(struct target *t, uint64_t first, uint64_t count)
{
	struct target_extent *e = &t->ext[t->next];

	if (t->next > 0 && e[-1].first + e[-1].count == first) {
		e[-1].count += count;
		return 0;
	}
	if (t->next == FILEMAP_MAX) {
		warnx("%s: is in more than %u pieces: name one that is less "
		    "fragmented", t->device, FILEMAP_MAX);
		return -1;
	}
	if (t->next % TARGET_BATCH == 0) {
		e = reallocarray(t->ext, t->next + TARGET_BATCH, sizeof(*e));
		if (e == NULL) {
			warn("%s: extents", t->device);
			return -1;
		}
		t->ext = e;
		e += t->next;
	}
	e->first = first;
	e->count = count;
	t->next++;
	return 0;
}

/* Sectors of the device, as extents of the disk. */
static int
target_extents(struct target *t, const struct place *p, uint64_t sector,
    uint64_t left)
{
	uint64_t first, count;

	for (; left > 0; left -= count, sector += count) {
		count = left;
		first = place_map(p, sector, &count);
		if (count == 0) {
			warnx("%s: its mapping %u:%u ends at sector %" PRIu64,
			    t->device, p->mapping[0], p->mapping[1], sector);
			return -1;
		}
		if (target_extent_add(t, first, count) == -1)
			return -1;
	}
	return 0;
}

/* m: the extents of a file on the device; NULL: all of the device. */
static int
target_place(struct target *t, const struct filemap *m)
{
	struct place p;
	size_t i;
	int r = 0;

	if (place_find(&p, t, t->major, t->minor) == -1)
		return -1;
	t->disk_major = p.disk[0];
	t->disk_minor = p.disk[1];
	t->mapping_major = p.mapping[0];
	t->mapping_minor = p.mapping[1];
	if (m == NULL)
		r = target_extents(t, &p, 0, t->count);
	for (i = 0; r == 0 && m != NULL && i < m->next; i++)
		r = target_extents(t, &p, m->ext[i].ke_start / SECTOR,
		    m->ext[i].ke_size / SECTOR);
	place_free(&p);
	for (i = 0; r == 0 && i < t->next; i++) {
		if (t->ext[i].count % PAGE_SECTORS == 0)
			continue;
		warnx("%s: its piece at sector %" PRIu64 " of the disk is not "
		    "whole pages of %u bytes: name a partition", t->device,
		    t->ext[i].first, KCORE_ALIGN);
		r = -1;
	}
	return r;
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
target_check_device(struct target *t, const struct stat *st)
{
	t->major = major(st->st_rdev);
	t->minor = minor(st->st_rdev);
	if (target_name(t) == -1 || target_refuse_virtual(t) == -1 ||
	    target_size(t) == -1 || target_refuse_partitions(t) == -1 ||
	    target_refuse_holders(t) == -1 || target_refuse_mounted(t) == -1 ||
	    target_check_size(t) == -1)
		return -1;
	return target_place(t, NULL);
}

/* A file: its own device is judged, and the file keeps the rest away. */
static int
target_check_file(struct target *t)
{
	struct filemap m;
	char *path;
	int r = -1;

	path = t->device[0] == '/' ? NULL : realpath(t->device, NULL);
	if (path != NULL && strlen(path) < sizeof(t->device))
		strcpy(t->device, path);
	free(path);
	if (filemap_read(&m, t->fd) == -1) {
		warnx("%s: %s", t->device, m.why);
		return -1;
	}
	t->major = m.major;
	t->minor = m.minor;
	t->count = m.size / SECTOR;
	if (target_check_word(t->device) == 0 && target_name(t) == 0 &&
	    target_refuse_virtual(t) == 0 && target_check_size(t) == 0)
		r = target_place(t, &m);
	filemap_free(&m);
	return r;
}

static int
target_check(struct target *t)
{
	struct stat st;

	if (fstat(t->fd, &st) == -1) {
		warn("%s", t->device);
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return target_check_file(t);
	if (S_ISBLK(st.st_mode))
		return target_check_device(t, &st);
	warnx("%s: is neither a block device nor a file: name a swap partition, "
	    "a whole disk that is swap, or a swap file", t->device);
	return -1;
}

int
target_find(struct target *t, const char *device)
{
	struct stat st;

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	if (labelfind_device(t->device, device) == -1 ||
	    target_check_word(t->device) == -1)
		return -1;
	t->fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", t->device);
	if (t->fd == -1) {
		warn("%s", t->device);
		return -1;
	}
	if (target_check(t) == -1) {
		target_free(t);
		return -1;
	}
	/* A device is not kept open, a file is: it is handed over. */
	if (fstat(t->fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(t->fd);
		t->fd = -1;
	}
	return 0;
}

void
target_free(struct target *t)
{
	free(t->ext);
	t->ext = NULL;
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
}
