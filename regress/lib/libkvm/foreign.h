/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign.h: core files of other tools, written by hand from what elf(5) and
 * makedumpfile's documentation say, with the memory of an image.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stdbool.h>

#include "image.h"

#define FOREIGN_RELEASE	"6.1.0-foreign"

/* A piece of memory as a file has it. */
struct foreign_load {
	uint64_t start, size;
	uint64_t zeros;		/* bytes behind it that are zeros, and absent */
	uint64_t vaddr;
};

struct foreign {
	struct image im;	/* its path is the file's */
	struct mkmem *mem;
	struct foreign_load loads[8];
	size_t nloads;
	char info[1024];	/* VMCOREINFO */
	bool xnum;		/* ELF: number of program headers elsewhere */
	unsigned int flags;	/* kdump: how pages are compressed: 1, 2, 0x20 */
	int version;		/* kdump: 3: VMCOREINFO without notes; 6 */
	uint8_t *file;		/* what was written */
	size_t len;
	size_t headers;		/* bytes of it that are no memory */
};

/* The runs of image.c, one of them cut by zeros. */
void foreign_init(struct foreign *f);
void foreign_fini(struct foreign *f);
/* Each test has one, in *state. */
int foreign_setup(void **state);
int foreign_teardown(void **state);
#define TEST(t)	\
	cmocka_unit_test_setup_teardown(t, foreign_setup, foreign_teardown)
/* Puts f->file where it can be opened. */
void foreign_spill(struct foreign *f);
void foreign_elf(struct foreign *f);
/* The first two pages of the second piece are out, the third is zeros. */
void foreign_kdump(struct foreign *f);
/* Makes a flattened file of it, cut in pieces, the first one written last. */
void foreign_flatten(struct foreign *f);
/* Opens it: NULL with f->why. */
kvm_t *foreign_open(struct foreign *f, char *errbuf);
/* It is refused with this errno and text. */
void foreign_refused(struct foreign *f, int error, const char *text);
/* Every page that the file has is mkdump's, and zeros are zeros. */
void foreign_compare(struct foreign *f);
/* Turns each byte around, in three ways: open, read, close. */
void foreign_mutate_range(struct foreign *f, size_t from, size_t end);
/* The same from the start on; and cuts the file there, and before. */
void foreign_mutate(struct foreign *f, size_t end);

#endif /* FOREIGN_H */
