// SPDX-License-Identifier: BSD-2-Clause
/*
 * memdev.c: see memdev.h.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "fakeos.h"
#include "memdev.h"

/* ---- The bus ---- */

static uint32_t
bus_cfg_read4(struct dumpdev_bus *bus, unsigned int off)
{
	const struct memdev *m = bus->cookie;

	if (m->gone)
		return 0xffffffff;
	return off == 0 ? 0x12345678 : 0x6;
}

static void
bus_cfg_write4(struct dumpdev_bus *bus, unsigned int off, uint32_t v)
{
	(void)bus;
	(void)off;
	(void)v;
}

static int
bus_dma_alloc(struct dumpdev_bus *bus, size_t len, struct dumpdev_dma *dma)
{
	(void)bus;
	dma->va = aligned_alloc(KCORE_ALIGN, len);
	dma->len = len;
	return dma->va != NULL ? 0 : -ENOMEM;
}

static void
bus_dma_free(struct dumpdev_bus *bus, struct dumpdev_dma *dma)
{
	(void)bus;
	free(dma->va);
}

static uint64_t
bus_now_us(struct dumpdev_bus *bus)
{
	(void)bus;
	return ++fakeos.now_us;
}

static void
bus_relax(struct dumpdev_bus *bus)
{
	const struct memdev *m = bus->cookie;

	fakeos.now_us += m->relax_us;
}

static const struct dumpdev_bus_ops memdev_bus_ops = {
	.cfg_read4 = bus_cfg_read4,
	.cfg_write4 = bus_cfg_write4,
	.dma_alloc = bus_dma_alloc,
	.dma_free = bus_dma_free,
	.buf_alloc = bus_dma_alloc,
	.buf_free = bus_dma_free,
	.now_us = bus_now_us,
	.relax = bus_relax,
};

/* ---- The medium and its cache ---- */

uint8_t *
memdev_page(const struct memdev *m, uint64_t off)
{
	unsigned int i;
	uint64_t len;

	for (i = 0; i < m->next; i++) {
		len = m->ext[i].nblks * m->dd.blksize;
		if (off < len)
			return m->medium + m->ext[i].blk * m->dd.blksize + off;
		off -= len;
	}
	fail_msg("offset %#llx past the window", (unsigned long long)off);
	return NULL;
}

bool
memdev_unsure(const struct memdev *m, uint64_t off)
{
	uint64_t at = (uint64_t)(memdev_page(m, off) - m->medium);
	uint64_t from, to;
	size_t i;

	for (i = 0; i < m->ncache; i++) {
		from = m->cache[i].blk * m->dd.blksize;
		to = from + (uint64_t)m->cache[i].nblks * m->dd.blksize;
		if (at < to && at + KCORE_ALIGN > from)
			return true;
	}
	return false;
}

static void
cache_add(struct memdev *m, struct memdev_req *r, uint64_t blk,
    uint32_t nblks)
{
	struct memdev_write *w;

	if (m->ncache == m->cache_room) {
		m->cache_room = 2 * m->cache_room + 16;
		m->cache = realloc(m->cache,
		    m->cache_room * sizeof(*m->cache));
		assert_non_null(m->cache);
	}
	w = &m->cache[m->ncache++];
	r->write = ++m->nwrites;
	*w = (struct memdev_write){ .id = r->write, .blk = blk,
		.nblks = nblks };
	w->data = malloc((size_t)nblks * m->dd.blksize + 1);
	assert_non_null(w->data);
	memcpy(w->data, r->copy, (size_t)nblks * m->dd.blksize);
}

/* The write that this request was is over: a later flush covers it. */
static void
cache_done(struct memdev *m, const struct memdev_req *r)
{
	size_t i;

	for (i = 0; i < m->ncache; i++)
		if (m->cache[i].id == r->write)
			m->cache[i].done = true;
}

static void
cache_flushed(struct memdev *m)
{
	size_t i, left = 0;

	for (i = 0; i < m->ncache; i++) {
		struct memdev_write *w = &m->cache[i];

		if (!w->flushing) {
			m->cache[left++] = *w;
			continue;
		}
		memcpy(m->medium + w->blk * m->dd.blksize, w->data,
		    (size_t)w->nblks * m->dd.blksize);
		free(w->data);
	}
	m->ncache = left;
}

/* Puts what `how` says of the cache on the medium; undo gets what was there. */
static void
cut_apply(struct memdev *m, enum memdev_cut how, uint8_t *undo)
{
	const size_t bs = m->dd.blksize;
	uint32_t k;
	size_t i;
	bool take;

	for (i = 0; i < m->ncache; i++) {
		const struct memdev_write *w = &m->cache[i];

		take = how == MEMDEV_CUT_ALL ||
		    (how == MEMDEV_CUT_WRITES && fakeos_random(2) != 0);
		for (k = 0; k < w->nblks; k++, undo += bs) {
			uint8_t *to = m->medium + (w->blk + k) * bs;

			memcpy(undo, to, bs);
			if (how == MEMDEV_CUT_BLOCKS)
				take = fakeos_random(2) != 0;
			if (take)
				memcpy(to, w->data + k * bs, bs);
		}
	}
}

void
memdev_cut(struct memdev *m, enum memdev_cut how, void (*fn)(void *),
    void *arg)
{
	const size_t bs = m->dd.blksize;
	uint8_t *undo, *at;
	size_t i, total = 1;
	uint32_t k;

	for (i = 0; i < m->ncache; i++)
		total += m->cache[i].nblks * bs;
	undo = malloc(total);
	assert_non_null(undo);
	cut_apply(m, how, undo);
	fn(arg);
	at = undo + total - 1;
	for (i = m->ncache; i-- > 0;) {
		const struct memdev_write *w = &m->cache[i];

		for (k = w->nblks; k-- > 0;) {
			at -= bs;
			memcpy(m->medium + (w->blk + k) * bs, at, bs);
		}
	}
	free(undo);
}

/* ---- The driver ---- */

/* Every block is in the window and not in its first page. */
static void
check_gate(const struct memdev *m, uint64_t blk, uint32_t nblks)
{
	const uint64_t bs = m->dd.blksize;
	uint64_t at = 0, k;
	unsigned int i;

	for (i = 0; i < m->next; i++) {
		k = blk - m->ext[i].blk;
		if (blk >= m->ext[i].blk && k < m->ext[i].nblks)
			break;
		at += m->ext[i].nblks * bs;
	}
	if (i == m->next || nblks > m->ext[i].nblks - k ||
	    at + k * bs < KCORE_ALIGN ||
	    at + (k + nblks) * bs > m->window_size)
		fail_msg("write of %u blocks at block %llu", nblks,
		    (unsigned long long)blk);
}

static bool
fault_hits(struct memdev *m, enum dumpdev_op op)
{
	unsigned int nth = ++m->count[op];

	if (m->fault == MEMDEV_NONE || op != m->fault_op || nth < m->fault_nth)
		return false;
	return m->fault_forever || nth <= m->fault_nth + m->fault_also;
}

/* A write that will not go well: how much of it does? */
static uint32_t
fault_part(const struct memdev *m, uint32_t nblks)
{
	if (m->fault_forever || m->fault_also > 0)
		return 0;
	return fakeos_random(nblks + 1);
}

static int
memdev_submit(struct dumpdev *dd, enum dumpdev_op op, unsigned int slot,
    uint64_t blk, uint32_t nblks)
{
	struct memdev *m = (struct memdev *)(void *)dd;
	struct memdev_req *r = &m->req[slot];
	size_t len = (size_t)nblks * dd->blksize, i;
	bool hit;

	assert_false(dd->dead);
	assert_false(r->busy);
	if (op == DUMPDEV_WRITE)
		check_gate(m, blk, nblks);
	hit = fault_hits(m, op);
	if (hit && m->fault == MEMDEV_REFUSE)
		return -EIO;
	*r = (struct memdev_req){ .busy = true, .op = op,
		.copy = r->copy, .due_us = fakeos.now_us + m->latency_us / 2 +
		fakeos_random((uint32_t)m->latency_us + 1) };
	if (hit && m->fault == MEMDEV_FAIL)
		r->status = -EIO;
	if (hit && m->fault == MEMDEV_HANG)
		r->due_us = UINT64_MAX;
	if (hit && (m->fault == MEMDEV_BREAK || m->fault == MEMDEV_GONE))
		m->broken = true;
	if (hit && m->fault == MEMDEV_GONE)
		m->gone = true;
	if (op == DUMPDEV_READ)
		memcpy(dd->slots[slot].buf.va, m->medium + blk * dd->blksize,
		    len);
	if (op == DUMPDEV_WRITE) {
		memcpy(r->copy, dd->slots[slot].buf.va, len);
		cache_add(m, r, blk, hit ? fault_part(m, nblks) : nblks);
	}
	if (op == DUMPDEV_FLUSH)
		for (i = 0; i < m->ncache; i++)
			m->cache[i].flushing = m->cache[i].done;
	if (m->event != NULL && op != DUMPDEV_READ)
		m->event(m->arg);
	return 0;
}

static void
req_answer(struct memdev *m, unsigned int slot)
{
	struct memdev_req *r = &m->req[slot];
	struct dumpdev_slot *s = &m->dd.slots[slot];

	r->busy = false;
	s->status = r->status;
	if (r->op == DUMPDEV_WRITE) {
		if (memcmp(r->copy, s->buf.va,
		    (size_t)s->nblks * m->dd.blksize) != 0)
			fail_msg("slot %u changed in flight", slot);
		cache_done(m, r);
	}
	if (r->op == DUMPDEV_FLUSH && r->status == 0) {
		cache_flushed(m);
		if (m->event != NULL)
			m->event(m->arg);
	}
}

static int
memdev_poll(struct dumpdev *dd)
{
	struct memdev *m = (struct memdev *)(void *)dd;
	unsigned int i;

	assert_false(dd->dead);
	if (m->broken)
		return -EIO;
	for (i = 0; i < dd->nslots; i++)
		if (m->req[i].busy && fakeos.now_us >= m->req[i].due_us)
			req_answer(m, i);
	return 0;
}

static int
memdev_start(struct dumpdev *dd)
{
	struct memdev *m = (struct memdev *)(void *)dd;
	unsigned int i;

	m->nstarts++;
	if (m->broken && m->fault_forever)
		return dumpdev_fail(dd, -EIO, "memdev: broken for good");
	m->broken = false;
	for (i = 0; i < DUMPDEV_MAXSLOTS; i++) {
		if (m->req[i].busy)
			cache_done(m, &m->req[i]);
		m->req[i].busy = false;
	}
	return 0;
}

static int
memdev_stop(struct dumpdev *dd)
{
	((struct memdev *)(void *)dd)->nstops++;
	return 0;
}

static int
memdev_attach(struct dumpdev *dd)
{
	(void)dd;
	return 0;
}

static void
memdev_detach(struct dumpdev *dd)
{
	(void)dd;
}

static const struct dumpdev_ops memdev_ops = {
	.name = "memdev",
	.attach = memdev_attach,
	.detach = memdev_detach,
	.start = memdev_start,
	.submit = memdev_submit,
	.poll = memdev_poll,
	.stop = memdev_stop,
};

/* The drivers that dumpdev.c registers; no test asks for them. */
const struct dumpdev_ops nvme_dumpdev_ops = { .name = "nvme" };
const struct dumpdev_ops vioblk_dumpdev_ops = { .name = "vioblk" };
const struct dumpdev_ops vioscsi_dumpdev_ops = { .name = "vioscsi" };
const struct dumpdev_ops ahci_dumpdev_ops = { .name = "ahci" };

/* ---- Set-up ---- */

void
memdev_init(struct memdev *m, uint64_t nblks, uint32_t blksize,
    unsigned int nslots, uint32_t slot_len)
{
	unsigned int i;

	_Static_assert(offsetof(struct memdev, dd) == 0, "see memdev_submit");
	memset(m, 0, sizeof(*m));
	m->bus = (struct dumpdev_bus){ .ops = &memdev_bus_ops, .cookie = m };
	m->dd.ops = &memdev_ops;
	m->dd.bus = &m->bus;
	m->dd.blksize = blksize;
	m->dd.nblks = nblks;
	m->dd.nslots = nslots;
	m->dd.slot_len = slot_len;
	m->latency_us = 100;
	m->relax_us = 50;
	m->medium = mmap(NULL, nblks * blksize, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(m->medium, MAP_FAILED);
	assert_int_equal(dumpdev_attach(&m->dd), 0);
	for (i = 0; i < nslots; i++) {
		m->req[i].copy = malloc(slot_len);
		assert_non_null(m->req[i].copy);
	}
}

void
memdev_fini(struct memdev *m)
{
	unsigned int i;
	size_t k;

	dumpdev_detach(&m->dd);
	for (i = 0; i < DUMPDEV_MAXSLOTS; i++)
		free(m->req[i].copy);
	for (k = 0; k < m->ncache; k++)
		free(m->cache[k].data);
	free(m->cache);
	munmap(m->medium, m->dd.nblks * m->dd.blksize);
}

void
memdev_allow(struct memdev *m, const struct dump_window *w)
{
	m->ext = w->ext;
	m->next = w->next;
	m->window_size = w->size;
}
