/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_elf.c: the symbol table and the build id of the execfile, through libelf.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_symbols.h"

#define ELF_IDMAX	64u
#define ELF_MODULE	0x100u

struct kvmi_elf {
	int fd;
	Elf *elf;
	Elf_Data *syms;
	size_t nsyms;
	size_t strndx;		/* section of the names */
	uint8_t id[ELF_IDMAX];
	size_t idlen;
	bool dump;		/* it was made of a dump that had this header */
	cpu_kcore_hdr_t hdr;
	pthread_mutex_t lock;	/* libelf is not for several threads */
};

static bool
elf_note_is(const Elf_Data *d, const GElf_Nhdr *nh, size_t at,
    const char *name, uint32_t type)
{
	return nh->n_type == type && nh->n_namesz == strlen(name) + 1 &&
	    memcmp((char *)d->d_buf + at, name, nh->n_namesz) == 0;
}

/* The build id among the notes of a section, and savecore's own. */
static void
elf_scan_notes(struct kvmi_elf *e, Elf_Scn *scn)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	GElf_Nhdr nh;
	size_t off = 0, name, desc;

	if (d == NULL)
		return;
	while ((off = gelf_getnote(d, off, &nh, &name, &desc)) > 0) {
		if (e->idlen == 0 && nh.n_descsz <= sizeof(e->id) &&
		    elf_note_is(d, &nh, name, "GNU", NT_GNU_BUILD_ID)) {
			memcpy(e->id, (char *)d->d_buf + desc, nh.n_descsz);
			e->idlen = nh.n_descsz;
		} else if (nh.n_descsz == sizeof(e->hdr) &&
		    elf_note_is(d, &nh, name, "SWAPCORE", KCORE_NOTE_CPU)) {
			memcpy(&e->hdr, (char *)d->d_buf + desc,
			    sizeof(e->hdr));
			e->dump = true;
		}
	}
}

/* Finds symbol table and build id. */
static int
elf_scan(kvm_t *kd, struct kvmi_elf *e)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (elf_kind(e->elf) != ELF_K_ELF)
		return kvmi_err(kd, ENOEXEC, "not an ELF file");
	while ((scn = elf_nextscn(e->elf, scn)) != NULL) {
		if (gelf_getshdr(scn, &sh) == NULL)
			return kvmi_err(kd, ENOEXEC, "section header: %s",
			    elf_errmsg(-1));
		if (sh.sh_type == SHT_NOTE)
			elf_scan_notes(e, scn);
		if (sh.sh_type != SHT_SYMTAB || e->syms != NULL)
			continue;
		e->syms = elf_getdata(scn, NULL);
		if (e->syms == NULL || sh.sh_entsize == 0)
			return kvmi_err(kd, ENOEXEC, "symbol table: %s",
			    elf_errmsg(-1));
		e->nsyms = e->syms->d_size / sh.sh_entsize;
		e->strndx = sh.sh_link;
	}
	if (e->syms == NULL)
		return kvmi_err(kd, ENOEXEC, "no symbol table");
	return 0;
}

struct kvmi_elf *
kvmi_elf_open(kvm_t *kd, const char *path)
{
	struct kvmi_elf *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		kvmi_syserr(kd, ENOMEM, "%s", path);
		return NULL;
	}
	pthread_mutex_init(&e->lock, NULL);
	e->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (e->fd == -1) {
		kvmi_syserr(kd, errno, "%s", path);
		goto fail;
	}
	if (elf_version(EV_CURRENT) == EV_NONE ||
	    (e->elf = elf_begin(e->fd, ELF_C_READ, NULL)) == NULL) {
		kvmi_err(kd, ENOEXEC, "%s: %s", path, elf_errmsg(-1));
		goto fail;
	}
	if (elf_scan(kd, e) == -1) {
		kvmi_prepend(kd, "%s", path);
		goto fail;
	}
	return e;
fail:
	kvmi_elf_close(e);
	return NULL;
}

void
kvmi_elf_close(struct kvmi_elf *e)
{
	int error = errno;

	if (e == NULL)
		return;
	if (e->elf != NULL)
		elf_end(e->elf);
	if (e->fd != -1)
		close(e->fd);
	pthread_mutex_destroy(&e->lock);
	free(e);
	errno = error;
}

static int
elf_want_cmp(const void *key, const void *want)
{
	return strcmp(key, ((const struct kvmi_want *)want)->name);
}

/*
 * n_type of a symbol; with ELF_MODULE where the file was made of a dump and it
 * is a module's.
 */
static unsigned int
elf_type(struct kvmi_elf *e, const GElf_Sym *sym)
{
	unsigned int type = N_DATA;
	const char *name;
	size_t names;
	Elf_Scn *scn;
	GElf_Shdr sh;

	if (sym->st_shndx == SHN_ABS) {
		type = N_ABS;
	} else if ((scn = elf_getscn(e->elf, sym->st_shndx)) != NULL &&
	    gelf_getshdr(scn, &sh) != NULL &&
	    elf_getshdrstrndx(e->elf, &names) == 0 &&
	    (name = elf_strptr(e->elf, names, sh.sh_name)) != NULL) {
		/* All sections of a file that has symbols alone are NOBITS. */
		if ((sh.sh_flags & SHF_EXECINSTR) != 0)
			type = N_TEXT;
		else if (sh.sh_type == SHT_NOBITS &&
		    strncmp(name, ".data", 5) != 0 &&
		    strncmp(name, ".rodata", 7) != 0)
			type = N_BSS;
		if (e->dump && strchr(name + 1, '.') != NULL)
			type |= ELF_MODULE;
	}
	if (GELF_ST_BIND(sym->st_info) != STB_LOCAL)
		type |= N_EXT;
	return type;
}

/* The first of the names that is this one; NULL: none. */
static struct kvmi_want *
elf_want(struct kvmi_want *w, size_t n, const char *name)
{
	struct kvmi_want *found;

	found = bsearch(name, w, n, sizeof(*w), elf_want_cmp);
	while (found != NULL && found > w &&
	    strcmp(found[-1].name, name) == 0)
		found--;
	return found;
}

/* Answers all wants of one name, unless a better symbol has. */
static void
elf_answer(struct kvmi_elf *e, struct kvmi_want *w, const struct kvmi_want *end,
    const char *name, const GElf_Sym *sym, uint64_t value)
{
	const unsigned int type = elf_type(e, sym);

	const bool module = (type & ELF_MODULE) != 0;

	/* The kernel's own before a module's, and then global ones. */
	for (; w < end && strcmp(w->name, name) == 0; w++) {
		if (w->nl->n_type != N_UNDF && (module != w->module ? module :
		    (w->nl->n_type & N_EXT) != 0 || (type & N_EXT) == 0))
			continue;
		w->module = module;
		w->nl->n_type = (unsigned char)type;
		w->nl->n_value = value;
	}
}

int
kvmi_elf_lookup(kvm_t *kd, struct kvmi_elf *e, struct kvmi_want *w, size_t n,
    uint64_t text_min, uint64_t slide)
{
	struct kvmi_want *found;
	const char *name;
	GElf_Sym sym;
	size_t i;
	int rv = 0;

	pthread_mutex_lock(&e->lock);
	for (i = 1; i < e->nsyms; i++) {
		if (gelf_getsym(e->syms, (int)i, &sym) == NULL ||
		    (name = elf_strptr(e->elf, e->strndx, sym.st_name)) ==
		    NULL) {
			rv = kvmi_err(kd, ENOEXEC, "%s: symbol %zu: %s",
			    kd->execname, i, elf_errmsg(-1));
			break;
		}
		if (name[0] == '\0' || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(sym.st_info) == STT_FILE ||
		    GELF_ST_TYPE(sym.st_info) == STT_SECTION ||
		    (found = elf_want(w, n, name)) == NULL)
			continue;
		if (sym.st_shndx != SHN_ABS && sym.st_value >= text_min &&
		    !e->dump)
			sym.st_value += slide;
		elf_answer(e, found, w + n, name, &sym, sym.st_value);
	}
	pthread_mutex_unlock(&e->lock);
	return rv;
}

const cpu_kcore_hdr_t *
kvmi_elf_header(const struct kvmi_elf *e)
{
	return e->dump ? &e->hdr : NULL;
}

size_t
kvmi_elf_buildid(const struct kvmi_elf *e, const uint8_t **id)
{
	*id = e->id;
	return e->idlen;
}
