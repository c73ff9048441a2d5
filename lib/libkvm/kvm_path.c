/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_path.c: the name of an open file of a dump, as fs/d_path.c makes it: from
 * its dentry to the root of its mount, from where that is mounted to the next.
 * Each step is bounded, since the dump may be damaged.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kvm_tasks.h"

#define PATH_STEPS	8192u		/* dentries and mounts of one path */
#define PATH_DELETED	" (deleted)"

/* A name that grows from its end. */
struct path {
	kvm_t *kd;
	const struct kvmi_tasktype *tt;
	char *buf;
	size_t at;
};

static int
path_field(const struct path *p, kvaddr_t va, enum kvmi_field field,
    uint64_t *value)
{
	return kvmi_field_read(p->kd, p->tt, va, field, value);
}

/* A dentry's own name: its length, or -1 with a text. */
static int
path_name(const struct path *p, kvaddr_t dentry, char name[NAME_MAX + 1])
{
	uint64_t at, len;

	if (path_field(p, dentry, KVMI_DENTRY_LEN, &len) == -1 ||
	    path_field(p, dentry, KVMI_DENTRY_NAME, &at) == -1)
		return -1;
	if (len > NAME_MAX)
		return kvmi_err(p->kd, EBADMSG, "dentry 0x%" PRIx64 ": a name "
		    "of %" PRIu64 " bytes", dentry, len);
	if (kvmi_read(p->kd, at, name, (size_t)len) == -1)
		return -1;
	name[len] = '\0';
	if (strlen(name) == len)
		return (int)len;
	return kvmi_err(p->kd, EBADMSG, "dentry 0x%" PRIx64 ": a name with a "
	    "NUL", dentry);
}

static int
path_prepend(struct path *p, const char *s, size_t len)
{
	if (len > p->at)
		return kvmi_err(p->kd, ENAMETOOLONG, "a path of more than "
		    "%u bytes", KVMI_PATH);
	p->at -= len;
	memcpy(p->buf + p->at, s, len);
	return 0;
}

/* One that is in no directory: a pipe, a socket, memory, and so on. */
static int
path_alone(struct path *p, const struct kvmi_opened *o)
{
	char name[NAME_MAX + 1], text[NAME_MAX + 64];
	const char *type = o->fstype;
	int n = path_name(p, o->dentry, name);

	if (n == -1)
		return -1;
	if (strcmp(type, "anon_inodefs") == 0) {
		n = snprintf(text, sizeof(text), "anon_inode:%s", name);
	} else if (strcmp(type, "pipefs") == 0 ||
	    strcmp(type, "sockfs") == 0 || n == 0 || name[0] == '/') {
		if (strcmp(type, "pipefs") == 0)
			type = "pipe";
		else if (strcmp(type, "sockfs") == 0)
			type = "socket";
		n = snprintf(text, sizeof(text), "%s:[%" PRIu64 "]", type,
		    o->ino);
	} else {
		n = snprintf(text, sizeof(text), "/%s" PATH_DELETED, name);
	}
	return path_prepend(p, text, (size_t)n);
}

/* Goes from the root of a mount to where it is mounted.  1: it is the last. */
static int
path_cross(const struct path *p, kvaddr_t *mount, kvaddr_t *dentry,
    kvaddr_t *root)
{
	uint64_t parent;

	if (path_field(p, *mount, KVMI_MOUNT_PARENT, &parent) == -1)
		return -1;
	if (parent == *mount)
		return 1;
	if (path_field(p, *mount, KVMI_MOUNT_POINT, dentry) == -1)
		return -1;
	*mount = parent;
	return path_field(p, *mount, KVMI_MOUNT_ROOT, root);
}

/* Goes to the directory that a dentry is in.  1: it is in none. */
static int
path_up(struct path *p, kvaddr_t *dentry)
{
	char name[NAME_MAX + 1];
	uint64_t parent;
	int len;

	if (path_field(p, *dentry, KVMI_DENTRY_PARENT, &parent) == -1)
		return -1;
	if (parent == *dentry)
		return 1;
	len = path_name(p, *dentry, name);
	if (len == -1 || path_prepend(p, name, (size_t)len) == -1)
		return -1;
	*dentry = parent;
	return path_prepend(p, "/", 1);
}

/* From the root to the file; a file that is nowhere has only its name. */
static int
path_walk(struct path *p, const struct kvmi_opened *o)
{
	kvaddr_t mount = o->mnt - p->tt->f[KVMI_MOUNT_MNT].off;
	kvaddr_t dentry = o->dentry, root;
	unsigned int i;
	int rv;

	if (path_field(p, mount, KVMI_MOUNT_ROOT, &root) == -1)
		return -1;
	for (i = 0; i < PATH_STEPS; i++) {
		if (dentry == root)
			rv = path_cross(p, &mount, &dentry, &root);
		else
			rv = path_up(p, &dentry);
		if (rv == -1)
			return -1;
		if (rv == 1 && i == 0 && dentry != root)
			return path_alone(p, o);
		if (rv == 1)
			return p->buf[p->at] == '/' ? 0 :
			    path_prepend(p, "/", 1);
	}
	return kvmi_err(p->kd, EBADMSG, "dentry 0x%" PRIx64 ": the path does "
	    "not end", o->dentry);
}

/* Has its name been removed? */
static int
path_deleted(struct path *p, kvaddr_t dentry)
{
	uint64_t parent, hashed;

	if (path_field(p, dentry, KVMI_DENTRY_PARENT, &parent) == -1 ||
	    path_field(p, dentry, KVMI_DENTRY_HASH, &hashed) == -1)
		return -1;
	if (hashed != 0 || parent == dentry)
		return 0;
	return path_prepend(p, PATH_DELETED, strlen(PATH_DELETED));
}

const char *
kvmi_path(kvm_t *kd, const struct kvmi_tasktype *tt,
    const struct kvmi_opened *o, char *buf)
{
	struct path p = { .kd = kd, .tt = tt, .buf = buf };

	p.at = KVMI_PATH - 1;
	buf[p.at] = '\0';
	if (path_deleted(&p, o->dentry) == -1 || path_walk(&p, o) == -1)
		return NULL;
	return buf + p.at;
}
