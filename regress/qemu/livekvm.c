/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * livekvm: what libkvm says of the system that it runs on, beside what the
 * kernel's files say.
 *
 *	livekvm [-nu] [-c capability] [-M corefile] check ...
 *
 * -n: with KVM_NO_FILES; -u: as nobody; -c: without a capability, by number.
 * dmesg, string name, pointed name: prints the log, a string, what a pointer to
 * one points to.  The other checks compare, and print a line of what they did.
 * A failure of the library is printed and is exit status 3; where things differ,
 * that is printed and the exit status is 1.
 */
#include <sys/prctl.h>

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kvm.h>

#define LIVE_TEXT	(1u << 20)
#define LIVE_NOBODY	65534
#define LIVE_ROUNDS	15

static kvm_t *kd;

static void __attribute__((noreturn))
live_fail(void)
{
	printf("%s\n", kvm_geterr(kd));
	exit(3);
}

/* A file of a process, whole; its length, or -1: the process is gone. */
static ssize_t
live_file(int pid, const char *name, char *buf)
{
	char path[64];
	ssize_t len = 0, n = 1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	if ((fd = open(path, O_RDONLY)) == -1)
		return -1;
	while (n > 0 && (size_t)len < LIVE_TEXT) {
		n = read(fd, buf + len, LIVE_TEXT - (size_t)len);
		len += n > 0 ? n : 0;
	}
	close(fd);
	return n == -1 ? -1 : len;
}

static void
live_same(int pid, const char *what, char **v, const char *buf, ssize_t len)
{
	size_t at = 0, one;

	for (; *v != NULL; v++, at += one) {
		one = strlen(*v) + 1;
		if (at + one > (size_t)len + 1 || memcmp(buf + at, *v,
		    one - 1) != 0)
			errx(1, "%s of process %d differ at %zu", what, pid, at);
	}
	if (at != (size_t)len && at != (size_t)len + 1)
		errx(1, "%s of process %d: %zu bytes, not %zd", what, pid, at,
		    len);
}

/* Arguments and environment of every process. */
static void
live_args(void)
{
	char *buf = malloc(LIVE_TEXT);
	const struct kinfo_proc2 *p;
	char **v;
	ssize_t len;
	int n, i, args = 0, none = 0;

	p = kvm_getproc2(kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
	if (p == NULL || buf == NULL)
		live_fail();
	for (i = 0; i < n; i++) {
		v = kvm_getargv2(kd, &p[i], 0);
		len = live_file(p[i].p_pid, "cmdline", buf);
		if (v == NULL) {
			if (len > 0)
				live_fail();
			none++;
			continue;
		}
		live_same(p[i].p_pid, "arguments", v, buf, len);
		args++;
		len = live_file(p[i].p_pid, "environ", buf);
		if ((v = kvm_getenvv2(kd, &p[i], 0)) == NULL)
			live_fail();
		live_same(p[i].p_pid, "environment", v, buf, len);
	}
	printf("args %d none %d\n", args, none);
	free(buf);
}

/* Open files of every process, beside the links in /proc. */
static void
live_files(void)
{
	const struct kinfo_file *f;
	char path[64], link[4096];
	ssize_t len;
	int n, i, paths = 0;

	f = (const void *)kvm_getfiles(kd, KERN_FILE_BYPID, -1, &n);
	if (f == NULL)
		live_fail();
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", f[i].ki_pid,
		    f[i].ki_fd);
		len = readlink(path, link, sizeof(link) - 1);
		if (len == -1 && f[i].ki_pid == getpid())
			continue;	/* the library's own */
		if (len == -1)
			err(1, "%s", path);
		link[len] = '\0';
		if (f[i].ki_pid == getpid())
			continue;
		if (f[i].ki_path == NULL)
			errx(1, "%s: %s has no path", path, link);
		if (strcmp(f[i].ki_path, link) != 0)
			errx(1, "%s: %s, not %s", path, f[i].ki_path, link);
		paths++;
	}
	printf("files %d paths %d\n", n, paths);
}

/* Every symbol's address, asked for. */
static int
live_one_symbol(void *cookie, const struct kvm_sym *sym)
{
	unsigned int *n = cookie;
	char name[640];
	unsigned long off;

	if (sym->ks_addr < 0xffffffff80000000ul)
		return 0;
	if (kvm_symbol(kd, sym->ks_addr, name, sizeof(name), &off) == -1)
		live_fail();
	if (off != 0)
		errx(1, "%s is at %s+0x%lx", sym->ks_name, name, off);
	++*n;
	return 0;
}

static void
live_symbols(void)
{
	unsigned int n = 0;

	if (kvm_symbols(kd, live_one_symbol, &n) == -1)
		live_fail();
	printf("symbols %u\n", n);
}

/* The name in each struct module. */
static int
live_one_module(void *cookie, const struct kvm_module *mod)
{
	const ssize_t off = kvm_type_offset(kd, "module.name");
	unsigned int *n = cookie;
	char name[56];

	if (off == -1 || kvm_read(kd, mod->km_addr + (unsigned long)off, name,
	    sizeof(name)) != sizeof(name))
		live_fail();
	if (strncmp(name, mod->km_name, sizeof(name)) != 0)
		errx(1, "%s: its struct module says %.55s", mod->km_name, name);
	++*n;
	return 0;
}

static void
live_modules(void)
{
	unsigned int n = 0;

	if (kvm_modules(kd, live_one_module, &n) == -1)
		live_fail();
	printf("modules %u\n", n);
}

/* Processes begin and end while they are listed. */
static void
live_storm(void)
{
	const struct kinfo_proc2 *p;
	int n, i, k, least = 1000000;

	for (i = 0; i < LIVE_ROUNDS; i++) {
		p = kvm_getproc2(kd, KERN_PROC_ALL, 0, sizeof(*p), &n);
		if (p == NULL)
			live_fail();
		least = n < least ? n : least;
		for (k = n - 1; k >= 0 && k > n - 4; k--)
			kvm_getlwps(kd, p[k].p_pid, 0, sizeof(struct kinfo_lwp),
			    &n);
	}
	printf("storm %d\n", least);
}

static void
live_about(void)
{
	double load[3];
	int n = kvm_getloadavg(kd, load, 3);

	if (n == -1 || kvm_ncpus(kd) == -1 || kvm_release(kd) == NULL)
		live_fail();
	printf("%s %d %.2f %.2f\n", kvm_release(kd), kvm_ncpus(kd), load[1],
	    load[2]);
}

/* All of the kernel's memory between two symbols can be read at once. */
static void
live_text(void)
{
	struct nlist nl[] = { { .n_name = "_stext" }, { .n_name = "_etext" },
	    { .n_name = NULL } };
	unsigned long len;
	char *buf;

	if (kvm_nlist(kd, nl) != 0)
		live_fail();
	len = nl[1].n_value - nl[0].n_value;
	if ((buf = malloc(len)) == NULL || kvm_read(kd, nl[0].n_value, buf,
	    len) != (ssize_t)len)
		live_fail();
	printf("text %d\n", len > 1000000 && memcmp(buf, buf + len / 2,
	    1000) != 0);
	if (kvm_read(kd, 8, buf, 1) != -1)
		errx(1, "address 8 could be read");
	free(buf);
}

static void
live_string(const char *name, bool pointed)
{
	struct nlist nl[] = { { .n_name = name }, { .n_name = NULL } };
	unsigned long at;
	char text[512] = "";

	if (kvm_nlist(kd, nl) != 0)
		live_fail();
	at = nl[0].n_value;
	if ((pointed && kvm_read(kd, at, &at, sizeof(at)) != sizeof(at)) ||
	    kvm_read(kd, at, text, sizeof(text) - 1) == -1)
		live_fail();
	printf("%s%s", text, strchr(text, '\n') != NULL ? "" : "\n");
}

static void
live_dmesg(void)
{
	size_t len;
	char *text = kvm_dmesg(kd, KVM_LOG_LEVEL, &len);

	if (text == NULL)
		live_fail();
	fwrite(text, 1, len, stdout);
	free(text);
}

static void
live_write(void)
{
	if (kvm_write(kd, 0xffffffff81000000ul, "", 1) == -1)
		live_fail();
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "about", live_about }, { "args", live_args },
	{ "dmesg", live_dmesg }, { "files", live_files },
	{ "modules", live_modules }, { "storm", live_storm },
	{ "symbols", live_symbols }, { "text", live_text },
	{ "write", live_write },
};

/* Goes on without a capability: what it was is lost with exec(3). */
static void
live_without(int cap, char **argv)
{
	if (prctl(PR_CAPBSET_READ, cap) == 0)
		return;
	if (prctl(PR_CAPBSET_DROP, cap) == -1)
		err(2, "capability %d", cap);
	execv("/proc/self/exe", argv);
	err(2, "exec");
}

int
main(int argc, char **argv)
{
	char errbuf[KVM_ERRBUFSZ];
	const char *core = NULL;
	int ch, flags = O_RDWR;
	size_t i;

	while ((ch = getopt(argc, argv, "M:c:nu")) != -1) {
		if (ch == 'M')
			core = optarg;
		else if (ch == 'n')
			flags = KVM_NO_FILES;
		else if (ch == 'c')
			live_without(atoi(optarg), argv);
		else if (ch == 'u' && (setgroups(0, NULL) == -1 ||
		    setgid(LIVE_NOBODY) == -1 || setuid(LIVE_NOBODY) == -1))
			err(2, "nobody");
	}
	kd = kvm_openfiles(NULL, core, NULL, flags, errbuf);
	if (kd == NULL)
		errx(3, "%s", errbuf);
	for (; optind < argc; optind++) {
		if (optind + 1 < argc && (strcmp(argv[optind], "string") == 0 ||
		    strcmp(argv[optind], "pointed") == 0)) {
			live_string(argv[optind + 1], argv[optind][0] == 'p');
			optind++;
			continue;
		}
		for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
			if (strcmp(checks[i].name, argv[optind]) == 0)
				break;
		if (i == sizeof(checks) / sizeof(checks[0]))
			errx(2, "%s: no such check", argv[optind]);
		checks[i].run();
	}
	return kvm_close(kd);
}
