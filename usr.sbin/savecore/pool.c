/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c: work for all CPUs.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "pool.h"

struct pool_thread {
	struct pool *pool;
	void *state;
	pthread_t thread;
};

struct pool {
	pthread_mutex_t lock;	/* of what follows, and of tasks */
	pthread_cond_t more, done;
	struct pool_task *first, **last;
	bool over;
	unsigned int nthreads;
	void *state0;		/* where there is no thread */
	struct pool_thread threads[];
};

unsigned int
pool_cpus(unsigned int max)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return (unsigned int)n < max ? (unsigned int)n : max;
}

static void *
pool_main(void *arg)
{
	struct pool_thread *t = arg;
	struct pool *p = t->pool;
	struct pool_task *task;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->first == NULL && !p->over)
			pthread_cond_wait(&p->more, &p->lock);
		task = p->first;
		if (task == NULL)
			break;
		p->first = task->next;
		if (p->first == NULL)
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		task->run(task, t->state);
		pthread_mutex_lock(&p->lock);
		task->done = true;
		pthread_cond_broadcast(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *
pool_create(unsigned int nthreads, void *const *states)
{
	struct pool *p;
	unsigned int i;

	p = calloc(1, sizeof(*p) + nthreads * sizeof(p->threads[0]));
	if (p == NULL)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->done, NULL);
	p->last = &p->first;
	p->state0 = states[0];
	for (i = 0; i < nthreads; i++) {
		p->threads[i].pool = p;
		p->threads[i].state = states[i];
		if (pthread_create(&p->threads[i].thread, NULL, pool_main,
		    &p->threads[i]) != 0)
			break;
		p->nthreads++;
	}
	return p;
}

void
pool_destroy(struct pool *p)
{
	unsigned int i;

	pthread_mutex_lock(&p->lock);
	p->over = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->nthreads; i++)
		(void)pthread_join(p->threads[i].thread, NULL);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
pool_put(struct pool *p, struct pool_task *task)
{
	task->next = NULL;
	task->done = false;
	if (p->nthreads == 0)
		return;
	pthread_mutex_lock(&p->lock);
	*p->last = task;
	p->last = &task->next;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

void
pool_wait(struct pool *p, struct pool_task *task)
{
	if (p->nthreads == 0) {
		task->run(task, p->state0);
		task->done = true;
		return;
	}
	pthread_mutex_lock(&p->lock);
	while (!task->done)
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
