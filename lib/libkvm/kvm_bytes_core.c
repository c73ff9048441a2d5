/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes_core.c: the core file that savecore(8) writes; kcore(5).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "kvm_bytes.h"
#include "kvm_header.h"
#include "kvm_machine.h"

/* Enough for the file header, a segment header, and ext_magic behind them. */
#define CORE_HEAD	64u

/*
 * A core file, even one with a flipped bit: by its magic, or by the magic of
 * the header extension at one of its two places.  Page 0 of a dump device has
 * neither.
 */
static bool
core_looks_like(const uint8_t *head)
{
	const size_t at = offsetof(cpu_kcore_hdr_t, ext_magic);
	kcore_hdr_t h;
	uint64_t m8, m16;

	memcpy(&h, head, sizeof(h));
	memcpy(&m8, head + KCORE_HDRSIZE + KCORE_SEGHDRSIZE + at, 8);
	memcpy(&m16, head + KCORE_HDRSIZE + KCORE_SEGHDRSIZE64 + at, 8);
	return KCORE_GETMAGIC(ntohl(h.c_midmag)) == KCORE_MAGIC ||
	    m8 == KCORE_EXT_MAGIC || m16 == KCORE_EXT_MAGIC;
}

static int
core_check_header(kvm_t *kd, const kcore_hdr_t *h, const uint8_t *pad)
{
	const uint32_t mm = ntohl(h->c_midmag);

	if (KCORE_GETMAGIC(mm) != KCORE_MAGIC || KCORE_GETFLAG(mm) != 0)
		return kvmi_err(kd, EBADMSG, "file header: magic 0x%x, flags "
		    "0x%x where 0x%x and 0 were expected", KCORE_GETMAGIC(mm),
		    KCORE_GETFLAG(mm), KCORE_MAGIC);
	if (kvmi_machine_find(KCORE_GETMID(mm)) == NULL)
		return kvmi_err(kd, ENOTSUP, "file header: machine %u is not "
		    "one that this library can read", KCORE_GETMID(mm));
	if (h->c_hdrsize != KCORE_HDRSIZE ||
	    (h->c_seghdrsize != KCORE_SEGHDRSIZE &&
	    h->c_seghdrsize != KCORE_SEGHDRSIZE64) || h->c_nseg != 2 ||
	    !kvmi_zero(pad, KCORE_HDRSIZE - sizeof(*h)))
		return kvmi_err(kd, EBADMSG, "file header: header sizes %u and "
		    "%u, %u segments", h->c_hdrsize, h->c_seghdrsize,
		    h->c_nseg);
	return 0;
}

/* Reads a segment header at off: 0 and its size, or -1 with a text. */
static int
core_segment(kvm_t *kd, const kcore_hdr_t *h, uint64_t off, uint32_t flag,
    uint64_t *size)
{
	kcore_seg64_t s;
	uint32_t mm;

	if (kvmi_pread(kd, &s, h->c_seghdrsize, off) == -1)
		return kvmi_prepend(kd, "segment header");
	mm = ntohl(s.c_midmag);
	if (KCORE_GETMAGIC(mm) != KCORESEG_MAGIC || KCORE_GETFLAG(mm) != flag)
		return kvmi_err(kd, EBADMSG, "segment header at %llu: magic "
		    "0x%x, flags %u where 0x%x and %u were expected",
		    (unsigned long long)off, KCORE_GETMAGIC(mm),
		    KCORE_GETFLAG(mm), KCORESEG_MAGIC, flag);
	*size = s.c_size;
	if (h->c_seghdrsize == KCORE_SEGHDRSIZE64) {
		if (s.c_size != KCORE_SIZE64)
			return kvmi_err(kd, EBADMSG, "segment header at %llu: "
			    "size 0x%x where 0x%x was expected",
			    (unsigned long long)off, s.c_size, KCORE_SIZE64);
		*size = s.c_size64;
	}
	return 0;
}

/* The size that the data segment may say. */
static int
core_check_data(kvm_t *kd, uint64_t size)
{
	const cpu_kcore_hdr_t *h = kd->hdr;

	if (size > h->data_size || size < h->data_valid)
		return kvmi_err(kd, EBADMSG, "CORE_DATA segment: %llu bytes "
		    "where %llu to %llu were expected",
		    (unsigned long long)size, (unsigned long long)h->data_valid,
		    (unsigned long long)h->data_size);
	return 0;
}

static int
core_open(kvm_t *kd)
{
	uint8_t head[CORE_HEAD];
	kcore_hdr_t h;
	uint64_t off, size, rest;

	if (kd->file_size < sizeof(head))
		return 0;
	if (kvmi_pread(kd, head, sizeof(head), 0) == -1)
		return -1;
	if (!core_looks_like(head))
		return 0;
	memcpy(&h, head, sizeof(h));
	if (core_check_header(kd, &h, head + sizeof(h)) == -1)
		return -1;
	off = h.c_hdrsize;
	if (core_segment(kd, &h, off, CORE_CPU, &size) == -1)
		return -1;
	off += h.c_seghdrsize;
	if (kvmi_cpu_load(kd, KCORE_GETMID(ntohl(h.c_midmag)), off, size) != 1)
		return -1;
	off += size;
	if (core_segment(kd, &h, off, CORE_DATA, &size) == -1 ||
	    core_check_data(kd, size) == -1)
		return -1;
	kd->data_base = off + h.c_seghdrsize;
	rest = kd->file_size - kd->data_base;
	kd->data_len = size < rest ? size : rest;
	kvmi_small_map(kd);
	return 1;
}

const struct kvmi_format kvmi_format_core = {
	.name = "core file",
	.open = core_open,
	.read = kvmi_plain_read,
	.look = kvmi_plain_look,
};
