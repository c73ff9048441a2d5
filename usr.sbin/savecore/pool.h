/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h: work for all CPUs.  Tasks are begun in the order they come in; who
 * waits for them in that order has their results in order.
 */
#ifndef _POOL_H_
#define _POOL_H_

#include <stdbool.h>

struct pool;

struct pool_task {
	/* state: of the thread that runs it, see pool_create(). */
	void (*run)(struct pool_task *task, void *state);
	struct pool_task *next;
	bool done;
};

/*
 * Makes nthreads threads, each with one of the states; NULL with errno.  Where
 * no thread can be made, tasks run when they are waited for.
 */
struct pool *pool_create(unsigned int nthreads, void *const *states);
/* Ends the threads; no task is under way. */
void pool_destroy(struct pool *p);
void pool_put(struct pool *p, struct pool_task *task);
/* Waits until the task, which was put, is done. */
void pool_wait(struct pool *p, struct pool_task *task);
/* How many threads are worth while, up to max. */
unsigned int pool_cpus(unsigned int max);

#endif /* _POOL_H_ */
