/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.h: what the part of savecore(8) that has privileges does for the part
 * that has none.
 *
 * They are two processes with a socket between them.  The worker reads the
 * dump, which anybody may have written, and has nothing but open descriptors.
 * What it can ask of the keeper is this and no more: files of a few fixed
 * names, made and committed in the directory that was named at the start, and
 * candidates opened for writing, if nobody uses them.
 */
#ifndef _KEEPER_H_
#define _KEEPER_H_

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "savecore.h"

enum keeper_op {
	KEEPER_SPACE,		/* arg: bytes; what: not 0: in any case */
	KEEPER_CREATE,		/* what: enum keeper_file; arg: enum
				   keeper_packing */
	KEEPER_COMMIT,		/* what: enum keeper_file */
	KEEPER_DEVICE,		/* what: index in the list of candidates */
	KEEPER_HELD,		/* id: of a dump */
	KEEPER_BEGIN,		/* what: index of the candidate in hand */
	KEEPER_END,		/* what: of one with which all went well */
};

/* What the worker sends. */
struct keeper_ask {
	uint32_t op;
	uint32_t what;
	uint64_t arg;
	uint8_t id[KVM_IDLEN];
};

/* What it gets; CREATE and DEVICE send a descriptor along if error is 0. */
struct keeper_answer {
	int32_t error;		/* errno; 0: done */
	uint32_t number;	/* CREATE, HELD: of the file's name */
};

/* Sends len bytes, and fd unless it is -1: 0, or -1 with errno. */
int keeper_send(int sock, const void *buf, size_t len, int fd);
/* Gets len bytes, and a descriptor or -1 in *fd: 1; 0: closed; -1. */
int keeper_recv(int sock, void *buf, size_t len, int *fd);

/* The name of a file: NAME_MAX + 1 bytes. */
void keeper_name(char *name, const struct crashdir *dir,
    enum keeper_file what, unsigned int number, enum keeper_packing packing);

/*
 * Answers the worker until it ends, and puts in order what it left.  A candidate
 * that it still had in hand then has failed.  0: it says that all went well, and
 * it did.  1: so it did, and there is no dump: the worker ended with
 * KEEPER_NO_DUMP.
 */
#define KEEPER_NO_DUMP	2
int keeper_serve(int sock, pid_t worker, struct candidates *where,
    const struct crashdir *dir);

#endif /* _KEEPER_H_ */
