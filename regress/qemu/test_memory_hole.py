# SPDX-License-Identifier: BSD-2-Clause
"""RAM that the dying kernel can't reach."""

import re
import struct

import crash
from case import Skip, test

HOLE = 2 << 20
UNREADABLE = 4
COUNT_UNREADABLE = 208 + 8 * 8      # offset in cpu_kcore_hdr_t, by kcore(5)


def excluded(image, part):
    """(pages counted as unreadable, [(start, size, kind)]) of a raw dump."""
    begin = image.part(part)[0] + crash.trailer(image, part)["dumplo"] + 8
    header = image.read(begin, crash.PAGE)
    at, count = struct.unpack_from("<II", header, 44)
    raw = image.read(begin + at, 24 * count)
    return (struct.unpack_from("<Q", header, COUNT_UNREADABLE)[0],
            [struct.unpack_from("<QQI", raw, 24 * i) for i in range(count)])


@test()
def direct_map_hole_is_left_out(case):
    """where a large page is missing in the direct map, those 2 MiB and no
    more are named as unreadable, and the rest is dumped."""
    dead = crash.kill(case, "nvme", work="""
rmmod crashme
insmod /crashme.ko hold=1 hole=1 || die "no large page to be had"
""")
    dead.check_complete()
    found = re.search(r"crashme: hole at ([0-9a-f]+)", dead.console)
    if not found:
        raise Skip("the direct map has no large pages")
    start = int(found[1], 16)
    pages, ranges = excluded(dead.image, 2)
    case.check((start, HOLE, UNREADABLE) in ranges,
               f"{start:x} is not among what is left out: {ranges}")
    case.equal(pages, sum(size for _, size, kind in ranges
                          if kind == UNREADABLE) // crash.PAGE, "the count")
    case.check(pages < 2 * HOLE // crash.PAGE,
               f"{pages} pages are called unreadable")
    dead.save()
