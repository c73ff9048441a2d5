/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksyms.c: encodes a symbol table as scripts/kallsyms.c of Linux does, from its
 * description alone, for tests.
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"

/* Tokens of several letters; all others stand for themselves. */
static const char *const tokens[] = {
	"sys", "_init", "Tx64_", "task", "Dkvm", "percpu", "ab",
};
#define NTOKENS	(sizeof(tokens) / sizeof(tokens[0]))

/* The tokens of a text: greedily the first that fits.  Their number. */
static size_t
ksyms_compress(const char *text, uint8_t *out)
{
	size_t n = 0, i;

	while (*text != '\0') {
		for (i = 0; i < NTOKENS; i++)
			if (strncmp(text, tokens[i], strlen(tokens[i])) == 0)
				break;
		out[n++] = i < NTOKENS ? (uint8_t)(0x80 + i) : (uint8_t)*text;
		text += i < NTOKENS ? strlen(tokens[i]) : 1;
	}
	return n;
}

static void
ksyms_names(struct guest *g, const struct ksyms_sym *syms, size_t n)
{
	uint8_t one[600], len[2];
	uint32_t markers[64];
	char text[600];
	uint64_t va;
	size_t i, k;

	va = guest_put(g, NULL, 0, 8);
	guest_info(g, "SYMBOL(kallsyms_names)=%llx", (unsigned long long)va);
	assert_in_range(n, 0, 64 * 256);
	for (i = 0; i < n; i++) {
		if (i % 256 == 0)
			markers[i / 256] =
			    (uint32_t)(guest_put(g, NULL, 0, 1) - va);
		snprintf(text, sizeof(text), "%c%s", syms[i].type,
		    syms[i].name);
		k = ksyms_compress(text, one);
		len[0] = (uint8_t)(k < 128 ? k : (k & 127) | 128);
		len[1] = (uint8_t)(k >> 7);
		guest_put(g, len, k < 128 ? 1 : 2, 1);
		guest_put(g, one, k, 1);
	}
	guest_put(g, markers, (n + 255) / 256 * sizeof(markers[0]), 8);
}

static void
ksyms_tokens(struct guest *g)
{
	uint64_t table = guest_put(g, NULL, 0, 8);
	uint16_t index[256];
	char one[2] = "";
	size_t i;

	for (i = 0; i < 256; i++) {
		const char *t = one;

		index[i] = (uint16_t)(guest_put(g, NULL, 0, 1) - table);
		one[0] = i > ' ' && i < 0x7f ? (char)i : '\0';
		if (i >= 0x80 && i < 0x80 + NTOKENS)
			t = tokens[i - 0x80];
		guest_put(g, t, strlen(t) + 1, 1);
	}
	guest_info(g, "SYMBOL(kallsyms_token_table)=%llx",
	    (unsigned long long)table);
	guest_info(g, "SYMBOL(kallsyms_token_index)=%llx",
	    (unsigned long long)guest_put(g, index, sizeof(index), 8));
}

static void
ksyms_addresses(struct guest *g, enum ksyms_form form,
    const struct ksyms_sym *syms, size_t n)
{
	const uint64_t at = guest_put(g, NULL, 0, 8);
	uint64_t v, base = g->base;
	size_t i;

	for (i = 0; i < n; i++) {
		v = syms[i].addr;
		if (form == KSYMS_PERCPU)
			v = v < 0x10000 ? v : base - 1 - v;
		else if (form == KSYMS_BASE)
			v -= base;
		else if (form == KSYMS_PLACE)
			v -= at + 4 * i;
		guest_put(g, &v, form == KSYMS_ADDRESSES ? 8 : 4, 1);
	}
	guest_info(g, form == KSYMS_ADDRESSES ?
	    "SYMBOL(kallsyms_addresses)=%llx" : "SYMBOL(kallsyms_offsets)=%llx",
	    (unsigned long long)at);
	if (form == KSYMS_PERCPU || form == KSYMS_BASE)
		guest_info(g, "SYMBOL(kallsyms_relative_base)=%llx",
		    (unsigned long long)guest_put(g, &base, 8, 8));
}

void
ksyms_put_silent(struct guest *g, const struct ksyms_sym *syms, size_t n)
{
	char *key, *end;

	ksyms_put(g, KSYMS_PERCPU, false, syms, n);
	while ((key = strstr(g->info, "SYMBOL(kallsyms_")) != NULL) {
		end = strchr(key, '\n') + 1;
		memmove(key, end, strlen(end) + 1);
	}
}

void
ksyms_put(struct guest *g, enum ksyms_form form, bool addresses_last,
    const struct ksyms_sym *syms, size_t n)
{
	uint32_t num = (uint32_t)n;
	size_t i;

	if (!addresses_last)
		ksyms_addresses(g, form, syms, n);
	guest_info(g, "SYMBOL(kallsyms_num_syms)=%llx",
	    (unsigned long long)guest_put(g, &num, 4, 8));
	ksyms_names(g, syms, n);
	ksyms_tokens(g);
	if (addresses_last)
		ksyms_addresses(g, form, syms, n);
	for (i = 0; i < n; i++)
		if (strcmp(syms[i].name, "_stext") == 0)
			guest_info(g, "SYMBOL(_stext)=%llx",
			    (unsigned long long)syms[i].addr);
}
