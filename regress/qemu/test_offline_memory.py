# SPDX-License-Identifier: BSD-2-Clause
"""Memory that is there and that nobody has put to use."""

import re

import crash
from case import Skip, test
from test_memory_hole import excluded

UNREADABLE = 4
MODULE_MIB = 128

OFFLINE = """
say blocks sh -c 'grep -l offline /sys/devices/system/memory/memory*/state'
"""


@test()
def offline_memory_is_left_alone(case):
    """with a memory module that is offline, the dump is complete, and has
    nothing of the module, whose pages nobody may read."""
    content = case.path("module")
    with open(content, "wb") as out:
        out.write(b"not zero" * (MODULE_MIB << 17))
    dead = crash.kill(case, "nvme", work=OFFLINE, before=[
        "-m", "slots=1,maxmem=1G", "-object", f"memory-backend-file,id=more,"
        f"size={MODULE_MIB}M,mem-path={content},share=on", "-device",
        "pc-dimm,memdev=more"])
    ranges = [re.match(r" *([0-9a-f]+)-([0-9a-f]+) : System RAM", line)
              for line in dead.found["iomem"]]
    above = [(int(one[1], 16), int(one[2], 16) + 1) for one in ranges
             if one and int(one[1], 16) >= 1 << 32]
    if not above or not dead.found["blocks"]:
        raise Skip("the module's memory is not there, or not offline")
    dead.check_complete()
    _, ranges = excluded(dead.image, 2)
    lost = [(start, start + size) for start, size, kind in ranges
            if kind == UNREADABLE and start >= 1 << 32]
    case.equal(lost, above, "what could not be read, and the module")
    dead.save()
