/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_symbols.h: the names of addresses, and what is there: symbols, modules,
 * structures; the part of kvm_private.h that not all files need.
 */
#ifndef _KVM_SYMBOLS_H_
#define _KVM_SYMBOLS_H_

#include "kvm_private.h"

/* ---- kvm_names.c ---- */

#define KVMI_NAMES_END	UINT32_MAX

/* Chains of numbers: *kvmi_names_head() is the first, next[i] follows i. */
struct kvmi_names {
	uint32_t mask;
	uint32_t *head, *next;
};

/* The hash is FNV-1a, which can be taken byte by byte. */
#define KVMI_HASH_BASIS	2166136261u

static inline uint32_t
kvmi_hash_byte(uint32_t h, uint8_t byte)
{
	return (h ^ byte) * 16777619u;
}

static inline uint32_t *
kvmi_names_head(const struct kvmi_names *t, uint32_t hash)
{
	return &t->head[(hash ^ hash >> 15) & t->mask];
}

/* For numbers below n: 0, or -1: no memory. */
int kvmi_names_init(struct kvmi_names *t, uint32_t n);
void kvmi_names_fini(struct kvmi_names *t);
uint32_t kvmi_names_hash(const char *name);
/* The number added last is the first of its chain. */
void kvmi_names_add(struct kvmi_names *t, uint32_t hash, uint32_t i);

/* ---- kvm_ksearch.c: where the kernel's own symbol table is ---- */

struct kvmi_ksparts {
	kvaddr_t num, names, tokens, index;
	kvaddr_t values;	/* addresses, if wide; else offsets */
	bool wide;
	kvaddr_t base;		/* of what offsets are relative to; 0: none */
};

/* Asks VMCOREINFO, or looks through the image: 0, or -1 with a text. */
int kvmi_ksparts(kvm_t *kd, struct kvmi_ksparts *p);

/* ---- kvm_kallsyms.c: the kernel's own symbol table ---- */

#define KVMI_SYMLEN	512u	/* KSYM_NAME_LEN: a name with its NUL */

struct kvmi_kallsyms;

/* Reads it when first asked: NULL with a text.  Any thread. */
const struct kvmi_kallsyms *kvmi_kallsyms(kvm_t *kd);
void kvmi_kallsyms_free(struct kvmi_kallsyms *ks);
/* By name: the global one of several, else the first. */
bool kvmi_kallsyms_lookup(const struct kvmi_kallsyms *ks, const char *name,
    char *type, uint64_t *value);
/* The symbol, from min on, that addr is in; name has KVMI_SYMLEN bytes. */
bool kvmi_kallsyms_at(const struct kvmi_kallsyms *ks, kvaddr_t min,
    kvaddr_t addr, char *name, uint64_t *value);
/* Where the next symbol behind an address is. */
uint64_t kvmi_kallsyms_behind(const struct kvmi_kallsyms *ks, uint64_t value);
/* All, in order, until fn returns other than 0, which is returned. */
int kvmi_kallsyms_each(const struct kvmi_kallsyms *ks,
    int (*fn)(void *cookie, const struct kvm_sym *sym), void *cookie);

/* ---- kvm_module.c, kvm_modsym.c: modules and their symbols ---- */

#define KVMI_MODPIECES	16u

struct kvmi_module {
	char name[64];
	kvaddr_t addr;		/* of struct module */
	uint64_t size;		/* of all pieces */
	int state;		/* KVM_MODULE_* */
	unsigned int npieces;	/* the first has the code */
	struct kvmi_piece {
		uint64_t base, size;
	} piece[KVMI_MODPIECES];
	uint32_t first, end;	/* its symbols in syms[] */
};

struct kvmi_modsym {
	uint64_t addr;
	uint32_t name;		/* in strings[] */
	uint16_t module;	/* in list[] */
	char letter;		/* nm(1)'s */
};

struct kvmi_modules {
	struct kvmi_module *list;
	size_t n;
	struct kvmi_modsym *syms;
	uint32_t nsyms;
	char *strings;
	size_t strings_len;
	struct kvmi_names index;	/* of syms[] */
	struct kvmi_failure damage;	/* why there may be more */
};

/* Reads them when first asked: NULL with a text.  Any thread. */
const struct kvmi_modules *kvmi_modules(kvm_t *kd);
void kvmi_modules_free(struct kvmi_modules *ms);
/* Reads the symbols of all modules: 0, or -1 with a text. */
int kvmi_modsyms_init(kvm_t *kd, struct kvmi_modules *ms);
void kvmi_modsyms_fini(struct kvmi_modules *ms);
/* As the functions of kallsyms; NULL: none. */
const struct kvmi_modsym *kvmi_modsyms_lookup(const struct kvmi_modules *ms,
    const char *name);
const struct kvmi_modsym *kvmi_modsyms_at(const struct kvmi_modules *ms,
    kvaddr_t addr);
uint64_t kvmi_modsyms_behind(const struct kvmi_modules *ms,
    const struct kvmi_modsym *s);
/* Whose memory addr is in, and which piece of it; NULL: none. */
const struct kvmi_module *kvmi_module_at(const struct kvmi_modules *ms,
    kvaddr_t addr);
const struct kvmi_piece *kvmi_module_piece(const struct kvmi_module *m,
    kvaddr_t addr);

/* ---- kvm_symbol.c ---- */

struct kvmi_symbol {
	char name[KVMI_SYMLEN];
	const char *module;	/* NULL: the kernel itself */
	uint64_t addr, size;
};

/* The symbol that addr is in: 0, or -1 with a text. */
int kvmi_symbol_find(kvm_t *kd, kvaddr_t addr, struct kvmi_symbol *sym);
/* Of nm(1)'s letters: is the symbol global?  Its n_type. */
bool kvmi_letter_global(char letter);
unsigned char kvmi_letter_type(char letter);

/* ---- kvm_btf.c, kvm_modtype.c, kvm_type.c: structures ---- */

struct btf;

/* What one BTF knows: the kernel's, or a module's. */
struct kvmi_types {
	struct btf *btf;
	uint32_t first, end;	/* its own type ids, end is not one */
	struct kvmi_names index; /* of those, counted from first; or empty */
	char name[64];		/* of the module */
	struct kvmi_types *next; /* the next module's */
	/* Of the kernel's only. */
	bool looked;		/* modules is what there is */
	struct kvmi_types *modules;
	uint32_t nbad;		/* modules whose types are of no use */
};

/* As kvm_type(3), without kvmi_report() and the types of modules. */
int kvmi_type(kvm_t *kd, const char *path, struct kvm_type *ty);
/* Makes them of a blob, which may go on where base ends: NULL with a text. */
struct kvmi_types *kvmi_types_new(kvm_t *kd, const void *data, size_t size,
    const struct kvmi_types *base);
void kvmi_types_free(struct kvmi_types *ts);
/* The kernel's, read when first asked; and with those of modules: NULL with a
 * text.  Any thread. */
const struct kvmi_types *kvmi_types(kvm_t *kd);
const struct kvmi_types *kvmi_types_all(kvm_t *kd);
/* The name at an offset in its strings, or "". */
const char *kvmi_types_name(const struct kvmi_types *ts, uint32_t off);
/* Finds those of the modules. */
void kvmi_modtypes_load(kvm_t *kd, struct kvmi_types *base);

/* ---- kvm_elf.c: the execfile ---- */

struct kvmi_elf;

/* A name that kvm_nlist() looks for, and where the answer goes. */
struct kvmi_want {
	const char *name;
	struct nlist *nl;	/* n_type is N_UNDF until it is found */
	bool module;		/* what is found is a module's */
};

/* NULL with a text on failure. */
struct kvmi_elf *kvmi_elf_open(kvm_t *kd, const char *path);
void kvmi_elf_close(struct kvmi_elf *e);
/*
 * Looks for n names, sorted, in the symbol table, with link-time values below
 * text_min kept and others moved by slide: 0, or -1 with a text.  Any thread.
 */
int kvmi_elf_lookup(kvm_t *kd, struct kvmi_elf *e, struct kvmi_want *w,
    size_t n, uint64_t text_min, uint64_t slide);
/*
 * The header of the dump that it was made of, whose run-time addresses it has;
 * NULL: it is a kernel's own file.
 */
const cpu_kcore_hdr_t *kvmi_elf_header(const struct kvmi_elf *e);
/* The build id: its bytes, or 0. */
size_t kvmi_elf_buildid(const struct kvmi_elf *e, const uint8_t **id);

#endif /* _KVM_SYMBOLS_H_ */
