/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_dmesg.c: the kernel log, as dmesg(1) prints it.
 */
#include <sys/kcore.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashinfo.h"
#include "text.h"

void
dmesg_print(const char *text, size_t len)
{
	char out[TEXT_ENCODED(2)];
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] == '\n' || text[i] == '\t')
			putchar(text[i]);
		else if (text[i] == '\0')
			fputs("\\000", stdout);
		else
			fputs(text_encode(out, sizeof(out), &text[i], 1),
			    stdout);
	if (len > 0 && text[len - 1] != '\n')
		putchar('\n');
}

static int
dmesg_record(void *cookie, const struct kvm_logrec *rec)
{
	const struct target *t = cookie;
	const size_t len = rec->kl_len + 80 * (rec->kl_len + 1);
	char *buf;

	if (t->js != NULL) {
		json_open(t->js, NULL, '{');
		json_number(t->js, "sequence", rec->kl_seq);
		json_number(t->js, "time_ns", rec->kl_ts_ns);
		json_number(t->js, "level", rec->kl_level);
		json_number(t->js, "facility", rec->kl_facility);
		json_number(t->js, "lost_before", rec->kl_lost);
		json_text(t->js, "text", rec->kl_text, rec->kl_len);
		json_close(t->js);
		return 0;
	}
	if (rec->kl_lost != 0)
		printf("(%" PRIu64 " records are %s)\n", rec->kl_lost,
		    target_is_live(t) ? "overwritten" : "not in the dump");
	if ((buf = malloc(len)) == NULL)
		return 1;
	dmesg_print(buf, kvm_log_text(rec, 0, buf, len));
	free(buf);
	return 0;
}

/* The end of the log, which was written before anything slow. */
static int
dmesg_early(const struct target *t)
{
	char *buf = malloc(KCORE_END_AREA);
	ssize_t n = -1;

	if (buf != NULL && (n = kvm_dump_earlylog(t->kd, buf,
	    KCORE_END_AREA)) > 0) {
		if (t->js != NULL) {
			json_open(t->js, NULL, '[');
			json_open(t->js, NULL, '{');
			json_text(t->js, "text", buf, (size_t)n);
			json_close(t->js);
			json_close(t->js);
		} else {
			dmesg_print(buf, (size_t)n);
		}
	}
	free(buf);
	return n > 0 ? 0 : -1;
}

int
show_dmesg(const struct target *t)
{
	int rv;

	if (t->early)
		return dmesg_early(t);
	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	rv = kvm_log(t->kd, dmesg_record, (void *)(uintptr_t)t);
	if (t->js != NULL)
		json_close(t->js);
	return rv == 0 ? 0 : -1;
}
