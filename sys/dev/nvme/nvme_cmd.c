/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nvme_cmd.c: the part of the NVMe dump driver that only computes: PRP lists,
 * command ids, and judging what a controller says about itself.  Touches no
 * register.
 */
#include <dev/nvme/nvmevar.h>

static uint32_t
nvme_le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
nvme_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

int
nvme_cap_check(struct dumpdev *dd, uint64_t cap)
{
	if (cap == ~0ull)
		return dumpdev_fail(dd, -ENXIO,
		    "NVMe controller gone: registers read all ones");
	if (NVME_CAP_MPSMIN(cap) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe controller wants pages of %u bytes at least; only "
		    "4096 are supported", NVME_PAGE << NVME_CAP_MPSMIN(cap));
	if ((cap & NVME_CAP_CSS_NVM) == 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe controller without the NVM command set");
	if (NVME_CAP_MQES(cap) < DUMPDEV_MINSLOTS)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe controller with queues of %u entries only",
		    NVME_CAP_MQES(cap) + 1);
	return 0;
}

/*
 * 4.3: PRP 1 is the first page.  Two pages: PRP 2 is the second.  More: PRP 2
 * points to a list of the second and all others, which must not cross a page.
 * A list for the whole buffer serves every shorter transfer too, as long as it
 * fits in one page: in a chained list the last entry's meaning depends on
 * the transfer's length.  That bounds the buffer: NVME_PRP_MAXLEN.
 */
uint32_t
nvme_prp_stride(uint32_t len)
{
	uint32_t stride = 8;

	/* A power of two, so that no list crosses a page. */
	while (stride < len / NVME_PAGE * 8)
		stride *= 2;
	return stride;
}

void
nvme_prp_fill(uint64_t *list, uint64_t busaddr, uint32_t len)
{
	uint32_t i;

	for (i = 1; i < len / NVME_PAGE; i++)
		list[i - 1] = busaddr + (uint64_t)i * NVME_PAGE;
}

uint64_t
nvme_prp2(uint64_t busaddr, uint64_t list_busaddr, uint32_t len)
{
	if (len <= NVME_PAGE)
		return 0;
	if (len <= 2 * NVME_PAGE)
		return busaddr + NVME_PAGE;
	return list_busaddr;
}

uint16_t
nvme_cid(unsigned int slot, uint16_t count)
{
	/* Fifteen bits: never 0xffff, which has a meaning of its own. */
	return (uint16_t)((slot | (uint32_t)count * DUMPDEV_MAXSLOTS) & 0x7fff);
}

int
nvme_idc_check(struct dumpdev *dd, const uint8_t *page)
{
	const uint8_t mdts = page[NVME_IDC_MDTS];
	const uint8_t type = page[NVME_IDC_CNTRLTYPE];

	if (type != 0 && type != NVME_CNTRLTYPE_IO)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe controller of type %u does no I/O", type);
	/* A power of two, in units of CAP.MPSMIN; 0: no limit. */
	if (mdts != 0 && mdts < 20 && dd->slot_len > NVME_PAGE << mdts)
		dd->slot_len = NVME_PAGE << mdts;
	return 0;
}

int
nvme_idn_check(struct dumpdev *dd, const uint8_t *page)
{
	const uint8_t flbas = page[NVME_IDN_FLBAS];
	const uint64_t nsze = nvme_le64(page + NVME_IDN_NSZE);
	uint32_t format, index, lbads;

	if (nsze == 0)
		return dumpdev_fail(dd, -ENXIO, "NVMe namespace %u not there",
		    dd->unit);
	/* Bits 6:5 count only where there are more than 16 formats. */
	index = flbas & 0xf;
	if (page[NVME_IDN_NLBAF] > 15)
		index |= (uint32_t)(flbas >> 1) & 0x30;
	format = nvme_le32(page + NVME_IDN_LBAF(index));
	lbads = NVME_LBAF_LBADS(format);
	if (lbads > 31 || 1u << lbads != dd->blksize)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe namespace %u has blocks of 2^%u bytes, not %u",
		    dd->unit, lbads, dd->blksize);
	if (NVME_LBAF_MS(format) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe namespace %u has %u bytes of metadata per block; "
		    "format it without", dd->unit, NVME_LBAF_MS(format));
	if ((page[NVME_IDN_DPS] & NVME_IDN_DPS_PIT) != 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe namespace %u has protection information; format it "
		    "without", dd->unit);
	if ((page[NVME_IDN_NSATTR] & NVME_IDN_NSATTR_WP) != 0)
		return dumpdev_fail(dd, -EROFS,
		    "NVMe namespace %u is write protected", dd->unit);
	if (nsze < dd->nblks)
		return dumpdev_fail(dd, -ENXIO,
		    "NVMe namespace %u has %llu blocks where %llu were armed",
		    dd->unit, (unsigned long long)nsze,
		    (unsigned long long)dd->nblks);
	return 0;
}
