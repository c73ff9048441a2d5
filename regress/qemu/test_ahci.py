# SPDX-License-Identifier: BSD-2-Clause
"""Dumps to a SATA disk of the AHCI controller that is part of q35."""

import test_scsi
from case import test


@test(module="ahci")
def ahci_core_equals_memory(case):
    """a dump to a SATA disk equals memory, and a disk at another port stays
    bit-identical."""
    test_scsi.beside_truth(case, "ahci", [])
