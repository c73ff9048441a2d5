/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_getfiles.c: open files, from wherever this handle has them;
 * kvm_getfiles(3).
 */
#include <errno.h>

#include "kvm_tasks.h"

static int
files_get(kvm_t *kd, int op, int arg, int *cnt)
{
	const struct kvmi_procops *ops = kvmi_procops(kd);

	if (ops == NULL)
		return -1;
	if (op != KERN_FILE_BYFILE && op != KERN_FILE_BYPID)
		return kvmi_err(kd, EINVAL, "%d: no way to choose files", op);
	if (op == KERN_FILE_BYFILE ? arg != 0 : arg < -1)
		return kvmi_err(kd, EINVAL, "%d: not an argument of this way "
		    "to choose files", arg);
	if (kvmi_elems_begin(kd, &kd->files, sizeof(struct kinfo_file), cnt) ==
	    -1)
		return -1;
	kvmi_texts_fini(&kd->filetexts);
	if (ops->files(kd, op, arg, &kd->files, &kd->filetexts) == -1)
		return -1;
	return kvmi_elems_count(kd, &kd->files, cnt);
}

char *
kvm_getfiles(kvm_t *kd, int op, int arg, int *cnt)
{
	if (files_get(kd, op, arg, cnt) == 0)
		return (void *)kd->files.buf;
	kvmi_report(kd);
	return NULL;
}
