/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fakeenv.c: see fakeenv.h.
 */
#include <stdlib.h>
#include <string.h>

#include "fakeenv.h"

#define LIMIT_US	(120ull * 1000 * 1000)	/* whatever goes wrong */

struct env *
env_make(const struct fakedev *dev, uint32_t blksize, unsigned int nslots,
    uint32_t slot_len)
{
	struct env *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->dev = dev;
	e->fake = calloc(1, dev->size);
	assert_non_null(e->fake);
	e->disk = e->fake;
	fakebus_init(&e->fb);
	e->dd.bus = &e->fb.bus;
	e->dd.unit = dev->unit;
	e->dd.blksize = blksize;
	e->dd.nslots = nslots;
	e->dd.slot_len = slot_len;
	e->dd.nblks = fakerun_nblks(&e->dd);
	dev->init(e->fake, &e->fb, blksize, e->dd.nblks);
	return e;
}

struct env *
env_new(const struct fakedev *dev)
{
	return env_make(dev, 512, ENV_NSLOTS, ENV_SLOT_LEN);
}

void
env_free(struct env *e)
{
	e->fb.armed = true;
	dumpdev_detach(&e->dd);
	fakebus_check_released(&e->fb);
	fakedisk_fini(e->disk);
	free(e->fake);
	free(e->dd.softc);
	free(e);
}

void
env_match(struct env *e)
{
	assert_int_equal(dumpdev_match(&e->dd), 0);
	assert_string_equal(e->dd.ops->name, e->dev->driver);
	e->dd.softc = calloc(1, e->dd.ops->softc_size);
	assert_non_null(e->dd.softc);
}

static void
env_check_reason(const struct env *e, const char *reason)
{
	if (strstr(e->dd.reason, reason) == NULL)
		fail_msg("\"%s\" is not in: %s", reason, e->dd.reason);
}

void
env_attach_refused(struct env *e, int error, const char *reason)
{
	assert_int_equal(dumpdev_attach(&e->dd), error);
	env_check_reason(e, reason);
	fakebus_check_released(&e->fb);
}

void
env_attach(struct env *e)
{
	env_match(e);
	assert_int_equal(dumpdev_attach(&e->dd), 0);
	e->fb.armed = false;
	e->fb.naccess = 0;
}

static void
env_check_good(struct env *e)
{
	if (e->run.first != 0)
		fail_msg("error %d: %s", e->run.first, e->dd.reason);
	assert_int_equal(e->run.nerrors, 0);
	assert_int_equal(e->run.nwrong, 0);
	fakerun_check_disk(&e->dd, &e->run, e->disk);
	assert_int_equal(e->disk->nunflushed, 0);
	assert_true(e->dev->quiet(e->fake));
}

static void
env_check_bad(struct env *e)
{
	assert_int_not_equal(e->run.first, 0);
	assert_int_equal(e->run.nwrong, 0);
	fakerun_check_disk(&e->dd, &e->run, e->disk);
	assert_true(e->fb.now_us < LIMIT_US);
	assert_int_not_equal(e->dd.reason[0], '\0');
}

void
env_run_good(struct env *e)
{
	fakerun(&e->dd, &e->run);
	env_check_good(e);
}

void
env_run_bad(struct env *e)
{
	fakerun(&e->dd, &e->run);
	env_check_bad(e);
}

void
env_run_refused(struct env *e, const char *reason)
{
	env_run_bad(e);
	assert_true(e->dd.dead);
	env_check_reason(e, reason);
	assert_int_equal(e->disk->nreq, 0);
}

void
env_run_any(struct env *e)
{
	if (fakerun(&e->dd, &e->run) == 0)
		env_check_good(e);
	else
		env_check_bad(e);
}
