/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeenv.h: a fake device on a fake bus, and its driver: what a driver test
 * starts from.
 */
#ifndef FAKEENV_H
#define FAKEENV_H

#include "fakerun.h"

#define ENV_SLOT_LEN	32768u
#define ENV_NSLOTS	4
#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

struct env {
	const struct fakedev *dev;
	struct fakebus fb;
	void *fake;
	struct fakedisk *disk;		/* the beginning of fake */
	struct dumpdev dd;
	struct fakerun run;
};

struct env *env_make(const struct fakedev *dev, uint32_t blksize,
    unsigned int nslots, uint32_t slot_len);
/* 512 bytes, ENV_NSLOTS and ENV_SLOT_LEN. */
struct env *env_new(const struct fakedev *dev);
void env_free(struct env *e);

/* Finds the driver, which must be the device's. */
void env_match(struct env *e);
/* Checks that attaching fails so, for a reason that has this in it, and gives
 * everything back. */
void env_attach_refused(struct env *e, int error, const char *reason);
/* Matches, attaches; then the panic comes. */
void env_attach(struct env *e);
/* Runs the workload and checks that it did what it should. */
void env_run_good(struct env *e);
/* Runs it and checks that something failed; but what was said to be written
 * is, time was bounded, and there is a reason. */
void env_run_bad(struct env *e);
/* The same where the disk is refused before anything is asked of it, for a
 * reason that has this in it. */
void env_run_refused(struct env *e, const char *reason);
/* Runs it and checks either. */
void env_run_any(struct env *e);

#endif /* FAKEENV_H */
