/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * livetree.h: a directory with files as the running kernel has them in /proc,
 * /sys and /dev, and a descriptor that is told to look there.
 */
#ifndef LIVETREE_H
#define LIVETREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kvm_live.h"

struct livetree {
	char dir[64];
	kvm_t *kd;
};

/* An empty tree, opened. */
void livetree_init(struct livetree *t, const char *corefile, int flags);
void livetree_fini(struct livetree *t);
/* Opens it anew: what was read before is forgotten. */
void livetree_reopen(struct livetree *t, const char *execfile,
    const char *corefile, int flags);
/* Writes a file below it, and the directories that it is in. */
void livetree_put(struct livetree *t, const char *path, const void *data,
    size_t len);
__attribute__((format(printf, 3, 4))) void livetree_text(struct livetree *t,
    const char *path, const char *fmt, ...);
void livetree_link(struct livetree *t, const char *path, const char *target);
void livetree_remove(struct livetree *t, const char *path);
/* The last error contains text, and had that errno. */
void livetree_says(const struct livetree *t, int error, const char *text);

#endif /* LIVETREE_H */
