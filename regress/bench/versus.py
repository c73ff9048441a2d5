# SPDX-License-Identifier: BSD-2-Clause
"""Swapcore against kdump: the same machine dies with either, and is looked at.

Same kernel, same disk, same things in memory.  With kdump, a second kernel
writes a core of makedumpfile's to the disk's file system and resets the machine.
With Swapcore the dying kernel writes to swap and resets the machine, and
savecore makes the core at the next boot, as the package's units run it.  Times
are those at which lines come out of the guest, by the host's clock; the two take
turns.
"""

import os
import re

import case
import crash
import disk
import guest
import kdump
import reader
import scan
from case import Failed
from figure import note, series
from vm import LostVM

BUS = "virtio"
SWAP, VAR = disk.node(BUS, 2), disk.node(BUS, kdump.PART)
SWAP_MIB = 1024
VAR_MIB = 1280
FILL_MIB = {1024: 512, 4096: 2048, 16384: 4096}
PANIC = r"sysrq: Trigger a crash"

# What both have in memory: files in a tmpfs, part of them random; many small
# ones, for their inodes; and processes.
WORK = """
mount -t tmpfs -o size=95% tmpfs /mnt || die tmpfs
dd if=/dev/urandom of=/mnt/random bs=1M count=8 2>/dev/null
cat /mnt/random /bin/busybox /swapcore.ko /sbin/* >/mnt/mixed
n=0 size=0 one=$(stat -c %s /mnt/mixed)
while [ $size -lt $((FILL << 20)) ]; do
	cp /mnt/mixed /mnt/fill.$((n += 1)) || die "no room in memory"
	size=$((size + one))
done
mkdir /mnt/small
n=0
while [ $n -lt 20000 ]; do
	: >/mnt/small/$((n += 1))
done
n=0
while [ $n -lt 100 ]; do
	sleep 10000 &
	n=$((n + 1))
done
sleep 1
say memory grep -E 'MemTotal|MemFree|Slab' /proc/meminfo
"""

# Both boots run this: the file says which of the two it is.
SCRIPT = f"""
await {VAR}
await {SWAP}
mount -t ext4 {VAR} /var || die "no /var"
if [ -e /var/dying ]; then
	AFTER
	swapon {SWAP} || die swapon
	echo "@@usable"
	LATER
	echo "@@finished"
	cd /var/crash
	say sizes du -k *
	cd /
	umount /var
	exit 0
fi
mkdir -p /var/lib /var/crash
make_swap {SWAP}
ARM
swapon {SWAP} || die swapon
{WORK}
: >/var/dying
{crash.PANIC}
"""

# panic=1 is the least that a kernel waits before it resets the machine but -1,
# at once, with which Debian's kernel does not say that it does.
SIDES = {
    "swapcore": {
        "arm": f"""
insmod /swapcore.ko || die "insmod swapcore"
sysctl -q -w kernel.panic=1
dumpon {SWAP} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
say held cat /sys/kernel/swapcore/held
""",
        "after": f"say saved savecore -a -v -D {SWAP}",
        "later": "say rest savecore --finish -v",
        "dumped": "swapcore: dump complete",
        "saving": ("@@begin saved", "@@done saved 0"),
        "core": "linux.0.core",
    },
    "kdump": {
        "arm": f"{kdump.LOAD}\nsay held cat /sys/kernel/kexec_crash_size\n",
        "after": ":",
        "later": ":",
        "dumped": None,
        "saving": ("@@capture$", "@@captured 0"),
        "core": "vmcore",
    },
}


class Died:
    """What one machine's death took, in seconds from its panic; in KiB held;
    and its core."""

    def __init__(self, one, side, mem_mib):
        self._side = side
        how = SIDES[side]
        script = SCRIPT.replace("ARM", how["arm"]).replace(
            "AFTER", how["after"]).replace("LATER", how["later"]).replace(
                "FILL", str(FILL_MIB[mem_mib]))
        image = one.disk(SWAP_MIB, scratch_mib=VAR_MIB)
        for part in (2, kdump.PART):
            guest.preallocate(image, part)
        disk.format_part(image, kdump.PART)
        options = {}
        if side == "kdump":
            options = {"append": kdump.APPEND,
                       "extra": kdump.archive(one.kernel, BUS)}
        with one.boot(script, disk.attach(image, BUS), mem_mib=mem_mib,
                      cpu="max", reboot=True, **options) as vm:
            self._watch(vm, how)
        self.core = one.path(how["core"])
        disk.fetch(image, kdump.PART, f"crash/{how['core']}", self.core)
        disk.free(image.path)

    def _watch(self, vm, how):
        crash.await_dying(vm, 600)
        at = len(vm.data.lines)
        vm.data.send("die")
        panic, _ = vm.console.wait(PANIC, 60)
        self._start = vm.console.times[panic]
        if how["dumped"]:
            crash.await_dump(vm, 300)
            done, _ = vm.console.wait(how["dumped"], 1)
            self.dumped = vm.console.times[done] - self._start
            self.scan_s = scan.our_seconds(vm.console.text())
        else:
            kdump.await_saved(vm)
            self.dumped = self._at(vm, "@@captured", at)
            self.scan_s = kdump.scan_seconds(vm.data.text())
            if self.scan_s is None:
                raise Failed("makedumpfile does not tell what its steps took")
        self.booted = self._at(vm, "@@ready", at)
        self.usable = self._at(vm, "@@(usable|die .*)", at)
        self.finished = self._at(vm, "@@finished", at)
        vm.data.wait("@@end 0", 60, at)
        found = crash.blocks(vm.data.text())
        self.held_kib = int(found["held"][0]) / 1024
        self.memory = found["memory"]
        sizes = dict(reversed(line.split("\t")) for line in found["sizes"])
        self.core_kib = int(sizes[how["core"]])
        self.all_kib = sum(map(int, sizes.values()))
        begin, end = how["saving"]
        self.saving = self._at(vm, end, at) - self._at(vm, begin, at)

    def _at(self, vm, pattern, start):
        """When a line came that matches."""
        index, found = vm.data.wait(pattern, 300, start)
        if found[0].startswith("@@die"):
            raise Failed(f"{self._side}: the guest's script: {found[0]}")
        return vm.data.times[index] - self._start


def look(args, one, side, core):
    """The first look at a core, on the host: who -> reader.Cost.

    The panic, its backtrace, the log and all processes; crashinfo's report has
    these and more.  For the others, the debug symbols are there already.
    """
    if side == "swapcore":
        argvs = {"crashinfo": [args.sbin["crashinfo"], "-M", core]}
    else:
        script = one.path("crash.in")
        with open(script, "w", encoding="ascii") as out:
            out.write("bt\nlog\nps\nquit\n")
        symbols = reader.vmlinux(one.kernel)
        argvs = {
            "crash": ["crash", "-s", "-i", script, symbols, core],
            "drgn": [reader.PYTHON, f"{reader.HERE}/readdrgn.py", core,
                     symbols, "look"]}
        here = reader.peers(args)
        argvs = {who: argv for who, argv in argvs.items() if who in here}
    return {who: reader.Cost(args.tools, argv)
            for who, argv in argvs.items()}


def zstd_kib(args, one, core):
    """What the core takes with savecore --zstd, in KiB."""
    path = one.path("zstd")
    crash.run_tool(one, "savecore", "-F", "kcore", "--zstd", "-o", path, core)
    size = os.path.getsize(path) / 1024
    disk.free(path)
    return size


def one_run(args, name, one, side, mem_mib):
    died = Died(one, side, mem_mib)
    died.looks = look(args, one, side, died.core)
    died.packed_kib = died.core_kib
    if side == "swapcore":
        died.packed_kib = zstd_kib(args, one, died.core)
    note(f"{name}: {side}: dump {died.dumped:.2f} s, booted "
         f"{died.booted:.2f} s, usable {died.usable:.2f} s; "
         + ", ".join(re.sub(": +", " ", line) for line in died.memory))
    return died


def die(args, name, side, mem_mib):
    """one_run(), again where the machine was lost."""
    for attempt in range(guest.ATTEMPTS):
        one = case.Case(f"{name}-{side}", args.kernels[0], args)
        failed = True
        try:
            died = one_run(args, name, one, side, mem_mib)
            failed = False
            return died
        except LostVM as why:
            note(f"{name}: lost the machine: {why}")
            if attempt + 1 == guest.ATTEMPTS:
                raise
        finally:
            kept = one.finish(keep_logs=failed)
            if failed:
                note(f"{name}: logs: {kept}")
    raise AssertionError


FIGURES = (
    ("held", "MiB", "held_kib", 1 / 1024),
    ("scan", "ms", "scan_s", 1000),
    ("dumped", "s", "dumped", 1),
    ("booted", "s", "booted", 1),
    ("usable", "s", "usable", 1),
    ("finished", "s", "finished", 1),
    ("saving", "s", "saving", 1),
    ("core", "MiB", "core_kib", 1 / 1024),
    ("packed", "MiB", "packed_kib", 1 / 1024),
    ("files", "MiB", "all_kib", 1 / 1024),
)


def tell(name, ours, peers):
    """The figures of all runs."""
    for what, unit, attribute, scale in FIGURES:
        series(f"{name}-{what}", unit,
               [getattr(died, attribute) * scale for died in ours],
               [getattr(died, attribute) * scale for died in peers])
    seconds = [died.looks["crashinfo"].seconds for died in ours]
    kib = [died.looks["crashinfo"].kib / 1024 for died in ours]
    for who in peers[0].looks:
        costs = [died.looks[who] for died in peers]
        series(f"{name}-look-{who}", "s", seconds,
               [cost.seconds for cost in costs])
        series(f"{name}-look-memory-{who}", "MiB", kib,
               [cost.kib / 1024 for cost in costs])


def measure(args, name, mem_mib):
    ours, peers = [], []
    for _ in range(args.runs):
        ours.append(die(args, name, "swapcore", mem_mib))
        peers.append(die(args, name, "kdump", mem_mib))
    tell(name, ours, peers)
