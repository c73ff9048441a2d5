/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_ranges.c: lists of physical memory, each range with what it is and where
 * a file has it; from these the tables of a header are made.
 */
#include <errno.h>

#include "kvm_private.h"

int
kvmi_ranges_add(kvm_t *kd, struct kvmi_ranges *l, struct kvmi_range r)
{
	struct kvmi_range *more, *last = l->n > 0 ? &l->r[l->n - 1] : NULL;
	size_t cap;

	kvmi_spill_step(kd, 1);
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
		more = kvmi_spill_resize(kd, l->r, l->n * sizeof(*more),
		    cap * sizeof(*more));
		if (more == NULL)
			return kvmi_syserr(kd, ENOMEM, "list of memory");
		l->r = more;
		l->cap = cap;
	}
	l->r[l->n++] = r;
	return 0;
}

void
kvmi_ranges_fini(kvm_t *kd, struct kvmi_ranges *l)
{
	kvmi_spill_free(kd, l->r);
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

/* Where the ranges end that are in order from at on. */
static size_t
ranges_ordered(kvm_t *kd, const struct kvmi_ranges *l, size_t at)
{
	if (at < l->n)
		at++;
	for (; at < l->n && ranges_cmp(&l->r[at - 1], &l->r[at]) <= 0; at++)
		kvmi_spill_step(kd, 1);
	return at;
}

/* Merges what is in order from at to mid with what is so to end. */
static void
ranges_merge(kvm_t *kd, struct kvmi_range *to, const struct kvmi_range *from,
    size_t at, size_t mid, size_t end)
{
	size_t a = at, b = mid;

	for (; at < end; at++) {
		if (b == end || (a < mid && ranges_cmp(&from[a], &from[b]) <=
		    0))
			to[at] = from[a++];
		else
			to[at] = from[b++];
		kvmi_spill_step(kd, 1);
	}
}

/* Most are in order already, or two or three parts of them are. */
int
kvmi_ranges_order(kvm_t *kd, struct kvmi_ranges *l)
{
	struct kvmi_range *to, *was;
	size_t at, mid, end;

	if (ranges_ordered(kd, l, 0) == l->n)
		return 0;
	to = kvmi_spill_alloc(kd, l->cap * sizeof(*to));
	if (to == NULL)
		return kvmi_syserr(kd, ENOMEM, "list of memory");
	while (ranges_ordered(kd, l, 0) < l->n) {
		for (at = 0; at < l->n; at = end) {
			mid = ranges_ordered(kd, l, at);
			end = ranges_ordered(kd, l, mid);
			ranges_merge(kd, to, l->r, at, mid, end);
		}
		was = l->r;
		l->r = to;
		to = was;
	}
	kvmi_spill_free(kd, to);
	return 0;
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

	if (kvmi_ranges_order(kd, l) == -1)
		return -1;
	for (i = 0; i < l->n; i++) {
		r = l->r[i];
		if (r.end <= end)
			continue;
		if (r.start < end)
			r = ranges_from(l, r, end);
		end = r.end;
		if (kvmi_ranges_add(kd, &out, r) == -1) {
			kvmi_ranges_fini(kd, &out);
			return -1;
		}
	}
	kvmi_ranges_fini(kd, l);
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
		kvmi_ranges_fini(kd, &out);
		return -1;
	}
	kvmi_ranges_fini(kd, top);
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
