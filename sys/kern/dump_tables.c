// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_tables.c: the CPU segment: header, memsegs[], exclsegs[], notes.
 *
 * The tables can be larger than any buffer, so they are produced from the page
 * map whenever they are needed: once to count them, once for their checksum
 * (the header, which comes first, holds it), once to write them.
 */
#include <kern/dump.h>

/* Receives the tables piece by piece. */
struct sink {
	int (*put)(struct dump *, const void *, size_t);
};

static int
hash_put(struct dump *d, const void *buf, size_t len)
{
	md_xxh64_update(&d->hash, buf, len);
	return 0;
}

static int
stream_put(struct dump *d, const void *buf, size_t len)
{
	md_xxh64_update(&d->hash, buf, len);
	return dump_stream_put(d, buf, len);
}

static const struct sink hash_sink = { hash_put };
static const struct sink stream_sink = { stream_put };

/*
 * The kept runs in order of address, the dumpmag page cut out (it is the first
 * memseg).  *rest holds the second half of a run that was cut in two.
 */
struct memseg_iter {
	uint64_t idx;
	phys_ram_seg_t rest;
};

static bool
memseg_next(const struct dump *d, struct memseg_iter *it, phys_ram_seg_t *seg)
{
	struct dump_run run;
	kpaddr_t end, vars = d->vars_paddr;

	if (it->rest.size > 0) {
		*seg = it->rest;
		it->rest.size = 0;
		return true;
	}
	while (dump_map_next(&d->map, &it->idx, &run)) {
		if (run.state != DUMP_KEEP)
			continue;
		end = run.start + run.npages * KCORE_ALIGN;
		seg->start = run.start;
		seg->size = end - run.start;
		if (vars >= run.start && vars < end) {
			seg->size = vars - run.start;
			it->rest.start = vars + KCORE_ALIGN;
			it->rest.size = end - it->rest.start;
			if (seg->size == 0) {
				*seg = it->rest;
				it->rest.size = 0;
			}
		}
		if (seg->size > 0)
			return true;
	}
	return false;
}

/*
 * Lost pages are those that can't be read and those that had no room.  The map
 * does not tell them apart, so the first are asked for again: nothing changes a
 * page table now.  Sets the kind of a lost run's beginning and how many of its
 * pages are of that kind.
 */
static uint32_t
lost_kind(const struct dump_run *run, uint64_t *npages)
{
	enum dump_state state, first = DUMP_KEEP;
	unsigned int count;
	uint64_t done, n;

	for (done = 0; done < run->npages; done += n) {
		n = md_classify(run->start + done * KCORE_ALIGN,
		    run->npages - done, 0, &state, &count);
		if (n == 0)
			n = 1;
		if (done == 0)
			first = state;
		else if (state != first)
			break;
	}
	*npages = done;
	return first == DUMP_LOST ? KCORE_EXCL_UNREADABLE :
	    KCORE_EXCL_TRUNCATED;
}

static bool
exclseg_next(const struct dump *d, uint64_t *idx, kcore_exclseg_t *seg)
{
	struct dump_run run;
	uint64_t npages;

	while (dump_map_next(&d->map, idx, &run)) {
		if (run.state == DUMP_KEEP)
			continue;
		npages = run.npages;
		seg->flags = 0;
		seg->kind = run.state == DUMP_ZERO ? KCORE_EXCL_ZERO :
		    run.state == DUMP_FILTERED ? KCORE_EXCL_FILTERED :
		    lost_kind(&run, &npages);
		seg->start = run.start;
		seg->size = npages * KCORE_ALIGN;
		*idx -= run.npages - npages;
		return true;
	}
	return false;
}

void
dump_tables_count(const struct dump *d, uint64_t *nmemsegs,
    uint64_t *nexclsegs, uint64_t *npages)
{
	struct memseg_iter it = { 0 };
	phys_ram_seg_t seg;
	kcore_exclseg_t excl;
	uint64_t idx = 0;

	*nmemsegs = 1;
	*npages = 1;
	*nexclsegs = 0;
	while (memseg_next(d, &it, &seg)) {
		(*nmemsegs)++;
		*npages += seg.size / KCORE_ALIGN;
	}
	while (exclseg_next(d, &idx, &excl))
		(*nexclsegs)++;
}

/* Everything behind the header, into a sink. */
static __must_check int
tables_emit(struct dump *d, const struct sink *sink)
{
	static const uint8_t zeros[64];
	struct memseg_iter it = { 0 };
	phys_ram_seg_t seg = { .start = d->vars_paddr, .size = KCORE_ALIGN };
	kcore_exclseg_t excl;
	uint64_t idx = 0, n, left;
	int error;

	do {
		error = sink->put(d, &seg, sizeof(seg));
		if (error != 0)
			return error;
	} while (memseg_next(d, &it, &seg));
	while (exclseg_next(d, &idx, &excl)) {
		error = sink->put(d, &excl, sizeof(excl));
		if (error != 0)
			return error;
	}
	/* Spare places, notes, padding. */
	left = d->hdr.notes_off - d->hdr.exclsegs_off -
	    (uint64_t)d->hdr.nexclsegs * sizeof(excl);
	for (; left > 0; left -= n) {
		n = left < sizeof(zeros) ? left : sizeof(zeros);
		error = sink->put(d, zeros, n);
		if (error != 0)
			return error;
	}
	error = sink->put(d, d->notes, d->hdr.notes_size);
	left = d->hdr.cpu_size - d->hdr.notes_off - d->hdr.notes_size;
	for (; error == 0 && left > 0; left -= n) {
		n = left < sizeof(zeros) ? left : sizeof(zeros);
		error = sink->put(d, zeros, n);
	}
	return error;
}

static void
header_fill(struct dump *d)
{
	cpu_kcore_hdr_t *h = &d->hdr;
	uint64_t nmemsegs, nexclsegs, npages;

	dump_tables_count(d, &nmemsegs, &nexclsegs, &npages);
	h->nmemsegs = nmemsegs;
	h->ext_magic = KCORE_EXT_MAGIC;
	h->version = KCORE_VERSION;
	h->hdrsize = sizeof(*h);
	h->memsegs_off = sizeof(*h);
	h->exclsegs_off = (uint32_t)(h->memsegs_off +
	    nmemsegs * sizeof(phys_ram_seg_t));
	h->nexclsegs = (uint32_t)nexclsegs;
	h->exclsegs_cap = h->nexclsegs + KCORE_EXCL_SPARE;
	h->notes_off = (uint32_t)(h->exclsegs_off +
	    h->exclsegs_cap * sizeof(kcore_exclseg_t));
	h->notes_size = d->notes_size;
	h->cpu_size = (uint32_t)(d->l.hdr_size - sizeof(kcore_seg_t));
	h->chunk_size = KCORE_CHUNK;
	h->data_size = d->l.data_size;
	h->data_valid = d->l.data_size;
	h->dump_level = d->level;
	h->nparts = 1;
	h->counts[KCORE_COUNT_DUMPED] = npages;
}

/* c_midmag is in network byte order, whatever the machine's is. */
static uint32_t
midmag_net(uint32_t magic, uint32_t mid, uint32_t flags)
{
	uint32_t m = KCORE_MIDMAG(magic, mid, flags);
	uint8_t b[4] = { (uint8_t)(m >> 24), (uint8_t)(m >> 16),
		(uint8_t)(m >> 8), (uint8_t)m };

	memcpy(&m, b, sizeof(m));
	return m;
}

int
dump_tables_write(struct dump *d)
{
	kcore_seg_t seg;
	int error;

	header_fill(d);
	md_xxh64_init(&d->hash);
	error = tables_emit(d, &hash_sink);
	if (error != 0)
		return error;
	d->hdr.tables_cksum = md_xxh64_digest(&d->hash);
	d->hdr.hdr_cksum = 0;
	d->hdr.hdr_cksum = md_xxh64(&d->hdr, sizeof(d->hdr));

	seg.c_midmag = midmag_net(KCORE_MAGIC, d->hdr.machine, CORE_CPU);
	seg.c_size = d->hdr.cpu_size;
	md_xxh64_init(&d->hash);
	error = stream_put(d, &seg, sizeof(seg));
	if (error == 0)
		error = stream_put(d, &d->hdr, sizeof(d->hdr));
	if (error == 0)
		error = tables_emit(d, &stream_sink);
	if (error == 0)
		error = dump_stream_push(d);
	d->trailer.hdr_cksum = md_xxh64_digest(&d->hash);
	return error;
}
