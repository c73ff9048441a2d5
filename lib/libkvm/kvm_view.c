/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_view.c: the private pages of a descriptor, made when kvm_write(3) first
 * writes them.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

struct view_page {
	kpaddr_t pa;
	uint8_t data[KVMI_PAGE];
};

static int
view_cmp(const void *a, const void *b)
{
	const struct view_page *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

int
kvmi_view_init(struct kvmi_view *v)
{
	v->root = NULL;
	atomic_init(&v->npages, 0);
	return pthread_mutex_init(&v->lock, NULL);
}

void
kvmi_view_fini(struct kvmi_view *v)
{
	kvmi_view_drop(v);
	pthread_mutex_destroy(&v->lock);
}

void
kvmi_view_drop(struct kvmi_view *v)
{
	tdestroy(v->root, free);
	v->root = NULL;
	atomic_store(&v->npages, 0);
}

static struct view_page *
view_find(struct kvmi_view *v, kpaddr_t page)
{
	struct view_page key, **found;

	key.pa = page;
	found = tfind(&key, &v->root, view_cmp);
	return found != NULL ? *found : NULL;
}

void
kvmi_view_apply(struct kvmi_view *v, kpaddr_t pa, void *buf, size_t len)
{
	struct view_page *vp;
	size_t done, n, at;

	if (atomic_load(&v->npages) == 0)
		return;
	pthread_mutex_lock(&v->lock);
	for (done = 0; done < len; done += n) {
		at = (pa + done) % KVMI_PAGE;
		n = KVMI_PAGE - at < len - done ? KVMI_PAGE - at : len - done;
		vp = view_find(v, pa + done - at);
		if (vp != NULL)
			memcpy((uint8_t *)buf + done, vp->data + at, n);
	}
	pthread_mutex_unlock(&v->lock);
}

/* A new page with what memory holds; NULL with a text. */
static struct view_page *
view_load(kvm_t *kd, kpaddr_t page)
{
	struct view_page *vp;
	size_t done;
	ssize_t n;

	vp = malloc(sizeof(*vp));
	if (vp == NULL) {
		kvmi_syserr(kd, ENOMEM, "private page");
		return NULL;
	}
	vp->pa = page;
	for (done = 0; done < KVMI_PAGE; done += (size_t)n) {
		n = kvmi_phys_read(kd, page + done, vp->data + done,
		    KVMI_PAGE - done);
		if (n == -1) {
			free(vp);
			return NULL;
		}
	}
	return vp;
}

int
kvmi_view_write(kvm_t *kd, kpaddr_t pa, const void *buf, size_t len)
{
	struct kvmi_view *v = &kd->view;
	struct view_page *vp, *fresh = NULL;
	const size_t at = pa % KVMI_PAGE;
	int rv = -1;

	pthread_mutex_lock(&v->lock);
	vp = view_find(v, pa - at);
	pthread_mutex_unlock(&v->lock);
	if (vp == NULL && (fresh = view_load(kd, pa - at)) == NULL)
		return -1;

	/* Another thread may have been first. */
	pthread_mutex_lock(&v->lock);
	vp = view_find(v, pa - at);
	if (vp == NULL && tsearch(fresh, &v->root, view_cmp) != NULL) {
		vp = fresh;
		fresh = NULL;
		atomic_fetch_add(&v->npages, 1);
	}
	if (vp != NULL) {
		memcpy(vp->data + at, buf, len);
		rv = 0;
	}
	pthread_mutex_unlock(&v->lock);
	free(fresh);
	if (rv == -1)
		kvmi_syserr(kd, ENOMEM, "private page");
	return rv;
}
