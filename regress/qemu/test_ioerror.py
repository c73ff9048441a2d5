# SPDX-License-Identifier: BSD-2-Clause
"""I/O errors in the middle of a dump, made by QEMU's driver blkdebug: the
machine goes on to its reboot, the console says so, and savecore knows."""

import os

import crash
import prepared
import saving
from case import test

EVENTS = {"write": "write_aio", "flush": "flush_to_disk"}
BLOCKDEV = ("driver=raw,file.driver=blkdebug,file.config={rules},"
            "file.image.driver=file,file.image.filename={{path}}")


def rules(kind, nth, ever, counted):
    """blkdebug's rules: what fails is the nth request of this kind, or the
    first behind nth - 1 that are `counted'; or all from it on."""
    text = ""
    for state in range(1, nth):
        text += (f'[set-state]\nevent = "{EVENTS[counted]}"\n'
                 f'state = "{state}"\nnew_state = "{state + 1}"\n')
    return text + (f'[inject-error]\nevent = "{EVENTS[kind]}"\n'
                   f'state = "{nth}"\niotype = "{kind}"\nerrno = "5"\n'
                   f'once = "{"off" if ever else "on"}"\n')


def counts(state):
    """How many writes and flushes a dump without errors makes up to its
    COMPLETE; one more flush is the device's shutdown.  Writes may be fewer
    where QEMU puts some together, and flushes of NVMe are not counted.  A dump
    that takes longer has more checkpoints, and so more flushes.
    """
    with state.revive("whole") as one:
        before = one.writes()
        one.die()
        one.vm.data.wait("@@held", crash.DUMP_TIMEOUT_S)
        after = one.writes()
    os.unlink(one.image.path)
    return after[0] - before[0], after[1] - before[1] - 1


def io_error(state, kind, nth, ever, counted=None, forgiven=False):
    """One dump with an error, and what savecore makes of it.  forgiven: the
    driver may ask again.  0; or how many flushes there were, where they were
    fewer than the error was to wait for."""
    case = state.case
    what = f"{kind} {nth} fails{' and all after it' if ever else ''}"
    if counted:
        what += f", counted in {counted}"
    path = case.path("rules")
    with open(path, "w", encoding="ascii") as out:
        out.write(rules(kind, nth, ever, counted or kind))
    with state.revive("error", BLOCKDEV.format(rules=path)) as one:
        before = one.writes()[1]
        one.die()
        last = crash.await_dump(one.vm)
        one.vm.data.wait("@@held", 30)
        flushes = one.writes()[1] - before - 1
        if "dump complete" in last and 0 < flushes < nth and \
                "flush" in (kind, counted):
            os.unlink(one.image.path)
            return flushes
        case.check("dump failed" in last or forgiven, f"{what}: {last}")
        one.vm.stop()
        dead = one.dead()
        one.vm.cont()
        one.vm.data.send("go on")
        one.vm.wait_exit(60)        # -no-reboot: a reset ends QEMU
        case.check("Rebooting in 1 seconds" in one.vm.console.text(),
                   f"{what}: the kernel did not say that it reboots")
    found = saving.judge(dead, what)
    case.equal(found == "complete", "dump complete" in last,
               f"{what}: savecore takes it for complete")
    case.log(what.replace(" ", "_"), f"{last}\n{found}\n")
    os.unlink(dead.image.path)
    return 0


def io_error_at_end(state, kind, flushes, **how):
    """The same of the last flush, or of the write before it: COMPLETE."""
    while flushes:
        flushes = io_error(state, kind, flushes, True, **how)


@test()
def io_errors_virtio(case):
    """after an I/O error at some write or flush of a dump the machine reboots,
    and savecore takes what is there for what it is: virtio-blk."""
    state = prepared.Prepared(case, "virtio")
    writes, flushes = counts(state)
    io_error(state, "write", 1, True)
    io_error(state, "write", 3, False)
    io_error(state, "write", writes // 2, False)
    io_error_at_end(state, "write", flushes, counted="flush")
    io_error(state, "flush", 2, False)
    io_error_at_end(state, "flush", flushes)


@test()
def io_errors_nvme(case):
    """the same is so of an NVMe disk."""
    state = prepared.Prepared(case, "nvme")
    writes, _ = counts(state)
    io_error(state, "write", writes // 2, False)
    io_error(state, "flush", 2, False)


@test(slow=True)
def io_error_at_every_flush(case):
    """the same is so of every flush, of the write behind each, and of writes
    from the first to the last, failing once or for ever."""
    state = prepared.Prepared(case, "virtio")
    writes, flushes = counts(state)
    for ever in (False, True):
        for nth in range(1, flushes + 1):
            io_error(state, "flush", nth, ever)
            io_error(state, "write", nth, ever, counted="flush")
        for nth in (*range(1, 9), *range(20, writes * 9 // 10, writes // 9)):
            io_error(state, "write", nth, ever)


@test(slow=True, module="ahci")
def io_errors_ahci(case):
    """the same is so of a SATA disk, whose controller takes the command that
    failed off its list; an error that was not seen would be a wrong core."""
    state = prepared.Prepared(case, "ahci")
    writes, flushes = counts(state)
    for nth in (2, *range(30, writes * 9 // 10, writes // 3)):
        io_error(state, "write", nth, False, forgiven=True)
    io_error(state, "write", writes // 2, True)
    io_error(state, "flush", 2, False)
    io_error_at_end(state, "flush", flushes)
