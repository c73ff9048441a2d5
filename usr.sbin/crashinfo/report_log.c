/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_log.c: the kernel's log, for the report and for what it tells of the
 * crash.
 */
#include <sys/kcore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define LOG_LINES	100u	/* at the end */
#define LOG_PANIC	"Kernel panic - not syncing: "

/* What was written of it before anything slow. */
static char *
log_early(const struct target *t)
{
	char *log = malloc(KCORE_END_AREA + 1);
	ssize_t n = -1;

	if (log != NULL)
		n = kvm_dump_earlylog(t->kd, log, KCORE_END_AREA);
	if (n > 0) {
		log[n] = '\0';
		return log;
	}
	free(log);
	return NULL;
}

char *
log_get(const struct target *t, char *why, size_t len)
{
	size_t i, n = 0;
	char *log;

	log = t->early ? log_early(t) : kvm_dmesg(t->kd, 0, &n);
	if (log == NULL)
		snprintf(why, len, "%s", kvm_geterr(t->kd));
	/* As one string, whatever the dump has in it. */
	for (i = 0; log != NULL && i < n; i++)
		if (log[i] == '\0')
			log[i] = ' ';
	return log;
}

void
log_panic(const struct target *t, const char *log, char *buf, size_t len)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(t->kd);
	const size_t skip = strlen(LOG_PANIC);
	const char *line;
	size_t n;

	buf[0] = '\0';
	if (target_is_live(t))
		return;
	if (t->early)
		snprintf(buf, len, "%.*s", (int)sizeof(t->di.di_panicstr),
		    t->di.di_panicstr);
	else if (h != NULL)
		snprintf(buf, len, "%.*s", (int)sizeof(h->panicstr),
		    h->panicstr);
	if (buf[0] != '\0' || log == NULL)
		return;
	while (log_line(&log, &line, &n))
		if (n > skip && strncmp(line, LOG_PANIC, skip) == 0)
			snprintf(buf, len, "%.*s", n - skip < len ?
			    (int)(n - skip) : (int)len, line + skip);
}

/* Where its last lines begin. */
static const char *
log_tail(const char *log)
{
	const char *p = log + strlen(log);
	unsigned int lines = 0;

	p -= p > log && p[-1] == '\n';
	for (; p > log; p--)
		if (p[-1] == '\n' && ++lines == LOG_LINES)
			break;
	return p;
}

int
report_log(const struct report *r)
{
	const struct target *t = r->t;
	const char *p;
	size_t len;

	if (r->log == NULL)
		return report_why(r, r->log_why);
	p = log_tail(r->log);
	if (t->js == NULL) {
		dmesg_print(p, strlen(p));
		return 0;
	}
	json_open(t->js, t->key, '[');
	for (; *p != '\0'; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		json_text(t->js, NULL, p, len);
	}
	json_close(t->js);
	return 0;
}
