/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmtable.h: the table of a mapping of the device mapper.
 */
#ifndef _DMTABLE_H_
#define _DMTABLE_H_

#include <stddef.h>
#include <stdint.h>

struct dmtable_line {
	uint64_t start;		/* 512-byte sector of the mapping */
	uint64_t count;
	char type[32];
	char params[256];
};

struct dmtable {
	struct dmtable_line *lines;
	size_t n;
};

/* The table in force: 0, or -1 with errno and nothing to free. */
int dmtable_read(struct dmtable *t, unsigned int major, unsigned int minor);
void dmtable_free(struct dmtable *t);

#endif /* _DMTABLE_H_ */
