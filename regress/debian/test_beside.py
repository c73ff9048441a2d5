# SPDX-License-Identifier: BSD-2-Clause
"""A machine that has no place for a dump."""

from machine import Failed, SWAP, SWAP_UUID


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


TESTS = [debian_without_a_place_says_so_once]
