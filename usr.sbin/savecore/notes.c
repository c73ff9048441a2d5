/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notes.c: the ELF notes of a core that other tools are to read: the CPUs'
 * registers as the kernel noted them, VMCOREINFO, and for our own readers the
 * CPU segment as it is.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

#define NOTES_PAD(n)	(((uint64_t)(n) + 3) & ~3ull)

#define NOTES_PIECE	4096u

/* Piece by piece: it may be the header, with tables of many MiB. */
static int
notes_desc(kvm_t *kd, FILE *fp, const char *desc, size_t len)
{
	size_t n;

	for (; len > 0; desc += n, len -= n) {
		n = len < NOTES_PIECE ? len : NOTES_PIECE;
		if (fwrite(desc, 1, n, fp) != n)
			return -1;
		(void)kvm_dump_hdr(kd);
	}
	return 0;
}

static int64_t
notes_put(kvm_t *kd, FILE *fp, const char *name, uint32_t type,
    const void *desc, size_t len)
{
	static const char zero[4];
	const size_t namelen = strlen(name) + 1;
	const size_t pads[2] = { NOTES_PAD(namelen) - namelen,
	    NOTES_PAD(len) - len };
	const Elf64_Nhdr nh = { (uint32_t)namelen, (uint32_t)len, type };

	if (fp != NULL && (fwrite(&nh, sizeof(nh), 1, fp) != 1 ||
	    fwrite(name, 1, namelen, fp) != namelen ||
	    fwrite(zero, 1, pads[0], fp) != pads[0] ||
	    notes_desc(kd, fp, desc, len) == -1 ||
	    fwrite(zero, 1, pads[1], fp) != pads[1]))
		return -1;
	return (int64_t)(sizeof(nh) + NOTES_PAD(namelen) + NOTES_PAD(len));
}

/*
 * The bytes of the header's notes: up to the padding that may follow the last of
 * them, behind which nobody would find another.  *has: is one of that name there?
 */
static uint64_t
notes_size(const struct cpu_kcore_hdr *h, const char *name, bool *has)
{
	const char *notes = (const char *)h + h->notes_off;
	const size_t namelen = strlen(name) + 1;
	uint64_t at = 0, len;
	Elf64_Nhdr nh;

	*has = false;
	while (h->notes_size - at > sizeof(nh)) {
		memcpy(&nh, notes + at, sizeof(nh));
		len = sizeof(nh) + NOTES_PAD(nh.n_namesz) +
		    NOTES_PAD(nh.n_descsz);
		if (nh.n_namesz == 0 || len > h->notes_size - at)
			break;
		if (nh.n_namesz == namelen &&
		    memcmp(notes + at + sizeof(nh), name, namelen) == 0)
			*has = true;
		at += len;
	}
	return at;
}

int64_t
notes_write(const struct copy *c, FILE *fp)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(c->kd);
	bool has;
	const uint64_t own = notes_size(h, "VMCOREINFO", &has);
	const char *info = has ? NULL : kvm_vmcoreinfo(c->kd);
	int64_t n, size = (int64_t)own;

	if (fp != NULL && fwrite((const char *)h + h->notes_off, 1, own, fp) !=
	    own)
		return -1;
	if (info != NULL) {
		n = notes_put(c->kd, fp, "VMCOREINFO", 0, info, strlen(info));
		if (n == -1)
			return -1;
		size += n;
	}
	n = notes_put(c->kd, fp, "SWAPCORE", KCORE_NOTE_CPU, h, h->cpu_size);
	return n == -1 ? -1 : size + n;
}
