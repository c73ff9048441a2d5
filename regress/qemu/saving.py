# SPDX-License-Identifier: BSD-2-Clause
"""savecore on the host, with the arm id known as on the machine itself, and
what it must make of a window: told by the trailer alone, as kcore(5) has it."""

import os
import shutil
import subprocess

import corefile
import crash
import test_truth

F_INCOMPLETE = 2
LONG_AGO = 1_000_000_000


class Run:
    """One run of savecore: its exit status, what it said, what it made."""

    def __init__(self, dead, *flags):
        case = dead.case
        root, self.dir = case.path("root"), case.path("crash")
        self.window = case.path("window.img")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir, 0o700)
        os.makedirs(f"{root}/var/lib/swapcore", 0o700, exist_ok=True)
        with open(f"{root}/var/lib/swapcore/armid", "w",
                  encoding="ascii") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write("\n".join(dead.found["armid"]) + "\n")
        # The one of the unit tests, which takes its root from a variable.
        path = os.path.join(case.tools, "../usr.sbin/savecore/savecore")
        os.utime(self.window, (LONG_AGO, LONG_AGO))
        done = subprocess.run(
            [path, *flags, "-D", self.window, self.dir], text=True,
            capture_output=True, errors="replace", check=False,
            env={**os.environ, "SAVECORE_ROOT": root})
        self.status = done.returncode
        self.said = done.stdout + done.stderr
        # Symbols are there where as much of the kernel is in the dump; what
        # is beside a core has its own checks.
        self.files = sorted(name for name in os.listdir(self.dir)
                            if name.startswith("linux.") and
                            name != "linux.0" and not name.endswith(".last"))
        self.core = f"{self.dir}/linux.0.core"

    def untouched(self):
        """Nobody wrote to the window."""
        return os.stat(self.window).st_mtime == LONG_AGO

    def check(self, case, what, status, files, *texts):
        about = f"{what}: savecore said {self.said!r}"
        case.equal((self.status, self.files), (status, files), about)
        for text in texts:
            case.check(text in self.said, f"no {text!r} in {about}")


def check_log(case, run):
    with open(f"{run.dir}/linux.0.log", encoding="utf-8",
              errors="replace") as stream:
        case.check("Kernel panic - not syncing: crashme" in stream.read(),
                   "the saved log does not have the panic")


def check_core(dead, run, data_valid, data_size, what):
    case = dead.case
    core = corefile.Core(run.core)
    case.equal(core.data_valid, data_valid, f"{what}: the core's data_valid")
    test_truth.compare(dead, run.core,
                       F_INCOMPLETE if data_valid < data_size else 0)


def check_beside(case, run, whole, what):
    """Facts, log and report beside a core."""
    def text(name):
        with open(f"{run.dir}/{name}", encoding="ascii",
                  errors="replace") as stream:
            return stream.read()
    case.check(text("info.0").startswith(
        f"verdict: {'complete' if whole else 'incomplete'}\n"),
        f"{what}: {text('info.0')}")
    case.check(text("crash.0.txt").startswith("signature "),
               f"{what}: {text('crash.0.txt')[:300]}")
    case.equal("\ndump      incomplete: " in text("crash.0.txt"), not whole,
               f"{what}: the report says that the dump is incomplete")
    if whole:
        case.check("Kernel panic - not syncing: crashme" in text("dmesg.0"),
                   f"{what}: the panic is not in dmesg.0")
        case.check("crashme_die [crashme]" in
                   text("crash.0.txt").partition("\n")[0],
                   f"{what}: {text('crash.0.txt')[:300]}")


def judge(dead, what):
    """Checks all that savecore makes of the window; what kind of dump it was.

    Without -f an incomplete dump is not taken and not touched; with -f what is
    there is saved, and equals memory.
    """
    case = dead.case
    dead.window()
    trailer = crash.trailer(dead.image, dead.part)
    early = crash.early_record(dead.image, dead.part)
    if trailer is None and not early:
        run = Run(dead)
        run.check(case, what, 1, [], "no core dump")
        case.check(run.untouched(), f"{what}: the window was written to")
        return "none"
    if not early and trailer["dumplo"] == 0:
        run = Run(dead)
        run.check(case, what, 1, [], "nothing of it is on the device")
        run = Run(dead)
        run.check(case, f"{what}, again", 1, [], "no core dump")
        return "nothing"
    if trailer is None or trailer["dumplo"] == 0:
        run = Run(dead)
        run.check(case, what, 0, ["linux.0.log"], "no core dump, only what")
        check_log(case, run)
        return "early"
    size, valid = trailer["data_size"], trailer["data_valid"]
    kind = "complete"
    if trailer["state"] != "COMPLETE":
        kind = "part" if valid else "header"
        run = Run(dead)
        run.check(case, what, 1, [], "the dump is incomplete",
                  "dump not saved: -f saves what is there",
                  *([os.strerror(trailer["error"])]
                    if trailer["state"] == "FAILED" else []))
        case.check(run.untouched(), f"{what}: the window was written to")
    run = Run(dead, *(["-f"] if kind != "complete" else []))
    if valid == 0:
        run.check(case, what, 0, ["linux.0.log"])
        check_log(case, run)
        return kind
    run.check(case, what, 0, ["linux.0.core"],
              *(["core may be incomplete"] if valid < size else []))
    check_core(dead, run, valid, size, what)
    check_beside(case, run, valid == size, what)
    run = Run(dead)
    run.check(case, what, 1, [], "no core dump")
    return kind
