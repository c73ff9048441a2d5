/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kcore.h: everything that is on the medium or in a core file.
 *
 * The one format header: the module that writes a dump, the library that reads
 * it and the programs all include this file, and nothing else describes the
 * format to them.  kcore(5) is the same in prose; a test compares the two.
 *
 * A dump lies in a window, a list of extents on one disk; every offset below is
 * an offset in the window.
 *
 *	0             page 0: swap header or dump label; the dumper never writes it
 *	...           live swap until the panic
 *	dumplo        kcore_seg_t: KCORE_MAGIC, machine id, CORE_CPU, c_size
 *	+8            cpu_kcore_hdr_t  \
 *	              memsegs[]        | c_size bytes: the CPU segment, padded so
 *	              exclsegs[]       | that what follows is at dumplo + n * 4096
 *	              notes            /
 *	data_off      CORE_DATA: the pages of memsegs[], in order
 *	cksum_off     checksum pages: XXH64 of each chunk of CORE_DATA.  Their
 *	              place is fixed before the first page is written
 *	end - 4 MiB   early record: written first, before anything slow
 *	end - 8192    kcore_trailer_t \ written in turn, so that a torn write
 *	end - 4096    kcore_trailer_t / leaves the other one whole
 *	end           the window's size rounded down to 4096
 *
 * The core file is NetBSD's: kcore_hdr_t padded to c_hdrsize; a kcore_seg_t
 * (KCORESEG_MAGIC, CORE_CPU) padded to c_seghdrsize; the CPU segment; a
 * kcore_seg_t (KCORESEG_MAGIC, CORE_DATA) padded to c_seghdrsize; CORE_DATA.
 *
 * All integers are little endian, except c_midmag, which is in network byte
 * order.  Pads and reserved members must be zero and readers check them, so
 * that a later version can give them a meaning.  A reader refuses a version or
 * a flag that it does not know.
 *
 * Checksums are XXH64 with seed 0.  The checksum of a record that holds its own
 * checksum is taken with that member zero.
 */
#ifndef _SYS_KCORE_H_
#define _SYS_KCORE_H_

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

/* ---- NetBSD's skeleton: <sys/kcore.h>, <sys/exec_aout.h> ---- */

#define KCORE_MAGIC	0x8fca	/* kcore_hdr_t; and kcore_seg_t on the raw medium */
#define KCORESEG_MAGIC	0x8fac	/* kcore_seg_t in a core file */

#define CORE_CPU	1	/* segment flags: machine dependent headers */
#define CORE_DATA	2	/* segment flags: physical memory */

#define KCORE_MID_X86_64	157
#define KCORE_MID_AARCH64	183

/* c_midmag: 6 bits flags, 10 bits machine id, 16 bits magic. */
#define KCORE_MIDMAG(magic, mid, flags)					\
	((((uint32_t)(flags) & 0x3f) << 26) |				\
	 (((uint32_t)(mid) & 0x3ff) << 16) | ((uint32_t)(magic) & 0xffff))
#define KCORE_GETMAGIC(midmag)	((midmag) & 0xffff)
#define KCORE_GETMID(midmag)	(((midmag) >> 16) & 0x3ff)
#define KCORE_GETFLAG(midmag)	(((midmag) >> 26) & 0x3f)

typedef struct kcore_hdr {
	uint32_t c_midmag;	/* network byte order */
	uint16_t c_hdrsize;	/* size of this header, padded: 16 */
	uint16_t c_seghdrsize;	/* size of a segment header, padded: 8, or 16 */
	uint32_t c_nseg;	/* number of segments: 2 */
} kcore_hdr_t;

typedef struct kcore_seg {
	uint32_t c_midmag;	/* network byte order */
	uint32_t c_size;	/* bytes in the segment, or KCORE_SIZE64 */
} kcore_seg_t;

/* The segment header where c_seghdrsize is 16: c_size is KCORE_SIZE64. */
typedef struct kcore_seg64 {
	uint32_t c_midmag;
	uint32_t c_size;
	uint64_t c_size64;	/* bytes in the segment */
} kcore_seg64_t;

typedef struct phys_ram_seg {
	uint64_t start;		/* physical address, a multiple of page_size */
	uint64_t size;		/* bytes, a multiple of page_size */
} phys_ram_seg_t;

#define KCORE_HDRSIZE		16u
#define KCORE_SEGHDRSIZE	8u
#define KCORE_SEGHDRSIZE64	16u
#define KCORE_SIZE64		0xffffffffu

/* ---- The Linux extension ---- */

#define KCORE_ALIGN	4096u		/* the medium's unit */
#define KCORE_CHUNK	(1u << 20)	/* bytes of CORE_DATA under one checksum */
#define KCORE_CPU_MAX	(128u << 20)	/* the CPU segment stays under this */
#define KCORE_MEMSEGS_MAX (1u << 22)	/* past this, runs are merged */
#define KCORE_EXCL_SPARE 64u		/* free places kept in exclsegs[] */

#define KCORE_VERSION	1u
#define KCORE_EXT_MAGIC		0x45524f4350415753ull	/* "SWAPCORE" */
#define KCORE_TRAILER_MAGIC	0x4c52544350415753ull	/* "SWAPCTRL" */
#define KCORE_EARLY_MAGIC	0x5952454350415753ull	/* "SWAPCERY" */
#define KCORE_CKSUM_MAGIC	0x4d55534350415753ull	/* "SWAPCSUM" */
#define KCORE_LABEL_MAGIC	0x4c424c4350415753ull	/* "SWAPCLBL" */

/*
 * In a core of another format an ELF note named "SWAPCORE" of this type has the
 * CPU segment.
 */
#define KCORE_NOTE_CPU	0x53574350u

/* The value of dumpmag (NetBSD's) in a dump that nobody has cleared. */
#define KCORE_DUMPMAG	0x8fca0101u

#define KCORE_IDLEN	16u	/* arm id, dump id, boot id: 128 bits */

/* cpu_kcore_hdr_t.flags */
#define KCORE_F_TRUNCATED	0x1u	/* window too small: pages are missing */
#define KCORE_F_INCOMPLETE	0x2u	/* set by savecore: data_valid < data_size */
#define KCORE_F_DAMAGED		0x4u	/* set by savecore: exclsegs[] name chunks
					   whose checksum was wrong */
#define KCORE_F_ZSTD		0x8u	/* reserved: CORE_DATA is zstd frames */
#define KCORE_F_SEALED		0x10u	/* reserved: CORE_DATA is encrypted */
#define KCORE_F_KNOWN		(KCORE_F_TRUNCATED | KCORE_F_INCOMPLETE | \
				 KCORE_F_DAMAGED)

/* Dump level: makedumpfile's bits (what is left out). */
#define KCORE_LEVEL_ZERO	1u
#define KCORE_LEVEL_CACHE	2u
#define KCORE_LEVEL_CACHE_PRIVATE 4u
#define KCORE_LEVEL_USER	8u
#define KCORE_LEVEL_FREE	16u
#define KCORE_LEVEL_MAX		31u

/*
 * A range of RAM that is not in the dump, or not as it was: and why.  Sorted by
 * start, disjoint.  ZERO, FILTERED and TRUNCATED ranges are not in memsegs[].
 * UNREADABLE ranges may be: what could be read was written, the rest is zeros.
 * DAMAGED ranges are: the bytes are there, but their checksum was wrong.
 * MISSING ranges are in memsegs[] of an incomplete dump: never written.
 */
typedef struct kcore_exclseg {
	uint64_t start;		/* physical address */
	uint64_t size;		/* bytes */
	uint32_t kind;
	uint32_t flags;		/* zero */
} kcore_exclseg_t;

#define KCORE_EXCL_ZERO		1u	/* all bytes zero: reads as zeros */
#define KCORE_EXCL_FILTERED	2u	/* left out by the dump level */
#define KCORE_EXCL_TRUNCATED	3u	/* the window was too small */
#define KCORE_EXCL_UNREADABLE	4u	/* could not be read at panic time */
#define KCORE_EXCL_DAMAGED	5u	/* checksum wrong when saved */
#define KCORE_EXCL_MISSING	6u	/* the dump ended before it */

/* Name -> kernel address, for what lives in the module: kvm_nlist(3). */
typedef struct kcore_name {
	char name[24];		/* NUL padded, always terminated */
	uint64_t addr;		/* kernel virtual address */
} kcore_name_t;
#define KCORE_NNAMES	16u

/* counts[] in the header, in pages. */
#define KCORE_COUNT_RAM		0u	/* all System RAM */
#define KCORE_COUNT_DUMPED	1u	/* in memsegs[] */
#define KCORE_COUNT_ZERO	2u
#define KCORE_COUNT_CACHE	3u
#define KCORE_COUNT_CACHE_PRIVATE 4u
#define KCORE_COUNT_USER	5u
#define KCORE_COUNT_FREE	6u
#define KCORE_COUNT_TRUNCATED	7u
#define KCORE_COUNT_UNREADABLE	8u
#define KCORE_COUNT_OTHER	9u	/* offline, poisoned, unaccepted, ... */
#define KCORE_NCOUNTS		16u

#define KCORE_NOCPU	0xffffffffu	/* panic_cpu: not known */
#define KCORE_DEVICES_MAX 64u		/* device_index stays under this */

/*
 * The CPU segment begins with this.  The first two members are NetBSD's; all
 * offsets are from the start of this header.
 */
typedef struct cpu_kcore_hdr {
	uint64_t ptdpaddr;	/* physical address of the page-table root */
	uint64_t nmemsegs;	/* entries in memsegs[] */

	uint64_t ext_magic;	/* KCORE_EXT_MAGIC */
	uint32_t version;	/* KCORE_VERSION */
	uint32_t hdrsize;	/* sizeof(cpu_kcore_hdr_t) */
	uint64_t flags;		/* KCORE_F_* */
	uint32_t memsegs_off;	/* of memsegs[], a multiple of 8 */
	uint32_t exclsegs_off;	/* of exclsegs[], a multiple of 8 */
	uint32_t nexclsegs;	/* entries in exclsegs[] */
	uint32_t exclsegs_cap;	/* entries there is room for */
	uint32_t notes_off;	/* of the ELF notes, a multiple of 8 */
	uint32_t notes_size;	/* bytes of notes; 0: none */
	uint32_t cpu_size;	/* bytes of the CPU segment: c_size */
	uint32_t chunk_size;	/* KCORE_CHUNK */
	uint64_t data_size;	/* bytes of CORE_DATA, as planned */
	uint64_t data_valid;	/* bytes of CORE_DATA that were written: equals
				   data_size as dumped; less where savecore set
				   KCORE_F_INCOMPLETE */

	uint32_t machine;	/* KCORE_MID_* */
	uint32_t page_size;	/* of the kernel: 4096 */
	uint32_t paging_levels;	/* 4 or 5 */
	uint32_t dump_level;	/* KCORE_LEVEL_* in force */
	uint32_t ncpus;		/* online at the panic */
	uint32_t panic_cpu;	/* or KCORE_NOCPU */
	uint32_t panic_tid;	/* thread id of the panicking task */
	uint32_t part;		/* part k of nparts, from 0; reserved: 0 */
	uint32_t nparts;	/* reserved: 1 */
	uint32_t device_index;	/* place in the list of dump devices, from 0 */

	uint64_t kaslr_slide;	/* run-time minus link-time address of the text */
	uint64_t phys_base;	/* physical address of __START_KERNEL_map, signed */
	uint64_t page_offset;	/* virtual address of the direct map */
	uint64_t enc_mask;	/* encryption bits in page-table entries; 0: none */
	uint64_t vmcoreinfo_paddr; /* of the VMCOREINFO note; 0: none */
	uint64_t vmcoreinfo_size;  /* bytes of the note */
	uint64_t panic_task;	/* kernel address of the task; 0: not known */
	uint64_t panic_time_ns;	/* realtime, since 1970-01-01 00:00 UTC */
	uint64_t uptime_ns;	/* since boot, suspend included */
	uint64_t dumpmag_paddr;	/* where dumpmag is: in memsegs[0] */
	uint64_t counts[KCORE_NCOUNTS]; /* KCORE_COUNT_*, in pages */

	uint8_t arm_id[KCORE_IDLEN];	/* made by dumpon(8) for each arming */
	uint8_t dump_id[KCORE_IDLEN];	/* one dump: every record carries it */
	uint8_t boot_id[KCORE_IDLEN];	/* /proc/sys/kernel/random/boot_id */
	uint8_t build_id[20];		/* the kernel's, or zeros */
	uint32_t pad0;

	char panic_comm[16];	/* name of the panicking task */
	char release[72];	/* uname -r */
	char osversion[136];	/* uname -v */
	char nodename[72];	/* uname -n */
	char panicstr[512];	/* the panic message */
	kcore_name_t names[KCORE_NNAMES]; /* unused ones are all zero */

	uint64_t reserved[38];
	uint64_t tables_cksum;	/* bytes hdrsize .. cpu_size of the segment */
	uint64_t hdr_cksum;	/* this header */
} cpu_kcore_hdr_t;

/* ---- Checksum pages ---- */

#define KCORE_CKSUM_PER_PAGE	504u

typedef struct kcore_ckpage {
	uint64_t magic;		/* KCORE_CKSUM_MAGIC */
	uint32_t version;	/* KCORE_VERSION */
	uint32_t index;		/* of this page, from 0 */
	uint32_t count;		/* sums that are valid, from the first on */
	uint32_t pad0;
	uint8_t arm_id[KCORE_IDLEN];
	uint8_t dump_id[KCORE_IDLEN];
	uint64_t cksum;		/* this page */
	uint64_t sums[KCORE_CKSUM_PER_PAGE]; /* of chunk index * 504 + i; the
						last chunk may be short */
} kcore_ckpage_t;

/* ---- Trailers ---- */

#define KCORE_TRAILER_SIZE	4096u
#define KCORE_END_AREA		(4u << 20)	/* early record and trailers */
#define KCORE_WINDOW_MIN	(8u << 20)	/* smallest window armed */
#define KCORE_LATE_MAX		64u

#define KCORE_STATE_EMPTY	0u
#define KCORE_STATE_INPROGRESS	1u
#define KCORE_STATE_COMPLETE	2u
#define KCORE_STATE_FAILED	3u
#define KCORE_STATE_SAVED	4u

typedef struct kcore_trailer {
	uint64_t magic;		/* KCORE_TRAILER_MAGIC */
	uint32_t version;	/* KCORE_VERSION */
	uint32_t size;		/* sizeof(kcore_trailer_t) */
	uint64_t seq;		/* counts up within one dump; the higher one
				   of two whole trailers is in force.  Goes on
				   counting where a next device is tried */
	uint32_t state;		/* KCORE_STATE_* */
	uint32_t error;		/* errno where FAILED, else 0 */
	uint8_t arm_id[KCORE_IDLEN];
	uint8_t dump_id[KCORE_IDLEN];
	uint64_t window_size;	/* bytes, rounded down to KCORE_ALIGN */
	uint64_t dumplo;	/* 0: no header yet, the early record is all */
	uint64_t hdr_size;	/* bytes from dumplo to CORE_DATA */
	uint64_t hdr_cksum;	/* the hdr_size bytes at dumplo */
	uint64_t data_size;	/* bytes of CORE_DATA, as planned */
	uint64_t data_valid;	/* bytes of it known to be on the medium */
	uint64_t cksum_off;	/* of the first checksum page */
	uint64_t cksum_size;	/* bytes of checksum pages, as planned */
	uint64_t cksum_valid;	/* chunks whose sum is on the medium */
	uint64_t early_off;	/* of the early record; 0: none was written */
	uint64_t early_size;	/* bytes of it, a multiple of KCORE_ALIGN */
	uint64_t panic_time_ns;	/* as in the header */
	uint32_t machine;	/* KCORE_MID_* */
	uint32_t dump_level;
	uint32_t part;		/* as in the header */
	uint32_t nparts;
	uint32_t device_index;
	uint32_t nlate;		/* entries in late[] */
	uint64_t late_lost;	/* ranges there was no room for in late[] */
	kcore_exclseg_t late[KCORE_LATE_MAX]; /* found while writing, after
						exclsegs[] was on the medium */
	char release[72];
	char panicstr[512];
	uint8_t pad[1776];
	uint64_t cksum;		/* this trailer */
} kcore_trailer_t;

/* ---- Early record ---- */

/* At window end - KCORE_END_AREA: this page, then notes, then log text. */
typedef struct kcore_early {
	uint64_t magic;		/* KCORE_EARLY_MAGIC */
	uint32_t version;	/* KCORE_VERSION */
	uint32_t size;		/* bytes of this page: 4096 */
	uint8_t arm_id[KCORE_IDLEN];
	uint8_t dump_id[KCORE_IDLEN];
	uint64_t panic_time_ns;
	uint64_t uptime_ns;
	uint32_t machine;
	uint32_t ncpus;
	uint32_t panic_cpu;
	uint32_t panic_tid;
	uint32_t notes_off;	/* from the start of this record */
	uint32_t notes_size;	/* bytes of ELF notes; 0: none */
	uint32_t log_off;	/* from the start of this record */
	uint32_t log_size;	/* bytes: the end of the kernel log, as text */
	uint64_t body_cksum;	/* bytes 4096 .. log_off + log_size */
	char panic_comm[16];
	char release[72];
	char osversion[136];
	char nodename[72];
	char panicstr[512];
	uint8_t pad[3176];
	uint64_t cksum;		/* this page */
} kcore_early_t;

/* ---- Page 0 of a dump partition ---- */

typedef struct kcore_label {
	uint64_t magic;		/* KCORE_LABEL_MAGIC */
	uint32_t version;	/* KCORE_VERSION */
	uint32_t size;		/* 4096 */
	uint8_t uuid[16];	/* of this partition, as made by dumpon -L */
	char label[32];
	uint64_t window_size;	/* bytes, when the label was made */
	uint64_t made_ns;	/* realtime */
	uint8_t pad[4008];
	uint64_t cksum;		/* this page */
} kcore_label_t;

/* ---- What kcore(5) says, checked where this file is compiled ---- */

#ifdef __cplusplus
#define KCORE_ASSERT(what, text) static_assert(what, text)
#else
#define KCORE_ASSERT(what, text) _Static_assert(what, text)
#endif
#define KCORE_AT(type, member, off) \
	KCORE_ASSERT(offsetof(type, member) == (off), #type "." #member)
#define KCORE_LEN(type, len) KCORE_ASSERT(sizeof(type) == (len), #type)

KCORE_AT(kcore_hdr_t, c_midmag, 0);
KCORE_AT(kcore_hdr_t, c_hdrsize, 4);
KCORE_AT(kcore_hdr_t, c_seghdrsize, 6);
KCORE_AT(kcore_hdr_t, c_nseg, 8);
KCORE_LEN(kcore_hdr_t, 12);

KCORE_AT(kcore_seg_t, c_midmag, 0);
KCORE_AT(kcore_seg_t, c_size, 4);
KCORE_LEN(kcore_seg_t, 8);

KCORE_AT(kcore_seg64_t, c_midmag, 0);
KCORE_AT(kcore_seg64_t, c_size, 4);
KCORE_AT(kcore_seg64_t, c_size64, 8);
KCORE_LEN(kcore_seg64_t, 16);

KCORE_AT(phys_ram_seg_t, start, 0);
KCORE_AT(phys_ram_seg_t, size, 8);
KCORE_LEN(phys_ram_seg_t, 16);

KCORE_AT(kcore_exclseg_t, start, 0);
KCORE_AT(kcore_exclseg_t, size, 8);
KCORE_AT(kcore_exclseg_t, kind, 16);
KCORE_AT(kcore_exclseg_t, flags, 20);
KCORE_LEN(kcore_exclseg_t, 24);

KCORE_AT(kcore_name_t, name, 0);
KCORE_AT(kcore_name_t, addr, 24);
KCORE_LEN(kcore_name_t, 32);

KCORE_AT(cpu_kcore_hdr_t, ptdpaddr, 0);
KCORE_AT(cpu_kcore_hdr_t, nmemsegs, 8);
KCORE_AT(cpu_kcore_hdr_t, ext_magic, 16);
KCORE_AT(cpu_kcore_hdr_t, version, 24);
KCORE_AT(cpu_kcore_hdr_t, hdrsize, 28);
KCORE_AT(cpu_kcore_hdr_t, flags, 32);
KCORE_AT(cpu_kcore_hdr_t, memsegs_off, 40);
KCORE_AT(cpu_kcore_hdr_t, exclsegs_off, 44);
KCORE_AT(cpu_kcore_hdr_t, nexclsegs, 48);
KCORE_AT(cpu_kcore_hdr_t, exclsegs_cap, 52);
KCORE_AT(cpu_kcore_hdr_t, notes_off, 56);
KCORE_AT(cpu_kcore_hdr_t, notes_size, 60);
KCORE_AT(cpu_kcore_hdr_t, cpu_size, 64);
KCORE_AT(cpu_kcore_hdr_t, chunk_size, 68);
KCORE_AT(cpu_kcore_hdr_t, data_size, 72);
KCORE_AT(cpu_kcore_hdr_t, data_valid, 80);
KCORE_AT(cpu_kcore_hdr_t, machine, 88);
KCORE_AT(cpu_kcore_hdr_t, page_size, 92);
KCORE_AT(cpu_kcore_hdr_t, paging_levels, 96);
KCORE_AT(cpu_kcore_hdr_t, dump_level, 100);
KCORE_AT(cpu_kcore_hdr_t, ncpus, 104);
KCORE_AT(cpu_kcore_hdr_t, panic_cpu, 108);
KCORE_AT(cpu_kcore_hdr_t, panic_tid, 112);
KCORE_AT(cpu_kcore_hdr_t, part, 116);
KCORE_AT(cpu_kcore_hdr_t, nparts, 120);
KCORE_AT(cpu_kcore_hdr_t, device_index, 124);
KCORE_AT(cpu_kcore_hdr_t, kaslr_slide, 128);
KCORE_AT(cpu_kcore_hdr_t, phys_base, 136);
KCORE_AT(cpu_kcore_hdr_t, page_offset, 144);
KCORE_AT(cpu_kcore_hdr_t, enc_mask, 152);
KCORE_AT(cpu_kcore_hdr_t, vmcoreinfo_paddr, 160);
KCORE_AT(cpu_kcore_hdr_t, vmcoreinfo_size, 168);
KCORE_AT(cpu_kcore_hdr_t, panic_task, 176);
KCORE_AT(cpu_kcore_hdr_t, panic_time_ns, 184);
KCORE_AT(cpu_kcore_hdr_t, uptime_ns, 192);
KCORE_AT(cpu_kcore_hdr_t, dumpmag_paddr, 200);
KCORE_AT(cpu_kcore_hdr_t, counts, 208);
KCORE_AT(cpu_kcore_hdr_t, arm_id, 336);
KCORE_AT(cpu_kcore_hdr_t, dump_id, 352);
KCORE_AT(cpu_kcore_hdr_t, boot_id, 368);
KCORE_AT(cpu_kcore_hdr_t, build_id, 384);
KCORE_AT(cpu_kcore_hdr_t, pad0, 404);
KCORE_AT(cpu_kcore_hdr_t, panic_comm, 408);
KCORE_AT(cpu_kcore_hdr_t, release, 424);
KCORE_AT(cpu_kcore_hdr_t, osversion, 496);
KCORE_AT(cpu_kcore_hdr_t, nodename, 632);
KCORE_AT(cpu_kcore_hdr_t, panicstr, 704);
KCORE_AT(cpu_kcore_hdr_t, names, 1216);
KCORE_AT(cpu_kcore_hdr_t, reserved, 1728);
KCORE_AT(cpu_kcore_hdr_t, tables_cksum, 2032);
KCORE_AT(cpu_kcore_hdr_t, hdr_cksum, 2040);
KCORE_LEN(cpu_kcore_hdr_t, 2048);

KCORE_AT(kcore_ckpage_t, magic, 0);
KCORE_AT(kcore_ckpage_t, version, 8);
KCORE_AT(kcore_ckpage_t, index, 12);
KCORE_AT(kcore_ckpage_t, count, 16);
KCORE_AT(kcore_ckpage_t, pad0, 20);
KCORE_AT(kcore_ckpage_t, arm_id, 24);
KCORE_AT(kcore_ckpage_t, dump_id, 40);
KCORE_AT(kcore_ckpage_t, cksum, 56);
KCORE_AT(kcore_ckpage_t, sums, 64);
KCORE_LEN(kcore_ckpage_t, 4096);

KCORE_AT(kcore_trailer_t, magic, 0);
KCORE_AT(kcore_trailer_t, version, 8);
KCORE_AT(kcore_trailer_t, size, 12);
KCORE_AT(kcore_trailer_t, seq, 16);
KCORE_AT(kcore_trailer_t, state, 24);
KCORE_AT(kcore_trailer_t, error, 28);
KCORE_AT(kcore_trailer_t, arm_id, 32);
KCORE_AT(kcore_trailer_t, dump_id, 48);
KCORE_AT(kcore_trailer_t, window_size, 64);
KCORE_AT(kcore_trailer_t, dumplo, 72);
KCORE_AT(kcore_trailer_t, hdr_size, 80);
KCORE_AT(kcore_trailer_t, hdr_cksum, 88);
KCORE_AT(kcore_trailer_t, data_size, 96);
KCORE_AT(kcore_trailer_t, data_valid, 104);
KCORE_AT(kcore_trailer_t, cksum_off, 112);
KCORE_AT(kcore_trailer_t, cksum_size, 120);
KCORE_AT(kcore_trailer_t, cksum_valid, 128);
KCORE_AT(kcore_trailer_t, early_off, 136);
KCORE_AT(kcore_trailer_t, early_size, 144);
KCORE_AT(kcore_trailer_t, panic_time_ns, 152);
KCORE_AT(kcore_trailer_t, machine, 160);
KCORE_AT(kcore_trailer_t, dump_level, 164);
KCORE_AT(kcore_trailer_t, part, 168);
KCORE_AT(kcore_trailer_t, nparts, 172);
KCORE_AT(kcore_trailer_t, device_index, 176);
KCORE_AT(kcore_trailer_t, nlate, 180);
KCORE_AT(kcore_trailer_t, late_lost, 184);
KCORE_AT(kcore_trailer_t, late, 192);
KCORE_AT(kcore_trailer_t, release, 1728);
KCORE_AT(kcore_trailer_t, panicstr, 1800);
KCORE_AT(kcore_trailer_t, pad, 2312);
KCORE_AT(kcore_trailer_t, cksum, 4088);
KCORE_LEN(kcore_trailer_t, 4096);

KCORE_AT(kcore_early_t, magic, 0);
KCORE_AT(kcore_early_t, version, 8);
KCORE_AT(kcore_early_t, size, 12);
KCORE_AT(kcore_early_t, arm_id, 16);
KCORE_AT(kcore_early_t, dump_id, 32);
KCORE_AT(kcore_early_t, panic_time_ns, 48);
KCORE_AT(kcore_early_t, uptime_ns, 56);
KCORE_AT(kcore_early_t, machine, 64);
KCORE_AT(kcore_early_t, ncpus, 68);
KCORE_AT(kcore_early_t, panic_cpu, 72);
KCORE_AT(kcore_early_t, panic_tid, 76);
KCORE_AT(kcore_early_t, notes_off, 80);
KCORE_AT(kcore_early_t, notes_size, 84);
KCORE_AT(kcore_early_t, log_off, 88);
KCORE_AT(kcore_early_t, log_size, 92);
KCORE_AT(kcore_early_t, body_cksum, 96);
KCORE_AT(kcore_early_t, panic_comm, 104);
KCORE_AT(kcore_early_t, release, 120);
KCORE_AT(kcore_early_t, osversion, 192);
KCORE_AT(kcore_early_t, nodename, 328);
KCORE_AT(kcore_early_t, panicstr, 400);
KCORE_AT(kcore_early_t, pad, 912);
KCORE_AT(kcore_early_t, cksum, 4088);
KCORE_LEN(kcore_early_t, 4096);

KCORE_AT(kcore_label_t, magic, 0);
KCORE_AT(kcore_label_t, version, 8);
KCORE_AT(kcore_label_t, size, 12);
KCORE_AT(kcore_label_t, uuid, 16);
KCORE_AT(kcore_label_t, label, 32);
KCORE_AT(kcore_label_t, window_size, 64);
KCORE_AT(kcore_label_t, made_ns, 72);
KCORE_AT(kcore_label_t, pad, 80);
KCORE_AT(kcore_label_t, cksum, 4088);
KCORE_LEN(kcore_label_t, 4096);

#endif /* _SYS_KCORE_H_ */
