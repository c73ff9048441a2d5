/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_type.c: how the kernel's structures are laid out; kvm_type(3).
 *
 * Nobody has checked what a type refers to: every walk here has a bound.
 */
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_header.h"
#include "kvm_live.h"
#include "kvm_symbols.h"

#define TYPE_STEPS_MAX	(1u << 16)	/* members looked at for one answer */
#define TYPE_DEPTH_MAX	32u		/* of typedefs, of members */

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
		if (strcmp(kvmi_types_name(ts, t->name_off), name) != 0 ||
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
		text = kvmi_types_name(ts, m->name_off);
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
	const struct kvmi_types *ts = kvmi_types(kd);
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
	const struct kvmi_types *all = kvmi_types_all(kd), *m;
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
		kvmi_prepend(kd, "types of %u module%s can't be used",
		    all->nbad, all->nbad == 1 ? "" : "s");
	errno = ENOENT;
	return -1;
}

/* As kvmi_type(), and where the kernel has no such type, of modules. */
static int
type_any(kvm_t *kd, const char *path, struct kvm_type *ty)
{
	const struct kvmi_types *ts = kvmi_types(kd);
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
