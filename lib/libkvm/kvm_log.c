/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_log.c: the kernel log, from printk's ring buffer
 * (kernel/printk/printk_ringbuffer.c, Linux 5.10 and later); kvm_log(3).
 *
 * VMCOREINFO has every offset, so that neither symbols nor types are needed.
 * Three arrays make a ring: descriptors, which say whether a record is whole
 * and where its text is; infos, with its number and time; and the text.  A record's
 * id counts up; its descriptor and info are at id modulo their number.
 *
 * Memory that is not in the dump costs the records in it, not the log.
 * kvm_logbuf.c knows what was there before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"

#define LOG_BITS_MAX	22u	/* descriptors: four million */
#define LOG_TEXT_MAX	31u	/* bits of the text ring's size */

/* The two top bits of a descriptor's state_var; below is the record's id. */
#define LOG_STATE_SHIFT	62
#define LOG_ID_MASK	((1ull << LOG_STATE_SHIFT) - 1)
#define LOG_COMMITTED	1u	/* whole, may grow yet */
#define LOG_FINALIZED	2u
#define LOG_REUSABLE	3u	/* its text has been given up */

/* A position with this bit has no text: printk_ringbuffer.h, NO_LPOS. */
#define LOG_NOTEXT	1u

struct log_layout {
	size_t counter;			/* in atomic_long_t */
	size_t descs, infos, data;	/* in struct printk_ringbuffer: ... */
	size_t count_bits, size_bits, head, tail;
	size_t desc_size, state, begin, next;
	size_t info_size, seq, ts, text_len, caller;
};

struct log_ring {
	struct log_layout l;
	uint64_t descs, infos, text;	/* addresses */
	uint64_t head, tail;		/* ids */
	unsigned int count_bits, size_bits;
	uint8_t *desc, *info;		/* of one record */
};

static int
log_layout(kvm_t *kd, struct log_layout *l)
{
	uint64_t ring, text, lpos, v;
	struct {
		const char *key;
		size_t *to;
		uint64_t *base;		/* added, or NULL */
	} k[] = {
		{ "OFFSET(atomic_long_t.counter)", &l->counter, NULL },
		{ "OFFSET(prb_desc_ring.count_bits)", &l->count_bits, &ring },
		{ "OFFSET(prb_desc_ring.descs)", &l->descs, &ring },
		{ "OFFSET(prb_desc_ring.infos)", &l->infos, &ring },
		{ "OFFSET(prb_desc_ring.head_id)", &l->head, &ring },
		{ "OFFSET(prb_desc_ring.tail_id)", &l->tail, &ring },
		{ "OFFSET(prb_data_ring.size_bits)", &l->size_bits, &text },
		{ "OFFSET(prb_data_ring.data)", &l->data, &text },
		{ "SIZE(prb_desc)", &l->desc_size, NULL },
		{ "OFFSET(prb_desc.state_var)", &l->state, NULL },
		{ "OFFSET(prb_data_blk_lpos.begin)", &l->begin, &lpos },
		{ "OFFSET(prb_data_blk_lpos.next)", &l->next, &lpos },
		{ "SIZE(printk_info)", &l->info_size, NULL },
		{ "OFFSET(printk_info.seq)", &l->seq, NULL },
		{ "OFFSET(printk_info.ts_nsec)", &l->ts, NULL },
		{ "OFFSET(printk_info.text_len)", &l->text_len, NULL },
		{ "OFFSET(printk_info.caller_id)", &l->caller, NULL },
	};
	size_t i;

	if (kvmi_info(kd, "OFFSET(printk_ringbuffer.desc_ring)", &ring) == -1 ||
	    kvmi_info(kd, "OFFSET(printk_ringbuffer.text_data_ring)", &text) ==
	    -1 || kvmi_info(kd, "OFFSET(prb_desc.text_blk_lpos)", &lpos) == -1)
		return -1;
	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		if (kvmi_info(kd, k[i].key, &v) == -1)
			return -1;
		v += k[i].base != NULL ? *k[i].base : 0;
		if (v > KVMI_PAGE)
			return kvmi_err(kd, EBADMSG, "%s is %llu", k[i].key,
			    (unsigned long long)v);
		*k[i].to = (size_t)v;
	}
	l->state += l->counter;
	l->head += l->counter;
	l->tail += l->counter;
	/* What is read of a record lies in its descriptor and info. */
	if (l->state + 8 > l->desc_size || l->begin + 8 > l->desc_size ||
	    l->next + 8 > l->desc_size || l->seq + 8 > l->info_size ||
	    l->ts + 8 > l->info_size || l->text_len + 4 > l->info_size ||
	    l->caller + 4 > l->info_size)
		return kvmi_err(kd, EBADMSG, "VMCOREINFO: records are smaller "
		    "than what is in them");
	return 0;
}

static int
log_open(kvm_t *kd, struct log_ring *r)
{
	uint64_t ptr, prb;
	uint32_t count_bits, size_bits;

	if (log_layout(kd, &r->l) == -1 ||
	    kvmi_info(kd, "SYMBOL(prb)", &ptr) == -1)
		return -1;
	if (kvmi_read(kd, ptr, &prb, 8) == -1 ||
	    kvmi_read(kd, prb + r->l.count_bits, &count_bits, 4) == -1 ||
	    kvmi_read(kd, prb + r->l.size_bits, &size_bits, 4) == -1 ||
	    kvmi_read(kd, prb + r->l.descs, &r->descs, 8) == -1 ||
	    kvmi_read(kd, prb + r->l.infos, &r->infos, 8) == -1 ||
	    kvmi_read(kd, prb + r->l.data, &r->text, 8) == -1 ||
	    kvmi_read(kd, prb + r->l.head, &r->head, 8) == -1 ||
	    kvmi_read(kd, prb + r->l.tail, &r->tail, 8) == -1)
		return -1;
	r->head &= LOG_ID_MASK;
	r->tail &= LOG_ID_MASK;
	if (count_bits > LOG_BITS_MAX || size_bits > LOG_TEXT_MAX ||
	    ((r->head - r->tail) & LOG_ID_MASK) >> count_bits != 0)
		return kvmi_err(kd, EBADMSG, "2^%u records, 2^%u bytes, ids "
		    "0x%llx to 0x%llx", count_bits, size_bits,
		    (unsigned long long)r->tail, (unsigned long long)r->head);
	r->count_bits = count_bits;
	r->size_bits = size_bits;
	r->desc = malloc(r->l.desc_size);
	r->info = malloc(r->l.info_size);
	if (r->desc == NULL || r->info == NULL)
		return kvmi_syserr(kd, ENOMEM, "record");
	return 0;
}

static uint64_t
log_get(const uint8_t *from, size_t at, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, from + at, len);
	return v;
}

/*
 * The text of the record in r->desc, of len bytes.  A block begins with its id.
 * One that would not fit before the end of the ring is at its start instead.
 */
static int
log_text(kvm_t *kd, const struct log_ring *r, char *buf, size_t len)
{
	const uint64_t begin = log_get(r->desc, r->l.begin, 8);
	const uint64_t next = log_get(r->desc, r->l.next, 8);
	const uint64_t size = 1ull << r->size_bits, mask = size - 1;
	uint64_t at = begin & mask, room;

	if ((begin & LOG_NOTEXT) != 0 || (next & LOG_NOTEXT) != 0)
		return 0;
	if (begin >> r->size_bits == (next - 1) >> r->size_bits) {
		room = next - begin;
	} else if ((begin >> r->size_bits) + 1 == (next - 1) >> r->size_bits) {
		at = 0;
		room = ((next - 1) & mask) + 1;
	} else {
		return kvmi_err(kd, EBADMSG, "a text from 0x%llx to 0x%llx",
		    (unsigned long long)begin, (unsigned long long)next);
	}
	if (room < 8)
		return 0;
	if (len > room - 8)
		len = (size_t)(room - 8);
	if (kvmi_read(kd, r->text + at + 8, buf, len) == -1)
		return -1;
	return (int)len;
}

enum log_found { LOG_RECORD, LOG_NONE, LOG_LOST };

/* Reads a record.  LOG_NONE: nothing is missed; LOG_LOST: it can't be read. */
static enum log_found
log_record(kvm_t *kd, const struct log_ring *r, uint64_t id,
    struct kvm_logrec *rec, char *buf)
{
	const uint64_t i = id & ((1ull << r->count_bits) - 1);
	const struct log_layout *l = &r->l;
	uint64_t state;
	int len;

	if (kvmi_read(kd, r->descs + i * l->desc_size, r->desc, l->desc_size) ==
	    -1)
		return LOG_LOST;
	state = log_get(r->desc, l->state, 8);
	/* The newest one may not be whole yet. */
	if ((state & LOG_ID_MASK) != id)
		return id == r->head ? LOG_NONE : LOG_LOST;
	state >>= LOG_STATE_SHIFT;
	if (state != LOG_COMMITTED && state != LOG_FINALIZED)
		return state == LOG_REUSABLE || id == r->head ? LOG_NONE :
		    LOG_LOST;
	if (kvmi_read(kd, r->infos + i * l->info_size, r->info, l->info_size) ==
	    -1)
		return LOG_LOST;
	rec->kl_seq = log_get(r->info, l->seq, 8);
	rec->kl_ts_ns = log_get(r->info, l->ts, 8);
	rec->kl_caller = (uint32_t)log_get(r->info, l->caller, 4);
	/* Behind the length: facility, then 5 bits of flags and 3 of level. */
	rec->kl_facility = r->info[l->text_len + 2];
	rec->kl_level = r->info[l->text_len + 3] >> 5;
	len = log_text(kd, r, buf, log_get(r->info, l->text_len, 2));
	if (len == -1)
		return LOG_LOST;
	rec->kl_text = buf;
	rec->kl_len = (size_t)len;
	return LOG_RECORD;
}

/* Calls fn for each record that can be read. */
static int
log_each(kvm_t *kd, const struct log_ring *r,
    int (*fn)(void *cookie, const struct kvm_logrec *rec), void *cookie)
{
	static const size_t max = UINT16_MAX;
	struct kvm_logrec rec = { .kl_lost = 0 };
	uint64_t id = r->tail;
	char *buf = malloc(max + 1);
	int rv = 0;

	if (buf == NULL)
		return kvmi_syserr(kd, ENOMEM, "text");
	for (; rv == 0; id = (id + 1) & LOG_ID_MASK) {
		switch (log_record(kd, r, id, &rec, buf)) {
		case LOG_RECORD:
			rv = fn(cookie, &rec);
			rec.kl_lost = 0;
			break;
		case LOG_LOST:
			rec.kl_lost++;
			break;
		default:
			break;
		}
		if (id == r->head)
			break;
	}
	free(buf);
	return rv;
}

int
kvm_log(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_logrec *rec),
    void *cookie)
{
	struct log_ring r = { .desc = NULL };
	int rv = -1;

	if (kd->live != NULL) {
		rv = kvmi_kmsg_each(kd, fn, cookie);
	} else if (kvmi_need_header(kd) == 0) {
		if (kvmi_info_has(kd, "SIZE(printk_log)"))
			rv = kvmi_logbuf(kd, fn, cookie);
		else if (log_open(kd, &r) == 0)
			rv = log_each(kd, &r, fn, cookie);
		if (rv == -1)
			kvmi_prepend(kd, "kernel log");
	}
	if (rv == -1)
		kvmi_report(kd);
	free(r.desc);
	free(r.info);
	return rv;
}
