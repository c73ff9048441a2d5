/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c: strings from a dump, made safe for a terminal and a log.
 *
 * They are whatever was in memory: escape sequences and newlines must not
 * reach a reader's terminal.  Encoded as vis(3)'s octal style does.
 */
#include <stdio.h>
#include <string.h>

#include "text.h"

char *
text_encode(char *dst, size_t dstlen, const char *src, size_t srclen)
{
	char *p = dst;
	size_t i, left;

	for (i = 0; i < srclen && src[i] != '\0'; i++) {
		unsigned char c = (unsigned char)src[i];

		left = dstlen - (size_t)(p - dst);
		if (left < 5)
			break;
		if (c == '\\') {
			*p++ = '\\';
			*p++ = '\\';
		} else if (c >= ' ' && c < 0x7f) {
			*p++ = (char)c;
		} else {
			p += snprintf(p, left, "\\%03o", c);
		}
	}
	*p = '\0';
	return dst;
}
