/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_ps.c: the processes and their threads, much as ps(1) prints them.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crashinfo.h"
#include "text.h"

#define PS_PAGE		4096u
#define PS_USEC		1000000
#define PS_ERROR	512u

/* A process, and what was asked for beside it. */
struct ps {
	const struct kinfo_proc2 *p;
	const struct kinfo_lwp *l;	/* threads, or NULL */
	int nlwps;
	struct ps_strings {
		char **v;		/* NULL: none, or an error */
		char error[PS_ERROR];
	} args, env;
};

struct ps_show {
	const struct target *t;
	bool args, env;			/* are wanted */
	int unread;			/* arguments and environments */
	char why[PS_ERROR];		/* the first was not */
};

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
ps_json_threads(const struct target *t, const struct kinfo_lwp *l, int n)
{
	struct json *js = t->js;
	int i;

	json_open(js, "threads", '[');
	for (i = 0; i < n; i++, l++) {
		json_open(js, NULL, '{');
		json_signed(js, "tid", l->l_lid);
		json_text(js, "state", &l->l_state, 1);
		if (target_is_live(t))
			json_null(js, "running");
		else
			json_bool(js, "running", l->l_stat == LSONPROC);
		json_number(js, "cpu", l->l_cpuid);
		json_string(js, "name", l->l_name);
		json_address(js, "task", l->l_laddr);
		json_address(js, "stack", l->l_addr);
		json_close(js);
	}
	json_close(js);
}

/* null: there are none, or they can't be read, and then why. */
static void
ps_json_strings(struct json *js, const char *key, const char *error_key,
    const struct ps_strings *s)
{
	char **v = s->v;

	if (s->error[0] != '\0')
		json_string(js, error_key, s->error);
	if (v == NULL) {
		json_null(js, key);
		return;
	}
	json_open(js, key, '[');
	for (; *v != NULL; v++)
		json_string(js, NULL, *v);
	json_close(js);
}

static void
ps_json_times(struct json *js, const struct kinfo_proc2 *p)
{
	ps_number(js, "utime_us", p, KVM_PROC_TIMES,
	    (uint64_t)(p->p_uutime_sec * PS_USEC + p->p_uutime_usec));
	ps_number(js, "stime_us", p, KVM_PROC_TIMES,
	    (uint64_t)(p->p_ustime_sec * PS_USEC + p->p_ustime_usec));
	ps_number(js, "children_us", p, KVM_PROC_TIMES,
	    (uint64_t)(p->p_uctime_sec * PS_USEC + p->p_uctime_usec));
}

static void
ps_json(const struct ps_show *show, const struct ps *ps)
{
	const struct kinfo_proc2 *p = ps->p;
	struct json *js = show->t->js;

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
	ps_json_times(js, p);
	json_string(js, "comm", p->p_comm);
	json_address(js, "task", p->p_paddr);
	if (ps->l != NULL)
		ps_json_threads(show->t, ps->l, ps->nlwps);
	if (show->args)
		ps_json_strings(js, "args", "args_error", &ps->args);
	if (show->env)
		ps_json_strings(js, "env", "env_error", &ps->env);
	json_close(js);
}

static void
ps_word(const char *s)
{
	char out[TEXT_ENCODED(64)];
	size_t len = strlen(s), n;

	for (; len != 0; s += n, len -= n) {
		n = len < 64 ? len : 64;
		fputs(text_encode(out, sizeof(out), s, n), stdout);
	}
}

/* Strings with a space before each but the first; false: there are none. */
static bool
ps_words(char **v, bool first)
{
	if (v == NULL || *v == NULL)
		return false;
	for (; *v != NULL; v++, first = false) {
		if (!first)
			putchar(' ');
		ps_word(*v);
	}
	return true;
}

/*
 * What it is: a name in brackets is a thread of the kernel, one in parentheses
 * stands for arguments that can't be read.
 */
static void
ps_command(const struct ps_show *show, const struct ps *ps, const char *name)
{
	if ((ps->p->p_flag & P_SYSTEM) != 0) {
		putchar('[');
		ps_word(name);
		putchar(']');
	} else if (!show->args) {
		ps_word(name);
	} else if (!ps_words(ps->args.v, true)) {
		putchar('(');
		ps_word(name);
		putchar(')');
	}
	ps_words(ps->env.v, false);
	putchar('\n');
}

/* A line; l NULL: of the process. */
static void
ps_line(const struct ps_show *show, const struct ps *ps,
    const struct kinfo_lwp *l)
{
	const struct kinfo_proc2 *p = ps->p;

	printf("%7" PRId32, p->p_pid);
	if (l != NULL)
		printf(" %7" PRId32, l->l_lid);
	ps_column(p, KVM_PROC_PARENT, 7, (uint32_t)p->p_ppid);
	ps_column(p, KVM_PROC_CRED, 7, p->p_uid);
	printf(" %c", l != NULL ? l->l_state : p->p_state);
	ps_column(p, KVM_PROC_NLWPS, 5, p->p_nlwps);
	ps_column(p, KVM_PROC_VM, 9, p->p_vm_rssize * (PS_PAGE / 1024));
	putchar(' ');
	ps_command(show, ps, l != NULL ? l->l_name : p->p_comm);
}

/* Arguments or environment, of those processes that can have any. */
static void
ps_get_strings(struct ps_show *show, const struct kinfo_proc2 *p, bool env,
    struct ps_strings *s)
{
	kvm_t *kd = show->t->kd;

	if ((p->p_flag & P_SYSTEM) != 0)
		return;
	s->v = (env ? kvm_getenvv2 : kvm_getargv2)(kd, p, 0);
	if (s->v != NULL || errno == ENOEXEC ||
	    (errno == ESRCH && target_is_live(show->t)))
		return;
	snprintf(s->error, sizeof(s->error), "%s", kvm_geterr(kd));
	if (show->unread++ == 0)
		memcpy(show->why, s->error, sizeof(show->why));
}

/* A process, and its threads where they are wanted: 0, or -1. */
static int
ps_process(struct ps_show *show, const struct kinfo_proc2 *p)
{
	struct ps ps = { .p = p };
	int i;

	if (show->t->threads && (ps.l = kvm_getlwps(show->t->kd, p->p_pid,
	    p->p_paddr, sizeof(*ps.l), &ps.nlwps)) == NULL) {
		/* A process of the running system may have ended. */
		return target_is_live(show->t) && errno == ESRCH ? 0 : -1;
	}
	if (show->args)
		ps_get_strings(show, p, false, &ps.args);
	if (show->env)
		ps_get_strings(show, p, true, &ps.env);
	if (show->t->js != NULL)
		ps_json(show, &ps);
	else if (ps.l == NULL)
		ps_line(show, &ps, NULL);
	else
		for (i = 0; i < ps.nlwps; i++)
			ps_line(show, &ps, &ps.l[i]);
	return 0;
}

static int
ps_run(struct ps_show *show)
{
	const struct target *t = show->t;
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
		rv = ps_process(show, &p[i]);
	if (t->js != NULL)
		json_close(t->js);
	if (show->unread != 0) {
		fflush(stdout);
		warnx("%d of the arguments and environments can't be read, the "
		    "first: %s", show->unread, show->why);
	}
	return rv;
}

int
show_ps(const struct target *t)
{
	struct ps_show show = { .t = t };
	int ch;

	optind = 0;		/* begins anew */
	while ((ch = next_option(t, "+:ae")) != -1)
		switch (ch) {
		case 'a':
			show.args = true;
			break;
		case 'e':
		default:
			show.env = true;
			break;
		}
	if (optind < t->argc)
		wrong("ps", "takes no arguments");
	return ps_run(&show);
}
