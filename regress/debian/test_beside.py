# SPDX-License-Identifier: BSD-2-Clause
"""Kdump on the same machine, and a machine that has no place for a dump."""

from machine import Failed, SWAP, SWAP_UUID

CRASHKERNEL = "crashkernel=256M"
KDUMP_MIB = 1024


def _kdump_saved(machine):
    """kdump-tools' own core, which crashinfo reads as well as ours."""
    machine.ask("ls -l /var/crash /var/crash/2*",
                r"[1-9]\d{6,} \S+ +\d+ \S+ dump\.\d+$")
    machine.ask("crashinfo -M /var/crash/2*/dump.2* | head -n 12",
                "^panic +sysrq triggered crash")


def debian_kdump_goes_first(machine):
    """This test checks that with kdump-tools loaded dumpon says that its kernel
    goes first, that this is so, and that crashinfo reads its core."""
    if not machine.has("kdump.img"):
        machine.skip("kdump-tools can't be had")
    machine.start(append=CRASHKERNEL, image="kdump.img", mem_mib=KDUMP_MIB)
    machine.ask("cat /sys/kernel/kexec_crash_loaded", "^1$")
    machine.ask("dumpon -l", "^a kdump kernel is loaded and goes first, so "
                "that no dump will be written here: unload it")
    machine.ask("journalctl -b --no-pager -u dumpon", "kdump kernel is loaded")
    panic = machine.oops()
    machine.await_boot()
    machine.tell(f"# {machine.since(panic):.0f} s from panic to shell")
    machine.show()
    _kdump_saved(machine)
    machine.refute("ls -1 /var/crash", "linux")


def debian_without_a_place_says_so_once(machine):
    """This test checks that apt, on a machine that has no swap, says once that
    nothing is armed and what to do, and that all is well after that."""
    machine.start()
    machine.ask("apt-get -y purge swapcore; echo status $?", "^status 0$")
    machine.run(f"systemctl stop {SWAP}.swap; wipefs -a /dev/vda2")
    _, lines = machine.run("apt-get -y install /debs/swapcore_*.deb; "
                           "echo status $?")
    if lines[-1] != "status 0":
        raise Failed(f"apt-get install: {lines[-5:]}")
    told = [line for line in lines if "no swap and no dump partition" in line]
    if len(told) != 1:
        raise Failed(f"apt-get install told {len(told)} times what is missing: "
                     f"{lines}")
    machine.run("systemctl status dumpon --no-pager")
    machine.ask(f"mkswap -U {SWAP_UUID} /dev/vda2 && swapon /dev/vda2 && "
                "systemctl start dumpon; echo status $?", "^status 0$")
    machine.panic()
    machine.show()
    machine.check_saved(0)


TESTS = [debian_kdump_goes_first, debian_without_a_place_says_so_once]
