/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtqueue.c: the split virtqueue (VIRTIO 1.1, section 2.6), polled.  Only
 * memory: registers are virtio_pci.c's.  Packed rings, indirect descriptors and
 * event indices are not used.
 */
#include <dev/virtio/virtiovar.h>

_Static_assert(VQ_MAXSIZE * sizeof(struct vq_desc) <= VQ_AVAIL_OFF, "desc");
_Static_assert(sizeof(struct vq_avail) + VQ_MAXSIZE * 2 <=
    VQ_USED_OFF - VQ_AVAIL_OFF, "avail");
_Static_assert(sizeof(struct vq_used) + VQ_MAXSIZE *
    sizeof(struct vq_used_elem) <= VQ_MEM_LEN - VQ_USED_OFF, "used");

void
vq_init(struct vq *vq, const struct dumpdev_dma *mem, size_t off)
{
	uint8_t *va = (uint8_t *)mem->va + off;

	vq->desc = (void *)va;
	vq->avail = (void *)(va + VQ_AVAIL_OFF);
	vq->used = (void *)(va + VQ_USED_OFF);
	vq->busaddr = mem->busaddr + off;
}

void
vq_reset(struct vq *vq, uint16_t index, uint16_t size)
{
	memset(vq->desc, 0, VQ_MEM_LEN);
	memset(vq->issued, 0, sizeof(vq->issued));
	vq->index = index;
	vq->size = size;
	vq->avail_idx = 0;
	vq->used_idx = 0;
	vq->avail->flags = VQ_AVAIL_F_NO_INTERRUPT;
	dumpdev_wmb();
}

int
vq_push(struct vq *vq, uint16_t head, const struct vq_seg *segs,
    unsigned int nsegs)
{
	struct vq_desc *desc;
	unsigned int i;

	if (nsegs == 0 || head + nsegs > vq->size || vq->issued[head])
		return -EIO;
	for (i = 0; i < nsegs; i++) {
		desc = &vq->desc[head + i];
		desc->addr = segs[i].busaddr;
		desc->len = segs[i].len;
		desc->flags = segs[i].devwrites ? VQ_DESC_F_WRITE : 0;
		desc->next = 0;
		if (i + 1 < nsegs) {
			desc->flags |= VQ_DESC_F_NEXT;
			desc->next = (uint16_t)(head + i + 1);
		}
	}
	vq->issued[head] = true;
	vq->avail->ring[vq->avail_idx & (vq->size - 1)] = head;
	dumpdev_wmb();
	vq->avail->idx = ++vq->avail_idx;
	dumpdev_wmb();
	return 0;
}

int
vq_pop(struct vq *vq, uint16_t *head)
{
	uint16_t pending, n;
	uint32_t id;

	for (n = 0; n < vq->size; n++) {
		pending = (uint16_t)(vq->used->idx - vq->used_idx);
		if (pending == 0)
			return 0;
		/* More answers than there can be questions. */
		if (pending > vq->size)
			return -EIO;
		dumpdev_rmb();
		id = vq->used->ring[vq->used_idx & (vq->size - 1)].id;
		vq->used_idx++;
		if (id < vq->size && vq->issued[id]) {
			vq->issued[id] = false;
			*head = (uint16_t)id;
			return 1;
		}
		vq->nstrays++;
	}
	return 0;
}
