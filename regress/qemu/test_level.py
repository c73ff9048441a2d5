# SPDX-License-Identifier: BSD-2-Clause
"""Dump level 1, without the pages that are all zeros."""

import corefile
import crash
import test_truth
from case import test

ZERO, UNREADABLE = 1, 4             # kinds of exclsegs[]
ZERO_KEPT_MAX = 64


def zeros_kept(core, path):
    """How many pages of zeros are in CORE_DATA all the same."""
    zeros, count = bytes(crash.PAGE), 0
    with open(path, "rb") as stream:
        stream.seek(-core.data_size, 2)
        while page := stream.read(crash.PAGE):
            count += page == zeros
    return count


def level1(case, bus, **options):
    dead = crash.kill(case, bus, dumpon="dumpon -d 1",
                      watch=lambda image: image.guards(2), **options)
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    path = dead.save()
    core = corefile.Core(path)
    case.equal(core.level, 1, "the header's dump_level")
    kinds = {kind for _, _, kind in core.exclsegs()}
    case.check(ZERO in kinds and kinds <= {ZERO, UNREADABLE},
               f"the kinds of exclsegs[] are {kinds}")
    kept = zeros_kept(core, path)
    case.check(kept <= ZERO_KEPT_MAX, f"{kept} pages of zeros are in the dump")
    test_truth.compare(dead, path)


@test(all_kernels=True)
def level_1_core_equals_memory(case):
    """a dump at level 1 leaves out nothing but pages that are all zeros, and
    all the rest equals memory: NVMe."""
    level1(case, "nvme", mem_mib=512, swap_mib=600, smp=2)


@test(slow=True)
def level_1_core_equals_memory_virtio(case):
    """the same on virtio-blk behind an IOMMU, with memory on both sides of the
    PCI hole."""
    level1(case, "virtio", mem_mib=3072, swap_mib=2048, smp=4,
           before=("-device", "intel-iommu"), append="intel_iommu=on",
           options="iommu_platform=on")
