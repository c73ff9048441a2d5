// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_layout.c: where in the window things go.  Arithmetic alone.
 *
 *	0        page 0, never written
 *	dumplo   header, CPU segment; then CORE_DATA; then two sets of checksum
 *	         pages, which checkpoints write in turn
 *	-4 MiB   early record
 *	-8192    trailers
 *
 * The dump ends right before the early record.  That it lies at the end of the
 * window is the BSDs' custom and protects nothing by itself: Linux begins to
 * swap at random places.  savecore(8) before swapon(8) is what protects it.
 */
#include <kern/dump.h>

static uint64_t
align_up(uint64_t n)
{
	return (n + KCORE_ALIGN - 1) / KCORE_ALIGN * KCORE_ALIGN;
}

uint64_t
dump_cksum_size(uint64_t data_size)
{
	uint64_t chunks = data_size / KCORE_CHUNK +
	    (data_size % KCORE_CHUNK != 0);

	return (chunks + KCORE_CKSUM_PER_PAGE - 1) / KCORE_CKSUM_PER_PAGE *
	    sizeof(kcore_ckpage_t);
}

uint64_t
dump_hdr_size(uint64_t nmemsegs, uint64_t nexclsegs, uint64_t notes_size)
{
	return align_up(sizeof(kcore_seg_t) + sizeof(cpu_kcore_hdr_t) +
	    nmemsegs * sizeof(phys_ram_seg_t) +
	    (nexclsegs + KCORE_EXCL_SPARE) * sizeof(kcore_exclseg_t) +
	    notes_size);
}

void
dump_layout_fixed(struct dump_layout *l, uint64_t window_size)
{
	l->early_off = window_size - KCORE_END_AREA;
	l->trailer_off[1] = window_size - 2 * KCORE_TRAILER_SIZE;
	l->trailer_off[0] = window_size - KCORE_TRAILER_SIZE;
}

int
dump_layout_plan(struct dump_layout *l, uint64_t window_size,
    uint64_t hdr_size, uint64_t data_size, uint64_t *excess)
{
	uint64_t cksum_size = dump_cksum_size(data_size);
	uint64_t need = hdr_size + data_size +
	    DUMP_CKSUM_SETS * cksum_size;
	uint64_t room;

	dump_layout_fixed(l, window_size);
	room = l->early_off - KCORE_ALIGN;
	if (need > room) {
		*excess = need - room;
		return -ENOSPC;
	}
	*excess = 0;
	l->dumplo = l->early_off - need;
	l->hdr_size = hdr_size;
	l->data_off = l->dumplo + hdr_size;
	l->data_size = data_size;
	l->cksum_off = l->data_off + data_size;
	l->cksum_size = cksum_size;
	l->end = l->early_off;
	return 0;
}
