/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_report.c: the page that is read first: all that is to be known of a
 * crash, in order of use.  What can't be told takes one line that says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "text.h"

static int
report_uptime(const struct report *r)
{
	return show_uptime(r->t);
}

/* Whether all of it is there, where that is for the dump to say. */
static int
report_dump(const struct report *r)
{
	char text[80];
	const bool lacks = target_incomplete(r->t, text, sizeof(text));

	if (r->t->js != NULL)
		json_bool(r->t->js, r->t->key, lacks);
	else if (lacks)
		printf("%-10s%s\n", "dump", text);
	return 0;
}

static int
report_modules(const struct report *r)
{
	return show_modules(r->t);
}

/* To add one: write its function and declare it in report.h. */
static const struct report_part {
	const char *key, *title;	/* no title: goes on with what is above */
	int (*run)(const struct report *r);
	bool early;		/* can do with an early record alone */
} parts[] = {
	{ "signature", NULL, report_signature, true },
	{ "incomplete", NULL, report_dump, false },
	{ "crash", NULL, report_uptime, true },
	{ "kernel", NULL, report_kernel, false },
	{ "cpus", "CPUs", report_cpus, false },
	{ "threads", "Threads", report_threads, false },
	{ "blocked", "Blocked threads", report_blocked, false },
	{ "memory", "Memory", report_memory, false },
	{ "top", "Most memory", report_top, false },
	{ "modules", "Modules", report_modules, false },
	{ "log", "End of the log", report_log, true },
};
#define NPARTS	(sizeof(parts) / sizeof(parts[0]))

int
report_why(const struct report *r, const char *why)
{
	char key[32], out[TEXT_ENCODED(REPORT_WHY)];

	if (r->t->js != NULL) {
		snprintf(key, sizeof(key), "%s_error", r->t->key);
		json_string(r->t->js, key, why);
	} else {
		printf("(not known: %s)\n", text_encode(out, sizeof(out), why,
		    REPORT_WHY));
	}
	return 0;
}

static void
report_init(struct report *r, const struct target *t)
{
	memset(r, 0, sizeof(*r));
	r->t = t;
	r->log = log_get(t, r->log_why, sizeof(r->log_why));
	log_panic(t, r->log, r->panic, sizeof(r->panic));
	r->cpu = kernel_panic_cpu(t);
	if (!t->early)
		tasks_get(r);
}

static void
report_part(struct report *r, const struct report_part *part)
{
	struct target t = *r->t;
	const struct target *whole = r->t;
	const unsigned int depth = t.js != NULL ? t.js->depth : 0;

	t.key = part->key;
	r->t = &t;
	if (t.early && !part->early)
		goto out;
	if (t.js == NULL && part->title != NULL)
		printf("\n%s\n", part->title);
	if (part->run(r) == -1) {
		if (t.js != NULL)
			json_unwind(t.js, depth);
		report_why(r, kvm_geterr(t.kd));
	}
out:
	r->t = whole;
}

int
show_report(const struct target *t)
{
	struct report r;
	size_t i;

	report_init(&r, t);
	if (t->js != NULL)
		json_open(t->js, NULL, '{');
	for (i = 0; i < NPARTS; i++)
		report_part(&r, &parts[i]);
	if (t->early && t->js == NULL)
		printf("\nThe dump got no further than its early record: "
		    "nothing else is known.\n");
	if (t->js != NULL)
		json_close(t->js);
	free(r.log);
	free(r.lwps);
	return 0;
}
