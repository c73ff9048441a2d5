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
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif
#ifndef __printf
#define __printf(a, b) __attribute__((format(printf, a, b)))
#endif
#endif

typedef uint64_t kpaddr_t;	/* a physical address of the target */
typedef uint64_t kvaddr_t;	/* a kernel virtual address of the target */

#endif /* _SYS_KTYPES_H_ */
