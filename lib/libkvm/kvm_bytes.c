/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes.c: the formats of corefile, and the one place that reads it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kvm_bytes.h"

/* The registry: asked in this order.  The raw device takes what is left. */
const struct kvmi_format *const kvmi_formats[] = {
	&kvmi_format_core,
	&kvmi_format_elf,
	&kvmi_format_kdump,
	&kvmi_format_raw,
	NULL,
};

int
kvmi_pread(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	uint8_t *to = buf;
	uint64_t from;
	size_t want;

	for (; len > 0; to += want, len -= want, off += want) {
		want = len;
		from = kd->flat_on ? kvmi_flat_find(kd, off, &want) : off;
		if (want == 0 && (want = kvmi_flat_gap(kd, off, len)) > 0) {
			memset(to, 0, want);
			continue;
		}
		if (want == 0)
			return kvmi_err(kd, EIO, "nothing at %llu, %zu bytes "
			    "early", (unsigned long long)off, len);
		if ((kd->packed != NULL ? kvmi_packed_read : kvmi_file_read)(kd,
		    to, want, from) == -1)
			return -1;
	}
	return 0;
}

int
kvmi_file_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	uint8_t *to = buf;
	ssize_t n;

	while (len > 0) {
		n = pread(kd->disk != -1 ? kd->disk : kd->fd, to, len,
		    (off_t)off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return kvmi_syserr(kd, errno, "read of %zu bytes at "
			    "%llu", len, (unsigned long long)off);
		if (n == 0)
			return kvmi_err(kd, EIO, "ends at %llu, %zu bytes "
			    "early", (unsigned long long)off, len);
		to += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

/* Where the file has CORE_DATA at off, in bytes, and how many of *len there. */
static int
where_find(kvm_t *kd, size_t *len, uint64_t off, uint64_t *place)
{
	const struct kvmi_range *r;
	uint64_t n;
	kpaddr_t pa;

	kvmi_spill_step(kd, KVMI_SPILL_FIND);
	if (!kvmi_runs_at(&kd->runs, off, &pa, &n) ||
	    (r = kvmi_ranges_find(&kd->where, pa)) == NULL)
		return kvmi_err(kd, EBADMSG, "CORE_DATA at %llu is not in the "
		    "file", (unsigned long long)off);
	if (n > r->end - pa)
		n = r->end - pa;
	if (*len > n)
		*len = (size_t)n;
	*place = r->place * kd->where.unit + (pa - r->start);
	return 0;
}

int
kvmi_where_read(kvm_t *kd, void *buf, size_t len, uint64_t off,
    int (*get)(kvm_t *kd, void *buf, size_t len, uint64_t place))
{
	uint8_t *to = buf;
	uint64_t place;
	size_t n;

	for (; len > 0; to += n, off += n, len -= n) {
		n = len;
		if (where_find(kd, &n, off, &place) == -1 ||
		    get(kd, to, n, place) == -1)
			return -1;
	}
	return 0;
}

const uint8_t *
kvmi_where_look(kvm_t *kd, size_t *len, uint64_t off)
{
	uint64_t place;

	return where_find(kd, len, off, &place) == 0 ?
	    kvmi_small_look(kd, len, place) : NULL;
}

static int
plain_read_at(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	return kvmi_small_read(kd, buf, len, kd->data_base + off);
}

int
kvmi_plain_read(kvm_t *kd, void *buf, size_t len, uint64_t off)
{
	return kd->where.n == 0 ? plain_read_at(kd, buf, len, off) :
	    kvmi_where_read(kd, buf, len, off, plain_read_at);
}

const uint8_t *
kvmi_plain_look(kvm_t *kd, size_t *len, uint64_t off)
{
	return kd->where.n == 0 ? kvmi_small_look(kd, len, kd->data_base + off) :
	    kvmi_where_look(kd, len, off);
}

ssize_t
kvm_dump_read(kvm_t *kd, void *buf, size_t len, uint64_t data_off)
{
	if (kvmi_need_header(kd) == -1)
		goto fail;
	if (data_off > kd->data_len) {
		kvmi_err(kd, EINVAL, "offset %llu in %llu bytes of CORE_DATA",
		    (unsigned long long)data_off,
		    (unsigned long long)kd->data_len);
		goto fail;
	}
	if (len > kd->data_len - data_off)
		len = (size_t)(kd->data_len - data_off);
	if (len > 0 && kd->fmt->read(kd, buf, len, data_off) == -1)
		goto fail;
	return (ssize_t)len;
fail:
	kvmi_report(kd);
	return -1;
}
