/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_private.h: what libkvm's files share; nobody else includes it.
 *
 * Layers, each calling only the one below it:
 *
 *	kvm_backtrace.c			who called whom, from
 *	kvm_unwind.c, kvm_orc.c		functions and their callers
 *	kvm_stack.c, kvm_probe.c	stacks, and what probes did to them
 *	kvm_nlist.c, kvm_symbol.c	names <-> kernel addresses, from
 *	kvm_elf.c, kvm_kallsyms.c	the execfile and the kernel's own table,
 *	kvm_ksearch.c			which is found here
 *	kvm_module.c, kvm_modsym.c	modules and their symbols
 *	kvm_procs.c, kvm_argv.c,	processes: what is asked of them; from
 *	kvm_getfiles.c			struct kvmi_procops, which of a dump is
 *	kvm_dead.c, kvm_proc.c,		in these,
 *	kvm_lwp.c, kvm_strings.c,
 *	kvm_file.c, kvm_path.c		from
 *	kvm_task.c, kvm_tasktype.c	the kernel's tasks
 *	kvm_type.c, kvm_btf.c,
 *	kvm_modtype.c			structures
 *	kvm_log.c, kvm_logbuf.c,
 *	kvm_dmesg.c			the kernel log
 *	kvm_info.c, kvm_note.c		what the kernel says of itself
 *	kvm_live.c, kvm_livefile.c	all of these of the running system:
 *	kvm_ksymfile.c, kvm_modfile.c	/proc/kallsyms, /proc/modules,
 *	kvm_kmsg.c, kvm_procfs.c,	/dev/kmsg, /proc/PID, in place of what
 *	kvm_procstat.c			memory has
 *	kvm_read.c			kernel memory
 *	kvm_kcore.c, kvm_devmem.c	of the running system
 *	kvm_translate.c, kvm_x86_64.c	kernel -> physical addresses
 *	kvm_mem.c, kvm_view.c		physical memory, with private changes
 *	kvm_runs.c			physical addresses -> CORE_DATA offsets
 *	kvm_bytes*.c			CORE_DATA -> bytes of a file or device
 *	kvm_build.c, kvm_ranges.c	a header for files of other formats
 *	kvm_small.c			short reads of those
 *	kvm_spill.c			tables too large for memory
 *	kvm_unpack.c, kvm_flat.c	what they are wrapped in
 *	kvm_packed.c, kvm_zstd.c,	and that all of it is compressed
 *	kvm_gzip.c, kvm_gzindex.c
 *
 * and beside them kvm_dump.c and its kin, which save and clear dumps, and
 * kvm_filter.c with kvm_pageuse.c, which leave pages out of them.  What not all
 * files need is in kvm_bytes.h (formats, compression), kvm_header.h (headers,
 * records), kvm_machine.h (page tables, registers), kvm_symbols.h (symbols,
 * structures), kvm_tasks.h (tasks, processes), kvm_unwind.h (backtraces) and
 * kvm_live.h (the running system).
 */
#ifndef _KVM_PRIVATE_H_
#define _KVM_PRIVATE_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sys/kcore.h>
#include <sys/utsname.h>

#include "kvm.h"

typedef uint64_t kpaddr_t;	/* a physical address of the target */
typedef uint64_t kvaddr_t;	/* a kernel virtual address of the target */

#define KVMI_PAGE	4096u

/* ---- kvm_spill.c: tables of many bytes ---- */

#define KVMI_SPILL_PIECE ((size_t)1 << 20)	/* to be done between two _ALL */
#define KVMI_SPILL_ALL	32768u			/* steps: let all go at once */
#define KVMI_SPILL_FIND	2048u			/* a search in a table */
#define KVMI_SPILL_ASKED 16u			/* a call of kvm_dump_hdr(3) */

struct kvmi_spill {
	pthread_mutex_t lock;
	struct kvmi_spilled *head;
	atomic_uint_least32_t n;	/* tables that are in files */
	atomic_uint_least32_t steps;
};

int kvmi_spill_init(struct kvmi_spill *s);
void kvmi_spill_fini(struct kvmi_spill *s);
/* As calloc(3), realloc(3) of what had old bytes, and free(3). */
void *kvmi_spill_alloc(kvm_t *kd, size_t size);
void *kvmi_spill_resize(kvm_t *kd, void *p, size_t old, size_t size);
void kvmi_spill_free(kvm_t *kd, void *p);
/* So many entries of tables were looked at.  Any thread. */
void kvmi_spill_step(kvm_t *kd, unsigned int steps);
/* As memcpy(3); as memmove(3), of what moves up; as kvmi_pread(). */
void kvmi_spill_copy(kvm_t *kd, void *to, const void *from, size_t len);
void kvmi_spill_move(kvm_t *kd, void *to, const void *from, size_t len);
int kvmi_spill_read(kvm_t *kd, void *to, size_t len, uint64_t off);

/* ---- kvm_runs.c: which physical memory is where in CORE_DATA ---- */

/* What a reader is told about a physical address: beside KCORE_EXCL_*. */
#define KVMI_MEM_DATA	0u	/* in CORE_DATA */
#define KVMI_MEM_NONE	100u	/* no such memory */

struct kvmi_runs {
	kvm_t *kd;			/* whose they are */
	const phys_ram_seg_t *segs;	/* memsegs[] of the header */
	size_t nsegs;
	uint64_t *sums;			/* CORE_DATA offset of each 64th */
	const kcore_exclseg_t *excls;
	size_t nexcls;
	uint64_t valid;			/* CORE_DATA bytes that were written */
};

struct kvmi_place {
	unsigned int kind;	/* KVMI_MEM_* or KCORE_EXCL_* */
	uint64_t off;		/* in CORE_DATA; where kind is DATA */
	uint64_t len;		/* bytes from the address on that are alike */
};

int kvmi_runs_init(kvm_t *kd, struct kvmi_runs *r, const phys_ram_seg_t *segs,
    size_t nsegs, const kcore_exclseg_t *excls, size_t nexcls, uint64_t valid);
void kvmi_runs_fini(struct kvmi_runs *r);
/* What is at pa. */
void kvmi_runs_find(const struct kvmi_runs *r, kpaddr_t pa,
    struct kvmi_place *p);
/* The memory at a CORE_DATA offset: false past the end. */
bool kvmi_runs_at(const struct kvmi_runs *r, uint64_t off, kpaddr_t *pa,
    uint64_t *len);

/* ---- kvm_ranges.c: memory as other formats list it ---- */

#define KVMI_RANGES_MAX	(1u << 22)

struct kvmi_range {
	kpaddr_t start, end;
	uint64_t place;		/* of data: where the file has it, in units */
	unsigned int kind;	/* KVMI_MEM_DATA or KCORE_EXCL_* */
};

struct kvmi_ranges {
	struct kvmi_range *r;
	size_t n, cap;
	uint64_t unit;		/* bytes of memory to which place counts up */
};

/* Adds a range behind all others; empty ones are dropped.  0, -1 with a text. */
int kvmi_ranges_add(kvm_t *kd, struct kvmi_ranges *l, struct kvmi_range r);
void kvmi_ranges_fini(kvm_t *kd, struct kvmi_ranges *l);
/* By start; of those with the same, the one with the higher place first: 0, or
 * -1 with a text. */
int kvmi_ranges_order(kvm_t *kd, struct kvmi_ranges *l);
/* The same, and cuts off what overlaps those before: 0, or -1 with a text. */
int kvmi_ranges_sort(kvm_t *kd, struct kvmi_ranges *l);
/* Adds to top what it lacks of bottom, which is no data; both are sorted. */
int kvmi_ranges_under(kvm_t *kd, struct kvmi_ranges *top,
    const struct kvmi_ranges *bottom);
/* The range that holds pa, of sorted ones, or NULL. */
const struct kvmi_range *kvmi_ranges_find(const struct kvmi_ranges *l,
    kpaddr_t pa);

/* ---- kvm_bytes.c, kvm_bytes_raw.c: the file or device ---- */

/* Reads len bytes at off, of what the file was before it was wrapped in
 * anything: 0, or -1 with a text. */
int kvmi_pread(kvm_t *kd, void *buf, size_t len, uint64_t off);
/* Writes to the raw device, within its window: 0, or -1 with a text. */
int kvmi_raw_write(kvm_t *kd, const void *buf, size_t len, uint64_t off);
/* 0: kd is a raw device, and was opened for writing if wr; -1 with a text. */
int kvmi_raw_check(kvm_t *kd, bool wr);

/* ---- kvm_small.c: short reads ---- */

#define KVMI_NPAGES	64u

struct kvmi_small {
	/* Mapped; base NULL: not. */
	uint8_t *base;
	size_t size;		/* whole pages */
	atomic_bool off;	/* the map can't be used */
	atomic_uint_least32_t epoch;	/* goes up when windows are given back */
	atomic_uint_least32_t *window;	/* epoch that each was ready in; or 0 */
	atomic_uint_least32_t held;	/* windows that are ready */
	atomic_uint_least32_t sparse;	/* of them: for few reads each */
	atomic_uint_least32_t limit;	/* of held */

	/* Else by pages. */
	pthread_mutex_t lock;
	struct kvmi_page {
		uint64_t tag;	/* offset / KVMI_PAGE + 1; 0: empty */
		uint8_t data[KVMI_PAGE];
	} *pages;		/* KVMI_NPAGES, or NULL */
};

int kvmi_small_init(struct kvmi_small *s);
void kvmi_small_fini(struct kvmi_small *s);
/* Maps the file, if that can be done. */
void kvmi_small_map(kvm_t *kd);
/* Forgets all pages that are kept: the file has changed. */
void kvmi_small_forget(kvm_t *kd);
/* As kvmi_pread(); quicker where it is short. */
int kvmi_small_read(kvm_t *kd, void *buf, size_t len, uint64_t off);
/* Bytes of the map, *len at most, until one more is looked at; NULL: they are
 * not in memory. */
const uint8_t *kvmi_small_look(kvm_t *kd, size_t *len, uint64_t off);

/* ---- kvm_translate.c ---- */

#define KVMI_NTLB	1024u		/* of each size */

struct kvmi_tlb {
	atomic_uint_least64_t seq;	/* odd: a thread is at it */
	atomic_uint_least64_t epoch;	/* valid in this one; 0: empty */
	atomic_uint_least64_t vpage;	/* va / size */
	atomic_uint_least64_t pa;	/* of the page */
};

/* Pages of 4 KiB, and of 2 MiB or more. */
struct kvmi_vm {
	atomic_uint_least64_t epoch;
	struct kvmi_tlb *small, *large;	/* KVMI_NTLB */
	/* Where a walk begins. */
	kpaddr_t root;
	unsigned int levels;
	uint64_t enc_mask;	/* bits of an entry that are no address */
};

int kvmi_vm_init(struct kvmi_vm *vm);
void kvmi_vm_fini(struct kvmi_vm *vm);
/* Forgets all that is cached.  Any thread. */
void kvmi_vm_flush(struct kvmi_vm *vm);
/*
 * Translates va and as much behind it, up to want bytes, as follows it in
 * physical memory too: 0, or -1 with a text.
 */
int kvmi_translate(kvm_t *kd, kvaddr_t va, uint64_t want, kpaddr_t *pa,
    uint64_t *len);
/* The same of the process that has its page tables at root, in one page. */
int kvmi_translate_user(kvm_t *kd, kpaddr_t root, kvaddr_t va, uint64_t want,
    kpaddr_t *pa, uint64_t *len);

/* ---- kvm_mem.c, kvm_view.c: physical memory ---- */

/* Reads from pa on: bytes read, at least one of len, or -1 with a text. */
ssize_t kvmi_phys_read(kvm_t *kd, kpaddr_t pa, void *buf, size_t len);

struct kvmi_view {
	pthread_mutex_t lock;
	atomic_size_t npages;
	void *root;		/* tsearch(3) tree of private pages */
};

int kvmi_view_init(struct kvmi_view *v);
void kvmi_view_fini(struct kvmi_view *v);
void kvmi_view_drop(struct kvmi_view *v);
/* Lays private pages over buf, which was read at pa. */
void kvmi_view_apply(struct kvmi_view *v, kpaddr_t pa, void *buf, size_t len);
/* Changes bytes within one page: 0, or -1 with a text. */
int kvmi_view_write(kvm_t *kd, kpaddr_t pa, const void *buf, size_t len);

/* ---- kvm_read.c: kernel memory ---- */

/* Reads all of it: 0, or -1 with a text that kvmi_report() has not seen. */
int kvmi_read(kvm_t *kd, kvaddr_t va, void *buf, size_t len);
/* The same; *done, which is 0, becomes how far it got. */
int kvmi_read_some(kvm_t *kd, kvaddr_t va, void *buf, size_t len,
    size_t *done);
/* The same, by way of the page tables. */
int kvmi_read_mapped(kvm_t *kd, kvaddr_t va, void *buf, size_t len,
    size_t *done);

/* ---- kvm_cpu.c, kvm_record.c ---- */

/* 0: there is a header in force; -1 with a text. */
int kvmi_need_header(kvm_t *kd);
/* Are all of these bytes 0? */
bool kvmi_zero(const void *p, size_t len);

/* ---- kvm_note.c, kvm_info.c: what the kernel says of itself ---- */

struct kvmi_note {
	const char *name;	/* name_len bytes, no NUL */
	size_t name_len;
	uint32_t type;
	const void *desc;	/* len bytes, aligned to 4 if the notes are */
	size_t len;
};

/* The note at *pos, which moves to the next: false: there is none. */
bool kvmi_note_next(const void *notes, size_t size, size_t *pos,
    struct kvmi_note *n);
bool kvmi_note_is(const struct kvmi_note *n, const char *name);

/* Writes one, padded, to `to' or nowhere: its bytes. */
size_t kvmi_note_put(uint8_t *to, const struct kvmi_note *n);

/* VMCOREINFO as text, read once; NULL with a text.  Any thread. */
const char *kvmi_info_text(kvm_t *kd);
/* The text in such a note among others, for free(3), or NULL. */
char *kvmi_info_note(const void *notes, size_t size);
/* What stands behind `key='; NULL: no such line. */
const char *kvmi_info_find(const char *text, const char *key);
/* The number there: 1; 0: no such line; -1: not a number. */
int kvmi_info_number(const char *text, const char *key, int base,
    uint64_t *value);
/* VMCOREINFO: the number behind KEY=; -1 with a text.  Any thread. */
int kvmi_info(kvm_t *kd, const char *key, uint64_t *value);
bool kvmi_info_has(kvm_t *kd, const char *key);
/* The kernel's release, as kvmi_shown(). */
const char *kvmi_info_release(kvm_t *kd, char *to, size_t size);

/* ---- kvm_elems.c: arrays that are given out ---- */

/* What a function gave out last. */
struct kvmi_elems {
	uint8_t *buf;
	size_t elemsize, n, cap;
};

/* Empties it, for elements of that size: 0, or -1 with a text. */
int kvmi_elems_begin(kvm_t *kd, struct kvmi_elems *e, size_t elemsize,
    const int *cnt);
void kvmi_elems_fini(struct kvmi_elems *e);
/* Adds what an element has room for: 0, or -1 with a text. */
int kvmi_elems_add(kvm_t *kd, struct kvmi_elems *e, const void *from,
    size_t len);
/* Their number for *cnt: 0, or -1 with a text. */
int kvmi_elems_count(kvm_t *kd, const struct kvmi_elems *e, int *cnt);

/* Texts that stay where they are until _fini(). */
struct kvmi_texts {
	struct kvmi_textblock *head;
};

/* Copies len bytes, which have no NUL, and puts one behind: NULL with a text. */
const char *kvmi_texts_add(kvm_t *kd, struct kvmi_texts *t, const char *s,
    size_t len);
void kvmi_texts_fini(struct kvmi_texts *t);

/* ---- kvm_argv.c ---- */

/* What kvm_getargv(3) gave out last. */
struct kvmi_strings {
	char *buf;
	char **v;
};

void kvmi_strings_fini(struct kvmi_strings *s);

/* ---- kvm_regs.c ---- */

/* As kvm_getregs(), without kvmi_report(). */
int kvmi_getregs(kvm_t *kd, unsigned int cpu, struct kvm_regs *regs);

/* ---- kvm_logbuf.c: the log before Linux 5.10 ---- */

/* As kvm_log(3), without kvmi_report(). */
int kvmi_logbuf(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_logrec *rec), void *cookie);

/* ---- kvm_err.c ---- */

struct kvmi_errtext;

/*
 * Text of a dump, at most len bytes of it, for an error text: what is not
 * printable ASCII is a question mark.  Returns to, which has size bytes.
 */
const char *kvmi_shown(char *to, size_t size, const char *from, size_t len);

/* What went wrong when something was looked for that is not there. */
struct kvmi_failure {
	int error;		/* 0: nothing */
	char *text;
};

/* Remembers what was just told, unless it may go better another time. */
void kvmi_failure_note(kvm_t *kd, struct kvmi_failure *f);
/* Tells it again: -1; 0: there is nothing to tell. */
int kvmi_failure_tell(kvm_t *kd, const struct kvmi_failure *f);
void kvmi_failure_fini(struct kvmi_failure *f);

struct kvmi_errs {
	pthread_mutex_t lock;
	struct kvmi_errtext *head;	/* one for each thread that failed */
	char nomem[64];
};

int kvmi_errs_init(struct kvmi_errs *e);
void kvmi_errs_fini(struct kvmi_errs *e);
/* Stores a text for this thread and sets errno.  Returns -1. */
__attribute__((format(printf, 3, 4))) int kvmi_err(kvm_t *kd, int error,
    const char *fmt, ...);
/* The same with ": " and the error's own text behind it. */
__attribute__((format(printf, 3, 4))) int kvmi_syserr(kvm_t *kd, int error,
    const char *fmt, ...);
/* Puts the object that a layer knows before the text.  Keeps errno; -1. */
__attribute__((format(printf, 2, 3))) int kvmi_prepend(kvm_t *kd,
    const char *fmt, ...);
/*
 * Last thing in a public function that has set a text: puts the file's name
 * before it, prints it for kvm_open(), and keeps errno.
 */
void kvmi_report(kvm_t *kd);

/* ---- kvm_end.c: what the end of a raw device has ---- */

struct kvmi_end {
	bool looked;
	bool have_trailer;	/* tr is in force */
	bool have_early;	/* early goes with it, or stands alone */
	kcore_trailer_t tr;
	kcore_early_t early;	/* its first page */
};

/* ---- The descriptor ---- */

struct __kvm {
	char *execname, *corename;	/* or NULL */
	const char *errstr;		/* kvm_open()'s, or NULL */
	bool nofiles, writable;

	/* The running system: how its memory is had; NULL: a dump. */
	const struct kvmi_livemem *live;
	struct kvmi_kcore *kcore;
	struct kvmi_ksymfile *ksymfile;
	struct utsname uts;

	const struct kvmi_format *fmt;
	int fd;
	int disk;		/* that is read in its place; or -1 */
	uint64_t file_size;	/* bytes of the file or device, unwrapped */

	/* The header in force: set by kvmi_cpu_load(). */
	uint8_t *cpu;		/* the CPU segment, or NULL */
	cpu_kcore_hdr_t *hdr;	/* the same memory */
	const struct kvmi_machine *machine;
	struct kvmi_runs runs;
	bool flat_on;			/* flattened, or read from disk */
	struct kvmi_ranges flat;
	struct kvmi_packed *packed;	/* it is compressed, or NULL */
	struct kvmi_ranges where;	/* memory in a file of another format */
	struct kvmi_pages *pages;	/* of a compressed one, or NULL */
	uint64_t data_base;	/* offset of CORE_DATA in the file */
	uint64_t data_len;	/* bytes of CORE_DATA that the file has */

	struct kvmi_spill spill;
	struct kvmi_small small;
	struct kvmi_vm vm;
	struct kvmi_view view;
	struct kvmi_elf *elf;	/* the execfile, or NULL */
	struct kvmi_errs errs;

	/* Read from the dump when first asked for; NULL: not yet. */
	pthread_mutex_t lazy;	/* recursive: one may need another */
	char *info;		/* VMCOREINFO, as text */
	struct kvmi_kallsyms *kallsyms;
	struct kvmi_failure nokallsyms;
	struct kvmi_types *types;
	struct kvmi_modules *modules;
	struct kvmi_tasktype *tasktype;
	struct kvmi_orctab *orctab;
	struct kvmi_stacks *stacks;

	const struct kvmi_procops *procops; /* NULL: kvmi_procops_dead */
	struct kvmi_elems procs, oldprocs, lwps, files;
	struct kvmi_texts filetexts;
	struct kvmi_strings argv, envv;

	/* Raw device only. */
	uint64_t window;	/* bytes */
	struct kvmi_end end;
	bool tr_matches;	/* end.tr goes with the header in force */
	kcore_ckpage_t *ckpage;	/* the last one read, or NULL */
};

#endif /* _KVM_PRIVATE_H_ */
