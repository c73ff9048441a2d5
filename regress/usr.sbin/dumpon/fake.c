/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.c: a tree of files that stands for /sys, /proc, /dev and /var.
 *
 * Regular files of 1 MiB and more in its /dev are block devices: fstat(2) says
 * so.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "fakefile.h"
#include "kernfile.h"

#define FAKE_SIZE	(64 << 20)

static char fake_root[64];
static dev_t fake_rdev;
static int fake_saved[2] = { -1, -1 };
static FILE *fake_heard;
static bool fake_is_busy;

int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

static void
fake_stat(struct stat *st)
{
	if (S_ISREG(st->st_mode) && st->st_size >= 1 << 20 &&
	    !fakefile_stat(st)) {
		st->st_mode = S_IFBLK | 0600;
		st->st_rdev = fake_rdev;
	}
}

int
__wrap_fstat64(int fd, struct stat *st)
{
	int r = __real_fstat64(fd, st);

	if (r == 0)
		fake_stat(st);
	return r;
}

int
__wrap_fstat(int fd, struct stat *st)
{
	int r = __real_fstat(fd, st);

	if (r == 0)
		fake_stat(st);
	return r;
}

/* Nothing under test creates a file with open(2) itself. */
int
__wrap_open64(const char *path, int flags, ...)
{
	if (fake_is_busy && (flags & O_EXCL) != 0) {
		errno = EBUSY;
		return -1;
	}
	return __real_open64(path, flags);
}

void
fake_busy(bool busy)
{
	fake_is_busy = busy;
}

const char *
kernfile_root(void)
{
	return fake_root;
}

const char *
fake_path(const char *path)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s%s", fake_root, path);
	return buf;
}

static void
fake_parents(const char *path)
{
	char buf[PATH_MAX], *p;

	snprintf(buf, sizeof(buf), "%s", fake_path(path));
	for (p = buf + strlen(fake_root) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(buf, 0755);
		*p = '/';
	}
}

void
fake_file(const char *path, const char *text)
{
	FILE *fp;

	fake_parents(path);
	fp = fopen(fake_path(path), "w");
	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fclose(fp), 0);
}

void
fake_link(const char *path, const char *target)
{
	fake_parents(path);
	assert_int_equal(symlink(target, fake_path(path)), 0);
}

void
fake_remove(const char *path)
{
	assert_int_equal(remove(fake_path(path)), 0);
}

const char *
fake_text(const char *path)
{
	static char buf[65536];
	FILE *fp;
	size_t n;

	fp = fopen(fake_path(path), "r");
	if (fp == NULL)
		return "";
	n = fread(buf, 1, sizeof(buf) - 1, fp);
	fclose(fp);
	buf[n] = '\0';
	return buf;
}

static void
fake_device(const char *path, const char *signature)
{
	int fd;

	fake_file(path, "");
	fd = open(fake_path(path), O_WRONLY | O_CLOEXEC);
	assert_true(fd != -1);
	assert_int_equal(ftruncate(fd, FAKE_SIZE), 0);
	assert_int_equal(pwrite(fd, signature, strlen(signature), 4086),
	    strlen(signature));
	close(fd);
}

void
fake_partition_signature(const char *signature)
{
	fake_rdev = makedev(259, 2);
	fake_device("/dev/nvme0n1p2", signature);
}

void
fake_partition(const char *signature)
{
	fake_partition_signature(signature);
	fake_link("/sys/dev/block/259:2",
	    "../../devices/nvme0n1/nvme0n1p2");
	fake_file("/sys/devices/nvme0n1/dev", "259:0\n");
	fake_file("/sys/devices/nvme0n1/nvme0n1p2/dev", "259:2\n");
	fake_file("/sys/devices/nvme0n1/nvme0n1p2/partition", "2\n");
	fake_file("/sys/devices/nvme0n1/nvme0n1p2/start", "2048\n");
	fake_file("/sys/devices/nvme0n1/nvme0n1p2/size", "131077\n");
	fake_file("/sys/devices/nvme0n1/nvme0n1p2/ro", "0\n");
}

void
fake_disk(const char *signature)
{
	fake_rdev = makedev(254, 0);
	fake_device("/dev/vda", signature);
	fake_link("/sys/dev/block/254:0", "../../devices/vda");
	fake_file("/sys/devices/vda/dev", "254:0\n");
	fake_file("/sys/devices/vda/size", "131072\n");
	fake_file("/sys/devices/vda/ro", "0\n");
}

void
fake_volume(const char *signature)
{
	fake_rdev = makedev(253, 0);
	fake_device("/dev/dm-0", signature);
	fake_link("/sys/dev/block/253:0", "../../devices/virtual/dm-0");
	fake_link("/sys/dev/block/259:0", "../../devices/nvme0n1");
	fake_file("/sys/devices/virtual/dm-0/dm/name", "vg-swap\n");
	fake_file("/sys/devices/virtual/dm-0/size", "131072\n");
	fake_file("/sys/devices/virtual/dm-0/ro", "0\n");
}

void
fake_create(void)
{
	strcpy(fake_root, "/tmp/dumpon_test.XXXXXX");
	assert_non_null(mkdtemp(fake_root));
	fakefile_forget();
	fake_file("/sys/kernel/swapcore/state", "disarmed\n");
	fake_file("/sys/kernel/swapcore/device", "\n");
	fake_file("/sys/kernel/swapcore/driver", "nvme\n");
	fake_file("/sys/kernel/swapcore/window", "67108864\n");
	fake_file("/sys/kernel/swapcore/estimate", "33554432\n");
	fake_file("/sys/kernel/swapcore/held", "1048576\n");
	fake_file("/sys/kernel/swapcore/level", "0\n");
	fake_file("/sys/kernel/swapcore/armed_level", "0\n");
	fake_file("/sys/kernel/swapcore/reason", "\n");
	fake_file("/sys/kernel/swapcore/moved", "");
	fake_file("/sys/kernel/swapcore/disarm", "");
	fake_file("/sys/kernel/kexec_crash_loaded", "0\n");
	fake_file("/sys/module/kernel/parameters/crash_kexec_post_notifiers",
	    "N\n");
	fake_file("/sys/block/.keep", "");
	fake_file("/proc/self/mountinfo",
	    "22 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
	fake_file("/proc/sys/kernel/random/boot_id",
	    "01234567-89ab-cdef-0123-456789abcdef\n");
	fake_file("/proc/sys/kernel/panic", "10\n");
	fake_file("/proc/sys/kernel/panic_on_oops", "1\n");
	fake_file("/dev/swapcore", "");
}

static int
fake_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
fake_destroy(void)
{
	nftw(fake_root, fake_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

int
fake_setup(void **state)
{
	(void)state;
	fake_create();
	return 0;
}

int
fake_teardown(void **state)
{
	(void)state;
	fake_destroy();
	return 0;
}

void
fake_listen(void)
{
	int i;

	fflush(stdout);
	fflush(stderr);
	fake_heard = tmpfile();
	assert_non_null(fake_heard);
	for (i = 0; i < 2; i++) {
		fake_saved[i] = dup(i + 1);
		dup2(fileno(fake_heard), i + 1);
	}
}

const char *
fake_said(void)
{
	static char buf[16384];
	size_t n;
	int i;

	fflush(stdout);
	fflush(stderr);
	for (i = 0; i < 2; i++) {
		dup2(fake_saved[i], i + 1);
		close(fake_saved[i]);
	}
	rewind(fake_heard);
	n = fread(buf, 1, sizeof(buf) - 1, fake_heard);
	buf[n] = '\0';
	fclose(fake_heard);
	return buf;
}
