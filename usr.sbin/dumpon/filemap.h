/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filemap.h: where a file's bytes are on the block device beneath it.
 */
#ifndef _FILEMAP_H_
#define _FILEMAP_H_

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <kvm.h>

#define FILEMAP_MAX	16384u	/* extents; the module takes no more */

struct filemap {
	struct kvm_extent *ext;	/* in the order of the file */
	size_t next;
	uint64_t size;		/* bytes of them: whole pages of the file */
	bool unwritten;		/* some of it reads as zeros whatever is there */
	unsigned int major;	/* the block device */
	unsigned int minor;
	char why[256];		/* after -1: what is wrong, and a remedy */
};

/* Syncs the file and asks its file system: 0; -1 with a reason in why, and
 * nothing to free. */
int filemap_read(struct filemap *m, int fd);
void filemap_free(struct filemap *m);

/* The node in /dev of a block device: 0, or -1 with errno. */
int filemap_node(char node[PATH_MAX], unsigned int major, unsigned int minor);

#endif /* _FILEMAP_H_ */
