/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakedisk.c: see fakedisk.h.
 */
#include <stdlib.h>

#include "fakedisk.h"

void
fakedisk_init(struct fakedisk *d, struct fakebus *fb, uint32_t blksize,
    uint64_t nblks)
{
	d->fb = fb;
	d->len = nblks * blksize;
	d->data = malloc(d->len);
	assert_non_null(d->data);
	memset(d->data, FAKEDISK_FILL, d->len);
}

void
fakedisk_fini(struct fakedisk *d)
{
	free(d->data);
	d->data = NULL;
}

uint8_t *
fakedisk_at(const struct fakedisk *d, uint64_t off, uint64_t len)
{
	assert_true(off <= d->len && len <= d->len - off);
	return d->data + off;
}

bool
fakedisk_fails(const struct fakedisk *d)
{
	return d->nreq >= d->fail_from && d->nreq <= d->fail_to;
}

bool
fakedisk_breaks(const struct fakedisk *d)
{
	return d->break_at != 0 && (d->break_once ? d->nreq == d->break_at :
	    d->nreq >= d->break_at);
}

bool
fakedisk_drops(struct fakedisk *d)
{
	if (d->nreq != d->drop_at)
		return false;
	d->late_at = d->late_us == 0 ? 0 : d->fb->now_us + d->late_us;
	return true;
}

bool
fakedisk_late(struct fakedisk *d)
{
	if (d->late_at == 0 || d->fb->now_us < d->late_at)
		return false;
	d->late_at = 0;
	return true;
}
