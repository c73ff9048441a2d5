# SPDX-License-Identifier: BSD-2-Clause
"""Kinds of pages that few processes have: they are told at the end of a dump as
many as the guest has of them, and are not in the dump."""

import corefile
import crash
import test_truth
from case import Skip, test
from test_level import told

SECRET, POISONED, SWAPPED = 300, 7, 4096
MOVED_MAX = 32          # pages in the swap cache that come or go by themselves
OTHER = 9               # of counts[]: poisoned and such

KINDS = f"""
pages secret {SECRET} || die "memfd_secret"
pages poisoned {POISONED} || die "MADV_HWPOISON"
pages swapped {SWAPPED} || die "MADV_PAGEOUT"
usleep 500000
say meminfo cat /proc/meminfo
"""


@test(slow=True, module="hwpoison_inject")   # that is, with MEMORY_FAILURE
def kinds_secret_poisoned_swapped_are_told(case):
    """secret memory, poisoned pages, and pages in the swap cache are told as
    many as there are; the rest equals memory."""
    dead = crash.kill(case, "virtio", dumpon="dumpon -d 31", work=KINDS,
                      append="secretmem.enable=1")
    dead.check_complete()
    about = dict(line.split(":") for line in dead.found["meminfo"])
    pages = {key: int(text.split()[0]) // 4 for key, text in about.items()
             if text.endswith("kB")}
    case.equal(told(dead, "secret memory"), SECRET, "secret pages")
    case.equal((told(dead, "poisoned"), pages["HardwareCorrupted"]),
               (POISONED, POISONED), "poisoned pages")
    cached = told(dead, "processes' in the swap cache") + \
        told(dead, "shared memory in the swap cache")
    case.check(pages["SwapCached"] > SWAPPED // 4,
               f"only {pages['SwapCached']} pages are in the swap cache")
    case.check(abs(cached - pages["SwapCached"]) <= MOVED_MAX,
               f"{cached} pages in the swap cache were told, where "
               f"{pages['SwapCached']} were there")
    path = dead.save()
    case.equal(corefile.Core(path).counts[OTHER], POISONED, "pages counted")
    test_truth.compare(dead, path)


OBJECTS = 255           # CONFIG_KFENCE_NUM_OBJECTS: a page and a guard each


@test(slow=True, more=True)
def kinds_kfence_guards_are_told(case):
    """the guard pages of KFENCE, which can't be read, are told as such."""
    with open(f"{case.kernel.root}/boot/config-{case.kernel.release}",
              encoding="ascii") as stream:
        if "CONFIG_KFENCE=y" not in stream.read():
            raise Skip("the kernel has no KFENCE")
    dead = crash.kill(case, "virtio", dumpon="dumpon -d 31",
                      append="kfence.sample_interval=100")
    dead.check_complete()
    guards = told(dead, "KFENCE guards")
    case.check(OBJECTS < guards <= 2 * (OBJECTS + 1),
               f"{guards} guard pages were told")
    test_truth.compare(dead, dead.save())
