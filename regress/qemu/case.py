# SPDX-License-Identifier: BSD-2-Clause
"""What a test is given: a kernel, a place for its files, guests to boot.

A test is a function of one Case, marked with @test.  Its docstring completes
"This test checks that ...".  It returns when all is well and raises Failed,
Skip, or what vm.py raises.
"""

import atexit
import os
import re
import shutil

import disk
import initramfs
from vm import VM

# What a kernel that is well does not say.
TROUBLE = re.compile(
    r"WARNING:|BUG:|refcount|Oops|general protection|INFO: task|lockdep|"
    r"use-after-free|Call Trace:|possible recursive|scheduling while atomic")

TESTS = []


class Failed(Exception):
    """The code under test did not do what the test checks."""


class Skip(Exception):
    """The test can't be made here."""


def test(slow=False, all_kernels=False, more=False, module=None):
    """Registers a test.  slow: for check-all only.  all_kernels: not only with
    the first kernel.  more: in check-all also with the kernels of other suites,
    where nothing else runs.  module: only with kernels that have this one."""
    def mark(function):
        function.slow = slow
        function.all_kernels = all_kernels
        function.more = more
        function.module = module
        TESTS.append(function)
        return function
    return mark


class Kernel:
    """A kernel package, unpacked, and our modules for it."""

    def __init__(self, root, release, *modules):
        self.root = root
        self.release = release
        self.modules = modules
        self.image = f"{root}/boot/vmlinuz-{release}"
        self.system_map = f"{root}/boot/System.map-{release}"
        self.base = None
        self.version = tuple(map(int, re.match(r"(\d+)\.(\d+)",
                                               release).groups()))

    def has(self, module):
        return module in initramfs.module_files(self.root, self.release)

    def make_base(self, programs, guestdir, path):
        """The initramfs that all tests with this kernel share."""
        with open(path, "wb") as out:
            out.write(initramfs.base(self.root, self.release, programs,
                                     self.modules, guestdir))
        self.base = path


def parse_arguments(parser):
    """Adds what the Makefile tells to every program here, and parses."""
    parser.add_argument("--kernel", action="append", default=[],
                        metavar="ROOT:RELEASE:SWAPCORE_KO:CRASHME_KO")
    parser.add_argument("--more", action="append", default=[],
                        metavar="RELEASE", help="is of another suite")
    parser.add_argument("--program", action="append", default=[])
    for name in ("tools", "work", "logs"):
        parser.add_argument(f"--{name}", required=True, metavar="DIR")
    args = parser.parse_args()
    args.kernels = [Kernel(*text.split(":")) for text in args.kernel]
    args.sbin = {os.path.basename(path): path for path in args.program}
    args.guest = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                              "guest")
    os.umask(0o022)         # savecore refuses what others may write
    args.work = f"{args.work}/{os.getpid()}"    # others may be at work as well
    os.makedirs(args.work)
    atexit.register(shutil.rmtree, args.work, ignore_errors=True)
    return args


class Case:
    """One run of one test with one kernel."""

    def __init__(self, name, kernel, args):
        self.name = name
        self.kernel = kernel
        self.tools = args.tools # directory of cmpcore, readcore
        self.sbin = args.sbin   # name -> path of our programs
        self.dir = f"{args.work}/{name}"
        self.logdir = f"{args.work}/{name}.logs"
        self._kept = f"{args.logs}/{name}"
        self._boots = 0
        self._disks = 0
        os.makedirs(self.dir)
        os.makedirs(self.logdir)

    def finish(self, keep_logs):
        """Removes the test's files; where its logs are now."""
        shutil.rmtree(self.dir)
        shutil.rmtree(self._kept, ignore_errors=True)
        if keep_logs:
            os.makedirs(os.path.dirname(self._kept), exist_ok=True)
            shutil.move(self.logdir, self._kept)
        else:
            shutil.rmtree(self.logdir)
        return self._kept

    def path(self, name):
        return f"{self.dir}/{name}"

    def log(self, name, text):
        with open(f"{self.logdir}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def disk(self, swap_mib, table="gpt", **options):
        """A disk image; table None: without partitions."""
        self._disks += 1
        path = self.path(f"disk{self._disks}.img")
        if table is None:
            return disk.whole(path, swap_mib, **options)
        return disk.guarded(path, swap_mib, table, **options)

    def boot(self, script, devices, append="", extra=b"", **options):
        """Starts a guest that runs the script; a VM.  extra: archives that it
        has besides."""
        self._boots += 1
        initrd = self.path(f"initrd{self._boots}")
        shutil.copyfile(self.kernel.base, initrd)
        with open(initrd, "ab") as out:
            out.write(extra + initramfs.script(script))
        return VM(self.kernel.image, initrd, append,
                  f"{self.logdir}/boot{self._boots}", devices=devices,
                  **options)

    def run(self, script, devices, timeout_s=90, **options):
        """Runs a script to its end in a guest; (data text, console text)."""
        with self.boot(script, devices, **options) as vm:
            _, end = vm.data.wait("@@(end (.*)|die .*)", timeout_s)
            if end[1] != "end 0":
                raise Failed(f"the guest's script: {end[1]}")
            vm.wait_exit(30)
            self.scan(vm.console.text())
            return vm.data.text(), vm.console.text()

    @staticmethod
    def scan(console):
        """Fails where the kernel complained."""
        for line in console.split("\n"):
            if TROUBLE.search(line):
                raise Failed(f"the kernel log says: {line.strip()}")

    @staticmethod
    def check(condition, text):
        if not condition:
            raise Failed(text)

    @staticmethod
    def equal(got, wanted, what):
        if got != wanted:
            raise Failed(f"{what}: {got!r} where {wanted!r} was expected")
