/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vioscsi.c: polled dump driver for a disk on virtio-scsi (VIRTIO 1.1, section
 * 5.6).  One request queue; the control and event queues are not set up, because
 * nothing is asked of them.
 *
 * A SCSI disk may answer that it wants to be asked again: after a reset, or
 * because it has too much to do.  That is done here, within the time that the
 * request has.
 */
#include <dev/virtio/vioscsivar.h>

#define VIOSCSI_START_US	(30ull * 1000 * 1000)	/* a disk spins up */
#define VIOSCSI_PAUSE_US	10000	/* before it is asked again */

/* The DMA memory behind the queue: requests, one command's data, answers. */
#define VIOSCSI_REQ_OFF(slot)	(VQ_MEM_LEN + (slot) * 64u)
#define VIOSCSI_DATA_OFF	(VQ_MEM_LEN + 2048u)
#define VIOSCSI_RESP_OFF(slot)	(VQ_MEM_LEN + 4096u + (slot) * 128u)
#define VIOSCSI_MEM_LEN		(VQ_MEM_LEN + 8192u)
_Static_assert(sizeof(struct vioscsi_req) <= 64 &&
    DUMPDEV_MAXSLOTS * 64 <= 2048, "requests");
_Static_assert(sizeof(struct vioscsi_resp) <= 128 &&
    DUMPDEV_MAXSLOTS * 128 <= 4096, "answers");

static int
vioscsi_match(struct dumpdev *dd)
{
	return virtio_match(dd, VIRTIO_ID_SCSI);
}

static void
vioscsi_detach(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;

	dumpdev_dma_free(dd, &sc->mem);
	virtio_detach(dd, &sc->virtio);
}

static int
vioscsi_attach(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	int error;

	if (VIOSCSI_TARGET(dd->unit) > VIOSCSI_MAXTARGET ||
	    VIOSCSI_LUN(dd->unit) > VIOSCSI_MAXLUN)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio SCSI target %u, LUN %u: numbers too large",
		    VIOSCSI_TARGET(dd->unit), VIOSCSI_LUN(dd->unit));
	error = virtio_attach(dd, &sc->virtio, VIOSCSI_CFG_MINLEN);
	if (error != 0)
		return error;
	error = dumpdev_dma_alloc(dd, VIOSCSI_MEM_LEN, &sc->mem,
	    "the virtio queue");
	if (error == 0)
		vq_init(&sc->vq, &sc->mem, 0);
	else
		vioscsi_detach(dd);
	return error;
}

static struct vioscsi_resp *
vioscsi_resp(struct vioscsi_softc *sc, unsigned int slot)
{
	return (void *)((uint8_t *)sc->mem.va + VIOSCSI_RESP_OFF(slot));
}

static int
vioscsi_push(struct dumpdev *dd, unsigned int slot,
    const struct vioscsi_cmd *cmd)
{
	struct vioscsi_softc *sc = dd->softc;
	uint8_t *va = sc->mem.va;
	struct vq_seg segs[VIOSCSI_NSEGS];
	unsigned int n;
	int error;

	vioscsi_req_fill(cmd, dd->unit, slot,
	    (void *)(va + VIOSCSI_REQ_OFF(slot)), vioscsi_resp(sc, slot));
	n = vioscsi_segs(cmd, sc->mem.busaddr + VIOSCSI_REQ_OFF(slot),
	    sc->mem.busaddr + VIOSCSI_RESP_OFF(slot), segs);
	error = vq_push(&sc->vq, (uint16_t)(slot * VIOSCSI_NSEGS), segs, n);
	if (error == 0)
		virtio_notify(dd, &sc->virtio, &sc->vq);
	return error;
}

/* Notes an answer that is none of ours to forgive. */
static int
vioscsi_fail(struct dumpdev *dd, const char *what,
    const struct vioscsi_resp *resp)
{
	return dumpdev_fail(dd, -EIO, "virtio SCSI %s: response %u, status "
	    "%#x, sense %#x, %u bytes missing", what, resp->response,
	    resp->status, vioscsi_sense(resp), resp->residual);
}

/* A command of our own, asked and waited for while nothing else is. */
struct vioscsi_exec {
	struct dumpdev *dd;
	const struct vioscsi_cmd *cmd;
	const char *what;
	bool sent;
	unsigned int tries;
	uint64_t next_us;
};

static int
vioscsi_exec_judge(struct vioscsi_exec *x, uint64_t now)
{
	struct vioscsi_softc *sc = x->dd->softc;
	const struct vioscsi_resp *resp = vioscsi_resp(sc, 0);

	x->sent = false;
	switch (vioscsi_judge(resp)) {
	case VIOSCSI_GOOD:
		return 1;
	case VIOSCSI_NOT_READY:
		x->next_us = now + VIOSCSI_PAUSE_US;
		return 0;
	case VIOSCSI_AGAIN:
		if (++x->tries < VIOSCSI_TRIES)
			return 0;
		break;
	case VIOSCSI_NO_COMMAND:
	case VIOSCSI_BAD:
		break;
	}
	return vioscsi_fail(x->dd, x->what, resp);
}

static int
vioscsi_exec_done(void *arg)
{
	struct vioscsi_exec *x = arg;
	struct dumpdev *dd = x->dd;
	struct vioscsi_softc *sc = dd->softc;
	const uint64_t now = dd->bus->ops->now_us(dd->bus);
	uint16_t head;
	int answer;

	if (!x->sent && now < x->next_us)
		return 0;
	if (!x->sent) {
		answer = vioscsi_push(dd, 0, x->cmd);
		if (answer != 0)
			return answer;
		x->sent = true;
	}
	answer = vq_pop(&sc->vq, &head);
	if (answer < 0)
		return dumpdev_fail(dd, answer,
		    "virtio SCSI: used ring makes no sense");
	return answer == 0 ? virtio_alive(dd, &sc->virtio) :
	    vioscsi_exec_judge(x, now);
}

static int
vioscsi_exec(struct dumpdev *dd, const struct vioscsi_cmd *cmd,
    const char *what)
{
	struct vioscsi_exec x = { dd, cmd, what, false, 0, 0 };
	int answer;

	answer = poll_until(dd->bus, vioscsi_exec_done, &x, VIOSCSI_START_US);
	if (answer > 0)
		return 0;
	return dumpdev_fail(dd, answer, "virtio SCSI %s: no answer", what);
}

static int
vioscsi_capacity(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	uint8_t *data = (uint8_t *)sc->mem.va + VIOSCSI_DATA_OFF;
	const uint64_t busaddr = sc->mem.busaddr + VIOSCSI_DATA_OFF;
	struct vioscsi_cmd cmd;
	int error;

	vioscsi_cmd_capacity(&cmd, true, busaddr);
	error = vioscsi_exec(dd, &cmd, "READ CAPACITY (16)");
	if (error == 0)
		return vioscsi_capacity_check(dd, true, data);
	/* It may be too old, or too small, for that. */
	if (error != -EIO || vioscsi_sense(vioscsi_resp(sc, 0)) >> 16 !=
	    SCSI_KEY_ILLEGAL)
		return error;
	dd->reason[0] = '\0';
	vioscsi_cmd_capacity(&cmd, false, busaddr);
	error = vioscsi_exec(dd, &cmd, "READ CAPACITY (10)");
	return error != 0 ? error : vioscsi_capacity_check(dd, false, data);
}

/* Is there a disk, turning, of the size that was armed? */
static int
vioscsi_check_disk(struct dumpdev *dd)
{
	const struct vioscsi_cmd ready = { .cdb = { SCSI_TEST_UNIT_READY } };
	int error;

	error = vioscsi_exec(dd, &ready, "TEST UNIT READY");
	return error != 0 ? error : vioscsi_capacity(dd);
}

/* Sizes the queue by what the device says, and lowers dd's wishes to it. */
static int
vioscsi_size(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	const struct virtio_softc *vs = &sc->virtio;
	const uint32_t sectors = virtio_cfg_read4(dd, vs,
	    VIOSCSI_CFG_MAX_SECTORS);
	const uint32_t per_lun = virtio_cfg_read4(dd, vs,
	    VIOSCSI_CFG_CMD_PER_LUN);
	uint16_t max, size = 1;
	int error;

	error = virtio_queue_max(dd, &sc->virtio, VIOSCSI_REQUESTQ, &max);
	if (error != 0)
		return error;
	while (size < VQ_MAXSIZE && size * 2 <= max &&
	    size < dd->nslots * VIOSCSI_NSEGS)
		size = (uint16_t)(size * 2);
	if (dd->nslots > size / VIOSCSI_NSEGS)
		dd->nslots = size / VIOSCSI_NSEGS;
	if (sectors != 0 && sectors < dd->slot_len / 512)
		dd->slot_len = sectors * 512 & ~4095u;
	if (dd->nslots < DUMPDEV_MINSLOTS || dd->slot_len == 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio SCSI: queue of %u, %u sectors at a time, is too "
		    "small", max, sectors);
	sc->inflight_max = per_lun == 0 ? 1 : per_lun;
	vq_reset(&sc->vq, VIOSCSI_REQUESTQ, size);
	return 0;
}

static int
vioscsi_start(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	struct virtio_softc *vs = &sc->virtio;
	uint32_t cdb, sense;
	int error;

	sc->ninflight = 0;
	sc->waiting = 0;
	error = virtio_negotiate(dd, vs, 0);
	if (error != 0)
		return error;
	/* A reset has made them what they are by default. */
	cdb = virtio_cfg_read4(dd, vs, VIOSCSI_CFG_CDB_SIZE);
	sense = virtio_cfg_read4(dd, vs, VIOSCSI_CFG_SENSE_SIZE);
	if (cdb != VIOSCSI_CDB_LEN || sense != VIOSCSI_SENSE_LEN)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "virtio SCSI: commands of %u bytes, sense data of %u",
		    cdb, sense);
	error = vioscsi_size(dd);
	if (error == 0)
		error = virtio_queue_setup(dd, vs, &sc->vq);
	if (error == 0)
		error = virtio_driver_ok(dd, vs);
	if (error == 0)
		error = vioscsi_check_disk(dd);
	return error;
}

/* Sends what waits, as much as the disk takes. */
static int
vioscsi_kick(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	const struct dumpdev_slot *s;
	struct vioscsi_cmd cmd;
	unsigned int slot;
	int error;

	for (slot = 0; slot < dd->nslots; slot++) {
		if ((sc->waiting & (1u << slot)) == 0 ||
		    sc->ninflight >= sc->inflight_max)
			continue;
		s = &dd->slots[slot];
		vioscsi_cmd_plan(&cmd, s->op, s->blk, s->nblks, dd->blksize,
		    s->buf.busaddr);
		error = vioscsi_push(dd, slot, &cmd);
		if (error != 0)
			return error;
		sc->waiting &= ~(1u << slot);
		sc->ninflight++;
	}
	return 0;
}

static int
vioscsi_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct vioscsi_softc *sc = dd->softc;

	/* The slot has them all, for whoever asks again. */
	(void)op;
	(void)blk;
	(void)nblks;
	sc->waiting |= 1u << slot;
	sc->tries[slot] = 0;
	return vioscsi_kick(dd);
}

static void
vioscsi_complete(struct dumpdev *dd, uint16_t head)
{
	struct vioscsi_softc *sc = dd->softc;
	const unsigned int slot = head / VIOSCSI_NSEGS;
	struct dumpdev_slot *s = &dd->slots[slot];
	const struct vioscsi_resp *resp = vioscsi_resp(sc, slot);
	const enum vioscsi_verdict verdict = vioscsi_judge(resp);

	sc->ninflight--;
	/* A disk that knows no SYNCHRONIZE CACHE has no cache. */
	if (verdict == VIOSCSI_GOOD ||
	    (verdict == VIOSCSI_NO_COMMAND && s->op == DUMPDEV_FLUSH)) {
		s->status = 0;
		return;
	}
	if (verdict == VIOSCSI_NOT_READY ||
	    (verdict == VIOSCSI_AGAIN && ++sc->tries[slot] < VIOSCSI_TRIES)) {
		sc->waiting |= 1u << slot;
		if (verdict == VIOSCSI_NOT_READY)
			sc->resume_us = dd->bus->ops->now_us(dd->bus) +
			    VIOSCSI_PAUSE_US;
		return;
	}
	s->status = vioscsi_fail(dd, dumpdev_op_name(s->op), resp);
}

static int
vioscsi_poll(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;
	int n, error;

	n = virtio_queue_poll(dd, &sc->vq, vioscsi_complete);
	if (n < 0)
		return n;
	if (sc->waiting != 0 &&
	    dd->bus->ops->now_us(dd->bus) >= sc->resume_us) {
		error = vioscsi_kick(dd);
		if (error != 0)
			return error;
	}
	return n == 0 ? virtio_alive(dd, &sc->virtio) : 0;
}

static int
vioscsi_stop(struct dumpdev *dd)
{
	struct vioscsi_softc *sc = dd->softc;

	return virtio_reset(dd, &sc->virtio);
}

const struct dumpdev_ops vioscsi_dumpdev_ops = {
	.name = "virtio-scsi",
	.softc_size = sizeof(struct vioscsi_softc),
	.match = vioscsi_match,
	.attach = vioscsi_attach,
	.detach = vioscsi_detach,
	.start = vioscsi_start,
	.submit = vioscsi_submit,
	.poll = vioscsi_poll,
	.stop = vioscsi_stop,
};
