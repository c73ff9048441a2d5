/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeahci.c: the controller and its port, see fakeahci.h.
 */
#include "fakeahci.h"

#define BAR		5u
#define PORT		(0x100u + FAKEAHCI_PORT * 0x80u)

#define STOP_US		300
#define LINK_US		20000
#define READY_US	500000

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

#define SERR_X		0x04000000u

static uint64_t
now(const struct fakeahci *f)
{
	return f->d.fb->now_us;
}

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
		fakeahci_execute(f, slot);
	} else if (!f->halted && f->ci != 0) {
		fakeahci_take(f, fakeahci_next(f));
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
	f->is = FAKEAHCI_IS_DHRS;
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
	.breaks = { "fatal error", [FAKEAHCI_BREAK_LINK] = "link is down",
	    [FAKEAHCI_BREAK_BUSY] = "busy after an error" },
};
