// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * watch.c: looks at what is armed once a second: is the disk there and as large
 * as the window needs, and is the window what it was?  Nobody in the kernel is
 * told when a disk gets another size or a namespace goes.
 *
 * A disk that grows, or shrinks behind the window, stays armed: a dump driver
 * asks for no more than the window's end.
 */
#include <linux/workqueue.h>

#include <os/os.h>

#define WATCH_EVERY	HZ

static void watch_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(watch_look, watch_work);

/* Why the disk can't take the window any more; NULL: it can. */
static const char *
disk_lost(struct armed_disk *disk)
{
	const sector_t now = get_capacity(disk->gd), was = disk->sectors;
	const u32 per = disk->dd.blksize >> SECTOR_SHIFT;

	if (!device_is_registered(disk_to_dev(disk->gd)) || now == 0)
		return "the disk was taken away";
	if (now / per < disk->dd.nblks)
		return "the disk shrank, and the window is not whole any more";
	if (now != was) {
		disk->sectors = now;
		pr_info("swapcore: %s: its disk has %llu MiB now, and had "
		    "%llu; the window is whole, and stays armed\n",
		    disk->cfg->device, (u64)now >> (20 - SECTOR_SHIFT),
		    (u64)was >> (20 - SECTOR_SHIFT));
	}
	return NULL;
}

/* Disarms the first that is lost: true, there was one. */
static bool
watch_drop(void)
{
	struct armed_disk *disk;
	const char *why;
	unsigned int i;
	char text[96];

	for (i = 0; armed && armed->list[i]; i++) {
		disk = armed_disk_of(armed->list[i]);
		why = disk_lost(disk);
		if (!why)
			why = pin_lost(disk->cfg);
		if (!why)
			continue;
		snprintf(text, sizeof(text), "%s; run dumpon again", why);
		disarm_disk(disk, text);
		return true;
	}
	return false;
}

static void
watch_work(struct work_struct *work)
{
	mutex_lock(&arm_lock);
	while (watch_drop())
		;
	watch_begin();
	mutex_unlock(&arm_lock);
}

/*
 * At a whole second, when the timers of others wake the machine anyway.  It is
 * not deferrable: a window that others may write to meanwhile can't wait until a
 * CPU that sleeps has something else to do.
 */
void
watch_begin(void)
{
	if (armed)
		schedule_delayed_work(&watch_look,
		    round_jiffies_relative(WATCH_EVERY));
}

void
watch_fini(void)
{
	cancel_delayed_work_sync(&watch_look);
}
