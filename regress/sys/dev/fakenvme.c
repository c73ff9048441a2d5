/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakenvme.c: see fakenvme.h.
 */
#include <stdlib.h>

#include "fakenvme.h"

#define PAGE		4096u
#define UNIT		3
#define DELAY_US	500		/* of enabling and such */
#define PER_STEP	3		/* commands done in one step */

/* Status field of an answer: type and code. */
#define SC_OK		0x000
#define SC_INVALID	0x002
#define SCT_MEDIA	0x281		/* unrecovered read error */

static uint32_t
cmd32(const uint8_t *sqe, unsigned int dw)
{
	uint32_t v;

	memcpy(&v, sqe + 4 * dw, sizeof(v));
	return v;
}

static uint64_t
cmd64(const uint8_t *sqe, unsigned int dw)
{
	return cmd32(sqe, dw) | (uint64_t)cmd32(sqe, dw + 1) << 32;
}

static void
put(uint8_t *p, uint64_t v, unsigned int len)
{
	memcpy(p, &v, len);
}

/* Moves len bytes between data and the memory that the PRPs name. */
static void
prp_move(struct fakenvme *f, const uint8_t *sqe, uint8_t *data, uint64_t len,
    bool tohost)
{
	uint64_t addr = cmd64(sqe, 6), list = cmd64(sqe, 8), n;
	bool listed;
	void *va;

	n = PAGE - addr % PAGE;
	assert_int_equal(addr % 4, 0);
	listed = len > n + PAGE;
	for (;;) {
		if (n > len)
			n = len;
		va = fakebus_dma(f->d.fb, addr, n);
		if (tohost)
			memcpy(va, data, n);
		else
			memcpy(data, va, n);
		data += n;
		len -= n;
		if (len == 0)
			return;
		addr = list;
		if (listed) {
			assert_int_equal(list % 8, 0);
			/* The last entry of a page is a pointer, if there is
			 * more than it could hold. */
			if (list % PAGE == PAGE - 8 && len > PAGE) {
				memcpy(&list, fakebus_dma(f->d.fb, list, 8), 8);
				assert_int_equal(list % PAGE, 0);
			}
			memcpy(&addr, fakebus_dma(f->d.fb, list, 8), 8);
			list += 8;
		}
		assert_int_equal(addr % PAGE, 0);
		n = PAGE;
	}
}

static void
answer(struct fakenvme *f, unsigned int qid, unsigned int sqid, uint16_t cid,
    uint32_t status)
{
	struct fakenvme_queue *q = &f->q[qid];
	uint32_t cqe[4] = { 0, 0, q->sq_head | sqid << 16, 0 };

	/* A full queue would be the driver's fault: it must acknowledge. */
	assert_int_not_equal((q->cq_tail + 1) % q->cq_size, q->cq_head);
	cqe[3] = cid | q->phase << 16 | status << 17;
	memcpy(fakebus_dma(f->d.fb, q->cq_base + 16 * q->cq_tail, 16), cqe, 16);
	if (++q->cq_tail == q->cq_size) {
		q->cq_tail = 0;
		q->phase ^= 1;
	}
}

static void
identify(struct fakenvme *f, const uint8_t *sqe)
{
	uint8_t page[PAGE] = { 0 };

	switch (cmd32(sqe, 10)) {
	case 1:
		page[77] = f->mdts;
		page[111] = f->cntrltype;
		page[512] = 0x66;
		page[513] = 0x44;
		put(page + 516, 4, 4);
		page[525] = 1;
		break;
	case 0:
		if (cmd32(sqe, 1) != f->nsid)
			break;	/* inactive: all zeros */
		put(page, f->nsze, 8);
		put(page + 8, f->nsze, 8);
		page[25] = f->format > 15 ? 63 : 15;
		page[26] = (uint8_t)((f->format & 15) |
		    (f->format & 0x30) << 1);
		page[29] = f->dps;
		page[99] = f->nsattr;
		/* All other formats are wrong ones. */
		for (unsigned int i = 0; i < 64; i++)
			put(page + 128 + 4 * i, 0x00140007, 4);
		put(page + 128 + 4 * f->format, f->ms | f->lbads << 16, 4);
		break;
	default:
		fail_msg("identify what? %#x", cmd32(sqe, 10));
	}
	prp_move(f, sqe, page, PAGE, true);
}

static void
create_queue(struct fakenvme *f, const uint8_t *sqe, bool submission)
{
	struct fakenvme_queue *q = &f->q[1];
	uint32_t size = (cmd32(sqe, 10) >> 16) + 1;

	assert_int_equal(cmd32(sqe, 10) & 0xffff, 1);
	assert_int_equal(cmd64(sqe, 6) % PAGE, 0);
	assert_in_range(size, 2, (f->cap & 0xffff) + 1);
	assert_true((cmd32(sqe, 11) & 1) != 0);	/* contiguous */
	assert_int_equal(f->nfeatures, 1);	/* asked for queues first */
	if (submission) {
		assert_int_equal(cmd32(sqe, 11) >> 16, 1);
		assert_int_not_equal(q->cq_size, 0);
		q->sq_base = cmd64(sqe, 6);
		q->sq_size = size;
	} else {
		assert_int_equal(cmd32(sqe, 11), 1);	/* no interrupts */
		q->cq_base = cmd64(sqe, 6);
		q->cq_size = size;
		q->phase = 1;
	}
}

static uint32_t
admin_command(struct fakenvme *f, const uint8_t *sqe)
{
	if (++f->nadmin == f->fail_admin)
		return SC_INVALID;
	switch (sqe[0]) {
	case 0x06:
		identify(f, sqe);
		break;
	case 0x09:
		assert_int_equal(cmd32(sqe, 10), 7);
		f->nfeatures++;
		break;
	case 0x05:
		create_queue(f, sqe, false);
		break;
	case 0x01:
		create_queue(f, sqe, true);
		break;
	default:
		fail_msg("admin command %#x", sqe[0]);
	}
	return SC_OK;
}

static uint32_t
io_command(struct fakenvme *f, const uint8_t *sqe)
{
	uint64_t slba = cmd64(sqe, 10), len;
	uint32_t nlb = (cmd32(sqe, 12) & 0xffff) + 1;

	assert_int_equal(cmd32(sqe, 1), f->nsid);
	assert_int_not_equal(cmd32(sqe, 0) >> 16, 0xffff);
	if (fakedisk_fails(&f->d))
		return f->d.fail_status;
	if (sqe[0] == 0x00) {
		f->d.nflush++;
		f->d.nunflushed = 0;
		return SC_OK;
	}
	assert_true(sqe[0] == 0x01 || sqe[0] == 0x02);
	assert_int_equal(cmd32(sqe, 12) >> 16, 0);
	len = (uint64_t)nlb << f->lbads;
	if (f->mdts != 0)
		assert_true(len <= (uint64_t)PAGE << f->mdts);
	assert_true(slba < f->nsze && nlb <= f->nsze - slba);
	prp_move(f, sqe, fakedisk_at(&f->d, slba << f->lbads, len), len,
	    sqe[0] == 0x02);
	if (sqe[0] == 0x01)
		f->d.nunflushed++;
	return SC_OK;
}

/* Answers to other questions than were asked. */
static void
answer_strays(struct fakenvme *f, uint16_t cid)
{
	answer(f, 1, 1, (uint16_t)(cid ^ 0x20), SCT_MEDIA);	/* older */
	answer(f, 1, 1, (uint16_t)(cid | 0x1f), SCT_MEDIA);	/* no slot */
	answer(f, 1, 7, cid, SCT_MEDIA);	/* of another queue */
}

/* Takes the next command of a queue and answers it. */
static void
do_command(struct fakenvme *f, unsigned int qid)
{
	struct fakenvme_queue *q = &f->q[qid];
	const uint8_t *sqe;
	uint32_t status;
	uint16_t cid;

	sqe = fakebus_dma(f->d.fb, q->sq_base + 64 * q->sq_head, 64);
	q->sq_head = (q->sq_head + 1) % q->sq_size;
	cid = (uint16_t)(cmd32(sqe, 0) >> 16);
	if (qid == 0) {
		answer(f, 0, 0, cid, admin_command(f, sqe));
		return;
	}
	f->d.nreq++;
	if (fakedisk_breaks(&f->d)) {
		f->csts |= 2;
		return;
	}
	if (fakedisk_drops(&f->d)) {
		f->late_cid = cid;
		return;
	}
	status = io_command(f, sqe);
	if (f->d.strays)
		answer_strays(f, cid);
	answer(f, 1, 1, cid, status);
	if (f->d.strays)
		answer(f, 1, 1, cid, SCT_MEDIA);	/* a second time */
}

/* Swaps what is queued end for end: a controller may take commands, and answer
 * them, in any order. */
static void
turn_round(struct fakenvme *f, struct fakenvme_queue *q)
{
	uint32_t n = (q->sq_tail + q->sq_size - q->sq_head) % q->sq_size, i;
	uint8_t tmp[64], *a, *b;

	for (i = 0; i < n / 2; i++) {
		a = fakebus_dma(f->d.fb, q->sq_base +
		    64 * ((q->sq_head + i) % q->sq_size), 64);
		b = fakebus_dma(f->d.fb, q->sq_base +
		    64 * ((q->sq_head + n - 1 - i) % q->sq_size), 64);
		memcpy(tmp, a, 64);
		memcpy(a, b, 64);
		memcpy(b, tmp, 64);
	}
}

static void
fakenvme_step(void *dev)
{
	struct fakenvme *f = dev;
	const uint64_t now = f->d.fb->now_us;
	struct fakenvme_queue *q;
	unsigned int qid, n;

	if (f->rdy_at != 0 && now >= f->rdy_at) {
		f->rdy_at = 0;
		f->csts = (f->csts & ~1u) | (f->cc & 1);
	}
	if (f->shst_at != 0 && now >= f->shst_at) {
		f->shst_at = 0;
		f->d.nunflushed = 0;
		f->csts = (f->csts & ~0xcu) | 0x8;
	}
	if ((f->csts & 3) != 1 || (f->cc & 1) == 0)
		return;
	if (fakedisk_late(&f->d))
		answer(f, 1, 1, f->late_cid, SC_OK);
	for (qid = 0; qid < 2; qid++) {
		q = &f->q[qid];
		if (q->sq_size == 0)
			continue;
		if (qid == 1 && f->d.backwards)
			turn_round(f, q);
		for (n = 0; n < PER_STEP && q->sq_head != q->sq_tail; n++)
			if ((f->csts & 2) == 0)
				do_command(f, qid);
	}
}

static void
write_cc(struct fakenvme *f, uint32_t v)
{
	uint32_t old = f->cc;

	f->cc = v;
	if ((v & 1) != 0 && (old & 1) == 0) {
		assert_int_equal(f->csts & 1, 0);
		assert_int_equal(f->rdy_at, 0);
		assert_int_equal(v & 0x00ffc7f0, 0x00460000);
		assert_true(f->asq % PAGE == 0 && f->acq % PAGE == 0);
		memset(f->q, 0, sizeof(f->q));
		f->q[0].sq_base = f->asq;
		f->q[0].cq_base = f->acq;
		f->q[0].sq_size = (f->aqa & 0xfff) + 1;
		f->q[0].cq_size = (f->aqa >> 16 & 0xfff) + 1;
		f->q[0].phase = 1;
		f->nfeatures = 0;
		f->d.nstarts++;
		if (f->fatal_enable)
			f->csts |= 2;
		else if (!f->stuck_enable)
			f->rdy_at = f->d.fb->now_us + DELAY_US;
	} else if ((v & 1) == 0 && (old & 1) != 0) {
		/* Undefined before it is ready, unless it never will be. */
		assert_true((f->csts & 3) != 0 || f->rdy_at == 0);
		memset(f->q, 0, sizeof(f->q));
		f->d.late_at = 0;
		if (!f->stuck_disable) {
			f->rdy_at = (f->csts & 1) == 0 ? 0 :
			    f->d.fb->now_us + DELAY_US;
			f->csts &= ~0xeu;
		}
	}
	if ((v & 0xc000) == 0x4000 && (old & 0xc000) == 0) {
		f->csts = (f->csts & ~0xcu) | 0x4;
		if (!f->stuck_shutdown)
			f->shst_at = f->d.fb->now_us + DELAY_US;
	}
}

static void
write_doorbell(struct fakenvme *f, uint64_t off, uint32_t v)
{
	const uint64_t stride = 4ull << (f->cap >> 32 & 0xf);
	const uint64_t n = (off - 0x1000) / stride;

	assert_true((off - 0x1000) % stride == 0 && n < 4);
	assert_true((f->cc & 1) != 0);
	if (n % 2 == 0) {
		assert_true(v < f->q[n / 2].sq_size);
		f->q[n / 2].sq_tail = v;
	} else {
		assert_true(v < f->q[n / 2].cq_size);
		f->q[n / 2].cq_head = v;
	}
}

static void
fakenvme_write(void *dev, unsigned int bar, uint64_t off, unsigned int size,
    uint64_t v)
{
	struct fakenvme *f = dev;

	assert_true(bar == 0 && size == 4);
	if (off >= 0x1000) {
		write_doorbell(f, off, (uint32_t)v);
		return;
	}
	if (off == 0x14) {
		write_cc(f, (uint32_t)v);
		return;
	}
	/* The admin queue's registers are for a controller that is off. */
	assert_int_equal(f->cc & 1, 0);
	switch (off) {
	case 0x24:
		f->aqa = (uint32_t)v;
		break;
	case 0x28:
		f->asq = (f->asq & ~0xffffffffull) | v;
		break;
	case 0x2c:
		f->asq = (f->asq & 0xffffffff) | v << 32;
		break;
	case 0x30:
		f->acq = (f->acq & ~0xffffffffull) | v;
		break;
	case 0x34:
		f->acq = (f->acq & 0xffffffff) | v << 32;
		break;
	default:
		fail_msg("write of register %#llx", (unsigned long long)off);
	}
}

static uint64_t
fakenvme_read(void *dev, unsigned int bar, uint64_t off, unsigned int size)
{
	const struct fakenvme *f = dev;

	assert_true(bar == 0 && size == 4);
	switch (off) {
	case 0x00:
		return f->cap & 0xffffffff;
	case 0x04:
		return f->cap >> 32;
	case 0x08:
		return 0x00010400;
	case 0x14:
		return f->cc;
	case 0x1c:
		return f->csts;
	default:
		fail_msg("read of register %#llx", (unsigned long long)off);
		return 0;
	}
}

static void
fakenvme_init(void *fake, struct fakebus *fb, uint32_t blksize, uint64_t nblks)
{
	struct fakenvme *f = fake;

	fakedisk_init(&f->d, fb, blksize, nblks);
	/* MQES 64 entries, TO 5 s, doorbells 8 bytes apart, NVM commands. */
	f->cap = 63 | 1ull << 16 | 10ull << 24 | 1ull << 32 | 1ull << 37;
	f->nsid = UNIT;
	f->nsze = nblks;
	f->lbads = blksize == 4096 ? 12 : 9;
	f->format = 2;
	f->cntrltype = 1;
	f->d.fail_status = SCT_MEDIA;
	/* Running, for the stock driver. */
	f->cc = 0x00460001;
	f->csts = 1;
	fb->dev = f;
	fb->reg_read = fakenvme_read;
	fb->reg_write = fakenvme_write;
	fb->step = fakenvme_step;
	fb->bar_len[0] = 0x4000;
	fakebus_cfg_set4(fb, 0, 0x00101b36);
	fakebus_cfg_set4(fb, 8, 0x01080202);
}

static bool
fakenvme_quiet(const void *fake)
{
	const struct fakenvme *f = fake;

	return (f->csts & 0xc) == 0x8;	/* shut down */
}

const struct fakedev fakenvme_dev = {
	.driver = "nvme",
	.size = sizeof(struct fakenvme),
	.unit = UNIT,
	.init = fakenvme_init,
	.quiet = fakenvme_quiet,
	/* One of a type of errors whose first code is zero. */
	.failures = { { SCT_MEDIA, "status 2/81" }, { 0x300, "status 3/00" } },
	.breaks = { "fatal" },
};
