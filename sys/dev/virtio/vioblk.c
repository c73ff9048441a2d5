/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vioblk.c: polled dump driver for virtio-blk (VIRTIO 1.1, section 5.2).  One
 * queue, whatever the stock driver uses; packed rings are not taken.
 */
#include <dev/virtio/vioblkvar.h>

/* The page of requests: headers, then status bytes. */
#define VIOBLK_HDR_OFF(slot)	(VQ_MEM_LEN + (slot) * 16u)
#define VIOBLK_STATUS_OFF(slot)	(VQ_MEM_LEN + 2048u + (slot))
#define VIOBLK_MEM_LEN		(VQ_MEM_LEN + 4096u)
_Static_assert(DUMPDEV_MAXSLOTS * 16 <= 2048, "headers");

static int
vioblk_match(struct dumpdev *dd)
{
	return virtio_match(dd, VIRTIO_ID_BLK);
}

/* Is the disk as large as it was said to be? */
static int
vioblk_check_capacity(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	const uint64_t sectors = virtio_cfg_read8(dd, &sc->virtio,
	    VIOBLK_CFG_CAPACITY);
	const uint32_t per_blk = dd->blksize / VIOBLK_SECTOR;

	if (sectors / per_blk < dd->nblks)
		return dumpdev_fail(dd, -ENXIO,
		    "virtio disk has %llu blocks where %llu were armed",
		    (unsigned long long)(sectors / per_blk),
		    (unsigned long long)dd->nblks);
	return 0;
}

static void
vioblk_detach(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;

	dumpdev_dma_free(dd, &sc->mem);
	virtio_detach(dd, &sc->virtio);
}

static int
vioblk_attach(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	int error;

	if (dd->unit != 0)
		return dumpdev_fail(dd, -EINVAL, "virtio disk has no unit %u",
		    dd->unit);
	error = virtio_attach(dd, &sc->virtio, VIOBLK_CFG_MINLEN);
	if (error != 0)
		return error;
	error = vioblk_check_capacity(dd);
	if (error == 0)
		error = dumpdev_dma_alloc(dd, VIOBLK_MEM_LEN, &sc->mem,
		    "the virtio queue");
	if (error == 0)
		vq_init(&sc->vq, &sc->mem, 0);
	else
		vioblk_detach(dd);
	return error;
}

int
vioblk_fit(const struct vioblk_limits *limits, unsigned int nslots,
    uint32_t slot_len, struct vioblk_plan *plan)
{
	uint32_t qmax = 1, qsize = 1, nsegs, seg_len;

	while (qmax * 2 <= limits->queue_max && qmax * 2 <= VQ_MAXSIZE)
		qmax *= 2;
	nsegs = VIOBLK_MAXSEGS;
	if (limits->seg_max != 0 && limits->seg_max < nsegs)
		nsegs = limits->seg_max;
	if (qmax < 3 * DUMPDEV_MINSLOTS)	/* header, data, status */
		return -EOPNOTSUPP;
	if (nsegs > qmax / DUMPDEV_MINSLOTS - 2)
		nsegs = qmax / DUMPDEV_MINSLOTS - 2;
	seg_len = limits->size_max == 0 ? slot_len : limits->size_max;
	if (seg_len > slot_len)
		seg_len = slot_len;
	seg_len &= ~(VIOBLK_SECTOR - 1);
	if ((uint64_t)nsegs * seg_len < slot_len)
		slot_len = nsegs * seg_len & ~4095u;
	if (slot_len == 0)
		return -EOPNOTSUPP;
	nsegs = (slot_len + seg_len - 1) / seg_len + 2;
	if (nslots > qmax / nsegs)
		nslots = qmax / nsegs;
	while (qsize < nslots * nsegs)
		qsize *= 2;
	plan->queue_size = (uint16_t)qsize;
	plan->nsegs = (uint16_t)nsegs;
	plan->size_max = seg_len;
	plan->slot_len = slot_len;
	plan->nslots = nslots;
	return 0;
}

/* Sizes the queue by what the device says, and lowers dd's wishes to it. */
static int
vioblk_size(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	struct vioblk_limits limits = { 0, 0, 0 };
	struct vioblk_plan plan;
	uint16_t queue_max;
	int error;

	error = virtio_queue_max(dd, &sc->virtio, 0, &queue_max);
	if (error != 0)
		return error;
	limits.queue_max = queue_max;
	if ((sc->virtio.features & VIOBLK_F_SIZE_MAX) != 0)
		limits.size_max = virtio_cfg_read4(dd, &sc->virtio,
		    VIOBLK_CFG_SIZE_MAX);
	if ((sc->virtio.features & VIOBLK_F_SEG_MAX) != 0)
		limits.seg_max = virtio_cfg_read4(dd, &sc->virtio,
		    VIOBLK_CFG_SEG_MAX);
	error = vioblk_fit(&limits, dd->nslots, dd->slot_len, &plan);
	if (error != 0)
		return dumpdev_fail(dd, error,
		    "virtio disk: queue of %u, %u segments of %u bytes, is too "
		    "small", limits.queue_max, limits.seg_max, limits.size_max);
	dd->nslots = plan.nslots;
	dd->slot_len = plan.slot_len;
	sc->size_max = plan.size_max;
	sc->nsegs = plan.nsegs;
	vq_reset(&sc->vq, 0, plan.queue_size);
	return 0;
}

static int
vioblk_check_disk(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	uint32_t blksize = VIOBLK_SECTOR;

	if ((sc->virtio.offered & VIOBLK_F_RO) != 0)
		return dumpdev_fail(dd, -EROFS, "virtio disk is read-only");
	if ((sc->virtio.features & VIOBLK_F_BLK_SIZE) != 0)
		blksize = virtio_cfg_read4(dd, &sc->virtio,
		    VIOBLK_CFG_BLK_SIZE);
	if (blksize != dd->blksize)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio disk has blocks of %u bytes, not %u", blksize,
		    dd->blksize);
	return vioblk_check_capacity(dd);
}

/* 3.1.1: the order of a device's initialisation. */
static int
vioblk_start(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	int error;

	error = virtio_negotiate(dd, &sc->virtio, VIOBLK_F_SIZE_MAX |
	    VIOBLK_F_SEG_MAX | VIOBLK_F_BLK_SIZE | VIOBLK_F_FLUSH);
	if (error == 0)
		error = vioblk_check_disk(dd);
	if (error == 0)
		error = vioblk_size(dd);
	if (error == 0)
		error = virtio_queue_setup(dd, &sc->virtio, &sc->vq);
	if (error == 0)
		error = virtio_driver_ok(dd, &sc->virtio);
	return error;
}

unsigned int
vioblk_segs(enum dumpdev_op op, uint64_t hdr_busaddr, uint64_t busaddr,
    uint32_t len, uint32_t size_max, uint64_t status_busaddr,
    struct vq_seg *segs)
{
	unsigned int n = 0;
	uint32_t part;

	segs[n].busaddr = hdr_busaddr;
	segs[n].len = sizeof(struct vioblk_hdr);
	segs[n++].devwrites = false;
	while (len != 0) {
		part = len < size_max ? len : size_max;
		segs[n].busaddr = busaddr;
		segs[n].len = part;
		segs[n++].devwrites = op == DUMPDEV_READ;
		busaddr += part;
		len -= part;
	}
	segs[n].busaddr = status_busaddr;
	segs[n].len = 1;
	segs[n++].devwrites = true;
	return n;
}

static int
vioblk_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct vioblk_softc *sc = dd->softc;
	uint8_t *va = sc->mem.va;
	struct vioblk_hdr *hdr = (void *)(va + VIOBLK_HDR_OFF(slot));
	unsigned int n;
	int error;

	/* Without FLUSH the device writes through (5.2.6.2): nothing to do. */
	if (op == DUMPDEV_FLUSH &&
	    (sc->virtio.features & VIOBLK_F_FLUSH) == 0) {
		dd->slots[slot].status = 0;
		return 0;
	}
	hdr->type = op == DUMPDEV_READ ? VIOBLK_T_IN :
	    op == DUMPDEV_WRITE ? VIOBLK_T_OUT : VIOBLK_T_FLUSH;
	hdr->reserved = 0;
	hdr->sector = blk * (dd->blksize / VIOBLK_SECTOR);
	va[VIOBLK_STATUS_OFF(slot)] = VIOBLK_S_NOANSWER;
	n = vioblk_segs(op, sc->mem.busaddr + VIOBLK_HDR_OFF(slot),
	    dd->slots[slot].buf.busaddr, nblks * dd->blksize, sc->size_max,
	    sc->mem.busaddr + VIOBLK_STATUS_OFF(slot), sc->segs);
	error = vq_push(&sc->vq, (uint16_t)(slot * sc->nsegs), sc->segs, n);
	if (error == 0)
		virtio_notify(dd, &sc->virtio, &sc->vq);
	return error;
}

static void
vioblk_complete(struct dumpdev *dd, uint16_t head)
{
	struct vioblk_softc *sc = dd->softc;
	const unsigned int slot = head / sc->nsegs;
	volatile uint8_t *va = sc->mem.va;
	const uint8_t status = va[VIOBLK_STATUS_OFF(slot)];
	struct dumpdev_slot *s = &dd->slots[slot];

	s->status = 0;
	if (status != VIOBLK_S_OK)
		s->status = dumpdev_fail(dd, -EIO,
		    "virtio %s of %u blocks at block %llu: status %u",
		    dumpdev_op_name(s->op), s->nblks,
		    (unsigned long long)s->blk, status);
}

static int
vioblk_poll(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;
	int n;

	n = virtio_queue_poll(dd, &sc->vq, vioblk_complete);
	return n == 0 ? virtio_alive(dd, &sc->virtio) : n < 0 ? n : 0;
}

static int
vioblk_stop(struct dumpdev *dd)
{
	struct vioblk_softc *sc = dd->softc;

	return virtio_reset(dd, &sc->virtio);
}

const struct dumpdev_ops vioblk_dumpdev_ops = {
	.name = "virtio-blk",
	.softc_size = sizeof(struct vioblk_softc),
	.match = vioblk_match,
	.attach = vioblk_attach,
	.detach = vioblk_detach,
	.start = vioblk_start,
	.submit = vioblk_submit,
	.poll = vioblk_poll,
	.stop = vioblk_stop,
};
