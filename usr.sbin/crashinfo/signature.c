/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signature.c: a line that is the same for the same bug on another boot; see
 * crashinfo(8), which says exactly what it is made of.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define SIGNATURE_FRAMES	5u
#define SIGNATURE_NAME		128u
#define SIGNATURE_SIZE		(SIGNATURE_FRAMES * (SIGNATURE_NAME + 70u))

/* Left out ahead of the first function: they are how a kernel dies. */
static const char *const machinery[] = {
	"__crash_kexec", "__die", "__die_body", "__schedule", "__stack_chk_fail",
	"__warn", "__warn_printk", "bad_area", "bad_area_nosemaphore",
	"check_panic_on_warn", "crash_kexec", "crash_setup_regs", "die",
	"die_addr", "do_error_trap", "do_invalid_op", "do_trap",
	"do_user_addr_fault", "end_report", "exc_general_protection",
	"exc_invalid_op", "exc_page_fault", "fortify_panic", "handle_bug",
	"io_schedule", "kasan_report", "kasan_report_invalid_free",
	"machine_kexec", "no_context", "nmi_panic", "oops_end",
	"page_fault_oops", "panic", "report_bug", "schedule",
	"schedule_preempt_disabled", "schedule_timeout", "vpanic",
	"warn_slowpath_fmt", NULL,
};

/* What leads to any function, and ends a signature. */
static const char *const bottoms[] = {
	"__do_softirq", "__irq_exit_rcu", "do_softirq", "do_syscall_64",
	"handle_softirqs", "irq_exit_rcu", "kthread", "process_one_work",
	"ret_from_fork", "ret_from_fork_asm", "x64_sys_call", NULL,
};

struct signature {
	enum crash_where where;
	bool reached;		/* INTERRUPTED: what was interrupted */
	unsigned int n;
	char last[SIGNATURE_NAME];
	char text[SIGNATURE_SIZE];
	size_t used;
};

static bool
signature_in(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool
signature_entry(const char *name)
{
	return strncmp(name, "asm_", 4) == 0 ||
	    strncmp(name, "entry_", 6) == 0;
}

/* A frame: 1 ends the signature. */
static int
signature_frame(void *cookie, const struct kvm_frame *f)
{
	struct signature *s = cookie;
	char name[SIGNATURE_NAME];

	if ((f->kf_flags & KVM_FRAME_USER) != 0 ||
	    (s->n > 0 && f->kf_regs != NULL))
		return 1;
	if (f->kf_n > 0 && f->kf_regs != NULL)
		s->reached = true;
	if (!s->reached || (f->kf_flags & KVM_FRAME_GUESS) != 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", f->kf_name == NULL ? 1 :
	    (int)strcspn(f->kf_name, "."), f->kf_name == NULL ? "?" :
	    f->kf_name);
	if (s->n == 0 && (signature_entry(name) ||
	    signature_in(machinery, name)))
		return 0;
	if (signature_entry(name) || signature_in(bottoms, name))
		return 1;
	/* However deep it had got. */
	if (s->n > 0 && strcmp(name, s->last) == 0)
		return 0;
	memcpy(s->last, name, sizeof(name));
	s->used += (size_t)snprintf(s->text + s->used, sizeof(s->text) -
	    s->used, "%s%s", s->n > 0 ? " < " : "", name);
	if (f->kf_module != NULL)
		s->used += (size_t)snprintf(s->text + s->used,
		    sizeof(s->text) - s->used, " [%.60s]", f->kf_module);
	return ++s->n == SIGNATURE_FRAMES;
}

/* The functions: 0; -1: they are not known, with kvm_geterr()'s text. */
static int
signature_get(const struct report *r, const struct crash_kind *kind,
    struct signature *s)
{
	int rv = -1, i;

	memset(s, 0, sizeof(*s));
	s->where = kind->where;
	s->reached = s->where != CRASH_INTERRUPTED;
	strcpy(s->text, "-");
	if (s->where == CRASH_NOWHERE)
		return 0;
	strcpy(s->text, "?");
	if (s->where != CRASH_VICTIM)
		return r->t->early || r->cpu == -1 ? -1 :
		    kvm_backtrace_cpu(r->t->kd, (unsigned int)r->cpu,
		    signature_frame, s) == -1 ? -1 : 0;
	for (i = 0; i < r->nlwps; i++)
		if (r->lwps[i].l_lid == kind->tid)
			rv = kvm_backtrace_task(r->t->kd, r->lwps[i].l_laddr,
			    signature_frame, s);
	return rv == -1 ? -1 : 0;
}

int
report_signature(const struct report *r)
{
	char text[sizeof(((struct crash_kind *)0)->text) + 2 + SIGNATURE_SIZE];
	char out[TEXT_ENCODED(sizeof(text))];
	struct crash_kind kind;
	struct signature s;

	if (target_is_live(r->t)) {
		if (r->t->js != NULL)
			json_null(r->t->js, "signature");
		return 0;
	}
	crash_kind(&kind, r->panic, r->log);
	(void)signature_get(r, &kind, &s);
	snprintf(text, sizeof(text), "%s: %s", kind.text, s.text);
	text_encode(out, sizeof(out), text, sizeof(text));
	/* Encoded here too: it is for grouping, wherever it comes from. */
	if (r->t->js != NULL)
		json_string(r->t->js, "signature", out);
	else
		printf("%-10s%s\n", "signature", out);
	return 0;
}
