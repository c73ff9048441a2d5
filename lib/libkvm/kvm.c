/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm.c: opens and closes descriptors; kvm_open(3).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm_bytes.h"
#include "kvm_header.h"
#include "kvm_live.h"
#include "kvm_symbols.h"
#include "kvm_tasks.h"

/* A mutex that its holder may lock again. */
static int
kvm_lazy_init(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;
	int rv;

	if (pthread_mutexattr_init(&a) != 0)
		return -1;
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	rv = pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
	return rv == 0 ? 0 : -1;
}

/* A descriptor with nothing open, or NULL with errno. */
static kvm_t *
kvm_create(const char *errstr)
{
	kvm_t *kd = calloc(1, sizeof(*kd));

	if (kd == NULL)
		return NULL;
	kd->fd = kd->disk = -1;
	kd->errstr = errstr;
	if (kvmi_errs_init(&kd->errs) != 0)
		goto free_kd;
	if (kvmi_view_init(&kd->view) != 0)
		goto fini_errs;
	if (kvmi_spill_init(&kd->spill) != 0)
		goto fini_view;
	if (kvmi_small_init(&kd->small) != 0)
		goto fini_spill;
	if (kvmi_vm_init(&kd->vm) == -1)
		goto fini_small;
	if (kvm_lazy_init(&kd->lazy) == -1)
		goto fini_vm;
	return kd;
fini_vm:
	kvmi_vm_fini(&kd->vm);
fini_small:
	kvmi_small_fini(&kd->small);
fini_spill:
	kvmi_spill_fini(&kd->spill);
fini_view:
	kvmi_view_fini(&kd->view);
fini_errs:
	kvmi_errs_fini(&kd->errs);
free_kd:
	free(kd);
	errno = ENOMEM;
	return NULL;
}

static void
kvm_destroy(kvm_t *kd)
{
	kvmi_cpu_drop(kd);
	kvmi_live_fini(kd);
	kvmi_ranges_fini(kd, &kd->where);
	kvmi_ranges_fini(kd, &kd->flat);
	kvmi_pages_destroy(kd->pages);
	kvmi_packed_close(kd);
	if (kd->fd != -1)
		close(kd->fd);
	if (kd->disk != -1)
		close(kd->disk);
	kvmi_elf_close(kd->elf);
	kvmi_elems_fini(&kd->procs);
	kvmi_elems_fini(&kd->oldprocs);
	kvmi_elems_fini(&kd->lwps);
	kvmi_elems_fini(&kd->files);
	kvmi_texts_fini(&kd->filetexts);
	kvmi_strings_fini(&kd->argv);
	kvmi_strings_fini(&kd->envv);
	kvmi_vm_fini(&kd->vm);
	kvmi_small_fini(&kd->small);
	kvmi_spill_fini(&kd->spill);
	kvmi_view_fini(&kd->view);
	kvmi_errs_fini(&kd->errs);
	pthread_mutex_destroy(&kd->lazy);
	free(kd->ckpage);
	free(kd->execname);
	free(kd->corename);
	free(kd);
}

/* What kd->fd is: 0, or -1 with a text. */
static int
kvm_open_format(kvm_t *kd)
{
	struct stat st;
	off_t end;
	size_t i;
	int rv = 0;

	if (fstat(kd->fd, &st) == -1)
		return kvmi_syserr(kd, errno, "stat");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return kvmi_err(kd, ENOTSUP, "neither a file nor a block "
		    "device");
	end = lseek(kd->fd, 0, SEEK_END);
	if (end == -1)
		return kvmi_syserr(kd, errno, "size");
	kd->file_size = (uint64_t)end;
	if (kd->disk == -1 &&
	    ((S_ISREG(st.st_mode) && kvmi_packed_open(kd) == -1) ||
	    kvmi_flat_open(kd) == -1))
		return -1;
	for (i = 0; rv == 0 && kvmi_formats[i] != NULL; i++) {
		kd->fmt = kvmi_formats[i];
		rv = kd->fmt->open(kd);
	}
	return rv == 1 ? 0 : -1;
}

static int
kvm_open_core(kvm_t *kd, const char *corefile, int flags)
{
	kd->corename = strdup(corefile);
	if (kd->corename == NULL)
		return kvmi_syserr(kd, ENOMEM, "open");
	/* The headers are read even if nobody reads memory. */
	kd->fd = open(corefile, (flags != O_RDONLY ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    O_NONBLOCK);
	if (kd->fd == -1)
		return kvmi_syserr(kd, errno, "open");
	return kvm_open_format(kd);
}

/* Opens what the arguments name: 0, or -1 with a text. */
static int
kvm_open_files(kvm_t *kd, const char *execfile, const char *corefile, int flags)
{
	kd->live = kvmi_live_find(corefile, flags);
	kd->procops = kd->live != NULL ? &kvmi_procops_live : NULL;
	if (flags == KVM_NO_FILES) {
		kd->nofiles = true;
		return 0;
	}
	if (flags != O_RDONLY && flags != O_WRONLY && flags != O_RDWR)
		return kvmi_err(kd, EINVAL, "flags 0x%x: only O_RDONLY, "
		    "O_WRONLY, O_RDWR and KVM_NO_FILES are allowed",
		    (unsigned int)flags);
	if (execfile != NULL) {
		kd->execname = strdup(execfile);
		if (kd->execname == NULL)
			return kvmi_syserr(kd, ENOMEM, "%s", execfile);
		kd->elf = kvmi_elf_open(kd, execfile);
		if (kd->elf == NULL)
			return -1;
	}
	kd->writable = flags != O_RDONLY;
	if (kd->live == NULL && kvm_open_core(kd, corefile, flags) == -1)
		return kvmi_prepend(kd, "%s", corefile);
	return 0;
}

/* Both open functions: where errbuf is NULL, errors go where errstr says. */
static kvm_t *
kvm_open_any(const char *execfile, const char *corefile, int flags,
    const char *errstr, char *errbuf)
{
	kvm_t *kd = kvm_create(errstr);
	const char *text = "no memory for a descriptor";
	int error = ENOMEM;

	if (kd != NULL) {
		if (kvm_open_files(kd, execfile, corefile, flags) == 0)
			return kd;
		error = errno;
		text = kvm_geterr(kd);
	}
	if (errbuf != NULL)
		snprintf(errbuf, KVM_ERRBUFSZ, "%s", text);
	if (errstr != NULL)
		fprintf(stderr, "%s: %s\n", errstr, text);
	if (kd != NULL)
		kvm_destroy(kd);
	errno = error;
	return NULL;
}

kvm_t *
kvm_open(const char *execfile, const char *corefile,
    char *swapfile __attribute__((unused)), int flags, const char *errstr)
{
	return kvm_open_any(execfile, corefile, flags, errstr, NULL);
}

kvm_t *
kvm_openfiles(const char *execfile, const char *corefile,
    char *swapfile __attribute__((unused)), int flags, char *errbuf)
{
	return kvm_open_any(execfile, corefile, flags, NULL, errbuf);
}

/* The same with a descriptor in place of a name: 0, or -1 with a text. */
static int
kvm_open_fd(kvm_t *kd, const char *name, int flags)
{
	kd->writable = flags != O_RDONLY;
	kd->corename = strdup(name);
	if (kd->corename == NULL)
		return kvmi_syserr(kd, ENOMEM, "%s", name);
	if (kvm_open_format(kd) == -1)
		return kvmi_prepend(kd, "%s", name);
	return 0;
}

/* Where the file's bytes are on the disk: 0, or -1 with a text. */
static int
kvm_open_extents(kvm_t *kd, const struct kvm_extent *ext, size_t next)
{
	struct kvmi_range r = { .kind = KVMI_MEM_DATA };
	size_t i;

	kd->flat.unit = 1;
	for (i = 0; i < next; i++) {
		if (ext[i].ke_size > INT64_MAX - r.end ||
		    ext[i].ke_start > INT64_MAX - ext[i].ke_size)
			return kvmi_err(kd, EINVAL, "extent %zu: %llu bytes at "
			    "%llu", i, (unsigned long long)ext[i].ke_size,
			    (unsigned long long)ext[i].ke_start);
		r.start = r.end;
		r.end += ext[i].ke_size;
		r.place = ext[i].ke_start;
		if (kvmi_ranges_add(kd, &kd->flat, r) == -1)
			return -1;
		/* The disk's cache knows nothing of writes to the file. */
		(void)posix_fadvise(kd->disk, (off_t)ext[i].ke_start,
		    (off_t)ext[i].ke_size, POSIX_FADV_DONTNEED);
	}
	kd->flat_on = true;
	return kvmi_ranges_sort(kd, &kd->flat);
}

kvm_t *
kvm_openfd(int fd, const char *name, int flags, char *errbuf)
{
	return kvm_openextents(fd, -1, NULL, 0, name, flags, errbuf);
}

kvm_t *
kvm_openextents(int fd, int disk, const struct kvm_extent *ext, size_t next,
    const char *name, int flags, char *errbuf)
{
	kvm_t *kd = kvm_create(NULL);
	int error;

	if (kd == NULL) {
		close(fd);
		if (disk != -1)
			close(disk);
		snprintf(errbuf, KVM_ERRBUFSZ, "no memory for a descriptor");
		errno = ENOMEM;
		return NULL;
	}
	kd->fd = fd;
	kd->disk = disk;
	if ((disk == -1 || kvm_open_extents(kd, ext, next) == 0) &&
	    kvm_open_fd(kd, name, flags) == 0)
		return kd;
	error = errno;
	snprintf(errbuf, KVM_ERRBUFSZ, "%s", kvm_geterr(kd));
	kvm_destroy(kd);
	errno = error;
	return NULL;
}

int
kvm_close(kvm_t *kd)
{
	if (kd == NULL) {
		errno = EINVAL;
		return -1;
	}
	kvm_destroy(kd);
	return 0;
}

const char *
kvm_getkernelname(kvm_t *kd)
{
	if (kd->execname != NULL)
		return kd->execname;
	if (kd->nofiles)
		return "(none)";
	return kd->live != NULL ? "(/proc/kallsyms)" : "(symbols in the dump)";
}
