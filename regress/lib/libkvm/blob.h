/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob.h: dumps some bytes of which are anybody's, for tests that damage them
 * (mutate_test.c) and for the fuzzer (fuzz.c).  What is asked of such a dump
 * must come back, and a call that fails must leave a text.
 */
#ifndef BLOB_H
#define BLOB_H

#include "guest.h"

#define BLOB_MAX	0x12000u	/* bytes of an input */

/* One reader.  To add one: write it, name it in blobs[]. */
struct blob {
	const char *name;
	/*
	 * Makes the dumps, when first called.  Puts a good input into buf, of
	 * BLOB_MAX bytes: its size, or 0: there are not that many.
	 */
	size_t (*seed)(unsigned int n, uint8_t *buf);
	/* Asks everything that these bytes have to do with. */
	void (*look)(const uint8_t *data, size_t size);
};

extern const struct blob blob_core, blob_raw, blob_packed, blob_elf,
    blob_kdump, blob_flat, blob_tables, blob_kallsyms, blob_btf, blob_log,
    blob_tasks;
/* NULL ends them. */
extern const struct blob *const blobs[];

/* A part of a dump that an input replaces. */
struct blob_area {
	uint64_t off;		/* in the file */
	size_t size;
	uint8_t *good;		/* what was there */
};

void blob_area_init(struct blob_area *a, const struct image *im, uint64_t off,
    size_t size);
/* Takes what the area is from the input, as far as there is any. */
void blob_area_take(const struct blob_area *a, const uint8_t **data,
    size_t *size, uint8_t *buf);
/* Closes the dump and unlinks its file, which im->fd keeps. */
void blob_keep(struct image *im);
/* NULL: it can't be opened, and there is a text. */
kvm_t *blob_open(const struct image *im);
/* -1 has a text. */
void blob_result(kvm_t *kd, long rv);

/* What is asked of any dump. */
void blob_ask(kvm_t *kd, const struct image *im);
/* The same, where the input is the whole file. */
void blob_whole(struct image *im, const uint8_t *data, size_t size);

#endif /* BLOB_H */
