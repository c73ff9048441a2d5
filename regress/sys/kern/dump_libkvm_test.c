// SPDX-License-Identifier: BSD-2-Clause
/*
 * dump_libkvm_test.c: what the dump core leaves on the medium, whole or cut
 * short by a loss of power, through libkvm.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kvm.h>

#include "fakedump.h"

static struct fakedump f;
static unsigned int nseen[KCORE_STATE_SAVED + 1];

static const struct dump_ram ram[] = {
	{ 1 * KCORE_ALIGN, 158, 0 },
	{ 256 * KCORE_ALIGN, 400, 0 },
};

/* The window as a file: its path. */
static const char *
window_file(int *fd)
{
	static char path[64];
	uint64_t off;

	*fd = memfd_create("window", 0);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, (off_t)f.raw.size), 0);
	for (off = 0; off < f.raw.size; off += KCORE_ALIGN)
		assert_int_equal(pwrite(*fd, memdev_page(&f.dev, off),
		    KCORE_ALIGN, (off_t)off), KCORE_ALIGN);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	return path;
}

/* Every chunk that libkvm calls right is right. */
static void
check_chunks(kvm_t *kd, const struct kvm_dumpinfo *di)
{
	uint8_t *buf = malloc(KCORE_CHUNK);
	uint64_t off, len;
	ssize_t n;
	int answer;

	for (off = 0; off < di->di_data_valid; off += len) {
		len = di->di_data_size - off;
		if (len > KCORE_CHUNK)
			len = KCORE_CHUNK;
		n = kvm_dump_read(kd, buf, len, off);
		assert_int_equal(n, len);
		answer = kvm_dump_verify(kd, off / KCORE_CHUNK, buf, len);
		assert_memory_equal(buf, f.data + off, len);
		if (di->di_state == KCORE_STATE_COMPLETE)
			assert_int_equal(answer, 1);
		/* Its page of sums may be the one that was torn. */
		assert_true(answer == 1 || answer == -1);
	}
	free(buf);
}

static void
check_window(void *arg)
{
	char errbuf[KVM_ERRBUFSZ];
	struct kvm_dumpinfo di;
	kvm_t *kd;
	int fd;

	(void)arg;
	kd = kvm_openfiles(NULL, window_file(&fd), NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		fail_msg("%s", errbuf);
	if (kvm_dump_find(kd, (const void *)f.d.hdr.arm_id, 1, &di) == 1) {
		nseen[di.di_state]++;
		if (di.di_early)
			assert_string_equal(di.di_panicstr, FAKE_PANIC);
		if (di.di_dumplo != 0) {
			/* Makes f.data. */
			fakedump_check_claims(&f);
			if (kvm_dump_mkheader(kd, di.di_dumplo) <= 0)
				fail_msg("%s", kvm_geterr(kd));
			check_chunks(kd, &di);
		}
	} else {
		nseen[KCORE_STATE_EMPTY]++;
	}
	(void)kvm_close(kd);
	close(fd);
}

static void
cut_now(void *arg)
{
	memdev_cut(&f.dev, MEMDEV_CUT_NONE, check_window, arg);
	memdev_cut(&f.dev, MEMDEV_CUT_BLOCKS, check_window, arg);
}

static void
dump(void (*event)(void *))
{
	fakeos_reset(1);
	fakedump_mixed();
	fakeos.read_us = 8000;
	memset(nseen, 0, sizeof(nseen));
	fakedump_init(&f, &(struct fakedump_conf){ .window = 8u << 20,
	    .slot_len = 262144, .level = 1, .ram = ram, .nram = 2 });
	f.dev.event = event;
	assert_int_equal(dump_run(&f.d, FAKE_PANIC), 0);
	f.dev.event = NULL;
}

/* This test checks that libkvm finds a dump, takes its header and reads all its
 * data. */
static void
dump_libkvm_reads_a_dump(void **state)
{
	(void)state;
	dump(NULL);
	check_window(NULL);
	assert_int_equal(nseen[KCORE_STATE_COMPLETE], 1);
	fakedump_fini(&f);
}

/* This test checks that libkvm takes no wrong data for right at any moment at
 * which the power may fail. */
static void
dump_libkvm_believes_no_torn_dump(void **state)
{
	(void)state;
	dump(cut_now);
	assert_true(nseen[KCORE_STATE_EMPTY] > 0);
	assert_true(nseen[KCORE_STATE_INPROGRESS] > 10);
	assert_true(nseen[KCORE_STATE_COMPLETE] > 0);
	fakedump_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_libkvm_reads_a_dump),
		cmocka_unit_test(dump_libkvm_believes_no_torn_dump),
	};

	return cmocka_run_group_tests(tests, NULL, fakedump_give_back);
}
