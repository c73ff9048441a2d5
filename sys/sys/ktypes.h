/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ktypes.h: the C types and string functions that sys/kern and the drivers
 * use, from whichever world they are compiled in: the kernel, or a unit test.
 * Not for userland programs.
 */
#ifndef _SYS_KTYPES_H_
#define _SYS_KTYPES_H_

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#ifndef UINT64_MAX
#define UINT64_MAX	U64_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX	U32_MAX
#endif
#else
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif
/* Linux's: copies as much as fits and always ends it. */
static inline void
strscpy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}
#ifndef __printf
#define __printf(a, b) __attribute__((format(printf, a, b)))
#endif
#endif

typedef uint64_t kpaddr_t;	/* a physical address of the target */
typedef uint64_t kvaddr_t;	/* a kernel virtual address of the target */

#endif /* _SYS_KTYPES_H_ */
