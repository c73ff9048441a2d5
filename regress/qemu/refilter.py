# SPDX-License-Identifier: BSD-2-Clause
"""What makedumpfile(8) keeps of a guest's memory, at any of its dump levels.

QEMU's copy of the memory becomes an ELF vmcore with nothing but VMCOREINFO and
one PT_LOAD for each piece; makedumpfile filters it, and the bitmap in its own
compressed format says which pages it kept.
"""

import shutil
import struct
import subprocess

import disk
from case import Failed

PAGE = 4096
PT_LOAD, PT_NOTE = 1, 4
EHDR, PHDR = 64, 56
BLOCK_SIZE_AT, SUB_HDR_SIZE_AT, BITMAP_BLOCKS_AT = 428, 432, 436


def write_vmcore(path, images, note, page_offset):
    """images: [(physical start, path)]; note: VMCOREINFO as an ELF note."""
    phnum = len(images) + 1
    at = EHDR + PHDR * phnum
    headers = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 4,
                          62, 1, 0, EHDR, 0, 0, EHDR, PHDR, phnum, 0, 0, 0)
    headers += struct.pack("<IIQQQQQQ", PT_NOTE, 0, at, 0, 0, len(note),
                           len(note), 0)
    offset = (at + len(note) + PAGE - 1) // PAGE * PAGE
    offsets = []
    for start, image in images:
        with open(image, "rb") as stream:
            size = stream.seek(0, 2)
        headers += struct.pack("<IIQQQQQQ", PT_LOAD, 7, offset,
                               page_offset + start, start, size, size, 0)
        offsets.append(offset)
        offset += (size + PAGE - 1) // PAGE * PAGE
    with open(path, "wb") as out:
        out.write(headers + note)
        for (_, image), place in zip(images, offsets):
            out.seek(place)
            with open(image, "rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)


def read_kept(path):
    """The second bitmap of a kdump-compressed file: pages that are in it."""
    with open(path, "rb") as stream:
        head = stream.read(PAGE)
        if head[:8] != b"KDUMP   ":
            raise Failed(f"{path}: not makedumpfile's format")
        block, = struct.unpack_from("<I", head, BLOCK_SIZE_AT)
        sub, = struct.unpack_from("<I", head, SUB_HDR_SIZE_AT)
        blocks, = struct.unpack_from("<I", head, BITMAP_BLOCKS_AT)
        stream.seek((1 + sub + blocks // 2) * block)
        bits = stream.read(blocks // 2 * block)
    return {8 * i + bit for i, byte in enumerate(bits) if byte
            for bit in range(8) if byte >> bit & 1}


def knows(said):
    """Does makedumpfile know the kernel, by what it printed?"""
    return "kernel version is not supported" not in said


def kept(case, dead, level):
    """The page frame numbers that makedumpfile -d level keeps; None where it
    says that it does not know such a kernel."""
    mem = dead.memory()
    paddr, size = (int(word, 16) for word in
                   dead.found["vmcoreinfo"][0].split())
    note = mem.read(paddr, size)
    page_offset = mem.word(dead.names()["page_offset_base"])
    mem.close()
    vmcore, out = case.path("vmcore"), case.path("refiltered")
    write_vmcore(vmcore, dead.images, note, page_offset)
    done = subprocess.run(["makedumpfile", "-c", "-d", str(level), vmcore,
                           out], capture_output=True, text=True, check=False)
    disk.free(vmcore)
    case.log("makedumpfile", done.stdout + done.stderr)
    if done.returncode != 0:
        raise Failed(f"makedumpfile: exit {done.returncode}: "
                     f"{(done.stderr or done.stdout).strip()[-300:]}")
    return read_kept(out) if knows(done.stdout + done.stderr) else None
