/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeahci_cmd.c: the commands that the disk behind fakeahci.c takes, and how
 * they fail.
 */
#include "fakeahci.h"

#define SPIN_US		(12ull * 1000 * 1000)	/* longer than a write may */

#define IS_IFS		0x08000000u
#define IS_TFES		0x40000000u

static uint32_t
get4(struct fakeahci *f, uint64_t addr)
{
	uint32_t v;

	memcpy(&v, fakebus_dma(f->d.fb, addr, 4), 4);
	return v;
}

static uint64_t
get8(struct fakeahci *f, uint64_t addr)
{
	return get4(f, addr) | (uint64_t)get4(f, addr + 4) << 32;
}

static void
put_ident(struct fakeahci *f, uint8_t *to)
{
	uint16_t id[256];

	memcpy(id, f->ident, sizeof(id));
	if (f->puis && !f->spun_up) {
		memset(id, 0, sizeof(id));
		id[2] = 0x37c8;
	} else {
		id[100] = (uint16_t)f->capacity;
		id[101] = (uint16_t)(f->capacity >> 16);
		id[102] = (uint16_t)(f->capacity >> 32);
		id[103] = (uint16_t)(f->capacity >> 48);
		if (f->blksize != 512) {
			id[106] = 0x5000;
			id[117] = (uint16_t)(f->blksize / 2);
			id[118] = (uint16_t)(f->blksize / 2 >> 16);
		}
	}
	memcpy(to, id, sizeof(id));
}

/* One PRD table: moves len bytes from or to p. */
static void
move(struct fakeahci *f, uint64_t table, unsigned int nprds, uint8_t *p,
    uint64_t len, bool write)
{
	uint64_t at, n;
	unsigned int i;
	void *va;

	for (i = 0; i < nprds; i++) {
		at = table + 0x80 + 16ull * i;
		n = (get4(f, at + 12) & 0x3fffff) + 1ull;
		assert_int_equal(get4(f, at + 12) & 0xffc00000, 0);
		assert_int_equal(get8(f, at) % 2, 0);
		assert_int_equal(n % 2, 0);
		assert_true(n <= len);
		va = fakebus_dma(f->d.fb, get8(f, at), n);
		memcpy(write ? (void *)p : va, write ? va : (void *)p, n);
		p += n;
		len -= n;
	}
	assert_int_equal(len, 0);
}

/* 48 bits of address, 16 of count. */
static uint64_t
fis_blk(const uint8_t *fis)
{
	return (uint64_t)fis[4] | (uint64_t)fis[5] << 8 |
	    (uint64_t)fis[6] << 16 | (uint64_t)fis[8] << 24 |
	    (uint64_t)fis[9] << 32 | (uint64_t)fis[10] << 40;
}

static uint64_t
fis_count(const uint8_t *fis)
{
	const uint64_t count = (uint64_t)fis[12] | (uint64_t)fis[13] << 8;

	return count == 0 ? 65536 : count;
}

static void
transfer(struct fakeahci *f, const uint8_t *fis, uint64_t table,
    unsigned int nprds, bool write)
{
	const uint64_t blk = fis_blk(fis), count = fis_count(fis);

	assert_false(f->standby);
	assert_true(nprds != 0);
	move(f, table, nprds, fakedisk_at(&f->d, blk * f->blksize,
	    count * f->blksize), count * f->blksize, write);
	f->d.nunflushed += write;
}

static void
told(struct fakeahci *f, unsigned int slot, uint32_t tfd)
{
	f->tfd = tfd;
	f->is |= FAKEAHCI_IS_DHRS;
	if ((tfd & 1) != 0) {
		f->is |= IS_TFES;
		f->halted = !f->clears_ci;
	}
	if ((tfd & 1) == 0 || f->clears_ci)
		f->ci &= ~(1u << slot);
}

void
fakeahci_execute(struct fakeahci *f, unsigned int slot)
{
	const uint64_t hdr = f->clb + 32ull * slot, table = get8(f, hdr + 8);
	const uint32_t dw0 = get4(f, hdr);
	const uint8_t *fis = fakebus_dma(f->d.fb, table, 20);
	const unsigned int nprds = dw0 >> 16;
	uint8_t ident[512];

	assert_int_equal(dw0 & 0x1f, 5);	/* five words of FIS */
	assert_int_equal(dw0 & 0xffa0, 0);	/* no ATAPI, reset, PMP */
	assert_int_equal(table % 128, 0);
	assert_int_equal(fis[0], 0x27);
	assert_int_equal(fis[1], 0x80);
	assert_int_equal((dw0 & 0x40) != 0, fis[2] == 0x35);
	switch (fis[2]) {
	case 0x25:
	case 0x35:
		assert_int_equal(fis[7], 0x40);
		transfer(f, fis, table, nprds, fis[2] == 0x35);
		break;
	case 0xea:
		assert_int_equal(nprds, 0);
		f->d.nflush++;
		f->d.nunflushed = 0;
		break;
	case 0xec:
		put_ident(f, ident);
		move(f, table, nprds, ident, sizeof(ident), false);
		f->d.nstarts += !f->puis || f->spun_up;
		break;
	case 0xef:
		assert_int_equal(fis[3], 0x07);
		f->spun_up = true;
		break;
	case 0x42:
		assert_int_equal(nprds, 0);
		f->standby = false;
		break;
	default:
		fail_msg("command %#x", fis[2]);
	}
	told(f, slot, 0x50);
}

static bool
breaks(struct fakeahci *f)
{
	if (!fakedisk_breaks(&f->d))
		return false;
	f->broken = true;
	if (f->d.break_how == FAKEAHCI_BREAK_LINK) {
		f->ssts = 0;
	} else if (f->d.break_how == FAKEAHCI_BREAK_BUSY) {
		f->tfd = 0x8081;
		f->is |= IS_TFES;
	} else {
		f->is |= IS_IFS;
	}
	return true;
}

/* Does the command meet the bad block? */
static bool
meets_bad(const struct fakeahci *f, const uint8_t *fis)
{
	return f->bad_blk != 0 && fis[2] != 0xea &&
	    fis_blk(fis) <= f->bad_blk &&
	    f->bad_blk - fis_blk(fis) < fis_count(fis);
}

void
fakeahci_take(struct fakeahci *f, unsigned int slot)
{
	const uint64_t table = get8(f, f->clb + 32ull * slot + 8);
	const uint8_t *fis = fakebus_dma(f->d.fb, table, 20);

	f->slot = slot;
	if (fis[2] == f->fail_command) {
		told(f, slot, 0x0451);
		return;
	}
	if (fis[2] == 0x42 && f->standby && f->spin_at == 0)
		f->spin_at = f->d.fb->now_us + SPIN_US;
	if (fis[2] == 0x42 && f->d.fb->now_us < f->spin_at)
		return;
	if (fis[2] == 0x25 || fis[2] == 0x35 || fis[2] == 0xea) {
		f->d.nreq++;
		if (breaks(f))
			return;
		if (fakedisk_fails(&f->d)) {
			told(f, slot, f->d.fail_status);
			return;
		}
		if (meets_bad(f, fis)) {
			told(f, slot, 0x4051);
			return;
		}
		if (fakedisk_drops(&f->d)) {
			f->late_slot = slot;
			f->halted = true;
			return;
		}
	}
	if (f->d.strays)
		f->is |= FAKEAHCI_IS_DHRS | 0x2e;	/* PSS, SDBS, DSS, DPS */
	fakeahci_execute(f, slot);
}

unsigned int
fakeahci_next(const struct fakeahci *f)
{
	unsigned int i, slot;

	for (i = 1; i <= 32; i++) {
		slot = f->d.backwards ? 32 - i : (f->slot + i) % 32;
		if ((f->ci & (1u << slot)) != 0)
			break;
	}
	return slot;
}
