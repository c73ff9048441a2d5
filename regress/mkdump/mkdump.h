/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump.h: an independent writer of raw dumps and core files, for tests.
 *
 * It knows kcore(5) and nothing else: neither the format header nor the library
 * that reads dumps.  A test fills a mkdump_spec (mkdump_init() sets everything
 * to a small, good raw dump), calls mkdump_write(), and asks mkmem_page() what
 * a reader has to find.
 *
 * Memory.  The 8 bytes at each physical address p that is a multiple of 8 are
 * mkdump_word(p), little endian; or zeros, where spec.sparse; or the bytes of
 * spec.memfile at offset p.  In it lie, whatever the rest is:
 *	dumpmag_paddr & ~0xfff	the page of dumpmag, see MKDUMP_AT_*
 *	vmcoreinfo_paddr	an ELF note VMCOREINFO, in a page of its own
 *	ptd_paddr ...		the page tables, one page after the other
 *
 * Address space.  Three mappings, and spec.maps:
 *	page_offset + p			all RAM, in pages of direct_page
 *	0xffffffff81000000 + slide	text_paddr, text_size, text_page
 *	MKDUMP_MODULE_VA		the page of dumpmag, 4 KiB
 * Entries have flags above and below the address that a reader must not take
 * for it: NX, G, and PAT in large pages.
 *
 * With vmcoreinfo_size, spec.memfile is the memory of a real kernel: only the
 * page of dumpmag is laid over it, and the page tables at ptd_paddr and the note
 * are the kernel's own.
 */
#ifndef MKDUMP_H
#define MKDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MKDUMP_PAGE	4096u
#define MKDUMP_TEXT_VA	0xffffffff81000000ull
#define MKDUMP_MODULE_VA 0xffffffffc0400000ull
#define MKDUMP_ALL	UINT64_MAX	/* data_valid: everything */

/* Offsets in the page of dumpmag, and of what names[] has an address of. */
#define MKDUMP_AT_DUMPMAG	0x010u	/* 32 bits */
#define MKDUMP_AT_DUMPDEV	0x018u	/* 64 bits: 0x10300 */
#define MKDUMP_AT_DUMPLO	0x020u	/* 64 bits: dumplo in bytes */
#define MKDUMP_AT_DUMPSIZE	0x028u	/* 64 bits: pages of CORE_DATA */
#define MKDUMP_AT_PANICSTR	0x030u	/* 64 bits: address of the text */
#define MKDUMP_AT_PANICTEXT	0x200u
#define MKDUMP_AT_VERSION	0x400u	/* text */

struct mkdump_run {
	uint64_t start;		/* physical, whole pages */
	uint64_t size;
};

struct mkdump_excl {
	uint64_t start;
	uint64_t size;
	uint32_t kind;		/* kcore(5): 1 zero .. 6 missing */
};

struct mkdump_map {
	uint64_t va;
	uint64_t pa;
	uint64_t size;
	uint64_t page;		/* 4 KiB, 2 MiB or 1 GiB */
};

enum mkdump_page0 { MKDUMP_SWAP, MKDUMP_LABEL, MKDUMP_BLANK };

/* Which trailer has its second half torn off. */
enum mkdump_torn { MKDUMP_WHOLE, MKDUMP_TORN_NEW, MKDUMP_TORN_OLD,
	MKDUMP_TORN_BOTH };

/* Places for pokes and flips. */
enum mkdump_where {
	MKDUMP_FILE,		/* from the start of the file (flip only) */
	MKDUMP_SEG,		/* segment header of the CPU segment */
	MKDUMP_CPU,		/* CPU segment */
	MKDUMP_DATA,		/* CORE_DATA (flip only) */
	MKDUMP_CKSUM,		/* checksum pages (poke: the first) */
	MKDUMP_EARLY,		/* early record */
	MKDUMP_ODD,		/* trailer at end - 8192 */
	MKDUMP_EVEN,		/* trailer at end - 4096 */
};

/*
 * A poke sets size bytes (1, 2, 4 or 8) before checksums are taken: a wrong
 * record with right checksums.  A flip inverts one byte after all is written.
 */
struct mkdump_poke {
	enum mkdump_where where;
	uint64_t off;
	unsigned int size;
	uint64_t value;
};

struct mkdump_flip {
	enum mkdump_where where;
	uint64_t off;
};

struct mkdump_spec {
	bool core;		/* a core file; else a raw window */
	bool seg64;		/* core file: 64-bit sizes though not needed */
	uint64_t prefix;	/* bytes of zeros before the window or core */
	uint64_t suffix;	/* bytes of zeros after it */
	uint64_t window;	/* bytes; 0: just enough, 8 MiB at least */
	uint64_t dumplo;	/* 0: as near to the end as it fits */
	enum mkdump_page0 page0;

	const struct mkdump_run *runs;	/* RAM, sorted and disjoint */
	size_t nruns;
	bool sparse;
	const char *memfile;
	uint64_t dumpmag_paddr;
	uint32_t dumpmag;	/* value; other than 0x8fca0101: cleared after
				   the checksums were taken */
	uint64_t vmcoreinfo_paddr; /* 0: none */
	uint64_t vmcoreinfo_size; /* of a real kernel's note; else 0 */
	const char *info;	/* more lines of VMCOREINFO, or NULL */

	unsigned int levels;	/* 4 or 5 */
	uint64_t ptd_paddr;
	uint64_t page_offset;	/* 0: the usual one for levels */
	uint64_t direct_page;	/* 4 KiB, 2 MiB or 1 GiB */
	uint64_t text_paddr, text_size, text_page;
	uint64_t slide;
	uint64_t enc_mask;
	const struct mkdump_map *maps;
	size_t nmaps;

	const struct mkdump_excl *excl;	/* sorted; kinds 1 to 3 leave memsegs */
	size_t nexcl;
	size_t excl_cap;	/* at least nexcl */
	const struct mkdump_excl *late;	/* in the trailers */
	size_t nlate;
	size_t nnotes;		/* NT_PRSTATUS notes */

	uint32_t state;		/* of the newest trailer */
	uint32_t error;
	uint64_t seq;		/* of the newest trailer; 1: the only one */
	uint64_t data_valid;	/* or MKDUMP_ALL */
	bool early_only;	/* trailers have dumplo 0; nothing else is there */
	bool no_early;
	bool stale;		/* seq 1: the other slot has an older dump's,
				   saved, with seq 1000 */
	enum mkdump_torn torn;

	uint8_t arm_id[16];
	uint8_t dump_id[16];
	uint8_t boot_id[16];
	uint32_t level;
	uint64_t time_ns;
	uint64_t uptime_ns;
	const char *panicstr, *release, *osversion, *nodename, *comm, *log;

	const struct mkdump_poke *pokes;
	size_t npokes;
	const struct mkdump_flip *flips;
	size_t nflips;
};

/* Where things came to lie: offsets from the start of the window or core. */
struct mkdump_info {
	uint64_t window;
	uint64_t dumplo;	/* core file: of the CPU segment's header */
	uint64_t cpu_off;
	uint64_t cpu_size;
	uint64_t memsegs_off;	/* from cpu_off */
	uint64_t exclsegs_off;
	uint64_t nmemsegs;
	uint64_t data_off;
	uint64_t data_size;
	uint64_t data_valid;
	uint64_t cksum_off;
	uint64_t cksum_size;
	uint64_t early_off;
	char err[256];		/* why mkdump_write() or mkmem_create() failed */
};

struct mkmem;

void mkdump_init(struct mkdump_spec *spec);
/* 0, or -1 with info->err set. */
int mkdump_write(const struct mkdump_spec *spec, const char *path,
    struct mkdump_info *info);

uint64_t mkdump_word(uint64_t paddr);
uint64_t mkdump_page_offset(const struct mkdump_spec *spec);

/*
 * The memory that the dump shows.  mkmem_page() fills buf with the page at
 * paddr (without the dump's own holes): true if it may hold other than zeros.
 */
struct mkmem *mkmem_create(const struct mkdump_spec *spec,
    struct mkdump_info *info);
void mkmem_destroy(struct mkmem *mem);
bool mkmem_page(const struct mkmem *mem, uint64_t paddr, void *buf);

#endif /* MKDUMP_H */
