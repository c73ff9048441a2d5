// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_map_test.c: the page map against a model of one byte a page, with random
 * operations.
 */
#include <stdlib.h>

#include "fakeos.h"

#define MAXRAM	8u
#define NPAGES	4000u

static struct dump_ram ram[MAXRAM];
static struct dump_map map;
static uint8_t model[NPAGES];		/* enum dump_state */
static kpaddr_t model_pa[NPAGES];

/* Ranges of random sizes with holes between them. */
static void
make_ram(void)
{
	uint64_t pfn = 1 + fakeos_random(3), i, n = 0;
	unsigned int r;

	map = (struct dump_map){ .ram = ram,
		.nram = 1 + fakeos_random(MAXRAM) };
	for (r = 0; r < map.nram; r++) {
		ram[r].start = pfn * KCORE_ALIGN;
		ram[r].npages = 1 + fakeos_random(fakeos_random(3) == 0 ? 3 :
		    NPAGES / MAXRAM - 1);
		for (i = 0; i < ram[r].npages; i++)
			model_pa[n++] = (pfn + i) * KCORE_ALIGN;
		pfn += ram[r].npages + 1 + fakeos_random(100);
	}
	dump_map_number(&map);
	assert_int_equal(map.npages, n);
	/* Exactly what is asked for: a sanitizer sees the word behind it. */
	map.bits = malloc(dump_map_bytes(map.npages));
	assert_non_null(map.bits);
	dump_map_set(&map, 0, map.npages, DUMP_KEEP);
	memset(model, DUMP_KEEP, sizeof(model));
}

static void
check_map(void)
{
	uint64_t idx = 0, was = 0, i;
	struct dump_run run;
	unsigned int state;

	for (i = 0; i < map.npages; i++)
		assert_int_equal(dump_map_get(&map, i), model[i]);
	for (; dump_map_next(&map, &idx, &run); was = idx) {
		assert_int_equal(run.npages, idx - was);
		assert_in_range(run.npages, 1, map.npages);
		for (i = was; i < idx; i++) {
			assert_int_equal(model_pa[i], run.start +
			    (i - was) * KCORE_ALIGN);
			state = model[i];
			assert_int_equal(run.state, state);
		}
		/* As long as it can be. */
		if (idx < map.npages)
			assert_true(model[idx] != run.state || model_pa[idx] !=
			    run.start + run.npages * KCORE_ALIGN);
	}
	assert_int_equal(was, map.npages);
}

static void
random_set(void)
{
	uint64_t idx = fakeos_random((uint32_t)map.npages);
	uint64_t n = fakeos_random((uint32_t)(map.npages - idx + 1));
	uint8_t state = (uint8_t)fakeos_random(4);

	if (fakeos_random(3) != 0 && n > 40)
		n = fakeos_random(40);
	dump_map_set(&map, idx, n, (enum dump_state)state);
	memset(model + idx, state, n);
}

/* Pages that merge said it keeps, less those of the model. */
static int64_t model_pages;

static void
model_keep(uint64_t i, uint64_t n)
{
	memset(model + i, DUMP_KEEP, n);
	model_pages -= (int64_t)n;
}

/* Left-out pages in a row that touches kept ones on both sides. */
static void
model_merge(uint64_t gap)
{
	uint64_t i, k, n = map.npages;

	for (i = 1; i < n; i = k) {
		for (k = i; k < n && model[k] != DUMP_KEEP &&
		    model[k] != DUMP_LOST &&
		    model_pa[k] == model_pa[k - 1] + KCORE_ALIGN; k++)
			continue;
		if (k > i && k < n && model[i - 1] == DUMP_KEEP &&
		    model[k] == DUMP_KEEP && k - i <= gap &&
		    model_pa[k] == model_pa[k - 1] + KCORE_ALIGN)
			model_keep(i, k - i);
		if (k == i)
			k++;
	}
}

/* Each page that merge says it keeps is one that the model keeps. */
static void
model_kept(void *cookie, const struct dump_run *run)
{
	int64_t *pages = cookie;

	assert_true(run->state != DUMP_KEEP && run->state != DUMP_LOST);
	*pages += (int64_t)run->npages;
}

static uint64_t
model_truncate(uint64_t npages, unsigned int value)
{
	uint64_t i, done = 0;

	for (i = map.npages; i-- > 0 && done < npages;)
		if (model[i] == DUMP_KEEP &&
		    fakeos.value[model_pa[i] / KCORE_ALIGN] == value) {
			model[i] = DUMP_LOST;
			done++;
		}
	return done;
}

/* This test checks that set, get and next agree with the model, and that runs
 * are as long as they can be and end with their RAM. */
static void
dump_map_random_sets_read_back(void **state)
{
	uint64_t seed = fakeos_seed("map");
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 60; i++) {
		fakeos_reset(seed + i);
		make_ram();
		for (k = 0; k < 40; k++) {
			random_set();
			check_map();
		}
		free(map.bits);
	}
}

/* This test checks that find knows each page of RAM by its address, and nothing
 * else. */
static void
dump_map_find_knows_ram_alone(void **state)
{
	uint64_t seed = fakeos_seed("find"), idx, i;
	kpaddr_t pa;
	unsigned int k;

	(void)state;
	for (k = 0; k < 20; k++) {
		fakeos_reset(seed + k);
		make_ram();
		for (pa = 0, i = 0; i < map.npages; pa += KCORE_ALIGN) {
			if (pa != model_pa[i]) {
				assert_false(dump_map_find(&map, pa, &idx));
				continue;
			}
			assert_true(dump_map_find(&map, pa + 4095, &idx));
			assert_int_equal(idx, i);
			i++;
		}
		assert_false(dump_map_find(&map, pa, &idx));
		assert_false(dump_map_find(&map, UINT64_MAX, &idx));
		free(map.bits);
	}
}

/* This test checks that merge keeps the small holes between kept pages and no
 * other page: not across lost ones, nor across the end of RAM. */
static void
dump_map_merge_fills_small_holes(void **state)
{
	uint64_t seed = fakeos_seed("merge"), gap;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 200; i++) {
		fakeos_reset(seed + i);
		make_ram();
		for (k = 0; k < 60; k++)
			random_set();
		for (gap = 1; gap <= 64; gap *= 2) {
			dump_map_merge(&map, gap, model_kept, &model_pages);
			model_merge(gap);
			check_map();
			assert_int_equal(model_pages, 0);
		}
		free(map.bits);
	}
}

/* This test checks that truncate gives up kept pages of one value, the last
 * ones, as many as asked or as there are. */
static void
dump_map_truncate_takes_the_last_of_a_value(void **state)
{
	uint64_t seed = fakeos_seed("truncate"), n;
	unsigned int i, k, value;

	(void)state;
	for (i = 0; i < 60; i++) {
		fakeos_reset(seed + i);
		for (k = 0; k < FAKE_NPAGES; k++)
			fakeos_worth(k, 1, fakeos_random(MD_NVALUES));
		make_ram();
		for (k = 0; k < 10; k++)
			random_set();
		for (k = 0; k < 20; k++) {
			value = fakeos_random(MD_NVALUES);
			n = fakeos_random(200);
			assert_int_equal(dump_map_truncate(&map, n, value),
			    model_truncate(n, value));
			check_map();
		}
		free(map.bits);
	}
}

/* This test checks the bytes of a map at the edges of its words. */
static void
dump_map_bytes_are_enough(void **state)
{
	(void)state;
	assert_int_equal(dump_map_bytes(0), 0);
	assert_int_equal(dump_map_bytes(1), 8);
	assert_int_equal(dump_map_bytes(32), 8);
	assert_int_equal(dump_map_bytes(33), 16);
	/* 64 MiB for each TiB. */
	assert_int_equal(dump_map_bytes(1ull << 28), 64u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_map_random_sets_read_back),
		cmocka_unit_test(dump_map_find_knows_ram_alone),
		cmocka_unit_test(dump_map_merge_fills_small_holes),
		cmocka_unit_test(dump_map_truncate_takes_the_last_of_a_value),
		cmocka_unit_test(dump_map_bytes_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
