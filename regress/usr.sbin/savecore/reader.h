/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.h: what other tools' libraries make of the files that savecore writes.
 */
#ifndef READER_H
#define READER_H

#include <gelf.h>

#include "saving.h"

#define PAGE	4096u
#define UNREADABLE 0x180000u	/* could not be read: mkmem does not know */

/* What libelf makes of a file. */
struct elf {
	int fd;
	Elf *elf;
	size_t nphdrs;
};

void elf_open(struct sandbox *s, struct elf *e, const char *name);
void elf_close(struct elf *e);
/* How many notes of a name and type there are. */
unsigned int elf_notes(struct elf *e, const char *name, uint32_t type);
/*
 * Checks each page of all headers against mkdump's memory: those of data, and
 * those that are zeros.  The pages there are.
 */
uint64_t elf_compare(struct elf *e, const struct mkdump_spec *spec,
    uint64_t *zeros);
/*
 * Checks each page that libkdumpfile finds in a file against mkdump's memory,
 * and that it finds those that are there and no others: how many.
 */
uint64_t peer_compare(struct sandbox *s, const char *name,
    const struct mkdump_spec *spec, bool (*there)(uint64_t paddr));

#endif /* READER_H */
