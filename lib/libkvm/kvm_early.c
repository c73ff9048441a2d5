/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_early.c: the early record, which is written before anything slow.
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm_header.h"

typedef unsigned long long ull;

/* Bytes of an early record, or 0 where it does not fit in its place. */
static uint64_t
early_size(const kcore_early_t *e)
{
	const uint64_t notes = (uint64_t)e->notes_off + e->notes_size;
	const uint64_t log = (uint64_t)e->log_off + e->log_size;
	const uint64_t max = KCORE_END_AREA - 2 * KCORE_TRAILER_SIZE;

	if ((e->notes_size != 0 &&
	    (e->notes_off < sizeof(*e) || notes > max)) ||
	    (e->log_size != 0 && (e->log_off < sizeof(*e) || log > max)) ||
	    (e->notes_size != 0 && e->log_size != 0 && e->log_off < notes))
		return 0;
	/* Its checksum covers what comes before the end of the log. */
	return log > sizeof(*e) ? log : sizeof(*e);
}

static int
early_check_page(kvm_t *kd, const kcore_early_t *e, const struct kvmi_known *k)
{
	uint64_t sum;

	if (e->magic != KCORE_EARLY_MAGIC)
		return kvmi_err(kd, ENOENT, "no magic number");
	if (!kvmi_known_has(k, e->arm_id))
		return kvmi_err(kd, EPERM, "its arm id is not a known one");
	sum = kvmi_record_sum(e, sizeof(*e), offsetof(kcore_early_t, cksum));
	if (sum != e->cksum)
		return kvmi_err(kd, EBADMSG, "checksum 0x%llx where 0x%llx was "
		    "expected", (ull)sum, (ull)e->cksum);
	if (e->version != KCORE_VERSION)
		return kvmi_err(kd, ENOTSUP, "version %u; this library knows "
		    "version %u", e->version, KCORE_VERSION);
	if (e->size != sizeof(*e) || early_size(e) == 0)
		return kvmi_err(kd, EBADMSG, "notes at %u, %u bytes, log at "
		    "%u, %u bytes: out of place", e->notes_off, e->notes_size,
		    e->log_off, e->log_size);
	if (!kvmi_zero(e->pad, sizeof(e->pad)) ||
	    !kvmi_text_ok(e->panic_comm, sizeof(e->panic_comm)) ||
	    !kvmi_text_ok(e->release, sizeof(e->release)) ||
	    !kvmi_text_ok(e->osversion, sizeof(e->osversion)) ||
	    !kvmi_text_ok(e->nodename, sizeof(e->nodename)) ||
	    !kvmi_text_ok(e->panicstr, sizeof(e->panicstr)))
		return kvmi_err(kd, EBADMSG, "a pad is not zero");
	return 0;
}

/* Notes and log against their checksum: 1, 0 or -1. */
static int
early_check_body(kvm_t *kd, const kcore_early_t *e, uint64_t off)
{
	const size_t len = (size_t)early_size(e) - sizeof(*e);
	uint64_t sum;
	void *body = malloc(len + 1);
	int rv = 1;

	if (body == NULL)
		return kvmi_syserr(kd, ENOMEM, "%zu bytes", len);
	if (kvmi_pread(kd, body, len, off + sizeof(*e)) == -1) {
		rv = -1;
	} else {
		sum = kvmi_sum(&(struct iovec){ body, len }, 1);
		if (sum != e->body_cksum) {
			kvmi_err(kd, EBADMSG, "body: checksum 0x%llx where "
			    "0x%llx was expected", (ull)sum,
			    (ull)e->body_cksum);
			rv = 0;
		}
	}
	free(body);
	return rv;
}

int
kvmi_early_load(kvm_t *kd, kcore_early_t *e, const struct kvmi_known *k)
{
	const uint64_t off = kd->window - KCORE_END_AREA;
	int rv;

	if (kvmi_pread(kd, e, sizeof(*e), off) == -1)
		rv = -1;
	else if (early_check_page(kd, e, k) == -1)
		rv = 0;
	else
		rv = early_check_body(kd, e, off);
	if (rv != 1)
		kvmi_prepend(kd, "early record at %llu", (ull)off);
	return rv;
}

ssize_t
kvm_dump_earlylog(kvm_t *kd, char *buf, size_t len)
{
	const struct kvmi_known anybody = { NULL, 0 };
	const kcore_early_t *e = &kd->end.early;
	uint64_t off;

	if (kvmi_raw_check(kd, false) == -1 ||
	    (!kd->end.looked && kvmi_end_look(kd, &anybody) == -1))
		goto fail;
	if (!kd->end.have_early || e->log_size == 0) {
		kvmi_err(kd, ENOENT, kd->end.have_early ?
		    "the early record has no text" : "no early record");
		kvmi_report(kd);
		return 0;
	}
	off = kd->window - KCORE_END_AREA + e->log_off;
	if (len < e->log_size)
		off += e->log_size - len;
	else
		len = e->log_size;
	if (kvmi_pread(kd, buf, len, off) == -1)
		goto fail;
	return (ssize_t)len;
fail:
	kvmi_report(kd);
	return -1;
}
