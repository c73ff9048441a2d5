/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob.c: dumps some bytes of which are anybody's: what all of them share.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"

const struct blob *const blobs[] = { &blob_core, &blob_raw, &blob_packed,
	&blob_elf, &blob_kdump, &blob_flat, &blob_tables, &blob_kallsyms,
	&blob_btf, &blob_log, &blob_tasks, NULL };

void
blob_area_init(struct blob_area *a, const struct image *im, uint64_t off,
    size_t size)
{
	a->off = off;
	a->size = size;
	a->good = malloc(size);
	assert_non_null(a->good);
	image_get(im, off, a->good, size);
}

void
blob_area_take(const struct blob_area *a, const uint8_t **data, size_t *size,
    uint8_t *buf)
{
	const size_t n = *size < a->size ? *size : a->size;

	memcpy(buf, a->good, a->size);
	if (n != 0)
		memcpy(buf, *data, n);
	*data += n;
	*size -= n;
}

void
blob_keep(struct image *im)
{
	if (im->kd != NULL)
		assert_int_equal(kvm_close(im->kd), 0);
	im->kd = NULL;
	unlink(im->path);
}

kvm_t *
blob_open(const struct image *im)
{
	char errbuf[KVM_ERRBUFSZ] = "";
	kvm_t *kd = kvm_openfd(dup(im->fd), "blob", O_RDONLY, errbuf);

	if (kd == NULL && (strncmp(errbuf, "blob: ", 6) != 0 ||
	    errbuf[6] == '\0'))
		fail_msg("kvm_openfd failed: \"%s\"", errbuf);
	return kd;
}

void
blob_result(kvm_t *kd, long rv)
{
	const char *text = kvm_geterr(kd);

	if (rv == -1 && (strncmp(text, "blob: ", 6) != 0 || text[6] == '\0'))
		fail_msg("a call failed: \"%s\"", text);
}

void
blob_ask(kvm_t *kd, const struct image *im)
{
	const uint64_t direct = mkdump_page_offset(&im->spec);
	const uint64_t at[] = { direct + 0x1000, direct + 0x3fff8,
		direct + 0x8fff0, direct + 0x10000fff0, MKDUMP_MODULE_VA,
		MKDUMP_MODULE_VA + 0xff8, MKDUMP_TEXT_VA + im->spec.slide,
		0, UINT64_MAX - 8, 0x8000000000000000 };
	struct nlist nl[] = { { .n_name = "dumpmag" }, { .n_name = NULL } };
	struct kvm_regs regs;
	uint8_t buf[0x2100];
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		blob_result(kd, kvm_read(kd, at[i], buf, 16));
		blob_result(kd, kvm_read(kd, at[i], buf, sizeof(buf)));
	}
	blob_result(kd, kvm_nlist(kd, nl));
	for (i = 0; i < 4; i++)
		blob_result(kd, kvm_getregs(kd, (unsigned int)i, &regs));
	blob_result(kd, kvm_uptime(kd, NULL, NULL));
	blob_result(kd, kvm_ncpus(kd));
	for (i = 0; i < 3; i++)
		blob_result(kd, kvm_dump_read(kd, buf, sizeof(buf), i << 18));
	kvm_vmcoreinfo(kd);
	kvm_release(kd);
}

void
blob_whole(struct image *im, const uint8_t *data, size_t size)
{
	kvm_t *kd;

	assert_int_equal(ftruncate(im->fd, (off_t)size), 0);
	image_put(im, 0, data, size);
	if ((kd = blob_open(im)) == NULL)
		return;
	if (kvm_dump_hdr(kd) != NULL)
		blob_ask(kd, im);
	kvm_close(kd);
}
