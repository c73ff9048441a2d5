/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_bytes_raw.c: a raw dump device, or an image of one.  It has no header
 * until kvm_dump_mkheader() has found one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kvm_bytes.h"

static int
raw_open(kvm_t *kd)
{
	if (kd->disk == -1 && (kd->flat_on || kd->packed != NULL))
		return kvmi_err(kd, ENOTSUP, "%s file of what is not a core "
		    "file", kd->flat_on ? "flattened" : "compressed");
	kd->window = kd->file_size / KCORE_ALIGN * KCORE_ALIGN;
	if (kd->window == 0)
		return kvmi_err(kd, ENOTSUP, "%llu bytes are neither a core "
		    "file nor a dump device",
		    (unsigned long long)kd->file_size);
	return 1;
}

const struct kvmi_format kvmi_format_raw = {
	.name = "raw dump device",
	.open = raw_open,
	.read = kvmi_plain_read,
};

int
kvmi_raw_check(kvm_t *kd, bool wr)
{
	if (kd->fmt != &kvmi_format_raw)
		return kvmi_err(kd, ENODEV, "not a raw dump device");
	if (wr && !kd->writable)
		return kvmi_err(kd, EBADF, "opened for reading only");
	return 0;
}

/* Writes to the file or device, and gets rid of what is cached. */
static int
raw_put(kvm_t *kd, const uint8_t *from, size_t len, uint64_t off)
{
	size_t done = 0, want = len;
	ssize_t n;

	while (done < len) {
		n = pwrite(kd->fd, from + done, len - done,
		    (off_t)(off + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return kvmi_syserr(kd, n == 0 ? EIO : errno,
			    "write at %llu", (unsigned long long)off);
		done += (size_t)n;
	}
	kvmi_small_forget(kd);
	if (fsync(kd->fd) == -1)
		return kvmi_syserr(kd, errno, "sync of a write at %llu",
		    (unsigned long long)off);
	/* From the device, not from the page cache, where that can be. */
	if (kd->disk != -1)
		(void)posix_fadvise(kd->disk, (off_t)kvmi_flat_find(kd, off,
		    &want), (off_t)len, POSIX_FADV_DONTNEED);
	else
		(void)posix_fadvise(kd->fd, (off_t)off, (off_t)len,
		    POSIX_FADV_DONTNEED);
	return 0;
}

/*
 * The same through a file: all of the page, since what the file system takes for
 * a part of the file without contents it would fill up with zeros.
 */
static int
raw_put_page(kvm_t *kd, const uint8_t *from, size_t len, uint64_t off)
{
	const uint64_t at = off % KCORE_ALIGN;
	uint8_t page[KCORE_ALIGN];

	if (len > sizeof(page) - at)
		return kvmi_err(kd, EINVAL, "write of %zu bytes at %llu: in "
		    "two pages", len, (unsigned long long)off);
	if (kvmi_pread(kd, page, sizeof(page), off - at) == -1)
		return -1;
	memcpy(page + at, from, len);
	return raw_put(kd, page, sizeof(page), off - at);
}

/*
 * The only write to a dump: to the raw device, within the dump and the
 * records at its end.  It is synced and read back.
 */
int
kvmi_raw_write(kvm_t *kd, const void *buf, size_t len, uint64_t off)
{
	const uint8_t *from = buf;
	uint8_t back[KCORE_TRAILER_SIZE];
	size_t done;

	if (off < KCORE_ALIGN || off > kd->window || len > sizeof(back) ||
	    len > kd->window - off)
		return kvmi_err(kd, EINVAL, "write of %zu bytes at %llu: "
		    "outside the window", len, (unsigned long long)off);
	if ((kd->disk != -1 ? raw_put_page(kd, from, len, off) :
	    raw_put(kd, from, len, off)) == -1)
		return -1;
	if (kvmi_pread(kd, back, len, off) == -1)
		return kvmi_prepend(kd, "read back");
	for (done = 0; done < len; done++)
		if (back[done] != from[done])
			return kvmi_err(kd, EIO, "write at %llu: not there "
			    "when read back", (unsigned long long)off);
	return 0;
}
