/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_files.c: the open files of every process.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "crashinfo.h"
#include "text.h"

#define FILES_PATH	4400u

static const char *
files_type(const struct kinfo_file *f)
{
	switch (f->ki_ftype) {
	case DTYPE_VNODE:
		return "vnode";
	case DTYPE_SOCKET:
		return "socket";
	case DTYPE_PIPE:
		return "pipe";
	case DTYPE_MISC:
		return "misc";
	default:
		return "?";
	}
}

/* How it was opened. */
static const char *
files_access(const struct kinfo_file *f)
{
	if ((f->ki_unknown & KVM_FILE_FILE) != 0)
		return "?";
	if ((f->ki_flag & O_PATH) != 0)
		return "-";
	switch (f->ki_flag & O_ACCMODE) {
	case O_RDONLY:
		return "r";
	case O_WRONLY:
		return "w";
	case O_RDWR:
		return "rw";
	default:
		return "-";
	}
}

static void
files_json_inode(struct json *js, const struct kinfo_file *f)
{
	if ((f->ki_unknown & (KVM_FILE_FILE | KVM_FILE_INODE)) != 0)
		return;
	json_string(js, "type", files_type(f));
	json_number(js, "inode", f->ki_vfileid);
	json_number(js, "mode", f->ki_vmode);
	json_number(js, "size", f->ki_vsize);
	json_number(js, "dev", f->ki_vfsid);
	json_number(js, "rdev", f->ki_vrdev);
}

static void
files_json(struct json *js, const struct kinfo_file *f)
{
	json_open(js, NULL, '{');
	json_signed(js, "pid", f->ki_pid);
	if ((f->ki_unknown & KVM_FILE_TABLE) != 0) {
		json_null(js, "fd");
		json_close(js);
		return;
	}
	json_signed(js, "fd", f->ki_fd);
	json_address(js, "file", f->ki_fileaddr);
	json_bool(js, "cloexec", f->ki_ofileflags != 0);
	if ((f->ki_unknown & KVM_FILE_FILE) == 0) {
		json_number(js, "flags", f->ki_flag);
		json_number(js, "offset", f->ki_foffset);
		json_number(js, "count", f->ki_count);
	}
	files_json_inode(js, f);
	json_string(js, "path", f->ki_path);
	json_close(js);
}

static void
files_line(const struct kinfo_file *f)
{
	const char *path = f->ki_path != NULL ? f->ki_path : "?";
	char out[TEXT_ENCODED(FILES_PATH)];

	if ((f->ki_unknown & KVM_FILE_TABLE) != 0) {
		printf("%7" PRId32 "    ?: its descriptors can't be read\n",
		    f->ki_pid);
		return;
	}
	printf("%7" PRId32 " %4" PRId32 " %-6s %-2s", f->ki_pid, f->ki_fd,
	    files_type(f), files_access(f));
	if ((f->ki_unknown & KVM_FILE_FILE) != 0)
		printf(" %12s", "?");
	else
		printf(" %12" PRIu64, f->ki_foffset);
	if ((f->ki_unknown & (KVM_FILE_FILE | KVM_FILE_INODE)) != 0)
		printf(" %10s %7s", "?", "?");
	else
		printf(" %10" PRIu64 " %3u:%-3u", f->ki_vfileid,
		    major(f->ki_vfsid), minor(f->ki_vfsid));
	printf(" %s\n", text_encode(out, sizeof(out), path, strlen(path)));
}

int
show_files(const struct target *t)
{
	const struct kinfo_file *f;
	int n, i;

	f = (const void *)kvm_getfiles(t->kd, KERN_FILE_BYPID, -1, &n);
	if (f == NULL)
		return -1;
	if (t->js != NULL)
		json_open(t->js, NULL, '[');
	else
		printf("    PID   FD TYPE   RW       OFFSET      INODE DEV     "
		    "PATH\n");
	for (i = 0; i < n; i++)
		if (t->js != NULL)
			files_json(t->js, &f[i]);
		else
			files_line(&f[i]);
	if (t->js != NULL)
		json_close(t->js);
	return 0;
}
