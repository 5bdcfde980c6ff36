"""Triplets, and pairs 10 ms apart at 1 to 50 Hz: the protocols to which the rule was fitted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, trace, within
from benchmarks.rows import Row

A2P, A3P, A2M, A3M = 5e-10, 6.2e-3, 7e-3, 2.3e-4
TP, TX, TM, TY = 16.8e-3, 101e-3, 33.7e-3, 125e-3
SOURCE = "Pfister, Gerstner 2006"


def reference(pre: list[float], post: list[float]) -> float:
    """Sums over spikes; the slow traces as they were before the spike."""
    up = sum(trace(pre, TP, t) * (A2P + A3P * trace(post, TY, t)) for t in post)
    return up - sum(trace(post, TM, t) * (A2M + A3M * trace(pre, TX, t)) for t in pre)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    triplets = [
        {"pre": [0.1, 0.1 + a + b], "post": [0.1 + a]} for a, b in ((5e-3, 5e-3), (10e-3, 10e-3), (15e-3, 5e-3))
    ] + [
        {"post": [0.1, 0.1 + a + b], "pre": [0.1 + a]} for a, b in ((5e-3, 5e-3), (10e-3, 10e-3), (5e-3, 15e-3))
    ]  # fmt: skip
    pairings, count = [], 10 if quick else 30
    for rate in (5, 40) if quick else (1, 5, 10, 20, 30, 40, 50):
        for distance in (10e-3, -10e-3):
            pre = (0.1 + np.arange(count) / rate).tolist()
            pairings.append({"pre": pre, "post": [t + distance for t in pre]})
    for level, bound in (("behavioural", 0.05), ("transistor", 0.15)):
        for name, spikes in (("triplets", triplets), ("pairs of 1 to 50 Hz", pairings)):
            if quick and level == "transistor":
                if spikes is pairings:
                    continue
                spikes = triplets[::4]
            benches = [(Bench(p, {}, max(p["pre"] + p["post"]) + 0.18), {}) for p in spikes]
            found = changes("triplet_stdp", benches, level)
            wanted = [reference(p["pre"], p["post"]) for p in spikes]
            yield within(f"{level}, {name}", found, wanted, bound, SOURCE)
