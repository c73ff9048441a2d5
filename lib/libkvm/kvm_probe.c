/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_probe.c: return addresses that a probe has replaced by its own, and put
 * away.  The function graph tracer has them in task_struct.ret_stack; return
 * probes in the list task_struct.rethooks since 5.18 (54ecbe6f1ed5).  Both note
 * where on the stack the address was.
 */
#include <string.h>

#include "kvm_symbols.h"
#include "kvm_unwind.h"

#define PROBE_NODES	512u		/* of one task: more go round */
#define PROBE_GRAPH	4096u		/* bytes of ret_stack */

/* A list that begins at the one that came last. */
static kvaddr_t
probe_rethook(kvm_t *kd, kvaddr_t task, kvaddr_t trampoline, kvaddr_t at)
{
	struct kvm_type head, list, ret, frame;
	kvaddr_t node, addr, where;
	unsigned int i;

	if (kvmi_type(kd, "task_struct.rethooks.first", &head) == -1 ||
	    kvmi_type(kd, "rethook_node.llist.next", &list) == -1 ||
	    kvmi_type(kd, "rethook_node.ret_addr", &ret) == -1 ||
	    kvmi_type(kd, "rethook_node.frame", &frame) == -1 ||
	    kvmi_read(kd, task + head.kt_offset, &node, 8) == -1)
		return trampoline;
	for (i = 0; node != 0 && i < PROBE_NODES; i++) {
		node -= list.kt_offset;
		if (kvmi_read(kd, node + ret.kt_offset, &addr, 8) == -1 ||
		    kvmi_read(kd, node + frame.kt_offset, &where, 8) == -1)
			break;
		/* Several probes of one function: the last has the address. */
		if (where == at && addr != trampoline)
			return addr;
		if (kvmi_read(kd, node + list.kt_offset, &node, 8) == -1)
			break;
	}
	return trampoline;
}

/*
 * struct ftrace_ret_stack one behind the other, or with other words between
 * them: what is in use comes first, what was used before behind it.
 */
static kvaddr_t
probe_graph(kvm_t *kd, kvaddr_t task, kvaddr_t handler, kvaddr_t at)
{
	struct kvm_type stack, ret, retp;
	uint64_t words[PROBE_GRAPH / 8];
	kvaddr_t va;
	size_t i, r;

	if (kvmi_type(kd, "task_struct.ret_stack", &stack) == -1 ||
	    kvmi_type(kd, "ftrace_ret_stack.ret", &ret) == -1 ||
	    kvmi_type(kd, "ftrace_ret_stack.retp", &retp) == -1 ||
	    kvmi_read(kd, task + stack.kt_offset, &va, 8) == -1 ||
	    va == 0 || kvmi_read(kd, va, words, sizeof(words)) == -1)
		return handler;
	for (i = retp.kt_offset / 8; i < PROBE_GRAPH / 8; i++) {
		r = i - retp.kt_offset / 8 + ret.kt_offset / 8;
		if (words[i] == at && r < PROBE_GRAPH / 8)
			return words[r];
	}
	return handler;
}

kvaddr_t
kvmi_return_address(kvm_t *kd, kvaddr_t task, kvaddr_t pc, kvaddr_t at)
{
	const struct kvmi_stacks *s = kvmi_stacks(kd);

	if (s == NULL || pc == 0 || task == 0)
		return pc;
	if (pc == s->graph)
		pc = probe_graph(kd, task, pc, at);
	if (pc == s->rethook)
		pc = probe_rethook(kd, task, pc, at);
	return pc;
}
