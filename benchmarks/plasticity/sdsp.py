"""Presynaptic spikes while postsynaptic rate and membrane decide: up, down, and stop-learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, trace, within
from benchmarks.rows import Row

A = B = 0.1
THV, UL, UH, DL, DH, TAU, DRIFT, THW = 0.8, 3.0, 13.0, 3.0, 4.0, 60e-3, 3.5, 0.5


def reference(pre: list[float], post: list[float], u: float, w: float, stop: float) -> float:
    """A step at each presynaptic spike, the drift between."""
    start, last = w, 0.0

    def drift(w: float, duration: float) -> float:
        return min(w + DRIFT * duration, 1.0) if w > THW else max(w - DRIFT * duration, 0.0)

    for t in pre:
        w = drift(w, t - last)
        calcium = trace(post, TAU, t)
        if u > THV and UL < calcium < UH:
            w = min(w + A, 1.0)
        elif u <= THV and DL < calcium < DH:
            w = max(w - B, 0.0)
        last = t + 1e-4
    return drift(w, stop - last) - start


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = []
    rates = (70, 300) if quick else (20, 55, 70, 150, 300)
    for rate in rates:
        for u, w in ((0.9, 0.2), (0.7, 0.8)):
            pre = (0.3 + np.arange(10) / 50).tolist()
            post = (0.003 + np.arange(0, 0.5, 1 / rate)).tolist()
            cases.append((pre, post, u, w, 0.5))
    for level, bound in (("behavioural", 0.05), ("transistor", 0.15)):
        if quick and level == "transistor":
            cases = cases[:1]
        benches = [
            (Bench({"pre": a, "post": b}, {"vmem": ([0.0, 1.0], [u, u])}, s), {"w0": w})
            for a, b, u, w, s in cases
        ]
        found = changes("sdsp", benches, level)
        wanted = [reference(*c) for c in cases]
        yield within(f"{level}, stop-learning", found, wanted, bound, "Brader 2007")
