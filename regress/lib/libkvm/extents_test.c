/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents_test.c: kvm_openextents(3): dumps that lie in pieces on another file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "image.h"

#define PIECE	(64u << 10)

struct scattered {
	struct image im;	/* the dump in one piece */
	int file, disk;		/* of zeros; and with the pieces */
	struct kvm_extent *ext;
	size_t next;
	uint64_t size;
};

static int
unnamed(void)
{
	FILE *fp = tmpfile();
	int fd;

	assert_non_null(fp);
	fd = dup(fileno(fp));
	fclose(fp);
	assert_true(fd != -1);
	return fd;
}

/* The pieces in reverse order, with gaps. */
static void
scatter(struct scattered *s)
{
	uint8_t buf[PIECE];
	size_t i;

	image_init(&s->im);
	image_make(&s->im);
	s->size = (uint64_t)lseek(s->im.fd, 0, SEEK_END);
	s->next = (size_t)((s->size + PIECE - 1) / PIECE);
	s->ext = calloc(s->next, sizeof(*s->ext));
	s->file = unnamed();
	s->disk = unnamed();
	assert_int_equal(ftruncate(s->file, (off_t)s->size), 0);
	for (i = 0; i < s->next; i++) {
		s->ext[i].ke_start = (s->next - i) * (PIECE + 4096);
		s->ext[i].ke_size = i + 1 < s->next ? PIECE :
		    s->size - i * PIECE;
		image_get(&s->im, i * PIECE, buf, (size_t)s->ext[i].ke_size);
		assert_int_equal(pwrite(s->disk, buf,
		    (size_t)s->ext[i].ke_size, (off_t)s->ext[i].ke_start),
		    s->ext[i].ke_size);
	}
}

static void
scattered_fini(struct scattered *s)
{
	close(s->file);
	close(s->disk);
	free(s->ext);
	image_fini(&s->im);
}

/* Opens it, and puts the header in force. */
static kvm_t *
scattered_open(struct scattered *s, int flags)
{
	char errbuf[KVM_ERRBUFSZ] = "";
	struct kvm_dumpinfo di;
	kvm_t *kd;

	kd = kvm_openextents(dup(s->file), dup(s->disk), s->ext, s->next,
	    "pieces", flags, errbuf);
	if (kd == NULL)
		fail_msg("%s", errbuf);
	assert_int_equal(kvm_dump_find(kd, NULL, 0, &di), 1);
	if (kvm_dump_mkheader64(kd, di.di_dumplo) <= 0)
		fail_msg("%s", kvm_geterr(kd));
	return kd;
}

/* This test checks that a dump reads the same in pieces as in one. */
static void
extents_read_as_one_piece(void **state)
{
	struct scattered s;
	uint8_t *a, *b;
	size_t len;
	kvm_t *kd;

	(void)state;
	scatter(&s);
	kd = scattered_open(&s, O_RDONLY);
	len = (size_t)kvm_dump_hdr(s.im.kd)->data_size;
	a = malloc(len);
	b = malloc(len);
	assert_int_equal(kvm_dump_read(s.im.kd, a, len, 0), len);
	assert_int_equal(kvm_dump_read(kd, b, len, 0), len);
	assert_memory_equal(a, b, len);
	assert_int_equal(kvm_dump_inval(kd), -1);
	free(a);
	free(b);
	kvm_close(kd);
	scattered_fini(&s);
}

/* The one page of the file that is not zeros; 0: there is none. */
static uint64_t
written_page(const struct scattered *s, uint8_t *page)
{
	static const uint8_t zeros[KCORE_ALIGN];
	uint64_t off, found = 0;
	uint8_t one[KCORE_ALIGN];

	for (off = 0; off < s->size; off += sizeof(one)) {
		assert_int_equal(pread(s->file, one, sizeof(one), (off_t)off),
		    sizeof(one));
		if (memcmp(one, zeros, sizeof(one)) == 0)
			continue;
		assert_int_equal(found, 0);
		found = off;
		memcpy(page, one, sizeof(one));
	}
	return found;
}

/* This test checks that a write goes to the file and not to the disk, as a whole
 * page with all that the disk has there, and that it is looked for on the disk. */
static void
extents_write_goes_to_the_file(void **state)
{
	uint8_t before[KCORE_ALIGN], page[KCORE_ALIGN];
	unsigned int i, differ = 0;
	struct scattered s;
	uint64_t off;
	kvm_t *kd;

	(void)state;
	scatter(&s);
	kd = scattered_open(&s, O_RDWR);
	assert_int_equal(kvm_dump_inval(kd), -1);
	assert_non_null(strstr(kvm_geterr(kd), "not there when read back"));
	off = written_page(&s, page);
	assert_int_not_equal(off, 0);
	image_get(&s.im, off, before, sizeof(before));
	for (i = 0; i < sizeof(page); i++) {
		if (page[i] == before[i])
			continue;
		assert_int_equal(page[i], 0);
		differ++;
	}
	assert_in_range(differ, 1, sizeof(uint32_t));
	kvm_close(kd);
	scattered_fini(&s);
}

/* This test checks that clearing works where file and disk are the same. */
static void
extents_inval_clears(void **state)
{
	struct scattered s;
	kvm_t *kd;

	(void)state;
	scatter(&s);
	close(s.file);
	close(s.disk);
	s.file = dup(s.im.fd);
	s.disk = dup(s.im.fd);
	s.next = 1;
	s.ext[0] = (struct kvm_extent){ 0, s.size };
	kd = scattered_open(&s, O_RDWR);
	if (kvm_dump_inval(kd) == -1 || kvm_dump_setsaved(kd) == -1)
		fail_msg("%s", kvm_geterr(kd));
	kvm_close(kd);
	scattered_fini(&s);
}

/* This test checks that extents that end too early, or are no places at all, are
 * errors with a text. */
static void
extents_bad_are_errors(void **state)
{
	const struct kvm_extent far = { INT64_MAX - 4096, 8192 };
	char errbuf[KVM_ERRBUFSZ] = "";
	struct kvm_dumpinfo di;
	struct scattered s;
	kvm_t *kd;

	(void)state;
	scatter(&s);
	assert_null(kvm_openextents(dup(s.file), dup(s.disk), &far, 1, "far",
	    O_RDONLY, errbuf));
	assert_non_null(strstr(errbuf, "extent 0: 8192 bytes at"));
	kd = kvm_openextents(dup(s.file), dup(s.disk), s.ext, s.next - 1,
	    "short", O_RDONLY, errbuf);
	if (kd != NULL) {
		assert_int_not_equal(kvm_dump_find(kd, NULL, 0, &di), 1);
		kvm_close(kd);
	}
	scattered_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_read_as_one_piece),
		cmocka_unit_test(extents_write_goes_to_the_file),
		cmocka_unit_test(extents_inval_clears),
		cmocka_unit_test(extents_bad_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
