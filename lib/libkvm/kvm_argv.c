/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_argv.c: arguments and environment of a process, cut into strings;
 * kvm_getprocs(3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_tasks.h"

void
kvmi_strings_fini(struct kvmi_strings *s)
{
	free(s->buf);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

/* Makes the vector: of len bytes, the last of which is NUL. */
static int
argv_split(kvm_t *kd, struct kvmi_strings *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += s->buf[i] == '\0';
	s->v = calloc(n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return kvmi_syserr(kd, ENOMEM, "%zu strings", n);
	n = 0;
	for (i = 0; i < len; i += strlen(s->buf + i) + 1)
		s->v[n++] = s->buf + i;
	return 0;
}

static int
argv_get(kvm_t *kd, const struct kinfo_proc2 *p, bool env, int nchr)
{
	struct kvmi_strings *s = env ? &kd->envv : &kd->argv;
	const struct kvmi_procops *ops = kvmi_procops(kd);
	const size_t max = nchr != 0 ? (size_t)nchr : SIZE_MAX;
	size_t len = 0;
	char *buf;

	if (ops == NULL)
		return -1;
	if (nchr < 0)
		return kvmi_err(kd, EINVAL, "at most %d characters", nchr);
	kvmi_strings_fini(s);
	if (ops->strings(kd, p, env, max, &s->buf, &len) == -1)
		return -1;
	buf = realloc(s->buf, len + 1);
	if (buf == NULL)
		return kvmi_syserr(kd, ENOMEM, "%zu bytes", len);
	s->buf = buf;
	/* What is too long loses its end; the last need not have one. */
	if (len == max)
		buf[len - 1] = '\0';
	else if (len != 0 && buf[len - 1] != '\0')
		buf[len++] = '\0';
	return argv_split(kd, s, len);
}

static char **
argv_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env, int nchr)
{
	if (argv_get(kd, p, env, nchr) == 0)
		return env ? kd->envv.v : kd->argv.v;
	kvmi_prepend(kd, "%s of process %d", env ? "environment" :
	    "arguments", (int)p->p_pid);
	kvmi_report(kd);
	return NULL;
}

/* The members that are looked at. */
static struct kinfo_proc2
argv_new(const struct kinfo_proc *old)
{
	return (struct kinfo_proc2){
		.p_paddr = old->kp_eproc.e_paddr,
		.p_vmspace = old->kp_proc.p_vmspace,
		.p_pid = old->kp_proc.p_pid,
	};
}

char **
kvm_getargv(kvm_t *kd, const struct kinfo_proc *p, int nchr)
{
	const struct kinfo_proc2 p2 = argv_new(p);

	return argv_strings(kd, &p2, false, nchr);
}

char **
kvm_getenvv(kvm_t *kd, const struct kinfo_proc *p, int nchr)
{
	const struct kinfo_proc2 p2 = argv_new(p);

	return argv_strings(kd, &p2, true, nchr);
}

char **
kvm_getargv2(kvm_t *kd, const struct kinfo_proc2 *p, int nchr)
{
	return argv_strings(kd, p, false, nchr);
}

char **
kvm_getenvv2(kvm_t *kd, const struct kinfo_proc2 *p, int nchr)
{
	return argv_strings(kd, p, true, nchr);
}
