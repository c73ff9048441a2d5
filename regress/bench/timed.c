/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timed: runs a program and prints how many seconds it took, the KiB of memory
 * it held at most, it or a child of it, and their seconds of CPU.  A program of
 * its own because a process inherits the peak of the one that forked it: here,
 * next to nothing.
 * What the program prints goes to standard error; its exit status is ours.
 */
#include <err.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
timed_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(125, "clock_gettime");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
main(int argc, char *argv[])
{
	struct rusage ru;
	double start;
	pid_t pid;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: timed program [argument ...]\n");
		return 125;
	}
	start = timed_now();
	pid = fork();
	if (pid == -1)
		err(125, "fork");
	if (pid == 0) {
		if (dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
			err(125, "dup2");
		execvp(argv[1], argv + 1);
		err(125, "%s", argv[1]);
	}
	if (wait4(pid, &status, 0, &ru) == -1)
		err(125, "wait4");
	printf("%.6f %ld %.6f\n", timed_now() - start, ru.ru_maxrss,
	    (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
