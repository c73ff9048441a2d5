/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_procfd.c: arguments, environment and open files of processes of the
 * running system; kvm_getprocs(3), kvm_getfiles(3).
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_tasks.h"

#define PROCFD_STRINGS	(16u << 20)	/* bytes, unless fewer are asked for */
#define PROCFD_TEXT	4096u

/* Why a file of a process may not be opened. */
static int
procfd_refused(kvm_t *kd, int error, int pid, const char *name)
{
	char text[128];

	if (error == ENOENT || error == ESRCH)
		return kvmi_err(kd, ESRCH, "there is no process %d any more",
		    pid);
	if (error != EACCES && error != EPERM)
		return kvmi_syserr(kd, error, "/proc/%d/%s", pid, name);
	return kvmi_err(kd, error, "/proc/%d/%s: %s: only its user and who has "
	    "CAP_SYS_PTRACE may read it", pid, name, strerror_r(error, text,
	    sizeof(text)));
}

int
kvmi_procfs_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env,
    size_t max, char **buf, size_t *len)
{
	const char *name = env ? "environ" : "cmdline";
	struct kvmi_procstat ps;
	const int dir = kvmi_procfs_open(kd, p->p_pid, &ps);
	int fd, error;

	if (dir == -1)
		return -1;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	error = errno;
	close(dir);
	if ((ps.flags & KVMI_TASK_KTHREAD) != 0 || ps.state == 'Z' ||
	    ps.state == 'X') {
		if (fd != -1)
			close(fd);
		return kvmi_err(kd, ENOEXEC, "it has no memory of its own");
	}
	if (fd == -1)
		return procfd_refused(kd, error, p->p_pid, name);
	*buf = kvmi_live_take(kd, fd, name, max != SIZE_MAX ? max :
	    PROCFD_STRINGS + 1, len);
	error = errno;
	close(fd);
	/* The right to read it is looked at again with each read(2). */
	if (*buf == NULL)
		return procfd_refused(kd, error, p->p_pid, name);
	if (max != SIZE_MAX || *len <= PROCFD_STRINGS)
		return 0;
	return kvmi_err(kd, EFBIG, "more than %u bytes", PROCFD_STRINGS);
}

/* A number of fdinfo, in that base; 0: not there. */
static uint64_t
procfd_info(const char *text, const char *key, int base)
{
	const size_t len = strlen(key);

	while (strncmp(text, key, len) != 0) {
		if ((text = strchr(text, '\n')) == NULL)
			return 0;
		text++;
	}
	return strtoull(text + len, NULL, base);
}

/* 1; 0: it is closed meanwhile; -1 with a text. */
static int
procfd_fdinfo(kvm_t *kd, int infodir, const char *name, struct kinfo_file *f)
{
	char text[PROCFD_TEXT];
	uint64_t flags;
	const int rv = kvmi_procfs_text(kd, infodir, name, text, sizeof(text));

	if (rv != 1)
		return rv == 0 ? 0 : kvmi_prepend(kd, "fdinfo");
	f->ki_foffset = procfd_info(text, "pos:", 10);
	/* The kernel adds whether the descriptor is closed by exec(3). */
	flags = procfd_info(text, "flags:", 8);
	f->ki_flag = (uint32_t)flags & ~(uint32_t)O_CLOEXEC;
	f->ki_ofileflags = (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
	return 1;
}

/* By its inode, which is looked at without asking a server for it. */
static void
procfd_inode(int fddir, const char *name, const char *link,
    struct kinfo_file *f)
{
	struct statx st;

	if (statx(fddir, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) ==
	    -1) {
		f->ki_unknown |= KVM_FILE_INODE;
		return;
	}
	f->ki_vsize = st.stx_size;
	f->ki_vfileid = st.stx_ino;
	f->ki_vfsid = (uint32_t)makedev(st.stx_dev_major, st.stx_dev_minor);
	f->ki_vmode = st.stx_mode;
	if (S_ISCHR(st.stx_mode) || S_ISBLK(st.stx_mode))
		f->ki_vrdev = (uint32_t)makedev(st.stx_rdev_major,
		    st.stx_rdev_minor);
	if (S_ISSOCK(st.stx_mode))
		f->ki_ftype = DTYPE_SOCKET;
	else if (strncmp(link, "pipe:", 5) == 0)
		f->ki_ftype = DTYPE_PIPE;
	else if (strncmp(link, "anon_inode:", 11) == 0)
		f->ki_ftype = DTYPE_MISC;
	else
		f->ki_ftype = DTYPE_VNODE;
}

/* Fills in one descriptor: 1; 0: it is closed meanwhile; -1 with a text. */
static int
procfd_file(kvm_t *kd, int fddir, int infodir, const char *name,
    struct kinfo_file *f, struct kvmi_texts *texts)
{
	char link[PATH_MAX];
	const ssize_t n = readlinkat(fddir, name, link, sizeof(link) - 1);
	int rv;

	if (n == -1 && kvmi_procfs_gone(errno))
		return 0;
	if (n == -1)
		return kvmi_syserr(kd, errno, "fd/%s", name);
	link[n] = '\0';
	f->ki_unknown = KVM_FILE_ADDR | KVM_FILE_CRED;
	f->ki_fuid = f->ki_fgid = UINT32_MAX;
	if ((rv = procfd_fdinfo(kd, infodir, name, f)) != 1)
		return rv;
	procfd_inode(fddir, name, link, f);
	f->ki_path = kvmi_texts_add(kd, texts, link, (size_t)n);
	return f->ki_path != NULL ? 1 : -1;
}

static int
procfd_cmp(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* The numbers that a directory lists, in order: how many, or -1 with a text. */
static ssize_t
procfd_numbers(kvm_t *kd, DIR *d, int **list)
{
	const struct dirent *e;
	size_t n = 0, cap = 0;
	int *more;

	*list = NULL;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		if (n == cap) {
			cap = cap * 2 + 64;
			if ((more = realloc(*list, cap * sizeof(**list))) ==
			    NULL) {
				free(*list);
				return kvmi_syserr(kd, ENOMEM, "%zu numbers",
				    n);
			}
			*list = more;
		}
		(*list)[n++] = atoi(e->d_name);
	}
	if (n > 1)
		qsort(*list, n, sizeof(**list), procfd_cmp);
	return (ssize_t)n;
}

/* Adds what is open in a process: fd and fdinfo are open. */
static int
procfd_add(kvm_t *kd, int pid, DIR *fds, int infodir, struct kvmi_elems *to,
    struct kvmi_texts *texts)
{
	struct kinfo_file f;
	char name[16];
	int *list, rv = 0;
	ssize_t i, n = procfd_numbers(kd, fds, &list);

	if (n == -1)
		return -1;
	for (i = 0; rv != -1 && i < n; i++) {
		memset(&f, 0, sizeof(f));
		f.ki_pid = pid;
		f.ki_fd = list[i];
		snprintf(name, sizeof(name), "%d", list[i]);
		rv = procfd_file(kd, dirfd(fds), infodir, name, &f, texts);
		if (rv == 1)
			rv = kvmi_elems_add(kd, to, &f, sizeof(f));
	}
	free(list);
	return rv == -1 ? -1 : 0;
}

/* A directory of a process; NULL with a text. */
static DIR *
procfd_opendir(kvm_t *kd, int dir, int pid, const char *name)
{
	const int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	int error = errno;

	if (d != NULL)
		return d;
	if (fd != -1)
		close(fd);
	procfd_refused(kd, error, pid, name);
	return NULL;
}

/* The descriptors of a process: 0, or -1 with a text. */
static int
procfd_process(kvm_t *kd, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts)
{
	struct kvmi_procstat ps;
	const int dir = kvmi_procfs_open(kd, pid, &ps);
	DIR *fds = NULL, *infos = NULL;
	int error, rv = -1;

	if (dir == -1)
		return -1;
	if ((fds = procfd_opendir(kd, dir, pid, "fd")) != NULL &&
	    (infos = procfd_opendir(kd, dir, pid, "fdinfo")) != NULL &&
	    (rv = procfd_add(kd, pid, fds, dirfd(infos), to, texts)) == -1)
		kvmi_prepend(kd, "/proc/%d", pid);
	error = errno;
	if (infos != NULL)
		closedir(infos);
	if (fds != NULL)
		closedir(fds);
	close(dir);
	errno = error;
	return rv;
}

/* An element that says whose files may not be looked at. */
static int
procfd_hidden(kvm_t *kd, int pid, struct kvmi_elems *to)
{
	const struct kinfo_file f = { .ki_pid = pid, .ki_fd = -1,
	    .ki_unknown = KVM_FILE_TABLE };

	return kvmi_elems_add(kd, to, &f, sizeof(f));
}

/* The descriptors of all processes. */
static int
procfd_all(kvm_t *kd, struct kvmi_elems *to, struct kvmi_texts *texts)
{
	struct kvmi_elems procs = { .buf = NULL };
	const struct kinfo_proc2 *p;
	int n = 0, i, rv;

	rv = kvmi_elems_begin(kd, &procs, sizeof(*p), &n);
	if (rv == 0)
		rv = kvmi_procops_live.procs(kd, KERN_PROC_ALL, 0, &procs);
	if (rv == 0)
		rv = kvmi_elems_count(kd, &procs, &n);
	p = (const void *)procs.buf;
	for (i = 0; rv == 0 && i < n; i++) {
		rv = procfd_process(kd, p[i].p_pid, to, texts);
		if (rv == -1 && (errno == EACCES || errno == EPERM))
			rv = procfd_hidden(kd, p[i].p_pid, to);
		else if (rv == -1 && kvmi_procfs_gone(errno))
			rv = 0;
	}
	kvmi_elems_fini(&procs);
	return rv;
}

int
kvmi_procfs_files(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts)
{
	if (op == KERN_FILE_BYFILE)
		return kvmi_err(kd, ENOTSUP, "the running system does not tell "
		    "which descriptors share an open file: KERN_FILE_BYPID "
		    "has each");
	return pid == -1 ? procfd_all(kd, to, texts) :
	    procfd_process(kd, pid, to, texts);
}
