/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.c: opens what is to be looked at: a core file, a raw dump device that
 * savecore(8) has not been at, or the running system.
 */
#include <sys/kcore.h>
#include <sys/prctl.h>

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crashinfo.h"

/* Finds the dump on a raw device. */
static void
target_find(struct target *t)
{
	switch (kvm_dump_find(t->kd, NULL, 0, &t->di)) {
	case -1:
	case 0:
		errx(1, "%s", kvm_geterr(t->kd));
	default:
		break;
	}
	t->early = t->di.di_dumplo == 0;
	if (!t->early && kvm_dump_mkheader64(t->kd, t->di.di_dumplo) <= 0)
		errx(1, "%s", kvm_geterr(t->kd));
}

bool
target_is_live(const struct target *t)
{
	return t->core == NULL || strcmp(t->core, "/dev/mem") == 0 ||
	    strcmp(t->core, "/proc/kcore") == 0;
}

/* How many bytes of CORE_DATA there are: fewer than all in a file cut short. */
static uint64_t
target_bytes(const struct target *t, const struct cpu_kcore_hdr *h)
{
	uint64_t lo = 0, hi = h->data_valid, mid;
	char none;

	/* A read of nothing fails only beyond what the file has. */
	while (lo < hi) {
		mid = hi - (hi - lo) / 2;
		if (kvm_dump_read(t->kd, &none, 0, mid) == 0)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

bool
target_incomplete(const struct target *t, char *text, size_t len)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(t->kd);
	uint64_t bytes;

	if (target_is_live(t) || t->early || h == NULL)
		return false;
	bytes = target_bytes(t, h);
	snprintf(text, len, "incomplete: %" PRIu64 " of %" PRIu64 " bytes",
	    bytes, h->data_size);
	return bytes < h->data_size;
}

void
target_open(struct target *t, const char *kernel, const char *core)
{
	char errbuf[KVM_ERRBUFSZ];

	t->core = core;
	if (core != NULL && strcmp(core, "-") == 0) {
		/* It was opened by somebody who may see more than we may. */
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		t->kd = kvm_openfd(dup(STDIN_FILENO), "standard input",
		    O_RDONLY, errbuf);
	} else {
		t->kd = kvm_openfiles(kernel, core, NULL, O_RDONLY, errbuf);
	}
	if (t->kd == NULL)
		errx(1, "%s", errbuf);
	if (target_is_live(t))
		return;
	if (kvm_dump_hdr(t->kd) == NULL)
		target_find(t);
}
