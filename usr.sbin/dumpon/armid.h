/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * armid.h: the list of arm ids that dumpon(8) made.
 *
 * A dump carries the id of the arming it belongs to.  savecore(8) believes a
 * dump only if its id is on the list, because anything can be in swap.
 */
#ifndef _ARMID_H_
#define _ARMID_H_

#include <stddef.h>
#include <stdint.h>

#include <sys/kcore.h>

#define ARMID_DIR	"/var/lib/swapcore"
#define ARMID_FILE	"armid"
#define ARMID_MAX	1024	/* entries kept: one a device and an arming */
#define ARMID_DEVLEN	256	/* the module takes no longer names */
#define ARMID_TEXTLEN	(2 * KCORE_IDLEN + 1)

struct armid_list {
	size_t n;
	unsigned char ids[ARMID_MAX][KCORE_IDLEN];
	int levels[ARMID_MAX];	/* dump level asked for; -1: not noted */
	char devices[ARMID_MAX][ARMID_DEVLEN];	/* "": not noted */
};

/* 32 hex digits and a NUL. */
void armid_text(char text[ARMID_TEXTLEN], const unsigned char id[KCORE_IDLEN]);

/*
 * The ids on the list, oldest first; none if there is no list.  0, or -1 with
 * a warning printed.
 */
int armid_read(struct armid_list *list);

/* Puts id at the end of the list, on stable storage: 0, or -1 with a warning
 * printed. */
int armid_append(const unsigned char id[KCORE_IDLEN], const char *device,
    int level);

#endif /* _ARMID_H_ */
