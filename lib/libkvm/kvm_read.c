/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_read.c: kernel virtual memory; kvm_read(3).
 */
#include <errno.h>
#include <limits.h>

#include "kvm_live.h"

int
kvmi_read_mapped(kvm_t *kd, kvaddr_t kva, void *buf, size_t len, size_t *done)
{
	kpaddr_t pa;
	uint64_t run;
	ssize_t n;

	while (*done < len) {
		if (*done != 0 && kva + *done == 0)
			return kvmi_err(kd, EFAULT, "the address space ends");
		if (kvmi_translate(kd, kva + *done, len - *done, &pa, &run) ==
		    -1)
			return -1;
		for (; run > 0; run -= (uint64_t)n, *done += (size_t)n) {
			n = kvmi_phys_read(kd, pa, (uint8_t *)buf + *done,
			    (size_t)run);
			if (n == -1)
				return kvmi_prepend(kd, "address 0x%llx",
				    (unsigned long long)(kva + *done));
			pa += (uint64_t)n;
		}
	}
	return 0;
}

int
kvmi_read_some(kvm_t *kd, kvaddr_t kva, void *buf, size_t len, size_t *done)
{
	return (kd->live != NULL ? kd->live->read : kvmi_read_mapped)(kd, kva,
	    buf, len, done);
}

int
kvmi_read(kvm_t *kd, kvaddr_t va, void *buf, size_t len)
{
	size_t done = 0;

	return kvmi_read_some(kd, va, buf, len, &done);
}

ssize_t
kvm_read(kvm_t *kd, unsigned long kva, void *buf, size_t len)
{
	size_t done = 0;

	if (kd->live == NULL && kvmi_need_header(kd) == -1)
		goto fail;
	if (len > SSIZE_MAX) {
		kvmi_err(kd, EINVAL, "a read of %zu bytes is too long", len);
		goto fail;
	}
	if (kvmi_read_some(kd, kva, buf, len, &done) == 0)
		return (ssize_t)done;
fail:
	kvmi_report(kd);
	return done != 0 ? (ssize_t)done : -1;
}

/* Writes to the private view of a dump. */
static int
write_view(kvm_t *kd, kvaddr_t kva, const void *buf, size_t len, size_t *done)
{
	kpaddr_t pa;
	uint64_t run;
	size_t n;

	while (*done < len) {
		if (*done != 0 && kva + *done == 0)
			return kvmi_err(kd, EFAULT, "the address space ends");
		n = KVMI_PAGE - (kva + *done) % KVMI_PAGE;
		if (n > len - *done)
			n = len - *done;
		if (kvmi_translate(kd, kva + *done, n, &pa, &run) == -1)
			return -1;
		if (kvmi_view_write(kd, pa, (const uint8_t *)buf + *done, n) ==
		    -1)
			return kvmi_prepend(kd, "address 0x%llx",
			    (unsigned long long)(kva + *done));
		*done += n;
		/* It may have been a page table. */
		kvmi_vm_flush(&kd->vm);
	}
	return 0;
}

ssize_t
kvm_write(kvm_t *kd, unsigned long kva, const void *buf, size_t len)
{
	size_t done = 0;

	if (kd->live == NULL && kvmi_need_header(kd) == -1)
		goto fail;
	if (!kd->writable && !kd->nofiles) {
		kvmi_err(kd, EBADF, "opened for reading only");
		goto fail;
	}
	if (len > SSIZE_MAX) {
		kvmi_err(kd, EINVAL, "a write of %zu bytes is too long", len);
		goto fail;
	}
	if ((kd->live != NULL ? kd->live->write : write_view)(kd, kva, buf,
	    len, &done) == 0)
		return (ssize_t)done;
fail:
	kvmi_report(kd);
	return done != 0 ? (ssize_t)done : -1;
}
