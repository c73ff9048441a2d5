/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dumpdev.c: what all polled dump drivers share: the registry, the one wait,
 * range checks, deadlines, and the second chance of a broken controller.
 * Contract: dumpdev.h.
 */
#include <sys/ktypes.h>
#include <dev/dumpdev.h>

const struct dumpdev_ops *const dumpdev_drivers[] = {
	&nvme_dumpdev_ops,
	&vioblk_dumpdev_ops,
	&vioscsi_dumpdev_ops,
	&ahci_dumpdev_ops,
	NULL
};

int
poll_until(struct dumpdev_bus *bus, int (*done)(void *), void *arg,
    uint64_t timeout_us)
{
	const uint64_t begin = bus->ops->now_us(bus);
	bool over;
	int answer;

	for (;;) {
		/* The clock first: what is done in time counts as done, even
		 * if we were kept from looking. */
		over = bus->ops->now_us(bus) - begin >= timeout_us;
		answer = done(arg);
		if (answer != 0)
			return answer;
		if (over)
			return -ETIMEDOUT;
		bus->ops->relax(bus);
	}
}

int
dumpdev_fail(struct dumpdev *dd, int error, const char *fmt, ...)
{
	va_list ap;

	if (dd->reason[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(dd->reason, sizeof(dd->reason), fmt, ap);
		va_end(ap);
	}
	return error;
}

const char *
dumpdev_op_name(enum dumpdev_op op)
{
	return op == DUMPDEV_READ ? "read" :
	    op == DUMPDEV_WRITE ? "write" : "flush";
}

int
dumpdev_dma_alloc(struct dumpdev *dd, size_t len, struct dumpdev_dma *mem,
    const char *what)
{
	int error;

	error = dd->bus->ops->dma_alloc(dd->bus, len, mem);
	if (error == 0)
		return 0;
	memset(mem, 0, sizeof(*mem));
	return dumpdev_fail(dd, error, "no memory for %s (%zu bytes)", what,
	    len);
}

void
dumpdev_dma_free(struct dumpdev *dd, struct dumpdev_dma *mem)
{
	if (mem->va != NULL)
		dd->bus->ops->dma_free(dd->bus, mem);
	memset(mem, 0, sizeof(*mem));
}

int
dumpdev_match(struct dumpdev *dd)
{
	const struct dumpdev_ops *const *driver;
	int error;

	dd->reason[0] = '\0';
	if (dd->bus->virtfn)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "an SR-IOV virtual function, which can't be taken over "
		    "alone; choose a disk on a physical function");
	for (driver = dumpdev_drivers; *driver != NULL; driver++) {
		error = (*driver)->match(dd);
		if (error == -ENODEV)
			continue;
		if (error == 0)
			dd->ops = *driver;
		return error;
	}
	return dumpdev_fail(dd, -ENODEV,
	    "no dump driver knows this controller");
}

/* Gives back the buffers of slots first and above. */
static void
dumpdev_bufs_free(struct dumpdev *dd, unsigned int first)
{
	struct dumpdev_dma *buf;
	unsigned int i;

	for (i = first; i < DUMPDEV_MAXSLOTS; i++) {
		buf = &dd->slots[i].buf;
		if (buf->va != NULL)
			dd->bus->ops->buf_free(dd->bus, buf);
		memset(buf, 0, sizeof(*buf));
	}
}

static int
dumpdev_bufs_alloc(struct dumpdev *dd)
{
	const unsigned int last = dd->nslots - 1;
	unsigned int i;
	int error;

	if (dd->last_len == 0 || dd->last_len > dd->slot_len)
		dd->last_len = dd->slot_len;
	for (i = 0; i < dd->nslots; i++) {
		error = dd->bus->ops->buf_alloc(dd->bus,
		    i == last ? dd->last_len : dd->slot_len,
		    &dd->slots[i].buf);
		if (error != 0) {
			memset(&dd->slots[i].buf, 0,
			    sizeof(dd->slots[i].buf));
			dumpdev_bufs_free(dd, 0);
			return dumpdev_fail(dd, error,
			    "no memory for %u buffers of %u bytes", dd->nslots,
			    dd->slot_len);
		}
	}
	return 0;
}

int
dumpdev_attach(struct dumpdev *dd)
{
	int error;

	if (dd->nslots < DUMPDEV_MINSLOTS || dd->nslots > DUMPDEV_MAXSLOTS ||
	    dd->blksize < 512 || dd->blksize > 4096 ||
	    (dd->blksize & (dd->blksize - 1)) != 0 || dd->nblks == 0)
		return dumpdev_fail(dd, -EINVAL,
		    "%u slots, %u-byte blocks: not possible", dd->nslots,
		    dd->blksize);
	if (dd->max_xfer != 0 && dd->slot_len > dd->max_xfer)
		dd->slot_len = dd->max_xfer;
	dd->slot_len &= ~4095u;
	if (dd->slot_len == 0)
		return dumpdev_fail(dd, -EOPNOTSUPP,
		    "the disk takes less than 4096 bytes at a time");
	error = dumpdev_bufs_alloc(dd);
	if (error != 0)
		return error;
	dumpdev_pci_save(dd);
	error = dd->ops->attach(dd);
	dumpdev_bufs_free(dd, error == 0 ? dd->nslots : 0);
	return error;
}

void
dumpdev_detach(struct dumpdev *dd)
{
	dd->ops->detach(dd);
	dumpdev_bufs_free(dd, 0);
}

static __must_check int
dumpdev_start_once(struct dumpdev *dd)
{
	int error;

	error = dumpdev_pci_enable(dd);
	return error != 0 ? error : dd->ops->start(dd);
}

int
dumpdev_start(struct dumpdev *dd)
{
	int error;

	if (dd->dead)
		return -EIO;
	dd->started = true;
	error = dumpdev_start_once(dd);
	/* Its own reset was not enough: that of PCI Express, if it has one. */
	if ((error == -EIO || error == -ETIMEDOUT) && dumpdev_pci_reset(dd)) {
		dd->reason[0] = '\0';
		error = dumpdev_start_once(dd);
	}
	if (error != 0) {
		dd->dead = true;
		return dumpdev_fail(dd, error, "%s: start failed, error %d",
		    dd->ops->name, -error);
	}
	return 0;
}

/* Hands the slot's request to the driver, with a new deadline. */
static int
dumpdev_slot_send(struct dumpdev *dd, unsigned int slot)
{
	struct dumpdev_slot *s = &dd->slots[slot];
	int error;

	s->status = DUMPDEV_BUSY;
	s->deadline_us = dd->bus->ops->now_us(dd->bus) +
	    (s->op == DUMPDEV_FLUSH ? DUMPDEV_FLUSH_TIMEOUT_US :
	    DUMPDEV_IO_TIMEOUT_US);
	error = dd->ops->submit(dd, s->op, slot, s->blk, s->nblks);
	if (error != 0) {
		s->status = error;
		return dumpdev_fail(dd, error, "%s: the queue takes no %s",
		    dd->ops->name, dumpdev_op_name(s->op));
	}
	return 0;
}

/*
 * The controller broke: start it again, and ask again for what is outstanding.
 * A request that ran twice does no harm: its buffer has not changed.
 */
static int
dumpdev_restart(struct dumpdev *dd)
{
	unsigned int i;
	int error;

	if (dd->nrestarts >= DUMPDEV_MAXRESTARTS) {
		dd->dead = true;
		return -EIO;
	}
	dd->nrestarts++;
	error = dumpdev_start(dd);
	if (error != 0)
		return error;
	/* It works again, so the next failure has a reason of its own. */
	dd->reason[0] = '\0';
	for (i = 0; i < DUMPDEV_MAXSLOTS; i++) {
		if (dd->slots[i].status != DUMPDEV_BUSY)
			continue;
		if (i >= dd->nslots || (uint64_t)dd->slots[i].nblks *
		    dd->blksize > dd->slot_len) {
			dd->slots[i].status = dumpdev_fail(dd, -EIO,
			    "%s: smaller after a restart", dd->ops->name);
			continue;
		}
		error = dumpdev_slot_send(dd, i);
		if (error != 0)
			return error;
	}
	return 0;
}

struct dumpdev_slot_wait {
	struct dumpdev *dd;
	struct dumpdev_slot *slot;
};

static int
dumpdev_slot_done(void *arg)
{
	struct dumpdev_slot_wait *w = arg;
	int error;

	error = w->dd->ops->poll(w->dd);
	if (w->slot->status != DUMPDEV_BUSY)
		return 1;
	if (error != 0)
		error = dumpdev_restart(w->dd);
	if (error != 0)
		return error;
	return w->slot->status != DUMPDEV_BUSY;
}

int
dumpdev_wait(struct dumpdev *dd, unsigned int slot)
{
	struct dumpdev_slot *s = &dd->slots[slot];
	struct dumpdev_slot_wait w = { dd, s };
	uint64_t now;
	int answer, error;

	if (dd->dead)
		return -EIO;
	if (s->status == DUMPDEV_BUSY) {
		/* A restart sets a new deadline: then wait for that one. */
		do {
			now = dd->bus->ops->now_us(dd->bus);
			answer = poll_until(dd->bus, dumpdev_slot_done, &w,
			    now < s->deadline_us ? s->deadline_us - now : 0);
			now = dd->bus->ops->now_us(dd->bus);
		} while (answer == -ETIMEDOUT && now < s->deadline_us);
		if (answer < 0) {
			dd->dead = true;
			return dumpdev_fail(dd, answer,
			    "%s of %u blocks at block %llu: no answer in time",
			    dumpdev_op_name(s->op), s->nblks,
			    (unsigned long long)s->blk);
		}
	}
	error = s->status;
	s->status = 0;
	return error;
}

/* Is the request inside the disk and the slot's buffer? */
static bool
dumpdev_inrange(const struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	if (slot >= dd->nslots)
		return false;
	if (op == DUMPDEV_FLUSH)
		return blk == 0 && nblks == 0;
	return (op == DUMPDEV_READ || op == DUMPDEV_WRITE) && nblks != 0 &&
	    blk < dd->nblks && nblks <= dd->nblks - blk &&
	    (uint64_t)nblks * dd->blksize <= dd->slot_len &&
	    (uint64_t)nblks * dd->blksize <= dd->slots[slot].buf.len;
}

int
dumpdev_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct dumpdev_slot *s;
	int error;

	if (dd->dead)
		return -EIO;
	if (!dumpdev_inrange(dd, op, slot, blk, nblks))
		return dumpdev_fail(dd, -EINVAL,
		    "%s of %u blocks at block %llu, slot %u: out of range",
		    dumpdev_op_name(op), nblks, (unsigned long long)blk, slot);
	error = dumpdev_wait(dd, slot);
	if (error != 0)
		return error;
	s = &dd->slots[slot];
	s->op = op;
	s->blk = blk;
	s->nblks = nblks;
	error = dumpdev_slot_send(dd, slot);
	if (error != 0)
		s->status = 0;
	return error;
}

int
dumpdev_drain(struct dumpdev *dd)
{
	unsigned int i;
	int error, first = 0;

	for (i = 0; i < dd->nslots; i++) {
		error = dumpdev_wait(dd, i);
		if (first == 0)
			first = error;
	}
	return first;
}

int
dumpdev_flush(struct dumpdev *dd)
{
	int error;

	error = dumpdev_drain(dd);
	if (error != 0)
		return error;
	error = dumpdev_submit(dd, DUMPDEV_FLUSH, 0, 0, 0);
	if (error != 0)
		return error;
	return dumpdev_wait(dd, 0);
}

int
dumpdev_stop(struct dumpdev *dd)
{
	int error, stopped;

	if (!dd->started)
		return 0;
	error = dumpdev_flush(dd);
	stopped = dd->ops->stop(dd);
	if (error != 0 || stopped != 0)
		dumpdev_pci_disable(dd);
	dd->dead = true;
	return error != 0 ? error : stopped;
}
