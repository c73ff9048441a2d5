# SPDX-License-Identifier: BSD-2-Clause
"""A Debian with our packages, in QEMU, and a shell in it.

The shell is on the second serial port.  What is asked of the machine and what
it answers goes to a file, as a person at its console would have seen it.
"""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../qemu"))

from vm import NoLine, VM      # noqa: E402

SWAP = "dev-disk-by\\\\x2duuid-" + \
    "5eed0000\\\\x2d0000\\\\x2d4000\\\\x2d8000\\\\x2d000000000002"
SWAP_UUID = "5eed0000-0000-4000-8000-000000000002"
BOOT_S = 600
ANSWER_S = 300
CONF = "/etc/swapcore.conf.d/test.conf"
DISK = {"virtio": "/dev/vda", "nvme": "/dev/nvme0n1p"}
DEVICE = {"virtio": "virtio-blk-pci,drive=disk",
          "nvme": "nvme,drive=disk,serial=disk,ioeventfd=off"}
TOLD = re.compile(r"Kernel panic|swapcore:|Rebooting")


class Failed(Exception):
    """The machine did not do what the test checks."""


class Skip(Exception):
    """The test can't be made here."""


class Machine:
    """A Debian.  A context: leaving it ends the machine and frees its disk."""

    def __init__(self, images, out, name):
        self._images = images
        self._logs = f"{out}/{name}"
        self._disk = f"{images}/{name}.img"
        self._out = open(f"{self._logs}.txt", "w", encoding="utf-8")
        self._boots = 0
        self._at = 0
        self.bus = "virtio"
        self.vm = None

    def start(self, bus="virtio", append="", image="disk.img", kernel="",
              mem_mib=512, spare_mib=0, awaits="^@@ready"):
        """Switches it on, with its own copy of an image the first time.
        kernel: another one, by the end of its files' names.  spare_mib: the
        size of an empty disk beside its own."""
        if self.vm:
            self.vm.kill()
        if not os.path.exists(self._disk):
            subprocess.run(["cp", "--sparse=always",
                            f"{self._images}/{image}", self._disk],
                           check=True)
        self._boots += 1
        self._at = 0
        self.bus = bus
        self.vm = VM(
            f"{self._images}/vmlinuz{kernel}", f"{self._images}/initrd{kernel}",
            f"root={self.part(1)} console=ttyS0 {append}",
            f"{self._logs}.{self._boots}", mem_mib=mem_mib, reboot=True,
            devices=["-drive", f"file={self._disk},format=raw,if=none,id=disk,"
                     "cache=unsafe", "-device", DEVICE[bus],
                     *self._spare(spare_mib)])
        self.await_boot(awaits)

    def __enter__(self):
        return self

    def __exit__(self, kind, *why):
        if self.vm:
            self.vm.__exit__(kind, *why)
        self._out.close()
        for disk in (self._disk, f"{self._disk}.spare"):
            if os.path.exists(disk):
                os.remove(disk)

    def _spare(self, mib):
        if not mib:
            return []
        with open(f"{self._disk}.spare", "wb") as disk:
            disk.truncate(mib << 20)
        return ["-drive", f"file={self._disk}.spare,format=raw,if=none,"
                "id=spare,cache=unsafe", "-device",
                "virtio-blk-pci,drive=spare"]

    def part(self, number):
        return f"{DISK[self.bus]}{number}"

    def has(self, name):
        return os.path.exists(f"{self._images}/{name}")

    def tell(self, text):
        print(text, file=self._out, flush=True)

    def await_boot(self, awaits="^@@ready"):
        self._at, _ = self.vm.data.wait(awaits, BOOT_S, self._at)
        self._at += 1

    @staticmethod
    def skip(why):
        raise Skip(why)

    def run(self, command):
        """(status, lines) of a command line."""
        self.tell(f"# {command}")
        self.vm.data.send(command)
        end, done = self.vm.data.wait("^@@done ([0-9]+)", ANSWER_S, self._at)
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

    def file(self, path, text, mode="644"):
        """Makes a file in it."""
        lines = " ".join(f"'{line}'" for line in text.strip().split("\n"))
        self.run(f"printf '%s\\n' {lines} >{path}; chmod {mode} {path}")

    def apt(self, what):
        """What apt-get prints; it must do it."""
        _, lines = self.run("apt-get -qq -y -o Dpkg::Use-Pty=0 "
                            f"{what} >/run/apt 2>&1; rc=$?; "
                            "cat /run/apt; echo status $rc")
        if lines[-1] != "status 0":
            raise Failed(f"apt-get {what}: {lines[-5:]}")
        return lines

    def install(self, *told):
        """Installs the package that was purged: each text is told once."""
        lines = self.apt("install /debs/swapcore_*.deb")
        for text in told:
            times = sum(text in line for line in lines)
            if times != 1:
                raise Failed(f"apt-get install told {times} times: {text}: "
                             f"{lines}")

    def oops(self):
        """Panics; the number of the console's line that says so."""
        at = len(self.vm.console.lines)
        self.tell("# echo c >/proc/sysrq-trigger")
        self.vm.data.send("sync; echo c >/proc/sysrq-trigger")
        panic, _ = self.vm.console.wait("sysrq: Trigger a crash", 60, at)
        return panic

    def since(self, line):
        """Seconds from a line of the console until now."""
        return time.monotonic() - self.vm.console.times[line]

    def die(self):
        """Panics; returns once the dump is written, with the console's line
        numbers of the panic and of the dump's end."""
        panic = self.oops()
        end, _ = self.vm.console.wait("swapcore: .*dump complete", 300, panic)
        return panic, end

    def panic(self):
        """Panics; the seconds until it has booted again, and nothing is left to
        be started."""
        panic, end = self.die()
        self.vm.console.wait("Rebooting in 1 seconds", 60, end)
        for line in self.vm.console.lines[panic:]:
            if TOLD.search(line):
                self.tell(line)
        self.await_boot()
        seconds = self.since(panic)
        self.tell(f"# {seconds:.0f} s from panic to shell")
        return seconds

    def show(self):
        """What a person would look at."""
        self.run("journalctl -b -o short-monotonic --no-pager --no-hostname "
                 "-u 'savecore*' -u 'dumpon*' -u '*.swap'")
        self.run("dumpon -l")
        self.run("ls -l /var/crash")
        self.run("swapon --show")

    def check_order(self):
        """The kernel's own clock: savecore had ended when swap came on, and the
        report was begun after that."""
        saved = self.ask("systemctl show -p ExecMainExitTimestampMonotonic "
                         f"savecore@{SWAP}.service", r"=([1-9]\d*)$")
        swap = self.ask("dmesg | grep ' swap on '", r"^\[ *(\d+\.\d+)\] Adding \d+k swap on "
                        + self.part(2))
        rest = self.ask("systemctl show -p ExecMainStartTimestampMonotonic "
                        "savecore-finish.service", r"=([1-9]\d*)$")
        if not int(saved[1]) <= float(swap[1]) * 1e6 <= int(rest[1]):
            raise Failed(f"savecore ended at {int(saved[1]) / 1e6} s, swap came "
                         f"on at {swap[1]} s, and the rest of the dump was "
                         f"begun at {int(rest[1]) / 1e6} s")

    def check_saved(self, number, running="^running$"):
        """Dump `number' is a core with its report, swap is on, and the machine
        is armed again."""
        self.run("systemctl start savecore-finish")
        self.ask("ls -1 /var/crash", f"^linux.{number}.core$")
        self.refute("ls -1 /var/crash", "pending")
        self.ask(f"cat /var/crash/info.{number}", "^verdict: complete$")
        self.ask(f"head -n 40 /var/crash/crash.{number}.txt",
                 "^panic +sysrq triggered crash")
        self.ask("swapon --show=NAME --noheadings", f"^{self.part(2)}$")
        self.ask("dumpon -l", f"^{self.part(2)}")
        self.ask("systemctl is-system-running", running)
        self.refute("savecore -n; echo status $?", "status 0")


__all__ = ["CONF", "Failed", "Machine", "NoLine", "SWAP", "SWAP_UUID", "Skip"]
