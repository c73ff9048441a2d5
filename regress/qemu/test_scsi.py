# SPDX-License-Identifier: BSD-2-Clause
"""Dumps to a disk on a virtio-scsi host, with another disk beside it."""

import os

import crash
import disk
import test_matrix
import test_truth
from case import test

HOST = ["-device", "virtio-scsi-pci,id=host,disable-legacy=on"]
NEIGHBOUR_MIB = 16
# Neither target nor LUN is 0, and nor is the upper half of the LUN.
PLACE = "scsi-id=3,lun=261"


def neighbour(case, bus, index, options=""):
    """A disk of noise and its QEMU arguments."""
    path = case.path("neighbour.img")
    with open(path, "wb") as out:
        out.write(os.urandom(NEIGHBOUR_MIB << 20))
    noise = disk.Disk(path, NEIGHBOUR_MIB << 20)
    return noise, disk.attach(noise, bus, index, options)


def beside_truth(case, bus, before, options="", busy=False, **more):
    """A dump that equals memory, and the other disk stays bit-identical."""
    noise, devices = neighbour(case, bus, 1, "scsi-id=3,lun=5"
                               if bus == "scsi" else "")
    sha = noise.sha(0, noise.size)
    work = ""
    if busy:
        more["layout"] = {"scratch_mib": test_matrix.SCRATCH_MIB}
        scratch = disk.node(bus, 4, more.pop("index", 0))
        work = test_matrix.WRITERS.format(scratch=scratch, name=scratch[5:])
    dead = crash.kill(case, bus, before=[*before, *devices], options=options,
                      work=work, watch=lambda image: image.guards(2), **more)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.equal(noise.sha(0, noise.size), sha, "the other disk")
    if busy:
        sectors = int(dead.found["written"][0].split()[6])
        case.check(sectors > 1000, f"only {sectors} sectors were written")
    test_truth.compare(dead, dead.save())
    return dead


@test(module="virtio_scsi")
def scsi_core_equals_memory(case):
    """a dump to a disk of a virtio-scsi host equals memory, and another disk of
    the same target stays bit-identical."""
    beside_truth(case, "scsi", HOST, PLACE)
