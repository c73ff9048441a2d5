# SPDX-License-Identifier: BSD-2-Clause
"""The rate of a dump and the memory that arming holds, in QEMU's guests.

In one guest: fio writes to the swap partition through the stock driver, in all
ways that might be its best; then memory is filled, the partition is made swap
and armed, and the guest panics.  The image lies in memory with all its blocks
allocated and written, so that neither pays for that.
"""

import os
import re
import statistics

import case
import crash
import disk
import initramfs
import kdump
from case import Failed
from figure import figure, note, pairs
from vm import LostVM

MIB = 1 << 20
FIO = "/usr/bin/fio"
ENGINES = ("libaio", "io_uring")
BLOCKS = ("128k", "1m")
DEPTH = 32
ATTEMPTS = 4            # at a run whose machine is lost
ROUNDS = 3              # of each engine and block size

REGION_MIB = 1024       # at most, what fio writes at the partition's end
KDUMP_KIB = kdump.CRASHKERNEL_MIB << 10
DUMP_END = re.compile(r"dump complete: (\d+) MiB in ([0-9.]+) s, (\d+) MB/s")

# Programs and libraries, till most of memory is full, and a little that nothing
# can compress: a page of zeros is cheaper to read than one that holds something.
FILL = """
mount -t tmpfs -o size=95% tmpfs /mnt
dd if=/dev/urandom of=/mnt/random bs=1M count=32 2>/dev/null
n=0
while [ $n -lt 100 ]; do
	free=$(sed -n 's/^MemFree: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
	[ "$free" -gt LEAST ] || break
	cp -r /lib /usr /mnt/fill.$((n += 1))
done
say memory grep -E 'MemTotal|MemFree' /proc/meminfo
"""


def make_base(args):
    """The tests' initramfs, and fio behind it, not compressed."""
    path = f"{args.work}/base"
    args.kernels[0].make_base(args.program, args.guest, path)
    cpio = initramfs.Cpio()
    cpio.copy(FIO, "usr/bin/fio")
    for library in initramfs.libraries(FIO):
        cpio.copy(library, library)
    with open(path, "ab") as out:
        out.write(cpio.bytes())


def stock_script(device, swap_mib):
    """fio, by the stock driver, where the dump will go."""
    region = min(REGION_MIB, swap_mib - 16)
    lines = [f"await {device}"]
    for _ in range(ROUNDS):
        for engine in ENGINES:
            for block in BLOCKS:
                lines.append(
                    f"say {engine}-{block} {FIO} --minimal --name=x --thread "
                    f"--filename={device} --rw=write --direct=1 "
                    f"--ioengine={engine} --iodepth={DEPTH} --bs={block} "
                    f"--offset={swap_mib - region}m --size={region}m "
                    "--end_fsync=1")
    return "\n".join(lines) + "\n"


def stock_rates(text):
    """What fio said: way -> [MB/s]."""
    rates = {}
    for way, line in re.findall(r"@@begin (\S+-1\w+)\n(?:.*\n)*?(3;fio.*)\n",
                                text):
        words = line.split(";")
        kib, ms = int(words[46]), int(words[49])
        rates.setdefault(way, []).append(kib * 1024 / 1e3 / ms)
    if len(rates) != len(ENGINES) * len(BLOCKS):
        raise Failed("fio did not run in the guest: see boot1.data")
    return rates


def preallocate(image, part):
    """Writes the whole partition once."""
    start, length = image.part(part)
    block = os.urandom(MIB)
    with open(image.path, "r+b") as out:
        out.seek(start)
        for _ in range(length // MIB):
            out.write(block)


def arm_script(device):
    """Level 0: all pages are written, so that the rate is one of writing."""
    return f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die "insmod swapcore"
echo 0 >/sys/kernel/swapcore/level
dumpon {device} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
say held cat /sys/kernel/swapcore/held
"""


def one_run(one, bus, mem_mib, limit=None):
    """One guest: MB/s of the dump and of the stock driver, KiB held.

    limit: MB/s that the disk takes at most.
    """
    swap_mib = mem_mib + 80
    image = one.disk(swap_mib)
    preallocate(image, 2)
    device = disk.node(bus, 2)
    script = (stock_script(device, swap_mib)
              + FILL.replace("LEAST", str(mem_mib * 1024 // 6))
              + arm_script(device) + crash.PANIC)
    throttle = f"throttling.bps-write={limit * 10**6}" if limit else ""
    devices = disk.attach(image, bus, drive_options=throttle)
    with one.boot(script, devices, mem_mib=mem_mib, cpu="max") as vm:
        crash.await_dying(vm, 600)
        vm.data.send("die")
        last = crash.await_dump(vm, 300)
        text = vm.data.text()
    disk.free(image.path)
    end = DUMP_END.search(last)
    if not end:
        raise Failed(f"the console: {last}")
    rates = stock_rates(text)
    note(f"{one.name}: dump {end[1]} MiB in {end[2]} s, {end[3]} MB/s; fio: "
         + ", ".join(f"{way} {statistics.median(few):.0f}"
                     for way, few in rates.items()))
    best = max(statistics.median(few) for few in rates.values())
    return int(end[3]), best, int(crash.blocks(text)["held"][0]) / 1024


def run(args, name, *disk_and_memory):
    """one_run(), again where the machine was lost."""
    for attempt in range(ATTEMPTS):
        one = case.Case(name, args.kernels[0], args)
        failed = True
        try:
            measured = one_run(one, *disk_and_memory)
            failed = False
            return measured
        except LostVM as why:
            note(f"{name}: lost the machine: {why}")
            if attempt + 1 == ATTEMPTS:
                raise
        finally:
            kept = one.finish(keep_logs=failed)
            if failed:
                note(f"{name}: logs: {kept}")


def measure(args, name, bus, mem_mib, limit=None):
    runs = [run(args, name, bus, mem_mib, limit) for _ in range(args.runs)]
    pairs(f"{name}-dump", "MB/s", [(ours, peer) for ours, peer, _ in runs])
    figure(f"{name}-held", "KiB", runs[-1][2], KDUMP_KIB)
