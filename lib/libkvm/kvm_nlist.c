/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_nlist.c: kernel symbols; kvm_nlist(3).  The execfile is asked first, then
 * the names in the dump's header, then kallsyms in the dump and the tables of
 * its modules; then all of them again, without underscores.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_machine.h"
#include "kvm_symbols.h"

static int
nlist_cmp(const void *a, const void *b)
{
	const struct kvmi_want *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Was the execfile made of this dump?  It is known that it was made of one. */
static int
nlist_check_dump(kvm_t *kd, const cpu_kcore_hdr_t *h)
{
	if (kd->live != NULL)
		return kvmi_err(kd, ESTALE, "%s has the symbols of a dump, not "
		    "of the running system", kd->execname);
	if (h->kaslr_slide == kd->hdr->kaslr_slide &&
	    (kvmi_zero(kd->hdr->boot_id, sizeof(h->boot_id)) ||
	    memcmp(h->boot_id, kd->hdr->boot_id, sizeof(h->boot_id)) == 0))
		return 0;
	return kvmi_err(kd, ESTALE, "%s has the symbols of another dump: they "
	    "were at other addresses", kd->execname);
}

/* Is the execfile the kernel that dumped, as far as that can be known? */
static int
nlist_check_kernel(kvm_t *kd)
{
	const cpu_kcore_hdr_t *h =
	    kd->elf != NULL ? kvmi_elf_header(kd->elf) : NULL;
	const uint8_t *id;
	size_t len;

	if (h != NULL && nlist_check_dump(kd, h) == -1)
		return -1;
	if (kd->live != NULL)
		return kd->elf != NULL ? kvmi_live_check_kernel(kd) : 0;
	if (kd->elf == NULL || kvmi_zero(kd->hdr->build_id,
	    sizeof(kd->hdr->build_id)))
		return 0;
	len = kvmi_elf_buildid(kd->elf, &id);
	if (len == 0 || (len == sizeof(kd->hdr->build_id) &&
	    memcmp(id, kd->hdr->build_id, len) == 0))
		return 0;
	return kvmi_err(kd, ESTALE, "%s is not the kernel that dumped: its "
	    "build id is another one", kd->execname);
}

/* The names in the header. */
static void
nlist_from_header(kvm_t *kd, struct kvmi_want *w, size_t n)
{
	const kcore_name_t *nm = kd->hdr->names;
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; w[i].nl->n_type == N_UNDF && k < KCORE_NNAMES; k++)
			if (strcmp(nm[k].name, w[i].name) == 0) {
				w[i].nl->n_type = N_DATA | N_EXT;
				w[i].nl->n_value = nm[k].addr;
			}
}

/*
 * A table that can be asked for one name: 1: it has it, 0: it has not, -1: it
 * can't be read.
 */
typedef int nlist_table(kvm_t *kd, const char *name, char *type,
    uint64_t *value);

/* The kernel's own. */
static int
nlist_kallsyms(kvm_t *kd, const char *name, char *type, uint64_t *value)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);

	return ks == NULL ? -1 : kvmi_kallsyms_lookup(ks, name, type, value);
}

/* The modules'. */
static int
nlist_modules(kvm_t *kd, const char *name, char *type, uint64_t *value)
{
	const struct kvmi_modules *ms = kvmi_modules(kd);
	const struct kvmi_modsym *s;

	if (ms == NULL)
		return -1;
	s = kvmi_modsyms_lookup(ms, name);
	if (s == NULL)
		return 0;
	*type = s->letter;
	*value = s->addr;
	return 1;
}

/* /proc/kallsyms. */
static int
nlist_ksymfile(kvm_t *kd, const char *name, char *type, uint64_t *value)
{
	const struct kvmi_ksymfile *kf = kvmi_ksymfile(kd);

	return kf == NULL ? -1 : kvmi_ksymfile_lookup(kf, name, NULL, type,
	    value);
}

/* What a table has of the names that are not found yet. */
static void
nlist_from(kvm_t *kd, nlist_table *look, struct kvmi_want *w, size_t n)
{
	uint64_t value;
	size_t i;
	char type;
	int r;

	for (i = 0; i < n; i++) {
		if (w[i].nl->n_type != N_UNDF)
			continue;
		r = look(kd, w[i].name, &type, &value);
		if (r == -1)
			return;
		if (r == 1) {
			w[i].nl->n_type = kvmi_letter_type(type);
			w[i].nl->n_value = value;
		}
	}
}

/* Of the running kernel. */
static int
nlist_pass_live(kvm_t *kd, struct kvmi_want *w, size_t n)
{
	const struct kvmi_machine *m = kvmi_machine_here();
	uint64_t slide;

	if (kd->elf != NULL) {
		if (m == NULL)
			return kvmi_err(kd, ENOTSUP, "%s: this machine is not "
			    "one that this library knows", kd->execname);
		if (kvmi_live_slide(kd, &slide) == -1 || kvmi_elf_lookup(kd,
		    kd->elf, w, n, m->text_min, slide) == -1)
			return -1;
	}
	nlist_from(kd, nlist_ksymfile, w, n);
	return 0;
}

static int
nlist_pass(kvm_t *kd, struct kvmi_want *w, size_t n)
{
	if (n == 0)
		return 0;
	qsort(w, n, sizeof(*w), nlist_cmp);
	if (kd->live != NULL)
		return nlist_pass_live(kd, w, n);
	/* What was made of the dump knows no more than the dump does. */
	if (kd->elf != NULL && kvmi_elf_header(kd->elf) != NULL)
		nlist_from_header(kd, w, n);
	if (kd->elf != NULL && kvmi_elf_lookup(kd, kd->elf, w, n,
	    kd->machine->text_min, kd->hdr->kaslr_slide) == -1)
		return -1;
	nlist_from_header(kd, w, n);
	nlist_from(kd, nlist_kallsyms, w, n);
	nlist_from(kd, nlist_modules, w, n);
	return 0;
}

/* Keeps what is not found and has an underscore to drop. */
static size_t
nlist_strip(struct kvmi_want *w, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (w[i].nl->n_type != N_UNDF || w[i].name[0] != '_' ||
		    w[i].name[1] == '\0')
			continue;
		w[kept].nl = w[i].nl;
		w[kept++].name = w[i].name + 1;
	}
	return kept;
}

int
kvm_nlist(kvm_t *kd, struct nlist *nl)
{
	struct kvmi_want *w = NULL;
	size_t i, n = 0;
	int missing = 0;

	while (nl[n].n_name != NULL && nl[n].n_name[0] != '\0')
		n++;
	for (i = 0; i < n; i++) {
		nl[i].n_type = N_UNDF;
		nl[i].n_other = 0;
		nl[i].n_desc = 0;
		nl[i].n_value = 0;
	}
	if ((kd->live != NULL ? kvmi_live_need(kd) : kvmi_need_header(kd)) ==
	    -1 || nlist_check_kernel(kd) == -1)
		goto fail;
	w = calloc(n + 1, sizeof(*w));
	if (w == NULL) {
		kvmi_syserr(kd, ENOMEM, "%zu names", n);
		goto fail;
	}
	for (i = 0; i < n; i++) {
		w[i].name = nl[i].n_name;
		w[i].nl = &nl[i];
	}
	if (nlist_pass(kd, w, n) == -1 ||
	    nlist_pass(kd, w, nlist_strip(w, n)) == -1)
		goto fail;
	for (i = 0; i < n; i++)
		missing += nl[i].n_type == N_UNDF;
	/* With no table at all, nobody knows whether these exist. */
	if (missing != 0 && kd->elf == NULL && (kd->live != NULL ?
	    kvmi_ksymfile(kd) == NULL : kvmi_kallsyms(kd) == NULL))
		goto fail;
	free(w);
	return missing;
fail:
	free(w);
	kvmi_report(kd);
	return -1;
}
