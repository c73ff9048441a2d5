/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pending.c: linux.N.pending, a note that core N is there, and that what goes
 * with it is not, nor have hooks been run.
 *
 * It is on stable storage before the core has its name, and goes when all is
 * done: whatever ends the machine in between, a later run finds it.  Its text is
 * 0 where saving ended well, so that the dump is cleared, and 1 before that.  Who
 * finishes the core has it locked meanwhile.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "savecore.h"

#define PENDING_SUFFIX	".pending"

static void
pending_name(char name[NAME_MAX + 1], unsigned int number)
{
	snprintf(name, NAME_MAX + 1, "linux.%u" PENDING_SUFFIX, number);
}

void
pending_put(const struct crashdir *dir, unsigned int number)
{
	char name[NAME_MAX + 1];
	struct dirfile f;

	pending_name(name, number);
	if (dir_create(dir, &f, name) == -1)
		return;
	if (write(f.fd, "1\n", 2) == 2)
		(void)dir_commit(dir, &f);
	else
		msg_errno(LOG_WARNING, "%s/%s", dir->path, name);
	dir_abort(dir, &f);
}

void
pending_ended(const struct crashdir *dir, unsigned int number, int status)
{
	char name[NAME_MAX + 1];
	int fd;

	if (status != 0)
		return;
	pending_name(name, number);
	fd = openat(dir->fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return;
	if (pwrite(fd, "0", 1, 0) != 1 || fsync(fd) == -1)
		msg_errno(LOG_WARNING, "%s/%s", dir->path, name);
	close(fd);
}

bool
pending_next(const struct crashdir *dir, unsigned int from,
    unsigned int *number)
{
	DIR *dp = dir_list(dir);
	char name[NAME_MAX + 1];
	struct dirent *de;
	unsigned int n;
	bool found = false;
	int fd;

	while (dp != NULL && (de = readdir(dp)) != NULL) {
		if (sscanf(de->d_name, "linux.%9u.", &n) != 1 || n < from ||
		    (found && n > *number))
			continue;
		pending_name(name, n);
		if (strcmp(de->d_name, name) != 0 ||
		    (fd = pending_open(dir, n)) == -1)
			continue;
		close(fd);
		*number = n;
		found = true;
	}
	if (dp != NULL)
		closedir(dp);
	return found;
}

int
pending_open(const struct crashdir *dir, unsigned int number)
{
	char name[NAME_MAX + 1];

	pending_name(name, number);
	return dir_open_ours(dir, name);
}

bool
pending_lock(int fd)
{
	struct stat st;

	/* Where no lock can be had, it is better done twice than never. */
	while (flock(fd, LOCK_EX) == -1 && errno == EINTR)
		;
	return fstat(fd, &st) == -1 || st.st_nlink > 0;
}

int
pending_status(const struct crashdir *dir, unsigned int number)
{
	const int fd = pending_open(dir, number);
	char text = '1';

	if (fd == -1)
		return -1;
	if (read(fd, &text, 1) != 1)
		text = '1';
	close(fd);
	return text == '0' ? 0 : -1;
}

void
pending_drop(const struct crashdir *dir, unsigned int number)
{
	char name[NAME_MAX + 1];

	pending_name(name, number);
	if (unlinkat(dir->fd, name, 0) == -1 && errno != ENOENT)
		msg_errno(LOG_WARNING, "%s/%s", dir->path, name);
}
