/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c: what crashinfo(8) says of a core, in a file beside it.
 *
 * crashinfo reads what anybody may have written: it gets the core open for
 * reading, a file to write to, and no more power than the worker.  That there
 * is no report is no reason not to clear the dump.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "savecore.h"

#define REPORT_BYTES	(64u << 20)
#define REPORT_SECONDS	120u

/* crashinfo is where savecore is, which nobody may not be able to reach: a
 * descriptor, or -1 with errno; path is what that is about. */
static int
report_program(char *path, size_t size)
{
	static const char name[] = "crashinfo", self[] = "/proc/self/exe";
	ssize_t n = readlink(self, path, size - 1);
	char *slash;

	if (n == -1) {
		snprintf(path, size, "%s", self);
		return -1;
	}
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash + 1 - path) + sizeof(name) > size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(slash + 1, name);
	return access(path, X_OK) == -1 ? -1 : open(path, O_PATH | O_CLOEXEC);
}

/* The child's side. */
__attribute__((noreturn)) static void
report_run(int program, int core, int out)
{
	const struct rlimit size = { REPORT_BYTES, REPORT_BYTES };
	char *const argv[] = { (char []){ "crashinfo" }, (char []){ "-M" },
		(char []){ "-" }, NULL };
	char *const envp[] = { NULL };

	if (dup2(core, STDIN_FILENO) != -1 &&
	    dup2(out, STDOUT_FILENO) != -1 &&
	    dup2(out, STDERR_FILENO) != -1 &&
	    setrlimit(RLIMIT_FSIZE, &size) == 0 && priv_program() == 0) {
		alarm(REPORT_SECONDS);
		fexecve(program, argv, envp);
	}
	_exit(127);
}

/* Runs it: an exit status, 128 and a signal's number, or -1. */
static int
report_wait(int program, int core, int out)
{
	const pid_t pid = fork();
	int status;

	if (pid == -1)
		return -1;
	if (pid == 0)
		report_run(program, core, out);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool
report_write(const struct crashdir *dir, const char *core, unsigned int number)
{
	char path[PATH_MAX], name[64];
	struct dirfile f;
	bool done = false;
	int fd, program, r;

	program = report_program(path, sizeof(path));
	if (program == -1) {
		msg_errno(LOG_NOTICE, "no report of the crash: %s", path);
		return false;
	}
	snprintf(name, sizeof(name), REPORT_NAME, number);
	fd = openat(dir->fd, core, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		msg_errno(LOG_WARNING, "%s/%s", dir->path, core);
		close(program);
		return false;
	}
	if (dir_create(dir, &f, name) == 0) {
		r = report_wait(program, fd, f.fd);
		if (r == 0)
			msg(LOG_NOTICE, "writing report to %s/%s", dir->path,
			    name);
		done = r == 0 && dir_commit(dir, &f) == 0;
		if (r != 0)
			msg(LOG_WARNING, "%s/%s: not written: crashinfo ended "
			    "with %s %d", dir->path, name, r > 128 ? "signal" :
			    "status", r > 128 ? r - 128 : r);
		dir_abort(dir, &f);
	}
	close(fd);
	close(program);
	return done;
}
