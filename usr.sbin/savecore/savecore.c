/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savecore.c: savecore(8), save the dump of a kernel that died.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "clash.h"
#include "conf.h"
#include "savecore.h"

_Static_assert(SAVECORE_LEVELS == CONF_LEVELS, "levels");

#define SAVECORE_DIR	"/var/crash"

__attribute__((noreturn)) static void
usage(void)
{
	fprintf(stderr,
	    "usage: savecore -a [-v] [-D device]\n"
	    "       savecore [-fkvz] [-D device] [-d level,...] [-F format] "
	    "[-m maxdumps]\n"
	    "           [-N system] [-Z level] [--json] [--wipe] "
	    "[--zstd[=level]] [directory]\n"
	    "       savecore [-fvz] [-D device] [-d level,...] [-F format] "
	    "[-Z level]\n"
	    "           [--zstd[=level]] -o file [core]\n"
	    "       savecore -c [-v] [-D device] [-N system] [--wipe]\n"
	    "       savecore -C | -n [-v] [-D device] [-N system]\n"
	    "       savecore --finish [-v]\n");
	exit(1);
}

static const struct outformat *
parse_format(const char *name)
{
	const struct outformat *format = outformat_find(name);

	if (format == NULL)
		errx(1, "-F %s: there is no such format: see savecore(8)",
		    name);
	return format;
}

/* What an option has: a number from min to max. */
static int
parse_number(const char *option, const char *text, int min, int max)
{
	char *end;
	const long n = strtol(text, &end, 10);

	if (!isdigit((unsigned char)text[0]) || *end != '\0' || n < min ||
	    n > max)
		errx(1, "%s: `%s' is not a number from %d to %d", option, text,
		    min, max);
	return (int)n;
}

/* -d: dump levels, with commas between them. */
static void
parse_filter(struct savecore_opts *opts, char *text)
{
	char *level;

	opts->nfilter = 0;
	while ((level = strsep(&text, ",")) != NULL) {
		if (opts->nfilter == SAVECORE_LEVELS)
			errx(1, "-d: more than %d levels", SAVECORE_LEVELS);
		opts->filter[opts->nfilter++] = (unsigned int)parse_number("-d",
		    level, 0, KCORE_LEVEL_MAX);
	}
}

/* What goes with which format. */
static void
parse_check_format(struct savecore_opts *opts)
{
	const bool kdump = opts->format == &outformat_kdump;

	if (kdump && opts->packing != KEEPER_PLAIN)
		errx(1, "-z: not with -F kdump, whose pages are compressed as "
		    "they are");
	if (!kdump && opts->zstd && opts->packing != KEEPER_PLAIN)
		errx(1, "-z: not with --zstd");
	if (!kdump && opts->zstd)
		opts->packing = KEEPER_ZSTD;
}

/* Takes a path apart into directory and name. */
static void
parse_output(struct savecore_opts *opts, char *path)
{
	char *slash = strrchr(path, '/');

	opts->stream = strcmp(path, "-") == 0;
	opts->output = slash == NULL ? path : slash + 1;
	if (opts->output[0] == '\0')
		errx(1, "-o: `%s' has no name of a file", path);
	opts->directory = slash == NULL ? "." : slash == path ? "/" : path;
	if (slash != NULL)
		*slash = '\0';
}

static void
complain(const char *text)
{
	msg(LOG_ERR, "%s", text);
}

/* What makes no sense there is said, and a dump is saved all the same. */
static void
parse_conf(struct savecore_opts *opts)
{
	static struct conf conf;

	(void)conf_read(&conf, complain);
	opts->directory = conf.directory;
	opts->packing = conf.compress == CONF_ZSTD ? KEEPER_ZSTD :
	    conf.compress == CONF_GZIP ? KEEPER_GZIP : KEEPER_PLAIN;
	opts->swap_anyway = conf.swap_anyway;
	opts->nfilter = conf.nsave_level;
	memcpy(opts->filter, conf.save_level, sizeof(opts->filter));
}

/* An option that takes a value, or chooses what is done. */
static void
parse_value(struct savecore_opts *opts, int ch)
{
	switch (ch) {
	case 'C':
	case 'n':
		opts->mode = SAVECORE_CHECK;
		break;
	case 'c':
		opts->mode = SAVECORE_CLEAR;
		break;
	case 'D':
		opts->device = optarg;
		break;
	case 'd':
		parse_filter(opts, optarg);
		break;
	case 'E':
		opts->mode = SAVECORE_FINISH;
		break;
	case 'F':
		opts->format = parse_format(optarg);
		break;
	case 'm':
		opts->maxdumps = (unsigned int)parse_number("-m", optarg, 1,
		    INT_MAX);
		break;
	case 'N':
		opts->system = optarg;
		break;
	case 'o':
		opts->mode = SAVECORE_CONVERT;
		parse_output(opts, optarg);
		break;
	case 'S':
		opts->zstd = true;
		if (optarg != NULL)
			opts->level = parse_number("--zstd", optarg, 0, 19);
		break;
	case 'Z':
		opts->level = parse_number("-Z", optarg, 0, 9);
		break;
	default:
		usage();
	}
}

static void
parse_option(struct savecore_opts *opts, int ch)
{
	switch (ch) {
	case 'a':
		opts->boot = true;
		break;
	case 'f':
		opts->force = true;
		break;
	case 'j':
		opts->json = true;
		break;
	case 'k':
		opts->keep = true;
		break;
	case 'v':
		opts->verbose = true;
		break;
	case 'W':
		opts->wipe = true;
		break;
	case 'z':
		opts->packing = KEEPER_GZIP;
		break;
	default:
		parse_value(opts, ch);
	}
}

/* What does not go with what; 'E' is --finish, 'S' --zstd, 'W' --wipe. */
static const struct clash clashes[] = {
	{ "a", "CcdEFfjkmNnoSWZz", "swapcore.conf(5) says what -a does" },
	{ "Cn", "cEo", "each of them does one thing alone" },
	{ "c", "Eo", "each of them does one thing alone" },
	{ "E", "o", "each of them does one thing alone" },
	{ "CcEn", "dFfjkmSZz", "no core is written" },
	{ "CEn", "W", "no dump is cleared" },
	{ "E", "DN", "no dump is looked at" },
	{ "o", "kW", "the dump is not cleared in any case" },
	{ "o", "jmN", "nothing is written beside the core" },
	{ "k", "W", "what is kept can't be wiped" },
	{ NULL, NULL, NULL },
};

/* The arguments: a directory, or -o's core. */
static void
parse_arguments(struct savecore_opts *opts, int argc, char **argv)
{
	const bool convert = opts->mode == SAVECORE_CONVERT;

	if (argc > 1)
		errx(1, "%s: only one %s", argv[1], convert ? "core can be "
		    "converted" : "directory can be saved to");
	if (argc == 1 && (opts->boot ||
	    (opts->mode != SAVECORE_SAVE && !convert)))
		errx(1, "%s: no directory is named with -a, -C, -c, -n or "
		    "--finish", argv[0]);
	if (argc == 1 && convert && opts->device != NULL)
		errx(1, "%s: a core is converted, or with -D the dump on a "
		    "device, not both", argv[0]);
	if (argc == 1 && convert)
		opts->core = argv[0];
	else if (argc == 1)
		opts->directory = argv[0];
	if (argc == 1 || !convert)
		return;
	/* Of the dump on a device, which then stays. */
	opts->mode = SAVECORE_SAVE;
	opts->keep = true;
}

static void
parse(struct savecore_opts *opts, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "finish", no_argument, NULL, 'E' },
		{ "json", no_argument, NULL, 'j' },
		{ "wipe", no_argument, NULL, 'W' },
		{ "zstd", optional_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	struct clash_options options = {
		.letters = "aCcD:d:F:fkm:N:no:vZ:z",
		.longopts = longopts,
	};
	int ch;

	memset(opts, 0, sizeof(*opts));
	opts->directory = SAVECORE_DIR;
	opts->format = &outformat_kcore;
	opts->level = 1;
	while ((ch = getopt_long(argc, argv, options.letters, longopts,
	    NULL)) != -1) {
		options.given[(unsigned char)ch] = true;
		parse_option(opts, ch);
	}
	clash_check(&options, clashes);
	parse_check_format(opts);
	parse_arguments(opts, argc - optind, argv + optind);
}

/* Can a core be written to standard output?  0, or -1 after a message. */
static int
stream_check(void)
{
	const int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY) {
		msg(LOG_ERR, "-o -: standard output can't be written to");
		return -1;
	}
	if (isatty(STDOUT_FILENO)) {
		msg(LOG_ERR, "-o -: standard output is a terminal, which is no "
		    "place for a core: redirect it");
		return -1;
	}
	/* That nobody reads any more is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int
main(int argc, char **argv)
{
	struct savecore_opts parsed;
	const struct savecore_opts *opts = &parsed;

	parse(&parsed, argc, argv);
	/* Who started this may have ignored it: nobody could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	msg_open();
	if (parsed.boot || parsed.mode == SAVECORE_FINISH)
		parse_conf(&parsed);
	umask(077);
	if (opts->stream && stream_check() == -1)
		return 1;
	if (priv_limit() == -1)
		return 1;
	if (opts->boot)
		return boot_run(opts) == 0 ? 0 : 1;
	if (opts->mode == SAVECORE_FINISH)
		return finish_run(opts) == 0 ? 0 : 1;
	return session_do(opts, NULL) == 0 ? 0 : 1;
}
