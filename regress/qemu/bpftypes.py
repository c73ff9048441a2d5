# SPDX-License-Identifier: BSD-2-Clause
"""What bpftool(8) says of the kernel's types: the layout of structures."""

import re
import subprocess

TYPE = re.compile(r"\[(\d+)\] (\S+) '(.*?)'(.*)")
MEMBER = re.compile(r"\t'(.*?)' type_id=(\d+) bits_offset=(\d+)"
                    r"(?: bitfield_size=(\d+))?")
POINTER_BYTES = 8


class Types:
    """The types of a BTF file; base: those that a module's goes on from."""

    def __init__(self, path, base=None):
        # Debian has it where only root looks for programs.
        done = subprocess.run(["/usr/sbin/bpftool",
                               *(["-B", base.path] if base else []), "btf",
                               "dump", "file", path, "format", "raw"],
                              capture_output=True, text=True, check=True)
        self.path = path
        # id -> (kind, name, {attribute: text}), [(name, type, bit, bits)]
        self.types = dict(base.types) if base else {}
        self.members = dict(base.members) if base else {}
        self.first = len(self.types) + 1
        for line in done.stdout.split("\n"):
            found = MEMBER.match(line)
            if found:
                self.members[number].append(
                    (found[1], *(int(found[i] or 0) for i in (2, 3, 4))))
                continue
            found = TYPE.match(line)
            if found:
                number = int(found[1])
                self.types[number] = found[2], found[3], dict(
                    re.findall(r"(\w+)=(\S+)", found[4]))
                self.members[number] = []

    def size(self, number):
        kind, _, about = self.types[number]
        if kind == "PTR":
            return POINTER_BYTES
        if kind == "ARRAY":
            return int(about["nr_elems"]) * self.size(int(about["type_id"]))
        if "size" in about:
            return int(about["size"])
        return self.size(int(about["type_id"]))

    def layout(self):
        """{path: (offset, size, bit, bits)} of the structures and unions with
        names of their own, and of their members with names."""
        named = {}
        for number, (kind, name, _) in self.types.items():
            if kind in ("STRUCT", "UNION") and number >= self.first:
                named.setdefault(name, []).append(number)
        found = {}
        for name, numbers in named.items():
            if name == "(anon)" or len(numbers) > 1:
                continue
            kind = self.types[numbers[0]][0].lower()
            self._members(f"{kind} {name}", numbers[0], 0, found)
            found[f"{kind} {name}"] = 0, self.size(numbers[0]), 0, 0
        return found

    def _members(self, path, number, base, found):
        for name, kind, bit, bits in self.members[number]:
            bit += base
            if name != "(anon)":
                found.setdefault(f"{path}.{name}", (
                    bit // 8, self.size(kind), bit % 8 if bits else 0, bits))
            elif self.types[kind][0] in ("STRUCT", "UNION"):
                self._members(path, kind, bit, found)
