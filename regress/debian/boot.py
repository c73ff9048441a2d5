# SPDX-License-Identifier: BSD-2-Clause
"""A Debian with our packages panics, reboots and saves its dump by itself.

    boot.py IMAGEDIR OUTDIR NAME...

Runs the tests named, each with a copy of the disk that image.sh made; what the
machine printed stays in OUTDIR.  Nobody does anything for it to work: what is
typed here asks, or breaks something first.
"""

import os
import sys
import time

from machine import Failed, Machine, NoLine, Skip
import test_beside
import test_place
import test_saving
from vm import LostVM

TESTS = test_saving.TESTS + test_beside.TESTS + test_place.TESTS


def run_test(test, images, out):
    start = time.monotonic()
    name = test.__name__
    try:
        with Machine(images, out, name) as machine:
            test(machine)
    except Skip as why:
        print(f"SKIP debian/{name}: {why}", flush=True)
        return True
    except (Failed, LostVM, NoLine) as why:
        print(f"FAIL debian/{name}: {why} (logs: {out}/{name}.*)", flush=True)
        return False
    print(f"PASS debian/{name} ({time.monotonic() - start:.0f} s)",
          flush=True)
    return True


def main():
    images, out, *names = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    good = [run_test(test, images, out) for test in TESTS
            if not names or test.__name__ in names]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
