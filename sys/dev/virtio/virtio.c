/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtio.c: what a driver does to a virtio device whatever its transport
 * (VIRTIO 1.1, sections 2 and 3): status, features, the device's configuration.
 * Registers are those of virtio_pci.c or virtio_mmio.c.
 */
#include <dev/virtio/virtiovar.h>

#define VIRTIO_RESET_US		(5ull * 1000 * 1000)
#define VIRTIO_CHECK_US		1000	/* a register read is slow */

static const struct virtio_transport *
virtio_transport_of(const struct dumpdev *dd)
{
	return dd->bus->platform ? &virtio_mmio_transport :
	    &virtio_pci_transport;
}

int
virtio_match(struct dumpdev *dd, uint32_t id)
{
	return virtio_transport_of(dd)->match(dd, id);
}

int
virtio_attach(struct dumpdev *dd, struct virtio_softc *vs,
    uint32_t device_minlen)
{
	int error;

	vs->transport = virtio_transport_of(dd);
	error = vs->transport->attach(dd, vs, device_minlen);
	if (error != 0)
		virtio_detach(dd, vs);
	return error;
}

void
virtio_detach(struct dumpdev *dd, struct virtio_softc *vs)
{
	unsigned int bar;

	for (bar = 0; bar < DUMPDEV_NBARS; bar++)
		if ((vs->mapped & (1u << bar)) != 0)
			dd->bus->ops->bar_unmap(dd->bus, bar);
	vs->mapped = 0;
}

int
virtio_fail_gone(struct dumpdev *dd)
{
	return dumpdev_fail(dd, -EIO,
	    "virtio device gone: registers read all ones");
}

struct virtio_reset_wait {
	struct dumpdev *dd;
	const struct virtio_softc *vs;
};

static int
virtio_reset_done(void *arg)
{
	const struct virtio_reset_wait *w = arg;
	const uint8_t status = w->vs->transport->status(w->dd, w->vs);

	if (status == VIRTIO_STATUS_GONE)
		return virtio_fail_gone(w->dd);
	return status == 0;
}

int
virtio_reset(struct dumpdev *dd, struct virtio_softc *vs)
{
	struct virtio_reset_wait w = { dd, vs };
	int answer;

	vs->transport->set_status(dd, vs, 0);
	answer = poll_until(dd->bus, virtio_reset_done, &w, VIRTIO_RESET_US);
	if (answer > 0)
		return 0;
	return dumpdev_fail(dd, answer, "virtio device: reset never ended");
}

/* Adds bits to the status. */
static void
virtio_status_add(struct dumpdev *dd, const struct virtio_softc *vs,
    uint8_t bits)
{
	vs->transport->set_status(dd, vs,
	    (uint8_t)(vs->transport->status(dd, vs) | bits));
}

int
virtio_negotiate(struct dumpdev *dd, struct virtio_softc *vs, uint64_t wanted)
{
	const struct virtio_transport *t = vs->transport;
	uint8_t status;
	int error;

	error = virtio_reset(dd, vs);
	if (error != 0)
		return error;
	virtio_status_add(dd, vs, VIRTIO_STATUS_ACK);
	virtio_status_add(dd, vs, VIRTIO_STATUS_DRIVER);
	vs->offered = t->features(dd, vs, 0);
	vs->offered |= (uint64_t)t->features(dd, vs, 1) << 32;
	if (vs->offered == ~0ull)
		return virtio_fail_gone(dd);
	if ((vs->offered & VIRTIO_F_VERSION_1) == 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio device offers no VERSION_1 (features %#llx)",
		    (unsigned long long)vs->offered);
	/* ACCESS_PLATFORM: behind an IOMMU, addresses are the bus's. */
	vs->features = vs->offered & (wanted | VIRTIO_F_VERSION_1 |
	    VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM);
	t->set_features(dd, vs, 0, (uint32_t)vs->features);
	t->set_features(dd, vs, 1, (uint32_t)(vs->features >> 32));
	virtio_status_add(dd, vs, VIRTIO_STATUS_FEATURES_OK);
	status = t->status(dd, vs);
	if (status == VIRTIO_STATUS_GONE)
		return virtio_fail_gone(dd);
	if ((status & VIRTIO_STATUS_FEATURES_OK) == 0)
		return dumpdev_fail(dd, -EIO,
		    "virtio device refused features %#llx of %#llx",
		    (unsigned long long)vs->features,
		    (unsigned long long)vs->offered);
	return 0;
}

int
virtio_queue_max(struct dumpdev *dd, struct virtio_softc *vs, uint16_t index,
    uint16_t *max)
{
	const uint32_t size = vs->transport->queue_max(dd, vs, index);

	if (size == VIRTIO_QUEUE_GONE)
		return virtio_fail_gone(dd);
	if (size == 0)
		return dumpdev_fail(dd, -EIO, "virtio device has no queue %u",
		    index);
	*max = (uint16_t)(size < 0x8000 ? size : 0x8000);	/* 2.6 */
	return 0;
}

int
virtio_queue_setup(struct dumpdev *dd, struct virtio_softc *vs, struct vq *vq)
{
	return vs->transport->queue_setup(dd, vs, vq);
}

int
virtio_driver_ok(struct dumpdev *dd, struct virtio_softc *vs)
{
	virtio_status_add(dd, vs, VIRTIO_STATUS_DRIVER_OK);
	vs->checked_us = 0;
	return virtio_alive(dd, vs);
}

void
virtio_notify(struct dumpdev *dd, const struct virtio_softc *vs,
    const struct vq *vq)
{
	vs->transport->notify(dd, vs, vq);
}

int
virtio_queue_poll(struct dumpdev *dd, struct vq *vq,
    void (*complete)(struct dumpdev *dd, uint16_t head))
{
	uint16_t head;
	int n, answer;

	for (n = 0; n < (int)dd->nslots; n++) {
		answer = vq_pop(vq, &head);
		if (answer < 0)
			return dumpdev_fail(dd, answer,
			    "virtio: used ring makes no sense");
		if (answer == 0)
			break;
		complete(dd, head);
	}
	return n;
}

int
virtio_alive(struct dumpdev *dd, struct virtio_softc *vs)
{
	const uint64_t now = dd->bus->ops->now_us(dd->bus);
	uint8_t status;

	if (vs->checked_us != 0 && now - vs->checked_us < VIRTIO_CHECK_US)
		return 0;
	vs->checked_us = now;
	status = vs->transport->status(dd, vs);
	if (status == VIRTIO_STATUS_GONE)
		return virtio_fail_gone(dd);
	if ((status & VIRTIO_STATUS_NEEDS_RESET) != 0)
		return dumpdev_fail(dd, -EIO, "virtio device needs a reset");
	if ((status & VIRTIO_STATUS_DRIVER_OK) == 0)
		return dumpdev_fail(dd, -EIO,
		    "virtio device forgot us, status %#x", status);
	return 0;
}

uint32_t
virtio_cfg_read4(struct dumpdev *dd, const struct virtio_softc *vs,
    uint32_t off)
{
	const struct virtio_region *device = &vs->device;

	if (off + 4 > device->len)
		return 0;
	return dd->bus->ops->read4(dd->bus, device->bar,
	    (uint64_t)device->off + off);
}

/* 2.4.1: two halves belong together if the generation stood still. */
uint64_t
virtio_cfg_read8(struct dumpdev *dd, const struct virtio_softc *vs,
    uint32_t off)
{
	unsigned int tries;
	uint32_t before;
	uint64_t v = 0;

	for (tries = 0; tries < 8; tries++) {
		before = vs->transport->generation(dd, vs);
		v = virtio_cfg_read4(dd, vs, off);
		v |= (uint64_t)virtio_cfg_read4(dd, vs, off + 4) << 32;
		if (vs->transport->generation(dd, vs) == before)
			break;
	}
	return v;
}
