// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * swapcore_main.c: load and unload.  Loading arms nothing; dumpon(8) does.
 */
#include <linux/module.h>

#include <os/os.h>

static int __init
swapcore_init(void)
{
	int error;

	error = events_init();
	if (error != 0)
		return error;
	error = ctl_init();
	if (error != 0)
		events_fini();
	return error;
}

static void __exit
swapcore_exit(void)
{
	ctl_fini();
	mutex_lock(&arm_lock);
	disarm(NULL);
	mutex_unlock(&arm_lock);
	events_fini();
	watch_fini();
}

module_init(swapcore_init);
module_exit(swapcore_exit);

MODULE_DESCRIPTION("crash dumps to swap, written by the dying kernel itself");
MODULE_AUTHOR("The Swapcore Authors");
MODULE_LICENSE("Dual BSD/GPL");
