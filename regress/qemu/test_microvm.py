# SPDX-License-Identifier: BSD-2-Clause
"""A machine without PCI: its disks are virtio on the platform bus."""

import re

import crash
import disk
import test_truth
from case import test

# It makes one serial port by itself.  Its clocks are those of KVM; without that
# the kernel must be told how fast the only one runs, which is the host's.  Where
# that does not say so the guest's seconds are not real ones.
MACHINE = "microvm,acpi=on"
with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
    MHZ = re.search(r"cpu MHz\s*: ([0-9.]+)", cpuinfo.read())
CLOCK = f"tsc=reliable tsc_early_khz={float(MHZ[1] if MHZ else 2000) * 1000:.0f}"
PORT = ["-device", "isa-serial,chardev=dat,index=1"]
MODERN = ["-global", "virtio-mmio.force-legacy=off"]
SCSI = ["-device", "virtio-scsi-device,id=host"]


def truth(case, bus, before, kind, **more):
    """A dump that equals memory, on a controller that dumpon -l -v names."""
    name = disk.node(bus, 0).rpartition("/")[2]
    dead = crash.kill(case, bus, machine=MACHINE, append=CLOCK,
                      before=[*PORT, *MODERN, *before],
                      watch=lambda image: image.guards(2), work="""
say list dumpon -l -v
say pci ls /sys/bus/pci/devices
""", **more)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.check(f"({kind}, LNRO0005:" in dead.alive, "not armed without PCI")
    listed = "\n".join(dead.found["list"])
    case.log("list", listed)
    case.check(f"{name}: virtio LNRO0005:" in listed and
               "can take dumps" in listed, f"dumpon -l -v: {listed}")
    case.equal(dead.found["pci"], [], "PCI functions")
    test_truth.compare(dead, dead.save())


@test(module="virtio_mmio")
def microvm_core_equals_memory(case):
    """a dump to a virtio disk of a machine without PCI equals memory."""
    truth(case, "mmio", [], "virtio-blk")


@test(slow=True, module="virtio_mmio")
def microvm_scsi_core_equals_memory(case):
    """the same is so of a SCSI disk of such a machine."""
    truth(case, "scsi", SCSI, "virtio-scsi")


@test(slow=True, module="virtio_mmio")
def microvm_legacy_disk_is_refused(case):
    """a legacy virtio disk without PCI, QEMU's default there, is refused with a
    remedy."""
    data, _ = case.run("""
mkdir -p /var/lib
make_swap /dev/vda
insmod /swapcore.ko || die insmod
dumpon /dev/vda 2>/tmp/err && die "dumpon took it"
say said cat /tmp/err
say list dumpon -l -v
""", [*PORT, *disk.attach(case.disk(16, None), "mmio")],
                       machine=MACHINE, append=CLOCK, mem_mib=256)
    found = crash.blocks(data)
    case.equal(len(found["said"]), 1, "lines that dumpon said")
    case.check("force-legacy=off" in found["said"][0], f"dumpon said {found['said']}")
    case.check(any("can't take dumps: legacy virtio" in line
                   for line in found["list"]), f"dumpon -l: {found['list']}")


@test(slow=True, module="virtio_mmio", more=True)
def microvm_unbind_disarms(case):
    """a virtio disk without PCI disarms when its driver, or that of its
    transport, is unbound."""
    case.run("""
mkdir -p /var/lib
make_swap /dev/vda
insmod /swapcore.ko || die insmod
for bus in virtio/drivers/virtio_blk platform/drivers/virtio-mmio; do
	dumpon /dev/vda || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
	for one in /sys/bus/$bus/virtio0 /sys/bus/$bus/LNRO*; do
		[ -e $one/block ] || [ -e $one/virtio0/block ] || continue
		echo ${one##*/} >/sys/bus/$bus/unbind || die unbind
		back=${one##*/}
	done
	n=0
	until [ "$(cat /sys/kernel/swapcore/state)" = disarmed ]; do
		[ $((n += 1)) -le 300 ] || die "still armed: $bus"
		usleep 100000
	done
	grep -q unbound /sys/kernel/swapcore/reason || die "no reason"
	echo $back >/sys/bus/$bus/bind || die bind
	await /dev/vda
done
dumpon /dev/vda || die "not armed again"
rmmod swapcore || die rmmod
""", [*PORT, *MODERN, *disk.attach(case.disk(16, None), "mmio")],
             machine=MACHINE, append=CLOCK, mem_mib=256)
