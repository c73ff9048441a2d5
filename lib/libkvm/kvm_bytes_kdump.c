/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes_kdump.c: makedumpfile's compressed dumps, as makedumpfile -c, -l,
 * QEMU and savecore -F kdump make them; <sys/diskdump.h>.
 *
 * The places in kd->where are numbers of page descriptors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/diskdump.h>

#include "kvm_bytes.h"
#include "kvm_header.h"
#include "kvm_machine.h"

#define KDUMP_NOTES_MAX	(KCORE_CPU_MAX + (16u << 20))
#define KDUMP_CPUS_MAX	65536

typedef unsigned long long ull;

struct kdump {
	diskdump_hdr_t h;
	diskdump_sub_t sub;
	uint64_t npages;	/* that the bitmaps tell of */
	uint64_t bitmap_off, bitmap_len;	/* bytes of both */
	bool both;		/* there are two bitmaps */
};

/* The sizes that the header has: 0, or -1 with a text. */
static int
kdump_check(kvm_t *kd, struct kdump *k)
{
	const diskdump_hdr_t *h = &k->h;
	uint64_t one;

	if (h->header_version < 1 || h->header_version > DISKDUMP_VERSION)
		return kvmi_err(kd, ENOTSUP, "kdump header: version %d; this "
		    "library knows versions 1 to %d", h->header_version,
		    DISKDUMP_VERSION);
	if (h->block_size != KVMI_PAGE)
		return kvmi_err(kd, ENOTSUP, "kdump header: pages of %d bytes; "
		    "this library reads pages of %u", h->block_size, KVMI_PAGE);
	if (h->header_version >= 2 && k->sub.split != 0)
		return kvmi_err(kd, ENOTSUP, "it is one file of several that "
		    "make a dump: makedumpfile --reassemble puts them "
		    "together");
	k->npages = h->header_version < 6 ? h->max_mapnr :
	    k->sub.max_mapnr_64;
	k->bitmap_off = (1 + (uint64_t)(uint32_t)h->sub_hdr_size) * KVMI_PAGE;
	k->bitmap_len = (uint64_t)h->bitmap_blocks * KVMI_PAGE;
	if (h->sub_hdr_size < 1 || k->bitmap_off > kd->file_size ||
	    k->bitmap_len > kd->file_size - k->bitmap_off)
		return kvmi_err(kd, EBADMSG, "kdump header: %d blocks of "
		    "sub-header, %u of bitmaps, in %llu bytes",
		    h->sub_hdr_size, h->bitmap_blocks, (ull)kd->file_size);
	/* The blocks of one bitmap for so many pages. */
	one = k->npages / 8 / KVMI_PAGE + 1;
	if (k->npages % (8 * KVMI_PAGE) == 0)
		one--;
	k->both = h->bitmap_blocks / 2 >= one;
	if (!k->both && h->bitmap_blocks < one)
		return kvmi_err(kd, EBADMSG, "kdump header: %u blocks of "
		    "bitmaps for %llu pages", h->bitmap_blocks,
		    (ull)k->npages);
	return 0;
}

/* Adds a page, or more of them, that are in the file, or only in memory. */
static int
kdump_add(kvm_t *kd, struct kvmi_build *b, uint64_t pfn, uint64_t n,
    bool there, uint64_t *ndescs)
{
	struct kvmi_range r = { pfn * KVMI_PAGE, (pfn + n) * KVMI_PAGE,
	    *ndescs, KVMI_MEM_DATA };

	if (there) {
		*ndescs += n;
		return kvmi_ranges_add(kd, &b->data, r);
	}
	r.place = 0;
	r.kind = KCORE_EXCL_FILTERED;
	return kvmi_ranges_add(kd, &b->excl, r);
}

/* 64 pages from pfn on. */
static int
kdump_word(kvm_t *kd, struct kvmi_build *b, uint64_t pfn, uint64_t memory,
    uint64_t there, uint64_t *ndescs)
{
	unsigned int i;
	int rv = 0;

	if (there == UINT64_MAX)
		return kdump_add(kd, b, pfn, 64, true, ndescs);
	if (there == 0 && memory == UINT64_MAX)
		return kdump_add(kd, b, pfn, 64, false, ndescs);
	for (i = 0; rv == 0 && i < 64; i++)
		if (((there | memory) >> i & 1) != 0)
			rv = kdump_add(kd, b, pfn + i, 1, (there >> i & 1) != 0,
			    ndescs);
	return rv;
}

/* The bitmaps, a block at a time: the number of descriptors, or -1. */
static int
kdump_bitmaps(kvm_t *kd, const struct kdump *k, struct kvmi_build *b,
    uint64_t *ndescs)
{
	const uint64_t second = k->both ? k->bitmap_len / 2 : 0;
	uint64_t memory[KVMI_PAGE / 8], there[KVMI_PAGE / 8], pfn, left;
	size_t i;

	*ndescs = 0;
	for (pfn = 0; pfn < k->npages; pfn += 64) {
		i = pfn / 64 % (KVMI_PAGE / 8);
		if (i == 0 && (kvmi_pread(kd, memory, sizeof(memory),
		    k->bitmap_off + pfn / 8) == -1 ||
		    kvmi_pread(kd, there, sizeof(there), k->bitmap_off +
		    second + pfn / 8) == -1))
			return kvmi_prepend(kd, "bitmap");
		left = k->npages - pfn;
		if (left < 64) {
			memory[i] &= (1ull << left) - 1;
			there[i] &= (1ull << left) - 1;
		}
		if (kdump_word(kd, b, pfn, memory[i], there[i], ndescs) == -1)
			return -1;
	}
	return 0;
}

/* Bytes of the file that the sub-header names, or NULL with a text. */
static uint8_t *
kdump_part(kvm_t *kd, const char *what, uint64_t off, uint64_t size)
{
	uint8_t *buf;

	if (size > KDUMP_NOTES_MAX || off > kd->file_size ||
	    size > kd->file_size - off) {
		kvmi_err(kd, EBADMSG, "%s: %llu bytes at %llu in %llu bytes",
		    what, (ull)size, (ull)off, (ull)kd->file_size);
		return NULL;
	}
	if ((buf = kvmi_spill_alloc(kd, size + 1)) == NULL) {
		kvmi_syserr(kd, ENOMEM, "%s", what);
		return NULL;
	}
	if (kvmi_spill_read(kd, buf, size, off) == 0)
		return buf;
	kvmi_prepend(kd, "%s", what);
	kvmi_spill_free(kd, buf);
	return NULL;
}

/* VMCOREINFO, which is there as text, as one more note. */
static int
kdump_info(kvm_t *kd, const struct kdump *k, struct kvmi_build *b)
{
	const uint64_t size = k->sub.size_vmcoreinfo;
	struct kvmi_note n = { "VMCOREINFO", 10, 0, NULL, (size_t)size };
	uint8_t *text, *more;
	size_t at;

	text = kdump_part(kd, "VMCOREINFO", k->sub.offset_vmcoreinfo, size);
	if (text == NULL)
		return -1;
	n.desc = text;
	at = (b->notes_size + 3) & ~(size_t)3;
	more = kvmi_spill_resize(kd, b->notes, b->notes_size,
	    at + kvmi_note_put(NULL, &n));
	if (more == NULL) {
		kvmi_spill_free(kd, text);
		return kvmi_syserr(kd, ENOMEM, "notes");
	}
	memset(more + b->notes_size, 0, at - b->notes_size);
	b->notes = more;
	b->notes_size = at + kvmi_note_put(more + at, &n);
	kvmi_spill_free(kd, text);
	return 0;
}

static int
kdump_notes(kvm_t *kd, const struct kdump *k, struct kvmi_build *b)
{
	char *info;

	if (k->h.header_version >= 4 && k->sub.size_note > 0) {
		b->notes = kdump_part(kd, "notes", k->sub.offset_note,
		    k->sub.size_note);
		if (b->notes == NULL)
			return -1;
		b->notes_size = k->sub.size_note;
	}
	info = kvmi_info_note(b->notes, b->notes_size);
	if (info == NULL && k->h.header_version >= 3 &&
	    k->sub.size_vmcoreinfo > 0)
		return kdump_info(kd, k, b);
	free(info);
	return 0;
}

static void
kdump_text(char *to, size_t len, const char *from, size_t fromlen)
{
	const size_t n = strnlen(from, fromlen);

	memcpy(to, from, n < len ? n : len - 1);
}

/* What the header says, for want of better. */
static int
kdump_facts(kvm_t *kd, const struct kdump *k, cpu_kcore_hdr_t *h)
{
	const struct kvmi_machine *m = kvmi_machine_name(k->h.machine,
	    sizeof(k->h.machine));
	char name[80];

	if (m == NULL)
		return kvmi_err(kd, ENOTSUP, "kdump header: \"%s\" is not a "
		    "machine that this library can read", kvmi_shown(name,
		    sizeof(name), k->h.machine, sizeof(k->h.machine)));
	h->machine = m->mid;
	h->panic_cpu = KCORE_NOCPU;
	kdump_text(h->release, sizeof(h->release), k->h.release, 65);
	kdump_text(h->osversion, sizeof(h->osversion), k->h.version, 65);
	kdump_text(h->nodename, sizeof(h->nodename), k->h.nodename, 65);
	if (k->h.tv_sec > 0 && k->h.tv_sec < INT64_MAX / 1000000000)
		h->panic_time_ns = (uint64_t)k->h.tv_sec * 1000000000;
	if (k->h.nr_cpus > 0 && k->h.nr_cpus <= KDUMP_CPUS_MAX)
		h->ncpus = (uint32_t)k->h.nr_cpus;
	if (k->sub.dump_level >= 0 &&
	    k->sub.dump_level <= (int)KCORE_LEVEL_MAX)
		h->dump_level = (uint32_t)k->sub.dump_level;
	return 0;
}

/* All that is in the file, in force. */
static int
kdump_load(kvm_t *kd, const struct kdump *k, struct kvmi_build *b)
{
	uint64_t ndescs, rest;

	if (kdump_facts(kd, k, &b->hdr) == -1 ||
	    kdump_bitmaps(kd, k, b, &ndescs) == -1 ||
	    kdump_notes(kd, k, b) == -1)
		return -1;
	kd->data_base = k->bitmap_off + k->bitmap_len;
	rest = kd->file_size - kd->data_base;
	if (rest / sizeof(diskdump_page_t) < ndescs)
		return kvmi_err(kd, EBADMSG, "%llu page descriptors at %llu in "
		    "%llu bytes", (ull)ndescs, (ull)kd->data_base,
		    (ull)kd->file_size);
	kd->pages = kvmi_pages_create();
	if (kd->pages == NULL)
		return kvmi_syserr(kd, ENOMEM, "pages");
	return kvmi_build(kd, b);
}

static int
kdump_open(kvm_t *kd)
{
	struct kvmi_build b = { .data.unit = KVMI_PAGE, .excl.unit = 1 };
	struct kdump k;
	int rv = -1;

	if (kd->file_size < sizeof(k.h))
		return 0;
	if (kvmi_pread(kd, &k.h, sizeof(k.h), 0) == -1)
		return -1;
	if (memcmp(k.h.signature, DISKDUMP_SIGNATURE,
	    sizeof(k.h.signature)) != 0)
		return 0;
	if (kvmi_pread(kd, &k.sub, sizeof(k.sub), KVMI_PAGE) == -1)
		return kvmi_prepend(kd, "kdump sub-header");
	if (kdump_check(kd, &k) == -1)
		return -1;
	if (kdump_load(kd, &k, &b) == 0) {
		kd->where = b.data;
		b.data = (struct kvmi_ranges){ 0 };
		rv = 1;
	}
	kvmi_build_fini(kd, &b);
	return rv;
}

/* The page of a descriptor. */
static int
kdump_page(kvm_t *kd, uint64_t number, uint8_t *page)
{
	uint8_t packed[KVMI_PAGE];
	diskdump_page_t d;

	if (kvmi_pread(kd, &d, sizeof(d), kd->data_base +
	    number * sizeof(d)) == -1)
		return kvmi_prepend(kd, "page descriptor");
	if (d.offset == 0)
		return kvmi_err(kd, ECANCELED, "page %llu: missing: the dump "
		    "ended before it was written", (ull)number);
	if (d.offset < 0 || (uint64_t)d.offset > kd->file_size ||
	    d.size == 0 || d.size > sizeof(packed) ||
	    d.size > kd->file_size - (uint64_t)d.offset)
		return kvmi_err(kd, EBADMSG, "page %llu: %u bytes at %lld in "
		    "%llu bytes", (ull)number, d.size, (long long)d.offset,
		    (ull)kd->file_size);
	if (kvmi_pread(kd, packed, d.size, (uint64_t)d.offset) == -1 ||
	    kvmi_unpack(kd, d.flags, page, packed, d.size) == -1)
		return kvmi_prepend(kd, "page %llu", (ull)number);
	return 0;
}

/* Bytes of pages, which follow each other as their descriptors do. */
static int
kdump_get(kvm_t *kd, void *buf, size_t len, uint64_t place)
{
	uint8_t *to = buf;
	size_t at, n;

	for (; len > 0; to += n, place += n, len -= n) {
		at = place % KVMI_PAGE;
		n = len < KVMI_PAGE - at ? len : KVMI_PAGE - at;
		if (kvmi_pages_read(kd, place / KVMI_PAGE, to, n, at,
		    kdump_page) == -1)
			return -1;
	}
	return 0;
}

static int
kdump_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	return kvmi_where_read(kd, buf, len, off, kdump_get);
}

const struct kvmi_format kvmi_format_kdump = {
	.name = "kdump file",
	.open = kdump_open,
	.read = kdump_read,
};
