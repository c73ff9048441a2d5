/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_livefile.c: files in which the running kernel tells of itself.  Where it
 * refuses one, the text says what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm_live.h"

const char *kvmi_live_root = "";

/* What keeps a file from being opened, where errno alone does not tell. */
static const struct livefile_hint {
	const char *path;
	int error;
	const char *why;
	const char *lockdown;	/* refused from that level on; NULL: never */
} livefile_hints[] = {
	{ "/proc/kcore", EACCES, "only root may read it", NULL },
	{ "/proc/kcore", EPERM, "CAP_SYS_RAWIO is missing",
	    "[confidentiality]" },
	{ "/proc/kcore", ENOENT, "the kernel was built without "
	    "CONFIG_PROC_KCORE", NULL },
	{ "/dev/mem", EACCES, "only root may open it", NULL },
	{ "/dev/mem", EPERM, "CAP_SYS_RAWIO is missing", "[" },
	{ "/dev/mem", ENOENT, "the kernel was built without CONFIG_DEVMEM",
	    NULL },
	{ "/dev/mem", ENXIO, "the kernel was built without CONFIG_DEVMEM",
	    NULL },
	{ "/dev/kmsg", EPERM, "CAP_SYSLOG is missing "
	    "(kernel.dmesg_restrict), or the kernel was booted with "
	    "printk.devkmsg=off", NULL },
	{ "/proc/kallsyms", ENOENT, "the kernel was built without "
	    "CONFIG_KALLSYMS", NULL },
	{ "/proc/modules", ENOENT, "the kernel was built without "
	    "CONFIG_MODULES", NULL },
	{ "/sys/kernel/btf/vmlinux", ENOENT, "the kernel was built without "
	    "CONFIG_DEBUG_INFO_BTF, or /sys is not mounted", NULL },
};

static int
livefile_open(const char *path, int flags)
{
	char full[4096];

	if (snprintf(full, sizeof(full), "%s%s", kvmi_live_root, path) >=
	    (int)sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(full, flags | O_CLOEXEC);
}

ssize_t
kvmi_live_read(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, (uint8_t *)buf + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* The start of a small file, as a string: false: it can't be had. */
static bool
livefile_peek(const char *path, char *buf, size_t len)
{
	const int fd = livefile_open(path, O_RDONLY);
	ssize_t n;

	if (fd == -1)
		return false;
	n = kvmi_live_read(fd, buf, len - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

long
kvmi_live_number(const char *path)
{
	char text[32], *end;
	long n;

	if (!livefile_peek(path, text, sizeof(text)))
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	return errno == 0 && end != text && n >= 0 ? n : -1;
}

/* Is the kernel locked down, to that level or a stronger one? */
static bool
livefile_locked(const char *level)
{
	char text[64];

	return livefile_peek("/sys/kernel/security/lockdown", text,
	    sizeof(text)) && strstr(text, "[none]") == NULL &&
	    strstr(text, level) != NULL;
}

static int
livefile_refused(kvm_t *kd, const char *path, int error)
{
	const struct livefile_hint *h;
	const char *why = NULL;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(livefile_hints) / sizeof(*h); i++) {
		h = &livefile_hints[i];
		if (strcmp(h->path, path) != 0 || h->error != error)
			continue;
		why = h->why;
		if (h->lockdown != NULL && livefile_locked(h->lockdown))
			why = "the kernel is locked down; kernel_lockdown(7)";
	}
	if (why == NULL)
		return kvmi_syserr(kd, error, "%s", path);
	return kvmi_err(kd, error, "%s: %s: %s", path, strerror_r(error, text,
	    sizeof(text)), why);
}

int
kvmi_live_open(kvm_t *kd, const char *path, int flags)
{
	const int fd = livefile_open(path, flags);

	return fd != -1 ? fd : livefile_refused(kd, path, errno);
}

char *
kvmi_live_take(kvm_t *kd, int fd, const char *what, size_t max, size_t *len)
{
	char *buf = NULL, *more;
	size_t cap = 0, used = 0;
	ssize_t n = 1;

	/* The size of such a file is not known before it has been read. */
	while (n > 0 && used < max) {
		cap += cap / 2 + 65536;
		if ((more = realloc(buf, cap)) == NULL) {
			kvmi_syserr(kd, ENOMEM, "%s", what);
			goto fail;
		}
		buf = more;
		n = kvmi_live_read(fd, buf + used, cap - used - 1 < max - used ?
		    cap - used - 1 : max - used);
		if (n == -1) {
			kvmi_syserr(kd, errno, "%s", what);
			goto fail;
		}
		used += (size_t)n;
	}
	if (buf != NULL)
		buf[used] = '\0';
	*len = used;
	return buf;
fail:
	free(buf);
	return NULL;
}

char *
kvmi_live_load(kvm_t *kd, const char *path, size_t max, size_t *len)
{
	const int fd = kvmi_live_open(kd, path, O_RDONLY);
	char *buf;

	if (fd == -1)
		return NULL;
	buf = kvmi_live_take(kd, fd, path, max + 1, len);
	close(fd);
	if (buf != NULL && *len > max) {
		kvmi_err(kd, EFBIG, "%s: more than %zu bytes", path, max);
		free(buf);
		buf = NULL;
	}
	return buf;
}
