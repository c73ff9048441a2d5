# SPDX-License-Identifier: BSD-2-Clause
"""Watchdogs that would reset the machine in the middle of a dump: those that
are fed do not, and what another one leaves of the dump is saved."""

import os
import re
import subprocess
import time

import crash
import disk
import initramfs
import prepared
import saving
import test_truth
from case import Failed, Skip, test

MEM_MIB = 256
RATE = 20 << 20         # bytes a second: the dump takes about 13 seconds
PAUSE = ("-action", "watchdog=pause")   # and an event says that it fired

# The watchdog runs, and its daemon, which a panic stops.
START = """
usleep 300000
say fed cat /sys/kernel/swapcore/watchdogs
[ -c /dev/watchdog ] || die "no watchdog"
watchdog -T {timeout} -t 1 /dev/watchdog
usleep 300000
"""
ABOUT = """
say identity cat /sys/class/watchdog/watchdog0/identity
say running cat /sys/class/watchdog/watchdog0/state
say timeout cat /sys/class/watchdog/watchdog0/timeout
"""


def slow_disk(vm):
    vm.qmp.cmd("block_set_io_throttle", device="disk0", bps=0, bps_rd=0,
               bps_wr=RATE, iops=0, iops_rd=0, iops_wr=0)


def start(case, names, timeout_s):
    """An archive of modules, and the script that starts the watchdog."""
    found = initramfs.more_modules(case.kernel.root, case.kernel.release, names)
    if found is None:
        raise Skip(f"the kernel lacks one of {', '.join(names)}")
    return found[0], found[1] + START.format(timeout=timeout_s)


def fed(case, names, device, identity, timeout_s, patience_s):
    """A dump that takes longer than the watchdog is patient is complete."""
    archive, script = start(case, names, timeout_s)
    machine = []
    dead = crash.kill(case, "virtio", mem_mib=MEM_MIB,
                      before=(*PAUSE, *device), extra=archive,
                      work=script + ABOUT,
                      meet=machine.append,
                      watch=lambda image: slow_disk(machine[0]))
    case.equal((dead.found["fed"], dead.found["identity"]),
               ([identity], [identity]), "the watchdog that is fed")
    case.equal((dead.found["running"], dead.found["timeout"]),
               (["active"], [str(timeout_s)]), "the watchdog")
    dead.check_complete()
    took = float(re.search(r"in ([0-9.]+) s", dead.last)[1])
    case.check(took > patience_s + 2, f"the dump took {took} s only")
    test_truth.compare(dead, dead.save())


@test(slow=True, module="i6300esb")
def watchdog_i6300esb_fed(case):
    """a 6300ESB watchdog is fed while a dump is taken that lasts longer than
    its time-out."""
    fed(case, ("i6300esb",), ("-device", "i6300esb"), "i6300ESB timer", 6, 6)


@test(slow=True, module="iTCO_wdt")
def watchdog_tco_fed(case):
    """the same is so of the TCO timer of the chipset, which fires when it has
    run out twice."""
    fed(case, ("lpc_ich", "iTCO_wdt"),
        ("-global", "ICH9-LPC.noreboot=false"), "iTCO_wdt", 4, 8)


def fires(case, names, device, timeout_s):
    """A machine that panics with nothing armed is stopped by its watchdog."""
    archive, script = start(case, names, timeout_s)
    script = 'insmod /swapcore.ko || die "insmod swapcore"\n' + script + \
        ABOUT + crash.PANIC
    with case.boot(script, [*PAUSE, *device], mem_mib=MEM_MIB,
                   extra=archive) as vm:
        crash.await_dying(vm)
        found = crash.blocks(vm.data.text())
        case.equal((found["fed"], found["running"]), ([], ["active"]),
                   "the watchdogs that are fed, and the one that runs")
        vm.data.send("die")
        vm.console.wait("Kernel panic", 30)
        for _ in range(8 * timeout_s):
            time.sleep(1)
            if vm.qmp.cmd("query-status")["status"] == "watchdog":
                return
        raise Failed(f"no watchdog fired in {8 * timeout_s} s")


@test(slow=True, module="i6300esb")
def watchdog_i6300esb_unfed_fires(case):
    """without a dump the same watchdog does fire after the panic."""
    fires(case, ("i6300esb",), ("-device", "i6300esb"), 6)


@test(slow=True, module="iTCO_wdt")
def watchdog_tco_unfed_fires(case):
    """the same is so of the chipset's."""
    fires(case, ("lpc_ich", "iTCO_wdt"),
          ("-global", "ICH9-LPC.noreboot=false"), 4)


def at_boot(dead):
    """What the units of the package do, with no more than they say."""
    case, root, to = (dead.case, *map(dead.case.path, ("root", "boot")))
    os.makedirs(f"{root}/etc")
    os.makedirs(to, 0o700)
    with open(f"{root}/etc/swapcore.conf", "w", encoding="ascii") as out:
        out.write(f"directory={to}\n")
    savecore = os.path.join(case.tools, "../usr.sbin/savecore/savecore")
    done = subprocess.run([savecore, "-a", "-v", "-D", dead.window()],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "SAVECORE_ROOT": root})
    case.equal(done.returncode, 0, f"savecore -a said {done.stderr!r}")
    case.check("core may be incomplete" in done.stderr + done.stdout and
               "linux.0.core" in os.listdir(to),
               f"savecore -a said {done.stderr!r}")


@test(slow=True, module="ib700wdt")
def watchdog_unknown_fires_part_saved(case):
    """of a dump that a watchdog cuts short, which is not fed, savecore saves
    what there is: with -f, and with -a, as at boot."""
    archive, script = start(case, ("ib700wdt",), 4)
    image = case.disk(320)
    dead = crash.Dead(case, image, 2)
    script = crash.arm_script(disk.node("virtio", 2), crashme=" ") + script + \
        crash.ABOUT + prepared.DIE
    with case.boot(script, [*PAUSE, "-device", "ib700",
                            *disk.attach(image, "virtio")],
                   mem_mib=MEM_MIB, extra=archive) as vm:
        crash.await_dying(vm)
        slow_disk(vm)
        vm.data.send("die")
        vm.qmp.event("WATCHDOG")
        _, task = vm.data.wait("@@dies ([0-9a-f]+) ([0-9a-f]+)", 30)
        dead.held = [int(text, 16) for text in task.groups()]
        dead.images = vm.save_memory(case.path("memory"))
        dead.found = crash.blocks(vm.data.text())
    case.equal(dead.found["fed"], [], "the watchdogs that are fed")
    case.equal(crash.trailer(image, 2)["state"], "INPROGRESS", "the trailer")
    case.equal(saving.judge(dead, "cut short"), "part", "what was saved")
    at_boot(dead)
