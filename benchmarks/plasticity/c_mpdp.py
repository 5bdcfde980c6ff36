"""Presynaptic spikes on a high or low membrane, with little or much calcium."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, trace, within
from benchmarks.rows import Row

UP, DOWN, HOME, THETA, TARGET, TAU = 0.01, 0.008, 0.005, -60e-3, 1.0, 100e-3


def reference(pre: list[float], post: list[float], u: float) -> float:
    """The step up or down, and homeostasis, at each presynaptic spike."""
    step = UP if u > THETA else -DOWN
    return sum(step + HOME * (TARGET - trace(post, TAU, t)) for t in pre)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = []
    for u in (-70e-3, -50e-3):
        for rate in (30,) if quick else (2, 10, 30, 60):
            pre = (0.02 + np.arange(20) / 50).tolist()
            post = (0.0117 + np.arange(0, 0.4, 1 / rate)).tolist()
            cases.append((pre, post, u))
    found = changes("c_mpdp", [
        (Bench({"pre": a, "post": b}, {"vmem": ([0.0, 1.0], [u, u])}, 0.5), {"w_min": -2.0, "w_max": 2.0})
        for a, b, u in cases
    ])  # fmt: skip
    yield within("membrane and calcium", found, [reference(*c) for c in cases], 0.05, "Sheik 2016")
