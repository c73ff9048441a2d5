/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kcompat.h: every difference between kernel versions, and nothing else.  Each
 * HAVE_x names the upstream commit's title and its first release.
 */
#ifndef _OS_KCOMPAT_H_
#define _OS_KCOMPAT_H_

#include <linux/version.h>

/* "panic: move panic_print before kmsg dumpers"'s neighbour: "kernel.h: split
 * out panic and oops helpers", v5.14: the list has a header of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic_notifier.h>
#endif

/* "module: replace module_layout with module_memory", v6.4: a module's writable
 * data is a piece of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define HAVE_MODULE_MEMORY
#endif

#endif /* _OS_KCOMPAT_H_ */
