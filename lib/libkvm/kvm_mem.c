/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_mem.c: physical memory of the dump, and kvm_read(3) and kvm_write(3) over
 * it.  Each reason why memory can't be had has its own errno and text.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "kvm_private.h"

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

ssize_t
kvm_read(kvm_t *kd, unsigned long kva, void *buf, size_t len)
{
	size_t done = 0;
	kpaddr_t pa;
	uint64_t run;
	ssize_t n;

	if (kvmi_need_header(kd) == -1)
		goto fail;
	if (len > SSIZE_MAX) {
		kvmi_err(kd, EINVAL, "a read of %zu bytes is too long", len);
		goto fail;
	}
	while (done < len) {
		if (done != 0 && kva + done == 0) {
			kvmi_err(kd, EFAULT, "the address space ends");
			goto fail;
		}
		if (kvmi_translate(kd, kva + done, len - done, &pa, &run) == -1)
			goto fail;
		for (; run > 0; run -= (uint64_t)n, done += (size_t)n) {
			n = kvmi_phys_read(kd, pa, (uint8_t *)buf + done,
			    (size_t)run);
			if (n == -1) {
				kvmi_prepend(kd, "address 0x%lx", kva + done);
				goto fail;
			}
			pa += (uint64_t)n;
		}
	}
	return (ssize_t)done;
fail:
	kvmi_report(kd);
	return done != 0 ? (ssize_t)done : -1;
}

ssize_t
kvm_write(kvm_t *kd, unsigned long kva, const void *buf, size_t len)
{
	size_t done = 0, n;
	kpaddr_t pa;
	uint64_t run;

	if (kvmi_need_header(kd) == -1)
		goto fail;
	if (!kd->writable) {
		kvmi_err(kd, EBADF, "opened for reading only");
		goto fail;
	}
	if (len > SSIZE_MAX) {
		kvmi_err(kd, EINVAL, "a write of %zu bytes is too long", len);
		goto fail;
	}
	while (done < len) {
		if (done != 0 && kva + done == 0) {
			kvmi_err(kd, EFAULT, "the address space ends");
			goto fail;
		}
		n = KVMI_PAGE - (kva + done) % KVMI_PAGE;
		if (n > len - done)
			n = len - done;
		if (kvmi_translate(kd, kva + done, n, &pa, &run) == -1)
			goto fail;
		if (kvmi_view_write(kd, pa, (const uint8_t *)buf + done, n) ==
		    -1) {
			kvmi_prepend(kd, "address 0x%lx", kva + done);
			goto fail;
		}
		done += n;
		/* It may have been a page table. */
		kvmi_vm_flush(&kd->vm);
	}
	return (ssize_t)done;
fail:
	kvmi_report(kd);
	return done != 0 ? (ssize_t)done : -1;
}
