/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_kmsg.c: the running kernel's log, from /dev/kmsg, which gives one record
 * for each read(2); Documentation/ABI/testing/dev-kmsg:
 *
 *	6,339,5140900,-,caller=T1;NET: Registered protocol family 10
 *	 SUBSYSTEM=pci
 *
 * Facility and level, number, microseconds since boot, a flag, then more in
 * later versions; the text; lines that begin with a space say what device it is
 * about, and are no part of the log.  In the text, bytes that are not printable
 * stand as \x1b.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"

#define KMSG_MAX	65536u	/* bytes of a record; PRINTK_MESSAGE_MAX is
				   2048, and was 8192 */

static const char kmsg_path[] = "/dev/kmsg";

/* Turns \x1b into the byte, in place; the length. */
static size_t
kmsg_decode(char *text)
{
	const char *from = text;
	char *to = text, hex[3] = "";

	while (*from != '\0') {
		if (from[0] == '\\' && from[1] == 'x' &&
		    isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3])) {
			memcpy(hex, from + 2, 2);
			*to++ = (char)strtoul(hex, NULL, 16);
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	return (size_t)(to - text);
}

/* caller=T123 or caller=C1 among what stands before the text; 0: not there. */
static uint32_t
kmsg_caller(const char *head)
{
	const char *p = strstr(head, ",caller=");
	uint32_t id;

	if (p == NULL || (p[8] != 'T' && p[8] != 'C'))
		return 0;
	id = (uint32_t)strtoul(p + 9, NULL, 10) & 0x7fffffffu;
	return p[8] == 'C' ? id | 1u << 31 : id;
}

/* Takes a record of len bytes apart; false: it makes no sense. */
static bool
kmsg_record(char *buf, size_t len, struct kvm_logrec *rec)
{
	uint64_t prio, us;
	char *text, *end;
	int at = 0;

	buf[len] = '\0';
	text = strchr(buf, ';');
	if (text == NULL || sscanf(buf, "%" SCNu64 ",%" SCNu64 ",%" SCNu64
	    ",%n", &prio, &rec->kl_seq, &us, &at) != 3 || at == 0 ||
	    buf + at > text || us > UINT64_MAX / 1000 || prio >> 11 != 0)
		return false;
	*text++ = '\0';
	rec->kl_ts_ns = us * 1000;
	rec->kl_level = prio & 7;
	rec->kl_facility = (unsigned int)(prio >> 3);
	rec->kl_caller = kmsg_caller(buf);
	if ((end = strchr(text, '\n')) != NULL)
		*end = '\0';
	rec->kl_text = text;
	rec->kl_len = kmsg_decode(text);
	return true;
}

/* Calls fn for each record up to the end. */
static int
kmsg_each(kvm_t *kd, int fd, char *buf, int (*fn)(void *cookie,
    const struct kvm_logrec *rec), void *cookie)
{
	struct kvm_logrec rec;
	uint64_t next = 0;
	ssize_t n;
	int rv = 0;

	while (rv == 0) {
		n = read(fd, buf, KMSG_MAX);
		if (n == 0 || (n == -1 && errno == EAGAIN))
			break;
		/* EPIPE: overwritten before we came to it. */
		if (n == -1 && (errno == EINTR || errno == EPIPE))
			continue;
		if (n == -1)
			return kvmi_syserr(kd, errno, "%s", kmsg_path);
		memset(&rec, 0, sizeof(rec));
		if (!kmsg_record(buf, (size_t)n, &rec))
			return kvmi_err(kd, EBADMSG, "%s: a record makes no "
			    "sense", kmsg_path);
		if (next != 0 && rec.kl_seq > next)
			rec.kl_lost = rec.kl_seq - next;
		next = rec.kl_seq + 1;
		rv = fn(cookie, &rec);
	}
	return rv;
}

int
kvmi_kmsg_each(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_logrec *rec), void *cookie)
{
	char *buf;
	int fd, rv;

	if (kvmi_live_need(kd) == -1 || (fd = kvmi_live_open(kd, kmsg_path,
	    O_RDONLY | O_NONBLOCK)) == -1)
		return -1;
	if ((buf = malloc(KMSG_MAX + 1)) == NULL)
		rv = kvmi_syserr(kd, ENOMEM, "%s", kmsg_path);
	else
		rv = kmsg_each(kd, fd, buf, fn, cookie);
	free(buf);
	close(fd);
	return rv;
}
