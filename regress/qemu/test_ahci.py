# SPDX-License-Identifier: BSD-2-Clause
"""Dumps to a SATA disk of the AHCI controller that is part of q35."""

import test_scsi
from case import test


@test(module="ahci", more=True)
def ahci_core_equals_memory(case):
    """a dump to a SATA disk equals memory, and a disk at another port stays
    bit-identical."""
    test_scsi.beside_truth(case, "ahci", [])


@test(slow=True, module="ahci")
def ahci_busy_core_equals_memory(case):
    """the same is so while eight writers keep the disk busy, behind an
    IOMMU."""
    test_scsi.beside_truth(case, "ahci", ["-device", "intel-iommu"], busy=True,
                           smp=4, append="intel_iommu=on")


@test(slow=True, module="ahci")
def ahci_disk_gone_disarms(case):
    """a SATA disk that is taken away, or whose controller's driver is unbound,
    disarms."""
    test_scsi.gone_disarms(case, "ahci", [],
                           "echo 1 >/sys/block/sda/device/delete")
    test_scsi.gone_disarms(case, "ahci", [], """
echo 0000:00:1f.2 >/sys/bus/pci/drivers/ahci/unbind || die unbind""")
