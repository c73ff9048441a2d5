/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * pcireg.h: what dump drivers need of PCI configuration space.  Section numbers
 * are the PCI Local Bus Specification's, revision 3.0.
 */
#ifndef _DEV_PCIREG_H_
#define _DEV_PCIREG_H_

/* 6.1: configuration space header; all read and written four bytes at a time */
#define PCIREG_ID		0x00	/* vendor id, device id */
#define PCIREG_VENDOR(v)	((v) & 0xffff)
#define PCIREG_DEVICE(v)	((v) >> 16)

#define PCIREG_COMMAND		0x04	/* command; status in the upper half */
#define PCIREG_COMMAND_MEMORY	0x0002u
#define PCIREG_COMMAND_MASTER	0x0004u
#define PCIREG_COMMAND_NOINTX	0x0400u
#define PCIREG_STATUS_CAPLIST	0x00100000u

#define PCIREG_BAR0		0x10	/* six of them; of a bridge two */
#define PCIREG_NBARS		6u
#define PCIREG_HDR		0x0c	/* header type in its third byte */
#define PCIREG_HDR_BRIDGE(v)	(((v) >> 16 & 0x7f) == 1)
#define PCIREG_HEADER_LEN	64u

/* PCI-to-PCI Bridge Architecture Specification 1.2, 3.2.5 */
#define PCIREG_BRIDGE_BUSES	0x18	/* primary, secondary, subordinate */
#define PCIREG_BRIDGE_IO	0x1c	/* status of the other side above it */
#define PCIREG_BRIDGE_MEMORY	0x20
#define PCIREG_BRIDGE_PREFETCH	0x24	/* two upper halves behind it */
#define PCIREG_BRIDGE_IOUPPER	0x30
#define PCIREG_BRIDGE_CTL	0x3c	/* in the upper half */
#define PCIREG_BRIDGE_CTL_RESET	0x00400000u
#define PCIREG_BRIDGE_CTL_MASK	0xfbbfffffu	/* but that, and a status bit */

#define PCIREG_CLASS		0x08	/* revision; class code above it */
#define PCIREG_CLASSCODE(v)	((v) >> 8)

/* 6.7: capabilities list */
#define PCIREG_CAPPTR		0x34
#define PCIREG_CAP_ID(v)	((v) & 0xff)
#define PCIREG_CAP_NEXT(v)	(((v) >> 8) & 0xfc)
#define PCIREG_CAP_VENDOR	0x09
#define PCIREG_CAP_PM		0x01
#define PCIREG_CAP_EXPRESS	0x10
#define PCIREG_CAP_FIRST	0x40	/* none lies in the header */
#define PCIREG_CAP_MAX		48	/* no more fit: a longer list loops */

/* PCI Bus Power Management Interface Specification 1.2, 3.2.4: from the
 * capability's start; its upper half is data */
#define PCIREG_PM_CSR		4
#define PCIREG_PM_CSR_STATE	0x0003u	/* D0 is 0 */
#define PCIREG_PM_CSR_PMESTATUS	0x8000u

/* PCI Express Base Specification 3.0, 7.8: from the capability's start; the
 * upper half of the third is status.  2.3.1: what a function that is not ready
 * yet may be read as. */
#define PCIREG_EXPRESS_CAP	4
#define PCIREG_EXPRESS_CAP_FLR	0x10000000u
#define PCIREG_EXPRESS_CTL	8
#define PCIREG_EXPRESS_CTL_MASK	0x00007fffu
#define PCIREG_EXPRESS_CTL_FLR	0x00008000u
#define PCIREG_ID_NOTREADY	0xffff0001u

#endif /* _DEV_PCIREG_H_ */
