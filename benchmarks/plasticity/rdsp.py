"""Postsynaptic spikes on random presynaptic trains, from several weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import Bench, changes, trace, within
from benchmarks.rows import Row

ETA, TARGET, TAU = 0.01, 0.4, 20e-3


def reference(pre: list[float], post: list[float], w: float, mu: float) -> float:
    """One postsynaptic spike after the other."""
    start = w
    for t in post:
        w += ETA * (trace(pre, TAU, t) - TARGET) * max(1 - w, 0) ** mu
        w = min(max(w, 0), 1)
    return w - start


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    rng = np.random.default_rng(2)
    cases = []
    for mu in (1.0, 0.5):
        for w0 in (0.2,) if quick else (0.1, 0.5, 0.8):
            pre, post = (np.sort(rng.choice(2000, n, replace=False) * 5e-4 + 1e-3 + d).tolist()
                         for n, d in ((60, 0), (20, 2.5e-4)))  # fmt: skip
            cases.append((pre, post, w0, mu))
    found = changes("rdsp", [
        (Bench({"pre": a, "post": b}, {}, 1.1), {"w0": w, "mu": m, "eta": ETA, "x_tar": TARGET})
        for a, b, w, m in cases
    ])  # fmt: skip
    yield within("random trains", found, [reference(*c) for c in cases], 0.05, "Diehl, Cook 2015")
