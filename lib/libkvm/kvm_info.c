/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_info.c: VMCOREINFO, the note in which the kernel tells readers of dumps
 * where things are: lines of KEY=VALUE
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst).  The copy in the header's
 * notes is taken, else the note in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"

#define INFO_MAX	(1u << 20)	/* bytes of a note that is believed */

char *
kvmi_info_note(const void *notes, size_t size)
{
	struct kvmi_note n;
	size_t pos = 0;

	while (kvmi_note_next(notes, size, &pos, &n))
		if (kvmi_note_is(&n, "VMCOREINFO"))
			return strndup(n.desc, n.len);
	return NULL;
}

/* The note in memory. */
static char *
info_from_memory(kvm_t *kd)
{
	const size_t size = (size_t)kd->hdr->vmcoreinfo_size;
	uint8_t *buf;
	char *text = NULL;
	size_t done = 0;
	ssize_t n;

	if (kd->hdr->vmcoreinfo_paddr == 0 || size == 0 || size > INFO_MAX) {
		kvmi_err(kd, ENOENT, "the dump has no VMCOREINFO note");
		return NULL;
	}
	if ((buf = malloc(size)) == NULL) {
		kvmi_syserr(kd, ENOMEM, "VMCOREINFO");
		return NULL;
	}
	for (n = 1; done < size && n > 0; done += (size_t)n)
		if ((n = kvmi_phys_read(kd, kd->hdr->vmcoreinfo_paddr + done,
		    buf + done, size - done)) == -1)
			break;
	if (n == -1)
		kvmi_prepend(kd, "VMCOREINFO");
	else if ((text = kvmi_info_note(buf, size)) == NULL)
		kvmi_err(kd, EBADMSG, "VMCOREINFO: physical 0x%llx holds no "
		    "note of that name",
		    (unsigned long long)kd->hdr->vmcoreinfo_paddr);
	free(buf);
	return text;
}

const char *
kvmi_info_text(kvm_t *kd)
{
	pthread_mutex_lock(&kd->lazy);
	if (kd->info == NULL)
		kd->info = kvmi_info_note(kd->cpu + kd->hdr->notes_off,
		    kd->hdr->notes_size);
	if (kd->info == NULL)
		kd->info = info_from_memory(kd);
	pthread_mutex_unlock(&kd->lazy);
	return kd->info;
}

const char *
kvmi_info_find(const char *text, const char *key)
{
	const size_t len = strlen(key);
	const char *p;

	for (p = text; p != NULL && *p != '\0'; ) {
		if (strncmp(p, key, len) == 0 && p[len] == '=')
			return p + len + 1;
		if ((p = strchr(p, '\n')) != NULL)
			p++;
	}
	return NULL;
}

bool
kvmi_info_has(kvm_t *kd, const char *key)
{
	const char *text = kvmi_info_text(kd);

	return text != NULL && kvmi_info_find(text, key) != NULL;
}

int
kvmi_info_number(const char *text, const char *key, int base, uint64_t *value)
{
	const char *p = kvmi_info_find(text, key);
	char *end;

	if (p == NULL)
		return 0;
	errno = 0;
	*value = strtoull(p, &end, base);
	return errno == 0 && end != p && (*end == '\n' || *end == '\0') ? 1 :
	    -1;
}

const char *
kvmi_info_release(kvm_t *kd, char *to, size_t size)
{
	const char *release = kd->hdr != NULL ? kd->hdr->release :
	    kvmi_live_release(kd);

	return kvmi_shown(to, size, release != NULL ? release : "?", size);
}

int
kvmi_info(kvm_t *kd, const char *key, uint64_t *value)
{
	const char *text = kvmi_info_text(kd);
	const int base = strncmp(key, "SYMBOL(", 7) == 0 ? 16 : 10;
	char release[80];

	if (text == NULL)
		return -1;
	switch (kvmi_info_number(text, key, base, value)) {
	case 1:
		return 0;
	case 0:
		return kvmi_err(kd, ENOTSUP, "VMCOREINFO of kernel %s has no "
		    "%s", kvmi_info_release(kd, release, sizeof(release)),
		    key);
	default:
		return kvmi_err(kd, EBADMSG, "VMCOREINFO: %s is not a number",
		    key);
	}
}

const char *
kvm_vmcoreinfo(kvm_t *kd)
{
	const char *text = NULL;

	if (kvmi_need_header(kd) == 0)
		text = kvmi_info_text(kd);
	if (text == NULL)
		kvmi_report(kd);
	return text;
}
