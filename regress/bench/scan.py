# SPDX-License-Identifier: BSD-2-Clause
"""How long the dying kernel looks at the pages of a machine that is idle, and
how much an armed module holds of it."""

import re
import subprocess

import case
import crash
import disk
import refilter
from case import Failed
from figure import figure, note

SIZES_MIB = (1024, 4096)
GOAL_MS = 2
GOAL_PERCENT = 0.01
LOOKED = re.compile(r"looked at all pages in (\d+) us")
STEP = re.compile(r"STEP \[Excluding (?:unnecessary|free) pages *\] *: "
                  r"([0-9.]+) seconds")


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
    steps = [float(text) for text in STEP.findall(done.stdout + done.stderr)]
    return sum(steps) if steps else None


def one_run(args, name, mem_mib):
    """(ms of pass 1, makedumpfile's, bytes held)"""
    one = case.Case(f"{name}-{mem_mib}", args.kernels[0], args)
    good = False
    try:
        dead = crash.kill(one, "nvme", mem_mib=mem_mib, swap_mib=512,
                          dumpon="dumpon -d 31", cpu="max",
                          work="say held cat /sys/kernel/swapcore/held\n")
        looked = LOOKED.search(dead.console)
        if not looked:
            raise Failed(f"the console: {dead.last}")
        peer = peer_seconds(one, dead)
        good = True
        return (int(looked[1]) / 1000, peer and peer * 1000,
                int(dead.found["held"][0]))
    finally:
        one.finish(keep_logs=not good)


def measure(args, name):
    """Each size, and by how much what is held grows from one to the other."""
    helds = []
    for mem_mib in SIZES_MIB:
        gib = mem_mib / 1024
        runs = [one_run(args, name, mem_mib) for _ in range(args.runs)]
        ours, peer, held = min(runs, key=lambda run: run[0])
        helds.append(held)
        note(f"{name}-{gib:.0f}g: the quickest of {len(runs)} runs")
        figure(f"{name}-{gib:.0f}g", "ms/GiB", ours / gib,
               (peer or GOAL_MS * gib) / gib)
        if peer is None:
            note(f"{name}-{gib:.0f}g: makedumpfile told no time; peer: the "
                 "goal")
    growth = (helds[1] - helds[0]) / ((SIZES_MIB[1] - SIZES_MIB[0]) << 20)
    note(f"{name}-held-growth: of memory, as it grows; peer: the goal")
    figure(f"{name}-held-growth", "%", growth * 100, GOAL_PERCENT)
