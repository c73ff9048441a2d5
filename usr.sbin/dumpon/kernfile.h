/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernfile.h: small text files of /sys, /proc and /dev.
 *
 * Every path is formatted and put under one root, which a test build moves to
 * a tree of its own.
 */
#ifndef _KERNFILE_H_
#define _KERNFILE_H_

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef KERNFILE_FAKE_ROOT
const char *kernfile_root(void);
#else
#define kernfile_root()	""
#endif

#define KERNFILE_FMT(a, b) __attribute__((format(printf, a, b)))

/* The whole path: 0, or -1 with ENAMETOOLONG. */
int kernfile_path(char *buf, size_t len, const char *fmt, ...)
    KERNFILE_FMT(3, 4);

/* open(2). */
int kernfile_open(int flags, const char *fmt, ...) KERNFILE_FMT(2, 3);

bool kernfile_exists(const char *fmt, ...) KERNFILE_FMT(1, 2);

/*
 * Reads a file into buf, terminated, without its last newline: the bytes, or
 * -1.  What does not fit is left out.
 */
ssize_t kernfile_read(char *buf, size_t len, const char *fmt, ...)
    KERNFILE_FMT(3, 4);

/* Reads a decimal number: 0, or -1. */
int kernfile_number(uint64_t *value, const char *fmt, ...) KERNFILE_FMT(2, 3);

/* Writes text with one write(2): 0, or -1. */
int kernfile_write(const char *text, size_t len, const char *fmt, ...)
    KERNFILE_FMT(3, 4);

#endif /* _KERNFILE_H_ */
