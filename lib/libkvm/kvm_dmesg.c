/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_dmesg.c: log records as the text that dmesg(1) prints; kvm_log(3).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_private.h"

#define DMESG_PREFIX	64u	/* bytes that are enough before a line */

/* What stands before each line of a record. */
static size_t
dmesg_prefix(const struct kvm_logrec *rec, unsigned int flags, char *buf)
{
	int n = 0;

	if ((flags & KVM_LOG_LEVEL) != 0)
		n += snprintf(buf, DMESG_PREFIX, "<%u>",
		    rec->kl_facility << 3 | rec->kl_level);
	n += snprintf(buf + n, DMESG_PREFIX - (size_t)n,
	    "[%5" PRIu64 ".%06" PRIu64 "]", rec->kl_ts_ns / 1000000000,
	    rec->kl_ts_ns / 1000 % 1000000);
	if ((flags & KVM_LOG_CALLER) != 0)
		n += snprintf(buf + n, DMESG_PREFIX - (size_t)n, "[%c%u]",
		    rec->kl_caller >> 31 != 0 ? 'C' : 'T',
		    rec->kl_caller & 0x7fffffff);
	n += snprintf(buf + n, DMESG_PREFIX - (size_t)n, " ");
	return (size_t)n;
}

size_t
kvm_log_text(const struct kvm_logrec *rec, unsigned int flags, char *buf,
    size_t len)
{
	char prefix[DMESG_PREFIX];
	const char *p = rec->kl_text, *nl;
	size_t left = rec->kl_len, used = 0, part, n;

	n = dmesg_prefix(rec, flags, prefix);
	for (;;) {
		nl = memchr(p, '\n', left);
		part = nl != NULL ? (size_t)(nl - p) : left;
		if (len - used < n + part + 1)
			return used;
		memcpy(buf + used, prefix, n);
		memcpy(buf + used + n, p, part);
		used += n + part;
		buf[used++] = '\n';
		if (nl == NULL)
			return used;
		p += part + 1;
		left -= part + 1;
	}
}

struct dmesg {
	char *buf;
	size_t len, cap;
	unsigned int flags;
};

static int
dmesg_add(void *cookie, const struct kvm_logrec *rec)
{
	struct dmesg *d = cookie;
	size_t lines = 1, i, need;
	char *buf;

	for (i = 0; i < rec->kl_len; i++)
		lines += rec->kl_text[i] == '\n';
	need = d->len + rec->kl_len + lines * (DMESG_PREFIX + 1) + 1;
	if (need > d->cap) {
		need *= 2;
		if ((buf = realloc(d->buf, need)) == NULL)
			return 1;
		d->buf = buf;
		d->cap = need;
	}
	d->len += kvm_log_text(rec, d->flags, d->buf + d->len,
	    d->cap - d->len - 1);
	d->buf[d->len] = '\0';
	return 0;
}

char *
kvm_dmesg(kvm_t *kd, unsigned int flags, size_t *len)
{
	struct dmesg d = { .flags = flags };
	int rv;

	if ((flags & ~(KVM_LOG_LEVEL | KVM_LOG_CALLER)) != 0) {
		kvmi_err(kd, EINVAL, "flags 0x%x: unknown", flags);
		kvmi_report(kd);
		return NULL;
	}
	rv = kvm_log(kd, dmesg_add, &d);
	if (rv == 0 && d.buf == NULL) {
		d.buf = calloc(1, 1);
		rv = d.buf == NULL;
	}
	if (rv != 0) {
		if (rv == 1) {
			kvmi_syserr(kd, ENOMEM, "kernel log");
			kvmi_report(kd);
		}
		free(d.buf);
		return NULL;
	}
	if (len != NULL)
		*len = d.len;
	return d.buf;
}
