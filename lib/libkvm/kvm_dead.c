/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_dead.c: what the kernel of a dump tells of its processes.
 */
#include <errno.h>

#include "kvm_private.h"

#define DEAD_FIXED	2048	/* FIXED_1 of include/linux/sched/loadavg.h */

static int
dead_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env, size_t max,
    char **buf, size_t *len)
{
	(void)p, (void)env, (void)max, (void)buf, (void)len;
	return kvmi_err(kd, EOPNOTSUPP, "can't be read from a dump yet");
}

static int
dead_files(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts)
{
	(void)op, (void)pid, (void)to, (void)texts;
	return kvmi_err(kd, EOPNOTSUPP, "open files can't be read from a dump "
	    "yet");
}

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
	.strings = dead_strings,
	.files = dead_files,
	.loadavg = dead_loadavg,
};
