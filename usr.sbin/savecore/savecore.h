/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savecore.h: what the parts of savecore(8) know of each other.
 *
 * Functions that return int give 0, or -1 after one message that says what is
 * wrong and on what, except where they say otherwise.
 */
#ifndef _SAVECORE_H_
#define _SAVECORE_H_

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <syslog.h>

#include <kvm.h>

#include "filemap.h"
#include "text.h"

enum savecore_mode {
	SAVECORE_SAVE,
	SAVECORE_CLEAR,
	SAVECORE_CHECK,
	SAVECORE_CONVERT,
	SAVECORE_FINISH,
};

struct outformat;

#define SAVECORE_LEVELS	8u

/* How a file is compressed; see pack.h. */
enum keeper_packing {
	KEEPER_PLAIN,
	KEEPER_GZIP,
	KEEPER_ZSTD,
	KEEPER_NPACKINGS,
};

struct savecore_opts {
	enum savecore_mode mode;
	const char *directory;
	const char *device;	/* -D, or NULL */
	const char *system;	/* -N, or NULL */
	const struct outformat *format;	/* -F */
	const char *core;	/* to be converted, or NULL */
	const char *output;	/* -o: the only file, in directory */
	bool stream;		/* it is standard output */
	int level;		/* of compression */
	unsigned int filter[SAVECORE_LEVELS];	/* -d: dump levels to be tried */
	unsigned int nfilter;
	enum keeper_packing packing;	/* of core and kernel */
	bool boot;		/* -a */
	bool swap_anyway;	/* -a: it is no failure if nothing is saved */
	bool zstd;		/* pages of a kdump file, instead of zlib */
	bool force;
	bool verbose;
	bool wipe;
	bool keep;		/* -k: the dump is not cleared */
	bool json;		/* info.N */
	unsigned int maxdumps;	/* -m; 0: any number */
	unsigned int number;	/* of the core to be finished */
};

/* ---- msg.c: standard error and syslog ---- */

void msg_open(void);
/* One line without its newline; pri is syslog(3)'s.  errno stays. */
void msg(int pri, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, with errno's text behind it. */
void msg_errno(int pri, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- priv.c: less than all of root's powers ---- */

int priv_limit(void);	/* keeps what the keeper needs */
int priv_drop(void);	/* keeps nothing */
int priv_program(void);	/* the same, but another program may be run */

/* ---- find.c: where a dump can be ---- */

struct candidate {
	char path[PATH_MAX];
	uint64_t dev;		/* what makes it one: device or inode */
	uint64_t ino;
	bool block;		/* a block device */
	bool in_use;		/* as swap, now */
	bool failed;		/* can't be looked at, or its dump not saved */
	int fd;			/* open for reading, or -1 */
	struct filemap map;	/* of a file that has all its blocks */
	int disk;		/* beneath it, where it must be read; or -1 */
};

struct candidates {
	struct candidate *list;
	size_t n;
};

struct armid_list;

/* All swap devices and dump partitions, what was armed, or the one of -D. */
int find_candidates(struct candidates *c, const char *device,
    const struct armid_list *known);
/* Opens them all; one that can't be opened is an error where it is the only. */
int find_open(struct candidates *c, bool only);
void find_free(struct candidates *c);
struct stat;
/* Is it the candidate? */
bool find_same(const struct candidate *where, const struct stat *st);
/* One more, which is not open. */
int find_put(struct candidates *c, const struct candidate *one);
/* Takes some away; none is open. */
void find_pass_over(struct candidates *c, const struct candidates *some);

/* ---- dump.c: the dumps on the candidates ---- */

struct dump {
	const struct candidate *where;
	const char *path;
	kvm_t *kd;		/* NULL: can't be opened */
	int wrfd;		/* the same, for writing; or -1 */
	struct kvm_dumpinfo di;
	bool found;		/* di is valid and the dump may be taken */
	bool header;		/* kvm_dump_mkheader() succeeded */
	bool cleared;		/* saved or given up before */
	bool held;		/* saved before as number held_as, and stayed
				   because it is damaged */
	unsigned int held_as;
	int level;		/* asked for when armed; -1: not known */
	size_t arming;		/* place of its arm id in the list, from 1, the
				   last is the newest; 0: not known */
	uint32_t dumpmag;	/* where header is set and data is there */
	char why[KVM_ERRBUFSZ];	/* where header is not set */
};

/* Reads through the candidate's descriptor, or through fd for writing too. */
int dump_open(struct dump *d, const struct candidate *where);
int dump_reopen(struct dump *d, int fd);
void dump_close(struct dump *d);
/* What CORE_DATA is read by. */
int dump_fd(const struct dump *d);
/*
 * Looks for a dump whose arm id is known, or with any where any is set.  Not
 * finding one is no failure.
 */
int dump_look(struct dump *d, const struct armid_list *known, bool any);
/* Nothing of memory is there, at best the early record. */
bool dump_is_early(const struct dump *d);
/* Clears the dump and looks again whether it is cleared. */
int dump_clear(struct dump *d, const struct armid_list *known);

/* ---- tell.c: what is in a dump, and what is not ---- */

void tell_contents(const struct dump *d);

/* ---- wipe.c ---- */

/* Zeroes all but page 0, and reads it back.  solid: it must not get holes. */
int wipe_device(int fd, const char *path, bool solid);

/* ---- dir.c: the directory, which only the keeper touches ---- */

/* What one run makes of a dump. */
enum crashdir_part {
	CRASHDIR_ALL,		/* the core and what goes with it */
	CRASHDIR_CORE,		/* the core, and a note that it is not finished */
	CRASHDIR_REST,		/* what goes with a core that is there */
};

struct crashdir {
	const char *path;
	int fd;			/* -1: none is needed */
	const char *suffix;	/* of the name of a core */
	const char *output;	/* the only file there will be, or NULL */
	unsigned int maxdumps;	/* 0: any number */
	bool wait;		/* for another savecore to end */
	enum crashdir_part part;
	unsigned int number;	/* CRASHDIR_REST: of the core */
};

/* A file that is there whole under its name, or not at all. */
struct dirfile {
	int fd;			/* -1: there is none */
	char tmp[NAME_MAX + 1];
	char name[NAME_MAX + 1];
};

int dir_open(struct crashdir *dir, const char *path);
void dir_close(struct crashdir *dir);
/* Takes the next number for good: it is in bounds before this returns. */
int dir_number(const struct crashdir *dir, unsigned int *number);
/* Is there room for so many bytes?  1: yes, or try; 0: no.  Says so.  anyway: it
 * will be tried in any case. */
int dir_space(const struct crashdir *dir, uint64_t need, bool anyway);
/* Is there a core, and a note that it is of the dump with this id? */
bool dir_held(const struct crashdir *dir, const uint8_t dump_id[KVM_IDLEN],
    unsigned int *number);
/* The note's text; it ends in a newline. */
#define DIR_NOTE_LEN	(2 * KVM_IDLEN + 1)
void dir_note_text(char text[DIR_NOTE_LEN + 1],
    const uint8_t dump_id[KVM_IDLEN]);
int dir_create(const struct crashdir *dir, struct dirfile *f,
    const char *name);
/* Makes it durable under its name; never replaces a file. */
int dir_commit(const struct crashdir *dir, struct dirfile *f);
void dir_abort(const struct crashdir *dir, struct dirfile *f);
/* Makes name a link to what of this number there is, in place of an older. */
void dir_link(const struct crashdir *dir, const char *name, const char *to);
/* Is it a link to that? */
bool dir_linked(const struct crashdir *dir, const char *name, const char *to);
bool dir_there(const struct crashdir *dir, const char *name);
/* The name of this number's core: is there one? */
bool dir_core(const struct crashdir *dir, unsigned int number,
    char name[NAME_MAX + 1]);
/*
 * Opens a file that only the directory's owner may have put there: what others
 * put into a shared directory is passed over.  -1 with ENOENT: none.
 */
int dir_open_ours(const struct crashdir *dir, const char *name);
/* To be read; NULL. */
DIR *dir_list(const struct crashdir *dir);
/* Removes what is older than the last dir->maxdumps numbers. */
void dir_prune(const struct crashdir *dir, unsigned int number);

/* ---- pending.c: cores that are not finished, and what a hook is told then ---- */

/* Durable before this returns; where it can't be made a message says so. */
void pending_put(const struct crashdir *dir, unsigned int number);
/* How saving ended, once it has. */
void pending_ended(const struct crashdir *dir, unsigned int number, int status);
/* The lowest number from there on: is there any? */
bool pending_next(const struct crashdir *dir, unsigned int from,
    unsigned int *number);
/* Its note: a descriptor for pending_lock(); -1: it can't be opened. */
int pending_open(const struct crashdir *dir, unsigned int number);
/*
 * Waits, without the directory's lock, until nobody else finishes that core.
 * true: it is ours until the descriptor is closed; false: it is finished.
 */
bool pending_lock(int fd);
/* 0: its dump was cleared; -1: that is not known. */
int pending_status(const struct crashdir *dir, unsigned int number);
void pending_drop(const struct crashdir *dir, unsigned int number);

/* ---- ask.c: what the worker asks of the keeper ---- */

enum keeper_file {
	KEEPER_CORE,
	KEEPER_KERNEL,
	KEEPER_LOG,
	KEEPER_NOTE,		/* the dump's id: its core has damage */
	KEEPER_INFO,		/* facts */
	KEEPER_DMESG,		/* the kernel's log */
	KEEPER_FACTS,		/* for hooks; has no name */
	KEEPER_NFILES,
};

void ask_init(int sock);
/* Is there room for so many bytes, or may it be tried?  anyway: it will be. */
bool ask_space(uint64_t need, bool anyway);
/* A new file to write to, and the number in its name; -1. */
int ask_create(enum keeper_file what, enum keeper_packing packing,
    unsigned int *number);
int ask_commit(enum keeper_file what);
/* Is there a core, and a note that it is of this dump?  Its number. */
bool ask_held(const uint8_t dump_id[KVM_IDLEN], unsigned int *number);
/* A candidate, to be written: 0, or an errno after no message. */
int ask_device(size_t index, int *fd);
/*
 * What is done to a candidate begins, and went well: if that is not said, the
 * candidate is what failed, also where the worker does not live to tell.
 */
void ask_begin(size_t index);
void ask_end(size_t index);

/* ---- outfile.c: a file being saved ---- */

struct zfile;

struct outfile {
	enum keeper_file what;
	FILE *fp;		/* compressing, or plain */
	struct zfile *z;	/* where it is compressing */
	int fd;			/* what fp writes to */
	bool stream;		/* a pipe: it can only go on */
	bool flat;		/* of blocks that say where they belong */
	uint64_t flat_at;	/* where fp is in what they make */
	char path[PATH_MAX];	/* for messages */
};

int outfile_create(struct outfile *out, enum keeper_file what,
    const struct savecore_opts *opts, enum keeper_packing packing);
/* Begins it anew. */
int outfile_restart(struct outfile *out, const struct savecore_opts *opts,
    enum keeper_packing packing);
/*
 * Write all of buf, there, or in a stream that has no places behind what was
 * written: 0, or -1 with errno and no message.
 */
int outfile_write(int fd, const void *buf, size_t len);
int outfile_write_at(int fd, const void *buf, size_t len, uint64_t off);
int outfile_pwrite(const struct outfile *out, const void *buf, size_t len,
    uint64_t off);
/* Ends it: it only has to be committed. */
int outfile_finish(struct outfile *out);
/* Makes it durable under its name. */
int outfile_commit(struct outfile *out);
void outfile_abort(struct outfile *out);

/* ---- flat.c: a file for a pipe, in blocks with their places ---- */

/* Begins it: NULL with errno. */
FILE *flat_open(struct outfile *out);
int flat_block(const struct outfile *out, const void *buf, size_t len,
    uint64_t off);
int flat_end(const struct outfile *out);

/* ---- writer.c: writes chunks while others are read ---- */

struct writer;

/* base: where CORE_DATA begins in the file, which is plain. */
struct writer *writer_start(struct outfile *out, off_t base);
/* Room for the next chunk; NULL: a write failed, writer_finish() knows why. */
unsigned char *writer_room(struct writer *w);
/* The chunk is there. */
void writer_put(struct writer *w, size_t len);
/* Waits until all is written; 0, or -1 with errno, and no message. */
int writer_finish(struct writer *w);

/* ---- format.c: formats of core files ---- */

struct copy;

/* To add one: write a table, name it in outformats[] (format.c). */
struct outformat {
	const char *name;
	const char *suffix;	/* of the file: ".core" */
	bool places;		/* parts are written in any order */
	/*
	 * Writes all that goes before CORE_DATA, of the same length each time,
	 * to a stream: CORE_DATA follows as it is.  NULL: it does not.
	 */
	int (*header)(struct copy *c, struct outfile *out);
	/* Writes everything: 0, or -1 after a message. */
	int (*write)(struct copy *c, struct outfile *out,
	    const struct savecore_opts *opts);
};

extern const struct outformat outformat_kcore, outformat_elf, outformat_kdump;
/* NULL: there is none of that name. */
const struct outformat *outformat_find(const char *name);

/* ---- physwalk.c: the memory of a dump, in the order of addresses ---- */

struct physwalk {
	kvm_t *kd;
	bool all;		/* not only what is there, but all memory */
	uint64_t valid;		/* bytes of CORE_DATA that are there, in whole
				   pages */
	uint64_t seg, excl;	/* the next ones */
	uint64_t off;		/* of seg in CORE_DATA */
	bool first;		/* memsegs[0] has been */
};

/* Memory that is in CORE_DATA, or is zeros and is not; with all, any. */
struct physrange {
	uint64_t start, size;	/* physical */
	uint64_t off;		/* in CORE_DATA, unless zero */
	bool zero;
};

/* all is false then. */
void physwalk_init(struct physwalk *w, const struct copy *c);
/* false: that was all.  Starts count up; with all, ranges can overlap. */
bool physwalk_next(struct physwalk *w, struct physrange *r);

/* ---- notes.c: ELF notes of what the header says ---- */

/* Writes them to fp, where that is not NULL: their bytes, or -1. */
int64_t notes_write(const struct copy *c, FILE *fp);

/* ---- namelist.c: a kernel file, made of the dump ---- */

/* Writes it to fd: 0, or -1 and why not. */
int namelist_write(kvm_t *kd, int fd, char *why, size_t len);

/* ---- physmap.c: what memory a piece of CORE_DATA is ---- */

/* "0x1000-0x1fff, 0x4000-0x4fff and 3 more": a text for a message. */
void physmap_text(kvm_t *kd, uint64_t data_off, uint64_t len, char *buf,
    size_t buflen);

/* ---- progress.c ---- */

struct progress {
	const char *path;	/* of the dump, for a line */
	uint64_t total;		/* bytes */
	uint64_t begin_ns, last_ns;
	bool terminal;		/* there is one for a bar */
	bool shown;		/* it is on the line now */
};

void progress_begin(struct progress *p, const char *path, uint64_t total);
/* So many bytes are done. */
void progress_step(struct progress *p, uint64_t done);
/* Takes the bar away, for a message. */
void progress_clear(struct progress *p);
void progress_text(char *buf, size_t len, uint64_t done, uint64_t total,
    uint64_t ns);

/* ---- copy.c: CORE_DATA ---- */

struct copy {
	kvm_t *kd;
	const char *path;	/* of the dump, for messages */
	int direct;		/* kd reads by it, and may past the page cache;
				   or -1 */
	uint64_t size;		/* bytes of CORE_DATA to copy */
	uint64_t planned;	/* bytes the kernel set out to write */
	bool unchecked;		/* there are no checksums any more */
	bool noted;		/* what is damaged was noted before */
	bool filtered;		/* it was checked, and then pages left out */
	bool watch;		/* that enough space is left */
	unsigned int ntried;	/* dump levels that took too much space */
	uint64_t nagain;	/* chunks not readable once filtered */
	bool marks_full;	/* not all of it is noted in the header */
	uint64_t ndamaged;	/* chunks damaged or not readable */
	uint64_t nunread;	/* of them, those not readable */
	uint64_t nunsure;	/* chunks that have no checksum */
	uint64_t nranges;	/* runs of damaged chunks */
	uint64_t bad_off;	/* the run that is not told of yet */
	uint64_t bad_len;
	char bad_why[KVM_ERRBUFSZ];
	struct progress progress;
};

/* Where chunks go: room for the next, NULL with errno; the chunk is there. */
struct copy_sink {
	void *arg;
	unsigned char *(*room)(void *arg);
	void (*put)(void *arg, size_t len);
};
/*
 * Copies and verifies; notes damage.  0, or -1 with errno: room() gave none, or
 * no space is left.
 */
int copy_chunks(struct copy *c, const struct copy_sink *sink);
/*
 * The same to a file behind what out's stream was flushed of, with a message
 * where it fails.
 */
int copy_data(struct copy *c, struct outfile *out);
/* Only verifies and notes damage. */
int copy_check(struct copy *c);

/* ---- save.c ---- */

/*
 * Saves the dump.  systemfd: the kernel file to be saved with it, or -1.
 * 0: all there is was saved and verified, so that the dump may be cleared.
 * 1: so it may, because nothing is there, which was said.
 */
int save_dump(struct dump *d, const struct savecore_opts *opts, int systemfd);

/* ---- savefile.c ---- */

/* Is there room for a core with so many bytes, as far as is known before? */
bool save_fits(kvm_t *kd, uint64_t size, const struct savecore_opts *opts);
/* Writes the core in the format of opts, under its name. */
int save_file(struct copy *c, struct outfile *out,
    const struct savecore_opts *opts);

/* ---- info.c ---- */

/* Writes facts beside the core, or says why not. */
void info_write(const struct dump *d, const struct copy *c, const char *core,
    const struct savecore_opts *opts);

/* ---- beside.c ---- */

/* Writes log and symbols beside the core, or says why not. */
void beside_write(kvm_t *kd, const struct savecore_opts *opts);

/* ---- report.c ---- */

#define REPORT_NAME	"crash.%u.txt"

/* The same of crashinfo(8)'s report; runs in the keeper: was it written? */
bool report_write(const struct crashdir *dir, const char *core,
    unsigned int number);

/* ---- finish.c ---- */

/* In the worker: writes what goes with a core that is open. */
int finish_core(int fd, const struct savecore_opts *opts);
/* Finishes all cores that are not finished: 0, or -1 if one could not be. */
int finish_run(const struct savecore_opts *opts);

/* ---- convert.c ---- */

/* Writes a core that was saved before, and is open, in another format. */
int convert(int fd, const struct savecore_opts *opts);

/* ---- session.c: one run ---- */

/*
 * Does what opts say, in two processes.  1: no dump, with SAVECORE_CHECK or -a.
 * Candidates in failed, where that is not NULL, are passed over, and those that
 * fail are put there.
 */
int session_do(const struct savecore_opts *opts, struct candidates *failed);

/* ---- boot.c: -a ---- */

int boot_run(const struct savecore_opts *opts);

#endif /* _SAVECORE_H_ */
