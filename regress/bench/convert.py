# SPDX-License-Identifier: BSD-2-Clause
"""savecore as a converter, and makedumpfile with the same work.

A guest dies with all its memory in the dump (level 0), and busy: files in a
tmpfs, processes.  Of that an ELF vmcore is made, which both read: what they
leave out and how they compress is the same, or named.  Rates are bytes of that
file by time.  They take turns, and find the file in the page cache.
"""

import os
import statistics
import subprocess

import case
import crash
import disk
import host
import versus
from case import Failed
from figure import figure, note, pairs
from vm import LostVM, NoLine

MIB = 1 << 20
GIB = 1 << 30
MEM_MIB = 1024
FILL_MIB = 384
ATTEMPTS = 3
REPORT_MS = 200

# Options of both; the same codec, but where the name says which.
JOBS = {
    "zstd1-lzo": (("-d", "31", "--zstd"), ("-l", "-d", "31")),
    "zstd1-zlib": (("-d", "31", "--zstd"), ("-c", "-d", "31")),
    "zlib": (("-d", "31", "-F", "kdump"), ("-c", "-d", "31")),
    "elf": (("-F", "elf"), ("-E", "-d", "0")),
}


class Run:
    """One conversion: MB/s of input, KiB at most, and bytes that came out."""

    def __init__(self, args, size, out, *argv):
        seconds, self.kib = host.timed(args, *argv)
        self.rate = size / 1e6 / seconds
        self.size = os.stat(out).st_blocks * 512
        disk.free(out)


def compare(args, name, vmcore, out):
    size = os.path.getsize(vmcore)
    for job, (ours, peer) in JOBS.items():
        runs = []
        for _ in range(args.runs):
            runs.append((Run(args, size, out, args.sbin["savecore"], *ours,
                             "-o", out, vmcore),
                         Run(args, size, out, "makedumpfile", *peer, vmcore,
                             out)))
        what = f"{name}-{job}"
        note(f"{what}: savecore {' '.join(ours)}, "
             f"makedumpfile {' '.join(peer)}")
        pairs(f"{what}-rate", "MB/s", [(one.rate, two.rate)
                                       for one, two in runs])
        figure(f"{what}-memory", "KiB", max(one.kib for one, _ in runs),
               max(two.kib for _, two in runs))
        figure(f"{what}-size", "MiB", runs[0][0].size / MIB,
               runs[0][1].size / MIB)


def report(args, name, core):
    """crashinfo's report of the core."""
    times = [host.timed(args, args.sbin["crashinfo"], "-M", core)[0] * 1e3
             for _ in range(2 * args.runs + 1)]
    figure(f"{name}-report", "ms", statistics.median(times), REPORT_MS)
    mib = os.path.getsize(core) / MIB
    note(f"{name}-report: crashinfo of a core of {mib:.0f} MiB; peer is the "
         f"goal; {min(times):.4g} to {max(times):.4g}")


def attempt(args, name):
    one = case.Case(name, args.kernels[0], args)
    failed = True
    try:
        dead = crash.kill(one, "virtio", swap_mib=MEM_MIB + 80,
                          mem_mib=MEM_MIB, dumpon="dumpon -d 0", dying_s=600,
                          work=versus.WORK.replace("FILL", str(FILL_MIB)))
        dead.check_complete()
        core, vmcore = dead.save(), one.path("vmcore")
        for _, path in dead.images:
            disk.free(path)
        disk.free(dead.image.path)
        disk.free(one.path("window.img"))
        report(args, name, core)
        crash.run_tool(one, "savecore", "-F", "elf", "-o", vmcore, core)
        disk.free(core)
        compare(args, name, vmcore, one.path("out"))
        failed = False
    finally:
        kept = one.finish(keep_logs=failed)
        if failed:
            note(f"{name}: logs: {kept}")


def measure(args, name):
    for again in range(ATTEMPTS):
        try:
            attempt(args, name)
            return
        except (LostVM, NoLine) as why:
            if again + 1 == ATTEMPTS:
                raise
            note(f"{name}: lost the machine: {why}")


def large(args, name):
    """The memory that it takes to save 64 GiB, which are zeros in a file that
    is one hole."""
    image, out = f"{args.work}/dump", f"{args.work}/out"
    half = 32 * GIB
    try:
        subprocess.run([args.mkdump, "-s", "-r", f"0x1000:{half}",
                        "-r", f"{half + GIB}:{half}", image], check=True,
                       stdout=subprocess.DEVNULL)
        for form, options in (("kcore", ()), ("zstd", ("--zstd",)),
                              ("kdump", ("-F", "kdump"))):
            seconds, kib = host.timed(args, args.sbin["savecore"], "-f", "-D",
                                      image, *options, "-o", out)
            if os.path.getsize(out) < MIB:
                raise Failed(f"{form}: a core of {os.path.getsize(out)} bytes")
            disk.free(out)
            figure(f"{name}-{form}-memory", "KiB", kib, host.GOAL_KIB)
            note(f"{name}-{form}: {64 * GIB / 1e6 / seconds:.0f} MB/s")
        note(f"{name}: peer is the goal, 64 MiB")
    finally:
        for path in (image, out):
            if os.path.exists(path):
                disk.free(path)
