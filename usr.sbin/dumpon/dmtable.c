/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmtable.c: the table of a mapping, all lines of it, through libdevmapper.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libdevmapper.h>

#include "dmtable.h"

/* It would print by itself; what went wrong is in errno. */
static void
dmtable_quiet(int level, const char *file, int line, int dm_errno,
    const char *fmt, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)dm_errno;
	(void)fmt;
}

static int
dmtable_add(struct dmtable *t, uint64_t start, uint64_t count,
    const char *type, const char *params)
{
	struct dmtable_line *lines, *l;

	lines = reallocarray(t->lines, t->n + 1, sizeof(*lines));
	if (lines == NULL)
		return -1;
	t->lines = lines;
	l = &lines[t->n++];
	l->start = start;
	l->count = count;
	snprintf(l->type, sizeof(l->type), "%s", type);
	snprintf(l->params, sizeof(l->params), "%s",
	    params == NULL ? "" : params);
	return 0;
}

static int
dmtable_lines(struct dmtable *t, struct dm_task *task)
{
	uint64_t start, count;
	char *type, *params;
	void *next = NULL;

	do {
		next = dm_get_next_target(task, next, &start, &count, &type,
		    &params);
		if (type != NULL &&
		    dmtable_add(t, start, count, type, params) == -1)
			return -1;
	} while (next != NULL);
	return 0;
}

int
dmtable_read(struct dmtable *t, unsigned int major, unsigned int minor)
{
	struct dm_task *task;
	int error = 0;

	t->lines = NULL;
	t->n = 0;
	dm_log_with_errno_init(dmtable_quiet);
	task = dm_task_create(DM_DEVICE_TABLE);
	if (task == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (!dm_task_set_major(task, (int)major) ||
	    !dm_task_set_minor(task, (int)minor) ||
	    !dm_task_no_open_count(task) || !dm_task_run(task)) {
		error = dm_task_get_errno(task);
		if (error == 0)
			error = EIO;
	} else if (dmtable_lines(t, task) == -1) {
		error = ENOMEM;
	}
	dm_task_destroy(task);
	if (error == 0)
		return 0;
	dmtable_free(t);
	errno = error;
	return -1;
}

void
dmtable_free(struct dmtable *t)
{
	free(t->lines);
	t->lines = NULL;
	t->n = 0;
}
