/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_dead.c: what the kernel of a dump tells of its processes.
 */
#include <errno.h>

#include "kvm_symbols.h"
#include "kvm_tasks.h"

#define DEAD_FIXED	2048	/* FIXED_1 of include/linux/sched/loadavg.h */

static int
dead_loadavg(kvm_t *kd, double load[3])
{
	const struct kvmi_kallsyms *ks = kvmi_kallsyms(kd);
	uint64_t at, avenrun[3];
	unsigned int i;
	char type;

	if (ks == NULL)
		return -1;
	if (!kvmi_kallsyms_lookup(ks, "avenrun", &type, &at))
		return kvmi_err(kd, ENOTSUP, "the kernel has no avenrun");
	if (kvmi_read(kd, at, avenrun, sizeof(avenrun)) == -1)
		return kvmi_prepend(kd, "avenrun");
	for (i = 0; i < 3; i++)
		load[i] = (double)avenrun[i] / DEAD_FIXED;
	return 0;
}

const struct kvmi_procops kvmi_procops_dead = {
	.procs = kvmi_dead_procs,
	.lwps = kvmi_dead_lwps,
	.strings = kvmi_dead_strings,
	.files = kvmi_dead_files,
	.loadavg = dead_loadavg,
};
