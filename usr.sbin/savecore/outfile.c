/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outfile.c: a file being saved, as the worker sees it.
 *
 * The keeper makes it, and gives it its name once it is whole; or it is standard
 * output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

	if (out->flat)
		out->fp = flat_open(out);
	else if (packing != KEEPER_PLAIN)
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

/* Standard output, which nobody has to make. */
static int
outfile_stdout(struct outfile *out, const struct savecore_opts *opts)
{
	strcpy(out->path, "standard output");
	out->stream = true;
	out->flat = opts->format->places;
	out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (out->fd != -1 && outfile_stream(out, opts, opts->packing) == 0)
		return 0;
	if (out->fd == -1)
		msg_errno(LOG_ERR, "%s", out->path);
	outfile_abort(out);
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
	if (opts->stream)
		return outfile_stdout(out, opts);
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

/* Ends the stream, whatever becomes of what is in it. */
static void
outfile_drop(struct outfile *out)
{
	if (out->z != NULL)
		zopen_spoil(out->z);
	if (out->fp != NULL)
		(void)fclose(out->fp);
	out->z = NULL;
	out->fp = NULL;
}

int
outfile_restart(struct outfile *out, const struct savecore_opts *opts,
    enum keeper_packing packing)
{
	outfile_drop(out);
	if (ftruncate(out->fd, 0) == -1 ||
	    lseek(out->fd, 0, SEEK_SET) == -1) {
		msg_errno(LOG_ERR, "%s", out->path);
		return -1;
	}
	return outfile_stream(out, opts, packing);
}

int
outfile_write(int fd, const void *buf, size_t len)
{
	const unsigned char *from = buf;
	ssize_t n;

	for (; len > 0; from += n, len -= (size_t)n) {
		n = write(fd, from, len);
		if (n == -1 && errno == EAGAIN)
			(void)poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
		else if (n == -1 && errno != EINTR)
			return -1;
		n = n == -1 ? 0 : n;
	}
	return 0;
}

int
outfile_write_at(int fd, const void *buf, size_t len, uint64_t off)
{
	const unsigned char *from = buf;
	ssize_t n;

	for (; len > 0; from += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pwrite(fd, from, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return -1;
	}
	return 0;
}

int
outfile_pwrite(const struct outfile *out, const void *buf, size_t len,
    uint64_t off)
{
	if (!out->stream)
		return outfile_write_at(out->fd, buf, len, off);
	return out->flat ? flat_block(out, buf, len, off) :
	    outfile_write(out->fd, buf, len);
}

/* Some file systems know only then that a disk is full; a pipe can't. */
static int
outfile_sync(const struct outfile *out)
{
	return fsync(out->fd) == 0 || errno == EINVAL || errno == EROFS ? 0 :
	    -1;
}

int
outfile_finish(struct outfile *out)
{
	FILE *fp = out->fp;

	out->fp = NULL;
	out->z = NULL;
	if (fclose(fp) != EOF && (!out->flat || flat_end(out) == 0) &&
	    outfile_sync(out) == 0)
		return 0;
	msg_errno(LOG_ERR, "%s", out->path);
	return -1;
}

int
outfile_commit(struct outfile *out)
{
	int r;

	if (out->fp != NULL && outfile_finish(out) == -1) {
		outfile_abort(out);
		return -1;
	}
	r = out->stream ? 0 : ask_commit(out->what);
	close(out->fd);
	out->fd = -1;
	return r;
}

void
outfile_abort(struct outfile *out)
{
	/* Nobody should take for whole what is in a pipe. */
	outfile_drop(out);
	if (out->fd != -1)
		close(out->fd);
	out->fd = -1;
}
