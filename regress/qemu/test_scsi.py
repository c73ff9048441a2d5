# SPDX-License-Identifier: BSD-2-Clause
"""Dumps to a disk on a virtio-scsi host, with another disk beside it."""

import os

import crash
import disk
import test_matrix
import test_truth
from case import test

HOST = ["-device", "virtio-scsi-pci,id=host,disable-legacy=on"]
NEIGHBOUR_MIB = 16
# Neither target nor LUN is 0, and nor is the upper half of the LUN.
PLACE = "scsi-id=3,lun=261"


def neighbour(case, bus, index, options=""):
    """A disk of noise and its QEMU arguments."""
    path = case.path("neighbour.img")
    with open(path, "wb") as out:
        out.write(os.urandom(NEIGHBOUR_MIB << 20))
    noise = disk.Disk(path, NEIGHBOUR_MIB << 20)
    return noise, disk.attach(noise, bus, index, options)


# Which of the disks comes first depends on who was probed first.
FIND = """
n=0 name=
until [ "$name" ]; do
	for one in /sys/block/sd*; do
		[ "$(cat $one/size 2>/dev/null)" -gt 100000 ] &&
			name=${one##*/}
	done
	[ $((n += 1)) -le 600 ] || die "no large disk"
	[ "$name" ] || usleep 100000
done
for n in 1 2 3 4; do ln -s $name$n /dev/large$n; done
"""


def beside_truth(case, bus, before, options="", busy=False, **more):
    """A dump that equals memory, and the other disk stays bit-identical."""
    noise, devices = neighbour(case, bus, 1, "scsi-id=3,lun=5"
                               if bus == "scsi" else "")
    sha = noise.sha(0, noise.size)
    work = ""
    if busy:
        more["layout"] = {"scratch_mib": test_matrix.SCRATCH_MIB}
        work = test_matrix.WRITERS.format(scratch="/dev/large4",
                                          name="${name}4")
    dead = crash.kill(case, bus, before=[*before, *devices], options=options,
                      work=work, find=FIND, device="/dev/large2",
                      watch=lambda image: image.guards(2), **more)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.equal(noise.sha(0, noise.size), sha, "the other disk")
    if busy:
        sectors = int(dead.found["written"][0].split()[6])
        case.check(sectors > 1000, f"only {sectors} sectors were written")
    test_truth.compare(dead, dead.save())
    return dead


@test(module="virtio_scsi", more=True)
def scsi_core_equals_memory(case):
    """a dump to a disk of a virtio-scsi host equals memory, and another disk of
    the same target stays bit-identical."""
    beside_truth(case, "scsi", HOST, PLACE)


@test(slow=True, module="virtio_scsi")
def scsi_busy_core_equals_memory(case):
    """the same is so while eight writers keep the disk busy."""
    beside_truth(case, "scsi", HOST, PLACE, busy=True, smp=4)


@test(slow=True, module="virtio_scsi")
def scsi_4k_blocks_core_equals_memory(case):
    """the same is so of a disk with blocks of 4096 bytes, behind an IOMMU, of
    a host that takes one command at a time."""
    before = ["-device", "intel-iommu", "-device", "virtio-scsi-pci,id=host,"
              "disable-legacy=on,iommu_platform=on,cmd_per_lun=1"]
    beside_truth(case, "scsi", before, PLACE + ",logical_block_size=4096,"
                 "physical_block_size=4096", table="mbr",
                 layout={"sector": 4096}, append="intel_iommu=on")


def gone_disarms(case, bus, before, remove):
    """A disk that is taken away is not armed any more."""
    device = disk.node(bus, 2)
    case.run(f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
dumpon {device} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
{remove}
n=0
until [ "$(cat /sys/kernel/swapcore/state)" = disarmed ]; do
	[ $((n += 1)) -le 300 ] || die "still armed"
	usleep 100000
done
grep -q unbound /sys/kernel/swapcore/reason || die "no reason"
rmmod swapcore || die rmmod
""", [*before, *disk.attach(case.disk(64), bus)], mem_mib=256)


@test(slow=True, module="virtio_scsi")
def scsi_disk_gone_disarms(case):
    """a SCSI disk that is taken away, or whose host's driver is unbound,
    disarms."""
    gone_disarms(case, "scsi", HOST, "echo 1 >/sys/block/sda/device/delete")
    gone_disarms(case, "scsi", HOST, """
cd /sys/bus/virtio/drivers/virtio_scsi
for one in virtio*; do echo $one >unbind; done
cd /""")


@test(slow=True, module="ahci")
def list_says_what_can_be_armed(case):
    """every disk that dumpon -l -v says can take dumps is armed, and no
    other."""
    devices = [*HOST, "-device", "pvscsi,id=vmware"]
    for index, bus in enumerate(("nvme", "virtio", "scsi", "ahci")):
        devices += disk.attach(case.disk(16, None), bus, index)
    devices += ["-drive", "if=none,id=other,format=raw,file=" +
                case.disk(16, None).path,
                "-device", "scsi-hd,drive=other,bus=vmware.0"]
    data, _ = case.run("""
mkdir -p /var/lib
insmod /swapcore.ko || die insmod
await /dev/sdc
say list dumpon -l -v
for disk in nvme0n1 vda sda sdb sdc; do
	make_swap /dev/$disk
	if dumpon /dev/$disk 2>/tmp/err; then
		echo "@@armed $disk"
		dumpon off || die off
	else
		echo "@@refused $disk $(wc -l </tmp/err) $(cat /tmp/err)"
	fi
done
""", devices, mem_mib=256)
    said = crash.blocks(data)["list"]
    case.equal(said[1], "last dump: none in /var/crash", "the second line")
    lines = [line.split(": ", 2) for line in said[2:]]
    case.equal(sorted(line[0] for line in lines),
               ["nvme0n1", "sda", "sdb", "sdc", "vda"], "the disks listed")
    for name, kind, verdict in lines:
        can = verdict == "can take dumps"
        case.check(can or "VMware PVSCSI" in kind, f"{name}: {kind}")
        case.check((f"@@armed {name}\n" if can else f"@@refused {name} 1 ")
                   in data, f"{name}: {verdict}, but dumpon disagrees")
    case.equal(sum(line[2] == "can take dumps" for line in lines), 4,
               "how many can take dumps")
