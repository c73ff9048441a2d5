/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads: a process to be found in a dump.
 *
 *	threads count
 *
 * In the guest: leaves a process with count more threads, ids that all differ, a
 * terminal of its own and a child that nobody waits for.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_TTY	"/dev/ttyS0"

static void *
threads_wait(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "thread %u",
	    (unsigned int)*(const size_t *)arg);
	pthread_setname_np(pthread_self(), name);
	for (;;)
		pause();
	return NULL;
}

/* What stays behind; tells through fd when it is all there. */
static void
threads_stay(size_t count, int fd)
{
	size_t *n = calloc(count, sizeof(*n)), i;
	pthread_t t;

	if (n == NULL || setsid() == -1 || open(THREADS_TTY, O_RDWR) == -1)
		err(1, "session on %s", THREADS_TTY);
	if (nice(5) == -1 || setresgid(11, 12, 13) == -1 ||
	    setresuid(21, 22, 23) == -1)
		err(1, "ids");
	for (i = 0; i < count; i++) {
		n[i] = i;
		if (pthread_create(&t, NULL, threads_wait, &n[i]) != 0)
			errx(1, "thread %zu", i);
	}
	if (fork() == 0)
		_exit(0);
	sleep(1);
	if (write(fd, "", 1) != 1)
		err(1, "pipe");
	close(fd);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	int fds[2];
	char c;

	if (argc != 2 || atoi(argv[1]) < 1)
		errx(2, "usage: threads count");
	if (pipe(fds) == -1)
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(fds[0]);
		threads_stay((size_t)atoi(argv[1]), fds[1]);
	}
	close(fds[1]);
	return read(fds[0], &c, 1) == 1 ? 0 : 1;
}
