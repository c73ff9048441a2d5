/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_ksearch.c: where the parts of the kernel's symbol table are.
 *
 * VMCOREINFO says it since Linux 6.0 (5fd8fea935a1).  In an older kernel they
 * are looked for, in its read-only data, where scripts/kallsyms.c has put them
 * one after the other, each aligned to 8:
 *
 *	offsets		4 bytes for each symbol
 *	relative base	8 bytes
 *	number		4 bytes
 *	names
 *	markers		4 bytes for each 256 names: where they begin in names
 *	tokens		256 texts, each with its NUL
 *	index		2 bytes for each token: where it is in tokens
 *
 * All digits are in names of symbols, so that each is its own token: the texts
 * "0" to "9" in a row.  Nothing is believed before tokens and index, markers and
 * names, and their number fit together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define SEARCH_MAX	(256u << 20)	/* bytes of the image looked through */
#define SEARCH_GAP	(4u << 20)	/* bytes without memory that end it */
#define SEARCH_TRIES	256u		/* places with digits that are looked at */
#define SEARCH_NTOKENS	256u
#define SEARCH_TOKENS	65536u		/* bytes of tokens, at most */
#define SEARCH_MARKERS	65536u		/* bytes of markers: 4M symbols */
#define SEARCH_GROUP	256u		/* names for each marker */
/* Bytes of one group: each name has at most 255, and its length. */
#define SEARCH_LAST	(SEARCH_GROUP * 256u + 8)
#define SEARCH_NAMES	(64u << 20)	/* bytes of names, at most */

#define ALIGN8(n)	(((n) + 7) & ~7ull)

/* Are there 256 texts at the table, each where the index says? */
static bool
search_index(kvm_t *kd, uint64_t table, uint64_t index)
{
	uint16_t at[SEARCH_NTOKENS];
	char *text = NULL;
	size_t len = (size_t)(index - table), i, pos = 0;
	bool ok = false;

	if (index > table && len <= SEARCH_TOKENS)
		text = malloc(len + 1);
	if (text != NULL && kvmi_read(kd, table, text, len) == 0 &&
	    kvmi_read(kd, index, at, sizeof(at)) == 0) {
		text[len] = '\0';
		for (i = 0; i < SEARCH_NTOKENS && pos < len && at[i] == pos;
		    i++)
			pos += strlen(text + pos) + 1;
		ok = i == SEARCH_NTOKENS && ALIGN8(table + pos) == index;
	}
	free(text);
	return ok;
}

/* The token "0" is at va: finds table and index by it. */
static bool
search_tokens(kvm_t *kd, uint64_t va, struct kvmi_ksparts *p)
{
	char *text = malloc(SEARCH_TOKENS);
	size_t have = 0, pos = 0;
	unsigned int i;
	uint16_t at = 0;
	bool ok;

	if (text == NULL)
		return false;
	kvmi_read_some(kd, va, text, SEARCH_TOKENS, &have);
	for (i = '0'; i < SEARCH_NTOKENS && pos < have; i++)
		pos += strnlen(text + pos, have - pos) + 1;
	free(text);
	p->index = ALIGN8(va + pos);
	ok = i == SEARCH_NTOKENS && pos <= have &&
	    kvmi_read(kd, p->index + '0' * sizeof(at), &at, sizeof(at)) == 0;
	p->tokens = va - at;
	return ok && search_index(kd, p->tokens, p->index);
}

/* How far before an address to look: max, but not before the image. */
static size_t
search_room(uint64_t image, uint64_t va, size_t max)
{
	return va - image < max ? (size_t)(va - image) & ~7ull : max;
}

/* The markers before the tokens: their number, 0: there are none. */
static size_t
search_markers(kvm_t *kd, uint64_t image, uint64_t tokens, uint64_t *first,
    uint32_t *last)
{
	const size_t size = search_room(image, tokens, SEARCH_MARKERS);
	uint32_t *m = malloc(size);
	size_t i = size / sizeof(*m), end, n = 0;

	if (m != NULL && i > 1 && kvmi_read(kd, tokens - size, m, size) == 0) {
		i -= m[i - 1] == 0 ? 2 : 1;	/* there may be padding */
		end = i + 1;
		*last = m[i];
		while (i > 0 && m[i] != 0 && m[i - 1] < m[i])
			i--;
		if (m[i] == 0 && *last <= SEARCH_NAMES)
			n = end - i;
		*first = tokens - size + i * sizeof(*m);
	}
	free(m);
	return n;
}

/* Do n names from pos on end where the buffer does, but for padding? */
static bool
search_group(const uint8_t *buf, size_t len, size_t pos, size_t n)
{
	for (; n > 0 && pos < len; n--)
		pos += 1u + buf[pos];
	for (; n == 0 && pos < len && len - pos < 8 && buf[pos] == 0; pos++)
		;
	return n == 0 && pos == len;
}

/*
 * Names end at end, and the last group of them is last bytes from their start.
 * Before the start stands their number, which says how many are in that group.
 */
static bool
search_names(kvm_t *kd, uint64_t image, uint64_t end, uint32_t last,
    size_t ngroups, struct kvmi_ksparts *p)
{
	const uint64_t high = end - last;
	const uint64_t low = (high - search_room(image, high, SEARCH_LAST)) &
	    ~7ull;
	const size_t len = (size_t)(high - low);
	const size_t before = (ngroups - 1) * SEARCH_GROUP;
	uint8_t *head = malloc(len), *tail = malloc(len);
	uint64_t n;
	size_t at;
	bool ok = false;

	/* head: where names may begin; tail: their last group, if so. */
	if (head != NULL && tail != NULL &&
	    kvmi_read(kd, low, head, len) == 0 &&
	    kvmi_read(kd, low + last, tail, len) == 0)
		for (at = 8; !ok && at < len; at += 8) {
			memcpy(&n, head + at - 8, sizeof(n));
			ok = n > before && n - before <= SEARCH_GROUP &&
			    search_group(tail, len, at, n - before);
			if (!ok)
				continue;
			p->names = low + at;
			p->num = p->names - 8;
			p->base = p->num - 8;
			p->values = p->base - ALIGN8(4 * n);
		}
	free(head);
	free(tail);
	return ok;
}

/* Is the table whose token "0" is at va all there? */
static bool
search_try(kvm_t *kd, uint64_t image, uint64_t va, struct kvmi_ksparts *p)
{
	uint64_t markers;
	uint32_t last;
	size_t n;

	if (!search_tokens(kd, va, p))
		return false;
	n = search_markers(kd, image, p->tokens, &markers, &last);
	return n != 0 && last <= markers - image &&
	    search_names(kd, image, markers, last, n, p);
}

#define SEARCH_DIGITS	20u	/* bytes of "0" to "9", each with its NUL */

/* Looks through a page, before which stands the end of the one before it. */
static bool
search_page(kvm_t *kd, uint64_t image, uint64_t va, const char *buf,
    size_t len, unsigned int *tries, struct kvmi_ksparts *p)
{
	/* The last NUL is the array's own. */
	static const char digits[SEARCH_DIGITS] = "0\0001\0002\0003\0004\000"
	    "5\0006\0007\0008\0009";
	const char *end = buf + len, *hit = buf;

	for (; *tries < SEARCH_TRIES && (hit = memmem(hit,
	    (size_t)(end - hit), digits, SEARCH_DIGITS)) != NULL;
	    hit++, ++*tries)
		if (search_try(kd, image, va + (uint64_t)(hit - buf), p))
			return true;
	return false;
}

static int
search(kvm_t *kd, struct kvmi_ksparts *p)
{
	const size_t keep = SEARCH_DIGITS - 1;
	char buf[SEARCH_DIGITS - 1 + KVMI_PAGE] = "", release[80];
	unsigned int tries = 0;
	size_t off, gap = 0;
	uint64_t image;

	if (kvmi_info(kd, "SYMBOL(_stext)", &image) == -1)
		return -1;
	image &= ~(uint64_t)(KVMI_PAGE - 1);
	for (off = 0; off < SEARCH_MAX && gap < SEARCH_GAP &&
	    tries < SEARCH_TRIES; off += KVMI_PAGE) {
		memmove(buf, buf + KVMI_PAGE, keep);
		if (kvmi_read(kd, image + off, buf + keep, KVMI_PAGE) == -1) {
			memset(buf + keep, 0, KVMI_PAGE);
			gap += KVMI_PAGE;
			continue;
		}
		gap = 0;
		if (search_page(kd, image, image + off - keep, buf,
		    sizeof(buf), &tries, p))
			return 0;
	}
	return kvmi_err(kd, ENOTSUP, "VMCOREINFO of kernel %s does not say "
	    "where, and there are none from 0x%llx to 0x%llx",
	    kvmi_info_release(kd, release, sizeof(release)),
	    (unsigned long long)image,
	    (unsigned long long)(image + off));
}

int
kvmi_ksparts(kvm_t *kd, struct kvmi_ksparts *p)
{
	const char *values = "SYMBOL(kallsyms_offsets)";

	memset(p, 0, sizeof(*p));
	if (!kvmi_info_has(kd, "SYMBOL(kallsyms_num_syms)"))
		return search(kd, p);
	p->wide = kvmi_info_has(kd, "SYMBOL(kallsyms_addresses)");
	if (p->wide)
		values = "SYMBOL(kallsyms_addresses)";
	if (!p->wide && kvmi_info_has(kd, "SYMBOL(kallsyms_relative_base)") &&
	    kvmi_info(kd, "SYMBOL(kallsyms_relative_base)", &p->base) == -1)
		return -1;
	if (kvmi_info(kd, "SYMBOL(kallsyms_num_syms)", &p->num) == -1 ||
	    kvmi_info(kd, "SYMBOL(kallsyms_names)", &p->names) == -1 ||
	    kvmi_info(kd, "SYMBOL(kallsyms_token_table)", &p->tokens) == -1 ||
	    kvmi_info(kd, "SYMBOL(kallsyms_token_index)", &p->index) == -1 ||
	    kvmi_info(kd, values, &p->values) == -1)
		return -1;
	return 0;
}
