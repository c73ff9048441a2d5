/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_ranges.c: lists of physical memory, each range with what it is and where
 * a file has it; from these the tables of a header are made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

int
kvmi_ranges_add(kvm_t *kd, struct kvmi_ranges *l, struct kvmi_range r)
{
	struct kvmi_range *more, *last = l->n > 0 ? &l->r[l->n - 1] : NULL;
	size_t cap;

	if (r.end <= r.start)
		return 0;
	if (last != NULL && last->end == r.start && last->kind == r.kind &&
	    (r.kind != KVMI_MEM_DATA || last->place +
	    (last->end - last->start) / l->unit == r.place)) {
		last->end = r.end;
		return 0;
	}
	if (l->n >= KVMI_RANGES_MAX)
		return kvmi_err(kd, ENOTSUP, "more than %u pieces of memory",
		    KVMI_RANGES_MAX);
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 64 : 2 * l->cap;
		more = reallocarray(l->r, cap, sizeof(*more));
		if (more == NULL)
			return kvmi_syserr(kd, ENOMEM, "list of memory");
		l->r = more;
		l->cap = cap;
	}
	l->r[l->n++] = r;
	return 0;
}

void
kvmi_ranges_fini(struct kvmi_ranges *l)
{
	free(l->r);
	l->r = NULL;
	l->n = l->cap = 0;
}

static int
ranges_cmp(const void *a, const void *b)
{
	const struct kvmi_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start > y->start ? 1 : -1;
	return (x->place < y->place) - (x->place > y->place);
}

void
kvmi_ranges_order(struct kvmi_ranges *l)
{
	if (l->n > 1)
		qsort(l->r, l->n, sizeof(*l->r), ranges_cmp);
}

/* Moves the start of a range, which lies before its end. */
static struct kvmi_range
ranges_from(const struct kvmi_ranges *l, struct kvmi_range r, kpaddr_t start)
{
	if (r.kind == KVMI_MEM_DATA)
		r.place += (start - r.start) / l->unit;
	r.start = start;
	return r;
}

int
kvmi_ranges_sort(kvm_t *kd, struct kvmi_ranges *l)
{
	struct kvmi_ranges out = { .unit = l->unit };
	struct kvmi_range r;
	kpaddr_t end = 0;
	size_t i;

	kvmi_ranges_order(l);
	for (i = 0; i < l->n; i++) {
		r = l->r[i];
		if (r.end <= end)
			continue;
		if (r.start < end)
			r = ranges_from(l, r, end);
		end = r.end;
		if (kvmi_ranges_add(kd, &out, r) == -1) {
			kvmi_ranges_fini(&out);
			return -1;
		}
	}
	kvmi_ranges_fini(l);
	*l = out;
	return 0;
}

/* The parts of a range that top, from *i on, does not have. */
static int
ranges_under_one(kvm_t *kd, const struct kvmi_ranges *top, size_t *i,
    struct kvmi_range r, struct kvmi_ranges *out)
{
	struct kvmi_range part;

	while (r.start < r.end) {
		/* All of top that begins before r goes first. */
		while (*i < top->n && top->r[*i].start <= r.start) {
			if (kvmi_ranges_add(kd, out, top->r[*i]) == -1)
				return -1;
			if (top->r[*i].end > r.start)
				r.start = top->r[*i].end;
			++*i;
		}
		part = r;
		if (*i < top->n && top->r[*i].start < r.end)
			part.end = top->r[*i].start;
		if (part.start >= part.end)
			break;
		if (kvmi_ranges_add(kd, out, part) == -1)
			return -1;
		r.start = part.end;
	}
	return 0;
}

int
kvmi_ranges_under(kvm_t *kd, struct kvmi_ranges *top,
    const struct kvmi_ranges *bottom)
{
	struct kvmi_ranges out = { .unit = top->unit };
	struct kvmi_range r;
	kpaddr_t end = 0;
	size_t i = 0, k;
	int rv = 0;

	for (k = 0; rv == 0 && k < bottom->n; k++) {
		r = bottom->r[k];
		if (i > 0 && end < top->r[i - 1].end)
			end = top->r[i - 1].end;
		if (r.start < end)
			r.start = end;
		rv = ranges_under_one(kd, top, &i, r, &out);
	}
	for (; rv == 0 && i < top->n; i++)
		rv = kvmi_ranges_add(kd, &out, top->r[i]);
	if (rv == -1) {
		kvmi_ranges_fini(&out);
		return -1;
	}
	kvmi_ranges_fini(top);
	*top = out;
	return 0;
}

const struct kvmi_range *
kvmi_ranges_find(const struct kvmi_ranges *l, kpaddr_t pa)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (pa < l->r[mid].end)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < l->n && pa >= l->r[lo].start ? &l->r[lo] : NULL;
}
