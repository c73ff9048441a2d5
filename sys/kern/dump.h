/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dump.h: the dump core.  Three rings: layout (window, map, layout), content
 * (tables, records), device (stream).  dump_seq.c runs them in order;
 * dump_list.c does so on one device after the other.
 */
#ifndef _KERN_DUMP_H_
#define _KERN_DUMP_H_

#include <dev/dumpdev.h>
#include <kern/dump_md.h>
#include <sys/kcore.h>

/* ---- The window: dump_window.c ---- */

struct dump_extent {
	uint64_t blk;		/* first block on the disk */
	uint64_t nblks;
};

struct dump_window {
	const struct dump_extent *ext;
	unsigned int next;
	uint32_t blksize;	/* bytes of a block */
	uint64_t size;		/* bytes, a multiple of KCORE_ALIGN */
};

/*
 * Checks the extents against the disk and each other and sets w.  ext is kept.
 * -EINVAL: empty, outside the disk, overlapping, not a multiple of KCORE_ALIGN
 * (the last one is rounded down).  -ENOSPC: smaller than KCORE_WINDOW_MIN.
 */
__must_check int dump_window_init(struct dump_window *w,
    const struct dump_extent *ext, unsigned int next, uint32_t blksize,
    uint64_t disk_nblks);

/*
 * The gate: every transfer passes it.  Where do len bytes at window offset off
 * lie on the disk?  *blk and *nblks describe the first contiguous piece.
 * -EINVAL: off or len is not a multiple of KCORE_ALIGN, or len is 0.  -ERANGE:
 * outside the window.
 */
__must_check int dump_window_map(const struct dump_window *w, uint64_t off,
    uint64_t len, uint64_t *blk, uint32_t *nblks);

/* ---- Pages of RAM and what becomes of them: dump_map.c ---- */

struct dump_ram {
	kpaddr_t start;		/* page aligned */
	uint64_t npages;
	uint64_t idx;		/* of the first page in the map */
};

struct dump_map {
	struct dump_ram *ram;	/* sorted, disjoint, not adjacent */
	unsigned int nram;
	uint64_t npages;
	uint64_t *bits;		/* two a page */
};

struct dump_run {
	kpaddr_t start;
	uint64_t npages;
	enum dump_state state;
};

/* Bytes that bits must have for npages pages. */
size_t dump_map_bytes(uint64_t npages);
/* Numbers the pages of ram[]: sets idx and map->npages. */
void dump_map_number(struct dump_map *map);
void dump_map_set(struct dump_map *map, uint64_t idx, uint64_t n,
    enum dump_state state);
enum dump_state dump_map_get(const struct dump_map *map, uint64_t idx);
/*
 * Iterates over runs of equal state in order of address; *idx starts at 0 and
 * is moved on.  False at the end.
 */
bool dump_map_next(const struct dump_map *map, uint64_t *idx,
    struct dump_run *run);
/* Index of the page at pa: false where that is no RAM. */
bool dump_map_find(const struct dump_map *map, kpaddr_t pa, uint64_t *idx);
/* Keeps left-out runs of at most gap pages that stand between kept ones; kept
 * is told of each beforehand. */
void dump_map_merge(struct dump_map *map, uint64_t gap,
    void (*kept)(void *cookie, const struct dump_run *), void *cookie);
/* Marks lost up to npages kept pages of that md_page_value(), last one first:
 * how many. */
uint64_t dump_map_truncate(struct dump_map *map, uint64_t npages,
    unsigned int value);

/* ---- Where things go: dump_layout.c ---- */

struct dump_layout {
	uint64_t dumplo;
	uint64_t hdr_size;	/* kcore_seg_t and CPU segment */
	uint64_t data_off;
	uint64_t data_size;
	uint64_t cksum_off;	/* of two sets of checksum pages */
	uint64_t cksum_size;	/* of one of them */
	uint64_t end;		/* of both */
	uint64_t early_off;
	uint64_t trailer_off[2];
};

/* Bytes of a set of checksum pages for data_size bytes. */
#define DUMP_CKSUM_SETS	2u
uint64_t dump_cksum_size(uint64_t data_size);
/* Bytes of seg header + CPU segment for so many table entries. */
uint64_t dump_hdr_size(uint64_t nmemsegs, uint64_t nexclsegs,
    uint64_t notes_size);
/* The places in a window that depend on its size alone. */
void dump_layout_fixed(struct dump_layout *l, uint64_t window_size);
/*
 * Places hdr_size and data_size in the window.  -ENOSPC: does not fit; *excess
 * is by how many bytes.
 */
__must_check int dump_layout_plan(struct dump_layout *l, uint64_t window_size,
    uint64_t hdr_size, uint64_t data_size, uint64_t *excess);

/* ---- All there is ---- */

#define DUMP_SLOTS_MIN	2u		/* one for data, one for records */
#define DUMP_EARLY_BUF	(256u << 10)	/* early record with its log */

/* Sequential output through the slots: dump_stream.c. */
struct dump_stream {
	uint64_t off;		/* window offset of the open slot's start */
	uint32_t fill;		/* bytes in the open slot */
	uint32_t room;		/* bytes it can take */
	unsigned int slot;
};

/* What is armed of one device. */
struct dump_device {
	const char *name;	/* for a person */
	struct dumpdev *dd;
	struct dump_window w;
	uint32_t level;		/* of dumps that fit */
	uint8_t *page0;		/* KCORE_ALIGN bytes: the window's first page */
	/* XXH64 of the first page of each extent from the second on, where
	 * they are nobody else's; or NULL. */
	uint64_t *firsts;
	uint8_t arm_id[KCORE_IDLEN];
	uint8_t dump_id[KCORE_IDLEN];
};

struct dump {
	/* Set when armed. */
	struct dump_map map;
	kpaddr_t vars_paddr;	/* page that holds dumpmag */
	/* Says why the window may be another's by now, or NULL; may be NULL
	 * itself. */
	const char *(*lost)(struct dump *);
	char *early_buf;	/* DUMP_EARLY_BUF bytes, page aligned */
	uint8_t *notes;
	size_t notes_len;	/* bytes there are for notes */
	cpu_kcore_hdr_t hdr;	/* all that is known; the rest at panic */
	/* Called when the layout is known, to fill the dumpmag page. */
	void (*planned)(struct dump *);

	/* The device: dump_choose(). */
	const struct dump_device *dev;
	struct dumpdev *dd;
	struct dump_window w;
	uint32_t level;		/* raised where the window is too small */
	uint64_t seq_begin;	/* the trailers' numbers go on from here */

	/* Since the panic. */
	struct dump_layout l;
	struct dump_stream s;
	bool writing;		/* the disk is proved to be the right one */
	kcore_trailer_t trailer;
	kcore_ckpage_t ck;	/* the page that is being filled */
	kcore_ckpage_t ck_full;	/* owed to the set that is in force */
	bool ck_owed;
	unsigned int ck_set;	/* that the trailer in force speaks of: 0, 1 */
	kpaddr_t late_end;	/* of the last range in trailer.late, or lost */
	uint32_t notes_size;
	struct md_xxh64 hash;	/* of the header, then of the open chunk */
	uint64_t kinds[MD_NKINDS];	/* left out: MD_KIND_*, in pages */
	uint64_t scan_us;	/* that pass 1 took */
	uint64_t data_done;	/* bytes of CORE_DATA put into the stream */
	uint64_t start_us, checkpoint_us, progress_us;
};

/* ---- Records: dump_record.c ---- */

void dump_record_begin(struct dump *d, const char *panicstr);
/* Builds, writes and flushes the early record. */
__must_check int dump_record_early(struct dump *d);
/*
 * Writes the next trailer and flushes.  What it speaks of is on the medium
 * before: who sets a member of d->trailer has flushed first.
 */
__must_check int dump_record_trailer(struct dump *d, uint32_t state,
    int error);
/* Notes a range that could not be read after the tables were written. */
void dump_record_late(struct dump *d, kpaddr_t pa, uint64_t len);
/* Adds a chunk's sum; writes the page when it is full. */
__must_check int dump_record_sum(struct dump *d, uint64_t sum);
/* Writes the sums so far, flushes all, and then writes a trailer that speaks of
 * them and of d->data_done bytes, which have been submitted. */
__must_check int dump_record_checkpoint(struct dump *d, uint32_t state);

/* ---- The CPU segment: dump_tables.c ---- */

/* Counts table entries and kept pages of the map as it is. */
void dump_tables_count(const struct dump *d, uint64_t *nmemsegs,
    uint64_t *nexclsegs, uint64_t *npages);
/* Fills and sums up the header, then streams segment header, header, tables. */
__must_check int dump_tables_write(struct dump *d);

/* ---- The stream: dump_stream.c ---- */

/* Starts at window offset off, a multiple of KCORE_ALIGN. */
__must_check int dump_stream_open(struct dump *d, uint64_t off);
/* A place for at most *len more bytes; *len is lowered to what there is. */
__must_check int dump_stream_room(struct dump *d, void **p, uint32_t *len);
/* len bytes of that place are filled. */
void dump_stream_advance(struct dump *d, uint32_t len);
__must_check int dump_stream_put(struct dump *d, const void *buf, size_t len);
/* Submits what is there; it must be a multiple of KCORE_ALIGN. */
__must_check int dump_stream_push(struct dump *d);
/* Writes one record at off, not waiting for it; len at most 4096 bytes. */
__must_check int dump_stream_record(struct dump *d, uint64_t off,
    const void *buf, uint32_t len);

/* ---- What goes into it: dump_plan.c ---- */

/* Decides of each page, and makes all of it fit the window: map, layout, counts.
 * -ENOSPC: not even the tables fit. */
__must_check int dump_plan(struct dump *d);
/* Says on the console what is in the dump and what is not. */
void dump_plan_tell(const struct dump *d);

/* ---- The sequence: dump_seq.c ---- */

/*
 * Takes the device over and dumps.  0: complete.  Otherwise a negative errno;
 * what happened is on the console and, where possible, in the trailer.
 */
__must_check int dump_run(struct dump *d, const char *panicstr);
/* After a fault has ended dump_run(): notes that on the medium, if the dump had
 * got as far as to write there, and makes the controller quiet. */
void dump_abandon(struct dump *d);

/* ---- The list of devices: dump_list.c ---- */

#define DUMP_DEVICES_MAX 8u

/* Makes device number index of the list the one that dump_run() dumps to. */
void dump_choose(struct dump *d, const struct dump_device *dev,
    unsigned int index);
/*
 * Dumps to the devices of a list that ends in NULL, in their order, until run()
 * says 0 of one.  run() is dump_run(), or what guards it against faults.  0, or
 * what the last one said; -ENODEV where there is none.
 */
__must_check int dump_list_run(struct dump *d,
    const struct dump_device *const *list, const char *panicstr,
    int (*run)(struct dump *d, const char *panicstr));

#endif /* _KERN_DUMP_H_ */
