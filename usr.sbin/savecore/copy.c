/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.c: CORE_DATA from the device to the core file, checked on the way.
 *
 * One chunk at a time, the unit of the kernel's checksums.  What is damaged is
 * named, noted in the header, and saved as it is; what can't be read is saved as
 * zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"
#include "zopen.h"

#define COPY_PIECE	(64u << 10)	/* read at once around bad sectors */
#define COPY_SHOWN	16u		/* damaged runs named one by one */
#define COPY_WATCH	(64u << 20)	/* bytes between looks at the space */

/* Tells of a run of damaged chunks, and notes it in the header. */
static void
copy_tell(struct copy *c)
{
	const uint64_t off = c->bad_off, len = c->bad_len;
	char phys[256];

	c->bad_len = 0;
	if (len == 0 || c->noted)
		return;
	progress_clear(&c->progress);
	c->nranges++;
	if (c->nranges <= COPY_SHOWN) {
		physmap_text(c->kd, off, len, phys, sizeof(phys));
		msg(LOG_WARNING, "%s: data 0x%" PRIx64 "-0x%" PRIx64
		    ", memory %s: %s", c->path, off, off + len - 1, phys,
		    c->bad_why);
	} else if (c->nranges == COPY_SHOWN + 1) {
		msg(LOG_WARNING, "%s: more is damaged; the core's header names "
		    "it", c->path);
	}
	if (kvm_dump_mark(c->kd, KCORE_EXCL_DAMAGED, off, len) == -1 &&
	    !c->marks_full) {
		c->marks_full = true;
		msg(LOG_WARNING, "%s: not all damage is named in the core's "
		    "header: %s", c->path, kvm_geterr(c->kd));
	}
}

/* A damaged chunk: one more of the same run, or the first of another. */
static void
copy_note(struct copy *c, const char *why, uint64_t off, size_t len)
{
	if (c->filtered) {
		c->nagain++;
		return;
	}
	c->ndamaged++;
	if (c->bad_len > 0 && c->bad_off + c->bad_len == off &&
	    strcmp(c->bad_why, why) == 0) {
		c->bad_len += len;
		return;
	}
	copy_tell(c);
	c->bad_off = off;
	c->bad_len = len;
	snprintf(c->bad_why, sizeof(c->bad_why), "%s", why);
}

static bool
copy_read_all(const struct copy *c, unsigned char *buf, size_t len,
    uint64_t off)
{
	return kvm_dump_read(c->kd, buf, len, off) == (ssize_t)len;
}

/*
 * The same past the page cache, where that can be: a copy by way of that takes
 * longer than a quick device.  All else that is read is not of whole blocks.
 */
static bool
copy_read_direct(struct copy *c, unsigned char *buf, size_t len, uint64_t off)
{
	const int flags = c->direct == -1 ? 0 : fcntl(c->direct, F_GETFL);
	int error;
	bool ok;

	/* What a level leaves is in many pieces, which are read ahead there. */
	if (c->direct == -1 || c->filtered ||
	    fcntl(c->direct, F_SETFL, flags | O_DIRECT) == -1)
		return copy_read_all(c, buf, len, off);
	ok = copy_read_all(c, buf, len, off);
	error = errno;
	(void)fcntl(c->direct, F_SETFL, flags);
	if (ok || error != EINVAL)
		return ok;
	c->direct = -1;
	return copy_read_all(c, buf, len, off);
}

/* Reads a chunk that can't be read whole: what can't be is zeros. */
static void
copy_read_pieces(const struct copy *c, unsigned char *buf, size_t len,
    uint64_t off)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < COPY_PIECE ? len - at : COPY_PIECE;
		if (!copy_read_all(c, buf + at, n, off + at))
			memset(buf + at, 0, n);
	}
}

/* Gets a chunk and checks it. */
static void
copy_chunk(struct copy *c, unsigned char *buf, size_t len, uint64_t off)
{
	char why[KVM_ERRBUFSZ];

	if (!copy_read_direct(c, buf, len, off)) {
		snprintf(why, sizeof(why), "%s", kvm_geterr(c->kd));
		copy_read_pieces(c, buf, len, off);
		c->nunread += c->filtered ? 0 : 1;
		copy_note(c, why, off, len);
		return;
	}
	if (c->unchecked)
		return;
	if (len < KCORE_CHUNK && off + len < c->planned) {
		c->nunsure++;
		return;
	}
	switch (kvm_dump_verify(c->kd, off / KCORE_CHUNK, buf, len)) {
	case 1:
		break;
	case 0:
		copy_note(c, "damaged: not what the kernel wrote", off, len);
		break;
	default:
		if (c->nunsure++ > 0 || c->noted)
			break;
		progress_clear(&c->progress);
		msg(LOG_WARNING, "%s: data from 0x%" PRIx64
		    " on can't be checked: %s", c->path, off,
		    kvm_geterr(c->kd));
		break;
	}
}

static size_t
copy_len(const struct copy *c, uint64_t off)
{
	return c->size - off < KCORE_CHUNK ? (size_t)(c->size - off) :
	    KCORE_CHUNK;
}

int
copy_chunks(struct copy *c, const struct copy_sink *sink)
{
	unsigned char *buf;
	uint64_t off;
	size_t len;
	int error = 0;

	progress_begin(&c->progress, c->path, c->size);
	for (off = 0; off < c->size; off += len) {
		if (c->watch && off > 0 && off % COPY_WATCH == 0 &&
		    !ask_space(0, false)) {
			error = ENOSPC;
			break;
		}
		buf = sink->room(sink->arg);
		if (buf == NULL) {
			error = errno;
			break;
		}
		len = copy_len(c, off);
		copy_chunk(c, buf, len, off);
		sink->put(sink->arg, len);
		progress_step(&c->progress, off + len);
	}
	progress_clear(&c->progress);
	copy_tell(c);
	errno = error;
	return off < c->size ? -1 : 0;
}

static unsigned char *
copy_room(void *arg)
{
	return writer_room(arg);
}

static void
copy_put(void *arg, size_t len)
{
	writer_put(arg, len);
}

static unsigned char *
copy_room_packed(void *arg)
{
	return zopen_room(arg);
}

static void
copy_put_packed(void *arg, size_t len)
{
	zopen_put(arg, len);
}

/* To a file that is compressed, each chunk for itself. */
static int
copy_packed(struct copy *c, struct outfile *out)
{
	const struct copy_sink sink = { out->z, copy_room_packed,
	    copy_put_packed };

	if (copy_chunks(c, &sink) == 0)
		return 0;
	msg_errno(LOG_ERR, "%s", out->path);
	return -1;
}

static int
copy_plain(struct copy *c, struct outfile *out)
{
	const off_t base = out->stream ? 0 : ftello(out->fp);
	struct writer *w = base != -1 ? writer_start(out, base) : NULL;
	const struct copy_sink sink = { w, copy_room, copy_put };
	int error, r;

	if (w == NULL) {
		msg_errno(LOG_ERR, "%s", out->path);
		return -1;
	}
	/* What went wrong there is known to the writer. */
	error = copy_chunks(c, &sink) == -1 ? errno : 0;
	r = writer_finish(w);
	if (r == 0 && error != 0) {
		errno = error;
		r = -1;
	}
	if (r == 0 && !out->stream)
		r = ftruncate(out->fd, base + (off_t)c->size);
	if (r == -1)
		msg_errno(LOG_ERR, "%s", out->path);
	return r;
}

int
copy_data(struct copy *c, struct outfile *out)
{
	return out->z != NULL ? copy_packed(c, out) : copy_plain(c, out);
}

/* For chunks that go nowhere. */
static unsigned char *
copy_room_one(void *arg)
{
	return arg;
}

static void
copy_put_none(void *arg, size_t len)
{
	(void)arg;
	(void)len;
}

/*
 * What is read here is read once more.  The buffer is not aligned: a device that
 * wants that is read by way of the page cache, which then has what fits for the
 * second time, and that costs it one read that fails.
 */
int
copy_check(struct copy *c)
{
	const struct copy_sink sink = { malloc(KCORE_CHUNK), copy_room_one,
	    copy_put_none };
	int r;

	if (sink.arg == NULL) {
		msg_errno(LOG_ERR, "no memory");
		return -1;
	}
	r = copy_chunks(c, &sink);
	free(sink.arg);
	return r;
}
