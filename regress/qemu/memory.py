# SPDX-License-Identifier: BSD-2-Clause
"""The guest's memory as QEMU saved it, read without any code of the project.

VMCOREINFO and a page-table walk are enough to find what a test asks for; that
makes it a second opinion on what libkvm says.
"""

import os
import re
import struct

KERNEL_MAP = 0xffffffff80000000
ADDR_MASK = 0x000ffffffffff000
PAGE = 4096
PRESENT, LARGE = 1, 0x80
CPUS_MAX = 8            # no guest here has more


class Memory:
    """Physical memory, from the images [(start, path)] that pmemsave wrote."""

    def __init__(self, images, note_paddr, note_size):
        self._files = [(start, open(path, "rb")) for start, path in images]
        note = self.read(note_paddr, note_size)
        namesz, descsz = struct.unpack_from("<II", note)
        first = 12 + (namesz + 3) // 4 * 4
        text = note[first:first + descsz].decode()
        self.info = dict(line.split("=", 1) for line in text.split("\n")
                         if "=" in line)
        self.levels = 5 if self.number("pgtable_l5_enabled") else 4
        self.root = self.text_paddr(self.symbol("init_top_pgt"))

    def close(self):
        for _, image in self._files:
            image.close()

    def number(self, name):
        return int(self.info[f"NUMBER({name})"], 0)

    def symbol(self, name):
        return int(self.info[f"SYMBOL({name})"], 16)

    def offset(self, name):
        return int(self.info[f"OFFSET({name})"])

    def size(self, name):
        return int(self.info[f"SIZE({name})"])

    def text_paddr(self, addr):
        return addr - KERNEL_MAP + self.number("phys_base")

    def read(self, paddr, length):
        for start, image in reversed(self._files):
            if paddr >= start:
                image.seek(paddr - start)
                return image.read(length)
        raise ValueError(f"no memory at {paddr:#x}")

    def holds(self, start, end):
        """Is this physical range in one of the images?"""
        return any(first <= start < end <= first + os.fstat(
            image.fileno()).st_size for first, image in self._files)

    def translate(self, addr):
        """The physical address of a kernel address, or None."""
        table = self.root
        for level in range(self.levels - 1, -1, -1):
            shift = 12 + 9 * level
            index = (addr >> shift) & 511
            entry, = struct.unpack("<Q", self.read(table + 8 * index, 8))
            if not entry & PRESENT:
                return None
            if level == 0 or entry & LARGE and level < 3:
                mask = (1 << shift) - 1
                return entry & ADDR_MASK & ~mask | addr & mask
            table = entry & ADDR_MASK
        return None

    def read_va(self, addr, length):
        """Bytes at a kernel address; None where nothing is mapped."""
        parts = []
        while length > 0:
            step = min(length, PAGE - addr % PAGE)
            paddr = self.translate(addr)
            if paddr is None:
                return None
            parts.append(self.read(paddr, step))
            addr, length = addr + step, length - step
        return b"".join(parts)

    def ranges(self, addr, length):
        """Physical ranges [(start, end)] behind a kernel range, by page."""
        found, end = [], addr + length
        while addr < end:
            step = min(end - addr, PAGE - addr % PAGE)
            paddr = self.translate(addr)
            if paddr is not None:
                found.append((paddr, paddr + step))
            addr += step
        return found

    def word(self, addr, fmt="<Q"):
        return struct.unpack(fmt, self.read_va(addr, struct.calcsize(fmt)))[0]

    def per_cpu(self, addr, names):
        """Addresses of a variable: one, or one for each CPU where it is among
        the per-CPU variables.  names: name -> address.  Since 6.15 these have
        addresses like all others; before, they begin at 0."""
        if not names["__per_cpu_start"] <= addr < names["__per_cpu_end"]:
            return [addr]
        bases = {self.word(names["__per_cpu_offset"] + 8 * cpu)
                 for cpu in range(CPUS_MAX)}
        return sorted(base + addr & (1 << 64) - 1 for base in bases)

    def printk_ring(self):
        """Kernel ranges [(start, bytes, name)] of the printk ring buffer."""
        prb = self.word(self.symbol("prb"))
        desc = prb + self.offset("printk_ringbuffer.desc_ring")
        text = prb + self.offset("printk_ringbuffer.text_data_ring")
        count = 1 << self.word(
            desc + self.offset("prb_desc_ring.count_bits"), "<I")
        size = 1 << self.word(
            text + self.offset("prb_data_ring.size_bits"), "<I")
        return [
            (prb, self.size("printk_ringbuffer"), "printk:prb"),
            (self.word(desc + self.offset("prb_desc_ring.descs")),
             count * self.size("prb_desc"), "printk:descs"),
            (self.word(desc + self.offset("prb_desc_ring.infos")),
             count * self.size("printk_info"), "printk:infos"),
            (self.word(text + self.offset("prb_data_ring.data")), size,
             "printk:log_buf"),
        ]


def own_ranges(lines):
    """[(start, end, what)] from lines "start-end what", end exclusive."""
    ranges = []
    for line in lines:
        found = re.match(r"(?:0x)?([0-9a-f]+)-(?:0x)?([0-9a-f]+)\s+(\S.*)",
                         line)
        if not found:
            raise ValueError(f"own: not a range: {line}")
        ranges.append((int(found[1], 16), int(found[2], 16),
                       found[3].replace(" ", "_")))
    return ranges
