// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_record.c: trailers, early record, checksum pages.  Each carries arm id
 * and dump id and its own checksum, and is one page, so that a reader can tell
 * a whole one from a torn, an old or a forged one.
 */
#include <kern/dump.h>

void
dump_record_begin(struct dump *d, const char *panicstr)
{
	kcore_trailer_t *t = &d->trailer;

	strscpy(d->hdr.panicstr, panicstr, sizeof(d->hdr.panicstr));
	memset(t, 0, sizeof(*t));
	t->seq = d->seq_begin;
	t->device_index = d->hdr.device_index;
	t->magic = KCORE_TRAILER_MAGIC;
	t->version = KCORE_VERSION;
	t->size = sizeof(*t);
	memcpy(t->arm_id, d->hdr.arm_id, KCORE_IDLEN);
	memcpy(t->dump_id, d->hdr.dump_id, KCORE_IDLEN);
	t->window_size = d->w.size;
	t->panic_time_ns = d->hdr.panic_time_ns;
	t->machine = d->hdr.machine;
	t->dump_level = d->level;
	t->nparts = 1;
	memcpy(t->release, d->hdr.release, sizeof(t->release));
	memcpy(t->panicstr, d->hdr.panicstr, sizeof(t->panicstr));

	memset(&d->ck, 0, sizeof(d->ck));
	d->ck.magic = KCORE_CKSUM_MAGIC;
	d->ck.version = KCORE_VERSION;
	memcpy(d->ck.arm_id, d->hdr.arm_id, KCORE_IDLEN);
	memcpy(d->ck.dump_id, d->hdr.dump_id, KCORE_IDLEN);
	d->ck_set = 1;
	d->ck_owed = false;
}

/* Fills the first page of the early record; notes and log follow it in buf. */
static void
early_fill(const struct dump *d, kcore_early_t *e, uint32_t notes_size,
    size_t log_size)
{
	memset(e, 0, sizeof(*e));
	e->magic = KCORE_EARLY_MAGIC;
	e->version = KCORE_VERSION;
	e->size = sizeof(*e);
	memcpy(e->arm_id, d->hdr.arm_id, KCORE_IDLEN);
	memcpy(e->dump_id, d->hdr.dump_id, KCORE_IDLEN);
	e->panic_time_ns = d->hdr.panic_time_ns;
	e->uptime_ns = d->hdr.uptime_ns;
	e->machine = d->hdr.machine;
	e->ncpus = d->hdr.ncpus;
	e->panic_cpu = d->hdr.panic_cpu;
	e->panic_tid = d->hdr.panic_tid;
	e->notes_off = sizeof(*e);
	e->notes_size = notes_size;
	e->log_off = e->notes_off + e->notes_size;
	e->log_size = (uint32_t)log_size;
	memcpy(e->panic_comm, d->hdr.panic_comm, sizeof(e->panic_comm));
	memcpy(e->release, d->hdr.release, sizeof(e->release));
	memcpy(e->osversion, d->hdr.osversion, sizeof(e->osversion));
	memcpy(e->nodename, d->hdr.nodename, sizeof(e->nodename));
	memcpy(e->panicstr, d->hdr.panicstr, sizeof(e->panicstr));
	e->body_cksum = md_xxh64((const uint8_t *)e + sizeof(*e),
	    notes_size + log_size);
	e->cksum = md_xxh64(e, sizeof(*e));
}

int
dump_record_early(struct dump *d)
{
	kcore_early_t *e = (kcore_early_t *)d->early_buf;
	uint32_t notes_size = d->notes_size;
	size_t used, log_size, size;
	int error;

	/* The notes of very many CPUs are in the CPU segment alone: the log
	 * is worth more here. */
	if (notes_size > DUMP_EARLY_BUF / 2)
		notes_size = 0;
	memcpy(d->early_buf + sizeof(*e), d->notes, notes_size);
	used = sizeof(*e) + notes_size;
	log_size = md_log_tail(d->early_buf + used, DUMP_EARLY_BUF - used);
	early_fill(d, e, notes_size, log_size);
	used += log_size;
	size = (used + KCORE_ALIGN - 1) / KCORE_ALIGN * KCORE_ALIGN;
	memset(d->early_buf + used, 0, size - used);

	dump_layout_fixed(&d->l, d->w.size);
	error = dump_stream_open(d, d->l.early_off);
	if (error == 0)
		error = dump_stream_put(d, d->early_buf, size);
	if (error == 0)
		error = dump_stream_push(d);
	if (error == 0)
		error = dumpdev_flush(d->dd);
	if (error != 0)
		return error;
	d->trailer.early_off = d->l.early_off;
	d->trailer.early_size = size;
	return 0;
}

int
dump_record_trailer(struct dump *d, uint32_t state, int error)
{
	kcore_trailer_t *t = &d->trailer;
	int werror;

	t->seq++;
	t->state = state;
	t->error = (uint32_t)-error;
	t->cksum = 0;
	t->cksum = md_xxh64(t, sizeof(*t));
	werror = dump_stream_record(d, d->l.trailer_off[t->seq & 1], t,
	    sizeof(*t));
	if (werror == 0)
		werror = dumpdev_flush(d->dd);
	/* Its slot may be torn: the next one goes there, not to the other. */
	if (werror != 0)
		t->seq--;
	return werror;
}

void
dump_record_late(struct dump *d, kpaddr_t pa, uint64_t len)
{
	kcore_trailer_t *t = &d->trailer;
	bool grows = t->nlate > 0 && d->late_end == pa;

	d->late_end = pa + len;
	if (grows) {
		if (t->late_lost == 0)
			t->late[t->nlate - 1].size += len;
		return;
	}
	if (t->nlate == KCORE_LATE_MAX) {
		t->late_lost++;
		return;
	}
	t->late[t->nlate++] = (kcore_exclseg_t){
		.start = pa, .size = len, .kind = KCORE_EXCL_UNREADABLE };
}

/*
 * Writes a checksum page into one of the two sets of them.  A trailer speaks of
 * one set; a page of it that is not full must not be written again while that
 * trailer is in force, because a torn write would cost the sums it has.
 */
static __must_check int
sums_write(struct dump *d, kcore_ckpage_t *ck, unsigned int set)
{
	ck->cksum = 0;
	ck->cksum = md_xxh64(ck, sizeof(*ck));
	return dump_stream_record(d, d->l.cksum_off + set * d->l.cksum_size +
	    (uint64_t)ck->index * sizeof(*ck), ck, sizeof(*ck));
}

int
dump_record_checkpoint(struct dump *d, uint32_t state)
{
	kcore_trailer_t *t = &d->trailer;
	const unsigned int set = !d->ck_set;
	int error = 0;

	if (d->ck.count > 0)
		error = sums_write(d, &d->ck, set);
	if (error == 0)
		error = dumpdev_flush(d->dd);
	if (error != 0)
		return error;
	t->data_valid = d->data_done;
	t->cksum_valid = (uint64_t)d->ck.index * KCORE_CKSUM_PER_PAGE +
	    d->ck.count;
	t->cksum_off = d->l.cksum_off + set * d->l.cksum_size;
	error = dump_record_trailer(d, state, 0);
	if (error != 0)
		return error;
	d->ck_set = set;
	if (!d->ck_owed || state != KCORE_STATE_INPROGRESS)
		return 0;
	d->ck_owed = false;
	return sums_write(d, &d->ck_full, !set);
}

int
dump_record_sum(struct dump *d, uint64_t sum)
{
	kcore_ckpage_t *ck = &d->ck;
	int error;

	ck->sums[ck->count++] = sum;
	if (ck->count < KCORE_CKSUM_PER_PAGE)
		return 0;
	/* Full: into both sets, one of them perhaps later. */
	error = sums_write(d, ck, !d->ck_set);
	if (d->trailer.cksum_valid >
	    (uint64_t)ck->index * KCORE_CKSUM_PER_PAGE) {
		d->ck_full = *ck;
		d->ck_owed = true;
	} else if (error == 0) {
		error = sums_write(d, ck, d->ck_set);
	}
	ck->index++;
	ck->count = 0;
	memset(ck->sums, 0, sizeof(ck->sums));
	return error;
}
