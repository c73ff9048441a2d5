/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_dump.c: the headers of a dump, read from the raw device and written to a
 * core file; kvm_dump(3).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "kvm_header.h"
#include "kvm_machine.h"

typedef unsigned long long ull;

/* The segment header at off: 1: of a dump we can read, 0, or -1; text. */
static int
dump_seghdr(kvm_t *kd, uint64_t off, kcore_seg_t *seg)
{
	uint32_t mm;

	if (off > kd->window || kd->window - off < sizeof(*seg)) {
		kvmi_err(kd, ENOENT, "no dump header at %llu: the device has "
		    "%llu bytes", (ull)off, (ull)kd->window);
		return 0;
	}
	if (kvmi_pread(kd, seg, sizeof(*seg), off) == -1)
		return kvmi_prepend(kd, "header");
	mm = ntohl(seg->c_midmag);
	if (KCORE_GETMAGIC(mm) != KCORE_MAGIC) {
		kvmi_err(kd, ENOENT, "no dump header at %llu: magic 0x%x where "
		    "0x%x was expected", (ull)off, KCORE_GETMAGIC(mm),
		    KCORE_MAGIC);
		return 0;
	}
	if (KCORE_GETFLAG(mm) != CORE_CPU) {
		kvmi_err(kd, EBADMSG, "header: flags %u where %u was expected",
		    KCORE_GETFLAG(mm), CORE_CPU);
		return 0;
	}
	if (kvmi_machine_find(KCORE_GETMID(mm)) == NULL) {
		kvmi_err(kd, ENOTSUP, "header: machine %u is not one that this "
		    "library can read", KCORE_GETMID(mm));
		return 0;
	}
	return 1;
}

/* Does the header go with the trailer?  0, or -1 with a text. */
static int
dump_check_trailer(kvm_t *kd, const kcore_seg_t *seg, const kcore_trailer_t *t)
{
	const cpu_kcore_hdr_t *h = kd->hdr;
	const struct iovec iov[] = {
		{ (void *)(uintptr_t)seg, sizeof(*seg) },
		{ kd->cpu, h->cpu_size },
	};
	uint64_t sum;

	if (memcmp(h->dump_id, t->dump_id, KCORE_IDLEN) != 0 ||
	    memcmp(h->arm_id, t->arm_id, KCORE_IDLEN) != 0)
		return kvmi_err(kd, EBADMSG, "header: it is of another dump "
		    "than the trailer");
	sum = kvmi_sum_tables(kd, iov, 2);
	if (sum != t->hdr_cksum || t->hdr_size != sizeof(*seg) + h->cpu_size ||
	    t->data_size != h->data_size || t->machine != h->machine)
		return kvmi_err(kd, EBADMSG, "header: checksum 0x%llx, %zu and "
		    "%llu bytes where the trailer has 0x%llx, %llu and %llu",
		    (ull)sum, sizeof(*seg) + h->cpu_size, (ull)h->data_size,
		    (ull)t->hdr_cksum, (ull)t->hdr_size, (ull)t->data_size);
	return 0;
}

/* What the trailer knows and the header could not yet. */
static int
dump_take_trailer(kvm_t *kd, const kcore_trailer_t *t)
{
	cpu_kcore_hdr_t *h = kd->hdr;
	uint32_t i;

	for (i = 0; i < t->nlate; i++)
		if (kvmi_excl_add(kd, t->late[i].kind, t->late[i].start,
		    t->late[i].size) == -1)
			return kvmi_err(kd, EBADMSG, "header: no place in "
			    "exclsegs[] for what could not be read");
	if (t->data_valid < h->data_valid) {
		h->flags |= KCORE_F_INCOMPLETE;
		h->data_valid = t->data_valid;
		kd->runs.valid = t->data_valid;
	} else if (t->nlate == 0) {
		return 0;
	}
	kvmi_cpu_changed(kd);
	return 0;
}

/* The same as kvm_dump_mkheader64(); the text has no file name yet. */
static int64_t
dump_mkheader(kvm_t *kd, off_t dump_off)
{
	const struct kvmi_known anybody = { NULL, 0 };
	const kcore_trailer_t *t = &kd->end.tr;
	const uint64_t off = (uint64_t)dump_off;
	kcore_seg_t seg;
	uint64_t size, end;
	int rv;

	if (kvmi_raw_check(kd, false) == -1)
		return -1;
	kvmi_cpu_drop(kd);
	if (dump_off < 0)
		return kvmi_err(kd, EINVAL, "offset %lld", (long long)dump_off);
	/* A bad end area is no reason not to read what is there. */
	if (!kd->end.looked)
		(void)kvmi_end_look(kd, &anybody);
	rv = dump_seghdr(kd, off, &seg);
	if (rv != 1)
		return rv;
	rv = kvmi_cpu_load(kd, KCORE_GETMID(ntohl(seg.c_midmag)),
	    off + sizeof(seg), seg.c_size);
	if (rv != 1)
		return rv;
	size = sizeof(seg) + seg.c_size;
	end = off + size;
	if (end > kd->window || kd->hdr->data_size > kd->window - end) {
		kvmi_err(kd, EBADMSG, "header: %llu bytes of CORE_DATA at %llu "
		    "in %llu bytes", (ull)kd->hdr->data_size, (ull)end,
		    (ull)kd->window);
		goto invalid;
	}
	if (kd->end.have_trailer && t->dumplo == off) {
		if (dump_check_trailer(kd, &seg, t) == -1 ||
		    dump_take_trailer(kd, t) == -1)
			goto invalid;
		kd->tr_matches = true;
	}
	kd->data_base = end;
	kd->data_len = kd->hdr->data_size;
	return (int64_t)size;
invalid:
	kvmi_cpu_drop(kd);
	return 0;
}

int64_t
kvm_dump_mkheader64(kvm_t *kd, off_t dump_off)
{
	int64_t rv = dump_mkheader(kd, dump_off);

	if (rv <= 0)
		kvmi_report(kd);
	return rv;
}

/* The size of the headers stays below KCORE_CPU_MAX + 8. */
int
kvm_dump_mkheader(kvm_t *kd, off_t dump_off)
{
	return (int)kvm_dump_mkheader64(kd, dump_off);
}

typedef bool (*dump_write_t)(void *cookie, const void *buf, size_t len);

/* A segment header, in the size that all have. */
static bool
dump_put_seg(dump_write_t put, void *cookie, uint16_t hdrsize, uint32_t flags,
    uint64_t size)
{
	kcore_seg64_t s;

	s.c_midmag = htonl(KCORE_MIDMAG(KCORESEG_MAGIC, 0, flags));
	s.c_size = hdrsize == KCORE_SEGHDRSIZE64 ? KCORE_SIZE64 :
	    (uint32_t)size;
	s.c_size64 = size;
	return put(cookie, &s, hdrsize);
}

/* The CPU segment, piece by piece. */
static bool
dump_put_cpu(kvm_t *kd, dump_write_t put, void *cookie)
{
	size_t at, n;

	for (at = 0; at < kd->hdr->cpu_size; at += n) {
		n = kd->hdr->cpu_size - at;
		if (n > KVMI_SPILL_PIECE)
			n = KVMI_SPILL_PIECE;
		if (!put(cookie, kd->cpu + at, n))
			return false;
		kvmi_spill_step(kd, KVMI_SPILL_ALL);
	}
	return true;
}

/* Everything before CORE_DATA: 0, or -1 with a text. */
static int
dump_put_header(kvm_t *kd, dump_write_t put, void *cookie, uint64_t dumpsize)
{
	const cpu_kcore_hdr_t *h = kd->hdr;
	uint8_t head[KCORE_HDRSIZE] = { 0 };
	kcore_hdr_t kh;

	kh.c_midmag = htonl(KCORE_MIDMAG(KCORE_MAGIC, h->machine, 0));
	kh.c_hdrsize = KCORE_HDRSIZE;
	kh.c_seghdrsize = dumpsize < KCORE_SIZE64 ? KCORE_SEGHDRSIZE :
	    KCORE_SEGHDRSIZE64;
	kh.c_nseg = 2;
	memcpy(head, &kh, sizeof(kh));
	errno = 0;
	if (put(cookie, head, sizeof(head)) &&
	    dump_put_seg(put, cookie, kh.c_seghdrsize, CORE_CPU, h->cpu_size) &&
	    dump_put_cpu(kd, put, cookie) &&
	    dump_put_seg(put, cookie, kh.c_seghdrsize, CORE_DATA, dumpsize))
		return 0;
	return kvmi_syserr(kd, errno != 0 ? errno : EIO,
	    "write of the core file's header");
}

int
kvm_dump_header64(kvm_t *kd, dump_write_t write_buf, void *cookie,
    uint64_t dumpsize)
{
	if (kvmi_need_header(kd) == 0 &&
	    dump_put_header(kd, write_buf, cookie, dumpsize) == 0)
		return 0;
	kvmi_report(kd);
	return -1;
}

int
kvm_dump_header(kvm_t *kd, dump_write_t write_buf, void *cookie, int dumpsize)
{
	if (kvmi_need_header(kd) == -1)
		goto fail;
	if (kd->hdr->data_size > INT_MAX) {
		kvmi_err(kd, EOVERFLOW, "%llu bytes of CORE_DATA do not fit in "
		    "an int: use the 64-bit functions",
		    (ull)kd->hdr->data_size);
		goto fail;
	}
	if (dumpsize < 0) {
		kvmi_err(kd, EINVAL, "dump size %d", dumpsize);
		goto fail;
	}
	if (dump_put_header(kd, write_buf, cookie, (uint64_t)dumpsize) == 0)
		return 0;
fail:
	kvmi_report(kd);
	return -1;
}

static bool
dump_fwrite(void *cookie, const void *buf, size_t len)
{
	return fwrite(buf, 1, len, cookie) == len;
}

int
kvm_dump_wrtheader(kvm_t *kd, FILE *fp, int dumpsize)
{
	return kvm_dump_header(kd, dump_fwrite, fp, dumpsize);
}

int
kvm_dump_wrtheader64(kvm_t *kd, FILE *fp, uint64_t dumpsize)
{
	return kvm_dump_header64(kd, dump_fwrite, fp, dumpsize);
}
