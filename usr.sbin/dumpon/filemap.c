/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filemap.c: the extents of a file, by FIEMAP.
 *
 * The kernel will write to these blocks behind the file system's back.  So it must
 * be one that leaves the blocks of a swap file where they are and as they are,
 * and that is on one block device: ext4 and xfs.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <errno.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "filemap.h"
#include "kernfile.h"

#define FILEMAP_BATCH	256u
#define FILEMAP_ELSEWHERE	"put it on ext4 or xfs, or name a partition"

/* Others that are met in practice; ext2 and ext3 have ext4's number. */
static const struct {
	uint64_t magic;
	const char *what;
} elsewhere[] = {
	{ BTRFS_SUPER_MAGIC, "btrfs, which has its own addresses for disks" },
	{ OVERLAYFS_SUPER_MAGIC, "an overlay, which has no disk of its own" },
	{ TMPFS_MAGIC, "tmpfs, which is memory" },
	{ RAMFS_MAGIC, "ramfs, which is memory" },
	{ 0x2fc12fc1, "zfs, which has its own addresses for disks" },
	{ 0xf2f52010, "f2fs, which moves what is on it" },
	{ 0xca451a4e, "bcachefs, which moves what is on it" },
	{ NFS_SUPER_MAGIC, "NFS, which is another machine's" },
};

/* What an extent must not be, and what to do about it. */
static const struct {
	uint32_t flag;
	const char *what;
} unfit[] = {
	{ FIEMAP_EXTENT_DATA_INLINE, "is kept among the file system's own "
	    "data: make it larger" },
	{ FIEMAP_EXTENT_DELALLOC, "has parts without blocks: make it anew "
	    "with fallocate(1)" },
	{ FIEMAP_EXTENT_DATA_ENCRYPTED, "is encrypted by its file system: "
	    "choose a directory that is not" },
	{ FIEMAP_EXTENT_ENCODED, "is compressed or encrypted by its file "
	    "system: make it anew without" },
	{ FIEMAP_EXTENT_SHARED, "shares blocks with another file: make it "
	    "anew with fallocate(1), not as a copy" },
	{ FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_DATA_TAIL, "shares a block "
	    "with other files: make it anew with fallocate(1)" },
	{ FIEMAP_EXTENT_UNKNOWN, "has parts whose place is not known: make it "
	    "anew with fallocate(1)" },
};

static int
filemap_refuse(struct filemap *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
filemap_refuse(struct filemap *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	return -1;
}

static int
filemap_check_fs(struct filemap *m, int fd)
{
	struct fsxattr attr;
	struct statfs fs;
	size_t i;

	if (fstatfs(fd, &fs) == -1)
		return filemap_refuse(m, "its file system: %s",
		    strerror(errno));
	if ((uint64_t)fs.f_type == EXT4_SUPER_MAGIC)
		return 0;
	if ((uint64_t)fs.f_type == XFS_SUPER_MAGIC) {
		if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) == -1)
			return filemap_refuse(m, "its attributes: %s",
			    strerror(errno));
		if ((attr.fsx_xflags & FS_XFLAG_REALTIME) != 0)
			return filemap_refuse(m, "is in the realtime section "
			    "of its file system: " FILEMAP_ELSEWHERE);
		return 0;
	}
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (elsewhere[i].magic == ((uint64_t)fs.f_type & 0xffffffff))
			return filemap_refuse(m, "is on %s: "
			    FILEMAP_ELSEWHERE, elsewhere[i].what);
	return filemap_refuse(m, "is on a file system that is neither ext4 nor "
	    "xfs: " FILEMAP_ELSEWHERE);
}

/* Adds a piece, or makes the last one longer. */
static int
filemap_add(struct filemap *m, uint64_t start, uint64_t size)
{
	struct kvm_extent *e;

	e = m->next > 0 ? &m->ext[m->next - 1] : NULL;
	m->size += size;
	if (e != NULL && e->ke_start + e->ke_size == start) {
		e->ke_size += size;
		return 0;
	}
	if (m->next == FILEMAP_MAX)
		return filemap_refuse(m, "is in more than %u pieces: make it "
		    "anew with fallocate(1) on a file system with more room",
		    FILEMAP_MAX);
	if (m->next % FILEMAP_BATCH == 0) {
		e = reallocarray(m->ext, m->next + FILEMAP_BATCH, sizeof(*e));
		if (e == NULL)
			return filemap_refuse(m, "%s", strerror(errno));
		m->ext = e;
	}
	m->ext[m->next].ke_start = start;
	m->ext[m->next++].ke_size = size;
	return 0;
}

/* One extent; what is behind the last whole page of the file is left out. */
static int
filemap_extent(struct filemap *m, const struct fiemap_extent *fe, uint64_t end)
{
	uint64_t size = fe->fe_length;
	size_t i;

	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		if ((fe->fe_flags & unfit[i].flag) != 0)
			return filemap_refuse(m, "%s", unfit[i].what);
	if (fe->fe_logical != m->size)
		return filemap_refuse(m, "has holes: make it anew with "
		    "fallocate(1)");
	if ((fe->fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0)
		m->unwritten = true;
	if (size > end - m->size)
		size = end - m->size;
	return filemap_add(m, fe->fe_physical, size);
}

/* All of it up to end. */
static int
filemap_walk(struct filemap *m, int fd, struct fiemap *fm, uint64_t end)
{
	unsigned int i;

	while (m->size < end) {
		memset(fm, 0, sizeof(*fm));
		fm->fm_start = m->size;
		fm->fm_length = end - m->size;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = FILEMAP_BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, fm) == -1)
			return filemap_refuse(m, "its extents: %s",
			    strerror(errno));
		if (fm->fm_mapped_extents == 0)
			return filemap_refuse(m, "has holes: make it anew "
			    "with fallocate(1)");
		for (i = 0; i < fm->fm_mapped_extents && m->size < end; i++)
			if (filemap_extent(m, &fm->fm_extents[i], end) == -1)
				return -1;
	}
	for (i = 0; i < m->next; i++)
		if (m->ext[i].ke_size % KCORE_ALIGN != 0 ||
		    m->ext[i].ke_start % 512 != 0)
			return filemap_refuse(m, "is not in whole pages of %u "
			    "bytes: put it on a file system with blocks of "
			    "that size", KCORE_ALIGN);
	return 0;
}

int
filemap_read(struct filemap *m, int fd)
{
	struct fiemap *fm;
	struct stat st;
	int r = -1;

	memset(m, 0, sizeof(*m));
	if (filemap_check_fs(m, fd) == -1)
		return -1;
	/* The extents must be on the medium, for those who look after the
	 * reboot. */
	if (fsync(fd) == -1 || fstat(fd, &st) == -1)
		return filemap_refuse(m, "%s", strerror(errno));
	m->major = major(st.st_dev);
	m->minor = minor(st.st_dev);
	fm = malloc(sizeof(*fm) + FILEMAP_BATCH * sizeof(fm->fm_extents[0]));
	if (fm == NULL)
		return filemap_refuse(m, "%s", strerror(errno));
	r = filemap_walk(m, fd, fm,
	    (uint64_t)st.st_size / KCORE_ALIGN * KCORE_ALIGN);
	free(fm);
	if (r == -1)
		filemap_free(m);
	return r;
}

void
filemap_free(struct filemap *m)
{
	free(m->ext);
	m->ext = NULL;
	m->next = 0;
}

int
filemap_node(char node[PATH_MAX], unsigned int major, unsigned int minor)
{
	char link[PATH_MAX], path[PATH_MAX], *base, *p;
	ssize_t n;

	if (kernfile_path(path, sizeof(path), "/sys/dev/block/%u:%u", major,
	    minor) == -1)
		return -1;
	n = readlink(path, link, sizeof(link) - 1);
	if (n == -1)
		return -1;
	link[n] = '\0';
	base = strrchr(link, '/');
	base = base == NULL ? link : base + 1;
	for (p = base; (p = strchr(p, '!')) != NULL;)
		*p = '/';
	return kernfile_path(node, PATH_MAX, "/dev/%s", base);
}
