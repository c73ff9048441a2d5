/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h: strings from a dump, made safe to show; for every program.
 */
#ifndef _TEXT_H_
#define _TEXT_H_

#include <stddef.h>

/* Encodes at most srclen bytes, up to a NUL, and terminates.  Returns dst. */
char *text_encode(char *dst, size_t dstlen, const char *src, size_t srclen);
#define TEXT_ENCODED(len)	((len) * 4 + 1)

#endif /* _TEXT_H_ */
