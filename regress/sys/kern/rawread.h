/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rawread.h: a reader of raw dumps that knows kcore(5) and nothing of the code
 * that writes them.  It refuses all that the page says a reader must refuse.
 */
#ifndef _REGRESS_RAWREAD_H_
#define _REGRESS_RAWREAD_H_

#include <stdbool.h>
#include <stdint.h>

#include <sys/kcore.h>

struct raw {
	/* The page at a window offset. */
	const uint8_t *(*page)(void *arg, uint64_t off);
	void *arg;
	uint64_t size;		/* of the window */

	/* Set by raw_trailers(). */
	kcore_trailer_t t[2];	/* at end - 8192, at end - 4096 */
	bool whole[2];

	/* Set by raw_header(). */
	uint8_t *cpu;		/* the segment header and the CPU segment */
	const cpu_kcore_hdr_t *hdr;
	const phys_ram_seg_t *mem;
	const kcore_exclseg_t *excl;

	char why[256];		/* set where an answer is false */
};

/* Reads both trailers; the one in force, or NULL. */
const kcore_trailer_t *raw_trailers(struct raw *r);
/* Is what a whole trailer says possible? */
bool raw_trailer_sane(struct raw *r, const kcore_trailer_t *t);
/* Is the early record that it speaks of there and whole?  *log: its text. */
bool raw_early(struct raw *r, const kcore_trailer_t *t, kcore_early_t *e,
    char *log, size_t log_room);
/* Are segment header, header and tables that it speaks of there and right? */
bool raw_header(struct raw *r, const kcore_trailer_t *t);
/* Copies bytes of CORE_DATA. */
void raw_data(struct raw *r, const kcore_trailer_t *t, uint64_t off,
    void *dst, uint64_t len);
/* The checksum of a chunk.  *whole: the page it is in has no flaw. */
uint64_t raw_sum(struct raw *r, const kcore_trailer_t *t, uint64_t chunk,
    bool *whole);
/* Do all chunks that the trailer claims match their sums? */
bool raw_verify(struct raw *r, const kcore_trailer_t *t);
/* Where in CORE_DATA is the page? */
bool raw_find(const struct raw *r, uint64_t pa, uint64_t *off);
/* The KCORE_EXCL_* of the page, the trailer's late[] included; 0: none. */
uint32_t raw_excl(const struct raw *r, const kcore_trailer_t *t, uint64_t pa);
void raw_close(struct raw *r);

#endif /* _REGRESS_RAWREAD_H_ */
