/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashinfo.h: what the parts of crashinfo(8) know of each other.
 */
#ifndef _CRASHINFO_H_
#define _CRASHINFO_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kvm.h>

#define JSON_DEPTH	16u

struct json {
	bool more;		/* a value stands before the next one */
	unsigned int depth;	/* objects and arrays that are open */
	char open[JSON_DEPTH];
};

/* What is looked at.  Constant once opened. */
struct target {
	const char *core;	/* name; NULL: the running system */
	kvm_t *kd;
	struct json *js;	/* NULL: text is wanted */
	const char *key;	/* of what is shown, in JSON; NULL: of nothing */
	bool threads;		/* ps: of each process */
	int argc;		/* the command and its own arguments */
	char **argv;
	bool early;		/* only an early record is there */
	struct kvm_dumpinfo di;	/* of a raw device */
};

/*
 * One thing that can be shown.  To add one: write its function in a file
 * show_NAME.c, declare it below, name it in shows[] (crashinfo.c) and describe
 * it in crashinfo.8.
 */
struct show {
	const char *name;
	/*
	 * Prints it: 0; -1 with kvm_geterr()'s text set; 1: has told what is
	 * wrong.
	 */
	int (*run)(const struct target *t);
	bool early;		/* can do with an early record alone */
	const char *args;	/* its own, for usage(); NULL: none */
};

/* Prints how to use it, and exits; wrong() says what is wrong, and where. */
void usage(void) __attribute__((noreturn));
void wrong(const char *where, const char *what) __attribute__((noreturn));
/* The command's own next option, as getopt(3) does with "+:...": -1: none.  Of a
 * wrong one it says so, and exits. */
int next_option(const struct target *t, const char *options);

int show_bt(const struct target *t);
int show_dmesg(const struct target *t);
int show_files(const struct target *t);
int show_modules(const struct target *t);
int show_nm(const struct target *t);
int show_ps(const struct target *t);
int show_regs(const struct target *t);
int show_report(const struct target *t);
int show_uptime(const struct target *t);

/* Text of the log made safe for a terminal, as newlines and tabs are. */
void dmesg_print(const char *text, size_t len);

/* ---- target.c ---- */

/* Opens a core file, a raw device or the running system, or exits with a
 * message. */
void target_open(struct target *t, const char *kernel, const char *core);

/* Is not all of the dump there?  Then text says so. */
bool target_incomplete(const struct target *t, char *text, size_t len);

/* Is it the running system? */
bool target_is_live(const struct target *t);

/* ---- json.c: JSON on standard output ---- */

/* Values of an object have a key; elements of an array, NULL. */
void json_open(struct json *js, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *js);
/* Closes what was opened since it had this depth. */
void json_unwind(struct json *js, unsigned int depth);
void json_text(struct json *js, const char *key, const char *text, size_t len);
/* s NULL: null. */
void json_string(struct json *js, const char *key, const char *s);
void json_number(struct json *js, const char *key, uint64_t n);
void json_signed(struct json *js, const char *key, int64_t n);
/* With two decimals. */
void json_real(struct json *js, const char *key, double d);
/* As "0x...". */
void json_address(struct json *js, const char *key, uint64_t n);
void json_bool(struct json *js, const char *key, bool b);
void json_null(struct json *js, const char *key);

#endif /* _CRASHINFO_H_ */
