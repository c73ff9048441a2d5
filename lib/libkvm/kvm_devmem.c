/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_devmem.c: the running kernel's memory through /dev/mem, which is physical
 * memory, and the kernel's own page tables in it.  Most kernels are built to
 * refuse that (CONFIG_STRICT_DEVMEM).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_machine.h"

#define DEVMEM_NOTE_MAX	(1u << 20)	/* bytes of VMCOREINFO */

static const char devmem_path[] = "/dev/mem";

/* Reads or writes some of n bytes at pa: bytes done, or -1 with a text. */
static ssize_t
devmem_move(kvm_t *kd, kpaddr_t pa, void *to, const void *from, size_t n)
{
	const unsigned long long a = pa;
	ssize_t done;

	do {
		done = to != NULL ? pread(kd->fd, to, n, (off_t)pa) :
		    pwrite(kd->fd, from, n, (off_t)pa);
	} while (done == -1 && errno == EINTR);
	if (done > 0)
		return done;
	if (done == -1 && errno == EPERM)
		return kvmi_err(kd, EPERM, "%s: physical 0x%llx: the kernel "
		    "lets nobody at its memory through this file "
		    "(CONFIG_STRICT_DEVMEM)", devmem_path, a);
	if (done == -1 && errno != EFAULT)
		return kvmi_syserr(kd, errno, "%s: physical 0x%llx",
		    devmem_path, a);
	return kvmi_err(kd, ENXIO, "%s: physical 0x%llx: there is no such "
	    "memory", devmem_path, a);
}

static ssize_t
devmem_phys_read(kvm_t *kd, kpaddr_t pa, void *buf, size_t len)
{
	return devmem_move(kd, pa, buf, NULL, len);
}

/* Where VMCOREINFO is: physical address and size, both hexadecimal. */
static int
devmem_find_info(kvm_t *kd, uint64_t *pa, uint64_t *size)
{
	static const char path[] = "/sys/kernel/vmcoreinfo";
	size_t len;
	char *text = kvmi_live_load(kd, path, 4096, &len);
	int n;

	if (text == NULL)
		return -1;
	n = sscanf(text, "%" SCNx64 " %" SCNx64, pa, size);
	free(text);
	if (n != 2 || *size == 0 || *size > DEVMEM_NOTE_MAX ||
	    *pa > INT64_MAX - DEVMEM_NOTE_MAX)
		return kvmi_err(kd, EBADMSG, "%s: it makes no sense", path);
	return 0;
}

/* Reads VMCOREINFO, for kvmi_info(). */
static int
devmem_load_info(kvm_t *kd)
{
	uint64_t pa, size, done;
	struct kvmi_note n;
	uint8_t *buf;
	size_t pos = 0;
	ssize_t got = 1;

	if (devmem_find_info(kd, &pa, &size) == -1)
		return -1;
	if ((buf = malloc(size)) == NULL)
		return kvmi_syserr(kd, ENOMEM, "VMCOREINFO");
	for (done = 0; got > 0 && done < size; done += (uint64_t)got)
		if ((got = devmem_phys_read(kd, pa + done, buf + done,
		    size - done)) == -1)
			break;
	while (got != -1 && kd->info == NULL &&
	    kvmi_note_next(buf, size, &pos, &n))
		if (kvmi_note_is(&n, "VMCOREINFO"))
			kd->info = strndup(n.desc, n.len);
	free(buf);
	if (got == -1)
		return kvmi_prepend(kd, "VMCOREINFO");
	if (kd->info == NULL)
		return kvmi_err(kd, EBADMSG, "%s: physical 0x%llx holds no "
		    "VMCOREINFO note", devmem_path, (unsigned long long)pa);
	return 0;
}

/* Where the page tables begin.  The kernel's image is mapped as a whole. */
static int
devmem_load_root(kvm_t *kd)
{
	uint64_t root, phys_base, five = 0, mask = 0;

	if (kvmi_info(kd, "SYMBOL(init_top_pgt)", &root) == -1 ||
	    kvmi_info(kd, "NUMBER(phys_base)", &phys_base) == -1 ||
	    (kvmi_info_has(kd, "NUMBER(pgtable_l5_enabled)") && kvmi_info(kd,
	    "NUMBER(pgtable_l5_enabled)", &five) == -1) ||
	    (kvmi_info_has(kd, "NUMBER(sme_mask)") && kvmi_info(kd,
	    "NUMBER(sme_mask)", &mask) == -1))
		return -1;
	kd->vm.root = root - kd->machine->text_min + phys_base;
	kd->vm.enc_mask = mask;
	kd->vm.levels = five != 0 ? 5 : 4;
	return 0;
}

/* Opens it when first asked: 0, or -1 with a text.  Any thread. */
static int
devmem_ready(kvm_t *kd)
{
	int rv = -1;

	pthread_mutex_lock(&kd->lazy);
	if (kd->fd == -1)
		kd->fd = kvmi_live_open(kd, devmem_path,
		    kd->writable ? O_RDWR : O_RDONLY);
	if (kd->fd != -1 && kd->machine == NULL &&
	    (kd->machine = kvmi_machine_here()) == NULL)
		kvmi_err(kd, ENOTSUP, "this machine is not one that this "
		    "library knows");
	else if (kd->fd != -1 && (kd->vm.levels != 0 ||
	    (devmem_load_info(kd) == 0 && devmem_load_root(kd) == 0)))
		rv = 0;
	pthread_mutex_unlock(&kd->lazy);
	return rv;
}

static int
devmem_read(kvm_t *kd, kvaddr_t va, void *buf, size_t len, size_t *done)
{
	if (devmem_ready(kd) == -1)
		return -1;
	/* The kernel runs: what was mapped may not be. */
	kvmi_vm_flush(&kd->vm);
	return kvmi_read_mapped(kd, va, buf, len, done);
}

static int
devmem_write(kvm_t *kd, kvaddr_t va, const void *buf, size_t len, size_t *done)
{
	kpaddr_t pa;
	uint64_t run;
	ssize_t n;

	if (devmem_ready(kd) == -1)
		return -1;
	kvmi_vm_flush(&kd->vm);
	while (*done < len) {
		if (*done != 0 && va + *done == 0)
			return kvmi_err(kd, EFAULT, "the address space ends");
		if (kvmi_translate(kd, va + *done, len - *done, &pa, &run) ==
		    -1)
			return -1;
		n = devmem_move(kd, pa, NULL, (const uint8_t *)buf + *done,
		    (size_t)run);
		if (n == -1)
			return kvmi_prepend(kd, "address 0x%llx",
			    (unsigned long long)(va + *done));
		*done += (size_t)n;
	}
	return 0;
}

const struct kvmi_livemem kvmi_livemem_devmem = {
	.name = devmem_path,
	.read = devmem_read,
	.write = devmem_write,
	.phys_read = devmem_phys_read,
};
