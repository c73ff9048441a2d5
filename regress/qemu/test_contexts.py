# SPDX-License-Identifier: BSD-2-Clause
"""The most telling deaths of contexts.py; `make matrix' has all of them."""

import cell
import contexts
from case import Failed, test

NAMED = {one.name: one for one in contexts.CONTEXTS}


def die(case, bus, *names):
    """Dies of each; all dumps must be complete."""
    state, failed = cell.prepare(case, bus), []
    for name in names:
        one = cell.Cell(state, NAMED[name])
        one.run()
        case.log(f"{name}.txt", one.log)
        if one.result["verdict"] != "complete":
            failed.append(f"{name}: {one.result}")
    if failed:
        raise Failed("; ".join(failed))


@test()
def contexts_leave_dumps_virtio(case):
    """a machine that dies in interrupts, an NMI, locks and half-made states
    leaves a complete dump: virtio-blk."""
    die(case, "virtio", "panic-nmi", "null-softirq", "bug-irq", "double",
        "deep", "oom", "soft-lockup", "submit", "allocator", "swap-out",
        "printk", "printk-stuck", "oops-stuck", "cpu-offline")


@test()
def contexts_leave_dumps_nvme(case):
    """the same is so of an NVMe disk, whose machine boots for each death."""
    die(case, "nvme", "bug", "panic-irq", "submit-null", "shutdown",
        "hard-lockup")


@test(module="ahci")
def contexts_leave_dumps_ahci(case):
    """the same is so of a SATA disk, and of a machine check."""
    die(case, "ahci", "mce", "submit", "complete")
