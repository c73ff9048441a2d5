// SPDX-License-Identifier: BSD-2-Clause
/*
 * console.c: a console whose driver has a bug: it follows a bad pointer at each
 * line that has the word in the parameter console_fault.
 */
#include <linux/console.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "crashme.h"

static char *console_fault;
module_param(console_fault, charp, 0400);
MODULE_PARM_DESC(console_fault, "a console that faults at lines with this word");

static void crashme_console_write(struct console *con, const char *text,
				  unsigned int len)
{
	if (strnstr(text, console_fault, len) != NULL)
		WRITE_ONCE(*(int *)16, 1);
}

static struct console crashme_console = {
	.name = "crashme",
	.write = crashme_console_write,
	.flags = CON_ENABLED,
};

void crashme_console_init(void)
{
	if (console_fault != NULL)
		register_console(&crashme_console);
}

void crashme_console_fini(void)
{
	if (console_fault != NULL)
		unregister_console(&crashme_console);
}
