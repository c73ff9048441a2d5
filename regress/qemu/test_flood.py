# SPDX-License-Identifier: BSD-2-Clause
"""A network flood during the dump: the network card goes on writing to memory
while the dump reads it."""

import socket
import threading
import time

import crash
import disk
import prepared
import saving
import test_powercut
import test_truth
from case import test

# A frame for everybody, of a type for experiments; padded to FRAME bytes.
ETHERNET = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x88\xb5"
ALIVE, DUMPING = b"flood: the machine lives", b"flood: during the dump!!"
FRAME = 1400
# The card's ring is not filled again after the panic: it must last.
RING = 1024
FRAMES_PER_S = 120
MARKED_MIN = 100        # frames that must have come during the dump

LISTEN = """
ip link set eth0 up promisc on || die "no eth0"
n=0
until [ "$(cat /sys/class/net/eth0/statistics/rx_packets)" -gt 50 ]; do
	[ $((n += 1)) -le 600 ] || die "no frames come in"
	usleep 100000
done
"""


class Flood:
    """Sends frames over the loopback interface until it is closed."""

    def __init__(self):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            self._guest = other.getsockname()
        self.mark = ALIVE       # None: silent
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def arguments(self):
        """QEMU's."""
        mine, guest = self._sock.getsockname()[1], self._guest[1]
        return ["-netdev", "socket,id=net0,"
                f"udp=127.0.0.1:{mine},localaddr=127.0.0.1:{guest}",
                "-device", "virtio-net-pci,netdev=net0,disable-legacy=on,"
                f"packed=on,rx_queue_size={RING},romfile="]

    def _send(self):
        number = 0
        while not self._closed.wait(1 / FRAMES_PER_S):
            mark = self.mark
            if mark:
                number += 1
                text = mark + b" %08d " % number
                frame = (ETHERNET + text * (FRAME // len(text)))[:FRAME]
                self._sock.sendto(frame, self._guest)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closed.set()
        self._thread.join()
        self._sock.close()


def marked(images, mark):
    """How many frames with this mark are in memory."""
    count = 0
    for _, path in images:
        with open(path, "rb") as stream:
            count += stream.read().count(ETHERNET + mark)
    return count


def flooded(case, bus):
    """A Dead that had its memory written to by a network card meanwhile."""
    image = case.disk(320, blockdev=test_powercut.SLOW)
    dead = crash.Dead(case, image, 2)
    script = crash.arm_script(disk.node(bus, 2)) + crash.ABOUT + LISTEN + \
        prepared.DIE
    with Flood() as flood, case.boot(
            script, [*test_powercut.THROTTLE, *disk.attach(image, bus),
                     *flood.arguments()], mem_mib=256) as vm:
        crash.await_dying(vm)
        flood.mark = None
        time.sleep(0.5)         # what was on its way has come
        dead.alive = vm.console.text()
        vm.data.send("die")
        vm.console.wait("swapcore: dumping to", 30)
        vm.stop()
        case.check("@@held" not in vm.data.text(), "the dump is over already")
        dead.images_before = vm.save_memory(case.path("before"))
        flood.mark = DUMPING
        vm.cont()
        dead.last = crash.await_dump(vm)
        dead.capture(vm)
    return dead


def network_flood(case, bus):
    dead = flooded(case, bus)
    dead.check_complete()
    count = marked(dead.images, DUMPING)
    case.check(count >= MARKED_MIN, f"only {count} frames came meanwhile")
    case.equal(marked(dead.images_before, DUMPING), 0, "frames before that")
    dead.window()
    run = saving.Run(dead)
    run.check(case, "after a flood", 0, ["linux.0.core"])
    test_truth.compare(dead, run.core)
    with open(run.core, "rb") as stream:
        case.log("frames", f"{count} in memory, "
                 f"{stream.read().count(ETHERNET + DUMPING)} in the core\n")


@test()
def network_flood_during_dump(case):
    """while a network card writes to memory the dump's checksums are right, and
    every page is what it was before or after."""
    network_flood(case, "nvme")


@test(slow=True)
def network_flood_during_dump_virtio(case):
    """the same is so of a dump to virtio-blk."""
    network_flood(case, "virtio")
