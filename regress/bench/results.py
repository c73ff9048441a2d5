# SPDX-License-Identifier: BSD-2-Clause
"""Makes RESULTS.md, the data of its plot, and the table in README.md of what
bench.py measured.

    results.py FIGURES LOGIN RESULTS.md DATA README.md

FIGURES is the directory that `make bench' keeps what each measurement told in,
and LOGIN what a test of `make check-debian' told; a measurement that is not there
is not in the page either.  In README.md, what
is between the two lines that say `kdump table' is replaced.
"""

import os
import re
import sys

SIZES = {"kdump-1g": 1, "kdump-4g": 4, "kdump-16g": 16}

HEAD = """# Results

Made by `make results`, which measures everything again, or with
`B="name ..."` only that; `make -C regress/bench page` makes this page of
what was measured before. Each table names the command that makes it alone.

**Only the ratios mean something.** The machines are QEMU's, without hardware
acceleration, on a host that does other work as well; the disks are files in
memory. What takes a second here takes far less on a real machine, and what a
real machine's firmware takes is not here at all. Figures are medians; in
brackets is the range of all runs.
"""

KDUMP_HEAD = """
## Against kdump

The same machine dies by `echo c >/proc/sysrq-trigger`, in turn with Swapcore and
with kdump: one CPU, the same Debian kernel, the same virtio disk, and in memory
the same files, inodes and processes. Dump level 31 in both. kdump is kexec-tools
and `makedumpfile -l -d 31` in an initramfs that has busybox and the disk's driver
and no more, which starts much faster than a distribution's. `crashkernel=128M`
is what Debian's kdump-tools sets aside. With Swapcore `panic=1`, as the package
sets it: the kernel waits a second before it resets the machine.
"""

ROWS = {
    "held": "memory held while nothing happens",
    "scan": "of the panic, choosing the pages to be saved",
    "dumped": "panic until the dump is on the disk",
    "booted": "panic until the next boot's init runs",
    "usable": "panic until the core is saved and swap is on",
    "saving": "of that, writing the core",
    "finished": "panic until its report, log and symbols are there too",
    "core": "the core on the disk",
    "packed": "the same, with `savecore --zstd`",
    "files": "with log, symbols and report beside it",
    "look-crash": "first look, with crash",
    "look-memory-crash": "its memory",
    "look-drgn": "first look, with drgn",
    "look-memory-drgn": "its memory",
}

KDUMP_TAIL = """
Pages are chosen by the kernel that dies, which looks for zeros in what it keeps
as well, and by makedumpfile in the second kernel, by its own account of its steps.

A first look is the panic, its backtrace, the log and all processes: crashinfo's
report, on the host, which has those and more, from the core alone; for crash and
drgn the 700 MB of debug symbols that they need are there already.

![Time by size of memory](kdump.svg)

The cores of kdump are compressed (LZO); those of Swapcore are not, unless
`compress=zstd` in swapcore.conf says so.

What kdump does better:

- It has a whole kernel and userland after the panic, so that it can write to any
  disk, file system, network or encrypted volume that Linux knows, and filter and
  compress on the way. Swapcore writes to the disks it has a driver for.
- The core is in the file system before the machine starts again; Swapcore's is
  copied at the next boot, which waits for that.
- It depends on next to nothing of the dead kernel. Swapcore runs inside it, and
  a kernel that is damaged badly enough can't dump itself.
- It is part of the kernel and of every distribution, is supported by vendors, and
  has run on all kinds of hardware for twenty years. Swapcore is a module from
  outside the tree, and was tested in QEMU alone.
"""


class Figure:
    """One line, and the range that a note told."""

    def __init__(self, ours, peer, unit, ratio):
        self.ours, self.peer, self.unit, self.ratio = ours, peer, unit, ratio
        self.ours_range = self.peer_range = None

    @staticmethod
    def _cell(value, unit, low_high):
        text = f"{float(value):.3g} {unit}"
        low, high = (f"{float(end):.3g}" for end in low_high or (0, 0))
        return text if low == high else f"{text} [{low}–{high}]"

    def cells(self):
        return (self._cell(self.ours, self.unit, self.ours_range),
                self._cell(self.peer, self.unit, self.peer_range),
                f"{float(self.ratio):.3g}")


def read(path):
    """({name: Figure}, what was told of the machine)."""
    figures, machine = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            found = re.match(r"bench: (\S+) ours=(\S+) (\S+) peer=(\S+) \S+ "
                             r"ratio=(\S+)", line)
            if found:
                name, ours, unit, peer, ratio = found.groups()
                figures[name] = Figure(ours, peer, unit, ratio)
            found = re.match(r"# (\S+): ours (\S+) to (\S+), peer (\S+) to "
                             r"(\S+)$", line)
            if found:
                one = figures[found[1]]
                one.ours_range = found[2], found[3]
                one.peer_range = found[4], found[5]
            if re.match(r"# (machine|guests):", line):
                machine.append(line[2:].strip())
    return figures, machine


def table(rows, ours, peer):
    lines = [f"| | {ours} | {peer} | ratio |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {' | '.join(figure.cells())} |"
              for name, figure in rows]
    return "\n".join(lines) + "\n"


def section(name, machine):
    return f"\n`make bench B={name}`; {'; '.join(machine)}\n\n"


LOGIN = """
### From panic to login

`make check-debian T=debian_panic_to_login`: a Debian 12 with systemd and 1 GiB of
memory, its own kdump-tools and our packages, from the panic until the last unit is
started, one run. With Swapcore the kernel waits a second of that before it resets
the machine, as the package's sysctl file says.

{}

"""


def against_login(path):
    """A table of what the test of the packages told, if it was run."""
    if not os.path.exists(path):
        return ""
    figures, machine = read(path)
    if "debian-login" not in figures:
        return ""
    rows = [("panic until all units are started", figures["debian-login"])]
    return (LOGIN.format("; ".join(machine))
            + table(rows, "Swapcore", "kdump-tools"))


def against_kdump(measured, login):
    text = KDUMP_HEAD
    for name, gib in SIZES.items():
        if name not in measured:
            continue
        figures, machine = measured[name]
        text += f"\n### {gib} GiB of memory\n" + section(name, machine)
        text += table([(what, figures[f"{name}-{key}"])
                       for key, what in ROWS.items()
                       if f"{name}-{key}" in figures], "Swapcore", "kdump")
    return text + KDUMP_TAIL + against_login(login)


def plot_data(measured):
    """GiB, then seconds until dumped and usable, ours and kdump's."""
    lines = []
    for name, gib in SIZES.items():
        if name in measured:
            figures = measured[name][0]
            dumped, usable = (figures[f"{name}-{key}"]
                              for key in ("dumped", "usable"))
            lines.append(f"{gib} {dumped.ours} {dumped.peer} {usable.ours} "
                         f"{usable.peer}\n")
    return "".join(lines)


README_ROWS = {
    "held": "memory held until the day it matters",
    "dumped": "panic until the dump is on the disk",
    "usable": "panic until the core is saved and swap is on",
    "finished": "panic until its report is there too",
    "core": "the core",
    "packed": "the core, with `compress=zstd`",
    "look-crash": "first look: crashinfo, against crash",
    "look-memory-crash": "memory that takes",
}


def readme_table(measured):
    """Of the machine with 4 GiB, or else the first one measured."""
    sizes = [name for name in SIZES if name in measured]
    name = "kdump-4g" if "kdump-4g" in sizes else sizes[0]
    figures, _ = measured[name]
    return (f"`make bench B={name}`, a machine with {SIZES[name]} GiB of "
            "memory:\n\n"
            + table([(what, figures[f"{name}-{key}"])
                     for key, what in README_ROWS.items()
                     if f"{name}-{key}" in figures], "Swapcore", "kdump"))


def write_readme(path, measured):
    with open(path, encoding="utf-8") as lines:
        text = lines.read()
    mark = "<!-- kdump table -->\n"
    before, _, after = text.split(mark)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"{before}{mark}{readme_table(measured)}{mark}{after}")


def main():
    directory, login, page, data, readme = sys.argv[1:]
    measured = {name: read(f"{directory}/{name}")
                for name in sorted(os.listdir(directory))
                if not name.endswith(".new")}
    text = HEAD
    if SIZES.keys() & measured.keys():
        text += against_kdump(measured, login)
        write_readme(readme, measured)
    others = [name for name in measured if name not in SIZES]
    if others:
        text += ("\n## Alone\n\nWhat each is compared with is told by `make "
                 "bench` ahead of its figures.\n")
    for name in others:
        figures, machine = measured[name]
        text += section(name, machine)
        text += table(figures.items(), "Swapcore", "peer")
    with open(page, "w", encoding="utf-8") as out:
        out.write(text)
    with open(data, "w", encoding="ascii") as out:
        out.write(plot_data(measured))


if __name__ == "__main__":
    main()
