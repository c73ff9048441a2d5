/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_kallsyms.c: the kernel's own symbol table, in its memory.
 *
 * scripts/kallsyms.c writes it.  Names are compressed: a length, then that many
 * bytes, each the number of a token; the first letter of the expanded name is
 * the symbol's type.  kvm_ksearch.c says where the parts are.  What differs:
 *
 *	a length of 128 and more takes two bytes, 7 bits each, low ones first
 *	(73bbb94466fd, 6.1); before, no name is that long once compressed
 *
 *	addresses are 64 bits each (kallsyms_addresses, until 6.10); or 32 bits
 *	from a base (kallsyms_relative_base); or, with per-CPU symbols whose
 *	values are small numbers, those as they are and others as base - 1 - n
 *	(until 6.14); or 32 bits from where they stand (a081b5789255, 7.0)
 *
 *	the parts come in another order since 6.4; names still come before the
 *	tokens, and these before their index
 *
 * Which way the addresses are meant is not written anywhere: the one that gives
 * _stext the address that VMCOREINFO gives it is right.
 *
 * Nothing is read before the first question.  Then names, tokens and addresses
 * are copied as they are, and one pass notes where each name begins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"

#define KS_NAMES_MAX	(64u << 20)	/* bytes that are believed */
#define KS_TOKENS_MAX	(64u << 10)
#define KS_NTOKENS	256u

enum ks_form { KS_ADDRESSES, KS_PERCPU, KS_BASE, KS_PLACE, KS_NFORMS };

struct ks_token {
	const char *text;
	size_t len;
};

struct kvmi_kallsyms {
	uint32_t n;
	enum ks_form form;
	kvaddr_t base;		/* relative_base, or the address of values[] */
	uint8_t *values;	/* n of 4 or 8 bytes, as in memory */
	uint8_t *names;		/* as in memory */
	size_t names_len;
	char *tokens;		/* with a NUL behind them */
	struct ks_token token[KS_NTOKENS];
	uint32_t *at;		/* where each name begins in names[] */
	struct kvmi_names index;
	uint64_t end;		/* addresses from here on are not the image's */
};

/* Copies kernel memory: NULL with a text. */
static void *
ks_copy(kvm_t *kd, kvaddr_t va, size_t len, const char *what)
{
	uint8_t *p = malloc(len + 1);

	if (p == NULL) {
		kvmi_syserr(kd, ENOMEM, "%s", what);
	} else if (kvmi_read(kd, va, p, len) == -1) {
		kvmi_prepend(kd, "%s", what);
		free(p);
		p = NULL;
	} else {
		p[len] = '\0';
	}
	return p;
}

/* Bytes between two parts that follow each other; 0 with a text. */
static size_t
ks_between(kvm_t *kd, kvaddr_t from, kvaddr_t to, size_t max, const char *what)
{
	if (to > from && to - from <= max)
		return (size_t)(to - from);
	kvmi_err(kd, EBADMSG, "%s at 0x%llx end at 0x%llx: out of place", what,
	    (unsigned long long)from, (unsigned long long)to);
	return 0;
}

static int
ks_load_tokens(kvm_t *kd, struct kvmi_kallsyms *ks, kvaddr_t table,
    kvaddr_t index)
{
	uint16_t at[KS_NTOKENS];
	size_t i, len = ks_between(kd, table, index, KS_TOKENS_MAX, "tokens");

	if (len == 0 ||
	    (ks->tokens = ks_copy(kd, table, len, "tokens")) == NULL)
		return -1;
	if (kvmi_read(kd, index, at, sizeof(at)) == -1)
		return kvmi_prepend(kd, "index of tokens");
	for (i = 0; i < KS_NTOKENS; i++) {
		if (at[i] >= len)
			return kvmi_err(kd, EBADMSG, "token %zu is at %u of "
			    "%zu bytes", i, at[i], len);
		ks->token[i].text = ks->tokens + at[i];
		ks->token[i].len = strlen(ks->token[i].text);
	}
	return 0;
}

/* The tokens of the symbol at *pos, which moves on: their number, 0: none. */
static size_t
ks_entry(const struct kvmi_kallsyms *ks, size_t *pos, const uint8_t **entry)
{
	const uint8_t *p = ks->names + *pos, *end = ks->names + ks->names_len;
	size_t len;

	if (p >= end)
		return 0;
	len = *p++;
	if (len >= 0x80) {
		if (p == end)
			return 0;
		len = (len & 0x7f) | (size_t)*p++ << 7;
	}
	if (len > (size_t)(end - p))
		return 0;
	*entry = p;
	*pos = (size_t)(p + len - ks->names);
	return len;
}

/* The symbol at *pos: type, name of KVMI_SYMLEN bytes.  False: no sense. */
static bool
ks_expand(const struct kvmi_kallsyms *ks, size_t *pos, char *type, char *name)
{
	char text[KVMI_SYMLEN + 1];
	const struct ks_token *t;
	const uint8_t *p;
	size_t n = ks_entry(ks, pos, &p), done = 0;

	for (; n > 0; n--, p++) {
		t = &ks->token[*p];
		if (t->len > KVMI_SYMLEN - done)
			return false;
		memcpy(text + done, t->text, t->len);
		done += t->len;
	}
	if (done < 2)
		return false;
	*type = text[0];
	memcpy(name, text + 1, done - 1);
	name[done - 1] = '\0';
	return true;
}

/* The hash of the name at *pos, as of kvmi_names_hash(); false: no sense. */
static bool
ks_hash(const struct kvmi_kallsyms *ks, size_t *pos, uint32_t *hash)
{
	uint32_t h = KVMI_HASH_BASIS;
	const struct ks_token *t;
	const uint8_t *p;
	size_t n = ks_entry(ks, pos, &p), done = 0, i;

	for (; n > 0; n--, p++) {
		t = &ks->token[*p];
		if (t->len > KVMI_SYMLEN - done)
			return false;
		/* The first letter is no part of the name. */
		for (i = done == 0; i < t->len; i++)
			h = kvmi_hash_byte(h, (uint8_t)t->text[i]);
		done += t->len;
	}
	*hash = h;
	return done >= 2;
}

/* One pass over all names.  The index gets the last one first. */
static int
ks_index(kvm_t *kd, struct kvmi_kallsyms *ks)
{
	uint32_t i, *hash;
	size_t pos = 0;
	int rv = 0;

	ks->at = malloc(ks->n * sizeof(*ks->at));
	hash = malloc(ks->n * sizeof(*hash));
	if (ks->at == NULL || hash == NULL ||
	    kvmi_names_init(&ks->index, ks->n) == -1)
		rv = kvmi_syserr(kd, ENOMEM, "%u symbols", ks->n);
	for (i = 0; rv == 0 && i < ks->n; i++) {
		ks->at[i] = (uint32_t)pos;
		if (!ks_hash(ks, &pos, &hash[i]))
			rv = kvmi_err(kd, EBADMSG, "symbol %u of %u, at %zu "
			    "of %zu bytes: not a name", i, ks->n, pos,
			    ks->names_len);
	}
	for (i = ks->n; rv == 0 && i-- > 0; )
		kvmi_names_add(&ks->index, hash[i], i);
	free(hash);
	return rv;
}

static uint64_t
ks_value(const struct kvmi_kallsyms *ks, uint32_t i)
{
	uint64_t wide;
	int32_t off;

	if (ks->form == KS_ADDRESSES) {
		memcpy(&wide, ks->values + 8 * (size_t)i, sizeof(wide));
		return wide;
	}
	memcpy(&off, ks->values + 4 * (size_t)i, sizeof(off));
	switch (ks->form) {
	case KS_PERCPU:
		return off >= 0 ? (uint64_t)off :
		    ks->base - 1 - (uint64_t)(int64_t)off;
	case KS_BASE:
		return ks->base + (uint32_t)off;
	default:
		return ks->base + 4 * (uint64_t)i + (uint64_t)(int64_t)off;
	}
}

/* The first symbol of that name, preferably a global one; ks->n: none. */
static uint32_t
ks_find(const struct kvmi_kallsyms *ks, const char *want, char *type)
{
	char name[KVMI_SYMLEN], t;
	uint32_t i, found = ks->n;
	size_t pos;

	i = *kvmi_names_head(&ks->index, kvmi_names_hash(want));
	for (; i != KVMI_NAMES_END; i = ks->index.next[i]) {
		pos = ks->at[i];
		if (!ks_expand(ks, &pos, &t, name) ||
		    strcmp(name, want) != 0)
			continue;
		if (found == ks->n || kvmi_letter_global(t)) {
			found = i;
			*type = t;
			if (kvmi_letter_global(t))
				break;
		}
	}
	return found;
}

/* Which way are the addresses meant? */
static int
ks_load_values(kvm_t *kd, struct kvmi_kallsyms *ks,
    const struct kvmi_ksparts *p)
{
	enum ks_form last;
	uint64_t stext;
	uint32_t i;
	char type;

	if (kvmi_info(kd, "SYMBOL(_stext)", &stext) == -1)
		return -1;
	ks->base = p->values;
	if (p->base != 0 && kvmi_read(kd, p->base, &ks->base, 8) == -1)
		return kvmi_prepend(kd, "relative base");
	ks->values = ks_copy(kd, p->values, (size_t)ks->n * (p->wide ? 8 : 4),
	    "addresses");
	if (ks->values == NULL)
		return -1;
	i = ks_find(ks, "_stext", &type);
	ks->form = p->wide ? KS_ADDRESSES : p->base != 0 ? KS_PERCPU : KS_PLACE;
	last = p->base != 0 ? KS_BASE : ks->form;
	for (; i != ks->n && ks->form <= last; ks->form++)
		if (ks_value(ks, i) == stext)
			return 0;
	return kvmi_err(kd, EBADMSG, "no known form of addresses gives _stext "
	    "its address, 0x%llx", (unsigned long long)stext);
}

static int
ks_load(kvm_t *kd, struct kvmi_kallsyms *ks)
{
	struct kvmi_ksparts p;
	uint32_t i;
	char type;

	if (kvmi_ksparts(kd, &p) == -1)
		return -1;
	if (kvmi_read(kd, p.num, &ks->n, sizeof(ks->n)) == -1)
		return kvmi_prepend(kd, "number of symbols");
	ks->names_len = ks_between(kd, p.names, p.tokens, KS_NAMES_MAX,
	    "names");
	if (ks->names_len == 0)
		return -1;
	if (ks->n == 0 || ks->n > ks->names_len / 2)
		return kvmi_err(kd, EBADMSG, "%u symbols in %zu bytes of names",
		    ks->n, ks->names_len);
	ks->names = ks_copy(kd, p.names, ks->names_len, "names");
	if (ks->names == NULL ||
	    ks_load_tokens(kd, ks, p.tokens, p.index) == -1 ||
	    ks_index(kd, ks) == -1 || ks_load_values(kd, ks, &p) == -1)
		return -1;
	i = ks_find(ks, "_end", &type);
	ks->end = ks_value(ks, i != ks->n ? i : ks->n - 1);
	return 0;
}

void
kvmi_kallsyms_free(struct kvmi_kallsyms *ks)
{
	if (ks == NULL)
		return;
	kvmi_names_fini(&ks->index);
	free(ks->at);
	free(ks->tokens);
	free(ks->names);
	free(ks->values);
	free(ks);
}

const struct kvmi_kallsyms *
kvmi_kallsyms(kvm_t *kd)
{
	struct kvmi_kallsyms *ks;

	pthread_mutex_lock(&kd->lazy);
	if (kd->kallsyms == NULL &&
	    kvmi_failure_tell(kd, &kd->nokallsyms) == 0) {
		ks = calloc(1, sizeof(*ks));
		if (ks == NULL) {
			kvmi_syserr(kd, ENOMEM, "kallsyms");
		} else if (ks_load(kd, ks) == -1) {
			kvmi_prepend(kd, "kallsyms");
			kvmi_kallsyms_free(ks);
			kvmi_failure_note(kd, &kd->nokallsyms);
		} else {
			kd->kallsyms = ks;
		}
	}
	pthread_mutex_unlock(&kd->lazy);
	return kd->kallsyms;
}

bool
kvmi_kallsyms_lookup(const struct kvmi_kallsyms *ks, const char *name,
    char *type, uint64_t *value)
{
	uint32_t i = ks_find(ks, name, type);

	if (i == ks->n)
		return false;
	*value = ks_value(ks, i);
	return true;
}

bool
kvmi_kallsyms_at(const struct kvmi_kallsyms *ks, kvaddr_t min, kvaddr_t addr,
    char *name, uint64_t *value)
{
	uint32_t lo = 0, hi = ks->n, mid;
	size_t pos;
	char type;

	if (addr < min || addr > ks->end)
		return false;
	/* The last symbol that is not past addr; of several, the first. */
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (ks_value(ks, mid) <= addr)
			lo = mid;
		else
			hi = mid;
	}
	*value = ks_value(ks, lo);
	while (lo > 0 && ks_value(ks, lo - 1) == *value)
		lo--;
	pos = ks->at[lo];
	return *value >= min && *value <= addr &&
	    ks_expand(ks, &pos, &type, name);
}

uint64_t
kvmi_kallsyms_behind(const struct kvmi_kallsyms *ks, uint64_t value)
{
	uint32_t lo = 0, hi = ks->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (ks_value(ks, mid) <= value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ks->n ? ks_value(ks, lo) : ks->end;
}

int
kvmi_kallsyms_each(const struct kvmi_kallsyms *ks,
    int (*fn)(void *cookie, const struct kvm_sym *sym), void *cookie)
{
	char name[KVMI_SYMLEN];
	struct kvm_sym sym = { .ks_name = name };
	size_t pos = 0;
	uint32_t i;
	int rv = 0;

	for (i = 0; rv == 0 && i < ks->n; i++) {
		if (!ks_expand(ks, &pos, &sym.ks_type, name))
			break;
		sym.ks_addr = ks_value(ks, i);
		rv = fn(cookie, &sym);
	}
	return rv;
}
