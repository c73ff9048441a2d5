/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h: a dump, a directory and a list of arm ids for a savecore of its
 * own, and what is true of them afterwards.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mkdump.h"

struct sandbox {
	char root[64];
	char image[96];		/* the dump device */
	char dir[96];		/* the directory for cores */
	struct mkdump_info info;
	unsigned char *orig;	/* the image as it was made */
	size_t orig_len;
	unsigned char *core;	/* the core that must come of it */
	size_t core_len;
	unsigned char *scratch;	/* core_len + 1 bytes */
	char said[32768];	/* standard output and error of the last run */
	const char *inject_at;	/* or NULL */
	const char *inject_how;
	bool no_sigchld;	/* it is started with SIGCHLD ignored */
	bool no_direct;		/* nothing can be read or written with O_DIRECT */
	const char *free_kib;	/* "first then", or NULL: what there is */
	unsigned long calls;	/* of the last run */
	unsigned long fsize;	/* largest file it may write; 0: any */
	const char *out;	/* a file in dir: what came out of a pipe that is
				   its standard output; NULL: goes to said */
	enum {
		SANDBOX_SAID,
		SANDBOX_BROKEN_PIPE,
		SANDBOX_TERMINAL,
		SANDBOX_READONLY,
	} out_fd;		/* standard output, where out is NULL */
};

void sandbox_create(struct sandbox *s);
void sandbox_destroy(struct sandbox *s);

/* A small dump of now; change it and give it to sandbox_image(). */
void sandbox_spec(struct mkdump_spec *spec);
/* Writes it to s->image, and the list with its id. */
void sandbox_image(struct sandbox *s, const struct mkdump_spec *spec);
/* A list with the dump's id, and the level asked for when it was armed. */
void sandbox_armed(struct sandbox *s, const struct mkdump_spec *spec,
    const char *level);
/* Puts the same image back, and empties the directory. */
void sandbox_reset(struct sandbox *s);

/* A file under the root. */
void sandbox_file(struct sandbox *s, const char *path, const char *text);
/* The path under the root, until the next call. */
const char *sandbox_path(const struct sandbox *s, const char *path);

/* Runs savecore; arguments end with NULL.  Exit status, or -signal. */
int sandbox_run(struct sandbox *s, ...);

/* The image is bit-identical. */
bool sandbox_untouched(const struct sandbox *s);
/* The file in the directory is, decompressed, the core that must come of it. */
bool sandbox_good(const struct sandbox *s, const char *name);
/* Page 0 is as it was, all else is zeros, and the size is the same. */
bool sandbox_wiped(const struct sandbox *s);
/* Nothing that swap could hold has changed: everything below dumplo. */
bool sandbox_swap_untouched(const struct sandbox *s);
bool sandbox_page0_untouched(const struct sandbox *s);
/* The calls of the last run, as inject.c writes them; free(3) it. */
char *sandbox_calls(const struct sandbox *s);
bool sandbox_has(const struct sandbox *s, const char *name);
void sandbox_assert_said(const struct sandbox *s, const char *what);

#endif /* SANDBOX_H */
