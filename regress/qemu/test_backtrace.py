# SPDX-License-Identifier: BSD-2-Clause
"""Backtraces of panics in places that are hard to come back from."""

import glob
import os

import backtrace
import crash
from case import test

HOW = """
echo "@@dying"
read -r word
echo {how} >/sys/module/crashme/parameters/how
"""
# The word comes from the host; vfs_write() is traced until it returns.
GRAPH = """
mount -t tracefs none /sys/kernel/tracing
cd /sys/kernel/tracing
echo vfs_write >set_ftrace_filter
echo function_graph >current_tracer || die "function_graph"
""" + crash.PANIC


def died(case, how):
    dead = crash.kill(case, "nvme", panic=HOW.format(how=how))
    dead.check_complete()
    return dead, dead.save()


def died_in_silence(case, how, **options):
    """What the kernel prints in an NMI or a double fault comes no further than
    its log: the core, and that log."""
    dead = crash.kill(case, "nvme", panic=HOW.format(how=how), silent=True,
                      **options)
    case.equal(crash.trailer(dead.image, dead.part)["state"], "COMPLETE",
               "the trailer's state")
    core = dead.save()
    log = crash.run_tool(case, "crashinfo", "-M", core, "dmesg")
    case.log("dmesg", log)
    return core, log


def stacks(trace):
    """The stacks, in order, that a trace goes through."""
    found = []
    for frame in trace["frames"]:
        if not frame["user"] and frame["stack"] not in found[-1:]:
            found.append(frame["stack"])
    return found


def has(case, trace, *names):
    found = [frame["name"] for frame in trace["frames"]]
    for name in names:
        case.check(name in found, f"{name} is not in {found}")


@test()
def backtrace_from_an_interrupt(case):
    """the backtrace of a panic in an interrupt is the one that the kernel
    printed, and goes on where the interrupt came."""
    dead, core = died(case, "panic irq")
    trace = backtrace.panicked_as_printed(case, core, dead.console)
    case.equal(stacks(trace), ["IRQ", "TASK"], "stacks")
    has(case, trace, "crashme_irq", "ksys_write")
    case.equal([len(frame["registers"]) for frame in trace["frames"]
                if frame["registers"]], [21, 21, 21], "registers")
    case.equal(backtrace.signature(case, core), "panic crashme: seed N: " +
               backtrace.printed_functions(dead.console, "Kernel panic"),
               "the signature")


@test(slow=True, all_kernels=True)
def backtrace_from_an_nmi(case):
    """the same of an NMI."""
    core, log = died_in_silence(case, "panic nmi")
    trace = backtrace.panicked_as_printed(case, core, log)
    case.equal(stacks(trace), ["NMI", "TASK"], "stacks")
    has(case, trace, "crashme_nmi", "ksys_write")


@test(slow=True, all_kernels=True)
def backtrace_of_a_stack_overflow(case):
    """where the stack overflowed, the backtrace is the one that the kernel
    printed, from the page below the stack to its beginning."""
    core, log = died_in_silence(case, "deep", append="oops=panic")
    trace = backtrace.oopsed_as_printed(case, core, log, "stack guard page")
    names = [frame["name"] for frame in trace["frames"]]
    case.check(names.count("crashme_deep") > 20, f"the backtrace is {names}")
    has(case, trace, "ksys_write")


@test(slow=True, all_kernels=True)
def backtrace_through_a_return_probe(case):
    """return addresses that a kretprobe has replaced are told as they were."""
    dead, core = died(case, "panic ret")
    trace = backtrace.panicked_as_printed(case, core, dead.console, hidden=[2])
    case.equal([frame["name"] for frame in trace["frames"][1:6]
                if frame["name"] != "crashme_go"][:4],
               ["crashme_watched", "crashme_ret", "crashme_set_how",
                "param_attr_store"],
               "the probe's function and its callers")


@test(slow=True, all_kernels=True)
def backtrace_through_the_graph_tracer(case):
    """the same of those that the function graph tracer has replaced."""
    dead = crash.kill(case, "nvme", panic=GRAPH)
    dead.check_complete()
    trace = backtrace.panicked_as_printed(case, dead.save(), dead.console)
    has(case, trace, "vfs_write", "ksys_write")


@test(slow=True, all_kernels=True)
def signature_is_that_of_the_bug(case):
    """two boots that die of the same NULL dereference have the same signature,
    and one that dies of a BUG() in the same function has another."""
    found = {}
    for seed, how in ((1, "null"), (2, "null"), (3, "bug")):
        dead = crash.kill(case, "nvme", panic=HOW.format(how=how),
                          append="oops=panic", crashme=f"hold=1 seed={seed}")
        dead.check_complete()
        core = dead.save()
        found[seed] = backtrace.signature(case, core)
        for path in (*glob.glob(case.path("*.0*")), case.path("bounds")):
            os.remove(path)
    case.equal(found[1], found[2], "the signature on two boots")
    kinds = [found[seed].partition(":")[0] for seed in (1, 3)]
    case.equal(kinds, ["NULL dereference", "BUG die.c"], "the kinds")
    for line in found.values():
        case.check(": crashme_die [crashme] < crashme_process [crashme] < "
                   "crashme_set_how [crashme] < " in line,
                   f"the signature is {line}")
