/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_live.h: the running system; the part of kvm_private.h that few files need.
 */
#ifndef _KVM_LIVE_H_
#define _KVM_LIVE_H_

#include "kvm_private.h"

/* ---- kvm_live.c: the running system ---- */

/*
 * Where its memory is had from.  To add one: write a table, name it in
 * kvmi_livemems[] (kvm_live.c).  Nothing is opened before it is asked for.
 */
struct kvmi_livemem {
	const char *name;	/* the file; NULL: not to be read at all */
	/* As kvmi_read_some(). */
	int (*read)(kvm_t *kd, kvaddr_t va, void *buf, size_t len,
	    size_t *done);
	int (*write)(kvm_t *kd, kvaddr_t va, const void *buf, size_t len,
	    size_t *done);
	/* As kvmi_phys_read(); NULL: addresses are not translated here. */
	ssize_t (*phys_read)(kvm_t *kd, kpaddr_t pa, void *buf, size_t len);
};

extern const struct kvmi_livemem kvmi_livemem_kcore, kvmi_livemem_devmem,
    kvmi_livemem_none;

/* What corefile, or flags, name of the running system; NULL: not that. */
const struct kvmi_livemem *kvmi_live_find(const char *corefile, int flags);
/* 0: kd is the running system, and not without files; -1 with a text. */
int kvmi_live_need(kvm_t *kd);
void kvmi_live_fini(kvm_t *kd);
/* The public functions on a running system, without kvmi_report(). */
int kvmi_live_ncpus(kvm_t *kd);
const char *kvmi_live_release(kvm_t *kd);
int kvmi_live_uptime(kvm_t *kd, struct timespec *up, struct timespec *now);
/* Is the execfile the running kernel?  How far was that moved? */
int kvmi_live_check_kernel(kvm_t *kd);
int kvmi_live_slide(kvm_t *kd, uint64_t *slide);
/* The BTF of the running kernel, to be freed; NULL with a text. */
void *kvmi_live_btf(kvm_t *kd, size_t *size);

/* ---- kvm_livefile.c: its files ---- */

/* The directory that they are below; tests have one of their own. */
extern const char *kvmi_live_root;

/* Opens a file: a descriptor, or -1 with a text that says what is missing. */
int kvmi_live_open(kvm_t *kd, const char *path, int flags);
/* All of a file, NUL behind it, to be freed; NULL with a text. */
char *kvmi_live_load(kvm_t *kd, const char *path, size_t max, size_t *len);
/* As much of an open file as there is, up to max; what is its name. */
char *kvmi_live_take(kvm_t *kd, int fd, const char *what, size_t max,
    size_t *len);
/* The number that a file holds; -1: it can't be had. */
long kvmi_live_number(const char *path);
/* Reads fd to its end or len: bytes read, or -1 with errno. */
ssize_t kvmi_live_read(int fd, void *buf, size_t len);

/* ---- kvm_ksymfile.c, kvm_modfile.c: /proc/kallsyms, /proc/modules ---- */

struct kvmi_ksymfile;

/* Reads it when first asked: NULL with a text.  Any thread. */
const struct kvmi_ksymfile *kvmi_ksymfile(kvm_t *kd);
void kvmi_ksymfile_free(struct kvmi_ksymfile *kf);
/* As those of kallsyms; in that module alone, if it is not NULL. */
bool kvmi_ksymfile_lookup(const struct kvmi_ksymfile *kf, const char *name,
    const char *module, char *type, uint64_t *value);
int kvmi_ksymfile_each(const struct kvmi_ksymfile *kf,
    int (*fn)(void *cookie, const struct kvm_sym *sym), void *cookie);
/* The symbol that addr is in, and its bytes: 0, or -1 with a text. */
int kvmi_ksymfile_at(kvm_t *kd, kvaddr_t addr, struct kvm_sym *sym,
    uint64_t *size);

/* As kvm_modules(), without kvmi_report(). */
int kvmi_modfile_each(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_module *mod), void *cookie);

/* ---- kvm_kmsg.c: /dev/kmsg ---- */

/* As kvm_log(), without kvmi_report(). */
int kvmi_kmsg_each(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_logrec *rec), void *cookie);

/* ---- kvm_procstat.c: /proc/PID/stat and status ---- */

struct kvmi_procstat {
	int32_t pid, ppid, pgrp, session;
	uint32_t tty, flags, cpu;
	int nice;
	uint64_t nthreads;
	uint64_t start, utime, stime, ctime;	/* ticks */
	uint64_t vsize;		/* bytes */
	uint64_t rss;		/* pages */
	char state;		/* ps(1)'s letter */
	char comm[64];
};

struct kvmi_procstatus {
	int32_t tgid;
	uint32_t uid[3], gid[3];	/* real, effective, saved */
};

/* They take a text apart; false: it makes no sense. */
bool kvmi_procstat_parse(const char *text, struct kvmi_procstat *ps);
bool kvmi_procstatus_parse(const char *text, struct kvmi_procstatus *st);

/* ---- kvm_procfs.c, kvm_procfd.c, kvm_procstack.c: /proc/PID ---- */

/* Does this errno say that a process has ended, or is hidden? */
bool kvmi_procfs_gone(int error);
/* The directory of process pid, and its stat; -1 with a text. */
int kvmi_procfs_open(kvm_t *kd, int pid, struct kvmi_procstat *ps);
/* The start of a file in it, NUL behind: 1; 0: gone; -1 with a text. */
int kvmi_procfs_text(kvm_t *kd, int dir, const char *name, char *buf,
    size_t len);
/* As in struct kvmi_procops. */
int kvmi_procfs_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env,
    size_t max, char **buf, size_t *len);
int kvmi_procfs_files(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts);
/* As kvm_backtrace_tid(), without kvmi_report(). */
int kvmi_procstack(kvm_t *kd, int tid, int (*fn)(void *cookie,
    const struct kvm_frame *frame), void *cookie);

#endif /* _KVM_LIVE_H_ */
