# SPDX-License-Identifier: BSD-2-Clause
"""An ELF file with nothing but a symbol table, from what the guest printed.

The kernel package has no vmlinux; this is what stands in for it as the execfile
of kvm_open(3).  As in a vmlinux, the kernel's own addresses are those of the
link, before KASLR.
"""

import struct

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 2, 3, 8
SHN_ABS = 0xfff1
ET_EXEC, EM_X86_64 = 2, 62
OBJECT, FUNC = 1, 2
KERNEL_MAP = 0xffffffff80000000
TEXT = 0xffffffff81000000       # where Debian's kernels are linked
MODULES = 0xffffffffc0000000


def _symbols(entries, strings):
    table = [SYM.pack(0, 0, 0, 0, 0, 0)]
    for addr, kind, name in entries:
        bind = 1 if kind.isupper() else 0
        what = FUNC if kind in "tTwW" else OBJECT
        index = 1 if KERNEL_MAP <= addr < MODULES else SHN_ABS
        table.append(SYM.pack(len(strings), bind << 4 | what, 0, index, addr,
                              0))
        strings += name.encode() + b"\0"
    return b"".join(table)


def write(symbols, slide, path):
    """Writes the ELF file; symbols: [(run-time address, letter, name)]."""
    entries = sorted((
        (addr - slide if KERNEL_MAP <= addr < MODULES else addr, kind, name)
        for addr, kind, name in symbols),
        key=lambda entry: entry[1].isupper())       # locals come first
    nlocal = 1 + sum(not kind.isupper() for _, kind, _ in entries)
    strings = bytearray(b"\0")
    table = _symbols(entries, strings)
    sections = b"\0.kernel\0.symtab\0.strtab\0.shstrtab\0"
    at = EHDR.size
    offsets = []
    for part in (table, strings, sections):
        offsets.append(at)
        at += (len(part) + 7) // 8 * 8
    headers = [
        SHDR.pack(*[0] * 10),
        SHDR.pack(1, SHT_NOBITS, 7, TEXT, EHDR.size, MODULES - TEXT, 0, 0,
                  4096, 0),
        SHDR.pack(9, SHT_SYMTAB, 0, 0, offsets[0], len(table), 3, nlocal, 8,
                  SYM.size),
        SHDR.pack(17, SHT_STRTAB, 0, 0, offsets[1], len(strings), 0, 0, 1, 0),
        SHDR.pack(25, SHT_STRTAB, 0, 0, offsets[2], len(sections), 0, 0, 1,
                  0),
    ]
    with open(path, "wb") as out:
        out.write(EHDR.pack(b"\x7fELF\2\1\1" + b"\0" * 9, ET_EXEC, EM_X86_64,
                            1, 0, 0, at, 0, EHDR.size, 0, 0, SHDR.size,
                            len(headers), 4))
        for part in (table, strings, sections):
            out.write(part + b"\0" * (-len(part) % 8))
        out.write(b"".join(headers))
