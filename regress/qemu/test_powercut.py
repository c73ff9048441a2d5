# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts: QEMU is killed in the middle of a dump."""

import collections
import os
import random
import time

import crash
import prepared
import saving
from case import test

SEED = 4711
# Slow enough for a few checkpoints, which are two seconds apart.
THROTTLE = ["-object", "throttle-group,id=slow,x-iops-write=300"]
SLOW = ("driver=throttle,throttle-group=slow,file.driver=file,"
        "file.filename={path},file.cache.no-flush=on")
TAIL = 6        # writes at the end that are cut one by one


def run_to(one, wanted):
    """Lets the machine panic and stops it after so many writes, or at the end
    of its dump; how many there were."""
    first, _ = one.writes()
    one.die()
    deadline = time.monotonic() + crash.DUMP_TIMEOUT_S
    while time.monotonic() < deadline:
        count = one.writes()[0] - first
        if count >= wanted or "@@held" in one.vm.data.text():
            break
    one.vm.stop()
    return one.writes()[0] - first


def moments(total, count):
    """After how many writes the power goes: all over the dump, and the end."""
    rng = random.Random(SEED)
    tail = max(1, count // 8)
    spread = count - tail
    return [rng.randrange(total * n // spread, total * (n + 1) // spread)
            for n in range(spread)] + \
        [total - rng.randrange(TAIL) for _ in range(tail)]


def power_cuts(case, bus, count):
    state = prepared.Prepared(case, bus)
    with state.revive("whole", SLOW, THROTTLE) as one:
        total = run_to(one, 1 << 62)
    os.unlink(one.image.path)
    kinds = collections.Counter()
    for index, wanted in enumerate(moments(total, count)):
        with state.revive(f"cut{index}", SLOW, THROTTLE) as one:
            done = run_to(one, wanted)
            dead = one.dead()
        what = f"power cut {index} after {done} of {total} writes"
        kind = saving.judge(dead, what)
        kinds[kind] += 1
        os.unlink(dead.image.path)
        case.log(f"cut{index}", f"{what}: {kind}\n")
    case.log("kinds", str(kinds))
    case.check(kinds["part"] and len(kinds) >= 2,
               f"the moments were badly chosen: {kinds}")


@test()
def power_cuts_virtio(case):
    """after a power cut at any of six moments of a dump savecore takes it for
    what it is: virtio-blk."""
    power_cuts(case, "virtio", 6)


@test(slow=True)
def fifty_power_cuts_nvme(case):
    """the same at fifty moments: NVMe."""
    power_cuts(case, "nvme", 50)


@test(slow=True)
def fifty_power_cuts_virtio(case):
    """the same at fifty moments: virtio-blk."""
    power_cuts(case, "virtio", 50)
