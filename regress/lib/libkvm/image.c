/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.c: dumps made by regress/mkdump, opened with libkvm, for these tests.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"

void
image_init(struct image *im)
{
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x3f000 },
		{ 0x80000, 0xc0000 },
		{ 0x100000000, 0x10000 },
	};

	memset(im, 0, sizeof(*im));
	mkdump_init(&im->spec);
	im->spec.runs = runs;
	im->spec.nruns = 3;
	im->spec.dumpmag_paddr = 0x90000 + MKDUMP_AT_DUMPMAG;
	im->spec.vmcoreinfo_paddr = 0x91000;
	im->spec.ptd_paddr = 0xa0000;
	im->spec.direct_page = 0x1000;
	im->spec.text_paddr = 0x100000;
	im->spec.text_size = 0x10000;
	im->spec.text_page = 0x1000;
	strcpy(im->path, "/tmp/libkvm_test.XXXXXX");
	im->fd = mkstemp(im->path);
	assert_int_not_equal(im->fd, -1);
}

void
image_write(struct image *im)
{
	if (mkdump_write(&im->spec, im->path, &im->info) == -1)
		fail_msg("mkdump: %s", im->info.err);
}

void
image_open(struct image *im, int flags)
{
	char errbuf[KVM_ERRBUFSZ] = "";

	if (im->kd != NULL)
		kvm_close(im->kd);
	im->kd = kvm_openfiles(NULL, im->path, NULL, flags, errbuf);
	if (im->kd == NULL)
		fail_msg("kvm_openfiles: %s", errbuf);
}

void
image_make(struct image *im)
{
	off_t off;

	image_write(im);
	image_open(im, O_RDWR);
	if (im->spec.core)
		return;
	off = (off_t)(im->spec.prefix + im->info.dumplo);
	if (kvm_dump_mkheader(im->kd, off) <= 0)
		fail_msg("kvm_dump_mkheader: %s", kvm_geterr(im->kd));
}

void
image_fini(struct image *im)
{
	if (im->kd != NULL)
		assert_int_equal(kvm_close(im->kd), 0);
	close(im->fd);
	unlink(im->path);
}

void
image_get(const struct image *im, uint64_t off, void *buf, size_t len)
{
	assert_int_equal(pread(im->fd, buf, len, (off_t)off), len);
}

void
image_put(const struct image *im, uint64_t off, const void *buf, size_t len)
{
	assert_int_equal(pwrite(im->fd, buf, len, (off_t)off), len);
}

void
image_says(const struct image *im, const char *text)
{
	if (strstr(kvm_geterr(im->kd), text) == NULL)
		fail_msg("kvm_geterr: \"%s\" has no \"%s\"",
		    kvm_geterr(im->kd), text);
	assert_ptr_equal(strstr(kvm_geterr(im->kd), im->path),
	    kvm_geterr(im->kd));
}
