/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finish.c: --finish, what is done once the machine is up: log, symbols, report
 * and hooks of the cores that -a saved while swap waited for it.
 *
 * Each core gets one whole try.  What is there already stays, so that a run that
 * was cut short is made good by the next.  Of two runs at the same time one waits
 * for the other, core by core.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "savecore.h"

int
finish_core(int fd, const struct savecore_opts *opts)
{
	char errbuf[KVM_ERRBUFSZ], name[64];
	kvm_t *kd;

	snprintf(name, sizeof(name), "core %u", opts->number);
	kd = kvm_openfd(dup(fd), name, O_RDONLY, errbuf);
	if (kd == NULL) {
		msg(LOG_ERR, "%s", errbuf);
		return -1;
	}
	beside_write(kd, opts);
	kvm_close(kd);
	return 0;
}

/*
 * The next core from that number on, as pending_next(): 1, with its note, or -1
 * where that is gone by now; 0: there is none; -1.
 */
static int
finish_find(const struct savecore_opts *opts, unsigned int *number, int *note)
{
	struct crashdir dir = { .fd = -1, .wait = true };
	char core[NAME_MAX + 1];
	bool found;

	if (dir_open(&dir, opts->directory) == -1)
		return -1;
	/* Without a core: the machine died before that had its name. */
	while ((found = pending_next(&dir, *number, number)) &&
	    !dir_core(&dir, *number, core))
		pending_drop(&dir, (*number)++);
	*note = found ? pending_open(&dir, *number) : -1;
	dir_close(&dir);
	return found ? 1 : 0;
}

/* The same, for this run alone until note is closed. */
static int
finish_next(const struct savecore_opts *opts, unsigned int *number, int *note)
{
	int found;

	while ((found = finish_find(opts, number, note)) == 1) {
		if (*note != -1 && pending_lock(*note))
			return 1;
		/* Another run has finished it. */
		if (*note != -1)
			close(*note);
		++*number;
	}
	return found;
}

int
finish_run(const struct savecore_opts *opts)
{
	struct savecore_opts one = *opts;
	bool any = false;
	int found, note, r = 0;

	/* Nobody ever had to make it. */
	if (access(opts->directory, F_OK) == -1 && errno == ENOENT)
		return 0;
	while ((found = finish_next(opts, &one.number, &note)) == 1) {
		any = true;
		if (session_do(&one, NULL) == -1)
			r = -1;
		close(note);
		one.number++;
	}
	if (!any && found == 0 && opts->verbose)
		msg(LOG_INFO, "no core to be finished");
	return found == -1 ? -1 : r;
}
