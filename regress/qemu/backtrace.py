# SPDX-License-Identifier: BSD-2-Clause
"""Backtraces that crashinfo(8) finds in a core, against what the kernel printed
of the same stacks: on its console when it panicked, and in /proc/PID/stack
before."""

import json
import re

import crash

STACKS = """
say stacks sh -c 'for t in /proc/[0-9]*/task/[0-9]*; do
	echo "thread ${t##*/}"; cat $t/stack; done 2>/dev/null'
"""

# Where the kernel is entered: nothing calls these.
ENTRIES = re.compile(
    r"ret_from_fork(_asm)?|entry_SYSCALL_64(_after_hwframe)?|"
    r"(x86_64|start)_(start_)?(kernel|secondary).*|common_startup_64|"
    r"secondary_startup_64(_no_verify)?|asm_(exc|sysvec|common)_\w+")
CALL = re.compile(r"\] +(\? )?([^ +]+\+0x[0-9a-f]+/0x[0-9a-f]+)( \[\w+\])?$")
RIP = re.compile(r"\] +RIP: 0010:([^ +]+\+0x[0-9a-f]+/0x[0-9a-f]+)( \[\w+\])?$")


def backtraces(case, core, *args):
    """What `crashinfo bt' says."""
    return json.loads(crash.run_tool(case, "crashinfo", "--json", "-M", core,
                                     "bt", *args))


def text(frame):
    """A frame as the kernel prints it."""
    module = f" [{frame['module']}]" if frame["module"] else ""
    return f"{frame['name']}+{frame['offset']:#x}/{frame['size']:#x}{module}"


def functions(trace):
    """The frames of the kernel as text."""
    return [text(frame) for frame in trace["frames"] if not frame["user"]]


def console_trace(console, after):
    """The lines of the first call trace behind a text that are no guess, and
    where what was interrupted was.  What a line says of a module's state, as
    in [crashme(OE)], is printed elsewhere."""
    found = []
    lines = console[console.index(after):].split("\n")
    start = next(i for i, line in enumerate(lines) if "Call Trace:" in line)
    for line in lines[start + 1:]:
        line = re.sub(r"\(\w+\)\]", "]", line.rstrip())
        called, rip = CALL.search(line), RIP.search(line)
        if called and not called[1]:
            found.append(called[2] + (called[3] or ""))
        elif rip:
            found.append(rip[1] + (rip[2] or ""))
        elif "RIP: 0033:" in line or "swapcore:" in line or \
                "Kernel panic" in line or "end trace" in line:
            break
    return found


def same(case, got, wanted, what):
    for n, pair in enumerate(zip(got, wanted)):
        case.check(pair[0] == pair[1], f"{what}, #{n}: {pair[0]!r} where "
                   f"{pair[1]!r} was expected, in {got} and {wanted}")
    case.equal(len(got), len(wanted), f"frames of {what}: {got} for {wanted}")


def name(frame):
    return frame.partition("+")[0]


def ended(case, trace, what):
    """A trace is whole, found by the kernel's tables alone."""
    case.check(trace["end"] in ("entry", "user"),
               f"{what} ends as {trace['end']}: {trace['why']}")
    case.equal([text(frame) for frame in trace["frames"] if frame["guess"]],
               [], f"guesses in {what}")
    last = [frame for frame in trace["frames"] if not frame["user"]]
    case.check(last and ENTRIES.fullmatch(last[-1]["name"]) or
               trace["frames"] == trace["frames"][:1],
               f"{what} ends with {last[-1:]}")


def panicked_as_printed(case, core, console, hidden=()):
    """The trace of the panicking CPU is the kernel's own, behind panic().
    hidden: places in it where the kernel printed a probe's return address."""
    trace = backtraces(case, core)[0]
    case.log("bt", crash.run_tool(case, "crashinfo", "-M", core, "bt"))
    ended(case, trace, "the backtrace")
    case.check(trace["panicked"], "it is not of the CPU that panicked")
    wanted = console_trace(console, "Kernel panic")
    at = [name(line) for line in wanted].index("panic")
    got, wanted = functions(trace), wanted[at + 1:]
    # The first is where panic() was called, not where it would return.
    case.equal(name(got[0]), name(wanted[0]), "the function that panicked")
    for n in hidden:
        case.check(got[n] != wanted[n], f"#{n} is {got[n]}")
        wanted[n] = got[n]
    same(case, got[1:], wanted[1:], "the backtrace")
    return trace


def oopsed_as_printed(case, core, console, after):
    """The trace of an oops is that of the registers that it printed."""
    trace = backtraces(case, core)[0]
    case.log("bt", crash.run_tool(case, "crashinfo", "-M", core, "bt"))
    ended(case, trace, "the backtrace")
    lines = console[console.index(after):].split("\n")
    rip = next(found for found in (RIP.search(re.sub(
        r"\(\w+\)\]", "]", line.rstrip())) for line in lines) if found)
    wanted = [rip[1] + (rip[2] or "")] + console_trace(console, after)
    same(case, functions(trace), wanted, "the backtrace")
    return trace


def signature(case, core):
    """The crash's signature, after what of the report can be checked by itself:
    that it has the panic, and the machine that QEMU is."""
    text = crash.run_tool(case, "crashinfo", "-M", core)
    case.log("report", text)
    told = json.loads(crash.run_tool(case, "crashinfo", "--json", "-M", core))
    for line in text.split("\n"):
        case.check("not known" not in line or "registers" in line,
                   f"the report says {line!r}")
    case.equal([key for key in told if key.endswith("_error")], [], "errors")
    case.check("QEMU" in told["kernel"]["hardware"], "the hardware is "
               f"{told['kernel']['hardware']}")
    case.check("rdinit=/init" in told["kernel"]["cmdline"],
               f"the command line is {told['kernel']['cmdline']}")
    case.check(told["kernel"]["taint"].endswith("OE"),
               f"the taint flags are {told['kernel']['taint']}")
    counters = told["memory"]["counters"]
    case.check(0 < counters["nr_free_pages"] < told["memory"]["total_pages"],
               f"memory is {told['memory']}")
    case.check(text.startswith(f"signature {told['signature']}\n"),
               f"the signature is {told['signature']} and {text[:300]}")
    return told["signature"]


def printed_functions(console, after):
    """The five innermost functions of a signature, by what was printed."""
    found = []
    for line in console_trace(console, after):
        named = re.match(r"[^.+]+", line)[0] + (re.search(r" \[.*|$", line)[0])
        if not found and named in ("panic", "dump_stack_lvl"):
            continue
        if named not in found[-1:]:
            found.append(named)
    return " < ".join(found[:5])


def sleeping(found):
    """/proc/TID/stack: {thread id: lines}."""
    told, lines = {}, []
    for line in found["stacks"]:
        if line.startswith("thread "):
            lines = told.setdefault(int(line.split()[1]), [])
        elif line.startswith("[<0>] "):
            lines.append(line[len("[<0>] "):])
    return told


def section(found, which):
    """The addresses of code that /proc/TID/stack leaves out."""
    at = {line.split()[2]: int(line.split()[0], 16) for line in found["ksyms"]
          if f" __{which}_text_" in line}
    return range(at[f"__{which}_text_start"], at[f"__{which}_text_end"])


def all_as_before(case, core, found):
    """Every thread's trace is whole.  Those of users' programs that were asleep
    are what /proc said; of threads of the kernel, which may have moved since,
    nearly all."""
    case.log("bt-a", crash.run_tool(case, "crashinfo", "-M", core, "bt", "-a"))
    told, sched = sleeping(found), section(found, "sched")
    alike, differ, users, by_id = 0, [], 0, []
    for trace in backtraces(case, core, "-a"):
        if trace["end"] in ("exited", "unknown"):
            case.check(trace["end"] == "unknown" or trace["state"] in "ZX",
                       f"thread {trace['tid']} has no stack")
            continue
        what = f"the backtrace of thread {trace.get('tid')} " \
            f"({trace.get('name')})"
        ended(case, trace, what)
        kernel = trace["end"] == "entry"
        if trace["cpu"] is not None:
            continue
        by_id.append(" ".join([f"@{trace['tid']}"] + [
            frame["name"] or "?" for frame in trace["frames"]]))
        if trace["tid"] not in told:
            continue
        got = [text(frame) for frame in trace["frames"]
               if not frame["user"] and int(frame["pc"], 16) not in sched]
        wanted = told[trace["tid"]]
        if not kernel:
            same(case, got, wanted, what)
            users += 1
        elif got == wanted:
            alike += 1
        else:
            differ.append((trace["name"], got, wanted))
    case.equal(crash.run_tool(case, "readcore", core, *(
        line.split()[0] for line in by_id)).splitlines(), by_id,
        "backtraces by the threads' numbers")
    case.log("differ", "\n".join(map(str, differ)))
    case.check(users >= 7 and alike >= 20 and len(differ) <= alike // 10,
               f"{users} users' and {alike} kernel threads' backtraces are as "
               f"before, {len(differ)} are not: {differ[:3]}")
