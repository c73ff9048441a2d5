// SPDX-License-Identifier: BSD-2-Clause
/*
 * fakedump.c: see fakedump.h.  The checks compare the medium with fakeos's
 * memory through rawread, never with what the dump core has in its own tables.
 */
#include <stdlib.h>

#include <xxhash.h>

#include "fakedump.h"

#define DEFAULT(a, b)	((a) != 0 ? (a) : (b))
#define PFN(n)		((kpaddr_t)(n) * KCORE_ALIGN)

/* ---- Set-up ---- */

static const struct dump_ram default_ram[] = {
	{ PFN(1), 158, 0 },
	{ PFN(256), 768, 0 },
	{ PFN(1500), 1, 0 },
	{ PFN(2000), 380, 0 },
};

void
fakedump_mixed(void)
{
	fakeos_mark(10, 3, FAKE_ZERO);
	fakeos_mark(156, 3, FAKE_ZERO);
	fakeos_mark(256, 7, FAKE_CACHE);
	fakeos_mark(263, 1, FAKE_ZERO);
	fakeos_mark(290, 2, FAKE_POISON);
	fakeos_mark(299, 1, FAKE_ZERO);
	fakeos_mark(400, 33, FAKE_USER);
	fakeos_mark(500, 70, FAKE_FREE);
	fakeos_mark(700, 1, FAKE_LATE);
	fakeos_mark(702, 2, FAKE_LATE);
	fakeos_mark(1500, 1, FAKE_FREE);
	fakeos_mark(2379, 1, FAKE_LATE);
}

/* Cuts the window in pieces and strews them over the disk, which has twice the
 * room.  The last piece has an odd block at its end. */
static uint64_t
strew(struct fakedump *f, const struct fakedump_conf *conf, uint64_t window,
    uint32_t blksize)
{
	const uint64_t per = KCORE_ALIGN / blksize;
	const uint64_t pages = window / KCORE_ALIGN;
	unsigned int i, k, n = DEFAULT(conf->next, 1), order[FAKE_EXTENTS];
	uint64_t each = pages / n, at = 3;

	for (i = 0; i < n; i++) {
		f->ext[i].nblks = each * per;
		order[i] = i;
	}
	f->ext[n - 1].nblks = (pages - (n - 1) * each) * per;
	for (i = 0; i + 2 < n; i += 2) {
		uint64_t more = fakeos_random((uint32_t)each) * per;

		f->ext[i].nblks -= more;
		f->ext[i + 1].nblks += more;
	}
	f->ext[n - 1].nblks += per > 1 ? 1 : 0;
	for (i = n; i > 1; i--) {
		unsigned int t = order[i - 1];

		k = fakeos_random(i);
		order[i - 1] = order[k];
		order[k] = t;
	}
	for (i = 0; i < n; i++) {
		f->ext[order[i]].blk = at;
		at += f->ext[order[i]].nblks + fakeos_random(40);
	}
	return at + 1;
}

static void
fill_header(struct dump *d)
{
	cpu_kcore_hdr_t *h = &d->hdr;

	h->ptdpaddr = 0x2a0a000;
	h->machine = KCORE_MID_X86_64;
	h->page_size = KCORE_ALIGN;
	h->paging_levels = 4;
	h->ncpus = 2;
	h->panic_time_ns = 1700000000ull * 1000000000;
	h->dumpmag_paddr = d->vars_paddr + FAKE_MAGOFF;
	snprintf(h->release, sizeof(h->release), "6.1.0-test");
	snprintf(h->names[0].name, sizeof(h->names[0].name), "dumpmag");
	h->names[0].addr = 0xffff888000000000ull + h->dumpmag_paddr;
}

/* What CORE_DATA must be, from memory and the rules of kcore(5) alone. */
static void
truth_make(struct fakedump *f)
{
	const struct dump_map *map = &f->d.map;
	uint64_t i, at = 0, n;
	unsigned int r;

	f->data = malloc((map->npages + 1) * KCORE_ALIGN);
	assert_non_null(f->data);
	fakeos_page(f->data, fakeos.vars_paddr);
	at = KCORE_ALIGN;
	for (r = 0; r < map->nram; r++)
		for (i = 0; i < map->ram[r].npages; i++) {
			kpaddr_t pa = map->ram[r].start + i * KCORE_ALIGN;

			if (pa == fakeos.vars_paddr ||
			    !fakeos_kept(pa, f->d.level))
				continue;
			fakeos_page(f->data + at, pa);
			at += KCORE_ALIGN;
		}
	f->data_size = at;
	n = (at + KCORE_CHUNK - 1) / KCORE_CHUNK;
	f->sums = calloc(n, sizeof(*f->sums));
	assert_non_null(f->sums);
	for (i = 0; i < n; i++)
		f->sums[i] = XXH64(f->data + i * KCORE_CHUNK,
		    i + 1 < n ? KCORE_CHUNK : at - i * KCORE_CHUNK, 0);
}

static void
planned(struct dump *d)
{
	uint32_t mag = KCORE_DUMPMAG;

	memset(fakeos.vars, 0x11, sizeof(fakeos.vars));
	memcpy(fakeos.vars + FAKE_MAGOFF, &mag, sizeof(mag));
	memcpy(fakeos.vars, &d->l.dumplo, sizeof(d->l.dumplo));
}

static const uint8_t *
medium_page(void *arg, uint64_t off)
{
	return memdev_page(&((struct fakedump *)arg)->dev, off);
}

static void
old_trailers(struct fakedump *f)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		kcore_trailer_t *t = &f->old[i];

		t->magic = KCORE_TRAILER_MAGIC;
		t->version = KCORE_VERSION;
		t->size = sizeof(*t);
		t->seq = 101 + i;
		t->state = KCORE_STATE_SAVED;
		memset(t->dump_id, 0xee, KCORE_IDLEN);
		t->cksum = XXH64(t, sizeof(*t), 0);
		memcpy(memdev_page(&f->dev, f->raw.size - 8192 + i * 4096), t,
		    sizeof(*t));
	}
}

static struct fakedump *latest;

void
fakedump_init(struct fakedump *f, const struct fakedump_conf *conf)
{
	const uint64_t window = DEFAULT(conf->window, 16u << 20);
	const uint32_t blksize = DEFAULT(conf->blksize, 512);
	const struct dump_ram *ram = DEFAULT(conf->ram, default_ram);
	struct dump *d = &f->d;
	uint64_t blks, i;

	fakedump_fini(f);
	memset(f, 0, sizeof(*f));
	f->live = true;
	latest = f;
	blks = strew(f, conf, window, blksize);
	memdev_init(&f->dev, blks, blksize, DEFAULT(conf->nslots, 4),
	    DEFAULT(conf->slot_len, 65536));
	f->device.name = "/dev/fake";
	f->device.dd = &f->dev.dd;
	assert_int_equal(dump_window_init(&f->device.w, f->ext,
	    DEFAULT(conf->next, 1), blksize, blks), 0);
	memdev_allow(&f->dev, &f->device.w);
	f->raw = (struct raw){ .page = medium_page, .arg = f,
		.size = window };
	for (i = 0; i < KCORE_ALIGN; i++)
		f->page0[i] = (uint8_t)fakeos_random(256);
	memcpy(f->page0 + KCORE_ALIGN - 10, "SWAPSPACE2", 10);
	memcpy(memdev_page(&f->dev, 0), f->page0, KCORE_ALIGN);
	old_trailers(f);

	d->map.nram = conf->ram != NULL ? conf->nram : 4;
	memcpy(f->ram, ram, d->map.nram * sizeof(*ram));
	d->map.ram = f->ram;
	dump_map_number(&d->map);
	d->map.bits = malloc(dump_map_bytes(d->map.npages));
	f->device.level = conf->level;
	d->vars_paddr = DEFAULT(conf->vars_paddr, PFN(300));
	fakeos.vars_paddr = d->vars_paddr;
	f->device.page0 = f->page0;
	d->early_buf = aligned_alloc(KCORE_ALIGN, DUMP_EARLY_BUF);
	d->notes_len = DEFAULT(fakeos.notes_len, 8);
	d->notes = malloc(d->notes_len);
	d->planned = planned;
	fill_header(d);
	for (i = 0; i < KCORE_IDLEN; i++) {
		f->device.arm_id[i] = (uint8_t)(i + 1);
		f->device.dump_id[i] = (uint8_t)(0xd0 + i);
	}
	dump_choose(d, &f->device, 0);
}

void
fakedump_fini(struct fakedump *f)
{
	if (!f->live)
		return;
	f->live = false;
	raw_close(&f->raw);
	free(f->data);
	free(f->sums);
	free(f->d.map.bits);
	free(f->d.early_buf);
	free(f->d.notes);
	memdev_fini(&f->dev);
}

int
fakedump_give_back(void **state)
{
	(void)state;
	if (latest != NULL)
		fakedump_fini(latest);
	return 0;
}

/* ---- Checks ---- */

#define ASSERT_RAW(f, what) do {					\
	if (!(what))							\
		fail_msg("%s: %s", #what, (f)->raw.why);		\
} while (0)

static bool
is_mine(const struct fakedump *f, const kcore_trailer_t *t)
{
	return memcmp(t->dump_id, f->device.dump_id, KCORE_IDLEN) == 0;
}

static void
check_early(struct fakedump *f, const kcore_trailer_t *t)
{
	static char log[DUMP_EARLY_BUF], want[DUMP_EARLY_BUF];
	kcore_early_t e;

	ASSERT_RAW(f, raw_early(&f->raw, t, &e, log, sizeof(log)));
	assert_string_equal(e.panicstr, FAKE_PANIC);
	assert_int_equal(e.ncpus, 2);
	fakeos_log(want, e.log_size);
	assert_memory_equal(log, want, e.log_size);
}

/* CORE_DATA and sums as far as the trailer claims them.  Of a trailer that is
 * not in force any more a checksum page may be on its way to be written anew. */
static void
check_data(struct fakedump *f, const kcore_trailer_t *t, bool in_force)
{
	uint64_t off, i, chunks;
	uint8_t page[KCORE_ALIGN];
	bool whole;

	if (f->data == NULL)
		truth_make(f);
	chunks = (t->data_valid + KCORE_CHUNK - 1) / KCORE_CHUNK;
	assert_int_equal(t->data_size, f->data_size);
	assert_int_equal(t->cksum_valid, chunks);
	for (off = 0; off < t->data_valid; off += KCORE_ALIGN) {
		raw_data(&f->raw, t, off, page, sizeof(page));
		assert_memory_equal(page, f->data + off, sizeof(page));
	}
	for (i = 0; i < chunks; i++) {
		assert_true(raw_sum(&f->raw, t, i, &whole) == f->sums[i]);
		if (in_force)
			assert_true(whole);
	}
}

void
fakedump_check_claims(void *arg)
{
	struct fakedump *f = arg;
	const kcore_trailer_t *in_force = raw_trailers(&f->raw);
	unsigned int i, mine = 0, torn = 0;

	for (i = 0; i < 2; i++) {
		const kcore_trailer_t *t = &f->raw.t[i];

		if (!f->raw.whole[i]) {
			torn++;
			assert_true(f->spoilt || memdev_unsure(&f->dev,
			    f->raw.size - 8192 + i * 4096));
			continue;
		}
		if (!is_mine(f, t)) {
			assert_memory_equal(t, &f->old[i], sizeof(*t));
			continue;
		}
		mine++;
		ASSERT_RAW(f, raw_trailer_sane(&f->raw, t));
		if (t->early_off != 0)
			check_early(f, t);
		if (t->dumplo == 0)
			continue;
		ASSERT_RAW(f, raw_header(&f->raw, t));
		check_data(f, t, t == in_force);
	}
	assert_in_range(torn, 0, 1);
	if (f->d.trailer.seq >= f->d.seq_begin + 2 && !f->spoilt)
		assert_in_range(mine, 1, 2);
}

const kcore_trailer_t *
fakedump_trailer(struct fakedump *f)
{
	const kcore_trailer_t *t = raw_trailers(&f->raw);

	assert_non_null(t);
	assert_true(is_mine(f, t));
	ASSERT_RAW(f, raw_trailer_sane(&f->raw, t));
	return t;
}

/* One page of RAM: in the dump and right, or listed with its reason. */
static void
check_page(struct fakedump *f, const kcore_trailer_t *t, kpaddr_t pa,
    uint64_t *counts)
{
	static const uint32_t kinds[] = {
		[FAKE_ZERO] = KCORE_EXCL_ZERO,
		[FAKE_CACHE] = KCORE_EXCL_FILTERED,
		[FAKE_USER] = KCORE_EXCL_FILTERED,
		[FAKE_FREE] = KCORE_EXCL_FILTERED,
		[FAKE_POISON] = KCORE_EXCL_UNREADABLE,
	};
	static const unsigned int places[] = {
		[FAKE_ZERO] = KCORE_COUNT_ZERO,
		[FAKE_CACHE] = KCORE_COUNT_CACHE,
		[FAKE_USER] = KCORE_COUNT_USER,
		[FAKE_FREE] = KCORE_COUNT_FREE,
		[FAKE_POISON] = KCORE_COUNT_UNREADABLE,
	};
	uint8_t is[KCORE_ALIGN], want[KCORE_ALIGN];
	enum fake_kind kind = fakeos_kind(pa);
	uint64_t off;

	counts[KCORE_COUNT_RAM]++;
	if (!fakeos_kept(pa, t->dump_level)) {
		assert_false(raw_find(&f->raw, pa, &off));
		assert_int_equal(raw_excl(&f->raw, t, pa), kinds[kind]);
		counts[places[kind]]++;
		return;
	}
	counts[KCORE_COUNT_DUMPED]++;
	assert_true(raw_find(&f->raw, pa, &off));
	assert_int_equal(raw_excl(&f->raw, t, pa),
	    kind == FAKE_LATE ? KCORE_EXCL_UNREADABLE : 0);
	raw_data(&f->raw, t, off, is, sizeof(is));
	fakeos_page(want, pa);
	if (kind != FAKE_RACY)
		assert_memory_equal(is, want, sizeof(is));
}

void
fakedump_check_complete(struct fakedump *f)
{
	const struct dump_map *map = &f->d.map;
	const kcore_trailer_t *t = fakedump_trailer(f);
	uint64_t counts[KCORE_NCOUNTS] = { 0 }, i, off;
	const cpu_kcore_hdr_t *h;
	unsigned int r;
	uint8_t *notes;

	assert_int_equal(t->state, KCORE_STATE_COMPLETE);
	check_early(f, t);
	ASSERT_RAW(f, raw_header(&f->raw, t));
	ASSERT_RAW(f, raw_verify(&f->raw, t));
	h = f->raw.hdr;
	assert_int_equal(f->raw.mem[0].start, fakeos.vars_paddr);
	for (r = 0; r < map->nram; r++) {
		kpaddr_t end = map->ram[r].start +
		    map->ram[r].npages * KCORE_ALIGN;

		for (i = 0; i < map->ram[r].npages; i++)
			check_page(f, t, map->ram[r].start + i * KCORE_ALIGN,
			    counts);
		assert_false(raw_find(&f->raw, end, &off));
		assert_int_equal(raw_excl(&f->raw, t, end), 0);
	}
	assert_memory_equal(h->counts, counts, sizeof(counts));
	assert_string_equal(h->panicstr, FAKE_PANIC);
	assert_int_equal(h->notes_size, fakeos.notes_len);
	notes = malloc(h->notes_size + 1);
	fakeos_notes(notes, h->notes_size);
	assert_memory_equal(f->raw.cpu + 8 + h->notes_off, notes,
	    h->notes_size);
	free(notes);
}

void
fakedump_said(const char *what)
{
	if (strstr(fakeos.console, what) == NULL)
		fail_msg("no \"%s\" in: %s", what, fakeos.console);
}

void
fakedump_silent_on(const char *what)
{
	if (strstr(fakeos.console, what) != NULL)
		fail_msg("\"%s\" in: %s", what, fakeos.console);
}

void
fakedump_check_untouched(const struct fakedump *f)
{
	uint64_t off, bytes = f->raw.size;
	static const uint8_t zeros[KCORE_ALIGN];

	assert_int_equal(f->dev.count[DUMPDEV_WRITE], 0);
	assert_memory_equal(memdev_page(&f->dev, 0), f->page0, KCORE_ALIGN);
	for (off = KCORE_ALIGN; off < bytes - 8192; off += KCORE_ALIGN)
		assert_memory_equal(memdev_page(&f->dev, off), zeros,
		    KCORE_ALIGN);
	assert_memory_equal(memdev_page(&f->dev, off), f->old,
	    sizeof(f->old[0]));
}
