/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_header.h: headers of dumps and records of raw devices: whether they are
 * right, and how they are made and changed; the part of kvm_private.h that not
 * all files need.
 */
#ifndef _KVM_HEADER_H_
#define _KVM_HEADER_H_

#include <sys/uio.h>

#include "kvm_private.h"

/* ---- kvm_end.c, kvm_trailer.c, kvm_early.c: the end of a raw device ---- */

/* Whose records are believed. */
struct kvmi_known {
	const unsigned char (*ids)[KVM_IDLEN];	/* NULL: anybody's */
	size_t n;
};

bool kvmi_known_has(const struct kvmi_known *k, const uint8_t *id);
/* Fills kd->end: 1: there is something; 0: nothing; -1.  Text unless 1. */
int kvmi_end_look(kvm_t *kd, const struct kvmi_known *k);
/* The place of the trailer with this sequence number. */
uint64_t kvmi_trailer_off(const kvm_t *kd, uint64_t seq);
/* A trailer read from slot 0 or 1: 0: whole and believed; -1 with a text. */
int kvmi_trailer_check(kvm_t *kd, const kcore_trailer_t *t, unsigned int slot,
    const struct kvmi_known *k);
/* Reads the early record: 1: whole and believed; 0, -1 with a text. */
int kvmi_early_load(kvm_t *kd, kcore_early_t *e, const struct kvmi_known *k);

/* ---- kvm_cpuhdr.c, kvm_record.c: is it right? ---- */

/* All of a CPU segment of size bytes, aligned to 8: 0, or -1 with a text. */
int kvmi_cpuhdr_check(kvm_t *kd, const void *cpu, size_t size);
/* XXH64 of n pieces, as if they followed each other; and of large ones. */
uint64_t kvmi_sum(const struct iovec *iov, size_t n);
uint64_t kvmi_sum_tables(kvm_t *kd, const struct iovec *iov, size_t n);
/* The checksum of a record that has it at ckoff. */
uint64_t kvmi_record_sum(const void *p, size_t len, size_t ckoff);
/* A text is NUL padded and has a NUL. */
bool kvmi_text_ok(const char *s, size_t len);

/* ---- kvm_cpu.c: the header in force ---- */

/*
 * Reads the CPU segment at off of a dump of machine mid and puts it in force.
 * 1: done; 0: it is not valid; -1: fatal.  Text set unless 1.
 */
int kvmi_cpu_load(kvm_t *kd, uint32_t mid, uint64_t off, uint64_t size);
/* The same of one from kvmi_spill_alloc(), which becomes kd's. */
int kvmi_cpu_take(kvm_t *kd, uint8_t *cpu, uint64_t size, uint32_t mid);
void kvmi_cpu_drop(kvm_t *kd);
/* Computes the checksums of a CPU segment. */
void kvmi_cpu_sum(kvm_t *kd, cpu_kcore_hdr_t *h);
/* Computes the checksums again after kd->cpu has changed. */
void kvmi_cpu_changed(kvm_t *kd);

/* ---- kvm_build.c: a header for a file of another format ---- */

struct kvmi_build {
	cpu_kcore_hdr_t hdr;	/* what the file says, machine at least */
	struct kvmi_ranges data;	/* what memory it has */
	struct kvmi_ranges excl;	/* what not, and why */
	bool known;		/* why: better than a header in the notes */
	uint8_t *notes;		/* of kvmi_spill_alloc() or _resize() */
	size_t notes_size;
	cpu_kcore_hdr_t *own;	/* a header of ours; NULL: see notes */
};

void kvmi_build_fini(kvm_t *kd, struct kvmi_build *b);
/*
 * Puts a header in force that says what b says; b->data is sorted then, and
 * pages.  0, or -1 with a text.
 */
int kvmi_build(kvm_t *kd, struct kvmi_build *b);

/* ---- kvm_pageuse.c: what pages were used for ---- */

struct kvmi_pageuse;

/* NULL with a text: the dump does not tell. */
struct kvmi_pageuse *kvmi_pageuse_create(kvm_t *kd);
void kvmi_pageuse_destroy(struct kvmi_pageuse *u);
/* The KCORE_COUNT_* of a page, and of those up to *end: _CACHE, _CACHE_PRIVATE,
 * _USER, _FREE, _OTHER: not to be touched; else _DUMPED. */
unsigned int kvmi_pageuse(struct kvmi_pageuse *u, uint64_t pfn, uint64_t *end);

/* ---- kvm_mark.c ---- */

/* Adds what is not listed yet of a range to exclsegs[]: 0; -1: no room. */
int kvmi_excl_add(kvm_t *kd, unsigned int kind, uint64_t start, uint64_t size);

#endif /* _KVM_HEADER_H_ */
