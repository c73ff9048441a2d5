/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.c: how far it is: a bar on a terminal, once a second; a line now and
 * then in a log.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "savecore.h"

#define PROGRESS_NSEC	1000000000ull
#define PROGRESS_LOG	(30 * PROGRESS_NSEC)	/* between lines */
#define PROGRESS_BAR	20u
#define PROGRESS_MIB	(1u << 20)
#define PROGRESS_MAX_S	359999.0		/* 99:59:59 */

static uint64_t
progress_now(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PROGRESS_NSEC + (uint64_t)ts.tv_nsec;
}

/* "1:02:03", or "2:03". */
static void
progress_time(char *buf, size_t len, double seconds)
{
	const unsigned int s = seconds < PROGRESS_MAX_S ?
	    (unsigned int)(seconds + 0.5) : (unsigned int)PROGRESS_MAX_S;

	if (s >= 3600)
		snprintf(buf, len, "%u:%02u:%02u", s / 3600, s / 60 % 60,
		    s % 60);
	else
		snprintf(buf, len, "%u:%02u", s / 60, s % 60);
}

void
progress_text(char *buf, size_t len, uint64_t done, uint64_t total,
    uint64_t ns)
{
	const double s = (double)ns / (double)PROGRESS_NSEC;
	const double rate = s > 0 ? (double)done / s : 0;
	char left[32] = "?";

	if (rate > 0)
		progress_time(left, sizeof(left), (double)(total - done) / rate);
	snprintf(buf, len, "%.0f%% of %" PRIu64 " MiB, %.0f MiB/s, %s left",
	    total > 0 ? 100.0 * (double)done / (double)total : 100.0,
	    total / PROGRESS_MIB, rate / PROGRESS_MIB, left);
}

void
progress_begin(struct progress *p, const char *path, uint64_t total)
{
	memset(p, 0, sizeof(*p));
	p->path = path;
	p->total = total;
	p->begin_ns = p->last_ns = progress_now();
	p->terminal = isatty(STDERR_FILENO) == 1;
}

static void
progress_bar(struct progress *p, uint64_t done, const char *text)
{
	char bar[PROGRESS_BAR + 1];
	size_t n = (size_t)((double)done / (double)p->total * PROGRESS_BAR);

	memset(bar, '-', PROGRESS_BAR);
	memset(bar, '#', n < PROGRESS_BAR ? n : PROGRESS_BAR);
	bar[PROGRESS_BAR] = '\0';
	/* To the end of the line there may be more of the last one. */
	fprintf(stderr, "\r[%s] %s\033[K", bar, text);
	p->shown = true;
}

void
progress_step(struct progress *p, uint64_t done)
{
	const uint64_t now = progress_now();
	char text[96];

	if (done == 0 || done >= p->total ||
	    now - p->last_ns < (p->terminal ? PROGRESS_NSEC : PROGRESS_LOG))
		return;
	p->last_ns = now;
	progress_text(text, sizeof(text), done, p->total, now - p->begin_ns);
	if (p->terminal)
		progress_bar(p, done, text);
	else
		msg(LOG_INFO, "%s: %s", p->path, text);
}

void
progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
