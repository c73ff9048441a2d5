# SPDX-License-Identifier: BSD-2-Clause
"""Disk images: raw files, with a GPT or MBR where a test wants partitions.

The usual disk has three partitions: a guard full of a pattern, the one for
swap, and another guard.  Nobody but us writes the guards, so any change there
is a write outside the window.  A fourth is for tests that keep the disk busy.
"""

import binascii
import hashlib
import os
import struct
import subprocess
import uuid

SECTOR = 512
MIB = 1 << 20
GUARD_MIB = 4
GPT_SECTORS = 34        # protective MBR, header, 128 entries; again at the end
LINUX_SWAP = uuid.UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f")
LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


class Disk:
    """A raw image and its partitions: [(first byte, bytes)], p1 first."""

    def __init__(self, path, size, parts=(), blockdev=None):
        self.path = path
        self.size = size
        self.parts = list(parts)
        # What -blockdev is to say; None: a plain file.
        self.blockdev = blockdev and blockdev.format(path=path)
        # Where that begins which the guest may write.
        self.guarded = parts[3][0] if len(parts) > 3 else size

    def part(self, number):
        return self.parts[number - 1] if number else (0, self.size)

    def sha(self, start, length):
        """SHA-256 of a range of the image."""
        digest = hashlib.sha256()
        with open(self.path, "rb") as image:
            image.seek(start)
            while length > 0:
                data = image.read(min(length, MIB))
                if not data:
                    raise EOFError(f"{self.path}: short read")
                digest.update(data)
                length -= len(data)
        return digest.hexdigest()

    def read(self, start, length):
        with open(self.path, "rb") as image:
            image.seek(start)
            return image.read(length)

    def write(self, start, data):
        with open(self.path, "r+b") as image:
            image.seek(start)
            image.write(data)

    def guards(self, window):
        """SHA-256 of everything on the disk but partition `window` and the
        fourth."""
        start, length = self.part(window)
        end = start + length
        return self.sha(0, start), self.sha(end, self.guarded - end)


def _gpt_header(disk_guid, entries, here, other, last, table):
    def pack(crc):
        return struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here,
            other, GPT_SECTORS, last - GPT_SECTORS, disk_guid.bytes_le, table,
            128, 128, binascii.crc32(entries))
    return pack(binascii.crc32(pack(0))).ljust(SECTOR, b"\0")


def _write_gpt(image, sectors, parts):
    entries = b"".join(
        struct.pack("<16s16sQQQ72s", kind.bytes_le, uuid.uuid4().bytes_le,
                    first // SECTOR, (first + length) // SECTOR - 1, 0, b"")
        for first, length, kind in parts).ljust(128 * 128, b"\0")
    guid = uuid.uuid4()
    last = sectors - 1
    protective = (b"\0" * 446 + struct.pack(
        "<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1,
        min(last, 0xffffffff))).ljust(510, b"\0") + b"\x55\xaa"
    image.seek(0)
    image.write(protective + _gpt_header(guid, entries, 1, last, last, 2)
                + entries)
    image.seek((last - 32) * SECTOR)
    image.write(entries + _gpt_header(guid, entries, last, 1, last, last - 32))


def _write_mbr(image, parts, sector):
    table = b"".join(
        struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff",
                    0x82 if kind == LINUX_SWAP else 0x83, b"\xfe\xff\xff",
                    first // sector, length // sector)
        for first, length, kind in parts)
    image.seek(0)
    image.write((b"\0" * 446 + table).ljust(510, b"\0") + b"\x55\xaa")


def guard_pattern(length):
    """Numbered blocks, so that a misplaced write shows where it belongs."""
    return b"".join(struct.pack("<8sQ", b"GUARDBLK", block) * 32
                    for block in range(length // SECTOR))


def whole(path, mib, blockdev=None):
    """A disk without partitions."""
    with open(path, "wb") as image:
        image.truncate(mib * MIB)
    return Disk(path, mib * MIB, blockdev=blockdev)


def guarded(path, swap_mib, table="gpt", sector=SECTOR, scratch_mib=0,
            blockdev=None, guard_mib=GUARD_MIB):
    """guard, swap, guard, and scratch; the swap partition is number 2.

    sector: bytes of the disk's blocks; a GPT is for 512 alone.  blockdev: how
    QEMU is to open it; "{path}" stands for the image.
    """
    lengths = [guard_mib * MIB, swap_mib * MIB, guard_mib * MIB]
    kinds = [LINUX_DATA, LINUX_SWAP, LINUX_DATA]
    if scratch_mib:
        lengths.append(scratch_mib * MIB)
        kinds.append(LINUX_DATA)
    parts, first = [], MIB
    for length, kind in zip(lengths, kinds):
        parts.append((first, length, kind))
        first += length
    size = first + MIB
    with open(path, "wb") as image:
        image.truncate(size)
        if table == "gpt":
            _write_gpt(image, size // SECTOR, parts)
        else:
            _write_mbr(image, parts, sector)
        for first, length, kind in parts[:3]:
            if kind == LINUX_DATA:
                image.seek(first)
                image.write(guard_pattern(length))
    return Disk(path, size, [part[:2] for part in parts], blockdev)


def attach(disk, bus, index=0, options="", drive_options=""):
    """QEMU arguments that give the guest this disk.

    The bus "nsid2" is namespace 2 of an NVMe controller `ctl' that others make;
    "shared" is a namespace of that and all of its subsystem's controllers;
    "scsi" a disk of the virtio-scsi host `host' that others make; "ahci" the
    port with this index.
    """
    name = f"disk{index}"
    device = {
        "nvme": f"nvme,drive={name},serial={name}",
        "shared": f"nvme-ns,drive={name},bus=ctl,nsid=1,shared=on",
        "nsid2": f"nvme-ns,drive={name},bus=ctl,nsid=2",
        "virtio": f"virtio-blk-pci,drive={name},serial={name},"
                  "disable-legacy=on,num-queues=2,packed=on",
        "mmio": f"virtio-blk-device,drive={name},serial={name},"
                "num-queues=2,packed=on",
        "scsi": f"scsi-hd,drive={name},serial={name},bus=host.0",
        "ahci": f"ide-hd,drive={name},serial={name},bus=ide.{index}",
    }[bus]
    drive = ["-drive", f"if=none,id={name},format=raw,file={disk.path},"
                       "cache=unsafe"
             + (f",{drive_options}" if drive_options else "")]
    if disk.blockdev:
        drive = ["-blockdev", f"node-name={name},{disk.blockdev}"]
    return [*drive, "-device", device + (f",{options}" if options else "")]


def format_part(disk, number):
    """Makes ext4 in a partition."""
    start, length = disk.part(number)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-E",
                    f"offset={start}", disk.path, f"{length >> 10}k"],
                   check=True)


def fetch(disk, number, name, path):
    """Copies a file out of the ext4 in a partition, or on the whole disk."""
    start, _ = disk.part(number)
    free(path)
    subprocess.run(["/sbin/debugfs", "-R", f"dump {name} {path}",
                    f"{disk.path}?offset={start}"], check=True,
                   stderr=subprocess.DEVNULL)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{disk.path}: partition {number} has no "
                                f"{name}")


def node(bus, part=0, index=0):
    """The guest's name of a disk or partition."""
    if bus == "nsid2":
        return "/dev/nvme0n2" + (f"p{part}" if part else "")
    if bus in ("nvme", "shared"):
        return f"/dev/nvme{index}n1" + (f"p{part}" if part else "")
    kind = "vd" if bus in ("virtio", "mmio") else "sd"
    return f"/dev/{kind}{chr(ord('a') + index)}" + (str(part) if part else "")


def free(path):
    if os.path.exists(path):
        os.unlink(path)
