# SPDX-License-Identifier: BSD-2-Clause
"""How a figure is told: one line, the same for every measurement.

    bench: NAME ours=N UNIT peer=N UNIT ratio=R

Other lines begin with #.
"""

import statistics


def note(text):
    print(f"# {text}", flush=True)


def figure(name, unit, ours, peer, ratio=None):
    """ratio: where it is not that of the two numbers, as of medians."""
    if ratio is None:
        ratio = ours / peer
    print(f"bench: {name} ours={ours:.5g} {unit} peer={peer:.5g} {unit} "
          f"ratio={ratio:.4g}", flush=True)


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
