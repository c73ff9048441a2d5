/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_strings.c: arguments and environment of a process of a dump, from its own
 * memory, as fs/proc/base.c shows them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_tasks.h"

/* The kernel takes up to 6 MiB; prctl(2) could make it anything. */
#define STRINGS_MAX	(16u << 20)	/* bytes that are believed */
#define STRINGS_TITLE	4096u		/* bytes of setproctitle(3)'s */

/* The memory of a process. */
struct strings_mm {
	kvm_t *kd;
	const struct kvmi_tasktype *tt;
	kvaddr_t mm;
	kpaddr_t root;		/* of its page tables */
};

/* The first thread may have ended before the others. */
static int
strings_thread(void *cookie, const struct kvmi_task *t)
{
	kvaddr_t *mm = cookie;

	*mm = t->mm;
	return t->mm != 0;
}

static int
strings_open(struct strings_mm *m, const struct kinfo_proc2 *p)
{
	struct kvmi_task leader;
	uint64_t pgd, len;

	if (kvmi_task_find(m->kd, m->tt, (uint32_t)p->p_pid, p->p_paddr,
	    &leader) == -1)
		return -1;
	if ((leader.flags & KVMI_TASK_KTHREAD) != 0)
		return kvmi_err(m->kd, ENOEXEC, "a thread of the kernel has "
		    "none");
	m->mm = leader.mm;
	if (m->mm == 0 && kvmi_task_threads(m->kd, m->tt, &leader,
	    strings_thread, &m->mm) == -1)
		return -1;
	if (m->mm == 0)
		return kvmi_err(m->kd, ENOEXEC, "it has ended, its memory is "
		    "gone");
	if (kvmi_field_read(m->kd, m->tt, m->mm, KVMI_MM_PGD, &pgd) == -1 ||
	    kvmi_translate(m->kd, pgd, 1, &m->root, &len) == -1)
		return kvmi_prepend(m->kd, "page tables");
	return 0;
}

static int
strings_read(const struct strings_mm *m, kvaddr_t va, char *buf, size_t len)
{
	size_t done = 0;
	kpaddr_t pa;
	uint64_t run;
	ssize_t n;

	while (done < len) {
		if (kvmi_translate_user(m->kd, m->root, va + done, len - done,
		    &pa, &run) == -1)
			return -1;
		n = kvmi_phys_read(m->kd, pa, buf + done, (size_t)run);
		if (n == -1)
			return kvmi_prepend(m->kd, "address 0x%llx",
			    (unsigned long long)(va + done));
		done += (size_t)n;
	}
	return 0;
}

/* Where they are: two members of its mm_struct. */
static int
strings_range(const struct strings_mm *m, enum kvmi_field first,
    enum kvmi_field last, uint64_t *start, uint64_t *end)
{
	if (kvmi_field_read(m->kd, m->tt, m->mm, first, start) == -1 ||
	    kvmi_field_read(m->kd, m->tt, m->mm, last, end) == -1)
		return kvmi_prepend(m->kd, "mm 0x%llx",
		    (unsigned long long)m->mm);
	if (*start <= *end && *end <= INT64_MAX)
		return 0;
	return kvmi_err(m->kd, EBADMSG, "they go from 0x%llx to 0x%llx",
	    (unsigned long long)*start, (unsigned long long)*end);
}

/*
 * A process that puts a title over its arguments may go on into the environment
 * behind them; it has, if they do not end with a NUL.
 */
static bool
strings_titled(const struct strings_mm *m, uint64_t start, uint64_t *end)
{
	uint64_t env, env_end;
	char last;

	if (start == *end || strings_read(m, *end - 1, &last, 1) == -1 ||
	    last == '\0')
		return false;
	if (strings_range(m, KVMI_MM_ENV_START, KVMI_MM_ENV_END, &env,
	    &env_end) == 0 && env == *end)
		*end = env_end;
	if (*end - start > STRINGS_TITLE)
		*end = start + STRINGS_TITLE;
	return true;
}

static int
strings_get(const struct strings_mm *m, bool env, size_t max, char **buf,
    size_t *len)
{
	uint64_t start, end;
	bool titled;

	if (strings_range(m, env ? KVMI_MM_ENV_START : KVMI_MM_ARG_START,
	    env ? KVMI_MM_ENV_END : KVMI_MM_ARG_END, &start, &end) == -1)
		return -1;
	titled = !env && strings_titled(m, start, &end);
	*len = end - start < max ? (size_t)(end - start) : max;
	if (*len > STRINGS_MAX)
		return kvmi_err(m->kd, EFBIG, "%zu bytes are not believed",
		    *len);
	*buf = malloc(*len + 1);
	if (*buf == NULL)
		return kvmi_syserr(m->kd, ENOMEM, "%zu bytes", *len);
	if (strings_read(m, start, *buf, *len) == -1) {
		free(*buf);
		*buf = NULL;
		return -1;
	}
	if (titled) {
		(*buf)[*len] = '\0';
		end = strlen(*buf) + 1;
		if (end < *len)
			*len = (size_t)end;
	}
	return 0;
}

int
kvmi_dead_strings(kvm_t *kd, const struct kinfo_proc2 *p, bool env, size_t max,
    char **buf, size_t *len)
{
	struct strings_mm m = { .kd = kd, .tt = kvmi_tasktype(kd) };

	if (m.tt == NULL || strings_open(&m, p) == -1)
		return -1;
	return strings_get(&m, env, max, buf, len);
}
