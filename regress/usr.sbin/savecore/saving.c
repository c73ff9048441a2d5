/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saving.c: what tests of savecore do and look at over and over.
 */
#include <sys/mount.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <kvm.h>

#include "saving.h"

int
saving_setup(void **state)
{
	struct sandbox *s = malloc(sizeof(*s));
	struct mkdump_spec spec;

	assert_non_null(s);
	sandbox_create(s);
	sandbox_spec(&spec);
	sandbox_image(s, &spec);
	*state = s;
	return 0;
}

int
saving_teardown(void **state)
{
	sandbox_destroy(*state);
	free(*state);
	return 0;
}

int
save(struct sandbox *s)
{
	return sandbox_run(s, "-D", s->image, s->dir, NULL);
}

int
save_forced(struct sandbox *s)
{
	return sandbox_run(s, "-f", "-D", s->image, s->dir, NULL);
}

int
check(struct sandbox *s)
{
	return sandbox_run(s, "-n", "-D", s->image, NULL);
}

const char *
in_dir(const struct sandbox *s, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

void
put_in_dir(const struct sandbox *s, const char *name, const char *text)
{
	FILE *fp = fopen(in_dir(s, name), "w");

	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fclose(fp), 0);
}

void
assert_mounted(const char *from, const char *to, const char *type,
    unsigned long flags, const char *options)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount(from, to, type, flags, options) == -1) {
		print_message("no mounts: %s\n", strerror(errno));
		skip();
	}
}

void
deny(int call, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	assert_non_null(filter);
	assert_int_equal(seccomp_rule_add(filter,
	    SCMP_ACT_ERRNO((uint32_t)error), call, 0), 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
}

void
assert_refused(struct sandbox *s, int status, const char *what)
{
	assert_int_equal(status, 1);
	sandbox_assert_said(s, what);
	assert_true(sandbox_untouched(s));
	assert_false(sandbox_has(s, "linux.0.core"));
}

cpu_kcore_hdr_t
core_header(const struct sandbox *s, const char *name)
{
	char errbuf[KVM_ERRBUFSZ];
	cpu_kcore_hdr_t hdr;
	kvm_t *kd;

	kd = kvm_openfiles(NULL, in_dir(s, name), NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		fail_msg("%s", errbuf);
	memcpy(&hdr, kvm_dump_hdr(kd), sizeof(hdr));
	kvm_close(kd);
	return hdr;
}

void
assert_text(const struct sandbox *s, const char *name, const char *text)
{
	char have[256] = "";
	FILE *fp;

	fp = fopen(in_dir(s, name), "r");
	assert_non_null(fp);
	assert_non_null(fgets(have, sizeof(have), fp));
	fclose(fp);
	assert_string_equal(have, text);
}
