/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tell.c: what is in a dump, what is not, and why; a line for each.
 */
#include <inttypes.h>

#include <sys/kcore.h>

#include "savecore.h"

/* counts[] in the order they are told; the rest of the memory. */
static const struct {
	unsigned int count;
	const char *what;
} tell_counts[] = {
	{ KCORE_COUNT_DUMPED, "in the dump" },
	{ KCORE_COUNT_ZERO, "all zeros" },
	{ KCORE_COUNT_CACHE, "of the page cache left out" },
	{ KCORE_COUNT_CACHE_PRIVATE, "of the private page cache left out" },
	{ KCORE_COUNT_USER, "of processes left out" },
	{ KCORE_COUNT_FREE, "free and left out" },
	{ KCORE_COUNT_TRUNCATED, "that did not fit" },
	{ KCORE_COUNT_UNREADABLE, "not readable" },
	{ KCORE_COUNT_OTHER, "offline, poisoned or not accepted" },
};

static void
tell_pages(const struct dump *d, const struct cpu_kcore_hdr *hdr)
{
	char text[512];
	size_t i, used = 0;

	for (i = 0; i < sizeof(tell_counts) / sizeof(tell_counts[0]); i++) {
		uint64_t n = hdr->counts[tell_counts[i].count];

		if (n > 0 && used < sizeof(text))
			used += (size_t)snprintf(text + used,
			    sizeof(text) - used, "%s%" PRIu64 " %s",
			    used == 0 ? "" : ", ", n, tell_counts[i].what);
	}
	if (used == 0)
		return;
	msg(LOG_NOTICE, "%s: dump level %u: of %" PRIu64 " pages of memory %s",
	    d->path, hdr->dump_level, hdr->counts[KCORE_COUNT_RAM], text);
}

/* Bytes of a kind in exclsegs[]. */
static uint64_t
tell_excluded(kvm_t *kd, unsigned int kind)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(kd);
	const kcore_exclseg_t *e;
	uint64_t bytes = 0;
	uint32_t i;

	e = (const kcore_exclseg_t *)(const void *)((const char *)hdr +
	    hdr->exclsegs_off);
	for (i = 0; i < hdr->nexclsegs; i++) {
		(void)kvm_dump_hdr(kd);
		if (e[i].kind == kind)
			bytes += e[i].size;
	}
	return bytes;
}

static void
tell_unreadable(const struct dump *d)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(d->kd);
	uint64_t bytes = tell_excluded(d->kd, KCORE_EXCL_UNREADABLE);

	if (bytes > 0)
		msg(LOG_WARNING, "%s: %" PRIu64 " pages could not be read at "
		    "the panic, and are zeros where they could not; the core's "
		    "header names them", d->path,
		    (bytes + hdr->page_size - 1) / hdr->page_size);
	if (d->di.di_late_lost > 0)
		msg(LOG_WARNING, "%s: %" PRIu64 " more ranges could not be "
		    "read, and nothing says which", d->path,
		    d->di.di_late_lost);
}

void
tell_contents(const struct dump *d)
{
	const struct cpu_kcore_hdr *hdr = kvm_dump_hdr(d->kd);

	tell_pages(d, hdr);
	if (d->level != -1 && (hdr->dump_level & ~(uint32_t)d->level) != 0)
		msg(LOG_WARNING, "%s: the window was too small for dump level "
		    "%d: level %u was used", d->path, d->level,
		    hdr->dump_level);
	if ((hdr->flags & KCORE_F_TRUNCATED) != 0)
		msg(LOG_WARNING, "%s: the window was too small for all of "
		    "memory: %" PRIu64 " pages are not in the dump", d->path,
		    hdr->counts[KCORE_COUNT_TRUNCATED]);
	tell_unreadable(d);
}
