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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clash.h"
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

/* What does not go with what; 'L' is --label, 's' --accept-secrets and 'T'
 * --test. */
static const struct clash clashes[] = {
	{ "a", "deflLsT", "swapcore.conf(5) says what -a arms" },
	{ "T", "defLlsv", "--test makes the kernel panic as it is armed" },
	{ "l", "defLs", "-l only shows what is armed" },
	{ "e", "fLsv", "-e only says what a dump would need" },
	{ "L", "ds", "--label arms nothing" },
	{ NULL, NULL, NULL },
};

static void
parse_option(struct dumpon_opts *opts, int ch)
{
	switch (ch) {
	case 'L':
		opts->label = optarg == NULL ? "" : optarg;
		break;
	case 'T':
		opts->mode = DUMPON_TEST;
		break;
	case 'a':
		opts->mode = DUMPON_CONF;
		break;
	case 'd':
		opts->level = parse_level(optarg);
		break;
	case 'e':
		opts->mode = DUMPON_ESTIMATE;
		break;
	case 'f':
		opts->force = true;
		break;
	case 'l':
		opts->mode = DUMPON_LIST;
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

/* The arguments: devices, or `off'. */
static void
parse_arguments(struct dumpon_opts *opts, char **argv)
{
	const bool one = opts->mode == DUMPON_ESTIMATE || opts->label != NULL;

	if (opts->yes && opts->mode != DUMPON_TEST)
		errx(1, "-y: only --test asks");
	if (argv[0] != NULL && (opts->mode == DUMPON_CONF ||
	    opts->mode == DUMPON_LIST || opts->mode == DUMPON_TEST))
		errx(1, "%s: no device is named with -a, -l or --test",
		    argv[0]);
	if (argv[0] == NULL && opts->mode == DUMPON_ARM)
		usage();
	opts->device = argv[0];
	if (argv[0] == NULL)
		return;
	opts->more = (const char *const *)argv + 1;
	if (opts->mode == DUMPON_ARM && opts->label != NULL)
		opts->mode = DUMPON_LABEL;
	else if (opts->mode == DUMPON_ARM && strcmp(argv[0], "off") == 0)
		opts->mode = DUMPON_OFF;
	if (opts->mode == DUMPON_OFF && (opts->level != -1 ||
	    opts->accept_secrets || argv[1] != NULL))
		errx(1, "off: no device and no option of arming goes with "
		    "that");
	if (one && argv[1] != NULL)
		errx(1, "%s: only one device can be named", argv[1]);
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
	struct clash_options options = {
		.letters = "ad:eflvy",
		.longopts = longopts,
	};
	int ch;

	memset(opts, 0, sizeof(*opts));
	opts->level = -1;
	while ((ch = getopt_long(argc, argv, options.letters, longopts,
	    NULL)) != -1) {
		options.given[(unsigned char)ch] = true;
		parse_option(opts, ch);
	}
	clash_check(&options, clashes);
	parse_arguments(opts, argv + optind);
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
	/* Who started this may have ignored it: nobody could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	if (opts->mode == DUMPON_CONF)
		parse_conf(&parsed);
	r = run(opts);
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return r == 0 ? 0 : 1;
}
