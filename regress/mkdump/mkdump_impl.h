/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump_impl.h: what the sources of mkdump share.
 */
#ifndef MKDUMP_IMPL_H
#define MKDUMP_IMPL_H

#include "mkdump.h"

#define HDRSIZE		2048u
#define CHUNK		0x100000u
#define SUMS		504u
#define NOTE_SIZE	356u	/* NT_PRSTATUS: 12 + 8 + 336 bytes */
/* All of them: a multiple of 8, as the kernel has it. */
#define NOTES_SIZE(n)	ALIGN(NOTE_SIZE * (uint64_t)(n), 8)
#define DUMPMAG		0x8fca0101u
#define MACHINE		157u
#define ALIGN(n, a)	(((n) + (a) - 1) / (a) * (a))

enum { STATE_INPROGRESS = 1, STATE_COMPLETE = 2, STATE_SAVED = 4 };

/* What is dumped, in order: memsegs[]; and exclsegs[] as it will be. */
struct mkmem {
	const struct mkdump_spec *spec;
	int fd;			/* of memfile, or -1 */
	uint64_t (*tables)[512]; /* page tables, in host order */
	size_t ntables;
	uint8_t magpage[MKDUMP_PAGE];
	uint8_t infopage[MKDUMP_PAGE];
	uint64_t info_size;	/* of the VMCOREINFO note */
	struct mkdump_run *segs;
	size_t nsegs;
	uint64_t data_size;
	size_t next;		/* the segment that mkmem_data() left off in */
	uint64_t next_at;	/* where that is in CORE_DATA */
	struct mkdump_excl *excl;
	size_t nexcl;
	bool lost;		/* some of it reads as zeros */
};

struct out {
	const struct mkdump_spec *spec;
	struct mkdump_info *info;
	struct mkmem *mem;
	int fd;
	uint8_t *hdr;		/* segment header and CPU segment */
	uint64_t hdr_size;
	uint64_t excl_cap;
	uint64_t nsums;		/* chunks in CORE_DATA */
	uint64_t nvalid;	/* of them written whole */
	uint64_t *sums;
};

int mkdump_fail(struct mkdump_info *info, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void put16(uint8_t *p, uint64_t v);
void put32(uint8_t *p, uint64_t v);
void put64(uint8_t *p, uint64_t v);
void put32be(uint8_t *p, uint64_t v);
void put_text(uint8_t *p, size_t size, const char *s);

/* mkdump_mem.c, mkdump_pt.c: builds the tables.  0, or -1 with info->err. */
int mkmem_map_all(struct mkmem *mem, struct mkdump_info *info);
/* Fills the page of dumpmag, once data_size is known. */
void mkmem_magpage(struct mkmem *mem, uint64_t dumplo);
/* Adds a MISSING range for each byte of CORE_DATA from valid on. */
int mkmem_missing(struct mkmem *mem, uint64_t valid, struct mkdump_info *info);
/* Fills len bytes (whole pages) of CORE_DATA from off on; true if not zero. */
bool mkmem_data(struct mkmem *mem, uint64_t off, uint8_t *buf,
    size_t len);

/* Writes at an offset of the window or core.  0, or -1 with info->err. */
int out_write(struct out *o, uint64_t off, const void *buf, size_t len);

/* mkdump_rec.c.  0, or -1 with info->err. */
void rec_poke(const struct out *o, enum mkdump_where where, uint8_t *buf,
    uint64_t len);
int rec_header(struct out *o);	/* into o->hdr, not written */
int rec_cksums(struct out *o);
int rec_early(struct out *o);
int rec_trailers(struct out *o);
int rec_page0(struct out *o);

#endif /* MKDUMP_IMPL_H */
