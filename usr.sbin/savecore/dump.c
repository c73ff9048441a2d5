/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump.c: the dump on a device: what it is, and clearing it.
 */
#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "armid.h"
#include "savecore.h"

/* The header, and the magic number that clearing zeroes. */
static void
dump_look_header(struct dump *d)
{
	const struct cpu_kcore_hdr *hdr;
	uint64_t off;

	if (kvm_dump_mkheader64(d->kd, d->di.di_dumplo) <= 0 ||
	    (hdr = kvm_dump_hdr(d->kd)) == NULL) {
		snprintf(d->why, sizeof(d->why), "%s", kvm_geterr(d->kd));
		return;
	}
	d->header = true;
	if (d->di.di_data_valid == 0)
		return;
	off = hdr->dumpmag_paddr & (hdr->page_size - 1);
	if (kvm_dump_read(d->kd, &d->dumpmag, sizeof(d->dumpmag), off) !=
	    sizeof(d->dumpmag)) {
		snprintf(d->why, sizeof(d->why), "%s", kvm_geterr(d->kd));
		d->header = false;
		return;
	}
	d->dumpmag = le32toh(d->dumpmag);
	if (d->dumpmag == 0)
		d->cleared = true;
}

/* kvm_dump_find(), with the ids that are known, or any where known is NULL. */
static int
dump_find(struct dump *d, const struct armid_list *known)
{
	const unsigned char(*ids)[KVM_IDLEN] = NULL;
	size_t n = 0;
	int r;

	if (known != NULL) {
		ids = (const unsigned char(*)[KVM_IDLEN])known->ids;
		n = known->n;
	}
	r = kvm_dump_find(d->kd, ids, n, &d->di);
	if (r == -1)
		msg(LOG_ERR, "%s", kvm_geterr(d->kd));
	return r;
}

static int
dump_open_fd(struct dump *d, int fd, int flags)
{
	const struct candidate *where = d->where;
	char errbuf[KVM_ERRBUFSZ];
	int copy, disk = -1;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy != -1 && where->disk != -1 &&
	    (disk = fcntl(where->disk, F_DUPFD_CLOEXEC, 0)) == -1) {
		close(copy);
		copy = -1;
	}
	if (copy == -1) {
		msg_errno(LOG_ERR, "%s", d->path);
		return -1;
	}
	d->kd = disk == -1 ? kvm_openfd(copy, d->path, flags, errbuf) :
	    kvm_openextents(copy, disk, where->map.ext, where->map.next,
	    d->path, flags, errbuf);
	if (d->kd != NULL)
		return 0;
	msg(LOG_ERR, "%s", errbuf);
	return -1;
}

int
dump_open(struct dump *d, const struct candidate *where)
{
	memset(d, 0, sizeof(*d));
	d->where = where;
	d->path = where->path;
	d->wrfd = -1;
	return dump_open_fd(d, where->fd, O_RDONLY);
}

int
dump_reopen(struct dump *d, int fd)
{
	kvm_close(d->kd);
	d->wrfd = fd;
	return dump_open_fd(d, fd, O_RDWR);
}

int
dump_fd(const struct dump *d)
{
	if (d->where->disk != -1)
		return d->where->disk;
	return d->wrfd != -1 ? d->wrfd : d->where->fd;
}

void
dump_close(struct dump *d)
{
	if (d->where == NULL)
		return;
	if (d->kd != NULL)
		kvm_close(d->kd);
	if (d->wrfd != -1)
		close(d->wrfd);
	d->kd = NULL;
	d->wrfd = -1;
}

/* Which arming was it, and at what level? */
static void
dump_arming(struct dump *d, const struct armid_list *known)
{
	d->arming = known->n;
	while (d->arming > 0 && memcmp(known->ids[d->arming - 1],
	    d->di.di_arm_id, KCORE_IDLEN) != 0)
		d->arming--;
	d->level = d->arming == 0 ? -1 : known->levels[d->arming - 1];
}

/* A forged one, or one of a time that the list does not reach back to. */
static void
dump_tell_unknown(const struct dump *d)
{
	msg(LOG_WARNING, "%s: what looks like a dump there was not armed by "
	    "this system, or so long ago that its id is not in " ARMID_DIR "/"
	    ARMID_FILE " any more: nothing keeps it from being overwritten; "
	    "savecore -f -D %s saves it", d->path, d->path);
}

int
dump_look(struct dump *d, const struct armid_list *known, bool any)
{
	int r;

	d->found = d->header = d->cleared = false;
	r = dump_find(d, known);
	if (r == 0) {
		r = dump_find(d, NULL);
		if (r == 1 && !any) {
			if (d->di.di_state != KCORE_STATE_SAVED)
				dump_tell_unknown(d);
			return 0;
		}
	}
	if (r != 1)
		return r;
	d->found = true;
	dump_arming(d, known);
	d->cleared = d->di.di_state == KCORE_STATE_SAVED;
	if (d->di.di_dumplo != 0)
		dump_look_header(d);
	return 0;
}

bool
dump_is_early(const struct dump *d)
{
	return d->di.di_dumplo == 0 || d->di.di_data_valid == 0;
}

int
dump_clear(struct dump *d, const struct armid_list *known)
{
	bool mag = d->header && !dump_is_early(d);

	if ((mag && kvm_dump_inval(d->kd) == -1) ||
	    kvm_dump_setsaved(d->kd) == -1) {
		msg(LOG_ERR, "can't clear the dump: %s", kvm_geterr(d->kd));
		return -1;
	}
	if (dump_look(d, known, true) == -1)
		return -1;
	if (d->found && d->di.di_state == KCORE_STATE_SAVED &&
	    (!mag || (d->header && d->dumpmag == 0)))
		return 0;
	msg(LOG_ERR, "%s: the dump was cleared, but it is still there",
	    d->path);
	return -1;
}
