# SPDX-License-Identifier: BSD-2-Clause
"""A machine that is about to panic, made to die again and again.

QEMU's migration puts the state of an armed guest into a file, once.  Every
revival is a new QEMU with that state and a copy of the disk: the same panic,
with another fate for the disk.  QEMU's NVMe controller can't be migrated, so
there every revival is a boot.
"""

import subprocess
import time

import crash
import disk
from vm import LostVM

LOAD_TIMEOUT_S = 120

DIE = """
echo "@@dying"
read -r word
echo panic >/sys/module/crashme/parameters/how
"""


def _await_status(vm, command, good, pending):
    deadline = time.monotonic() + LOAD_TIMEOUT_S
    while True:
        status = vm.qmp.cmd(command).get("status")
        if status == good:
            return
        if status not in pending:
            raise LostVM(f"{command} says {status}")
        if time.monotonic() > deadline:
            raise LostVM(f"{command} says {status} for too long")
        time.sleep(0.02)


class Revived:
    """A machine that stands still before its panic.  A context: see VM."""

    def __init__(self, state, vm, image):
        self._state = state
        self.vm = vm
        self.image = image

    def __enter__(self):
        self.vm.__enter__()
        return self

    def __exit__(self, *why):
        self.vm.__exit__(*why)

    def writes(self):
        """How many writes and flushes the disks have had; flushes that failed
        are among them."""
        stats = [device["stats"]
                 for device in self.vm.qmp.cmd("query-blockstats")]
        return (sum(one["wr_operations"] for one in stats),
                sum(one["flush_operations"] + one["failed_flush_operations"]
                    for one in stats))

    def die(self):
        self.vm.cont()
        self.vm.data.send("die")

    def dead(self):
        """A Dead, with its memory; the machine stands still."""
        case = self._state.case
        dead = crash.Dead(case, self.image, 2)
        text, dead.alive = self._state.texts or (
            self.vm.data.text(), self.vm.console.text())
        dead.found = crash.blocks(text)
        dead.console = self.vm.console.text()
        _, task = self.vm.data.wait("@@dies ([0-9a-f]+) ([0-9a-f]+)", 30)
        dead.held = [int(text, 16) for text in task.groups()]
        dead.images = self.vm.save_memory(case.path("memory"))
        return dead


class Prepared:
    """What is needed to bring the machine back."""

    def __init__(self, case, bus, *, swap_mib=320, dumpon="dumpon -d 0", options="",
                 append="panic=1", before=(), layout=None, script=None,
                 **vmargs):
        """before, layout: as crash.kill() has them; script: all of it, in the
        place of the usual one."""
        self.case = case
        self.bus = bus
        self.image = case.disk(swap_mib, **(layout or {}))
        self.texts = None       # what the guest said before it was kept
        self._options = options
        self._file = None if bus == "nvme" else case.path("state")
        self._before = before
        self._script = script or crash.arm_script(
            disk.node(bus, 2), dumpon=dumpon) + crash.ABOUT + DIE
        self._vmargs = {"mem_mib": 256, "append": append, **vmargs}
        if self._file:
            self._keep()

    def _keep(self):
        with self._boot(self.image) as vm:
            crash.await_dying(vm)
            vm.stop()
            self.texts = vm.data.text(), vm.console.text()
            vm.qmp.cmd("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            vm.qmp.cmd("migrate", uri=f"exec:cat >{self._file}")
            _await_status(vm, "query-migrate", "completed",
                          ("setup", "active", "device"))

    def _boot(self, image, more=()):
        return self.case.boot(
            self._script, [*self._before, *more, *disk.attach(image, self.bus,
                                               options=self._options)],
            **self._vmargs)

    def revive(self, name, blockdev=None, more=()):
        """A Revived; blockdev: as in disk.guarded(), more: for QEMU."""
        path = self.case.path(f"{name}.img")
        subprocess.run(["cp", "--sparse=always", self.image.path, path],
                       check=True)
        image = disk.Disk(path, self.image.size, self.image.parts, blockdev)
        if self._file:
            more = [*more, "-incoming", f"exec:cat {self._file}"]
        vm = self._boot(image, more)
        try:
            if self._file:
                _await_status(vm, "query-status", "paused", ("inmigrate",))
            else:
                crash.await_dying(vm)
                vm.stop()
        except Exception:
            vm.kill()
            raise
        return Revived(self, vm, image)
