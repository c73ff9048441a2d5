/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump_test.c: what mkdump writes, seen through the format header.  Writer and
 * header come from the same page by different hands; here they meet.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <xxhash.h>

#include <sys/kcore.h>

#include "mkdump.h"

static char path[] = "/tmp/mkdump_test.XXXXXX";

static int
path_make(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd == -1 ? -1 : close(fd);
}

static int
path_remove(void **state)
{
	(void)state;
	return unlink(path);
}

/* Writes a dump and returns all of the file. */
static uint8_t *
image(const struct mkdump_spec *spec, struct mkdump_info *info, size_t *len)
{
	struct stat st;
	uint8_t *p;
	int fd;

	if (mkdump_write(spec, path, info) == -1)
		fail_msg("%s", info->err);
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	p = malloc(*len);
	assert_non_null(p);
	assert_int_equal(read(fd, p, *len), st.st_size);
	close(fd);
	return p;
}

/* The checksum of a record whose own one is at cksum_at. */
static uint64_t
sum_without(const uint8_t *p, size_t len, size_t cksum_at)
{
	uint8_t *copy = malloc(len);
	uint64_t sum;

	assert_non_null(copy);
	memcpy(copy, p, len);
	memset(copy + cksum_at, 0, 8);
	sum = XXH64(copy, len, 0);
	free(copy);
	return sum;
}

static void
header_check(const cpu_kcore_hdr_t *h, const uint8_t *cpu)
{
	assert_int_equal(h->ext_magic, KCORE_EXT_MAGIC);
	assert_int_equal(h->version, KCORE_VERSION);
	assert_int_equal(h->hdrsize, sizeof(*h));
	assert_int_equal(h->chunk_size, KCORE_CHUNK);
	assert_int_equal(h->machine, KCORE_MID_X86_64);
	assert_int_equal(h->page_size, 4096);
	assert_int_equal(h->nparts, 1);
	assert_int_equal((8 + h->cpu_size) % KCORE_ALIGN, 0);
	assert_string_equal(h->release, "6.1.0-test");
	assert_string_equal(h->panicstr, "mkdump: test panic");
	assert_string_equal(h->names[0].name, "dumpmag");
	assert_int_equal(h->exclsegs_cap, 64);
	assert_int_equal(h->tables_cksum,
	    XXH64(cpu + h->hdrsize, h->cpu_size - h->hdrsize, 0));
	assert_int_equal(h->hdr_cksum, sum_without(cpu, sizeof(*h),
	    offsetof(cpu_kcore_hdr_t, hdr_cksum)));
}

/* This test checks that header, tables, data, checksum page, early record and
 * trailers of a raw dump are where and what the format says. */
static void
mkdump_raw_default_is_whole(void **state)
{
	struct mkdump_spec spec;
	struct mkdump_info in;
	cpu_kcore_hdr_t h;
	kcore_trailer_t t;
	kcore_ckpage_t ck;
	kcore_early_t e;
	kcore_seg_t seg;
	uint32_t mag;
	uint8_t *p;
	size_t len;

	(void)state;
	mkdump_init(&spec);
	p = image(&spec, &in, &len);
	assert_int_equal(len, in.window);
	assert_memory_equal(p + 4086, "SWAPSPACE2", 10);

	memcpy(&t, p + len - 4096, sizeof(t));	/* seq 4 */
	assert_int_equal(t.magic, KCORE_TRAILER_MAGIC);
	assert_int_equal(t.seq, 4);
	assert_int_equal(t.state, KCORE_STATE_COMPLETE);
	assert_int_equal(t.cksum, sum_without(p + len - 4096, 4096,
	    offsetof(kcore_trailer_t, cksum)));
	assert_int_equal(t.hdr_cksum, XXH64(p + t.dumplo, t.hdr_size, 0));
	assert_string_equal(t.panicstr, "mkdump: test panic");
	memcpy(&seg, p + t.dumplo, sizeof(seg));
	assert_int_equal(ntohl(seg.c_midmag), KCORE_MIDMAG(KCORE_MAGIC,
	    KCORE_MID_X86_64, CORE_CPU));
	memcpy(&h, p + t.dumplo + 8, sizeof(h));
	assert_int_equal(seg.c_size, h.cpu_size);
	header_check(&h, p + t.dumplo + 8);
	memcpy(&mag, p + t.dumplo + t.hdr_size + h.dumpmag_paddr % 4096, 4);
	assert_int_equal(mag, KCORE_DUMPMAG);

	memcpy(&ck, p + t.cksum_off, sizeof(ck));
	assert_int_equal(ck.magic, KCORE_CKSUM_MAGIC);
	assert_int_equal(ck.count, t.cksum_valid);
	assert_int_equal(ck.cksum, sum_without(p + t.cksum_off, 4096,
	    offsetof(kcore_ckpage_t, cksum)));
	for (uint64_t i = 0; i < ck.count; i++) {
		uint64_t off = i * KCORE_CHUNK, n = t.data_size - off;

		assert_int_equal(ck.sums[i], XXH64(p + t.dumplo + t.hdr_size +
		    off, n < KCORE_CHUNK ? n : KCORE_CHUNK, 0));
	}

	memcpy(&e, p + len - KCORE_END_AREA, sizeof(e));
	assert_int_equal(e.magic, KCORE_EARLY_MAGIC);
	assert_string_equal(e.panicstr, "mkdump: test panic");
	assert_int_equal(e.cksum, sum_without(p + len - KCORE_END_AREA, 4096,
	    offsetof(kcore_early_t, cksum)));
	assert_int_equal(e.body_cksum, XXH64(p + len - KCORE_END_AREA + 4096,
	    e.log_off + e.log_size - 4096, 0));
	free(p);
}

/* This test checks that a core file has NetBSD's skeleton, with 32 and with
 * 64-bit sizes, and its data where the segments say. */
static void
mkdump_core_has_skeleton(void **state)
{
	struct mkdump_spec spec;
	struct mkdump_info in;

	(void)state;
	mkdump_init(&spec);
	spec.core = true;
	for (int wide = 0; wide < 2; wide++) {
		kcore_hdr_t k;
		kcore_seg64_t seg;
		cpu_kcore_hdr_t h;
		uint8_t *p;
		size_t len, at;

		spec.seg64 = wide;
		p = image(&spec, &in, &len);
		memcpy(&k, p, sizeof(k));
		assert_int_equal(ntohl(k.c_midmag), KCORE_MIDMAG(KCORE_MAGIC,
		    KCORE_MID_X86_64, 0));
		assert_int_equal(k.c_hdrsize, KCORE_HDRSIZE);
		assert_int_equal(k.c_seghdrsize, wide ? 16 : 8);
		assert_int_equal(k.c_nseg, 2);
		at = (size_t)k.c_hdrsize + k.c_seghdrsize;
		memcpy(&h, p + at, sizeof(h));
		header_check(&h, p + at);
		at += h.cpu_size;
		memcpy(&seg, p + at, sizeof(seg));
		assert_int_equal(ntohl(seg.c_midmag), KCORE_MIDMAG(
		    KCORESEG_MAGIC, 0, CORE_DATA));
		assert_int_equal(wide ? seg.c_size64 : seg.c_size, h.data_size);
		assert_int_equal(at + k.c_seghdrsize + h.data_size, len);
		free(p);
	}
}

/* This test checks that memsegs[] begin with the page of dumpmag, leave out what
 * exclsegs[] say, and lead to the right bytes. */
static void
mkdump_memsegs_lead_to_data(void **state)
{
	static const struct mkdump_excl excl[] = {
		{ 0x210000, 0x10000, KCORE_EXCL_ZERO },
		{ 0x230000, 0x1000, KCORE_EXCL_UNREADABLE },
	};
	static const uint8_t zeros[MKDUMP_PAGE];
	struct mkdump_spec spec;
	struct mkdump_info in;
	struct mkmem *mem;
	uint8_t *p, *data, page[MKDUMP_PAGE];
	size_t len;

	(void)state;
	mkdump_init(&spec);
	spec.excl = excl;
	spec.nexcl = 2;
	p = image(&spec, &in, &len);
	mem = mkmem_create(&spec, &in);
	assert_non_null(mem);
	data = p + in.data_off;
	for (uint64_t i = 0; i < in.nmemsegs; i++) {
		phys_ram_seg_t s;

		memcpy(&s, p + in.cpu_off + in.memsegs_off + i * sizeof(s),
		    sizeof(s));
		if (i == 0)
			assert_int_equal(s.start, 0x2ff000);
		assert_true(s.start + s.size <= 0x210000 ||
		    s.start >= 0x220000);
		for (uint64_t o = 0; o < s.size; o += MKDUMP_PAGE) {
			mkmem_page(mem, s.start + o, page);
			if (s.start + o == 0x230000)
				assert_memory_equal(data, zeros, MKDUMP_PAGE);
			else if (i != 0)
				assert_memory_equal(data, page, MKDUMP_PAGE);
			data += MKDUMP_PAGE;
		}
	}
	assert_ptr_equal(data, p + in.data_off + in.data_size);
	mkmem_destroy(mem);
	free(p);
}

/* This test checks that trailers go to the slots of their sequence numbers and
 * that a torn one fails its checksum. */
static void
mkdump_trailer_torn_fails_checksum(void **state)
{
	struct mkdump_spec spec;
	struct mkdump_info in;
	kcore_trailer_t t[2];
	uint8_t *p;
	size_t len;

	(void)state;
	mkdump_init(&spec);
	spec.seq = 7;
	spec.torn = MKDUMP_TORN_NEW;
	p = image(&spec, &in, &len);
	memcpy(t, p + len - 8192, sizeof(t));
	assert_int_equal(t[0].seq, 7);
	assert_int_equal(t[1].seq, 6);
	assert_int_not_equal(t[0].cksum, sum_without(p + len - 8192, 4096,
	    offsetof(kcore_trailer_t, cksum)));
	assert_int_equal(t[1].cksum, sum_without(p + len - 4096, 4096,
	    offsetof(kcore_trailer_t, cksum)));
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mkdump_raw_default_is_whole),
		cmocka_unit_test(mkdump_core_has_skeleton),
		cmocka_unit_test(mkdump_memsegs_lead_to_data),
		cmocka_unit_test(mkdump_trailer_torn_fails_checksum),
	};

	return cmocka_run_group_tests(tests, path_make, path_remove);
}
