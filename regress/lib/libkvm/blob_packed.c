/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob_packed.c: compressed files, whole, as an input: zstd in the seekable
 * format, gzip that says how long its members are, and any gzip.
 */
#include <endian.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "blob.h"

#define PLAIN	0x3000u		/* bytes of a core: its header, and a little */
#define FRAME	0x1800u

static struct image packed_image;
static uint8_t packed_plain[PLAIN];

static void
packed_make(void)
{
	struct image *im = &packed_image;

	if (im->path[0] != '\0')
		return;
	image_init(im);
	im->spec.core = true;
	image_make(im);
	image_get(im, 0, packed_plain, PLAIN);
	memset(packed_plain + PLAIN / 2, 0, PLAIN / 2);
	blob_keep(im);
}

static uint8_t *
packed_word(uint8_t *to, uint32_t word)
{
	word = htole32(word);
	memcpy(to, &word, 4);
	return to + 4;
}

static size_t
packed_zstd(uint8_t *buf)
{
	size_t n[2], i;
	uint8_t *to = buf;

	for (i = 0; i < 2; i++) {
		n[i] = ZSTD_compress(to, BLOB_MAX / 2, packed_plain +
		    i * FRAME, FRAME, 3);
		assert_false(ZSTD_isError(n[i]));
		to += n[i];
	}
	to = packed_word(packed_word(to, 0x184d2a5e), 25);
	for (i = 0; i < 2; i++)
		to = packed_word(packed_word(to, (uint32_t)n[i]), FRAME);
	to = packed_word(to, 2);
	*to++ = 0;
	return (size_t)(packed_word(to, 0x8f92eab1) - buf);
}

/* One member; with its lengths in an extra field, or without. */
static size_t
packed_gzip(uint8_t *buf, size_t at, bool lengths)
{
	uint8_t extra[12] = { 'S', 'C', 8 };
	gz_header gz = { .os = 3, .extra = extra, .extra_len = sizeof(extra) };
	z_stream zs = { .next_in = packed_plain + at, .avail_in = FRAME,
	    .next_out = buf, .avail_out = BLOB_MAX / 2 };

	assert_int_equal(deflateInit2(&zs, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
	if (lengths)
		assert_int_equal(deflateSetHeader(&zs, &gz), Z_OK);
	assert_int_equal(deflate(&zs, Z_FINISH), Z_STREAM_END);
	deflateEnd(&zs);
	if (lengths)
		packed_word(packed_word(buf + 16, (uint32_t)zs.total_out),
		    FRAME);
	return zs.total_out;
}

static size_t
packed_seed(unsigned int n, uint8_t *buf)
{
	size_t len;

	packed_make();
	if (n == 0)
		return packed_zstd(buf);
	if (n > 2)
		return 0;
	len = packed_gzip(buf, 0, n == 1);
	return len + packed_gzip(buf + len, FRAME, n == 1);
}

static void
packed_look(const uint8_t *data, size_t size)
{
	packed_make();
	blob_whole(&packed_image, data, size);
}

const struct blob blob_packed = { "packed", packed_seed, packed_look };
