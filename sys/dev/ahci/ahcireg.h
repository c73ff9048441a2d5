/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahcireg.h: registers and memory structures of an AHCI controller, in the
 * words of Serial ATA AHCI 1.3.1, whose section numbers are given; and the ATA
 * commands that are asked through it, by ATA8-ACS.  Everything is little
 * endian, and so are the machines that we run on.
 */
#ifndef _DEV_AHCIREG_H_
#define _DEV_AHCIREG_H_

#define AHCI_CLASSCODE		0x010601u	/* 2.1.5 */
#define AHCI_CLASS_RAID		0x0104u		/* without the interface */
#define AHCI_VENDOR_INTEL	0x8086u
#define AHCI_BAR		5		/* 2.1.11 */

/* 3.1: generic host control */
#define AHCI_CAP		0x00
#define AHCI_CAP_NCS(v)		((((v) >> 8) & 0x1f) + 1)
#define AHCI_CAP_S64A		(1u << 31)
#define AHCI_GHC		0x04
#define AHCI_GHC_HR		(1u << 0)
#define AHCI_GHC_IE		(1u << 1)
#define AHCI_GHC_AE		(1u << 31)
#define AHCI_PI			0x0c
#define AHCI_CAP2		0x24
#define AHCI_CAP2_SDS		(1u << 3)	/* device sleep */

/* Intel's storage remapping, which hides NVMe disks behind the SATA function;
 * not in the specification.  Only in BARs of this length or more. */
#define AHCI_REMAP_MINLEN	0x80000u
#define AHCI_VSCAP		0xa4
#define AHCI_VSCAP_REMAP	(1u << 0)
#define AHCI_REMAP_CAP		0x800	/* a bit for each */
#define AHCI_REMAP_MAX		3u
#define AHCI_REMAP_CLASS(n)	(0x880u + (n) * 0x80u)
#define AHCI_REMAP_CLASS_NVME	0x010802u

/* 3.3: registers of a port */
#define AHCI_PORT(n)		(0x100u + (n) * 0x80u)
#define AHCI_NPORTS		32u
#define AHCI_PX_CLB		0x00	/* 8 bytes */
#define AHCI_PX_FB		0x08	/* 8 bytes */
#define AHCI_PX_IS		0x10
#define AHCI_PX_IS_IFS		(1u << 27)
#define AHCI_PX_IS_HBDS		(1u << 28)
#define AHCI_PX_IS_HBFS		(1u << 29)
#define AHCI_PX_IS_TFES		(1u << 30)
#define AHCI_PX_IE		0x14
#define AHCI_PX_CMD		0x18
#define AHCI_PX_CMD_ST		(1u << 0)
#define AHCI_PX_CMD_SUD		(1u << 1)
#define AHCI_PX_CMD_POD		(1u << 2)
#define AHCI_PX_CMD_CLO		(1u << 3)
#define AHCI_PX_CMD_FRE		(1u << 4)
#define AHCI_PX_CMD_FR		(1u << 14)
#define AHCI_PX_CMD_CR		(1u << 15)
#define AHCI_PX_CMD_PMA		(1u << 17)
#define AHCI_PX_CMD_ALPE	(1u << 26)
#define AHCI_PX_CMD_ICC_MASK	(15u << 28)
#define AHCI_PX_CMD_ICC_ACTIVE	(1u << 28)
#define AHCI_PX_TFD		0x20
#define AHCI_PX_TFD_DRQ		(1u << 3)
#define AHCI_PX_TFD_DF		(1u << 5)
#define AHCI_PX_TFD_BSY		(1u << 7)
#define AHCI_PX_SIG		0x24
#define AHCI_SIG_DISK		0x00000101u
#define AHCI_SIG_PMP		0x96690101u	/* a port multiplier */
#define AHCI_PX_SSTS		0x28
#define AHCI_PX_SSTS_DET(v)	((v) & 15)
#define AHCI_PX_SSTS_DET_UP	3
#define AHCI_PX_SCTL		0x2c
#define AHCI_PX_SCTL_DET_MASK	15u
#define AHCI_PX_SCTL_DET_NONE	0u
#define AHCI_PX_SCTL_DET_RESET	1u
#define AHCI_PX_SCTL_DET_OFF	4u
#define AHCI_PX_SCTL_IPM_MASK	(15u << 8)
#define AHCI_PX_SCTL_IPM_NONE	(3u << 8)	/* neither partial nor slumber */
#define AHCI_PX_SERR		0x30
#define AHCI_PX_CI		0x38
#define AHCI_PX_DEVSLP		0x44
#define AHCI_PX_DEVSLP_ADSE	(1u << 0)

/* 4.2.2: a command header; the list has 32 */
struct ahci_cmdhdr {
	uint32_t dw0;
	uint32_t prdbc;
	uint64_t ctba;
	uint32_t reserved[4];
};
_Static_assert(sizeof(struct ahci_cmdhdr) == 32, "ahci_cmdhdr");
#define AHCI_CMDHDR_CFL(bytes)	((uint32_t)(bytes) / 4)
#define AHCI_CMDHDR_W		(1u << 6)
#define AHCI_CMDHDR_PRDTL(n)	((uint32_t)(n) << 16)

/* 4.2.3: a command table, here with room for one piece of memory */
struct ahci_prd {
	uint64_t dba;
	uint32_t reserved;
	uint32_t dbc;		/* bytes, 0's based */
};
struct ahci_cmdtbl {
	uint8_t cfis[64];
	uint8_t acmd[16];
	uint8_t reserved[48];
	struct ahci_prd prd;
	uint8_t pad[112];	/* the next one begins on 128 bytes */
};
_Static_assert(sizeof(struct ahci_cmdtbl) == 256, "ahci_cmdtbl");
_Static_assert(offsetof(struct ahci_cmdtbl, prd) == 0x80, "ahci_cmdtbl");
#define AHCI_PRD_MAXLEN		(4u << 20)

#define AHCI_RFIS_LEN		256u	/* 4.2.1: received FIS */

/* Serial ATA 2.6, 10.3.4: register FIS from host to device */
struct ahci_fis {
	uint8_t type;
	uint8_t flags;
	uint8_t command;
	uint8_t features;
	uint8_t lba0, lba1, lba2;
	uint8_t device;
	uint8_t lba3, lba4, lba5;
	uint8_t features_exp;
	uint8_t count;
	uint8_t count_exp;
	uint8_t icc;
	uint8_t control;
	uint8_t aux[4];
};
_Static_assert(sizeof(struct ahci_fis) == 20, "ahci_fis");
#define AHCI_FIS_H2D		0x27
#define AHCI_FIS_COMMAND	0x80
#define AHCI_DEVICE_LBA		0x40

/* ATA8-ACS 7: commands */
#define ATA_READ_DMA_EXT	0x25
#define ATA_WRITE_DMA_EXT	0x35
#define ATA_READ_VERIFY_EXT	0x42
#define ATA_FLUSH_EXT		0xea
#define ATA_IDENTIFY		0xec
#define ATA_SET_FEATURES	0xef
#define ATA_FEATURE_SPIN_UP	0x07

/* ATA8-ACS 7.16: IDENTIFY DEVICE, in words of 16 bits */
#define ATA_ID_LEN		512u
#define ATA_ID_CONFIG		2	/* incomplete: it wants to be spun up */
#define ATA_ID_CONFIG_PUIS	0x37c8
#define ATA_ID_CONFIG_PUIS_DATA	0x738c
#define ATA_ID_CAPS		49
#define ATA_ID_CAPS_DMA		(1u << 8)
#define ATA_ID_SETS		83
#define ATA_ID_SETS_LBA48	(1u << 10)
#define ATA_ID_SETS_FLUSH_EXT	(1u << 13)
#define ATA_ID_SETS_VALID(v)	(((v) & 0xc000) == 0x4000)
#define ATA_ID_CAPACITY		100	/* four words */
#define ATA_ID_SECTOR		106
#define ATA_ID_SECTOR_LONG	(1u << 12)
#define ATA_ID_SECTOR_WORDS	117	/* two words */
#define ATA_ID_SECURITY		128
#define ATA_ID_SECURITY_LOCKED	(1u << 2)

#endif /* _DEV_AHCIREG_H_ */
