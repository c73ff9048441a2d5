/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_test.c: the keeper and workers that mean harm; and what a worker is
 * left with.
 */
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "keeper.h"
#include "kernfile.h"

#define DEVSIZE	(16 << 20)

struct box {
	char root[64];
	char device[96];
	struct candidate list[2];
	struct candidates where;
	struct crashdir dir;
};

const char *
kernfile_root(void)
{
	return "/nonexistent";
}

static int
setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));
	struct stat st;
	int fd;

	assert_non_null(b);
	strcpy(b->root, "/tmp/keeper_test.XXXXXX");
	assert_non_null(mkdtemp(b->root));
	snprintf(b->device, sizeof(b->device), "%s/device", b->root);
	fd = open(b->device, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, DEVSIZE), 0);
	assert_int_equal(pwrite(fd, "page 0", 6, 0), 6);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	b->where.list = b->list;
	b->where.n = 1;
	snprintf(b->list[0].path, sizeof(b->list[0].path), "%s", b->device);
	b->list[0].dev = st.st_dev;
	b->list[0].ino = st.st_ino;
	b->dir.suffix = ".core";
	assert_int_equal(dir_open(&b->dir, b->root), 0);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct box *b = *state;
	char cmd[128];

	dir_close(&b->dir);
	snprintf(cmd, sizeof(cmd), "rm -r %s", b->root);
	assert_int_equal(system(cmd), 0);
	free(b);
	return 0;
}

static bool
have(const struct box *b, const char *name)
{
	return faccessat(b->dir.fd, name, F_OK, 0) == 0;
}

/* What a worker does; its exit status is what this returns. */
typedef int (*worker_fn)(const struct box *b, int sock);

static int
serve(struct box *b, worker_fn fn)
{
	int sock[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sock), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		close(sock[0]);
		_exit(fn(b, sock[1]));
	}
	close(sock[1]);
	return keeper_serve(sock[0], pid, &b->where, &b->dir);
}

/* The keeper's errno; -1: no answer. */
static int
request(int sock, uint32_t op, uint32_t what, int *fd)
{
	const struct keeper_ask ask = { .op = op, .what = what };
	struct keeper_answer a;

	*fd = -1;
	if (keeper_send(sock, &ask, sizeof(ask), -1) == -1 ||
	    keeper_recv(sock, &a, sizeof(a), fd) != 1)
		return -1;
	if ((*fd != -1) != (a.error == 0 &&
	    (op == KEEPER_CREATE || op == KEEPER_DEVICE)))
		return -2;
	return a.error;
}

static int
worker_bad_requests(const struct box *b, int sock)
{
	int fd;

	(void)b;
	if (request(sock, KEEPER_COMMIT, KEEPER_CORE, &fd) != EINVAL ||
	    request(sock, KEEPER_CREATE, KEEPER_NFILES, &fd) != EINVAL ||
	    request(sock, KEEPER_CREATE, UINT32_MAX, &fd) != EINVAL ||
	    request(sock, KEEPER_COMMIT, UINT32_MAX, &fd) != EINVAL ||
	    request(sock, KEEPER_DEVICE, 1, &fd) != EINVAL ||
	    request(sock, KEEPER_DEVICE, UINT32_MAX, &fd) != EINVAL ||
	    request(sock, KEEPER_BEGIN, 1, &fd) != EINVAL ||
	    request(sock, KEEPER_END, UINT32_MAX, &fd) != EINVAL ||
	    request(sock, 77, 0, &fd) != EINVAL)
		return 1;
	if (request(sock, KEEPER_CREATE, KEEPER_CORE, &fd) != 0 ||
	    request(sock, KEEPER_CREATE, KEEPER_CORE, &fd) != EINVAL ||
	    request(sock, KEEPER_COMMIT, KEEPER_LOG, &fd) != EINVAL ||
	    request(sock, KEEPER_COMMIT, KEEPER_CORE, &fd) != 0 ||
	    request(sock, KEEPER_COMMIT, KEEPER_CORE, &fd) != EINVAL ||
	    request(sock, KEEPER_CREATE, KEEPER_CORE, &fd) != EINVAL)
		return 1;
	return request(sock, KEEPER_DEVICE, 0, &fd) == 0 &&
	    request(sock, KEEPER_DEVICE, 0, &fd) == EINVAL ? 0 : 1;
}

/* This test checks that requests out of range, out of turn, or made twice are
 * refused, and do not disturb the good ones. */
static void
keeper_bad_requests_refused(void **state)
{
	struct box *b = *state;

	assert_int_equal(serve(b, worker_bad_requests), 0);
	assert_true(have(b, "linux.0.core"));
}

static int
worker_writes_page0(const struct box *b, int sock)
{
	int fd;

	(void)b;
	if (request(sock, KEEPER_DEVICE, 0, &fd) != 0 ||
	    pwrite(fd, "S1SUSPEND", 9, 4086) != 9 ||
	    fcntl(fd, F_SETFL, O_APPEND) == -1)
		return 1;
	/* Not every file system has that. */
	(void)fcntl(fd, F_SETFL, O_APPEND | O_DIRECT);
	return 0;
}

/* This test checks that a worker can't plant anything in page 0, whatever it
 * does to the descriptor that the keeper shares with it. */
static void
keeper_changed_page0_is_put_back(void **state)
{
	struct box *b = *state;
	char page[4096], want[4096] = "page 0";
	int fd;

	assert_int_equal(serve(b, worker_writes_page0), -1);
	fd = open(b->device, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, page, sizeof(page), 0), sizeof(page));
	close(fd);
	assert_memory_equal(page, want, sizeof(page));
}

static int
worker_dies(const struct box *b, int sock)
{
	int fd;

	(void)b;
	if (request(sock, KEEPER_CREATE, KEEPER_CORE, &fd) == 0 &&
	    write(fd, "half", 4) == 4)
		raise(SIGKILL);
	return 0;
}

/* This test checks that nothing is left of a worker that dies halfway. */
static void
keeper_worker_dies_leaves_nothing(void **state)
{
	struct box *b = *state;

	assert_int_equal(serve(b, worker_dies), -1);
	assert_false(have(b, "linux.0.core"));
	assert_false(have(b, ".linux.0.core.partial"));
}

static int
worker_dies_with_one_in_hand(const struct box *b, int sock)
{
	int fd;

	(void)b;
	if (request(sock, KEEPER_BEGIN, 0, &fd) == 0 &&
	    request(sock, KEEPER_END, 0, &fd) == 0 &&
	    request(sock, KEEPER_BEGIN, 1, &fd) == 0)
		raise(SIGKILL);
	return 0;
}

/* This test checks that the device of which a worker died is known, and no
 * other. */
static void
keeper_worker_dies_of_the_device_in_hand(void **state)
{
	struct box *b = *state;

	b->where.n = 2;
	b->list[1] = b->list[0];
	assert_int_equal(serve(b, worker_dies_with_one_in_hand), -1);
	assert_false(b->list[0].failed);
	assert_true(b->list[1].failed);
}

static int
worker_short_message(const struct box *b, int sock)
{
	char c;

	(void)b;
	if (send(sock, "abc", 3, 0) != 3)
		return 0;
	return recv(sock, &c, 1, 0) == 0 ? 0 : 1;
}

static int
worker_long_message(const struct box *b, int sock)
{
	char buf[sizeof(struct keeper_ask) + 1] = "", c;

	(void)b;
	if (send(sock, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf))
		return 0;
	return recv(sock, &c, 1, 0) == 0 ? 0 : 1;
}

static int
worker_hangs(const struct box *b, int sock)
{
	(void)b;
	close(sock);
	return pause();
}

/* This test checks that a message of another length ends the talk, and that a
 * worker that does not end is ended. */
static void
keeper_bad_message_ends_worker(void **state)
{
	struct box *b = *state;

	assert_int_equal(serve(b, worker_short_message), -1);
	assert_int_equal(serve(b, worker_long_message), -1);
	assert_int_equal(serve(b, worker_hangs), -1);
}

static int
worker_wants_busy(const struct box *b, int sock)
{
	int fd;

	(void)b;
	return request(sock, KEEPER_DEVICE, 0, &fd) == EBUSY ? 0 : 1;
}

static int
worker_wants_other(const struct box *b, int sock)
{
	int fd;

	(void)b;
	return request(sock, KEEPER_DEVICE, 0, &fd) == ENODEV ? 0 : 1;
}

/* This test checks that a device in use is not given away, nor another than
 * was found. */
static void
keeper_device_in_use_or_replaced_refused(void **state)
{
	struct box *b = *state;

	b->list[0].in_use = true;
	assert_int_equal(serve(b, worker_wants_busy), 0);
	b->list[0].in_use = false;
	b->list[0].ino++;
	assert_int_equal(serve(b, worker_wants_other), 0);
}

static void
put(const struct box *b, const char *name, const char *text)
{
	const int fd = openat(b->dir.fd, name, O_WRONLY | O_CREAT | O_EXCL,
	    0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
assert_text(const struct box *b, const char *name, const char *text)
{
	char have[64] = "";
	const int fd = openat(b->dir.fd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd != -1);
	assert_true(read(fd, have, sizeof(have) - 1) >= 0);
	close(fd);
	assert_string_equal(have, text);
}

/* Core 3, which is to be finished; a device that no worker has to do with. */
static void
unfinished(struct box *b)
{
	put(b, "linux.3.core", "core");
	put(b, "linux.3.pending", "0\n");
	put(b, "info.3", "panic: one\n");
	b->dir.part = CRASHDIR_REST;
	b->dir.number = 3;
	b->where.n = 0;
}

static void
assert_finished(const struct box *b)
{
	static const char *const made[] = { "linux.3.log", "linux.3.damaged",
	    "linux.3.facts", "linux.4.core", "linux.0.core", "bounds",
	    ".linux.3.partial", ".dmesg.3.partial", "crash.3.txt" };
	size_t i;

	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		if (have(b, made[i]))
			fail_msg("%s is there", made[i]);
	assert_false(have(b, "linux.3.pending"));
	assert_text(b, "linux.3.core", "core");
	assert_text(b, "info.3", "panic: one\n");
}

static int
worker_finishes_too_much(const struct box *b, int sock)
{
	static const uint32_t refused[] = { KEEPER_CORE, KEEPER_LOG,
	    KEEPER_NOTE, KEEPER_INFO, KEEPER_FACTS, KEEPER_NFILES, UINT32_MAX };
	size_t i;
	int fd;

	(void)b;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (request(sock, KEEPER_CREATE, refused[i], &fd) != EINVAL ||
		    request(sock, KEEPER_COMMIT, refused[i], &fd) != EINVAL)
			return 1;
	if (request(sock, KEEPER_DEVICE, 0, &fd) != EINVAL ||
	    request(sock, KEEPER_COMMIT, KEEPER_KERNEL, &fd) != EINVAL ||
	    request(sock, KEEPER_CREATE, KEEPER_KERNEL, &fd) != 0 ||
	    request(sock, KEEPER_CREATE, KEEPER_KERNEL, &fd) != EINVAL)
		return 1;
	/* What is there stays as it is. */
	return request(sock, KEEPER_CREATE, KEEPER_DMESG, &fd) == EEXIST &&
	    request(sock, KEEPER_COMMIT, KEEPER_DMESG, &fd) == EINVAL ? 0 : 1;
}

/* This test checks that a worker of --finish gets symbols and log to make and
 * nothing else: no core, no facts, no device, and nothing that is there. */
static void
keeper_finishing_makes_little(void **state)
{
	struct box *b = *state;

	unfinished(b);
	put(b, "dmesg.3", "log");
	assert_int_equal(serve(b, worker_finishes_too_much), 0);
	assert_finished(b);
	assert_text(b, "dmesg.3", "log");
	assert_false(have(b, "linux.3"));
}

static int
worker_dies_finishing(const struct box *b, int sock)
{
	int fd, log;

	(void)b;
	if (request(sock, KEEPER_CREATE, KEEPER_KERNEL, &fd) == 0 &&
	    request(sock, KEEPER_CREATE, KEEPER_DMESG, &log) == 0 &&
	    write(fd, "half", 4) == 4 && write(log, "half", 4) == 4 &&
	    request(sock, KEEPER_COMMIT, KEEPER_DMESG, &log) == 0)
		raise(SIGKILL);
	return 0;
}

/* This test checks that a core whose worker of --finish dies of it is tried once,
 * and that what was not committed by then is not there. */
static void
keeper_finishing_is_tried_once(void **state)
{
	struct box *b = *state;

	unfinished(b);
	assert_int_equal(serve(b, worker_dies_finishing), -1);
	assert_finished(b);
	assert_text(b, "dmesg.3", "half");
	assert_false(have(b, "linux.3"));
}

static void *
thread_main(void *arg)
{
	return arg;
}

/* What is wrong with a process that has given up its privileges: 0: nothing. */
static int
worker_left_with(void)
{
	pthread_t thread;
	bool root = geteuid() == 0;
	char *text = NULL;
	cap_t caps;

	if (priv_limit() == -1 || priv_drop() == -1)
		return 1;
	if (root && (getuid() != 65534 || getegid() != 65534 ||
	    getgroups(0, NULL) != 0 || setuid(0) == 0 || setgid(0) == 0 ||
	    open("/etc/shadow", O_RDONLY | O_CLOEXEC) != -1))
		return 2;
	caps = cap_get_proc();
	text = caps == NULL ? NULL : cap_to_text(caps, NULL);
	if (text == NULL || strchr(text, '+') != NULL ||
	    (strcmp(text, "=") != 0 && strcmp(text, "") != 0))
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 4;
	if (fork() != -1 || execl("/bin/true", "true", (char *)NULL) != -1 ||
	    socket(AF_UNIX, SOCK_STREAM, 0) != -1)
		return 5;
	if (pthread_create(&thread, NULL, thread_main, NULL) != 0 ||
	    pthread_join(thread, NULL) != 0)
		return 6;
	return 0;
}

/* This test checks what a worker is left with: no user, group, capability,
 * or file of anybody's, no new process or connection; but threads. */
static void
priv_drop_leaves_nothing(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0)
		_exit(worker_left_with());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeper_bad_requests_refused),
		TEST(keeper_changed_page0_is_put_back),
		TEST(keeper_worker_dies_leaves_nothing),
		TEST(keeper_worker_dies_of_the_device_in_hand),
		TEST(keeper_bad_message_ends_worker),
		TEST(keeper_device_in_use_or_replaced_refused),
		TEST(keeper_finishing_makes_little),
		TEST(keeper_finishing_is_tried_once),
		TEST(priv_drop_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
