/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * diskdump.h: makedumpfile's compressed dumps, for the programs that read and
 * write them.  The module knows nothing of this.
 *
 *	block 0			diskdump_hdr_t
 *	block 1			diskdump_sub_t; VMCOREINFO and notes, which it
 *				has the places of, may be anywhere
 *	1 + sub_hdr_size	a bit for each page: is there such memory?
 *	+ bitmap_blocks / 2	a bit for each page: is it in the file?
 *	+ bitmap_blocks		diskdump_page_t for each that is, in order
 *	...			pages, each compressed for itself, anywhere
 *
 * All of a block is block_size bytes.  Integers are those of the dumped machine:
 * here always little endian, 64 bits.
 */
#ifndef _SYS_DISKDUMP_H_
#define _SYS_DISKDUMP_H_

#include <stddef.h>
#include <stdint.h>

#define DISKDUMP_SIGNATURE	"KDUMP   "
#define DISKDUMP_VERSION	6

/* status, and diskdump_page_t.flags */
#define DISKDUMP_ZLIB		0x1u
#define DISKDUMP_LZO		0x2u
#define DISKDUMP_SNAPPY		0x4u
#define DISKDUMP_INCOMPLETE	0x8u	/* status: pages are missing */
#define DISKDUMP_NOVMEMMAP	0x10u	/* status: parts of vmemmap are */
#define DISKDUMP_ZSTD		0x20u

typedef struct diskdump_hdr {
	char signature[8];
	int32_t header_version;
	char sysname[65], nodename[65], release[65], version[65], machine[65];
	char domainname[65];
	uint8_t pad[6];
	int64_t tv_sec, tv_usec;	/* of the crash */
	uint32_t status;
	int32_t block_size;		/* a page */
	int32_t sub_hdr_size;		/* blocks */
	uint32_t bitmap_blocks;
	uint32_t max_mapnr;		/* pages, before version 6 */
	uint32_t total_ram_blocks;
	uint32_t device_blocks;
	uint32_t written_blocks;
	uint32_t current_cpu;
	int32_t nr_cpus;
} diskdump_hdr_t;

typedef struct diskdump_sub {
	uint64_t phys_base;
	int32_t dump_level;		/* version 1 */
	int32_t split;			/* version 2: one file of several */
	uint64_t start_pfn, end_pfn;
	uint64_t offset_vmcoreinfo, size_vmcoreinfo;	/* version 3: text */
	uint64_t offset_note, size_note;		/* version 4 */
	uint64_t offset_eraseinfo, size_eraseinfo;	/* version 5 */
	uint64_t start_pfn_64, end_pfn_64;		/* version 6 */
	uint64_t max_mapnr_64;
} diskdump_sub_t;

typedef struct diskdump_page {
	int64_t offset;			/* in the file */
	uint32_t size;			/* bytes there */
	uint32_t flags;			/* 0: as it is */
	uint64_t page_flags;
} diskdump_page_t;

_Static_assert(offsetof(diskdump_hdr_t, tv_sec) == 408, "diskdump_hdr_t");
_Static_assert(sizeof(diskdump_hdr_t) == 464, "diskdump_hdr_t");
_Static_assert(offsetof(diskdump_sub_t, offset_note) == 48, "diskdump_sub_t");
_Static_assert(sizeof(diskdump_sub_t) == 104, "diskdump_sub_t");
_Static_assert(sizeof(diskdump_page_t) == 24, "diskdump_page_t");

/*
 * The flattened form, for pipes: this, padded to FLATDUMP_HDRSIZE, and then
 * blocks, each with where it belongs; all in network byte order.
 */
#define FLATDUMP_SIGNATURE	"makedumpfile\0\0\0"	/* 16 bytes */
#define FLATDUMP_HDRSIZE	4096u
#define FLATDUMP_TYPE		1
#define FLATDUMP_VERSION	1

typedef struct flatdump_hdr {
	char signature[16];
	uint64_t type, version;
} flatdump_hdr_t;

typedef struct flatdump_block {
	uint64_t offset;		/* UINT64_MAX: the end */
	uint64_t size;
} flatdump_block_t;

#endif /* _SYS_DISKDUMP_H_ */
