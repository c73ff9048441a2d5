/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inject.c: makes savecore's system calls fail, and moves its root.
 *
 * Linked into a savecore of its own, with the calls wrapped by the linker.  Its
 * two processes count their calls together:
 *	SAVECORE_ROOT	what stands for /, as far as kernfile.c goes
 *	INJECT_AT	the call that fails, from 1 on, or its name; 0: none
 *	INJECT_HOW	once, ever (and all after it), or kill (SIGKILL)
 *	INJECT_DIRECT	"no": nothing can be read or written with O_DIRECT; else
 *			whole pages can, as it is with a disk, but not with tmpfs
 *	INJECT_FREE	"a b": KiB that are free when first asked, and from then on
 *	INJECT_LOG	a file that gets a line for each call: its name, the
 *			device and inode it is about, and the user; "direct-"
 *			before it is for O_DIRECT
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "kernfile.h"

static atomic_ulong *inject_calls;	/* all, and those since that name */
static FILE *inject_fp;

/* Before main(), so that both processes have it. */
__attribute__((constructor)) static void
inject_init(void)
{
	const char *path = getenv("INJECT_LOG");
	void *p;

	p = mmap(NULL, 2 * sizeof(*inject_calls), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		abort();
	inject_calls = p;
	if (path != NULL && (inject_fp = fopen(path, "we")) != NULL)
		(void)fcntl(fileno(inject_fp), F_SETFL, O_APPEND);
}

const char *
kernfile_root(void)
{
	const char *root = getenv("SAVECORE_ROOT");

	return root == NULL ? "/nonexistent" : root;
}

static bool
inject_is_direct(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags != -1 && (flags & O_DIRECT) != 0;
}

/* Can't that be read or written with O_DIRECT? */
static bool
inject_refuses(int fd, const void *buf, size_t len, off_t off)
{
	const char *how = getenv("INJECT_DIRECT");

	if (!inject_is_direct(fd) || ((how == NULL || strcmp(how, "no") != 0) &&
	    ((uintptr_t)buf | len | (uint64_t)off) % 4096 == 0))
		return false;
	errno = EINVAL;
	return true;
}

static void
inject_log(const char *name, int fd)
{
	int error = errno;
	struct stat st;

	if (inject_fp == NULL)
		return;
	if (fstat(fd, &st) == -1)
		memset(&st, 0, sizeof(st));
	fprintf(inject_fp, "%s%s %ju:%ju %u\n",
	    inject_is_direct(fd) ? "direct-" : "", name,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
	    (unsigned int)geteuid());
	fflush(inject_fp);
	errno = error;
}

/* Is it this call's turn to fail? */
static bool
inject_fails(const char *name, int fd, int error)
{
	const char *at = getenv("INJECT_AT"), *how = getenv("INJECT_HOW");
	unsigned long n = at == NULL ? 0 : strtoul(at, NULL, 10);
	unsigned long call = atomic_fetch_add(inject_calls, 1) + 1;

	inject_log(name, fd);
	if (at != NULL && n == 0 && (strcmp(at, name) == 0 ||
	    atomic_load(&inject_calls[1]) != 0)) {
		n = 1;
		call = atomic_fetch_add(&inject_calls[1], 1) + 1;
	}
	if (n == 0 || how == NULL || call < n ||
	    (call > n && strcmp(how, "ever") != 0))
		return false;
	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	errno = error;
	return true;
}

#define INJECT(type, name, error, args, names)				\
type __real_##name args;						\
type __wrap_##name args;						\
type									\
__wrap_##name args							\
{									\
	return inject_fails(#name, fd, error) ? -1 : __real_##name names; \
}

/* The same of what O_DIRECT is for. */
#define INJECT_IO(name, error, type)					\
ssize_t __real_##name(int fd, type *buf, size_t len, off_t off);	\
ssize_t __wrap_##name(int fd, type *buf, size_t len, off_t off);	\
ssize_t									\
__wrap_##name(int fd, type *buf, size_t len, off_t off)			\
{									\
	return inject_fails(#name, fd, error) ||			\
	    inject_refuses(fd, buf, len, off) ? -1 :			\
	    __real_##name(fd, buf, len, off);				\
}

INJECT(ssize_t, write, ENOSPC, (int fd, const void *buf, size_t len),
    (fd, buf, len))
INJECT_IO(pread64, EIO, void)
INJECT_IO(pwrite64, ENOSPC, const void)
INJECT(ssize_t, sendmsg, EPIPE,
    (int fd, const struct msghdr *m, int flags), (fd, m, flags))
INJECT(ssize_t, recvmsg, EIO, (int fd, struct msghdr *m, int flags),
    (fd, m, flags))
INJECT(int, fallocate64, EOPNOTSUPP, (int fd, int mode, off_t off, off_t len),
    (fd, mode, off, len))
INJECT(int, fsync, EIO, (int fd), (fd))
INJECT(int, fdatasync, EIO, (int fd), (fd))
INJECT(int, ftruncate64, ENOSPC, (int fd, off_t len), (fd, len))
INJECT(int, renameat, EIO,
    (int fd, const char *from, int tofd, const char *to),
    (fd, from, tofd, to))
INJECT(int, renameat2, EIO,
    (int fd, const char *from, int tofd, const char *to, unsigned int flags),
    (fd, from, tofd, to, flags))

int __real_fstatvfs64(int fd, struct statvfs *vfs);
int __wrap_fstatvfs64(int fd, struct statvfs *vfs);

int
__wrap_fstatvfs64(int fd, struct statvfs *vfs)
{
	const char *text = getenv("INJECT_FREE");
	static unsigned long kib[2];
	static unsigned int calls;
	const int r = __real_fstatvfs64(fd, vfs);

	if (r == -1 || text == NULL ||
	    sscanf(text, "%lu %lu", &kib[0], &kib[1]) != 2)
		return r;
	vfs->f_frsize = 1024;
	vfs->f_bavail = kib[calls++ > 0];
	return r;
}

int __real_openat64(int fd, const char *path, int flags, ...);
int __wrap_openat64(int fd, const char *path, int flags, ...);

int
__wrap_openat64(int fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, int);
		va_end(ap);
	}
	if (inject_fails("openat64", fd, EACCES))
		return -1;
	return __real_openat64(fd, path, flags, mode);
}
