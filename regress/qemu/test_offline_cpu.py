# SPDX-License-Identifier: BSD-2-Clause
"""Registers on a machine whose CPUs are not numbered without a gap."""

import struct

import crash
from case import test

NT_PRSTATUS = 1
PR_REG = 112            # offset of the registers in elf_prstatus
RIP = PR_REG + 8 * 16


def statuses(image, part):
    """The NT_PRSTATUS notes of a raw dump, in their order."""
    begin = image.part(part)[0] + crash.trailer(image, part)["dumplo"] + 8
    at, size = struct.unpack_from("<II", image.read(begin, crash.PAGE), 56)
    notes, found = image.read(begin + at, size), []
    while len(notes) >= 12:
        name, desc, kind = struct.unpack_from("<III", notes)
        start = 12 + (name + 3) // 4 * 4
        if kind == NT_PRSTATUS and notes[12:16] == b"CORE":
            found.append(notes[start:start + desc])
        notes = notes[start + (desc + 3) // 4 * 4:]
    return found


@test()
def offline_cpu_shifts_no_registers(case):
    """with CPU 1 of 3 offline, the first and the third note have registers of
    CPU 0 and 2, and the second has none."""
    dead = crash.kill(case, "nvme", smp=3, work="""
echo 0 >/sys/devices/system/cpu/cpu1/online || die "cpu1 stays"
dumpon off || die "dumpon off"
dumpon /dev/nvme0n1p2 || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
""")
    dead.check_complete()
    notes = statuses(dead.image, 2)
    case.equal(len(notes), 3, "the number of CPUs with a note")
    known = [struct.unpack_from("<Q", note, RIP)[0] != 0 for note in notes]
    case.equal(known, [True, False, True], "the CPUs with registers")
