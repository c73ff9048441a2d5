/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_modtype.c: types that only a module knows.
 *
 * A module's BTF goes on where the kernel's ends: its types and its names are
 * counted from there.  What a module file has is gone once it is loaded, but
 * for the copy that the list btf_modules leads to (36e68442d1af, 5.11):
 *
 *	btf_modules <-> struct btf_module <-> ...
 *	                btf -> struct btf { data, data_size, name }
 *
 * Of the running system, each is a file in /sys/kernel/btf.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define MODTYPE_MAX	4096u		/* modules: a longer list goes round */
#define MODTYPE_SIZE	(32u << 20)	/* bytes that are believed, of one */
#define MODTYPE_ALL	(256u << 20)	/* of all */
#define MODTYPE_DIR	"/sys/kernel/btf"

/* Where things are in the list. */
struct modtype_layout {
	size_t list, btf, data, size, name, namelen;
};

static int
modtype_layout(kvm_t *kd, struct modtype_layout *l)
{
	struct kvm_type list, btf, data, size, name;

	if (kvmi_type(kd, "btf_module.list", &list) == -1 ||
	    kvmi_type(kd, "btf_module.btf", &btf) == -1 ||
	    kvmi_type(kd, "btf.data", &data) == -1 ||
	    kvmi_type(kd, "btf.data_size", &size) == -1 ||
	    kvmi_type(kd, "btf.name", &name) == -1)
		return -1;
	l->list = list.kt_offset;
	l->btf = btf.kt_offset;
	l->data = data.kt_offset;
	l->size = size.kt_offset;
	l->name = name.kt_offset;
	l->namelen = name.kt_size;
	return 0;
}

/* Adds the types of one module; where they are of no use, counts that. */
static void
modtype_add(kvm_t *kd, struct kvmi_types *base, struct kvmi_types ***end,
    const char *name, const void *data, size_t size)
{
	struct kvmi_types *ts = NULL;

	if (data != NULL)
		ts = kvmi_types_new(kd, data, size, base);
	if (ts == NULL) {
		base->nbad++;
		return;
	}
	snprintf(ts->name, sizeof(ts->name), "%.63s", name);
	**end = ts;
	*end = &ts->next;
}

/* The blob of one module, to be freed; NULL: of no use. */
static void *
modtype_copy(kvm_t *kd, const struct modtype_layout *l, kvaddr_t btf,
    char *name, size_t namelen, uint32_t *size)
{
	const size_t len = l->namelen < namelen ? l->namelen : namelen;
	uint64_t at;
	void *data;

	memset(name, 0, namelen);
	if (kvmi_read(kd, btf + l->data, &at, sizeof(at)) == -1 ||
	    kvmi_read(kd, btf + l->size, size, sizeof(*size)) == -1 ||
	    kvmi_read(kd, btf + l->name, name, len) == -1 ||
	    *size == 0 || *size > MODTYPE_SIZE ||
	    (data = malloc(*size)) == NULL)
		return NULL;
	name[namelen - 1] = '\0';
	if (kvmi_read(kd, at, data, *size) == 0)
		return data;
	free(data);
	return NULL;
}

/* Of a dump: what is there before a damaged place of the list is taken. */
static void
modtype_dead(kvm_t *kd, struct kvmi_types *base)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	struct kvmi_types **end = &base->modules;
	struct modtype_layout l;
	kvaddr_t head, at, btf;
	uint64_t all = 0;
	uint32_t size, n;
	char type, name[sizeof(base->name)];
	void *data;

	if (ks == NULL ||
	    !kvmi_kallsyms_lookup(ks, "btf_modules", &type, &head) ||
	    modtype_layout(kd, &l) == -1)
		return;
	at = head;
	for (n = 0; n < MODTYPE_MAX && all < MODTYPE_ALL; n++) {
		if (kvmi_read(kd, at, &at, sizeof(at)) == -1) {
			base->nbad++;
			return;
		}
		if (at == head)
			return;
		data = NULL;
		size = 0;
		if (kvmi_read(kd, at - l.list + l.btf, &btf, 8) == 0)
			data = modtype_copy(kd, &l, btf, name, sizeof(name),
			    &size);
		modtype_add(kd, base, &end, name, data, size);
		all += size;
		free(data);
	}
	base->nbad++;
}

static void
modtype_live(kvm_t *kd, struct kvmi_types *base)
{
	const int fd = kvmi_live_open(kd, MODTYPE_DIR, O_RDONLY | O_DIRECTORY);
	struct kvmi_types **end = &base->modules;
	char path[sizeof(MODTYPE_DIR) + 256];
	struct dirent *d;
	size_t size;
	void *data;
	DIR *dir;

	if (fd == -1)
		return;
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.' || strcmp(d->d_name, "vmlinux") == 0)
			continue;
		snprintf(path, sizeof(path), MODTYPE_DIR "/%s", d->d_name);
		data = kvmi_live_load(kd, path, MODTYPE_SIZE, &size);
		modtype_add(kd, base, &end, d->d_name, data, size);
		free(data);
	}
	closedir(dir);
}

void
kvmi_modtypes_load(kvm_t *kd, struct kvmi_types *base)
{
	if (kd->live != NULL)
		modtype_live(kd, base);
	else
		modtype_dead(kd, base);
}
