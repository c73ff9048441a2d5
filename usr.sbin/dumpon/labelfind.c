/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labelfind.c: finds a dump partition by its label.
 *
 * libblkid knows a fixed list of signatures, and ours is not on it: page 0 of
 * every partition is read.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dumpon.h"
#include "kernfile.h"

#define UUID_TEXTLEN	37u

static void
labelfind_uuid(char text[UUID_TEXTLEN], const uint8_t uuid[16])
{
	size_t i, n = 0;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		snprintf(text + n, 3, "%02x", uuid[i]);
		n += 2;
	}
}

static bool
labelfind_matches(const char *device, const char *spec)
{
	char uuid[UUID_TEXTLEN];
	kcore_label_t l;
	ssize_t n;
	int fd;

	fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", device);
	if (fd == -1)
		return false;
	n = pread(fd, &l, sizeof(l), 0);
	close(fd);
	if (n != (ssize_t)sizeof(l) || !label_good(&l))
		return false;
	if (strncmp(spec, "LABEL=", 6) == 0)
		return strcmp(l.label, spec + 6) == 0;
	labelfind_uuid(uuid, l.uuid);
	return strcasecmp(uuid, spec + 5) == 0;
}

/* How many devices of /proc/partitions match; the first goes to device.  -1 with
 * errno. */
static int
labelfind_scan(char device[PATH_MAX], const char *spec)
{
	char line[256], name[128], path[PATH_MAX], *p;
	int error, found = 0;
	FILE *fp;

	if (kernfile_path(path, sizeof(path), "/proc/partitions") == -1 ||
	    (fp = fopen(path, "re")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "%*u %*u %*u %127s", name) != 1)
			continue;
		while ((p = strchr(name, '!')) != NULL)
			*p = '/';
		snprintf(path, sizeof(path), "/dev/%s", name);
		if (!labelfind_matches(path, spec))
			continue;
		if (found++ == 0)
			memcpy(device, path, sizeof(path));
	}
	error = ferror(fp) ? errno : 0;
	fclose(fp);
	errno = error;
	return error == 0 ? found : -1;
}

int
labelfind_device(char device[PATH_MAX], const char *spec)
{
	int found;

	if (strncmp(spec, "LABEL=", 6) != 0 &&
	    strncmp(spec, "UUID=", 5) != 0) {
		if (strlen(spec) < PATH_MAX) {
			strcpy(device, spec);
			return 0;
		}
		warnx("the device's name is too long");
		return -1;
	}
	found = labelfind_scan(device, spec);
	if (found == 1)
		return 0;
	if (found == -1)
		warn("%s: can't be looked for: /proc/partitions", spec);
	else if (found == 0)
		warnx("%s: no dump partition has that label: dumpon --label "
		    "makes one", spec);
	else
		warnx("%s: %d dump partitions have that label: name the "
		    "device", spec, found);
	return -1;
}
