# SPDX-License-Identifier: BSD-2-Clause
"""Pages that are left out when a dump is saved or converted: savecore -d.

makedumpfile has the same ELF core to leave them out of.
"""

import os
import resource
import signal
import subprocess

import corefile
import crash
import disk
import refilter
import test_formats
import test_level
from case import test

LEVELS = (1, 2, 4, 8, 16, 11, 31)


def savecore(case, *argv, limit=None, status=0):
    """Runs it, perhaps where no file may be larger than limit; what it said."""
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run([case.sbin["savecore"], *argv], check=False,
                          capture_output=True, text=True, errors="replace",
                          preexec_fn=limited if limit else None)
    case.log("savecore", done.stdout + done.stderr)
    case.equal(done.returncode, status, f"savecore {' '.join(argv)}: "
               f"{done.stderr.strip()[-300:]}: exit status")
    return done.stderr


class Account:
    """What the guest itself said of its pages."""

    def __init__(self, path, disk_of_flags):
        core = corefile.Core(path)
        self.flags = test_level.flags_of(core, disk_of_flags)
        self.ram = test_level.pages(core.memsegs())

    def wanted(self, level):
        """Pages of zeros as well, which are in a kdump file all as one."""
        return {pfn for pfn in self.ram
                if test_level.wanted(self.flags[pfn], level)}


def same_pages(case, account, core, elf, level):
    """Both leave out the same pages of the same core; where makedumpfile does
    not know the kernel, the guest's own account is in its place."""
    ours, peer = case.path("ours"), case.path("peer")
    savecore(case, "-d", str(level), "-F", "kdump", "-o", ours, core)
    said = test_formats.tool(case, "makedumpfile", [
        "makedumpfile", "-c", "-d", str(level), elf, peer])
    mine, theirs = refilter.read_kept(ours), refilter.read_kept(peer)
    os.unlink(peer)
    case.log("pages", f"level {level}: ours {len(mine)}, makedumpfile's "
             f"{len(theirs)}\n")
    if refilter.knows(said):
        case.equal((len(mine - theirs), len(theirs - mine)), (0, 0),
                   f"level {level}: of {len(theirs)} pages, those that only we "
                   "and that only makedumpfile keeps")
    wrong = mine ^ account.wanted(level)
    case.check(len(wrong) <= test_level.MOVED_MAX * len(account.ram),
               f"level {level}: {len(wrong)} of {len(account.ram)} pages are not "
               f"of the class that the guest said, {sorted(wrong)[:3]} among "
               "them")
    return ours, len(mine)


def reads_alike(case, core, path):
    for command in ("dmesg", "modules", "ps", "bt"):
        case.equal(crash.run_tool(case, "crashinfo", "-M", path, command),
                   crash.run_tool(case, "crashinfo", "-M", core, command),
                   f"{command} of {path}")


def too_large(case, dead, core):
    """A file system where no file can be so large: the next level is tried, and
    where there is none the dump stays."""
    window, small = dead.window(), case.path("small")
    os.mkdir(small)
    limit = os.path.getsize(core) // 2
    said = savecore(case, "-f", "-k", "-D", window, small, limit=limit,
                    status=1)
    case.check("File too large" in said, said)
    case.equal(os.listdir(small), ["bounds"], "files of the first try")
    said = savecore(case, "-f", "-k", "-d", "0,31", "-D", window, small,
                    limit=limit)
    case.check("trying dump level 31" in said, said)
    reads_alike(case, core, f"{small}/linux.1.core")
    case.check(os.path.getsize(f"{small}/linux.1.core") < limit, "its size")


@test(slow=True, more=True)
def savecore_leaves_out_what_makedumpfile_does(case):
    """savecore -d leaves the same pages out of a core as makedumpfile -d, at
    any level, and what is left equals memory and reads as before; a level is
    tried where the one before takes too much space."""
    flags, other = case.disk(4, None), case.disk(32, None)
    dead = crash.kill(case, "nvme", work=test_level.BUSY, mem_mib=384,
                      swap_mib=470, dumpon="dumpon -d 0",
                      before=(*disk.attach(flags, "virtio", index=8),
                              *disk.attach(other, "virtio", index=9)))
    dead.check_complete()
    core = dead.save()
    elf = test_formats.convert(case, core, "elf", "x.elf")
    account, counts = Account(core, flags), {}
    for level in LEVELS:
        ours, counts[level] = same_pages(case, account, core, elf, level)
        if level != 31:
            os.unlink(ours)
    ram = os.path.getsize(core) // crash.PAGE
    case.check(all(counts[level] < ram - 1000 for level in (2, 4, 8, 16)) and
               counts[31] < ram // 3, f"of {ram} pages there stay {counts}")
    pages, missing = test_formats.peer_compare(case, dead, ours, "filtered")
    case.check(missing > pages, f"{missing} pages are missing")
    reads_alike(case, core, ours)
    os.unlink(ours)
    again = case.path("again.core")
    savecore(case, "-d", "8", "-o", again, elf)
    savecore(case, "-d", "31", "-F", "kdump", "-o", ours, again)
    case.equal(len(refilter.read_kept(ours)), counts[31],
               "pages left by level 31 after level 8")
    too_large(case, dead, core)
