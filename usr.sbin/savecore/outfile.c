/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outfile.c: a file that appears under its name whole and durable, or not.
 *
 * It is written under a temporary name, synced, renamed without replacing
 * anything, and the directory is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "savecore.h"
#include "zopen.h"

static FILE *
outfile_stream(int fd, int level)
{
	FILE *fp;
	int copy;

	if (level >= 0)
		return zopen(fd, level);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1)
		return NULL;
	fp = fdopen(copy, "w");
	if (fp == NULL)
		close(copy);
	return fp;
}

int
outfile_create(struct outfile *out, const struct crashdir *dir,
    const char *name, int level)
{
	out->dir = dir;
	out->fp = NULL;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->tmp, sizeof(out->tmp), ".%.50s.partial", name);
	out->fd = openat(dir->fd, out->tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd == -1) {
		msg_errno(LOG_ERR, "%s/%s", dir->path, out->tmp);
		return -1;
	}
	out->fp = outfile_stream(out->fd, level);
	if (out->fp == NULL) {
		msg_errno(LOG_ERR, "%s/%s", dir->path, out->tmp);
		outfile_abort(out);
		return -1;
	}
	return 0;
}

/* Not every file system can rename without replacing; all those can link. */
static int
outfile_rename(const struct outfile *out)
{
	int dirfd = out->dir->fd;

	if (renameat2(dirfd, out->tmp, dirfd, out->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dirfd, out->tmp, dirfd, out->name, 0) == -1)
		return -1;
	return unlinkat(dirfd, out->tmp, 0);
}

int
outfile_commit(struct outfile *out)
{
	FILE *fp = out->fp;

	out->fp = NULL;
	if (fclose(fp) == EOF || fsync(out->fd) == -1) {
		msg_errno(LOG_ERR, "%s/%s", out->dir->path, out->tmp);
		outfile_abort(out);
		return -1;
	}
	if (outfile_rename(out) == -1) {
		msg_errno(LOG_ERR, "%s/%s: rename to %s", out->dir->path,
		    out->tmp, out->name);
		outfile_abort(out);
		return -1;
	}
	close(out->fd);
	out->fd = -1;
	if (fsync(out->dir->fd) == -1) {
		msg_errno(LOG_ERR, "%s", out->dir->path);
		return -1;
	}
	return 0;
}

void
outfile_abort(struct outfile *out)
{
	if (out->fp != NULL)
		fclose(out->fp);
	if (out->fd != -1) {
		close(out->fd);
		(void)unlinkat(out->dir->fd, out->tmp, 0);
	}
	out->fp = NULL;
	out->fd = -1;
}
