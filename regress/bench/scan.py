# SPDX-License-Identifier: BSD-2-Clause
"""How long the dying kernel looks at the pages of a machine that is idle, and
how much an armed module holds of it.

Pass 1 asks what each page is used for, and at level 31 looks for zeros in those
that stay; makedumpfile's two steps, which it is compared with, do the first
only, as level 30 does."""

import re
import subprocess

import case
import crash
import disk
import kdump
import refilter
from case import Failed
from figure import figure, note

SIZES_MIB = (1024, 4096)
LEVELS = ((31, ""), (30, "-classes"))
GOAL_MS = 2
GOAL_PERCENT = 0.01
LOOKED = re.compile(r"looked at all pages in (\d+) us")


def peer_seconds(one, dead):
    """makedumpfile's own account, on the host; None where it knows none."""
    mem = dead.memory()
    paddr, size = (int(word, 16) for word in
                   dead.found["vmcoreinfo"][0].split())
    vmcore = one.path("vmcore")
    refilter.write_vmcore(vmcore, dead.images, mem.read(paddr, size),
                          mem.word(dead.names()["page_offset_base"]))
    mem.close()
    done = subprocess.run(["makedumpfile", "-c", "-d", "31", "--message-level",
                           "16", vmcore, one.path("out")], text=True,
                          capture_output=True, check=False)
    disk.free(vmcore)
    return kdump.scan_seconds(done.stdout + done.stderr)


def our_seconds(console):
    """Pass 1, by the module's own line."""
    looked = LOOKED.search(console)
    if not looked:
        raise Failed("the console does not tell how long pass 1 took")
    return int(looked[1]) / 1e6


def one_run(args, name, mem_mib, level):
    """(ms of pass 1, makedumpfile's, bytes held)"""
    one = case.Case(f"{name}-{mem_mib}-{level}", args.kernels[0], args)
    good = False
    try:
        dead = crash.kill(one, "nvme", mem_mib=mem_mib, swap_mib=512,
                          dumpon=f"dumpon -d {level}", cpu="max",
                          work="say held cat /sys/kernel/swapcore/held\n")
        ours, peer = our_seconds(dead.console), peer_seconds(one, dead)
        good = True
        return (ours * 1000, peer and peer * 1000,
                int(dead.found["held"][0]))
    finally:
        one.finish(keep_logs=not good)


def measure(args, name):
    """Each size, and by how much what is held grows from one to the other."""
    helds = []
    for mem_mib in SIZES_MIB:
        for level, what in LEVELS:
            full = f"{name}-{mem_mib // 1024}g{what}"
            gib = mem_mib / 1024
            runs = [one_run(args, name, mem_mib, level)
                    for _ in range(args.runs)]
            ours, peer, held = min(runs, key=lambda run: run[0])
            note(f"{full}: level {level}, the quickest of {len(runs)} runs")
            figure(full, "ms/GiB", ours / gib, (peer or GOAL_MS * gib) / gib)
            if peer is None:
                note(f"{full}: makedumpfile told no time; peer: the goal")
        helds.append(held)
    growth = (helds[1] - helds[0]) / ((SIZES_MIB[1] - SIZES_MIB[0]) << 20)
    note(f"{name}-held-growth: of memory, as it grows; peer: the goal")
    figure(f"{name}-held-growth", "%", growth * 100, GOAL_PERCENT)
