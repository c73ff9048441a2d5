/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ahci_cmd.c: the part of the AHCI dump driver that only computes: commands,
 * and judging what a disk says about itself.  Touches no register.
 */
#include <dev/ahci/ahcivar.h>

void
ahci_cmd_plan(struct ahci_cmd *cmd, enum dumpdev_op op, uint64_t blk,
    uint32_t nblks, uint32_t blksize, uint64_t busaddr)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->command = ATA_FLUSH_EXT;
	if (op == DUMPDEV_FLUSH)
		return;
	cmd->command = op == DUMPDEV_READ ? ATA_READ_DMA_EXT :
	    ATA_WRITE_DMA_EXT;
	cmd->write = op == DUMPDEV_WRITE;
	cmd->lba = blk;
	cmd->count = nblks;	/* 65536 is 0: its 16 bits */
	cmd->busaddr = busaddr;
	cmd->len = nblks * blksize;
}

void
ahci_cmd_fill(const struct ahci_cmd *cmd, struct ahci_cmdhdr *hdr,
    struct ahci_cmdtbl *table, uint64_t table_busaddr)
{
	struct ahci_fis fis = {
		.type = AHCI_FIS_H2D,
		.flags = AHCI_FIS_COMMAND,
		.command = cmd->command,
		.features = cmd->features,
		.lba0 = (uint8_t)cmd->lba,
		.lba1 = (uint8_t)(cmd->lba >> 8),
		.lba2 = (uint8_t)(cmd->lba >> 16),
		.device = AHCI_DEVICE_LBA,
		.lba3 = (uint8_t)(cmd->lba >> 24),
		.lba4 = (uint8_t)(cmd->lba >> 32),
		.lba5 = (uint8_t)(cmd->lba >> 40),
		.count = (uint8_t)cmd->count,
		.count_exp = (uint8_t)(cmd->count >> 8),
	};

	memset(table, 0, sizeof(*table));
	memcpy(table->cfis, &fis, sizeof(fis));
	memset(hdr, 0, sizeof(*hdr));
	hdr->dw0 = AHCI_CMDHDR_CFL(sizeof(fis));
	hdr->ctba = table_busaddr;
	if (cmd->len == 0)
		return;
	table->prd.dba = cmd->busaddr;
	table->prd.dbc = cmd->len - 1;
	hdr->dw0 |= AHCI_CMDHDR_PRDTL(1);
	if (cmd->write)
		hdr->dw0 |= AHCI_CMDHDR_W;
}

bool
ahci_ident_standby(const volatile uint16_t *words)
{
	return words[ATA_ID_CONFIG] == ATA_ID_CONFIG_PUIS ||
	    words[ATA_ID_CONFIG] == ATA_ID_CONFIG_PUIS_DATA;
}

/* Bytes of a logical block. */
static uint64_t
ahci_ident_blksize(const volatile uint16_t *words)
{
	const uint16_t sector = words[ATA_ID_SECTOR];

	if (!ATA_ID_SETS_VALID(sector) || (sector & ATA_ID_SECTOR_LONG) == 0)
		return 512;
	return 2 * (words[ATA_ID_SECTOR_WORDS] |
	    (uint64_t)words[ATA_ID_SECTOR_WORDS + 1] << 16);
}

int
ahci_ident_check(struct dumpdev *dd, const volatile uint16_t *words)
{
	const uint16_t sets = words[ATA_ID_SETS];
	const uint64_t blksize = ahci_ident_blksize(words);
	uint64_t nblks = 0;
	unsigned int i;

	if (!ATA_ID_SETS_VALID(sets) || (sets & ATA_ID_SETS_LBA48) == 0 ||
	    (sets & ATA_ID_SETS_FLUSH_EXT) == 0 ||
	    (words[ATA_ID_CAPS] & ATA_ID_CAPS_DMA) == 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA disk without 48-bit addresses, FLUSH CACHE EXT or "
		    "DMA (words %#x, %#x)", sets, words[ATA_ID_CAPS]);
	if ((words[ATA_ID_SECURITY] & ATA_ID_SECURITY_LOCKED) != 0)
		return dumpdev_fail(dd, -EROFS,
		    "SATA disk is locked by its password");
	if (blksize != dd->blksize)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "SATA disk has blocks of %llu bytes, not %u",
		    (unsigned long long)blksize, dd->blksize);
	for (i = 0; i < 4; i++)
		nblks |= (uint64_t)words[ATA_ID_CAPACITY + i] << (16 * i);
	if (nblks < dd->nblks)
		return dumpdev_fail(dd, -ENXIO,
		    "SATA disk has %llu blocks where %llu were armed",
		    (unsigned long long)nblks, (unsigned long long)dd->nblks);
	return 0;
}
