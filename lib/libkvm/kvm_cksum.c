/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_cksum.c: the checksums that the dying kernel wrote; kvm_dump(3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_header.h"

typedef unsigned long long ull;

static int
ckpage_check(kvm_t *kd, const kcore_ckpage_t *p, uint64_t index)
{
	uint64_t sum;

	sum = kvmi_record_sum(p, sizeof(*p), offsetof(kcore_ckpage_t, cksum));
	if (p->magic != KCORE_CKSUM_MAGIC || sum != p->cksum)
		return kvmi_err(kd, EBADMSG, "magic 0x%llx, checksum 0x%llx "
		    "where 0x%llx and 0x%llx were expected", (ull)p->magic,
		    (ull)sum, (ull)KCORE_CKSUM_MAGIC, (ull)p->cksum);
	if (p->version != KCORE_VERSION)
		return kvmi_err(kd, ENOTSUP, "version %u; this library knows "
		    "version %u", p->version, KCORE_VERSION);
	if (p->index != index || p->count > KCORE_CKSUM_PER_PAGE ||
	    p->pad0 != 0)
		return kvmi_err(kd, EBADMSG, "index %u, %u checksums", p->index,
		    p->count);
	if (memcmp(p->arm_id, kd->hdr->arm_id, KCORE_IDLEN) != 0 ||
	    memcmp(p->dump_id, kd->hdr->dump_id, KCORE_IDLEN) != 0)
		return kvmi_err(kd, EBADMSG, "it is another dump's");
	return 0;
}

/* The checksum page with this index, in kd->ckpage. */
static int
ckpage_load(kvm_t *kd, uint64_t index)
{
	const uint64_t off = kd->end.tr.cksum_off +
	    index * sizeof(kcore_ckpage_t);
	kcore_ckpage_t *p = kd->ckpage;

	if (p != NULL && p->index == index &&
	    memcmp(p->dump_id, kd->hdr->dump_id, KCORE_IDLEN) == 0)
		return 0;
	kd->ckpage = NULL;
	if (p == NULL && (p = malloc(sizeof(*p))) == NULL)
		return kvmi_syserr(kd, ENOMEM, "checksum page");
	if (kvmi_pread(kd, p, sizeof(*p), off) == -1 ||
	    ckpage_check(kd, p, index) == -1) {
		free(p);
		return kvmi_prepend(kd, "checksum page at %llu", (ull)off);
	}
	kd->ckpage = p;
	return 0;
}

/* 1, 0 or -1 as kvm_dump_cksum(); the text has no file name yet. */
static int
cksum_get(kvm_t *kd, uint64_t chunk, uint64_t *sum)
{
	const kcore_trailer_t *t = &kd->end.tr;
	const uint64_t index = chunk / KCORE_CKSUM_PER_PAGE;
	const uint64_t i = chunk % KCORE_CKSUM_PER_PAGE;

	if (kvmi_raw_check(kd, false) == -1 || kvmi_need_header(kd) == -1)
		return -1;
	if (chunk > (kd->hdr->data_size - 1) / KCORE_CHUNK)
		return kvmi_err(kd, EINVAL, "chunk %llu of %llu bytes",
		    (ull)chunk, (ull)kd->hdr->data_size);
	if (!kd->tr_matches || chunk >= t->cksum_valid) {
		kvmi_err(kd, ENOENT, "no checksum of chunk %llu was written",
		    (ull)chunk);
		return 0;
	}
	if (ckpage_load(kd, index) == -1)
		return -1;
	if (i >= kd->ckpage->count)
		return kvmi_err(kd, EBADMSG, "checksum page %llu: %u "
		    "checksums, chunk %llu is not among them", (ull)index,
		    kd->ckpage->count, (ull)chunk);
	*sum = kd->ckpage->sums[i];
	return 1;
}

int
kvm_dump_cksum(kvm_t *kd, uint64_t chunk, uint64_t *sum)
{
	int rv = cksum_get(kd, chunk, sum);

	if (rv != 1)
		kvmi_report(kd);
	return rv;
}

/* The checksum of the first chunk as it was before kvm_dump_inval(). */
static uint64_t
cksum_uncleared(const kvm_t *kd, const void *buf, size_t len)
{
	const size_t at = (size_t)(kd->hdr->dumpmag_paddr -
	    kd->runs.segs[0].start);
	uint32_t mag = KCORE_DUMPMAG;
	uint8_t *b = (void *)(uintptr_t)buf;
	const struct iovec iov[] = {
		{ b, at },
		{ &mag, sizeof(mag) },
		{ b + at + sizeof(mag), len - at - sizeof(mag) },
	};

	if (!kvmi_zero(b + at, sizeof(mag)))
		return kvmi_sum(&(struct iovec){ b, len }, 1);
	return kvmi_sum(iov, 3);
}

int
kvm_dump_verify(kvm_t *kd, uint64_t chunk, const void *buf, size_t len)
{
	uint64_t want, have, rest;
	int rv;

	rv = cksum_get(kd, chunk, &want);
	if (rv == 0)
		rv = 2;
	if (rv != 1)
		goto report;
	rest = kd->hdr->data_size - chunk * KCORE_CHUNK;
	if (len != (rest < KCORE_CHUNK ? rest : KCORE_CHUNK)) {
		rv = kvmi_err(kd, EINVAL, "chunk %llu: %zu bytes are not a "
		    "chunk", (ull)chunk, len);
		goto report;
	}
	have = kvmi_sum(&(struct iovec){ (void *)(uintptr_t)buf, len }, 1);
	if (have != want && chunk == 0)
		have = cksum_uncleared(kd, buf, len);
	if (have == want)
		return 1;
	kvmi_err(kd, EBADMSG, "chunk %llu: checksum 0x%llx where 0x%llx was "
	    "expected", (ull)chunk, (ull)have, (ull)want);
	rv = 0;
report:
	kvmi_report(kd);
	return rv;
}
