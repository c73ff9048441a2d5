/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scsireg.h: the SCSI commands that a dump needs, in the words of SPC-4, SBC-3
 * and SAM-5.  Numbers in commands are big endian.
 */
#ifndef _DEV_SCSIREG_H_
#define _DEV_SCSIREG_H_

/* SPC-4 and SBC-3: operation codes */
#define SCSI_TEST_UNIT_READY	0x00
#define SCSI_READ_CAPACITY_10	0x25
#define SCSI_READ_10		0x28
#define SCSI_WRITE_10		0x2a
#define SCSI_SYNC_CACHE_10	0x35
#define SCSI_READ_16		0x88
#define SCSI_WRITE_16		0x8a
#define SCSI_SERVICE_IN_16	0x9e
#define SCSI_SA_READ_CAPACITY_16 0x10

/* SBC-3 5.16: what READ CAPACITY (16) returns, byte offsets */
#define SCSI_RC16_LAST		0	/* 8 bytes */
#define SCSI_RC16_BLKSIZE	8	/* 4 bytes */
#define SCSI_RC16_PROT		12
#define SCSI_RC16_PROT_EN	0x01
#define SCSI_RC16_LEN		32
/* 5.15: and READ CAPACITY (10) */
#define SCSI_RC10_LAST		0	/* 4 bytes; all ones: ask the other */
#define SCSI_RC10_BLKSIZE	4
#define SCSI_RC10_LEN		8

/* SAM-5 5.3: status */
#define SCSI_STATUS_GOOD	0x00
#define SCSI_STATUS_CHECK	0x02
#define SCSI_STATUS_BUSY	0x08
#define SCSI_STATUS_TASK_SET_FULL 0x28
#define SCSI_STATUS_NOANSWER	0xff	/* ours */

/* SPC-4 4.5: sense data, and its keys */
#define SCSI_SENSE_CODE(v)	((v) & 0x7f)
#define SCSI_SENSE_FIXED	0x70
#define SCSI_SENSE_DESC		0x72
#define SCSI_KEY_NOT_READY	0x2
#define SCSI_KEY_ILLEGAL	0x5
#define SCSI_KEY_ATTENTION	0x6
#define SCSI_KEY_ABORTED	0xb
#define SCSI_ASC_BECOMING_READY	0x0401	/* asc, ascq */
#define SCSI_ASC_NO_COMMAND	0x2000

#endif /* _DEV_SCSIREG_H_ */
