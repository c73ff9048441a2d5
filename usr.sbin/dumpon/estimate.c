/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * estimate.c: what a dump would need now, by the kernel's own counts of pages,
 * and whether a device has room for it.  Pages of zeros are not counted by
 * anybody: a dump that leaves them out may need less.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dumpon.h"
#include "kernfile.h"

#define ESTIMATE_TABLES	(1u << 20)	/* header, tables and notes; about */

struct estimate {
	uint64_t ram, free, user, cache, aside;	/* pages */
};

/* Adds up what follows key on its lines: false, there is none. */
static bool
estimate_sum(uint64_t *sum, const char *file, const char *key)
{
	char line[256], path[PATH_MAX], word[64];
	bool found = false;
	uint64_t n;
	FILE *fp;

	*sum = 0;
	if (kernfile_path(path, sizeof(path), "%s", file) == -1 ||
	    (fp = fopen(path, "re")) == NULL) {
		warn("%s", file);
		return false;
	}
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "%63s %" SCNu64, word, &n) != 2 ||
		    strcmp(word, key) != 0)
			continue;
		*sum += n;
		found = true;
	}
	fclose(fp);
	if (!found)
		warnx("%s: does not say %s", file, key);
	return found;
}

static uint64_t
estimate_print(const char *what, uint64_t pages, bool out)
{
	printf("%s: ", what);
	status_size(pages * KCORE_ALIGN);
	printf(out ? ", left out\n" : "\n");
	return out ? pages : 0;
}

/* By class; the bytes that a dump takes. */
static uint64_t
estimate_classes(const struct estimate *e, unsigned int level)
{
	const uint64_t known = e->free + e->user + e->cache + e->aside;
	uint64_t out, pages;

	out = estimate_print("free memory", e->free,
	    (level & KCORE_LEVEL_FREE) != 0);
	if (e->aside > 0)
		out += estimate_print("set aside for a crash kernel", e->aside,
		    (level & KCORE_LEVEL_FREE) != 0);
	out += estimate_print("memory of processes", e->user,
	    (level & KCORE_LEVEL_USER) != 0);
	out += estimate_print("cache", e->cache,
	    (level & KCORE_LEVEL_CACHE_PRIVATE) != 0);
	(void)estimate_print("the kernel and all else",
	    e->ram > known ? e->ram - known : 0, false);
	pages = e->ram > out ? e->ram - out : 0;
	return pages * KCORE_ALIGN + ESTIMATE_TABLES + KCORE_END_AREA +
	    2 * (pages * KCORE_ALIGN / KCORE_CHUNK) * sizeof(uint64_t);
}

static int
estimate_device(const char *device, uint64_t need)
{
	struct target t;

	if (target_find(&t, device) == -1)
		return -1;
	status_room(t.device, t.count * 512, need);
	target_free(&t);
	return 0;
}

int
estimate(const struct dumpon_opts *opts)
{
	unsigned int level = KCORE_LEVEL_MAX;
	struct estimate e;
	uint64_t need, n;

	if (opts->level != -1)
		level = (unsigned int)opts->level;
	else if (kernfile_number(&n, DUMPON_SYSDIR "/level") == 0 &&
	    n <= KCORE_LEVEL_MAX)
		level = (unsigned int)n;
	if (!estimate_sum(&e.ram, "/proc/zoneinfo", "present") ||
	    !estimate_sum(&e.free, "/proc/vmstat", "nr_free_pages") ||
	    !estimate_sum(&e.user, "/proc/vmstat", "nr_anon_pages") ||
	    !estimate_sum(&e.cache, "/proc/vmstat", "nr_file_pages"))
		return -1;
	/* By crashkernel=. */
	e.aside = kernfile_number(&n, "/sys/kernel/kexec_crash_size") == 0 ?
	    n / KCORE_ALIGN : 0;
	need = estimate_classes(&e, level);
	printf("a dump at level %u may need ", level);
	status_size(need);
	printf("\n");
	if (opts->device != NULL)
		return estimate_device(opts->device, need);
	status_rooms(need);
	return 0;
}
