/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savecore.h: what the parts of savecore(8) know of each other.
 *
 * Functions that return int give 0, or -1 after one message that says what is
 * wrong and on what, except where they say otherwise.
 */
#ifndef _SAVECORE_H_
#define _SAVECORE_H_

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <syslog.h>

#include <kvm.h>

#include "text.h"

enum savecore_mode {
	SAVECORE_SAVE,
	SAVECORE_CLEAR,
	SAVECORE_CHECK,
};

struct savecore_opts {
	enum savecore_mode mode;
	const char *directory;
	const char *device;	/* -D, or NULL */
	const char *system;	/* -N, or NULL */
	int level;		/* of compression, 0 to 9 */
	bool compress;
	bool force;
	bool verbose;
};

/* ---- msg.c: standard error and syslog ---- */

void msg_open(void);
/* One line without its newline; pri is syslog(3)'s. */
void msg(int pri, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with errno's text behind it. */
void msg_errno(int pri, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- priv.c: less than all of root's powers ---- */

void priv_limit(void);	/* keeps what opening files needs */
void priv_drop(void);	/* keeps nothing */

/* ---- find.c: where a dump can be ---- */

struct candidate {
	char path[PATH_MAX];
	uint64_t dev;		/* what makes it one: device or inode */
	uint64_t ino;
	bool in_use;		/* as swap, now */
};

struct candidates {
	struct candidate *list;
	size_t n;
};

/* All swap devices and dump partitions, or the one of -D. */
int find_candidates(struct candidates *c, const char *device);
void find_free(struct candidates *c);

/* ---- dump.c: the dumps on the candidates ---- */

struct dump {
	const struct candidate *where;
	const char *path;
	kvm_t *kd;		/* NULL: can't be opened */
	struct kvm_dumpinfo di;
	bool found;		/* di is valid and the dump may be taken */
	bool header;		/* kvm_dump_mkheader() succeeded */
	bool cleared;		/* saved or given up before */
	uint32_t dumpmag;	/* where header is set and data is there */
	char why[KVM_ERRBUFSZ];	/* where header is not set */
};

struct armid_list;

/* Opens the device, with open(2)'s flags. */
int dump_open(struct dump *d, const struct candidate *where, int flags);
void dump_close(struct dump *d);
/*
 * Looks for a dump whose arm id is known, or with any where any is set.  Not
 * finding one is no failure.
 */
int dump_look(struct dump *d, const struct armid_list *known, bool any);
/* Nothing of memory is there, at best the early record. */
bool dump_is_early(const struct dump *d);
/* Clears the dump and looks again whether it is cleared. */
int dump_clear(struct dump *d, const struct armid_list *known);

/* ---- dir.c: the directory ---- */

struct crashdir {
	const char *path;
	int fd;
};

int dir_open(struct crashdir *dir, const char *path);
void dir_close(struct crashdir *dir);
/* Takes the next number for good: it is in bounds before this returns. */
int dir_number(const struct crashdir *dir, unsigned int *number);
/* Is there room for so many bytes?  1: yes, or try; 0: no.  Says so. */
int dir_space(const struct crashdir *dir, uint64_t need);

/* ---- outfile.c: a file that is there whole or not at all ---- */

struct outfile {
	const struct crashdir *dir;
	FILE *fp;		/* compressing, or plain */
	int fd;			/* what fp writes to */
	char tmp[64];
	char name[64];
};

/* level: 0 to 9, or -1 for a plain file. */
int outfile_create(struct outfile *out, const struct crashdir *dir,
    const char *name, int level);
/* Makes it durable under its name. */
int outfile_commit(struct outfile *out);
void outfile_abort(struct outfile *out);

/* ---- physmap.c: what memory a piece of CORE_DATA is ---- */

/* "0x1000-0x1fff, 0x4000-0x4fff and 3 more": a text for a message. */
void physmap_text(kvm_t *kd, uint64_t data_off, uint64_t len, char *buf,
    size_t buflen);

/* ---- copy.c: CORE_DATA ---- */

struct copy {
	kvm_t *kd;
	const char *path;	/* of the dump, for messages */
	uint64_t size;		/* bytes of CORE_DATA to copy */
	uint64_t planned;	/* bytes the kernel set out to write */
	bool noted;		/* what is damaged was noted before */
	bool marks_full;	/* not all of it is noted in the header */
	uint64_t ndamaged;	/* chunks damaged or not readable */
	uint64_t nunsure;	/* chunks that have no checksum */
};

/* Verifies only, and notes damage in the header. */
int copy_verify(struct copy *c);
/*
 * Copies and verifies; notes damage.  base: where CORE_DATA begins in a plain
 * file; -1: through out's stream, which is there.
 */
int copy_data(struct copy *c, struct outfile *out, off_t base);

/* ---- save.c ---- */

/*
 * Saves the dump.  systemfd: the kernel file to be saved with it, or -1.
 * 0: all there is was saved and verified, so that the dump may be cleared.
 */
int save_dump(struct dump *d, const struct savecore_opts *opts,
    const struct crashdir *dir, int systemfd);

#endif /* _SAVECORE_H_ */
