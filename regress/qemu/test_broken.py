# SPDX-License-Identifier: BSD-2-Clause
"""A virtio disk that breaks: QEMU's own device, stopped by a descriptor that
does not exist, asks for a reset, gets it, and takes the rest of the dump."""

import crash
import test_truth
from case import test

AGAIN = "swapcore: the device broke and was started again"
PIECES = 3000           # of the data, a page each: some way into the dump


def broken(case, **options):
    """Dies with a disk that breaks; a Dead whose core equals memory."""
    dead = crash.kill(case, "virtio", options="packed=off",
                      watch=lambda image: image.guards(2), **options)
    case.check(dead.broke, "QEMU's disk did not break")
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    test_truth.compare(dead, dead.save())
    return dead


@test()
def virtio_broken_before_dump(case):
    """a virtio disk that is broken when the dump begins takes a complete dump
    all the same."""
    dead = broken(case, panic="""
sync
echo "@@dying"
read -r word
echo 1 >/sys/module/crashme/parameters/disk_break
echo c >/proc/sysrq-trigger
""")
    case.check(AGAIN not in dead.console, "it was started twice")


@test()
def virtio_breaks_in_dump(case):
    """a virtio disk that breaks in the middle of a dump is reset, the console
    says so, and the dump goes on to its end."""
    dead = broken(case, crashme=f"hold=1 disk_breaks={PIECES}")
    case.check(AGAIN in dead.console, "the console does not say so")
