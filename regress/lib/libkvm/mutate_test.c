/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_test.c: each byte of records and page tables changed, with checksums
 * that are right all the same: never a crash, never an endless loop, and always
 * a text where something fails.
 *
 * Symbols, types, log and tasks are treated so where they are tested.  For all,
 * what the fuzzers have found is tried again: inputs that get somewhere where no
 * others do.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "blob.h"

#define ALIKE	16u	/* in a longer row of equal bytes, the first count */

/* Is it one of a long row? */
static bool
dull(const uint8_t *buf, size_t i)
{
	return i > ALIKE && memcmp(buf + i - ALIKE, buf + i - ALIKE + 1,
	    ALIKE) == 0;
}

static void
mutate(const struct blob *b)
{
	static const uint8_t flips[] = { 0xff, 0x80, 0x01 };
	static uint8_t buf[BLOB_MAX];
	unsigned int n;
	size_t size, i, k, looked = 0;

	for (n = 0; (size = b->seed(n, buf)) != 0; n++) {
		b->look(buf, size);
		for (i = 1; i < size; i++)
			for (k = 0; !dull(buf, i) && k < sizeof(flips); k++) {
				buf[i] ^= flips[k];
				b->look(buf, size);
				buf[i] ^= flips[k];
				looked++;
			}
	}
	assert_in_range(looked, 500, 1000000);
}

/* This test checks the headers of core files. */
static void
mutate_core_never_crashes(void **state)
{
	(void)state;
	mutate(&blob_core);
}

/* This test checks the records of raw dumps. */
static void
mutate_raw_never_crashes(void **state)
{
	(void)state;
	mutate(&blob_raw);
}

/* This test checks compressed files. */
static void
mutate_packed_never_crashes(void **state)
{
	(void)state;
	mutate(&blob_packed);
}

/* This test checks page tables. */
static void
mutate_tables_never_crashes(void **state)
{
	(void)state;
	mutate(&blob_tables);
}

/* This test checks that an input may be cut anywhere. */
static void
mutate_cut_never_crashes(void **state)
{
	static uint8_t buf[BLOB_MAX];
	const struct blob *const *b;
	size_t size, i;

	(void)state;
	for (b = blobs; *b != NULL; b++) {
		size = (*b)->seed(0, buf);
		memset(buf + 1, 0, size - 1);
		for (i = 0; i <= size; i += 97)
			(*b)->look(buf, i);
	}
}

/* Looks at a file of the corpus, which buf has room for. */
static void
look_at(const struct blob *b, const char *dir, const char *name, uint8_t *buf)
{
	char path[4096];
	size_t size;
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fp = fopen(path, "r");
	assert_non_null(fp);
	size = fread(buf, 1, BLOB_MAX, fp);
	assert_int_equal(ferror(fp), 0);
	fclose(fp);
	b->look(buf, size);
}

/* This test checks that each reader gets through its corpus. */
static void
mutate_corpus_never_crashes(void **state)
{
	static uint8_t buf[BLOB_MAX];
	const struct blob *const *b;
	char dir[2048];
	struct dirent *de;
	unsigned int n;
	DIR *d;

	(void)state;
	for (b = blobs; *b != NULL; b++) {
		snprintf(dir, sizeof(dir), CORPUS "/%s", (*b)->name);
		d = opendir(dir);
		if (d == NULL)
			fail_msg("%s: no corpus", dir);
		(*b)->seed(0, buf);
		for (n = 0; (de = readdir(d)) != NULL; ) {
			if (de->d_name[0] == '.')
				continue;
			look_at(*b, dir, de->d_name, buf);
			n++;
		}
		closedir(d);
		assert_in_range(n, 20, 10000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutate_core_never_crashes),
		cmocka_unit_test(mutate_raw_never_crashes),
		cmocka_unit_test(mutate_packed_never_crashes),
		cmocka_unit_test(mutate_tables_never_crashes),
		cmocka_unit_test(mutate_cut_never_crashes),
		cmocka_unit_test(mutate_corpus_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
