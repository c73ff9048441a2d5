// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_stream.c: sequential output.  Bytes are gathered in a slot's bounce
 * buffer; a full slot is submitted, and the next one is filled while the device
 * works.  The last slot is kept for records, which go elsewhere.
 *
 * An open slot never crosses an extent: its room ends where the extent does.
 */
#include <kern/dump.h>

static unsigned int
data_slots(const struct dump *d)
{
	return d->dd->nslots - 1;
}

/* Opens the slot that s->slot names at s->off: waits until it is idle. */
static __must_check int
slot_open(struct dump *d)
{
	struct dump_stream *s = &d->s;
	uint64_t blk, left = d->w.size - s->off;
	uint32_t nblks;
	int error;

	error = dumpdev_wait(d->dd, s->slot);
	if (error != 0)
		return error;
	error = dump_window_map(&d->w, s->off,
	    left < d->dd->slot_len ? left : d->dd->slot_len, &blk, &nblks);
	if (error != 0)
		return error;
	s->fill = 0;
	s->room = nblks * d->w.blksize;
	return 0;
}

/* The only way to the disk: page 0 is never written, the gate decides. */
static __must_check int
slot_write(struct dump *d, unsigned int slot, uint64_t off, uint32_t len)
{
	uint64_t blk;
	uint32_t nblks;
	int error;

	if (off < KCORE_ALIGN)
		return -ERANGE;
	error = dump_window_map(&d->w, off, len, &blk, &nblks);
	if (error != 0)
		return error;
	if (nblks * d->w.blksize != len)
		return -ERANGE;
	return dumpdev_submit(d->dd, DUMPDEV_WRITE, slot, blk, nblks);
}

int
dump_stream_open(struct dump *d, uint64_t off)
{
	d->s.off = off;
	d->s.slot = 0;
	d->s.fill = 0;
	d->s.room = 0;
	return 0;
}

int
dump_stream_room(struct dump *d, void **p, uint32_t *len)
{
	struct dump_stream *s = &d->s;
	int error;

	if (s->fill == s->room) {
		error = s->fill > 0 ? dump_stream_push(d) : 0;
		if (error == 0)
			error = slot_open(d);
		if (error != 0)
			return error;
	}
	*p = (uint8_t *)d->dd->slots[s->slot].buf.va + s->fill;
	if (*len > s->room - s->fill)
		*len = s->room - s->fill;
	return 0;
}

void
dump_stream_advance(struct dump *d, uint32_t len)
{
	d->s.fill += len;
}

int
dump_stream_put(struct dump *d, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	uint32_t n;
	void *to;
	int error;

	while (len > 0) {
		n = len < KCORE_ALIGN ? (uint32_t)len : KCORE_ALIGN;
		error = dump_stream_room(d, &to, &n);
		if (error != 0)
			return error;
		memcpy(to, from, n);
		dump_stream_advance(d, n);
		from += n;
		len -= n;
	}
	return 0;
}

int
dump_stream_push(struct dump *d)
{
	struct dump_stream *s = &d->s;
	int error;

	if (s->fill == 0)
		return 0;
	error = slot_write(d, s->slot, s->off, s->fill);
	if (error != 0)
		return error;
	s->off += s->fill;
	s->slot = (s->slot + 1) % data_slots(d);
	s->fill = 0;
	s->room = 0;
	return 0;
}

int
dump_stream_record(struct dump *d, uint64_t off, const void *buf, uint32_t len)
{
	unsigned int slot = data_slots(d);
	int error;

	if (len > KCORE_ALIGN)
		return -EINVAL;
	error = dumpdev_wait(d->dd, slot);
	if (error != 0)
		return error;
	memset(d->dd->slots[slot].buf.va, 0, KCORE_ALIGN);
	memcpy(d->dd->slots[slot].buf.va, buf, len);
	return slot_write(d, slot, off, KCORE_ALIGN);
}
