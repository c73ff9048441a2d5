# SPDX-License-Identifier: BSD-2-Clause
"""The registers of every CPU: the notes of the core against what QEMU, the
kernel's console and the test's own module say."""

import re

import backtrace
import corefile
import crash
from case import test

GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", *(
    f"r{n}" for n in range(8, 16)))     # in the order that spin.c loads
ALL = (*GENERAL, "rbp", "rsp")
# Scheduler and interrupts leave the spinning CPUs alone.
QUIET = "isolcpus=1-3 irqaffinity=0 nohz=off"

WHO = """
read -r pid rest </proc/self/stat
read -r comm </proc/self/comm
say who echo $pid $comm
say crashme grep '\\[crashme\\]' /proc/kallsyms
"""

SPIN = """
echo {spin} >/sys/module/crashme/parameters/spin
echo "@@dying"
read -r word
echo panic >/sys/module/crashme/parameters/how
"""


def qemu_registers(text):
    """What "info registers -a" says: of each CPU, registers by name."""
    found = []
    for block in text.split("CPU#")[1:]:
        pairs = re.findall(r"\b(R[A-Z0-9]{1,2}) *=([0-9a-f]{16})", block)
        found.append({name.lower(): int(value, 16) for name, value in pairs})
    return found


def places(dead):
    """crashme's symbols: name -> (start, end)."""
    found = sorted((int(line.split()[0], 16), line.split()[2])
                   for line in dead.found["crashme"])
    ends = [addr for addr, _ in found[1:]] + [found[-1][0] + 64]
    return {name: (addr, end) for (addr, name), end in zip(found, ends)}


def check_in(case, at, name, rip):
    """rip is in a function, or the part of it that was set apart as cold."""
    ranges = [at[one] for one in (name, f"{name}.cold") if one in at]
    case.check(any(start <= rip < end for start, end in ranges),
               f"rip {rip:#x} is not in {name}, {ranges}")


def check_panicking(dead, core, regs):
    """The header's panicking task, and where the note says that it was: in
    crashme_die(), or the part of it that the compiler set apart as cold."""
    case, at = dead.case, places(dead)
    pid, comm = dead.found["who"][0].split()
    case.equal((core.panic_cpu, core.panic_tid, core.comm),
               (0, int(pid), comm), "the header's panicking CPU, task, name")
    case.equal(regs["pid"], int(pid), "the pid of the panicking CPU's note")
    check_in(case, at, "crashme_die", regs["rip"])
    task, stack = dead.held
    case.equal(core.panic_task, task, "the header's panic_task")
    case.check(stack <= regs["rsp"] < stack + 16384,
               f"rsp {regs['rsp']:#x} is not in the task's stack {stack:#x}")


def spinning(case, spin):
    dead = crash.kill(case, "nvme", smp=4, append=QUIET, work=WHO,
                      watch=lambda image: None, panic=SPIN.format(spin=spin))
    dead.check_complete()
    core = corefile.Core(dead.save())
    notes, known = core.registers(), qemu_registers(dead.registers)
    case.log("registers", dead.registers + "\n".join(map(str, notes)))
    case.equal((core.ncpus, len(notes), len(known)), (4, 4, 4), "CPUs")
    at = places(dead)
    start, end = at["crashme_loop"][0], at["crashme_loop_end"][0]
    for cpu in (1, 2, 3):
        for name in ALL:
            case.equal(f"{notes[cpu][name]:#x}", f"{known[cpu][name]:#x}",
                       f"CPU {cpu}: {name}")
        for n, name in enumerate(GENERAL):
            value = (len(GENERAL) * cpu + n) * crash.STEP & (1 << 64) - 1
            case.equal(notes[cpu][name], value, f"CPU {cpu}: {name}")
        for rip in (notes[cpu]["rip"], known[cpu]["rip"]):
            case.check(start <= rip < end, f"CPU {cpu}: rip {rip:#x} is not "
                       f"in the loop [{start:#x}, {end:#x})")
        case.equal(notes[cpu]["eflags"] >> 9 & 1, int(spin == "irqs"),
                   f"CPU {cpu}: the interrupt flag")
    check_panicking(dead, core, notes[0])


@test()
def registers_of_spinning_cpus(case):
    """the registers of CPUs in a loop, and the place where the panicking one
    called panic(), are in the core as QEMU had them."""
    spinning(case, "irqs")


@test(all_kernels=True, more=True)
def registers_of_cpus_without_interrupts(case):
    """the same is so of CPUs that spin with interrupts off."""
    spinning(case, "noirqs")


def printed_registers(console):
    """The registers of the first oops on the console."""
    text = console[console.index("BUG: kernel NULL pointer"):]
    found = {}
    for name, value in re.findall(
            r"\b(R[A-Z0-9]{1,2}|EFLAGS): (?:[0-9]{4}:)?([0-9a-f]{8,16})\b",
            text[:text.index("Call Trace")]):
        found.setdefault(name.lower(), int(value, 16))
    return {("r" + name[1:].lstrip("0") if name[1:].isdigit() else name): value
            for name, value in found.items()}


@test()
def registers_of_an_oops(case):
    """after a write through a bad pointer the panicking CPU's registers and
    backtrace are those that the kernel printed."""
    dead = crash.kill(case, "nvme", smp=2, append="oops=panic isolcpus=1",
                      work=WHO, panic="""
echo "@@dying"
read -r word
echo null >/sys/module/crashme/parameters/how
""")
    dead.check_complete()
    path = dead.save()
    core = corefile.Core(path)
    notes, printed = core.registers(), printed_registers(dead.console)
    case.equal(sorted(name for name in ALL if name not in printed), [],
               "registers that are not on the console")
    for name in (*ALL, "eflags"):
        case.equal(f"{notes[0][name]:#x}", f"{printed[name]:#x}", name)
    check_panicking(dead, core, notes[0])
    found = re.search(r"RIP: 0010:(crashme_die\S*)\+(0x[0-9a-f]+)/",
                      dead.console)
    case.check(found, "the console does not say where it was")
    case.equal(notes[0]["rip"], places(dead)[found[1]][0] + int(found[2], 16),
               "rip")
    trace = backtrace.oopsed_as_printed(case, path, dead.console,
                                        "BUG: kernel NULL pointer")
    case.equal(trace["frames"][0]["registers"],
               {name: f"{value:#x}" for name, value in notes[0].items()
                if name in trace["frames"][0]["registers"]},
               "the registers of the backtrace")


@test()
def registers_of_the_cpu_that_panicked_first(case):
    """where all CPUs panic at once, the registers are there of the one that
    panicked: it was in the function that called panic()."""
    dead = crash.kill(case, "nvme", smp=4, work=WHO, panic="""
echo "@@dying"
read -r word
echo panic race >/sys/module/crashme/parameters/how
""")
    dead.check_complete()
    core = corefile.Core(dead.save())
    check_in(case, places(dead), "crashme_race",
             core.registers()[core.panic_cpu]["rip"])
