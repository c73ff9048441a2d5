# SPDX-License-Identifier: BSD-2-Clause
"""From a panic to its core in /var/crash, whatever comes between."""

from machine import CONF, Failed, SWAP

PANICS = "/usr/local/sbin/savecore-panics"

# Panics once, when part of the core is written: savecore stands still while its
# size is looked at, and until the end.
SAVECORE_PANICS = """
#!/bin/sh
[ -e /root/once ] || exec savecore -a -v -D "$1"
rm /root/once
sync
setsid savecore -a -v -D "$1" &
core=/var/crash/.linux.0.core.partial
while :; do
	sleep 0.02
	kill -STOP -$!
	[ "$(stat -c %s $core 2>/dev/null || echo 0)" -le 10000000 ] || break
	kill -CONT -$!
done
sync
echo c >/proc/sysrq-trigger
"""

# Resets the machine, once, when there is something to be finished.
CUT = """
#!/bin/sh
[ -e /var/crash/linux.0.pending ] && [ ! -e /root/cut.done ] || exit 0
touch /root/cut.done
sync
echo b >/proc/sysrq-trigger
sleep 100
"""

# What an administrator has run for each dump.
TOLD = """
#!/bin/sh
set -- $SAVECORE_NUMBER $SAVECORE_STATUS $SAVECORE_VERDICT $SAVECORE_REPORT
echo "$@" "$SAVECORE_PANIC" >>told
"""


def debian_panic_is_saved_at_boot(machine):
    """This test checks that a machine with nothing but the packages installed
    arms its swap, dumps, reboots, saves the dump before swap is on, and turns
    swap on, twice."""
    machine.start()
    machine.ask("dumpon -l -v", "^/dev/vda2")
    machine.ask("swapon --show=NAME --noheadings", "^/dev/vda2$")
    machine.ask("systemctl is-system-running", "^running$")
    machine.ask("sysctl kernel.panic kernel.panic_on_oops", "^kernel.panic = 1$")
    machine.ask("dumpon -l", "^last dump: none in /var/crash$")
    machine.ask("stat -c %a /var/crash", "^700$")
    for number in (0, 1):
        machine.panic()
        machine.show()
        machine.check_saved(number)
        machine.ask("dumpon -l", "^last dump: .*, complete, in "
                    f"/var/crash/linux.{number}.core$")
        machine.check_order()
        core = f"/var/crash/linux.{number}.core"
        machine.ask(f"crashinfo -M {core} dmesg | grep -A 4 'Trigger a crash'",
                    "Kernel panic - not syncing: sysrq triggered crash")


def debian_unsaved_dump_keeps_swap_off(machine):
    """This test checks that a dump that can't be saved keeps its swap off and
    the machine up, that the journal tells, that the package can't be removed,
    and that all is well once the reason is gone; then, that nothing is left of
    the packages but cores."""
    machine.start()
    machine.run(f"echo directory=/nonexistent >{CONF}")
    machine.panic()
    machine.show()
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
    machine.show()
    machine.ask("ls -1 /var/crash", "^linux.0.core$")
    machine.ask("cat /proc/swaps", "^/dev/vda2")
    machine.ask("savecore -n; echo status $?", "^status 1$")
    machine.run("rm -r /debs")
    machine.apt("purge swapcore swapcore-dkms libkvm0")
    machine.ask("ls -1 /var/crash", "^linux.0.core$")
    machine.refute("find / -xdev -name '*swapcore*' ! -path '/proc/*' "
                   "! -path '/sys/*' ! -path '/var/log/*'", "swapcore")
    machine.refute("find / -xdev '(' -name 'savecore*' -o -name 'dumpon*' "
                   "-o -name 'libkvm*' ')' ! -path '/usr/share/bash*'", "/")
    machine.refute("lsmod", "^swapcore")
    machine.ask("cat /proc/swaps", "^/dev/vda2")


def debian_nvme_panic_under_load(machine):
    """This test checks that a machine with an NVMe disk that is short of memory,
    swaps, writes files and forks when it panics has its dump saved."""
    machine.start("nvme")
    machine.ask("dumpon -l", "^/dev/nvme0n1p2")
    machine.run("mount -t tmpfs -o size=700m tmpfs /mnt")
    machine.run("head -c 450M /dev/urandom >/mnt/x; free")
    machine.ask("cat /proc/swaps", r"^/dev/nvme0n1p2\s+partition\s+\d+\s+[1-9]")
    machine.run("for i in 1 2; do while :; do dd if=/dev/urandom of=/root/x$i "
                "bs=1M count=40 conv=fsync; done >/dev/null 2>&1 & done")
    machine.run("while :; do /bin/true; done & sha256sum /dev/zero & sleep 3")
    machine.panic()
    machine.show()
    machine.check_saved(0)
    machine.check_order()
    machine.ask("crashinfo -M /var/crash/linux.0.core ps", " sha256sum")


def debian_panic_while_saving_loses_nothing(machine):
    """This test checks that a machine that panics while savecore copies a dump
    reboots, saves that dump at the next boot, and leaves no half of a core."""
    machine.start()
    machine.file(PANICS, SAVECORE_PANICS, "755")
    machine.run("mkdir -p /etc/systemd/system/savecore@.service.d")
    machine.file("/etc/systemd/system/savecore@.service.d/panics.conf",
                 f"[Service]\nExecStart=\nExecStart={PANICS} %f")
    machine.run("touch /root/once")
    _, end = machine.die()
    again, _ = machine.vm.console.wait("sysrq: Trigger a crash", 300, end + 1)
    machine.tell("(the machine panics again, while savecore runs)")
    machine.vm.console.wait("Rebooting in 1 seconds", 60, again)
    machine.await_boot()
    machine.show()
    machine.run("ls -la /var/crash")
    machine.ask("test ! -e /root/once; echo status $?", "^status 0$")
    machine.refute("ls -1A /var/crash", "partial")
    machine.ask("ls -1 /var/crash | grep -c 'core$'", "^1$")
    machine.check_saved(1)


def debian_power_cut_before_the_report(machine):
    """This test checks that a machine that loses power when the dump is saved and
    swap is on, before there is a report, makes it at the next boot, and that the
    administrator's programs run once it is there."""
    machine.start()
    machine.run("mkdir -p /etc/systemd/system/savecore-finish.service.d "
                "/etc/swapcore.d")
    machine.file("/root/cut", CUT, "755")
    machine.file("/etc/systemd/system/savecore-finish.service.d/cut.conf",
                 "[Service]\nExecStartPre=/root/cut")
    machine.file("/etc/swapcore.d/told", TOLD, "755")
    panic, end = machine.die()
    machine.vm.console.wait("sysrq: Resetting", 300, end)
    machine.tell("(the machine is reset, as savecore-finish.service starts)")
    machine.await_boot()
    machine.tell(f"# {machine.since(panic):.0f} s from panic to shell")
    machine.show()
    machine.check_saved(0)
    machine.run("cat /var/crash/told")
    machine.ask("ls -1 /var/crash | grep -c 'core$'", "^1$")
    machine.ask("cat /var/crash/told", r"^0 0 complete /var/crash/crash\.0\.txt "
                "sysrq triggered crash$")
    machine.ask("wc -l </var/crash/told", "^1$")


def debian_full_var_keeps_the_dump(machine):
    """This test checks that where /var is full the dump stays, swap stays off,
    the journal says why, and no half of a core takes what room there was; and
    that all is well once there is room."""
    machine.start()
    machine.run("fallocate -l $(($(stat -f -c '%f * %S' /) - 30000000)) /fill")
    machine.panic()
    machine.show()
    machine.ask("df -m /var/crash", "/$")
    machine.ask("systemctl is-system-running", "^degraded$")
    machine.ask("cat /proc/swaps | wc -l", "^1$")
    machine.ask("journalctl -b --no-pager -p err", "No space left on device")
    machine.ask("journalctl -b --no-pager -p err", "stays off as swap")
    machine.refute("ls -1A /var/crash", "core")
    machine.run("rm /fill")
    machine.ask(f"systemctl start {SWAP}.swap; echo status $?", "^status 0$")
    machine.ask("systemctl start dumpon; echo status $?", "^status 0$")
    machine.run("systemctl reset-failed")
    machine.run("ls -l /var/crash")
    machine.check_saved(machine.ask(
        "readlink /var/crash/linux.core.last", r"linux\.(\d+)\.core")[1])


def debian_kernel_upgrade_before_saving(machine):
    """This test checks that a dump is saved by another kernel than the one that
    wrote it, for which the module is not built, and that the machine says what
    is missing then."""
    machine.start()
    _, release = machine.run("uname -r")
    machine.die()
    machine.start(kernel="-new")
    if machine.run("uname -r")[1] == release:
        raise Failed("the same kernel was booted")
    machine.show()
    machine.ask("ls -1 /var/crash", "^linux.0.core$")
    machine.ask("cat /var/crash/info.0", f"^release: {release[0]}$")
    machine.ask("cat /var/crash/crash.0.txt",
                "^panic +sysrq triggered crash")
    machine.ask("swapon --show=NAME --noheadings", "^/dev/vda2$")
    machine.ask("journalctl -b --no-pager -u dumpon",
                "module swapcore is not there .* install linux-headers-")
    machine.ask("dumpon -l", "^none: the module swapcore is not loaded")


TESTS = [debian_panic_is_saved_at_boot, debian_unsaved_dump_keeps_swap_off,
         debian_nvme_panic_under_load,
         debian_panic_while_saving_loses_nothing,
         debian_power_cut_before_the_report,
         debian_full_var_keeps_the_dump, debian_kernel_upgrade_before_saving]
