/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * armid.c: the list of arm ids, /var/lib/swapcore/armid.
 *
 * One line for each arming, newest last: 32 hex digits, the time in seconds,
 * the device, the dump level.  The file is replaced as a whole, so that a reader
 * sees the old list or the new one.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "armid.h"
#include "kernfile.h"

#define ARMID_TMP	".armid.new"
#define ARMID_LINEMAX	(ARMID_TEXTLEN + 48 + PATH_MAX)

/* The list's lines as they are in the file. */
struct armid_file {
	size_t n;
	char *lines[ARMID_MAX];
};

void
armid_text(char text[ARMID_TEXTLEN], const unsigned char id[KCORE_IDLEN])
{
	size_t i;

	for (i = 0; i < KCORE_IDLEN; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static int
armid_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool
armid_parse(unsigned char id[KCORE_IDLEN], const char *line)
{
	size_t i;
	int hi, lo;

	for (i = 0; i < KCORE_IDLEN; i++) {
		if ((hi = armid_digit(line[2 * i])) == -1 ||
		    (lo = armid_digit(line[2 * i + 1])) == -1)
			return false;
		id[i] = (unsigned char)(hi << 4 | lo);
	}
	return line[2 * KCORE_IDLEN] == ' ';
}

/* The third word of a line, or "". */
static void
armid_device(char device[ARMID_DEVLEN], const char *line)
{
	if (sscanf(line, "%*s %*s %255s", device) != 1)
		device[0] = '\0';
}

/* The fourth word of a line, or -1. */
static int
armid_level(const char *line)
{
	int level;

	if (sscanf(line, "%*s %*s %*s %d", &level) != 1 || level < 0 ||
	    level > (int)KCORE_LEVEL_MAX)
		return -1;
	return level;
}

static void
armid_free(struct armid_file *f)
{
	while (f->n > 0)
		free(f->lines[--f->n]);
}

/* Opens the directory; a missing one is -1 with ENOENT and no warning. */
static int
armid_opendir(void)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (kernfile_path(path, sizeof(path), "%s", ARMID_DIR) == -1) {
		warn("%s", ARMID_DIR);
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		if (errno != ENOENT)
			warn("%s", ARMID_DIR);
		return -1;
	}
	if (fstat(fd, &st) == -1) {
		warn("%s", ARMID_DIR);
	} else if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		warnx("%s: owned or writable by somebody else: the ids in it "
		    "can't be believed", ARMID_DIR);
		errno = EPERM;
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

/* Adds a line, if it is a good one, in the place of the oldest of many. */
static int
armid_keep(struct armid_file *f, const char *line)
{
	unsigned char id[KCORE_IDLEN];
	char *copy;

	if (!armid_parse(id, line))
		return 0;
	if ((copy = strdup(line)) == NULL)
		return -1;
	if (f->n == ARMID_MAX) {
		free(f->lines[0]);
		memmove(f->lines, f->lines + 1,
		    (ARMID_MAX - 1) * sizeof(f->lines[0]));
		f->n--;
	}
	f->lines[f->n++] = copy;
	return 0;
}

/* Reads the last ARMID_MAX good lines.  No file: none. */
static int
armid_load(int dirfd, struct armid_file *f)
{
	char line[ARMID_LINEMAX];
	struct stat st;
	FILE *fp;
	int fd, r = 0;

	f->n = 0;
	fd = openat(dirfd, ARMID_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || fstat(fd, &st) == -1 || (fp = fdopen(fd, "r")) == NULL)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 022) != 0) {
		warnx("%s/%s: owned or writable by somebody else: the ids in "
		    "it can't be believed", ARMID_DIR, ARMID_FILE);
		fclose(fp);
		return -1;
	}
	while (r == 0 && fgets(line, sizeof(line), fp) != NULL)
		r = armid_keep(f, line);
	/* Part of a list would take the place of all of it. */
	if (r == -1 || ferror(fp)) {
		warn("%s/%s", ARMID_DIR, ARMID_FILE);
		fclose(fp);
		armid_free(f);
		return -1;
	}
	fclose(fp);
	return 0;
fail:
	warn("%s/%s", ARMID_DIR, ARMID_FILE);
	if (fd != -1)
		close(fd);
	return -1;
}

int
armid_read(struct armid_list *list)
{
	struct armid_file f;
	size_t i;
	int dirfd;

	list->n = 0;
	dirfd = armid_opendir();
	if (dirfd == -1)
		return errno == ENOENT ? 0 : -1;
	if (armid_load(dirfd, &f) == -1) {
		close(dirfd);
		return -1;
	}
	close(dirfd);
	for (i = 0; i < f.n; i++) {
		armid_parse(list->ids[i], f.lines[i]);
		list->levels[i] = armid_level(f.lines[i]);
		armid_device(list->devices[i], f.lines[i]);
	}
	list->n = f.n;
	armid_free(&f);
	return 0;
}

/* Makes /var/lib/swapcore. */
static int
armid_makedir(void)
{
	static const char *const dirs[] = { "/var", "/var/lib", ARMID_DIR };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (kernfile_path(path, sizeof(path), "%s", dirs[i]) == -1 ||
		    (mkdir(path, i == 2 ? 0700 : 0755) == -1 &&
		    errno != EEXIST)) {
			warn("%s", dirs[i]);
			return -1;
		}
	}
	return 0;
}

/* Writes f and one more line to the temporary file. */
static int
armid_store(int dirfd, const struct armid_file *f, const char *last)
{
	FILE *fp;
	size_t i;
	int fd;

	if (unlinkat(dirfd, ARMID_TMP, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dirfd, ARMID_TMP,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	fp = fdopen(fd, "w");
	if (fp == NULL) {
		close(fd);
		return -1;
	}
	for (i = f->n == ARMID_MAX ? 1 : 0; i < f->n; i++)
		fputs(f->lines[i], fp);
	fputs(last, fp);
	if (fflush(fp) == EOF || ferror(fp) || fsync(fd) == -1) {
		fclose(fp);
		return -1;
	}
	return fclose(fp) == EOF ? -1 : 0;
}

int
armid_append(const unsigned char id[KCORE_IDLEN], const char *device, int level)
{
	char hex[ARMID_TEXTLEN], line[ARMID_LINEMAX];
	struct armid_file f;
	int dirfd;

	if (armid_makedir() == -1)
		return -1;
	dirfd = armid_opendir();
	if (dirfd == -1) {
		if (errno == ENOENT)
			warn("%s", ARMID_DIR);
		return -1;
	}
	armid_text(hex, id);
	snprintf(line, sizeof(line), "%s %lld %s %d\n", hex,
	    (long long)time(NULL), device, level);
	if (flock(dirfd, LOCK_EX) == -1) {
		warn("%s: lock", ARMID_DIR);
		close(dirfd);
		return -1;
	}
	if (armid_load(dirfd, &f) == -1) {
		close(dirfd);
		return -1;
	}
	if (armid_store(dirfd, &f, line) == -1 ||
	    renameat(dirfd, ARMID_TMP, dirfd, ARMID_FILE) == -1 ||
	    fsync(dirfd) == -1) {
		warn("%s/%s", ARMID_DIR, ARMID_FILE);
		armid_free(&f);
		close(dirfd);
		return -1;
	}
	armid_free(&f);
	close(dirfd);
	return 0;
}
