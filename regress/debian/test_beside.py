# SPDX-License-Identifier: BSD-2-Clause
"""Kdump on the same machine, and hibernation to the same partition."""

import os

from machine import SWAP_UUID

# Says when the machine is awake again.
AWAKE = """
#!/bin/sh
[ $1 = pre ] || echo @@awake >/dev/ttyS1
"""

CRASHKERNEL = "crashkernel=256M"
KDUMP_MIB = 1024


def _kdump_saved(machine):
    """kdump-tools' own core, which crashinfo reads as well as ours."""
    machine.ask("ls -l /var/crash /var/crash/2*",
                r"[1-9]\d{6,} \S+ +\d+ \S+ dump\.\d+$")
    machine.ask("crashinfo -M /var/crash/2*/dump.2* | head -n 12",
                "^panic +sysrq triggered crash")


def debian_kdump_goes_first(machine):
    """This test checks that with kdump-tools loaded dumpon, and apt once, say that
    its kernel goes first, that this is so, and that crashinfo reads its core."""
    if not machine.has("kdump.img"):
        machine.skip("kdump-tools can't be had")
    machine.start(append=CRASHKERNEL, image="kdump.img", mem_mib=KDUMP_MIB)
    machine.ask("cat /sys/kernel/kexec_crash_loaded", "^1$")
    machine.ask("dumpon -l", "^a kdump kernel is loaded and goes first, so "
                "that no dump will be written here: unload it")
    machine.ask("journalctl -b --no-pager -u dumpon", "kdump kernel is loaded")
    machine.apt("purge swapcore")
    machine.install("leave no dump yet: a kdump kernel is loaded and goes first, "
                    "so that no dump will be written here: unload it")
    panic = machine.oops()
    machine.await_boot()
    machine.tell(f"# {machine.since(panic):.0f} s from panic to shell")
    machine.show()
    _kdump_saved(machine)
    machine.refute("ls -1 /var/crash", "linux")


def _asked_to_resume(machine):
    """Debian's initramfs had the kernel look for a system to resume."""
    _, number = machine.run(f"cat /sys/class/block/{machine.part(2)[5:]}/dev")
    machine.ask("cat /sys/power/resume", f"^{number[0]}$")


def debian_hibernation_and_dump_share_swap(machine):
    """This test checks that where the initramfs looks for a hibernated system on
    the swap partition, the machine hibernates to it, is resumed and armed again,
    and that a dump that is there at the next boot is saved."""
    resume = f"resume=UUID={SWAP_UUID}"
    machine.start("nvme", append=resume)
    _asked_to_resume(machine)
    machine.ask("dumpon -l", f"^{machine.part(2)}")
    machine.file("/lib/systemd/system-sleep/awake", AWAKE, "755")
    machine.run("cat /proc/sys/kernel/random/boot_id >/run/boot")
    machine.run("systemctl start --no-block systemd-hibernate.service")
    machine.vm.wait_exit(300)
    machine.tell("(the machine is off, and is switched on again)")
    machine.start("nvme", append=resume, awaits="^@@awake")
    machine.ask("cat /proc/sys/kernel/random/boot_id | cmp - /run/boot; "
                "echo status $?", "^status 0$")
    machine.ask("n=0; until dumpon -l | grep '^/dev' || [ $((n += 1)) -gt 60 ]; "
                "do sleep 1; done", f"^{machine.part(2)}")
    machine.ask("dmesg | grep swapcore",
                "swapcore: disarmed: the machine is hibernating")
    machine.panic()
    _asked_to_resume(machine)
    machine.show()
    machine.check_saved(0)
    machine.check_order()


def debian_panic_to_login(machine):
    """This test checks that the same machine comes back by itself after a panic
    with Swapcore, and with kdump-tools, and tells how long either took."""
    if not machine.has("kdump.img"):
        machine.skip("kdump-tools can't be had")
    machine.start(image="kdump.img", mem_mib=KDUMP_MIB)
    machine.ask("dumpon -l", f"^{machine.part(2)}: dump level 31$")
    machine.ask("sysctl -n kernel.panic", "^1$")
    load = os.getloadavg()[0]
    ours = machine.panic()
    machine.check_saved(0)
    machine.run("sync")
    machine.start(append=CRASHKERNEL, mem_mib=KDUMP_MIB)
    machine.ask("cat /sys/kernel/kexec_crash_loaded", "^1$")
    peer_load = os.getloadavg()[0]
    panic = machine.oops()
    machine.await_boot()
    peer = machine.since(panic)
    _kdump_saved(machine)
    machine.tell(f"# machine: load {load:.1f} at the panic with Swapcore, "
                 f"{peer_load:.1f} at that with kdump")
    machine.tell(f"bench: debian-login ours={ours:.3g} s peer={peer:.3g} s "
                 f"ratio={ours / peer:.3g}")


TESTS = [debian_kdump_goes_first, debian_hibernation_and_dump_share_swap,
         debian_panic_to_login]
