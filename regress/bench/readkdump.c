/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readkdump: what readkvm does with a core, as far as libkdumpfile does it:
 *
 *	readkdump core open
 *	readkdump core random file
 *	readkdump core sequential file
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <libkdumpfile/kdumpfile.h>

#include "read.h"

static void
get(void *cookie, uint64_t addr, void *buf, size_t len)
{
	kdump_ctx_t *ctx = cookie;

	if (kdump_read(ctx, KDUMP_KVADDR, addr, buf, &len) != KDUMP_OK)
		errx(1, "kdump_read: %s", kdump_get_err(ctx));
}

int
main(int argc, char **argv)
{
	kdump_ctx_t *ctx;
	int fd;

	if (argc != 3 && argc != 4)
		errx(2, "usage: readkdump core open|random|sequential [file]");
	fd = open(argv[1], O_RDONLY);
	if (fd == -1)
		err(1, "%s", argv[1]);
	ctx = kdump_new();
	if (ctx == NULL || kdump_open_fd(ctx, fd) != KDUMP_OK ||
	    kdump_set_string_attr(ctx, KDUMP_ATTR_OSTYPE, "linux") != KDUMP_OK)
		errx(1, "%s: %s", argv[1],
		    ctx != NULL ? kdump_get_err(ctx) : "no memory");
	if (strcmp(argv[2], "open") == 0)
		printf("answer -\n");
	else if (strcmp(argv[2], "random") == 0 && argc == 4)
		read_random(get, ctx, argv[3]);
	else if (strcmp(argv[2], "sequential") == 0 && argc == 4)
		read_sequential(get, ctx, argv[3]);
	else
		errx(2, "%s: not known", argv[2]);
	kdump_free(ctx);
	return 0;
}
