/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_logbuf.c: the kernel log as it was before Linux 5.10 (since 3.11): records
 * one behind the other in log_buf[], each a struct printk_log with its text and
 * more; kvm_log(3).
 *
 * log_first_idx is the offset of the oldest, log_next_idx that behind the newest.
 * A record with the length 0 says that the next one is at the start of log_buf[].
 * Where one can't be read, nobody knows where those behind it are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_symbols.h"

#define LOGBUF_MAX	(1u << 30)	/* bytes of log_buf[] */
#define LOGBUF_REC_MAX	KVMI_PAGE	/* of struct printk_log */

struct logbuf {
	/* In struct printk_log, and its size; caller 0: none. */
	size_t ts, len, text_len, dict_len, caller, size;
	uint64_t buf;			/* address */
	uint32_t buf_len, first, next;
};

static int
logbuf_layout(kvm_t *kd, struct logbuf *b)
{
	const struct {
		const char *key;
		size_t *to, bytes;	/* that are read there */
	} k[] = {
		{ "SIZE(printk_log)", &b->size, 0 },
		{ "OFFSET(printk_log.ts_nsec)", &b->ts, 8 },
		{ "OFFSET(printk_log.len)", &b->len, 2 },
		{ "OFFSET(printk_log.text_len)", &b->text_len, 2 },
		/* Behind it: facility, then 5 bits of flags and 3 of level. */
		{ "OFFSET(printk_log.dict_len)", &b->dict_len, 4 },
		{ "OFFSET(printk_log.caller_id)", &b->caller, 4 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		if (k[i].to == &b->caller && !kvmi_info_has(kd, k[i].key))
			continue;
		if (kvmi_info(kd, k[i].key, &v) == -1)
			return -1;
		*k[i].to = (size_t)v;
		if (v > LOGBUF_REC_MAX || v + k[i].bytes > b->size)
			return kvmi_err(kd, EBADMSG, "%s is %llu", k[i].key,
			    (unsigned long long)v);
	}
	return 0;
}

static int
logbuf_open(kvm_t *kd, struct logbuf *b)
{
	uint64_t buf, len, first, next;

	if (logbuf_layout(kd, b) == -1 ||
	    kvmi_info(kd, "SYMBOL(log_buf)", &buf) == -1 ||
	    kvmi_info(kd, "SYMBOL(log_buf_len)", &len) == -1 ||
	    kvmi_info(kd, "SYMBOL(log_first_idx)", &first) == -1 ||
	    kvmi_info(kd, "SYMBOL(log_next_idx)", &next) == -1 ||
	    kvmi_read(kd, buf, &b->buf, 8) == -1 ||
	    kvmi_read(kd, len, &b->buf_len, 4) == -1 ||
	    kvmi_read(kd, first, &b->first, 4) == -1 ||
	    kvmi_read(kd, next, &b->next, 4) == -1)
		return -1;
	if (b->buf_len <= LOGBUF_MAX && b->first <= b->buf_len &&
	    b->next <= b->buf_len)
		return 0;
	return kvmi_err(kd, EBADMSG, "%u bytes, records from %u to %u",
	    b->buf_len, b->first, b->next);
}

static uint64_t
logbuf_get(const uint8_t *from, size_t at, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, from + at, len);
	return v;
}

/* Reads the record at offset `at': its length, 0: go to the start; -1. */
static int
logbuf_record(kvm_t *kd, const struct logbuf *b, uint32_t at,
    struct kvm_logrec *rec, uint8_t *head, char *text)
{
	size_t len, text_len;

	if (b->buf_len - at < b->size)
		return kvmi_err(kd, EBADMSG, "a record at %u of %u bytes", at,
		    b->buf_len);
	if (kvmi_read(kd, b->buf + at, head, b->size) == -1)
		return -1;
	len = logbuf_get(head, b->len, 2);
	text_len = logbuf_get(head, b->text_len, 2);
	if (len == 0)
		return 0;
	if (len < b->size + text_len || len > b->buf_len - at)
		return kvmi_err(kd, EBADMSG, "a record at %u of %u bytes: %zu "
		    "bytes, %zu of text", at, b->buf_len, len, text_len);
	if (kvmi_read(kd, b->buf + at + b->size, text, text_len) == -1)
		return -1;
	rec->kl_ts_ns = logbuf_get(head, b->ts, 8);
	rec->kl_facility = head[b->dict_len + 2];
	rec->kl_level = head[b->dict_len + 3] >> 5;
	rec->kl_caller = b->caller == 0 ? 0 :
	    (uint32_t)logbuf_get(head, b->caller, 4);
	rec->kl_text = text;
	rec->kl_len = text_len;
	return (int)len;
}

static int
logbuf_each(kvm_t *kd, const struct logbuf *b, uint64_t seq,
    int (*fn)(void *cookie, const struct kvm_logrec *rec), void *cookie,
    uint8_t *head, char *text)
{
	struct kvm_logrec rec = { .kl_seq = seq };
	/* All of log_buf[] at most, in the order of the records. */
	uint64_t left = b->buf_len;
	uint32_t at = b->first;
	int len, rv = 0;

	while (rv == 0 && at != b->next) {
		len = logbuf_record(kd, b, at, &rec, head, text);
		if (len == -1)
			return -1;
		if (len == 0) {
			len = (int)(b->buf_len - at);
		} else {
			rv = fn(cookie, &rec);
			rec.kl_seq++;
		}
		if ((uint64_t)len > left)
			return kvmi_err(kd, EBADMSG, "records do not end");
		left -= (uint64_t)len;
		at = (at + (uint32_t)len) % b->buf_len;
	}
	return rv;
}

/* The number of the oldest record; 0 where that is not known. */
static uint64_t
logbuf_first_seq(kvm_t *kd)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	uint64_t va, seq;
	char type;

	if (ks != NULL &&
	    kvmi_kallsyms_lookup(ks, "log_first_seq", &type, &va) &&
	    kvmi_read(kd, va, &seq, sizeof(seq)) == 0)
		return seq;
	return 0;
}

int
kvmi_logbuf(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_logrec *rec),
    void *cookie)
{
	struct logbuf b = { .size = LOGBUF_REC_MAX };
	uint8_t *head;
	char *text;
	int rv;

	if (logbuf_open(kd, &b) == -1)
		return -1;
	head = malloc(b.size + 1);
	text = malloc(UINT16_MAX + 1);
	if (head == NULL || text == NULL)
		rv = kvmi_syserr(kd, ENOMEM, "text");
	else
		rv = logbuf_each(kd, &b, logbuf_first_seq(kd), fn, cookie,
		    head, text);
	free(head);
	free(text);
	return rv;
}
