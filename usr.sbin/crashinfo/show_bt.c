/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_bt.c: backtraces of CPUs and threads.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bt.h"
#include "report.h"
#include "text.h"

#define BT_NAME		512u
#define BT_COLUMNS	3u

struct bt_print {
	const struct target *t;
	const char *stack;	/* of the frame before */
};

static void
bt_json_regs(struct json *js, const struct kvm_regs *r)
{
	unsigned int i;

	if (r == NULL) {
		json_null(js, "registers");
		return;
	}
	json_open(js, "registers", '{');
	for (i = 0; i < r->kr_n; i++)
		json_address(js, r->kr_reg[i].kr_name, r->kr_reg[i].kr_value);
	json_close(js);
}

/* The running kernel does not tell its own addresses. */
static void
bt_json_address(struct json *js, const char *key, uint64_t value)
{
	if (value != 0)
		json_address(js, key, value);
	else
		json_null(js, key);
}

static void
bt_json_frame(struct json *js, const struct kvm_frame *f)
{
	json_open(js, NULL, '{');
	bt_json_address(js, "pc", f->kf_pc);
	bt_json_address(js, "sp", f->kf_sp);
	bt_json_address(js, "fp", f->kf_sp != 0 ? f->kf_fp : 0);
	json_string(js, "name", f->kf_name);
	json_string(js, "module", f->kf_module);
	json_number(js, "offset", f->kf_off);
	json_number(js, "size", f->kf_size);
	json_string(js, "stack", f->kf_stack);
	json_bool(js, "return", (f->kf_flags & KVM_FRAME_RETURN) != 0);
	json_bool(js, "user", (f->kf_flags & KVM_FRAME_USER) != 0);
	json_bool(js, "guess", (f->kf_flags & KVM_FRAME_GUESS) != 0);
	bt_json_regs(js, f->kf_regs);
	json_close(js);
}

static void
bt_print_regs(const struct kvm_regs *r)
{
	unsigned int i;

	for (i = 0; i < r->kr_n; i++)
		printf("%14s %016" PRIx64 "%s", r->kr_reg[i].kr_name,
		    r->kr_reg[i].kr_value, i % BT_COLUMNS == BT_COLUMNS - 1 ||
		    i + 1 == r->kr_n ? "\n" : "");
}

static void
bt_print_frame(const struct kvm_frame *f)
{
	char name[TEXT_ENCODED(BT_NAME)];

	printf("%s#%u ", f->kf_n < 10 ? " " : "", f->kf_n);
	if (f->kf_sp != 0)
		printf("[%016lx] ", f->kf_sp);
	if ((f->kf_flags & KVM_FRAME_GUESS) != 0)
		printf("? ");
	if ((f->kf_flags & KVM_FRAME_USER) != 0)
		printf("user mode");
	else if (f->kf_name == NULL)
		printf("unknown");
	else
		printf("%s+0x%lx/0x%lx", text_encode(name, sizeof(name),
		    f->kf_name, BT_NAME), f->kf_off, f->kf_size);
	if (f->kf_pc != 0)
		printf(" at %016lx", f->kf_pc);
	if (f->kf_module != NULL)
		printf(" [%s]", text_encode(name, sizeof(name), f->kf_module,
		    64));
	putchar('\n');
	if (f->kf_regs != NULL)
		bt_print_regs(f->kf_regs);
}

static int
bt_frame(void *cookie, const struct kvm_frame *f)
{
	struct bt_print *p = cookie;

	if (p->t->js != NULL) {
		bt_json_frame(p->t->js, f);
		return 0;
	}
	if (f->kf_stack != NULL && strcmp(f->kf_stack, p->stack) != 0) {
		printf("   <%s>\n", f->kf_stack);
		p->stack = f->kf_stack;
	}
	bt_print_frame(f);
	return 0;
}

static void
bt_json_who(struct json *js, const struct bt_who *who)
{
	static const char *const keys[] = { "pid", "tid", "name", "state",
		"task" };
	size_t i;

	if (who->cpu != -1)
		json_number(js, "cpu", (uint64_t)who->cpu);
	else
		json_null(js, "cpu");
	json_bool(js, "panicked", who->panicked);
	json_bool(js, "idle", who->idle);
	if (!who->known) {
		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			json_null(js, keys[i]);
		return;
	}
	json_signed(js, "pid", who->pid);
	json_signed(js, "tid", who->tid);
	json_string(js, "name", who->name);
	json_text(js, "state", &who->state, 1);
	bt_json_address(js, "task", who->task);
}

static void
bt_print_who(const struct bt_who *who)
{
	char name[TEXT_ENCODED(KI_LNAMELEN)];

	if (who->cpu != -1)
		printf("CPU %d%s%s", who->cpu,
		    who->panicked ? ", which panicked" : "",
		    who->idle ? ": idle" : "");
	if (who->known)
		printf("%sprocess %d, thread %d, %s, state %c",
		    who->cpu != -1 ? ": " : "", who->pid, who->tid,
		    text_encode(name, sizeof(name), who->name,
		    sizeof(who->name)), who->state);
	if (who->known && who->task != 0)
		printf(", task 0x%016" PRIx64, who->task);
	putchar('\n');
}

/* How it ended: a word for programs; what people are told, or NULL. */
static const char *
bt_end(int rv, const char **told)
{
	static const char *const words[] = {
		[KVM_BT_ENTRY] = "entry", [KVM_BT_USER] = "user",
		[KVM_BT_STOPPED] = "stopped", [KVM_BT_EXITED] = "exited",
		[KVM_BT_LOST] = "lost", [KVM_BT_DAMAGED] = "damaged",
		[KVM_BT_UNREADABLE] = "unreadable",
	};

	*told = NULL;
	if (rv == KVM_BT_EXITED || (rv == -1 && errno == ESRCH))
		*told = "it has exited and has no stack";
	else if (rv == -1)
		*told = "the registers are not known";
	if (rv == -1)
		return errno == ESRCH ? "exited" : "unknown";
	return words[rv];
}

/* Did what was asked of the running system fail for one thread alone, as that
 * has ended or is somebody else's? */
static bool
bt_alone(const struct target *t)
{
	return target_is_live(t) && (errno == ESRCH || errno == EPERM);
}

int
bt_show(const struct target *t, const struct bt_who *who)
{
	struct bt_print p = { .t = t, .stack = "TASK" };
	const char *word, *told, *why = NULL;
	char text[TEXT_ENCODED(BT_NAME)];
	int rv, status = 0;

	if (t->js != NULL) {
		json_open(t->js, NULL, '{');
		bt_json_who(t->js, who);
		json_open(t->js, "frames", '[');
	} else {
		bt_print_who(who);
	}
	if (who->cpu != -1)
		rv = kvm_backtrace_cpu(t->kd, (unsigned int)who->cpu, bt_frame,
		    &p);
	else if (who->task != 0)
		rv = kvm_backtrace_task(t->kd, who->task, bt_frame, &p);
	else
		rv = kvm_backtrace_tid(t->kd, who->tid, bt_frame, &p);
	/* The dump may have no registers of any CPU. */
	if (rv == -1 && errno != ENODATA && errno != ENOENT && !bt_alone(t))
		return -1;
	word = bt_end(rv, &told);
	if (rv >= KVM_BT_LOST || (rv == -1 && errno == EPERM))
		told = why = kvm_geterr(t->kd);
	if (rv == -1 && errno == EPERM)
		status = 1;
	if (t->js != NULL) {
		json_close(t->js);
		json_string(t->js, "end", word);
		json_string(t->js, "why", why);
		json_close(t->js);
	} else if (told != NULL) {
		printf("    (%s%s)\n", rv >= KVM_BT_LOST ? "cut short: " : "",
		    text_encode(text, sizeof(text), told, BT_NAME));
	}
	return status;
}

void
bt_thread(struct bt_who *who, const struct kinfo_lwp *l)
{
	who->known = true;
	who->pid = l->l_pid;
	who->tid = l->l_lid;
	who->state = l->l_state;
	who->task = l->l_laddr;
	memcpy(who->name, l->l_name, sizeof(who->name));
}

/*
 * The threads of process pid, or of all where it is -1: those that run on cpu
 * are put down in `found'; with cpu -1, those that do not run are shown.
 */
static int
bt_threads(const struct target *t, int pid, int cpu, struct bt_who *found)
{
	const struct kinfo_proc2 *p;
	const struct kinfo_lwp *l;
	struct bt_who who = { .cpu = -1 };
	int np, nl, i, k, one, rv = 0;

	p = kvm_getproc2(t->kd, pid == -1 ? KERN_PROC_ALL : KERN_PROC_PID,
	    pid, sizeof(*p), &np);
	for (i = 0; p != NULL && i < np; i++) {
		l = kvm_getlwps(t->kd, p[i].p_pid, p[i].p_paddr, sizeof(*l),
		    &nl);
		for (k = 0; l != NULL && k < nl; k++) {
			if (cpu != -1 && l[k].l_stat == LSONPROC &&
			    (int)l[k].l_cpuid == cpu)
				bt_thread(found, &l[k]);
			if (cpu != -1 || (pid == -1 &&
			    l[k].l_stat == LSONPROC))
				continue;
			bt_thread(&who, &l[k]);
			if ((one = bt_show(t, &who)) == -1)
				return -1;
			rv |= one;
		}
		if (l == NULL && !bt_alone(t))
			return -1;
	}
	if (p != NULL && np == 0 && pid != -1) {
		fflush(stdout);
		warnx("%s%sthere is no process %d", t->core != NULL ? t->core :
		    "", t->core != NULL ? ": " : "", pid);
		return 1;
	}
	return p != NULL ? rv : -1;
}

bool
bt_idle(const struct target *t, unsigned int cpu)
{
	struct kvm_regs regs;

	return kvm_getregs(t->kd, cpu, &regs) == 1 && regs.kr_tid == 0;
}

static int
bt_cpu(const struct target *t, unsigned int cpu)
{
	struct bt_who who = { .cpu = (int)cpu };

	if (kvm_dump_hdr(t->kd) == NULL)
		return -1;
	who.panicked = who.cpu == kernel_panic_cpu(t);
	/* Whose it was is good to know, but no more. */
	(void)bt_threads(t, -1, (int)cpu, &who);
	who.idle = !who.known && bt_idle(t, cpu);
	return bt_show(t, &who);
}

static int
bt_panicked(const struct target *t)
{
	int cpu;

	if (kvm_dump_hdr(t->kd) == NULL)
		return -1;
	if ((cpu = kernel_panic_cpu(t)) != -1)
		return bt_cpu(t, (unsigned int)cpu);
	warnx("%s: which CPU panicked is not known: bt -c or bt -a", t->core);
	return 1;
}

static int
bt_all(const struct target *t)
{
	const int ncpus = target_is_live(t) ? 0 : kvm_ncpus(t->kd);
	int cpu;

	if (ncpus == -1)
		return -1;
	for (cpu = 0; cpu < ncpus; cpu++)
		if (bt_cpu(t, (unsigned int)cpu) == -1)
			return -1;
	return bt_threads(t, -1, -1, NULL);
}

/* A number of the command line. */
static unsigned int
bt_number(const char *text)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    n > INT32_MAX)
		wrong(text, "not the number of a CPU or process");
	return (unsigned int)n;
}

/* Everything that the arguments ask for, in order. */
static int
bt_run(const struct target *t, bool all, const char *cpu, char **pids)
{
	struct kvm_regs regs;
	int rv = 0, one;

	if (all)
		return bt_all(t);
	if (cpu != NULL)
		return kvm_getregs(t->kd, bt_number(cpu), &regs) == -1 ? -1 :
		    bt_cpu(t, bt_number(cpu));
	if (*pids == NULL && target_is_live(t)) {
		warnx("the running system has not panicked: bt pid, or bt -a");
		return 1;
	}
	if (*pids == NULL)
		return bt_panicked(t);
	for (; *pids != NULL; pids++) {
		one = bt_threads(t, (int)bt_number(*pids), -1, NULL);
		if (one == -1)
			return -1;
		rv |= one;
	}
	return rv;
}

int
show_bt(const struct target *t)
{
	const char *cpu = NULL;
	bool all = false;
	int ch, rv;

	optind = 0;		/* begins anew */
	while ((ch = next_option(t, "+:ac:")) != -1)
		switch (ch) {
		case 'a':
			all = true;
			break;
		case 'c':
		default:
			cpu = optarg;
			break;
		}
	if (all + (cpu != NULL) + (optind < t->argc) > 1)
		wrong("bt", "takes one of -a, -c and processes");
	if (!target_is_live(t) && kvm_dump_hdr(t->kd) == NULL)
		return -1;
	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	rv = bt_run(t, all, cpu, t->argv + optind);
	if (t->js != NULL)
		json_close(t->js);
	return rv;
}
