/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c: where the sectors of a block device are on its disk.  The device is a
 * disk, a partition, or a mapping of linear segments that all lie on one disk;
 * nothing else can be followed by a kernel that has crashed.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmtable.h"
#include "dumpon.h"
#include "kernfile.h"

#define PLACE_REMEDY	"name a partition, or a logical volume of linear " \
			"segments on one disk"

/* Kinds of mapping that are met in practice. */
static const struct {
	const char *type;
	const char *what;
} mappings[] = {
	{ "cache", "cached (dm-cache)" },
	{ "crypt", "encrypted (dm-crypt)" },
	{ "era", "a dm-era volume" },
	{ "integrity", "protected by dm-integrity" },
	{ "mirror", "a mirror, or is being moved by pvmove(8)" },
	{ "multipath", "a multipath device (dm-multipath)" },
	{ "raid", "a RAID of LVM" },
	{ "snapshot", "a snapshot" },
	{ "snapshot-origin", "the origin of snapshots" },
	{ "striped", "striped over several places" },
	{ "thin", "thinly provisioned" },
	{ "vdo", "deduplicated (VDO)" },
	{ "writecache", "cached (dm-writecache)" },
};

static bool
place_is_mapping(unsigned int maj, unsigned int min)
{
	return kernfile_exists("/sys/dev/block/%u:%u/dm", maj, min);
}

/* A disk or partition: its disk, and where on it it begins. */
static int
place_simple(const struct target *t, unsigned int maj, unsigned int min,
    unsigned int disk[2], uint64_t *first)
{
	char text[32];

	*first = 0;
	disk[0] = maj;
	disk[1] = min;
	if (!kernfile_exists("/sys/dev/block/%u:%u/partition", maj, min))
		return 0;
	if (kernfile_number(first, "/sys/dev/block/%u:%u/start", maj,
	    min) == 0 && kernfile_read(text, sizeof(text),
	    "/sys/dev/block/%u:%u/../dev", maj, min) > 0 &&
	    sscanf(text, "%u:%u", &disk[0], &disk[1]) == 2)
		return 0;
	warnx("%s: /sys/dev/block does not say where the partition %u:%u "
	    "starts, and on which disk", t->device, maj, min);
	return -1;
}

static int
place_add(struct place *p, uint64_t start, uint64_t first, uint64_t count)
{
	struct place_segment *s;

	s = reallocarray(p->segments, p->n + 1, sizeof(*s));
	if (s == NULL) {
		warn("segments");
		return -1;
	}
	p->segments = s;
	s[p->n].start = start;
	s[p->n].first = first;
	s[p->n++].count = count;
	return 0;
}

static int
place_refuse_type(const struct target *t, const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
		if (strcmp(type, mappings[i].type) == 0) {
			warnx("%s: is %s, and a crashed kernel can't find its "
			    "way through that: " PLACE_REMEDY, t->device,
			    mappings[i].what);
			return -1;
		}
	warnx("%s: is a mapping of the type %s, which a crashed kernel can't "
	    "find its way through: " PLACE_REMEDY, t->device, type);
	return -1;
}

/* One line of a mapping's table. */
static int
place_line(struct place *p, const struct target *t,
    const struct dmtable_line *l)
{
	unsigned int disk[2], maj, min;
	uint64_t first, off;

	if (strcmp(l->type, "linear") != 0)
		return place_refuse_type(t, l->type);
	if (sscanf(l->params, "%u:%u %" SCNu64, &maj, &min, &off) != 3) {
		warnx("%s: its table is not understood: linear %s", t->device,
		    l->params);
		return -1;
	}
	if (place_is_mapping(maj, min)) {
		warnx("%s: its segment at sector %" PRIu64 " lies on another "
		    "mapping, %u:%u: " PLACE_REMEDY, t->device, l->start, maj,
		    min);
		return -1;
	}
	if (place_simple(t, maj, min, disk, &first) == -1)
		return -1;
	if (p->n > 0 &&
	    (disk[0] != p->disk[0] || disk[1] != p->disk[1])) {
		warnx("%s: its segments lie on more than one disk, %u:%u and "
		    "%u:%u: move it to one with pvmove(8), or name a "
		    "partition", t->device, p->disk[0], p->disk[1], disk[0],
		    disk[1]);
		return -1;
	}
	p->disk[0] = disk[0];
	p->disk[1] = disk[1];
	return place_add(p, l->start, first + off, l->count);
}

static int
place_mapping(struct place *p, const struct target *t, unsigned int maj,
    unsigned int min)
{
	struct dmtable table;
	size_t i;
	int r = 0;

	if (dmtable_read(&table, maj, min) == -1) {
		warn("%s: the table of the mapping %u:%u", t->device, maj, min);
		return -1;
	}
	for (i = 0; r == 0 && i < table.n; i++)
		r = place_line(p, t, &table.lines[i]);
	if (r == 0 && table.n == 0) {
		warnx("%s: the mapping %u:%u has no table", t->device, maj,
		    min);
		r = -1;
	}
	dmtable_free(&table);
	p->mapping[0] = maj;
	p->mapping[1] = min;
	return r;
}

int
place_find(struct place *p, const struct target *t, unsigned int maj,
    unsigned int min)
{
	uint64_t first;
	int r;

	memset(p, 0, sizeof(*p));
	if (place_is_mapping(maj, min)) {
		r = place_mapping(p, t, maj, min);
	} else {
		r = place_simple(t, maj, min, p->disk, &first);
		if (r == 0)
			r = place_add(p, 0, first, UINT64_MAX - first);
	}
	if (r == -1)
		place_free(p);
	return r;
}

void
place_free(struct place *p)
{
	free(p->segments);
	p->segments = NULL;
	p->n = 0;
}

uint64_t
place_map(const struct place *p, uint64_t sector, uint64_t *count)
{
	const struct place_segment *s;
	size_t i;

	for (i = 0; i < p->n; i++) {
		s = &p->segments[i];
		if (sector < s->start || sector - s->start >= s->count)
			continue;
		sector -= s->start;
		if (*count > s->count - sector)
			*count = s->count - sector;
		return s->first + sector;
	}
	*count = 0;
	return 0;
}
