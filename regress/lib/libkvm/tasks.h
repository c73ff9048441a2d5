/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tasks.h: a small kernel with tasks, for tests of what is found of them.
 */
#ifndef TASKS_H
#define TASKS_H

#include "guest.h"

/* Places in the structures. */
enum {
	T_STATE = 0, T_FLAGS = 8, T_ONCPU = 12, T_CPU = 20, T_PRIO = 24,
	T_EXIT = 28, T_TASKS = 32, T_MM = 48, T_PID = 56, T_TGID = 60,
	T_PARENT = 64, T_NODE = 72, T_START = 88, T_CRED = 96, T_COMM = 104,
	T_SIGNAL = 120, T_STACK = 128, T_UTIME = 136, T_STIME = 144,
	T_RUNTIME = 152, T_FILES = 160, T_SIZE = 168,
	S_NTHREADS = 0, S_HEAD = 8, S_PIDS = 24, S_TTY = 56,
	S_UTIME = 64, S_STIME = 72, S_CUTIME = 80, S_CSTIME = 88,
	S_RUNTIME = 96, S_SHOWN = 104, S_SIZE = 120,
	PID_NR = 8, PID_SIZE = 24, CRED_SIZE = 32, TTY_SIZE = 16,
	M_VSIZE = 0, M_RSS = 8, M_PGD = 72, M_ARG_START = 80, M_ARG_END = 88,
	M_ENV_START = 96, M_ENV_END = 104, M_SIZE = 112,
};
#define TASKS_CPUS	64u	/* entries of __per_cpu_offset[] */
#define TASKS_START	2500000000ull
#define TASKS_TTY	((4u << 8) | 65u)	/* major 4, minor 64 + 1 */

/* Types of a 32-bit number, a pointer, a 64-bit number; the first unused. */
enum { TASKS_INT = 1, TASKS_PTR = 2, TASKS_LONG = 8, TASKS_TYPES = 24 };

/* They are in tasks[]; the first is init_task, which is no process. */
#define NTASKS	9u
#define NPROCS	6u

struct one {
	const char *comm;
	int pid, tgid;
	unsigned int parent;	/* in this table */
	uint64_t state;
	uint32_t exit, flags;
	char letter;
	int8_t stat, lstat;
};

extern const struct one tasks[NTASKS];

struct tasks {
	struct guest g;
	bool new;
	uint64_t task[NTASKS], sig[NTASKS];	/* where they are */
	uint64_t mm, cred, tty, percpu, avenrun;
	uint64_t first, end;	/* all of it, but for the types */
};

/* Makes it all and opens it; `new': as Linux 6.2 has it, else as 5.10. */
void tasks_make(struct tasks *f, bool new);
/* The same; `types' writes more types, from number TASKS_TYPES on. */
void tasks_make_with(struct tasks *f, bool new, void (*types)(void));
/* Puts len bytes of a number into memory. */
void tasks_put(struct guest *g, uint64_t va, size_t len, uint64_t v);

#endif /* TASKS_H */
