/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_test.c: open files and their names, as an old and a new kernel keep
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "btf.h"
#include "tasks.h"

/* Places in the structures. */
enum {
	FS_FDT = 8, FS_SIZE = 16,
	FDT_MAX = 0, FDT_FD = 8, FDT_CLOEXEC = 16, FDT_OPEN = 24, FDT_SIZE = 32,
	F_COUNT = 0, F_FLAGS = 8, F_POS = 16, F_OP = 24, F_CRED = 32,
	F_DATA = 40, F_INODE = 48, F_MNT = 56, F_DENTRY = 64, F_SIZE = 72,
	I_MODE = 0, I_RDEV = 4, I_BYTES = 8, I_INO = 16, I_SB = 24, I_SIZE = 32,
	SB_DEV = 0, SB_TYPE = 8, SB_SIZE = 16,
	D_PPREV = 8, D_PARENT = 16, D_LEN = 28, D_NAME = 32, D_SIZE = 40,
	MNT_PARENT = 0, MNT_POINT = 8, MNT_MNT = 16, MNT_SIZE = 32,
};
#define MAX_FDS		128u

static bool new_kernel;

static void
types(void)
{
	enum { ID = TASKS_TYPES };	/* of files_struct */

	btf_type("files_struct", BTF_STRUCT, 1, FS_SIZE);
	btf_member("fdt", TASKS_PTR, 0, FS_FDT * 8);
	btf_type("fdtable", BTF_STRUCT, 4, FDT_SIZE);
	btf_member("max_fds", TASKS_INT, 0, FDT_MAX * 8);
	btf_member("fd", TASKS_PTR, 0, FDT_FD * 8);
	btf_member("close_on_exec", TASKS_PTR, 0, FDT_CLOEXEC * 8);
	btf_member("open_fds", TASKS_PTR, 0, FDT_OPEN * 8);
	btf_type("path", BTF_STRUCT, 2, 16);		/* ID + 2 */
	btf_member("mnt", TASKS_PTR, 0, 0);
	btf_member("dentry", TASKS_PTR, 0, 64);
	btf_type("counter", BTF_STRUCT, 1, 8);		/* ID + 3 */
	btf_member("counter", TASKS_LONG, 0, 0);
	btf_type("file_ref", BTF_STRUCT, 1, 8);		/* ID + 4 */
	btf_member("refcnt", ID + 3, 0, 0);
	btf_type("file", BTF_STRUCT, 8, F_SIZE);
	btf_member(new_kernel ? "f_ref" : "f_count", new_kernel ? ID + 4 :
	    ID + 3, 0, F_COUNT * 8);
	btf_member("f_flags", TASKS_INT, 0, F_FLAGS * 8);
	btf_member("f_pos", TASKS_LONG, 0, F_POS * 8);
	btf_member("f_op", TASKS_PTR, 0, F_OP * 8);
	btf_member("f_cred", TASKS_PTR, 0, F_CRED * 8);
	btf_member("private_data", TASKS_PTR, 0, F_DATA * 8);
	btf_member("f_inode", TASKS_PTR, 0, F_INODE * 8);
	btf_member("f_path", ID + 2, 0, F_MNT * 8);
	btf_type("short", BTF_INT, 0, 2);		/* ID + 6 */
	btf_word(16);
	btf_type("inode", BTF_STRUCT, 5, I_SIZE);
	btf_member("i_mode", ID + 6, 0, I_MODE * 8);
	btf_member("i_rdev", TASKS_INT, 0, I_RDEV * 8);
	btf_member("i_size", TASKS_LONG, 0, I_BYTES * 8);
	btf_member("i_ino", TASKS_LONG, 0, I_INO * 8);
	btf_member("i_sb", TASKS_PTR, 0, I_SB * 8);
	btf_type("super_block", BTF_STRUCT, 2, SB_SIZE);
	btf_member("s_dev", TASKS_INT, 0, SB_DEV * 8);
	btf_member("s_type", TASKS_PTR, 0, SB_TYPE * 8);
	btf_type("file_system_type", BTF_STRUCT, 1, 8);
	btf_member("name", TASKS_PTR, 0, 0);
	btf_type("qstr", BTF_STRUCT, 2, 16);		/* ID + 10 */
	btf_member("len", TASKS_INT, 0, 32);
	btf_member("name", TASKS_PTR, 0, 64);
	btf_type("hlist_bl_node", BTF_STRUCT, 1, 16);	/* ID + 11 */
	btf_member("pprev", TASKS_PTR, 0, 64);
	btf_type("dentry", BTF_STRUCT, 3, D_SIZE);
	btf_member("d_hash", ID + 11, 0, 0);
	btf_member("d_parent", TASKS_PTR, 0, D_PARENT * 8);
	btf_member("d_name", ID + 10, 0, (D_LEN - 4) * 8);
	btf_type("vfsmount", BTF_STRUCT, 1, 16);	/* ID + 13 */
	btf_member("mnt_root", TASKS_PTR, 0, 0);
	btf_type("mount", BTF_STRUCT, 3, MNT_SIZE);
	btf_member("mnt_parent", TASKS_PTR, 0, MNT_PARENT * 8);
	btf_member("mnt_mountpoint", TASKS_PTR, 0, MNT_POINT * 8);
	btf_member("mnt", ID + 13, 0, MNT_MNT * 8);
}

/* What is open, in the order of its descriptors in process 100. */
enum { NAME, PIPE, SOCKET, ANON, MEMFD, NS, GONE, ROOT, NFILES };

static const struct {
	const char *path;
	uint32_t fd, type;
} want[NFILES] = {
	[NAME] = { "/mnt/dir/name", 0, DTYPE_VNODE },	/* and 1 */
	[PIPE] = { "pipe:[77]", 2, DTYPE_PIPE },
	[SOCKET] = { "socket:[78]", 5, DTYPE_SOCKET },
	[ANON] = { "anon_inode:[eventpoll]", 6, DTYPE_MISC },
	[MEMFD] = { "/memfd:a/b (deleted)", 7, DTYPE_VNODE },
	[NS] = { "nsfs:[81]", 8, DTYPE_VNODE },
	[GONE] = { "/mnt/dir/gone (deleted)", 64, DTYPE_VNODE },
	[ROOT] = { "/", 127, DTYPE_VNODE },
};

struct opened {
	struct tasks f;
	uint64_t first, end;
	uint64_t files, fdt, fds, open, cloexec;	/* of process 100 */
	uint64_t file[NFILES], inode[NFILES], dentry[NFILES];
	uint64_t dir, sub, sub_mount, root_mount;
};

static uint64_t
zeros(struct opened *o, size_t len)
{
	return guest_put(&o->f.g, NULL, len, 8);
}

static void
put(struct opened *o, uint64_t at, uint64_t value)
{
	tasks_put(&o->f.g, at, 8, value);
}

/* parent 0: itself. */
static uint64_t
dentry(struct opened *o, const char *name, uint64_t parent)
{
	uint64_t at = zeros(o, D_SIZE);

	put(o, at + D_PPREV, 1);
	put(o, at + D_PARENT, parent != 0 ? parent : at);
	tasks_put(&o->f.g, at + D_LEN, 4, strlen(name));
	put(o, at + D_NAME, guest_put(&o->f.g, name, strlen(name), 1));
	return at;
}

static uint64_t
mount(struct opened *o, uint64_t root, uint64_t parent, uint64_t point)
{
	uint64_t at = zeros(o, MNT_SIZE);

	put(o, at + MNT_PARENT, parent != 0 ? parent : at);
	put(o, at + MNT_POINT, point);
	put(o, at + MNT_MNT, root);
	return at;
}

static uint64_t
superblock(struct opened *o, const char *type)
{
	uint64_t at = zeros(o, SB_SIZE), fstype = zeros(o, 8);

	tasks_put(&o->f.g, at, 4, 8u << 20 | 300);
	put(o, at + SB_TYPE, fstype);
	put(o, fstype, guest_put(&o->f.g, type, strlen(type) + 1, 1));
	return at;
}

static void
file(struct opened *o, unsigned int i, uint64_t mnt, uint64_t d,
    const char *type, uint32_t mode)
{
	struct guest *g = &o->f.g;
	uint64_t inode = zeros(o, I_SIZE), at = zeros(o, F_SIZE);

	tasks_put(g, inode + I_MODE, 2, mode);
	tasks_put(g, inode + I_RDEV, 4, 4u << 20 | 65);
	put(o, inode + I_BYTES, 5000 + i);
	put(o, inode + I_INO, 76 + i);
	put(o, inode + I_SB, superblock(o, type));
	put(o, at + F_COUNT, new_kernel ? i : i + 1);
	tasks_put(g, at + F_FLAGS, 4, O_RDWR | O_APPEND | O_CLOEXEC);
	put(o, at + F_POS, 600 + i);
	put(o, at + F_OP, 0x1111);
	put(o, at + F_CRED, o->f.cred);
	put(o, at + F_DATA, 0x2222);
	put(o, at + F_INODE, inode);
	put(o, at + F_MNT, mnt + MNT_MNT);
	put(o, at + F_DENTRY, d);
	o->file[i] = at;
	o->inode[i] = inode;
	o->dentry[i] = d;
}

static void
files(struct opened *o)
{
	uint64_t root = dentry(o, "/", 0), sub = dentry(o, "/", 0), none;

	o->root_mount = mount(o, root, 0, root);
	o->sub_mount = mount(o, sub, o->root_mount, dentry(o, "mnt", root));
	o->sub = sub;
	o->dir = dentry(o, "dir", sub);
	none = mount(o, dentry(o, "none", 0), 0, 0);
	file(o, NAME, o->sub_mount, dentry(o, "name", o->dir), "ext4",
	    S_IFREG | 0644);
	file(o, PIPE, none, dentry(o, "", 0), "pipefs", S_IFIFO | 0600);
	file(o, SOCKET, none, dentry(o, "TCP", 0), "sockfs", S_IFSOCK | 0777);
	file(o, ANON, none, dentry(o, "[eventpoll]", 0), "anon_inodefs", 0600);
	file(o, MEMFD, none, dentry(o, "memfd:a/b", 0), "tmpfs",
	    S_IFREG | 0777);
	file(o, NS, none, dentry(o, "/", 0), "nsfs", S_IFREG | 0444);
	file(o, GONE, o->sub_mount, dentry(o, "gone", o->dir), "ext4",
	    S_IFREG | 0600);
	put(o, o->dentry[GONE] + D_PPREV, 0);
	file(o, ROOT, o->root_mount, root, "tmpfs", S_IFDIR | 0755);
}

/* Opens at as descriptor fd. */
static void
descriptor(struct opened *o, uint32_t fd, uint64_t at)
{
	uint8_t *bits = guest_at(&o->f.g, o->open);

	bits[fd / 8] |= (uint8_t)(1u << fd % 8);
	put(o, o->fds + 8 * fd, at);
}

static uint64_t
table(struct opened *o)
{
	uint64_t at = zeros(o, FS_SIZE);

	o->fdt = zeros(o, FDT_SIZE);
	o->fds = zeros(o, 8 * MAX_FDS);
	o->open = zeros(o, MAX_FDS / 8);
	o->cloexec = zeros(o, MAX_FDS / 8);
	put(o, at + FS_FDT, o->fdt);
	tasks_put(&o->f.g, o->fdt + FDT_MAX, 4, MAX_FDS);
	put(o, o->fdt + FDT_FD, o->fds);
	put(o, o->fdt + FDT_CLOEXEC, o->cloexec);
	put(o, o->fdt + FDT_OPEN, o->open);
	return at;
}

static void
opened_make(struct opened *o, bool new)
{
	unsigned int i;

	new_kernel = new;
	tasks_make_with(&o->f, new, types);
	o->first = zeros(o, 0);
	files(o);
	put(o, o->f.task[1] + T_FILES, table(o));
	descriptor(o, 9, o->file[NAME]);
	o->files = table(o);
	put(o, o->f.task[3] + T_FILES, o->files);
	for (i = 0; i < NFILES; i++)
		descriptor(o, want[i].fd, o->file[i]);
	descriptor(o, 1, o->file[NAME]);
	/* Taken, and no file yet. */
	descriptor(o, 3, 0);
	*guest_at(&o->f.g, o->cloexec) = 0x02;
	o->end = zeros(o, 0);
	guest_make(&o->f.g);
}

static const struct kinfo_file *
get(struct opened *o, int op, int arg, int *n)
{
	const struct kinfo_file *f = (const void *)kvm_getfiles(o->f.g.im.kd,
	    op, arg, n);

	if (f == NULL)
		fail_msg("%s", kvm_geterr(o->f.g.im.kd));
	return f;
}

static void
check_file(const struct opened *o, const struct kinfo_file *f, unsigned int i)
{
	assert_int_equal(f->ki_unknown, 0);
	assert_int_equal(f->ki_fileaddr, o->file[i]);
	assert_int_equal(f->ki_fops, 0x1111);
	assert_int_equal(f->ki_fdata, 0x2222);
	assert_int_equal(f->ki_fucred, o->f.cred);
	assert_int_equal(f->ki_fuid, 1004);
	assert_int_equal(f->ki_fgid, 1005);
	assert_int_equal(f->ki_vdata, o->inode[i]);
	assert_int_equal(f->ki_foffset, 600 + i);
	assert_int_equal(f->ki_count, i + 1);
	assert_int_equal(f->ki_vsize, 5000 + i);
	assert_int_equal(f->ki_vfileid, 76 + i);
	assert_int_equal(f->ki_vfsid, (8 << 8) | (300 & 0xff) | 0x100000);
	assert_int_equal(f->ki_vrdev, (4 << 8) | 65);
	assert_int_equal(f->ki_flag, O_RDWR | O_APPEND);
	assert_int_equal(f->ki_ftype, want[i].type);
	assert_non_null(f->ki_path);
	assert_string_equal(f->ki_path, want[i].path);
}

/* This test checks every member of every file, as two kernels have it. */
static void
files_are_as_the_kernel_has_them(void **state)
{
	const struct kinfo_file *f;
	struct opened o;
	unsigned int i, new;
	int n;

	(void)state;
	for (new = 0; new < 2; new++) {
		opened_make(&o, new != 0);
		f = get(&o, KERN_FILE_BYPID, 100, &n);
		assert_int_equal(n, NFILES + 1);
		check_file(&o, &f[0], NAME);
		assert_int_equal(f[0].ki_ofileflags, 0);
		for (i = 0; i < NFILES; i++) {
			f += i < 2;	/* the first has two descriptors */
			check_file(&o, &f[0], i);
			assert_int_equal(f[0].ki_pid, 100);
			assert_int_equal(f[0].ki_fd, i == 0 ? 1 : want[i].fd);
			assert_int_equal(f[0].ki_ofileflags, i == 0 ?
			    FD_CLOEXEC : 0);
			f += i > 0;
		}
		guest_fini(&o.f.g);
	}
}

/* This test checks which files each op finds. */
static void
files_op_chooses(void **state)
{
	const struct kinfo_file *f;
	struct opened o;
	int n, i;

	(void)state;
	opened_make(&o, true);
	f = get(&o, KERN_FILE_BYPID, -1, &n);
	assert_int_equal(n, NFILES + 2);
	assert_int_equal(f[0].ki_pid, 1);
	assert_int_equal(f[0].ki_fd, 9);
	assert_int_equal(f[1].ki_pid, 100);
	get(&o, KERN_FILE_BYPID, 2, &n);
	assert_int_equal(n, 0);
	f = get(&o, KERN_FILE_BYFILE, 0, &n);
	assert_int_equal(n, NFILES);
	for (i = 0; i < n; i++) {
		check_file(&o, &f[i], (unsigned int)i);
		assert_int_equal(f[i].ki_pid, 0);
		assert_int_equal(f[i].ki_fd, -1);
	}
	assert_null(kvm_getfiles(o.f.g.im.kd, KERN_FILE_BYPID, 99, &n));
	assert_int_equal(errno, ESRCH);
	image_says(&o.f.g.im, "there is no process 99");
	assert_null(kvm_getfiles(o.f.g.im.kd, 7, 0, &n));
	assert_int_equal(errno, EINVAL);
	assert_null(kvm_getfiles(o.f.g.im.kd, KERN_FILE_BYFILE, 1, &n));
	assert_int_equal(errno, EINVAL);
	assert_null(kvm_getfiles(o.f.g.im.kd, KERN_FILE_BYPID, -2, &n));
	assert_int_equal(errno, EINVAL);
	image_says(&o.f.g.im, "-2: not an argument of this way");
	guest_fini(&o.f.g);
}

/* This test checks that the files of a process whose first thread has ended are
 * found through another. */
static void
files_of_other_threads_count(void **state)
{
	const struct kinfo_file *f;
	struct opened o;
	int n;

	(void)state;
	opened_make(&o, true);
	put(&o, o.f.task[3] + T_FILES, 0);
	put(&o, o.f.task[5] + T_FILES, o.files);
	guest_make(&o.f.g);
	get(&o, KERN_FILE_BYPID, 100, &n);
	assert_int_equal(n, NFILES + 1);
	/* A list that leads to another process is not this one's. */
	put(&o, o.f.task[4] + T_NODE, o.f.task[6] + T_NODE);
	guest_make(&o.f.g);
	f = get(&o, KERN_FILE_BYPID, 100, &n);
	assert_int_equal(n, 1);
	assert_int_equal(f->ki_unknown, KVM_FILE_TABLE | KVM_FILE_FILE);
	guest_fini(&o.f.g);
}

/* Changes a number; what is unknown of the file is then `unknown'. */
static void
check_damage(struct opened *o, uint64_t at, size_t len, uint64_t value,
    unsigned int i, uint32_t unknown)
{
	const struct kinfo_file *f;
	uint64_t was = 0;
	int n;

	memcpy(&was, guest_at(&o->f.g, at), len);
	tasks_put(&o->f.g, at, len, value);
	guest_make(&o->f.g);
	f = get(o, KERN_FILE_BYPID, 100, &n);
	assert_int_equal(n, NFILES + 1);
	for (; f->ki_fileaddr != o->file[i]; f++)
		;
	assert_int_equal(f->ki_unknown, unknown);
	if ((unknown & KVM_FILE_PATH) != 0)
		assert_null(f->ki_path);
	if ((unknown & KVM_FILE_CRED) != 0)
		assert_int_equal(f->ki_fuid, UINT32_MAX);
	tasks_put(&o->f.g, at, len, was);
}

/* This test checks that what is damaged costs only what it led to, and that no
 * path goes round for ever. */
static void
files_damage_is_unknown(void **state)
{
	struct opened o;

	(void)state;
	opened_make(&o, true);
	check_damage(&o, o.file[PIPE] + F_CRED, 8, 8, PIPE, KVM_FILE_CRED);
	check_damage(&o, o.file[PIPE] + F_INODE, 8, 8, PIPE,
	    KVM_FILE_INODE | KVM_FILE_PATH);
	check_damage(&o, o.inode[ANON] + I_SB, 8, 8, ANON,
	    KVM_FILE_INODE | KVM_FILE_PATH);
	check_damage(&o, o.file[NAME] + F_DENTRY, 8, 8, NAME, KVM_FILE_PATH);
	check_damage(&o, o.file[NAME] + F_MNT, 8, 8, NAME, KVM_FILE_PATH);
	/* Names of no length, of too many bytes, with a NUL, nowhere. */
	check_damage(&o, o.dir + D_LEN, 4, 256, NAME, KVM_FILE_PATH);
	check_damage(&o, o.dir + D_LEN, 4, UINT32_MAX, NAME, KVM_FILE_PATH);
	check_damage(&o, o.dir + D_NAME, 8, o.first, NAME, KVM_FILE_PATH);
	check_damage(&o, o.dir + D_NAME, 8, 8, NAME, KVM_FILE_PATH);
	/* Directories and mounts that are in each other. */
	check_damage(&o, o.dir + D_PARENT, 8, o.dentry[NAME], NAME,
	    KVM_FILE_PATH);
	put(&o, o.root_mount + MNT_POINT, o.sub);
	put(&o, o.sub_mount + MNT_POINT, o.dentry[ROOT]);
	check_damage(&o, o.root_mount + MNT_PARENT, 8, o.sub_mount, ROOT,
	    KVM_FILE_PATH);
	guest_fini(&o.f.g);
}

/* Changes a number; the table of process 100 then ends after n files. */
static void
check_table(struct opened *o, uint64_t at, size_t len, uint64_t value,
    int want_n)
{
	const struct kinfo_file *f;
	uint64_t was = 0;
	int n;

	memcpy(&was, guest_at(&o->f.g, at), len);
	tasks_put(&o->f.g, at, len, value);
	guest_make(&o->f.g);
	f = get(o, KERN_FILE_BYPID, -1, &n);
	assert_int_equal(n, 1 + want_n + 1);
	assert_int_equal(f[0].ki_unknown, 0);
	assert_int_equal(f[n - 1].ki_pid, 100);
	assert_int_equal(f[n - 1].ki_fd, -1);
	assert_int_equal(f[n - 1].ki_unknown, KVM_FILE_TABLE | KVM_FILE_FILE);
	tasks_put(&o->f.g, at, len, was);
}

/* This test checks tables that can't be read, in whole or in part, and one with
 * a pointer to no file. */
static void
files_damaged_table_is_told(void **state)
{
	const struct kinfo_file *f;
	struct opened o;
	int n;

	(void)state;
	opened_make(&o, true);
	check_table(&o, o.files + FS_FDT, 8, 8, 0);
	check_table(&o, o.fdt + FDT_MAX, 4, UINT32_MAX, 0);
	check_table(&o, o.fdt + FDT_OPEN, 8, 8, 0);
	check_table(&o, o.fdt + FDT_FD, 8, 8, 0);
	check_table(&o, o.f.task[3] + T_FILES, 8, 8, 0);
	descriptor(&o, 0, 8);
	guest_make(&o.f.g);
	f = get(&o, KERN_FILE_BYPID, 100, &n);
	assert_int_equal(n, NFILES + 1);
	assert_int_equal(f[0].ki_unknown, KVM_FILE_FILE);
	assert_int_equal(f[0].ki_fileaddr, 8);
	assert_int_equal(f[0].ki_fd, 0);
	assert_null(f[0].ki_path);
	assert_int_equal(f[1].ki_unknown, 0);
	guest_fini(&o.f.g);
}

static void
look(struct guest *g)
{
	int n = 0;

	guest_result(g, kvm_getfiles(g->im.kd, KERN_FILE_BYPID, -1, &n) ==
	    NULL ? -1 : 0);
	assert_in_range(n, 0, 1000);
	guest_result(g, kvm_getfiles(g->im.kd, KERN_FILE_BYFILE, 0, &n) ==
	    NULL ? -1 : 0);
	assert_in_range(n, 0, 1000);
}

/* This test checks that no changed byte of what is open does harm. */
static void
files_damaged_never_crashes(void **state)
{
	struct opened o;

	(void)state;
	opened_make(&o, true);
	guest_mutate(&o.f.g, o.first, (size_t)(o.fds - o.first), look);
	guest_mutate(&o.f.g, o.open, (size_t)(o.end - o.open), look);
	guest_fini(&o.f.g);
}

int
main(void)
{
	const struct CMUnitTest tests_[] = {
		cmocka_unit_test(files_are_as_the_kernel_has_them),
		cmocka_unit_test(files_op_chooses),
		cmocka_unit_test(files_of_other_threads_count),
		cmocka_unit_test(files_damage_is_unknown),
		cmocka_unit_test(files_damaged_table_is_told),
		cmocka_unit_test(files_damaged_never_crashes),
	};

	return cmocka_run_group_tests(tests_, NULL, NULL);
}
