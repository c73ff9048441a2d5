/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format.c: the formats that a core can be saved in.
 */
#include <string.h>

#include <sys/kcore.h>

#include "savecore.h"

/* The registry.  The first is the default. */
static const struct outformat *const outformats[] = {
	&outformat_kcore,
	&outformat_elf,
	&outformat_kdump,
	NULL,
};

const struct outformat *
outformat_find(const char *name)
{
	size_t i;

	for (i = 0; outformats[i] != NULL; i++)
		if (strcmp(outformats[i]->name, name) == 0)
			break;
	return outformats[i];
}

/* kcore(5), which the library writes. */
static int
kcore_header(struct copy *c, struct outfile *out)
{
	if (kvm_dump_wrtheader64(c->kd, out->fp, c->size) == 0)
		return 0;
	msg(LOG_ERR, "%s: header: %s", out->path, kvm_geterr(c->kd));
	return -1;
}

const struct outformat outformat_kcore = {
	.name = "kcore",
	.suffix = ".core",
	.header = kcore_header,
};
