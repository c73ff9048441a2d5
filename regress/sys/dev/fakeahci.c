/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeahci.c: see fakeahci.h.
 */
#include "fakeahci.h"

#define BAR		5u
#define PORT		(0x100u + FAKEAHCI_PORT * 0x80u)

#define STOP_US		300
#define LINK_US		20000
#define READY_US	500000
#define SPIN_US		(12ull * 1000 * 1000)	/* longer than a write may */

#define CMD_ST		0x00000001u
#define CMD_SUD		0x00000002u
#define CMD_POD		0x00000004u
#define CMD_CLO		0x00000008u
#define CMD_FRE		0x00000010u
#define CMD_FR		0x00004000u
#define CMD_CR		0x00008000u
#define CMD_PMA		0x00020000u
#define CMD_ALPE	0x04000000u
#define CMD_ICC		0xf0000000u
#define CMD_RO		(CMD_FR | CMD_CR)

#define IS_DHRS		0x00000001u
#define IS_IFS		0x08000000u
#define IS_TFES		0x40000000u
#define SERR_X		0x04000000u

/* Of fakeahci_dev.breaks. */
#define BREAK_LINK	1
#define BREAK_BUSY	2

static uint64_t
now(const struct fakeahci *f)
{
	return f->d.fb->now_us;
}

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

/* ---- Commands ---- */

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
	f->is |= IS_DHRS;
	if ((tfd & 1) != 0) {
		f->is |= IS_TFES;
		f->halted = !f->clears_ci;
	}
	if ((tfd & 1) == 0 || f->clears_ci)
		f->ci &= ~(1u << slot);
}

static void
execute(struct fakeahci *f, unsigned int slot)
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
	if (f->d.break_how == BREAK_LINK) {
		f->ssts = 0;
	} else if (f->d.break_how == BREAK_BUSY) {
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

static void
take(struct fakeahci *f, unsigned int slot)
{
	const uint64_t table = get8(f, f->clb + 32ull * slot + 8);
	const uint8_t *fis = fakebus_dma(f->d.fb, table, 20);

	f->slot = slot;
	if (fis[2] == f->fail_command) {
		told(f, slot, 0x0451);
		return;
	}
	if (fis[2] == 0x42 && f->standby && f->spin_at == 0)
		f->spin_at = now(f) + SPIN_US;
	if (fis[2] == 0x42 && now(f) < f->spin_at)
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
		f->is |= IS_DHRS | 0x2e;	/* PSS, SDBS, DSS, DPS */
	execute(f, slot);
}

/* The next slot, in the order that a controller takes them; or against it. */
static unsigned int
next_slot(const struct fakeahci *f)
{
	unsigned int i, slot;

	for (i = 1; i <= 32; i++) {
		slot = f->d.backwards ? 32 - i : (f->slot + i) % 32;
		if ((f->ci & (1u << slot)) != 0)
			break;
	}
	return slot;
}

/* ---- The port ---- */

/* The disk says that it is ready, in its first FIS. */
static void
sign_on(struct fakeahci *f)
{
	uint8_t *rfis;

	if (f->never_ready || (f->serr & SERR_X) != 0 || (f->cmd & CMD_FR) == 0)
		return;
	rfis = fakebus_dma(f->d.fb, f->fb, 256);
	rfis[0x40] = 0x34;
	f->signed_on = true;
	f->tfd = 0x0150;
	f->sig = f->new_sig;
}

static void
timers(struct fakeahci *f)
{
	if (f->hr_at != 0 && now(f) >= f->hr_at && !f->stuck_hr) {
		f->hr_at = 0;
		f->ghc &= ~1u;
	}
	if (f->cr_at != 0 && now(f) >= f->cr_at &&
	    f->hang == FAKEAHCI_RUNS) {
		f->cr_at = 0;
		f->cmd &= ~CMD_CR;
	}
	if (f->fr_at != 0 && now(f) >= f->fr_at) {
		f->fr_at = 0;
		f->cmd &= ~CMD_FR;
	}
	if (f->link_at != 0 && now(f) >= f->link_at && !f->no_link) {
		f->link_at = 0;
		f->ssts = 0x133;
		f->serr |= SERR_X;
		f->ready_at = now(f) + READY_US;
	}
	if (f->ready_at != 0 && now(f) >= f->ready_at && !f->signed_on)
		sign_on(f);
}

static void
fakeahci_step(void *dev)
{
	struct fakeahci *f = dev;
	unsigned int slot = f->late_slot;

	timers(f);
	if ((f->cmd & CMD_CR) == 0 || f->broken)
		return;
	if (fakedisk_late(&f->d)) {
		f->halted = false;
		execute(f, slot);
	} else if (!f->halted && f->ci != 0) {
		take(f, next_slot(f));
	}
}

static void
stop_list(struct fakeahci *f)
{
	f->ci = f->sact = 0;
	f->d.late_at = 0;
	f->cr_at = now(f) + STOP_US;
}

static void
start_list(struct fakeahci *f)
{
	assert_true((f->cmd & CMD_FR) != 0);
	assert_int_equal(f->cmd & (CMD_CR | CMD_PMA), 0);
	assert_int_equal(f->ssts & 0xf, 3);
	assert_int_equal(f->tfd & 0x88, 0);
	assert_int_equal(f->serr, 0);
	assert_int_equal(f->is, 0);
	assert_int_equal(f->ie, 0);
	assert_int_equal(f->ghc, 0x80000000);	/* and no interrupts */
	assert_int_equal(f->clb % 1024, 0);
	fakebus_dma(f->d.fb, f->clb, 1024);
	f->cmd |= CMD_CR;
	f->halted = false;
	f->slot = 31;
}

static void
write_cmd(struct fakeahci *f, uint32_t v)
{
	const uint32_t was = f->cmd;

	assert_int_equal(v & CMD_CLO, 0);
	f->cmd = (v & ~CMD_RO) | (was & CMD_RO);
	if ((was & ~v & CMD_ST) != 0)
		stop_list(f);
	if ((~was & v & CMD_ST) != 0)
		start_list(f);
	if ((was & ~v & CMD_FRE) != 0) {
		assert_int_equal(was & (CMD_ST | CMD_CR), 0);
		f->fr_at = now(f) + STOP_US;
	}
	if ((~was & v & CMD_FRE) != 0) {
		assert_int_equal(f->fb % 256, 0);
		fakebus_dma(f->d.fb, f->fb, 256);
		assert_int_equal(f->cmd & (CMD_ALPE | CMD_ICC), 0x10000000);
		f->cmd |= CMD_FR;
	}
	if (((was ^ v) & CMD_PMA) != 0)
		assert_int_equal(was & (CMD_ST | CMD_CR), 0);
}

static void
comreset(struct fakeahci *f)
{
	assert_true(now(f) - f->det_at >= 1000);
	assert_true((f->cmd & CMD_SUD) != 0 && (f->cmd & CMD_POD) != 0);
	f->ncomresets++;
	f->signed_on = f->broken = false;
	f->ci = f->sact = 0;
	f->link_at = now(f) + LINK_US;
	if (f->hang == FAKEAHCI_NEEDS_COMRESET)
		f->hang = FAKEAHCI_RUNS;
}

static void
write_sctl(struct fakeahci *f, uint32_t v)
{
	if ((v & 0xf) == 1) {
		assert_int_equal(f->cmd & CMD_ST, 0);
		f->det_at = now(f);
		f->ssts = 0;
		f->tfd = 0x7f;
		f->sig = 0xffffffff;
	} else if ((v & 0xf) == 0 && (f->sctl & 0xf) == 1) {
		comreset(f);
	}
	assert_int_equal(v & 0xf0, f->sctl & 0xf0);	/* speed: as it was */
	assert_int_equal(v & 0xf00, 0x300);
	f->sctl = v;
}

static void
write_ci(struct fakeahci *f, uint32_t v)
{
	assert_true((f->cmd & CMD_ST) != 0);
	assert_int_equal(v & f->ci, 0);
	f->ci |= v;
	if ((unsigned int)__builtin_popcount(f->ci) > f->max_ci)
		f->max_ci = (unsigned int)__builtin_popcount(f->ci);
}

/* Addresses of memory may change only while nobody uses them. */
static void
write_addr(struct fakeahci *f, uint64_t *addr, uint32_t busy, uint64_t off,
    uint64_t v)
{
	const unsigned int shift = (off & 4) != 0 ? 32 : 0;

	assert_int_equal(f->cmd & busy, 0);
	*addr = (*addr & ~(0xffffffffull << shift)) | v << shift;
}

static void
write_port(struct fakeahci *f, uint64_t off, uint32_t v)
{
	switch (off) {
	case 0x00:
	case 0x04:
		write_addr(f, &f->clb, CMD_ST | CMD_CR, off, v);
		break;
	case 0x08:
	case 0x0c:
		write_addr(f, &f->fb, CMD_FRE | CMD_FR, off, v);
		break;
	case 0x10:
		f->is &= ~v;
		break;
	case 0x14:
		f->ie = v;
		break;
	case 0x18:
		write_cmd(f, v);
		break;
	case 0x2c:
		write_sctl(f, v);
		break;
	case 0x30:
		f->serr &= ~v;
		break;
	case 0x38:
		write_ci(f, v);
		break;
	case 0x44:
		assert_true((f->cap2 & 8) != 0);
		f->devslp = v;
		break;
	default:
		fail_msg("write of port register %#llx",
		    (unsigned long long)off);
	}
}

static void
hba_reset(struct fakeahci *f)
{
	assert_true(f->hang > FAKEAHCI_NEEDS_COMRESET);
	f->nhba_resets++;
	f->hr_at = now(f) + STOP_US;
	f->ghc = 1;
	f->cmd = CMD_SUD | CMD_POD | (f->hang == FAKEAHCI_HANGS ? CMD_CR : 0);
	f->ci = f->sact = 0;
	f->cr_at = f->fr_at = 0;
	if (f->forgets_ports)
		f->pi = 0;
	if (f->hang == FAKEAHCI_NEEDS_HBA_RESET)
		f->hang = FAKEAHCI_RUNS;
}

static void
fakeahci_write(void *dev, unsigned int bar, uint64_t off, unsigned int size,
    uint64_t v)
{
	struct fakeahci *f = dev;

	assert_int_equal(bar, BAR);
	assert_int_equal(size, 4);
	if (off >= PORT && off < PORT + 0x80) {
		write_port(f, off - PORT, (uint32_t)v);
	} else if (off == 0x04) {
		assert_true((v & 0x80000000) != 0);
		if ((v & 1) != 0)
			hba_reset(f);
		else
			f->ghc = (uint32_t)v;
	} else if (off == 0x0c) {
		f->pi = (uint32_t)v;
	} else {
		fail_msg("write at %#llx, which is not ours",
		    (unsigned long long)off);
	}
}

static uint32_t
read_port(const struct fakeahci *f, uint64_t off)
{
	switch (off) {
	case 0x10:
		return f->is;
	case 0x18:
		return f->cmd;
	case 0x20:
		return f->tfd;
	case 0x24:
		return f->sig;
	case 0x28:
		return f->ssts;
	case 0x2c:
		return f->sctl;
	case 0x38:
		return f->ci;
	case 0x44:
		return f->devslp;
	default:
		fail_msg("read of port register %#llx",
		    (unsigned long long)off);
		return 0;
	}
}

static uint64_t
fakeahci_read(void *dev, unsigned int bar, uint64_t off, unsigned int size)
{
	struct fakeahci *f = dev;

	assert_int_equal(bar, BAR);
	assert_int_equal(size, 4);
	if (off >= PORT && off < PORT + 0x80)
		return read_port(f, off - PORT);
	switch (off) {
	case 0x00:
		return f->cap;
	case 0x04:
		return f->ghc;
	case 0x0c:
		return f->pi;
	case 0x24:
		return f->cap2;
	case 0xa4:
		return f->vscap;
	case 0x800:
		return f->remap;
	case 0x900:	/* the second of those that may be hidden */
		return 0x010802;
	case 0x880:
	case 0x980:
		return 0;
	default:
		fail_msg("read at %#llx", (unsigned long long)off);
		return 0;
	}
}

static void
fakeahci_init(void *fake, struct fakebus *fb, uint32_t blksize, uint64_t nblks)
{
	struct fakeahci *f = fake;

	fakedisk_init(&f->d, fb, blksize, nblks);
	f->capacity = nblks;
	f->blksize = blksize;
	f->new_sig = 0x101;
	/* 64 bits, queueing, staggered spin-up, 32 slots, 6 ports. */
	f->cap = 0xc8241f05;
	f->cap2 = 0x28;			/* device sleep */
	f->pi = 0x3f;
	f->ident[0] = 0x0040;
	f->ident[49] = 0x2f00;		/* DMA, LBA */
	f->ident[83] = 0x7d09;		/* FLUSH CACHE EXT, 48 bits */
	f->ident[128] = 0x0029;		/* security: frozen */
	/* Running, for the stock driver: with queued commands in flight, its
	 * interrupts on, and the link asleep. */
	f->ghc = 0x80000002;
	f->clb = 0x7ffff000;
	f->fb = 0x7fffe000;
	f->is = IS_DHRS;
	f->ie = 0x7840004f;
	f->cmd = CMD_ST | CMD_CR | CMD_FRE | CMD_FR | CMD_SUD | CMD_POD |
	    CMD_ALPE;
	f->tfd = 0x50;
	f->sig = 0x101;
	f->ssts = 0x633;
	f->sctl = 0x010;
	f->sact = f->ci = 0x00ff0000;
	f->devslp = 0x1f007c01;
	f->halted = true;
	f->signed_on = true;
	fb->dev = f;
	fb->reg_read = fakeahci_read;
	fb->reg_write = fakeahci_write;
	fb->step = fakeahci_step;
	fb->bar_len[BAR] = 0x800;
	fakebus_cfg_set4(fb, 0x00, 0x29228086);
	fakebus_cfg_set4(fb, 0x08, 0x01060102);
}

static bool
fakeahci_quiet(const void *fake)
{
	const struct fakeahci *f = fake;

	return (f->cmd & (CMD_ST | CMD_CR | CMD_FRE | CMD_FR)) == 0 ||
	    (f->sctl & 0xf) == 4;
}

const struct fakedev fakeahci_dev = {
	.driver = "ahci",
	.size = sizeof(struct fakeahci),
	.unit = FAKEAHCI_PORT,
	.init = fakeahci_init,
	.quiet = fakeahci_quiet,
	.asks_again = true,
	/* Error and status: aborted; no such block, device fault. */
	.failures = { { 0x0451, "status 0x51, error 0x4" },
	    { 0x4071, "status 0x71, error 0x40" },
	    { 0x0060, "status 0x60" } },
	.breaks = { "fatal error", [BREAK_LINK] = "link is down",
	    [BREAK_BUSY] = "busy after an error" },
};
