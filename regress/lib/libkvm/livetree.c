/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * livetree.c: files of a running kernel, made up.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "livetree.h"

static int
livetree_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void
livetree_init(struct livetree *t, const char *corefile, int flags)
{
	memset(t, 0, sizeof(*t));
	strcpy(t->dir, "/tmp/libkvm_live.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	kvmi_live_root = t->dir;
	livetree_reopen(t, NULL, corefile, flags);
}

void
livetree_fini(struct livetree *t)
{
	kvm_close(t->kd);
	kvmi_live_root = "";
	nftw(t->dir, livetree_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

void
livetree_reopen(struct livetree *t, const char *execfile, const char *corefile,
    int flags)
{
	char errbuf[KVM_ERRBUFSZ] = "", *core = NULL;

	if (t->kd != NULL)
		kvm_close(t->kd);
	if (corefile != NULL)
		assert_non_null(core = strdup(corefile));
	t->kd = kvm_openfiles(execfile, core, NULL, flags, errbuf);
	if (t->kd == NULL)
		fail_msg("kvm_openfiles: %s", errbuf);
	free(core);
}

/* The full name; what it is in exists. */
static void
livetree_path(const struct livetree *t, const char *path, char *full,
    size_t size)
{
	char *p;

	assert_in_range(snprintf(full, size, "%s%s", t->dir, path), 1,
	    size - 1);
	for (p = full + strlen(t->dir); (p = strchr(p + 1, '/')) != NULL; ) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
}

void
livetree_put(struct livetree *t, const char *path, const void *data,
    size_t len)
{
	char full[512];
	int fd;

	livetree_path(t, path, full, sizeof(full));
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

void
livetree_text(struct livetree *t, const char *path, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	assert_int_not_equal(n, -1);
	livetree_put(t, path, text, (size_t)n);
	free(text);
}

void
livetree_link(struct livetree *t, const char *path, const char *target)
{
	char full[512];

	livetree_path(t, path, full, sizeof(full));
	unlink(full);
	assert_int_equal(symlink(target, full), 0);
}

void
livetree_remove(struct livetree *t, const char *path)
{
	char full[512];

	livetree_path(t, path, full, sizeof(full));
	nftw(full, livetree_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

void
livetree_says(const struct livetree *t, int error, const char *text)
{
	const int got = errno;

	if (strstr(kvm_geterr(t->kd), text) == NULL)
		fail_msg("kvm_geterr: \"%s\" has no \"%s\"",
		    kvm_geterr(t->kd), text);
	assert_int_equal(got, error);
}
