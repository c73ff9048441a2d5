/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outfile.c: a file being saved, as the worker sees it.
 *
 * The keeper makes it, and gives it its name once it is whole.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "savecore.h"
#include "zopen.h"

static FILE *
outfile_stream(int fd, int level)
{
	FILE *fp;
	int copy;

	if (level >= 0)
		return zopen(fd, level);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1)
		return NULL;
	fp = fdopen(copy, "w");
	if (fp == NULL)
		close(copy);
	return fp;
}

int
outfile_create(struct outfile *out, enum keeper_file what,
    const struct savecore_opts *opts, bool compress)
{
	const struct crashdir dir = { opts->directory, -1,
	    opts->format->suffix, opts->output };
	char name[NAME_MAX + 1];
	unsigned int number;

	memset(out, 0, sizeof(*out));
	out->what = what;
	out->fd = ask_create(what, compress, &number);
	if (out->fd == -1)
		return -1;
	keeper_name(name, &dir, what, number, compress);
	snprintf(out->path, sizeof(out->path), "%s/%s", opts->directory, name);
	out->fp = outfile_stream(out->fd, compress ? opts->level : -1);
	if (out->fp != NULL)
		return 0;
	msg_errno(LOG_ERR, "%s", out->path);
	outfile_abort(out);
	return -1;
}

int
outfile_commit(struct outfile *out)
{
	FILE *fp = out->fp;
	int r;

	out->fp = NULL;
	if (fclose(fp) == EOF) {
		msg_errno(LOG_ERR, "%s", out->path);
		outfile_abort(out);
		return -1;
	}
	r = ask_commit(out->what);
	close(out->fd);
	out->fd = -1;
	return r;
}

void
outfile_abort(struct outfile *out)
{
	if (out->fp != NULL)
		fclose(out->fp);
	if (out->fd != -1)
		close(out->fd);
	out->fp = NULL;
	out->fd = -1;
}
