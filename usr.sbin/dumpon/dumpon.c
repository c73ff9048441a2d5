/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpon.c: dumpon(8), choose the device that a crash dump goes to.
 *
 * The module swapcore does the work; this program picks and checks the device,
 * and hands its place over as text.  See dump(4).
 */
#include <ctype.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "dumpon.h"

__attribute__((noreturn)) static void
usage(void)
{
	fprintf(stderr,
	    "usage: dumpon -a [-v]\n"
	    "       dumpon [-fv] [-d level] [--accept-secrets] device ...\n"
	    "       dumpon [-f] --label[=text] device\n"
	    "       dumpon -e [-d level] [device]\n"
	    "       dumpon off\n"
	    "       dumpon -l [-v]\n"
	    "       dumpon --test [-y]\n");
	exit(1);
}

static int
parse_level(const char *arg)
{
	char *end;
	unsigned long level;

	level = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)arg[0]) || *end != '\0' ||
	    level > KCORE_LEVEL_MAX)
		errx(1, "-d %s: a dump level is a number from 0 to %u", arg,
		    KCORE_LEVEL_MAX);
	return (int)level;
}

static void
complain(const char *text)
{
	warnx("%s", text);
}

/* -a: what swapcore.conf(5) says. */
static void
parse_conf(struct dumpon_opts *opts)
{
	static struct conf conf;

	if (conf_read(&conf, complain) == -1)
		errx(1, "nothing is armed until that is put right");
	opts->accept_secrets = conf.accept_secrets;
	opts->device = conf.devices[0];
	opts->more = conf.devices + 1;
	opts->any = true;
	opts->level = conf.level;
}

/* Which mode is it, and do the options go with it? */
static void
parse_mode(struct dumpon_opts *opts, bool all, bool list, char **argv)
{
	bool arming = opts->level != -1 || opts->accept_secrets;

	if (opts->mode == DUMPON_TEST) {
		if (argv[0] != NULL || arming || all || list || opts->force ||
		    opts->verbose || opts->label != NULL)
			usage();
		return;
	}
	if (opts->yes)
		usage();
	if (all) {
		if (argv[0] != NULL || opts->mode == DUMPON_ESTIMATE ||
		    arming || opts->force || list || opts->label != NULL)
			usage();
		opts->mode = DUMPON_CONF;
		return;
	}
	if (list) {
		if (argv[0] != NULL || opts->mode == DUMPON_ESTIMATE ||
		    arming || opts->force || opts->label != NULL)
			usage();
		opts->mode = DUMPON_LIST;
		return;
	}
	if (opts->mode == DUMPON_ESTIMATE) {
		if ((argv[0] != NULL && argv[1] != NULL) || opts->force ||
		    opts->accept_secrets || opts->verbose ||
		    opts->label != NULL)
			usage();
		opts->device = argv[0];
		return;
	}
	if (argv[0] == NULL)
		usage();
	opts->device = argv[0];
	opts->more = (const char *const *)argv + 1;
	opts->mode = DUMPON_ARM;
	if (opts->label != NULL)
		opts->mode = DUMPON_LABEL;
	else if (strcmp(opts->device, "off") == 0)
		opts->mode = DUMPON_OFF;
	if (opts->mode != DUMPON_ARM && (arming || argv[1] != NULL))
		usage();
}

/* -e and --test: one of them. */
static void
choose(struct dumpon_opts *opts, enum dumpon_mode mode)
{
	if (opts->mode != DUMPON_ARM && opts->mode != mode)
		usage();
	opts->mode = mode;
}

static void
parse(struct dumpon_opts *opts, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "accept-secrets", no_argument, NULL, 's' },
		{ "force", no_argument, NULL, 'f' },
		{ "label", optional_argument, NULL, 'L' },
		{ "test", no_argument, NULL, 'T' },
		{ "yes", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	bool all = false, list = false;
	int ch;

	memset(opts, 0, sizeof(*opts));
	opts->level = -1;
	while ((ch = getopt_long(argc, argv, "ad:eflvy", longopts, NULL)) != -1) {
		switch (ch) {
		case 'L':
			opts->label = optarg == NULL ? "" : optarg;
			break;
		case 'T':
			choose(opts, DUMPON_TEST);
			break;
		case 'a':
			all = true;
			break;
		case 'd':
			opts->level = parse_level(optarg);
			break;
		case 'e':
			choose(opts, DUMPON_ESTIMATE);
			break;
		case 'f':
			opts->force = true;
			break;
		case 'l':
			list = true;
			break;
		case 's':
			opts->accept_secrets = true;
			break;
		case 'v':
			opts->verbose = true;
			break;
		case 'y':
			opts->yes = true;
			break;
		default:
			usage();
		}
	}
	parse_mode(opts, all, list, argv + optind);
}

static int
run(const struct dumpon_opts *opts)
{
	switch (opts->mode) {
	case DUMPON_LIST:
		status_list(opts);
		last_tell();
		if (opts->verbose)
			disks_list();
		return 0;
	case DUMPON_ESTIMATE:
		return estimate(opts);
	case DUMPON_LABEL:
		return dumpon_label(opts);
	case DUMPON_OFF:
		return caps_check() == -1 ? -1 : dumpon_off(opts);
	case DUMPON_CONF:
		return caps_check() == -1 ? -1 : auto_arm(opts);
	case DUMPON_TEST:
		return caps_check() == -1 ? -1 : trial(opts);
	case DUMPON_ARM:
		break;
	}
	return caps_check() == -1 ? -1 : dumpon_arm(opts);
}

int
main(int argc, char **argv)
{
	struct dumpon_opts parsed;
	const struct dumpon_opts *opts = &parsed;
	int r;

	parse(&parsed, argc, argv);
	if (opts->mode == DUMPON_CONF)
		parse_conf(&parsed);
	r = run(opts);
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return r == 0 ? 0 : 1;
}
