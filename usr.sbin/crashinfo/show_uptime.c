/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_uptime.c: which kernel it is or was, how long it ran and why it ended.
 */
#include <sys/kcore.h>
#include <sys/utsname.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "text.h"

#define UPTIME_DAY	86400

/* What is known; without a header, only some of it. */
struct uptime {
	const char *release, *version, *panic;
	size_t release_len, version_len, panic_len;
	uint64_t time_ns;
	struct timespec up;
	bool have_up, live;
	double load[3];
	bool have_load;
};

static void
uptime_json(struct json *js, const char *key, const struct uptime *u)
{
	unsigned int i;

	json_open(js, key, '{');
	json_text(js, "release", u->release,
	    strnlen(u->release, u->release_len));
	if (u->version != NULL)
		json_text(js, "version", u->version,
		    strnlen(u->version, u->version_len));
	if (u->live)
		json_null(js, "panic");
	else
		json_text(js, "panic", u->panic,
		    strnlen(u->panic, u->panic_len));
	if (u->time_ns != 0)
		json_number(js, "time_ns", u->time_ns);
	else
		json_null(js, "time_ns");
	if (u->have_up)
		json_number(js, "uptime_ns", (uint64_t)u->up.tv_sec *
		    1000000000 + (uint64_t)u->up.tv_nsec);
	else
		json_null(js, "uptime_ns");
	if (u->have_load) {
		json_open(js, "load", '[');
		for (i = 0; i < 3; i++)
			json_real(js, NULL, u->load[i]);
		json_close(js);
	} else {
		json_null(js, "load");
	}
	json_close(js);
}

static void
uptime_line(const char *what, const char *text, size_t len)
{
	char out[TEXT_ENCODED(512)];

	printf("%-10s%s\n", what, text_encode(out, sizeof(out), text, len));
}

static void
uptime_print(const struct uptime *u)
{
	const time_t when = (time_t)(u->time_ns / 1000000000);
	const time_t s = u->up.tv_sec;
	char text[64] = "?";
	struct tm tm;

	uptime_line("release", u->release, u->release_len);
	if (u->version != NULL)
		uptime_line("version", u->version, u->version_len);
	if (!u->live)
		uptime_line("panic", u->panic, u->panic_len);
	if (localtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%F %T %z", &tm);
	/* Not every core tells. */
	if (u->time_ns != 0)
		uptime_line(u->live ? "now" : "died", text, sizeof(text));
	if (u->have_up) {
		snprintf(text, sizeof(text), "%jd days %02d:%02d:%02d.%03ld",
		    (intmax_t)(s / UPTIME_DAY), (int)(s % UPTIME_DAY / 3600),
		    (int)(s % 3600 / 60), (int)(s % 60),
		    u->up.tv_nsec / 1000000);
		uptime_line("uptime", text, sizeof(text));
	}
	if (u->have_load) {
		snprintf(text, sizeof(text), "%.2f %.2f %.2f", u->load[0],
		    u->load[1], u->load[2]);
		uptime_line("load", text, sizeof(text));
	}
}

/* Of the running system: 0, or -1. */
static int
uptime_running(const struct target *t, struct uptime *u, struct utsname *uts)
{
	struct timespec now;

	u->release = kvm_release(t->kd);
	if (u->release == NULL || kvm_uptime(t->kd, &u->up, &now) == -1)
		return -1;
	u->live = true;
	u->release_len = strlen(u->release);
	u->time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (uname(uts) == 0) {
		u->version = uts->version;
		u->version_len = sizeof(uts->version);
	}
	return 0;
}

/* Cores of other formats have it in the log alone. */
static void
uptime_panic(const struct target *t, char *buf, size_t len)
{
	char why[REPORT_WHY], *log = log_get(t, why, sizeof(why));

	log_panic(t, log, buf, len);
	free(log);
}

int
show_uptime(const struct target *t)
{
	struct uptime u = { .have_up = !t->early };
	const struct cpu_kcore_hdr *h;
	char panic[REPORT_PANIC];
	struct utsname uts;

	if (target_is_live(t)) {
		if (uptime_running(t, &u, &uts) == -1)
			return -1;
	} else if (t->early) {
		u.release = t->di.di_release;
		u.release_len = sizeof(t->di.di_release);
		u.panic = t->di.di_panicstr;
		u.panic_len = sizeof(t->di.di_panicstr);
		u.time_ns = t->di.di_time_ns;
	} else {
		if ((h = kvm_dump_hdr(t->kd)) == NULL ||
		    kvm_uptime(t->kd, &u.up, NULL) == -1)
			return -1;
		/* Other programs' cores do not tell. */
		u.have_up = u.up.tv_sec != 0 || u.up.tv_nsec != 0;
		u.release = h->release;
		u.release_len = sizeof(h->release);
		u.version = h->osversion;
		u.version_len = sizeof(h->osversion);
		u.panic = h->panicstr;
		u.panic_len = sizeof(h->panicstr);
		if (u.panic[0] == '\0') {
			uptime_panic(t, panic, sizeof(panic));
			u.panic = panic;
		}
		u.time_ns = h->panic_time_ns;
	}
	u.have_load = !t->early && kvm_getloadavg(t->kd, u.load, 3) == 3;
	if (t->js != NULL)
		uptime_json(t->js, t->key, &u);
	else
		uptime_print(&u);
	return 0;
}
