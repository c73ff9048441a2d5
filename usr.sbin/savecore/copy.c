/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.c: CORE_DATA from the device to the core file, checked on the way.
 *
 * One chunk at a time, the unit of the kernel's checksums.  Blocks of the file
 * that are all zeros become holes.  What is damaged is named, noted in the
 * header, and saved as it is; what can't be read is saved as zeros.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

#define COPY_BLOCK	(32u << 10)	/* the smallest hole */
#define COPY_PIECE	(64u << 10)	/* read at once around bad sectors */
#define COPY_STRIDE	(16u << 20)	/* handed to the disk at once */
#define COPY_HUGE	(2u << 20)
#define COPY_SHOWN	16u		/* damaged runs named one by one */

static bool
copy_is_zero(const unsigned char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Tells of a run of damaged chunks, and notes it in the header. */
static void
copy_tell(struct copy *c)
{
	const uint64_t off = c->bad_off, len = c->bad_len;
	char phys[256];

	c->bad_len = 0;
	if (len == 0 || c->noted)
		return;
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

	if (!copy_read_all(c, buf, len, off)) {
		snprintf(why, sizeof(why), "%s", kvm_geterr(c->kd));
		copy_read_pieces(c, buf, len, off);
		copy_note(c, why, off, len);
		return;
	}
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
		if (c->nunsure++ == 0 && !c->noted)
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

static int
copy_pwrite(int fd, const unsigned char *buf, size_t len, off_t off)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, buf, len, off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		buf += n;
		len -= (size_t)n;
		off += n;
	}
	return 0;
}

/* Writes what is not zeros, at the file offset given. */
static int
copy_sparse(int fd, const unsigned char *buf, size_t len, off_t off)
{
	size_t at, from = 0, n;

	for (at = 0; at < len; at += n) {
		n = COPY_BLOCK - (size_t)((uint64_t)off + at) % COPY_BLOCK;
		n = n < len - at ? n : len - at;
		if (n < COPY_BLOCK || !copy_is_zero(buf + at, n))
			continue;
		if (copy_pwrite(fd, buf + from, at - from,
		    off + (off_t)from) == -1)
			return -1;
		from = at + n;
	}
	return copy_pwrite(fd, buf + from, len - from, off + (off_t)from);
}

/* Counts down on a terminal, once a second. */
static void
copy_progress(const struct copy *c, uint64_t off, time_t *last)
{
	time_t now = time(NULL);

	if (now == *last || !isatty(STDOUT_FILENO))
		return;
	*last = now;
	printf("%10" PRIu64 " bytes left\r", c->size - off);
	fflush(stdout);
}

/* Room for a chunk, in a huge page where there is one: that is faster. */
static unsigned char *
copy_alloc(void)
{
	void *buf;
	int error;

	error = posix_memalign(&buf, COPY_HUGE, COPY_HUGE);
	if (error == 0) {
		(void)madvise(buf, COPY_HUGE, MADV_HUGEPAGE);
		return buf;
	}
	errno = error;
	msg_errno(LOG_ERR, "memory to copy with");
	return NULL;
}

int
copy_verify(struct copy *c)
{
	unsigned char *buf = copy_alloc();
	time_t last = time(NULL);
	uint64_t off;
	size_t len;

	if (buf == NULL)
		return -1;
	for (off = 0; off < c->size; off += len) {
		len = copy_len(c, off);
		copy_chunk(c, buf, len, off);
		copy_progress(c, off, &last);
	}
	copy_tell(c);
	free(buf);
	return 0;
}

/* Starts writing out what was copied, so that fsync(2) finds little to do. */
static void
copy_flush(const struct outfile *out, off_t base, uint64_t off)
{
	if (base != -1 && off >= COPY_STRIDE && off % COPY_STRIDE == 0)
		(void)sync_file_range(out->fd,
		    base + (off_t)(off - COPY_STRIDE), COPY_STRIDE,
		    SYNC_FILE_RANGE_WRITE);
}

static int
copy_put(struct outfile *out, const unsigned char *buf, size_t len, off_t base,
    uint64_t off)
{
	if (base == -1)
		return fwrite(buf, 1, len, out->fp) == len ? 0 : -1;
	return copy_sparse(out->fd, buf, len, base + (off_t)off);
}

int
copy_data(struct copy *c, struct outfile *out, off_t base)
{
	unsigned char *buf = copy_alloc();
	time_t last = time(NULL);
	uint64_t off;
	size_t len;
	int r = 0;

	if (buf == NULL)
		return -1;
	for (off = 0; r == 0 && off < c->size; off += len) {
		len = copy_len(c, off);
		copy_chunk(c, buf, len, off);
		copy_flush(out, base, off);
		r = copy_put(out, buf, len, base, off);
		if (r == 0)
			copy_progress(c, off, &last);
	}
	if (r == 0 && base != -1)
		r = ftruncate(out->fd, base + (off_t)c->size);
	if (r == -1)
		msg_errno(LOG_ERR, "%s", out->path);
	copy_tell(c);
	free(buf);
	return r;
}

_Static_assert(COPY_HUGE >= KCORE_CHUNK, "a chunk fits in a huge page");
