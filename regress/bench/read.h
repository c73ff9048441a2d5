/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.h: what the programs that read a dump for the benchmarks share: each
 * reads the same places and prints what shows that it did.
 */
#ifndef _READ_H_
#define _READ_H_

#include <stddef.h>
#include <stdint.h>

/* How a program reads kernel memory: ends the program where it can't. */
typedef void read_fn(void *cookie, uint64_t addr, void *buf, size_t len);

/*
 * The words at the addresses in a file, or the first word of each page of the
 * ranges in a file: their exclusive or, and the seconds that the reads took.
 */
void read_random(read_fn *fn, void *cookie, const char *path);
void read_sequential(read_fn *fn, void *cookie, const char *path);

#endif /* _READ_H_ */
