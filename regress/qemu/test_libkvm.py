# SPDX-License-Identifier: BSD-2-Clause
"""What libkvm finds in a core, through crashinfo(8), against what the guest
itself printed just before it died."""

import json
import re

import backtrace
import crash
import linuxfile
import wrapped
from case import test

TELL = """
say ksyms cat /proc/kallsyms
say modules cat /proc/modules
say dmesg dmesg -r
threads 5 || die "threads"
sleep 1000 &
kill -STOP $!
say stats cat /proc/[0-9]*/stat
say statuses cat /proc/[0-9]*/task/[0-9]*/status
""" + linuxfile.TELL + backtrace.STACKS
# More pages than the counters of memory may be behind.
PAGES_BEHIND = 256
TICKS = 100             # USER_HZ


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
    wanted = [words[:2] + words[4:] for words in
              (line.split() for line in truth)]
    case.equal(got, wanted, "modules")


def guest_processes(found):
    """What /proc/PID/stat and status said: {pid: dict}, without what printed
    it."""
    told = {}
    for line in found["stats"]:
        pid, _, rest = line.partition(" (")
        words = rest.rpartition(") ")[2].split()
        told[int(pid)] = {
            "state": words[0], "ppid": int(words[1]), "pgid": int(words[2]),
            "sid": int(words[3]), "tty": int(words[4]) or None,
            "kernel": bool(int(words[6]) & 0x200000),
            "nice": int(words[16]), "nlwp": int(words[17]),
            "start": int(words[19]) / TICKS, "vsz": int(words[20]),
            "pages": int(words[21]), "threads": {}}
    task = {}
    for line in found["statuses"]:
        key, _, value = line.partition(":")
        task[key] = value.strip()
        if key != "nonvoluntary_ctxt_switches":
            continue
        one = told.get(int(task["Tgid"]))
        if one is not None:
            one["threads"][int(task["Pid"])] = (task["State"][0], task["Name"])
            one["comm"] = task["Name"]
            one["ids"] = [int(word) for word in
                          (task["Uid"] + " " + task["Gid"]).split()]
        task = {}
    return {pid: one for pid, one in told.items() if one["threads"] and
            one["comm"] != "cat"}


def same_name(got, wanted):
    """/proc tells more of a kernel thread's name than its task has."""
    return wanted.startswith(got) or wanted.startswith("kworker/") and \
        re.match(r"[^-+]*", wanted)[0][:15] == re.match(r"[^-+]*", got)[0]


def same_process(case, got, wanted, boot):
    """Of threads of the kernel, what they do right now may have changed."""
    what = f"process {got['pid']} ({wanted['comm']})"
    for key in ("ppid", "pgid", "sid", "tty", "kernel", "nice", "nlwp"):
        case.equal(got[key], wanted[key], f"{key} of {what}")
    case.equal([got[key] for key in ("ruid", "uid", "svuid", "rgid", "gid",
                                     "svgid")],
               [wanted["ids"][i] for i in (0, 1, 2, 4, 5, 6)],
               f"ids of {what}")
    case.check(abs(got["start"] - boot - wanted["start"]) <= 1.5,
               f"{what} began {got['start'] - boot} s after the boot, not "
               f"{wanted['start']}")
    case.equal({one["tid"] for one in got["threads"]},
               set(wanted["threads"]), f"threads of {what}")
    for one in got["threads"]:
        state, name = wanted["threads"][one["tid"]]
        case.check(one["name"] == name or got["kernel"] and
                   same_name(one["name"], name),
                   f"{one['name']!r} for {name!r} in {what}")
        if wanted["comm"] in ("threads", "sleep"):
            case.equal(one["state"], state, f"state of {what}")
    if wanted["comm"] in ("threads", "sleep"):
        case.equal(got["state"], wanted["state"], f"state of {what}")
        case.equal(got["vsz"], wanted["vsz"], f"size of {what}")
        case.check(abs(got["rss"] // 4096 - wanted["pages"]) <= PAGES_BEHIND,
                   f"{what} has {got['rss']} bytes, not {wanted['pages']} "
                   "pages")


def same_processes(case, got, found, about):
    """As the guest's /proc has them; threads of the kernel come and go."""
    wanted = guest_processes(found)
    boot = (about["time_ns"] - about["uptime_ns"]) / 1e9
    users = [sorted(pid for pid, one in side.items() if not one["kernel"])
             for side in (got, wanted)]
    case.equal(users[0], users[1], "processes")
    both = got.keys() & wanted.keys()
    case.check(len(both) > 20 and len(both) >= len(wanted) - 10,
               f"only {len(both)} of {len(wanted)} processes")
    for pid in both:
        same_process(case, got[pid], wanted[pid], boot)


def processes(case, core, found):
    """They are the guest's, in what state they were left, with a line each."""
    got = {one["pid"]: one for one in
           json.loads(crashinfo(case, core, "ps", "--json", "-H"))}
    same_processes(case, got, found,
                   json.loads(crashinfo(case, core, "uptime", "--json")))
    stayed = [one for one in got.values() if one["comm"] == "threads"]
    case.equal(sorted((len(one["threads"]), one["state"]) for one in stayed),
               [(1, "Z"), (6, "S")], "what `threads' left")
    case.equal(crashinfo(case, core, "ps").count("\n"), len(got) + 1,
               "lines of ps")


def registers(case, core, dead):
    """The CPU that panicked was where the kernel's own message says."""
    cpus = json.loads(crashinfo(case, core, "regs", "--json"))
    died = [cpu for cpu in cpus if cpu["what"] == "panicked"]
    case.equal(len(died), 1, "CPUs that panicked")
    name = re.match(r"\w+", died[0]["symbol"] or "none")[0]
    trace = dead.console[dead.console.index("Kernel panic"):]
    case.check(f"{name}+0x" in trace, f"{name} is not in the call trace")


@test(all_kernels=True, more=True)
def nvme_core_tells_what_the_guest_told(case):
    """symbols, log, modules, registers, processes, backtraces and release found
    in a core with nothing else are those that the guest printed, and so are
    the symbols and types of the file made beside it: NVMe, two CPUs."""
    dead = crash.kill(case, "nvme", work=TELL, smp=2,
                      dying_s=wrapped.TELL_TIMEOUT_S)
    dead.check_complete()
    core = dead.save()
    symbols(case, core, dead.found["ksyms"])
    linuxfile.check(case, core, dead.found,
                    *split_symbols(dead.found["ksyms"]))
    kernel_log(case, core, dead.found["dmesg"])
    modules(case, core, dead.found["modules"])
    registers(case, core, dead)
    processes(case, core, dead.found)
    backtrace.panicked_as_printed(case, core, dead.console)
    backtrace.all_as_before(case, core, dead.found)
    about = json.loads(crashinfo(case, core, "uptime", "--json"))
    case.equal(about["release"], dead.found["uname"][0], "the release")
    case.equal(crashinfo(case, dead.window(), "dmesg"),
               crashinfo(case, core, "dmesg"), "the log of the raw device")
