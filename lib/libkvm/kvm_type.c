/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_type.c: how the kernel's structures are laid out, from the BTF in its own
 * memory (Documentation/bpf/btf.rst), through libbpf; kvm_type(3).
 *
 * libbpf checks that the blob's parts fit in it, but not what types refer to:
 * every walk here has a bound.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define TYPE_BTF_MAX	(256u << 20)	/* bytes of BTF that are believed */
#define TYPE_STEPS_MAX	(1u << 16)	/* members looked at for one answer */
#define TYPE_DEPTH_MAX	32u		/* of typedefs, of members */

/*
 * A module's BTF.  Debian 12's libbpf 1.1 does not export btf__new_split(), but
 * takes such from a file.
 */
static struct btf *
type_split(const void *data, size_t size, struct btf *base)
{
	struct btf *btf = NULL;
	char path[32];
	int fd = memfd_create("BTF", MFD_CLOEXEC), error;

	if (fd == -1)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size)
		btf = btf__parse_raw_split(path, base);
	error = errno;
	close(fd);
	errno = error;
	return btf;
}

/* Libraries do not print: libbpf's warnings are turned off meanwhile. */
static struct btf *
type_parse(const void *data, uint32_t size, struct btf *base)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	libbpf_print_fn_t print;
	struct btf *btf;
	int error;

	pthread_mutex_lock(&lock);
	print = libbpf_set_print(NULL);
	btf = base != NULL ? type_split(data, size, base) :
	    btf__new(data, size);
	error = errno;
	libbpf_set_print(print);
	pthread_mutex_unlock(&lock);
	errno = error;
	return btf;
}

/* Can a type of that kind be asked for by name? */
static bool
type_is_named(const struct btf_type *t)
{
	return t->name_off != 0 && (btf_is_composite(t) ||
	    btf_is_typedef(t) || btf_is_any_enum(t) || btf_is_int(t) ||
	    btf_is_float(t));
}

static const char *
type_name(const struct kvmi_types *ts, uint32_t off)
{
	const char *name = btf__name_by_offset(ts->btf, off);

	return name != NULL ? name : "";
}

static int
type_index(kvm_t *kd, struct kvmi_types *ts)
{
	const struct btf_type *t;
	uint32_t i;

	ts->end = btf__type_cnt(ts->btf);
	if (ts->end <= ts->first)
		return 0;
	if (kvmi_names_init(&ts->index, ts->end - ts->first) == -1)
		return kvmi_syserr(kd, ENOMEM, "%u types",
		    ts->end - ts->first);
	for (i = ts->end; i-- > ts->first; ) {
		t = btf__type_by_id(ts->btf, i);
		if (t != NULL && type_is_named(t))
			kvmi_names_add(&ts->index, kvmi_names_hash(type_name(ts,
			    t->name_off)), i - ts->first);
	}
	return 0;
}

/* Where the blob is: its size, or 0 with a text. */
static size_t
type_find(kvm_t *kd, uint64_t *start)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	uint64_t stop;
	char letter;

	if (ks == NULL)
		return 0;
	if (!kvmi_kallsyms_lookup(ks, "__start_BTF", &letter, start) ||
	    !kvmi_kallsyms_lookup(ks, "__stop_BTF", &letter, &stop)) {
		kvmi_err(kd, ENOTSUP, "kernel %s has no type information: it "
		    "was built without CONFIG_DEBUG_INFO_BTF",
		    kd->hdr->release);
		return 0;
	}
	if (stop > *start && stop - *start <= TYPE_BTF_MAX)
		return (size_t)(stop - *start);
	kvmi_err(kd, EBADMSG, "it goes from 0x%llx to 0x%llx",
	    (unsigned long long)*start, (unsigned long long)stop);
	return 0;
}

/* The blob, to be freed; NULL with a text. */
static void *
type_copy(kvm_t *kd, size_t *size)
{
	uint64_t start;
	void *data;

	if ((*size = type_find(kd, &start)) == 0)
		return NULL;
	if ((data = malloc(*size)) == NULL) {
		kvmi_syserr(kd, ENOMEM, "%zu bytes", *size);
	} else if (kvmi_read(kd, start, data, *size) == -1) {
		free(data);
		data = NULL;
	}
	return data;
}

struct kvmi_types *
kvmi_types_new(kvm_t *kd, const void *data, size_t size,
    const struct kvmi_types *base)
{
	struct kvmi_types *ts = calloc(1, sizeof(*ts));

	if (ts == NULL) {
		kvmi_syserr(kd, ENOMEM, "types");
		return NULL;
	}
	ts->first = base != NULL ? base->end : 1;
	ts->btf = type_parse(data, (uint32_t)size,
	    base != NULL ? base->btf : NULL);
	if (ts->btf == NULL)
		kvmi_syserr(kd, errno == ENOMEM ? ENOMEM : EBADMSG,
		    "libbpf can't use it");
	else if (type_index(kd, ts) == 0)
		return ts;
	kvmi_types_free(ts);
	return NULL;
}

static struct kvmi_types *
type_load(kvm_t *kd)
{
	struct kvmi_types *ts = NULL;
	size_t size;
	void *data = kd->live != NULL ? kvmi_live_btf(kd, &size) :
	    type_copy(kd, &size);

	if (data != NULL)
		ts = kvmi_types_new(kd, data, size, NULL);
	free(data);
	if (ts == NULL)
		kvmi_prepend(kd, "BTF");
	return ts;
}

void
kvmi_types_free(struct kvmi_types *ts)
{
	struct kvmi_types *next;

	if (ts == NULL)
		return;
	/* Those of modules refer to the kernel's: they go first. */
	while ((next = ts->modules) != NULL) {
		ts->modules = next->next;
		kvmi_types_free(next);
	}
	kvmi_names_fini(&ts->index);
	btf__free(ts->btf);
	free(ts);
}

/* Reads it when first asked: NULL with a text. */
static const struct kvmi_types *
types(kvm_t *kd)
{
	pthread_mutex_lock(&kd->lazy);
	if (kd->types == NULL)
		kd->types = type_load(kd);
	pthread_mutex_unlock(&kd->lazy);
	return kd->types;
}

/* The same, with those of modules. */
static const struct kvmi_types *
type_modules(kvm_t *kd)
{
	struct kvmi_types *ts;

	if (types(kd) == NULL)
		return NULL;
	pthread_mutex_lock(&kd->lazy);
	ts = kd->types;
	if (!ts->looked) {
		kvmi_modtypes_load(kd, ts);
		ts->looked = true;
	}
	pthread_mutex_unlock(&kd->lazy);
	return ts;
}

/* Is t what was asked for?  keyword: `struct', `union', `enum' or none. */
static bool
type_suits(const struct btf_type *t, const char *keyword)
{
	switch (keyword[0]) {
	case 's':
		return btf_is_struct(t);
	case 'u':
		return btf_is_union(t);
	case 'e':
		return btf_is_any_enum(t);
	default:
		return true;
	}
}

/* The type of a name: structures and unions first; 0: none. */
static uint32_t
type_by_name(const struct kvmi_types *ts, const char *keyword,
    const char *name)
{
	const struct btf_type *t;
	uint32_t i, found = 0;

	if (ts->index.head == NULL)
		return 0;
	i = *kvmi_names_head(&ts->index, kvmi_names_hash(name));
	for (; i != KVMI_NAMES_END; i = ts->index.next[i]) {
		t = btf__type_by_id(ts->btf, ts->first + i);
		if (strcmp(type_name(ts, t->name_off), name) != 0 ||
		    !type_suits(t, keyword))
			continue;
		if (found == 0)
			found = ts->first + i;
		if (btf_is_composite(t))
			return ts->first + i;
	}
	return found;
}

/* The type behind typedefs and qualifiers; NULL: none. */
static const struct btf_type *
type_plain(const struct kvmi_types *ts, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(ts->btf, id);
	unsigned int i;

	for (i = 0; i < TYPE_DEPTH_MAX && t != NULL; i++) {
		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return t;
		t = btf__type_by_id(ts->btf, t->type);
	}
	return NULL;
}

/* What has been found so far of a path. */
struct type_at {
	uint32_t id;
	uint64_t bit;		/* from the start of the outermost type */
	uint32_t bits;		/* of a bit field; else 0 */
	uint32_t steps;		/* members looked at */
	bool unknown;		/* there is no type of that name */
};

/* Finds a member, also in members without names. */
static bool
type_member(const struct kvmi_types *ts, const struct btf_type *t,
    const char *name, struct type_at *at, unsigned int depth)
{
	const struct btf_member *m;
	const struct btf_type *in;
	struct type_at inner;
	const char *text;
	uint32_t i;

	if (t == NULL || !btf_is_composite(t) || depth > TYPE_DEPTH_MAX)
		return false;
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++, m++) {
		if (++at->steps > TYPE_STEPS_MAX)
			return false;
		text = type_name(ts, m->name_off);
		inner = *at;
		inner.id = m->type;
		inner.bit += btf_member_bit_offset(t, i);
		inner.bits = btf_member_bitfield_size(t, i);
		if (strcmp(text, name) == 0) {
			*at = inner;
			return true;
		}
		if (text[0] != '\0')
			continue;
		in = type_plain(ts, m->type);
		if (type_member(ts, in, name, &inner, depth + 1)) {
			*at = inner;
			return true;
		}
		at->steps = inner.steps;
	}
	return false;
}

/* The n-th element of an array. */
static bool
type_element(const struct kvmi_types *ts, const struct btf_type *t,
    unsigned long n, struct type_at *at)
{
	const struct btf_array *a;
	int64_t size;

	if (t == NULL || !btf_is_array(t))
		return false;
	a = btf_array(t);
	size = btf__resolve_size(ts->btf, a->type);
	if (size < 0 || n > UINT32_MAX)
		return false;
	at->id = a->type;
	at->bit += (uint64_t)size * n * 8;
	at->bits = 0;
	return true;
}

/* A word of a path, cut off; what follows it. */
static char *
type_word(char *p, char *next)
{
	p += strcspn(p, ".[");
	*next = *p;
	if (*p != '\0')
		*p++ = '\0';
	return p;
}

/* Follows `.member' and `[n]' behind the first word: 0, or -1 with a text. */
static int
type_follow(kvm_t *kd, const struct kvmi_types *ts, char *rest, char next,
    struct type_at *at)
{
	const struct btf_type *t;
	unsigned long n;
	char *word, *end;

	while (next != '\0') {
		t = type_plain(ts, at->id);
		word = rest;
		if (next == '.') {
			rest = type_word(word, &next);
			if (word[0] != '\0' &&
			    type_member(ts, t, word, at, 0))
				continue;
			return kvmi_err(kd, ENOENT, "no member `%s'", word);
		}
		n = strtoul(word, &end, 10);
		if (!isdigit((unsigned char)word[0]) || *end != ']' ||
		    (end[1] != '\0' && strchr(".[", end[1]) == NULL))
			return kvmi_err(kd, EINVAL, "`[%s': not an index",
			    word);
		if (!type_element(ts, t, n, at))
			return kvmi_err(kd, ENOENT, "`[%lu]': not an array", n);
		next = end[1];
		rest = end + 1 + (next != '\0');
	}
	return 0;
}

/* Finds what a path names. */
static int
type_resolve(kvm_t *kd, const struct kvmi_types *ts, char *path,
    struct type_at *at)
{
	static const char *const keywords[] = { "struct ", "union ", "enum " };
	const char *keyword = "";
	char next, *rest;
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strncmp(path, keywords[i], strlen(keywords[i])) == 0) {
			keyword = keywords[i];
			path += strlen(keyword);
			break;
		}
	memset(at, 0, sizeof(*at));
	rest = type_word(path, &next);
	at->id = type_by_name(ts, keyword, path);
	if (at->id == 0) {
		at->unknown = true;
		return kvmi_err(kd, ENOENT, "no type `%s%s'", keyword, path);
	}
	return type_follow(kd, ts, rest, next, at);
}

/* What a path is in one BTF; *unknown: it has no type of that name. */
static int
type_in(kvm_t *kd, const struct kvmi_types *ts, const char *path,
    struct kvm_type *ty, bool *unknown)
{
	struct type_at at;
	int64_t size;
	char *copy;
	int rv;

	*unknown = false;
	if ((copy = strdup(path)) == NULL)
		return kvmi_syserr(kd, ENOMEM, "%s", path);
	rv = type_resolve(kd, ts, copy, &at);
	free(copy);
	*unknown = at.unknown;
	if (rv == -1)
		return kvmi_prepend(kd, "%s", path);
	size = btf__resolve_size(ts->btf, at.id);
	if (size < 0)
		return kvmi_err(kd, EBADMSG, "%s: BTF gives it no size", path);
	ty->kt_offset = at.bit / 8;
	ty->kt_size = (size_t)size;
	ty->kt_bit = (unsigned int)(at.bits != 0 ? at.bit % 8 : 0);
	ty->kt_bits = at.bits;
	return 0;
}

int
kvmi_type(kvm_t *kd, const char *path, struct kvm_type *ty)
{
	const struct kvmi_types *ts = types(kd);
	bool unknown;

	return ts != NULL ? type_in(kd, ts, path, ty, &unknown) : -1;
}

/* The same of modules: of the one that is named before a colon, or of any. */
static int
type_in_modules(kvm_t *kd, const char *path, struct kvm_type *ty)
{
	const char *colon = strchr(path, ':');
	const char *rest = colon != NULL ? colon + 1 : path;
	const size_t len = (size_t)(rest - path);
	const struct kvmi_types *all = type_modules(kd), *m;
	bool unknown, any = false;

	if (all == NULL)
		return -1;
	for (m = all->modules; m != NULL; m = m->next) {
		if (colon != NULL && (strlen(m->name) != len - 1 ||
		    strncmp(m->name, path, len - 1) != 0))
			continue;
		any = true;
		if (type_in(kd, m, rest, ty, &unknown) == 0)
			return 0;
		if (!unknown)
			return -1;
	}
	if (colon != NULL && !any)
		kvmi_err(kd, ENOENT, "%s: types of such a module are not known",
		    path);
	else if (colon == NULL)
		(void)type_in(kd, all, path, ty, &unknown);
	if (all->nbad != 0)
		kvmi_prepend(kd, "types that can't be used: %u modules'",
		    all->nbad);
	errno = ENOENT;
	return -1;
}

/* As kvmi_type(), and where the kernel has no such type, of modules. */
static int
type_any(kvm_t *kd, const char *path, struct kvm_type *ty)
{
	const struct kvmi_types *ts = types(kd);
	bool unknown;

	if (ts == NULL)
		return -1;
	if (strchr(path, ':') == NULL) {
		if (type_in(kd, ts, path, ty, &unknown) == 0)
			return 0;
		if (!unknown)
			return -1;
	}
	return type_in_modules(kd, path, ty);
}

int
kvm_type(kvm_t *kd, const char *path, struct kvm_type *ty)
{
	if ((kd->live != NULL ? kvmi_live_need(kd) : kvmi_need_header(kd)) ==
	    0 && type_any(kd, path, ty) == 0)
		return 0;
	kvmi_report(kd);
	return -1;
}

ssize_t
kvm_type_offset(kvm_t *kd, const char *path)
{
	struct kvm_type ty;

	if (kvm_type(kd, path, &ty) == -1)
		return -1;
	if (ty.kt_bits == 0)
		return (ssize_t)ty.kt_offset;
	kvmi_err(kd, EINVAL, "%s: a bit field", path);
	kvmi_report(kd);
	return -1;
}

ssize_t
kvm_type_size(kvm_t *kd, const char *path)
{
	struct kvm_type ty;

	return kvm_type(kd, path, &ty) == 0 ? (ssize_t)ty.kt_size : -1;
}
