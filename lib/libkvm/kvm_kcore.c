/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_kcore.c: the running kernel's memory through /proc/kcore, an ELF core
 * file made as it is read: its PT_LOADs say which kernel addresses are where.
 *
 * Where a range that it has is not mapped, the kernel gives zeros.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"

static const char kcore_path[] = "/proc/kcore";

struct kvmi_kcore {
	size_t n;
	struct kcore_piece {
		kvaddr_t va;
		uint64_t len, off;
	} piece[];
};

/* The program headers, to be freed; NULL with a text. */
static Elf64_Phdr *
kcore_phdrs(kvm_t *kd, size_t *n)
{
	Elf64_Ehdr eh;
	Elf64_Phdr *ph;

	if (kvmi_pread(kd, &eh, sizeof(eh), 0) == -1)
		return NULL;
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_type != ET_CORE ||
	    eh.e_phentsize != sizeof(*ph) || eh.e_phnum == 0) {
		kvmi_err(kd, EBADMSG, "not an ELF core file of 64 bits");
		return NULL;
	}
	*n = eh.e_phnum;
	if ((ph = malloc(*n * sizeof(*ph))) == NULL) {
		kvmi_syserr(kd, ENOMEM, "%zu program headers", *n);
	} else if (kvmi_pread(kd, ph, *n * sizeof(*ph), eh.e_phoff) == -1) {
		kvmi_prepend(kd, "program headers");
		free(ph);
		ph = NULL;
	}
	return ph;
}

static struct kvmi_kcore *
kcore_load(kvm_t *kd)
{
	struct kvmi_kcore *kc;
	struct kcore_piece *s;
	size_t i, n;
	Elf64_Phdr *ph = kcore_phdrs(kd, &n);

	if (ph == NULL)
		return NULL;
	kc = calloc(1, sizeof(*kc) + n * sizeof(kc->piece[0]));
	if (kc == NULL)
		kvmi_syserr(kd, ENOMEM, "%zu program headers", n);
	for (i = 0; kc != NULL && i < n; i++) {
		if (ph[i].p_type != PT_LOAD || ph[i].p_filesz == 0)
			continue;
		s = &kc->piece[kc->n++];
		s->va = ph[i].p_vaddr;
		s->len = ph[i].p_filesz;
		s->off = ph[i].p_offset;
		if (s->len - 1 <= UINT64_MAX - s->va &&
		    s->off <= INT64_MAX && s->len <= INT64_MAX - s->off)
			continue;
		kvmi_err(kd, EBADMSG, "program header %zu: 0x%llx bytes of "
		    "address 0x%llx at 0x%llx", i, (unsigned long long)s->len,
		    (unsigned long long)s->va, (unsigned long long)s->off);
		free(kc);
		kc = NULL;
	}
	free(ph);
	return kc;
}

/* Opens it when first asked: NULL with a text.  Any thread. */
static const struct kvmi_kcore *
kcore(kvm_t *kd)
{
	pthread_mutex_lock(&kd->lazy);
	if (kd->fd == -1)
		kd->fd = kvmi_live_open(kd, kcore_path, O_RDONLY);
	if (kd->fd != -1 && kd->kcore == NULL &&
	    (kd->kcore = kcore_load(kd)) == NULL)
		kvmi_prepend(kd, "%s", kcore_path);
	pthread_mutex_unlock(&kd->lazy);
	return kd->kcore;
}

/* The segment that va is in; NULL: none. */
static const struct kcore_piece *
kcore_find(const struct kvmi_kcore *kc, kvaddr_t va)
{
	size_t i;

	for (i = 0; i < kc->n; i++)
		if (va - kc->piece[i].va < kc->piece[i].len)
			return &kc->piece[i];
	return NULL;
}

static int
kcore_read(kvm_t *kd, kvaddr_t va, void *buf, size_t len, size_t *done)
{
	const struct kvmi_kcore *kc = kcore(kd);
	const struct kcore_piece *s;
	uint64_t at, n;
	ssize_t got;

	if (kc == NULL)
		return -1;
	while (*done < len) {
		at = va + *done;
		if (*done != 0 && at == 0)
			return kvmi_err(kd, EFAULT, "the address space ends");
		if ((s = kcore_find(kc, at)) == NULL)
			return kvmi_err(kd, EFAULT, "address 0x%llx: %s has "
			    "no memory there", (unsigned long long)at,
			    kcore_path);
		at -= s->va;
		n = s->len - at;
		if (n > len - *done)
			n = len - *done;
		got = pread(kd->fd, (uint8_t *)buf + *done, n,
		    (off_t)(s->off + at));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return kvmi_syserr(kd, errno, "%s: address 0x%llx",
			    kcore_path, (unsigned long long)(s->va + at));
		if (got == 0)
			return kvmi_err(kd, EIO, "%s: it ends before address "
			    "0x%llx", kcore_path,
			    (unsigned long long)(s->va + at));
		*done += (size_t)got;
	}
	return 0;
}

static int
kcore_write(kvm_t *kd, kvaddr_t va, const void *buf __attribute__((unused)),
    size_t len __attribute__((unused)), size_t *done __attribute__((unused)))
{
	return kvmi_err(kd, EROFS, "address 0x%llx: %s can only be read; where "
	    "the kernel allows it, /dev/mem as corefile can be written",
	    (unsigned long long)va, kcore_path);
}

const struct kvmi_livemem kvmi_livemem_kcore = {
	.name = kcore_path,
	.read = kcore_read,
	.write = kcore_write,
};
