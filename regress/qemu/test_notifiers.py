# SPDX-License-Identifier: BSD-2-Clause
"""The panic notifiers of others: behind ours, and never lost."""

import crash
import disk
from case import test


@test()
def unload_while_moving_is_safe(case):
    """a module whose panic notifier was first can be unloaded while ours goes
    ahead of it, and leaves nothing in the list."""
    image = case.disk(320)
    device = disk.node("nvme", 2)
    script = f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die "insmod swapcore"
round=0
while [ $((round += 1)) -le 40 ]; do
	insmod /crashme.ko first=1 || die "insmod crashme"
	dumpon {device} &
	usleep $((round * 4000))
	rmmod crashme || die "rmmod crashme"
	wait
	dumpon off || die "dumpon off"
done
insmod /crashme.ko first=1 || die "insmod crashme"
dumpon {device} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
say moved cat /sys/kernel/swapcore/moved
rmmod crashme || die "rmmod crashme"
insmod /crashme.ko first=1 || die "insmod crashme"
""" + crash.PANIC
    with case.boot(script, disk.attach(image, "nvme"), mem_mib=256,
                   smp=2) as vm:
        crash.await_dying(vm)
        case.scan(vm.console.text())
        moved = crash.blocks(vm.data.text())["moved"]
        vm.data.send("die")
        last = crash.await_dump(vm)
    case.check("dump complete" in last, last)
    case.check(any("crashme" in line for line in moved),
               f"crashme's notifier is not among those moved: {moved}")
