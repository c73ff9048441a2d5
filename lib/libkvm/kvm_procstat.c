/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_procstat.c: takes apart what /proc/PID/stat and /proc/PID/status say;
 * proc(5).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"

/* Fields of stat, counted from 1 as proc(5) does. */
enum {
	STAT_PPID = 4, STAT_PGRP, STAT_SESSION, STAT_TTY, STAT_FLAGS = 9,
	STAT_UTIME = 14, STAT_STIME, STAT_CUTIME, STAT_CSTIME, STAT_NICE = 19, STAT_NTHREADS, STAT_START = 22, STAT_VSIZE, STAT_RSS,
	STAT_CPU = 39, STAT_NFIELDS
};

/* The name as the task has it: a newline stands as \n, a backslash as \\. */
static void
procstat_name(const char *from, size_t len, char *to, size_t size)
{
	const char *end = from + len;
	size_t n = 0;

	while (from < end && n + 1 < size) {
		if (end - from > 1 && from[0] == '\\' &&
		    (from[1] == 'n' || from[1] == '\\')) {
			to[n++] = from[1] == 'n' ? '\n' : '\\';
			from += 2;
		} else {
			to[n++] = *from++;
		}
	}
	to[n] = '\0';
}

/* A number behind blanks, which moves on; false: there is none. */
static bool
procstat_number(const char **p, uint64_t *value)
{
	char *end;

	*p += strspn(*p, " \t");
	errno = 0;
	*value = strtoull(*p, &end, 10);
	if (end == *p || errno != 0 ||
	    (*end != '\0' && strchr(" \t\n", *end) == NULL))
		return false;
	*p = end;
	return true;
}

bool
kvmi_procstat_parse(const char *text, struct kvmi_procstat *ps)
{
	uint64_t v[STAT_NFIELDS];
	const char *p = text, *name, *end;
	unsigned int i;

	memset(ps, 0, sizeof(*ps));
	/* A name can hold anything, so it ends at the last parenthesis. */
	if (!procstat_number(&p, &v[1]) || p[0] != ' ' || p[1] != '(' ||
	    (end = strrchr(p, ')')) == NULL)
		return false;
	name = p + 2;
	if (end < name || end[1] != ' ' || end[2] <= ' ' || end[3] != ' ')
		return false;
	ps->state = end[2];
	procstat_name(name, (size_t)(end - name), ps->comm, sizeof(ps->comm));
	for (p = end + 3, i = STAT_PPID; i < STAT_NFIELDS; i++)
		if (!procstat_number(&p, &v[i]))
			return false;
	ps->pid = (int32_t)v[1];
	ps->ppid = (int32_t)v[STAT_PPID];
	ps->pgrp = (int32_t)v[STAT_PGRP];
	ps->session = (int32_t)v[STAT_SESSION];
	ps->tty = (uint32_t)v[STAT_TTY];
	ps->flags = (uint32_t)v[STAT_FLAGS];
	ps->utime = v[STAT_UTIME];
	ps->stime = v[STAT_STIME];
	ps->ctime = v[STAT_CUTIME] + v[STAT_CSTIME];
	ps->nice = (int)v[STAT_NICE];
	ps->nthreads = v[STAT_NTHREADS];
	ps->start = v[STAT_START];
	ps->vsize = v[STAT_VSIZE];
	ps->rss = v[STAT_RSS];
	ps->cpu = (uint32_t)v[STAT_CPU];
	return true;
}

/* n numbers behind a key at the start of a line. */
static bool
procstat_line(const char *text, const char *key, uint64_t *v, unsigned int n)
{
	const size_t len = strlen(key);
	const char *p = text;
	unsigned int i;

	while (strncmp(p, key, len) != 0) {
		if ((p = strchr(p, '\n')) == NULL)
			return false;
		p++;
	}
	for (p += len, i = 0; i < n; i++)
		if (!procstat_number(&p, &v[i]))
			return false;
	return true;
}

bool
kvmi_procstatus_parse(const char *text, struct kvmi_procstatus *st)
{
	uint64_t tgid, uid[3], gid[3];
	unsigned int i;

	if (!procstat_line(text, "Tgid:", &tgid, 1) ||
	    !procstat_line(text, "Uid:", uid, 3) ||
	    !procstat_line(text, "Gid:", gid, 3))
		return false;
	st->tgid = (int32_t)tgid;
	for (i = 0; i < 3; i++) {
		st->uid[i] = (uint32_t)uid[i];
		st->gid[i] = (uint32_t)gid[i];
	}
	return true;
}
