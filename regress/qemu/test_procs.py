# SPDX-License-Identifier: BSD-2-Clause
"""Arguments, environment, CPU times and open files of processes in a core,
against what /proc said of them in the guest just before it died."""

import json
import os

import crash
import wrapped
from case import test

TELL = """
say ksyms grep -w page_offset_base /proc/kallsyms
export LANG=C EMPTY=
procs stay >/tmp/stay || die "procs stay"
say stay cat /tmp/stay
say tell procs tell
say hidden procs hide
say loadavg cat /proc/loadavg /proc/uptime
"""
TICK_US = 10000
SWAPPED = 1 << 62       # in an entry of /proc/PID/pagemap
PRESENT = 1 << 63
HIDE_TICKS = 1000       # that hiding a page takes at most, on a busy host


def crashinfo(case, core, *command):
    return json.loads(crash.run_tool(case, "crashinfo", "--json", "-M", core,
                                     *command))


def raw(text):
    """Bytes of the dump: JSON has each as a character."""
    return text.encode("latin-1")


class Told:
    """What `procs tell' printed: of each process, by number."""

    def __init__(self, found):
        self.args, self.env, self.stat, self.files = {}, {}, {}, {}
        for line in found["tell"]:
            kind, pid, rest = (line + " ").split(" ", 2)
            if kind == "cmdline":
                self.args[int(pid)] = bytes.fromhex(rest)
            elif kind == "environ":
                self.env[int(pid)] = bytes.fromhex(rest)
            elif kind == "stat":
                self.stat[int(pid)] = rest.rpartition(") ")[2].split()
            elif kind == "file":
                words = rest.split()
                self.files[int(pid), int(words[0])] = [
                    int(word) for word in words[1:8]] + [
                    bytes.fromhex(words[8])]
        self.names = {}
        for line in found["stay"]:
            name, _, pid = line.partition(" ")
            self.names[name] = int(pid)

    def kernel(self, pid):
        return int(self.stat[pid][6]) & 0x200000 != 0

    def still(self):
        """Who does nothing more: not the shell that runs the test."""
        return {1, *self.names.values()}

    def users(self):
        return {pid for pid in self.stat if not self.kernel(pid)}


def joined(strings):
    return b"".join(raw(text) + b"\0" for text in strings)


def ended(data):
    """What is shown of a process, with the NUL that a title may lack."""
    return data + b"\0" if data and data[-1] else data


def strings(case, told, got):
    """All arguments and environments that can be read."""
    for pid, one in got.items():
        if one["kernel"]:
            continue
        for key, wanted in (("args", told.args), ("env", told.env)):
            if f"{key}_error" not in one:
                case.equal(joined(one[key]), ended(wanted[pid]),
                           f"{key} of process {pid}")


def special(case, told, got):
    """A title over the arguments, and arguments with a page that the process
    itself can't read."""
    title = got[told.names["title"]]["args"]
    case.equal(len(title), 1, "strings of a title")
    case.check(len(title[0]) > 20, f"the title is only {title}")
    case.check(len(got[told.names["hide-none"]]["args"]) == 16,
               "the arguments with a hidden page are not all there")


def swapped(case, told, got, found):
    """Only those with a page in swap can't be read; the error names the place that the kernel gave for the page."""
    lines = {line.split()[0]: line.split() for line in found["hidden"]}
    entry = int(lines["hide-none"][3], 16)
    case.check(entry & PRESENT == 0 or entry & SWAPPED == 0,
               f"the page without access is {entry:x}")
    _, pid, addr, entry = lines["hide-swap"]
    entry = int(entry, 16)
    case.check(entry & SWAPPED, f"the page was not swapped out: {entry:x}")
    case.equal([pid for pid in got if "args_error" in got[pid]],
               [told.names["hide-swap"]], "whose arguments can't be read")
    one = got[told.names["hide-swap"]]
    case.equal(one["args"], None, "arguments in swap")
    case.check(one["args_error"].endswith(
        f"arguments of process {pid}: address 0x{addr}: swapped out, to page "
        f"{entry >> 5 & (1 << 50) - 1} of swap area {entry & 31}"),
        f"of a page in swap ({entry:x}): {one['args_error']}")
    case.equal(joined(one["env"]), told.env[int(pid)], "the environment")


def times(case, told, got):
    """In ticks; processes that wait have not used any more."""
    for pid in told.names.values():
        one = got[pid]
        ticks = [int(told.stat[pid][at]) for at in (11, 12)]
        ticks.append(int(told.stat[pid][13]) + int(told.stat[pid][14]))
        for key, wanted in zip(("utime_us", "stime_us", "children_us"), ticks):
            more = one[key] // TICK_US - wanted
            # The sum of two times has lost the rest of one of them.
            limit = HIDE_TICKS if pid in (
                told.names["hide-none"], told.names["hide-swap"]) \
                else key == "children_us"
            case.check(0 <= more <= limit, f"{key} of process {pid} is "
                       f"{one[key]}, in ticks {wanted}")
    busy = got[told.names["busy"]]
    for key in ("utime_us", "stime_us", "children_us"):
        case.check(busy[key] > 200000, f"{key} of the busy one: {busy[key]}")


def load(case, core, found):
    got = crashinfo(case, core, "uptime")["load"]
    wanted = [float(word) for word in found["loadavg"][0].split()[:3]]
    case.check(wanted[0] > 0, f"the load is only {wanted[0]}")
    # It is computed again every five seconds: as often as there was time for.
    told = float(found["loadavg"][1].split()[0])
    died = max(rec["time_ns"] for rec in crashinfo(case, core, "dmesg")) / 1e9
    times_ = max(died - told, 0) // 5 + 1
    for one, other, step in zip(got, wanted, (0.35, 0.08, 0.03)):
        case.check(abs(one - other) <= times_ * step,
                   f"load {got}, not {wanted}, {died - told} s later")


def files(case, core, told):
    got = {(one["pid"], one["fd"]): one for one in
           crashinfo(case, core, "files")}
    wanted_of = {key: wanted for key, wanted in told.files.items()
                 if key[0] in told.still()}
    case.check(len(wanted_of) > 30, f"only {len(wanted_of)} descriptors")
    case.equal({key for key in got if key[0] in told.still()},
               set(wanted_of), "descriptors")
    for key, wanted in wanted_of.items():
        one, what = got[key], f"descriptor {key[1]} of process {key[0]}"
        pos, flags, inode, mode, size, dev, rdev, link = wanted
        case.equal(raw(one["path"]), link, f"the path of {what}")
        case.equal(one["offset"], pos, f"the offset of {what}")
        case.equal(one["flags"], flags & ~os.O_CLOEXEC,
                   f"the flags of {what}")
        case.equal(one["cloexec"], flags & os.O_CLOEXEC != 0,
                   f"close on exec of {what}")
        if one["type"] != "misc":
            case.equal(one["mode"], mode, f"the mode of {what}")
        case.equal((one["inode"], one["size"], one["dev"], one["rdev"]),
                   (inode, size, dev, rdev), f"the inode of {what} ({link})")
    mine = [one for one in got.values() if one["pid"] == told.names["files"]]
    paths = {one["path"] for one in mine}
    for path in ("/mnt/one/dir/two/file", "/mnt/one/dir/gone (deleted)",
                 "/mnt/bound", "/mnt/bound/a name\twith \\ and \033", "/",
                 "/dev/null", "/memfd:memory/of its own (deleted)",
                 "anon_inode:[eventpoll]"):
        case.check(path in paths, f"{path} is not in {paths}")
    high = got[told.names["files"], 300]
    low = [one for one in mine if one["file"] == high["file"]]
    case.equal(sorted(one["cloexec"] for one in low), [False, True],
               "close on exec of two descriptors of a file")
    case.equal((high["offset"], high["size"], high["count"]), (3, 7, 2),
               "offset, size and references of that file")
    case.equal({one["type"] for one in mine},
               {"vnode", "pipe", "socket", "misc"}, "types")


def text(case, core, told):
    """What a person sees."""
    out = crash.run_tool(case, "crashinfo", "-M", core, "ps", "-a")
    by_pid = {line.split()[0]: line for line in out.split("\n")[1:] if line}
    case.check(by_pid[str(told.names["files"])].endswith(
        r" procs files  with a space, \001 and \377"), out)
    case.check(by_pid[str(told.names["hide-swap"])].endswith(" (procs)"), out)
    case.check(by_pid["2"].endswith(" [kthreadd]"), out)
    out = crash.run_tool(case, "crashinfo", "-M", core, "files")
    case.check(r"/mnt/bound/a name\011with \\ and \033" in out, out)


def compare(case, core, found):
    """What can be compared in any core; what was told, what ps says."""
    told = Told(found)
    got = {one["pid"]: one for one in crashinfo(case, core, "ps", "-ae")}
    case.check(len(told.users()) >= 7, f"only {told.users()}")
    case.check(told.users() <= got.keys(), "processes are missing")
    got = {pid: one for pid, one in got.items() if pid in told.stat}
    strings(case, told, got)
    special(case, told, got)
    times(case, told, got)
    load(case, core, found)
    files(case, core, told)
    return told, got


@test(all_kernels=True)
def nvme_core_tells_arguments_and_files(case):
    """arguments, environment, CPU times, open files and load averages in a
    core with all pages are those that /proc showed, and what is in swap is
    said to be: NVMe, two CPUs."""
    dead = crash.kill(case, "nvme", work=TELL, smp=2, dumpon="dumpon -d 0")
    dead.check_complete()
    core = dead.save()
    told, got = compare(case, core, dead.found)
    swapped(case, told, got, dead.found)
    text(case, core, told)


@test(more=True)
def kernel_image_tells_arguments_and_files(case):
    """the same is in a kernel's memory, whatever kernel it is; all arguments,
    as there is no swap."""
    dead = wrapped.Wrapped(case, TELL)
    _, got = compare(case, dead.core, dead.found)
    case.equal([one for one in got.values() if "args_error" in one], [],
               "what can't be read")


@test(slow=True)
def small_window_tells_that_arguments_are_not_there(case):
    """where the window is too small for memory, arguments are either those of
    the guest or said to be left out."""
    dead = crash.kill(case, "nvme", work=TELL, smp=2, swap_mib=64)
    dead.check_complete()
    case.check("truncated" in dead.last, f"the console: {dead.last}")
    core = dead.save()
    told = Told(dead.found)
    got = {one["pid"]: one for one in crashinfo(case, core, "ps", "-ae")
           if one["pid"] in told.stat}
    case.check(told.users() <= got.keys(), "processes are missing")
    strings(case, told, got)
    left_out = [one["args_error"] for pid, one in got.items()
                if "args_error" in one and pid != told.names["hide-swap"]]
    case.check(len(left_out) > 2, f"all but {len(left_out)} are there")
    for text_ in left_out:
        case.check(text_.endswith(": not in the dump: the dump device was too "
                                  "small"), text_)
