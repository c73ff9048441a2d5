# SPDX-License-Identifier: BSD-2-Clause
"""A dump partition: from its label to its core, on a machine without swap."""

import subprocess

import crash
import disk
from case import test

SYS = "/sys/kernel/swapcore"

# try NAME COMMAND...: prints its exit status and all it said on one line.
TRY = """
try() {
	_name=$1
	shift
	_said=$("$@" 2>&1)
	echo "@@try $_name $? $(echo $_said)"
}
"""

AGAIN = """
	mkdir -p /var/crash
	insmod /swapcore.ko || die insmod
	try label_unsaved dumpon --label {part}
	try arm_unsaved dumpon {part}
	[ "$(wc -l </proc/swaps)" = 1 ] || die "there is swap"
	try savecore savecore /var/crash
	try core test -s /var/crash/linux.0.core
	try saved savecore -n
	try rearm dumpon LABEL=crash
	try list dumpon -l
	dumpon off || die off
	umount /var
	exit 0
"""

FIRST = """
mke2fs {data} >/dev/null || die mke2fs
mount -t ext4 {data} /var || die mount
mkdir -p /var/lib
insmod /swapcore.ko || die insmod
mke2fs {part} >/dev/null || die mke2fs
try label_fs dumpon --label {part}
mount -t ext4 {part} /mnt || die "mount {part}"
try label_mounted dumpon -f --label {part}
umount /mnt
dd if=/dev/zero of={part} bs=64k count=1 conv=fsync 2>/dev/null
make_swap {part}
swapon {part} || die swapon
try label_swapon dumpon -f --label {part}
swapoff {part}
try label_swap dumpon --label {part}
try label dumpon -f --label=crash {part}
try arm dumpon LABEL=crash
try mkfs mkfs.ext4 -F {part}
try mount mount -t ext4 {part} /mnt
try swapon swapon {part}
try relabel dumpon -f --label {part}
dumpon off || die off
try relabel_twice dumpon --label {part}
uuid=$(hexdump -v -s 16 -n 16 -e '16/1 "%02x"' {part} | awk '{{
	printf "%s-%s-%s-%s-%s", substr($0, 1, 8), substr($0, 9, 4),
	    substr($0, 13, 4), substr($0, 17, 4), substr($0, 21) }}')
try arm_again dumpon UUID=$uuid
umount /var
"""


def tries(text):
    """What try printed: name -> (exit status, what was said)."""
    found = {}
    for line in text.split("\n"):
        if line.startswith("@@try "):
            _, name, status, *said = line.split(" ", 3)
            found[name] = int(status), "".join(said)
    return found


def expect(case, found, wanted):
    """Of each name whether it may succeed, and words that it says."""
    for name, (good, words) in wanted.items():
        status, said = found[name]
        case.check((status == 0) == good and words in said,
                   f"{name}: exit {status}, said: {said}")


@test()
def dump_partition_from_label_to_core(case):
    """a labelled partition is nobody else's while armed, takes a dump, gives it
    to savecore on a machine without swap, keeps its label and can be armed
    again; and that a label is refused over what is in use, a file system, swap
    and an unsaved dump."""
    image, store = case.disk(320), case.disk(400, None)
    part, data = disk.node("nvme", 2), disk.node("virtio")
    script = f"""{TRY}
mkdir -p /var/lib
await {data}
await {part}
if mount -t ext4 {data} /var 2>/dev/null; then
{AGAIN.format(part=part)}
fi
{FIRST.format(part=part, data=data)}
{crash.PANIC}"""
    with case.boot(script, [*disk.attach(image, "nvme"),
                            *disk.attach(store, "virtio", 1)],
                   append="panic=1", mem_mib=256, reboot=True) as vm:
        crash.await_dying(vm)
        label = image.read(image.part(2)[0], crash.PAGE)
        vm.data.send("die")
        last = crash.await_dump(vm)
        at, _ = vm.data.wait("@@ready", 120, len(vm.data.lines))
        vm.data.wait("@@(end 0|die.*)", 120, at)
        vm.wait_exit(30)
        found = tries(vm.data.text())
    case.log("tries", "".join(f"{name} {one}\n" for name, one in
                              found.items()))
    busy = "something else has it open for itself"
    expect(case, found, {
        "label_fs": (False, "holds ext2, which a label destroys"),
        "label_mounted": (False, "a file system on it is mounted"),
        "label_swapon": (False, "is in use as swap: swapoff(8) it first"),
        "label_swap": (False, "holds swap, which a label destroys"),
        "label": (True, "is a dump partition"),
        "arm": (True, "armed: driver nvme"),
        "mkfs": (False, "in use by the system"),
        "mount": (False, "Device or resource busy"),
        "swapon": (False, "Device or resource busy"),
        "relabel": (False, busy),
        "relabel_twice": (False, "has a dump label already"),
        "arm_again": (True, "armed: driver nvme"),
        "label_unsaved": (False, "was not saved"),
        "arm_unsaved": (False, "was not saved"),
        "savecore": (True, "reboot after panic: sysrq triggered crash"),
        "core": (True, ""),
        "saved": (False, ""),
        "rearm": (True, "armed: driver nvme"),
        "list": (True, part),
    })
    case.check("dump complete" in last, last)
    case.equal(label[:8], b"SWAPCLBL", "the label's magic number")
    case.equal(image.read(image.part(2)[0], crash.PAGE), label, "the label")
    case.equal(crash.trailer(image, 2)["state"], "SAVED", "the trailer")
    window = case.path("window.img")
    crash.extract(image, 2, window)
    done = subprocess.run(["blkid", "-p", window], check=False,
                          capture_output=True, text=True)
    case.equal((done.returncode, done.stdout), (2, ""), "blkid of it")
