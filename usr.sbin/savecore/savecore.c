/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savecore.c: savecore(8), save the dump of a kernel that died.
 *
 * The order is everything: a dump is cleared only once a verified copy is on
 * stable storage under its name.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "armid.h"
#include "savecore.h"

#define SAVECORE_DIR	"/var/crash"

__attribute__((noreturn)) static void
usage(void)
{
	fprintf(stderr,
	    "usage: savecore [-fvz] [-D device] [-N system] [-Z level] "
	    "[directory]\n"
	    "       savecore -c [-v] [-D device] [-N system]\n"
	    "       savecore -n [-v] [-D device] [-N system]\n");
	exit(1);
}

static void
parse_mode(struct savecore_opts *opts, enum savecore_mode mode)
{
	if (opts->mode != SAVECORE_SAVE && opts->mode != mode)
		usage();
	opts->mode = mode;
}

static void
parse(struct savecore_opts *opts, int argc, char **argv)
{
	bool level = false;
	int ch;

	memset(opts, 0, sizeof(*opts));
	opts->directory = SAVECORE_DIR;
	opts->level = 1;
	opterr = 0;
	while ((ch = getopt(argc, argv, "cD:fN:nvZ:z")) != -1) {
		switch (ch) {
		case 'c':
			parse_mode(opts, SAVECORE_CLEAR);
			break;
		case 'D':
			opts->device = optarg;
			break;
		case 'f':
			opts->force = true;
			break;
		case 'N':
			opts->system = optarg;
			break;
		case 'n':
			parse_mode(opts, SAVECORE_CHECK);
			break;
		case 'v':
			opts->verbose = true;
			break;
		case 'Z':
			if (!isdigit((unsigned char)optarg[0]) ||
			    optarg[1] != '\0')
				usage();
			opts->level = optarg[0] - '0';
			level = true;
			break;
		case 'z':
			opts->compress = true;
			break;
		default:
			usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (opts->mode != SAVECORE_SAVE &&
	    (argc > 0 || opts->force || opts->compress || level))
		usage();
	if (argc > 1)
		usage();
	if (argc == 1)
		opts->directory = argv[0];
}

/* What is opened before the privileges go. */
struct session {
	struct armid_list known;
	struct candidates where;
	struct dump *dumps;	/* one for each candidate */
	struct crashdir dir;
	int systemfd;
};

static int
session_open_saving(struct session *s, const struct savecore_opts *opts)
{
	struct stat st;

	if (dir_open(&s->dir, opts->directory) == -1)
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

/*
 * A device named by -D is opened for writing at once; among many they are all
 * read first, and only the one that has the dump is opened for writing.
 */
static int
session_open(struct session *s, const struct savecore_opts *opts)
{
	int flags = O_RDONLY;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->dir.fd = s->systemfd = -1;
	if (opts->device != NULL && opts->mode != SAVECORE_CHECK)
		flags = O_RDWR;
	if (armid_read(&s->known) == -1 ||
	    find_candidates(&s->where, opts->device) == -1)
		return -1;
	s->dumps = calloc(s->where.n + 1, sizeof(*s->dumps));
	if (s->dumps == NULL) {
		msg_errno(LOG_ERR, "looking for dumps");
		return -1;
	}
	for (i = 0; i < s->where.n; i++) {
		if (opts->verbose)
			msg(LOG_INFO, "looking at %s", s->where.list[i].path);
		if (dump_open(&s->dumps[i], &s->where.list[i], flags) == -1 &&
		    opts->device != NULL)
			return -1;
	}
	if (opts->mode == SAVECORE_SAVE)
		return session_open_saving(s, opts);
	return 0;
}

static void
session_close(struct session *s)
{
	size_t i;

	for (i = 0; s->dumps != NULL && i < s->where.n; i++)
		dump_close(&s->dumps[i]);
	free(s->dumps);
	find_free(&s->where);
	dir_close(&s->dir);
	if (s->systemfd != -1)
		close(s->systemfd);
}

/* Dumps that were not saved come first, and of those the newest. */
static bool
session_before(const struct dump *a, const struct dump *b)
{
	if (a->cleared != b->cleared)
		return !a->cleared;
	return a->di.di_time_ns > b->di.di_time_ns;
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
		if (d != best && d->found && !d->cleared)
			msg(LOG_NOTICE, "%s: has an older dump: run savecore "
			    "again for it", d->path);
	}
}

/* Opens it for writing where that is still to be done. */
static int
session_writable(const struct session *s, struct dump *d,
    const struct savecore_opts *opts)
{
	const struct candidate *where = d->where;

	if (opts->device != NULL)
		return 0;
	dump_close(d);
	if (dump_open(d, where, O_RDWR) == -1)
		return -1;
	if (dump_look(d, &s->known, opts->force) == 0 && d->found)
		return 0;
	msg(LOG_ERR, "%s: the dump is gone", d->path);
	return -1;
}

static int
session_save(struct session *s, const struct savecore_opts *opts)
{
	struct dump *d = session_pick(s, opts->force);

	if (d == NULL) {
		msg(LOG_WARNING, "no core dump");
		return -1;
	}
	session_tell_others(s, d);
	if (session_writable(s, d, opts) == -1 ||
	    save_dump(d, opts, &s->dir, s->systemfd) == -1)
		return -1;
	return dump_clear(d, &s->known);
}

/* Clears all that there are. */
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
		if (!d->found || d->cleared)
			continue;
		if (session_writable(s, d, opts) == -1 ||
		    dump_clear(d, &s->known) == -1)
			r = -1;
		else if (opts->verbose)
			msg(LOG_NOTICE, "%s: dump cleared", d->path);
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
	return d == NULL ? -1 : 0;
}

static int
session_run(struct session *s, const struct savecore_opts *opts)
{
	size_t i;

	for (i = 0; i < s->where.n; i++) {
		if (s->dumps[i].kd != NULL && dump_look(&s->dumps[i],
		    &s->known, opts->force) == -1 && opts->device != NULL)
			return -1;
	}
	switch (opts->mode) {
	case SAVECORE_CLEAR:
		return session_clear(s, opts);
	case SAVECORE_CHECK:
		return session_check(s, opts);
	default:
		return session_save(s, opts);
	}
}

int
main(int argc, char **argv)
{
	struct savecore_opts parsed;
	const struct savecore_opts *opts = &parsed;
	struct session s;
	int r;

	parse(&parsed, argc, argv);
	msg_open();
	umask(077);
	priv_limit();
	r = session_open(&s, opts);
	priv_drop();
	if (r == 0)
		r = session_run(&s, opts);
	session_close(&s);
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return r == 0 ? 0 : 1;
}
