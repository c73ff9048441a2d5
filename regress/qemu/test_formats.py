# SPDX-License-Identifier: BSD-2-Clause
"""Cores in the formats of other tools: read by those tools, and theirs by us.

The truth is QEMU's: its image of memory, and its own dumps of the same machine
at the same moment.
"""

import os
import re
import subprocess

import crash
import kdump
import test_truth
from case import Skip, test

FORMATS = ("elf", "kdump")
# QEMU asks the guest for VMCOREINFO through this.
VMCOREINFO = ("-device", "vmcoreinfo")
TOOL_TIMEOUT_S = 300
PYTHON = "/usr/bin/python3"     # which Debian's drgn is for
# Of later kernels crash 8.0.2 says nothing but that it fails, and drgn 0.0.22 tells
# no stacks: it does not know their ORC tables.
CRASH_LAST = DRGN_LAST = (6, 1)


def convert(case, core, form, name, *options):
    """savecore -F form; the path of the file."""
    path = case.path(name)
    crash.run_tool(case, "savecore", "-F", form, *options, "-o", path, core)
    return path


def same_file(case, one, two):
    done = subprocess.run(["cmp", one, two], check=False, text=True,
                          capture_output=True)
    case.equal(done.returncode, 0, done.stdout + done.stderr)


def tool(case, name, argv, **options):
    """Runs a tool that is not ours; what it printed."""
    done = subprocess.run(argv, capture_output=True, text=True,
                          errors="replace", check=False,
                          timeout=TOOL_TIMEOUT_S, **options)
    case.log(name, done.stdout + done.stderr)
    case.equal(done.returncode, 0, f"{' '.join(argv)}: "
               f"{done.stderr.strip()[-200:]}: exit status")
    return done.stdout


def peer_compare(case, dead, core, name):
    """All pages that libkdumpfile finds in a core, against QEMU's image."""
    allowed = case.path("allowed")
    mem = dead.memory()
    with open(allowed, "w", encoding="ascii") as out:
        out.write("\n".join(test_truth.allowed_ranges(dead, mem)) + "\n")
    mem.close()
    iomem = case.path("iomem")
    with open(iomem, "w", encoding="ascii") as out:
        out.write("\n".join(dead.found["iomem"]) + "\n")
    image = next(path for start, path in dead.images if start == 0)
    last = tool(case, f"cmppeer.{name}", [f"{case.tools}/cmppeer", core, image,
                                          allowed, iomem]).strip().split("\n")[-1]
    pages, _, bad, missing = map(int, re.findall(r"\d+", last))
    case.equal(bad, 0, f"{name}: pages that differ")
    return pages, missing


def put_together(case, core, path):
    """A kdump file that went through a pipe, as makedumpfile -R makes one."""
    flat = case.path("flat")
    with open(flat, "wb") as out:
        subprocess.run([case.sbin["savecore"], "-F", "kdump", "-o", "-", core],
                       stdout=out, stderr=subprocess.DEVNULL, check=True)
    with open(flat, "rb") as stream:
        tool(case, "makedumpfile.R", ["makedumpfile", "-R", path],
             stdin=stream)
    os.unlink(flat)


@test()
def peers_read_elf_and_kdump(case):
    """libkdumpfile finds every page of memory in ELF and kdump files,
    makedumpfile filters them, and what it makes libkvm reads; what goes to
    another format and back is the same file, also through a pipe."""
    dead = crash.kill(case, "virtio")
    dead.check_complete()
    core = dead.save()
    ram = os.path.getsize(core) // crash.PAGE
    log = crash.run_tool(case, "crashinfo", "-M", core, "dmesg")
    processes = crash.run_tool(case, "crashinfo", "-M", core, "ps")
    for form in FORMATS:
        path = convert(case, core, form, f"x.{form}")
        pages, _ = peer_compare(case, dead, path, form)
        case.check(ram - pages < 16, f"{form}: libkdumpfile finds {pages} of "
                   f"{ram} pages")
        back = convert(case, path, "kcore", "back.core")
        same_file(case, back, core)
        os.unlink(back)
        if form == "kdump":
            put_together(case, core, back)
            same_file(case, back, path)
            os.unlink(back)
        small = case.path(f"small.{form}")
        tool(case, f"makedumpfile.{form}",
             ["makedumpfile", "-d", "31", "-c", path, small])
        case.check(os.path.getsize(small) < os.path.getsize(core) // 4,
                   f"{form}: makedumpfile -d 31 left out next to nothing")
        for name in (path, small):
            case.equal(crash.run_tool(case, "crashinfo", "-M", name, "dmesg"),
                       log, f"the log in {name}")
            case.equal(crash.run_tool(case, "crashinfo", "-M", name, "ps"),
                       processes, f"the processes in {name}")
        pages, missing = peer_compare(case, dead, small, f"small.{form}")
        case.check(missing > pages, f"{small}: {missing} pages are missing")


@test(slow=True)
def dumps_of_qemu_are_read(case):
    """libkvm reads QEMU's own dumps of a guest, ELF and flattened kdump, and
    finds in them what it finds in a core of ours; savecore makes a core of
    them."""
    dead = crash.kill(case, "virtio", peers=("elf", "kdump-zlib"),
                      before=VMCOREINFO)
    dead.check_complete()
    core = dead.save()
    wanted = [crash.run_tool(case, "crashinfo", "-M", core, command)
              for command in ("modules", "ps")]
    for form, path in dead.peers.items():
        for name in (path, convert(case, path, "kcore", f"{form}.core")):
            got = [crash.run_tool(case, "crashinfo", "-M", name, command)
                   for command in ("modules", "ps")]
            case.equal(got, wanted, f"modules and processes in {name}")
        os.unlink(case.path(f"{form}.core"))


def vmlinux(case):
    """The kernel's debug symbols."""
    root = os.path.dirname(case.kernel.root)
    done = subprocess.run(
        ["sh", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "../debug.sh"), root, case.kernel.release],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no debug symbols: {done.stderr.strip()[-200:]}")
    return done.stdout.strip()


def sections(text):
    """What a script's `== name' lines divide: name -> text."""
    parts = re.split(r"^== (\w+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def crash_says(case, core, symbols, name):
    """crash(8): the panicking task, all CPUs, process 1, the log."""
    script = case.path("crash.in")
    with open(script, "w", encoding="ascii") as out:
        out.write("set scroll off\n")
        for part, command in (("bt", "bt"), ("cpus", "bt -a"), ("one", "bt 1"),
                              ("log", "log")):
            out.write(f"!echo '== {part}'\n{command}\n")
        out.write("quit\n")
    said = sections(tool(case, f"crash.{name}",
                         ["crash", "-s", "-i", script, core, symbols],
                         env={**os.environ, "HOME": case.dir}))
    case.equal(sorted(said), ["bt", "cpus", "log", "one"], f"{name}: crash")
    return said


DRGN = """
import sys
from drgn import Program
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg
prog = Program()
prog.set_core_dump(sys.argv[1])
prog.load_debug_info([sys.argv[2]])
print("== crashed")
one = prog.crashed_thread()
print(one.tid, one.object.comm.string_().decode())
if "stacks" in sys.argv:
    print(one.stack_trace())
print("== tasks")
for task in sorted(for_each_task(prog), key=lambda task: task.pid.value_()):
    print("task", task.pid.value_(), task.comm.string_().decode())
    if "stacks" in sys.argv and task.on_cpu.value_() == 0:
        print(prog.stack_trace(task))
print("== log")
print(get_dmesg(prog).decode(errors="replace"))
"""


def drgn_says(case, core, symbols, name):
    """drgn: the crashed thread, all tasks, the stacks of those that sleep, the
    log."""
    script = case.path("ask.py")
    with open(script, "w", encoding="ascii") as out:
        out.write(DRGN)
    stacks = ["stacks"] if case.kernel.version <= DRGN_LAST else []
    return sections(tool(case, f"drgn.{name}",
                         [PYTHON, script, core, symbols, *stacks]))


def starts(case, text, start, what):
    """The log of QEMU's dump goes on a little longer."""
    lines = text.strip().split("\n")
    first = start.strip().split("\n")
    case.check(len(first) > 200, f"{what}: only {len(first)} lines")
    case.equal(lines[:len(first)], first, what)


def crash_agrees(case, files, symbols):
    said = {form: crash_says(case, path, symbols, form)
            for form, path in files.items()}
    case.equal(said["kdump"], said["elf"], "crash, of kdump and ELF")
    case.check("sysrq_handle_crash" in said["elf"]["bt"], "crash's bt")
    case.equal(said["elf"]["cpus"].count("PID: "), 2, "CPUs in crash's bt -a")
    case.equal(said["elf"]["one"], said["qemu"]["one"], "crash's bt 1")
    starts(case, said["qemu"]["log"], said["elf"]["log"], "crash's log")


def crash_fails(case, files, symbols):
    """Whoever wrote the file."""
    for form, path in files.items():
        done = subprocess.run(["crash", "-s", path, symbols], check=False,
                              input="quit\n", text=True, capture_output=True,
                              timeout=TOOL_TIMEOUT_S,
                              env={**os.environ, "HOME": case.dir})
        case.log(f"crash.{form}", done.stdout + done.stderr)
        case.check(done.returncode != 0, f"crash reads {form}: CRASH_LAST is "
                   "out of date")


@test(slow=True, more=True)
def crash_and_drgn_agree(case):
    """crash and drgn say the same of our ELF and kdump files: backtraces, log,
    tasks, stacks, crashed thread; and crash of QEMU's own dump what does not
    change after ours: the log, the stack of process 1.  Of kernels that these do
    not know yet, drgn says the same but for stacks."""
    if "cloud" not in case.kernel.release or \
            case.kernel.version not in ((6, 1), (6, 12)):
        raise Skip("the symbols of 6.1 and 6.12 are enough")
    symbols = vmlinux(case)
    dead = crash.kill(case, "virtio", smp=2, peers=("elf",), before=VMCOREINFO)
    dead.check_complete()
    core = dead.save()
    files = {form: convert(case, core, form, f"x.{form}") for form in FORMATS}
    files["qemu"] = dead.peers["elf"]
    if case.kernel.version <= CRASH_LAST:
        crash_agrees(case, files, symbols)
    else:
        crash_fails(case, files, symbols)
    # QEMU's files lack what drgn asks for: addresses, the name of the machine.
    said = {form: drgn_says(case, files[form], symbols, form)
            for form in FORMATS}
    case.equal(said["kdump"], said["elf"], "drgn, of kdump and ELF")
    crashed = said["elf"]["crashed"]
    case.check(re.match(r"\n\d+ init\n", crashed), f"drgn's thread: {crashed}")
    case.check("sysrq_handle_crash" in crashed or
               case.kernel.version > DRGN_LAST, "drgn's crashed thread")
    case.check(said["elf"]["tasks"].count("\ntask ") > 40, "drgn's tasks")
    case.check("could not" not in said["elf"]["tasks"], "drgn's stacks")
    case.check("Kernel panic - not syncing: sysrq triggered crash" in
               said["elf"]["log"], "drgn's log")


def frames(text, first=None, last="do_syscall_64"):
    """The functions of a backtrace of crash(8), from the one that panicked on:
    what is called after the panic is not the same with kdump.  What is beyond
    the system call is left over on the stack from others before."""
    found = re.findall(r"^ *#\d+ \[\w+\] (\w+) at", text, flags=re.M)
    start = found.index(first) if first in found else 0
    end = found.index(last) + 1 if last in found else len(found)
    return found[start:end]


def cpus(text):
    """crash's bt -a: {CPU: (its task, what follows)}."""
    parts = re.split(r"^(PID: .*CPU: (\d+) .*)$", text, flags=re.M)
    return {cpu: (head, stack) for head, cpu, stack in
            zip(parts[1::3], parts[2::3], parts[3::3])}


def same_cpus(case, ours, theirs, what):
    """bt -a of two machines: the CPU that panicked went the same way, and where a
    CPU was idle in both it was so in the same function."""
    here, there = cpus(ours), cpus(theirs)
    case.equal(sorted(here), sorted(there), f"{what}: CPUs")
    case.check(any("sysrq_handle_crash" in stack for _, stack in
                   here.values()), f"{what}: {ours}")
    for cpu, (head, stack) in here.items():
        case.check(len(frames(stack)) > 3, f"{what}: CPU {cpu}: {stack}")
        if "sysrq_handle_crash" in stack:
            other = next((text for _, text in there.values()
                          if "sysrq_handle_crash" in text), "")
        elif "swapper" in head and "swapper" in there[cpu][0]:
            other = there[cpu][1]
        else:
            continue
        case.equal(frames(stack, "sysrq_handle_crash"),
                   frames(other, "sysrq_handle_crash"),
                   f"{what}: the stack of CPU {cpu}")


def names(tasks):
    """The names of tasks that drgn lists, but for workers, which come and go."""
    found = re.findall(r"^task \d+ (.*)$", tasks, flags=re.M)
    return sorted({name.split("/")[0] for name in found
                   if not name.startswith("kworker")})


# Threads that sleep where they always do.
SLEEPERS = ("kthreadd", "kswapd0", "khugepaged", "oom_reaper", "kcompactd0",
            "cpuhp/0", "cpuhp/1", "ksoftirqd/1", "migration/1")


def sleepers(tasks):
    """Those of SLEEPERS that drgn lists, with the functions of their stacks."""
    found = {}
    for name, stack in re.findall(r"^task \d+ (.*)\n((?:#.*\n)*)", tasks,
                                  flags=re.M):
        if name in SLEEPERS:
            found[name] = re.findall(r"^#\d+ +(\w+)", stack, flags=re.M)
    return found


def ours_say_as_kdump(case, path, symbols, form, theirs):
    """The core of a machine of ours, and what crash and drgn said of kdump's."""
    said, told = theirs
    if said:
        ours = crash_says(case, path, symbols, f"our.{form}")
        bt = frames(ours["bt"], "sysrq_handle_crash")
        case.check(len(bt) > 5, f"{form}: the backtrace: {ours['bt']}")
        case.equal(bt, frames(said["bt"], "sysrq_handle_crash"),
                   f"{form}: crash's bt")
        case.equal(frames(ours["one"]), frames(said["one"]),
                   f"{form}: crash's bt 1")
        same_cpus(case, ours["cpus"], said["cpus"], f"{form}: crash's bt -a")
    mine = drgn_says(case, path, symbols, f"our.{form}")
    case.equal(names(mine["tasks"]), names(told["tasks"]),
               f"{form}: drgn's tasks")
    if case.kernel.version <= DRGN_LAST:
        stacks = sleepers(mine["tasks"])
        case.check(len(stacks) > 5 and all(stacks.values()),
                   f"{form}: drgn's stacks: {stacks}")
        case.equal(stacks, sleepers(told["tasks"]), f"{form}: drgn's stacks")
    case.check("sysrq: Trigger a crash" in mine["log"], f"{form}: drgn's log")


def tools_say(case, path, symbols, name):
    """What crash says, if it knows such a kernel, and drgn."""
    said = crash_says(case, path, symbols, name) \
        if case.kernel.version <= CRASH_LAST else None
    return said, drgn_says(case, path, symbols, name)


@test(slow=True, more=True)
def core_of_kdump_and_ours_agree(case):
    """what kdump saved of a guest is read, converted and read again by crash and
    drgn with the same answers; and of our own cores of the same kind of guest
    they say the same: the backtrace, the stopped CPUs, tasks, the log."""
    if "cloud" not in case.kernel.release or \
            case.kernel.version not in ((6, 1), (6, 12)):
        raise Skip("the symbols of 6.1 and 6.12 are enough")
    symbols = vmlinux(case)
    theirs = kdump.kill(case, smp=2)
    log = crash.run_tool(case, "crashinfo", "-M", theirs.vmcore, "dmesg")
    case.check("sysrq: Trigger a crash" in log, "the log of kdump's core")
    files = {}
    for form in ("kcore", *FORMATS):
        files[form] = convert(case, theirs.vmcore, form, f"their.{form}")
        for command in (("dmesg",), ("modules",), ("ps",), ("bt", "-a")):
            case.equal(crash.run_tool(case, "crashinfo", "-M", files[form],
                                      *command),
                       crash.run_tool(case, "crashinfo", "-M", theirs.vmcore,
                                      *command), f"{command[0]} of {form}")
    os.unlink(files.pop("kcore"))
    said = tools_say(case, theirs.vmcore, symbols, "theirs")
    for form, path in files.items():
        case.equal(tools_say(case, path, symbols, f"their.{form}"), said,
                   f"crash and drgn, of {form}")
        os.unlink(path)

    dead = crash.kill(case, "virtio", smp=2, mem_mib=512, swap_mib=600,
                      dumpon="dumpon -d 31")
    dead.check_complete()
    core = dead.save()
    for form in FORMATS:
        ours_say_as_kdump(case, convert(case, core, form, f"our.{form}"),
                          symbols, form, said)
