/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.c: a dump, a directory and a list of arm ids for a savecore of its
 * own.
 *
 * The core that must come of a dump is put together without the library: the
 * header as the independent writer makes it for a core file, the data as they
 * are in the image.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include <cmocka.h>

#include "sandbox.h"

#define MAXARGS	16
#define SANDBOX_FAST	"/dev/shm"	/* syncing costs nothing there */

/* A file's bytes, decompressed if it is a gzip file; at most cap of them. */
static size_t
slurp(const char *path, unsigned char *buf, size_t cap)
{
	gzFile gz;
	size_t len;
	int n;

	gz = gzopen(path, "rb");
	assert_non_null(gz);
	for (len = 0; len < cap; len += (size_t)n) {
		n = gzread(gz, buf + len, (unsigned int)(cap - len));
		if (n <= 0)
			break;
	}
	gzclose(gz);
	return len;
}

static unsigned char *
slurp_all(const char *path, size_t *len)
{
	unsigned char *buf;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	buf = malloc((size_t)st.st_size + 1);
	assert_non_null(buf);
	*len = slurp(path, buf, (size_t)st.st_size + 1);
	return buf;
}

static void
spill(const char *path, const unsigned char *buf, size_t len)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(buf, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
}

void
sandbox_create(struct sandbox *s)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->root, sizeof(s->root), "%s/savecore_test.XXXXXX",
	    access(SANDBOX_FAST, W_OK) == 0 ? SANDBOX_FAST : "/tmp");
	assert_non_null(mkdtemp(s->root));
	snprintf(s->image, sizeof(s->image), "%s/dev", s->root);
	assert_int_equal(mkdir(s->image, 0755), 0);
	snprintf(s->image, sizeof(s->image), "%s/dev/swap0", s->root);
	snprintf(s->dir, sizeof(s->dir), "%s/crash", s->root);
	assert_int_equal(mkdir(s->dir, 0755), 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
sandbox_destroy(struct sandbox *s)
{
	nftw(s->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s->orig);
	free(s->core);
	free(s->scratch);
}

void
sandbox_spec(struct mkdump_spec *spec)
{
	static const struct mkdump_run runs[] = {
		{ 0x1000, 0x9e000 },
		{ 0x100000, 0x200000 },
		{ 0x100000000, 0x80000 },
	};

	mkdump_init(spec);
	spec->runs = runs;
	spec->nruns = sizeof(runs) / sizeof(runs[0]);
	spec->ptd_paddr = 0x110000;
	spec->text_paddr = 0x200000;
	spec->text_size = 0x1000;
	spec->text_page = 0x1000;
	spec->time_ns = (uint64_t)time(NULL) * 1000000000u;
}

/* The header of a core file, from the independent writer. */
static void
sandbox_core(struct sandbox *s, const struct mkdump_spec *spec)
{
	struct mkdump_spec core = *spec;
	struct mkdump_info info;
	unsigned char *head;
	size_t len;

	core.core = true;
	core.npokes = core.nflips = 0;
	if (mkdump_write(&core, sandbox_path(s, "core"), &info) == -1)
		fail_msg("%s", info.err);
	head = slurp_all(sandbox_path(s, "core"), &len);
	assert_true(info.data_off <= len);
	s->core_len = info.data_off + s->info.data_size;
	free(s->core);
	free(s->scratch);
	s->core = malloc(s->core_len);
	s->scratch = malloc(s->core_len + 1);
	assert_non_null(s->core);
	assert_non_null(s->scratch);
	memcpy(s->core, head, info.data_off);
	free(head);
	assert_true(s->info.data_off + s->info.data_size <= s->orig_len);
	memcpy(s->core + info.data_off, s->orig + s->info.data_off,
	    s->info.data_size);
}

void
sandbox_armed(struct sandbox *s, const struct mkdump_spec *spec,
    const char *level)
{
	char line[96];
	int i, n = 0;

	for (i = 0; i < 16; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%02x",
		    spec->arm_id[i]);
	snprintf(line + n, sizeof(line) - (size_t)n, " 1 /dev/swap0 %s\n",
	    level);
	sandbox_file(s, "/var/lib/swapcore/armid", line);
}

void
sandbox_image(struct sandbox *s, const struct mkdump_spec *spec)
{
	if (mkdump_write(spec, s->image, &s->info) == -1)
		fail_msg("%s", s->info.err);
	free(s->orig);
	s->orig = slurp_all(s->image, &s->orig_len);
	if (!spec->early_only)
		sandbox_core(s, spec);
	sandbox_armed(s, spec, "");
}

void
sandbox_reset(struct sandbox *s)
{
	if (!sandbox_untouched(s))
		spill(s->image, s->orig, s->orig_len);
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(s->dir, 0755), 0);
}

const char *
sandbox_path(const struct sandbox *s, const char *path)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s/%s", s->root,
	    path[0] == '/' ? path + 1 : path);
	return buf;
}

void
sandbox_file(struct sandbox *s, const char *path, const char *text)
{
	char buf[PATH_MAX], *p;

	snprintf(buf, sizeof(buf), "%s", sandbox_path(s, path));
	for (p = buf + strlen(s->root) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(buf, 0755);
		*p = '/';
	}
	spill(buf, (const unsigned char *)text, strlen(text));
}

/* Standard output of the child, other than what it says. */
static void
sandbox_stdout(const struct sandbox *s, int out)
{
	int fd = out, p[2];

	if (s->out_fd == SANDBOX_BROKEN_PIPE && pipe(p) == 0) {
		close(p[0]);
		fd = p[1];
	} else if (s->out_fd == SANDBOX_READONLY) {
		fd = open("/dev/null", O_RDONLY);
	} else if (s->out_fd == SANDBOX_TERMINAL) {
		fd = posix_openpt(O_RDWR | O_NOCTTY);
		if (grantpt(fd) == 0 && unlockpt(fd) == 0)
			fd = open(ptsname(fd), O_RDWR | O_NOCTTY);
	}
	dup2(fd, STDOUT_FILENO);
}

/* A cat that takes from a pipe what goes to a file: the end to write to. */
static int
sandbox_cat(const struct sandbox *s, pid_t *pid)
{
	char path[PATH_MAX];
	int p[2], fd;

	snprintf(path, sizeof(path), "%s/%s", s->dir, s->out);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	*pid = fork();
	assert_true(*pid != -1);
	if (*pid == 0) {
		dup2(p[0], STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		execl("/bin/cat", "cat", NULL);
		_exit(127);
	}
	close(fd);
	close(p[0]);
	return p[1];
}

static void
sandbox_child(const struct sandbox *s, char **argv, int out, int cat)
{
	struct rlimit lim = { s->fsize, s->fsize };

	if (cat != -1)
		dup2(cat, STDOUT_FILENO);
	else
		sandbox_stdout(s, out);
	dup2(out, STDERR_FILENO);
	setenv("SAVECORE_ROOT", s->root, 1);
	setenv("INJECT_LOG", sandbox_path(s, "calls"), 1);
	setenv("INJECT_AT", s->inject_at == NULL ? "0" : s->inject_at, 1);
	setenv("INJECT_HOW", s->inject_how == NULL ? "once" : s->inject_how, 1);
	setenv("INJECT_DIRECT", s->no_direct ? "no" : "yes", 1);
	if (s->free_kib != NULL)
		setenv("INJECT_FREE", s->free_kib, 1);
	if (s->no_sigchld)
		signal(SIGCHLD, SIG_IGN);
	if (s->fsize != 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &lim);
	}
	execv(SAVECORE, argv);
	_exit(127);
}

int
sandbox_run(struct sandbox *s, ...)
{
	char *argv[MAXARGS] = { (char *)(uintptr_t)"savecore" };
	FILE *out = tmpfile();
	int i = 0, status, cat = -1;
	pid_t pid, catpid;
	va_list ap;
	size_t n;
	FILE *fp;

	va_start(ap, s);
	while (argv[i] != NULL && i < MAXARGS - 1)
		argv[++i] = va_arg(ap, char *);
	va_end(ap);
	assert_non_null(out);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	if (s->out != NULL)
		cat = sandbox_cat(s, &catpid);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0)
		sandbox_child(s, argv, fileno(out), cat);
	if (cat != -1)
		close(cat);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Its worker comes to us where it did not wait for it. */
	while (waitpid(-1, NULL, 0) != -1)
		;
	rewind(out);
	n = fread(s->said, 1, sizeof(s->said) - 1, out);
	s->said[n] = '\0';
	fclose(out);
	if (strstr(s->said, "Sanitizer") != NULL ||
	    strstr(s->said, "runtime error") != NULL)
		fail_msg("%s", s->said);
	s->calls = 0;
	fp = fopen(sandbox_path(s, "calls"), "r");
	while (fp != NULL && (i = getc(fp)) != EOF)
		s->calls += i == '\n';
	if (fp != NULL)
		fclose(fp);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* The first n bytes of the image are as they were made, and its size is. */
static bool
sandbox_same(const struct sandbox *s, size_t n)
{
	struct stat st;
	void *have;
	bool r;
	int fd;

	fd = open(s->image, O_RDONLY | O_CLOEXEC);
	assert_true(fd != -1);
	assert_int_equal(fstat(fd, &st), 0);
	if ((size_t)st.st_size != s->orig_len) {
		close(fd);
		return false;
	}
	have = mmap(NULL, s->orig_len, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(have != MAP_FAILED);
	r = memcmp(have, s->orig, n) == 0;
	munmap(have, s->orig_len);
	close(fd);
	return r;
}

bool
sandbox_untouched(const struct sandbox *s)
{
	return sandbox_same(s, s->orig_len);
}

bool
sandbox_wiped(const struct sandbox *s)
{
	unsigned char *have;
	size_t len, i;
	bool r;

	have = slurp_all(s->image, &len);
	r = len == s->orig_len && memcmp(have, s->orig, 4096) == 0;
	for (i = 4096; r && i < len; i++)
		r = have[i] == 0;
	free(have);
	return r;
}

bool
sandbox_swap_untouched(const struct sandbox *s)
{
	return sandbox_same(s, s->info.dumplo);
}

bool
sandbox_page0_untouched(const struct sandbox *s)
{
	return sandbox_same(s, 4096);
}

char *
sandbox_calls(const struct sandbox *s)
{
	unsigned char *text;
	size_t len;

	text = slurp_all(sandbox_path(s, "calls"), &len);
	text[len] = '\0';
	return (char *)text;
}

bool
sandbox_has(const struct sandbox *s, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return access(path, F_OK) == 0;
}

bool
sandbox_good(const struct sandbox *s, const char *name)
{
	char path[PATH_MAX];
	size_t len;

	if (!sandbox_has(s, name))
		return false;
	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	len = slurp(path, s->scratch, s->core_len + 1);
	return len == s->core_len && memcmp(s->scratch, s->core, len) == 0;
}

void
sandbox_assert_said(const struct sandbox *s, const char *what)
{
	if (strstr(s->said, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, s->said);
}
