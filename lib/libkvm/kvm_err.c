/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_err.c: error texts; kvm_geterr(3).
 *
 * A descriptor keeps one text for each thread that has failed on it.  The
 * innermost layer writes the text, each layer above puts before it the object
 * that it knows, and the public function puts the file's name before it all.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

struct kvmi_errtext {
	struct kvmi_errtext *next;
	const void *thread;
	char text[KVM_ERRBUFSZ];
};

/* Its address tells threads apart. */
static _Thread_local char kvmi_thread;

int
kvmi_errs_init(struct kvmi_errs *e)
{
	e->head = NULL;
	strcpy(e->nomem, "no memory for an error text");
	return pthread_mutex_init(&e->lock, NULL);
}

void
kvmi_errs_fini(struct kvmi_errs *e)
{
	struct kvmi_errtext *t;

	while ((t = e->head) != NULL) {
		e->head = t->next;
		free(t);
	}
	pthread_mutex_destroy(&e->lock);
}

/* This thread's place; NULL: none yet, and none made. */
static struct kvmi_errtext *
errs_place(struct kvmi_errs *e, bool make)
{
	struct kvmi_errtext *t;

	pthread_mutex_lock(&e->lock);
	for (t = e->head; t != NULL; t = t->next)
		if (t->thread == &kvmi_thread)
			break;
	if (t == NULL && make && (t = malloc(sizeof(*t))) != NULL) {
		t->thread = &kvmi_thread;
		t->text[0] = '\0';
		t->next = e->head;
		e->head = t;
	}
	pthread_mutex_unlock(&e->lock);
	return t;
}

int
kvmi_err(kvm_t *kd, int error, const char *fmt, ...)
{
	struct kvmi_errtext *t = errs_place(&kd->errs, true);
	va_list ap;

	if (t != NULL) {
		va_start(ap, fmt);
		vsnprintf(t->text, sizeof(t->text), fmt, ap);
		va_end(ap);
	}
	errno = error;
	return -1;
}

int
kvmi_syserr(kvm_t *kd, int error, const char *fmt, ...)
{
	char what[KVM_ERRBUFSZ / 2], why[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return kvmi_err(kd, error, "%s: %s", what,
	    strerror_r(error, why, sizeof(why)));
}

int
kvmi_prepend(kvm_t *kd, const char *fmt, ...)
{
	struct kvmi_errtext *t;
	int error = errno;
	char text[2 * KVM_ERRBUFSZ];
	size_t n;
	va_list ap;

	t = errs_place(&kd->errs, true);
	if (t != NULL) {
		va_start(ap, fmt);
		vsnprintf(text, KVM_ERRBUFSZ - 2, fmt, ap);
		va_end(ap);
		n = strlen(text);
		snprintf(text + n, sizeof(text) - n, ": %s", t->text);
		memcpy(t->text, text, sizeof(t->text) - 1);
		t->text[sizeof(t->text) - 1] = '\0';
	}
	errno = error;
	return -1;
}

const char *
kvmi_shown(char *to, size_t size, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size && from[i] != '\0'; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
	return to;
}

void
kvmi_failure_note(kvm_t *kd, struct kvmi_failure *f)
{
	const int error = errno;

	if (error != ENOMEM && error != EIO && f->text == NULL &&
	    (f->text = strdup(kvm_geterr(kd))) != NULL)
		f->error = error;
	errno = error;
}

int
kvmi_failure_tell(kvm_t *kd, const struct kvmi_failure *f)
{
	return f->error == 0 ? 0 : kvmi_err(kd, f->error, "%s", f->text);
}

void
kvmi_failure_fini(struct kvmi_failure *f)
{
	free(f->text);
	f->text = NULL;
	f->error = 0;
}

void
kvmi_report(kvm_t *kd)
{
	int error = errno;

	if (kd->corename != NULL)
		kvmi_prepend(kd, "%s", kd->corename);
	if (kd->errstr != NULL)
		fprintf(stderr, "%s: %s\n", kd->errstr, kvm_geterr(kd));
	errno = error;
}

char *
kvm_geterr(kvm_t *kd)
{
	struct kvmi_errtext *t = errs_place(&kd->errs, true);

	return t != NULL ? t->text : kd->errs.nomem;
}
