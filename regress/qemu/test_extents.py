# SPDX-License-Identifier: BSD-2-Clause
"""Dumps to swap files, dump files and logical volumes: windows in pieces.

The guest says which sectors it armed; what lies there on the disk image must be
the dump, and nothing else on the disk may have changed.
"""

import os
import re

import crash
import disk
import test_truth
from case import test

MIB = 1 << 20
PIECES = 50

# fragment FILE MIB: a file system full of files, every other one removed, and
# what is left given to one file.
FRAGMENT = """
fragment() {
	_n=0
	while fallocate -l 4m /mnt/fill$_n 2>/dev/null; do
		: $((_n += 1))
	done
	while [ $((_n -= 2)) -ge 0 ]; do
		rm /mnt/fill$_n
	done
	sync
	fallocate -l ${2}m $1 || die "fallocate: $(df /mnt)"
	rm -f /mnt/fill*
	sync
}
"""


class Pieces(disk.Disk):
    """A disk, one part of which is a window of several pieces."""

    def __init__(self, image, pieces):
        super().__init__(image.path, image.size, image.parts)
        self.pieces = pieces
        self.length = sum(length for _, length in pieces)

    def part(self, number):
        return 0, self.length

    def read(self, start, length):
        data = b""
        for first, size in self.pieces:
            if start < size and length > 0:
                piece = min(length, size - start)
                data += super().read(first + start, piece)
                start += piece
                length -= piece
            start -= size
            if length == 0:
                break
        return data

    def rest(self):
        """SHA-256 of everything on the disk but the pieces."""
        at, sums = 0, []
        for first, size in sorted(self.pieces):
            sums.append(self.sha(at, first - at))
            at = first + size
        return *sums, self.sha(at, self.size - at)

    def extract(self, path):
        with open(path, "wb") as out:
            for first, size in self.pieces:
                out.write(super().read(first, size))


def armed_pieces(text):
    """What dumpon -v said of the sectors that it armed, in their order."""
    return [(int(first) * 512, (int(last) - int(first) + 1) * 512)
            for first, last in re.findall(
                r"^disk \S+ sectors (\d+) to (\d+)$", text, re.M)]


def kill(case, setup, device, bus="nvme", image=None, arm="dumpon -v -d 0"):
    """Arms what the guest's script has set up, and panics; a Dead whose image
    has the pieces, and the rest of the disk before the panic."""
    image = image or case.disk(768, None)
    dead = crash.Dead(case, image, 0)
    script = f"""
mkdir -p /var/lib
await {disk.node(bus)}
{FRAGMENT}
insmod /swapcore.ko || die "insmod swapcore"
{setup}
insmod /crashme.ko hold=1
{arm} {device} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
sync
""" + crash.ABOUT + crash.PANIC
    with case.boot(script, disk.attach(image, bus), mem_mib=256) as vm:
        crash.await_dying(vm)
        vm.stop()
        dead.image = Pieces(image, armed_pieces(vm.data.text()))
        dead.before = dead.image.rest()
        vm.cont()
        dead.alive = vm.console.text()
        vm.data.send("die")
        dead.last = crash.await_dump(vm)
        dead.capture(vm)
    return dead


def check(dead, pieces):
    """The dump is complete and true, and nothing but the window changed."""
    case = dead.case
    dead.check_complete()
    case.check(len(dead.image.pieces) >= pieces,
               f"{len(dead.image.pieces)} pieces where at least {pieces} were "
               "wanted")
    case.equal(dead.image.length, int(dead.found["window"][0]),
               "the bytes of the pieces")
    case.equal(dead.image.rest(), dead.before, "the disk outside the window")
    window = case.path("window.img")
    dead.image.extract(window)
    crash.run_tool(case, "savecore", "-f", "-D", window, case.dir)
    test_truth.compare(dead, case.path("linux.0.core"))
    os.unlink(window)


# What the next boot does: the core it makes of the file must be the one that the
# blocks have, and the file must be swap again afterwards.
AFTER = """
mkdir -p /var/crash
mount -t {fs} {device} /mnt || die mount
mount -t tmpfs tmpfs /var/crash
{known}savecore -n || die "no dump seen"
say save savecore /var/crash
say sum sha256sum /var/crash/linux.0.core
savecore -n && die "not cleared"
swapon /mnt/swap || die "swapon again"
swapoff /mnt/swap
savecore -n && die "not cleared after swapon"
umount /mnt || die umount
"""


def after(case, dead, fs, device="/dev/nvme0n1", prepare=""):
    """Boots the same disk again, with the arm id known, and saves there."""
    sha = disk.Disk(case.path("linux.0.core"), 0).sha(
        0, os.path.getsize(case.path("linux.0.core")))
    data, _ = case.run(
        "await /dev/nvme0n1\n" + prepare + AFTER.format(
            fs=fs, device=device, known=dead.known()),
        disk.attach(disk.Disk(dead.image.path, dead.image.size), "nvme"),
        mem_mib=1024, timeout_s=180)
    found = crash.blocks(data)
    case.log("after", data)
    case.equal(found["sum"][0].split()[0], sha, "the core saved from the file")


FILE = """
{mkfs} {device} || die mkfs
mount -t {fs} {device} /mnt || die mount
fragment /mnt/swap 280
chmod 600 /mnt/swap
mkswap /mnt/swap >/dev/null || die mkswap
sync
dumpon /mnt/swap 2>/tmp/err && die "armed although not in use"
swapon /mnt/swap || die swapon
"""


EXT4 = "mkfs.ext4 -q -m 0 -F"


@test(slow=True)
def file_ext4_core_equals_memory(case):
    """a dump to a swap file on ext4, in 50 pieces that were never written to,
    equals memory and leaves the rest of the disk as it was, and savecore finds
    it beneath the file after the reboot and clears it."""
    dead = kill(case, FILE.format(fs="ext4", mkfs=EXT4, device="/dev/nvme0n1"),
                "/mnt/swap")
    check(dead, PIECES)
    after(case, dead, "ext4")


@test(slow=True, module="xfs")
def file_xfs_core_equals_memory(case):
    """the same is so on xfs."""
    dead = kill(case, FILE.format(fs="xfs", mkfs="mkfs.xfs -q -f",
                                  device="/dev/nvme0n1"), "/mnt/swap")
    check(dead, PIECES)
    after(case, dead, "xfs")


VOLUME = """
dmsetup create vg-swap --noudevsync <<END || die dmsetup
0 204800 linear /dev/nvme0n1 409600
204800 204800 linear /dev/nvme0n1 2048
409600 204800 linear /dev/nvme0n1 819200
END
await /dev/dm-0
mkswap /dev/dm-0 >/dev/null || die mkswap
"""


@test(module="dm_mod")
def volume_of_three_segments_core_equals_memory(case):
    """a dump to a logical volume of three segments equals memory and leaves the
    rest of the disk as it was."""
    dead = kill(case, VOLUME + "swapon /dev/dm-0 || die swapon\n",
                "/dev/dm-0")
    check(dead, 3)
    case.equal(dead.image.pieces, [
        (409600 * 512, 204800 * 512), (2048 * 512, 204800 * 512),
        (819200 * 512, 204800 * 512)], "the pieces")


# Its pieces are in another order on the disk.
LARGE = """
dmsetup create vg-data --noudevsync <<END || die dmsetup
0 500000 linear /dev/nvme0n1 1000000
500000 500000 linear /dev/nvme0n1 2048
1000000 400000 linear /dev/nvme0n1 520000
END
await /dev/dm-0
"""


@test(slow=True, module="dm_mod")
def file_on_volume_core_equals_memory(case):
    """a dump to a swap file in 50 pieces, on a logical volume of three segments,
    equals memory and leaves the rest of the disk as it was, and savecore finds
    it beneath file and volume after the reboot and clears it."""
    dead = kill(case, LARGE + FILE.format(fs="ext4", mkfs=EXT4,
                                          device="/dev/dm-0"), "/mnt/swap")
    check(dead, PIECES)
    parts = {(first >= 1000000 * 512) - (first < 520000 * 512)
             for first, _ in dead.image.pieces}
    case.equal(parts, {-1, 0, 1}, "the segments that the file lies on")
    after(case, dead, "ext4", "/dev/dm-0", LARGE)


PINS = """
mkdir -p /var/lib
await /dev/nvme0n1
insmod /swapcore.ko || die "insmod swapcore"
gone() {
	n=0
	until [ "$(cat /sys/kernel/swapcore/state)" = disarmed ]; do
		[ $((n += 1)) -le 300 ] || die "still armed: $1"
		usleep 100000
	done
	grep -q "$1" /sys/kernel/swapcore/reason || die "no reason: $1"
}
refused() {
	"$@" 2>/dev/null && die "not refused: $*"
}
dmsetup create vg-swap --noudevsync --table "0 65536 linear /dev/nvme0n1 0"
await /dev/dm-0
mkswap /dev/dm-0 >/dev/null
swapon /dev/dm-0 || die swapon
dumpon /dev/dm-0 || die "dumpon volume"
swapoff /dev/dm-0
refused dmsetup remove --noudevsync vg-swap
dmsetup suspend --noudevsync vg-swap && dmsetup resume --noudevsync vg-swap
usleep 1500000
[ "$(cat /sys/kernel/swapcore/state)" = armed ] || die "no new table, disarmed"
dmsetup load vg-swap --table "0 65536 linear /dev/nvme0n1 131072"
dmsetup suspend --noudevsync vg-swap
dmsetup resume --noudevsync vg-swap || die resume
gone "got another table"
dmsetup remove --noudevsync vg-swap || die "the volume is still held"

mkfs.ext4 -q -F /dev/nvme0n1 || die mkfs
mount -t ext4 /dev/nvme0n1 /mnt || die mount
fallocate -l 32m /mnt/dump
fallocate -l 32m /mnt/swap
dumpon --label /mnt/dump || die label
dumpon -v /mnt/dump || die "dumpon file"
refused dd if=/dev/zero of=/mnt/dump bs=4096 count=1 conv=notrunc
refused truncate -s 4096 /mnt/dump
refused rm -f /mnt/dump
refused mv /mnt/dump /mnt/other
refused swapon /mnt/dump
refused umount /mnt
refused dumpon -f --label /mnt/dump
dumpon /mnt/dump || die "dumpon file again"
dumpon off || die off
truncate -s 4096 /mnt/dump || die "the file is still held"
rm /mnt/dump
umount /mnt || die umount
mount -t ext4 /dev/nvme0n1 /mnt || die mount
mkswap /mnt/swap >/dev/null
refused dumpon /mnt/swap
swapon /mnt/swap || die swapon
dumpon /mnt/swap || die "dumpon swap file"
swapoff /mnt/swap
gone "not in use any more"
swapon /mnt/swap && dumpon /mnt/swap || die "dumpon swap file again"
"""


@test(module="dm_mod", more=True)
def armed_window_stays_or_disarms(case):
    """an armed dump file is nobody else's, a volume that gets another table or a
    swap file that is turned off is disarmed, and a panic right after swapoff
    writes nothing."""
    image = case.disk(128, None)
    script = PINS + """
sync
echo "@@dying"
read -r word
swapoff /mnt/swap; echo c >/proc/sysrq-trigger
"""
    with case.boot(script, disk.attach(image, "nvme"), append="panic=1",
                   mem_mib=256) as vm:
        crash.await_dying(vm)
        case.scan(vm.console.text())
        vm.data.send("die")
        last = crash.await_dump(vm)
    case.check("the swap file is not in use any more; nothing is written"
               in last, last)
