# SPDX-License-Identifier: BSD-2-Clause
"""What libkvm finds in a core, through crashinfo(8), against what the guest
itself printed just before it died."""

import json
import re

import crash
from case import test

TELL = """
say ksyms cat /proc/kallsyms
say modules cat /proc/modules
say dmesg dmesg -r
"""


def crashinfo(case, core, command, *options):
    return crash.run_tool(case, "crashinfo", *options, "-M", core, command)


def same_lines(case, got, wanted, what):
    """Fails with the first line that differs."""
    for number, pair in enumerate(zip(got, wanted)):
        case.check(pair[0] == pair[1], f"{what}, line {number + 1}: "
                   f"{pair[0]!r} where {pair[1]!r} was expected")
    case.equal(len(got), len(wanted), f"lines of {what}")


def split_symbols(lines):
    """The kernel's lines as they are; of modules (address, letter, name,
    module).  The kernel shows as global what a module exports, libkvm what ELF
    calls so.  Trampolines and BPF programs are in no symbol table."""
    kernel = [line for line in lines if "\t[" not in line]
    modules = [re.sub(r"^(\S+ )(.)", lambda m: m[1] + m[2].lower(), line)
               for line in lines if re.search(r"\t\[(?!__builtin__|bpf\])",
                                              line)]
    return kernel, modules


def symbols(case, core, truth):
    got = split_symbols(crashinfo(case, core, "nm").rstrip("\n").split("\n"))
    wanted = split_symbols(truth)
    case.check(len(wanted[0]) > 50000, f"only {len(wanted[0])} symbols")
    case.check(len(wanted[1]) > 100, f"only {len(wanted[1])} of modules")
    same_lines(case, got[0], wanted[0], "the kernel's symbols")
    same_lines(case, got[1], wanted[1], "modules' symbols")


def kernel_log(case, core, truth):
    """The log ends later than what the guest could print of it."""
    records = json.loads(crashinfo(case, core, "dmesg", "--json"))
    got = []
    for rec in records:
        seconds, micro = divmod(rec["time_ns"] // 1000, 1000000)
        prefix = f"<{rec['facility'] << 3 | rec['level']}>" \
                 f"[{seconds:5d}.{micro:06d}] "
        got += [prefix + line for line in rec["text"].split("\n")]
        case.equal(rec["lost_before"], 0, "lost records")
    case.check(len(truth) > 100, f"dmesg has only {len(truth)} lines")
    same_lines(case, got[:len(truth)], truth, "the log")
    text = crashinfo(case, core, "dmesg")
    case.check("Kernel panic - not syncing: sysrq triggered crash" in text,
               "the log has no panic message")
    same_lines(case, text.rstrip("\n").split("\n"),
               [re.sub(r"^<\d+>", "", line).replace("\\", "\\\\")
                for line in got], "the log as text")


def modules(case, core, truth):
    got = [line.split() for line in
           crashinfo(case, core, "modules").rstrip("\n").split("\n")]
    wanted = [[words[0], words[1], words[4], words[5]] for words in
              (line.split() for line in truth)]
    case.equal(got, wanted, "modules")


def registers(case, core, dead):
    """The CPU that panicked was where the kernel's own message says."""
    cpus = json.loads(crashinfo(case, core, "regs", "--json"))
    died = [cpu for cpu in cpus if cpu["what"] == "panicked"]
    case.equal(len(died), 1, "CPUs that panicked")
    name = re.match(r"\w+", died[0]["symbol"] or "none")[0]
    trace = dead.console[dead.console.index("Kernel panic"):]
    case.check(f"{name}+0x" in trace, f"{name} is not in the call trace")


@test(all_kernels=True)
def nvme_core_tells_what_the_guest_told(case):
    """symbols, log, modules, registers and release read from a core with
    nothing else are those that the guest printed: NVMe, two CPUs."""
    dead = crash.kill(case, "nvme", work=TELL, smp=2)
    dead.check_complete()
    core = dead.save()
    symbols(case, core, dead.found["ksyms"])
    kernel_log(case, core, dead.found["dmesg"])
    modules(case, core, dead.found["modules"])
    registers(case, core, dead)
    about = json.loads(crashinfo(case, core, "uptime", "--json"))
    case.equal(about["release"], dead.found["uname"][0], "the release")
    case.equal(crashinfo(case, dead.window(), "dmesg"),
               crashinfo(case, core, "dmesg"), "the log of the raw device")
