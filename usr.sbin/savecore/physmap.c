/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physmap.c: what physical memory a piece of CORE_DATA is.
 */
#include <inttypes.h>
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

#define PHYSMAP_SHOWN	3	/* ranges named before "and N more" */

void
physmap_text(kvm_t *kd, uint64_t data_off, uint64_t len, char *buf,
    size_t buflen)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(kd);
	const phys_ram_seg_t *seg;
	uint64_t at = 0, i, from, nfound = 0, to;
	size_t used = 0;

	seg = (const phys_ram_seg_t *)(const void *)((const char *)hdr +
	    hdr->memsegs_off);
	for (i = 0; i < hdr->nmemsegs && at < data_off + len; i++, seg++) {
		(void)kvm_dump_hdr(kd);
		from = data_off > at ? data_off - at : 0;
		to = data_off + len - at;
		at += seg->size;
		if (from >= seg->size)
			continue;
		if (to > seg->size)
			to = seg->size;
		if (nfound++ < PHYSMAP_SHOWN && used < buflen)
			used += (size_t)snprintf(buf + used, buflen - used,
			    "%s0x%" PRIx64 "-0x%" PRIx64, used == 0 ? "" : ", ",
			    seg->start + from, seg->start + to - 1);
	}
	if (nfound > PHYSMAP_SHOWN && used < buflen)
		snprintf(buf + used, buflen - used, " and %" PRIu64 " more",
		    nfound - PHYSMAP_SHOWN);
	else if (nfound == 0)
		snprintf(buf, buflen, "unknown");
}
