"""Pairs at distances of -50 to 50 ms, and 30 pairings of random trains; sums over pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, both_ways, changes, trace, within
from benchmarks.rows import Row

A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = 0.01, 0.0105, 20e-3, 25e-3


def reference(pre: list[float], post: list[float]) -> float:
    """All pairs: post: +a_plus x, pre: -a_minus y."""
    up = sum(A_PLUS * trace(pre, TAU_PLUS, t) for t in post)
    return up - sum(A_MINUS * trace(post, TAU_MINUS, t) for t in pre)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    params = {"a_plus": A_PLUS, "a_minus": A_MINUS, "tau_plus": TAU_PLUS, "tau_minus": TAU_MINUS}
    distances = np.array([2, 10, 50] if quick else [1, 2, 5, 10, 15, 20, 30, 40, 50]) * 1e-3
    pairs = [both_ways(d) for d in (*-distances[::-1], *distances)]
    rng = np.random.default_rng(1)
    trains = [
        {
            side: sorted(rng.choice(2500, 15, replace=False) * 4e-4 + late)
            for side, late in (("pre", 1e-3), ("post", 1.2e-3))
        }
        for _ in range(2 if quick else 6)
    ]
    for level, bound in (("behavioural", 0.05), ("transistor", 0.15)):
        for name, spikes, stop in (("pairs", pairs, 0.2), ("random trains", trains, 1.1)):
            found = changes("stdp", [(Bench(p, {}, stop), params) for p in spikes], level)
            wanted = [reference(p["pre"], p["post"]) for p in spikes]
            yield within(f"{level}, {name}", found, wanted, bound, "Song 2000")
