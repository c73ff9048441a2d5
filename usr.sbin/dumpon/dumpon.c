/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpon.c: dumpon(8), choose the device that a crash dump goes to.
 *
 * The module swapcore does the work; this program picks and checks the device,
 * and hands its place over as text.  See dump(4).
 */
#include <sys/capability.h>

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dumpon.h"

__attribute__((noreturn)) static void
usage(void)
{
	fprintf(stderr,
	    "usage: dumpon [-fv] [--accept-secrets] device\n"
	    "       dumpon off\n"
	    "       dumpon -l [-v]\n");
	exit(1);
}

static void
parse(struct dumpon_opts *opts, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "accept-secrets", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	bool list = false;
	int ch;

	memset(opts, 0, sizeof(*opts));
	opterr = 0;
	while ((ch = getopt_long(argc, argv, "flv", longopts, NULL)) != -1) {
		switch (ch) {
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
		default:
			usage();
		}
	}
	if (list) {
		if (optind != argc || opts->force || opts->accept_secrets)
			usage();
		opts->mode = DUMPON_LIST;
		return;
	}
	if (argc - optind != 1)
		usage();
	opts->device = argv[optind];
	opts->mode = strcmp(opts->device, "off") == 0 ? DUMPON_OFF :
	    DUMPON_ARM;
}

static bool
have_cap(cap_value_t value)
{
	cap_flag_value_t set = CAP_CLEAR;
	cap_t caps;

	caps = cap_get_proc();
	if (caps == NULL)
		err(1, "capabilities");
	if (cap_get_flag(caps, value, CAP_EFFECTIVE, &set) == -1)
		err(1, "capabilities");
	cap_free(caps);
	return set == CAP_SET;
}

static void
need_caps(void)
{
	if (!have_cap(CAP_SYS_ADMIN) || !have_cap(CAP_SYS_RAWIO))
		errx(1, "arming and disarming need the capabilities "
		    "CAP_SYS_ADMIN and CAP_SYS_RAWIO: run it as root");
}

int
main(int argc, char **argv)
{
	struct dumpon_opts parsed;
	const struct dumpon_opts *opts = &parsed;
	int r = 0;

	parse(&parsed, argc, argv);
	switch (opts->mode) {
	case DUMPON_ARM:
		need_caps();
		r = dumpon_arm(opts);
		break;
	case DUMPON_OFF:
		need_caps();
		r = dumpon_off(opts);
		break;
	case DUMPON_LIST:
		status_list(opts);
		break;
	}
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return r == 0 ? 0 : 1;
}
