/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h: what the parts of crashinfo(8)'s report know of each other.
 */
#ifndef _REPORT_H_
#define _REPORT_H_

#include "crashinfo.h"

#define REPORT_WHY	512u	/* bytes of a reason */
#define REPORT_PANIC	512u	/* of the panic message */

/* What several parts need; gathered once. */
struct report {
	const struct target *t;
	char *log;		/* the kernel's log as text; NULL */
	char log_why[REPORT_WHY];
	char panic[REPORT_PANIC]; /* message; empty: not known */
	int cpu;		/* that panicked; -1: not known */
	struct kinfo_lwp *lwps;	/* all threads; NULL: none are known */
	int nlwps;
	int nunread;		/* processes whose threads are not known */
	char lwps_why[REPORT_WHY]; /* of the first of them */
};

/* ---- show_report.c ---- */

/* A part of the report that can't be told, and why.  Returns 0. */
int report_why(const struct report *r, const char *why);

/* ---- report_kernel.c: variables of the kernel, and what it ran on ---- */

/* Reads len bytes of the variable: 0, or -1 with kvm_geterr()'s text. */
int kernel_read(const struct target *t, const char *name, void *buf,
    size_t len);
/* The same of 8 bytes. */
int kernel_word(const struct target *t, const char *name, uint64_t *value);
/* The CPU that panicked, which the kernel knows where the header does not; -1:
 * nobody knows. */
int kernel_panic_cpu(const struct target *t);
/* At most len - 1 bytes of the string at kva. */
int kernel_string(const struct target *t, unsigned long kva, char *buf,
    size_t len);
int report_kernel(const struct report *r);

/* ---- report_log.c ---- */

/* The log as text, or NULL with why set.  To be freed. */
char *log_get(const struct target *t, char *why, size_t len);
/* The panic message, from the header or from the log. */
void log_panic(const struct target *t, const char *log, char *buf, size_t len);
int report_log(const struct report *r);

/* ---- signature.c, crashkind.c: what crashes have in common ---- */

/* Where the functions of a signature are found. */
enum crash_where {
	CRASH_TOP,		/* where the crashed CPU was */
	CRASH_INTERRUPTED,	/* where that was interrupted */
	CRASH_VICTIM,		/* in the thread that the log names */
	CRASH_NOWHERE,		/* nowhere: it could have been any */
};
struct crash_kind {
	char text[160];
	enum crash_where where;
	int tid;		/* of the victim */
};
/*
 * Steps through the lines of a log: *line is the next one without what stands
 * before its text, *len long.  false: there is none.
 */
bool log_line(const char **at, const char **line, size_t *len);
/* What kind of crash this panic message and this log tell of. */
void crash_kind(struct crash_kind *kind, const char *panic, const char *log);
int report_signature(const struct report *r);

/* ---- taint.c ---- */

/* Letters of the taint flags that are set: 64 bytes hold them. */
char *taint_letters(uint64_t mask, char *buf, size_t len);
/* Prints what they mean. */
void taint_print(uint64_t mask);
/* The flags of the module whose struct module is at kva: 0, or -1. */
int taint_module(const struct target *t, unsigned long kva, uint64_t *mask);

/* ---- report_tasks.c ---- */

/* Gathers all threads. */
void tasks_get(struct report *r);
int report_cpus(const struct report *r);
int report_threads(const struct report *r);
int report_blocked(const struct report *r);
int report_top(const struct report *r);

/* ---- report_memory.c ---- */

int report_memory(const struct report *r);

#endif /* _REPORT_H_ */
