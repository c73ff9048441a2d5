# SPDX-License-Identifier: BSD-2-Clause
"""kdump's core and ours of one and the same panic, which must agree.

With crash_kexec_post_notifiers the module dumps first, and then kdump's kernel
saves the same memory.  What happens in between is all that may differ: the log
goes on, and so does the task that panicked, in the kernel's panic().
"""

import json
import os
import re
import struct

import crash
import kdump
import memory
import test_formats
from case import Skip, test

PAGE = crash.PAGE
PT_LOAD = 1
FIRST = "sysrq_handle_crash"    # the function that calls panic()
# Pages that the kernel writes to between the two, beside the module's own: of
# the log, the console, the stack of the one that panics, kexec.
CHANGED = 64
ABOUT = """
say own cat /sys/kernel/swapcore/own
say iomem grep 'Crash kernel' /proc/iomem
"""


def lines(text):
    return text.rstrip("\n").split("\n")


def goes_on(case, longer, shorter, what):
    """Nothing of the shorter log is other in the longer one."""
    first, more = lines(shorter), lines(longer)
    case.check(len(first) > 200, f"{what}: only {len(first)} lines")
    case.equal(more[:len(first)], first, what)


def from_first(text):
    """A backtrace from the function on that called panic(), without numbers.
    Of that one we have the registers, with the address of the call, and kdump
    where it returns to: only its stack pointer can be compared."""
    found = lines(text)
    frames = [n for n, line in enumerate(found) if re.match(" *#", line)]
    while frames and FIRST not in found[frames[0]]:
        frames.pop(0)
    if len(frames) < 2:
        return None
    first = found[frames[0]].partition(FIRST)
    return [re.sub(r"^ *#\d+ *", "", line) for line in
            (first[0] + first[1], *found[frames[1]:])]


def same_stack(case, ours, theirs, what):
    """As far as both went the same way."""
    mine = from_first(ours)
    case.check(mine and len(mine) > 5, f"{what}: {ours}")
    case.equal(mine, from_first(theirs), what)


def libkvm_agrees(case, ours, theirs):
    """What crashinfo tells of both."""
    def told(core, *argv):
        return crash.run_tool(case, "crashinfo", "-M", core, *argv)
    for command in (("ps",), ("modules",), ("files",)):
        case.equal(lines(told(ours, *command)), lines(told(theirs, *command)),
                   f"crashinfo {command[0]}")
    goes_on(case, told(theirs, "dmesg"), told(ours, "dmesg"), "the log")
    case.equal(*(json.loads(told(core, "--json"))["signature"]
                 for core in (theirs, ours)), "the signature")
    mine, other = (re.split(r"\n(?=CPU|process)", told(core, "bt", "-a"))
                   for core in (ours, theirs))
    case.log("crashinfo.ours", "\n\n".join(mine))
    case.log("crashinfo.theirs", "\n\n".join(other))
    case.equal(len(mine), len(other), "backtraces")
    case.check(len(mine) > 40, f"{len(mine)} backtraces")
    for one, two in zip(mine, other):
        if FIRST in one:
            case.equal(lines(one)[0], lines(two)[0], "who died")
            same_stack(case, one, two, "crashinfo bt -a of the one that died")
        else:
            case.equal(lines(one), lines(two), "one of crashinfo bt -a")


def elf_pages(path):
    """{physical address: offset in the file} of an ELF core's pages."""
    with open(path, "rb") as stream:
        head = stream.read(64)
        at, = struct.unpack_from("<Q", head, 32)
        count, = struct.unpack_from("<H", head, 56)
        if count == 0xffff:
            stream.seek(struct.unpack_from("<Q", head, 40)[0])
            count, = struct.unpack_from("<I", stream.read(64), 44)
        stream.seek(at)
        table = stream.read(56 * count)
    found = {}
    for n in range(count):
        kind, _, offset, _, start, size = struct.unpack_from(
            "<IIQQQQ", table, 56 * n)
        if kind == PT_LOAD:
            found.update((start + i, offset + i)
                         for i in range(0, size // PAGE * PAGE, PAGE))
    return found


def apart(found):
    """Pages that the module has for itself, and those that kdump's kernel has,
    which at level 1 are in our dump."""
    return {start for first, end, _ in memory.own_ranges(
                [*found["own"], *map(str.strip, found["iomem"])])
            for start in range(first // PAGE * PAGE, end, PAGE)}


def memory_agrees(case, ours, theirs, used):
    """All pages of both cores, in ELF, but for those in use meanwhile and a few
    that change.  makedumpfile's format has pages of zeros all the same."""
    mine, other = elf_pages(ours), elf_pages(theirs)
    both, differ, more = 0, [], []
    with open(ours, "rb") as one, open(theirs, "rb") as two:
        for start, offset in sorted(other.items()):
            if start in used:
                continue
            two.seek(offset)
            page = two.read(PAGE)
            if start not in mine:
                if any(page):
                    more.append(start)
                continue
            both += 1
            one.seek(mine[start])
            if one.read(PAGE) != page:
                differ.append(start)
    less = sorted(mine.keys() - other.keys() - used)
    case.log("pages", "".join(
        f"{what}: {' '.join(map(hex, found))}\n" for what, found in
        (("differ", differ), ("only ours", less), ("only theirs", more))))
    case.check(both > 5000, f"{both} pages are in both")
    case.check(len(differ) + len(less) + len(more) < CHANGED,
               f"of {both} pages {len(differ)} differ, {len(less)} we have alone, "
               f"{len(more)} kdump")


def crash_agrees(case, said, theirs):
    for form, mine in said.items():
        same_stack(case, mine["bt"], theirs["bt"], f"{form}: crash's bt")
        case.equal(lines(mine["one"]), lines(theirs["one"]),
                   f"{form}: crash's bt 1")
        goes_on(case, theirs["log"], mine["log"], f"{form}: crash's log")
        here, there = (test_formats.cpus(one["cpus"])
                       for one in (mine, theirs))
        case.equal(sorted(here), ["0", "1"], f"{form}: CPUs in crash's bt -a")
        for cpu, (head, stack) in here.items():
            what = f"{form}: crash's bt -a of CPU {cpu}"
            case.equal(head, there[cpu][0], what)
            if FIRST in stack:
                same_stack(case, stack, there[cpu][1], what)
            else:
                case.check(stack.count("#") > 3, f"{what}: {stack}")
                case.equal(lines(stack), lines(there[cpu][1]), what)


def drgn_agrees(case, said, theirs):
    for form, mine in said.items():
        case.equal(lines(mine["tasks"]), lines(theirs["tasks"]),
                   f"{form}: drgn's tasks and stacks")
        case.check(mine["tasks"].count("\ntask ") > 40, f"{form}: drgn's tasks")
        goes_on(case, theirs["log"], mine["log"], f"{form}: drgn's log")
        case.equal(lines(mine["crashed"])[1], lines(theirs["crashed"])[1],
                   f"{form}: drgn's crashed thread")
        if case.kernel.version <= test_formats.DRGN_LAST:
            same_stack(case, mine["crashed"], theirs["crashed"],
                       f"{form}: drgn's stack of the crashed thread")


@test(slow=True, more=True)
def kdump_and_ours_of_one_panic_agree(case):
    """what kdump saves of a panic after us is what we saved: the memory, page by
    page; the backtraces of all CPUs and all tasks, the log, tasks, files and
    modules, whole, as crash, drgn and crashinfo tell them of our ELF and kdump
    files and of kdump's own."""
    if "cloud" not in case.kernel.release or \
            case.kernel.version not in ((6, 1), (6, 12)):
        raise Skip("the symbols of 6.1 and 6.12 are enough")
    symbols = test_formats.vmlinux(case)
    dead = kdump.kill(case, smp=2, swap_mib=600, work=ABOUT,
                      dumpon=f"dumpon -d {kdump.level(case.kernel)}")
    case.equal(crash.trailer(dead.image, kdump.SWAP)["state"], "COMPLETE",
               "the trailer's state")
    crash.extract(dead.image, kdump.SWAP, case.path("window.img"))
    crash.run_tool(case, "savecore", "-f", "-D", case.path("window.img"),
                   case.dir)
    core = case.path("linux.0.core")
    libkvm_agrees(case, core, dead.vmcore)
    theirs = test_formats.convert(case, dead.vmcore, "elf", "their.elf")
    files = {form: test_formats.convert(case, core, form, f"our.{form}")
             for form in test_formats.FORMATS}
    memory_agrees(case, files["elf"], theirs, apart(dead.found))
    os.unlink(theirs)
    files["vmcore"] = dead.vmcore
    for tell, agree, last in (
            (test_formats.crash_says, crash_agrees, test_formats.CRASH_LAST),
            (test_formats.drgn_says, drgn_agrees, case.kernel.version)):
        if case.kernel.version > last:
            continue
        said = {form: tell(case, path, symbols, form)
                for form, path in files.items()}
        agree(case, said, said.pop("vmcore"))
