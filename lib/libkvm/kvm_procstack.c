/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_procstack.c: the kernel's stack of a thread of the running system, from
 * /proc/TID/stack, where the kernel itself has walked it:
 *
 *	[<0>] do_epoll_wait+0x64b/0x790
 *	[<0>] nvme_wait+0x12/0x40 [nvme_core]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"
#include "kvm_symbols.h"

#define PS_STACK_MAX	(1u << 20)	/* bytes of the file */

/* A number with 0x before it, and what must follow; false: not that. */
static bool
ps_number(char **at, const char *behind, uint64_t *value)
{
	const size_t len = strlen(behind);
	char *end;

	errno = 0;
	*value = strtoull(*at, &end, 16);
	if (strncmp(*at, "0x", 2) != 0 || errno != 0 ||
	    strncmp(end, behind, len) != 0)
		return false;
	*at = end + len;
	return true;
}

/* Behind the brackets: name+offset/size and perhaps a module; or an address. */
static bool
ps_frame(char *line, struct kvm_frame *f)
{
	uint64_t off, size, pc;
	char *at = line + strcspn(line, "+"), *end;

	memset(f, 0, sizeof(*f));
	if (*at == '\0') {
		at = line;
		if (!ps_number(&at, "", &pc) || *at != '\0')
			return false;
		f->kf_pc = pc;
		return true;
	}
	*at++ = '\0';
	if (at - line > KVMI_SYMLEN || !ps_number(&at, "/", &off) ||
	    !ps_number(&at, "", &size))
		return false;
	f->kf_name = line;
	f->kf_off = off;
	f->kf_size = size;
	if (*at == '\0')
		return true;
	if (strncmp(at, " [", 2) != 0)
		return false;
	/* Behind the module's name may be its build id. */
	f->kf_module = at + 2;
	end = at + 2 + strcspn(at + 2, "] ");
	if (*end == '\0')
		return false;
	*end = '\0';
	return true;
}

/* Tells every line: 0, KVM_BT_STOPPED, or -1 with a text. */
static int
ps_tell(kvm_t *kd, char *text, int (*fn)(void *cookie,
    const struct kvm_frame *frame), void *cookie, unsigned int *n)
{
	const struct kvmi_ksymfile *kf = kvmi_ksymfile(kd);
	struct kvm_frame f;
	char *line, *next, type;
	uint64_t addr;

	for (line = text; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		if (strncmp(line, "[<", 2) != 0 ||
		    (line = strstr(line, ">] ")) == NULL ||
		    !ps_frame(line + 3, &f))
			return kvmi_err(kd, EBADMSG, "line %u makes no sense",
			    *n + 1);
		if (f.kf_name != NULL && kf != NULL && kvmi_ksymfile_lookup(kf,
		    f.kf_name, f.kf_module, &type, &addr))
			f.kf_pc = addr + f.kf_off;
		f.kf_n = (*n)++;
		f.kf_stack = "TASK";
		if (f.kf_n != 0)
			f.kf_flags = KVM_FRAME_RETURN;
		if (fn(cookie, &f) != 0)
			return KVM_BT_STOPPED;
	}
	return 0;
}

/* Why there is nothing in it. */
static int
ps_empty(kvm_t *kd, int tid)
{
	struct kvmi_procstat st;
	const int dir = kvmi_procfs_open(kd, tid, &st);

	if (dir == -1)
		return -1;
	close(dir);
	if (st.state == 'Z' || st.state == 'X')
		return KVM_BT_EXITED;
	kvmi_err(kd, EAGAIN, "it is running");
	return KVM_BT_LOST;
}

int
kvmi_procstack(kvm_t *kd, int tid, int (*fn)(void *cookie,
    const struct kvm_frame *frame), void *cookie)
{
	char path[64], *text;
	unsigned int n = 0;
	size_t len;
	int rv;

	if (kvmi_live_need(kd) == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/stack", tid);
	text = kvmi_live_load(kd, path, PS_STACK_MAX, &len);
	if (text == NULL && (errno == ENOENT || errno == ESRCH))
		return kvmi_err(kd, ESRCH, "there is no thread %d", tid);
	if (text == NULL && (errno == EACCES || errno == EPERM))
		return kvmi_err(kd, EPERM, "%s: CAP_SYS_ADMIN or "
		    "CAP_SYS_PTRACE is missing", path);
	if (text == NULL)
		return -1;
	rv = ps_tell(kd, text, fn, cookie, &n);
	if (rv == -1)
		kvmi_prepend(kd, "%s", path);
	free(text);
	if (rv != 0)
		return rv;
	return n != 0 ? KVM_BT_ENTRY : ps_empty(kd, tid);
}
