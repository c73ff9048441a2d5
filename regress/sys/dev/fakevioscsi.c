/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakevioscsi.c: see fakevioscsi.h.
 */
#include "fakevioscsi.h"

#define REQ_LEN		51u
#define RESP_LEN	108u
#define CDB		19u		/* its place in a request */

#define GOOD		0x00
#define CHECK		0x02
#define TASK_SET_FULL	0x28

/* Sense key, asc and ascq. */
#define NOT_READY	0x020401u
#define WRITE_ERROR	0x030c02u
#define NO_COMMAND	0x052000u
#define ATTENTION	0x062900u

/* fail_status: response << 24 | status << 16, or a sense of CHECK CONDITION. */
#define FAIL_RESPONSE	9u		/* VIRTIO_SCSI_S_FAILURE */

struct request {
	struct fakevirtio_piece p[8];
	unsigned int npieces;
	const uint8_t *head;
	uint8_t *resp;
	unsigned int data;		/* which piece; npieces: none */
};

static uint64_t
be(const uint8_t *p, unsigned int len)
{
	uint64_t v = 0;

	while (len-- > 0)
		v = v << 8 | *p++;
	return v;
}

static void
put_be(uint8_t *p, unsigned int len, uint64_t v)
{
	while (len-- > 0) {
		p[len] = (uint8_t)v;
		v >>= 8;
	}
}

/* Takes a chain apart: request, data out, answer, data in. */
static void
parse(struct fakevioscsi *f, uint16_t head, struct request *r)
{
	struct fakebus *fb = f->v.d.fb;
	unsigned int at = 1;

	r->npieces = fakevirtio_chain(&f->v, head, r->p, 8);
	assert_in_range(r->npieces, 2, 3);
	assert_int_equal(r->p[0].len, REQ_LEN);
	assert_false(r->p[0].devwrites);
	r->head = fakebus_dma(fb, r->p[0].addr, REQ_LEN);
	r->data = r->npieces == 2 ? 2 : r->p[1].devwrites ? 2 : 1;
	if (r->data == 1)
		at = 2;
	assert_int_equal(r->p[at].len, RESP_LEN);
	assert_true(r->p[at].devwrites);
	r->resp = fakebus_dma(fb, r->p[at].addr, RESP_LEN);
}

static bool
is_read(uint8_t op)
{
	return op == 0x28 || op == 0x88;
}

static bool
is_write(uint8_t op)
{
	return op == 0x2a || op == 0x8a;
}

static bool
scsi_counts(struct fakevirtio *v, uint16_t head)
{
	struct fakevioscsi *f = (void *)v;
	struct request r;
	uint8_t op;

	parse(f, head, &r);
	op = r.head[CDB];
	return is_read(op) || is_write(op) || op == 0x35;
}

static void
answer(struct fakevioscsi *f, const struct request *r, uint8_t status,
    uint32_t sense)
{
	uint32_t len = sense == 0 ? 0 : f->desc_sense ? 8 : 18;
	uint8_t *s = r->resp + 12;

	memset(r->resp, 0, RESP_LEN);
	r->resp[10] = status;
	memcpy(r->resp, &len, 4);
	if (len == 8) {
		s[0] = 0x72;
		put_be(s + 1, 3, sense);
	} else if (len == 18) {
		s[0] = 0x70;
		s[2] = (uint8_t)(sense >> 16);
		s[7] = 10;
		put_be(s + 12, 2, sense & 0xffff);
	}
}

static void
move(struct fakevioscsi *f, const struct request *r, bool read)
{
	const uint8_t *cdb = r->head + CDB;
	const bool big = cdb[0] >= 0x80;
	const uint64_t blk = big ? be(cdb + 2, 8) : be(cdb + 2, 4);
	const uint64_t n = big ? be(cdb + 10, 4) : be(cdb + 7, 2);
	const uint64_t len = n * f->v.blk_size;
	uint8_t *disk;
	void *va;

	f->nbig += big;
	assert_true(r->data < r->npieces);
	assert_int_equal(r->p[r->data].len, len);
	assert_int_equal(r->p[r->data].devwrites, read);
	assert_true(f->max_sectors == 0 || len / 512 <= f->max_sectors);
	disk = fakedisk_at(&f->v.d, blk * f->v.blk_size, len);
	va = fakebus_dma(f->v.d.fb, r->p[r->data].addr, len);
	memcpy(read ? va : (void *)disk, read ? (void *)disk : va, len);
	f->v.d.nunflushed += !read;
}

static void
capacity(struct fakevioscsi *f, const struct request *r, bool big)
{
	uint8_t *p;

	assert_true(r->data == 2 && r->data < r->npieces);
	p = fakebus_dma(f->v.d.fb, r->p[2].addr, r->p[2].len);
	if (big) {
		assert_int_equal(r->head[CDB + 1], 0x10);
		assert_int_equal(be(r->head + CDB + 10, 4), r->p[2].len);
		put_be(p, 8, f->nblks - 1);
		put_be(p + 8, 4, f->v.blk_size);
		p[12] = f->prot;
	} else {
		assert_int_equal(r->p[2].len, 8);
		put_be(p, 4, f->nblks > 0xffffffff ? 0xffffffff :
		    f->nblks - 1);
		put_be(p + 4, 4, f->v.blk_size);
	}
}

/* Is there something in the way of any command at all? */
static bool
hindered(struct fakevioscsi *f, const struct request *r)
{
	if (f->no_disk) {
		answer(f, r, GOOD, 0);
		r->resp[11] = 3;	/* VIRTIO_SCSI_S_BAD_TARGET */
	} else if (f->attention > 0) {
		f->attention--;
		answer(f, r, CHECK, ATTENTION);
	} else if (f->v.d.fb->now_us < f->ready_at) {
		answer(f, r, CHECK, NOT_READY);
	} else {
		return false;
	}
	return true;
}

static void
execute(struct fakevioscsi *f, const struct request *r)
{
	const uint8_t op = r->head[CDB];
	uint32_t sense = 0;

	if (is_read(op) || is_write(op)) {
		move(f, r, is_read(op));
	} else if (op == 0x35) {
		assert_int_equal(r->npieces, 2);
		sense = f->no_sync ? NO_COMMAND : 0;
		f->v.d.nflush++;
		f->v.d.nunflushed = 0;
	} else if (op == 0x25 || op == 0x9e) {
		sense = op == 0x9e && f->old ? NO_COMMAND : 0;
		if (sense == 0)
			capacity(f, r, op == 0x9e);
	} else {
		assert_int_equal(op, 0x00);
		assert_int_equal(r->npieces, 2);
	}
	answer(f, r, sense == 0 ? GOOD : CHECK, sense);
	if (f->short_data && is_write(op))
		r->resp[4] = 1;
}

static void
scsi_answer(struct fakevirtio *v, uint16_t head)
{
	static const uint8_t lun[8] = { 1, FAKEVIOSCSI_TARGET,
	    0x40 | FAKEVIOSCSI_LUN >> 8, FAKEVIOSCSI_LUN & 0xff };
	struct fakevioscsi *f = (void *)v;
	const uint32_t fail = v->d.fail_status;
	struct request r;

	parse(f, head, &r);
	assert_memory_equal(r.head, lun, 8);
	assert_int_equal(r.head[16], 0);	/* simple */
	assert_int_equal(r.resp[11], 0xff);	/* no answer yet */
	if (hindered(f, &r)) {
		;
	} else if (scsi_counts(v, head) && fakedisk_fails(&v->d)) {
		answer(f, &r, fail == 0 ? GOOD : fail < 0x100 ?
		    (uint8_t)fail : CHECK, fail < 0x100 ? 0 : fail);
		r.resp[11] = fail == 0 ? FAIL_RESPONSE : 0;
	} else if (v->d.nreq >= f->busy_from && v->d.nreq <= f->busy_to &&
	    scsi_counts(v, head)) {
		answer(f, &r, TASK_SET_FULL, 0);
	} else {
		execute(f, &r);
	}
	fakevirtio_used(v, head, RESP_LEN);
}

static void
scsi_config(const struct fakevirtio *v, uint8_t cfg[64])
{
	const struct fakevioscsi *f = (const void *)v;

	cfg[0] = 4;
	memcpy(cfg + 8, &f->max_sectors, 4);
	memcpy(cfg + 12, &f->cmd_per_lun, 4);
	memcpy(cfg + 20, &f->sense_size, 4);
	memcpy(cfg + 24, &f->cdb_size, 4);
	cfg[30] = 255;
}

static void
fakevioscsi_init(void *fake, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks)
{
	struct fakevioscsi *f = fake;

	fakevirtio_setup(&f->v, fb, blksize, nblks, 0x10481af4);
	f->v.queue = 2;
	f->v.counts = scsi_counts;
	f->v.answer = scsi_answer;
	f->v.config = scsi_config;
	f->v.features |= 7;		/* INOUT, HOTPLUG, CHANGE */
	f->v.taken = f->v.features;
	f->nblks = nblks;
	f->max_sectors = 0xffff;
	f->cmd_per_lun = 128;
	f->sense_size = 96;
	f->cdb_size = 32;
	f->attention = 1;
}

const struct fakedev fakevioscsi_dev = {
	.driver = "virtio-scsi",
	.size = sizeof(struct fakevioscsi),
	.unit = FAKEVIOSCSI_TARGET << 16 | FAKEVIOSCSI_LUN,
	.init = fakevioscsi_init,
	.quiet = fakevirtio_quiet,
	/* No response but failure; reservation conflict; a write error. */
	.failures = { { 0, "response 9" }, { 0x18, "status 0x18" },
	    { WRITE_ERROR, "sense 0x30c02" } },
	.breaks = { "needs a reset", "no sense" },
};
