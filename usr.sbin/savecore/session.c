/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c: one run.  Everything is opened first; then the worker, a process
 * with no privileges, looks at what is on the devices, and the keeper does the
 * little it is asked.
 *
 * The order is everything: a dump is cleared only once a verified copy is on
 * stable storage under its name.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "armid.h"
#include "keeper.h"
#include "savecore.h"

struct session {
	struct armid_list known;
	struct candidates where;
	struct dump *dumps;	/* one for each candidate */
	struct crashdir dir;
	int systemfd;
	int corefd;		/* what is to be converted or finished, or -1 */
};

/* ---- What is opened ---- */

static void
session_close(struct session *s)
{
	find_free(&s->where);
	dir_close(&s->dir);
	if (s->systemfd != -1)
		close(s->systemfd);
	if (s->corefd != -1)
		close(s->corefd);
	free(s->dumps);
	free(s);
}

static int
session_open_saving(struct session *s, const struct savecore_opts *opts)
{
	struct stat st;

	if (!opts->stream && dir_open(&s->dir, opts->directory) == -1)
		return -1;
	if (opts->system == NULL)
		return 0;
	s->systemfd = open(opts->system, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->systemfd == -1 || fstat(s->systemfd, &st) == -1) {
		msg_errno(LOG_ERR, "%s", opts->system);
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	msg(LOG_ERR, "%s: is not a regular file", opts->system);
	return -1;
}

/* The core to be converted, and where to. */
static int
session_open_converting(struct session *s, const struct savecore_opts *opts)
{
	struct stat st;

	s->corefd = open(opts->core, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->corefd == -1 || fstat(s->corefd, &st) == -1) {
		msg_errno(LOG_ERR, "%s", opts->core);
		return -1;
	}
	return opts->stream ? 0 : dir_open(&s->dir, opts->directory);
}

/* The core that what goes with it is to be made of. */
static int
session_open_finishing(struct session *s, const struct savecore_opts *opts)
{
	char name[NAME_MAX + 1];

	s->dir.number = opts->number;
	if (dir_open(&s->dir, opts->directory) == -1)
		return -1;
	if (!dir_core(&s->dir, opts->number, name))
		snprintf(name, sizeof(name), "linux.%u.core", opts->number);
	s->corefd = dir_open_ours(&s->dir, name);
	if (s->corefd != -1)
		return 0;
	msg_errno(LOG_ERR, "%s/%s", opts->directory, name);
	return -1;
}

/* What may have a dump, and where that is to go. */
static int
session_open_devices(struct session *s, const struct savecore_opts *opts,
    const struct candidates *failed)
{
	if (armid_read(&s->known) == -1 ||
	    find_candidates(&s->where, opts->device, &s->known) == -1)
		return -1;
	if (failed != NULL)
		find_pass_over(&s->where, failed);
	if (find_open(&s->where, opts->device != NULL) == -1)
		return -1;
	s->dumps = calloc(s->where.n + 1, sizeof(*s->dumps));
	if (s->dumps == NULL) {
		msg_errno(LOG_ERR, "no memory");
		return -1;
	}
	return opts->mode == SAVECORE_SAVE ? session_open_saving(s, opts) : 0;
}

static int
session_open_all(struct session *s, const struct savecore_opts *opts,
    const struct candidates *failed)
{
	switch (opts->mode) {
	case SAVECORE_CONVERT:
		return session_open_converting(s, opts);
	case SAVECORE_FINISH:
		return session_open_finishing(s, opts);
	default:
		return session_open_devices(s, opts, failed);
	}
}

static struct session *
session_open(const struct savecore_opts *opts, const struct candidates *failed)
{
	const bool finish = opts->mode == SAVECORE_FINISH;
	struct session *s;

	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		msg_errno(LOG_ERR, "no memory");
		return NULL;
	}
	s->dir.fd = s->systemfd = s->corefd = -1;
	s->dir.wait = opts->boot || finish;
	s->dir.part = finish ? CRASHDIR_REST : opts->boot ? CRASHDIR_CORE :
	    CRASHDIR_ALL;
	s->dir.suffix = opts->format->suffix;
	s->dir.output = opts->output;
	s->dir.maxdumps = opts->maxdumps;
	if (session_open_all(s, opts, failed) == 0)
		return s;
	session_close(s);
	return NULL;
}

/* ---- The worker: which dump ---- */

/*
 * Dumps that were not saved come first, then those that stayed because they are
 * damaged, and of each the newest: what was armed last, whatever the clock said;
 * and of one panic's the device that was tried last, whose trailers went on
 * counting where the others' had ended.
 */
static bool
session_before(const struct dump *a, const struct dump *b)
{
	if (a->cleared != b->cleared)
		return !a->cleared;
	if (a->held != b->held)
		return !a->held;
	if (a->arming != b->arming && a->arming != 0 && b->arming != 0)
		return a->arming > b->arming;
	if (a->di.di_time_ns != b->di.di_time_ns)
		return a->di.di_time_ns > b->di.di_time_ns;
	return a->di.di_seq > b->di.di_seq;
}

/* The dump that counts, or NULL.  cleared: those that were saved count too. */
static struct dump *
session_pick(struct session *s, bool cleared)
{
	struct dump *best = NULL, *d;
	size_t i;

	for (i = 0; i < s->where.n; i++) {
		d = &s->dumps[i];
		if (!d->found || (d->cleared && !cleared))
			continue;
		if (best == NULL || session_before(d, best))
			best = d;
	}
	return best;
}

static void
session_tell_others(const struct session *s, const struct dump *best)
{
	const struct dump *d;
	size_t i;

	for (i = 0; i < s->where.n; i++) {
		d = &s->dumps[i];
		if (d == best || !d->found || d->cleared || d->held)
			continue;
		if (d->di.di_time_ns == best->di.di_time_ns && d->arming != 0 &&
		    d->arming == best->arming)
			msg(LOG_NOTICE, "%s: has what the same panic wrote "
			    "there before it failed: savecore -D %s saves it",
			    d->path, d->path);
		else
			msg(LOG_NOTICE, "%s: has an older dump: savecore -D %s "
			    "saves it", d->path, d->path);
	}
}

/* Only -a goes on with other devices where one fails. */
static void
session_begin(size_t index, const struct savecore_opts *opts)
{
	if (opts->boot)
		ask_begin(index);
}

static void
session_end(size_t index, const struct savecore_opts *opts)
{
	if (opts->boot)
		ask_end(index);
}

static int
session_look(struct session *s, const struct savecore_opts *opts)
{
	const struct candidate *where;
	size_t i;

	for (i = 0; i < s->where.n; i++) {
		where = &s->where.list[i];
		if (where->fd == -1)
			continue;
		if (opts->verbose)
			msg(LOG_INFO, "looking at %s", where->path);
		session_begin(i, opts);
		if (dump_open(&s->dumps[i], where) == 0 &&
		    dump_look(&s->dumps[i], &s->known, opts->force) == 0)
			session_end(i, opts);
		else if (opts->device != NULL)
			return -1;
		else
			s->where.list[i].failed = true;
	}
	return 0;
}

/* Which of them were saved, and stay until somebody clears them? */
static void
session_find_held(struct session *s, const struct savecore_opts *opts)
{
	struct dump *d;
	size_t i;

	if (opts->force || opts->output != NULL)
		return;
	for (i = 0; i < s->where.n; i++) {
		d = &s->dumps[i];
		d->held = d->found && !d->cleared &&
		    ask_held(d->di.di_dump_id, &d->held_as);
	}
}

/*
 * Gets the dump's device for writing.  0; 1: it is in use, and what is written
 * to swap in use would end up in somebody's memory; -1.
 */
static int
session_writable(struct session *s, struct dump *d,
    const struct savecore_opts *opts)
{
	int error, fd;

	error = ask_device((size_t)(d - s->dumps), &fd);
	if (error == EBUSY || error == ETXTBSY)
		return 1;
	if (error != 0) {
		msg(LOG_ERR, "%s: can't be written: %s", d->path,
		    strerror(error));
		return -1;
	}
	if (dump_reopen(d, fd) == -1)
		return -1;
	if (dump_look(d, &s->known, opts->force) == 0 && d->found)
		return 0;
	msg(LOG_ERR, "%s: the dump is gone", d->path);
	return -1;
}

/* ---- The worker: what is done with it ---- */

static int
session_wipe(const struct dump *d, const struct savecore_opts *opts)
{
	if (wipe_device(d->wrfd, d->path, d->where->map.next > 0) == -1)
		return -1;
	if (opts->verbose)
		msg(LOG_NOTICE, "%s: wiped", d->path);
	return 0;
}

/* What became of it at boot.  r: save_dump()'s. */
static void
session_tell_saved(const struct dump *d, const struct savecore_opts *opts,
    int r)
{
	if (r == 0)
		msg(LOG_NOTICE, "%s: the dump is saved in %s, and cleared",
		    d->path, opts->directory);
	else
		msg(LOG_NOTICE, "%s: what was begun there is cleared", d->path);
}

static int
session_save_one(struct session *s, struct dump *d,
    const struct savecore_opts *opts)
{
	int busy, r;

	busy = opts->keep ? 0 : session_writable(s, d, opts);
	if (busy == -1 || (r = save_dump(d, opts, s->systemfd)) == -1)
		return -1;
	if (busy == 1) {
		msg(LOG_ERR, "%s: is in use, so that the dump can't be "
		    "cleared: swapoff(8) or umount(8) it, and clear it with "
		    "savecore -c -D %s", d->path, d->path);
		return -1;
	}
	if (opts->keep) {
		msg(LOG_NOTICE, "%s: the dump is kept%s%s%s", d->path,
		    opts->output == NULL ? "" : ": once the copy is safe, "
		    "savecore -c -D ", opts->output == NULL ? "" : d->path,
		    opts->output == NULL ? "" : " clears it");
		return r == 0 ? 0 : -1;
	}
	/* Where there was nothing to save there is nothing to keep, nor at boot
	 * anything to wait for. */
	if (dump_clear(d, &s->known) == -1 ||
	    (opts->wipe && session_wipe(d, opts) == -1))
		return -1;
	if (opts->boot)
		session_tell_saved(d, opts, r);
	return r == 0 || opts->boot ? 0 : -1;
}

static int
session_save(struct session *s, const struct savecore_opts *opts)
{
	struct dump *d;
	int r;

	session_find_held(s, opts);
	d = session_pick(s, opts->force);
	/* There was one, but it was another run that this one waited for. */
	if (d == NULL && opts->boot)
		return 1;
	if (d == NULL) {
		msg(LOG_WARNING, "no core dump");
		return -1;
	}
	/* At boot it is their turn next. */
	if (!opts->boot)
		session_tell_others(s, d);
	session_begin((size_t)(d - s->dumps), opts);
	r = session_save_one(s, d, opts);
	if (r == 0)
		session_end((size_t)(d - s->dumps), opts);
	return r;
}

static int
session_clear_one(struct session *s, struct dump *d,
    const struct savecore_opts *opts)
{
	int busy = session_writable(s, d, opts);

	if (busy == 1)
		msg(LOG_ERR, "%s: is in use, so that the dump can't be "
		    "cleared: swapoff(8) or umount(8) it first", d->path);
	if (busy != 0)
		return -1;
	if (!d->cleared && dump_clear(d, &s->known) == -1)
		return -1;
	if (opts->verbose && !opts->wipe)
		msg(LOG_NOTICE, "%s: dump cleared", d->path);
	return opts->wipe ? session_wipe(d, opts) : 0;
}

/* Clears all that there are, and wipes those that were cleared before.  One that
 * can't be looked at may have a dump. */
static int
session_clear(struct session *s, const struct savecore_opts *opts)
{
	struct dump *d;
	size_t i;
	int r = 0;

	if (session_pick(s, true) == NULL) {
		msg(LOG_WARNING, "no core dump");
		return -1;
	}
	for (i = 0; i < s->where.n; i++) {
		d = &s->dumps[i];
		if (s->where.list[i].failed || (d->found &&
		    (!d->cleared || opts->wipe) &&
		    session_clear_one(s, d, opts) == -1))
			r = -1;
	}
	return r;
}

static int
session_check(struct session *s, const struct savecore_opts *opts)
{
	const struct dump *d = session_pick(s, false);

	if (opts->verbose && d == NULL)
		msg(LOG_NOTICE, "no core dump");
	else if (opts->verbose)
		msg(LOG_NOTICE, "%s: there is a dump", d->path);
	return d == NULL ? 1 : 0;
}

static int
session_work(struct session *s, const struct savecore_opts *opts)
{
	if (opts->mode == SAVECORE_CONVERT)
		return convert(s->corefd, opts);
	if (opts->mode == SAVECORE_FINISH)
		return finish_core(s->corefd, opts);
	if (session_look(s, opts) == -1)
		return -1;
	switch (opts->mode) {
	case SAVECORE_CLEAR:
		return session_clear(s, opts);
	case SAVECORE_CHECK:
		return session_check(s, opts);
	default:
		return session_save(s, opts);
	}
}

/* The worker's process; does not return. */
__attribute__((noreturn)) static void
session_worker(struct session *s, const struct savecore_opts *opts, int sock)
{
	size_t i;
	int r = -1;

	dir_close(&s->dir);
	ask_init(sock);
	if (priv_drop() == 0)
		r = session_work(s, opts);
	for (i = 0; i < s->where.n; i++)
		dump_close(&s->dumps[i]);
	if (fflush(stdout) == EOF) {
		msg_errno(LOG_ERR, "standard output");
		r = -1;
	}
	_exit(r == 0 ? 0 : r == 1 ? KEEPER_NO_DUMP : 1);
}

static int
session_run(struct session *s, const struct savecore_opts *opts)
{
	int sock[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) == -1 ||
	    fflush(stdout) == EOF || (pid = fork()) == -1) {
		msg_errno(LOG_ERR, "can't start what reads the dump");
		return -1;
	}
	if (pid == 0) {
		close(sock[0]);
		session_worker(s, opts, sock[1]);
	}
	close(sock[1]);
	return keeper_serve(sock[0], pid, &s->where, &s->dir);
}

int
session_do(const struct savecore_opts *opts, struct candidates *failed)
{
	struct session *s = session_open(opts, failed);
	size_t i;
	int r;

	if (s == NULL)
		return -1;
	r = session_run(s, opts);
	for (i = 0; failed != NULL && i < s->where.n; i++)
		if (s->where.list[i].failed &&
		    find_put(failed, &s->where.list[i]) == -1)
			r = -1;
	session_close(s);
	return r;
}
