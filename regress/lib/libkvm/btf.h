/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btf.h: writes BTF (Documentation/bpf/btf.rst of Linux) word by word.  Types
 * are numbered from 1 in the order in which they are written.
 */
#ifndef BTF_H
#define BTF_H

#include "guest.h"

enum { BTF_INT = 1, BTF_PTR, BTF_ARRAY, BTF_STRUCT, BTF_UNION, BTF_ENUM,
	BTF_FWD, BTF_TYPEDEF, BTF_VOLATILE, BTF_CONST };
#define BTF_BITFIELDS	0x80u	/* with BTF_STRUCT */

void btf_begin(void);
/* What goes on where the one written before ends: names and numbers as well. */
void btf_begin_split(void);
/* size: or the type that it refers to. */
void btf_type(const char *name, unsigned int kind, uint32_t vlen,
    uint32_t size);
void btf_member(const char *name, uint32_t id, uint32_t bits, uint32_t bit);
void btf_array(uint32_t id, uint32_t n);
void btf_word(uint32_t w);
/* The offset of a name among the strings. */
uint32_t btf_str(const char *name);
/* Puts all of it into memory; its address. */
uint64_t btf_put(struct guest *g);
size_t btf_size(void);

#endif /* BTF_H */
