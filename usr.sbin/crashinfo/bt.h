/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bt.h: backtraces, for all that show some.
 */
#ifndef _BT_H_
#define _BT_H_

#include "crashinfo.h"

/* Whose backtrace it is. */
struct bt_who {
	int cpu;		/* -1: a thread that does not run */
	bool panicked, idle, known;	/* known: the thread, as below */
	int pid, tid;
	char state;
	uint64_t task;
	char name[KI_LNAMELEN];
};

void bt_thread(struct bt_who *who, const struct kinfo_lwp *l);
/* Does this CPU run no thread but its idle one? */
bool bt_idle(const struct target *t, unsigned int cpu);
/* Prints one backtrace: 0, or -1 with kvm_geterr()'s text. */
int bt_show(const struct target *t, const struct bt_who *who);

#endif /* _BT_H_ */
