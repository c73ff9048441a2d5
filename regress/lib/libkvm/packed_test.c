/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packed_test.c: compressed core files, read in place.
 *
 * They are made here, from what zstd's seekable_format.md and RFC 1952 say, or
 * by gzip(1).  The oracle is the same file as it was.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include <sys/kcore.h>

#include "image.h"

#define FRAME	30000u
#define TABLE	(17u + 8u * 60)	/* more than the frames of a core */

struct packed {
	struct image im;
	uint8_t *plain, *bytes;		/* as it was; compressed */
	size_t plain_len, len;
	char path[80];
	char said[KVM_ERRBUFSZ];
};

static uint8_t *
slurp(const char *path, size_t *len)
{
	FILE *fp = fopen(path, "r");
	struct stat st;
	uint8_t *buf;

	assert_non_null(fp);
	assert_int_equal(fstat(fileno(fp), &st), 0);
	*len = (size_t)st.st_size;
	buf = malloc(*len + 1);
	assert_non_null(buf);
	assert_int_equal(fread(buf, 1, *len, fp), *len);
	fclose(fp);
	return buf;
}

static void
put32(struct packed *p, uint32_t word)
{
	word = htole32(word);
	memcpy(p->bytes + p->len, &word, 4);
	p->len += 4;
}

/* The file as it is in p->bytes. */
static void
spill(struct packed *p, size_t len)
{
	FILE *fp = fopen(p->path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(p->bytes, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
}

static int
setup(void **state)
{
	struct packed *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	image_init(&p->im);
	p->im.spec.core = true;
	image_make(&p->im);
	p->plain = slurp(p->im.path, &p->plain_len);
	p->bytes = malloc(2 * p->plain_len);
	assert_non_null(p->bytes);
	snprintf(p->path, sizeof(p->path), "%s.packed", p->im.path);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct packed *p = *state;

	unlink(p->path);
	image_fini(&p->im);
	free(p->plain);
	free(p->bytes);
	free(p);
	return 0;
}

/* ---- Writers ---- */

/* With checksums in frames, or in the table. */
static void
pack_zstd(struct packed *p, bool sums)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	uint32_t sizes[200], plain[200], sum[200], n = 0, i;
	size_t at, len;

	assert_non_null(zstd);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, !sums);
	p->len = 0;
	for (at = 0; at < p->plain_len; at += len) {
		len = p->plain_len - at < FRAME ? p->plain_len - at : FRAME;
		sizes[n] = (uint32_t)ZSTD_compress2(zstd, p->bytes + p->len,
		    2 * p->plain_len - p->len, p->plain + at, len);
		assert_false(ZSTD_isError(sizes[n]));
		plain[n] = (uint32_t)len;
		sum[n] = (uint32_t)XXH64(p->plain + at, len, 0);
		p->len += sizes[n++];
	}
	ZSTD_freeCCtx(zstd);
	put32(p, 0x184d2a5e);
	put32(p, n * (sums ? 12 : 8) + 9);
	for (i = 0; i < n; i++) {
		put32(p, sizes[i]);
		put32(p, plain[i]);
		if (sums)
			put32(p, sum[i]);
	}
	put32(p, n);
	p->bytes[p->len++] = sums ? 0x80 : 0;
	put32(p, 0x8f92eab1);
	spill(p, p->len);
}

static void
pack_members(struct packed *p)
{
	uint32_t words[2];
	uint8_t *head;
	size_t at, len;
	z_stream zs;

	p->len = 0;
	for (at = 0; at < p->plain_len; at += len) {
		len = p->plain_len - at < FRAME ? p->plain_len - at : FRAME;
		head = p->bytes + p->len;
		memcpy(head, "\x1f\x8b\x08\x04\0\0\0\0\0\3\x0c\0SC\x08\0", 16);
		memset(&zs, 0, sizeof(zs));
		assert_int_equal(deflateInit2(&zs, 1, Z_DEFLATED, -15, 8, 0),
		    Z_OK);
		zs.next_in = p->plain + at;
		zs.avail_in = (uInt)len;
		zs.next_out = head + 24;
		zs.avail_out = 2 * FRAME;
		assert_int_equal(deflate(&zs, Z_FINISH), Z_STREAM_END);
		p->len += 24 + zs.total_out;
		deflateEnd(&zs);
		put32(p, (uint32_t)crc32(0, p->plain + at, (uInt)len));
		put32(p, (uint32_t)len);
		words[0] = htole32((uint32_t)(p->bytes + p->len - head));
		words[1] = htole32((uint32_t)len);
		memcpy(head + 16, words, 8);
	}
	spill(p, p->len);
}

/* By gzip(1), from $in to $out. */
static void
pack_by(struct packed *p, const char *how)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "in=%s out=%s; %s", p->im.path, p->path,
	    how);
	assert_int_equal(system(cmd), 0);
	free(p->bytes);
	p->bytes = slurp(p->path, &p->len);
}

/* ---- Readers ---- */

static kvm_t *
open_packed(struct packed *p)
{
	p->said[0] = '\0';
	return kvm_openfiles(NULL, p->path, NULL, O_RDONLY, p->said);
}

static void
assert_refused(struct packed *p, const char *text)
{
	spill(p, p->len);
	assert_null(open_packed(p));
	if (strstr(p->said, text) == NULL || strncmp(p->said, p->path,
	    strlen(p->path)) != 0)
		fail_msg("\"%s\" has no \"%s\"", p->said, text);
}

/* Both give the same at random places, short and long; n of them. */
static void
assert_same(kvm_t *kd, const kvm_t *plain, unsigned int n, unsigned int seed)
{
	static __thread uint8_t have[100000], want[100000];
	const uint64_t size = kvm_dump_hdr((kvm_t *)(uintptr_t)plain)->data_size;
	uint64_t off;
	size_t len;

	for (; n > 0; n--) {
		off = (uint64_t)rand_r(&seed) % size;
		len = 1 + (size_t)rand_r(&seed) % (n % 4 == 0 ? 100000 : 64);
		len = len < size - off ? len : (size_t)(size - off);
		assert_int_equal(kvm_dump_read(kd, have, len, off), len);
		assert_int_equal(kvm_dump_read((kvm_t *)(uintptr_t)plain, want,
		    len, off), len);
		assert_memory_equal(have, want, len);
	}
}

static void
check(struct packed *p)
{
	kvm_t *kd = open_packed(p);
	uint64_t word;
	unsigned long va;

	if (kd == NULL)
		fail_msg("%s", p->said);
	assert_same(kd, p->im.kd, 400, 1);
	va = mkdump_page_offset(&p->im.spec) + 0x82000;
	assert_int_equal(kvm_read(kd, va, &word, 8), 8);
	assert_int_equal(word, mkdump_word(0x82000));
	kvm_close(kd);
}

/* This test checks zstd in the seekable format, with checksums and without. */
static void
packed_zstd_reads_as_plain(void **state)
{
	pack_zstd(*state, false);
	check(*state);
	pack_zstd(*state, true);
	check(*state);
}

/* This test checks gzip members that say how long they are. */
static void
packed_members_read_as_plain(void **state)
{
	pack_members(*state);
	check(*state);
}

/* This test checks what gzip(1) makes: one member; several; one with a name,
 * and padding behind it. */
static void
packed_any_gzip_reads_as_plain(void **state)
{
	struct packed *p = *state;

	pack_by(p, "gzip -9c <$in >$out");
	check(p);
	pack_by(p, "(head -c 300001 $in | gzip -c; tail -c +300002 $in | "
	    "gzip -1c; gzip -c </dev/null) >$out");
	check(p);
	pack_by(p, "gzip -kN $in && mv $in.gz $out");
	check(p);
	p->bytes = realloc(p->bytes, p->len + 700);
	assert_non_null(p->bytes);
	memset(p->bytes + p->len, 0, 700);
	spill(p, p->len + 700);
	check(p);
}

/* This test checks members of which one more was made by gzip(1). */
static void
packed_mixed_members_read_as_plain(void **state)
{
	struct packed *p = *state;
	char cmd[256];

	pack_members(p);
	snprintf(cmd, sizeof(cmd), "echo behind | gzip -c >>%s", p->path);
	assert_int_equal(system(cmd), 0);
	check(p);
}

/* This test checks a gzip file with more places in its index than are kept. */
static void
packed_long_gzip_reads_as_plain(void **state)
{
	struct packed *p = *state;
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x3f000 },
		{ 0x80000, 0xc0000 },
		{ 0x10000000, 0x4000000 },
	};

	p->im.spec.runs = runs;
	image_make(&p->im);
	pack_by(p, "gzip -1c $in >$out");
	check(p);
}

struct reader {
	pthread_t thread;
	kvm_t *kd, *plain;
	unsigned int seed;
};

static void *
reader_main(void *arg)
{
	struct reader *r = arg;

	assert_same(r->kd, r->plain, 300, r->seed);
	return NULL;
}

/* This test checks threads that read at the same time. */
static void
packed_threads_read_as_plain(void **state)
{
	struct packed *p = *state;
	struct reader r[4];
	unsigned int how, i;
	kvm_t *kd;

	for (how = 0; how < 3; how++) {
		if (how == 0)
			pack_zstd(p, false);
		else if (how == 1)
			pack_members(p);
		else
			pack_by(p, "gzip -c $in >$out");
		kd = open_packed(p);
		assert_non_null(kd);
		for (i = 0; i < 4; i++) {
			r[i].kd = kd;
			r[i].plain = p->im.kd;
			r[i].seed = i;
			assert_int_equal(pthread_create(&r[i].thread, NULL,
			    reader_main, &r[i]), 0);
		}
		for (i = 0; i < 4; i++)
			assert_int_equal(pthread_join(r[i].thread, NULL), 0);
		kvm_close(kd);
	}
}

/* ---- What is wrong ---- */

/* This test checks the text for each thing that can be wrong with the table. */
static void
packed_zstd_table_wrong_says_so(void **state)
{
	struct packed *p = *state;
	uint8_t *foot, *first;
	size_t table;

	pack_zstd(p, false);
	foot = p->bytes + p->len - 9;
	table = foot[0] * 8u + 17;
	first = p->bytes + p->len - table + 8;
	p->len--;
	assert_refused(p, "no table of frames at the end: it is cut short");
	p->len++;
	foot[0]--;
	assert_refused(p, "table of frames: head 0x");
	foot[0]++;
	foot[3] = 0x10;
	assert_refused(p, "table of frames: 268435");
	foot[3] = 0;
	foot[4] = 4;
	assert_refused(p, "table of frames: flags 0x4 are not known");
	foot[4] = 0;
	first[-4]++;
	assert_refused(p, "table of frames: head 0x184d2a5e");
	first[-4]--;
	first[0]++;
	assert_refused(p, "table of frames: frames of ");
	first[8]--;
	assert_refused(p, "frame at ");
	first[0]--;
	first[8]++;
	first[4]++;
	assert_refused(p, "is not one of 30001 bytes, as the table of");
	first[7] = 0x7f;
	assert_refused(p, "this library unpacks up to 16777216 at once");
}

/* This test checks the text for a frame that is damaged, and that others are
 * read. */
static void
packed_zstd_frame_damaged_says_so(void **state)
{
	struct packed *p = *state;
	const uint64_t from = p->plain_len / 2 - FRAME;
	uint8_t byte, buf[2 * FRAME];
	kvm_t *kd;

	pack_zstd(p, true);
	p->bytes[p->len / 2] ^= 1;
	spill(p, p->len);
	kd = open_packed(p);
	assert_non_null(kd);
	assert_int_equal(kvm_dump_read(kd, &byte, 1, 1000), 1);
	assert_int_equal(kvm_dump_read(kd, buf, sizeof(buf), from), -1);
	assert_int_equal(errno, EBADMSG);
	assert_non_null(strstr(kvm_geterr(kd), "zstd frame "));
	assert_int_equal(kvm_dump_read(kd, &byte, 1, 1000), 1);
	kvm_close(kd);
}

/* This test checks the text for gzip files that are cut, damaged, or go on with
 * something else. */
static void
packed_gzip_wrong_says_so(void **state)
{
	struct packed *p = *state;
	uint32_t len;

	pack_members(p);
	p->len -= 3;
	assert_refused(p, "it is cut short or damaged");
	p->len += 3;
	memcpy(&len, p->bytes + 16, 4);
	p->bytes[len - 4] ^= 1;
	assert_refused(p, "unpacked at its end where its head says");
	pack_by(p, "gzip -c $in >$out");
	p->len -= 3;
	assert_refused(p, "it is cut short");
	p->len += 3;
	p->bytes[p->len - 6] ^= 1;
	assert_refused(p, "incorrect data check");
	p->bytes[p->len - 6] ^= 1;
	p->bytes[p->len / 2] ^= 0xff;
	assert_refused(p, "gzip: at ");
	pack_by(p, "(gzip -c $in; head -c 99 $in) >$out");
	assert_refused(p, "is not gzip");
	pack_by(p, "echo $in | gzip -c >$out");
	assert_refused(p, "compressed file of what is not a core file");
}

/* What is read is right, or an error with a text. */
static void
look(struct packed *p)
{
	static uint8_t have[100000];
	kvm_t *kd = open_packed(p);
	uint64_t off, base = p->plain_len -
	    kvm_dump_hdr(p->im.kd)->data_size;
	ssize_t n;

	if (kd == NULL) {
		assert_true(p->said[0] != '\0');
		return;
	}
	for (off = 0; off < p->plain_len - base; off += sizeof(have)) {
		n = kvm_dump_read(kd, have, sizeof(have), off);
		if (n > 0)
			assert_memory_equal(have, p->plain + base + off,
			    (size_t)n);
		else if (n == -1)
			assert_true(kvm_geterr(kd)[0] != '\0');
		else
			break;
	}
	kvm_close(kd);
}

/* Changes bytes of the start, the end, and here and there. */
static void
mutate(struct packed *p)
{
	static const uint8_t flips[] = { 0xff, 0x80, 0x01 };
	size_t i, k;

	spill(p, p->len);
	for (i = 0; i < p->len; i++) {
		if (i > 64 && i + TABLE < p->len && i % 9973 != 0)
			continue;
		for (k = 0; k < sizeof(flips); k++) {
			p->bytes[i] ^= flips[k];
			spill(p, p->len);
			look(p);
			p->bytes[i] ^= flips[k];
		}
	}
	for (i = 0; i < p->len; i += i < 64 || i + 64 > p->len ? 1 : 50021) {
		spill(p, i);
		look(p);
	}
}

/* This test checks that whatever changes in a file, what is read of it is right
 * or an error. */
static void
packed_mutated_is_right_or_fails(void **state)
{
	struct packed *p = *state;
	static const struct mkdump_run runs[] = {
		{ 0x80000, 0x30000 },
	};

	p->im.spec.runs = runs;
	p->im.spec.nruns = 1;
	p->im.spec.text_paddr = 0;
	p->im.spec.text_size = 0;
	image_make(&p->im);
	free(p->plain);
	p->plain = slurp(p->im.path, &p->plain_len);
	pack_zstd(p, false);
	mutate(p);
	pack_zstd(p, true);
	mutate(p);
	pack_members(p);
	mutate(p);
	pack_by(p, "gzip -c $in >$out");
	mutate(p);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packed_zstd_reads_as_plain),
		TEST(packed_members_read_as_plain),
		TEST(packed_any_gzip_reads_as_plain),
		TEST(packed_mixed_members_read_as_plain),
		TEST(packed_long_gzip_reads_as_plain),
		TEST(packed_threads_read_as_plain),
		TEST(packed_zstd_table_wrong_says_so),
		TEST(packed_zstd_frame_damaged_says_so),
		TEST(packed_gzip_wrong_says_so),
		TEST(packed_mutated_is_right_or_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
