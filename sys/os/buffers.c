// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * buffers.c: the bounce buffers.  Devices are dumped to one after the other, so
 * that all of them use the same memory; each has it mapped for itself.  Where
 * there is none, or a device can't reach it, bus_linux.c gives that device its own.
 */
#include <linux/mm.h>

#include <os/os.h>

/* Below 4 GiB, where nearly every controller reaches. */
#define BUFFERS_GFP	(GFP_KERNEL | GFP_DMA32 | __GFP_ZERO | __GFP_NOWARN)

void
buffers_alloc(struct buffers *b)
{
	unsigned int i;

	for (i = 0; i < BUFFERS_CHUNKS; i++)
		b->chunk[i] = alloc_pages_exact(BUFFERS_CHUNK, BUFFERS_GFP);
	b->page = alloc_pages_exact(PAGE_SIZE, BUFFERS_GFP);
}

void
buffers_free(struct buffers *b)
{
	unsigned int i;

	for (i = 0; i < BUFFERS_CHUNKS; i++)
		if (b->chunk[i])
			free_pages_exact(b->chunk[i], BUFFERS_CHUNK);
	if (b->page)
		free_pages_exact(b->page, PAGE_SIZE);
	memset(b, 0, sizeof(*b));
}

void *
buffers_take(const struct buffers *b, struct buffers_taken *taken, size_t len)
{
	void *va;

	if (len <= PAGE_SIZE && !taken->page) {
		taken->page = true;
		return b->page;
	}
	if (len > BUFFERS_CHUNK)
		return NULL;
	if (len > BUFFERS_CHUNK - taken->off) {
		taken->chunk++;
		taken->off = 0;
	}
	if (taken->chunk >= BUFFERS_CHUNKS || !b->chunk[taken->chunk])
		return NULL;
	va = (char *)b->chunk[taken->chunk] + taken->off;
	taken->off += len;
	return va;
}
