/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_inval.c: clears the magic number of a dump; kvm_dump_inval().
 */
#include <errno.h>
#include <string.h>

#include "kvm_private.h"

/* Where dumpmag is, by the kernel's own page tables. */
static int
inval_translate(kvm_t *kd, kpaddr_t *pa)
{
	const kcore_name_t *nm = kd->hdr->names;
	uint64_t len;
	size_t i;

	for (i = 0; i < KCORE_NNAMES; i++)
		if (strcmp(nm[i].name, "dumpmag") == 0)
			return kvmi_translate(kd, nm[i].addr, sizeof(uint32_t),
			    pa, &len);
	return kvmi_err(kd, ENOENT, "the header has no name dumpmag");
}

/*
 * The offset on the device of the magic number at pa: 0, or -1 with a text
 * where there is none.  What was never written can hold anything.
 */
static int
inval_locate(kvm_t *kd, kpaddr_t pa, uint64_t *off)
{
	struct kvmi_place p;
	uint32_t mag;

	kvmi_runs_find(&kd->runs, pa, &p);
	*off = kd->data_base + p.off;
	if (p.kind == KCORE_EXCL_MISSING && pa == kd->hdr->dumpmag_paddr)
		return 0;
	if (p.kind != KVMI_MEM_DATA || p.len < sizeof(mag))
		return kvmi_err(kd, ENXIO, "dumpmag at physical 0x%llx: not in "
		    "the dump", (unsigned long long)pa);
	if (kvmi_pread(kd, &mag, sizeof(mag), *off) == -1)
		return -1;
	if (mag != KCORE_DUMPMAG && mag != 0)
		return kvmi_err(kd, EBADMSG, "dumpmag at physical 0x%llx is "
		    "0x%x where 0x%x was expected", (unsigned long long)pa,
		    mag, KCORE_DUMPMAG);
	return 0;
}

int
kvm_dump_inval(kvm_t *kd)
{
	const uint32_t zero = 0;
	kpaddr_t pa;
	uint64_t off;

	if (kvmi_raw_check(kd, true) == -1 || kvmi_need_header(kd) == -1)
		goto fail;
	/*
	 * An incomplete dump may lack the page tables, and in a damaged one
	 * they may lead elsewhere: the header knows it too.
	 */
	if ((inval_translate(kd, &pa) == -1 ||
	    inval_locate(kd, pa, &off) == -1) &&
	    inval_locate(kd, kd->hdr->dumpmag_paddr, &off) == -1)
		goto fail;
	if (kvmi_raw_write(kd, &zero, sizeof(zero), off) == -1) {
		kvmi_prepend(kd, "dumpmag");
		goto fail;
	}
	return 0;
fail:
	kvmi_report(kd);
	return -1;
}
