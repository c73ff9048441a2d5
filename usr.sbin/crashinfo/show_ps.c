/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_ps.c: the processes and their threads, much as ps(1) prints them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crashinfo.h"
#include "text.h"

#define PS_PAGE		4096u

/* A number that may not be known. */
static void
ps_number(struct json *js, const char *key, const struct kinfo_proc2 *p,
    uint32_t unknown, uint64_t n)
{
	if ((p->p_unknown & unknown) != 0)
		json_null(js, key);
	else
		json_number(js, key, n);
}

/* The same as text, in a column. */
static void
ps_column(const struct kinfo_proc2 *p, uint32_t unknown, int width, uint64_t n)
{
	if ((p->p_unknown & unknown) != 0)
		printf(" %*s", width, "?");
	else
		printf(" %*" PRIu64, width, n);
}

static void
ps_json_threads(struct json *js, const struct kinfo_lwp *l, int n)
{
	int i;

	json_open(js, "threads", '[');
	for (i = 0; i < n; i++, l++) {
		json_open(js, NULL, '{');
		json_signed(js, "tid", l->l_lid);
		json_text(js, "state", &l->l_state, 1);
		json_bool(js, "running", l->l_stat == LSONPROC);
		json_number(js, "cpu", l->l_cpuid);
		json_string(js, "name", l->l_name);
		json_address(js, "task", l->l_laddr);
		json_address(js, "stack", l->l_addr);
		json_close(js, '}');
	}
	json_close(js, ']');
}

static void
ps_json(const struct target *t, const struct kinfo_proc2 *p,
    const struct kinfo_lwp *l, int nlwps)
{
	struct json *js = t->js;

	json_open(js, NULL, '{');
	json_signed(js, "pid", p->p_pid);
	ps_number(js, "ppid", p, KVM_PROC_PARENT, (uint32_t)p->p_ppid);
	ps_number(js, "pgid", p, KVM_PROC_IDS, (uint32_t)p->p__pgid);
	ps_number(js, "sid", p, KVM_PROC_IDS, (uint32_t)p->p_sid);
	ps_number(js, "uid", p, KVM_PROC_CRED, p->p_uid);
	ps_number(js, "ruid", p, KVM_PROC_CRED, p->p_ruid);
	ps_number(js, "svuid", p, KVM_PROC_CRED, p->p_svuid);
	ps_number(js, "gid", p, KVM_PROC_CRED, p->p_gid);
	ps_number(js, "rgid", p, KVM_PROC_CRED, p->p_rgid);
	ps_number(js, "svgid", p, KVM_PROC_CRED, p->p_svgid);
	if (p->p_tdev == (uint32_t)KERN_PROC_TTY_NODEV)
		json_null(js, "tty");
	else
		json_number(js, "tty", p->p_tdev);
	json_text(js, "state", &p->p_state, 1);
	json_bool(js, "kernel", (p->p_flag & P_SYSTEM) != 0);
	json_signed(js, "nice", (int64_t)p->p_nice - 20);
	ps_number(js, "nlwp", p, KVM_PROC_NLWPS, p->p_nlwps);
	ps_number(js, "vsz", p, KVM_PROC_VM, p->p_vm_vsize * PS_PAGE);
	ps_number(js, "rss", p, KVM_PROC_VM, p->p_vm_rssize * PS_PAGE);
	json_signed(js, "start", p->p_ustart_sec);
	json_string(js, "comm", p->p_comm);
	json_address(js, "task", p->p_paddr);
	if (l != NULL)
		ps_json_threads(js, l, nlwps);
	json_close(js, '}');
}

/* A line; l NULL: of the process. */
static void
ps_line(const struct kinfo_proc2 *p, const struct kinfo_lwp *l)
{
	const char *name = l != NULL ? l->l_name : p->p_comm;
	const bool kernel = (p->p_flag & P_SYSTEM) != 0;
	char out[TEXT_ENCODED(KI_MAXCOMLEN)];

	printf("%7" PRId32, p->p_pid);
	if (l != NULL)
		printf(" %7" PRId32, l->l_lid);
	ps_column(p, KVM_PROC_PARENT, 7, (uint32_t)p->p_ppid);
	ps_column(p, KVM_PROC_CRED, 7, p->p_uid);
	printf(" %c", l != NULL ? l->l_state : p->p_state);
	ps_column(p, KVM_PROC_NLWPS, 5, p->p_nlwps);
	ps_column(p, KVM_PROC_VM, 9, p->p_vm_rssize * (PS_PAGE / 1024));
	text_encode(out, sizeof(out), name, strlen(name));
	printf(kernel ? " [%s]\n" : " %s\n", out);
}

/* A process, and its threads where they are wanted: 0, or -1. */
static int
ps_process(const struct target *t, const struct kinfo_proc2 *p)
{
	const struct kinfo_lwp *l = NULL;
	int n = 0, i;

	if (t->threads && (l = kvm_getlwps(t->kd, p->p_pid, p->p_paddr,
	    sizeof(*l), &n)) == NULL) {
		/* A process of the running system may have ended. */
		return target_is_live(t) && errno == ESRCH ? 0 : -1;
	}
	if (t->js != NULL)
		ps_json(t, p, l, n);
	else if (l == NULL)
		ps_line(p, NULL);
	else
		for (i = 0; i < n; i++)
			ps_line(p, &l[i]);
	return 0;
}

int
show_ps(const struct target *t)
{
	const struct kinfo_proc2 *p;
	int n, i, rv = 0;

	p = kvm_getproc2(t->kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
	if (p == NULL)
		return -1;
	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	else
		printf("    PID%s    PPID     UID S  NLWP       RSS COMMAND\n",
		    t->threads ? "     TID" : "");
	for (i = 0; rv == 0 && i < n; i++)
		rv = ps_process(t, &p[i]);
	if (t->js != NULL)
		json_close(t->js, ']');
	return rv;
}
