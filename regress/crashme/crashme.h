/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashme.h: the parts of crashme.ko.
 *
 *	main.c	the memory with known contents, and the notifiers
 *	die.c	what to die of
 *	place.c	where to die, and the parameter `how'
 *	spin.c	CPUs in a loop
 *	disk.c	a disk that breaks, a dumper that faults
 *	console.c	a console that faults
 */
#ifndef _CRASHME_H_
#define _CRASHME_H_

#include <linux/types.h>

/* ---- main.c ---- */

extern bool crashme_ready;	/* the module is loaded */
extern ulong crashme_seed;	/* of the memory with known contents */

/* To the host, through the second serial port. */
void crashme_tell(const char *text);
/* "@@WHAT TASK STACK": the two objects that are in use now. */
void crashme_tell_task(const char *what);

/* ---- die.c ---- */

/* Chooses what crashme_die() does: 0; -EINVAL, there is no such death. */
int crashme_set_death(const char *name);
/* Dies here and now. */
void crashme_die(void);
/* The death chosen now is that of crashme_die_there(), which others come to
 * later; another may be chosen meanwhile. */
void crashme_set_there(void);
void crashme_die_there(void);

/* ---- disk.c ---- */

int crashme_disk_init(void);
void crashme_disk_fini(void);

/* ---- console.c ---- */

void crashme_console_init(void);
void crashme_console_fini(void);

#endif /* _CRASHME_H_ */
