// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * events.c: what may happen to an armed device: its driver is unbound or it is
 * removed; the machine suspends or hibernates; memory comes or goes; a module
 * registers a panic notifier ahead of ours, or drives a watchdog.
 *
 * arm_lock is taken here only where the event must wait for the disarming: the
 * controller's driver going (our DMA memory must go first), and sleep.  All
 * else is work for later, so that nobody waits for arm_lock under a lock that
 * arming may want.
 */
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include <os/os.h>

static struct workqueue_struct *events_wq;

/*
 * A device between disk and controller, on a bus of its own: virtio's.  The
 * controller's does not see when its driver is taken away.
 */
struct events_watch {
	struct notifier_block nb;
	struct device *dev;
	struct module *owner;		/* of the driver: keeps the bus */
	struct work_struct gone, release;
};

static int
on_watched(struct notifier_block *nb, unsigned long event, void *data)
{
	struct events_watch *w = container_of(nb, struct events_watch, nb);

	if (data == w->dev && (event == BUS_NOTIFY_UNBIND_DRIVER ||
	    event == BUS_NOTIFY_DEL_DEVICE))
		queue_work(events_wq, &w->gone);
	return NOTIFY_DONE;
}

static void
watched_gone(struct work_struct *work)
{
	struct events_watch *w = container_of(work, struct events_watch, gone);
	struct armed_disk *disk;
	unsigned int i;

	mutex_lock(&arm_lock);
	for (i = 0; armed && armed->list[i]; i++) {
		disk = armed_disk_of(armed->list[i]);
		if (disk->watch != w)
			continue;
		disarm_disk(disk, "the dump device's driver was unbound; run "
		    "dumpon again");
		break;
	}
	mutex_unlock(&arm_lock);
}

static void
watched_release(struct work_struct *work)
{
	struct events_watch *w =
	    container_of(work, struct events_watch, release);

	bus_unregister_notifier(w->dev->bus, &w->nb);
	cancel_work_sync(&w->gone);
	module_put(w->owner);
	put_device(w->dev);
	kfree(w);
}

struct events_watch *
events_watch(struct device *dev)
{
	struct events_watch *w;

	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return ERR_PTR(-ENOMEM);
	w->nb.notifier_call = on_watched;
	INIT_WORK(&w->gone, watched_gone);
	INIT_WORK(&w->release, watched_release);
	/* The driver stays until we are told of its going. */
	device_lock(dev);
	if (!dev->driver || !try_module_get(dev->driver->owner)) {
		device_unlock(dev);
		kfree(w);
		return ERR_PTR(-ENODEV);
	}
	w->dev = get_device(dev);
	w->owner = dev->driver->owner;
	(void)bus_register_notifier(dev->bus, &w->nb);
	device_unlock(dev);
	return w;
}

void
events_unwatch(struct events_watch *w)
{
	if (w)
		queue_work(events_wq, &w->release);
}

static void
rearm_work(struct work_struct *work)
{
	mutex_lock(&arm_lock);
	arm_asleep = false;
	/* Much may have changed meanwhile: look at all of it again. */
	arm_suspend("the machine was asleep; armed again at once");
	arm_resume();
	mutex_unlock(&arm_lock);
}

static DECLARE_WORK(events_rearm, rearm_work);

static void
memory_work(struct work_struct *work)
{
	mutex_lock(&arm_lock);
	/* While the machine goes to sleep nothing can be armed; all of it is
	 * armed anew when it is back. */
	if (armed && !arm_asleep) {
		arm_suspend("memory was added or taken away; armed again at "
		    "once");
		arm_resume();
	}
	mutex_unlock(&arm_lock);
}

static DECLARE_WORK(events_memory, memory_work);

static void
first_work(struct work_struct *work)
{
	mutex_lock(&arm_lock);
	hook_first();
	if (armed)
		feed_find();
	mutex_unlock(&arm_lock);
}

static DECLARE_WORK(events_first, first_work);

/* An armed disk that hangs from the controller dev; NULL: none. */
static struct armed_disk *
disk_below(const struct device *dev)
{
	struct armed_disk *disk;
	unsigned int i;

	for (i = 0; armed && armed->list[i]; i++) {
		disk = armed_disk_of(armed->list[i]);
		if (disk->bus.dev == dev)
			return disk;
	}
	return NULL;
}

static int
on_bus(struct notifier_block *nb, unsigned long event, void *data)
{
	struct armed_disk *disk;

	if (event != BUS_NOTIFY_UNBIND_DRIVER &&
	    event != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	mutex_lock(&arm_lock);
	while ((disk = disk_below(data)) != NULL)
		disarm_disk(disk, "the dump device's driver was unbound or the "
		    "device removed; run dumpon again");
	mutex_unlock(&arm_lock);
	return NOTIFY_DONE;
}

static struct notifier_block pci_nb = { .notifier_call = on_bus };

/* Of the many devices here only those with one driver are ever armed. */
static int
on_platform(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct device *dev = data;

	/* The driver stays while this event is told. */
	if (event != BUS_NOTIFY_UNBIND_DRIVER ||
	    strcmp(dev->driver->name, "virtio-mmio") != 0)
		return NOTIFY_DONE;
	return on_bus(nb, event, data);
}

static struct notifier_block platform_nb = { .notifier_call = on_platform };

static int
on_pm(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
		/* A kernel may die on its way to sleep, and back: it stays
		 * armed, and what is asleep by then is woken up. */
		mutex_lock(&arm_lock);
		arm_asleep = true;
		mutex_unlock(&arm_lock);
		break;
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		mutex_lock(&arm_lock);
		arm_asleep = true;
		arm_suspend("the machine is hibernating; armed again when "
		    "it is back");
		mutex_unlock(&arm_lock);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		queue_work(events_wq, &events_rearm);
		break;
	default:
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block pm_nb = { .notifier_call = on_pm };

/* The list of RAM has changed: arm again with the new one. */
static int
on_memory(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == MEM_ONLINE || event == MEM_OFFLINE)
		queue_work(events_wq, &events_memory);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = { .notifier_call = on_memory };

static int
on_module(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == MODULE_STATE_LIVE)
		queue_work(events_wq, &events_first);
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = on_module };

int
events_init(void)
{
	int error;

	events_wq = alloc_workqueue("swapcore", WQ_UNBOUND, 0);
	if (!events_wq)
		return -ENOMEM;
	error = bus_register_notifier(&pci_bus_type, &pci_nb);
	if (error != 0)
		goto pci;
	error = bus_register_notifier(&platform_bus_type, &platform_nb);
	if (error != 0)
		goto platform;
	error = register_pm_notifier(&pm_nb);
	if (error != 0)
		goto pm;
	error = register_memory_notifier(&memory_nb);
	if (error != 0)
		goto memory;
	error = register_module_notifier(&module_nb);
	if (error != 0)
		goto module;
	return 0;

module:
	unregister_memory_notifier(&memory_nb);
memory:
	unregister_pm_notifier(&pm_nb);
pm:
	bus_unregister_notifier(&platform_bus_type, &platform_nb);
platform:
	bus_unregister_notifier(&pci_bus_type, &pci_nb);
pci:
	destroy_workqueue(events_wq);
	return error;
}

void
events_fini(void)
{
	unregister_module_notifier(&module_nb);
	unregister_memory_notifier(&memory_nb);
	unregister_pm_notifier(&pm_nb);
	bus_unregister_notifier(&platform_bus_type, &platform_nb);
	bus_unregister_notifier(&pci_bus_type, &pci_nb);
	/* Runs what is queued: also the release of what was watched. */
	destroy_workqueue(events_wq);
}
