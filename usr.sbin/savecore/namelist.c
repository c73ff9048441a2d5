/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namelist.c: linux.N, the kernel file that goes with a core, made of the dump
 * itself: an ELF file with the symbols of the kernel and its modules, at the
 * addresses they had, its build id, and its types (.BTF).
 *
 * There is no code in it.  Symbols that follow each other and are of one kind
 * make a section, as they did once, with neither bytes nor segment: .text,
 * .rodata, .data, .bss, and with a module's name behind that those of modules.
 * A note has the dump's header, without its tables, so that a reader knows
 * whose addresses these are.
 */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

#define NAMELIST_SYMS	(1u << 20)	/* at most */
#define NAMELIST_TEXT	(32u << 20)	/* bytes of names, at most */
#define NAMELIST_BTF	(32u << 20)
#define NAMELIST_SCNS	32768u
#define NAMELIST_LAST	(64u << 10)	/* bytes, at most, of what is last in a
					   section and has nothing behind it */

#define NAMELIST_ID	sizeof(((cpu_kcore_hdr_t *)0)->build_id)

struct namelist_sym {
	uint64_t addr;
	uint32_t name, module;	/* in names; module 0: the kernel's own */
	uint32_t scn;		/* of the file */
	uint32_t size;
	char letter;		/* nm(1)'s */
};

struct namelist_text {
	char *buf;
	size_t len, cap;
};

struct namelist {
	kvm_t *kd;
	const char *why;	/* where something failed */
	struct namelist_text names, scn_names;
	struct namelist_sym *syms;
	size_t nsyms, cap;
	uint32_t module;	/* of the last symbol */
	Elf *elf;
	size_t nscns;
	/* What libelf writes when all is there. */
	Elf64_Sym *table;
	uint8_t *btf;
	uint8_t id[16 + NAMELIST_ID];
	uint8_t note[12 + 12 + sizeof(cpu_kcore_hdr_t)];
};

static int
namelist_fail(struct namelist *nl, const char *why)
{
	nl->why = why;
	return -1;
}

/* The place of a text, or 0 with a reason. */
static uint32_t
namelist_text(struct namelist *nl, struct namelist_text *t, const char *text)
{
	const size_t len = strlen(text) + 1;
	size_t cap;
	char *more;

	if (t->len + len + 1 > t->cap) {
		cap = 2 * t->cap + len + 4096;
		more = cap <= 2 * NAMELIST_TEXT ? realloc(t->buf, cap) : NULL;
		if (more == NULL) {
			nl->why = "names take too much memory";
			return 0;
		}
		t->buf = more;
		t->cap = cap;
		if (t->len == 0)
			t->buf[t->len++] = '\0';
	}
	memcpy(t->buf + t->len, text, len);
	t->len += len;
	return (uint32_t)(t->len - len);
}

/* ---- Symbols ---- */

static int
namelist_add(void *arg, const struct kvm_sym *sym)
{
	struct namelist *nl = arg;
	struct namelist_sym *s, *more;

	if (nl->nsyms == nl->cap) {
		nl->cap = 2 * nl->cap + 65536;
		more = nl->cap <= 2 * NAMELIST_SYMS ? realloc(nl->syms,
		    nl->cap * sizeof(*more)) : NULL;
		if (more == NULL)
			return namelist_fail(nl, "symbols take too much "
			    "memory");
		nl->syms = more;
	}
	if (sym->ks_module != NULL && (nl->module == 0 ||
	    strcmp(nl->names.buf + nl->module, sym->ks_module) != 0)) {
		nl->module = namelist_text(nl, &nl->names, sym->ks_module);
		if (nl->module == 0)
			return -1;
	}
	s = &nl->syms[nl->nsyms];
	memset(s, 0, sizeof(*s));
	s->addr = sym->ks_addr;
	s->letter = sym->ks_type;
	s->module = sym->ks_module != NULL ? nl->module : 0;
	s->name = namelist_text(nl, &nl->names, sym->ks_name);
	if (s->name == 0)
		return -1;
	nl->nsyms++;
	return 0;
}

static bool
namelist_weak(const struct namelist_sym *s)
{
	return strchr("vVwW", s->letter) != NULL;
}

static bool
namelist_abs(const struct namelist_sym *s)
{
	return tolower((unsigned char)s->letter) == 'a';
}

/* What its section is called; NULL: as that of what is before it. */
static const char *
namelist_kind(const struct namelist_sym *s)
{
	switch (tolower((unsigned char)s->letter)) {
	case 't':
	case 'i':
		return ".text";
	case 'r':
		return ".rodata";
	case 'b':
	case 's':
	case 'c':
		return ".bss";
	case 'v':
	case 'w':
		return NULL;
	default:
		return ".data";
	}
}

/* As they came: readers take the first one of a name. */
static int
namelist_cmp_place(const void *a, const void *b)
{
	const struct namelist_sym *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

/* By address, absolute ones last. */
static int
namelist_cmp(const void *a, const void *b)
{
	const struct namelist_sym *x = a, *y = b;

	if (namelist_abs(x) != namelist_abs(y))
		return namelist_abs(x) ? 1 : -1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return namelist_cmp_place(a, b);
}

/* ---- Sections ---- */

/* A new section of len bytes, or NULL. */
static Elf_Scn *
namelist_scn(struct namelist *nl, const char *name, const GElf_Shdr *like,
    void *buf, size_t len, Elf_Type type)
{
	const uint32_t at = namelist_text(nl, &nl->scn_names, name);
	Elf_Scn *scn = at != 0 ? elf_newscn(nl->elf) : NULL;
	Elf_Data *data = scn != NULL ? elf_newdata(scn) : NULL;
	GElf_Shdr sh;

	if (data == NULL || gelf_getshdr(scn, &sh) == NULL)
		return NULL;
	data->d_buf = buf;
	data->d_size = len;
	data->d_type = type;
	data->d_align = like->sh_addralign;
	data->d_version = EV_CURRENT;
	sh = *like;
	sh.sh_name = at;
	return gelf_update_shdr(scn, &sh) != 0 ? scn : NULL;
}

/* The section of symbols that follow each other, from one address to another. */
static int
namelist_range(struct namelist *nl, const char *kind, uint32_t module,
    uint64_t start, uint64_t end, uint32_t *ndx)
{
	const bool text = strcmp(kind, ".text") == 0;
	const GElf_Shdr sh = {
		.sh_type = SHT_NOBITS,
		.sh_flags = SHF_ALLOC | (text ? SHF_EXECINSTR :
		    strcmp(kind, ".rodata") == 0 ? 0u : SHF_WRITE),
		.sh_addr = start,
		.sh_addralign = 1,
	};
	char name[128];
	Elf_Scn *scn;

	snprintf(name, sizeof(name), "%s%s%.100s", kind,
	    module != 0 ? "." : "", nl->names.buf + module);
	scn = ++nl->nscns <= NAMELIST_SCNS ? namelist_scn(nl, name, &sh, NULL,
	    (size_t)(end - start), ELF_T_BYTE) : NULL;
	if (scn == NULL)
		return namelist_fail(nl, "too many sections");
	*ndx = (uint32_t)elf_ndxscn(scn);
	return 0;
}

/* Symbols from..to - 1, which end where the next one begins, if there is one. */
static int
namelist_run(struct namelist *nl, const char *kind, size_t from, size_t to)
{
	struct namelist_sym *s = nl->syms;
	uint64_t end = s[to - 1].addr + NAMELIST_LAST, next;
	uint32_t ndx;
	size_t i;

	if (end < s[to - 1].addr)
		end = UINT64_MAX;
	if (to < nl->nsyms && !namelist_abs(&s[to]) && s[to].addr < end)
		end = s[to].addr;
	if (namelist_range(nl, kind, s[from].module, s[from].addr, end,
	    &ndx) == -1)
		return -1;
	for (i = to, next = end; i-- > from; ) {
		s[i].scn = ndx;
		if (i + 1 < to && s[i + 1].addr != s[i].addr)
			next = s[i + 1].addr;
		s[i].size = next - s[i].addr <= UINT32_MAX ?
		    (uint32_t)(next - s[i].addr) : 0;
	}
	return 0;
}

/* Finds the sections of all symbols. */
static int
namelist_runs(struct namelist *nl)
{
	const struct namelist_sym *s = nl->syms;
	const char *kind = ".text", *k;
	size_t i, from = 0;

	qsort(nl->syms, nl->nsyms, sizeof(*nl->syms), namelist_cmp);
	for (i = 0; i < nl->nsyms && !namelist_abs(&s[i]); i++) {
		k = namelist_kind(&s[i]);
		if (i > from && (k == NULL || strcmp(k, kind) == 0) &&
		    s[i].module == s[from].module)
			continue;
		if (i > from && namelist_run(nl, kind, from, i) == -1)
			return -1;
		from = i;
		kind = k != NULL ? k : kind;
	}
	return i > from ? namelist_run(nl, kind, from, i) : 0;
}

/* ---- The symbol table ---- */

static bool
namelist_local(const struct namelist_sym *s)
{
	return !namelist_weak(s) && islower((unsigned char)s->letter);
}

static void
namelist_fill(Elf64_Sym *to, const struct namelist_sym *s)
{
	const bool text = namelist_kind(s) == NULL ? toupper(s->letter) == 'W' :
	    strcmp(namelist_kind(s), ".text") == 0;

	to->st_name = s->name;
	to->st_value = s->addr;
	to->st_size = s->size;
	to->st_shndx = namelist_abs(s) ? SHN_ABS : (Elf64_Section)s->scn;
	to->st_info = (unsigned char)ELF64_ST_INFO(namelist_weak(s) ?
	    STB_WEAK : namelist_local(s) ? STB_LOCAL : STB_GLOBAL,
	    namelist_abs(s) ? STT_NOTYPE : text ? STT_FUNC : STT_OBJECT);
}

/* Local ones come first. */
static int
namelist_table(struct namelist *nl)
{
	GElf_Shdr sh = { .sh_type = SHT_STRTAB, .sh_addralign = 1 };
	size_t i, n = 1;
	Elf_Scn *scn;

	qsort(nl->syms, nl->nsyms, sizeof(*nl->syms), namelist_cmp_place);
	nl->table = calloc(nl->nsyms + 1, sizeof(*nl->table));
	if (nl->table == NULL)
		return namelist_fail(nl, strerror(ENOMEM));
	for (i = 0; i < nl->nsyms; i++)
		if (namelist_local(&nl->syms[i]))
			namelist_fill(&nl->table[n++], &nl->syms[i]);
	scn = namelist_scn(nl, ".strtab", &sh, nl->names.buf, nl->names.len,
	    ELF_T_BYTE);
	if (scn == NULL)
		return namelist_fail(nl, elf_errmsg(-1));
	sh.sh_type = SHT_SYMTAB;
	sh.sh_link = (GElf_Word)elf_ndxscn(scn);
	sh.sh_info = (GElf_Word)n;
	sh.sh_entsize = sizeof(*nl->table);
	sh.sh_addralign = 8;
	for (i = 0; i < nl->nsyms; i++)
		if (!namelist_local(&nl->syms[i]))
			namelist_fill(&nl->table[n++], &nl->syms[i]);
	scn = namelist_scn(nl, ".symtab", &sh, nl->table,
	    n * sizeof(*nl->table), ELF_T_SYM);
	return scn != NULL ? 0 : namelist_fail(nl, elf_errmsg(-1));
}

/* ---- What else is in it ---- */

/* One note, of a name that takes 12 bytes at most. */
static int
namelist_note(struct namelist *nl, const char *scn, uint8_t *buf,
    const char *name, uint32_t type, const void *desc, size_t len)
{
	const GElf_Shdr sh = { .sh_type = SHT_NOTE, .sh_addralign = 4 };
	const size_t namelen = strlen(name) + 1, at = 12 + (namelen + 3) / 4 * 4;
	const Elf64_Nhdr nh = { (Elf64_Word)namelen, (Elf64_Word)len, type };

	memcpy(buf, &nh, sizeof(nh));
	memcpy(buf + 12, name, namelen);
	memcpy(buf + at, desc, len);
	return namelist_scn(nl, scn, &sh, buf, at + len, ELF_T_BYTE) != NULL ?
	    0 : namelist_fail(nl, elf_errmsg(-1));
}

static int
namelist_notes(struct namelist *nl)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(nl->kd);
	static const uint8_t none[NAMELIST_ID];

	if (memcmp(h->build_id, none, sizeof(none)) != 0 &&
	    namelist_note(nl, ".note.gnu.build-id", nl->id, "GNU",
	    NT_GNU_BUILD_ID, h->build_id, sizeof(h->build_id)) == -1)
		return -1;
	return namelist_note(nl, ".note.swapcore", nl->note, "SWAPCORE",
	    KCORE_NOTE_CPU, h, sizeof(*h));
}

/* The types, as they are in memory.  A kernel without any is no failure. */
static int
namelist_btf(struct namelist *nl)
{
	const GElf_Shdr sh = { .sh_type = SHT_PROGBITS, .sh_addralign = 8 };
	struct nlist names[] = {
		{ .n_name = "__start_BTF" }, { .n_name = "__stop_BTF" },
		{ .n_name = NULL },
	};
	size_t len;

	if (kvm_nlist(nl->kd, names) != 0)
		return 0;
	len = names[1].n_value - names[0].n_value;
	if (len > NAMELIST_BTF || (nl->btf = malloc(len + 1)) == NULL)
		return namelist_fail(nl, "types take too much memory");
	if (kvm_read(nl->kd, names[0].n_value, nl->btf, len) != (ssize_t)len)
		return namelist_fail(nl, kvm_geterr(nl->kd));
	return namelist_scn(nl, ".BTF", &sh, nl->btf, len, ELF_T_BYTE) != NULL ?
	    0 : namelist_fail(nl, elf_errmsg(-1));
}

/* The header, and the names of sections. */
static int
namelist_finish(struct namelist *nl)
{
	const GElf_Shdr sh = { .sh_type = SHT_STRTAB, .sh_addralign = 1 };
	Elf_Scn *scn = namelist_scn(nl, ".shstrtab", &sh, NULL, 0, ELF_T_BYTE);
	Elf_Data *data = scn != NULL ? elf_getdata(scn, NULL) : NULL;
	GElf_Ehdr eh;

	if (data == NULL || gelf_getehdr(nl->elf, &eh) == NULL)
		return namelist_fail(nl, elf_errmsg(-1));
	data->d_buf = nl->scn_names.buf;
	data->d_size = nl->scn_names.len;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_type = ET_EXEC;
	eh.e_machine = kvm_dump_hdr(nl->kd)->machine == KCORE_MID_AARCH64 ?
	    EM_AARCH64 : EM_X86_64;
	eh.e_version = EV_CURRENT;
	eh.e_shstrndx = (GElf_Half)elf_ndxscn(scn);
	return gelf_update_ehdr(nl->elf, &eh) != 0 &&
	    elf_update(nl->elf, ELF_C_WRITE) != -1 ? 0 :
	    namelist_fail(nl, elf_errmsg(-1));
}

static int
namelist_make(struct namelist *nl, int fd)
{
	if (kvm_symbols(nl->kd, namelist_add, nl) != 0)
		return nl->why != NULL ? -1 :
		    namelist_fail(nl, kvm_geterr(nl->kd));
	if (elf_version(EV_CURRENT) == EV_NONE ||
	    (nl->elf = elf_begin(fd, ELF_C_WRITE, NULL)) == NULL ||
	    gelf_newehdr(nl->elf, ELFCLASS64) == NULL)
		return namelist_fail(nl, elf_errmsg(-1));
	return namelist_runs(nl) == 0 && namelist_notes(nl) == 0 &&
	    namelist_btf(nl) == 0 && namelist_table(nl) == 0 ?
	    namelist_finish(nl) : -1;
}

int
namelist_write(kvm_t *kd, int fd, char *why, size_t len)
{
	struct namelist nl = { .kd = kd };
	const int r = namelist_make(&nl, fd);

	if (r == -1)
		snprintf(why, len, "%s", nl.why);
	if (nl.elf != NULL)
		elf_end(nl.elf);
	free(nl.table);
	free(nl.btf);
	free(nl.syms);
	free(nl.names.buf);
	free(nl.scn_names.buf);
	return r;
}
