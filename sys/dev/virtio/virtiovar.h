/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtiovar.h: what the virtio dump drivers share: the device (virtio.c), its
 * transport (virtio_pci.c, virtio_mmio.c) and the split virtqueue (virtqueue.c).
 */
#ifndef _DEV_VIRTIOVAR_H_
#define _DEV_VIRTIOVAR_H_

#include <sys/ktypes.h>
#include <dev/dumpdev.h>
#include <dev/virtio/virtioreg.h>

/* A structure of the transport: where in which BAR. */
struct virtio_region {
	bool found;
	uint8_t bar;
	uint32_t off;
	uint32_t len;
};

struct virtio_caps {
	struct virtio_region common;
	struct virtio_region notify;
	struct virtio_region device;
	uint32_t notify_mult;
};

struct virtio_softc {
	const struct virtio_transport *transport;
	struct virtio_caps caps;	/* of virtio_pci.c alone */
	struct virtio_region device;	/* the device's own configuration */
	uint32_t mapped;		/* bit n: BAR n */
	uint64_t offered;		/* by the device, at start */
	uint64_t features;		/* taken */
	uint64_t checked_us;		/* when the status was read last */
};

/*
 * A split virtqueue in two pages of DMA memory: the descriptors in the first,
 * the rings in the second.  The user says which descriptors a request has.
 */
#define VQ_MAXSIZE	256
#define VQ_MEM_LEN	8192
#define VQ_AVAIL_OFF	4096
#define VQ_USED_OFF	(4096 + 1024)

struct vq {
	struct vq_desc *desc;
	volatile struct vq_avail *avail;
	volatile struct vq_used *used;
	uint64_t busaddr;		/* of desc; the rings follow */
	uint16_t index;			/* which queue of the device */
	uint16_t size;			/* a power of two */
	uint16_t avail_idx;		/* next to offer */
	uint16_t used_idx;		/* next to take */
	uint64_t notify_off;		/* in the notify structure's BAR */
	uint32_t nstrays;		/* answers to nothing that was asked */
	bool issued[VQ_MAXSIZE];	/* heads that the device has */
};

/* One piece of a request's memory. */
struct vq_seg {
	uint64_t busaddr;
	uint32_t len;
	bool devwrites;
};

void vq_init(struct vq *vq, const struct dumpdev_dma *mem, size_t off);
/* Makes it empty; before the device learns of it. */
void vq_reset(struct vq *vq, uint16_t index, uint16_t size);
/* Offers the nsegs descriptors from head on.  -EIO: they are out of range, or
 * the device has them already. */
__must_check int vq_push(struct vq *vq, uint16_t head,
    const struct vq_seg *segs, unsigned int nsegs);
/* The next answer: 1 and its head, 0: none, -EIO: the ring makes no sense. */
__must_check int vq_pop(struct vq *vq, uint16_t *head);

/*
 * How the registers are reached.  match and attach are called while armed; the
 * others after the panic, generation also before.  half: bits 0 to 31 are 0,
 * bits 32 to 63 are 1.
 */
struct virtio_transport {
	/* As ops->match, for a device of this kind (5). */
	int (*match)(struct dumpdev *dd, uint32_t id);
	/* Finds and maps: sets mapped and device, whose length is minlen at
	 * least.  Reads no register. */
	int (*attach)(struct dumpdev *dd, struct virtio_softc *vs,
	    uint32_t device_minlen);

	uint8_t (*status)(struct dumpdev *dd, const struct virtio_softc *vs);
	void (*set_status)(struct dumpdev *dd, const struct virtio_softc *vs,
	    uint8_t v);
	uint32_t (*features)(struct dumpdev *dd, const struct virtio_softc *vs,
	    unsigned int half);
	void (*set_features)(struct dumpdev *dd, const struct virtio_softc *vs,
	    unsigned int half, uint32_t v);
	/* Changes when the device's configuration does. */
	uint32_t (*generation)(struct dumpdev *dd,
	    const struct virtio_softc *vs);
	/* The largest size of the queue; 0: there is no such. */
	uint32_t (*queue_max)(struct dumpdev *dd, const struct virtio_softc *vs,
	    uint16_t index);
	int (*queue_setup)(struct dumpdev *dd, const struct virtio_softc *vs,
	    struct vq *vq);
	void (*notify)(struct dumpdev *dd, const struct virtio_softc *vs,
	    const struct vq *vq);
};

#define VIRTIO_QUEUE_GONE	0xffffffffu	/* of queue_max */

extern const struct virtio_transport virtio_pci_transport;
extern const struct virtio_transport virtio_mmio_transport;

/* Finds the structures of virtio_pci.c by configuration space alone.  -ENODEV:
 * they are not all there. */
__must_check int virtio_caps_parse(struct dumpdev_bus *bus,
    struct virtio_caps *caps);

/* As ops->match, for a device of this kind. */
__must_check int virtio_match(struct dumpdev *dd, uint32_t id);
/* Finds and maps; reads no register. */
__must_check int virtio_attach(struct dumpdev *dd, struct virtio_softc *vs,
    uint32_t device_minlen);
void virtio_detach(struct dumpdev *dd, struct virtio_softc *vs);
/* -EIO, with a reason. */
int virtio_fail_gone(struct dumpdev *dd);

/* Status 0, and waits until it is. */
__must_check int virtio_reset(struct dumpdev *dd, struct virtio_softc *vs);
/* Reset, hello, and takes of wanted what is offered. */
__must_check int virtio_negotiate(struct dumpdev *dd, struct virtio_softc *vs,
    uint64_t wanted);
/* The largest size queue index can have. */
__must_check int virtio_queue_max(struct dumpdev *dd, struct virtio_softc *vs,
    uint16_t index, uint16_t *max);
/* Tells the device of vq, without interrupts. */
__must_check int virtio_queue_setup(struct dumpdev *dd,
    struct virtio_softc *vs, struct vq *vq);
__must_check int virtio_driver_ok(struct dumpdev *dd, struct virtio_softc *vs);
/* Says that something was offered. */
void virtio_notify(struct dumpdev *dd, const struct virtio_softc *vs,
    const struct vq *vq);
/* Completes what is answered, a request for each slot at the most: how many, or
 * -EIO with a reason.  A head is one that was issued. */
__must_check int virtio_queue_poll(struct dumpdev *dd, struct vq *vq,
    void (*complete)(struct dumpdev *dd, uint16_t head));
/* -EIO with a reason: gone, or needs a reset.  Looks once a millisecond. */
__must_check int virtio_alive(struct dumpdev *dd, struct virtio_softc *vs);

/* The device's own configuration; beyond its end it reads as zero. */
uint32_t virtio_cfg_read4(struct dumpdev *dd, const struct virtio_softc *vs,
    uint32_t off);
uint64_t virtio_cfg_read8(struct dumpdev *dd, const struct virtio_softc *vs,
    uint32_t off);

#endif /* _DEV_VIRTIOVAR_H_ */
