/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashinfo(8): shows what a dead kernel was and did.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashinfo.h"

static const struct show shows[] = {
	{ "bt", show_bt, false, " [-a | -c cpu | pid ...]" },
	{ "dmesg", show_dmesg, true, NULL },
	{ "files", show_files, false, NULL },
	{ "modules", show_modules, false, NULL },
	{ "nm", show_nm, false, NULL },
	{ "ps", show_ps, false, " [-ae]" },
	{ "regs", show_regs, false, NULL },
	{ "report", show_report, true, NULL },
	{ "uptime", show_uptime, true, NULL },
};
#define NSHOWS	(sizeof(shows) / sizeof(shows[0]))

struct options {
	const char *core, *kernel;
	bool json, threads;
};

void
usage(void)
{
	size_t i;

	fprintf(stderr, "usage: crashinfo [-H] [--json] [-M core] "
	    "[-N kernel] [");
	for (i = 0; i < NSHOWS; i++)
		fprintf(stderr, "%s%s%s", shows[i].name,
		    shows[i].args != NULL ? shows[i].args : "",
		    i + 1 < NSHOWS ? " | " : "]\n");
	exit(2);
}

void
wrong(const char *where, const char *what)
{
	warnx("%s: %s", where, what);
	usage();
}

int
next_option(const struct target *t, const char *options)
{
	char what[48];
	int ch;

	/* getopt(3) would name the command as if it were a program: the colon
	 * keeps it silent. */
	ch = getopt(t->argc, t->argv, options);
	if (ch != '?' && ch != ':')
		return ch;
	snprintf(what, sizeof(what), ch == ':' ?
	    "option requires an argument -- '%c'" :
	    "invalid option -- '%c'", optopt);
	wrong(t->argv[0], what);
}

static void
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	memset(o, 0, sizeof(*o));
	while ((ch = getopt_long(argc, argv, "+HM:N:", longs, NULL)) != -1)
		switch (ch) {
		case 'H':
			o->threads = true;
			break;
		case 'M':
			o->core = optarg;
			break;
		case 'N':
			o->kernel = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		default:
			usage();
		}
}

static const struct show *
find_show(const char *name)
{
	size_t i;

	for (i = 0; i < NSHOWS; i++)
		if (strcmp(shows[i].name, name) == 0)
			return &shows[i];
	wrong(name, "no such command");
}

int
main(int argc, char **argv)
{
	struct json js = { .more = false };
	struct target t = { .js = NULL };
	const struct show *show;
	struct options o;
	char lack[80];
	int rv = 0;

	parse(argc, argv, &o);
	t.argc = argc - optind;
	t.argv = argv + optind;
	show = find_show(t.argc > 0 ? t.argv[0] : "report");
	if (o.threads && show->run != show_ps)
		wrong("-H", "only with ps");
	if (t.argc > 1 && show->args == NULL)
		wrong(show->name, "takes no arguments");
	if (o.kernel != NULL && o.core != NULL && strcmp(o.core, "-") == 0)
		wrong("-M -", "goes without -N");
	target_open(&t, o.kernel, o.core);
	if (show->run != show_report &&
	    target_incomplete(&t, lack, sizeof(lack)))
		warnx("%s: the dump is %s", o.core, lack);
	t.threads = o.threads;
	if (o.json)
		t.js = &js;
	if (t.early && !show->early)
		errx(1, "%s: %s: the dump got no further than its early record",
		    o.core, show->name);
	rv = show->run(&t);
	/* Also where that broke off. */
	json_unwind(&js, 0);
	if (js.more)
		putchar('\n');
	if (rv == -1) {
		fflush(stdout);
		warnx("%s", kvm_geterr(t.kd));
		rv = 1;
	}
	if (fflush(stdout) == EOF || ferror(stdout))
		err(1, "standard output");
	if (kvm_close(t.kd) == -1)
		err(1, "close");
	return rv;
}
