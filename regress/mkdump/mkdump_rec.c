/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump_rec.c: the records of a test dump.  All offsets are those of the tables
 * in kcore(5).
 */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "mkdump_impl.h"

void
put16(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

void
put32(uint8_t *p, uint64_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

void
put64(uint8_t *p, uint64_t v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

void
put32be(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void
put_text(uint8_t *p, size_t size, const char *s)
{
	size_t len = strnlen(s, size - 1);

	memset(p, 0, size);
	memcpy(p, s, len);
}

void
rec_poke(const struct out *o, enum mkdump_where where, uint8_t *buf, uint64_t len)
{
	for (size_t i = 0; i < o->spec->npokes; i++) {
		const struct mkdump_poke *k = &o->spec->pokes[i];

		if (k->where != where || k->off + k->size > len)
			continue;
		for (unsigned int b = 0; b < k->size; b++)
			buf[k->off + b] = (uint8_t)(k->value >> (8 * b));
	}
}

static void
put_excl(uint8_t *p, const struct mkdump_excl *e)
{
	put64(p, e->start);
	put64(p + 8, e->size);
	put32(p + 16, e->kind);
}

/* counts[]: pages, by reason. */
static void
put_counts(uint8_t *p, const struct out *o)
{
	/* kind of exclsegs[] -> place in counts[] */
	static const uint8_t place[] = { 9, 2, 6, 7, 8, 9, 9 };
	uint64_t counts[16] = { 0 };

	for (size_t i = 0; i < o->spec->nruns; i++)
		counts[0] += o->spec->runs[i].size / MKDUMP_PAGE;
	counts[1] = o->mem->data_size / MKDUMP_PAGE;
	for (size_t i = 0; i < o->spec->nexcl; i++)
		if (o->spec->excl[i].kind < sizeof(place))
			counts[place[o->spec->excl[i].kind]] +=
			    o->spec->excl[i].size / MKDUMP_PAGE;
	for (size_t i = 0; i < 16; i++)
		put64(p + 8 * i, counts[i]);
}

static uint64_t
header_flags(const struct out *o)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < o->mem->nexcl; i++) {
		flags |= o->mem->excl[i].kind == 3 ? 0x1 : 0;
		flags |= o->mem->excl[i].kind == 5 ? 0x4 : 0;
	}
	if (o->spec->core && o->info->data_valid < o->info->data_size)
		flags |= 0x2;
	return flags;
}

static void
put_names(uint8_t *p)
{
	static const struct {
		const char *name;
		unsigned int at;
	} names[] = {
		{ "dumpmag", MKDUMP_AT_DUMPMAG },
		{ "dumpdev", MKDUMP_AT_DUMPDEV },
		{ "dumplo", MKDUMP_AT_DUMPLO },
		{ "dumpsize", MKDUMP_AT_DUMPSIZE },
		{ "panicstr", MKDUMP_AT_PANICSTR },
		{ "version", MKDUMP_AT_VERSION },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put_text(p + 32 * i, 24, names[i].name);
		put64(p + 32 * i + 24, MKDUMP_MODULE_VA + names[i].at);
	}
}

static void
put_header(uint8_t *p, const struct out *o)
{
	const struct mkdump_spec *spec = o->spec;
	const struct mkdump_info *in = o->info;

	put64(p, spec->ptd_paddr);
	put64(p + 8, in->nmemsegs);
	memcpy(p + 16, "SWAPCORE", 8);
	put32(p + 24, 1);
	put32(p + 28, HDRSIZE);
	put64(p + 32, header_flags(o));
	put32(p + 40, in->memsegs_off);
	put32(p + 44, in->exclsegs_off);
	put32(p + 48, o->mem->nexcl);
	put32(p + 52, o->excl_cap);
	put32(p + 56, in->exclsegs_off + 24 * o->excl_cap);
	put32(p + 60, (uint32_t)NOTES_SIZE(spec->nnotes));
	put32(p + 64, in->cpu_size);
	put32(p + 68, CHUNK);
	put64(p + 72, in->data_size);
	put64(p + 80, spec->core ? in->data_valid : in->data_size);
	put32(p + 88, MACHINE);
	put32(p + 92, MKDUMP_PAGE);
	put32(p + 96, spec->levels);
	put32(p + 100, spec->level);
	put32(p + 104, 2);
	put32(p + 108, 1);
	put32(p + 112, 4242);
	put32(p + 120, 1);
	put64(p + 128, spec->slide);
	put64(p + 136, spec->text_paddr - 0x1000000 - spec->slide);
	put64(p + 144, mkdump_page_offset(spec));
	put64(p + 152, spec->enc_mask);
	put64(p + 160, spec->vmcoreinfo_paddr);
	put64(p + 168, spec->vmcoreinfo_paddr ? o->mem->info_size : 0);
	put64(p + 176, mkdump_page_offset(spec) + 0x2000);
	put64(p + 184, spec->time_ns);
	put64(p + 192, spec->uptime_ns);
	put64(p + 200, spec->dumpmag_paddr);
	put_counts(p + 208, o);
	memcpy(p + 336, spec->arm_id, 16);
	memcpy(p + 352, spec->dump_id, 16);
	memcpy(p + 368, spec->boot_id, 16);
	memset(p + 384, 0xb1, 20);
	put_text(p + 408, 16, spec->comm);
	put_text(p + 424, 72, spec->release);
	put_text(p + 496, 136, spec->osversion);
	put_text(p + 632, 72, spec->nodename);
	put_text(p + 704, 512, spec->panicstr);
	put_names(p + 1216);
}

/* Segment header and CPU segment, checksums and all, in o->hdr. */
int
rec_header(struct out *o)
{
	const struct mkdump_info *in = o->info;
	uint8_t *cpu, *p;

	if ((o->hdr = calloc(1, o->hdr_size)) == NULL)
		return mkdump_fail(o->info, "no memory");
	put32be(o->hdr, 1u << 26 | MACHINE << 16 | 0x8fca);
	put32(o->hdr + 4, in->cpu_size);
	rec_poke(o, MKDUMP_SEG, o->hdr, 8);

	cpu = o->hdr + 8;
	put_header(cpu, o);
	for (size_t i = 0; i < o->mem->nsegs; i++) {
		p = cpu + in->memsegs_off + 16 * i;
		put64(p, o->mem->segs[i].start);
		put64(p + 8, o->mem->segs[i].size);
	}
	for (size_t i = 0; i < o->mem->nexcl; i++)
		put_excl(cpu + in->exclsegs_off + 24 * i, &o->mem->excl[i]);
	p = cpu + in->exclsegs_off + 24 * o->excl_cap;
	for (size_t i = 0; i < o->spec->nnotes; i++, p += NOTE_SIZE) {
		put32(p, 5);
		put32(p + 4, 336);
		put32(p + 8, 1);
		put_text(p + 12, 8, "CORE");
		put32(p + 20 + 32, 4242 + i);	/* pr_pid */
	}
	rec_poke(o, MKDUMP_CPU, cpu, in->cpu_size);
	put64(cpu + 2032, XXH64(cpu + HDRSIZE, in->cpu_size - HDRSIZE, 0));
	put64(cpu + 2040, 0);
	put64(cpu + 2040, XXH64(cpu, HDRSIZE, 0));
	return 0;
}

int
rec_cksums(struct out *o)
{
	uint64_t npages = o->info->cksum_size / MKDUMP_PAGE;

	for (uint64_t i = 0; i < npages; i++) {
		uint8_t p[MKDUMP_PAGE] = { 0 };
		uint64_t n = o->nvalid > i * SUMS ? o->nvalid - i * SUMS : 0;

		if (n > SUMS)
			n = SUMS;
		if (n == 0)
			break;
		memcpy(p, "SWAPCSUM", 8);
		put32(p + 8, 1);
		put32(p + 12, i);
		put32(p + 16, n);
		memcpy(p + 24, o->spec->arm_id, 16);
		memcpy(p + 40, o->spec->dump_id, 16);
		for (uint64_t k = 0; k < n; k++)
			put64(p + 64 + 8 * k, o->sums[i * SUMS + k]);
		if (i == 0)
			rec_poke(o, MKDUMP_CKSUM, p, sizeof(p));
		put64(p + 56, 0);
		put64(p + 56, XXH64(p, sizeof(p), 0));
		if (out_write(o, o->info->cksum_off + i * MKDUMP_PAGE, p,
		    sizeof(p)) == -1)
			return -1;
	}
	return 0;
}

static uint64_t
early_size(const struct mkdump_spec *spec)
{
	return ALIGN(MKDUMP_PAGE + strlen(spec->log), MKDUMP_PAGE);
}

int
rec_early(struct out *o)
{
	const struct mkdump_spec *spec = o->spec;
	uint64_t log_size = strlen(spec->log);
	uint8_t p[MKDUMP_PAGE] = { 0 };

	memcpy(p, "SWAPCERY", 8);
	put32(p + 8, 1);
	put32(p + 12, MKDUMP_PAGE);
	memcpy(p + 16, spec->arm_id, 16);
	memcpy(p + 32, spec->dump_id, 16);
	put64(p + 48, spec->time_ns);
	put64(p + 56, spec->uptime_ns);
	put32(p + 64, MACHINE);
	put32(p + 68, 2);
	put32(p + 72, 1);
	put32(p + 76, 4242);
	put32(p + 80, MKDUMP_PAGE);
	put32(p + 88, MKDUMP_PAGE);
	put32(p + 92, log_size);
	put64(p + 96, XXH64(spec->log, log_size, 0));
	put_text(p + 104, 16, spec->comm);
	put_text(p + 120, 72, spec->release);
	put_text(p + 192, 136, spec->osversion);
	put_text(p + 328, 72, spec->nodename);
	put_text(p + 400, 512, spec->panicstr);
	rec_poke(o, MKDUMP_EARLY, p, sizeof(p));
	put64(p + 4088, 0);
	put64(p + 4088, XXH64(p, sizeof(p), 0));
	if (out_write(o, o->info->early_off, p, sizeof(p)) == -1)
		return -1;
	return out_write(o, o->info->early_off + MKDUMP_PAGE, spec->log,
	    log_size);
}

static void
put_trailer(uint8_t *p, const struct out *o, uint64_t seq, uint32_t state,
    uint64_t valid, uint64_t nvalid)
{
	const struct mkdump_spec *spec = o->spec;
	const struct mkdump_info *in = o->info;

	memcpy(p, "SWAPCTRL", 8);
	put32(p + 8, 1);
	put32(p + 12, MKDUMP_PAGE);
	put64(p + 16, seq);
	put32(p + 24, state);
	memcpy(p + 32, spec->arm_id, 16);
	memcpy(p + 48, spec->dump_id, 16);
	put64(p + 64, in->window);
	if (seq > 1 && !spec->early_only) {
		put64(p + 72, in->dumplo);
		put64(p + 80, o->hdr_size);
		put64(p + 88, XXH64(o->hdr, o->hdr_size, 0));
		put64(p + 96, in->data_size);
		put64(p + 104, valid);
		put64(p + 112, in->cksum_off);
		put64(p + 120, in->cksum_size);
		put64(p + 128, nvalid);
	}
	if (!spec->no_early) {
		put64(p + 136, in->early_off);
		put64(p + 144, early_size(spec));
	}
	put64(p + 152, spec->time_ns);
	put32(p + 160, MACHINE);
	put32(p + 164, spec->level);
	put32(p + 172, 1);
	put32(p + 180, spec->nlate);
	for (size_t i = 0; i < spec->nlate; i++)
		put_excl(p + 192 + 24 * i, &spec->late[i]);
	put_text(p + 1728, 72, spec->release);
	put_text(p + 1800, 512, spec->panicstr);
}

/* Closes a trailer and writes it to its slot, torn where asked for. */
static int
trailer_write(struct out *o, uint8_t *p, uint64_t seq, bool torn)
{
	rec_poke(o, seq % 2 != 0 ? MKDUMP_ODD : MKDUMP_EVEN, p, MKDUMP_PAGE);
	put64(p + 4088, 0);
	put64(p + 4088, XXH64(p, MKDUMP_PAGE, 0));
	if (torn)
		memset(p + MKDUMP_PAGE / 2, 0xff, MKDUMP_PAGE / 2);
	return out_write(o, o->info->window - (seq % 2 != 0 ? 8192 : 4096), p,
	    MKDUMP_PAGE);
}

int
rec_trailers(struct out *o)
{
	const struct mkdump_spec *spec = o->spec;
	uint8_t p[MKDUMP_PAGE] = { 0 };
	uint64_t seq = spec->seq;
	bool saved = spec->state == STATE_SAVED;
	uint64_t valid = saved ? o->info->data_valid : 0;
	uint64_t nvalid = saved ? o->nvalid : 0;

	if (spec->stale) {
		seq = 1000;
		put_trailer(p, o, seq, STATE_SAVED, valid, nvalid);
		memset(p + 48, 0xee, 16);
		put64(p + 152, spec->time_ns - 1000000000);
	} else if (seq > 1) {
		seq--;
		put_trailer(p, o, seq, saved ? STATE_COMPLETE :
		    STATE_INPROGRESS, valid, nvalid);
	}
	if (seq != spec->seq && trailer_write(o, p, seq, spec->torn ==
	    MKDUMP_TORN_OLD || spec->torn == MKDUMP_TORN_BOTH) == -1)
		return -1;

	memset(p, 0, sizeof(p));
	put_trailer(p, o, spec->seq, spec->state, o->info->data_valid,
	    o->nvalid);
	put32(p + 28, spec->error);
	return trailer_write(o, p, spec->seq, spec->torn == MKDUMP_TORN_NEW ||
	    spec->torn == MKDUMP_TORN_BOTH);
}

int
rec_page0(struct out *o)
{
	uint8_t p[MKDUMP_PAGE] = { 0 };

	if (o->spec->page0 == MKDUMP_BLANK)
		return 0;
	if (o->spec->page0 == MKDUMP_LABEL) {
		memcpy(p, "SWAPCLBL", 8);
		put32(p + 8, 1);
		put32(p + 12, MKDUMP_PAGE);
		memset(p + 16, 0x33, 16);
		put_text(p + 32, 32, "mkdump");
		put64(p + 64, o->info->window);
		put64(p + 72, o->spec->time_ns);
		put64(p + 4088, XXH64(p, sizeof(p), 0));
	} else {
		/* Linux's union swap_header, version 1 */
		put32(p + 1024, 1);
		put32(p + 1028, o->info->window / MKDUMP_PAGE - 1);
		memset(p + 1036, 0x33, 16);
		put_text(p + 1052, 16, "mkdump");
		memcpy(p + 4086, "SWAPSPACE2", 10);
	}
	return out_write(o, 0, p, sizeof(p));
}

