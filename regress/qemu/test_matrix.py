# SPDX-License-Identifier: BSD-2-Clause
"""Ground truth over everything that a machine can differ in.

Disk, block size, memory (5 GiB: on both sides of the PCI hole), CPUs, an IOMMU
that translates, and eight writers on the same disk: six combinations, in which
each pair of values but those with 5 GiB occurs, are of the usual set.
"""

import itertools

import crash
import disk
import test_truth
from case import test

MEMORY = {1: 1024, 5: 5120}         # GiB -> MiB
SCRATCH_MIB = 64
SLOT = "0000:00:05.0"

USUAL = (
    # bus, block bytes, GiB, CPUs, IOMMU, writers
    ("nvme", 512, 1, 1, "off", "idle"),
    ("nvme", 4096, 1, 4, "on", "busy"),
    ("nvme", 4096, 1, 1, "on", "idle"),
    ("virtio", 512, 5, 4, "on", "idle"),
    ("virtio", 4096, 1, 4, "off", "idle"),
    ("virtio", 512, 1, 1, "on", "busy"),
)

# Four writers past the page cache, four through it, each in a place of its own.
WRITERS = """
for n in 0 1 2 3 4 5 6 7; do
	how=oflag=direct
	[ $n -lt 4 ] || how=conv=fsync
	while :; do
		dd if=/sbin/savecore of={scratch} bs=64k count=16 \\
		    seek=$((128 * n)) $how 2>/dev/null || exit
	done &
done
sleep 1
say written cat /sys/class/block/{name}/stat
"""

PANIC = """
say group cat /sys/bus/pci/devices/{slot}/iommu_group/type 2>/dev/null
echo "@@dying"
read -r word
echo c >/proc/sysrq-trigger
"""

# What the group's type is; without an IOMMU there is no group.
GROUPS = {"off": "", "on": "DMA", "pt": "identity"}


def combination(case, bus, block, gib, cpus, iommu, load):
    """One combination, from boot to comparison."""
    options, before, append = f"addr={SLOT[8:10]}", (), ""
    if block != 512:
        options += (f",logical_block_size={block},"
                    f"physical_block_size={block}")
    if iommu != "off":
        before = ("-device", "intel-iommu")
        append = "intel_iommu=on" + (" iommu=pt" if iommu == "pt" else "")
        if bus == "virtio":
            options += ",iommu_platform=on"
    work = ""
    if load == "busy":
        scratch = disk.node(bus, 4)
        work = WRITERS.format(scratch=scratch, name=scratch[5:])
    dead = crash.kill(
        case, bus, swap_mib=MEMORY[gib] + 64, mem_mib=MEMORY[gib], table="mbr",
        layout={"sector": block, "scratch_mib": SCRATCH_MIB}, smp=cpus,
        before=before, append=append, options=options, work=work,
        panic=PANIC.format(slot=SLOT), watch=lambda image: image.guards(2))
    group = "".join(dead.found["group"])
    if load == "busy":
        sectors = int(dead.found["written"][0].split()[6])
        case.check(sectors > 1000, f"only {sectors} sectors were written")
    case.check(group.startswith(GROUPS[iommu]) and bool(group) ==
               bool(GROUPS[iommu]), f"the IOMMU group is {group!r}")
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    test_truth.compare(dead, dead.save())


def add(combo):
    """A test of its own for a combination."""
    bus, block, gib, cpus, iommu, load = combo

    def one(case):
        combination(case, *combo)

    one.__name__ = "_".join(("truth", bus, f"{block}b", f"{gib}g",
                             f"{cpus}cpu", f"iommu_{iommu}", load))
    one.__doc__ = (f"the core equals memory: {bus}, blocks of {block} bytes, "
                   f"{gib} GiB, CPUs: {cpus}, IOMMU: {iommu}, disk: {load}.")
    test(slow=combo not in USUAL)(one)


for chosen in (*itertools.product(
        ("nvme", "virtio"), (512, 4096), MEMORY, (1, 4), ("off", "on"),
        ("idle", "busy")), ("nvme", 512, 1, 4, "pt", "busy"),
               ("virtio", 4096, 1, 4, "pt", "idle")):
    add(chosen)
