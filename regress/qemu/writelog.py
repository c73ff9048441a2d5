# SPDX-License-Identifier: BSD-2-Clause
"""The log of a disk's writes and flushes, in their order, that QEMU's driver
blklogwrites keeps in the format of Linux's dm-log-writes."""

import struct

MAGIC = 0x6a736677736872
FLUSH, DISCARD = 1, 4


def blockdev(prefix=""):
    """For disk.guarded(): the log is beside the image.  prefix: of the keys,
    where another driver is on top."""
    return ",".join(prefix + part for part in (
        "driver=blklogwrites", "file.driver=file", "file.filename={path}",
        "file.cache.no-flush=on", "log.driver=file",
        "log.filename={path}.log", "log.cache.no-flush=on"))


def create(path):
    """The log must be there before QEMU starts."""
    with open(path + ".log", "wb"):
        pass


def entries(path):
    """Yields (is a flush, first byte, bytes) in order; a flush has b""."""
    with open(path + ".log", "rb") as stream:
        magic, _, count, size = struct.unpack("<QQQI", stream.read(28))
        if magic != MAGIC:
            raise ValueError(f"{path}.log: magic {magic:#x}")
        stream.seek(size)
        for _ in range(count):
            first, sectors, flags = struct.unpack("<3Q",
                                                  stream.read(size)[:24])
            if flags & FLUSH:
                yield True, 0, b""
            if sectors and not flags & DISCARD:
                yield False, first * size, stream.read(sectors * size)
