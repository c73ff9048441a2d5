/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kdump.c: makedumpfile's compressed format; <sys/diskdump.h>.
 *
 *	0		header
 *	4096		sub-header, VMCOREINFO as text, notes
 *	...		bitmap of all memory, bitmap of what is in the file
 *	desc_off	descriptors, in the order of addresses
 *	...		a page of zeros, which all such pages share
 *	...		pages, in the order of CORE_DATA
 *
 * Both tables and pages grow as chunks come in: all sizes are known before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/diskdump.h>
#include <sys/kcore.h>

#include "pack.h"
#include "savecore.h"

#define KDUMP_DESCS	4096u		/* descriptors written at once */
#define KDUMP_PAGES_MAX	(1ull << 34)	/* of addresses: 64 TiB */
#define KDUMP_BITS	(PACK_PAGE * 8)	/* pages that a block of bits has */

struct kdump {
	struct copy *c;
	struct outfile *out;
	const struct savecore_opts *opts;
	struct pack pack;
	uint64_t npages;	/* the highest page of memory, and one more */
	uint64_t info_size, notes_size;
	uint64_t bitmap_off, bitmap_blocks;
	uint64_t desc_off, ndescs, zero_off;
	uint64_t end;		/* of the pages written so far */

	/* Descriptors: where the walk through memory is. */
	struct physwalk walk;
	struct physrange range;
	uint64_t left;		/* pages of the range that have none yet */
	diskdump_page_t first;	/* of memsegs[0] */
	diskdump_page_t descs[KDUMP_DESCS];
	uint64_t ndone;		/* descriptors made, of which descs[] has the
				   last ones */
};

static uint32_t
kdump_flags(const struct kdump *k)
{
	return k->opts->zstd ? DISKDUMP_ZSTD : DISKDUMP_ZLIB;
}

/* ---- What goes before the descriptors ---- */

/* Where everything will be: 0, or -1 after a message. */
static int
kdump_layout(struct kdump *k)
{
	const char *info = kvm_vmcoreinfo(k->c->kd);
	struct physrange r;

	physwalk_init(&k->walk, k->c);
	k->walk.all = true;
	while (physwalk_next(&k->walk, &r))
		if ((r.start + r.size - 1) / PACK_PAGE >= k->npages)
			k->npages = (r.start + r.size - 1) / PACK_PAGE + 1;
	if (k->npages > KDUMP_PAGES_MAX) {
		msg(LOG_ERR, "%s: memory at 0x%" PRIx64 ": past what a kdump "
		    "file can have", k->c->path, (k->npages - 1) * PACK_PAGE);
		return -1;
	}
	physwalk_init(&k->walk, k->c);
	while (physwalk_next(&k->walk, &r))
		k->ndescs += r.size / PACK_PAGE;
	k->info_size = info != NULL ? strlen(info) : 0;
	k->notes_size = (uint64_t)notes_write(k->c, NULL);
	k->bitmap_off = (PACK_PAGE + sizeof(diskdump_sub_t) + k->info_size +
	    3 + k->notes_size + PACK_PAGE - 1) / PACK_PAGE * PACK_PAGE;
	k->bitmap_blocks = 2 * ((k->npages + KDUMP_BITS - 1) / KDUMP_BITS);
	k->desc_off = k->bitmap_off + k->bitmap_blocks * PACK_PAGE;
	k->zero_off = k->desc_off + k->ndescs * sizeof(diskdump_page_t);
	k->end = k->zero_off + PACK_PAGE;
	return 0;
}

static void
kdump_fill_header(const struct kdump *k, diskdump_hdr_t *h)
{
	const struct cpu_kcore_hdr *core = kvm_dump_hdr(k->c->kd);

	memset(h, 0, sizeof(*h));
	memcpy(h->signature, DISKDUMP_SIGNATURE, sizeof(h->signature));
	h->header_version = DISKDUMP_VERSION;
	strcpy(h->sysname, "Linux");
	snprintf(h->nodename, sizeof(h->nodename), "%.64s", core->nodename);
	snprintf(h->release, sizeof(h->release), "%.64s", core->release);
	snprintf(h->version, sizeof(h->version), "%.64s", core->osversion);
	strcpy(h->machine, "x86_64");
	strcpy(h->domainname, "(none)");
	h->tv_sec = (int64_t)(core->panic_time_ns / 1000000000);
	h->tv_usec = (int64_t)(core->panic_time_ns % 1000000000 / 1000);
	h->status = kdump_flags(k);
	if (k->c->size < k->c->planned)
		h->status |= DISKDUMP_INCOMPLETE;
	h->block_size = PACK_PAGE;
	h->sub_hdr_size = (int32_t)(k->bitmap_off / PACK_PAGE - 1);
	h->bitmap_blocks = (uint32_t)k->bitmap_blocks;
	h->max_mapnr = k->npages < UINT32_MAX ? (uint32_t)k->npages :
	    UINT32_MAX;
	h->nr_cpus = (int32_t)core->ncpus;
}

static void
kdump_fill_sub(const struct kdump *k, diskdump_sub_t *s)
{
	const struct cpu_kcore_hdr *core = kvm_dump_hdr(k->c->kd);
	const uint64_t info = PACK_PAGE + sizeof(*s);

	memset(s, 0, sizeof(*s));
	s->phys_base = core->phys_base;
	s->dump_level = (int32_t)core->dump_level;
	s->offset_vmcoreinfo = k->info_size > 0 ? info : 0;
	s->size_vmcoreinfo = k->info_size;
	s->offset_note = (info + k->info_size + 3) & ~3ull;
	s->size_note = k->notes_size;
	s->end_pfn = s->end_pfn_64 = s->max_mapnr_64 = k->npages;
}

static int
kdump_zeros(const struct kdump *k, uint64_t n)
{
	static const char zero[PACK_PAGE];
	size_t piece;

	for (; n > 0; n -= piece) {
		piece = n < sizeof(zero) ? (size_t)n : sizeof(zero);
		if (fwrite(zero, 1, piece, k->out->fp) != piece)
			return -1;
	}
	return 0;
}

/* Headers and notes, up to the bitmaps. */
static int
kdump_head(const struct kdump *k)
{
	const char *info = k->info_size > 0 ? kvm_vmcoreinfo(k->c->kd) : "";
	diskdump_hdr_t h;
	diskdump_sub_t s;
	uint64_t end;

	kdump_fill_header(k, &h);
	kdump_fill_sub(k, &s);
	end = s.offset_note + s.size_note;
	return fwrite(&h, sizeof(h), 1, k->out->fp) == 1 &&
	    kdump_zeros(k, PACK_PAGE - sizeof(h)) == 0 &&
	    fwrite(&s, sizeof(s), 1, k->out->fp) == 1 &&
	    fwrite(info, 1, k->info_size, k->out->fp) == k->info_size &&
	    kdump_zeros(k, s.offset_note - PACK_PAGE - sizeof(s) -
	    k->info_size) == 0 &&
	    notes_write(k->c, k->out->fp) != -1 &&
	    kdump_zeros(k, k->bitmap_off - end) == 0 ? 0 : -1;
}

/* One bitmap: of all memory, or of what is in the file. */
static int
kdump_bitmap(const struct kdump *k, bool all)
{
	unsigned char bits[PACK_PAGE] = { 0 };
	uint64_t pfn = 0, to;	/* all below pfn is done */
	struct physwalk w;
	struct physrange r;

	physwalk_init(&w, k->c);
	w.all = all;
	while (physwalk_next(&w, &r)) {
		to = (r.start + r.size + PACK_PAGE - 1) / PACK_PAGE;
		while (pfn < to) {
			/* Blocks are written as they are left. */
			if (pfn < r.start / PACK_PAGE) {
				const uint64_t next = (pfn / KDUMP_BITS + 1) *
				    KDUMP_BITS;

				if (next > r.start / PACK_PAGE) {
					pfn = r.start / PACK_PAGE;
					continue;
				}
				pfn = next;
			} else {
				bits[pfn / 8 % PACK_PAGE] |=
				    (unsigned char)(1u << pfn % 8);
				pfn++;
			}
			if (pfn % KDUMP_BITS != 0)
				continue;
			if (fwrite(bits, 1, PACK_PAGE, k->out->fp) != PACK_PAGE)
				return -1;
			memset(bits, 0, sizeof(bits));
		}
	}
	to = k->bitmap_blocks / 2 * KDUMP_BITS;
	if (pfn < to && fwrite(bits, 1, PACK_PAGE, k->out->fp) != PACK_PAGE)
		return -1;
	pfn = (pfn / KDUMP_BITS + 1) * KDUMP_BITS;
	return pfn < to ? kdump_zeros(k, (to - pfn) / 8) : 0;
}

/* ---- Descriptors and pages ---- */

/* Adds the next descriptor. */
static int
kdump_desc(struct kdump *k, const diskdump_page_t *d)
{
	k->descs[k->ndone % KDUMP_DESCS] = *d;
	k->ndone++;
	if (k->ndone % KDUMP_DESCS != 0)
		return 0;
	return outfile_pwrite(k->out, k->descs, sizeof(k->descs), k->desc_off +
	    (k->ndone - KDUMP_DESCS) * sizeof(*d));
}

/*
 * Goes on to the next memory of which the pages come now, and makes descriptors
 * for what is before it: zeros, and memsegs[0], which came first.
 */
static int
kdump_advance(struct kdump *k)
{
	const diskdump_page_t zero = { (int64_t)k->zero_off, PACK_PAGE, 0, 0 };

	while (k->left == 0 || k->range.zero || k->range.off == 0) {
		if (k->left == 0) {
			if (!physwalk_next(&k->walk, &k->range))
				return 0;
			k->left = k->range.size / PACK_PAGE;
			continue;
		}
		k->left--;
		if (kdump_desc(k, k->range.zero ? &zero : &k->first) == -1)
			return -1;
	}
	return 0;
}

/* The pages of a chunk, packed. */
static int
kdump_chunk(struct kdump *k, const struct pack_chunk *chunk, uint64_t off)
{
	const uint32_t *size = chunk->size, npages =
	    (uint32_t)(chunk->in_len / PACK_PAGE);
	uint64_t at = k->end;
	uint32_t i;

	if (outfile_pwrite(k->out, chunk->out, chunk->out_len, k->end) == -1)
		return -1;
	for (i = 0; i < npages; at += size[i++]) {
		const diskdump_page_t d = {
			.offset = (int64_t)(size[i] != 0 ? at : k->zero_off),
			.size = size[i] != 0 ? size[i] : PACK_PAGE,
			.flags = size[i] % PACK_PAGE != 0 ? kdump_flags(k) : 0,
		};

		if (off == 0 && i == 0) {
			k->first = d;
			continue;
		}
		if (kdump_advance(k) == -1 || kdump_desc(k, &d) == -1)
			return -1;
		k->left--;
	}
	k->end = at;
	return 0;
}

/* The descriptors that are left. */
static int
kdump_finish(struct kdump *k)
{
	static const unsigned char zero[PACK_PAGE];
	const uint64_t rest = k->ndone % KDUMP_DESCS;

	if (outfile_pwrite(k->out, zero, sizeof(zero), k->zero_off) == -1)
		return -1;
	return outfile_pwrite(k->out, k->descs, rest * sizeof(k->descs[0]),
	    k->desc_off + (k->ndone - rest) * sizeof(k->descs[0]));
}

/* ---- copy_chunks() ---- */

/* Writes the oldest chunk that is under way: 1; 0: there is none; -1. */
static int
kdump_write_one(struct kdump *k)
{
	const uint64_t off = k->pack.ngot * KCORE_CHUNK;
	const struct pack_chunk *chunk = pack_get(&k->pack);

	if (chunk == NULL)
		return 0;
	return kdump_chunk(k, chunk, off) == -1 ? -1 : 1;
}

static unsigned char *
kdump_room(void *arg)
{
	struct kdump *k = arg;
	struct pack_chunk *chunk = pack_room(&k->pack);

	if (chunk == NULL) {
		if (kdump_write_one(k) == -1)
			return NULL;
		chunk = pack_room(&k->pack);
	}
	return chunk->in;
}

static void
kdump_put(void *arg, size_t len)
{
	struct kdump *k = arg;

	pack_put(&k->pack, len);
}

/* All of CORE_DATA: 0, or -1 with errno. */
static int
kdump_data(struct kdump *k)
{
	const struct copy_sink sink = { k, kdump_room, kdump_put };
	int r;

	if (copy_chunks(k->c, &sink) == -1)
		return -1;
	while ((r = kdump_write_one(k)) == 1)
		;
	if (r == 0)
		r = kdump_advance(k);
	return r == 0 ? kdump_finish(k) : r;
}

static int
kdump_file(struct kdump *k)
{
	int r;

	/* The head in blocks of its own, as it may be written again. */
	if (kdump_head(k) == -1 || fflush(k->out->fp) == EOF ||
	    kdump_bitmap(k, true) == -1 || kdump_bitmap(k, false) == -1 ||
	    fflush(k->out->fp) == EOF ||
	    pack_start(&k->pack, k->opts->zstd ? &pack_zstd_pages :
	    &pack_zlib_pages, k->opts->level) == -1)
		return -1;
	physwalk_init(&k->walk, k->c);
	r = kdump_data(k);
	pack_stop(&k->pack);
	if (r == -1 || k->c->ndamaged == 0)
		return r;
	/* What was damaged is in the header now, which is in a note. */
	rewind(k->out->fp);
	return kdump_head(k) == 0 && fflush(k->out->fp) == 0 ? 0 : -1;
}

static int
kdump_write(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts)
{
	struct kdump *k = calloc(1, sizeof(*k));
	int r = -1;

	if (k == NULL) {
		msg_errno(LOG_ERR, "no memory");
		return -1;
	}
	k->c = c;
	k->out = out;
	k->opts = opts;
	if (kvm_dump_hdr(c->kd)->machine != KCORE_MID_X86_64) {
		msg(LOG_ERR, "%s: machine %" PRIu32 ": kdump files of it can't "
		    "be written", c->path, kvm_dump_hdr(c->kd)->machine);
	} else if (kdump_layout(k) == 0) {
		r = kdump_file(k);
		if (r == -1)
			msg_errno(LOG_ERR, "%s", out->path);
	}
	free(k);
	return r;
}

const struct outformat outformat_kdump = {
	.name = "kdump",
	.suffix = ".kdump",
	.places = true,
	.write = kdump_write,
};
