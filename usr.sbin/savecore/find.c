/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find.c: every place where a dump can be: swap of fstab(5), swap in use, and
 * whatever else has a swap signature or a dump partition's label.
 */
#include <sys/stat.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid/blkid.h>
#include <libmount/libmount.h>

#include <sys/kcore.h>

#include "armid.h"
#include "kernfile.h"
#include "savecore.h"

/* What cannot be told apart by st_rdev is told apart by inode. */
bool
find_same(const struct candidate *where, const struct stat *st)
{
	if (where->block != S_ISBLK(st->st_mode))
		return false;
	return where->block ? where->dev == st->st_rdev :
	    where->dev == st->st_dev && where->ino == st->st_ino;
}

/* The same of two candidates. */
static bool
find_equal(const struct candidate *a, const struct candidate *b)
{
	return a->block == b->block && a->dev == b->dev &&
	    (a->block || a->ino == b->ino);
}

int
find_put(struct candidates *c, const struct candidate *one)
{
	struct candidate *list;

	list = reallocarray(c->list, c->n + 1, sizeof(*list));
	if (list == NULL) {
		msg_errno(LOG_ERR, "looking for dumps");
		return -1;
	}
	c->list = list;
	list[c->n] = *one;
	list[c->n].fd = list[c->n].disk = -1;
	memset(&list[c->n].map, 0, sizeof(list[c->n].map));
	c->n++;
	return 0;
}

void
find_pass_over(struct candidates *c, const struct candidates *some)
{
	size_t i, j, n = 0;

	for (i = 0; i < c->n; i++) {
		for (j = 0; j < some->n; j++)
			if (find_equal(&c->list[i], &some->list[j]))
				break;
		if (j == some->n)
			c->list[n++] = c->list[i];
	}
	c->n = n;
}

static int
find_add(struct candidates *c, const char *path, bool in_use)
{
	struct candidate one = { .in_use = in_use };
	struct stat st;
	size_t i;

	if (stat(path, &st) == -1)
		return 0;
	for (i = 0; i < c->n; i++) {
		if (find_same(&c->list[i], &st)) {
			c->list[i].in_use |= in_use;
			return 0;
		}
	}
	snprintf(one.path, sizeof(one.path), "%s", path);
	one.block = S_ISBLK(st.st_mode);
	one.dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	one.ino = st.st_ino;
	return find_put(c, &one);
}

/* A list that is not there names no devices; else what is found is saved. */
static void
find_unread(const char *path, int error)
{
	if (error == ENOENT)
		return;
	errno = error;
	msg_errno(LOG_ERR, "%s: dumps may not be found", path);
}

/* Adds a table's swap entries; source may be a path or a tag like UUID=. */
static int
find_table(struct candidates *c, struct libmnt_table *tb, bool in_use)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	char path[PATH_MAX], *source;
	struct libmnt_fs *fs;
	int r = 0;

	while (it != NULL && r == 0 && mnt_table_next_fs(tb, it, &fs) == 0) {
		if (!mnt_fs_is_swaparea(fs))
			continue;
		source = mnt_resolve_spec(mnt_fs_get_source(fs), NULL);
		if (source != NULL &&
		    kernfile_path(path, sizeof(path), "%s", source) == 0)
			r = find_add(c, path, in_use);
		free(source);
	}
	mnt_free_iter(it);
	return r;
}

static int
find_tables(struct candidates *c)
{
	struct libmnt_table *tb;
	char path[PATH_MAX];
	int r = 0, unread;

	tb = mnt_new_table();
	if (tb == NULL) {
		msg_errno(LOG_ERR, "looking for dumps");
		return -1;
	}
	if (kernfile_path(path, sizeof(path), "/proc/swaps") == 0) {
		if ((unread = mnt_table_parse_swaps(tb, path)) == 0)
			r = find_table(c, tb, true);
		else
			find_unread("/proc/swaps", -unread);
	}
	mnt_reset_table(tb);
	if (r == 0 && kernfile_path(path, sizeof(path), "/etc/fstab") == 0) {
		if ((unread = mnt_table_parse_fstab(tb, path)) == 0)
			r = find_table(c, tb, false);
		else
			find_unread("/etc/fstab", -unread);
	}
	mnt_unref_table(tb);
	return r;
}

/* Does it say of itself that it is swap, or a dump partition? */
static bool
find_probe(const char *path)
{
	static char swap[] = "swap", suspended[] = "swsuspend";
	char *types[] = { swap, suspended, NULL };
	blkid_probe pr;
	uint64_t magic = 0;
	bool found;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	found = pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	    le64toh(magic) == KCORE_LABEL_MAGIC;
	pr = found ? NULL : blkid_new_probe();
	if (pr != NULL && blkid_probe_set_device(pr, fd, 0, 0) == 0 &&
	    blkid_probe_enable_superblocks(pr, 1) == 0 &&
	    blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN,
	    types) == 0)
		found = blkid_do_probe(pr) == 0;
	blkid_free_probe(pr);
	close(fd);
	return found;
}

static int
find_partitions(struct candidates *c)
{
	char line[256], name[128], path[PATH_MAX], *p;
	unsigned long long kb;
	FILE *fp;
	int r = 0;

	if (kernfile_path(path, sizeof(path), "/proc/partitions") == -1 ||
	    (fp = fopen(path, "re")) == NULL) {
		find_unread("/proc/partitions", errno);
		return 0;
	}
	while (r == 0 && fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "%*u %*u %llu %127s", &kb, name) != 2 ||
		    kb < KCORE_WINDOW_MIN / 1024)
			continue;
		while ((p = strchr(name, '!')) != NULL)
			*p = '/';
		if (kernfile_path(path, sizeof(path), "/dev/%s", name) == 0 &&
		    find_probe(path))
			r = find_add(c, path, false);
	}
	if (ferror(fp))
		find_unread("/proc/partitions", errno);
	fclose(fp);
	return r;
}

/* Files that were armed may be in no table. */
static int
find_armed(struct candidates *c, const struct armid_list *known)
{
	char path[PATH_MAX];
	struct stat st;
	size_t i;

	for (i = 0; i < known->n; i++) {
		if (known->devices[i][0] != '/' || kernfile_path(path,
		    sizeof(path), "%s", known->devices[i]) == -1)
			continue;
		if (stat(path, &st) == 0) {
			if (S_ISREG(st.st_mode) &&
			    find_add(c, path, false) == -1)
				return -1;
		} else if (i + 1 == known->n &&
		    strncmp(known->devices[i], "/dev/", 5) != 0) {
			msg_errno(LOG_WARNING, "%s: was armed for dumps, and "
			    "can't be looked at: is its file system mounted?",
			    path);
		}
	}
	return 0;
}

/* Just the one of -D; all knows whether it is in use. */
static int
find_only(struct candidates *c, const struct candidates *all,
    const char *device)
{
	size_t i;

	if (access(device, F_OK) == -1) {
		msg_errno(LOG_ERR, "%s", device);
		return -1;
	}
	if (find_add(c, device, false) == -1)
		return -1;
	for (i = 0; c->n == 1 && i < all->n; i++) {
		if (find_equal(&all->list[i], &c->list[0]))
			c->list[0].in_use = all->list[i].in_use;
	}
	return 0;
}

int
find_candidates(struct candidates *c, const char *device,
    const struct armid_list *known)
{
	struct candidates all = { NULL, 0 };
	int r;

	c->list = NULL;
	c->n = 0;
	r = find_tables(&all);
	if (r == 0 && device == NULL)
		r = find_partitions(&all);
	if (r == 0 && device == NULL)
		r = find_armed(&all, known);
	if (r == 0 && device == NULL) {
		*c = all;
		return 0;
	}
	if (r == 0)
		r = find_only(c, &all, device);
	find_free(&all);
	return r;
}

/*
 * What the kernel wrote to a file's blocks can't be read through the file where
 * its file system thinks that nothing was ever written.
 */
static void
find_beneath(struct candidate *where)
{
	char node[PATH_MAX];

	if (where->block || filemap_read(&where->map, where->fd) == -1 ||
	    !where->map.unwritten)
		return;
	if (filemap_node(node, where->map.major, where->map.minor) == 0)
		where->disk = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (where->disk == -1)
		msg_errno(LOG_WARNING, "%s: a dump in it may not be seen: the "
		    "device %u:%u beneath it can't be opened", where->path,
		    where->map.major, where->map.minor);
}

int
find_open(struct candidates *c, bool only)
{
	struct candidate *where;
	size_t i;

	for (i = 0; i < c->n; i++) {
		where = &c->list[i];
		where->fd = open(where->path,
		    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (where->fd != -1) {
			find_beneath(where);
			continue;
		}
		msg_errno(LOG_ERR, "%s", where->path);
		if (only)
			return -1;
		where->failed = true;
	}
	return 0;
}

void
find_free(struct candidates *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->list[i].fd != -1)
			close(c->list[i].fd);
		if (c->list[i].disk != -1)
			close(c->list[i].disk);
		filemap_free(&c->list[i].map);
	}
	free(c->list);
	c->list = NULL;
	c->n = 0;
}
