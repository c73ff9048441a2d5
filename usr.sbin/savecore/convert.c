/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * convert.c: a core that was saved before, in another format.
 *
 * It has no checksums any more: what its header says of damage goes along.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "savecore.h"

/* How many bytes of CORE_DATA the file really has: whole pages of them. */
static uint64_t
convert_size(kvm_t *kd, uint64_t valid)
{
	const uint32_t page = kvm_dump_hdr(kd)->page_size;
	uint64_t lo = 0, hi = valid, mid;
	char byte;

	while (lo < hi) {
		mid = lo + (hi - lo + 1) / 2;
		if (kvm_dump_read(kd, &byte, 1, mid - 1) == 1)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo - lo % page;
}

/* Is it all there, or may it be missing? */
static int
convert_check(struct copy *c, const struct savecore_opts *opts)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(c->kd);
	char byte;

	if (c->size == 0 ||
	    kvm_dump_read(c->kd, &byte, 1, c->size - 1) == 1)
		return 0;
	c->size = convert_size(c->kd, c->size);
	msg(LOG_WARNING, "%s: is cut short: %" PRIu64 " of %" PRIu64 " KiB of "
	    "memory are there%s", c->path, c->size / 1024,
	    h->data_valid / 1024, opts->force ? "" :
	    ": -f converts them");
	if (!opts->force)
		return -1;
	if (kvm_dump_mark(c->kd, KCORE_EXCL_MISSING, c->size,
	    h->data_size - c->size) == 0)
		return 0;
	msg(LOG_ERR, "%s", kvm_geterr(c->kd));
	return -1;
}

static int
convert_core(kvm_t *kd, const struct savecore_opts *opts)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(kd);
	struct copy c = { .kd = kd, .path = opts->core, .direct = -1,
	    .unchecked = true };
	struct outfile out;

	if (h == NULL) {
		msg(LOG_ERR, "%s: is not a core file: the dump on a device is "
		    "saved with -D", opts->core);
		return -1;
	}
	c.size = h->data_valid;
	c.planned = h->data_size;
	if (convert_check(&c, opts) == -1 || save_file(&c, &out, opts) == -1)
		return -1;
	if (c.ndamaged == 0)
		return 0;
	msg(LOG_WARNING, "%s: %" PRIu64 " of %" PRIu64 " chunks could not be "
	    "read; %s has the rest", opts->core, c.ndamaged,
	    (c.size + KCORE_CHUNK - 1) / KCORE_CHUNK, out.path);
	return -1;
}

int
convert(int fd, const struct savecore_opts *opts)
{
	char errbuf[KVM_ERRBUFSZ];
	kvm_t *kd = kvm_openfd(dup(fd), opts->core, O_RDONLY, errbuf);
	int r;

	if (kd == NULL) {
		msg(LOG_ERR, "%s", errbuf);
		return -1;
	}
	r = convert_core(kd, opts);
	kvm_close(kd);
	return r;
}
