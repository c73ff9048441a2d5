/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_test.c: wrong records with right checksums, as a confused or malicious
 * writer makes them: each is refused, and the text says what is wrong with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "image.h"

#define HDR(m)	offsetof(cpu_kcore_hdr_t, m)
#define TR(m)	offsetof(kcore_trailer_t, m)
#define EARLY(m) offsetof(kcore_early_t, m)

struct wrong {
	uint64_t off;
	unsigned int size;
	uint64_t value;
	const char *text;
};

static const struct wrong header[] = {
	{ HDR(nmemsegs), 8, 0, "memsegs" },
	{ HDR(nmemsegs), 8, 1ull << 60, "memsegs" },
	{ HDR(nmemsegs), 8, UINT64_MAX, "memsegs" },
	{ HDR(ext_magic), 8, 1, "extension magic" },
	{ HDR(version), 4, 2, "version 2; this library knows version 1" },
	{ HDR(hdrsize), 4, 4096, "hdrsize 4096" },
	{ HDR(flags), 8, 0x8, "flags 0x8; this library knows 0x7" },
	{ HDR(flags), 8, 1ull << 63, "flags 0x8000000000000000" },
	{ HDR(memsegs_off), 4, 8, "memsegs at 8" },
	{ HDR(memsegs_off), 4, 2049, "out of place" },
	{ HDR(memsegs_off), 4, 0xfffffff8, "out of place" },
	{ HDR(exclsegs_off), 4, 0xfffffff8, "out of place" },
	{ HDR(exclsegs_off), 4, 0x840, "out of place" },
	{ HDR(nexclsegs), 4, 65, "65 exclsegs in 64 places" },
	{ HDR(nexclsegs), 4, 1, "exclsegs[0]: kind 0" },
	{ HDR(exclsegs_cap), 4, 0xffffffff, "out of place" },
	{ HDR(notes_size), 4, 0xffffffff, "notes at" },
	{ HDR(cpu_size), 4, 2048, "cpu_size" },
	{ HDR(cpu_size), 4, 0xffffffff, "cpu_size" },
	{ HDR(chunk_size), 4, 4096, "chunk_size is 4096" },
	{ HDR(data_size), 8, 4096, "data_valid is" },
	{ HDR(data_size), 8, UINT64_MAX, "data_valid is" },
	{ HDR(data_valid), 8, 4096, "data_valid" },
	{ HDR(data_valid), 8, UINT64_MAX, "data_valid" },
	{ HDR(machine), 4, 183, "machine 183" },
	{ HDR(page_size), 4, 65536, "page_size is 65536" },
	{ HDR(paging_levels), 4, 3, "3 levels" },
	{ HDR(paging_levels), 4, 6, "6 levels" },
	{ HDR(dump_level), 4, 32, "dump_level is 32" },
	{ HDR(part), 4, 1, "part is 1" },
	{ HDR(nparts), 4, 2, "nparts is 2" },
	{ HDR(device_index), 4, 64, "device_index is 64" },
	{ HDR(ptdpaddr), 8, 0xa0001, "ptdpaddr" },
	{ HDR(enc_mask), 8, 1, "enc_mask" },
	{ HDR(dumpmag_paddr), 8, 0x1000, "memsegs[0] is not" },
	{ HDR(dumpmag_paddr), 8, 0x90ffd, "memsegs[0] is not" },
	{ HDR(counts) + 8 * 10, 8, 1, "reserved" },
	{ HDR(pad0), 4, 1, "pad0" },
	{ HDR(reserved), 8, 1, "reserved" },
	{ HDR(reserved) + 296, 8, 1, "reserved" },
	{ HDR(panic_comm) + 15, 1, 'x', "panic_comm" },
	{ HDR(release) + 71, 1, 'x', "release" },
	{ HDR(osversion) + 135, 1, 'x', "osversion" },
	{ HDR(nodename) + 71, 1, 'x', "nodename" },
	{ HDR(panicstr) + 511, 1, 'x', "panicstr" },
	{ HDR(names) + 23, 1, 'x', "names[0]" },
	{ HDR(names) + 15 * 32 + 24, 8, 1, "names[15]" },
	{ 2048, 1, 1, "not zero" },		/* before memsegs[] */
	{ 4087, 1, 1, "not zero" },		/* the segment's last */
	{ 0x840, 8, 0x91000, "memsegs[3]" },
	{ 0x840, 8, 0x50000, "memsegs[0] is not" },
	{ 0x840 + 8, 8, 0x2000, "memsegs[3]" },
	{ 0x840 + 8, 8, 0, "memsegs[0]" },
	{ 0x840 + 16, 8, 0x1001, "memsegs[1]" },
	{ 0x840 + 16, 8, 0x90000, "memsegs[1]" },
	{ 0x840 + 24, 8, 0, "memsegs[1]" },
	{ 0x840 + 24, 8, 0x1000, "memsegs have" },
	{ 0x840 + 24, 8, 0xfffffffffffff000, "memsegs[1]" },
	{ 0x840 + 32, 8, 0x1000, "memsegs[2]" },
	{ 0x840 + 40, 8, 0x8fff, "memsegs[2]" },
};

/* This test checks that each wrong member of the header is named. */
static void
record_header_wrong_member_is_named(void **state)
{
	struct mkdump_poke poke;
	struct image im;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(header) / sizeof(header[0]); i++) {
		image_init(&im);
		poke = (struct mkdump_poke){ MKDUMP_CPU, header[i].off,
		    header[i].size, header[i].value };
		im.spec.pokes = &poke;
		im.spec.npokes = 1;
		image_write(&im);
		image_open(&im, O_RDONLY);
		if (kvm_dump_mkheader(im.kd, (off_t)im.info.dumplo) != 0)
			fail_msg("taken for right: %s", header[i].text);
		image_says(&im, header[i].text);
		image_fini(&im);
	}
}

static const struct wrong segment[] = {
	{ 0, 4, 0xac8f9d04, "no dump header" },
	{ 0, 4, 0xca8f9d08, "flags 2" },
	{ 0, 4, 0xca8fb704, "machine 183" },
	{ 4, 4, 0xffffffff, "CPU segment of 4294967295 bytes" },
	{ 4, 4, 0x08000001, "CPU segment of 134217729 bytes" },
	{ 4, 4, 2040, "CPU segment of 2040 bytes" },
	{ 4, 4, 2048, "cpu_size" },
};

/* This test checks that each wrong segment header is told apart. */
static void
record_segment_wrong_is_told_apart(void **state)
{
	struct mkdump_poke poke;
	struct image im;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(segment) / sizeof(segment[0]); i++) {
		image_init(&im);
		poke = (struct mkdump_poke){ MKDUMP_SEG, segment[i].off,
		    segment[i].size, segment[i].value };
		im.spec.pokes = &poke;
		im.spec.npokes = 1;
		image_write(&im);
		image_open(&im, O_RDONLY);
		assert_int_equal(kvm_dump_mkheader(im.kd,
		    (off_t)im.info.dumplo), 0);
		image_says(&im, segment[i].text);
		image_fini(&im);
	}
}

static const struct wrong trailer[] = {
	{ TR(magic), 8, 0, "no dump" },
	{ TR(version), 4, 2, "version 2; this library knows version 1" },
	{ TR(size), 4, 512, "size 512" },
	{ TR(seq), 8, 0, "sequence number 0" },
	{ TR(seq), 8, 5, "sequence number 5" },		/* of the other slot */
	{ TR(state), 4, 0, "state 0" },
	{ TR(state), 4, 5, "state 5" },
	{ TR(error), 4, 5, "error 5" },
	{ TR(window_size), 8, 1 << 30, "window of 1073741824" },
	{ TR(dumplo), 8, 0x2001, "out of place" },
	{ TR(dumplo), 8, 0xfffffffffffff000, "out of place" },
	{ TR(dumplo), 8, 0xfff, "out of place" },
	{ TR(hdr_size), 8, 0xfffffffffffff000, "out of place" },
	{ TR(hdr_size), 8, 0, "out of place" },
	{ TR(data_size), 8, 0xfffffffffffff000, "out of place" },
	{ TR(data_valid), 8, 1ull << 40, "out of place" },
	{ TR(cksum_off), 8, 0x1000, "checksums at 4096" },
	{ TR(cksum_off), 8, 0xfffffffffffff000, "checksums at" },
	{ TR(cksum_size), 8, 0xfffffffffffff000, "checksums at" },
	{ TR(cksum_valid), 8, 3, "3 chunks" },
	{ TR(cksum_valid), 8, UINT64_MAX, "chunks" },
	{ TR(early_off), 8, 4096, "early record at 4096" },
	{ TR(early_size), 8, 4u << 20, "early record at" },
	{ TR(part), 4, 1, "part 1 of 1" },
	{ TR(nparts), 4, 2, "part 0 of 2" },
	{ TR(nlate), 4, 65, "65 late ranges" },
	{ TR(nlate), 4, 0xffffffff, "late ranges" },
	{ TR(nlate), 4, 1, "late[0]" },
	{ TR(late), 8, 4096, "pad" },
	{ TR(release) + 71, 1, 'x', "text" },
	{ TR(panicstr) + 511, 1, 'x', "text" },
	{ TR(pad) + 1775, 1, 'x', "pad" },
};

/* This test checks that each wrong member of the newest trailer is named. */
static void
record_trailer_wrong_member_is_named(void **state)
{
	struct mkdump_poke pokes[2];
	struct kvm_dumpinfo di;
	struct image im;
	size_t i;
	int rv;

	(void)state;
	for (i = 0; i < sizeof(trailer) / sizeof(trailer[0]); i++) {
		image_init(&im);
		pokes[0] = (struct mkdump_poke){ MKDUMP_EVEN, trailer[i].off,
		    trailer[i].size, trailer[i].value };
		/* The older one goes away, and the early record too. */
		pokes[1] = (struct mkdump_poke){ MKDUMP_ODD, 0, 8, 0 };
		im.spec.pokes = pokes;
		im.spec.npokes = 2;
		im.spec.no_early = true;
		if (trailer[i].off == TR(early_size))
			im.spec.no_early = false;
		image_write(&im);
		image_open(&im, O_RDONLY);
		rv = kvm_dump_find(im.kd, NULL, 0, &di);
		if (im.spec.no_early) {
			if (rv > 0)
				fail_msg("taken for right: %s",
				    trailer[i].text);
			image_says(&im, trailer[i].text);
		} else {
			assert_int_equal(rv, 1);
			assert_int_equal(di.di_state, KCORE_STATE_EMPTY);
		}
		image_fini(&im);
	}
}

static const struct wrong other[] = {
	{ TR(hdr_cksum), 8, 1, "where the trailer has" },
	{ TR(hdr_size), 8, 8192, "where the trailer has" },
	{ TR(data_size), 8, 4096, "where the trailer has" },
	{ TR(dump_id), 8, 1, "another dump" },
	{ TR(arm_id), 8, 1, "another dump" },
	{ TR(machine), 4, 183, "where the trailer has" },
};

/* This test checks that a header must go with the trailer in force. */
static void
record_header_of_other_trailer_is_refused(void **state)
{
	struct mkdump_poke pokes[4];
	struct kvm_dumpinfo di;
	struct image im;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		image_init(&im);
		pokes[0] = (struct mkdump_poke){ MKDUMP_EVEN, other[i].off,
		    other[i].size, other[i].value };
		pokes[1] = (struct mkdump_poke){ MKDUMP_ODD, 0, 8, 0 };
		pokes[2] = (struct mkdump_poke){ MKDUMP_EVEN, TR(cksum_valid),
		    8, 0 };
		pokes[3] = (struct mkdump_poke){ MKDUMP_EVEN, TR(data_valid),
		    8, 0 };
		im.spec.pokes = pokes;
		im.spec.npokes = 4;
		/* Room, so that the trailer by itself makes sense. */
		im.spec.window = 32u << 20;
		im.spec.dumplo = 8u << 20;
		im.spec.no_early = true;
		if (other[i].off == TR(hdr_size))
			pokes[3] = (struct mkdump_poke){ MKDUMP_EVEN,
			    TR(cksum_size), 8, 0 };
		image_write(&im);
		image_open(&im, O_RDONLY);
		if (kvm_dump_find(im.kd, NULL, 0, &di) != 1)
			fail_msg("%s", kvm_geterr(im.kd));
		assert_int_equal(kvm_dump_mkheader(im.kd, di.di_dumplo), 0);
		image_says(&im, other[i].text);
		image_fini(&im);
	}
}

static const struct wrong early[] = {
	{ EARLY(size), 4, 512, NULL },
	{ EARLY(version), 4, 2, NULL },
	{ EARLY(notes_size), 4, 0xffffffff, NULL },
	{ EARLY(log_off), 4, 0, NULL },
	{ EARLY(log_off), 4, 0xffffffff, NULL },
	{ EARLY(log_size), 4, 0xffffffff, NULL },
	{ EARLY(log_size), 4, 4u << 20, NULL },
	{ EARLY(body_cksum), 8, 1, NULL },
	{ EARLY(release) + 71, 1, 'x', NULL },
	{ EARLY(panicstr) + 511, 1, 'x', NULL },
	{ EARLY(pad) + 3175, 1, 'x', NULL },
};

/* This test checks that a wrong early record is none, and its log not read. */
static void
record_early_wrong_member_is_no_record(void **state)
{
	struct mkdump_poke poke;
	struct kvm_dumpinfo di;
	struct image im;
	char log[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		image_init(&im);
		poke = (struct mkdump_poke){ MKDUMP_EARLY, early[i].off,
		    early[i].size, early[i].value };
		im.spec.pokes = &poke;
		im.spec.npokes = 1;
		im.spec.nnotes = 1;
		image_write(&im);
		image_open(&im, O_RDONLY);
		assert_int_equal(kvm_dump_find(im.kd, NULL, 0, &di), 1);
		if (di.di_early)
			fail_msg("wrong early record %zu taken for right", i);
		assert_int_equal(kvm_dump_earlylog(im.kd, log, sizeof(log)),
		    0);
		image_says(&im, "early record");
		image_fini(&im);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_header_wrong_member_is_named),
		cmocka_unit_test(record_segment_wrong_is_told_apart),
		cmocka_unit_test(record_trailer_wrong_member_is_named),
		cmocka_unit_test(record_header_of_other_trailer_is_refused),
		cmocka_unit_test(record_early_wrong_member_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
