/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kcore_test.c: kcore(5) says what sys/sys/kcore.h does: every member of every
 * record with its offset and size, every constant with its value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/kcore.h>

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define M(s, m)		{ #s, #m, offsetof(s, m), sizeof(((s *)0)->m) }
#define S(s)		{ #s, sizeof(s) }
#define C(c)		{ #c, c }

static const struct member {
	const char *record;
	const char *name;
	size_t off;
	size_t size;
} members[] = {
	M(kcore_hdr_t, c_midmag),
	M(kcore_hdr_t, c_hdrsize),
	M(kcore_hdr_t, c_seghdrsize),
	M(kcore_hdr_t, c_nseg),
	M(kcore_seg_t, c_midmag),
	M(kcore_seg_t, c_size),
	M(kcore_seg64_t, c_midmag),
	M(kcore_seg64_t, c_size),
	M(kcore_seg64_t, c_size64),
	M(phys_ram_seg_t, start),
	M(phys_ram_seg_t, size),
	M(kcore_exclseg_t, start),
	M(kcore_exclseg_t, size),
	M(kcore_exclseg_t, kind),
	M(kcore_exclseg_t, flags),
	M(kcore_name_t, name),
	M(kcore_name_t, addr),
	M(cpu_kcore_hdr_t, ptdpaddr),
	M(cpu_kcore_hdr_t, nmemsegs),
	M(cpu_kcore_hdr_t, ext_magic),
	M(cpu_kcore_hdr_t, version),
	M(cpu_kcore_hdr_t, hdrsize),
	M(cpu_kcore_hdr_t, flags),
	M(cpu_kcore_hdr_t, memsegs_off),
	M(cpu_kcore_hdr_t, exclsegs_off),
	M(cpu_kcore_hdr_t, nexclsegs),
	M(cpu_kcore_hdr_t, exclsegs_cap),
	M(cpu_kcore_hdr_t, notes_off),
	M(cpu_kcore_hdr_t, notes_size),
	M(cpu_kcore_hdr_t, cpu_size),
	M(cpu_kcore_hdr_t, chunk_size),
	M(cpu_kcore_hdr_t, data_size),
	M(cpu_kcore_hdr_t, data_valid),
	M(cpu_kcore_hdr_t, machine),
	M(cpu_kcore_hdr_t, page_size),
	M(cpu_kcore_hdr_t, paging_levels),
	M(cpu_kcore_hdr_t, dump_level),
	M(cpu_kcore_hdr_t, ncpus),
	M(cpu_kcore_hdr_t, panic_cpu),
	M(cpu_kcore_hdr_t, panic_tid),
	M(cpu_kcore_hdr_t, part),
	M(cpu_kcore_hdr_t, nparts),
	M(cpu_kcore_hdr_t, device_index),
	M(cpu_kcore_hdr_t, kaslr_slide),
	M(cpu_kcore_hdr_t, phys_base),
	M(cpu_kcore_hdr_t, page_offset),
	M(cpu_kcore_hdr_t, enc_mask),
	M(cpu_kcore_hdr_t, vmcoreinfo_paddr),
	M(cpu_kcore_hdr_t, vmcoreinfo_size),
	M(cpu_kcore_hdr_t, panic_task),
	M(cpu_kcore_hdr_t, panic_time_ns),
	M(cpu_kcore_hdr_t, uptime_ns),
	M(cpu_kcore_hdr_t, dumpmag_paddr),
	M(cpu_kcore_hdr_t, counts),
	M(cpu_kcore_hdr_t, arm_id),
	M(cpu_kcore_hdr_t, dump_id),
	M(cpu_kcore_hdr_t, boot_id),
	M(cpu_kcore_hdr_t, build_id),
	M(cpu_kcore_hdr_t, pad0),
	M(cpu_kcore_hdr_t, panic_comm),
	M(cpu_kcore_hdr_t, release),
	M(cpu_kcore_hdr_t, osversion),
	M(cpu_kcore_hdr_t, nodename),
	M(cpu_kcore_hdr_t, panicstr),
	M(cpu_kcore_hdr_t, names),
	M(cpu_kcore_hdr_t, reserved),
	M(cpu_kcore_hdr_t, tables_cksum),
	M(cpu_kcore_hdr_t, hdr_cksum),
	M(kcore_ckpage_t, magic),
	M(kcore_ckpage_t, version),
	M(kcore_ckpage_t, index),
	M(kcore_ckpage_t, count),
	M(kcore_ckpage_t, pad0),
	M(kcore_ckpage_t, arm_id),
	M(kcore_ckpage_t, dump_id),
	M(kcore_ckpage_t, cksum),
	M(kcore_ckpage_t, sums),
	M(kcore_trailer_t, magic),
	M(kcore_trailer_t, version),
	M(kcore_trailer_t, size),
	M(kcore_trailer_t, seq),
	M(kcore_trailer_t, state),
	M(kcore_trailer_t, error),
	M(kcore_trailer_t, arm_id),
	M(kcore_trailer_t, dump_id),
	M(kcore_trailer_t, window_size),
	M(kcore_trailer_t, dumplo),
	M(kcore_trailer_t, hdr_size),
	M(kcore_trailer_t, hdr_cksum),
	M(kcore_trailer_t, data_size),
	M(kcore_trailer_t, data_valid),
	M(kcore_trailer_t, cksum_off),
	M(kcore_trailer_t, cksum_size),
	M(kcore_trailer_t, cksum_valid),
	M(kcore_trailer_t, early_off),
	M(kcore_trailer_t, early_size),
	M(kcore_trailer_t, panic_time_ns),
	M(kcore_trailer_t, machine),
	M(kcore_trailer_t, dump_level),
	M(kcore_trailer_t, part),
	M(kcore_trailer_t, nparts),
	M(kcore_trailer_t, device_index),
	M(kcore_trailer_t, nlate),
	M(kcore_trailer_t, late_lost),
	M(kcore_trailer_t, late),
	M(kcore_trailer_t, release),
	M(kcore_trailer_t, panicstr),
	M(kcore_trailer_t, pad),
	M(kcore_trailer_t, cksum),
	M(kcore_early_t, magic),
	M(kcore_early_t, version),
	M(kcore_early_t, size),
	M(kcore_early_t, arm_id),
	M(kcore_early_t, dump_id),
	M(kcore_early_t, panic_time_ns),
	M(kcore_early_t, uptime_ns),
	M(kcore_early_t, machine),
	M(kcore_early_t, ncpus),
	M(kcore_early_t, panic_cpu),
	M(kcore_early_t, panic_tid),
	M(kcore_early_t, notes_off),
	M(kcore_early_t, notes_size),
	M(kcore_early_t, log_off),
	M(kcore_early_t, log_size),
	M(kcore_early_t, body_cksum),
	M(kcore_early_t, panic_comm),
	M(kcore_early_t, release),
	M(kcore_early_t, osversion),
	M(kcore_early_t, nodename),
	M(kcore_early_t, panicstr),
	M(kcore_early_t, pad),
	M(kcore_early_t, cksum),
	M(kcore_label_t, magic),
	M(kcore_label_t, version),
	M(kcore_label_t, size),
	M(kcore_label_t, uuid),
	M(kcore_label_t, label),
	M(kcore_label_t, window_size),
	M(kcore_label_t, made_ns),
	M(kcore_label_t, pad),
	M(kcore_label_t, cksum),
};

static const struct {
	const char *name;
	size_t size;
} records[] = {
	S(kcore_hdr_t),
	S(kcore_seg_t),
	S(kcore_seg64_t),
	S(phys_ram_seg_t),
	S(kcore_exclseg_t),
	S(kcore_name_t),
	S(cpu_kcore_hdr_t),
	S(kcore_ckpage_t),
	S(kcore_trailer_t),
	S(kcore_early_t),
	S(kcore_label_t),
};

static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
	C(KCORE_MAGIC),
	C(KCORESEG_MAGIC),
	C(CORE_CPU),
	C(CORE_DATA),
	C(KCORE_MID_X86_64),
	C(KCORE_MID_AARCH64),
	C(KCORE_HDRSIZE),
	C(KCORE_SEGHDRSIZE),
	C(KCORE_SEGHDRSIZE64),
	C(KCORE_SIZE64),
	C(KCORE_VERSION),
	C(KCORE_EXT_MAGIC),
	C(KCORE_CKSUM_MAGIC),
	C(KCORE_TRAILER_MAGIC),
	C(KCORE_EARLY_MAGIC),
	C(KCORE_LABEL_MAGIC),
	C(KCORE_DUMPMAG),
	C(KCORE_ALIGN),
	C(KCORE_CHUNK),
	C(KCORE_CPU_MAX),
	C(KCORE_MEMSEGS_MAX),
	C(KCORE_NOTE_CPU),
	C(KCORE_EXCL_SPARE),
	C(KCORE_END_AREA),
	C(KCORE_WINDOW_MIN),
	C(KCORE_TRAILER_SIZE),
	C(KCORE_LATE_MAX),
	C(KCORE_CKSUM_PER_PAGE),
	C(KCORE_NNAMES),
	C(KCORE_NCOUNTS),
	C(KCORE_IDLEN),
	C(KCORE_NOCPU),
	C(KCORE_DEVICES_MAX),
	C(KCORE_F_TRUNCATED),
	C(KCORE_F_INCOMPLETE),
	C(KCORE_F_DAMAGED),
	C(KCORE_F_ZSTD),
	C(KCORE_F_SEALED),
	C(KCORE_F_KNOWN),
	C(KCORE_LEVEL_ZERO),
	C(KCORE_LEVEL_CACHE),
	C(KCORE_LEVEL_CACHE_PRIVATE),
	C(KCORE_LEVEL_USER),
	C(KCORE_LEVEL_FREE),
	C(KCORE_LEVEL_MAX),
	C(KCORE_COUNT_RAM),
	C(KCORE_COUNT_DUMPED),
	C(KCORE_COUNT_ZERO),
	C(KCORE_COUNT_CACHE),
	C(KCORE_COUNT_CACHE_PRIVATE),
	C(KCORE_COUNT_USER),
	C(KCORE_COUNT_FREE),
	C(KCORE_COUNT_TRUNCATED),
	C(KCORE_COUNT_UNREADABLE),
	C(KCORE_COUNT_OTHER),
	C(KCORE_EXCL_ZERO),
	C(KCORE_EXCL_FILTERED),
	C(KCORE_EXCL_TRUNCATED),
	C(KCORE_EXCL_UNREADABLE),
	C(KCORE_EXCL_DAMAGED),
	C(KCORE_EXCL_MISSING),
	C(KCORE_STATE_EMPTY),
	C(KCORE_STATE_INPROGRESS),
	C(KCORE_STATE_COMPLETE),
	C(KCORE_STATE_FAILED),
	C(KCORE_STATE_SAVED),
};

/* One row of a table in the page. */
struct row {
	bool constant;		/* else a member */
	char record[32];	/* the heading above it */
	size_t record_size;
	char name[40];
	uint64_t a;		/* offset, or value */
	uint64_t b;		/* size */
};

static struct row rows[512];
static size_t nrows;

static int
page_read(void **state)
{
	char line[512], record[32] = "";
	size_t record_size = 0;
	FILE *fp;

	(void)state;
	if ((fp = fopen(KCORE_PAGE, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), fp) != NULL) {
		struct row *r = &rows[nrows];
		char at[32], size[32];

		if (sscanf(line, ".Ss %31[a-z0-9_], %zu bytes", record,
		    &record_size) == 2)
			continue;
		if (sscanf(line, ".It Va %39s Ta %31s Ta %31s Ta", r->name, at,
		    size) == 3) {
			r->b = strtoull(size, NULL, 0);
		} else if (sscanf(line, ".It Dv %39s Ta %31s Ta", r->name,
		    at) == 2) {
			r->constant = true;
		} else {
			continue;
		}
		r->a = strtoull(at, NULL, 0);
		memcpy(r->record, record, sizeof(record));
		r->record_size = record_size;
		if (++nrows == NITEMS(rows))
			break;
	}
	return fclose(fp);
}

static const struct row *
page_find(bool constant, const char *record, const char *name)
{
	for (size_t i = 0; i < nrows; i++)
		if (rows[i].constant == constant &&
		    strcmp(rows[i].name, name) == 0 &&
		    (constant || strcmp(rows[i].record, record) == 0))
			return &rows[i];
	print_error("kcore(5) does not tell %s %s\n", record, name);
	return NULL;
}

/* This test checks that the page has each member where the header has it. */
static void
kcore_every_member_is_in_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < NITEMS(members); i++) {
		const struct member *m = &members[i];
		const struct row *r = page_find(false, m->record, m->name);

		assert_non_null(r);
		if (r->a != m->off || r->b != m->size)
			fail_msg("%s.%s: at %zu, %zu bytes; the page says %ju, "
			    "%ju", m->record, m->name, m->off, m->size,
			    (uintmax_t)r->a, (uintmax_t)r->b);
	}
}

/* This test checks that the page has no member that the header has not. */
static void
kcore_page_has_no_other_member(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < nrows; i++)
		n += !rows[i].constant;
	assert_int_equal(n, NITEMS(members));
}

/* This test checks that the page's tables leave no byte of a record out, so
 * that a member missing from page and test alike is found. */
static void
kcore_page_tables_have_no_gap(void **state)
{
	(void)state;
	for (size_t i = 0; i < NITEMS(records); i++) {
		uint64_t at = 0;

		for (size_t j = 0; j < nrows; j++) {
			if (rows[j].constant ||
			    strcmp(rows[j].record, records[i].name) != 0)
				continue;
			assert_int_equal(rows[j].record_size, records[i].size);
			assert_int_equal(rows[j].a, at);
			at += rows[j].b;
		}
		assert_int_equal(at, records[i].size);
	}
}

/* This test checks that the page gives each constant its value. */
static void
kcore_every_constant_is_in_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < NITEMS(constants); i++) {
		const struct row *r = page_find(true, "", constants[i].name);

		assert_non_null(r);
		if (r->a != constants[i].value)
			fail_msg("%s is %#jx; the page says %#jx", r->name,
			    (uintmax_t)constants[i].value, (uintmax_t)r->a);
	}
}

static bool
constant_known(const char *name)
{
	for (size_t i = 0; i < NITEMS(constants); i++)
		if (strcmp(constants[i].name, name) == 0)
			return true;
	return false;
}

/* This test checks that no constant or record of the header was forgotten:
 * here, and so in the page. */
static void
kcore_header_has_nothing_else(void **state)
{
	char line[512], name[64], c;
	size_t n = 0;
	FILE *fp;

	(void)state;
	fp = fopen(KCORE_H, "r");
	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp) != NULL) {
		n += strncmp(line, "typedef struct", 14) == 0;
		if (sscanf(line, "#define %63[A-Z0-9a-z_]%c", name, &c) != 2 ||
		    c == '(' || c == '\n')
			continue;	/* a macro, the include guard */
		if (!constant_known(name))
			fail_msg("%s is not in the test", name);
	}
	fclose(fp);
	assert_int_equal(n, NITEMS(records));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kcore_every_member_is_in_page),
		cmocka_unit_test(kcore_page_has_no_other_member),
		cmocka_unit_test(kcore_page_tables_have_no_gap),
		cmocka_unit_test(kcore_every_constant_is_in_page),
		cmocka_unit_test(kcore_header_has_nothing_else),
	};

	return cmocka_run_group_tests(tests, page_read, NULL);
}
