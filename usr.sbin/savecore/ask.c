/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c: what the worker asks of the keeper; see keeper.h.
 *
 * The keeper has said what is wrong, unless it can't be talked with.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"
#include "savecore.h"

static int ask_sock = -1;

void
ask_init(int sock)
{
	ask_sock = sock;
}

/* The keeper's errno, or 0.  A descriptor is wanted if fd is not NULL. */
static int
ask_send(const struct keeper_ask *ask, uint32_t *number, int *fd)
{
	struct keeper_answer a;
	int got = -1, r;

	r = keeper_send(ask_sock, ask, sizeof(*ask), -1);
	if (r == 0)
		r = keeper_recv(ask_sock, &a, sizeof(a), &got) == 1 ? 0 : -1;
	if (r == 0 && a.error == 0 && fd != NULL && got == -1) {
		errno = EPROTO;
		r = -1;
	}
	if (r == -1) {
		msg_errno(LOG_ERR, "talking with the part that has privileges");
		return EIO;
	}
	if (a.error != 0)
		return a.error;
	if (fd != NULL)
		*fd = got;
	if (number != NULL)
		*number = a.number;
	return 0;
}

static int
ask_keeper(enum keeper_op op, uint32_t what, uint64_t arg, uint32_t *number,
    int *fd)
{
	const struct keeper_ask ask = { .op = op, .what = what, .arg = arg };

	return ask_send(&ask, number, fd);
}

bool
ask_space(uint64_t need, bool anyway)
{
	return ask_keeper(KEEPER_SPACE, anyway, need, NULL, NULL) == 0;
}

int
ask_create(enum keeper_file what, enum keeper_packing packing,
    unsigned int *number)
{
	int fd;

	if (ask_keeper(KEEPER_CREATE, what, packing, number, &fd) != 0)
		return -1;
	return fd;
}

int
ask_commit(enum keeper_file what)
{
	return ask_keeper(KEEPER_COMMIT, what, 0, NULL, NULL) == 0 ? 0 : -1;
}

bool
ask_held(const uint8_t dump_id[KVM_IDLEN], unsigned int *number)
{
	struct keeper_ask ask = { .op = KEEPER_HELD };

	memcpy(ask.id, dump_id, sizeof(ask.id));
	return ask_send(&ask, number, NULL) == 0;
}

void
ask_begin(size_t index)
{
	(void)ask_keeper(KEEPER_BEGIN, (uint32_t)index, 0, NULL, NULL);
}

void
ask_end(size_t index)
{
	(void)ask_keeper(KEEPER_END, (uint32_t)index, 0, NULL, NULL);
}

int
ask_device(size_t index, int *fd)
{
	return ask_keeper(KEEPER_DEVICE, (uint32_t)index, 0, NULL, fd);
}
