# SPDX-License-Identifier: BSD-2-Clause
"""The rate and the memory of savecore(8), on the host.

The dump is one of 4 GiB that mkdump wrote: no page in it is zeros, so that
savecore leaves no holes, and its window is just as large as it must be, so that
cp copies the same bytes.
"""

import os
import shutil
import subprocess

import disk
from case import Failed
from figure import figure, note, pairs

GIB = 1 << 30
GOAL_KIB = 64 << 10


def timed(args, *argv):
    """Runs a program; (seconds, KiB at most)."""
    done = subprocess.run([f"{args.tools}/timed", *argv], check=False,
                          capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: exit {done.returncode}: "
                     f"{done.stderr.strip()[-300:]}")
    seconds, kib, _ = done.stdout.split()
    return float(seconds), int(kib)


def save(args, image, out):
    """One core; (MB/s, KiB).  Checks that it is whole."""
    os.mkdir(out)
    seconds, kib = timed(args, args.sbin["savecore"], "-f", "-D", image, out)
    core = os.path.getsize(f"{out}/linux.0.core")
    if core < 4 * GIB:
        raise Failed(f"savecore: a core of {core} bytes from 4 GiB")
    shutil.rmtree(out)
    return core / 1e6 / seconds, kib


def copy(args, image, out):
    """cp of the dump, window and all; MB/s."""
    seconds, _ = timed(args, "cp", image, out)
    size = os.path.getsize(out)
    disk.free(out)
    return size / 1e6 / seconds


def savecore(args, name):
    image, out = f"{args.work}/dump", f"{args.work}/out"
    half = 2 * GIB
    subprocess.run([args.mkdump, "-r", f"0x1000:{half}",
                    "-r", f"{1 << 32}:{half}", image],
                   check=True, stdout=subprocess.DEVNULL)
    try:
        copy(args, image, out)          # both find everything in the cache
        save(args, image, out)
        measured, peak = [], 0
        for _ in range(2 * args.runs + 1):
            rate, kib = save(args, image, out)
            measured.append((rate, copy(args, image, out)))
            peak = max(peak, kib)
    finally:
        disk.free(image)
        disk.free(out) if os.path.isfile(out) else shutil.rmtree(
            out, ignore_errors=True)
    note(f"{name}: {os.path.dirname(args.work)}, pairs in turn")
    pairs(f"{name}-rate", "MB/s", measured)
    figure(f"{name}-memory", "KiB", peak, GOAL_KIB)
    note(f"{name}-memory: peer is the goal, 64 MiB")
