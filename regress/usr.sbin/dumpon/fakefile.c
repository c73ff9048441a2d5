/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakefile.c: FIEMAP, file systems and device-mapper tables in place of the
 * kernel's.
 */
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmtable.h"
#include "fake.h"
#include "fakefile.h"

static ino_t file_ino;
static dev_t file_dev;
static uint64_t file_magic;
static uint32_t file_xflags;
static const struct fake_extent *file_ext;
static size_t file_next;
static const char *mapping_table;

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_fstatfs64(int fd, struct statfs *fs);

/* A page of no extents more than the caller has room for. */
int
__wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct fiemap *fm = arg;
	unsigned int n = 0;
	size_t i;

	(void)fd;
	if (request == FS_IOC_FSGETXATTR) {
		((struct fsxattr *)arg)->fsx_xflags = file_xflags;
		return 0;
	}
	assert_int_equal(request, FS_IOC_FIEMAP);
	assert_true((fm->fm_flags & FIEMAP_FLAG_SYNC) != 0);
	for (i = 0; i < file_next && n < fm->fm_extent_count; i++) {
		if (file_ext[i].logical + file_ext[i].length <= fm->fm_start)
			continue;
		fm->fm_extents[n].fe_logical = file_ext[i].logical;
		fm->fm_extents[n].fe_physical = file_ext[i].physical;
		fm->fm_extents[n].fe_length = file_ext[i].length;
		fm->fm_extents[n++].fe_flags = file_ext[i].flags;
	}
	fm->fm_mapped_extents = n;
	return 0;
}

int
__wrap_fstatfs64(int fd, struct statfs *fs)
{
	(void)fd;
	memset(fs, 0, sizeof(*fs));
	fs->f_type = (__typeof__(fs->f_type))file_magic;
	return 0;
}

bool
fakefile_stat(struct stat *st)
{
	if (file_ino == 0 || st->st_ino != file_ino)
		return false;
	st->st_dev = file_dev;
	return true;
}

void
fakefile_forget(void)
{
	file_ino = 0;
}

void
fakefile_make(uint64_t size, const char *signature, uint64_t magic,
    unsigned int minor)
{
	struct stat st;
	int fd;

	fake_file(SWAPFILE, "");
	fd = open(fake_path(SWAPFILE), O_WRONLY | O_CLOEXEC);
	assert_true(fd != -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, signature, strlen(signature), 4086),
	    strlen(signature));
	file_ino = 0;
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	file_ino = st.st_ino;
	file_dev = makedev(259, minor);
	file_magic = magic;
	file_xflags = 0;
}

void
fakefile_extents(const struct fake_extent *ext, size_t n)
{
	file_ext = ext;
	file_next = n;
}

void
fakefile_xflags(uint32_t xflags)
{
	file_xflags = xflags;
}

void
fakefile_volume(void)
{
	file_dev = makedev(253, 0);
}

void
fakefile_table(const char *table)
{
	mapping_table = table;
}

void
fakefile_mapping(const char *table, const char *signature)
{
	fake_volume(signature);
	fakefile_table(table);
}

int
dmtable_read(struct dmtable *t, unsigned int maj, unsigned int min)
{
	const char *p = mapping_table;
	struct dmtable_line *l;

	assert_int_equal(maj, 253);
	assert_int_equal(min, 0);
	t->n = 0;
	t->lines = calloc(16, sizeof(*t->lines));
	if (p == NULL) {
		dmtable_free(t);
		errno = ENXIO;
		return -1;
	}
	for (; *p != '\0'; p = strchr(p, '\n') + 1) {
		l = &t->lines[t->n++];
		assert_int_equal(sscanf(p, "%" SCNu64 " %" SCNu64 " %31s "
		    "%255[^\n]", &l->start, &l->count, l->type, l->params), 4);
	}
	return 0;
}

void
dmtable_free(struct dmtable *t)
{
	free(t->lines);
	t->lines = NULL;
}
