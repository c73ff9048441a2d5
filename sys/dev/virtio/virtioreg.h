/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * virtioreg.h: the PCI and MMIO transports, the split virtqueue, the block device
 * and the SCSI host, in the words of Virtual I/O Device (VIRTIO) version 1.1, whose section numbers
 * are given.  Everything is little endian, and so are the machines that we run
 * on.
 */
#ifndef _DEV_VIRTIOREG_H_
#define _DEV_VIRTIOREG_H_

/* 5: device ids */
#define VIRTIO_ID_BLK		2
#define VIRTIO_ID_SCSI		8

/* 4.1.2: PCI device discovery */
#define VIRTIO_PCI_VENDOR	0x1af4
#define VIRTIO_PCI_DEVICE(id)	(0x1040 + (id))
#define VIRTIO_PCI_BLK_TRANS	0x1001	/* transitional */
#define VIRTIO_PCI_SCSI_TRANS	0x1004

/* 4.1.4: a vendor-specific capability says where a structure lies */
#define VIRTIO_CAP_LEN(v)	(((v) >> 16) & 0xff)
#define VIRTIO_CAP_TYPE(v)	((v) >> 24)
#define VIRTIO_CAP_BAR		4	/* byte offsets in the capability */
#define VIRTIO_CAP_OFFSET	8
#define VIRTIO_CAP_LENGTH	12
#define VIRTIO_CAP_MULTIPLIER	16	/* notify only */
#define VIRTIO_CAP_MINLEN	16
#define VIRTIO_CAP_NOTIFY_MINLEN 20
#define VIRTIO_TYPE_COMMON	1
#define VIRTIO_TYPE_NOTIFY	2
#define VIRTIO_TYPE_DEVICE	4

/* 4.1.4.3: common configuration structure, byte offsets */
#define VIRTIO_COMMON_DFSELECT	0x00
#define VIRTIO_COMMON_DF	0x04
#define VIRTIO_COMMON_GFSELECT	0x08
#define VIRTIO_COMMON_GF	0x0c
#define VIRTIO_COMMON_MSIX	0x10	/* 2 bytes */
#define VIRTIO_COMMON_NUMQ	0x12	/* 2 bytes */
#define VIRTIO_COMMON_STATUS	0x14	/* 1 byte */
#define VIRTIO_COMMON_GENERATION 0x15	/* 1 byte */
#define VIRTIO_COMMON_Q_SELECT	0x16	/* 2 bytes, as the next four */
#define VIRTIO_COMMON_Q_SIZE	0x18
#define VIRTIO_COMMON_Q_MSIX	0x1a
#define VIRTIO_COMMON_Q_ENABLE	0x1c
#define VIRTIO_COMMON_Q_NOFF	0x1e
#define VIRTIO_COMMON_Q_DESC	0x20	/* 8 bytes, as the next two */
#define VIRTIO_COMMON_Q_DRIVER	0x28
#define VIRTIO_COMMON_Q_DEVICE	0x30
#define VIRTIO_COMMON_LEN	0x38
#define VIRTIO_MSIX_NONE	0xffff

/* 4.2.2: MMIO registers, byte offsets; all are 4 bytes */
#define VIRTIO_MMIO_MAGIC	0x000
#define VIRTIO_MMIO_MAGIC_VALUE	0x74726976	/* "virt" */
#define VIRTIO_MMIO_VERSION	0x004
#define VIRTIO_MMIO_MODERN	2
#define VIRTIO_MMIO_DEVICE_ID	0x008
#define VIRTIO_MMIO_DF		0x010
#define VIRTIO_MMIO_DFSELECT	0x014
#define VIRTIO_MMIO_GF		0x020
#define VIRTIO_MMIO_GFSELECT	0x024
#define VIRTIO_MMIO_Q_SELECT	0x030
#define VIRTIO_MMIO_Q_MAX	0x034
#define VIRTIO_MMIO_Q_NUM	0x038
#define VIRTIO_MMIO_Q_READY	0x044
#define VIRTIO_MMIO_Q_NOTIFY	0x050
#define VIRTIO_MMIO_STATUS	0x070
#define VIRTIO_MMIO_Q_DESC	0x080	/* two of them, as the next two */
#define VIRTIO_MMIO_Q_DRIVER	0x090
#define VIRTIO_MMIO_Q_DEVICE	0x0a0
#define VIRTIO_MMIO_GENERATION	0x0fc
#define VIRTIO_MMIO_CONFIG	0x100	/* the device's own */

/* 2.1: device status */
#define VIRTIO_STATUS_ACK	0x01
#define VIRTIO_STATUS_DRIVER	0x02
#define VIRTIO_STATUS_DRIVER_OK	0x04
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED	0x80
#define VIRTIO_STATUS_GONE	0xff

/* 6: reserved feature bits */
#define VIRTIO_F_VERSION_1	(1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_ORDER_PLATFORM	(1ull << 36)

/* 2.6: split virtqueue */
struct vq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
_Static_assert(sizeof(struct vq_desc) == 16, "vq_desc");
#define VQ_DESC_F_NEXT		1
#define VQ_DESC_F_WRITE		2	/* the device writes */

struct vq_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};
#define VQ_AVAIL_F_NO_INTERRUPT	1

struct vq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct vq_used {
	uint16_t flags;
	uint16_t idx;
	struct vq_used_elem ring[];
};
_Static_assert(offsetof(struct vq_used, ring) == 4, "vq_used");

/* 5.2.3: block device feature bits */
#define VIOBLK_F_SIZE_MAX	(1ull << 1)
#define VIOBLK_F_SEG_MAX	(1ull << 2)
#define VIOBLK_F_RO		(1ull << 5)
#define VIOBLK_F_BLK_SIZE	(1ull << 6)
#define VIOBLK_F_FLUSH		(1ull << 9)

/* 5.2.4: block device configuration, byte offsets */
#define VIOBLK_CFG_CAPACITY	0x00	/* 8 bytes, in sectors of 512 */
#define VIOBLK_CFG_SIZE_MAX	0x08
#define VIOBLK_CFG_SEG_MAX	0x0c
#define VIOBLK_CFG_BLK_SIZE	0x14
#define VIOBLK_CFG_MINLEN	0x08	/* the capacity is always there */
#define VIOBLK_SECTOR		512u

/* 5.2.6: a request is this, the data, and one byte of status */
struct vioblk_hdr {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};
_Static_assert(sizeof(struct vioblk_hdr) == 16, "vioblk_hdr");
#define VIOBLK_T_IN		0
#define VIOBLK_T_OUT		1
#define VIOBLK_T_FLUSH		4
#define VIOBLK_S_OK		0
#define VIOBLK_S_NOANSWER	0xff	/* ours: the device knows 0, 1, 2 */

/* 5.6.2: SCSI host virtqueues: control, events, then the first for requests */
#define VIOSCSI_REQUESTQ	2

/* 5.6.4: SCSI host configuration, byte offsets; all are 4 bytes */
#define VIOSCSI_CFG_MAX_SECTORS	0x08
#define VIOSCSI_CFG_CMD_PER_LUN	0x0c
#define VIOSCSI_CFG_SENSE_SIZE	0x14
#define VIOSCSI_CFG_CDB_SIZE	0x18
#define VIOSCSI_CFG_MINLEN	0x24
#define VIOSCSI_SENSE_LEN	96	/* what a reset makes of the two */
#define VIOSCSI_CDB_LEN		32

/* 5.6.6.1: a request is this, data to the device; an answer, data from it */
struct vioscsi_req {
	uint8_t lun[8];
	uint64_t id;
	uint8_t task_attr;
	uint8_t prio;
	uint8_t crn;
	uint8_t cdb[VIOSCSI_CDB_LEN];
} __attribute__((packed));
_Static_assert(sizeof(struct vioscsi_req) == 51, "vioscsi_req");

struct vioscsi_resp {
	uint32_t sense_len;
	uint32_t residual;
	uint16_t status_qualifier;
	uint8_t status;
	uint8_t response;
	uint8_t sense[VIOSCSI_SENSE_LEN];
};
_Static_assert(sizeof(struct vioscsi_resp) == 108, "vioscsi_resp");
#define VIOSCSI_S_OK		0
#define VIOSCSI_S_RESET		4
#define VIOSCSI_S_BUSY		5
#define VIOSCSI_S_NOANSWER	0xff	/* ours: the device knows 0 to 9 */

#endif /* _DEV_VIRTIOREG_H_ */
