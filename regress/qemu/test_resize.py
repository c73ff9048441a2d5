# SPDX-License-Identifier: BSD-2-Clause
"""A disk that changes while it is armed: it gets another size, or is pulled
out.  The log says so, and what can still be dumped is."""

import crash
import disk
import test_truth
from case import test

MIB = 1 << 20
SYS = "/sys/kernel/swapcore"

# The host does something to the disk between the two lines.
PAUSE = """
echo "@@armed"
read -r word
"""

# Waits until nothing is armed.
DISARMED = f"""
n=0
until [ "$(cat {SYS}/state)" = disarmed ]; do
	[ $((n += 1)) -le 300 ] || die "still armed"
	usleep 100000
done
say reason cat {SYS}/reason
say list dumpon -l -v
"""


def resized(case, bus, mib, rescan="", **more):
    """A dump to a disk of 298 MiB that becomes as large as this while it is
    armed, and has its window whole."""
    def meet(vm):
        vm.data.wait("@@armed", 90)
        vm.qmp.cmd("block_resize", device="disk0", size=mib * MIB)
        vm.data.send("it has another size")
        vm.console.wait(f"swapcore: .*: its disk has {mib} MiB now, and had "
                        "298; the window is whole, and stays armed", 30)
        vm.data.send("go on")

    dead = crash.kill(case, bus, swap_mib=288, meet=meet, work=f"""
{PAUSE}
{rescan}
read -r word
[ "$(cat {SYS}/state)" = armed ] || die "not armed any more"
""", **more)
    dead.check_complete()
    test_truth.compare(dead, dead.save())


@test(slow=True)
def resize_that_spares_the_window_is_dumped_to(case):
    """a virtio disk that shrinks to the end of its window stays armed, and takes
    a dump that equals memory."""
    resized(case, "virtio", 293)


@test(slow=True, module="virtio_scsi")
def resize_that_grows_the_disk_is_dumped_to(case):
    """a virtio-scsi disk that grows stays armed, and takes a dump that equals
    memory."""
    resized(case, "scsi", 320,
            "for one in /sys/class/block/sd*/device/rescan; do echo 1 >$one; "
            "done", before=["-device",
                            "virtio-scsi-pci,id=host,disable-legacy=on"])


@test(more=True)
def resize_that_cuts_the_window_disarms(case):
    """a disk that shrinks below the end of its window is disarmed, which the log
    and dumpon -l say, and is armed when it has its size again."""
    script = crash.arm_script("/dev/vda", crashme="") + PAUSE + DISARMED + \
        PAUSE + """
n=0
until [ "$(cat /sys/block/vda/size)" = 131072 ]; do
	[ $((n += 1)) -le 300 ] || die "it is as small as it was"
	usleep 100000
done
dumpon /dev/vda || die "not armed again"
"""
    with case.boot(script, disk.attach(case.disk(64, None), "virtio"),
                   mem_mib=256) as vm:
        at, _ = vm.data.wait("@@armed", 90)
        vm.qmp.cmd("block_resize", device="disk0", size=60 * MIB)
        vm.data.send("go on")
        vm.data.wait("@@armed", 60, at + 1)
        vm.qmp.cmd("block_resize", device="disk0", size=64 * MIB)
        vm.data.send("go on")
        _, end = vm.data.wait("@@(end .*|die .*)", 60)
        case.equal(end[1], "end 0", "the guest's script")
        vm.wait_exit(30)
        console = vm.console.text()
        found = crash.blocks(vm.data.text())
    case.scan(console)
    why = "the disk shrank, and the window is not whole any more"
    case.check(f"swapcore: disarmed: {why}" in console, "the log is silent")
    case.check(why in found["reason"][0], f"the reason: {found['reason']}")
    case.check(found["list"][0].startswith(f"none: {why}"),
               f"dumpon -l: {found['list']}")


# A slot from which a disk can be pulled out.
SLOT = ["-device", "pcie-root-port,id=hot,slot=1,chassis=1"]


def pulled(case, bus, device):
    """An armed disk is pulled out, with swap on it."""
    script = crash.arm_script(device, crashme="") + PAUSE + DISARMED
    with case.boot(script, [*SLOT, *disk.attach(
            case.disk(64, None), bus, options="id=pulled,bus=hot")],
                   mem_mib=256) as vm:
        vm.data.wait("@@armed", 90)
        vm.qmp.cmd("device_del", id="pulled")
        vm.data.send("go on")
        _, end = vm.data.wait("@@(end .*|die .*)", 60)
        case.equal(end[1], "end 0", "the guest's script")
        found = crash.blocks(vm.data.text())
        console = vm.console.text()
    case.check("swapcore: disarmed: the dump device's driver was unbound"
               in console, "the log is silent")
    case.check("unbound" in found["reason"][0],
               f"the reason: {found['reason']}")


@test(slow=True, more=True)
def unplug_disarms_virtio(case):
    """a virtio disk that is pulled out of its slot is disarmed."""
    pulled(case, "virtio", "/dev/vda")


@test(slow=True, more=True)
def unplug_disarms_nvme(case):
    """an NVMe disk that is pulled out of its slot is disarmed."""
    pulled(case, "nvme", "/dev/nvme0n1")


@test(slow=True)
def unplug_of_one_leaves_the_other(case):
    """of two armed disks the one that is pulled out is disarmed, and the other
    takes a dump that equals memory."""
    first = case.disk(64, None)

    def meet(vm):
        vm.data.wait("@@armed", 90)
        vm.qmp.cmd("device_del", id="pulled")
        vm.data.send("go on")

    dead = crash.kill(
        case, "nvme", meet=meet, dumpon="dumpon -d 0 /dev/vda",
        before=[*SLOT, *disk.attach(first, "virtio", 1,
                                    "id=pulled,bus=hot")],
        find="make_swap /dev/vda\n", work=f"""{PAUSE}
n=0
while grep -q vda {SYS}/device; do
	[ $((n += 1)) -le 300 ] || die "still armed"
	usleep 100000
done
say devices cat {SYS}/device
say reason cat {SYS}/reason
""")
    case.equal(dead.found["devices"], ["/dev/nvme0n1p2"], "what is armed")
    case.check("swapcore: /dev/vda disarmed: " in dead.console,
               "the log is silent")
    case.check(dead.found["reason"][0].startswith("/dev/vda: "),
               f"the reason: {dead.found['reason']}")
    dead.check_complete()
    test_truth.compare(dead, dead.save())
