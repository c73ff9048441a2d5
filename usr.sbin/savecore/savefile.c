/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savefile.c: the core of one dump, written in some format, with less and less
 * of memory where there is too little space.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

static int
save_header(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	if (opts->format->header(c, out) == -1)
		return -1;
	if (fflush(out->fp) == EOF) {
		msg_errno(LOG_ERR, "%s", out->path);
		return -1;
	}
	return 0;
}

/* Plain: damage found on the way goes into the header afterwards. */
static int
save_plain(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	if (save_header(c, out, opts) == -1 || copy_data(c, out) == -1)
		return -1;
	if (c->ndamaged == 0 || c->filtered)
		return 0;
	rewind(out->fp);
	return save_header(c, out, opts);
}

/* A second time, with a header that says what was found the first time. */
static int
save_again(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	const uint64_t ndamaged = c->ndamaged, nunsure = c->nunsure;

	c->ndamaged = c->nunsure = c->nunread = 0;
	c->noted = true;
	if (save_header(c, out, opts) == -1 || copy_data(c, out) == -1)
		return -1;
	if (c->ndamaged == ndamaged && c->nunsure == nunsure)
		return 0;
	msg(LOG_ERR, "%s: reads differently each time: core not saved",
	    c->path);
	return -1;
}

/*
 * Compressed: the header can't be written again, so that of a damaged dump all
 * is written a second time.
 */
static int
save_compressed(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	if (save_header(c, out, opts) == -1 || copy_data(c, out) == -1)
		return -1;
	if (c->ndamaged == 0 || c->filtered)
		return 0;
	return outfile_restart(out, opts, opts->packing) == -1 ? -1 :
	    save_again(c, out, opts);
}

/* To a pipe: nothing can be written again, so that all is read twice. */
static int
save_stream(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	if (c->filtered)
		return save_header(c, out, opts) == -1 ? -1 :
		    copy_data(c, out);
	return copy_check(c) == -1 ? -1 : save_again(c, out, opts);
}

/* In whatever way the file takes. */
static int
save_format(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	if (opts->format->write != NULL)
		return opts->format->write(c, out, opts);
	if (out->stream)
		return save_stream(c, out, opts);
	return out->z != NULL ? save_compressed(c, out, opts) :
	    save_plain(c, out, opts);
}

bool
save_fits(kvm_t *kd, uint64_t size, const struct savecore_opts *opts)
{
	const bool packed = opts->packing != KEEPER_PLAIN ||
	    opts->format->places;

	/* What compression makes of it is seen as it is written. */
	return opts->stream || ask_space(packed ? 0 :
	    kvm_dump_hdr(kd)->cpu_size + size, opts->force);
}

/*
 * It can't be told which pages to leave out.  At boot any core is better than
 * none; who said -d may want to show it to others.
 */
static int
save_unfiltered(const struct copy *c, const struct savecore_opts *opts,
    const char *why)
{
	const bool saved = opts->boot && kvm_dump_hdr(c->kd) != NULL;

	msg(saved ? LOG_WARNING : LOG_ERR, "%s%s", why,
	    saved ? ": nothing is left out" : "");
	return saved ? 0 : -1;
}

/*
 * Leaves pages out, of what was checked and marked before, since there are no
 * checksums of the rest.
 */
static int
save_filter(struct copy *c, const struct savecore_opts *opts)
{
	const uint64_t size = c->size;
	const struct cpu_kcore_hdr *h;
	char why[PATH_MAX + 64];

	if (c->size < c->planned) {
		snprintf(why, sizeof(why), "%s: is incomplete: it can't be "
		    "told which pages to leave out", c->path);
		return save_unfiltered(c, opts, why);
	}
	if (!c->unchecked && copy_check(c) == -1)
		return -1;
	c->unchecked = c->filtered = c->noted = true;
	if (kvm_dump_filter(c->kd, opts->filter[c->ntried]) == -1)
		return save_unfiltered(c, opts, kvm_geterr(c->kd));
	h = kvm_dump_hdr(c->kd);
	c->size = h->data_valid;
	c->planned = h->data_size;
	msg(LOG_NOTICE, "%s: dump level %u: %" PRIu64 " of %" PRIu64 " KiB "
	    "stay", c->path, h->dump_level, c->size / 1024, size / 1024);
	return 0;
}

/* Once, with the dump level whose turn it is: 0, or -1 with errno. */
static int
save_try(struct copy *c, struct outfile *out, const struct savecore_opts *opts)
{
	if (opts->nfilter > 0) {
		errno = 0;
		if (save_filter(c, opts) == -1)
			return -1;
		if (!opts->force && !save_fits(c->kd, c->size, opts)) {
			errno = ENOSPC;
			return -1;
		}
	}
	if (save_format(c, out, opts) == -1 || outfile_finish(out) == -1)
		return -1;
	if (c->watch && !ask_space(0, false)) {
		errno = ENOSPC;
		return -1;
	}
	if (c->nagain == 0 || c->nunread > 0)
		return 0;
	msg(LOG_ERR, "%s: reads differently each time: core not saved",
	    c->path);
	errno = EIO;
	return -1;
}

/* After a failure: is it worth while with another dump level? */
static bool
save_can_retry(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts, int error)
{
	if ((error != ENOSPC && error != EDQUOT && error != EFBIG) ||
	    out->stream || c->ntried + 1 >= opts->nfilter)
		return false;
	c->ntried++;
	msg(LOG_WARNING, "%s: too little space: trying dump level %u",
	    out->path, opts->filter[c->ntried]);
	return outfile_restart(out, opts, opts->packing) == 0;
}

int
save_file(struct copy *c, struct outfile *out, const struct savecore_opts *opts)
{
	int r;

	if (outfile_create(out, KEEPER_CORE, opts, opts->packing) == -1)
		return -1;
	msg(LOG_NOTICE, "writing %score to %s",
	    opts->packing != KEEPER_PLAIN ? "compressed " : "", out->path);
	c->watch = !opts->stream && !opts->force;
	do
		r = save_try(c, out, opts);
	while (r == -1 && save_can_retry(c, out, opts, errno));
	if (r == 0)
		return outfile_commit(out);
	outfile_abort(out);
	return -1;
}
