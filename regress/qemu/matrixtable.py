# SPDX-License-Identifier: BSD-2-Clause
"""regress/MATRIX.md, from what the runs of matrix.py have left."""

import contexts

HEAD = """<!-- Written by `make matrix'; don't edit. -->
# Every way to die

A guest of QEMU (TCG, q35, {memory} MiB) with {swap} MiB of swap on each kind of
disk, armed with dump level 31, dies in each of these contexts. A cell is
**complete**, with the seconds that the console gives for the dump, where

- the machine came to its own end: the reboot that panic=1 asks for, or, with
  panic=0, the kernel's last line;
- the trailer says COMPLETE and savecore finds every checksum right;
- memory that was filled with a pattern is found by its symbol in the core;
- the log inside the dump, or the console, says that the kernel died of this and
  not of something else;
- no byte of the disk outside the window has changed.

Otherwise it is **partial** (savecore saved what there is) or **none**, with the
reason below. `-` is a combination that does not exist: that kernel has no driver
for the disk, or was built without what the context needs. Where QEMU has
nothing, something stands in: the NMI that finds a CPU spinning with interrupts
off comes from the monitor, since TCG has no performance counters.

"""


def cell_text(known):
    if known is None:
        return "?"
    if known["verdict"] != "complete":
        return f"**{known['verdict']}**"
    if known["seconds"] is None:
        return "complete"
    if known["seconds"] < 0.05:
        return "complete <0.1"
    return f"complete {known['seconds']:.1f}"


def short(release):
    """6.1.0-56-cloud-amd64 -> 6.1 cloud."""
    major, minor = release.split(".")[:2]
    return f"{major}.{minor} {'cloud' if 'cloud' in release else 'generic'}"


def write(matrix, kernels, devices, path, **facts):
    """The table of all cells, whenever they were run."""
    columns = [(kernel, bus) for bus in devices for kernel in kernels
               if matrix.exists(kernel, bus)]
    rows, reasons, count, old = [], [], {}, 0
    for context in contexts.CONTEXTS:
        row = []
        for kernel, bus in columns:
            if not matrix.possible(kernel, bus, context):
                row.append("-")
                continue
            known = matrix.known(kernel, bus, context)
            verdict = known["verdict"] if known else "not run"
            count[verdict] = count.get(verdict, 0) + 1
            row.append(cell_text(known))
            if known and known["module"] != matrix.digest(kernel):
                old += 1
            if verdict not in ("complete", "not run"):
                reasons.append(f"- {context.name}, {bus}, "
                               f"{short(kernel.release)}: {known['why']}")
        rows.append(f"| `{context.name}` {context.about} | "
                    f"{' | '.join(row)} |")
    total = sum(count.values())
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD.format(**facts))
        out.write(f"{total} cells: " + ", ".join(
            f"{number} {verdict}" for verdict, number in sorted(
                count.items())) + ".\n")
        out.write(f"{old} of them were run with a module before the one that "
                  "is there now; `?` was not run.\n\n")
        out.write("| context | " + " | ".join(
            f"{bus} {short(kernel.release)}" for kernel, bus in columns) +
            " |\n|" + " --- |" * (len(columns) + 1) + "\n")
        out.write("\n".join(rows) + "\n")
        if reasons:
            out.write("\n## Why not complete\n\n" + "\n".join(reasons) + "\n")
