/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_names.c: a compact hash table from names to numbers.  It keeps eight
 * bytes for each number and no names: its user compares them.
 */
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"

int
kvmi_names_init(struct kvmi_names *t, uint32_t n)
{
	uint32_t size = 16;

	while (size < n && size < 1u << 31)
		size *= 2;
	t->mask = size - 1;
	t->head = malloc(size * sizeof(*t->head));
	t->next = malloc(((size_t)n + 1) * sizeof(*t->next));
	if (t->head == NULL || t->next == NULL) {
		kvmi_names_fini(t);
		return -1;
	}
	memset(t->head, 0xff, size * sizeof(*t->head));
	return 0;
}

void
kvmi_names_fini(struct kvmi_names *t)
{
	free(t->head);
	free(t->next);
	t->head = t->next = NULL;
}

uint32_t
kvmi_names_hash(const char *name)
{
	uint32_t h = KVMI_HASH_BASIS;

	for (; *name != '\0'; name++)
		h = kvmi_hash_byte(h, (uint8_t)*name);
	return h;
}

void
kvmi_names_add(struct kvmi_names *t, uint32_t hash, uint32_t i)
{
	uint32_t *head = kvmi_names_head(t, hash);

	t->next[i] = *head;
	*head = i;
}
