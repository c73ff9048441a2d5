/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeos.h: the kernel that the dump core is compiled into, in a test: a clock,
 * a few MiB of memory with pages of every kind, a console, a log.  It answers
 * what sys/kern/dump_md.h asks.
 */
#ifndef _REGRESS_FAKEOS_H_
#define _REGRESS_FAKEOS_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kern/dump.h>

#define FAKE_NPAGES	32768u	/* page frames there are: 128 MiB */
#define FAKE_MAGOFF	0x40u	/* of dumpmag in its page */

enum fake_kind {
	FAKE_PLAIN,
	FAKE_ZERO,
	FAKE_CACHE,		/* left out by KCORE_LEVEL_CACHE */
	FAKE_USER,		/* left out by KCORE_LEVEL_USER */
	FAKE_FREE,		/* left out by KCORE_LEVEL_FREE */
	FAKE_POISON,		/* md_classify() says that it can't be read */
	FAKE_LATE,		/* md_page_read() finds out */
	FAKE_RACY,		/* other contents at each read */
};

struct fakeos {
	uint64_t now_us;
	uint64_t rng;
	uint64_t read_us;	/* what reading a page costs */
	uint64_t classify_us;	/* and looking at one */
	uint8_t kind[FAKE_NPAGES];
	uint8_t value[FAKE_NPAGES];
	/* Where set: instead of kind[] (and of value[], which is 3). */
	enum fake_kind (*kind_fn)(uint64_t pfn);
	uint64_t vital_pfn;	/* of the first page that is vital */
	uint64_t nvital;
	bool whole_answers;	/* md_classify() says all that it can */
	uint32_t level_max;
	size_t log_len;
	size_t notes_len;
	uint64_t nracy;
	kpaddr_t vars_paddr;	/* the dumpmag page */
	uint8_t vars[KCORE_ALIGN];
	uint64_t fed_us;	/* when the watchdog was fed last */
	uint64_t hungry_us;	/* longest time that it was not */
	char console[1u << 16];
	size_t console_len;
};

extern struct fakeos fakeos;

/* All pages plain, value 3, a short log, notes of 64 bytes. */
void fakeos_reset(uint64_t seed);
/* The seed of this run: from the environment (SEED) or the clock; printed. */
uint64_t fakeos_seed(const char *what);
/* A number below n. */
uint32_t fakeos_random(uint32_t n);
void fakeos_mark(uint64_t pfn, uint64_t n, enum fake_kind kind);
void fakeos_worth(uint64_t pfn, uint64_t n, unsigned int value);
enum fake_kind fakeos_kind(kpaddr_t pa);
bool fakeos_vital(kpaddr_t pa);
/* Does a dump of this level hold the page? */
bool fakeos_kept(kpaddr_t pa, uint32_t level);
/* The page as a dump must hold it; not for FAKE_RACY ones. */
void fakeos_page(void *dst, kpaddr_t pa);
void fakeos_log(char *dst, size_t len);
void fakeos_notes(void *dst, size_t len);

#endif /* _REGRESS_FAKEOS_H_ */
