/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_ksymfile.c: symbols of the running kernel and its modules, from
 * /proc/kallsyms:
 *
 *	ffffffff81000000 T _stext
 *	ffffffffc0201000 t nvme_probe	[nvme]
 *
 * The text is kept as it was read, cut into strings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define KF_MAX		(256u << 20)	/* bytes that are believed */
#define KF_LINES_MAX	(1u << 24)
#define KF_FAR		65536u	/* a symbol's length, where nothing tells */

static const char kf_path[] = "/proc/kallsyms";

struct kf_sym {
	uint64_t addr;
	uint32_t name, module;	/* in text[]; module 0: the kernel itself */
	char type;
};

struct kvmi_ksymfile {
	char *text;
	struct kf_sym *syms;
	uint32_t n;
	struct kvmi_names index;
	uint32_t *order;	/* by address; the first of several first */
	uint64_t start, end;	/* the kernel's first and last symbol */
};

/* A word of a line, which moves on; NULL: none. */
static char *
kf_word(char **line)
{
	char *word = *line + strspn(*line, " \t");

	if (*word == '\0')
		return NULL;
	*line = word + strcspn(word, " \t");
	if (**line != '\0')
		*(*line)++ = '\0';
	return word;
}

/* Takes a line apart; false: it makes no sense. */
static bool
kf_line(const struct kvmi_ksymfile *kf, char *line, struct kf_sym *s)
{
	char *addr = kf_word(&line), *type = kf_word(&line);
	char *name = kf_word(&line), *module = kf_word(&line), *end;

	if (name == NULL || type[1] != '\0' || strlen(name) >= KVMI_SYMLEN)
		return false;
	errno = 0;
	s->addr = strtoull(addr, &end, 16);
	if (*end != '\0' || errno != 0)
		return false;
	s->type = type[0];
	s->name = (uint32_t)(name - kf->text);
	s->module = 0;
	if (module == NULL)
		return true;
	end = module + strlen(module) - 1;
	if (module[0] != '[' || *end != ']' || end - module > 64)
		return false;
	*end = '\0';
	s->module = (uint32_t)(module + 1 - kf->text);
	return true;
}

static int
kf_parse(kvm_t *kd, struct kvmi_ksymfile *kf, size_t len)
{
	char *line, *next;
	uint32_t lines = 0;
	size_t i;

	if (memchr(kf->text, '\0', len) != NULL)
		return kvmi_err(kd, EBADMSG, "not a text");
	for (i = 0; i < len; i++)
		lines += kf->text[i] == '\n';
	if (lines == 0 || lines > KF_LINES_MAX)
		return kvmi_err(kd, EBADMSG, "%u lines", lines);
	kf->syms = malloc(lines * sizeof(*kf->syms));
	if (kf->syms == NULL || kvmi_names_init(&kf->index, lines) == -1)
		return kvmi_syserr(kd, ENOMEM, "%u symbols", lines);
	for (line = kf->text; kf->n < lines; line = next) {
		next = strchr(line, '\n');
		*next++ = '\0';
		if (!kf_line(kf, line, &kf->syms[kf->n]))
			return kvmi_err(kd, EBADMSG, "line %u makes no sense",
			    kf->n + 1);
		kf->n++;
	}
	for (i = kf->n; i-- > 0; )
		kvmi_names_add(&kf->index, kvmi_names_hash(kf->text +
		    kf->syms[i].name), (uint32_t)i);
	return 0;
}

/* Where the kernel hides addresses they are all zero. */
static int
kf_check(kvm_t *kd, struct kvmi_ksymfile *kf)
{
	bool hidden = true;
	char type;
	uint32_t i;

	for (i = 0; i < kf->n; i++) {
		hidden = hidden && kf->syms[i].addr == 0;
		if (kf->syms[i].module == 0 && kf->syms[i].addr > kf->end)
			kf->end = kf->syms[i].addr;
	}
	if (hidden && kvmi_live_number("/proc/sys/kernel/kptr_restrict") > 1)
		return kvmi_err(kd, EPERM, "the kernel hides all addresses: "
		    "kernel.kptr_restrict is 2");
	if (hidden)
		return kvmi_err(kd, EPERM, "the kernel hides all addresses: "
		    "CAP_SYSLOG is missing (kernel.kptr_restrict)");
	/* Before the image are per-CPU symbols, until Linux 6.15. */
	if (!kvmi_ksymfile_lookup(kf, "_text", NULL, &type, &kf->start) &&
	    !kvmi_ksymfile_lookup(kf, "_stext", NULL, &type, &kf->start))
		return kvmi_err(kd, EBADMSG, "neither _text nor _stext is "
		    "there");
	return 0;
}

void
kvmi_ksymfile_free(struct kvmi_ksymfile *kf)
{
	if (kf == NULL)
		return;
	kvmi_names_fini(&kf->index);
	free(kf->order);
	free(kf->syms);
	free(kf->text);
	free(kf);
}

const struct kvmi_ksymfile *
kvmi_ksymfile(kvm_t *kd)
{
	struct kvmi_ksymfile *kf;
	size_t len;

	if (kvmi_live_need(kd) == -1)
		return NULL;
	pthread_mutex_lock(&kd->lazy);
	if (kd->ksymfile == NULL) {
		kf = calloc(1, sizeof(*kf));
		if (kf == NULL) {
			kvmi_syserr(kd, ENOMEM, "%s", kf_path);
		} else if ((kf->text = kvmi_live_load(kd, kf_path, KF_MAX,
		    &len)) == NULL) {
			kvmi_ksymfile_free(kf);
		} else if (kf_parse(kd, kf, len) == -1 ||
		    kf_check(kd, kf) == -1) {
			kvmi_prepend(kd, "%s", kf_path);
			kvmi_ksymfile_free(kf);
		} else {
			kd->ksymfile = kf;
		}
	}
	pthread_mutex_unlock(&kd->lazy);
	return kd->ksymfile;
}

/* Is a better answer than b?  The kernel's own first, then global ones. */
static bool
kf_better(const struct kf_sym *a, const struct kf_sym *b)
{
	if ((a->module == 0) != (b->module == 0))
		return a->module == 0;
	return kvmi_letter_global(a->type) && !kvmi_letter_global(b->type);
}

bool
kvmi_ksymfile_lookup(const struct kvmi_ksymfile *kf, const char *name,
    const char *module, char *type, uint64_t *value)
{
	const struct kf_sym *s, *best = NULL;
	uint32_t i = *kvmi_names_head(&kf->index, kvmi_names_hash(name));

	for (; i != KVMI_NAMES_END; i = kf->index.next[i]) {
		s = &kf->syms[i];
		if (strcmp(kf->text + s->name, name) != 0 ||
		    (module != NULL && (s->module == 0 ||
		    strcmp(kf->text + s->module, module) != 0)))
			continue;
		if (best == NULL || kf_better(s, best))
			best = s;
	}
	if (best == NULL)
		return false;
	*type = best->type;
	*value = best->addr;
	return true;
}

static void
kf_answer(const struct kvmi_ksymfile *kf, const struct kf_sym *s,
    struct kvm_sym *sym)
{
	sym->ks_name = kf->text + s->name;
	sym->ks_module = s->module != 0 ? kf->text + s->module : NULL;
	sym->ks_addr = s->addr;
	sym->ks_type = s->type;
}

int
kvmi_ksymfile_each(const struct kvmi_ksymfile *kf,
    int (*fn)(void *cookie, const struct kvm_sym *sym), void *cookie)
{
	struct kvm_sym sym;
	uint32_t i;
	int rv = 0;

	for (i = 0; rv == 0 && i < kf->n; i++) {
		kf_answer(kf, &kf->syms[i], &sym);
		rv = fn(cookie, &sym);
	}
	return rv;
}

static int
kf_cmp(const void *a, const void *b, void *cookie)
{
	const uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct kf_sym *syms = cookie;

	if (syms[i].addr != syms[k].addr)
		return syms[i].addr < syms[k].addr ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* Sorts by address, when first asked. */
static int
kf_sort(kvm_t *kd, struct kvmi_ksymfile *kf)
{
	uint32_t *order, i;

	pthread_mutex_lock(&kd->lazy);
	if (kf->order == NULL &&
	    (order = malloc(kf->n * sizeof(*order))) != NULL) {
		for (i = 0; i < kf->n; i++)
			order[i] = i;
		qsort_r(order, kf->n, sizeof(*order), kf_cmp, kf->syms);
		kf->order = order;
	}
	pthread_mutex_unlock(&kd->lazy);
	if (kf->order != NULL)
		return 0;
	return kvmi_syserr(kd, ENOMEM, "%u symbols", kf->n);
}

struct kf_module {
	const char *name;
	uint64_t size;
};

static int
kf_module_size(void *cookie, const struct kvm_module *mod)
{
	struct kf_module *m = cookie;

	if (strcmp(mod->km_name, m->name) != 0)
		return 0;
	m->size = mod->km_size;
	return 1;
}

/*
 * Is addr in the same memory as the symbol before it?  A module has several
 * pieces, and only the size of them all is known.
 */
static bool
kf_within(kvm_t *kd, const struct kvmi_ksymfile *kf, const struct kf_sym *s,
    kvaddr_t addr)
{
	struct kf_module m = { .size = KF_FAR };

	if (s->module == 0)
		return s->addr >= kf->start && addr <= kf->end;
	if (addr - s->addr < KF_FAR / 16)
		return true;
	m.name = kf->text + s->module;
	kvmi_modfile_each(kd, kf_module_size, &m);
	return addr - s->addr < m.size;
}

int
kvmi_ksymfile_at(kvm_t *kd, kvaddr_t addr, struct kvm_sym *sym,
    uint64_t *size)
{
	const struct kvmi_ksymfile *kf = kvmi_ksymfile(kd);
	const struct kf_sym *s;
	uint32_t lo = 0, hi, mid;

	if (kf == NULL || kf_sort(kd, kd->ksymfile) == -1)
		return -1;
	/* The last symbol that is not past addr; of several, the first. */
	for (hi = kf->n; hi - lo > 1; ) {
		mid = lo + (hi - lo) / 2;
		if (kf->syms[kf->order[mid]].addr <= addr)
			lo = mid;
		else
			hi = mid;
	}
	hi = lo + 1;
	while (lo > 0 && kf->syms[kf->order[lo - 1]].addr ==
	    kf->syms[kf->order[lo]].addr)
		lo--;
	s = &kf->syms[kf->order[lo]];
	if (s->addr > addr || !kf_within(kd, kf, s, addr))
		return kvmi_err(kd, ENOENT, "address 0x%llx: in no symbol",
		    (unsigned long long)addr);
	kf_answer(kf, s, sym);
	*size = (hi < kf->n ? kf->syms[kf->order[hi]].addr : kf->end) - s->addr;
	return 0;
}
