/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unsaved.c: is there a dump on the device that nobody has saved?
 *
 * Arming does not write to the device, but the next dump would, and swap that
 * is in use does already.
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <kvm.h>
#include <sys/kcore.h>

#include "armid.h"
#include "dumpon.h"
#include "filemap.h"
#include "kernfile.h"

/* dumpmag was cleared, although the trailer does not say SAVED. */
static bool
unsaved_cleared(kvm_t *kd, const struct kvm_dumpinfo *di)
{
	const struct cpu_kcore_hdr *hdr;
	uint32_t mag;
	uint64_t off;

	if (di->di_dumplo == 0 || kvm_dump_mkheader64(kd, di->di_dumplo) <= 0 ||
	    (hdr = kvm_dump_hdr(kd)) == NULL)
		return false;
	off = hdr->dumpmag_paddr & (hdr->page_size - 1);
	return kvm_dump_read(kd, &mag, sizeof(mag), off) == sizeof(mag) &&
	    mag == 0;
}

static bool
unsaved_is(kvm_t *kd, const struct kvm_dumpinfo *di)
{
	switch (di->di_state) {
	case KCORE_STATE_INPROGRESS:
	case KCORE_STATE_COMPLETE:
	case KCORE_STATE_FAILED:
		return !unsaved_cleared(kd, di);
	default:
		return false;
	}
}

/*
 * Opens the device; of a file that was not written to everywhere, what is on its
 * blocks.
 */
static kvm_t *
unsaved_open(const struct target *t)
{
	char errbuf[KVM_ERRBUFSZ], path[PATH_MAX];
	struct filemap m = { .ext = NULL };
	kvm_t *kd;
	int disk;

	if (t->fd == -1) {
		(void)kernfile_path(path, sizeof(path), "%s", t->device);
		kd = kvm_openfiles(NULL, path, NULL, O_RDONLY, errbuf);
	} else if (filemap_read(&m, t->fd) == -1) {
		warnx("%s: %s", t->device, m.why);
		return NULL;
	} else if (filemap_node(path, m.major, m.minor) == -1 ||
	    (disk = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		warn("%s: the device %u:%u beneath it", t->device, m.major,
		    m.minor);
		filemap_free(&m);
		return NULL;
	} else {
		kd = kvm_openextents(fcntl(t->fd, F_DUPFD_CLOEXEC, 0), disk,
		    m.ext, m.next, t->device, O_RDONLY, errbuf);
	}
	if (kd == NULL)
		warnx("%s", errbuf);
	filemap_free(&m);
	return kd;
}

int
unsaved_check(const struct target *t)
{
	char when[32];
	struct armid_list known;
	struct kvm_dumpinfo di;
	struct tm tm;
	time_t sec;
	kvm_t *kd;
	int r;

	if (armid_read(&known) == -1)
		return -1;
	if (known.n == 0)
		return 0;
	kd = unsaved_open(t);
	if (kd == NULL)
		return -1;
	r = kvm_dump_find(kd, (const unsigned char(*)[KVM_IDLEN])known.ids,
	    known.n, &di);
	if (r == -1) {
		warnx("%s", kvm_geterr(kd));
	} else if (r == 1 && unsaved_is(kd, &di)) {
		sec = (time_t)(di.di_time_ns / 1000000000u);
		if (localtime_r(&sec, &tm) == NULL ||
		    strftime(when, sizeof(when), "%F %T", &tm) == 0)
			strcpy(when, "an unknown time");
		warnx("%s: holds the dump of a panic at %s that was not saved: "
		    "run savecore(8), or savecore -c -D %s to give it up; -f "
		    "goes on all the same", t->device, when, t->device);
		r = -1;
	} else {
		r = 0;
	}
	kvm_close(kd);
	return r;
}
