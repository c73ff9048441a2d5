/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_elems.c: arrays that are given out, whose elements have the size that the
 * caller knows, and texts that they point to.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

#define ELEM_MAX	65536u	/* bytes of a caller's element */
#define ELEM_TEXTS	65536u	/* bytes of a block of texts */

int
kvmi_elems_begin(kvm_t *kd, struct kvmi_elems *e, size_t elemsize,
    const int *cnt)
{
	if (elemsize == 0 || elemsize > ELEM_MAX || cnt == NULL)
		return kvmi_err(kd, EINVAL, "elements of %zu bytes%s",
		    elemsize, cnt == NULL ? " and nowhere to count them" : "");
	kvmi_elems_fini(e);
	e->elemsize = elemsize;
	e->cap = 64;
	e->buf = malloc(e->cap * elemsize);
	if (e->buf == NULL)
		return kvmi_syserr(kd, ENOMEM, "an array");
	return 0;
}

void
kvmi_elems_fini(struct kvmi_elems *e)
{
	free(e->buf);
	memset(e, 0, sizeof(*e));
}

int
kvmi_elems_add(kvm_t *kd, struct kvmi_elems *e, const void *from, size_t len)
{
	uint8_t *buf;

	if (e->n == e->cap) {
		buf = realloc(e->buf, 2 * e->cap * e->elemsize);
		if (buf == NULL)
			return kvmi_syserr(kd, ENOMEM, "an array of %zu",
			    2 * e->cap);
		e->buf = buf;
		e->cap *= 2;
	}
	buf = e->buf + e->n++ * e->elemsize;
	memset(buf, 0, e->elemsize);
	memcpy(buf, from, len < e->elemsize ? len : e->elemsize);
	return 0;
}

int
kvmi_elems_count(kvm_t *kd, const struct kvmi_elems *e, int *cnt)
{
	if (e->n > INT_MAX)
		return kvmi_err(kd, EOVERFLOW, "%zu are too many", e->n);
	*cnt = (int)e->n;
	return 0;
}

struct kvmi_textblock {
	struct kvmi_textblock *next;
	size_t used, size;
	char text[];
};

const char *
kvmi_texts_add(kvm_t *kd, struct kvmi_texts *t, const char *s, size_t len)
{
	struct kvmi_textblock *b = t->head;
	size_t size;
	char *to;

	if (b == NULL || b->size - b->used <= len) {
		size = len < ELEM_TEXTS ? ELEM_TEXTS : len + 1;
		b = malloc(sizeof(*b) + size);
		if (b == NULL) {
			kvmi_syserr(kd, ENOMEM, "a text of %zu bytes", len);
			return NULL;
		}
		b->next = t->head;
		b->used = 0;
		b->size = size;
		t->head = b;
	}
	to = b->text + b->used;
	memcpy(to, s, len);
	to[len] = '\0';
	b->used += len + 1;
	return to;
}

void
kvmi_texts_fini(struct kvmi_texts *t)
{
	struct kvmi_textblock *b;

	while ((b = t->head) != NULL) {
		t->head = b->next;
		free(b);
	}
}
