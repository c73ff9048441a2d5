/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nvmereg.h: registers, commands and data structures of an NVMe controller, in
 * the words of the NVM Express Base Specification 1.4, whose section numbers
 * are given.  Everything is little endian, and so are the machines that we run
 * on.
 */
#ifndef _DEV_NVMEREG_H_
#define _DEV_NVMEREG_H_

#define NVME_CLASSCODE		0x010802u	/* 2.1.5 */

#define NVME_PAGE		4096u		/* CC.MPS = 0 */

/* 3.1: controller registers, in BAR 0 */
#define NVME_CAP		0x00	/* 3.1.1: controller capabilities */
#define NVME_CAP_MQES(v)	((uint32_t)((v) & 0xffff))	/* 0's based */
#define NVME_CAP_TO(v)		((uint32_t)(((v) >> 24) & 0xff)) /* 500 ms */
#define NVME_CAP_DSTRD(v)	((uint32_t)(((v) >> 32) & 0xf))
#define NVME_CAP_CSS_NVM	(1ull << 37)
#define NVME_CAP_MPSMIN(v)	((uint32_t)(((v) >> 48) & 0xf))
#define NVME_CC			0x14	/* 3.1.5: controller configuration */
#define NVME_CC_EN		(1u << 0)
#define NVME_CC_SHN_MASK	(3u << 14)
#define NVME_CC_SHN_NORMAL	(1u << 14)
#define NVME_CC_IOSQES_64	(6u << 16)
#define NVME_CC_IOCQES_16	(4u << 20)
#define NVME_CSTS		0x1c	/* 3.1.6: controller status */
#define NVME_CSTS_RDY		(1u << 0)
#define NVME_CSTS_CFS		(1u << 1)
#define NVME_CSTS_SHST_MASK	(3u << 2)
#define NVME_CSTS_SHST_DONE	(2u << 2)
#define NVME_AQA		0x24	/* 3.1.8: both sizes, 0's based */
#define NVME_ASQ		0x28	/* 3.1.9 */
#define NVME_ACQ		0x30	/* 3.1.10 */
#define NVME_DOORBELLS		0x1000	/* 3.1.23: SQ y tail, CQ y head */

/* 4.2: submission queue entry */
struct nvme_sqe {
	uint8_t opc;
	uint8_t fuse_psdt;
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw14;
	uint32_t cdw15;
};
_Static_assert(sizeof(struct nvme_sqe) == 64, "nvme_sqe");

/* 4.6: completion queue entry */
struct nvme_cqe {
	uint32_t dw0;		/* command specific */
	uint32_t dw1;
	uint32_t dw2;		/* SQ head pointer, SQ identifier */
	uint32_t dw3;		/* command identifier, phase, status */
};
_Static_assert(sizeof(struct nvme_cqe) == 16, "nvme_cqe");

#define NVME_CQE_SQHD(dw2)	((uint16_t)(dw2))
#define NVME_CQE_SQID(dw2)	((uint16_t)((dw2) >> 16))
#define NVME_CQE_CID(dw3)	((uint16_t)(dw3))
#define NVME_CQE_P(dw3)		((uint16_t)(((dw3) >> 16) & 1))
#define NVME_CQE_SC(dw3)	(((dw3) >> 17) & 0xff)
#define NVME_CQE_SCT(dw3)	(((dw3) >> 25) & 0x7)

/* 5: admin commands */
#define NVME_ADM_CREATE_SQ	0x01	/* 5.4 */
#define NVME_ADM_CREATE_CQ	0x05	/* 5.3 */
#define NVME_ADM_IDENTIFY	0x06	/* 5.15 */
#define NVME_ADM_SET_FEATURES	0x09	/* 5.21 */
#define NVME_QUEUE_PC		(1u << 0)	/* physically contiguous */
#define NVME_CNS_NAMESPACE	0x00
#define NVME_CNS_CONTROLLER	0x01
#define NVME_FID_NQUEUES	0x07	/* 5.21.1.7 */

/* 6: commands of the NVM command set */
#define NVME_CMD_FLUSH		0x00	/* 6.8 */
#define NVME_CMD_WRITE		0x01	/* 6.15 */
#define NVME_CMD_READ		0x02	/* 6.9 */

/* 5.15.2.2: Identify Controller, byte offsets */
#define NVME_IDC_MDTS		77
#define NVME_IDC_CNTRLTYPE	111
#define NVME_CNTRLTYPE_IO	1	/* 0 before version 1.4 */

/* 5.15.2.1: Identify Namespace, byte offsets */
#define NVME_IDN_NSZE		0
#define NVME_IDN_NLBAF		25
#define NVME_IDN_FLBAS		26
#define NVME_IDN_DPS		29
#define NVME_IDN_DPS_PIT	0x07
#define NVME_IDN_NSATTR		99
#define NVME_IDN_NSATTR_WP	0x01
#define NVME_IDN_LBAF(n)	(128 + 4 * (n))
#define NVME_LBAF_MS(v)		((v) & 0xffff)
#define NVME_LBAF_LBADS(v)	(((v) >> 16) & 0xff)

#endif /* _DEV_NVMEREG_H_ */
