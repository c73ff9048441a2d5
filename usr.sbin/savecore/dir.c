/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir.c: the directory that cores are saved in: bounds, minfree, space.
 *
 * It may be shared and sticky.  It is opened once, and everything in it is
 * reached from that descriptor, without following links.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "savecore.h"

#define BOUNDS		"bounds"
#define BOUNDS_MAX	1000000000u
#define MINFREE		"minfree"

DIR *
dir_list(const struct crashdir *dir)
{
	DIR *dp;
	int fd;

	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	dp = fdopendir(fd);
	if (dp == NULL)
		close(fd);
	return dp;
}

static const char *const dir_families[] = {
	"crash", "dmesg", "info", "linux", NULL,
};

/* Is this "FAMILY.N", whatever is behind it, a name of ours? */
static bool
dir_numbered(const char *name, unsigned int *number)
{
	const char *const *f;
	unsigned long n;
	size_t len;
	char *end;

	for (f = dir_families; *f != NULL; f++) {
		len = strlen(*f);
		if (strncmp(name, *f, len) != 0 || name[len] != '.' ||
		    !isdigit((unsigned char)name[len + 1]))
			continue;
		n = strtoul(name + len + 1, &end, 10);
		if (n >= BOUNDS_MAX || (*end != '\0' && *end != '.'))
			continue;
		*number = (unsigned int)n;
		return true;
	}
	return false;
}

static bool
dir_partial(const char *name)
{
	const size_t len = strlen(name);
	const char *const *f;

	if (name[0] != '.' || len < 9 ||
	    strcmp(name + len - 8, ".partial") != 0)
		return false;
	for (f = dir_families; *f != NULL; f++)
		if (strncmp(name + 1, *f, strlen(*f)) == 0 &&
		    name[1 + strlen(*f)] == '.')
			return true;
	return false;
}

/* Removes what a run that was killed has left, or somebody put in the way. */
static void
dir_sweep(const struct crashdir *dir)
{
	struct dirent *de;
	DIR *dp;

	dp = dir_list(dir);
	while (dp != NULL && (de = readdir(dp)) != NULL)
		if (dir_partial(de->d_name))
			(void)unlinkat(dir->fd, de->d_name, 0);
	if (dp != NULL)
		closedir(dp);
}

int
dir_open(struct crashdir *dir, const char *path)
{
	struct stat st;

	dir->path = path;
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd == -1 || fstat(dir->fd, &st) == -1) {
		msg_errno(LOG_ERR, "%s", path);
		dir_close(dir);
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		msg(LOG_ERR, "%s: belongs to user %u: a core holds secrets, so "
		    "the directory must be root's", path,
		    (unsigned int)st.st_uid);
		dir_close(dir);
		return -1;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (st.st_mode & S_ISVTX) == 0) {
		msg(LOG_ERR, "%s: others may replace files there: make it "
		    "sticky or not writable for them, with chmod(1)", path);
		dir_close(dir);
		return -1;
	}
	if (flock(dir->fd, LOCK_EX | (dir->wait ? 0 : LOCK_NB)) == -1) {
		if (errno == EWOULDBLOCK)
			msg(LOG_ERR, "%s: in use by another savecore", path);
		else
			msg_errno(LOG_ERR, "%s: lock", path);
		dir_close(dir);
		return -1;
	}
	dir_sweep(dir);
	return 0;
}

void
dir_close(struct crashdir *dir)
{
	if (dir->fd != -1)
		close(dir->fd);
	dir->fd = -1;
}

int
dir_open_ours(const struct crashdir *dir, const char *name)
{
	struct stat st;
	int fd;

	fd = openat(dir->fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno != ELOOP)
		return -1;
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	msg(LOG_WARNING, "%s/%s: is not a file that only root may write: "
	    "ignored", dir->path, name);
	errno = ENOENT;
	return -1;
}

/* The number on a file's first line: 1, 0 if there is no such file, -1. */
static int
dir_read_number(const struct crashdir *dir, const char *name, uint64_t *value)
{
	char text[64], *end;
	ssize_t n = -1;
	int fd;

	fd = dir_open_ours(dir, name);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd != -1)
		n = read(fd, text, sizeof(text) - 1);
	if (n == -1) {
		msg_errno(LOG_ERR, "%s/%s", dir->path, name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	close(fd);
	text[n] = '\0';
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno == 0 && isdigit((unsigned char)text[0]) &&
	    (*end == '\n' || *end == '\0'))
		return 1;
	msg(LOG_ERR, "%s/%s: its first line is not a number: put one there, or "
	    "remove the file", dir->path, name);
	return -1;
}

static const char *const dir_cores[] = {
	".core", ".core.gz", ".core.zst", ".elf", ".elf.gz", ".elf.zst",
	".kdump", NULL,
};
static const char *const dir_others[] = {
	"", ".gz", ".zst", ".log", ".damaged", ".pending", NULL,
};

bool
dir_there(const struct crashdir *dir, const char *name)
{
	return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The first file of this number with one of these endings. */
static bool
dir_has(const struct crashdir *dir, unsigned int number,
    const char *const *suffix, char name[NAME_MAX + 1])
{
	for (; *suffix != NULL; suffix++) {
		snprintf(name, NAME_MAX + 1, "linux.%u%s", number, *suffix);
		if (dir_there(dir, name))
			return true;
	}
	return false;
}

bool
dir_core(const struct crashdir *dir, unsigned int number,
    char name[NAME_MAX + 1])
{
	return dir_has(dir, number, dir_cores, name);
}

/* Has some file of this number been saved already? */
static bool
dir_taken(const struct crashdir *dir, unsigned int number)
{
	char name[NAME_MAX + 1];

	return dir_has(dir, number, dir_cores, name) ||
	    dir_has(dir, number, dir_others, name);
}

void
dir_note_text(char text[DIR_NOTE_LEN + 1], const uint8_t dump_id[KVM_IDLEN])
{
	size_t i;

	for (i = 0; i < KVM_IDLEN; i++)
		snprintf(text + 2 * i, 3, "%02x", dump_id[i]);
	strcpy(text + 2 * KVM_IDLEN, "\n");
}

/* Is the file "linux.N.damaged", with this text, and is the core there? */
static bool
dir_note_is(const struct crashdir *dir, const char *name, const char *text,
    unsigned int *number)
{
	char want[64], have[DIR_NOTE_LEN], core[NAME_MAX + 1];
	ssize_t n = -1;
	int fd;

	if (sscanf(name, "linux.%9u.", number) != 1)
		return false;
	snprintf(want, sizeof(want), "linux.%u.damaged", *number);
	if (strcmp(name, want) != 0 || !dir_core(dir, *number, core))
		return false;
	fd = dir_open_ours(dir, name);
	if (fd != -1) {
		n = read(fd, have, sizeof(have));
		close(fd);
	}
	return n == DIR_NOTE_LEN && memcmp(have, text, sizeof(have)) == 0;
}

bool
dir_held(const struct crashdir *dir, const uint8_t dump_id[KVM_IDLEN],
    unsigned int *number)
{
	char text[DIR_NOTE_LEN + 1];
	struct dirent *de;
	bool found = false;
	DIR *dp;

	dir_note_text(text, dump_id);
	dp = dir_list(dir);
	while (dp != NULL && !found && (de = readdir(dp)) != NULL)
		found = dir_note_is(dir, de->d_name, text, number);
	if (dp != NULL)
		closedir(dp);
	return found;
}

static int
dir_write_bounds(const struct crashdir *dir, unsigned int next)
{
	static const char tmp[] = ".linux.bounds.partial";
	char text[16];
	int fd, len;

	len = snprintf(text, sizeof(text), "%u\n", next);
	(void)unlinkat(dir->fd, tmp, 0);
	fd = openat(dir->fd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		goto fail;
	errno = EIO;
	if (write(fd, text, (size_t)len) != len || fsync(fd) == -1) {
		int error = errno;

		close(fd);
		(void)unlinkat(dir->fd, tmp, 0);
		errno = error;
		goto fail;
	}
	close(fd);
	if (renameat(dir->fd, tmp, dir->fd, BOUNDS) == -1 ||
	    fsync(dir->fd) == -1)
		goto fail;
	return 0;
fail:
	msg_errno(LOG_ERR, "%s/" BOUNDS, dir->path);
	return -1;
}

int
dir_number(const struct crashdir *dir, unsigned int *number)
{
	uint64_t value = 0;

	if (dir_read_number(dir, BOUNDS, &value) == -1)
		return -1;
	while (value < BOUNDS_MAX && dir_taken(dir, (unsigned int)value))
		value++;
	if (value >= BOUNDS_MAX) {
		msg(LOG_ERR, "%s/" BOUNDS ": the number is too large",
		    dir->path);
		return -1;
	}
	*number = (unsigned int)value;
	return dir_write_bounds(dir, *number + 1);
}

int
dir_space(const struct crashdir *dir, uint64_t need, bool anyway)
{
	uint64_t free_kb, minfree_kb = 0, need_kb;
	struct statvfs vfs;
	int r;

	r = dir_read_number(dir, MINFREE, &minfree_kb);
	if (r == -1)
		return 0;
	if (fstatvfs(dir->fd, &vfs) == -1) {
		msg_errno(LOG_ERR, "%s: free space", dir->path);
		return 0;
	}
	free_kb = (uint64_t)vfs.f_bavail * vfs.f_frsize / 1024;
	need_kb = (need + 1023) / 1024;
	if (free_kb >= need_kb && free_kb - need_kb >= minfree_kb)
		return 1;
	if (minfree_kb > 0 && !anyway) {
		msg(LOG_WARNING, "no dump, not enough free space in %s: %"
		    PRIu64 " KiB needed, %" PRIu64 " KiB free, %" PRIu64
		    " KiB to be left", dir->path, need_kb, free_kb, minfree_kb);
		return 0;
	}
	msg(LOG_WARNING, "dump performed, but free space threshold crossed");
	return 1;
}

int
dir_create(const struct crashdir *dir, struct dirfile *f, const char *name)
{
	const int len = snprintf(f->tmp, sizeof(f->tmp), ".%s.partial", name);

	snprintf(f->name, sizeof(f->name), "%s", name);
	if (len >= (int)sizeof(f->tmp)) {
		errno = ENAMETOOLONG;
		msg_errno(LOG_ERR, "%s/%s", dir->path, name);
		return -1;
	}
	/* It would be refused its name only once it is whole. */
	if (dir_there(dir, name)) {
		errno = EEXIST;
		msg_errno(LOG_ERR, "%s/%s", dir->path, name);
		return -1;
	}
	/* Left by a run that was killed: the directory is locked. */
	if (dir->output != NULL)
		(void)unlinkat(dir->fd, f->tmp, 0);
	f->fd = openat(dir->fd, f->tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd != -1)
		return 0;
	msg_errno(LOG_ERR, "%s/%s", dir->path, f->tmp);
	return -1;
}

/* Not every file system can rename without replacing; all those can link. */
static int
dir_rename(const struct crashdir *dir, const struct dirfile *f)
{
	if (renameat2(dir->fd, f->tmp, dir->fd, f->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dir->fd, f->tmp, dir->fd, f->name, 0) == -1)
		return -1;
	return unlinkat(dir->fd, f->tmp, 0);
}

int
dir_commit(const struct crashdir *dir, struct dirfile *f)
{
	if (fsync(f->fd) == -1) {
		msg_errno(LOG_ERR, "%s/%s", dir->path, f->tmp);
		return -1;
	}
	if (dir_rename(dir, f) == -1) {
		msg_errno(LOG_ERR, "%s/%s: rename to %s", dir->path, f->tmp,
		    f->name);
		return -1;
	}
	close(f->fd);
	f->fd = -1;
	if (fsync(dir->fd) == -1) {
		msg_errno(LOG_ERR, "%s", dir->path);
		return -1;
	}
	return 0;
}

void
dir_abort(const struct crashdir *dir, struct dirfile *f)
{
	if (f->fd == -1)
		return;
	close(f->fd);
	f->fd = -1;
	(void)unlinkat(dir->fd, f->tmp, 0);
}

void
dir_link(const struct crashdir *dir, const char *name, const char *to)
{
	char tmp[NAME_MAX + 1];

	snprintf(tmp, sizeof(tmp), ".%.200s.partial", name);
	(void)unlinkat(dir->fd, tmp, 0);
	if (to == NULL) {
		(void)unlinkat(dir->fd, name, 0);
		return;
	}
	if (symlinkat(to, dir->fd, tmp) == 0 &&
	    renameat(dir->fd, tmp, dir->fd, name) == 0)
		return;
	msg_errno(LOG_WARNING, "%s/%s", dir->path, name);
	(void)unlinkat(dir->fd, tmp, 0);
}

bool
dir_linked(const struct crashdir *dir, const char *name, const char *to)
{
	char text[NAME_MAX + 1];
	const ssize_t n = readlinkat(dir->fd, name, text, sizeof(text));

	return n >= 0 && (size_t)n == strlen(to) &&
	    memcmp(text, to, (size_t)n) == 0;
}

void
dir_prune(const struct crashdir *dir, unsigned int number)
{
	struct dirent *de;
	unsigned int n;
	DIR *dp;

	if (dir->maxdumps == 0)
		return;
	dp = dir_list(dir);
	while (dp != NULL && (de = readdir(dp)) != NULL)
		if (dir_numbered(de->d_name, &n) && n <= number &&
		    number - n >= dir->maxdumps &&
		    unlinkat(dir->fd, de->d_name, 0) == -1)
			msg_errno(LOG_WARNING, "%s/%s", dir->path, de->d_name);
	if (dp != NULL)
		closedir(dp);
}
