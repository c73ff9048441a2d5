# SPDX-License-Identifier: BSD-2-Clause
"""Machines by their memory: little, much, in pieces, added while armed, and
memory that is no RAM."""

import os
import re

import corefile
import crash
import initramfs
import test_panic
import test_truth
from case import Skip, test

PAGE = crash.PAGE
MIB, GIB = 1 << 20, 1 << 30
MODULE = (1 << 32) + (3 << 30)      # where the memory module is
MODULE_MIB = 256
HELD_MAX = 0.0001                   # of memory, besides what all need
HELD_ALL = 4 * MIB

HELD = "say held cat /sys/kernel/swapcore/held\n"


def ram(found):
    """[(start, end)] of System RAM in the guest's /proc/iomem."""
    lines = (re.match(r" *([0-9a-f]+)-([0-9a-f]+) : System RAM", line)
             for line in found["iomem"])
    return [(int(one[1], 16), int(one[2], 16) + 1) for one in lines if one]


def sized(case, mem_mib, **options):
    """A machine of this size, most of which nobody has touched.  Memory is not
    compared: QEMU would write all of it to a file.  reserve=off: the host need not
    have that much."""
    dead = crash.kill(case, "nvme", mem_mib=mem_mib, work=HELD, dying_s=300,
                      before=["-object", f"memory-backend-ram,id=ram,"
                              f"size={mem_mib}M,reserve=off",
                              "-machine", "memory-backend=ram"],
                      dumpon="dumpon -d 31", memory_wanted=False, **options)
    dead.check_complete()
    path = dead.save()
    core = corefile.Core(path)
    size = sum(end - start for start, end in ram(dead.found))
    case.check(abs(core.counts[0] * PAGE - size) < MIB,
               f"{core.counts[0]} pages of RAM, where the guest has {size} "
               "bytes")
    case.check(core.counts[6] * PAGE > size // 8,
               f"{core.counts[6]} free pages are left out")
    held = int(dead.found["held"][0])
    case.check(held < HELD_ALL + size * HELD_MAX,
               f"{held} bytes are held on a machine of {size}")
    test_panic.check_pattern(dead, path)


@test()
def memory_128_mib(case):
    """a machine of 128 MiB arms and dumps, and its core reads."""
    sized(case, 128)


@test(slow=True)
def memory_16_gib(case):
    """the same is so with 16 GiB, on both sides of the PCI hole."""
    sized(case, 16384, swap_mib=1024, smp=2)


@test(slow=True)
def memory_64_gib(case):
    """the same is so with 64 GiB."""
    sized(case, 65536, swap_mib=2048, smp=2)


def hotplug(case, **options):
    """A guest of two nodes that gets a memory module while it is armed."""
    def plug(vm):
        vm.data.wait("@@plug", 120)
        vm.qmp.cmd("object-add", **{"qom-type": "memory-backend-ram",
                                    "id": "more", "size": MODULE_MIB * MIB})
        vm.qmp.cmd("device_add", driver="pc-dimm", id="module",
                   memdev="more", node=1, addr=MODULE)
        vm.modules.append((MODULE, MODULE_MIB * MIB))
        vm.data.send("plugged")
    before = ["-m", "slots=2,maxmem=8G"]
    for node in (0, 1):
        before += ["-object", f"memory-backend-ram,id=node{node},size=128M",
                   "-numa", f"node,nodeid={node},memdev=node{node}" +
                   (",cpus=0-1" if node == 0 else "")]
    work = f"""
echo "@@plug"
read -r word
cd /sys/devices/system/memory
_n=0
while [ ! -e memory{MODULE // (128 * MIB) + 1} ]; do
	[ $((_n += 1)) -le 600 ] || die "the memory module does not come"
	usleep 100000
done
for block in memory*; do
	[ "$(cat $block/state)" = online ] || echo online >$block/state
done
cd /
sleep 2
say state cat /sys/kernel/swapcore/state
say nodes cat /sys/devices/system/node/node1/meminfo
dd if=/dev/urandom of=/dev/shm/file bs=1M count=200 2>/dev/null
""" + crash.ABOUT
    return crash.kill(case, "nvme", before=before, smp=2, meet=plug,
                      work=work, swap_mib=640, dying_s=200, **options)


@test(slow=True, more=True)
def memory_added_to_a_node_is_dumped(case):
    """memory that is plugged into the second of two nodes while a device is
    armed, with a hole before it, is in the dump, which equals memory."""
    dead = hotplug(case)
    dead.check_complete()
    case.equal(dead.found["state"], ["armed"], "the state after the plugging")
    above = [(start, end) for start, end in ram(dead.found)
             if start >= MODULE]
    case.equal(above, [(MODULE, MODULE + MODULE_MIB * MIB)], "what was added")
    path = dead.save()
    core = corefile.Core(path)
    inside = sum(size for start, size in core.memsegs() if start >= MODULE)
    case.equal(inside, MODULE_MIB * MIB, "what is in the dump of it")
    test_truth.compare(dead, path)


@test(slow=True)
def persistent_memory_is_left_alone(case):
    """memory of ZONE_DEVICE, which has page structures and is no RAM, is not in
    the dump; all else is."""
    more = initramfs.more_modules(case.kernel.root, case.kernel.release,
                                  ("nd_e820", "nd_pmem"))
    if more is None:
        raise Skip("the kernel has no driver for it")
    archive, load = more
    dead = crash.kill(case, "nvme", append="memmap=64M!160M", extra=archive,
                      find=load, work="""
await /dev/pmem0
dd if=/dev/urandom of=/dev/pmem0 bs=1M count=60 2>/dev/null || die pmem
say zone sed -n '/zone *Device/,/spanned/s/ *spanned *//p' /proc/zoneinfo
""")
    case.equal(dead.found["zone"], [str(64 * MIB // PAGE)],
               "pages of ZONE_DEVICE")
    dead.check_complete()
    path = dead.save()
    core = corefile.Core(path)
    first, last = 160 * MIB, 224 * MIB
    inside = [(start, size) for start, size in core.memsegs()
              if start < last and start + size > first]
    case.equal(inside, [], "what is in the dump of it")
    test_truth.compare(dead, path)


ASIDE = 128 * MIB                   # where crashkernel= is
ASIDE_MIB = 64
NEEDED = """
say estimate cat /sys/kernel/swapcore/estimate
say vmstat grep -wE 'nr_free_pages|nr_anon_pages|nr_file_pages' /proc/vmstat
say asked dumpon -e
"""


def set_aside(case, level):
    """A machine with crashkernel=, and in there what an earlier system left."""
    junk = case.path("junk")
    with open(junk, "wb") as out:
        out.write(os.urandom(ASIDE_MIB * MIB))
    dead = crash.kill(
        case, "nvme", work=NEEDED, dumpon=f"dumpon -d {level}",
        append=f"nokaslr crashkernel={ASIDE_MIB}M@{ASIDE // MIB}M",
        before=["-device", f"loader,file={junk},addr={ASIDE},force-raw=on"])
    dead.check_complete()
    path = dead.save()
    core = corefile.Core(path)
    end = ASIDE + ASIDE_MIB * MIB
    inside = sum(min(start + size, end) - max(start, ASIDE)
                 for start, size in core.memsegs()
                 if start < end and start + size > ASIDE)
    aside = ASIDE_MIB * MIB if level & 16 else 0
    case.equal(inside, ASIDE_MIB * MIB - aside, "what is in the dump of it")
    told = f"{ASIDE_MIB * MIB // PAGE} set aside for a crash kernel"
    case.equal(told in dead.console, aside > 0, f"the console says {told!r}")
    test_truth.compare(dead, path)
    pages = dict(line.split() for line in dead.found["vmstat"])
    if level & 16 == 0:
        del pages["nr_free_pages"]
    rest = sum(end - start for start, end in ram(dead.found)) - aside - \
        sum(map(int, pages.values())) * PAGE
    estimate = int(dead.found["estimate"][0])
    case.check(core.data_size <= estimate and abs(estimate - rest) < 8 * MIB,
               f"{estimate} bytes are said to be needed, {core.data_size} were, "
               f"{rest} are the kernel's")
    asked = float(re.search(r"may need ([0-9.]+) MiB",
                            "\n".join(dead.found["asked"]))[1])
    case.check(abs(asked * MIB - estimate) < 8 * MIB,
               f"dumpon -e says {asked} MiB, and the module {estimate} bytes")


@test(slow=True)
def memory_set_aside_is_left_out(case):
    """what crashkernel= sets aside, whatever an earlier system left there, is
    not in a dump of level 31, nor in what is said to be needed."""
    set_aside(case, 31)


@test(slow=True)
def memory_set_aside_is_free_memory(case):
    """the same is in a dump of a level that keeps free pages."""
    set_aside(case, 15)
