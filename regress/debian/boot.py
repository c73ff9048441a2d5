# SPDX-License-Identifier: BSD-2-Clause
"""A Debian with our packages panics, reboots and saves its dump by itself.

    boot.py IMAGEDIR OUTDIR NAME...

Runs the tests named, each with a copy of the disk that image.sh made; what the
machine printed stays in OUTDIR.  Nobody does anything for it to work: what is
typed here asks, or breaks something first.
"""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../qemu"))

from vm import LostVM, NoLine, VM      # noqa: E402

SWAP = "dev-disk-by\\\\x2duuid-" + \
    "5eed0000\\\\x2d0000\\\\x2d4000\\\\x2d8000\\\\x2d000000000002"
BOOT_S = 600
CONF = "/etc/swapcore.conf.d/test.conf"


class Failed(Exception):
    """The machine did not do what the test checks."""


class Machine:
    """A Debian; what is asked of it, and its answers, go to a file."""

    def __init__(self, images, out, name):
        self._disk = f"{images}/{name}.img"
        subprocess.run(["cp", "--sparse=always", f"{images}/disk.img",
                        self._disk], check=True)
        self._out = open(f"{out}/{name}.txt", "w", encoding="utf-8")
        self.vm = VM(
            f"{images}/vmlinuz", f"{images}/initrd",
            "root=/dev/vda1 console=ttyS0", f"{out}/{name}", mem_mib=512,
            reboot=True, devices=[
                "-drive", f"file={self._disk},format=raw,if=none,id=disk",
                "-device", "virtio-blk-pci,drive=disk"])
        self._at = 0

    def __enter__(self):
        self.vm.__enter__()
        return self

    def __exit__(self, *why):
        self.vm.__exit__(*why)
        self._out.close()
        os.remove(self._disk)

    def tell(self, text):
        print(text, file=self._out, flush=True)

    def await_boot(self):
        self._at, _ = self.vm.data.wait("^@@ready", BOOT_S, self._at)
        self._at += 1

    def run(self, command):
        """(status, lines) of a command line."""
        self.tell(f"# {command}")
        self.vm.data.send(command)
        end, done = self.vm.data.wait("^@@done ([0-9]+)", 300, self._at)
        lines = self.vm.data.lines[self._at:end]
        self._at = end + 1
        for line in lines:
            self.tell(line)
        return int(done[1]), lines

    def ask(self, command, pattern):
        """The match in what the command prints; it must be there."""
        _, lines = self.run(command)
        found = re.search(pattern, "\n".join(lines), re.M)
        if not found:
            raise Failed(f"{command}: no /{pattern}/ in {lines[:20]}")
        return found

    def refute(self, command, pattern):
        _, lines = self.run(command)
        if re.search(pattern, "\n".join(lines), re.M):
            raise Failed(f"{command}: /{pattern}/ in {lines[:20]}")

    def panic(self):
        """Panics; returns when it has booted again."""
        at = len(self.vm.console.lines)
        self.tell("# echo c >/proc/sysrq-trigger")
        self.vm.data.send("sync; echo c >/proc/sysrq-trigger")
        self.vm.console.wait("sysrq: Trigger a crash", 60, at)
        self.vm.console.wait("swapcore: .*dump complete", 300, at)
        self.vm.console.wait("Rebooting in 10 seconds", 60, at)
        for line in self.vm.console.lines[at:]:
            if re.search(r"Kernel panic|swapcore:|Rebooting", line):
                self.tell(line)
        self.await_boot()


def show_boot(machine):
    """What a person would look at."""
    machine.run("journalctl -b -o short-monotonic --no-pager --no-hostname "
                "-u 'savecore*' -u 'dumpon*' -u '*.swap'")
    machine.run("dumpon -l")
    machine.run("ls -l /var/crash")
    machine.run("swapon --show")


def check_order(machine):
    """The kernel's own clock: savecore had ended when swap came on."""
    saved = machine.ask("systemctl show -p ExecMainExitTimestampMonotonic "
                        f"savecore@{SWAP}.service", r"=([1-9]\d*)$")
    swap = machine.ask("dmesg", r"^\[ *(\d+\.\d+)\] Adding \d+k swap on "
                       "/dev/vda2")
    if float(swap[1]) * 1e6 < int(saved[1]):
        raise Failed(f"swap came on at {swap[1]} s, and savecore ended at "
                     f"{int(saved[1]) / 1e6} s")


def debian_panic_is_saved_at_boot(machine):
    """This test checks that a machine with nothing but the packages installed
    arms its swap, dumps, reboots, saves the dump before swap is on, and turns
    swap on, twice."""
    machine.await_boot()
    machine.ask("dumpon -l -v", "^/dev/vda2")
    machine.ask("swapon --show=NAME --noheadings", "^/dev/vda2$")
    machine.ask("systemctl is-system-running", "^running$")
    machine.ask("sysctl kernel.panic kernel.panic_on_oops", "= 10$")
    for number in (0, 1):
        machine.panic()
        show_boot(machine)
        machine.ask("ls -1 /var/crash", f"^linux.{number}.core$")
        machine.ask("swapon --show=NAME --noheadings", "^/dev/vda2$")
        machine.ask("dumpon -l", "^/dev/vda2")
        machine.ask("systemctl is-system-running", "^running$")
        check_order(machine)
        core = f"/var/crash/linux.{number}.core"
        machine.ask(f"crashinfo -M {core} dmesg | grep -A 4 'Trigger a crash'",
                    "Kernel panic - not syncing: sysrq triggered crash")
        machine.refute("savecore -n; echo status $?", "status 0")


def debian_unsaved_dump_keeps_swap_off(machine):
    """This test checks that a dump that can't be saved keeps its swap off and
    the machine up, that the journal tells, that the package can't be removed,
    and that all is well once the reason is gone; then, that nothing is left of
    the packages but cores."""
    machine.await_boot()
    machine.run(f"echo directory=/nonexistent >{CONF}")
    machine.panic()
    show_boot(machine)
    machine.ask("systemctl is-system-running", "^degraded$")
    machine.ask("systemctl --failed --no-pager", "savecore@")
    machine.ask("cat /proc/swaps | wc -l", "^1$")
    machine.ask("dumpon -l", "^none")
    machine.ask("journalctl -b --no-pager -p err", "stays off as swap")
    machine.ask("savecore -n; echo status $?", "^status 0$")
    machine.ask("apt-get -y remove swapcore; dpkg -s swapcore",
                "^Status: install ok installed|^Status: deinstall ok installed")
    machine.ask("test -x /usr/sbin/savecore; echo status $?", "^status 0$")
    machine.run(f"rm {CONF}")
    machine.ask(f"systemctl start {SWAP}.swap; echo status $?", "^status 0$")
    show_boot(machine)
    machine.ask("ls -1 /var/crash", "^linux.0.core$")
    machine.ask("cat /proc/swaps", "^/dev/vda2")
    machine.ask("savecore -n; echo status $?", "^status 1$")
    machine.ask("apt-get -y purge swapcore swapcore-dkms libkvm0; "
                "echo status $?", "^status 0$")
    machine.ask("ls -1 /var/crash", "^linux.0.core$")
    machine.refute("find / -xdev -name '*swapcore*' ! -path '/proc/*' "
                   "! -path '/sys/*' ! -path '/var/log/*'", "swapcore")
    machine.refute("find / -xdev '(' -name 'savecore*' -o -name 'dumpon*' "
                   "-o -name 'libkvm*' ')' ! -path '/usr/share/bash*'", "/")
    machine.refute("lsmod", "^swapcore")
    machine.ask("cat /proc/swaps", "^/dev/vda2")


TESTS = [debian_panic_is_saved_at_boot, debian_unsaved_dump_keeps_swap_off]


def run_test(test, images, out):
    start = time.monotonic()
    name = test.__name__
    try:
        with Machine(images, out, name) as machine:
            test(machine)
    except (Failed, LostVM, NoLine) as why:
        print(f"FAIL debian/{name}: {why} (logs: {out}/{name}.*)", flush=True)
        return False
    print(f"PASS debian/{name} ({time.monotonic() - start:.0f} s)",
          flush=True)
    return True


def main():
    images, out, *names = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    good = [run_test(test, images, out) for test in TESTS
            if not names or test.__name__ in names]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
