# SPDX-License-Identifier: BSD-2-Clause
"""layering.py TREE: who may include whom.  See BUILDING, "The tree".

Prints one line for each part of the tree, and one for each include that the
table below does not allow.  Exit status 1 if there is any.
"""

import glob
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# What stands for everything that is not in this tree.
LINUX = "<linux>"   # the kernel's headers: <linux/...>, <asm/...>, <scsi/...>
SYSTEM = "<system>"  # any other

# A part of the tree, by the files in it; what they may include.  The first
# part that matches a file is its part.  {dir} is the directory of the file.
PARTS = [
    ("the format header", r"sys/sys/",
     [r"sys/sys/", LINUX, SYSTEM]),
    ("the dump", r"sys/kern/",
     [r"sys/sys/", r"sys/kern/", r"sys/dev/dumpdev\.h$",
      r"sys/arch/[^/]+/md\.h$"]),
    ("bus attachments", r"sys/dev/.*_pci\.[ch]$",
     [r"sys/sys/", r"sys/dev/[^/]+\.h$", r"{dir}/", LINUX]),
    ("drivers", r"sys/dev/[^/]+/",
     [r"sys/sys/", r"sys/dev/[^/]+\.h$", r"{dir}/"]),
    ("the driver contract", r"sys/dev/",
     [r"sys/sys/", r"sys/dev/[^/]+\.h$"]),
    ("machines", r"sys/arch/",
     [r"sys/sys/", r"sys/kern/", r"sys/os/", r"sys/dev/[^/]+\.h$",
      r"{dir}/", LINUX]),
    ("the Linux glue", r"sys/os/",
     [r"sys/sys/", r"sys/kern/", r"sys/os/", r"sys/dev/[^/]+\.h$",
      r"sys/arch/[^/]+/md\.h$", LINUX]),
    ("the library", r"lib/libkvm/",
     [r"sys/sys/(kcore|diskdump)\.h$", r"lib/libkvm/", SYSTEM]),
    ("programs", r"usr\.sbin/",
     [r"sys/sys/(kcore|diskdump)\.h$", r"lib/libkvm/kvm\.h$", r"usr\.sbin/lib/",
      r"{dir}/", LINUX, SYSTEM]),
    ("the independent writer", r"regress/mkdump/",
     [r"regress/mkdump/", SYSTEM]),
]


def sources(tree):
    for top in ("sys", "lib", "usr.sbin", "regress"):
        for where, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(where, name), tree)


def target(tree, path, quote, name):
    """The file of this tree that an include names, or what stands for it."""
    places = ["sys", "lib/libkvm", "usr.sbin/lib"]
    places += [os.path.relpath(d, tree)
               for d in glob.glob(os.path.join(tree, "sys/arch/*"))]
    if quote == '"':
        places.insert(0, os.path.dirname(path))
    for place in places:
        found = os.path.normpath(os.path.join(place, name))
        if os.path.isfile(os.path.join(tree, found)):
            return found
    if name.startswith(("linux/", "asm/", "asm-generic/", "uapi/", "scsi/")):
        return LINUX
    return SYSTEM


def allowed(path, what, rules):
    for rule in rules:
        if rule in (LINUX, SYSTEM):
            if what == rule:
                return True
        elif re.match(rule.format(dir=re.escape(os.path.dirname(path))), what):
            return True
    return False


def check(tree):
    bad = {title: [] for title, _, _ in PARTS}
    for path in sources(tree):
        part = next((p for p in PARTS if re.match(p[1], path)), None)
        if part is None:
            continue
        with open(os.path.join(tree, path), encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                m = INCLUDE.match(line)
                if m and not allowed(path, target(tree, path, *m.groups()),
                                     part[2]):
                    bad[part[0]].append(
                        f"{path}:{number}: may not include {m.group(2)}")
    return bad


def main():
    rv = 0
    for title, lines in check(sys.argv[1]).items():
        if lines:
            rv = 1
            print(f"FAIL layering: {title}")
            print("\n".join(lines))
        else:
            print(f"PASS layering: {title}")
    return rv


if __name__ == "__main__":
    sys.exit(main())
