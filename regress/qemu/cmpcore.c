// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmpcore: compare a core file with an image of the machine's memory.
 *
 *	cmpcore -c core -m start:image ... -r iomem [-a allowed] [-b start:image]
 *	    [-f flags]
 *
 * Written from kcore(5), without libkvm: it is the judge of both the writer and
 * the reader.  Every page of memsegs[] is compared with the image that QEMU
 * saved, every page of zeros that was left out must be zero there, and every
 * whole page of System RAM that /proc/iomem names must be in memsegs[] or
 * exclsegs[].  `allowed' names the few ranges of bytes that may differ, one a
 * line: start and end (exclusive) in hexadecimal, the number of pages that may
 * differ there, a name.
 *
 * With -b, images of the same memory at the time of the panic, a byte may also
 * be what it was then: devices go on writing to memory during a dump.
 *
 * flags, in hexadecimal, are those that the header is to have.  With the one
 * for an incomplete dump, memsegs[] go on where the data end.
 *
 * Exit: 0 as it should be, 1 not, 2 the comparison could not be made.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <sys/kcore.h>

#define CMP_PAGE	4096u
#define CMP_MAXIMAGES	8u
#define CMP_MAXRANGES	1024u

struct cmp_map {
	const uint8_t *base;
	uint64_t start;		/* physical address of base[0] */
	uint64_t len;
};

struct cmp_allowed {
	uint64_t start, end;
	uint64_t limit;		/* pages that may differ */
	uint64_t count;		/* pages that do */
	char name[64];
};

struct cmp_core {
	struct cmp_map file;
	const cpu_kcore_hdr_t *hdr;
	const phys_ram_seg_t *segs;
	const kcore_exclseg_t *excl;
	const uint8_t *data;
};

struct cmp_images {
	struct cmp_map map[CMP_MAXIMAGES];
	unsigned int n;
};

static struct cmp_images after, before;
static uint64_t nbefore;	/* pages that are as they were before */
static struct cmp_allowed allowed[CMP_MAXRANGES];
static unsigned int nallowed;
static uint64_t nbad;
static uint64_t wanted_flags;

/* Says what is wrong; the first hundred times. */
static void __attribute__((format(printf, 1, 2)))
bad(const char *fmt, ...)
{
	va_list ap;

	if (nbad++ >= 100)
		return;
	printf("bad: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static struct cmp_map
map_file(const char *path)
{
	struct cmp_map map = { NULL, 0, 0 };
	struct stat st;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) == -1)
		err(2, "%s", path);
	if (st.st_size == 0)
		errx(2, "%s: empty", path);
	map.len = (uint64_t)st.st_size;
	map.base = mmap(NULL, map.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map.base == MAP_FAILED)
		err(2, "%s: mmap", path);
	close(fd);
	return map;
}

/* start:path */
static void
add_image(struct cmp_images *images, char *arg)
{
	char *end;
	uint64_t start;

	start = strtoull(arg, &end, 16);
	if (*end != ':' || images->n == CMP_MAXIMAGES)
		errx(2, "%s: not start:path", arg);
	images->map[images->n] = map_file(end + 1);
	images->map[images->n++].start = start;
}

static const uint8_t *
image_page(const struct cmp_images *images, uint64_t pa)
{
	const struct cmp_map *m;

	for (m = images->map; m < images->map + images->n; m++)
		if (pa >= m->start && pa - m->start + CMP_PAGE <= m->len)
			return m->base + (pa - m->start);
	return NULL;
}

static void
read_allowed(const char *path)
{
	struct cmp_allowed *a;
	char line[256];
	FILE *fp;

	if ((fp = fopen(path, "r")) == NULL)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (nallowed == CMP_MAXRANGES)
			errx(2, "%s: more than %u ranges", path,
			    CMP_MAXRANGES);
		a = &allowed[nallowed++];
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNu64 " %63s",
		    &a->start, &a->end, &a->limit, a->name) != 4)
			errx(2, "%s: bad line: %s", path, line);
	}
	fclose(fp);
}

/* The range that lets this byte differ. */
static struct cmp_allowed *
find_allowed(uint64_t pa)
{
	unsigned int i;

	for (i = 0; i < nallowed; i++)
		if (pa >= allowed[i].start && pa < allowed[i].end)
			return &allowed[i];
	return NULL;
}

/* A segment header at *off, which moves past it; the segment's size. */
static uint64_t
seg_header(const struct cmp_core *core, size_t hdrsize, uint64_t *off,
    uint32_t flag)
{
	kcore_seg64_t seg;
	uint32_t mid;

	if (core->file.len - *off < hdrsize)
		errx(1, "core file ends in a segment header");
	memset(&seg, 0, sizeof(seg));
	memcpy(&seg, core->file.base + *off, hdrsize);
	*off += hdrsize;
	mid = ntohl(seg.c_midmag);
	if (KCORE_GETMAGIC(mid) != KCORESEG_MAGIC || KCORE_GETFLAG(mid) != flag)
		errx(1, "segment header: c_midmag %#" PRIx32, mid);
	if (seg.c_size == KCORE_SIZE64) {
		if (hdrsize != KCORE_SEGHDRSIZE64)
			errx(1, "segment header: no room for a 64-bit size");
		return seg.c_size64;
	}
	return seg.c_size;
}

static void
check_sums(const struct cmp_core *core)
{
	cpu_kcore_hdr_t hdr = *core->hdr;

	if (XXH64((const uint8_t *)core->hdr + hdr.hdrsize,
	    hdr.cpu_size - hdr.hdrsize, 0) != hdr.tables_cksum)
		bad("tables_cksum is wrong");
	hdr.hdr_cksum = 0;
	if (XXH64(&hdr, sizeof(hdr), 0) != core->hdr->hdr_cksum)
		bad("hdr_cksum is wrong");
}

/* The core file's skeleton and the CPU segment. */
static void
open_core(struct cmp_core *core, const char *path)
{
	const cpu_kcore_hdr_t *hdr;
	kcore_hdr_t khdr;
	uint64_t off, cpu_size, data_size;

	core->file = map_file(path);
	if (core->file.len < sizeof(khdr))
		errx(1, "%s: shorter than its header", path);
	memcpy(&khdr, core->file.base, sizeof(khdr));
	if (ntohl(khdr.c_midmag) !=
	    KCORE_MIDMAG(KCORE_MAGIC, KCORE_MID_X86_64, 0) ||
	    khdr.c_hdrsize != KCORE_HDRSIZE || khdr.c_nseg != 2 ||
	    (khdr.c_seghdrsize != KCORE_SEGHDRSIZE &&
	     khdr.c_seghdrsize != KCORE_SEGHDRSIZE64))
		errx(1, "%s: not a core header", path);
	off = khdr.c_hdrsize;
	cpu_size = seg_header(core, khdr.c_seghdrsize, &off, CORE_CPU);
	if (cpu_size < sizeof(*hdr) || cpu_size > core->file.len - off)
		errx(1, "%s: CPU segment of %" PRIu64 " bytes", path, cpu_size);
	core->hdr = hdr = (const void *)(core->file.base + off);
	off += cpu_size;
	data_size = seg_header(core, khdr.c_seghdrsize, &off, CORE_DATA);
	core->data = core->file.base + off;
	if (hdr->ext_magic != KCORE_EXT_MAGIC ||
	    hdr->version != KCORE_VERSION || hdr->hdrsize != sizeof(*hdr) ||
	    hdr->cpu_size != cpu_size)
		errx(1, "%s: not the header extension of kcore(5)", path);
	if (hdr->nmemsegs > cpu_size / sizeof(phys_ram_seg_t) ||
	    hdr->memsegs_off + hdr->nmemsegs * sizeof(phys_ram_seg_t) >
	    cpu_size || hdr->exclsegs_off +
	    hdr->nexclsegs * sizeof(kcore_exclseg_t) > cpu_size)
		errx(1, "%s: tables past the end of the CPU segment", path);
	core->segs = (const void *)((const char *)hdr + hdr->memsegs_off);
	core->excl = (const void *)((const char *)hdr + hdr->exclsegs_off);
	if (hdr->data_valid != data_size || off + data_size != core->file.len ||
	    (hdr->data_size == data_size) ==
	    ((wanted_flags & KCORE_F_INCOMPLETE) != 0))
		bad("CORE_DATA: %" PRIu64 " bytes in its header, %" PRIu64
		    " planned, %" PRIu64 " valid, %" PRIu64 " in the file",
		    data_size, hdr->data_size, hdr->data_valid,
		    core->file.len - off);
	if (hdr->flags != wanted_flags)
		bad("flags %#" PRIx64 " where %#" PRIx64 " was expected",
		    hdr->flags, wanted_flags);
	check_sums(core);
}

/* memsegs[]: pages, the first the one with dumpmag, the others in order. */
static void
check_memsegs(const struct cmp_core *core)
{
	const phys_ram_seg_t *s = core->segs;
	const cpu_kcore_hdr_t *hdr = core->hdr;
	uint64_t i, end = 0, total = 0;
	uint32_t mag;

	for (i = 0; i < hdr->nmemsegs; i++) {
		if (s[i].start % CMP_PAGE != 0 || s[i].size % CMP_PAGE != 0 ||
		    s[i].size == 0)
			bad("memsegs[%" PRIu64 "] is not of pages", i);
		total += s[i].size;
		if (i == 0)
			continue;
		if (s[i].start < end)
			bad("memsegs[%" PRIu64 "] is not in order", i);
		end = s[i].start + s[i].size;
		if (s[0].start >= s[i].start && s[0].start < end)
			bad("memsegs[%" PRIu64 "] repeats the first page", i);
	}
	if (total != hdr->data_size)
		errx(1, "memsegs[] hold %" PRIu64 " bytes, CORE_DATA %" PRIu64,
		    total, hdr->data_size);
	if (hdr->nmemsegs == 0 || s[0].size != CMP_PAGE ||
	    hdr->dumpmag_paddr < s[0].start ||
	    hdr->dumpmag_paddr - s[0].start > CMP_PAGE - sizeof(mag))
		errx(1, "dumpmag is not in a first segment of one page");
	memcpy(&mag, core->data + (hdr->dumpmag_paddr - s[0].start),
	    sizeof(mag));
	if (mag != KCORE_DUMPMAG)
		bad("dumpmag is %#" PRIx32, mag);
}

/* A page that differs: only in bytes that may, and not in too many pages? */
static void
judge_page(uint64_t pa, const uint8_t *ours, const uint8_t *theirs)
{
	const uint8_t *was = image_page(&before, pa);
	struct cmp_allowed *a = NULL;
	unsigned int i, nwas = 0;

	for (i = 0; i < CMP_PAGE; i++) {
		if (ours[i] == theirs[i])
			continue;
		if (was != NULL && ours[i] == was[i]) {
			nbefore += nwas++ == 0;
			continue;
		}
		if (a != NULL && pa + i >= a->start && pa + i < a->end)
			continue;
		if ((a = find_allowed(pa + i)) == NULL) {
			bad("page %#" PRIx64 " differs at offset %#x", pa, i);
			return;
		}
		if (++a->count > a->limit)
			bad("page %#" PRIx64 " differs, past the limit of %"
			    PRIu64 " pages for %s", pa, a->limit, a->name);
		else
			printf("differs: %#" PRIx64 " %s\n", pa, a->name);
	}
}

static void
compare_page(uint64_t pa, const uint8_t *ours)
{
	const uint8_t *theirs = image_page(&after, pa);

	if (theirs == NULL)
		bad("page %#" PRIx64 " is not in the memory image", pa);
	else if (memcmp(ours, theirs, CMP_PAGE) != 0)
		judge_page(pa, ours, theirs);
}

/* What exclsegs[] says of a page; 0: nothing. */
static uint32_t
excl_kind(const struct cmp_core *core, uint64_t pa)
{
	uint64_t low = 0, high = core->hdr->nexclsegs, mid;
	const kcore_exclseg_t *e;

	while (low < high) {
		mid = (low + high) / 2;
		e = &core->excl[mid];
		if (pa < e->start)
			high = mid;
		else if (pa - e->start >= e->size)
			low = mid + 1;
		else
			return e->kind;
	}
	return 0;
}

/* A page of memsegs[] at an offset of CORE_DATA. */
static void
compare_at(const struct cmp_core *core, uint64_t pa, uint64_t off)
{
	uint32_t kind = excl_kind(core, pa);

	if (kind != 0)
		bad("page %#" PRIx64 " is in memsegs[] and listed as %" PRIu32,
		    pa, kind);
	if (off < core->hdr->data_valid)
		compare_page(pa, core->data + off);
}

/* How many pages were compared. */
static uint64_t
compare_core(const struct cmp_core *core)
{
	uint64_t i, pa, off = 0;

	for (i = 0; i < core->hdr->nmemsegs; i++)
		for (pa = core->segs[i].start;
		    pa < core->segs[i].start + core->segs[i].size;
		    pa += CMP_PAGE, off += CMP_PAGE)
			compare_at(core, pa, off);
	return core->hdr->data_valid / CMP_PAGE;
}

/* Pages that were left out because they were zero; how many. */
static uint64_t
compare_zero(const struct cmp_core *core)
{
	static const uint8_t zeros[CMP_PAGE];
	const kcore_exclseg_t *e;
	uint64_t i, pa, n = 0, end = 0;

	for (i = 0; i < core->hdr->nexclsegs; i++) {
		e = &core->excl[i];
		if (e->start < end)
			bad("exclsegs[%" PRIu64 "] is not in order", i);
		end = e->start + e->size;
		if (e->kind != KCORE_EXCL_ZERO)
			continue;
		for (pa = e->start; pa < end; pa += CMP_PAGE, n++)
			compare_page(pa, zeros);
	}
	if (n != core->hdr->counts[KCORE_COUNT_ZERO])
		bad("%" PRIu64 " zero pages listed, %" PRIu64 " counted", n,
		    core->hdr->counts[KCORE_COUNT_ZERO]);
	return n;
}

/* Is the page in memsegs[] or exclsegs[]?  *seg remembers where we were. */
static int
page_known(const struct cmp_core *core, uint64_t pa, uint64_t *seg)
{
	const phys_ram_seg_t *s = core->segs;

	if (pa == s[0].start)
		return 1;
	while (*seg < core->hdr->nmemsegs &&
	    s[*seg].start + s[*seg].size <= pa)
		++*seg;
	if (*seg < core->hdr->nmemsegs && s[*seg].start <= pa)
		return 1;
	return excl_kind(core, pa) != 0;
}

/* Every whole page of System RAM is accounted for; how many there are. */
static uint64_t
check_ram(const struct cmp_core *core, const char *path)
{
	uint64_t start, end, pa, seg = 1, n = 0;
	char line[256];
	FILE *fp;

	if ((fp = fopen(path, "r")) == NULL)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (isspace((unsigned char)line[0]) ||
		    strstr(line, ": System RAM") == NULL ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		start = (start + CMP_PAGE - 1) & ~(uint64_t)(CMP_PAGE - 1);
		for (pa = start; pa + CMP_PAGE - 1 <= end; pa += CMP_PAGE, n++)
			if (!page_known(core, pa, &seg))
				bad("page %#" PRIx64 " of RAM is missing", pa);
	}
	fclose(fp);
	if (n == 0)
		errx(2, "%s: no System RAM", path);
	return n;
}

static void
summary(const struct cmp_core *core, uint64_t npages, uint64_t nzero,
    uint64_t nram)
{
	uint64_t i, npassed = 0;

	for (i = 0; i < core->hdr->nexclsegs; i++)
		if (core->excl[i].kind != KCORE_EXCL_ZERO)
			printf("exclseg: %#" PRIx64 " %" PRIu64 " kind %"
			    PRIu32 "\n", core->excl[i].start,
			    core->excl[i].size, core->excl[i].kind);
	for (i = 0; i < nallowed; i++)
		if (allowed[i].count != 0) {
			printf("allowed: %" PRIu64 " of %" PRIu64 " %s\n",
			    allowed[i].count, allowed[i].limit,
			    allowed[i].name);
			npassed += allowed[i].count;
		}
	printf("%" PRIu64 " pages compared, %" PRIu64 " zero, %" PRIu64
	    " of RAM, %" PRIu64 " named ones differ, %" PRIu64 " as before, %"
	    PRIu64 " faults\n", npages, nzero, nram, npassed, nbefore, nbad);
}

int
main(int argc, char **argv)
{
	const char *corepath = NULL, *rampath = NULL;
	struct cmp_core core;
	uint64_t npages, nzero, nram;
	int ch;

	while ((ch = getopt(argc, argv, "a:b:c:f:m:r:")) != -1)
		switch (ch) {
		case 'a':
			read_allowed(optarg);
			break;
		case 'b':
			add_image(&before, optarg);
			break;
		case 'c':
			corepath = optarg;
			break;
		case 'f':
			wanted_flags = strtoull(optarg, NULL, 16);
			break;
		case 'm':
			add_image(&after, optarg);
			break;
		case 'r':
			rampath = optarg;
			break;
		default:
			corepath = NULL;
			optind = argc;
		}
	if (corepath == NULL || rampath == NULL || after.n == 0) {
		fprintf(stderr, "usage: cmpcore -c core -m start:image ... "
		    "-r iomem [-a allowed] [-b start:image] "
		    "[-f flags]\n");
		return 2;
	}
	open_core(&core, corepath);
	check_memsegs(&core);
	npages = compare_core(&core);
	nzero = compare_zero(&core);
	nram = check_ram(&core, rampath);
	summary(&core, npages, nzero, nram);
	return nbad == 0 ? 0 : 1;
}
