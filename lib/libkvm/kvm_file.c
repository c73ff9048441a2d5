/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_file.c: open files of a dump: the descriptors of its processes, and where
 * they lead.  What a wrong pointer keeps from being read is told in ki_unknown.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kvm_tasks.h"

#define FILE_BITS	64u		/* of a word of the kernel's bitmaps */
#define FILE_TABLE_MAX	(1u << 24)	/* descriptors of a process */
#define FILE_WORDS_MAX	(1u << 24)	/* looked at, of all processes */
#define FILE_MAX	(1u << 24)	/* descriptors of all processes */
#define FILE_THREADS_MAX (1u << 22)	/* PID_MAX_LIMIT */

struct file_walk {
	kvm_t *kd;
	const struct kvmi_tasktype *tt;
	int op;
	struct kvmi_elems *to;
	struct kvmi_elems *addrs; /* BYFILE: of files, uint64_t */
	struct kvmi_texts *texts;
	uint32_t words, found, threads;	/* so far */
};

struct file_table {
	uint64_t max, fds, open, cloexec;
};

static int
file_field(const struct file_walk *w, kvaddr_t va, enum kvmi_field field,
    uint64_t *value)
{
	return kvmi_field_read(w->kd, w->tt, va, field, value);
}

/* What its inode says; what kind of file system that is in. */
static int
file_inode(const struct file_walk *w, struct kinfo_file *f,
    struct kvmi_opened *o)
{
	uint64_t mode, size, rdev, sb, dev, type, name;
	const kvaddr_t inode = f->ki_vdata;
	size_t done = 0;

	if (file_field(w, inode, KVMI_INODE_MODE, &mode) == -1 ||
	    file_field(w, inode, KVMI_INODE_SIZE, &size) == -1 ||
	    file_field(w, inode, KVMI_INODE_INO, &o->ino) == -1 ||
	    file_field(w, inode, KVMI_INODE_RDEV, &rdev) == -1 ||
	    file_field(w, inode, KVMI_INODE_SB, &sb) == -1 ||
	    file_field(w, sb, KVMI_SB_DEV, &dev) == -1 ||
	    file_field(w, sb, KVMI_SB_TYPE, &type) == -1 ||
	    file_field(w, type, KVMI_FSTYPE_NAME, &name) == -1)
		return -1;
	/* It may end at the end of what there is. */
	if (kvmi_read_some(w->kd, name, o->fstype, sizeof(o->fstype) - 1,
	    &done) == -1 && memchr(o->fstype, '\0', done) == NULL)
		return -1;
	f->ki_vmode = (uint32_t)mode;
	f->ki_vsize = size;
	f->ki_vfileid = o->ino;
	f->ki_vrdev = kvmi_makedev(rdev);
	f->ki_vfsid = kvmi_makedev(dev);
	return 0;
}

static uint32_t
file_type(const struct kinfo_file *f, const char *fstype)
{
	if (strcmp(fstype, "pipefs") == 0)
		return DTYPE_PIPE;
	if (strcmp(fstype, "sockfs") == 0)
		return DTYPE_SOCKET;
	if (strcmp(fstype, "anon_inodefs") == 0 || (f->ki_vmode & S_IFMT) == 0)
		return DTYPE_MISC;
	return DTYPE_VNODE;
}

/* The members of a struct file. */
static int
file_members(const struct file_walk *w, struct kinfo_file *f,
    struct kvmi_opened *o)
{
	const bool ref = w->tt->f[KVMI_FILE_REF].size != 0;
	const kvaddr_t at = f->ki_fileaddr;
	uint64_t flags;

	if (file_field(w, at, KVMI_FILE_FLAGS, &flags) == -1 ||
	    file_field(w, at, KVMI_FILE_POS, &f->ki_foffset) == -1 ||
	    file_field(w, at, KVMI_FILE_OP, &f->ki_fops) == -1 ||
	    file_field(w, at, KVMI_FILE_CRED, &f->ki_fucred) == -1 ||
	    file_field(w, at, KVMI_FILE_DATA, &f->ki_fdata) == -1 ||
	    file_field(w, at, KVMI_FILE_INODE, &f->ki_vdata) == -1 ||
	    file_field(w, at, ref ? KVMI_FILE_REF : KVMI_FILE_COUNT,
	    &f->ki_count) == -1 ||
	    file_field(w, at, KVMI_FILE_MNT, &o->mnt) == -1 ||
	    file_field(w, at, KVMI_FILE_DENTRY, &o->dentry) == -1)
		return -1;
	/* A file_ref_t counts from 0. */
	f->ki_count += ref;
	/* That belongs to each descriptor. */
	f->ki_flag = (uint32_t)flags & ~(uint32_t)O_CLOEXEC;
	return 0;
}

/* All of a file but what the descriptor says: 0, or -1: no memory. */
static int
file_fill(const struct file_walk *w, struct kinfo_file *f)
{
	struct kvmi_opened o = { .mnt = 0 };
	char buf[KVMI_PATH];
	const char *path;
	uint64_t uid, gid;

	if (file_members(w, f, &o) == -1) {
		const struct kinfo_file none = {
			.ki_fileaddr = f->ki_fileaddr,
			.ki_unknown = KVM_FILE_FILE,
		};

		*f = none;
		return 0;
	}
	if (file_field(w, f->ki_fucred, KVMI_CRED_EUID, &uid) == -1 ||
	    file_field(w, f->ki_fucred, KVMI_CRED_EGID, &gid) == -1) {
		f->ki_unknown |= KVM_FILE_CRED;
		uid = gid = UINT32_MAX;
	}
	f->ki_fuid = (uint32_t)uid;
	f->ki_fgid = (uint32_t)gid;
	if (file_inode(w, f, &o) == -1) {
		f->ki_unknown |= KVM_FILE_INODE | KVM_FILE_PATH;
		return 0;
	}
	f->ki_ftype = file_type(f, o.fstype);
	if ((path = kvmi_path(w->kd, w->tt, &o, buf)) == NULL) {
		f->ki_unknown |= KVM_FILE_PATH;
		return 0;
	}
	f->ki_path = kvmi_texts_add(w->kd, w->texts, path, strlen(path));
	return f->ki_path != NULL ? 0 : -1;
}

/* A descriptor. */
static int
file_add(struct file_walk *w, int pid, uint32_t fd, bool cloexec, kvaddr_t at)
{
	struct kinfo_file f = { .ki_fileaddr = at };

	if (w->found++ == FILE_MAX)
		return kvmi_err(w->kd, EBADMSG, "more than %u descriptors",
		    FILE_MAX);
	if (w->op == KERN_FILE_BYFILE)
		return kvmi_elems_add(w->kd, w->addrs, &at, sizeof(at));
	if (file_fill(w, &f) == -1)
		return -1;
	f.ki_pid = pid;
	f.ki_fd = (int32_t)fd;
	f.ki_ofileflags = cloexec;
	return kvmi_elems_add(w->kd, w->to, &f, sizeof(f));
}

/* Descriptors of one word of the bitmap: 0; -1; 1: they can't be read. */
static int
file_word(struct file_walk *w, const struct file_table *t, uint32_t first,
    int pid)
{
	uint64_t open, cloexec, at;
	uint32_t fd;

	if (kvmi_read(w->kd, t->open + first / 8, &open, 8) == -1 ||
	    kvmi_read(w->kd, t->cloexec + first / 8, &cloexec, 8) == -1)
		return 1;
	for (fd = first; open != 0; fd++, open >>= 1, cloexec >>= 1) {
		if ((open & 1) == 0)
			continue;
		if (kvmi_read(w->kd, t->fds + fd * 8ull, &at, 8) == -1)
			return 1;
		/* Taken, but there is no file yet. */
		if (at == 0)
			continue;
		if (file_add(w, pid, fd, cloexec & 1, at) == -1)
			return -1;
	}
	return 0;
}

/* The first thread may have ended before the others. */
struct file_find {
	struct file_walk *w;
	uint32_t tgid;
	kvaddr_t files;
};

static int
file_thread(void *cookie, const struct kvmi_task *t)
{
	struct file_find *f = cookie;

	/* Not through the same threads for each of many processes. */
	if (t->tgid != f->tgid || f->w->threads++ > FILE_THREADS_MAX)
		return kvmi_err(f->w->kd, EBADMSG, "the list of threads does "
		    "not end");
	f->files = t->files;
	return t->files != 0;
}

/* 0; -1; 1: some can't be read. */
static int
file_process(struct file_walk *w, const struct kvmi_task *leader)
{
	struct file_find find = { .w = w, .tgid = leader->tgid,
	    .files = leader->files };
	struct file_table t;
	uint32_t fd;
	kvaddr_t fdt;
	int rv = 0;

	if (find.files == 0 && kvmi_task_threads(w->kd, w->tt, leader,
	    file_thread, &find) == -1)
		return 1;
	if (find.files == 0)
		return 0;
	if (file_field(w, find.files, KVMI_FILES_FDT, &fdt) == -1 ||
	    file_field(w, fdt, KVMI_FDT_MAX, &t.max) == -1 ||
	    file_field(w, fdt, KVMI_FDT_FD, &t.fds) == -1 ||
	    file_field(w, fdt, KVMI_FDT_OPEN, &t.open) == -1 ||
	    file_field(w, fdt, KVMI_FDT_CLOEXEC, &t.cloexec) == -1 ||
	    t.max > FILE_TABLE_MAX)
		return 1;
	for (fd = 0; rv == 0 && fd < t.max; fd += FILE_BITS) {
		if (w->words++ > FILE_WORDS_MAX)
			return kvmi_err(w->kd, EBADMSG, "tables of more than "
			    "%u descriptors", FILE_WORDS_MAX * FILE_BITS);
		rv = file_word(w, &t, fd, (int)leader->tgid);
	}
	return rv;
}

static int
file_leader(void *cookie, const struct kvmi_task *leader)
{
	const struct kinfo_file none = {
		.ki_pid = (int32_t)leader->tgid,
		.ki_fd = -1,
		.ki_unknown = KVM_FILE_TABLE | KVM_FILE_FILE,
	};
	struct file_walk *w = cookie;
	int rv = file_process(w, leader);

	if (rv == 1)
		return kvmi_elems_add(w->kd, w->to, &none, sizeof(none));
	return rv == -1 ? -1 : 0;
}

static int
file_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each file once, in the order of their addresses. */
static int
file_once(struct file_walk *w)
{
	uint64_t *addrs = (void *)w->addrs->buf;
	struct kinfo_file f;
	size_t i;

	qsort(addrs, w->addrs->n, sizeof(*addrs), file_compare);
	for (i = 0; i < w->addrs->n; i++) {
		if (i != 0 && addrs[i] == addrs[i - 1])
			continue;
		memset(&f, 0, sizeof(f));
		f.ki_fileaddr = addrs[i];
		if (file_fill(w, &f) == -1)
			return -1;
		f.ki_fd = -1;
		if (kvmi_elems_add(w->kd, w->to, &f, sizeof(f)) == -1)
			return -1;
	}
	return 0;
}

static int
file_all(struct file_walk *w)
{
	struct kvmi_elems addrs = { .buf = NULL };
	int n = 0, rv;

	if (kvmi_elems_begin(w->kd, &addrs, sizeof(uint64_t), &n) == -1)
		return -1;
	w->addrs = &addrs;
	rv = kvmi_task_leaders(w->kd, w->tt, file_leader, w);
	if (rv == 0)
		rv = file_once(w);
	kvmi_elems_fini(&addrs);
	return rv;
}

int
kvmi_dead_files(kvm_t *kd, int op, int pid, struct kvmi_elems *to,
    struct kvmi_texts *texts)
{
	struct file_walk w = { .kd = kd, .op = op, .to = to, .texts = texts };
	struct kvmi_task leader;

	if ((w.tt = kvmi_tasktype(kd)) == NULL)
		return -1;
	if (op == KERN_FILE_BYFILE)
		return file_all(&w);
	if (pid == -1)
		return kvmi_task_leaders(kd, w.tt, file_leader, &w);
	if (kvmi_task_find(kd, w.tt, (uint32_t)pid, 0, &leader) == -1)
		return -1;
	return file_leader(&w, &leader);
}
