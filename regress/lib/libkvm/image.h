/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h: dumps made by regress/mkdump, opened with libkvm, for these tests.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kvm.h"
#include "mkdump.h"

struct image {
	struct mkdump_spec spec;
	struct mkdump_info info;
	char path[64];
	int fd;			/* of that file, for what a test does to it */
	kvm_t *kd;		/* or NULL */
};

/* A raw dump of 1 MiB: few enough bytes to change each of them. */
void image_init(struct image *im);
/* Writes what im->spec says; opens it too, with flags. */
void image_write(struct image *im);
void image_open(struct image *im, int flags);
/* Writes, opens for reading and writing, and puts the header in force. */
void image_make(struct image *im);
/* Closes and removes. */
void image_fini(struct image *im);

/* The file's bytes. */
void image_get(const struct image *im, uint64_t off, void *buf, size_t len);
void image_put(const struct image *im, uint64_t off, const void *buf,
    size_t len);

/* The last error of im->kd contains text. */
void image_says(const struct image *im, const char *text);

#endif /* IMAGE_H */
