/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakedump.h: a dump of fakeos's memory to a memdev, ready to run, and what is
 * true of its medium.
 */
#ifndef _REGRESS_FAKEDUMP_H_
#define _REGRESS_FAKEDUMP_H_

#include "fakeos.h"
#include "memdev.h"
#include "rawread.h"

#define FAKE_PANIC	"Kernel panic - not syncing: \"test\""
#define FAKE_EXTENTS	64u

/* A member that is 0 stands for the value in brackets. */
struct fakedump_conf {
	uint64_t window;	/* bytes [16 MiB] */
	unsigned int next;	/* extents, in disorder on the disk [1] */
	uint32_t blksize;	/* [512] */
	unsigned int nslots;	/* [4] */
	uint32_t slot_len;	/* [64 KiB] */
	uint32_t level;
	kpaddr_t vars_paddr;	/* [page 300] */
	const struct dump_ram *ram; /* [1307 pages in four ranges] */
	unsigned int nram;
};

struct fakedump {
	struct memdev dev;
	bool live;
	struct dump d;
	struct dump_device device;	/* that d dumps to */
	struct dump_extent ext[FAKE_EXTENTS];
	struct dump_ram ram[8];
	uint8_t page0[KCORE_ALIGN];
	kcore_trailer_t old[2];	/* of an older dump, in both slots */

	struct raw raw;
	/* What CORE_DATA must be, its size, and its chunks' sums. */
	uint8_t *data;
	uint64_t data_size;
	uint64_t *sums;
	/* A write was spoilt on purpose: records may be torn for good. */
	bool spoilt;
};

/* After fakeos_reset(): pages of every kind but FAKE_RACY in the default
 * ranges. */
void fakedump_mixed(void);
/* _init gives back first what a failed test has left; _fini may come twice. */
void fakedump_init(struct fakedump *f, const struct fakedump_conf *conf);
void fakedump_fini(struct fakedump *f);
/* Gives back what a failed last test has left of the only one there is. */
int fakedump_give_back(void **state);
/* What the medium says of this dump, now, is there and right; and one trailer
 * is whole if there ever was one.  For memdev_cut(). */
void fakedump_check_claims(void *f);
/* The medium holds the whole dump: every page, table, record and count. */
void fakedump_check_complete(struct fakedump *f);
/* The trailer in force, which is one of this dump. */
const kcore_trailer_t *fakedump_trailer(struct fakedump *f);
/* The console says, or does not say. */
void fakedump_said(const char *what);
void fakedump_silent_on(const char *what);
/* No byte of the medium has changed since fakedump_init(). */
void fakedump_check_untouched(const struct fakedump *f);

#endif /* _REGRESS_FAKEDUMP_H_ */
