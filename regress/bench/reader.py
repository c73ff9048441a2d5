# SPDX-License-Identifier: BSD-2-Clause
"""What it costs to read a dump, with libkvm and with Debian's readers.

One guest with more than 5000 threads dies; savecore makes its core, and an ELF
core of the same memory for the others.  Each task is a process of its own, in
turn with its peers; all find both files in the page cache.
"""

import os
import random
import shutil
import statistics
import struct
import subprocess
import time

import case
import corefile
import crash
import disk
from case import Failed
from figure import figure, note
from vm import LostVM, NoLine

MIB = 1 << 20
PAGE = 4096
MEM_MIB = 1024
SYMBOLS = 1000
READS = 1000000
THREADS = 5000
ATTEMPTS = 3
PYTHON = "/usr/bin/python3"     # the one that Debian's drgn is for
HERE = os.path.dirname(os.path.abspath(__file__))

# A user may have less threads than that.
WORK = f"""
n=0
while [ $n -lt 300 ]; do threads 9 & n=$((n + 1)); done
wait
n=0
while [ $n -lt {THREADS - 3000} ]; do sleep 10000 & n=$((n + 1)); done
sleep 2
say ksyms cat /proc/kallsyms
"""

CRASH = {
    "open": [],
    "symbols": None,            # one command for each
    "ps": ["ps"],
    "log": ["log"],
}


def vmlinux(kernel):
    """The debug symbols that peers.sh fetched."""
    return f"{kernel.root}/usr/lib/debug/boot/vmlinux-{kernel.release}"


class Files:
    """The core, the ELF core, and what is to be read of them."""

    def __init__(self, args, name, one):
        dead = crash.kill(one, "virtio", swap_mib=MEM_MIB + 80,
                          mem_mib=MEM_MIB, work=WORK, dumpon="dumpon -d 0",
                          cpu="max", dying_s=600)
        dead.check_complete()
        self.core, self.vmcore = dead.save(), one.path("vmcore")
        crash.run_tool(one, "savecore", "-F", "elf", "-o", self.vmcore,
                       self.core)
        for _, path in dead.images:
            disk.free(path)
        disk.free(dead.image.path)
        disk.free(one.path("window.img"))
        self.vmlinux = vmlinux(one.kernel)
        self.tools = args.tools
        self.lists = {task: one.path(task)
                      for task in ("symbols", "random", "sequential")}
        rand = random.Random(name)
        self.symbols = self._symbols(rand, dead.found["ksyms"])
        self._addresses(rand)
        self.commands = {task: one.path(f"crash.{task}") for task in CRASH}
        for task, lines in CRASH.items():
            if lines is None:
                lines = [f"sym {symbol}" for symbol in self.names]
            with open(self.commands[task], "w", encoding="ascii") as out:
                out.write("\n".join([*lines, "quit", ""]))

    def _symbols(self, rand, lines):
        """Chooses functions whose names are those of nothing else; the sum of
        the addresses that the guest gave."""
        count, found = {}, {}
        for addr, letter, symbol, *module in (line.split() for line in lines):
            count[symbol] = count.get(symbol, 0) + 1
            if letter == "T" and not module:
                found[symbol] = int(addr, 16)
        self.names = rand.sample(sorted(symbol for symbol in found
                                        if count[symbol] == 1), SYMBOLS)
        with open(self.lists["symbols"], "w", encoding="ascii") as out:
            out.write("\n".join([*self.names, ""]))
        return sum(found[symbol] for symbol in self.names) % (1 << 64)

    def _addresses(self, rand):
        """Words here and there, and all there is, in the direct map."""
        core = corefile.Core(self.core)
        if core.exclsegs():
            raise Failed("the core has not all pages")
        # The first run is one page of the others.
        runs = sorted(core.memsegs())
        pages = [page for start, size in runs
                 for page in range(start // PAGE, (start + size) // PAGE)]
        with open(self.lists["random"], "wb") as out:
            for _ in range(READS):
                out.write(struct.pack("<Q", core.page_offset
                                      + rand.choice(pages) * PAGE
                                      + rand.randrange(0, PAGE, 8)))
        with open(self.lists["sequential"], "wb") as out:
            for start, size in runs:
                out.write(struct.pack("<QQ", core.page_offset + start, size))
        self.mib = len(pages) * PAGE / MIB


def more(files, task):
    return [files.lists[task]] if task in files.lists else []


def ours(files, task):
    return [f"{files.tools}/readkvm", files.core, task, *more(files, task)]


def drgn(files, task):
    return [PYTHON, f"{HERE}/readdrgn.py", files.vmcore, files.vmlinux, task,
            *more(files, task)]


def kdump(files, task):
    if task not in ("open", "random", "sequential"):
        return None
    return [f"{files.tools}/readkdump", files.vmcore, task, *more(files, task)]


def crash_utility(files, task):
    if task not in CRASH:
        return None
    return ["crash", "-s", "-i", files.commands[task], files.vmlinux,
            files.vmcore]


# How it is called, and how often each task is measured.
PEERS = {"drgn": (drgn, None), "libkdumpfile": (kdump, None),
         "crash": (crash_utility, 1)}


def peers(args):
    """Those that are here; says which are not."""
    symbols = vmlinux(args.kernels[0])
    drgn_here = os.path.exists(PYTHON) and subprocess.run(
        [PYTHON, "-c", "import drgn"], capture_output=True,
        check=False).returncode == 0
    here = {"drgn": drgn_here, "crash": shutil.which("crash") is not None,
            "libkdumpfile": os.path.exists(f"{args.tools}/readkdump")}
    for peer, is_here in here.items():
        if not is_here:
            note(f"libkvm: {peer} is not installed: not compared")
        elif peer != "libkdumpfile" and not os.path.exists(symbols):
            note(f"libkvm: {peer} needs {symbols}: not compared")
            here[peer] = False
    return [peer for peer in PEERS if here[peer]]


class Cost:
    """What one run took: seconds, of the CPU, KiB, and its answer."""

    def __init__(self, tools, argv):
        done = subprocess.run([f"{tools}/timed", *argv], check=False,
                              capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"{argv[0]}: exit {done.returncode}: "
                         f"{done.stderr.strip()[-300:]}")
        seconds, kib, cpu = done.stdout.split()
        told = dict(line.split(" ", 1) for line in
                    done.stderr.strip().split("\n")[-2:] if " " in line)
        self.seconds = float(told.get("seconds", seconds))
        self.cpu = float(cpu)
        self.kib = int(kib)
        self.answer = told.get("answer")


def copy_seconds(files):
    """The same bytes out of the page cache, by pread(2) alone."""
    buf = bytearray(MIB)
    fd = os.open(files.core, os.O_RDONLY)
    start = time.perf_counter()
    for at in range(0, os.fstat(fd).st_size, MIB):
        os.preadv(fd, [buf], at)
    seconds = time.perf_counter() - start
    os.close(fd)
    return seconds


def medians(costs):
    return (statistics.median(cost.seconds for cost in costs),
            statistics.median(cost.kib for cost in costs))


def tell(name, ms, kib, peer, costs):
    peer_s, peer_kib = medians(costs)
    figure(f"{name}-time-{peer}", "ms", ms, peer_s * 1e3)
    figure(f"{name}-memory-{peer}", "KiB", kib, peer_kib)


def one_task(files, name, task, compared, runs):
    """Measures a task and prints its figures."""
    mine, theirs, copies = [], {peer: [] for peer in compared}, []
    Cost(files.tools, ours(files, task))
    for run in range(runs):
        mine.append(Cost(files.tools, ours(files, task)))
        if task == "sequential":
            copies.append(copy_seconds(files))
        for peer in compared:
            argv, most = PEERS[peer]
            argv = argv(files, task)
            if argv is not None and (most is None or run < most):
                theirs[peer].append(Cost(files.tools, argv))
    answers = {cost.answer for costs in (mine, *theirs.values())
               for cost in costs if cost.answer is not None}
    if len(answers) != 1:
        raise Failed(f"{task}: different answers: {sorted(answers)}")
    seconds, kib = medians(mine)
    for peer, costs in theirs.items():
        if costs:
            tell(f"{name}-{task}", seconds * 1e3, kib, peer, costs)
    if copies:
        figure(f"{name}-{task}-time-copy", "ms", seconds * 1e3,
               statistics.median(copies) * 1e3)
    cpu = {who: statistics.median(cost.cpu for cost in costs) * 1e3
           for who, costs in {"ours": mine, **theirs}.items() if costs}
    note(f"{name}-{task}: ms of CPU, start and end included: "
         + ", ".join(f"{who} {ms:.4g}" for who, ms in cpu.items()))
    return mine[0].answer


def measure_files(args, name, files, compared):
    note(f"{name}: {files.mib:.0f} MiB of memory, all in the core; files in "
         f"{os.path.dirname(args.work)}")
    answers = {task: one_task(files, name, task, compared, args.runs)
               for task in ("open", "symbols", "ps", "log", "random",
                            "sequential")}
    if int(answers["symbols"], 16) != files.symbols:
        raise Failed("symbols: not the addresses that the guest gave")
    if int(answers["ps"].split()[0]) < THREADS:
        raise Failed(f"ps: only {answers['ps']} threads")


def attempt(args, name, compared):
    one = case.Case(name, args.kernels[0], args)
    failed = True
    try:
        measure_files(args, name, Files(args, name, one), compared)
        failed = False
    finally:
        kept = one.finish(keep_logs=failed)
        if failed:
            note(f"{name}: logs: {kept}")


def measure(args, name):
    compared = peers(args)
    for again in range(ATTEMPTS):
        try:
            attempt(args, name, compared)
            return
        except (LostVM, NoLine) as why:
            if again + 1 == ATTEMPTS:
                raise
            note(f"{name}: lost the machine: {why}")
