/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtio_mmio.c: the memory-mapped transport (VIRTIO 1.1, section 4.2) for dump
 * drivers, as small virtual machines have it that have no PCI.  The legacy
 * interface is refused.
 *
 * While armed nothing is written; see virtio_pci.c.
 */
#include <dev/virtio/virtiovar.h>

#define MMIO_BAR	0	/* all there is */

static uint32_t
virtio_mmio_rd(struct dumpdev *dd, uint64_t reg)
{
	return dd->bus->ops->read4(dd->bus, MMIO_BAR, reg);
}

static void
virtio_mmio_wr(struct dumpdev *dd, uint64_t reg, uint32_t v)
{
	dd->bus->ops->write4(dd->bus, MMIO_BAR, reg, v);
}

/* 4.2.2.2: magic, version and device id are read before all else. */
static int
virtio_mmio_ident(struct dumpdev *dd, uint32_t id)
{
	if (virtio_mmio_rd(dd, VIRTIO_MMIO_MAGIC) != VIRTIO_MMIO_MAGIC_VALUE ||
	    virtio_mmio_rd(dd, VIRTIO_MMIO_DEVICE_ID) != id)
		return -ENODEV;
	if (virtio_mmio_rd(dd, VIRTIO_MMIO_VERSION) != VIRTIO_MMIO_MODERN)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "legacy virtio device; give the virtual machine a modern "
		    "one (QEMU: -global virtio-mmio.force-legacy=off)");
	return 0;
}

static int
virtio_mmio_match(struct dumpdev *dd, uint32_t id)
{
	uint64_t len;
	int error;

	error = dd->bus->ops->bar_map(dd->bus, MMIO_BAR, &len);
	if (error != 0)
		return -ENODEV;
	error = len < VIRTIO_MMIO_CONFIG ? -ENODEV : virtio_mmio_ident(dd, id);
	dd->bus->ops->bar_unmap(dd->bus, MMIO_BAR);
	return error;
}

static int
virtio_mmio_attach(struct dumpdev *dd, struct virtio_softc *vs,
    uint32_t device_minlen)
{
	uint64_t len;
	int error;

	error = dd->bus->ops->bar_map(dd->bus, MMIO_BAR, &len);
	if (error != 0)
		return dumpdev_fail(dd, error,
		    "virtio: its registers can't be mapped");
	vs->mapped = 1u << MMIO_BAR;
	if (len < VIRTIO_MMIO_CONFIG + device_minlen)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio: %llu bytes of registers are too few",
		    (unsigned long long)len);
	vs->device.bar = MMIO_BAR;
	vs->device.off = VIRTIO_MMIO_CONFIG;
	vs->device.len = (uint32_t)(len - VIRTIO_MMIO_CONFIG);
	return 0;
}

static uint8_t
virtio_mmio_status(struct dumpdev *dd, const struct virtio_softc *vs)
{
	(void)vs;
	return (uint8_t)virtio_mmio_rd(dd, VIRTIO_MMIO_STATUS);
}

static void
virtio_mmio_set_status(struct dumpdev *dd, const struct virtio_softc *vs,
    uint8_t v)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_STATUS, v);
}

static uint32_t
virtio_mmio_features(struct dumpdev *dd, const struct virtio_softc *vs,
    unsigned int half)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_DFSELECT, half);
	return virtio_mmio_rd(dd, VIRTIO_MMIO_DF);
}

static void
virtio_mmio_set_features(struct dumpdev *dd, const struct virtio_softc *vs,
    unsigned int half, uint32_t v)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_GFSELECT, half);
	virtio_mmio_wr(dd, VIRTIO_MMIO_GF, v);
}

static uint32_t
virtio_mmio_generation(struct dumpdev *dd, const struct virtio_softc *vs)
{
	(void)vs;
	return virtio_mmio_rd(dd, VIRTIO_MMIO_GENERATION);
}

static uint32_t
virtio_mmio_queue_max(struct dumpdev *dd, const struct virtio_softc *vs,
    uint16_t index)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_Q_SELECT, index);
	return virtio_mmio_rd(dd, VIRTIO_MMIO_Q_MAX);
}

static void
virtio_mmio_wr8(struct dumpdev *dd, uint64_t reg, uint64_t v)
{
	virtio_mmio_wr(dd, reg, (uint32_t)v);
	virtio_mmio_wr(dd, reg + 4, (uint32_t)(v >> 32));
}

/* 4.2.3.2: in this order, on a queue that is not ready. */
static int
virtio_mmio_queue_setup(struct dumpdev *dd, const struct virtio_softc *vs,
    struct vq *vq)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_Q_SELECT, vq->index);
	if (virtio_mmio_rd(dd, VIRTIO_MMIO_Q_READY) != 0)
		return dumpdev_fail(dd, -EIO,
		    "virtio: queue %u is in use after a reset", vq->index);
	virtio_mmio_wr(dd, VIRTIO_MMIO_Q_NUM, vq->size);
	virtio_mmio_wr8(dd, VIRTIO_MMIO_Q_DESC, vq->busaddr);
	virtio_mmio_wr8(dd, VIRTIO_MMIO_Q_DRIVER, vq->busaddr + VQ_AVAIL_OFF);
	virtio_mmio_wr8(dd, VIRTIO_MMIO_Q_DEVICE, vq->busaddr + VQ_USED_OFF);
	virtio_mmio_wr(dd, VIRTIO_MMIO_Q_READY, 1);
	return 0;
}

static void
virtio_mmio_notify(struct dumpdev *dd, const struct virtio_softc *vs,
    const struct vq *vq)
{
	(void)vs;
	virtio_mmio_wr(dd, VIRTIO_MMIO_Q_NOTIFY, vq->index);
}

const struct virtio_transport virtio_mmio_transport = {
	.match = virtio_mmio_match,
	.attach = virtio_mmio_attach,
	.status = virtio_mmio_status,
	.set_status = virtio_mmio_set_status,
	.features = virtio_mmio_features,
	.set_features = virtio_mmio_set_features,
	.generation = virtio_mmio_generation,
	.queue_max = virtio_mmio_queue_max,
	.queue_setup = virtio_mmio_queue_setup,
	.notify = virtio_mmio_notify,
};
