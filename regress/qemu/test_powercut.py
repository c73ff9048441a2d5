# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts: QEMU is killed in the middle of a dump; or what it wrote is
played again up to some moment, torn or in part."""

import collections
import os
import random
import subprocess
import time

import crash
import disk
import prepared
import saving
import writelog
from case import test

SEED = 4711
# Slow enough for a few checkpoints, which are two seconds apart.
THROTTLE = ["-object", "throttle-group,id=slow,x-iops-write=150"]
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
    case.check(len(kinds) >= 2, f"the moments were badly chosen: {kinds}")


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


class Replay:
    """A disk as it was after so many writes of a log."""

    def __init__(self, dead):
        self._dead = dead
        self._path = dead.case.path("replay.img")
        self._moment = dead.case.path("moment.img")
        self._old = dead.image
        with open(self._path, "wb") as out:
            out.truncate(self._old.size)

    def write(self, writes):
        with open(self._path, "r+b") as out:
            for first, data in writes:
                out.seek(first)
                out.write(data)

    def judge(self, writes, what):
        """What savecore makes of the disk with these few writes more."""
        subprocess.run(["cp", "--sparse=always", self._path, self._moment],
                       check=True)
        moment = disk.Disk(self._moment, self._old.size, self._old.parts)
        for first, data in writes:
            moment.write(first, data)
        self._dead.image = moment
        kind = saving.judge(self._dead, what)
        self._dead.case.log(what.replace(" ", "_"), kind)
        return kind


def batches(image, part):
    """The log of a dump from flush to flush: ([(first byte, data)], the state
    of the trailer among them or None)."""
    start, length = image.part(part)
    end = start + length // crash.PAGE * crash.PAGE
    writes, state = [], None
    for flush, first, data in writelog.entries(image.path):
        if flush:
            yield writes, state
            writes, state = [], None
            continue
        writes.append((first, data))
        if first >= end - 2 * crash.PAGE and data[:8] == b"SWAPCTRL":
            state = crash.STATES[data[24]]


def replay_all(dead, torn_at, lossy):
    """Tears every trailer at some bytes, and loses some of the writes behind
    each flush."""
    replay, rng, kinds = Replay(dead), random.Random(SEED), []
    dumping = 0
    for writes, state in batches(dead.image, dead.part):
        if state:
            dumping += 1
            (first, data), = writes
            kinds += [replay.judge([(first, data[:bytes_])],
                                   f"trailer {dumping} torn at {bytes_}")
                      for bytes_ in torn_at]
        elif dumping and writes and lossy:
            kept = [one for one in writes if rng.randrange(2)]
            kinds.append(replay.judge(
                kept, f"{len(kept)} of {len(writes)} writes after trailer "
                f"{dumping}"))
        replay.write(writes)
    kinds.append(replay.judge([], "all of it"))
    return kinds


def replays(case, bus, torn_at, lossy):
    writelog.create(case.path("disk1.img"))
    dead = crash.kill(
        case, bus, panic=prepared.DIE, before=THROTTLE, layout={
            "blockdev": "driver=throttle,throttle-group=slow," +
                        writelog.blockdev("file.")})
    dead.check_complete()
    kinds = replay_all(dead, torn_at, lossy)
    case.check(kinds[-1] == "complete" and "header" in kinds,
               f"what the moments were: {kinds}")


@test()
def torn_trailers(case):
    """after a power cut in the middle of any trailer savecore goes by the one
    before it."""
    replays(case, "nvme", (2048,), False)


@test(slow=True)
def torn_trailers_and_lost_writes(case):
    """the same where the cut is elsewhere in the trailer, or where the disk's
    cache lost some of what was written since the last flush."""
    replays(case, "nvme", (512, 1536, 3584), True)
