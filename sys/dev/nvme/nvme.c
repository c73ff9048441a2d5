/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nvme.c: polled dump driver for NVMe controllers on PCI Express.
 *
 * Takes the controller over by the reset of NVM Express 1.4, section 7.6.1,
 * with an admin queue and one I/O queue pair of its own.  The reset makes the
 * controller forget the stock driver's queues, shadow doorbells and host memory
 * buffer.  Not here: fabrics, zoned namespaces, metadata.
 */
#include <dev/nvme/nvmevar.h>
#include <dev/pcireg.h>

#define NVME_ADMIN_DEPTH	16
#define NVME_IO_MAXDEPTH	64	/* one page of commands */
#define NVME_IO_QID		1
#define NVME_ADMIN_US		(10ull * 1000 * 1000)
#define NVME_STOP_US		(20ull * 1000 * 1000)
#define NVME_CHECK_US		1000	/* a register read is slow */

/* Pages of the DMA memory. */
enum nvme_page {
	NVME_PAGE_ASQ,
	NVME_PAGE_ACQ,
	NVME_PAGE_SQ,
	NVME_PAGE_CQ,
	NVME_PAGE_IDENT,
	NVME_PAGE_PRP,		/* and all that follow */
};

static uint32_t
nvme_rd4(struct dumpdev *dd, uint64_t off)
{
	return dd->bus->ops->read4(dd->bus, 0, off);
}

static void
nvme_wr4(struct dumpdev *dd, uint64_t off, uint32_t v)
{
	dd->bus->ops->write4(dd->bus, 0, off, v);
}

static void
nvme_wr8(struct dumpdev *dd, uint64_t off, uint64_t v)
{
	nvme_wr4(dd, off, (uint32_t)v);
	nvme_wr4(dd, off + 4, (uint32_t)(v >> 32));
}

static int
nvme_match(struct dumpdev *dd)
{
	const uint32_t v = dd->bus->ops->cfg_read4(dd->bus, PCIREG_CLASS);

	return PCIREG_CLASSCODE(v) == NVME_CLASSCODE ? 0 : -ENODEV;
}

static void
nvme_queue_place(struct nvme_softc *sc, struct nvme_queue *q, uint16_t qid,
    unsigned int depth, enum nvme_page sq, enum nvme_page cq)
{
	uint8_t *va = sc->mem.va;

	q->qid = qid;
	q->depth = (uint16_t)depth;
	q->sq = (void *)(va + sq * NVME_PAGE);
	q->cq = (void *)(va + cq * NVME_PAGE);
	q->sq_busaddr = sc->mem.busaddr + sq * NVME_PAGE;
	q->cq_busaddr = sc->mem.busaddr + cq * NVME_PAGE;
}

/* Lays out the DMA memory and computes every slot's PRP list. */
static int
nvme_mem_alloc(struct dumpdev *dd, unsigned int io_depth)
{
	struct nvme_softc *sc = dd->softc;
	const struct dumpdev_dma *buf;
	size_t len;
	uint8_t *list;
	unsigned int i;
	int error;

	sc->prp_stride = nvme_prp_stride(dd->slot_len);
	len = NVME_PAGE_PRP * NVME_PAGE + dd->nslots * sc->prp_stride;
	len = (len + NVME_PAGE - 1) & ~(size_t)(NVME_PAGE - 1);
	error = dumpdev_dma_alloc(dd, len, &sc->mem, "NVMe queues");
	if (error != 0)
		return error;
	nvme_queue_place(sc, &sc->admin, 0, NVME_ADMIN_DEPTH, NVME_PAGE_ASQ,
	    NVME_PAGE_ACQ);
	nvme_queue_place(sc, &sc->io, NVME_IO_QID, io_depth, NVME_PAGE_SQ,
	    NVME_PAGE_CQ);
	sc->ident = (uint8_t *)sc->mem.va + NVME_PAGE_IDENT * NVME_PAGE;
	sc->ident_busaddr = sc->mem.busaddr + NVME_PAGE_IDENT * NVME_PAGE;
	sc->prp_busaddr = sc->mem.busaddr + NVME_PAGE_PRP * NVME_PAGE;
	list = (uint8_t *)sc->mem.va + NVME_PAGE_PRP * NVME_PAGE;
	for (i = 0; i < dd->nslots; i++, list += sc->prp_stride) {
		buf = &dd->slots[i].buf;
		nvme_prp_fill((void *)list, buf->busaddr,
		    buf->len < dd->slot_len ? (uint32_t)buf->len :
		    dd->slot_len);
	}
	return 0;
}

static void
nvme_detach(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;

	dumpdev_dma_free(dd, &sc->mem);
	if (sc->mapped)
		dd->bus->ops->bar_unmap(dd->bus, 0);
	sc->mapped = false;
}

static int
nvme_attach(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	uint64_t cap, bar_len;
	uint32_t depth;
	int error;

	if (dd->unit == 0 || dd->unit == 0xffffffff)
		return dumpdev_fail(dd, -EINVAL, "no NVMe namespace %u",
		    dd->unit);
	error = dd->bus->ops->bar_map(dd->bus, 0, &bar_len);
	if (error != 0)
		return dumpdev_fail(dd, error,
		    "NVMe registers (BAR 0) can't be mapped");
	sc->mapped = true;
	cap = nvme_rd4(dd, NVME_CAP);
	cap |= (uint64_t)nvme_rd4(dd, NVME_CAP + 4) << 32;
	error = nvme_cap_check(dd, cap);
	if (error != 0)
		goto fail;
	sc->db_stride = 4u << NVME_CAP_DSTRD(cap);
	sc->ready_us = (NVME_CAP_TO(cap) + 1) * 500ull * 1000;
	if (bar_len < NVME_DOORBELLS + 4 * (uint64_t)sc->db_stride) {
		error = dumpdev_fail(dd, -EOPNOTSUPP,
		    "NVMe registers (BAR 0) have %llu bytes only",
		    (unsigned long long)bar_len);
		goto fail;
	}
	/* A queue of n entries holds n - 1 commands. */
	depth = NVME_CAP_MQES(cap) + 1;
	if (depth > NVME_IO_MAXDEPTH)
		depth = NVME_IO_MAXDEPTH;
	if (dd->nslots > depth - 1)
		dd->nslots = depth - 1;
	if (dd->slot_len > NVME_PRP_MAXLEN)
		dd->slot_len = NVME_PRP_MAXLEN;
	error = nvme_mem_alloc(dd, depth);
	if (error == 0)
		return 0;
fail:
	nvme_detach(dd);
	return error;
}

static void
nvme_queue_reset(struct nvme_queue *q)
{
	q->tail = 0;
	q->head = 0;
	q->cq_head = 0;
	q->phase = 1;
	memset(q->sq, 0, NVME_PAGE);
	memset((void *)(uintptr_t)q->cq, 0, NVME_PAGE);
}

/* Puts a command in the queue and rings.  -EIO: full. */
static int
nvme_queue_put(struct dumpdev *dd, struct nvme_queue *q,
    const struct nvme_sqe *sqe)
{
	const struct nvme_softc *sc = dd->softc;
	const uint16_t next = (uint16_t)((q->tail + 1) % q->depth);

	if (next == q->head)
		return -EIO;
	q->sq[q->tail] = *sqe;
	q->tail = next;
	dumpdev_wmb();
	nvme_wr4(dd, NVME_DOORBELLS + 2 * (uint64_t)q->qid * sc->db_stride,
	    q->tail);
	return 0;
}

/* Takes the next new completion, if there is one. */
static bool
nvme_queue_get(struct nvme_queue *q, struct nvme_cqe *cqe)
{
	volatile struct nvme_cqe *p = &q->cq[q->cq_head];
	uint16_t sqhd;

	cqe->dw3 = p->dw3;
	if (NVME_CQE_P(cqe->dw3) != q->phase)
		return false;
	dumpdev_rmb();
	cqe->dw0 = p->dw0;
	cqe->dw2 = p->dw2;
	sqhd = NVME_CQE_SQHD(cqe->dw2);
	if (sqhd < q->depth && NVME_CQE_SQID(cqe->dw2) == q->qid)
		q->head = sqhd;
	if (++q->cq_head == q->depth) {
		q->cq_head = 0;
		q->phase ^= 1;
	}
	return true;
}

/* Tells the controller how far we have read its completions. */
static void
nvme_queue_ack(struct dumpdev *dd, const struct nvme_queue *q)
{
	const struct nvme_softc *sc = dd->softc;

	nvme_wr4(dd, NVME_DOORBELLS +
	    (2 * (uint64_t)q->qid + 1) * sc->db_stride, q->cq_head);
}

/* Is the controller still there and well?  Looks once a millisecond. */
static int
nvme_alive(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	const uint64_t now = dd->bus->ops->now_us(dd->bus);
	uint32_t csts;

	if (now - sc->checked_us < NVME_CHECK_US)
		return 0;
	sc->checked_us = now;
	csts = nvme_rd4(dd, NVME_CSTS);
	if (csts == 0xffffffff)
		return dumpdev_fail(dd, -EIO,
		    "NVMe controller gone: registers read all ones");
	if ((csts & NVME_CSTS_CFS) != 0)
		return dumpdev_fail(dd, -EIO, "NVMe controller fatal status");
	if ((csts & NVME_CSTS_RDY) == 0)
		return dumpdev_fail(dd, -EIO, "NVMe controller not ready");
	return 0;
}

struct nvme_csts_wait {
	struct dumpdev *dd;
	uint32_t mask;
	uint32_t want;
	uint32_t giveup;	/* bits that end the wait with -EIO */
};

static int
nvme_csts_done(void *arg)
{
	const struct nvme_csts_wait *w = arg;
	const uint32_t csts = nvme_rd4(w->dd, NVME_CSTS);

	if (csts == 0xffffffff)
		return dumpdev_fail(w->dd, -EIO,
		    "NVMe controller gone: registers read all ones");
	if ((csts & w->mask) == w->want)
		return 1;
	if ((csts & w->giveup) != 0)
		return dumpdev_fail(w->dd, -EIO,
		    "NVMe controller fatal status, CSTS %#x", csts);
	return 0;
}

/* Waits until CSTS & mask is want.  what: for the reason. */
static int
nvme_csts_wait(struct dumpdev *dd, uint32_t mask, uint32_t want,
    uint32_t giveup, uint64_t timeout_us, const char *what)
{
	struct nvme_csts_wait w = { dd, mask, want, giveup };
	int answer;

	answer = poll_until(dd->bus, nvme_csts_done, &w, timeout_us);
	if (answer > 0)
		return 0;
	return dumpdev_fail(dd, answer, "NVMe controller: %s took more than "
	    "%llu ms", what, (unsigned long long)timeout_us / 1000);
}

static int
nvme_disable(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	struct nvme_csts_wait up = { dd, NVME_CSTS_RDY, NVME_CSTS_RDY,
	    NVME_CSTS_CFS };
	uint32_t cc;

	cc = nvme_rd4(dd, NVME_CC);
	/* Enabled and not ready: the panic came in the middle of a reset, and
	 * to disable it now is undefined (3.1.5).  Let it finish, or not. */
	if (cc != 0xffffffff && (cc & NVME_CC_EN) != 0 &&
	    poll_until(dd->bus, nvme_csts_done, &up, sc->ready_us) < 0)
		dd->reason[0] = '\0';
	nvme_wr4(dd, NVME_CC, cc & ~(NVME_CC_EN | NVME_CC_SHN_MASK));
	return nvme_csts_wait(dd, NVME_CSTS_RDY, 0, 0, sc->ready_us,
	    "disabling");
}

static int
nvme_enable(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;

	nvme_queue_reset(&sc->admin);
	nvme_queue_reset(&sc->io);
	dumpdev_wmb();
	nvme_wr4(dd, NVME_AQA, (NVME_ADMIN_DEPTH - 1) << 16 |
	    (NVME_ADMIN_DEPTH - 1));
	nvme_wr8(dd, NVME_ASQ, sc->admin.sq_busaddr);
	nvme_wr8(dd, NVME_ACQ, sc->admin.cq_busaddr);
	nvme_wr4(dd, NVME_CC, NVME_CC_EN | NVME_CC_IOSQES_64 |
	    NVME_CC_IOCQES_16);
	return nvme_csts_wait(dd, NVME_CSTS_RDY, NVME_CSTS_RDY, NVME_CSTS_CFS,
	    sc->ready_us, "enabling");
}

struct nvme_admin_wait {
	struct dumpdev *dd;
	uint16_t cid;
	uint32_t dw3;
};

static int
nvme_admin_done(void *arg)
{
	struct nvme_admin_wait *w = arg;
	struct nvme_softc *sc = w->dd->softc;
	struct nvme_cqe cqe;

	if (!nvme_queue_get(&sc->admin, &cqe))
		return nvme_alive(w->dd);
	nvme_queue_ack(w->dd, &sc->admin);
	if (NVME_CQE_CID(cqe.dw3) != w->cid) {
		sc->nstrays++;
		return 0;
	}
	w->dw3 = cqe.dw3;
	return 1;
}

/* Asks one admin command and waits for its success.  what: for the reason. */
static int
nvme_admin(struct dumpdev *dd, struct nvme_sqe *sqe, const char *what)
{
	struct nvme_softc *sc = dd->softc;
	struct nvme_admin_wait w = { dd, 0, 0 };
	int answer;

	w.cid = nvme_cid(0, ++sc->count);
	sqe->cid = w.cid;
	answer = nvme_queue_put(dd, &sc->admin, sqe);
	if (answer == 0)
		answer = poll_until(dd->bus, nvme_admin_done, &w,
		    NVME_ADMIN_US);
	if (answer < 0)
		return dumpdev_fail(dd, answer, "NVMe %s: no answer", what);
	if (NVME_CQE_SC(w.dw3) != 0 || NVME_CQE_SCT(w.dw3) != 0)
		return dumpdev_fail(dd, -EIO, "NVMe %s: status %u/%02x", what,
		    NVME_CQE_SCT(w.dw3), NVME_CQE_SC(w.dw3));
	return 0;
}

static int
nvme_identify(struct dumpdev *dd, uint32_t cns, uint32_t nsid,
    const char *what)
{
	struct nvme_softc *sc = dd->softc;
	struct nvme_sqe sqe;

	memset(sc->ident, 0, NVME_PAGE);
	memset(&sqe, 0, sizeof(sqe));
	sqe.opc = NVME_ADM_IDENTIFY;
	sqe.nsid = nsid;
	sqe.prp1 = sc->ident_busaddr;
	sqe.cdw10 = cns;
	return nvme_admin(dd, &sqe, what);
}

/* 7.4: number of queues (ours is one), completion queue, submission queue. */
static int
nvme_create_queues(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	const uint32_t id_size = (sc->io.depth - 1u) << 16 | sc->io.qid;
	struct nvme_sqe sqe;
	int error;

	memset(&sqe, 0, sizeof(sqe));
	sqe.opc = NVME_ADM_SET_FEATURES;
	sqe.cdw10 = NVME_FID_NQUEUES;	/* cdw11 0: one of each, 0's based */
	error = nvme_admin(dd, &sqe, "Set Features");
	if (error != 0)
		return error;
	memset(&sqe, 0, sizeof(sqe));
	sqe.opc = NVME_ADM_CREATE_CQ;
	sqe.prp1 = sc->io.cq_busaddr;
	sqe.cdw10 = id_size;
	sqe.cdw11 = NVME_QUEUE_PC;	/* interrupts off */
	error = nvme_admin(dd, &sqe, "Create I/O Completion Queue");
	if (error != 0)
		return error;
	memset(&sqe, 0, sizeof(sqe));
	sqe.opc = NVME_ADM_CREATE_SQ;
	sqe.prp1 = sc->io.sq_busaddr;
	sqe.cdw10 = id_size;
	sqe.cdw11 = (uint32_t)sc->io.qid << 16 | NVME_QUEUE_PC;
	return nvme_admin(dd, &sqe, "Create I/O Submission Queue");
}

static int
nvme_start(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	int error;

	error = nvme_disable(dd);
	if (error == 0)
		error = nvme_enable(dd);
	if (error == 0)
		error = nvme_identify(dd, NVME_CNS_CONTROLLER, 0,
		    "Identify Controller");
	if (error == 0)
		error = nvme_idc_check(dd, sc->ident);
	if (error == 0)
		error = nvme_identify(dd, NVME_CNS_NAMESPACE, dd->unit,
		    "Identify Namespace");
	if (error == 0)
		error = nvme_idn_check(dd, sc->ident);
	if (error == 0)
		error = nvme_create_queues(dd);
	return error;
}

static int
nvme_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct nvme_softc *sc = dd->softc;
	const uint64_t busaddr = dd->slots[slot].buf.busaddr;
	struct nvme_sqe sqe;

	memset(&sqe, 0, sizeof(sqe));
	sqe.opc = NVME_CMD_FLUSH;
	sqe.nsid = dd->unit;
	if (op != DUMPDEV_FLUSH) {
		sqe.opc = op == DUMPDEV_READ ? NVME_CMD_READ : NVME_CMD_WRITE;
		sqe.prp1 = busaddr;
		sqe.prp2 = nvme_prp2(busaddr,
		    sc->prp_busaddr + (uint64_t)slot * sc->prp_stride,
		    nblks * dd->blksize);
		sqe.cdw10 = (uint32_t)blk;
		sqe.cdw11 = (uint32_t)(blk >> 32);
		sqe.cdw12 = nblks - 1;	/* 0's based */
	}
	sqe.cid = nvme_cid(slot, ++sc->count);
	sc->cid[slot] = sqe.cid;
	return nvme_queue_put(dd, &sc->io, &sqe);
}

/* Gives a completion to the slot that waits for it, if one does. */
static void
nvme_complete(struct dumpdev *dd, const struct nvme_cqe *cqe)
{
	struct nvme_softc *sc = dd->softc;
	const uint16_t cid = NVME_CQE_CID(cqe->dw3);
	const unsigned int slot = NVME_CID_SLOT(cid);
	struct dumpdev_slot *s = &dd->slots[slot];

	if (slot >= dd->nslots || s->status != DUMPDEV_BUSY ||
	    sc->cid[slot] != cid || NVME_CQE_SQID(cqe->dw2) != sc->io.qid) {
		sc->nstrays++;
		return;
	}
	s->status = 0;
	if (NVME_CQE_SC(cqe->dw3) != 0 || NVME_CQE_SCT(cqe->dw3) != 0)
		s->status = dumpdev_fail(dd, -EIO,
		    "NVMe %s of %u blocks at block %llu: status %u/%02x",
		    dumpdev_op_name(s->op), s->nblks,
		    (unsigned long long)s->blk, NVME_CQE_SCT(cqe->dw3),
		    NVME_CQE_SC(cqe->dw3));
}

static int
nvme_poll(struct dumpdev *dd)
{
	struct nvme_softc *sc = dd->softc;
	struct nvme_cqe cqe;
	unsigned int n;

	for (n = 0; n < sc->io.depth && nvme_queue_get(&sc->io, &cqe); n++)
		nvme_complete(dd, &cqe);
	if (n == 0)
		return nvme_alive(dd);
	nvme_queue_ack(dd, &sc->io);
	return 0;
}

/* 7.6.2: normal shutdown; the controller saves what it holds. */
static int
nvme_stop(struct dumpdev *dd)
{
	uint32_t cc;

	cc = nvme_rd4(dd, NVME_CC);
	if (cc == 0xffffffff)
		return dumpdev_fail(dd, -EIO,
		    "NVMe controller gone: registers read all ones");
	if ((cc & NVME_CC_EN) == 0)
		return 0;
	nvme_wr4(dd, NVME_CC, (cc & ~NVME_CC_SHN_MASK) | NVME_CC_SHN_NORMAL);
	return nvme_csts_wait(dd, NVME_CSTS_SHST_MASK, NVME_CSTS_SHST_DONE,
	    NVME_CSTS_CFS, NVME_STOP_US, "shutting down");
}

const struct dumpdev_ops nvme_dumpdev_ops = {
	.name = "nvme",
	.softc_size = sizeof(struct nvme_softc),
	.match = nvme_match,
	.attach = nvme_attach,
	.detach = nvme_detach,
	.start = nvme_start,
	.submit = nvme_submit,
	.poll = nvme_poll,
	.stop = nvme_stop,
};
