/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtio_pci.c: the modern PCI transport (VIRTIO 1.1, section 4.1) for dump
 * drivers.  The legacy interface is refused: it can't be reset and taken over
 * without touching what the stock driver owns.
 *
 * While armed nothing is written, not even a select register: the stock driver
 * may be between its own select and read.
 */
#include <dev/virtio/virtiovar.h>
#include <dev/pcireg.h>

/* One vendor-specific capability at pos: notes the region if it is the first
 * of its type that we can use (4.1.4.1). */
static void
virtio_cap_note(struct dumpdev_bus *bus, unsigned int pos, uint32_t head,
    struct virtio_caps *caps)
{
	struct virtio_region *r;
	uint32_t bar;

	switch (VIRTIO_CAP_TYPE(head)) {
	case VIRTIO_TYPE_COMMON:
		r = &caps->common;
		break;
	case VIRTIO_TYPE_NOTIFY:
		if (VIRTIO_CAP_LEN(head) < VIRTIO_CAP_NOTIFY_MINLEN)
			return;
		r = &caps->notify;
		break;
	case VIRTIO_TYPE_DEVICE:
		r = &caps->device;
		break;
	default:
		return;
	}
	bar = bus->ops->cfg_read4(bus, pos + VIRTIO_CAP_BAR) & 0xff;
	if (r->found || bar >= DUMPDEV_NBARS)
		return;
	r->found = true;
	r->bar = (uint8_t)bar;
	r->off = bus->ops->cfg_read4(bus, pos + VIRTIO_CAP_OFFSET);
	r->len = bus->ops->cfg_read4(bus, pos + VIRTIO_CAP_LENGTH);
	if (r == &caps->notify)
		caps->notify_mult = bus->ops->cfg_read4(bus,
		    pos + VIRTIO_CAP_MULTIPLIER);
}

int
virtio_caps_parse(struct dumpdev_bus *bus, struct virtio_caps *caps)
{
	unsigned int pos, n;
	uint32_t head;

	memset(caps, 0, sizeof(*caps));
	head = bus->ops->cfg_read4(bus, PCIREG_COMMAND);
	if (head == 0xffffffff || (head & PCIREG_STATUS_CAPLIST) == 0)
		return -ENODEV;
	pos = bus->ops->cfg_read4(bus, PCIREG_CAPPTR) & 0xfc;
	for (n = 0; n < PCIREG_CAP_MAX && pos >= PCIREG_CAP_FIRST; n++) {
		head = bus->ops->cfg_read4(bus, pos);
		if (head == 0xffffffff)
			return -ENODEV;
		/* One that is short or sticks out of the 256 bytes is not
		 * one. */
		if (PCIREG_CAP_ID(head) == PCIREG_CAP_VENDOR &&
		    VIRTIO_CAP_LEN(head) >= VIRTIO_CAP_MINLEN &&
		    pos + VIRTIO_CAP_LEN(head) <= 256)
			virtio_cap_note(bus, pos, head, caps);
		pos = PCIREG_CAP_NEXT(head);
	}
	if (!caps->common.found || !caps->notify.found || !caps->device.found)
		return -ENODEV;
	return 0;
}

static int
virtio_pci_match(struct dumpdev *dd, uint32_t device)
{
	const uint32_t id = dd->bus->ops->cfg_read4(dd->bus, PCIREG_ID);
	const uint32_t transitional = device == VIRTIO_ID_BLK ?
	    VIRTIO_PCI_BLK_TRANS : VIRTIO_PCI_SCSI_TRANS;
	struct virtio_caps caps;

	if (PCIREG_VENDOR(id) != VIRTIO_PCI_VENDOR ||
	    (PCIREG_DEVICE(id) != VIRTIO_PCI_DEVICE(device) &&
	    PCIREG_DEVICE(id) != transitional))
		return -ENODEV;
	if (virtio_caps_parse(dd->bus, &caps) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "legacy virtio device; give the virtual machine a modern "
		    "one (QEMU: disable-legacy=on, or machine type q35)");
	return 0;
}

/* Maps a region's BAR, if it is not yet, and checks that the region is in it
 * and aligned. */
static int
virtio_region_map(struct dumpdev *dd, struct virtio_softc *vs,
    const struct virtio_region *r, uint64_t bar_lens[DUMPDEV_NBARS],
    uint32_t minlen, const char *what)
{
	int error;

	if ((vs->mapped & (1u << r->bar)) == 0) {
		error = dd->bus->ops->bar_map(dd->bus, r->bar,
		    &bar_lens[r->bar]);
		if (error != 0)
			return dumpdev_fail(dd, error,
			    "virtio: BAR %u can't be mapped", r->bar);
		vs->mapped |= 1u << r->bar;
	}
	if (r->len < minlen || (uint64_t)r->off + r->len > bar_lens[r->bar])
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio: %s structure, %u bytes at %#x, is not inside BAR "
		    "%u or too short", what, r->len, r->off, r->bar);
	if ((r->off & 3) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio: %s structure at %#x is not aligned", what, r->off);
	return 0;
}

static int
virtio_pci_attach(struct dumpdev *dd, struct virtio_softc *vs,
    uint32_t device_minlen)
{
	uint64_t bar_lens[DUMPDEV_NBARS] = { 0 };
	int error;

	error = virtio_caps_parse(dd->bus, &vs->caps);
	if (error != 0)
		return dumpdev_fail(dd, error, "virtio: capabilities are gone");
	if ((vs->caps.notify_mult & 1) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio: notify_off_multiplier %u is odd",
		    vs->caps.notify_mult);
	error = virtio_region_map(dd, vs, &vs->caps.common, bar_lens,
	    VIRTIO_COMMON_LEN, "common");
	if (error == 0)
		error = virtio_region_map(dd, vs, &vs->caps.notify, bar_lens,
		    2, "notify");
	if (error == 0)
		error = virtio_region_map(dd, vs, &vs->caps.device, bar_lens,
		    device_minlen, "device");
	vs->device = vs->caps.device;
	return error;
}

static uint8_t
virtio_pci_status(struct dumpdev *dd, const struct virtio_softc *vs)
{
	return dd->bus->ops->read1(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + VIRTIO_COMMON_STATUS);
}

static void
virtio_pci_set_status(struct dumpdev *dd, const struct virtio_softc *vs,
    uint8_t v)
{
	dd->bus->ops->write1(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + VIRTIO_COMMON_STATUS, v);
}

static uint16_t
virtio_rd2(struct dumpdev *dd, const struct virtio_softc *vs, uint32_t reg)
{
	return dd->bus->ops->read2(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + reg);
}

static void
virtio_wr2(struct dumpdev *dd, const struct virtio_softc *vs, uint32_t reg,
    uint16_t v)
{
	dd->bus->ops->write2(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + reg, v);
}

static uint32_t
virtio_rd4(struct dumpdev *dd, const struct virtio_softc *vs, uint32_t reg)
{
	return dd->bus->ops->read4(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + reg);
}

static void
virtio_wr4(struct dumpdev *dd, const struct virtio_softc *vs, uint32_t reg,
    uint32_t v)
{
	dd->bus->ops->write4(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + reg, v);
}

/* 4.1.3.1: 64-bit registers are written as two halves, the lower first. */
static void
virtio_wr8(struct dumpdev *dd, const struct virtio_softc *vs, uint32_t reg,
    uint64_t v)
{
	virtio_wr4(dd, vs, reg, (uint32_t)v);
	virtio_wr4(dd, vs, reg + 4, (uint32_t)(v >> 32));
}

static uint32_t
virtio_pci_features(struct dumpdev *dd, const struct virtio_softc *vs,
    unsigned int half)
{
	virtio_wr4(dd, vs, VIRTIO_COMMON_DFSELECT, half);
	return virtio_rd4(dd, vs, VIRTIO_COMMON_DF);
}

static void
virtio_pci_set_features(struct dumpdev *dd, const struct virtio_softc *vs,
    unsigned int half, uint32_t v)
{
	virtio_wr4(dd, vs, VIRTIO_COMMON_GFSELECT, half);
	virtio_wr4(dd, vs, VIRTIO_COMMON_GF, v);
}

static uint32_t
virtio_pci_generation(struct dumpdev *dd, const struct virtio_softc *vs)
{
	return dd->bus->ops->read1(dd->bus, vs->caps.common.bar,
	    (uint64_t)vs->caps.common.off + VIRTIO_COMMON_GENERATION);
}

static uint32_t
virtio_pci_queue_max(struct dumpdev *dd, const struct virtio_softc *vs,
    uint16_t index)
{
	uint16_t size;

	virtio_wr2(dd, vs, VIRTIO_COMMON_Q_SELECT, index);
	size = virtio_rd2(dd, vs, VIRTIO_COMMON_Q_SIZE);
	return size == 0xffff ? VIRTIO_QUEUE_GONE : size;
}

static int
virtio_pci_queue_setup(struct dumpdev *dd, const struct virtio_softc *vs,
    struct vq *vq)
{
	const struct virtio_region *notify = &vs->caps.notify;
	uint64_t off;

	virtio_wr2(dd, vs, VIRTIO_COMMON_MSIX, VIRTIO_MSIX_NONE);
	virtio_wr2(dd, vs, VIRTIO_COMMON_Q_SELECT, vq->index);
	virtio_wr2(dd, vs, VIRTIO_COMMON_Q_SIZE, vq->size);
	virtio_wr2(dd, vs, VIRTIO_COMMON_Q_MSIX, VIRTIO_MSIX_NONE);
	virtio_wr8(dd, vs, VIRTIO_COMMON_Q_DESC, vq->busaddr);
	virtio_wr8(dd, vs, VIRTIO_COMMON_Q_DRIVER, vq->busaddr + VQ_AVAIL_OFF);
	virtio_wr8(dd, vs, VIRTIO_COMMON_Q_DEVICE, vq->busaddr + VQ_USED_OFF);
	/* 4.1.4.4: where to ring for this queue. */
	off = (uint64_t)virtio_rd2(dd, vs, VIRTIO_COMMON_Q_NOFF) *
	    vs->caps.notify_mult;
	if (off + 2 > notify->len)
		return dumpdev_fail(dd, -EIO,
		    "virtio: doorbell of queue %u at %#llx is outside the "
		    "notify structure", vq->index, (unsigned long long)off);
	vq->notify_off = notify->off + off;
	virtio_wr2(dd, vs, VIRTIO_COMMON_Q_ENABLE, 1);
	return 0;
}

static void
virtio_pci_notify(struct dumpdev *dd, const struct virtio_softc *vs,
    const struct vq *vq)
{
	dd->bus->ops->write2(dd->bus, vs->caps.notify.bar, vq->notify_off,
	    vq->index);
}

const struct virtio_transport virtio_pci_transport = {
	.match = virtio_pci_match,
	.attach = virtio_pci_attach,
	.status = virtio_pci_status,
	.set_status = virtio_pci_set_status,
	.features = virtio_pci_features,
	.set_features = virtio_pci_set_features,
	.generation = virtio_pci_generation,
	.queue_max = virtio_pci_queue_max,
	.queue_setup = virtio_pci_queue_setup,
	.notify = virtio_pci_notify,
};
