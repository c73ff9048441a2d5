/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auto.c: arms what swapcore.conf(5) says.  "auto" is the best device there is:
 * dump partitions first, where nothing is lost, then swap partitions and
 * volumes, then swap files that are in use; of each the larger ones first.
 * They are tried in that order, and each refusal is a line.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "conf.h"
#include "dumpon.h"
#include "kernfile.h"

#define AUTO_MAX	64	/* devices looked at */
#define AUTO_SIG_LEN	10u

enum auto_kind {
	AUTO_LABELLED,
	AUTO_SWAP,
	AUTO_FILE,
};

struct auto_device {
	char path[PATH_MAX];
	uint64_t kib;
	enum auto_kind kind;
};

struct auto_list {
	struct auto_device devices[AUTO_MAX];
	size_t n;
};

/* Memory and files that pose as disks may be swap, but hold no dump. */
static bool
auto_skip(const char *name)
{
	static const char *const no[] = { "loop", "nbd", "ram", "zram" };
	size_t i;

	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strncmp(name, no[i], strlen(no[i])) == 0)
			return true;
	return false;
}

/* Does it say of itself that a dump may overwrite it? */
static bool
auto_probe(struct auto_device *d)
{
	unsigned char page[KCORE_ALIGN];
	ssize_t n;
	int fd;

	fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", d->path);
	if (fd == -1)
		return false;
	n = pread(fd, page, sizeof(page), 0);
	close(fd);
	if (n != (ssize_t)sizeof(page))
		return false;
	d->kind = label_is(page) && label_good(page) ? AUTO_LABELLED :
	    AUTO_SWAP;
	return d->kind == AUTO_LABELLED || memcmp(page + sizeof(page) -
	    AUTO_SIG_LEN, "SWAPSPACE2", AUTO_SIG_LEN) == 0;
}

static int
auto_order(const void *a, const void *b)
{
	const struct auto_device *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kib != y->kib)
		return x->kib > y->kib ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* A path with blanks in it, which the kernel escapes, is not tried. */
static void
auto_find_files(struct auto_list *list)
{
	char line[PATH_MAX + 128], path[PATH_MAX];
	struct auto_device *d;
	FILE *fp;

	if (kernfile_path(path, sizeof(path), "/proc/swaps") == -1 ||
	    (fp = fopen(path, "re")) == NULL)
		return;
	while (list->n < AUTO_MAX && fgets(line, sizeof(line), fp) != NULL) {
		d = &list->devices[list->n];
		if (sscanf(line, "%4095s file %" SCNu64, d->path,
		    &d->kib) != 2 || strchr(d->path, '\\') != NULL ||
		    d->kib < KCORE_WINDOW_MIN / 1024)
			continue;
		d->kind = AUTO_FILE;
		list->n++;
	}
	fclose(fp);
}

static int
auto_find(struct auto_list *list)
{
	char line[256], name[128], path[PATH_MAX], *p;
	struct auto_device *d;
	FILE *fp;

	list->n = 0;
	if (kernfile_path(path, sizeof(path), "/proc/partitions") == -1 ||
	    (fp = fopen(path, "re")) == NULL) {
		warn("/proc/partitions");
		return -1;
	}
	while (list->n < AUTO_MAX && fgets(line, sizeof(line), fp) != NULL) {
		d = &list->devices[list->n];
		if (sscanf(line, "%*u %*u %" SCNu64 " %127s", &d->kib,
		    name) != 2 || auto_skip(name) ||
		    d->kib < KCORE_WINDOW_MIN / 1024)
			continue;
		while ((p = strchr(name, '!')) != NULL)
			*p = '/';
		snprintf(d->path, sizeof(d->path), "/dev/%s", name);
		if (auto_probe(d))
			list->n++;
	}
	fclose(fp);
	auto_find_files(list);
	qsort(list->devices, list->n, sizeof(list->devices[0]), auto_order);
	return 0;
}

static int
auto_best(const struct dumpon_opts *opts)
{
	static struct auto_list list;
	struct dumpon_opts one = *opts;
	size_t i;

	one.more = NULL;
	if (auto_find(&list) == -1 || (list.n > 0 && dumpon_load() == -1))
		return -1;
	for (i = 0; i < list.n; i++) {
		one.device = list.devices[i].path;
		if (dumpon_arm(&one) == 0)
			return 0;
	}
	if (list.n == 0)
		warnx("there is no swap and no dump partition: make a "
		    "partition one with mkswap(8) or dumpon --label, on a disk "
		    "of which dumpon -l -v says that it can take dumps");
	else
		warnx("nothing is armed: put right what is said above of one "
		    "of the devices, or name another in swapcore.conf(5)");
	return -1;
}

int
auto_arm(const struct dumpon_opts *opts)
{
	if (strcmp(opts->device, CONF_AUTO) == 0)
		return auto_best(opts);
	if (strcmp(opts->device, CONF_NONE) != 0)
		return dumpon_arm(opts);
	printf("swapcore.conf(5) says device=none: nothing is armed\n");
	return 0;
}
