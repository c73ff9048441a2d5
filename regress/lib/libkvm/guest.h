/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.h: the memory of a small kernel, put together piece by piece, and a
 * core file of it, for tests of what libkvm finds in a kernel.
 */
#ifndef GUEST_H
#define GUEST_H

#include "image.h"

#define GUEST_PADDR	0x100000u	/* of the pieces */
#define GUEST_SIZE	0x10000u
#define GUEST_INFO	0x92000u	/* of the VMCOREINFO note */

struct guest {
	struct image im;
	uint8_t mem[GUEST_SIZE];
	size_t used;
	uint64_t base;		/* address of mem[0] in the guest */
	char info[3072];	/* VMCOREINFO's text */
	char memfile[64];
	struct mkdump_poke pokes[2];
};

void guest_init(struct guest *g);
void guest_fini(struct guest *g);
/* Puts bytes into memory at the next address of that alignment; its address. */
uint64_t guest_put(struct guest *g, const void *data, size_t len,
    size_t align);
/* Where a piece is in mem[]. */
uint8_t *guest_at(struct guest *g, uint64_t va);
/* Where in the core file the byte at a physical address is. */
uint64_t guest_offset(struct guest *g, uint64_t pa);
/* Adds a line to VMCOREINFO. */
__attribute__((format(printf, 2, 3))) void guest_info(struct guest *g,
    const char *fmt, ...);
/* Writes the core file and opens it; again if it is open. */
void guest_make(struct guest *g);
void guest_open(struct guest *g);
/*
 * For each byte of len at va: inverts bits of it in the core file, opens that
 * and calls look, which must come back.  A call that fails must leave a text.
 */
void guest_mutate(struct guest *g, uint64_t va, size_t len,
    void (*look)(struct guest *g));
/* The same for the text of VMCOREINFO. */
void guest_mutate_info(struct guest *g, void (*look)(struct guest *g));
/* -1 has a text, as look has to check. */
void guest_result(struct guest *g, long rv);

/* A look at the kernel log. */
void guest_dmesg(struct guest *g);

/* A symbol table, encoded as scripts/kallsyms.c says. */
enum ksyms_form { KSYMS_ADDRESSES, KSYMS_PERCPU, KSYMS_BASE, KSYMS_PLACE };

struct ksyms_sym {
	uint64_t addr;		/* small: per-CPU */
	char type;
	const char *name;
};

/* Encodes symbols, which are sorted by address, and notes where they are. */
void ksyms_put(struct guest *g, enum ksyms_form form, bool addresses_last,
    const struct ksyms_sym *syms, size_t n);
/* The same as before Linux 6.0, which does not say where they are. */
void ksyms_put_silent(struct guest *g, const struct ksyms_sym *syms, size_t n);

#endif /* GUEST_H */
