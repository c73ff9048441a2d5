# SPDX-License-Identifier: BSD-2-Clause
"""layering_test.py: the layering check refuses each bad include and no good
one.  Each case is one line in one file of an otherwise good, tiny tree."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import layering  # noqa: E402

TREE = ["sys/sys/kcore.h", "sys/sys/ktypes.h", "sys/kern/dump.h",
        "sys/dev/dumpdev.h", "sys/dev/nvme/nvmevar.h",
        "sys/dev/ahci/ahcivar.h", "sys/arch/x86_64/md.h", "sys/os/os.h",
        "lib/libkvm/kvm.h", "lib/libkvm/kvm_private.h",
        "usr.sbin/dumpon/dumpon.h", "usr.sbin/savecore/savecore.h"]

BAD = [
    ("sys/sys/kcore.h", "<dev/dumpdev.h>"),
    ("sys/sys/kcore.h", '"../kern/dump.h"'),
    ("sys/kern/dump.c", "<linux/types.h>"),
    ("sys/kern/dump.c", "<asm/page.h>"),
    ("sys/kern/dump.c", "<os/os.h>"),
    ("sys/kern/dump.c", "<dev/nvme/nvmevar.h>"),
    ("sys/kern/dump.c", "<stdio.h>"),
    ("sys/dev/dumpdev.c", "<linux/pci.h>"),
    ("sys/dev/dumpdev.c", "<kern/dump.h>"),
    ("sys/dev/nvme/nvme.c", "<linux/pci.h>"),
    ("sys/dev/nvme/nvme.c", "<dev/ahci/ahcivar.h>"),
    ("sys/dev/nvme/nvme.c", '"../ahci/ahcivar.h"'),
    ("sys/dev/nvme/nvme_pci.c", "<dev/ahci/ahcivar.h>"),
    ("sys/dev/nvme/nvme.c", "<os/os.h>"),
    ("sys/os/os.c", "<dev/nvme/nvmevar.h>"),
    ("lib/libkvm/kvm.c", "<sys/ktypes.h>"),
    ("lib/libkvm/kvm.c", "<kern/dump.h>"),
    ("lib/libkvm/kvm.c", '"../../usr.sbin/dumpon/dumpon.h"'),
    ("usr.sbin/savecore/savecore.c", "<kvm_private.h>"),
    ("usr.sbin/savecore/savecore.c", '"../../lib/libkvm/kvm_private.h"'),
    ("usr.sbin/savecore/savecore.c", "<dev/dumpdev.h>"),
    ("usr.sbin/savecore/savecore.c", '"../dumpon/dumpon.h"'),
    ("regress/mkdump/mkdump.c", "<sys/kcore.h>"),
    ("regress/mkdump/mkdump.c", "<kvm.h>"),
]

GOOD = [
    ("sys/sys/ktypes.h", "<linux/types.h>"),
    ("sys/kern/dump.c", "<sys/kcore.h>"),
    ("sys/kern/dump.c", "<dev/dumpdev.h>"),
    ("sys/kern/dump.c", "<kern/dump.h>"),
    ("sys/dev/nvme/nvme.c", "<dev/nvme/nvmevar.h>"),
    ("sys/dev/nvme/nvme_pci.c", "<linux/pci.h>"),
    ("sys/os/os.c", "<linux/module.h>"),
    ("sys/os/os.c", "<md.h>"),
    ("lib/libkvm/kvm.c", "<sys/types.h>"),
    ("usr.sbin/savecore/savecore.c", "<kvm.h>"),
    ("usr.sbin/savecore/savecore.c", '"savecore.h"'),
]


def refused(path, include):
    """Does the check refuse this include in this file?"""
    with tempfile.TemporaryDirectory() as tree:
        for name in TREE + [path]:
            full = os.path.join(tree, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as out:
                if name == path:
                    out.write(f"#ifdef X\n# include {include}\n#endif\n")
        return any(layering.check(tree).values())


def main():
    rv = 0
    for cases, want in ((BAD, True), (GOOD, False)):
        for path, include in cases:
            what = "refused" if want else "allowed"
            if refused(path, include) == want:
                print(f"PASS layering: {include} {what} in {path}")
            else:
                print(f"FAIL layering: {include} not {what} in {path}")
                rv = 1
    return rv


if __name__ == "__main__":
    sys.exit(main())
