/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob_dump.c: the records of dumps, and page tables, with anybody's bytes.
 *
 * A wrong checksum is soon found.  The first byte of an input says which of its
 * records get the right ones, by kcore(5), so that what is behind is seen too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "blob.h"

#define PAGE		4096u
#define HDRSIZE		2048u	/* of cpu_kcore_hdr_t */
#define NOTES		2u

enum { FIX_HEADER = 1, FIX_TRAILERS = 2, FIX_EARLY = 4, FIX_CKSUMS = 8 };

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void
put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* A record whose checksum is in itself. */
static void
fix(uint8_t *p, size_t len, size_t at)
{
	put64(p + at, 0);
	put64(p + at, XXH64(p, len, 0));
}

/* The CPU segment, of as many bytes as it says, if room has them. */
static void
fix_cpu(uint8_t *cpu, size_t room)
{
	const uint32_t size = get32(cpu + 64);

	if (size < HDRSIZE || size > room)
		return;
	put64(cpu + 2032, XXH64(cpu + HDRSIZE, size - HDRSIZE, 0));
	fix(cpu, HDRSIZE, 2040);
}

static void
dump_init(struct image *im, bool core)
{
	static const struct mkdump_excl excl[] = {
		{ 0x8000, 0x2000, 1 }, { 0xc000, 0x1000, 2 },
	};

	image_init(im);
	im->spec.core = core;
	im->spec.excl = excl;
	im->spec.nexcl = 2;
	im->spec.nnotes = NOTES;
	image_write(im);
}

/* ---- A core file's headers ---- */

static size_t
core_make(unsigned int n, struct image *im, struct blob_area *a)
{
	if (a->good == NULL) {
		dump_init(im, true);
		if (n == 1) {
			im->spec.seg64 = true;
			image_write(im);
		}
		blob_keep(im);
		blob_area_init(a, im, 0, im->info.data_off);
	}
	return a->size;
}

static struct image core_image[2];
static struct blob_area core_area[2];

static size_t
core_seed(unsigned int n, uint8_t *buf)
{
	size_t size;

	if (n >= 4)
		return 0;
	size = core_make(n & 1, &core_image[n & 1], &core_area[n & 1]);
	buf[0] = (uint8_t)n;
	memcpy(buf + 1, core_area[n & 1].good, size);
	return size + 1;
}

static void
core_look(const uint8_t *data, size_t size)
{
	const unsigned int n = size != 0 ? data[0] & 1 : 0;
	const bool fixed = size != 0 && (data[0] & 2) != 0;
	const size_t at = n == 1 ? 32 : 24;	/* of the CPU segment */
	static uint8_t buf[BLOB_MAX];
	struct image *im = &core_image[n];
	kvm_t *kd;

	core_make(n, im, &core_area[n]);
	data += size != 0;
	size -= size != 0;
	blob_area_take(&core_area[n], &data, &size, buf);
	if (fixed)
		fix_cpu(buf + at, core_area[n].size - at);
	image_put(im, 0, buf, core_area[n].size);
	if ((kd = blob_open(im)) == NULL)
		return;
	blob_ask(kd, im);
	kvm_close(kd);
}

const struct blob blob_core = { "core", core_seed, core_look };

/* ---- A raw dump's records ---- */

enum { RAW_HEADER, RAW_CKSUMS, RAW_EARLY, RAW_ODD, RAW_EVEN, RAW_NAREAS };

static struct image raw_image;
static struct blob_area raw_area[RAW_NAREAS];

static void
raw_make(void)
{
	const struct mkdump_info *in = &raw_image.info;

	if (raw_area[0].good != NULL)
		return;
	dump_init(&raw_image, false);
	blob_keep(&raw_image);
	blob_area_init(&raw_area[RAW_HEADER], &raw_image, in->dumplo,
	    in->data_off - in->dumplo);
	blob_area_init(&raw_area[RAW_CKSUMS], &raw_image, in->cksum_off, PAGE);
	blob_area_init(&raw_area[RAW_EARLY], &raw_image, in->early_off, PAGE);
	blob_area_init(&raw_area[RAW_ODD], &raw_image, in->window - 2 * PAGE,
	    PAGE);
	blob_area_init(&raw_area[RAW_EVEN], &raw_image, in->window - PAGE,
	    PAGE);
}

static size_t
raw_seed(unsigned int n, uint8_t *buf)
{
	size_t size = 1, i;

	raw_make();
	if (n >= 2)
		return 0;
	buf[0] = n == 1 ? 0xff : 0;
	for (i = 0; i < RAW_NAREAS; i++) {
		memcpy(buf + size, raw_area[i].good, raw_area[i].size);
		size += raw_area[i].size;
	}
	return size;
}

/* Gives the records right checksums. */
static void
raw_fix(unsigned int what, uint8_t *const *p)
{
	const size_t size = raw_area[RAW_HEADER].size;

	if ((what & FIX_HEADER) != 0) {
		fix_cpu(p[RAW_HEADER] + 8, size - 8);
		/* The trailers have the header's. */
		put64(p[RAW_ODD] + 88, XXH64(p[RAW_HEADER], size, 0));
		put64(p[RAW_EVEN] + 88, get64(p[RAW_ODD] + 88));
	}
	if ((what & FIX_CKSUMS) != 0)
		fix(p[RAW_CKSUMS], PAGE, 56);
	if ((what & FIX_EARLY) != 0)
		fix(p[RAW_EARLY], PAGE, 4088);
	if ((what & FIX_TRAILERS) != 0) {
		fix(p[RAW_ODD], PAGE, 4088);
		fix(p[RAW_EVEN], PAGE, 4088);
	}
}

static void
raw_ask(kvm_t *kd)
{
	static const unsigned char known[1][KVM_IDLEN] = { "nobody's" };
	static uint8_t chunk[0x100000];
	struct kvm_dumpinfo di;
	uint64_t sum, i;
	char log[64];
	int rv;

	blob_result(kd, kvm_dump_find(kd, known, 1, &di));
	rv = kvm_dump_find(kd, NULL, 0, &di);
	blob_result(kd, rv);
	if (rv == 1)
		blob_result(kd, kvm_dump_mkheader64(kd, di.di_dumplo));
	blob_result(kd, kvm_dump_mkheader64(kd,
	    (off_t)raw_image.info.dumplo));
	blob_result(kd, kvm_dump_earlylog(kd, log, sizeof(log)));
	for (i = 0; i < 3; i++) {
		blob_result(kd, kvm_dump_cksum(kd, i, &sum));
		blob_result(kd, kvm_dump_verify(kd, i, chunk, 64));
	}
	blob_result(kd, kvm_dump_mark(kd, 5, 0x3000, 0x2000));
	blob_ask(kd, &raw_image);
}

static void
raw_look(const uint8_t *data, size_t size)
{
	static uint8_t buf[BLOB_MAX];
	uint8_t *p[RAW_NAREAS];
	unsigned int what = size != 0 ? data[0] : 0;
	size_t at = 0, i;
	kvm_t *kd;

	raw_make();
	data += size != 0;
	size -= size != 0;
	for (i = 0; i < RAW_NAREAS; at += raw_area[i++].size) {
		p[i] = buf + at;
		blob_area_take(&raw_area[i], &data, &size, p[i]);
	}
	raw_fix(what, p);
	for (i = 0; i < RAW_NAREAS; i++)
		image_put(&raw_image, raw_area[i].off, p[i], raw_area[i].size);
	if ((kd = blob_open(&raw_image)) == NULL)
		return;
	raw_ask(kd);
	kvm_close(kd);
}

const struct blob blob_raw = { "raw", raw_seed, raw_look };

/* ---- Page tables ---- */

#define TABLES	8u	/* pages of them; the first is the root */

static struct image tables_image[2];
static struct blob_area tables_area[2];

static void
tables_make(unsigned int n)
{
	struct image *im = &tables_image[n];
	const uint64_t at = 0xa0000 - 0x80000 + 0x3f000;

	if (tables_area[n].good != NULL)
		return;
	image_init(im);
	im->spec.core = true;
	im->spec.levels = 4 + n;
	image_write(im);
	blob_keep(im);
	/* The page of dumpmag is the first; then memory, in order. */
	blob_area_init(&tables_area[n], im, im->info.data_off + 0x1000 + at,
	    TABLES * PAGE);
}

static size_t
tables_seed(unsigned int n, uint8_t *buf)
{
	if (n >= 2)
		return 0;
	tables_make(n);
	buf[0] = (uint8_t)n;
	memcpy(buf + 1, tables_area[n].good, tables_area[n].size);
	return 1 + tables_area[n].size;
}

static void
tables_look(const uint8_t *data, size_t size)
{
	static uint8_t buf[TABLES * PAGE];
	const unsigned int n = size != 0 ? data[0] & 1 : 0;
	kvm_t *kd;

	tables_make(n);
	data += size != 0;
	size -= size != 0;
	blob_area_take(&tables_area[n], &data, &size, buf);
	image_put(&tables_image[n], tables_area[n].off, buf, sizeof(buf));
	if ((kd = blob_open(&tables_image[n])) == NULL)
		fail_msg("page tables kept a core file from being opened");
	blob_ask(kd, &tables_image[n]);
	kvm_close(kd);
}

const struct blob blob_tables = { "tables", tables_seed, tables_look };
