# SPDX-License-Identifier: BSD-2-Clause
"""What README.md shows is what happens: its drawing, its commands, and what it
says that these print.

The commands of `make' have tests of their own: regress/newcomer.sh takes those of
the first part from README.md itself, and regress/debian installs what `make deb'
makes.
"""

import os
import re

import examples

# What of the session there is no other machine for here: dumpon -l after the
# reboot, and the console's last word.
ELSEWHERE = re.compile(r"\.\.\.$|last dump: of |\[ *[\d.]+\] Rebooting in ")
COMMANDS = ("bt", "dmesg", "files", "modules")


def shape(text):
    """Without what is another time, or on another machine, something else."""
    text = re.sub(r"^\[ *[\d.]+\] ", "", text.strip())
    return re.sub(r"\d+(\.\d+)?", "N", text)


def files_of_drawing(here, text):
    here.run("savecore /var/crash")
    found = re.findall(r"\b((?:crash|dmesg|info|linux)\.0[.a-z]*)\b", text)
    here.case.equal(sorted(found), ["crash.0.txt", "dmesg.0", "info.0",
                                    "linux.0", "linux.0.core"],
                    "files in README.md's drawing")
    here.case.equal([name for name in found if not os.path.exists(
        f"{here.root}/var/crash/{name}")], [], "files that are not there")


def same_report(here, shown, report):
    """The lines of a report that are shown, as they begin there."""
    said = report.split("\n")
    shown = [line for line in shown if not ELSEWHERE.match(line.strip())]
    frames = [line for line in said if line.startswith(" #")]
    for line in shown:
        if line.startswith(" #"):
            name = re.search(r"\] (\w+)", line)[1]
            here.case.equal(re.search(r"\] (\w+)", frames.pop(0))[1], name,
                            "a function of README.md's report")
            continue
        wanted = line.removesuffix("< ...").rstrip()
        word = wanted.split()[0]
        found = next((one for one in said if one.split()[:1] == [word]), "")
        if word in ("signature", "panic"):
            found = found[:len(wanted)]
        else:
            found, wanted = found[:10], wanted[:10]
        here.case.equal(found, wanted, f"{word} of README.md's report")


def session(here, text):
    """What the module, savecore and dumpon print, line by line."""
    text, _, report = text.partition("# less /var/crash/crash.0.txt\n")
    said = here.run("savecore -a 2>&1; savecore --finish -v 2>&1").replace(
        here.root, "").replace("/dev/vda2:", "/dev/nvme0n1p2:").split("\n")
    known = {shape(re.sub(r"^savecore(\[\d+\])?: ", "", line)) for line in
             (*said, *here.console.split("\n"), *here.list)}
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("# ") or ELSEWHERE.match(line):
            continue
        line = shape(re.sub(r"^savecore\[\d+\]: ", "", line))
        here.case.check(line in known, f"README.md: nothing prints {line!r}")
    with open(f"{here.root}/var/crash/crash.0.txt", encoding="ascii") as made:
        same_report(here, report.rstrip("\n").split("\n"), made.read())


def first_look(here, text):
    here.run("savecore /var/crash")
    command, _, more = text.partition(" #")
    here.case.equal(tuple(re.findall(r"[a-z]+", more.replace("or ", ""))),
                    COMMANDS, "what README.md offers")
    for name in ("ps", *COMMANDS):
        said = here.run(command.replace(" ps", f" {name}"))
        here.case.check(said.count("\n") > 3, f"{name}: {said}")


README = {
    "the kernel panics": files_of_drawing,
    "make demo": None,
    "make deb": None,
    "# dumpon -l": session,
    "crashinfo -M": first_look,
}


def run(case, here):
    found = examples.indented("README.md")
    case.equal(len(found), len(README), "examples in README.md")
    for text, (start, function) in zip(found, README.items()):
        case.check(text.lstrip().startswith(start), f"README.md: {text!r}")
        if function:
            here.fresh()
            function(here, text)
