# SPDX-License-Identifier: BSD-2-Clause
"""The file of symbols that savecore makes beside a core, as others read it:
nm(1), gdb(1), bpftool(8), objcopy(1), and libkvm."""

import collections
import hashlib
import os
import re
import subprocess

import bpftypes
import crash

# What the guest says of its types.
TELL = """
say btfsum sha1sum /sys/kernel/btf/vmlinux
"""
BYTES_MAX = 16 << 20
EVERY = 397             # of so many names one is looked up


def output(case, *argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    case.equal((done.returncode, done.stderr), (0, ""), f"what {argv[0]} said")
    return done.stdout


def as_nm(line):
    """A line of kallsyms as nm(1) has it.  What is no code has no bytes in
    the file, so that nm takes all of it for .bss."""
    addr, letter, name = line.split()[:3]
    if letter not in "tTaAwWvV":
        letter = "B" if letter.isupper() else "b"
    return f"{addr} {letter} {name}"


def same_symbols(case, path, kernel, modules):
    """nm's output is what the kernel said, all of it and no more."""
    got = collections.Counter(output(case, "nm", path).splitlines())
    wanted = collections.Counter(as_nm(line) for line in kernel)
    case.equal(list((wanted - got).items())[:3], [], "symbols nm lacks")
    # The kernel shows as global what a module exports: fold those of modules.
    rest = collections.Counter()
    for line, count in (got - wanted).items():
        addr, letter, name = line.split()
        rest[f"{addr} {letter.lower()} {name}"] += count
    wanted = collections.Counter(
        re.sub(r"^(\S+ )(.)", lambda m: m[1] + m[2].lower(), as_nm(line))
        for line in modules)
    case.equal(rest, wanted, "symbols of modules")


def gdb_knows(case, path, kernel, modules):
    """gdb finds places by name, and names by place, of both kinds."""
    picked = [line.split() for line in (*kernel, *modules)
              if line.split()[2] in ("schedule", "init_task",
                                     "crashme_set_how")]
    case.equal(len(picked), 3, "symbols that were looked for")
    for words in picked:
        addr, name = words[0], words[2]
        # A name may be a macro of gdb's own language: by its place first.
        said = output(case, "gdb", "-nx", "-batch", "-ex",
                      f"info symbol 0x{addr}", "-ex", f"info address {name}",
                      path)
        section = r"\.\w+" + (r"\.crashme" if len(words) > 3 else "")
        case.check(re.search(rf"^{name} in section {section}$", said, re.M)
                   and f'"{name}" is at 0x{addr}' in said,
                   f"gdb said {said!r}")


def same_types(case, path, found):
    """.BTF is what the kernel has, and bpftool reads it."""
    raw = case.path("btf.raw")
    output(case, "objcopy", "-O", "binary", "--only-section=.BTF",
           "--set-section-flags", ".BTF=alloc", path, raw)
    with open(raw, "rb") as stream:
        digest = hashlib.sha1(stream.read()).hexdigest()
    case.equal(digest, found["btfsum"][0].split()[0], "SHA-1 of .BTF")
    case.equal(bpftypes.Types(path).types, bpftypes.Types(raw).types,
               "types that bpftool finds")


def same_nlist(case, path, core, kernel):
    """Names have the same addresses through it as without it."""
    names = sorted({line.split()[2] for line in kernel})[::EVERY]
    got = crash.run_tool(case, "readcore", "-N", path, core, *names)
    case.equal(got, crash.run_tool(case, "readcore", core, *names),
               "addresses by name")
    case.check(len(names) > 100, f"only {len(names)} names")


def check(case, core, found, kernel, modules):
    path = core.removesuffix(".core")
    case.check(os.path.exists(path), f"no {path}")
    size = os.path.getsize(path)
    case.check(size < BYTES_MAX, f"{path} has {size} bytes")
    case.equal(os.stat(path).st_mode & 0o777, 0o600, f"the mode of {path}")
    same_symbols(case, path, kernel, modules)
    gdb_knows(case, path, kernel, modules)
    same_types(case, path, found)
    same_nlist(case, path, core, kernel)
