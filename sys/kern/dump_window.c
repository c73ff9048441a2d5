// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_window.c: the window and its gate.  No byte is read or written on the
 * disk whose place this file has not computed.
 */
#include <kern/dump.h>

static bool
extent_overlaps(const struct dump_extent *a, const struct dump_extent *b)
{
	return a->blk < b->blk + b->nblks && b->blk < a->blk + a->nblks;
}

int
dump_window_init(struct dump_window *w, const struct dump_extent *ext,
    unsigned int next, uint32_t blksize, uint64_t disk_nblks)
{
	uint64_t size = 0, len;
	unsigned int i, k;

	if (next == 0 || blksize < 512 || blksize > KCORE_ALIGN ||
	    (blksize & (blksize - 1)) != 0)
		return -EINVAL;
	for (i = 0; i < next; i++) {
		if (ext[i].nblks == 0 || ext[i].nblks > disk_nblks ||
		    ext[i].blk > disk_nblks - ext[i].nblks)
			return -EINVAL;
		for (k = 0; k < i; k++)
			if (extent_overlaps(&ext[i], &ext[k]))
				return -EINVAL;
		if (ext[i].nblks > UINT64_MAX / 4096 / KCORE_ALIGN)
			return -EINVAL;
		len = ext[i].nblks * blksize;
		if (i + 1 == next)
			len -= len % KCORE_ALIGN;
		else if (len % KCORE_ALIGN != 0)
			return -EINVAL;
		size += len;
	}
	if (size < KCORE_WINDOW_MIN)
		return -ENOSPC;
	w->ext = ext;
	w->next = next;
	w->blksize = blksize;
	w->size = size;
	return 0;
}

int
dump_window_map(const struct dump_window *w, uint64_t off, uint64_t len,
    uint64_t *blk, uint32_t *nblks)
{
	uint64_t ext_len;
	unsigned int i;

	if (off % KCORE_ALIGN != 0 || len % KCORE_ALIGN != 0 || len == 0)
		return -EINVAL;
	if (off >= w->size || len > w->size - off)
		return -ERANGE;
	for (i = 0; i < w->next; i++) {
		ext_len = w->ext[i].nblks * w->blksize;
		if (off < ext_len)
			break;
		off -= ext_len;
	}
	if (i == w->next)
		return -ERANGE;
	if (len > ext_len - off)
		len = ext_len - off;
	if (len / w->blksize > UINT32_MAX)
		return -EINVAL;
	*blk = w->ext[i].blk + off / w->blksize;
	*nblks = (uint32_t)(len / w->blksize);
	return 0;
}
