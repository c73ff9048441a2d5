/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_machine.h: what differs between machines: page tables, registers; the
 * part of kvm_private.h that few files need.
 */
#ifndef _KVM_MACHINE_H_
#define _KVM_MACHINE_H_

#include "kvm_private.h"

/* ---- kvm_x86_64.c: page tables ---- */

enum kvmi_walk_end {
	KVMI_WALK_OK,
	KVMI_WALK_NONCANONICAL,	/* not an address at all */
	KVMI_WALK_NOTPRESENT,	/* entry at level says not mapped */
	KVMI_WALK_RESERVED,	/* entry at level has bits it must not have */
	KVMI_WALK_NOENTRY,	/* entry at level can't be read */
};

struct kvmi_walk {
	kpaddr_t root;
	unsigned int levels;
	uint64_t enc_mask;	/* bits of an entry that are no address */
	/* Gets the 8 bytes at pa: 0, or -1. */
	int (*fetch)(void *cookie, kpaddr_t pa, uint64_t *entry);
	void *cookie;
};

struct kvmi_xlat {
	kpaddr_t pa;		/* of the address asked for */
	uint64_t size;		/* of the page that holds it */
	unsigned int level;	/* where the walk ended: 1 is the last */
	uint64_t entry;		/* the entry there */
};

enum kvmi_absent {
	KVMI_ABSENT_NONE,	/* there is no page */
	KVMI_ABSENT_HIDDEN,	/* it is in memory, not to be touched: pa, size
				   are those of a page */
	KVMI_ABSENT_SWAP,	/* it is in swap */
	KVMI_ABSENT_OTHER,	/* it is moved or poisoned, or a device's */
};

struct kvmi_swap {
	unsigned int area;
	uint64_t page;
};

/* Registers in an NT_PRSTATUS note: 8 bytes each. */
struct kvmi_regset {
	size_t note_size, tid_off, regs_off;
	unsigned int n, pc, sp, fp;	/* number of names[], places in it */
	const char *const *names;
};

struct kvmi_cursor;

/*
 * One machine.  To add one: write its walk and its unwind, name it in
 * kvmi_machines[].
 */
struct kvmi_machine {
	uint32_t mid;
	const char *name;
	unsigned int levels_min, levels_max;
	unsigned int elf_machine;	/* EM_*; its name is uname(1)'s too */
	kvaddr_t text_min;	/* KASLR moves symbols from here on */
	/* VMCOREINFO: page tables; whether there is a level more; enc_mask. */
	const char *info_root, *info_levels, *info_enc;
	const struct kvmi_regset *regset;
	enum kvmi_walk_end (*walk)(const struct kvmi_walk *w, kvaddr_t va,
	    struct kvmi_xlat *x);
	/*
	 * From a frame to its caller's: 0; KVM_BT_*: there is none, with a text
	 * where that is not as it should be; -1: with a text.
	 */
	int (*unwind)(kvm_t *kd, struct kvmi_cursor *c);
	/* What a walk that ended with NOTPRESENT in a process means. */
	enum kvmi_absent (*absent)(const struct kvmi_walk *w, kvaddr_t va,
	    struct kvmi_xlat *x, struct kvmi_swap *swap);
};

extern const struct kvmi_machine kvmi_x86_64;
/* NULL: not known. */
const struct kvmi_machine *kvmi_machine_find(uint32_t mid);
/* The one that this program runs on. */
const struct kvmi_machine *kvmi_machine_here(void);
const struct kvmi_machine *kvmi_machine_elf(unsigned int elf_machine);
/* By uname(1)'s name, in len bytes. */
const struct kvmi_machine *kvmi_machine_name(const char *name, size_t len);

#endif /* _KVM_MACHINE_H_ */
