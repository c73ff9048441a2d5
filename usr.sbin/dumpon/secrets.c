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
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "dumpon.h"
#include "kernfile.h"

/* The name of an active dm-crypt volume. */
static bool
secrets_find_crypt(char *name, size_t len)
{
	char path[PATH_MAX], uuid[160];
	bool found = false;
	struct dirent *de;
	DIR *dir;

	if (kernfile_path(path, sizeof(path), "/sys/block") == -1 ||
	    (dir = opendir(path)) == NULL)
		return false;
	while (!found && (de = readdir(dir)) != NULL) {
		if (strncmp(de->d_name, "dm-", 3) != 0 ||
		    kernfile_read(uuid, sizeof(uuid), "/sys/block/%s/dm/uuid",
		    de->d_name) == -1 || strncmp(uuid, "CRYPT-", 6) != 0)
			continue;
		if (kernfile_read(name, len, "/sys/block/%s/dm/name",
		    de->d_name) == -1)
			snprintf(name, len, "%s", de->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

int
secrets_check(const struct target *t, const struct dumpon_opts *opts)
{
	char lockdown[128], name[NAME_MAX + 1];

	if (kernfile_read(lockdown, sizeof(lockdown),
	    "/sys/kernel/security/lockdown") > 0 &&
	    strstr(lockdown, "[confidentiality]") != NULL) {
		warnx("%s: the kernel is locked down for confidentiality, and "
		    "a dump would lay its memory open: boot it with "
		    "lockdown=integrity", t->device);
		return -1;
	}
	if (opts->accept_secrets || !secrets_find_crypt(name, sizeof(name)))
		return 0;
	warnx("%s: the encrypted volume %s is open, and a dump would put its "
	    "key on this device in clear: %s allows that", t->device, name,
	    opts->mode == DUMPON_CONF ?
	    "accept-secrets=yes in swapcore.conf(5)" : "--accept-secrets");
	return -1;
}
