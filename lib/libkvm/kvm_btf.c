/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_btf.c: where types come from: the BTF in the kernel's own memory
 * (Documentation/bpf/btf.rst), given to libbpf, and found by name.
 *
 * libbpf checks that the blob's parts fit in it, but not what types refer to.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define TYPES_BTF_MAX	(256u << 20)	/* bytes of BTF that are believed */

/*
 * A module's BTF.  Debian 12's libbpf 1.1 does not export btf__new_split(), but
 * takes such from a file.
 */
static struct btf *
types_split(const void *data, size_t size, struct btf *base)
{
	struct btf *btf = NULL;
	char path[32];
	int fd = memfd_create("BTF", MFD_CLOEXEC), error;

	if (fd == -1)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size)
		btf = btf__parse_raw_split(path, base);
	error = errno;
	close(fd);
	errno = error;
	return btf;
}

/* Libraries do not print: libbpf's warnings are turned off meanwhile. */
static struct btf *
types_parse(const void *data, uint32_t size, struct btf *base)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	libbpf_print_fn_t print;
	struct btf *btf;
	int error;

	pthread_mutex_lock(&lock);
	print = libbpf_set_print(NULL);
	btf = base != NULL ? types_split(data, size, base) :
	    btf__new(data, size);
	error = errno;
	libbpf_set_print(print);
	pthread_mutex_unlock(&lock);
	errno = error;
	return btf;
}

/* Can a type of that kind be asked for by name? */
static bool
types_is_named(const struct btf_type *t)
{
	return t->name_off != 0 && (btf_is_composite(t) ||
	    btf_is_typedef(t) || btf_is_any_enum(t) || btf_is_int(t) ||
	    btf_is_float(t));
}

const char *
kvmi_types_name(const struct kvmi_types *ts, uint32_t off)
{
	const char *name = btf__name_by_offset(ts->btf, off);

	return name != NULL ? name : "";
}

static int
types_index(kvm_t *kd, struct kvmi_types *ts)
{
	const struct btf_type *t;
	uint32_t i;

	ts->end = btf__type_cnt(ts->btf);
	if (ts->end <= ts->first)
		return 0;
	if (kvmi_names_init(&ts->index, ts->end - ts->first) == -1)
		return kvmi_syserr(kd, ENOMEM, "%u types",
		    ts->end - ts->first);
	for (i = ts->end; i-- > ts->first; ) {
		t = btf__type_by_id(ts->btf, i);
		if (t != NULL && types_is_named(t))
			kvmi_names_add(&ts->index, kvmi_names_hash(kvmi_types_name(ts,
			    t->name_off)), i - ts->first);
	}
	return 0;
}

/* Where the blob is: its size, or 0 with a text. */
static size_t
types_find(kvm_t *kd, uint64_t *start)
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	uint64_t stop;
	char letter, release[80];

	if (ks == NULL)
		return 0;
	if (!kvmi_kallsyms_lookup(ks, "__start_BTF", &letter, start) ||
	    !kvmi_kallsyms_lookup(ks, "__stop_BTF", &letter, &stop)) {
		kvmi_err(kd, ENOTSUP, "kernel %s has no type information: it "
		    "was built without CONFIG_DEBUG_INFO_BTF",
		    kvmi_info_release(kd, release, sizeof(release)));
		return 0;
	}
	if (stop > *start && stop - *start <= TYPES_BTF_MAX)
		return (size_t)(stop - *start);
	kvmi_err(kd, EBADMSG, "it goes from 0x%llx to 0x%llx",
	    (unsigned long long)*start, (unsigned long long)stop);
	return 0;
}

/* The blob, to be freed; NULL with a text. */
static void *
types_copy(kvm_t *kd, size_t *size)
{
	uint64_t start;
	void *data;

	if ((*size = types_find(kd, &start)) == 0)
		return NULL;
	if ((data = malloc(*size)) == NULL) {
		kvmi_syserr(kd, ENOMEM, "%zu bytes", *size);
	} else if (kvmi_read(kd, start, data, *size) == -1) {
		free(data);
		data = NULL;
	}
	return data;
}

struct kvmi_types *
kvmi_types_new(kvm_t *kd, const void *data, size_t size,
    const struct kvmi_types *base)
{
	struct kvmi_types *ts = calloc(1, sizeof(*ts));

	if (ts == NULL) {
		kvmi_syserr(kd, ENOMEM, "types");
		return NULL;
	}
	ts->first = base != NULL ? base->end : 1;
	ts->btf = types_parse(data, (uint32_t)size,
	    base != NULL ? base->btf : NULL);
	if (ts->btf == NULL)
		kvmi_syserr(kd, errno == ENOMEM ? ENOMEM : EBADMSG,
		    "libbpf can't use it");
	else if (types_index(kd, ts) == 0)
		return ts;
	kvmi_types_free(ts);
	return NULL;
}

static struct kvmi_types *
types_load(kvm_t *kd)
{
	struct kvmi_types *ts = NULL;
	size_t size;
	void *data = kd->live != NULL ? kvmi_live_btf(kd, &size) :
	    types_copy(kd, &size);

	if (data != NULL)
		ts = kvmi_types_new(kd, data, size, NULL);
	free(data);
	if (ts == NULL)
		kvmi_prepend(kd, "BTF");
	return ts;
}

void
kvmi_types_free(struct kvmi_types *ts)
{
	struct kvmi_types *next;

	if (ts == NULL)
		return;
	/* Those of modules refer to the kernel's: they go first. */
	while ((next = ts->modules) != NULL) {
		ts->modules = next->next;
		kvmi_types_free(next);
	}
	kvmi_names_fini(&ts->index);
	btf__free(ts->btf);
	free(ts);
}

const struct kvmi_types *
kvmi_types(kvm_t *kd)
{
	pthread_mutex_lock(&kd->lazy);
	if (kd->types == NULL)
		kd->types = types_load(kd);
	pthread_mutex_unlock(&kd->lazy);
	return kd->types;
}

const struct kvmi_types *
kvmi_types_all(kvm_t *kd)
{
	struct kvmi_types *ts;

	if (kvmi_types(kd) == NULL)
		return NULL;
	pthread_mutex_lock(&kd->lazy);
	ts = kd->types;
	if (!ts->looked) {
		kvmi_modtypes_load(kd, ts);
		ts->looked = true;
	}
	pthread_mutex_unlock(&kd->lazy);
	return ts;
}
