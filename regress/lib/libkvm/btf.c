/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btf.c: writes BTF word by word, for tests.
 */
#include <string.h>

#include "btf.h"

#define BTF_WORDS	2048u

static uint32_t btf[BTF_WORDS];
static size_t nwords;
static char strings[BTF_WORDS];
static size_t nstrings, strings_base;

void
btf_begin(void)
{
	nwords = 0;
	nstrings = 1;
	strings_base = 0;
}

void
btf_begin_split(void)
{
	strings_base += nstrings;
	nwords = 0;
	nstrings = 1;
}

void
btf_word(uint32_t w)
{
	assert_in_range(nwords, 0, BTF_WORDS - 1);
	btf[nwords++] = w;
}

uint32_t
btf_str(const char *name)
{
	size_t at = nstrings;

	if (name[0] == '\0')
		return 0;
	assert_in_range(at + strlen(name), 0, sizeof(strings) - 1);
	strcpy(strings + at, name);
	nstrings += strlen(name) + 1;
	return (uint32_t)(strings_base + at);
}

void
btf_type(const char *name, unsigned int kind, uint32_t vlen, uint32_t size)
{
	btf_word(btf_str(name));
	btf_word(kind << 24 | vlen);
	btf_word(size);
}

void
btf_member(const char *name, uint32_t id, uint32_t bits, uint32_t bit)
{
	btf_word(btf_str(name));
	btf_word(id);
	btf_word(bits << 24 | bit);
}

void
btf_array(uint32_t id, uint32_t n)
{
	btf_type("", BTF_ARRAY, 0, 0);
	btf_word(id);
	btf_word(1);
	btf_word(n);
}

size_t
btf_size(void)
{
	return 24 + 4 * nwords + nstrings;
}

uint64_t
btf_put(struct guest *g)
{
	const uint32_t types = (uint32_t)(4 * nwords);
	const uint32_t head[6] = { 0x0001eb9f, 24, 0, types, types,
		(uint32_t)nstrings };
	uint64_t at = guest_put(g, head, sizeof(head), 8);

	guest_put(g, btf, types, 1);
	guest_put(g, strings, nstrings, 1);
	return at;
}
