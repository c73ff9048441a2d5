/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernfile.c: small text files of /sys, /proc and /dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernfile.h"

static int
kernfile_vpath(char *buf, size_t len, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static int
kernfile_vpath(char *buf, size_t len, const char *fmt, va_list ap)
{
	int n, m;

	n = snprintf(buf, len, "%s", kernfile_root());
	if (n < 0 || (size_t)n >= len)
		goto toolong;
	m = vsnprintf(buf + n, len - (size_t)n, fmt, ap);
	if (m < 0 || (size_t)m >= len - (size_t)n)
		goto toolong;
	return 0;
toolong:
	errno = ENAMETOOLONG;
	return -1;
}

int
kernfile_path(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = kernfile_vpath(buf, len, fmt, ap);
	va_end(ap);
	return r;
}

int
kernfile_open(int flags, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = kernfile_vpath(path, sizeof(path), fmt, ap);
	va_end(ap);
	return r == -1 ? -1 : open(path, flags | O_CLOEXEC);
}

bool
kernfile_exists(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = kernfile_vpath(path, sizeof(path), fmt, ap);
	va_end(ap);
	return r == 0 && access(path, F_OK) == 0;
}

static ssize_t
kernfile_readfd(int fd, char *buf, size_t len)
{
	size_t have;
	ssize_t n;
	int error;

	for (have = 0; have < len - 1; have += (size_t)n) {
		n = read(fd, buf + have, len - 1 - have);
		if (n == -1 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n == -1) {
			error = errno;
			close(fd);
			buf[0] = '\0';
			errno = error;
			return -1;
		}
		if (n == 0)
			break;
	}
	close(fd);
	if (have > 0 && buf[have - 1] == '\n')
		have--;
	buf[have] = '\0';
	return (ssize_t)have;
}

ssize_t
kernfile_read(char *buf, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int fd, r;

	va_start(ap, fmt);
	r = kernfile_vpath(path, sizeof(path), fmt, ap);
	va_end(ap);
	buf[0] = '\0';
	if (r == -1)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd == -1 ? -1 : kernfile_readfd(fd, buf, len);
}

int
kernfile_number(uint64_t *value, const char *fmt, ...)
{
	char path[PATH_MAX], text[32], *end;
	va_list ap;
	int fd, r;

	va_start(ap, fmt);
	r = kernfile_vpath(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (r == -1)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || kernfile_readfd(fd, text, sizeof(text)) == -1)
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
kernfile_write(const char *text, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int error, fd, r;

	va_start(ap, fmt);
	r = kernfile_vpath(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (r == -1)
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = write(fd, text, len);
	error = n == -1 ? errno : EIO;
	close(fd);
	if (n != (ssize_t)len) {
		errno = error;
		return -1;
	}
	return 0;
}
