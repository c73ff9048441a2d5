# SPDX-License-Identifier: BSD-2-Clause
"""Windows that are too small for memory: what a dump keeps, and what savecore
makes of it."""

import corefile
import crash
import prepared
import saving
import test_panic
import test_truth
from case import test

F_TRUNCATED = 1
ZERO, FILTERED, TRUNCATED, UNREADABLE = 1, 2, 3, 4     # kinds of exclsegs[]
MEM_MIB = 512
ROOM_LEFT = 64 << 10                    # bytes that a full window may leave


def small_window(case, bus, swap_mib):
    """A dump of too much memory: its Dead, its Core, savecore's run."""
    dead = crash.kill(case, bus, swap_mib=swap_mib, mem_mib=MEM_MIB, smp=2,
                      watch=lambda image: image.guards(2), panic=prepared.DIE)
    dead.check_complete()
    case.check("truncated" in dead.last, f"the console: {dead.last}")
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.check(crash.early_record(dead.image, 2), "there is no early record")
    dead.window()
    run = saving.Run(dead)
    run.check(case, f"{swap_mib} MiB", 0, ["linux.0.core"])
    core = corefile.Core(run.core)
    case.equal(core.flags, F_TRUNCATED, "the core's flags")
    case.equal(core.level, 31, "the level it came down to")
    kinds = {kind for _, _, kind in core.exclsegs()}
    case.check(TRUNCATED in kinds and kinds <= {ZERO, FILTERED, TRUNCATED,
                                              UNREADABLE},
               f"the kinds of exclsegs[] are {kinds}")
    test_truth.compare(dead, run.core, F_TRUNCATED)
    dumplo = crash.trailer(dead.image, 2)["dumplo"]
    case.check(dumplo <= crash.PAGE + ROOM_LEFT,
               f"{dumplo} bytes of the window are not used")
    return dead, run


@test()
def window_of_40_mib(case):
    """where 512 MiB of memory meet a window of 40 MiB, the core has the kernel
    and its modules, page tables and log: its names and variables can be
    read."""
    dead, run = small_window(case, "nvme", 40)
    test_panic.check_pattern(dead, "-N", dead.execfile(), run.core,
                             module_only=True)


@test()
def window_of_8_mib(case):
    """a window of 8 MiB takes the early record and a few pages, and the core
    says so."""
    small_window(case, "virtio", 8)
