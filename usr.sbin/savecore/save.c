/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * save.c: one dump, from the device to the directory.
 *
 * Nothing is cleared here.  What this returns says whether it may be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

#define NSEC		1000000000u
#define SAVE_LEEWAY	(60 * 24 * 3600)	/* seconds */
#define SAVE_BUFSZ	(1u << 20)

/* What the kernel had to say, and when. */
static void
save_announce(const struct dump *d, const struct savecore_opts *opts)
{
	time_t when = (time_t)(d->di.di_time_ns / NSEC);
	char text[TEXT_ENCODED(sizeof(d->di.di_panicstr))], date[32];

	if (d->di.di_panicstr[0] != '\0')
		msg(LOG_ALERT, "reboot after panic: %s", text_encode(text,
		    sizeof(text), d->di.di_panicstr,
		    sizeof(d->di.di_panicstr)));
	else
		msg(LOG_ALERT, "reboot");
	if (ctime_r(&when, date) != NULL) {
		/* ctime_r(3) ends it. */
		fprintf(opts->stream ? stderr : stdout,
		    "savecore: system went down at %s", date);
		fflush(stdout);
	}
	if (d->where->in_use)
		msg(LOG_WARNING, "%s: is in use as swap, which may have "
		    "overwritten the dump: run savecore before swapon",
		    d->path);
}

static bool
save_time_ok(const struct dump *d)
{
	int64_t when = (int64_t)(d->di.di_time_ns / NSEC);
	int64_t now = (int64_t)time(NULL);

	if (when - now <= SAVE_LEEWAY && now - when <= SAVE_LEEWAY)
		return true;
	msg(LOG_WARNING, "%s: dump time is unreasonable: more than 60 days "
	    "from now", d->path);
	return false;
}

/* Did the kernel get to the end? */
static bool
save_state_ok(const struct dump *d)
{
	if (d->di.di_state == KCORE_STATE_COMPLETE ||
	    d->di.di_state == KCORE_STATE_SAVED)
		return true;
	msg(LOG_WARNING, "%s: the dump is incomplete: %" PRIu64 " of %" PRIu64
	    " KiB were written%s%s", d->path, d->di.di_data_valid / 1024,
	    d->di.di_data_size / 1024, d->di.di_error != 0 ? ": " : "",
	    d->di.di_error != 0 ? strerror(d->di.di_error) : "");
	return false;
}

/* 0: it was cleared.  Anything else is damage, which the checksums find. */
static bool
save_magic_ok(const struct dump *d)
{
	if (d->dumpmag == KCORE_DUMPMAG)
		return true;
	msg(LOG_WARNING, "%s: magic number mismatch (0x%x != 0x%x)", d->path,
	    d->dumpmag, KCORE_DUMPMAG);
	return d->dumpmag != 0;
}

static int
save_refuse(const struct dump *d)
{
	msg(LOG_WARNING, "%s: dump not saved: -f saves what is there", d->path);
	return -1;
}

/* All that -f overrides. */
static int
save_check(const struct dump *d, const struct savecore_opts *opts,
    int systemfd)
{
	uint64_t need = d->di.di_data_valid;
	struct stat st;
	bool ok;

	if (systemfd != -1 && fstat(systemfd, &st) == 0)
		need += (uint64_t)st.st_size;
	ok = save_magic_ok(d);
	/* Whose clock is wrong at boot wants the dump all the same. */
	ok = (save_time_ok(d) || opts->boot) && ok;
	ok = (save_state_ok(d) || opts->boot) && ok;
	/* With -d, what is left of it will be asked for. */
	ok = (opts->nfilter > 0 || save_fits(d->kd, need, opts)) && ok;
	if (ok)
		return 0;
	if (opts->force)
		return 0;
	return save_refuse(d);
}

/* Is what was saved all there is, and checked?  0: yes; 1: no. */
static int
save_verdict(const struct copy *c, const struct outfile *out)
{
	if (c->size < c->planned)
		msg(LOG_WARNING, "WARNING: core may be incomplete");
	if (c->ndamaged > 0) {
		msg(LOG_WARNING, "%s: %" PRIu64 " of %" PRIu64 " chunks are "
		    "damaged; %s has the rest, and the dump stays: "
		    "savecore -c -D %s clears it", c->path, c->ndamaged,
		    (c->size + KCORE_CHUNK - 1) / KCORE_CHUNK, out->path,
		    c->path);
		return 1;
	}
	if (c->nunsure > 0 && c->size == c->planned) {
		msg(LOG_WARNING, "%s: %" PRIu64 " chunks could not be checked; "
		    "they are in %s, and the dump stays: savecore -c -D %s "
		    "clears it", c->path, c->nunsure, out->path, c->path);
		return 1;
	}
	return 0;
}

/* So that the next run does not save it again. */
static void
save_note(const struct dump *d, const struct savecore_opts *opts)
{
	char text[DIR_NOTE_LEN + 1];
	struct outfile out;

	if (opts->output != NULL ||
	    outfile_create(&out, KEEPER_NOTE, opts, KEEPER_PLAIN) == -1)
		return;
	dir_note_text(text, d->di.di_dump_id);
	if (fputs(text, out.fp) != EOF) {
		(void)outfile_commit(&out);
		return;
	}
	msg_errno(LOG_ERR, "%s", out.path);
	outfile_abort(&out);
}

/* 0: saved; 1: saved, but the dump must stay; -1. */
static int
save_core(struct dump *d, const struct savecore_opts *opts)
{
	struct copy c = {
		.kd = d->kd,
		.path = d->path,
		.direct = dump_fd(d),
		.size = d->di.di_data_valid,
		.planned = kvm_dump_hdr(d->kd)->data_size,
	};
	struct outfile out;

	if (c.size < c.planned && kvm_dump_mark(d->kd, KCORE_EXCL_MISSING,
	    c.size, c.planned - c.size) == -1) {
		msg(LOG_ERR, "%s", kvm_geterr(d->kd));
		return -1;
	}
	if (save_file(&c, &out, opts) == -1)
		return -1;
	info_write(d, &c, out.path, opts);
	if (save_verdict(&c, &out) == 0)
		return 0;
	/* What could not be read may be read the next time. */
	if (c.nunread == 0 && c.nunsure == 0)
		save_note(d, opts);
	return 1;
}

/* The kernel file that -N names. */
static int
save_kernel(const struct savecore_opts *opts, int systemfd)
{
	char *buf = malloc(SAVE_BUFSZ);
	struct outfile out;
	ssize_t n = -1;

	if (buf == NULL || outfile_create(&out, KEEPER_KERNEL, opts,
	    opts->packing) == -1) {
		free(buf);
		return -1;
	}
	msg(LOG_NOTICE, "writing %skernel to %s",
	    opts->packing != KEEPER_PLAIN ? "compressed " : "", out.path);
	while ((n = read(systemfd, buf, SAVE_BUFSZ)) > 0) {
		if (fwrite(buf, 1, (size_t)n, out.fp) == (size_t)n)
			continue;
		msg_errno(LOG_ERR, "%s", out.path);
		break;
	}
	if (n == -1)
		msg_errno(LOG_ERR, "%s", opts->system);
	free(buf);
	if (n == 0)
		return outfile_commit(&out);
	outfile_abort(&out);
	return -1;
}

static int
save_log_text(const struct savecore_opts *opts, const char *text, size_t len)
{
	struct outfile out;

	if (outfile_create(&out, KEEPER_LOG, opts, KEEPER_PLAIN) == -1)
		return -1;
	msg(LOG_NOTICE, "writing kernel log to %s", out.path);
	if (fwrite(text, 1, len, out.fp) == len)
		return outfile_commit(&out);
	msg_errno(LOG_ERR, "%s", out.path);
	outfile_abort(&out);
	return -1;
}

/* The early record's text. */
static int
save_log(struct dump *d, const struct savecore_opts *opts)
{
	ssize_t n = -1;
	char *text;
	int r = -1;

	if (opts->output != NULL) {
		msg(LOG_ERR, "%s: the end of the kernel's log is there: "
		    "savecore without -o saves it", d->path);
		return -1;
	}
	text = malloc(KCORE_END_AREA);
	if (text != NULL)
		n = kvm_dump_earlylog(d->kd, text, KCORE_END_AREA);
	if (n > 0)
		r = save_log_text(opts, text, (size_t)n);
	else
		msg(LOG_WARNING, "%s: no log to save: %s", d->path,
		    text == NULL ? strerror(ENOMEM) : n == 0 ? "it is empty" :
		    kvm_geterr(d->kd));
	free(text);
	return n == 0 ? 0 : r;
}

/*
 * Nothing of memory was written, as far as anybody knows.  1: nor anything else
 * but a note of that.
 */
static int
save_early(struct dump *d, const struct savecore_opts *opts)
{
	bool ok = d->di.di_state == KCORE_STATE_EMPTY || save_state_ok(d);

	/* A header was written: data may be there after all. */
	if (d->di.di_dumplo != 0 && !ok && !opts->force && !opts->boot)
		return save_refuse(d);
	if (d->di.di_early) {
		msg(LOG_WARNING, "%s: no core dump, only what the kernel wrote "
		    "before it", d->path);
		return save_log(d, opts);
	}
	msg(LOG_ERR, "%s: a dump was begun, but nothing of it is on the device"
	    "%s%s", d->path, d->di.di_error != 0 ? ": " : "",
	    d->di.di_error != 0 ? strerror(d->di.di_error) : "");
	return 1;
}

int
save_dump(struct dump *d, const struct savecore_opts *opts, int systemfd)
{
	int r;

	save_announce(d, opts);
	if (dump_is_early(d))
		return save_early(d, opts);
	if (!d->header) {
		msg(LOG_ERR, "%s: no core can be made of the dump", d->why);
		if (d->di.di_early)
			(void)save_log(d, opts);
		return -1;
	}
	if (d->held) {
		msg(LOG_WARNING, "%s: the dump is damaged, and what there is "
		    "of it was saved as number %u in %s: savecore -c -D %s "
		    "clears it, -f saves it again", d->path, d->held_as,
		    opts->directory, d->path);
		return -1;
	}
	tell_contents(d);
	if (save_check(d, opts, systemfd) == -1)
		return -1;
	r = save_core(d, opts);
	if (r == -1 || (systemfd != -1 && save_kernel(opts, systemfd) == -1))
		return -1;
	/* At boot swap waits for this: finish.c does the rest later. */
	if (!opts->boot && opts->output == NULL)
		beside_write(d->kd, opts);
	return r == 0 ? 0 : -1;
}
