/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_trailer.c: is a trailer whole, about this window, and to be believed?
 */
#include <errno.h>
#include <string.h>

#include "kvm_header.h"

typedef unsigned long long ull;

bool
kvmi_known_has(const struct kvmi_known *k, const uint8_t *id)
{
	size_t i;

	if (k->ids == NULL)
		return true;
	for (i = 0; i < k->n; i++)
		if (memcmp(k->ids[i], id, KVM_IDLEN) == 0)
			return true;
	return false;
}

uint64_t
kvmi_trailer_off(const kvm_t *kd, uint64_t seq)
{
	return kd->window - ((seq & 1) != 0 ? 2 : 1) * KCORE_TRAILER_SIZE;
}

/* Does [off, off + len) lie in [lo, hi)?  Aligned, too. */
static bool
trailer_range(uint64_t off, uint64_t len, uint64_t lo, uint64_t hi)
{
	return off % KCORE_ALIGN == 0 && off >= lo && off <= hi &&
	    len <= hi - off;
}

/* The parts of the dump: in order, in the window. */
static int
trailer_places(kvm_t *kd, const kcore_trailer_t *t)
{
	const uint64_t early = kd->window - KCORE_END_AREA;
	const uint64_t nchunks = t->data_size / KCORE_CHUNK +
	    (t->data_size % KCORE_CHUNK != 0);
	uint64_t end;

	if (t->early_off != 0 &&
	    (t->early_off != early || t->early_size % KCORE_ALIGN != 0 ||
	    t->early_size > KCORE_END_AREA - 2 * KCORE_TRAILER_SIZE))
		return kvmi_err(kd, EBADMSG, "early record at %llu, %llu "
		    "bytes: out of place", (ull)t->early_off,
		    (ull)t->early_size);
	if (t->dumplo == 0)
		return 0;
	if (!trailer_range(t->dumplo, t->hdr_size, KCORE_ALIGN, early) ||
	    t->hdr_size % KCORE_ALIGN != 0 ||
	    t->hdr_size < KCORE_SEGHDRSIZE + sizeof(cpu_kcore_hdr_t))
		return kvmi_err(kd, EBADMSG, "header at %llu, %llu bytes: out "
		    "of place", (ull)t->dumplo, (ull)t->hdr_size);
	end = t->dumplo + t->hdr_size;
	if (!trailer_range(end, t->data_size, end, early) ||
	    t->data_size % KCORE_ALIGN != 0 || t->data_valid > t->data_size)
		return kvmi_err(kd, EBADMSG, "%llu of %llu bytes of CORE_DATA "
		    "at %llu: out of place", (ull)t->data_valid,
		    (ull)t->data_size, (ull)end);
	end += t->data_size;
	if (t->cksum_valid > nchunks ||
	    t->cksum_valid > t->cksum_size / sizeof(kcore_ckpage_t) *
	    KCORE_CKSUM_PER_PAGE ||
	    (t->cksum_size != 0 &&
	    !trailer_range(t->cksum_off, t->cksum_size, end, early)))
		return kvmi_err(kd, EBADMSG, "checksums at %llu, %llu bytes, "
		    "%llu chunks: out of place", (ull)t->cksum_off,
		    (ull)t->cksum_size, (ull)t->cksum_valid);
	return 0;
}

/* late[], texts and pads. */
static int
trailer_contents(kvm_t *kd, const kcore_trailer_t *t)
{
	const kcore_exclseg_t *e = t->late;
	uint32_t i;

	if (t->nlate > KCORE_LATE_MAX)
		return kvmi_err(kd, EBADMSG, "%u late ranges", t->nlate);
	for (i = 0; i < t->nlate; i++)
		if (e[i].kind != KCORE_EXCL_UNREADABLE || e[i].flags != 0 ||
		    e[i].size == 0 || e[i].size > UINT64_MAX - e[i].start)
			return kvmi_err(kd, EBADMSG, "late[%u] is no "
			    "unreadable range", i);
	if (!kvmi_text_ok(t->release, sizeof(t->release)) ||
	    !kvmi_text_ok(t->panicstr, sizeof(t->panicstr)))
		return kvmi_err(kd, EBADMSG, "a text is not padded with NUL "
		    "bytes");
	if (!kvmi_zero(&e[t->nlate], (KCORE_LATE_MAX - t->nlate) *
	    sizeof(*e)) || !kvmi_zero(t->pad, sizeof(t->pad)))
		return kvmi_err(kd, EBADMSG, "a pad is not zero");
	return 0;
}

int
kvmi_trailer_check(kvm_t *kd, const kcore_trailer_t *t, unsigned int slot,
    const struct kvmi_known *k)
{
	uint64_t sum;

	if (t->magic != KCORE_TRAILER_MAGIC)
		return kvmi_err(kd, ENOENT, "no magic number");
	/* Nobody we know: whatever else it says is no news. */
	if (!kvmi_known_has(k, t->arm_id))
		return kvmi_err(kd, EPERM, "its arm id is not a known one");
	sum = kvmi_record_sum(t, sizeof(*t), offsetof(kcore_trailer_t, cksum));
	if (sum != t->cksum)
		return kvmi_err(kd, EBADMSG, "checksum 0x%llx where 0x%llx was "
		    "expected", (ull)sum, (ull)t->cksum);
	if (t->version != KCORE_VERSION)
		return kvmi_err(kd, ENOTSUP, "version %u; this library knows "
		    "version %u", t->version, KCORE_VERSION);
	if (t->size != sizeof(*t) || t->seq == 0 || (t->seq & 1) == slot ||
	    t->state < KCORE_STATE_INPROGRESS ||
	    t->state > KCORE_STATE_SAVED ||
	    (t->error != 0 && t->state != KCORE_STATE_FAILED))
		return kvmi_err(kd, EBADMSG, "size %u, sequence number %llu, "
		    "state %u, error %u", t->size, (ull)t->seq, t->state,
		    t->error);
	if (t->window_size != kd->window)
		return kvmi_err(kd, EBADMSG, "it is about a window of %llu "
		    "bytes, not %llu", (ull)t->window_size, (ull)kd->window);
	if (t->part != 0 || t->nparts != 1 ||
	    t->device_index >= KCORE_DEVICES_MAX)
		return kvmi_err(kd, ENOTSUP, "part %u of %u on device %u; this "
		    "library knows part 0 of 1 on devices 0 to %u", t->part,
		    t->nparts, t->device_index, KCORE_DEVICES_MAX - 1);
	if (trailer_places(kd, t) == -1)
		return -1;
	return trailer_contents(kd, t);
}
