# SPDX-License-Identifier: BSD-2-Clause
"""How a figure is told: one line, the same for every measurement.

    bench: NAME ours=N UNIT peer=N UNIT ratio=R

Other lines begin with #.  What a measurement tells is kept in a file of its own
as well, for results.py.
"""

import contextlib
import os
import statistics
import sys

OUT = [sys.stdout]


@contextlib.contextmanager
def recorded(path):
    """What is told meanwhile goes to a file too, which replaces the one of
    before if all went well."""
    with open(f"{path}.new", "w", encoding="utf-8") as out:
        OUT.append(out)
        try:
            yield
        finally:
            OUT.remove(out)
    os.replace(f"{path}.new", path)


def _tell(text):
    for out in OUT:
        print(text, file=out, flush=True)


def note(text):
    _tell(f"# {text}")


def figure(name, unit, ours, peer, ratio=None):
    """ratio: where it is not that of the two numbers, as of medians."""
    if ratio is None:
        ratio = ours / peer
    _tell(f"bench: {name} ours={ours:.5g} {unit} peer={peer:.5g} {unit} "
          f"ratio={ratio:.4g}")


def pairs(name, unit, measured):
    """The figure of several runs, each (ours, peer): medians, and the median
    of the ratios, which is not their ratio."""
    ours, peers = zip(*measured)
    ratios = [our / peer for our, peer in measured]
    figure(name, unit, statistics.median(ours), statistics.median(peers),
           statistics.median(ratios))
    note(f"{name}: ratios of all runs: "
         + " ".join(f"{ratio:.3f}" for ratio in ratios))


def series(name, unit, ours, peers):
    """The figure of several runs that were made apart: medians, and the range
    of each."""
    figure(name, unit, statistics.median(ours), statistics.median(peers))
    note(f"{name}: ours {min(ours):.4g} to {max(ours):.4g}, peer "
         f"{min(peers):.4g} to {max(peers):.4g}")
