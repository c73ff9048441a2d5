/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zopen.h: a stdio stream that writes a gzip file.
 */
#ifndef _ZOPEN_H_
#define _ZOPEN_H_

#include <stdio.h>

/*
 * Compresses what is written to the stream into fd, which stays open and
 * belongs to the caller.  level: 0 to 9.  fclose(3) finishes the gzip file and
 * is the last to report a failure.  NULL with errno set.
 */
FILE *zopen(int fd, int level);

#endif /* _ZOPEN_H_ */
