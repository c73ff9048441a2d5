/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_unpack.c: pages of a compressed dump, as they were; and the last few of
 * them, which are asked for again and again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <sys/diskdump.h>

#include "kvm_bytes.h"

/* Each unpacks a whole page: false where it is not one. */
static bool
unpack_zlib(uint8_t *page, const uint8_t *from, size_t len)
{
	uLongf n = KVMI_PAGE;

	return uncompress(page, &n, from, len) == Z_OK && n == KVMI_PAGE;
}

static bool
unpack_lzo(uint8_t *page, const uint8_t *from, size_t len)
{
	lzo_uint n = KVMI_PAGE;

	return lzo1x_decompress_safe(from, len, page, &n, NULL) == LZO_E_OK &&
	    n == KVMI_PAGE;
}

static bool
unpack_zstd(uint8_t *page, const uint8_t *from, size_t len)
{
	return ZSTD_decompress(page, KVMI_PAGE, from, len) == KVMI_PAGE;
}

static bool
unpack_plain(uint8_t *page, const uint8_t *from, size_t len)
{
	if (len != KVMI_PAGE)
		return false;
	memcpy(page, from, len);
	return true;
}

/* The registry of codecs. */
static const struct {
	uint32_t flags;
	const char *name;
	bool (*unpack)(uint8_t *page, const uint8_t *from, size_t len);
} unpack_codecs[] = {
	{ 0, "plain", unpack_plain },
	{ DISKDUMP_ZLIB, "zlib", unpack_zlib },
	{ DISKDUMP_LZO, "LZO", unpack_lzo },
	{ DISKDUMP_ZSTD, "zstd", unpack_zstd },
};

int
kvmi_unpack(kvm_t *kd, uint32_t flags, uint8_t *page, const uint8_t *from,
    size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(unpack_codecs) / sizeof(unpack_codecs[0]); i++) {
		if (unpack_codecs[i].flags != flags)
			continue;
		if (unpack_codecs[i].unpack(page, from, len))
			return 0;
		return kvmi_err(kd, EBADMSG, "%zu bytes are no page compressed "
		    "with %s", len, unpack_codecs[i].name);
	}
	return kvmi_err(kd, ENOTSUP, "compressed in a way that this library "
	    "can't read: flags 0x%x%s", flags, flags == DISKDUMP_SNAPPY ?
	    ", which is snappy" : "");
}

#define NPAGES	64u

struct kvmi_pages {
	pthread_mutex_t lock;
	struct {
		uint64_t number;	/* + 1; 0: none */
		uint8_t data[KVMI_PAGE];
	} page[NPAGES];
};

struct kvmi_pages *
kvmi_pages_create(void)
{
	struct kvmi_pages *p = calloc(1, sizeof(*p));

	if (p != NULL && pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p);
		return NULL;
	}
	return p;
}

void
kvmi_pages_destroy(struct kvmi_pages *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int
kvmi_pages_read(kvm_t *kd, uint64_t number, void *buf, size_t len,
    size_t at, int (*get)(kvm_t *kd, uint64_t number, uint8_t *page))
{
	const size_t slot = number % NPAGES;
	struct kvmi_pages *p = kd->pages;
	int rv = 0;

	if (len == KVMI_PAGE)
		return get(kd, number, buf);
	pthread_mutex_lock(&p->lock);
	if (p->page[slot].number != number + 1) {
		p->page[slot].number = 0;
		rv = get(kd, number, p->page[slot].data);
		if (rv == 0)
			p->page[slot].number = number + 1;
	}
	if (rv == 0)
		memcpy(buf, p->page[slot].data + at, len);
	pthread_mutex_unlock(&p->lock);
	return rv;
}
