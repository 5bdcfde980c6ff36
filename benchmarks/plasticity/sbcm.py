"""Presynaptic and postsynaptic trains at several rates: the sign turns at the threshold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.plasticity._common import GRID, Bench, changes, grid, lowpass_on, trace_on, within
from benchmarks.rows import Row

KAPPA, TAU, TAU_THETA, THETA = 0.5, 20e-3, 0.5, 0.4


def reference(pre: list[float], post: list[float], stop: float) -> float:
    """The equation on a grid."""
    t = grid(stop)
    x, y = trace_on(t, pre, TAU), trace_on(t, post, TAU)
    return float(KAPPA * (x * y * (y - lowpass_on(y, TAU_THETA, THETA))).sum() * GRID)


def run(quick: bool) -> Iterator[Row]:
    """The rows of the rule."""
    cases = []
    for rate in (10, 60) if quick else (5, 10, 20, 40, 60, 80):
        pre = (0.01 + np.arange(0, 0.9, 1 / 40)).tolist()
        post = (0.0113 + np.arange(0, 0.9, 1 / rate)).tolist()
        cases.append((pre, post, 1.0))
    found = changes("sbcm", [
        (Bench({"pre": a, "post": b}, {}, s), {"theta0": THETA}) for a, b, s in cases
    ])  # fmt: skip
    yield within("rates of 5 to 80 Hz", found, [reference(*c) for c in cases], 0.05, "Bekolay 2013")
