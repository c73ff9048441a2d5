/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_live.c: the running system: where its memory is had from, and what it
 * says of itself without being a dump.
 *
 * Nothing is opened before it is asked for, so that each question needs no more
 * privileges than its own answer.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define LIVE_NOTES_MAX	65536u		/* bytes of /sys/kernel/notes */
#define LIVE_STAT_MAX	(64u << 20)	/* of /proc/stat */
#define LIVE_BTF_MAX	(256u << 20)

/* The registry: every way to the running system's memory. */
static const struct kvmi_livemem *const kvmi_livemems[] = {
	&kvmi_livemem_kcore,
	&kvmi_livemem_devmem,
	NULL,
};

const struct kvmi_livemem *
kvmi_live_find(const char *corefile, int flags)
{
	size_t i;

	if (flags == KVM_NO_FILES)
		return &kvmi_livemem_none;
	if (corefile == NULL)
		return kvmi_livemems[0];
	for (i = 0; kvmi_livemems[i] != NULL; i++)
		if (strcmp(kvmi_livemems[i]->name, corefile) == 0)
			break;
	return kvmi_livemems[i];
}

static int
none_read(kvm_t *kd, kvaddr_t va __attribute__((unused)),
    void *buf __attribute__((unused)), size_t len __attribute__((unused)),
    size_t *done __attribute__((unused)))
{
	return kvmi_err(kd, ENODEV, "opened with KVM_NO_FILES: there is no "
	    "memory to read");
}

static int
none_write(kvm_t *kd, kvaddr_t va __attribute__((unused)),
    const void *buf __attribute__((unused)),
    size_t len __attribute__((unused)), size_t *done __attribute__((unused)))
{
	return kvmi_err(kd, ENODEV, "opened with KVM_NO_FILES: there is no "
	    "memory to write");
}

const struct kvmi_livemem kvmi_livemem_none = {
	.name = NULL,
	.read = none_read,
	.write = none_write,
};

int
kvmi_live_need(kvm_t *kd)
{
	if (kd->live->name != NULL)
		return 0;
	return kvmi_err(kd, ENODEV, "opened with KVM_NO_FILES: there is "
	    "nothing but what /proc says of processes");
}

void
kvmi_live_fini(kvm_t *kd)
{
	kvmi_ksymfile_free(kd->ksymfile);
	free(kd->kcore);
}

/* The lines cpu0, cpu1, ... of /proc/stat. */
int
kvmi_live_ncpus(kvm_t *kd)
{
	size_t len;
	char *text = kvmi_live_load(kd, "/proc/stat", LIVE_STAT_MAX, &len), *p;
	int n = 0;

	if (text == NULL)
		return -1;
	for (p = text; strncmp(p, "cpu", 3) == 0; p++) {
		n += p[3] >= '0' && p[3] <= '9';
		if ((p = strchr(p, '\n')) == NULL)
			break;
	}
	free(text);
	if (n == 0)
		return kvmi_err(kd, EBADMSG, "/proc/stat: it names no CPU");
	return n;
}

const char *
kvmi_live_release(kvm_t *kd)
{
	const char *release = NULL;

	pthread_mutex_lock(&kd->lazy);
	if (kd->uts.release[0] == '\0' && uname(&kd->uts) == -1)
		kvmi_syserr(kd, errno, "uname");
	else
		release = kd->uts.release;
	pthread_mutex_unlock(&kd->lazy);
	return release;
}

int
kvmi_live_uptime(kvm_t *kd, struct timespec *up, struct timespec *now)
{
	if ((up != NULL && clock_gettime(CLOCK_BOOTTIME, up) == -1) ||
	    (now != NULL && clock_gettime(CLOCK_REALTIME, now) == -1))
		return kvmi_syserr(kd, errno, "clock");
	return 0;
}

int
kvmi_live_check_kernel(kvm_t *kd)
{
	static const char path[] = "/sys/kernel/notes";
	struct kvmi_note n;
	const uint8_t *id;
	size_t len, pos = 0, idlen = kvmi_elf_buildid(kd->elf, &id);
	char *notes;
	bool other = false;

	/* Where either has no build id, nobody can tell. */
	if (idlen == 0)
		return 0;
	notes = kvmi_live_load(kd, path, LIVE_NOTES_MAX, &len);
	if (notes == NULL)
		return errno == ENOENT ? 0 : -1;
	while (!other && kvmi_note_next(notes, len, &pos, &n))
		other = n.type == NT_GNU_BUILD_ID && kvmi_note_is(&n, "GNU") &&
		    (n.len != idlen || memcmp(n.desc, id, idlen) != 0);
	free(notes);
	if (!other)
		return 0;
	return kvmi_err(kd, ESTALE, "%s is not the running kernel: its build "
	    "id is another one", kd->execname);
}

int
kvmi_live_slide(kvm_t *kd, uint64_t *slide)
{
	struct nlist nl = { .n_name = "_stext" };
	struct kvmi_want want = { .name = nl.n_name, .nl = &nl };
	const struct kvmi_ksymfile *kf = kvmi_ksymfile(kd);
	uint64_t stext;
	char type;

	if (kf == NULL || kvmi_elf_lookup(kd, kd->elf, &want, 1, UINT64_MAX,
	    0) == -1)
		return -1;
	if (nl.n_type == N_UNDF ||
	    !kvmi_ksymfile_lookup(kf, "_stext", NULL, &type, &stext))
		return kvmi_err(kd, ENOEXEC, "%s: _stext is not in it, or not "
		    "in /proc/kallsyms: how far the kernel was moved is not "
		    "known", kd->execname);
	*slide = stext - nl.n_value;
	return 0;
}

void *
kvmi_live_btf(kvm_t *kd, size_t *size)
{
	return kvmi_live_load(kd, "/sys/kernel/btf/vmlinux", LIVE_BTF_MAX,
	    size);
}
