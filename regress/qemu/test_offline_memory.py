# SPDX-License-Identifier: BSD-2-Clause
"""Memory that is there and that nobody has put to use."""

import re

import crash
from case import Skip, test
from test_memory_hole import excluded

TRUNCATED = 3
MODULE_MIB = 128

OFFLINE = """
say blocks sh -c 'grep -l offline /sys/devices/system/memory/memory*/state'
"""


@test()
def offline_memory_is_given_up_first(case):
    """with a memory module that is offline, in a window too small for all of
    memory, the dump is complete and truncated, and the module is what it
    lacks."""
    content = case.path("module")
    with open(content, "wb") as out:
        out.write(b"not zero" * (MODULE_MIB << 17))
    dead = crash.kill(case, "nvme", swap_mib=176, work=OFFLINE, before=[
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
    case.check("truncated" in dead.last, f"the console: {dead.last}")
    _, ranges = excluded(dead.image, 2)
    lost = [start for start, _, kind in ranges if kind == TRUNCATED]
    case.check(lost and min(lost) >= above[0][0],
               f"what is lost begins at {lost}, the module at {above}")
    dead.save()
