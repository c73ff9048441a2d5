/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages: memory of a kind that few have, to be found in a dump.
 *
 *	pages kind count
 *
 * In the guest: leaves a process with count pages that are secret, poisoned, or
 * in the swap cache: swapped out, and every fourth read back, with what the
 * kernel reads ahead.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE	4096u

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

static void
fill(unsigned char *p, size_t count)
{
	uint32_t v = 0x5eed;
	size_t i;

	for (i = 0; i < count * PAGE; i++) {
		v = v * 1664525 + 1013904223;
		p[i] = (unsigned char)(v >> 24);
	}
}

static unsigned char *
map(int fd, size_t count)
{
	unsigned char *p;

	p = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
	    fd == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	/* No huge page in the way of single ones. */
	if (fd == -1 && madvise(p, count * PAGE, MADV_NOHUGEPAGE) == -1)
		err(1, "madvise");
	fill(p, count);
	return p;
}

static void
secret(size_t count)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);

	if (fd == -1 || ftruncate(fd, (off_t)(count * PAGE)) == -1)
		err(1, "memfd_secret");
	(void)map(fd, count);
}

static void
poisoned(size_t count)
{
	unsigned char *p = map(-1, count);
	size_t i;

	for (i = 0; i < count; i++)
		if (madvise(p + i * PAGE, PAGE, MADV_HWPOISON) == -1)
			err(1, "MADV_HWPOISON");
}

static void
swapped(size_t count)
{
	volatile unsigned char *p = map(-1, count);
	size_t i;

	if (madvise((void *)(uintptr_t)p, count * PAGE, MADV_PAGEOUT) == -1)
		err(1, "MADV_PAGEOUT");
	for (i = 0; i < count; i += 4)
		(void)p[i * PAGE];
}

int
main(int argc, char *argv[])
{
	static const struct {
		const char *kind;
		void (*make)(size_t count);
	} kinds[] = {
		{ "secret", secret }, { "poisoned", poisoned },
		{ "swapped", swapped },
	};
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].kind) != 0)
			continue;
		kinds[i].make((size_t)strtoul(argv[2], NULL, 10));
		if (daemon(1, 1) == -1)
			err(1, "daemon");
		for (;;)
			pause();
	}
	errx(1, "usage: pages secret|poisoned|swapped count");
}
