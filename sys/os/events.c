// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * events.c: what may happen to an armed device: its driver is unbound or it is
 * removed; the machine suspends or hibernates; memory comes or goes; a module
 * registers a panic notifier ahead of ours.
 */
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include <os/os.h>

static void
rearm_work(struct work_struct *work)
{
	mutex_lock(&arm_lock);
	arm_resume();
	mutex_unlock(&arm_lock);
}

static DECLARE_WORK(events_rearm, rearm_work);

static int
on_bus(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event != BUS_NOTIFY_UNBIND_DRIVER &&
	    event != BUS_NOTIFY_DEL_DEVICE)
		return NOTIFY_DONE;
	mutex_lock(&arm_lock);
	if (armed && &armed->bus.pdev->dev == data)
		disarm("the dump device's driver was unbound or the device "
		    "removed; run dumpon again");
	mutex_unlock(&arm_lock);
	return NOTIFY_DONE;
}

static struct notifier_block bus_nb = { .notifier_call = on_bus };

static int
on_pm(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		mutex_lock(&arm_lock);
		arm_suspend("the machine is suspending; armed again when it "
		    "is back");
		mutex_unlock(&arm_lock);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		schedule_work(&events_rearm);
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
	if (event != MEM_ONLINE && event != MEM_OFFLINE)
		return NOTIFY_DONE;
	mutex_lock(&arm_lock);
	arm_suspend("memory was added or taken away; armed again at once");
	mutex_unlock(&arm_lock);
	schedule_work(&events_rearm);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = { .notifier_call = on_memory };

static int
on_module(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == MODULE_STATE_LIVE) {
		mutex_lock(&arm_lock);
		hook_first();
		mutex_unlock(&arm_lock);
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = on_module };

int
events_init(void)
{
	int error;

	error = bus_register_notifier(&pci_bus_type, &bus_nb);
	if (error != 0)
		return error;
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
	bus_unregister_notifier(&pci_bus_type, &bus_nb);
	return error;
}

void
events_fini(void)
{
	unregister_module_notifier(&module_nb);
	unregister_memory_notifier(&memory_nb);
	unregister_pm_notifier(&pm_nb);
	bus_unregister_notifier(&pci_bus_type, &bus_nb);
	cancel_work_sync(&events_rearm);
}
