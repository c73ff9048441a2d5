/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashnotes.c: where panic() saves each CPU's registers.
 *
 * /sys/devices/system/cpu/cpuN/crash_notes, readable for root alone, has the
 * physical address in hexadecimal.  Without it a dump lacks that CPU's
 * registers, and nothing else.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "dumpon.h"
#include "kernfile.h"

#define CPUDIR		"/sys/devices/system/cpu"
#define CPU_MAX		65536u
#define CPULIST_LEN	8192u

static bool
crashnotes_one(FILE *fp, unsigned int cpu)
{
	char text[32], *end;
	uint64_t paddr;

	if (kernfile_read(text, sizeof(text), CPUDIR "/cpu%u/crash_notes",
	    cpu) <= 0)
		return false;
	paddr = strtoull(text, &end, 16);
	if (*end != '\0' || paddr == 0)
		return false;
	fprintf(fp, "crashnote %u %" PRIx64 "\n", cpu, paddr);
	return true;
}

/* "3" or "0-7" at *list, which then points behind it. */
static bool
crashnotes_range(const char **list, unsigned long *from, unsigned long *to)
{
	char *end;

	if (**list < '0' || **list > '9')
		return false;
	*from = *to = strtoul(*list, &end, 10);
	if (*end == '-')
		*to = strtoul(end + 1, &end, 10);
	*list = *end == ',' ? end + 1 : end;
	return *from <= *to && *to < CPU_MAX;
}

void
crashnotes_write(FILE *fp, bool verbose)
{
	char text[CPULIST_LEN];
	const char *list = text;
	unsigned long cpu, to;
	unsigned int have = 0, lack = 0;

	(void)kernfile_read(text, sizeof(text), CPUDIR "/present");
	while (crashnotes_range(&list, &cpu, &to)) {
		for (; cpu <= to; cpu++) {
			if (crashnotes_one(fp, (unsigned int)cpu))
				have++;
			else
				lack++;
		}
	}
	if (verbose && (lack > 0 || have == 0))
		printf("registers: the kernel does not say where it saves "
		    "those of %u of %u CPUs\n", lack, have + lack);
}
