/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmppeer: compares a core with QEMU's image of memory, page by page, through
 * libkdumpfile, which shares nothing with this project.
 *
 *	cmppeer core image allowed iomem
 *
 * image has all memory from 0 on; allowed has lines `start end count ...' (hex,
 * hex, decimal): pages may differ from start to end.  iomem is /proc/iomem: only
 * pages of its System RAM are looked at.  Pages that differ and may not are named.
 * It ends with a line `N pages, N differ, N bad, N missing'; exit 1 where there
 * are bad ones.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libkdumpfile/kdumpfile.h>

#define PAGE	4096u
#define ALLOWED	4096u

struct list {
	size_t n;
	struct {
		uint64_t start, end;
	} r[ALLOWED];
};

static struct list allowed, ram;

/* The ranges in a file's lines that have the text behind them. */
static void
read_list(struct list *l, const char *path, const char *text)
{
	FILE *fp = fopen(path, "r");
	char line[512];

	if (fp == NULL)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), fp) != NULL && l->n < ALLOWED)
		if (strstr(line, text) != NULL)
			l->n += sscanf(line, "%" SCNx64 "%*[- ]%" SCNx64,
			    &l->r[l->n].start, &l->r[l->n].end) == 2;
	fclose(fp);
}

static int
touches(const struct list *l, uint64_t pa)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (pa < l->r[i].end && l->r[i].start < pa + PAGE)
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long pages = 0, differ = 0, bad = 0, missing = 0;
	unsigned char have[PAGE], want[PAGE];
	kdump_ctx_t *ctx = kdump_new();
	int core, image;
	uint64_t pa;
	size_t len;

	if (argc != 5)
		errx(2, "usage: cmppeer core image allowed iomem");
	core = open(argv[1], O_RDONLY);
	image = open(argv[2], O_RDONLY);
	if (core == -1 || image == -1)
		err(2, "open");
	if (ctx == NULL || kdump_open_fd(ctx, core) != KDUMP_OK)
		errx(2, "%s: %s", argv[1], kdump_get_err(ctx));
	read_list(&allowed, argv[3], "");
	read_list(&ram, argv[4], "System RAM");
	for (pa = 0; pread(image, want, PAGE, (off_t)pa) == PAGE; pa += PAGE) {
		if (!touches(&ram, pa))
			continue;
		len = PAGE;
		if (kdump_read(ctx, KDUMP_MACHPHYSADDR, pa, have, &len) !=
		    KDUMP_OK) {
			missing++;
			continue;
		}
		pages++;
		if (memcmp(have, want, PAGE) == 0)
			continue;
		if (touches(&allowed, pa)) {
			differ++;
			continue;
		}
		bad++;
		if (bad <= 10)
			printf("bad: page 0x%" PRIx64 "\n", pa);
	}
	printf("%lu pages, %lu differ, %lu bad, %lu missing\n", pages, differ,
	    bad, missing);
	kdump_free(ctx);
	return bad == 0 ? 0 : 1;
}
