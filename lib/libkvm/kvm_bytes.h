/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes.h: files and devices, their formats, and how they are compressed;
 * the part of kvm_private.h that few files need.
 */
#ifndef _KVM_BYTES_H_
#define _KVM_BYTES_H_

#include "kvm_private.h"

/* ---- kvm_bytes.c: formats ---- */

/*
 * One format of corefile.  To add one: write a table, name it in
 * kvmi_formats[] (kvm_bytes.c).
 */
struct kvmi_format {
	const char *name;
	/*
	 * Looks at the opened file.  1: mine, and ready; 0: not mine, ask the
	 * next; -1: mine, but it can't be used: text set.
	 */
	int (*open)(kvm_t *kd);
	/*
	 * Reads len bytes of CORE_DATA at off, all of them: 0, or -1 with a
	 * text.  The caller has checked that they are there.  Any thread.
	 */
	int (*read)(kvm_t *kd, void *buf, size_t len, uint64_t off);
	/*
	 * Where the same are in memory, *len of them at most, until the next
	 * call; NULL: they must be read.  The member is NULL where they always
	 * must be.
	 */
	const uint8_t *(*look)(kvm_t *kd, size_t *len, uint64_t off);
};

extern const struct kvmi_format kvmi_format_core, kvmi_format_elf,
    kvmi_format_kdump, kvmi_format_raw;
extern const struct kvmi_format *const kvmi_formats[];

/* Reads CORE_DATA by kd->where: get() is given its place there, in bytes. */
int kvmi_where_read(kvm_t *kd, void *buf, size_t len, uint64_t off,
    int (*get)(kvm_t *kd, void *buf, size_t len, uint64_t place));
/* The same of look(): NULL also where kd->where lacks it. */
const uint8_t *kvmi_where_look(kvm_t *kd, size_t *len, uint64_t off);
/* Of a format whose file has CORE_DATA as it is, from kd->data_base on.  Where
 * pages are left out of it, those that stay have places in kd->where. */
int kvmi_plain_read(kvm_t *kd, void *buf, size_t len, uint64_t off);
const uint8_t *kvmi_plain_look(kvm_t *kd, size_t *len, uint64_t off);
/* As kvmi_pread(), of the file as it is. */
int kvmi_file_read(kvm_t *kd, void *buf, size_t len, uint64_t off);

/* ---- kvm_flat.c: flattened files ---- */

/* Finds out, and then kvmi_pread() reads what it was: 0, or -1 with a text. */
int kvmi_flat_open(kvm_t *kd);
/* Where it has *len bytes of off, or fewer; 0: none. */
uint64_t kvmi_flat_find(kvm_t *kd, uint64_t off, size_t *len);
/* The bytes from off on that no block has, but one behind them: zeros.  At
 * most len; 0: off is in a block or behind all of them. */
size_t kvmi_flat_gap(kvm_t *kd, uint64_t off, size_t len);

/* ---- kvm_packed.c: compressed files ---- */

#define KVMI_FRAME_MAX	(16u << 20)	/* bytes that are unpacked at once */

struct kvmi_packed;

/*
 * One way that a file can be compressed.  To add one: write a table, name it in
 * packings[] (kvm_packed.c).
 */
struct kvmi_packing {
	const char *name;
	/*
	 * 1: so it is, and its frames are added; 0: it is not; -1: it is, but
	 * it can't be used: text set.
	 */
	int (*open)(kvm_t *kd, struct kvmi_packed *k);
	/* Unpacks frame n, all of it: 0, or -1 with a text.  Any thread. */
	int (*unpack)(kvm_t *kd, uint64_t n, uint8_t *buf);
};

extern const struct kvmi_packing kvmi_packing_zstd, kvmi_packing_members,
    kvmi_packing_gzip;

struct kvmi_frame {
	uint64_t packed, plain;	/* where it begins in the file, and unpacked */
};

struct kvmi_packed {
	const struct kvmi_packing *how;
	struct kvmi_frame *frames;	/* and one more, where all ends */
	uint32_t *sums;		/* of frames, or NULL */
	size_t nframes;
	size_t frame_max;	/* bytes of the largest one */
	uint64_t size;		/* bytes unpacked */
	struct kvmi_slots *slots;
	struct kvmi_gzindex *index;
};

/* Finds out whether it is compressed, and then what it was is read: 0; -1 with
 * a text. */
int kvmi_packed_open(kvm_t *kd);
void kvmi_packed_close(kvm_t *kd);
int kvmi_packed_read(kvm_t *kd, void *buf, size_t len, uint64_t off);
/* Adds a frame of so many bytes behind the others: 0, or -1 with a text. */
int kvmi_packed_add(kvm_t *kd, struct kvmi_packed *k, uint64_t packed,
    uint64_t plain);

/* ---- kvm_gzindex.c: any gzip file ---- */

#define KVMI_GZ_FRAME	(1u << 20)

struct kvmi_gzindex;

/* Unpacks all of it once: NULL with a text, or *size is what that gave. */
struct kvmi_gzindex *kvmi_gzindex_build(kvm_t *kd, uint64_t *size);
void kvmi_gzindex_free(struct kvmi_gzindex *x);
/* 0, or -1 with a text.  Any thread. */
int kvmi_gzindex_read(kvm_t *kd, struct kvmi_gzindex *x, uint8_t *buf,
    size_t len, uint64_t off);

/* ---- kvm_unpack.c: compressed pages ---- */

/* Unpacks a page by the flags of its descriptor: 0, or -1 with a text. */
int kvmi_unpack(kvm_t *kd, uint32_t flags, uint8_t *page, const uint8_t *from,
    size_t len);

struct kvmi_pages;

struct kvmi_pages *kvmi_pages_create(void);
void kvmi_pages_destroy(struct kvmi_pages *p);
/*
 * Reads from byte `at' of a page on, within it, through kd->pages; get() gets
 * pages.  0, or -1 with a text.
 */
int kvmi_pages_read(kvm_t *kd, uint64_t number, void *buf, size_t len,
    size_t at, int (*get)(kvm_t *kd, uint64_t number, uint8_t *page));

#endif /* _KVM_BYTES_H_ */
