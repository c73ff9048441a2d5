/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procs: processes to be found in a dump, and what /proc says of all of them.
 *
 *	procs stay	leaves processes: one with a title over its arguments,
 *			two with many arguments, one that has used CPU time, one
 *			with open files; names them on standard output
 *	procs hide	makes one page of arguments of each of the two not
 *			accessible, or swaps it out
 *	procs tell	prints arguments, environment, CPU times and open files
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCS_READY	3	/* the descriptor that says so */
#define PROCS_PAGE	4096u
#define PROCS_NARGS	12u
#define PROCS_ARG	3000u	/* bytes of each */
#define PROCS_MSEC	250	/* of CPU time at a time */
#define PROCS_HIGH	300	/* a descriptor */
#define PROCS_TRIES	100

extern char **environ;

static void
procs_ready(void)
{
	if (write(PROCS_READY, "", 1) != 1)
		err(1, "pipe");
	close(PROCS_READY);
}

static void __attribute__((noreturn))
procs_wait(void)
{
	for (;;)
		pause();
}

/* Writes a title over the arguments and ten bytes of the environment. */
static void __attribute__((noreturn))
procs_title(int argc, char **argv)
{
	size_t len = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 -
	    argv[0]) + 10, i;

	for (i = 0; i < len; i++)
		argv[0][i] = (char)('a' + i % 26);
	argv[0][len] = '\0';
	procs_ready();
	procs_wait();
}

/* The page that goes: all of it is argument. */
static char *
procs_page(char **argv)
{
	uintptr_t at = (uintptr_t)argv[2] + 3 * PROCS_PAGE;

	return (char *)(at / PROCS_PAGE * PROCS_PAGE);
}

static uint64_t
procs_pagemap(const char *file, const char *page)
{
	uint64_t entry = 0;
	int fd = open(file, O_RDONLY);

	if (fd == -1 || pread(fd, &entry, sizeof(entry),
	    (off_t)((uintptr_t)page / PROCS_PAGE * sizeof(entry))) !=
	    sizeof(entry))
		err(1, "%s", file);
	close(fd);
	return entry;
}

/* Waits for the word to hide a page, does it and stops. */
static void __attribute__((noreturn))
procs_hide(char **argv, bool swap)
{
	char *page = procs_page(argv);
	sigset_t set;
	int sig, i;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	procs_ready();
	sigwait(&set, &sig);
	if (!swap && mprotect(page, PROCS_PAGE, PROT_NONE) == -1)
		err(1, "mprotect");
	for (i = 0; swap && i < PROCS_TRIES &&
	    procs_pagemap("/proc/self/pagemap", page) >> 62 != 1; i++) {
		if (madvise(page, PROCS_PAGE, MADV_PAGEOUT) == -1)
			err(1, "madvise");
		usleep(20000);
	}
	raise(SIGSTOP);
	procs_wait();
}

/* Uses time in user mode, then in the kernel. */
static void *
procs_burn(void *arg)
{
	static char buf[1 << 16];
	volatile unsigned int x = 0;
	struct rusage u, start;
	int fd = open("/dev/zero", O_RDONLY);
	bool system;
	long ms;

	for (system = false;; system = true) {
		getrusage(RUSAGE_THREAD, &start);
		do {
			unsigned int i;

			for (i = 0; i < 100000 && !system; i++)
				x++;
			if (system && read(fd, buf, sizeof(buf)) == -1)
				err(1, "/dev/zero");
			getrusage(RUSAGE_THREAD, &u);
			ms = (u.ru_utime.tv_sec + u.ru_stime.tv_sec -
			    start.ru_utime.tv_sec - start.ru_stime.tv_sec) *
			    1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec -
			    start.ru_utime.tv_usec - start.ru_stime.tv_usec) /
			    1000;
		} while (ms < PROCS_MSEC);
		if (system)
			break;
	}
	close(fd);
	return arg;
}

static void *
procs_burn_and_stay(void *arg)
{
	procs_burn(NULL);
	pthread_barrier_wait(arg);
	procs_wait();
}

/* Time of a child, of a thread that has ended and of one that has not. */
static void __attribute__((noreturn))
procs_busy(void)
{
	pthread_barrier_t barrier;
	pthread_t t;
	pid_t pid = fork();

	if (pid == 0) {
		procs_burn(NULL);
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, NULL, 0) != pid ||
	    pthread_create(&t, NULL, procs_burn, NULL) != 0 ||
	    pthread_join(t, NULL) != 0 ||
	    pthread_barrier_init(&barrier, NULL, 2) != 0 ||
	    pthread_create(&t, NULL, procs_burn_and_stay, &barrier) != 0)
		err(1, "busy");
	pthread_barrier_wait(&barrier);
	procs_ready();
	procs_wait();
}

static void
procs_mkdirs(void)
{
	static const char *const dirs[] = { "/mnt/one", "/mnt/one/dir",
		"/mnt/one/dir/two" };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (mkdir(dirs[i], 0755) == -1)
			err(1, "%s", dirs[i]);
		/* A mount in a mount. */
		if (i != 1 && mount("tmpfs", dirs[i], "tmpfs", 0, NULL) == -1)
			err(1, "%s", dirs[i]);
	}
	if (mkdir("/mnt/bound", 0755) == -1 ||
	    mount("/mnt/one/dir", "/mnt/bound", NULL, MS_BIND, NULL) == -1)
		err(1, "/mnt/bound");
}

/* A file of each kind, and some that are special. */
static void __attribute__((noreturn))
procs_files(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fds[2], sockets[2], fd, epoll;

	procs_mkdirs();
	fd = open("/mnt/one/dir/two/file", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd == -1 || write(fd, "seven b", 7) != 7 ||
	    lseek(fd, 3, SEEK_SET) != 3 || dup2(fd, PROCS_HIGH) == -1)
		err(1, "file");
	fd = open("/mnt/one/dir/gone", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd == -1 || write(fd, "gone", 4) != 4 ||
	    unlink("/mnt/one/dir/gone") == -1)
		err(1, "gone");
	if (open("/mnt/bound", O_RDONLY | O_DIRECTORY) == -1 ||
	    open("/mnt/bound/a name\twith \\ and \033", O_RDWR | O_CREAT,
	    0600) == -1 ||
	    open("/", O_PATH) == -1 || open("/dev/null", O_RDWR) == -1 ||
	    open("/proc/self/maps", O_RDONLY) == -1 ||
	    mkfifo("/mnt/one/fifo", 0600) == -1 ||
	    open("/mnt/one/fifo", O_RDWR | O_NONBLOCK) == -1 ||
	    memfd_create("memory/of its own", MFD_CLOEXEC) == -1)
		err(1, "files");
	if (pipe2(fds, O_NONBLOCK) == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0,
	    sockets) == -1 || (epoll = epoll_create1(0)) == -1 ||
	    (fd = eventfd(1, 0)) == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "pipe, sockets, epoll");
	if (setresgid(41, 42, 43) == -1 || setresuid(51, 52, 53) == -1)
		err(1, "ids");
	procs_ready();
	procs_wait();
}

/* A process with its own arguments; returns when it is ready. */
static void
procs_start(const char *what)
{
	static char text[PROCS_NARGS][PROCS_ARG + 1];
	char *argv[PROCS_NARGS + 5] = { (char *)"procs", (char *)what };
	unsigned int i, n = 2;
	int fds[2];
	pid_t pid;
	char c;

	for (i = 0; what[0] == 'h' && i < PROCS_NARGS; i++) {
		memset(text[i], 'A' + (int)i, PROCS_ARG);
		argv[n++] = text[i];
	}
	argv[n++] = (char *)"";
	argv[n++] = (char *)"with a space, \001 and \377";
	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe");
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fds[1] == PROCS_READY)
			fcntl(fds[1], F_SETFD, 0);
		else if (dup2(fds[1], PROCS_READY) == -1)
			err(1, "dup2");
		execv("/sbin/procs", argv);
		err(1, "exec");
	}
	close(fds[1]);
	if (pid == -1 || read(fds[0], &c, 1) != 1)
		errx(1, "%s is not ready", what);
	close(fds[0]);
	printf("%s %d\n", what, (int)pid);
}

static void
procs_stay(void)
{
	static const char *const what[] = { "title", "hide-none", "hide-swap",
		"busy", "files" };
	unsigned int i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		procs_start(what[i]);
}

/* Reads a file of /proc; its length. */
static size_t
procs_read(const char *file, char **buf)
{
	size_t size = 0, len = 0;
	ssize_t n = 1;
	int fd = open(file, O_RDONLY);

	for (*buf = NULL; fd != -1 && n > 0; len += (size_t)n) {
		size = len + 65536;
		*buf = realloc(*buf, size);
		n = *buf == NULL ? 0 : read(fd, *buf + len, size - len - 1);
		if (n == -1)
			n = 0;
	}
	if (fd != -1)
		close(fd);
	if (*buf == NULL)
		*buf = calloc(1, 1);
	if (*buf == NULL)
		err(1, "%s", file);
	(*buf)[len] = '\0';
	return len;
}

/* Prints a file in hexadecimal. */
static void
procs_hex(int pid, const char *name)
{
	char file[64], *buf;
	size_t len, i;

	snprintf(file, sizeof(file), "/proc/%d/%s", pid, name);
	len = procs_read(file, &buf);
	printf("%s %d ", name, pid);
	for (i = 0; i < len; i++)
		printf("%02x", (unsigned char)buf[i]);
	putchar('\n');
	free(buf);
}

/* The number behind a word of fdinfo. */
static unsigned long long
procs_number(const char *text, const char *word, int base)
{
	const char *at = strstr(text, word);

	return at != NULL ? strtoull(at + strlen(word), NULL, base) : 0;
}

static void
procs_fd(int pid, const char *fd)
{
	char file[64], link[8192], *info;
	struct stat st;
	ssize_t n, i;

	snprintf(file, sizeof(file), "/proc/%d/fd/%s", pid, fd);
	n = readlink(file, link, sizeof(link));
	if (n == -1 || stat(file, &st) == -1)
		err(1, "%s", file);
	snprintf(file, sizeof(file), "/proc/%d/fdinfo/%s", pid, fd);
	procs_read(file, &info);
	printf("file %d %s %llu %llu %ju %u %ju %ju %ju ", pid, fd,
	    procs_number(info, "pos:\t", 10),
	    procs_number(info, "flags:\t", 8), (uintmax_t)st.st_ino,
	    (unsigned int)st.st_mode, (uintmax_t)st.st_size,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_rdev);
	for (i = 0; i < n; i++)
		printf("%02x", (unsigned char)link[i]);
	putchar('\n');
	free(info);
}

static void
procs_fds(int pid)
{
	struct dirent *e;
	char dir[64];
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			procs_fd(pid, e->d_name);
	if (d != NULL)
		closedir(d);
}

static void
procs_tell(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char file[64], *stat;
	int pid;

	while (d != NULL && (e = readdir(d)) != NULL) {
		pid = atoi(e->d_name);
		if (pid == 0 || pid == (int)getpid())
			continue;
		procs_hex(pid, "cmdline");
		procs_hex(pid, "environ");
		snprintf(file, sizeof(file), "/proc/%d/stat", pid);
		procs_read(file, &stat);
		printf("stat %s", stat);
		free(stat);
		procs_fds(pid);
	}
}

/* The second argument of a process; else "". */
static char *
procs_second(int pid)
{
	char file[64], *buf;
	size_t len;

	snprintf(file, sizeof(file), "/proc/%d/cmdline", pid);
	len = procs_read(file, &buf);
	if (len > 6 && strcmp(buf, "procs") == 0)
		memmove(buf, buf + 6, len - 6 + 1);
	else
		buf[0] = '\0';
	return buf;
}

static bool
procs_stopped(int pid)
{
	char file[64], *buf;
	bool stopped;

	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	procs_read(file, &buf);
	stopped = strstr(buf, ") T ") != NULL;
	free(buf);
	return stopped;
}

/* Field 48 of stat is where the arguments begin. */
static char *
procs_args(int pid)
{
	char file[64], *buf, *at;
	unsigned long long value;
	int i;

	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	procs_read(file, &buf);
	at = strrchr(buf, ')');
	for (i = 2; at != NULL && i < 48; i++)
		at = strchr(at + 1, ' ');
	value = at != NULL ? strtoull(at, NULL, 10) : 0;
	free(buf);
	return (char *)(uintptr_t)value;
}

static void
procs_hide_one(int pid, const char *what)
{
	/* Behind "procs" and itself, as in procs_page(). */
	char *argv[3] = { NULL, NULL, procs_args(pid) + 6 + strlen(what) + 1 };
	char file[64];
	int i;

	kill(pid, SIGUSR1);
	for (i = 0; i < PROCS_TRIES && !procs_stopped(pid); i++)
		usleep(100000);
	snprintf(file, sizeof(file), "/proc/%d/pagemap", pid);
	printf("%s %d %llx %llx\n", what, pid,
	    (unsigned long long)(uintptr_t)procs_page(argv),
	    (unsigned long long)procs_pagemap(file, procs_page(argv)));
}

static void
procs_hide_all(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char *what;
	int pid;

	while (d != NULL && (e = readdir(d)) != NULL) {
		pid = atoi(e->d_name);
		if (pid == 0)
			continue;
		what = procs_second(pid);
		if (strncmp(what, "hide-", 5) == 0)
			procs_hide_one(pid, what);
		free(what);
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "stay") == 0)
		procs_stay();
	else if (strcmp(what, "hide") == 0)
		procs_hide_all();
	else if (strcmp(what, "tell") == 0)
		procs_tell();
	else if (strcmp(what, "title") == 0)
		procs_title(argc, argv);
	else if (strncmp(what, "hide-", 5) == 0)
		procs_hide(argv, strcmp(what, "hide-swap") == 0);
	else if (strcmp(what, "busy") == 0)
		procs_busy();
	else if (strcmp(what, "files") == 0)
		procs_files();
	else
		errx(2, "usage: procs stay | hide | tell");
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return 0;
}
