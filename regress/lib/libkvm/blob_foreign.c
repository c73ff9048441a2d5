/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob_foreign.c: core files of other tools, whole, as an input: ELF,
 * makedumpfile's format, and either of them flattened.
 */
#include <string.h>

#include "blob.h"
#include "foreign.h"

static struct foreign foreign;

/* As little memory as page tables fit in. */
static struct foreign *
foreign_make(void)
{
	static const uint64_t direct = 0xffff888000000000;
	struct foreign *f = &foreign;

	if (f->mem == NULL) {
		foreign_init(f);
		blob_keep(&f->im);
	}
	memcpy(f->loads, (struct foreign_load[]){
		{ 0x100000, 0x1000, 0, MKDUMP_TEXT_VA + f->im.spec.slide },
		{ 0x1000, 0x4000, 0, direct + 0x1000 },
		{ 0xa0000, 0x6000, 0x3000, direct + 0xa0000 },
	}, 3 * sizeof(f->loads[0]));
	f->nloads = 3;
	f->xnum = false;
	f->flags = 1;
	f->version = 6;
	return f;
}

static size_t
foreign_take(const struct foreign *f, uint8_t *buf)
{
	assert_in_range(f->len, 1, BLOB_MAX);
	memcpy(buf, f->file, f->len);
	return f->len;
}

static void
foreign_look(const uint8_t *data, size_t size)
{
	blob_whole(&foreign_make()->im, data, size);
}

static size_t
elf_seed(unsigned int n, uint8_t *buf)
{
	struct foreign *f = foreign_make();

	if (n >= 2)
		return 0;
	f->xnum = n == 1;
	foreign_elf(f);
	return foreign_take(f, buf);
}

const struct blob blob_elf = { "elf", elf_seed, foreign_look };

/* With pages by zlib, LZO and zstd, and in the version without notes. */
static size_t
kdump_seed(unsigned int n, uint8_t *buf)
{
	static const unsigned int flags[] = { 1, 2, 0x20, 1 };
	struct foreign *f = foreign_make();

	if (n >= 4)
		return 0;
	f->flags = flags[n];
	f->version = n == 3 ? 3 : 6;
	foreign_kdump(f);
	return foreign_take(f, buf);
}

const struct blob blob_kdump = { "kdump", kdump_seed, foreign_look };

static size_t
flat_seed(unsigned int n, uint8_t *buf)
{
	struct foreign *f = foreign_make();

	if (n >= 2)
		return 0;
	if (n == 0)
		foreign_elf(f);
	else
		foreign_kdump(f);
	foreign_flatten(f);
	return foreign_take(f, buf);
}

const struct blob blob_flat = { "flat", flat_seed, foreign_look };
