/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_mem.c: physical memory of the dump.  Each reason why memory can't be had
 * has its own errno and text.
 */
#include <errno.h>
#include <string.h>

#include "kvm_bytes.h"
#include "kvm_live.h"

static int
mem_fail(kvm_t *kd, kpaddr_t pa, unsigned int kind)
{
	const unsigned long long a = pa;

	switch (kind) {
	case KCORE_EXCL_FILTERED:
		return kvmi_err(kd, ENODATA, "physical 0x%llx: left out by "
		    "dump level %u", a, kd->hdr->dump_level);
	case KCORE_EXCL_TRUNCATED:
		return kvmi_err(kd, ENOSPC, "physical 0x%llx: not in the dump: "
		    "the dump device was too small", a);
	case KCORE_EXCL_UNREADABLE:
		return kvmi_err(kd, EHWPOISON, "physical 0x%llx: could not be "
		    "read when the kernel died", a);
	case KCORE_EXCL_DAMAGED:
		return kvmi_err(kd, EBADMSG, "physical 0x%llx: damaged: its "
		    "checksum was wrong when the dump was saved", a);
	case KCORE_EXCL_MISSING:
		return kvmi_err(kd, ECANCELED, "physical 0x%llx: missing: the "
		    "dump ended before it was written", a);
	default:
		return kvmi_err(kd, ENXIO, "physical 0x%llx: there is no such "
		    "memory", a);
	}
}

ssize_t
kvmi_phys_read(kvm_t *kd, kpaddr_t pa, void *buf, size_t len)
{
	struct kvmi_place p;
	size_t n;

	if (kd->live != NULL)
		return kd->live->phys_read(kd, pa, buf, len);
	kvmi_runs_find(&kd->runs, pa, &p);
	n = p.len < len ? (size_t)p.len : len;
	if (p.kind == KCORE_EXCL_ZERO) {
		memset(buf, 0, n);
	} else if (p.kind != KVMI_MEM_DATA) {
		return mem_fail(kd, pa, p.kind);
	} else if (p.off >= kd->data_len) {
		return kvmi_err(kd, EIO, "physical 0x%llx: the file ends %llu "
		    "bytes before it", (unsigned long long)pa,
		    (unsigned long long)(p.off - kd->data_len));
	} else {
		if (n > kd->data_len - p.off)
			n = (size_t)(kd->data_len - p.off);
		if (kd->fmt->read(kd, buf, n, p.off) == -1)
			return kvmi_prepend(kd, "physical 0x%llx",
			    (unsigned long long)pa);
	}
	kvmi_view_apply(&kd->view, pa, buf, n);
	return (ssize_t)n;
}
