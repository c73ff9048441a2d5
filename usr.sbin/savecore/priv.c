/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * priv.c: less than all of root's powers.
 *
 * What savecore(8) reads was written by a dying kernel or by somebody who
 * wants it to look so.  The keeper has the few capabilities that opening files
 * and ruling the worker take.  The worker has none, is nobody, can't become
 * anybody else, and makes threads but no process and no connection.
 */
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <unistd.h>

#include "savecore.h"

/* The kernel's own overflow uid: no name service is asked this early. */
#define PRIV_NOBODY	65534u

static const cap_value_t priv_keep[] = {
	CAP_DAC_OVERRIDE,
	CAP_DAC_READ_SEARCH,
	CAP_KILL,
	CAP_SETGID,
	CAP_SETUID,
};

/* Keeps the first n of priv_keep[], where they are permitted at all. */
static int
priv_set(int n)
{
	cap_flag_value_t set;
	cap_t have, want;
	int i, r = -1;

	have = cap_get_proc();
	want = cap_init();
	for (i = 0; have != NULL && want != NULL && i < n; i++) {
		if (cap_get_flag(have, priv_keep[i], CAP_PERMITTED, &set) ==
		    -1 || set != CAP_SET)
			continue;
		(void)cap_set_flag(want, CAP_PERMITTED, 1, &priv_keep[i],
		    CAP_SET);
		(void)cap_set_flag(want, CAP_EFFECTIVE, 1, &priv_keep[i],
		    CAP_SET);
	}
	if (want != NULL)
		r = cap_set_proc(want);
	if (have != NULL)
		cap_free(have);
	if (want != NULL)
		cap_free(want);
	return r;
}

int
priv_limit(void)
{
	const struct rlimit none = { 0, 0 };

	/* No core of a program that has a core in memory. */
	if (setrlimit(RLIMIT_CORE, &none) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    priv_set(sizeof(priv_keep) / sizeof(priv_keep[0])) == 0)
		return 0;
	msg_errno(LOG_ERR, "can't give up privileges");
	return -1;
}

/* No new process or program, no other process's memory, no network. */
static const int priv_denied[] = {
	SCMP_SYS(bpf), SCMP_SYS(connect), SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(fork), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace), SCMP_SYS(socket), SCMP_SYS(vfork),
};

/* exec: it may become another program, one that is open. */
static int
priv_filter(bool exec)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	const uint32_t deny = SCMP_ACT_ERRNO(EPERM);
	size_t i;
	int r;

	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* What clone3(2) is to make can't be seen from here: the C library then
	 * takes clone(2). */
	r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_rule_add(ctx, deny, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	for (i = 0; r == 0 && i < sizeof(priv_denied) / sizeof(int); i++)
		if (!exec || priv_denied[i] != SCMP_SYS(execveat))
			r = seccomp_rule_add(ctx, deny, priv_denied[i], 0);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}

static int
priv_become(bool exec)
{
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setresgid(PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY) == -1 ||
	    setresuid(PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY) == -1)) {
		msg_errno(LOG_ERR, "can't become user %u", PRIV_NOBODY);
		return -1;
	}
	/* It does not outlive the keeper. */
	if (priv_set(0) == 0 && priv_filter(exec) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0)
		return 0;
	msg_errno(LOG_ERR, "can't give up privileges");
	return -1;
}

int
priv_drop(void)
{
	return priv_become(false);
}

int
priv_program(void)
{
	return priv_become(true);
}
