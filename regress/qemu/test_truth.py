# SPDX-License-Identifier: BSD-2-Clause
"""Ground truth: the core against the memory that QEMU itself saved."""

import re
import subprocess

import crash
import memory
from case import test

TASK_BYTES = 16384       # task_struct is smaller; its stack is exactly this

def allowed_ranges(dead, mem):
    """Lines for cmpcore -a: the few bytes that may differ, by name.

    The task that panics is in use: copying its own page shows the mark that
    page faults are off, and its stack is that of the notifiers behind ours.
    """
    lines = []
    for start, end, what in memory.own_ranges(dead.found["own"]):
        dead.case.check(mem.holds(start, end), f"own: {what} at {start:x}-"
                        f"{end:x} is not in memory")
        lines.append(f"{start:x} {end:x} {(end - start) // 4096} own:{what}")
    ranges = [(*place, 1) for place in mem.printk_ring()]
    names = dead.names()
    for addr, _, name in dead.symbols():
        for pattern, size in crash.VOLATILE.items():
            if re.fullmatch(pattern, name):
                ranges += [(each, size, name, 1)
                           for each in mem.per_cpu(addr, names)]
    task, stack = dead.held
    ranges += [(task, TASK_BYTES, "task_struct", 1),
               (stack, TASK_BYTES, "stack", 1)]
    for addr, length, name, limit in ranges:
        for start, end in mem.ranges(addr, length):
            lines.append(f"{start:x} {end:x} {limit} {name}")
    return lines


def run_cmpcore(dead, core, flags=0):
    """cmpcore's exit status and its lines, which are kept with the logs."""
    case = dead.case
    mem = dead.memory()
    with open(case.path("allowed"), "w", encoding="ascii") as out:
        out.write("\n".join(allowed_ranges(dead, mem)) + "\n")
    mem.close()
    with open(case.path("iomem"), "w", encoding="ascii") as out:
        out.write("\n".join(dead.found["iomem"]) + "\n")
    argv = [f"{case.tools}/cmpcore", "-c", core, "-r", case.path("iomem"),
            "-a", case.path("allowed"), "-f", f"{flags:x}"]
    for start, path in dead.images:
        argv += ["-m", f"{start:x}:{path}"]
    for start, path in dead.images_before:
        argv += ["-b", f"{start:x}:{path}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    case.log("cmpcore", done.stdout + done.stderr)
    return done.returncode, (done.stdout + done.stderr).strip().split("\n")


def compare(dead, core, flags=0):
    status, lines = run_cmpcore(dead, core, flags)
    bad = [line for line in lines if not line.startswith("differs: ")]
    dead.case.check(status == 0, f"cmpcore: {bad[0]} ... {bad[-1]}")


def truth(case, bus, **options):
    dead = crash.kill(case, bus, watch=lambda image: image.guards(2), **options)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    compare(dead, dead.save())


@test()
def comparer_sees_faults(case):
    """the comparison finds one wrong byte, and a page of RAM that the core
    lacks."""
    dead = crash.kill(case, "nvme")
    core = dead.save()
    compare(dead, core)
    text = crash.pattern(crash.SEED)[:64]
    with open(core, "r+b") as stream:
        at = stream.read().index(text)
        stream.seek(at)
        stream.write(bytes([text[0] ^ 1]))
    status, lines = run_cmpcore(dead, core)
    case.equal(status, 1, "cmpcore's status with one wrong byte")
    case.check(any(line.startswith("bad: page ") for line in lines),
               "no page is named")
    with open(core, "r+b") as stream:
        stream.seek(at)
        stream.write(text[:1])
    compare(dead, core)
    dead.found["iomem"].append("7fff0000-7fff0fff : System RAM")
    status, lines = run_cmpcore(dead, core)
    case.equal(status, 1, "cmpcore's status with a page missing")
    case.check("bad: page 0x7fff0000 of RAM is missing" in lines,
               f"cmpcore said {lines[0]}")


@test(all_kernels=True, more=True)
def nvme_core_equals_memory(case):
    """every page of the core is what QEMU found in memory: NVMe, one CPU,
    five-level page tables."""
    truth(case, "nvme", cpu="max")


@test(all_kernels=True, more=True)
def virtio_core_equals_memory(case):
    """every page of the core is what QEMU found in memory: virtio-blk, four
    CPUs, four-level page tables."""
    truth(case, "virtio", smp=4)


@test(slow=True)
def nvme_core_above_4g_equals_memory(case):
    """memory on both sides of the PCI hole is in the core: NVMe, 3 GiB."""
    truth(case, "nvme", mem_mib=3072, swap_mib=3300, smp=2)


@test(slow=True)
def virtio_core_above_4g_equals_memory(case):
    """memory on both sides of the PCI hole is in the core: virtio-blk,
    3 GiB."""
    truth(case, "virtio", mem_mib=3072, swap_mib=3300)


@test()
def nvme_4k_blocks_core_equals_memory(case):
    """a disk with blocks of 4096 bytes takes a dump that equals memory."""
    dead = crash.kill(case, "nvme", table=None, swap_mib=400,
                      options="logical_block_size=4096,"
                              "physical_block_size=4096")
    dead.check_complete()
    compare(dead, dead.save())


def below_dumplo(case, bus, table):
    """Swap that is in use, up to where the dump will begin, and the guards."""
    def watch(image):
        # The dump's place is known only later: keep everything.
        whole = case.path("before.img")
        subprocess.run(["cp", "--sparse=always", image.path, whole],
                       check=True)
        return whole

    used = """
mount -t tmpfs -o size=400m tmpfs /mnt
dd if=/dev/urandom of=/mnt/junk bs=1M count=190 2>/dev/null || die dd
say swaps cat /proc/swaps
"""
    dead = crash.kill(case, bus, watch=watch, work=used, table=table,
                      swap_mib=600)
    dead.check_complete()
    kilobytes = int(dead.found["swaps"][1].split()[3])
    case.check(kilobytes > 1000, f"only {kilobytes} KiB of swap were in use")
    start, _ = dead.image.part(dead.part)
    dumplo = crash.trailer(dead.image, dead.part)["dumplo"]
    case.check(dumplo >= crash.PAGE, f"dumplo is {dumplo}")
    after = dead.image.sha(0, start + dumplo)
    guards = dead.image.guards(dead.part)
    dead.image.path, path = dead.before, dead.image.path
    case.equal(after, dead.image.sha(0, start + dumplo), "below dumplo")
    case.equal(guards, dead.image.guards(dead.part), "around the window")
    dead.image.path = path


@test()
def nvme_below_dumplo_untouched(case):
    """with swap in use, page 0 and all below dumplo stay bit-identical: NVMe,
    GPT."""
    below_dumplo(case, "nvme", "gpt")


@test()
def virtio_below_dumplo_untouched(case):
    """with swap in use, page 0 and all below dumplo stay bit-identical:
    virtio-blk, MBR."""
    below_dumplo(case, "virtio", "mbr")
