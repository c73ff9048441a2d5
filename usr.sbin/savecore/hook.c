/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook.c: programs of the administrator that are run once a dump is saved; runs
 * in the keeper.
 *
 * They have what power the keeper has left.  What they are told of the dump was
 * written by the worker, which is believed nothing: only lines that are a key
 * and printable text are passed on, each in a variable of its own.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hook.h"
#include "kernfile.h"
#include "savecore.h"

#define HOOK_DIR	"/etc/swapcore.d"
#ifndef HOOK_SECONDS
#define HOOK_SECONDS	60
#endif
#define HOOK_PREFIX	"SAVECORE_"

/* ---- What they are told ---- */

/* Is there one of that name, which text begins with? */
static bool
hook_has(const struct hook_env *env, const char *text)
{
	const size_t len = strcspn(text, "=") + 1;
	size_t i;

	for (i = 0; i < env->n; i++)
		if (strncmp(env->var[i], text, len) == 0)
			return true;
	return false;
}

void
hook_add(struct hook_env *env, const char *key, const char *value)
{
	char name[48], *text;
	size_t i;

	if (env->n >= HOOK_VARS)
		return;
	for (i = 0; key[i] != '\0' && i + 1 < sizeof(name); i++)
		name[i] = (char)toupper((unsigned char)key[i]);
	name[i] = '\0';
	if (asprintf(&text, HOOK_PREFIX "%s=%s", name, value) == -1)
		return;
	if (hook_has(env, text))
		free(text);
	else
		env->var[env->n++] = text;
}

/* A line of facts, "key: value". */
static void
hook_add_fact(struct hook_env *env, char *line)
{
	char *colon = strstr(line, ": ");
	const char *p;

	if (colon == NULL)
		return;
	*colon = '\0';
	for (p = line; *p != '\0'; p++)
		if (!islower((unsigned char)*p) && *p != '_')
			return;
	for (p = colon + 2; *p != '\0'; p++)
		if (!isprint((unsigned char)*p))
			return;
	if (line[0] != '\0')
		hook_add(env, line, colon + 2);
}

void
hook_add_facts(struct hook_env *env, int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *fp = copy != -1 ? fdopen(copy, "r") : NULL;
	char line[HOOK_LINE];

	if (fp == NULL) {
		if (copy != -1)
			close(copy);
		return;
	}
	rewind(fp);
	while (env->n < HOOK_VARS && fgets(line, sizeof(line), fp) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		hook_add_fact(env, line);
	}
	fclose(fp);
}

void
hook_env_free(struct hook_env *env)
{
	while (env->n > 0)
		free(env->var[--env->n]);
}

/* ---- Which they are ---- */

/* As run-parts(8): nothing that a package manager or an editor leaves. */
static int
hook_filter(const struct dirent *de)
{
	const char *p;

	for (p = de->d_name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return 0;
	return 1;
}

/* By bytes: the same order in every locale. */
static int
hook_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Can nobody but root, or who runs this, have put it there? */
static bool
hook_trusted(const char *path, const struct stat *st)
{
	if ((st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	msg(LOG_WARNING, "%s: others may write it: not run", path);
	return false;
}

/* ---- Running one ---- */

/* What tells that a child has ended: it is blocked, so that it can be waited for
 * with a time-out. */
static sigset_t
hook_sigchld(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	return set;
}

__attribute__((noreturn)) static void
hook_child(const char *path, char *const *env, int dirfd)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL };
	const int null = open("/dev/null", O_RDONLY);
	const sigset_t chld = hook_sigchld();

	(void)sigprocmask(SIG_UNBLOCK, &chld, NULL);
	(void)setsid();
	if (null != -1 && dup2(null, STDIN_FILENO) != -1 &&
	    dup2(STDERR_FILENO, STDOUT_FILENO) != -1 && fchdir(dirfd) == 0)
		execve(path, argv, env);
	msg_errno(LOG_WARNING, "%s", path);
	_exit(127);
}

static int64_t
hook_now_ms(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * Waits for it as long as it may run: its process id, with its status; 0: it
 * still runs; -1 with errno.  Needs nothing that may be short, like descriptors.
 */
static pid_t
hook_wait(pid_t pid, int *status)
{
	const int64_t end = hook_now_ms() + HOOK_SECONDS * 1000;
	const sigset_t chld = hook_sigchld();
	struct timespec ts;
	int64_t left;
	pid_t r;

	while ((r = waitpid(pid, status, WNOHANG)) == 0 ||
	    (r == -1 && errno == EINTR)) {
		left = end - hook_now_ms();
		if (left <= 0)
			return 0;
		ts.tv_sec = left / 1000;
		ts.tv_nsec = left % 1000 * 1000000;
		(void)sigtimedwait(&chld, NULL, &ts);
	}
	return r;
}

/* Ends it, and what it has started. */
static pid_t
hook_end(pid_t pid, int *status)
{
	pid_t r;

	if (kill(-pid, SIGKILL) == -1)
		(void)kill(pid, SIGKILL);
	while ((r = waitpid(pid, status, 0)) == -1 && errno == EINTR)
		;
	return r;
}

static void
hook_run(const char *path, char *const *env, int dirfd)
{
	const pid_t pid = fork();
	bool in_time;
	pid_t ended;
	int status;

	if (pid == -1) {
		msg_errno(LOG_WARNING, "%s", path);
		return;
	}
	if (pid == 0)
		hook_child(path, env, dirfd);
	ended = hook_wait(pid, &status);
	in_time = ended != 0;
	if (!in_time)
		ended = hook_end(pid, &status);
	if (ended == -1)
		msg_errno(LOG_WARNING, "%s: can't be waited for", path);
	else if (!in_time)
		msg(LOG_WARNING, "%s: ended after %d seconds", path,
		    HOOK_SECONDS);
	else if (WIFSIGNALED(status))
		msg(LOG_WARNING, "%s: ended by signal %d", path,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		msg(LOG_WARNING, "%s: ended with status %d", path,
		    WEXITSTATUS(status));
}

/* One of the directory. */
static void
hook_try(const char *dir, const char *name, const struct hook_env *env,
    int dirfd)
{
	char *var[HOOK_VARS + 2], path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path) || stat(path, &st) == -1 ||
	    !S_ISREG(st.st_mode) || access(path, X_OK) == -1 ||
	    !hook_trusted(path, &st))
		return;
	memcpy(var, env->var, env->n * sizeof(var[0]));
	var[env->n] = (char *)(uintptr_t)"PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	var[env->n + 1] = NULL;
	hook_run(path, var, dirfd);
}

void
hook_run_all(const struct hook_env *env, int dirfd)
{
	const sigset_t chld = hook_sigchld();
	struct dirent **names;
	char path[PATH_MAX];
	struct stat st;
	int i, n;

	if (kernfile_path(path, sizeof(path), "%s", HOOK_DIR) == -1 ||
	    stat(path, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    !hook_trusted(path, &st))
		return;
	(void)sigprocmask(SIG_BLOCK, &chld, NULL);
	n = scandir(path, &names, hook_filter, hook_order);
	for (i = 0; i < n; i++) {
		hook_try(path, names[i]->d_name, env, dirfd);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	else
		msg_errno(LOG_WARNING, "%s: no hooks are run", path);
	(void)sigprocmask(SIG_UNBLOCK, &chld, NULL);
}
