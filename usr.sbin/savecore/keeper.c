/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.c: the part of savecore(8) that keeps its privileges.
 *
 * It believes nothing the worker says: every request is checked here, and what
 * the worker could spoil is looked at again when it is gone.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "hook.h"
#include "keeper.h"

/* What hooks are told of, and the name of each that goes with the newest core,
 * which is the first. */
static const struct {
	enum keeper_file what;
	const char *key, *link;
} keeper_told[] = {
	{ KEEPER_CORE, "core", "linux.core.last" },
	{ KEEPER_KERNEL, "kernel", "linux.last" },
	{ KEEPER_INFO, "info", "info.last" },
	{ KEEPER_DMESG, "dmesg", "dmesg.last" },
};

#define KEEPER_NTOLD	(sizeof(keeper_told) / sizeof(keeper_told[0]))

/* A device that the worker may write. */
struct keeper_device {
	int fd;			/* -1: not asked for */
	unsigned char page0[KCORE_ALIGN];
};

struct keeper {
	struct candidates *where;
	struct keeper_device *devices;	/* one for each candidate */
	const struct crashdir *dir;
	bool numbered;
	unsigned int number;
	struct dirfile files[KEEPER_NFILES];
	bool created[KEEPER_NFILES], committed[KEEPER_NFILES];
};

/* A file without a name, for what hooks are told. */
static int
keeper_facts(struct keeper *k, int *fd)
{
	struct dirfile *f = &k->files[KEEPER_FACTS];

	f->fd = memfd_create("facts", MFD_CLOEXEC);
	if (f->fd == -1)
		return errno;
	k->created[KEEPER_FACTS] = true;
	*fd = f->fd;
	return 0;
}

/* Is it there already?  Then it is as if it had been made. */
static bool
keeper_found(struct keeper *k, enum keeper_file what, const char *name)
{
	if (!dir_there(k->dir, name))
		return false;
	snprintf(k->files[what].name, sizeof(k->files[what].name), "%s", name);
	k->created[what] = k->committed[what] = true;
	return true;
}

/* May the worker have it, as far as this run goes? */
static bool
keeper_may_create(const struct keeper *k, const struct keeper_ask *ask)
{
	if (ask->what >= KEEPER_NFILES || ask->arg >= KEEPER_NPACKINGS ||
	    k->created[ask->what] || k->dir->fd == -1)
		return false;
	if (k->dir->part == CRASHDIR_REST)
		return ask->what == KEEPER_KERNEL || ask->what == KEEPER_DMESG;
	return k->dir->output == NULL || ask->what == KEEPER_CORE;
}

static int
keeper_create(struct keeper *k, const struct keeper_ask *ask, int *fd)
{
	char name[NAME_MAX + 1];

	if (!keeper_may_create(k, ask))
		return EINVAL;
	if (ask->what == KEEPER_FACTS)
		return keeper_facts(k, fd);
	if (k->dir->output == NULL && !k->numbered &&
	    dir_number(k->dir, &k->number) == -1)
		return EIO;
	k->numbered = true;
	keeper_name(name, k->dir, ask->what, k->number,
	    (enum keeper_packing)ask->arg);
	/* A run that was cut short made it. */
	if (k->dir->part == CRASHDIR_REST && keeper_found(k, ask->what, name))
		return EEXIST;
	if (dir_create(k->dir, &k->files[ask->what], name) == -1)
		return EIO;
	k->created[ask->what] = true;
	*fd = k->files[ask->what].fd;
	return 0;
}

static int
keeper_commit(struct keeper *k, const struct keeper_ask *ask)
{
	/* Facts of a core to be finished are open, but were made before. */
	if (ask->what >= KEEPER_NFILES || !k->created[ask->what] ||
	    k->files[ask->what].fd == -1)
		return EINVAL;
	if (ask->what == KEEPER_CORE && k->dir->part == CRASHDIR_CORE)
		pending_put(k->dir, k->number);
	if (ask->what != KEEPER_FACTS &&
	    dir_commit(k->dir, &k->files[ask->what]) == -1)
		return EIO;
	k->committed[ask->what] = true;
	return 0;
}

/* Is it still what was found, and does nobody use it? */
static int
keeper_open(const struct candidate *where, int *fd)
{
	struct stat st;
	int excl;

	if (where->in_use)
		return EBUSY;
	/* What is swap, mounted, or an armed dump partition is EBUSY. */
	excl = where->block ? O_EXCL : 0;
	*fd = open(where->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | excl);
	if (*fd == -1)
		return errno;
	if (fstat(*fd, &st) == 0 && find_same(where, &st))
		return 0;
	close(*fd);
	*fd = -1;
	return ENODEV;
}

static int
keeper_device(struct keeper *k, const struct keeper_ask *ask, int *fd)
{
	const struct candidate *where;
	struct keeper_device *dev;
	int error;

	if (ask->what >= k->where->n || k->devices[ask->what].fd != -1)
		return EINVAL;
	where = &k->where->list[ask->what];
	dev = &k->devices[ask->what];
	error = keeper_open(where, &dev->fd);
	if (error == 0 && pread(dev->fd, dev->page0, sizeof(dev->page0), 0) !=
	    (ssize_t)sizeof(dev->page0)) {
		close(dev->fd);
		dev->fd = -1;
		error = EIO;
	}
	*fd = dev->fd;
	return error;
}

/* Is what is done to a candidate not done yet? */
static int
keeper_in_hand(struct keeper *k, const struct keeper_ask *ask)
{
	if (ask->what >= k->where->n)
		return EINVAL;
	k->where->list[ask->what].failed = ask->op == KEEPER_BEGIN;
	return 0;
}

static int
keeper_answer(struct keeper *k, int sock, const struct keeper_ask *ask)
{
	struct keeper_answer a = { 0, 0 };
	int fd = -1;

	switch (ask->op) {
	case KEEPER_SPACE:
		a.error = k->dir->fd == -1 ? EINVAL :
		    dir_space(k->dir, ask->arg, ask->what != 0) == 1 ? 0 :
		    ENOSPC;
		break;
	case KEEPER_CREATE:
		a.error = keeper_create(k, ask, &fd);
		a.number = k->number;
		break;
	case KEEPER_COMMIT:
		a.error = keeper_commit(k, ask);
		break;
	case KEEPER_HELD:
		a.error = k->dir->fd == -1 ? EINVAL :
		    dir_held(k->dir, ask->id, &a.number) ? 0 : ENOENT;
		break;
	case KEEPER_DEVICE:
		a.error = keeper_device(k, ask, &fd);
		break;
	case KEEPER_BEGIN:
	case KEEPER_END:
		a.error = keeper_in_hand(k, ask);
		break;
	default:
		a.error = EINVAL;
		break;
	}
	return keeper_send(sock, &a, sizeof(a), a.error == 0 ? fd : -1);
}

/* Page 0 belongs to swap or is the label: it must be what it was. */
static int
keeper_check_page0(const struct candidate *where, struct keeper_device *dev)
{
	unsigned char page[KCORE_ALIGN];
	int r = 0;

	/* The worker shares it, and what it does past the page cache, or by
	 * appending, is not for this. */
	(void)fcntl(dev->fd, F_SETFL, 0);
	(void)posix_fadvise(dev->fd, 0, sizeof(page), POSIX_FADV_DONTNEED);
	if (pread(dev->fd, page, sizeof(page), 0) != (ssize_t)sizeof(page)) {
		msg_errno(LOG_ERR, "%s: page 0", where->path);
		return -1;
	}
	if (memcmp(page, dev->page0, sizeof(page)) == 0)
		return 0;
	r = pwrite(dev->fd, dev->page0, sizeof(page), 0) ==
	    (ssize_t)sizeof(page) && fsync(dev->fd) == 0 ? 0 : -1;
	msg(LOG_CRIT, "%s: page 0 was changed by what read the dump%s",
	    where->path, r == 0 ? ": it is as before again" : "");
	return -1;
}

/* The name of a file that is there; or NULL. */
static const char *
keeper_made(const struct keeper *k, enum keeper_file what)
{
	return k->committed[what] ? k->files[what].name : NULL;
}

/* The full path of a file; of the directory where name is empty; or nothing. */
static void
keeper_hook_file(const struct keeper *k, struct hook_env *env, const char *key,
    const char *name)
{
	char dir[PATH_MAX], fd[64], path[2 * PATH_MAX];
	ssize_t n;

	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", k->dir->fd);
	n = readlink(fd, dir, sizeof(dir) - 1);
	dir[n == -1 ? 0 : n] = '\0';
	snprintf(path, sizeof(path), "%s%s%s", n == -1 ? k->dir->path : dir,
	    name == NULL || name[0] == '\0' ? "" : "/",
	    name == NULL ? "" : name);
	hook_add(env, key, name == NULL ? "" : path);
}

/*
 * Runs hooks.  status: what savecore ends with.  All there can be is told, so
 * that no fact takes its place.
 */
static void
keeper_hooks(const struct keeper *k, const char *report, int status)
{
	struct hook_env env = { .n = 0 };
	char text[32];
	size_t i;

	snprintf(text, sizeof(text), "%u", k->number);
	hook_add(&env, "number", text);
	hook_add(&env, "status", status == 0 ? "0" : "1");
	keeper_hook_file(k, &env, "directory", "");
	for (i = 0; i < KEEPER_NTOLD; i++)
		keeper_hook_file(k, &env, keeper_told[i].key,
		    keeper_made(k, keeper_told[i].what));
	keeper_hook_file(k, &env, "report", report);
	if (k->committed[KEEPER_FACTS])
		hook_add_facts(&env, k->files[KEEPER_FACTS].fd);
	hook_run_all(&env, k->dir->fd);
	hook_env_free(&env);
}

/* The newest files, by names that stay.  A core that is not the newest any more
 * has none. */
static void
keeper_links(const struct keeper *k, const char *report)
{
	size_t i;

	if (k->dir->part == CRASHDIR_REST && !dir_linked(k->dir,
	    keeper_told[0].link, keeper_made(k, keeper_told[0].what)))
		return;
	for (i = 0; i < KEEPER_NTOLD; i++)
		dir_link(k->dir, keeper_told[i].link,
		    keeper_made(k, keeper_told[i].what));
	dir_link(k->dir, "crash.txt.last", report);
}

/* What goes with a core once that is there. */
static void
keeper_complete(struct keeper *k, int status)
{
	char report[64];
	bool reported;

	if (!k->committed[KEEPER_CORE] || k->dir->output != NULL)
		return;
	if (k->dir->part == CRASHDIR_CORE) {
		keeper_links(k, NULL);
		pending_ended(k->dir, k->number, status);
		return;
	}
	snprintf(report, sizeof(report), REPORT_NAME, k->number);
	reported = (k->dir->part == CRASHDIR_REST &&
	    dir_there(k->dir, report)) || report_write(k->dir,
	    k->files[KEEPER_CORE].name, k->number);
	keeper_links(k, reported ? report : NULL);
	dir_prune(k->dir, k->number);
	if (k->dir->part == CRASHDIR_REST) {
		/* They may take long, and another savecore may be waiting. */
		status = pending_status(k->dir, k->number);
		(void)flock(k->dir->fd, LOCK_UN);
	}
	keeper_hooks(k, reported ? report : NULL, status);
	if (k->dir->part == CRASHDIR_REST)
		pending_drop(k->dir, k->number);
}

static int
keeper_finish(struct keeper *k, int status)
{
	size_t i;
	int r = status;

	for (i = 0; i < KEEPER_FACTS; i++)
		dir_abort(k->dir, &k->files[i]);
	for (i = 0; i < k->where->n; i++) {
		if (k->devices[i].fd == -1)
			continue;
		if (keeper_check_page0(&k->where->list[i],
		    &k->devices[i]) == -1) {
			k->where->list[i].failed = true;
			r = -1;
		}
		close(k->devices[i].fd);
	}
	free(k->devices);
	keeper_complete(k, r);
	if (k->files[KEEPER_FACTS].fd != -1)
		close(k->files[KEEPER_FACTS].fd);
	return r;
}

/* The core, and what is known of it, were saved before. */
static void
keeper_init_rest(struct keeper *k)
{
	char name[NAME_MAX + 1];

	k->number = k->dir->number;
	k->numbered = true;
	if (dir_core(k->dir, k->number, name))
		(void)keeper_found(k, KEEPER_CORE, name);
	keeper_name(name, k->dir, KEEPER_INFO, k->number, KEEPER_PLAIN);
	if (!keeper_found(k, KEEPER_INFO, name))
		return;
	k->files[KEEPER_FACTS].fd = dir_open_ours(k->dir, name);
	k->committed[KEEPER_FACTS] = k->files[KEEPER_FACTS].fd != -1;
}

static int
keeper_init(struct keeper *k, struct candidates *where,
    const struct crashdir *dir)
{
	size_t i;

	memset(k, 0, sizeof(*k));
	k->where = where;
	k->dir = dir;
	k->devices = calloc(where->n + 1, sizeof(*k->devices));
	if (k->devices == NULL) {
		msg_errno(LOG_ERR, "no memory");
		return -1;
	}
	for (i = 0; i < where->n; i++)
		k->devices[i].fd = -1;
	for (i = 0; i < KEEPER_NFILES; i++)
		k->files[i].fd = -1;
	if (dir->part == CRASHDIR_REST)
		keeper_init_rest(k);
	return 0;
}

/* Until the worker closes the socket, by which it ends. */
static int
keeper_loop(struct keeper *k, int sock)
{
	struct keeper_ask ask;
	int fd, r;

	while ((r = keeper_recv(sock, &ask, sizeof(ask), &fd)) == 1) {
		if (fd != -1)
			close(fd);
		if (keeper_answer(k, sock, &ask) == -1)
			r = -1;
		if (r == -1)
			break;
	}
	if (r == -1)
		msg_errno(LOG_ERR, "talking with what reads the dump");
	return r;
}

/* Sees that it ends, and says how it did. */
static int
keeper_reap(pid_t worker)
{
	pid_t pid;
	int status;

	/* It has ended, or it can't be talked with. */
	(void)kill(worker, SIGKILL);
	do
		pid = waitpid(worker, &status, 0);
	while (pid == -1 && errno == EINTR);
	if (pid == -1) {
		msg_errno(LOG_ERR, "waiting for what reads the dump");
		return -1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_NO_DUMP)
		return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 ? 0 : -1;
	msg(LOG_ERR, "what reads the dump was ended by signal %d",
	    WTERMSIG(status));
	return -1;
}

int
keeper_serve(int sock, pid_t worker, struct candidates *where,
    const struct crashdir *dir)
{
	struct keeper k;
	int ended, r;

	r = keeper_init(&k, where, dir);
	if (r == 0)
		r = keeper_loop(&k, sock);
	close(sock);
	ended = keeper_reap(worker);
	if (r == 0)
		r = ended;
	return k.devices != NULL ? keeper_finish(&k, r) : r;
}
