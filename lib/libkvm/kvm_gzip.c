/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_gzip.c: gzip files (RFC 1952) of many members, each with its lengths in an
 * extra field, as savecore -z makes them:
 *
 *	0	1f 8b, method 8, flags 4 (extra field alone)
 *	10	12 (bytes of extra fields), 'S' 'C', 8 (bytes of this one)
 *	16	bytes of the member, bytes unpacked
 *	24	what is packed
 *	-8	CRC-32, bytes unpacked
 *
 * Numbers are little endian.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "kvm_bytes.h"

#define GZIP_HEAD	24u
#define GZIP_TAIL	8u
#define GZIP_WBITS	(MAX_WBITS + 16)	/* with a gzip header */

typedef unsigned long long ull;

static bool
gzip_is(const uint8_t *head)
{
	return head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
}

static uint32_t
gzip_word(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return le32toh(word);
}

static bool
gzip_is_member(const uint8_t *head)
{
	static const uint8_t extra[6] = { 12, 0, 'S', 'C', 8, 0 };

	return gzip_is(head) && head[3] == 4 &&
	    memcmp(head + 10, extra, sizeof(extra)) == 0;
}

/* Goes from member to member: 1; 0: some are not ours; -1 with a text. */
static int
gzip_walk(kvm_t *kd, struct kvmi_packed *k)
{
	/* The end of a member, and the next one's head. */
	uint8_t buf[4 + GZIP_HEAD];
	uint64_t off = 0, rest;
	uint32_t len, plain;

	if (kvmi_file_read(kd, buf + 4, GZIP_HEAD, 0) == -1)
		return -1;
	while (gzip_is_member(buf + 4)) {
		len = gzip_word(buf + 20);
		plain = gzip_word(buf + 24);
		rest = kd->file_size - off;
		if (len < GZIP_HEAD + GZIP_TAIL || len > rest)
			return kvmi_err(kd, EBADMSG, "member at %llu: %u bytes "
			    "where the file has %llu: it is cut short or "
			    "damaged", (ull)off, len, (ull)rest);
		rest -= len;
		if (rest != 0 && rest < GZIP_HEAD + GZIP_TAIL)
			return 0;
		if (kvmi_file_read(kd, buf, rest != 0 ? sizeof(buf) : 4,
		    off + len - 4) == -1)
			return -1;
		if (gzip_word(buf) != plain)
			return kvmi_err(kd, EBADMSG, "member at %llu: %u bytes "
			    "unpacked at its end where its head says %u",
			    (ull)off, gzip_word(buf), plain);
		if (kvmi_packed_add(kd, k, len, plain) == -1)
			return kvmi_prepend(kd, "member at %llu", (ull)off);
		off += len;
		if (rest == 0)
			return 1;
	}
	return 0;
}

static int
gzip_open_members(kvm_t *kd, struct kvmi_packed *k)
{
	return kd->file_size < GZIP_HEAD + GZIP_TAIL ? 0 : gzip_walk(kd, k);
}

static int
gzip_inflate(kvm_t *kd, z_stream *zs, const struct kvmi_frame *f)
{
	const uint64_t want = f[1].plain - f->plain;
	const int r = inflate(zs, Z_FINISH);

	if (r == Z_STREAM_END && zs->total_out == want && zs->avail_in == 0)
		return 0;
	return kvmi_err(kd, EBADMSG, "%llu bytes at %llu: %s",
	    (ull)(f[1].packed - f->packed), (ull)f->packed,
	    zs->msg != NULL ? zs->msg : "it is not as long as it says");
}

static int
gzip_unpack_member(kvm_t *kd, uint64_t n, uint8_t *buf)
{
	const struct kvmi_frame *f = &kd->packed->frames[n];
	const size_t len = (size_t)(f[1].packed - f->packed);
	z_stream zs = { .avail_in = (uInt)len, .next_out = buf,
	    .avail_out = (uInt)(f[1].plain - f->plain) };
	uint8_t *from = malloc(len);
	int rv = -1;

	if (from == NULL)
		return kvmi_syserr(kd, ENOMEM, "%zu bytes", len);
	zs.next_in = from;
	if (kvmi_file_read(kd, from, len, f->packed) == 0) {
		if (inflateInit2(&zs, GZIP_WBITS) != Z_OK) {
			kvmi_syserr(kd, ENOMEM, "zlib");
		} else {
			rv = gzip_inflate(kd, &zs, f);
			inflateEnd(&zs);
		}
	}
	free(from);
	return rv;
}

const struct kvmi_packing kvmi_packing_members = {
	.name = "gzip",
	.open = gzip_open_members,
	.unpack = gzip_unpack_member,
};

/* Any other gzip file: unpacked once to its end, for an index. */
static int
gzip_open(kvm_t *kd, struct kvmi_packed *k)
{
	uint8_t head[3];
	uint64_t size, n;

	if (kd->file_size < sizeof(head))
		return 0;
	if (kvmi_file_read(kd, head, sizeof(head), 0) == -1)
		return -1;
	if (!gzip_is(head))
		return 0;
	k->index = kvmi_gzindex_build(kd, &size);
	if (k->index == NULL)
		return -1;
	for (; size > 0 || k->nframes == 0; size -= n) {
		n = size < KVMI_GZ_FRAME ? size : KVMI_GZ_FRAME;
		if (kvmi_packed_add(kd, k, 0, n) == -1)
			return -1;
	}
	return 1;
}

static int
gzip_unpack(kvm_t *kd, uint64_t n, uint8_t *buf)
{
	const struct kvmi_frame *f = &kd->packed->frames[n];

	return kvmi_gzindex_read(kd, kd->packed->index, buf,
	    (size_t)(f[1].plain - f->plain), f->plain);
}

const struct kvmi_packing kvmi_packing_gzip = {
	.name = "gzip",
	.open = gzip_open,
	.unpack = gzip_unpack,
};
