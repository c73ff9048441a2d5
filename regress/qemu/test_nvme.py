# SPDX-License-Identifier: BSD-2-Clause
"""What NVMe controllers can have: several namespaces, a volatile write cache;
and formats that a dump must not go to."""

import os

import crash
import disk
import test_truth
import writelog
from case import test

NAMESPACE_MIB = 64


def namespaces(case, path):
    """QEMU arguments for a controller with a first namespace of noise."""
    with open(path, "wb") as out:
        out.write(os.urandom(NAMESPACE_MIB << 20))
    return ["-device", "nvme,id=ctl,serial=ctl",
            "-drive", f"if=none,id=first,format=raw,file={path},cache=unsafe",
            "-device", "nvme-ns,drive=first,bus=ctl,nsid=1"]


@test()
def nvme_second_namespace(case):
    """a dump to namespace 2 equals memory, and namespace 1 stays
    bit-identical."""
    first = case.path("first.img")
    before = namespaces(case, first)
    noise = disk.Disk(first, NAMESPACE_MIB << 20)
    sha = noise.sha(0, noise.size)
    dead = crash.kill(case, "nsid2", before=before,
                      watch=lambda image: image.guards(2))
    dead.check_complete()
    case.equal(noise.sha(0, noise.size), sha, "namespace 1")
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    test_truth.compare(dead, dead.save())


def states(case, path, end):
    """The states of the trailers written, with the writes and flushes between
    them: [(state or "write" or "flush")]."""
    found = []
    for flush, first, data in writelog.entries(path):
        what = "flush" if flush else "write"
        if first in (end - 2 * crash.PAGE, end - crash.PAGE) and \
                data[:8] == b"SWAPCTRL":
            what = crash.STATES[data[24]]
        if found[-1:] != [what] or what not in ("write", "flush"):
            found.append(what)
    case.log("order", "\n".join(found))
    return found


@test()
def nvme_write_cache_is_flushed(case):
    """a disk with a volatile write cache gets a flush between the data and the
    trailer that says so, and another one behind that."""
    image = case.path("disk1.img")
    writelog.create(image)
    dead = crash.kill(case, "nvme", layout={"blockdev": writelog.blockdev()},
                      options="write-cache=on")
    dead.check_complete()
    start, length = dead.image.part(2)
    order = states(case, image, start + length // crash.PAGE * crash.PAGE)
    trailers = [at for at, what in enumerate(order)
                if what in ("INPROGRESS", "COMPLETE")]
    case.check(len(trailers) >= 3, f"only {len(trailers)} trailers: {order}")
    case.equal(order[trailers[-1]], "COMPLETE", "the last trailer")
    for at in trailers:
        case.equal((order[at - 1], order[at + 1]), ("flush", "flush"),
                   f"before and behind trailer {trailers.index(at) + 1}")


@test(slow=True)
def nvme_without_write_cache(case):
    """a disk without a volatile write cache takes a dump that equals
    memory."""
    dead = crash.kill(case, "nvme", options="write-cache=off")
    dead.check_complete()
    test_truth.compare(dead, dead.save())


def refused(case, reason, options):
    """Arming swap on a namespace of this kind is refused with a reason."""
    image = case.disk(256, None)
    node = disk.node("nvme")
    data, _ = case.run(f"""
mkdir -p /var/lib
make_swap {node}
insmod /swapcore.ko || die insmod
dumpon {node} 2>/tmp/err && die "dumpon took it"
say said cat /tmp/err
say reason cat /sys/kernel/swapcore/reason
say state cat /sys/kernel/swapcore/state
""", ["-device", "nvme,id=ctl,serial=ctl",
      *disk.attach(image, "nsid2", options=options + ",nsid=1")], mem_mib=256)
    found = crash.blocks(data)
    case.equal(found["state"], ["disarmed"], "state")
    said = " ".join(found["said"])
    case.check(reason in said and node in said, f"dumpon said {said!r}")
    case.equal(len(found["said"]), 1, "lines that dumpon said")


@test()
def nvme_zoned_namespace_is_refused(case):
    """a zoned namespace is refused with a reason."""
    refused(case, "zoned", "zoned=on,zoned.zone_size=16M")


@test()
def nvme_metadata_format_is_refused(case):
    """a namespace formatted with metadata is refused with a reason."""
    refused(case, "metadata", "ms=8")


# Two ways to one disk, which the kernel makes one of.
PATHS = ["-device", "nvme-subsys,id=both,nqn=nqn.2026-11.swapcore:both",
         "-device", "nvme,id=ctl,serial=both,subsys=both,addr=5",
         "-device", "nvme,id=other,serial=both,subsys=both,addr=6"]


# Disk and subsystem have the number of the controller that was ready first.
BOTH = """
n=0
until set -- /sys/class/nvme-subsystem/nvme-subsys*/nvme[0-9]; [ $# = 2 ]; do
	[ $((n += 1)) -le 600 ] || die "no second controller"
	usleep 100000
done
n=0
until set -- /dev/nvme[0-9]n1p2; [ -e $1 ]; do
	[ $((n += 1)) -le 600 ] || die "no disk"
	usleep 100000
done
ln -s ${1##*/} /dev/both2
"""


def two_paths(case, armed, paths, prepare=""):
    dead = crash.kill(case, "shared", before=PATHS, device="/dev/both2",
                      find=BOTH + prepare + """
echo "@@begin paths"
ls -d /sys/class/nvme-subsystem/nvme-subsys*/nvme[0-9]
echo "@@done paths 0"
""", watch=lambda image: image.guards(2))
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.check(f"(nvme, {armed})" in dead.alive, f"not armed on {armed}")
    case.equal(len(dead.found["paths"]), paths, "controllers of the disk")
    test_truth.compare(dead, dead.save())


@test(slow=True)
def nvme_two_paths_core_equals_memory(case):
    """a dump to an NVMe disk with two controllers equals memory."""
    two_paths(case, "0000:00:05.0", 2)


@test(slow=True)
def nvme_second_path_core_equals_memory(case):
    """the same is so where the first controller has no driver any more."""
    two_paths(case, "0000:00:06.0", 1,
              "echo 0000:00:05.0 >/sys/bus/pci/drivers/nvme/unbind")
