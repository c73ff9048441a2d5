/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * regs_test.c: the CPUs' registers in the header's notes, and the times.
 */
#include <errno.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <sys/kcore.h>

#include "image.h"

#define NOTE	(20 + sizeof(struct elf_prstatus))

/* A place in the note of a CPU, as this machine's own headers have it. */
static struct mkdump_poke
poke(size_t notes_off, unsigned int cpu, size_t off, uint64_t value)
{
	return (struct mkdump_poke){ MKDUMP_CPU, notes_off + cpu * NOTE + 20 +
	    off, 8, value };
}

/* A dump with three CPUs; the last one's registers are not known. */
static void
make(struct image *im, struct mkdump_poke *p, size_t *np)
{
	const size_t regs = offsetof(struct elf_prstatus, pr_reg);
	const cpu_kcore_hdr_t *h;
	size_t off;

	image_init(im);
	im->spec.core = true;
	im->spec.nnotes = 3;
	image_make(im);
	h = kvm_dump_hdr(im->kd);
	assert_non_null(h);
	off = h->notes_off;
	p[0] = poke(off, 0, regs + offsetof(struct user_regs_struct, rip),
	    0xffffffff81000123);
	p[1] = poke(off, 0, regs + offsetof(struct user_regs_struct, rsp),
	    0xffffc90000001000);
	p[2] = poke(off, 1, regs + offsetof(struct user_regs_struct, rbp),
	    0x77);
	p[3] = poke(off, 1, regs + offsetof(struct user_regs_struct, gs),
	    0x88);
	p[4] = poke(off, 2, offsetof(struct elf_prstatus, pr_pid), 0);
	*np = 5;
	im->spec.pokes = p;
	im->spec.npokes = 5;
	image_make(im);
}

/* This test checks each CPU's registers, and those of one not known. */
static void
regs_are_those_of_the_cpu(void **state)
{
	struct mkdump_poke pokes[6];
	struct kvm_regs r;
	struct image im;
	size_t n;

	(void)state;
	make(&im, pokes, &n);
	assert_int_equal(kvm_getregs(im.kd, 0, &r), 1);
	assert_int_equal(r.kr_tid, 4242);
	assert_int_equal(r.kr_pc, 0xffffffff81000123);
	assert_int_equal(r.kr_sp, 0xffffc90000001000);
	assert_int_equal(r.kr_fp, 0);
	assert_int_equal(r.kr_n, sizeof(struct user_regs_struct) / 8);
	assert_string_equal(r.kr_reg[0].kr_name, "r15");
	assert_int_equal(kvm_getregs(im.kd, 1, &r), 1);
	assert_int_equal(r.kr_tid, 4243);
	assert_int_equal(r.kr_fp, 0x77);
	assert_string_equal(r.kr_reg[r.kr_n - 1].kr_name, "gs");
	assert_int_equal(r.kr_reg[r.kr_n - 1].kr_value, 0x88);
	assert_int_equal(kvm_getregs(im.kd, 2, &r), 0);
	assert_int_equal(r.kr_pc, 0);
	assert_int_equal(kvm_getregs(im.kd, 3, &r), -1);
	assert_int_equal(errno, ENOENT);
	image_says(&im, "CPU 3: the dump has registers of 3 CPUs");
	image_fini(&im);
	image_init(&im);
	image_make(&im);
	assert_int_equal(kvm_getregs(im.kd, 0, &r), -1);
	assert_int_equal(errno, ENOENT);
	image_says(&im, "CPU 0: the dump has no registers");
	image_fini(&im);
}

/* This test checks that a note of another size is refused. */
static void
regs_of_wrong_size_are_refused(void **state)
{
	struct mkdump_poke pokes[6];
	struct kvm_regs r;
	struct image im;
	size_t n;

	(void)state;
	make(&im, pokes, &n);
	/* The descriptor's size is in the note's second word. */
	pokes[n] = (struct mkdump_poke){ MKDUMP_CPU,
	    kvm_dump_hdr(im.kd)->notes_off + 4, 4, 200 };
	im.spec.npokes = n + 1;
	image_make(&im);
	assert_int_equal(kvm_getregs(im.kd, 0, &r), -1);
	assert_int_equal(errno, EBADMSG);
	image_says(&im, "a note of 200 bytes where 336 were expected");
	image_fini(&im);
}

/* This test checks release, CPUs and times against what was dumped. */
static void
regs_times_and_release_are_the_headers(void **state)
{
	struct timespec up, now;
	struct image im;

	(void)state;
	image_init(&im);
	im.spec.uptime_ns = 12345678901234;
	im.spec.time_ns = 1600000000123456789;
	image_write(&im);
	image_open(&im, 0);
	assert_int_equal(kvm_uptime(im.kd, &up, NULL), -1);
	assert_int_equal(errno, ENODEV);
	assert_null(kvm_release(im.kd));
	assert_int_equal(kvm_ncpus(im.kd), -1);
	image_make(&im);
	assert_int_equal(kvm_uptime(im.kd, &up, &now), 0);
	assert_int_equal(up.tv_sec, 12345);
	assert_int_equal(up.tv_nsec, 678901234);
	assert_int_equal(now.tv_sec, 1600000000);
	assert_int_equal(now.tv_nsec, 123456789);
	assert_string_equal(kvm_release(im.kd), im.spec.release);
	assert_int_equal(kvm_ncpus(im.kd), kvm_dump_hdr(im.kd)->ncpus);
	image_fini(&im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regs_are_those_of_the_cpu),
		cmocka_unit_test(regs_of_wrong_size_are_refused),
		cmocka_unit_test(regs_times_and_release_are_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
