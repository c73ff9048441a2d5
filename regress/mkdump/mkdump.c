/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump.c: writes raw dumps and core files as kcore(5) says, and wrong ones on
 * demand.  All offsets here are the page's tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "mkdump_impl.h"

#define TABLES_GAP	64u	/* memsegs[] need not follow at once */
#define END_AREA	0x400000u

int
mkdump_fail(struct mkdump_info *info, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(info->err, sizeof(info->err), fmt, ap);
	va_end(ap);
	return -1;
}

/* Writes at an offset of the window or core. */
int
out_write(struct out *o, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	off += o->spec->prefix;
	while (len > 0) {
		ssize_t n = pwrite(o->fd, p, len, (off_t)off);

		if (n <= 0)
			return mkdump_fail(o->info, "write at %#jx: %s",
			    (uintmax_t)off, strerror(errno));
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Sizes and places of everything. */
static int
plan(struct out *o)
{
	const struct mkdump_spec *spec = o->spec;
	struct mkdump_info *in = o->info;
	uint64_t need, end;

	o->excl_cap = spec->excl_cap;
	if (o->excl_cap < o->mem->nexcl)
		o->excl_cap = o->mem->nexcl;
	in->nmemsegs = o->mem->nsegs;
	in->memsegs_off = HDRSIZE + TABLES_GAP;
	in->exclsegs_off = in->memsegs_off + 16 * in->nmemsegs;
	need = in->exclsegs_off + 24 * o->excl_cap +
	    NOTES_SIZE(spec->nnotes);
	in->cpu_size = ALIGN(8 + need, MKDUMP_PAGE) - 8;
	o->hdr_size = 8 + in->cpu_size;
	in->data_size = o->mem->data_size;
	in->data_valid = spec->data_valid < in->data_size ? spec->data_valid :
	    in->data_size;
	o->nsums = ALIGN(in->data_size, CHUNK) / CHUNK;
	o->nvalid = in->data_valid == in->data_size ? o->nsums :
	    in->data_valid / CHUNK;
	in->cksum_size = ALIGN(o->nsums, SUMS) / SUMS * MKDUMP_PAGE;
	if (spec->core)
		return 0;

	/* One page of gap before the checksums, one behind. */
	need = o->hdr_size + in->data_size + in->cksum_size + 2 * MKDUMP_PAGE;
	in->window = spec->window & ~(uint64_t)(MKDUMP_PAGE - 1);
	if (in->window == 0)
		in->window = 2 * MKDUMP_PAGE + need + END_AREA;
	if (in->window < 2 * END_AREA)
		in->window = 2 * END_AREA;
	end = in->early_off = in->window - END_AREA;
	if (spec->early_only)
		return 0;
	if (need + MKDUMP_PAGE > end)
		return mkdump_fail(in, "a window of %#jx is too small for %#jx",
		    (uintmax_t)in->window, (uintmax_t)(need + END_AREA));
	in->dumplo = spec->dumplo != 0 ? spec->dumplo : end - need;
	if (in->dumplo + need > end || in->dumplo % MKDUMP_PAGE != 0)
		return mkdump_fail(in, "no dump fits at %#jx",
		    (uintmax_t)in->dumplo);
	in->cpu_off = in->dumplo + 8;
	in->data_off = in->dumplo + o->hdr_size;
	in->cksum_off = in->data_off + in->data_size + MKDUMP_PAGE;
	return 0;
}

/* The places of a core file, which depend on the size of its data. */
static void
plan_core(struct out *o)
{
	bool wide = o->spec->seg64 || o->info->data_size >= 0xffffffff;
	uint64_t seg = wide ? 16 : 8;

	o->info->dumplo = 16;
	o->info->cpu_off = 16 + seg;
	o->info->data_off = o->info->cpu_off + o->info->cpu_size + seg;
}

/* CORE_DATA as far as it is valid, and the checksums of its chunks. */
static int
data_write(struct out *o)
{
	const struct mkdump_info *in = o->info;
	uint64_t zero_sum = 0;
	uint8_t *buf;
	int rv = 0;

	o->sums = calloc(o->nsums + 1, sizeof(*o->sums));
	if ((buf = calloc(1, CHUNK)) == NULL || o->sums == NULL)
		rv = mkdump_fail(o->info, "no memory");
	else
		zero_sum = XXH64(buf, CHUNK, 0);
	for (uint64_t i = 0; rv == 0 && i < o->nsums; i++) {
		uint64_t off = i * CHUNK, len = in->data_size - off;
		bool any;

		if (len > CHUNK)
			len = CHUNK;
		any = mkmem_data(o->mem, off, buf, len);
		o->sums[i] = any || len < CHUNK ? XXH64(buf, len, 0) : zero_sum;
		if (off >= in->data_valid)
			break;
		if (len > in->data_valid - off)
			len = in->data_valid - off;
		if (any)
			rv = out_write(o, in->data_off + off, buf, len);
	}
	free(buf);
	return rv;
}

static int
raw_write(struct out *o)
{
	if (rec_page0(o) == -1)
		return -1;
	if (!o->spec->no_early && rec_early(o) == -1)
		return -1;
	if (!o->spec->early_only && o->spec->seq > 1) {
		if (out_write(o, o->info->dumplo, o->hdr, o->hdr_size) == -1 ||
		    data_write(o) == -1 || rec_cksums(o) == -1)
			return -1;
	}
	return rec_trailers(o);
}

static int
core_write(struct out *o)
{
	const struct mkdump_info *in = o->info;
	uint64_t seg = in->cpu_off - in->dumplo;
	uint8_t p[16] = { 0 };

	put32be(p, MACHINE << 16 | 0x8fca);
	put16(p + 4, 16);
	put16(p + 6, seg);
	put32(p + 8, 2);
	if (out_write(o, 0, p, sizeof(p)) == -1)
		return -1;

	memset(p, 0, sizeof(p));
	put32be(p, 1u << 26 | 0x8fac);
	put32(p + 4, seg == 16 ? 0xffffffff : in->cpu_size);
	put64(p + 8, in->cpu_size);
	rec_poke(o, MKDUMP_SEG, p, seg);
	if (out_write(o, in->dumplo, p, seg) == -1 ||
	    out_write(o, in->cpu_off, o->hdr + 8, in->cpu_size) == -1)
		return -1;

	memset(p, 0, sizeof(p));
	put32be(p, 2u << 26 | 0x8fac);
	put32(p + 4, seg == 16 ? 0xffffffff : in->data_size);
	put64(p + 8, in->data_size);
	if (out_write(o, in->data_off - seg, p, seg) == -1)
		return -1;
	return data_write(o);
}

static int
flip(struct out *o, const struct mkdump_flip *f)
{
	const struct mkdump_info *in = o->info;
	const uint64_t base[] = {
		[MKDUMP_FILE] = 0 - o->spec->prefix,
		[MKDUMP_SEG] = in->dumplo,
		[MKDUMP_CPU] = in->cpu_off,
		[MKDUMP_DATA] = in->data_off,
		[MKDUMP_CKSUM] = in->cksum_off,
		[MKDUMP_EARLY] = in->early_off,
		[MKDUMP_ODD] = in->window - 8192,
		[MKDUMP_EVEN] = in->window - 4096,
	};
	uint64_t off = base[f->where] + f->off;
	uint8_t c;

	if (pread(o->fd, &c, 1, (off_t)(off + o->spec->prefix)) != 1)
		return mkdump_fail(o->info, "nothing to flip at %#jx",
		    (uintmax_t)off);
	c = (uint8_t)~c;
	return out_write(o, off, &c, 1);
}

/* What is done to the finished dump. */
static int
finish(struct out *o)
{
	const struct mkdump_info *in = o->info;
	uint64_t size = o->spec->core ? in->data_off + in->data_size :
	    in->window;
	uint8_t magic[4];

	size += o->spec->prefix + o->spec->suffix;
	if (ftruncate(o->fd, (off_t)size) == -1)
		return mkdump_fail(o->info, "truncate to %#jx: %s",
		    (uintmax_t)size, strerror(errno));
	put32(magic, o->spec->dumpmag);
	if (o->spec->dumpmag != DUMPMAG && in->data_off != 0 &&
	    out_write(o, in->data_off + MKDUMP_AT_DUMPMAG, magic, 4) == -1)
		return -1;
	for (size_t i = 0; i < o->spec->nflips; i++)
		if (flip(o, &o->spec->flips[i]) == -1)
			return -1;
	return 0;
}

static int
out_all(struct out *o, const char *path)
{
	if (o->spec->core && o->spec->data_valid < o->mem->data_size &&
	    mkmem_missing(o->mem, o->spec->data_valid, o->info) == -1)
		return -1;
	if (plan(o) == -1)
		return -1;
	if (o->spec->core)
		plan_core(o);
	mkmem_magpage(o->mem, o->info->dumplo);
	if (rec_header(o) == -1)
		return -1;
	o->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (o->fd == -1)
		return mkdump_fail(o->info, "%s: %s", path, strerror(errno));
	if ((o->spec->core ? core_write(o) : raw_write(o)) == -1)
		return -1;
	return finish(o);
}

int
mkdump_write(const struct mkdump_spec *spec, const char *path,
    struct mkdump_info *info)
{
	struct out o = { .spec = spec, .info = info, .fd = -1 };
	int rv = -1;

	memset(info, 0, sizeof(*info));
	if ((o.mem = mkmem_create(spec, info)) != NULL)
		rv = out_all(&o, path);
	if (o.fd != -1 && close(o.fd) == -1 && rv == 0)
		rv = mkdump_fail(info, "%s: %s", path, strerror(errno));
	mkmem_destroy(o.mem);
	free(o.hdr);
	free(o.sums);
	return rv;
}

void
mkdump_init(struct mkdump_spec *spec)
{
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x9e000 },
		{ 0x100000, 0x700000 },
		{ 0x100000000, 0x200000 },	/* past the PCI hole */
	};

	*spec = (struct mkdump_spec){
		.runs = runs, .nruns = sizeof(runs) / sizeof(runs[0]),
		.dumpmag_paddr = 0x2ff000 + MKDUMP_AT_DUMPMAG,
		.dumpmag = DUMPMAG,
		.vmcoreinfo_paddr = 0x2fe000,
		.levels = 4,
		.ptd_paddr = 0x300000,
		.direct_page = 0x200000,
		.text_paddr = 0x400000, .text_size = 0x200000,
		.text_page = 0x200000,
		.slide = 0x12000000,
		.excl_cap = 64,
		.state = STATE_COMPLETE,
		.seq = 4,
		.data_valid = MKDUMP_ALL,
		.time_ns = 1700000000000000000,
		.uptime_ns = 12345000000000,
		.panicstr = "mkdump: test panic",
		.release = "6.1.0-test",
		.osversion = "#1 SMP mkdump",
		.nodename = "testhost",
		.comm = "mkdump",
		.log = "mkdump: the end of the kernel log\n",
	};
	memset(spec->arm_id, 0x11, 16);
	memset(spec->dump_id, 0x22, 16);
	memset(spec->boot_id, 0x44, 16);
}
