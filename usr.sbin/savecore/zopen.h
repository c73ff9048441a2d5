/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zopen.h: a file that is compressed as it is written.
 */
#ifndef _ZOPEN_H_
#define _ZOPEN_H_

#include <stddef.h>
#include <stdio.h>

struct pack_how;
struct zfile;

/*
 * The file, and a stream that writes to it and ends it with fclose(3); NULL
 * with errno.  fd stays open.
 */
struct zfile *zopen(int fd, const struct pack_how *how, int level, FILE **fp);
/*
 * Room for a chunk behind all that the stream was flushed of, NULL with errno;
 * and the chunk, which is packed for itself.
 */
unsigned char *zopen_room(struct zfile *z);
void zopen_put(struct zfile *z, size_t len);
/* Nothing more is written, not even by fclose(3). */
void zopen_spoil(struct zfile *z);

#endif /* _ZOPEN_H_ */
