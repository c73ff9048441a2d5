/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_regs.c: the CPUs' registers when the kernel died, from the header's
 * notes, and when that was; kvm_regs(3).  The n-th NT_PRSTATUS note is CPU n's; zeros
 * say that nothing is known of it.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "kvm_live.h"
#include "kvm_machine.h"

/* The note of a CPU; how many there are where it has none. */
static bool
regs_note(kvm_t *kd, unsigned int cpu, struct kvmi_note *n,
    unsigned int *count)
{
	size_t pos = 0;

	*count = 0;
	while (kvmi_note_next(kd->cpu + kd->hdr->notes_off,
	    kd->hdr->notes_size, &pos, n))
		if (n->type == NT_PRSTATUS && kvmi_note_is(n, "CORE") &&
		    (*count)++ == cpu)
			return true;
	return false;
}

int
kvmi_getregs(kvm_t *kd, unsigned int cpu, struct kvm_regs *regs)
{
	const struct kvmi_regset *set = kd->machine->regset;
	struct kvmi_note n;
	unsigned int count, i;
	const uint8_t *desc;
	uint32_t tid;

	if (!regs_note(kd, cpu, &n, &count)) {
		if (count == 0)
			return kvmi_err(kd, ENOENT, "CPU %u: the dump has no "
			    "registers", cpu);
		return kvmi_err(kd, ENOENT, "CPU %u: the dump has registers of "
		    "%u CPU%s", cpu, count, count == 1 ? "" : "s");
	}
	if (n.len != set->note_size)
		return kvmi_err(kd, EBADMSG, "CPU %u: a note of %zu bytes "
		    "where %zu were expected", cpu, n.len, set->note_size);
	desc = n.desc;
	memcpy(&tid, desc + set->tid_off, sizeof(tid));
	regs->kr_tid = (pid_t)tid;
	regs->kr_n = set->n;
	for (i = 0; i < set->n; i++) {
		regs->kr_reg[i].kr_name = set->names[i];
		memcpy(&regs->kr_reg[i].kr_value, desc + set->regs_off + 8 * i,
		    8);
	}
	regs->kr_pc = regs->kr_reg[set->pc].kr_value;
	regs->kr_sp = regs->kr_reg[set->sp].kr_value;
	regs->kr_fp = regs->kr_reg[set->fp].kr_value;
	return !kvmi_zero(desc, n.len);
}

int
kvm_getregs(kvm_t *kd, unsigned int cpu, struct kvm_regs *regs)
{
	int rv = -1;

	memset(regs, 0, sizeof(*regs));
	if (kd->live != NULL)
		kvmi_err(kd, ENOTSUP, "the running system has no registers to "
		    "show: only CPUs that stopped have");
	else if (kvmi_need_header(kd) == 0)
		rv = kvmi_getregs(kd, cpu, regs);
	if (rv == -1)
		kvmi_report(kd);
	return rv;
}

int
kvm_ncpus(kvm_t *kd)
{
	int n = -1;

	if (kd->live != NULL)
		n = kvmi_live_ncpus(kd);
	else if (kvmi_need_header(kd) == 0)
		n = (int)kd->hdr->ncpus;
	if (n == -1)
		kvmi_report(kd);
	return n;
}

const char *
kvm_release(kvm_t *kd)
{
	const char *release = NULL;

	if (kd->live != NULL)
		release = kvmi_live_release(kd);
	else if (kvmi_need_header(kd) == 0)
		release = kd->hdr->release;
	if (release == NULL)
		kvmi_report(kd);
	return release;
}

static void
regs_time(uint64_t ns, struct timespec *ts)
{
	ts->tv_sec = (time_t)(ns / 1000000000);
	ts->tv_nsec = (long)(ns % 1000000000);
}

int
kvm_uptime(kvm_t *kd, struct timespec *up, struct timespec *now)
{
	if ((kd->live != NULL ? kvmi_live_uptime(kd, up, now) :
	    kvmi_need_header(kd)) == -1) {
		kvmi_report(kd);
		return -1;
	}
	if (kd->live != NULL)
		return 0;
	if (up != NULL)
		regs_time(kd->hdr->uptime_ns, up);
	if (now != NULL)
		regs_time(kd->hdr->panic_time_ns, now);
	return 0;
}
