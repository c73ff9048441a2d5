/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_zstd.c: zstd files in the seekable format (zstd's contrib/
 * seekable_format): frames, and at the end in a frame that zstd(1) skips
 *
 *	magic, bytes that follow
 *	of each frame: bytes packed, bytes unpacked[, checksum]
 *	number of frames, flags (one byte), magic
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "kvm_bytes.h"

#define ZSTD_SKIP_MAGIC	0x184d2a50u	/* and the 15 that follow */
#define ZSTD_SKIP_TABLE	0x184d2a5eu
#define ZSTD_TABLE_MAGIC 0x8f92eab1u
#define ZSTD_TABLE_FOOT	9u
#define ZSTD_TABLE_HEAD	8u
#define ZSTD_TABLE_SUMS	0x80u		/* flags: checksums are there */
#define ZSTD_TABLE_ZERO	0x7cu		/* flags: must be 0 */
#define ZSTD_FRAME_HEAD	18u		/* bytes, at most */
#define ZSTD_AT_ONCE	1024u		/* entries read */

typedef unsigned long long ull;

struct zstd_table {
	uint64_t off;		/* of the first entry; before it is the head */
	uint64_t n;
	size_t entry;		/* bytes of each */
};

static uint32_t
zstd_word(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return le32toh(word);
}

/* Where the table is: 0, or -1 with a text. */
static int
zstd_find_table(kvm_t *kd, struct zstd_table *t)
{
	uint8_t foot[ZSTD_TABLE_FOOT], head[ZSTD_TABLE_HEAD];
	uint64_t len;

	if (kd->file_size < sizeof(foot) + sizeof(head) ||
	    kvmi_file_read(kd, foot, sizeof(foot), kd->file_size -
	    sizeof(foot)) == -1)
		return -1;
	if (zstd_word(foot + 5) != ZSTD_TABLE_MAGIC)
		return kvmi_err(kd, EBADMSG, "no table of frames at the end: "
		    "it is cut short, or not in the seekable format, and has "
		    "to be unpacked with zstd -d");
	t->n = zstd_word(foot);
	t->entry = (foot[4] & ZSTD_TABLE_SUMS) != 0 ? 12 : 8;
	len = t->n * t->entry + sizeof(foot);
	if ((foot[4] & ZSTD_TABLE_ZERO) != 0)
		return kvmi_err(kd, ENOTSUP, "table of frames: flags 0x%x are "
		    "not known", foot[4]);
	if (len > kd->file_size - sizeof(head))
		return kvmi_err(kd, EBADMSG, "table of frames: %llu of them in "
		    "%llu bytes", (ull)t->n, (ull)kd->file_size);
	t->off = kd->file_size - len;
	if (kvmi_file_read(kd, head, sizeof(head), t->off - sizeof(head)) ==
	    -1)
		return -1;
	if (zstd_word(head) != ZSTD_SKIP_TABLE || zstd_word(head + 4) != len)
		return kvmi_err(kd, EBADMSG, "table of frames: head 0x%x, %u "
		    "where 0x%x, %llu were expected", zstd_word(head),
		    zstd_word(head + 4), ZSTD_SKIP_TABLE, (ull)len);
	return 0;
}

static int
zstd_entry(kvm_t *kd, struct kvmi_packed *k, const struct zstd_table *t,
    const uint8_t *entry)
{
	const uint64_t at = k->nframes;

	if (t->entry == 12) {
		if (k->sums == NULL)
			k->sums = calloc(t->n, sizeof(*k->sums));
		if (k->sums == NULL)
			return kvmi_syserr(kd, ENOMEM, "%llu checksums",
			    (ull)t->n);
		k->sums[at] = zstd_word(entry + 8);
	}
	return kvmi_packed_add(kd, k, zstd_word(entry), zstd_word(entry + 4));
}

static int
zstd_read_table(kvm_t *kd, struct kvmi_packed *k, const struct zstd_table *t)
{
	uint8_t buf[ZSTD_AT_ONCE * 12];
	uint64_t i;
	size_t n;

	for (i = 0; i < t->n; i++) {
		n = i % ZSTD_AT_ONCE;
		if (n == 0 && kvmi_file_read(kd, buf, (size_t)(t->n - i <
		    ZSTD_AT_ONCE ? t->n - i : ZSTD_AT_ONCE) * t->entry,
		    t->off + i * t->entry) == -1)
			return -1;
		if (zstd_entry(kd, k, t, buf + n * t->entry) == -1)
			return kvmi_prepend(kd, "table of frames");
	}
	if (t->n == 0 || k->frames[t->n].packed != t->off - ZSTD_TABLE_HEAD)
		return kvmi_err(kd, EBADMSG, "table of frames: frames of %llu "
		    "bytes where the file has %llu",
		    (ull)(t->n == 0 ? 0 : k->frames[t->n].packed),
		    (ull)(t->off - ZSTD_TABLE_HEAD));
	return 0;
}

/*
 * A wrong size in the table would have all that follows it in other places:
 * what frames say themselves must be the same.
 */
static int
zstd_check_frames(kvm_t *kd, const struct kvmi_packed *k)
{
	uint8_t head[ZSTD_FRAME_HEAD];
	const struct kvmi_frame *f;
	unsigned long long says;
	size_t len;

	for (f = k->frames; f < k->frames + k->nframes; f++) {
		len = sizeof(head);
		if (f[1].packed - f->packed < len)
			len = (size_t)(f[1].packed - f->packed);
		if (kvmi_file_read(kd, head, len, f->packed) == -1)
			return -1;
		says = ZSTD_getFrameContentSize(head, len);
		if (says != ZSTD_CONTENTSIZE_UNKNOWN &&
		    says != f[1].plain - f->plain)
			return kvmi_err(kd, EBADMSG, "frame at %llu: is not "
			    "one of %llu bytes, as the table of frames says",
			    (ull)f->packed, (ull)(f[1].plain - f->plain));
	}
	return 1;
}

static int
zstd_open(kvm_t *kd, struct kvmi_packed *k)
{
	struct zstd_table t;
	uint8_t magic[4];

	if (kd->file_size < sizeof(magic))
		return 0;
	if (kvmi_file_read(kd, magic, sizeof(magic), 0) == -1)
		return -1;
	if (zstd_word(magic) != ZSTD_MAGICNUMBER &&
	    (zstd_word(magic) & ~0xfu) != ZSTD_SKIP_MAGIC)
		return 0;
	if (zstd_find_table(kd, &t) == -1)
		return -1;
	return zstd_read_table(kd, k, &t) == -1 ? -1 :
	    zstd_check_frames(kd, k);
}

static int
zstd_unpack(kvm_t *kd, uint64_t n, uint8_t *buf)
{
	const struct kvmi_packed *k = kd->packed;
	const struct kvmi_frame *f = &k->frames[n];
	const size_t len = (size_t)(f[1].packed - f->packed),
	    want = (size_t)(f[1].plain - f->plain);
	uint8_t *from = malloc(len + 1);
	size_t got;
	int rv = 0;

	if (from == NULL)
		return kvmi_syserr(kd, ENOMEM, "%zu bytes", len);
	if (kvmi_file_read(kd, from, len, f->packed) == -1) {
		free(from);
		return -1;
	}
	got = ZSTD_decompress(buf, want, from, len);
	free(from);
	if (ZSTD_isError(got))
		rv = kvmi_err(kd, EBADMSG, "%zu bytes at %llu: %s", len,
		    (ull)f->packed, ZSTD_getErrorName(got));
	else if (got != want)
		rv = kvmi_err(kd, EBADMSG, "%zu bytes at %llu: %zu bytes "
		    "unpacked where %zu were expected", len, (ull)f->packed,
		    got, want);
	else if (k->sums != NULL &&
	    (uint32_t)XXH64(buf, got, 0) != k->sums[n])
		rv = kvmi_err(kd, EBADMSG, "%zu bytes at %llu: checksum 0x%x "
		    "where 0x%x was expected", len, (ull)f->packed,
		    (uint32_t)XXH64(buf, got, 0), k->sums[n]);
	return rv;
}

const struct kvmi_packing kvmi_packing_zstd = {
	.name = "zstd",
	.open = zstd_open,
	.unpack = zstd_unpack,
};
