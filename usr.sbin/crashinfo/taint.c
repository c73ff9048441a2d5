/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * taint.c: what the kernel says of itself and of its modules that makes its
 * authors doubt it.
 *
 * Linux's Documentation/admin-guide/tainted-kernels.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

/* In the order of the bits, which never changes. */
static const struct {
	char letter;
	const char *what;
} taints[] = {
	{ 'P', "proprietary module" },
	{ 'F', "module loaded by force" },
	{ 'S', "CPU out of specification" },
	{ 'R', "module unloaded by force" },
	{ 'M', "machine check" },
	{ 'B', "bad page" },
	{ 'U', "asked for by a user" },
	{ 'D', "an oops or BUG before" },
	{ 'A', "ACPI table overridden" },
	{ 'W', "a warning before" },
	{ 'C', "staging driver" },
	{ 'I', "firmware bug worked around" },
	{ 'O', "module from outside the kernel's tree" },
	{ 'E', "module without a valid signature" },
	{ 'L', "a soft lockup before" },
	{ 'K', "live patch" },
	{ 'X', "for the distributor to say" },
	{ 'T', "randomised structures" },
	{ 'N', "in-kernel test" },
	{ 'J', "changed through fwctl" },
};
#define NTAINTS	(sizeof(taints) / sizeof(taints[0]))

char *
taint_letters(uint64_t mask, char *buf, size_t len)
{
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < 64 && n + 1 < len; i++)
		if ((mask >> i & 1) != 0)
			buf[n++] = i < NTAINTS ? taints[i].letter : '?';
	buf[n] = '\0';
	return buf;
}

void
taint_print(uint64_t mask)
{
	char letters[65];
	const char *before = ": ";
	unsigned int i;

	if (mask == 0) {
		printf("none\n");
		return;
	}
	printf("%s", taint_letters(mask, letters, sizeof(letters)));
	for (i = 0; i < 64; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		if (i < NTAINTS)
			printf("%s%s", before, taints[i].what);
		else
			printf("%sbit %u", before, i);
		before = ", ";
	}
	putchar('\n');
}

int
taint_module(const struct target *t, unsigned long kva, uint64_t *mask)
{
	const ssize_t off = kvm_type_offset(t->kd, "module.taints");

	return off != -1 && kvm_read(t->kd, kva + (unsigned long)off, mask,
	    sizeof(*mask)) == (ssize_t)sizeof(*mask) ? 0 : -1;
}
