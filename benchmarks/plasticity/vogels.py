"""Pairs of either order, and trains: sums over spikes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, both_ways, changes, trace, within
from benchmarks.rows import Row

ETA, ALPHA, TAU = 0.01, 0.12, 20e-3


def reference(pre: list[float], post: list[float]) -> float:
    """pre: eta (y - alpha), post: eta x."""
    change = sum(ETA * (trace(post, TAU, t) - ALPHA) for t in pre)
    return change + sum(ETA * trace(pre, TAU, t) for t in post)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = [both_ways(d) for d in (-30e-3, -10e-3, 5e-3, 20e-3)]
    rng = np.random.default_rng(3)
    for _ in range(1 if quick else 4):
        cases.append({
            side: sorted(rng.choice(2500, 20, replace=False) * 4e-4 + late)
            for side, late in (("pre", 1e-3), ("post", 1.2e-3))
        })  # fmt: skip
    found = changes("vogels", [(Bench(c, {}, 1.1), {"eta": ETA}) for c in cases])
    wanted = [reference(c["pre"], c["post"]) for c in cases]
    yield within("pairs and trains", found, wanted, 0.05, "Vogels 2011")
