# SPDX-License-Identifier: BSD-2-Clause
"""A driver that goes while its device is being armed."""

import disk
from case import test

SYS = "/sys/kernel/swapcore"


def unbind_while_arming(case, bus, driver):
    device = disk.node(bus, 2)
    case.run(f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
round=0
while [ $((round += 1)) -le 15 ]; do
	await {device}
	dumpon {device} 2>/dev/null &
	usleep $((round * 5000))
	echo 0000:00:05.0 >/sys/bus/pci/drivers/{driver}/unbind || die unbind
	wait
	[ "$(cat {SYS}/state)" = disarmed ] ||
		die "round $round: armed on a device without a driver"
	echo 0000:00:05.0 >/sys/bus/pci/drivers/{driver}/bind || die bind
done
await {device}
dumpon {device} || die "dumpon: $(cat {SYS}/reason)"
rmmod swapcore || die rmmod
""", disk.attach(case.disk(64), bus, options="addr=0x5"), mem_mib=256, smp=2)


@test()
def unbind_while_arming_disarms(case):
    """a driver that is unbound while its device is being armed leaves the
    dump disarmed, at whatever moment."""
    unbind_while_arming(case, "nvme", "nvme")


@test(slow=True)
def unbind_while_arming_disarms_virtio(case):
    """the same is so of virtio."""
    unbind_while_arming(case, "virtio", "virtio-pci")
