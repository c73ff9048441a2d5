/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secrets.c: a dump holds all of memory, keys and data, and is not encrypted.
 *
 * On a machine that encrypts its disks it would lay open what they protect, so
 * that needs the administrator's word.  (A device beneath an encrypted volume
 * has that volume as its holder and is refused as any holder is, whatever was
 * accepted.)  A kernel that is locked down to keep its memory to itself allows
 * no dump at all.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "dumpon.h"
#include "kernfile.h"

/* Is the disk a dm-crypt volume?  1, with its name; 0; -1 after a warning.  One
 * that is gone by now is none. */
static int
secrets_is_crypt(const char *disk, char *name, size_t len)
{
	char uuid[160];

	if (strncmp(disk, "dm-", 3) != 0)
		return 0;
	if (kernfile_read(uuid, sizeof(uuid), "/sys/block/%s/dm/uuid",
	    disk) == -1) {
		if (errno == ENOENT)
			return 0;
		warn("is there an encrypted volume? /sys/block/%s", disk);
		return -1;
	}
	if (strncmp(uuid, "CRYPT-", 6) != 0)
		return 0;
	if (kernfile_read(name, len, "/sys/block/%s/dm/name", disk) == -1)
		snprintf(name, len, "%s", disk);
	return 1;
}

/* The same of any disk. */
static int
secrets_find_crypt(char *name, size_t len)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *dir = NULL;
	int r = 0;

	if (kernfile_path(path, sizeof(path), "/sys/block") == 0)
		dir = opendir(path);
	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL) {
		warn("is there an encrypted volume? /sys/block");
		return -1;
	}
	while (r == 0 && (de = readdir(dir)) != NULL)
		r = secrets_is_crypt(de->d_name, name, len);
	closedir(dir);
	return r;
}

int
secrets_check(const struct target *t, const struct dumpon_opts *opts)
{
	char lockdown[128], name[NAME_MAX + 1];
	int crypt;

	if (kernfile_read(lockdown, sizeof(lockdown),
	    "/sys/kernel/security/lockdown") > 0 &&
	    strstr(lockdown, "[confidentiality]") != NULL) {
		warnx("%s: the kernel is locked down for confidentiality, and "
		    "a dump would lay its memory open: boot it with "
		    "lockdown=integrity", t->device);
		return -1;
	}
	crypt = opts->accept_secrets ? 0 : secrets_find_crypt(name,
	    sizeof(name));
	if (crypt != 1)
		return crypt;
	warnx("%s: the encrypted volume %s is open, and a dump would put its "
	    "key on this device in clear: %s allows that", t->device, name,
	    opts->mode == DUMPON_CONF ?
	    "accept-secrets=yes in swapcore.conf(5)" : "--accept-secrets");
	return -1;
}
