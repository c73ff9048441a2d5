# SPDX-License-Identifier: BSD-2-Clause
"""A core file's header and ELF notes, read by kcore(5) alone."""

import struct

NT_PRSTATUS = 1
PRSTATUS_BYTES = 336    # struct elf_prstatus
PID_AT, REGS_AT = 32, 112

# user_regs_struct, in its order.
REGISTERS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9",
             "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs",
             "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs",
             "gs")


class Core:
    """The CPU segment: header members that the tests look at, and notes."""

    def __init__(self, path):
        with open(path, "rb") as stream:
            magic, hdrsize, seghdrsize, _ = struct.unpack(
                "<IHHI", stream.read(12))
            stream.seek(hdrsize)
            _, size = struct.unpack("<II", stream.read(8))
            stream.seek(hdrsize + seghdrsize)
            self.cpu = stream.read(size)
        if magic == 0:
            raise ValueError(f"{path}: not a core file")
        self.flags, = struct.unpack_from("<Q", self.cpu, 32)
        self.data_size, self.data_valid = struct.unpack_from(
            "<QQ", self.cpu, 72)
        (self.level, self.ncpus, self.panic_cpu,
         self.panic_tid) = struct.unpack_from("<4I", self.cpu, 100)
        self.panic_task, = struct.unpack_from("<Q", self.cpu, 176)
        self.page_offset, = struct.unpack_from("<Q", self.cpu, 144)
        self.counts = struct.unpack_from("<16Q", self.cpu, 208)
        self.comm = self.cpu[408:424].rstrip(b"\0").decode()

    def memsegs(self):
        """[(start, size)], the page with dumpmag first."""
        count, = struct.unpack_from("<Q", self.cpu, 8)
        offset, = struct.unpack_from("<I", self.cpu, 40)
        return [struct.unpack_from("<QQ", self.cpu, offset + 16 * i)
                for i in range(count)]

    def exclsegs(self):
        """[(start, size, kind)]"""
        offset, count = struct.unpack_from("<II", self.cpu, 44)
        return [struct.unpack_from("<QQI", self.cpu, offset + 24 * i)
                for i in range(count)]

    def notes(self):
        """[(name, type, bytes)]"""
        at, size = struct.unpack_from("<II", self.cpu, 56)
        end, found = at + size, []
        while at + 12 <= end:
            namesz, descsz, kind = struct.unpack_from("<III", self.cpu, at)
            if namesz == 0:     # padding
                break
            name = self.cpu[at + 12:at + 12 + namesz].rstrip(b"\0").decode()
            at += 12 + (namesz + 3) // 4 * 4
            found.append((name, kind, self.cpu[at:at + descsz]))
            at += (descsz + 3) // 4 * 4
        return found

    def registers(self):
        """Of each CPU: its registers by name, and the pid as "pid"."""
        found = []
        for name, kind, desc in self.notes():
            if name != "CORE" or kind != NT_PRSTATUS:
                continue
            if len(desc) != PRSTATUS_BYTES:
                raise ValueError(f"NT_PRSTATUS of {len(desc)} bytes")
            regs = dict(zip(REGISTERS, struct.unpack_from("<27Q", desc,
                                                          REGS_AT)))
            regs["pid"], = struct.unpack_from("<I", desc, PID_AT)
            found.append(regs)
        return found
