/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outfile.c: a file being saved, as the worker sees it.
 *
 * The keeper makes it, and gives it its name once it is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "pack.h"
#include "savecore.h"
#include "zopen.h"

/* The stream to a file that is empty: 0, or -1 after a message. */
static int
outfile_stream(struct outfile *out, const struct savecore_opts *opts,
    enum keeper_packing packing)
{
	static const struct pack_how *const how[] = {
		[KEEPER_GZIP] = &pack_gzip,
		[KEEPER_ZSTD] = &pack_zstd,
	};
	int copy = -1;

	if (packing != KEEPER_PLAIN)
		out->z = zopen(out->fd, how[packing], opts->level, &out->fp);
	else if ((copy = fcntl(out->fd, F_DUPFD_CLOEXEC, 0)) != -1)
		out->fp = fdopen(copy, "w");
	if (out->fp != NULL)
		return 0;
	msg_errno(LOG_ERR, "%s", out->path);
	if (copy != -1)
		close(copy);
	return -1;
}

int
outfile_create(struct outfile *out, enum keeper_file what,
    const struct savecore_opts *opts, enum keeper_packing packing)
{
	const struct crashdir dir = { .path = opts->directory, .fd = -1,
		.suffix = opts->format->suffix, .output = opts->output };
	char name[NAME_MAX + 1];
	unsigned int number;

	memset(out, 0, sizeof(*out));
	out->what = what;
	out->fd = ask_create(what, packing, &number);
	if (out->fd == -1)
		return -1;
	keeper_name(name, &dir, what, number, packing);
	snprintf(out->path, sizeof(out->path), "%s/%s", opts->directory, name);
	if (outfile_stream(out, opts, packing) == 0)
		return 0;
	outfile_abort(out);
	return -1;
}

int
outfile_restart(struct outfile *out, const struct savecore_opts *opts,
    enum keeper_packing packing)
{
	FILE *fp = out->fp;

	out->fp = NULL;
	out->z = NULL;
	if (fclose(fp) == EOF || ftruncate(out->fd, 0) == -1 ||
	    lseek(out->fd, 0, SEEK_SET) == -1) {
		msg_errno(LOG_ERR, "%s", out->path);
		return -1;
	}
	return outfile_stream(out, opts, packing);
}

int
outfile_pwrite(const struct outfile *out, const void *buf, size_t len,
    uint64_t off)
{
	const unsigned char *from = buf;
	ssize_t n;

	for (; len > 0; from += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pwrite(out->fd, from, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return -1;
	}
	return 0;
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
	out->z = NULL;
	if (out->fd != -1)
		close(out->fd);
	out->fp = NULL;
	out->fd = -1;
}
