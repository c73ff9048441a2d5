/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakefile.h: a swap file whose extents, and mappings whose tables, are what a
 * test says.
 */
#ifndef FAKEFILE_H
#define FAKEFILE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWAPFILE	"/swap/file"

struct fake_extent {
	uint64_t logical, physical, length;	/* bytes */
	uint32_t flags;
};

/* SWAPFILE, on the device 259:minor with a file system of this magic number. */
void fakefile_make(uint64_t size, const char *signature, uint64_t magic,
    unsigned int minor);
/* There is none: its inode may be another file's now. */
void fakefile_forget(void);
void fakefile_extents(const struct fake_extent *ext, size_t n);
/* The file's extended attributes (FS_XFLAG_*). */
void fakefile_xflags(uint32_t xflags);
/* It is on the mapping instead. */
void fakefile_volume(void);
/* What fstat(2) says of SWAPFILE; false: it is another file. */
bool fakefile_stat(struct stat *st);

/* A mapping 253:0, /dev/dm-0, and its table as text: "start count type params"
 * in each line. */
void fakefile_mapping(const char *table, const char *signature);
void fakefile_table(const char *table);

#endif /* FAKEFILE_H */
